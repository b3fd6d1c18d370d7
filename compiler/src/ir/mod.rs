//! The spine: a flat, word-level netlist.
//!
//! A cell is its single output value and wires are only names ([`Signal`]). Cell ids are topological:
//! operands have smaller ids than their users, so every pass is one forward loop. State - registers,
//! latches, memories, cut loops - stands beside the cells and refers to the cells that compute its
//! next value; those references are the only ones that may point forward.
//!
//! Time and order are those of the artifact ABI (`runtime-abi/SPEC.md`, "Time and order"):
//! * *settle*: all cells are computed from state and inputs; each latch takes its `value`; while an
//!   asynchronous load is active and would change its register it acts, and settling repeats; cut
//!   loops repeat until they do not change.
//! * *wave*: all triggers whose level differs from the level their registers acted on have an edge;
//!   registers, memory writes and clocked effects compute from the settled values before the edge and
//!   all commit together.

mod builder;
mod cell;
mod eval;
pub mod interp;
mod parse;
mod print;
mod rewrite;
mod simplify;
mod validate;
mod vector;

pub use builder::{Builder, Extend};
pub use cell::{Cell, CellId, CellKind};
pub use eval::evaluate;
pub use parse::{ParseError, parse};
pub use print::print;
pub use rewrite::{Rewriter, rewrite, rewrite_then};
pub use validate::{validate, violations};

use std::collections::BTreeMap;

use crate::arena::{Arena, Id, SideTable};
use crate::bits::{Bits, limb_count};

pub type InputId = Id<Input>;
pub type RegisterId = Id<Register>;
pub type LatchId = Id<Latch>;
pub type LoopId = Id<LoopCut>;
pub type MemoryId = Id<Memory>;
pub type TriggerId = Id<Trigger>;
pub type RandomId = Id<RandomSource>;
pub type ScopeId = Id<Scope>;
pub type SourceId = Id<String>;
pub type SignalId = Id<Signal>;
pub type TypeId = Id<ValueType>;

/// A whole design, flat.
#[derive(Clone, Debug, Default)]
pub struct Netlist {
    /// Name of the top module.
    pub top: String,
    /// All cells, operands before users.
    pub cells: Arena<Cell>,
    /// Where each cell comes from.
    pub origins: SideTable<Cell, Origin>,
    pub inputs: Arena<Input>,
    pub registers: Arena<Register>,
    pub latches: Arena<Latch>,
    pub loops: Arena<LoopCut>,
    pub memories: Arena<Memory>,
    /// Nets whose edges or levels registers act on: primary clocks, derived clocks, then asynchronous
    /// loads. No two have the same net.
    pub triggers: Arena<Trigger>,
    pub randoms: Arena<RandomSource>,
    /// What the design tells the host, in the order of the source's priorities.
    pub effects: Vec<Effect>,
    /// All names; top-level ports first, in order of declaration.
    pub signals: Arena<Signal>,
    /// Module instances; the first is the top.
    pub scopes: Arena<Scope>,
    /// `file:line.column-line.column`, as the front end gave them; the first is empty.
    pub sources: Arena<String>,
    /// Enumerations that signals refer to.
    pub types: Arena<ValueType>,
    /// Registers that always have the value of a cell (`sched/ahead.rs`): after the host has written other registers
    /// these are renewed.
    pub hidden: Vec<(RegisterId, CellId)>,
    /// Which sides of muxes are arms of an `if` or `case`. Passes drop it: only the unoptimised netlist has it.
    pub branches: Vec<Branch>,
}

/// One side of a mux that is an arm of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    pub mux: CellId,
    /// The value of the select that takes it.
    pub taken: bool,
    /// Where the arm's statements stand.
    pub source: SourceId,
}

/// Where something was written: the instance and the source location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub scope: ScopeId,
    pub source: SourceId,
}

