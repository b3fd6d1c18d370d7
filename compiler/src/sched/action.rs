//! What a task does besides computing, and the state that it touches.

use super::sinks::limbs;
use crate::ir::*;

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    StoreRegister(RegisterId, CellId),
    StoreLatch(LatchId, CellId),
    /// Stores, and notes whether the value differs.
    StoreLoop(LoopId, CellId),
    /// Stores a cell's value to its own place.
    StoreNet(CellId),
    /// Keeps a value for other parts, and wakes them when it is another one.
    Keep(CellId),
    /// Stores the level of a computed trigger.
    StoreLevel(TriggerId, CellId),
    /// An asynchronous load that is active: stores, and notes whether the value differs.
    Load(RegisterId, CellId),
    /// A memory write whose enable is 1.
    Write {
        memory: MemoryId,
        port: usize,
    },
    /// A block of rows takes the values of another one of the same memory; the two may overlap.
    Move {
        memory: MemoryId,
        to: u32,
        from: u32,
        rows: u32,
    },
    /// Evaluates a memory read here, before later writes.
    Read(CellId),
    /// Runs a supernode; in a finished block it is [`Step::Supernode`].
    Run(usize),
    /// An effect whose enable is 1.
    Effect(usize),
    /// An effect whose enable is 1 and that waits for the end of the instant.
    Due(usize),
    /// An effect that may have waited.
    Last(usize),
    /// An effect whose enable and arguments are compared with those of the last settling.
    Change(usize),
}

/// What is read and overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Register(RegisterId),
    Latch(LatchId),
    Loop(LoopId),
    Memory(MemoryId),
}

impl State {
    /// The state that a cell is, or reads.
    pub fn of(n: &Netlist, cell: CellId) -> Option<State> {
        match n.cells[cell].kind {
            CellKind::Register(r) => Some(State::Register(r)),
            CellKind::Latch(l) => Some(State::Latch(l)),
            CellKind::LoopCut(l) => Some(State::Loop(l)),
            CellKind::MemRead { memory, .. } => Some(State::Memory(memory)),
            _ => None,
        }
    }
}

impl Action {
    /// Values that it uses; the enable of an effect is its branch's, but for one on change.
    pub fn uses(&self, n: &Netlist) -> Vec<CellId> {
        match *self {
            Action::StoreRegister(_, cell)
            | Action::StoreLatch(_, cell)
            | Action::StoreLoop(_, cell)
            | Action::StoreLevel(_, cell)
            | Action::Load(_, cell)
            | Action::Keep(cell)
            | Action::Read(cell) => vec![cell],
            Action::StoreNet(cell) => limbs(n, cell),
            Action::Write { memory, port } => {
                let port = &n.memories[memory].writes[port];
                [vec![port.address], limbs(n, port.data), limbs(n, port.mask)].concat()
            }
            Action::Due(_) | Action::Run(_) | Action::Move { .. } => Vec::new(),
            Action::Effect(i) | Action::Last(i) | Action::Change(i) => {
                let effect = &n.effects[i];
                let args = effect.args.iter().flat_map(|a| limbs(n, a.value));
                let compared = matches!(self, Action::Change(_)).then_some(effect.enable);
                args.chain(compared).collect()
            }
        }
    }

    /// The state that it changes.
    pub fn overwrites(&self) -> Option<State> {
        match *self {
            Action::StoreRegister(r, _) | Action::Load(r, _) => Some(State::Register(r)),
            Action::StoreLatch(l, _) => Some(State::Latch(l)),
            Action::StoreLoop(l, _) => Some(State::Loop(l)),
            Action::Write { memory, .. } | Action::Move { memory, .. } => {
                Some(State::Memory(memory))
            }
            _ => None,
        }
    }
}