impl Default for Origin {
    fn default() -> Self {
        Origin {
            scope: Id::new(0),
            source: Id::new(0),
        }
    }
}

/// One module instance.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The instance that holds this one; `None` for the top.
    pub parent: Option<ScopeId>,
    /// Instance name (the top's is its module name).
    pub name: String,
    /// Module name.
    pub module: String,
    /// Where it is instantiated.
    pub source: SourceId,
}

/// A top-level input (also the incoming half of an inout).
#[derive(Clone, Debug)]
pub struct Input {
    pub name: String,
    pub width: u32,
}

/// A value that changes at clock edges or when an asynchronous load is active.
#[derive(Clone, Debug)]
pub struct Register {
    pub width: u32,
    /// Power-on value; bits outside `init_defined` follow the undefined-value policy.
    pub init: Bits,
    /// Which bits of `init` the source gives.
    pub init_defined: Bits,
    /// Where its undefined bits lie in the stream of [`Undef::Random`](crate::options::Undef): bit i of the
    /// register is bit `draw + i`. Passes carry it, so that no value hangs on the state that they remove.
    pub draw: u64,
    /// The register takes `next` when any of these has its edge.
    pub clocks: Vec<ClockEdge>,
    /// Value to take at a clock edge; includes synchronous enables and resets.
    pub next: CellId,
    /// Set or reset by level, stronger than the clock.
    pub load: Option<AsyncLoad>,
    pub origin: Origin,
}

/// An asynchronous set, reset or load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsyncLoad {
    /// Width 1: while it is 1 the register is `value`, also at a clock edge.
    pub when: CellId,
    pub value: CellId,
    /// The net that `when` follows, for the trigger table; `None` when `when` mixes several.
    pub trigger: Option<TriggerId>,
}

/// One edge of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockEdge {
    pub trigger: TriggerId,
    pub edge: Edge,
}

/// Which change of level counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    Rise,
    Fall,
    Both,
}

impl Edge {
    /// True when a change to `level` is such an edge.
    pub fn matches(self, level: bool) -> bool {
        match self {
            Edge::Rise => level,
            Edge::Fall => !level,
            Edge::Both => true,
        }
    }
}

/// A net that registers act on.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Width 1.
    pub net: CellId,
    pub role: TriggerRole,
}

/// What a trigger is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerRole {
    /// A clock that is a top-level input (or one bit of one): the host or the time loop moves it.
    PrimaryClock,
    /// A clock that the design computes.
    DerivedClock,
    /// An asynchronous set, reset or load; also one that is a top-level input.
    AsyncLoad,
}

/// A level-sensitive value.
#[derive(Clone, Debug)]
pub struct Latch {
    pub width: u32,
    pub init: Bits,
    pub init_defined: Bits,
    /// As in [`Register::draw`].
    pub draw: u64,
    /// The transparent output, usually a mux of data and [`CellKind::Latch`]; stored after settling.
    pub value: CellId,
    pub origin: Origin,
}

/// A true combinational loop, cut here. Settling repeats until `value` equals the value it had.
#[derive(Clone, Debug)]
pub struct LoopCut {
    pub width: u32,
    pub value: CellId,
    pub origin: Origin,
}

/// A `$random`-like value: another one in every wave.
#[derive(Clone, Debug)]
pub struct RandomSource {
    pub width: u32,
    /// Tells its values from those of others; passes carry it.
    pub key: u64,
    pub origin: Origin,
}

/// An array of words.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Bits per row.
    pub width: u32,
    /// Number of rows.
    pub depth: u32,
    /// Declared index of row 0.
    pub first: i64,
    /// Initial rows that the source gives, sorted by row; others follow the undefined-value policy.
    pub init: Vec<MemoryInit>,
    /// As in [`Register::draw`], for row 0; every row begins a limb of the stream, and so does this.
    pub draw: u64,
    /// In order: where two write the same bit in one wave, the later one wins.
    pub writes: Vec<WritePort>,
    pub origin: Origin,
}

/// The power-on value of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryInit {
    pub row: u32,
    pub value: Bits,
    /// Which bits of `value` the source gives.
    pub defined: Bits,
}

/// Writes a row at clock edges.
#[derive(Clone, Debug)]
pub struct WritePort {
    /// Any of these edges; never empty.
    pub clocks: Vec<ClockEdge>,
    /// Width 1: nothing is written while it is 0.
    pub enable: CellId,
    /// Row, unsigned; a row that does not exist is not written.
    pub address: CellId,
    /// As wide as the memory.
    pub data: CellId,
    /// As wide as the memory: which bits are written.
    pub mask: CellId,
    pub origin: Origin,
}

/// Something the design tells the host: text, a stop, a failed check, a cover.
#[derive(Clone, Debug)]
pub struct Effect {
    pub kind: EffectKind,
    pub when: EffectTime,
    /// Width 1: nothing happens while it is 0. For checks the condition is already folded in: 1 is a
    /// failed assertion, an assumption violated, or a cover reached.
    pub enable: CellId,
    /// Values of the message, pre-edge ones for clocked effects.
    pub args: Vec<EffectArg>,
    pub message: Vec<MessagePart>,
    /// After everything else of the instant (`$strobe`).
    pub last: bool,
    pub origin: Origin,
    /// Name of the cell or block, for reports.
    pub name: String,
}

/// What an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EffectKind {
    Display,
    Info,
    Warning,
    Error,
    Fatal,
    Finish,
    Stop,
    Assert,
    Assume,
    Cover,
}

/// When an effect is considered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectTime {
    /// Once, at power-on, after the first settling.
    Initial,
    /// At any of these edges, with the values from before it.
    Edges(Vec<ClockEdge>),
    /// Whenever `enable` or an argument has another value than at the last settling and enable is 1.
    Change,
}

/// One value of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectArg {
    pub value: CellId,
    pub signed: bool,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessagePart {
    Text(String),
    /// Argument number `arg` as a number.
    Number {
        arg: usize,
        base: Base,
        layout: NumberLayout,
    },
    /// Argument number `arg` as text, eight bits a character, the highest first; zero bytes are not shown.
    Chars {
        arg: usize,
        layout: NumberLayout,
    },
    /// The time of the event in units of 10^`time_unit` s, or as a real number.
    Time {
        real: bool,
        layout: NumberLayout,
    },
}

/// Number base of a message part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    Binary,
    Octal,
    Decimal,
    Hex,
    /// Hexadecimal with capital letters.
    UpperHex,
}

/// Padding and signs of a message part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NumberLayout {
    /// Least number of characters.
    pub width: u32,
    pub justify: Justify,
    /// Pad with this character (also before digits, after the sign).
    pub zero_pad: bool,
    /// Show `+` before non-negative numbers.
    pub plus: bool,
    /// Show a space before non-negative numbers.
    pub space: bool,
    /// Show `0b`, `0o`, `0x`.
    pub prefix: bool,
    /// `_` between groups of digits.
    pub group: bool,
}

/// Where a number stands in its field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Justify {
    #[default]
    Right,
    Left,
}

/// A name of the source.
#[derive(Clone, Debug)]
pub struct Signal {
    pub scope: ScopeId,
    /// Without the scope.
    pub name: String,
    pub direction: Direction,
    pub width: u32,
    /// Declared index of the lowest bit.
    pub lsb: i64,
    /// Declared `[0:7]` rather than `[7:0]`.
    pub upto: bool,
    pub signed: bool,
    pub value: SignalValue,
    pub ty: Option<TypeId>,
    pub source: SourceId,
}

/// Direction of a top-level port; everything else is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    None,
    Input,
    Output,
    Inout,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalValue {
    Cell(CellId),
    Memory(MemoryId),
    /// A top-level inout: what the host drives, what the design drives, and which bits it drives.
    Inout {
        input: CellId,
        output: CellId,
        enable: CellId,
    },
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueType {
    pub name: String,
    pub width: u32,
    pub variants: Vec<(String, Bits)>,
}

impl Netlist {
    /// Gives state its places in the stream of undefined bits, and random sources their keys: by order. For the
    /// netlist that a source becomes, and no later one. Place 0 is nobody's.
    pub(super) fn number_draws(&mut self) {
        let mut next = 64;
        let mut take = |limbs: u64| {
            next += 64 * limbs;
            next - 64 * limbs
        };
        for r in self.registers.values_mut() {
            r.draw = take(limb_count(r.width) as u64);
        }
        for l in self.latches.values_mut() {
            l.draw = take(limb_count(l.width) as u64);
        }
        for m in self.memories.values_mut() {
            m.draw = take(u64::from(m.depth) * limb_count(m.width) as u64);
        }
        for (r, key) in self.randoms.values_mut().zip(0..) {
            r.key = key;
        }
    }

    /// Width of a cell's value.
    pub fn width(&self, cell: CellId) -> u32 {
        self.cells[cell].width
    }

    /// The value of a constant cell.
    pub fn constant(&self, cell: CellId) -> Option<&Bits> {
        match &self.cells[cell].kind {
            CellKind::Const(bits) => Some(bits),
            _ => None,
        }
    }

    /// Inputs that are no port: what `$test$plusargs` and `$value$plusargs` ask the host for. By cell,
    /// with the text of the request.
    pub fn host_inputs(&self) -> BTreeMap<CellId, &str> {
        let mut inputs: BTreeMap<CellId, &str> = BTreeMap::new();
        for (id, cell) in self.cells.iter() {
            if let CellKind::Input(input) = cell.kind {
                inputs.insert(id, &self.inputs[input].name);
            }
        }
        for port in self
            .signals
            .values()
            .filter(|s| s.direction != Direction::None)
        {
            match port.value {
                SignalValue::Cell(cell) | SignalValue::Inout { input: cell, .. } => {
                    inputs.remove(&cell)
                }
                SignalValue::Memory(_) => None,
            };
        }
        inputs
    }

    /// Instance names from below the top down to `scope`.
    pub fn scope_path(&self, scope: ScopeId) -> Vec<&str> {
        let mut path = Vec::new();
        let mut at = scope;
        while let Some(parent) = self.scopes[at].parent {
            path.push(self.scopes[at].name.as_str());
            at = parent;
        }
        path.reverse();
        path
    }

    /// Path of a signal from below the top, its own name last.
    pub fn signal_path(&self, signal: SignalId) -> Vec<&str> {
        let signal = &self.signals[signal];
        let mut path = self.scope_path(signal.scope);
        path.push(&signal.name);
        path
    }

    /// Every cell that something other than a cell refers to: next values, ports, names and so on.
    pub fn for_each_root(&self, mut f: impl FnMut(CellId)) {
        for r in self.registers.values() {
            f(r.next);
            if let Some(load) = r.load {
                f(load.when);
                f(load.value);
            }
        }
        self.latches.values().for_each(|l| f(l.value));
        self.loops.values().for_each(|l| f(l.value));
        self.triggers.values().for_each(|t| f(t.net));
        for w in self.memories.values().flat_map(|m| &m.writes) {
            [w.enable, w.address, w.data, w.mask]
                .into_iter()
                .for_each(&mut f);
        }
        for e in &self.effects {
            f(e.enable);
            e.args.iter().for_each(|a| f(a.value));
        }
        for s in self.signals.values() {
            match s.value {
                SignalValue::Cell(c) => f(c),
                SignalValue::Memory(_) => {}
                SignalValue::Inout {
                    input,
                    output,
                    enable,
                } => [input, output, enable].into_iter().for_each(&mut f),
            }
        }
    }
}
