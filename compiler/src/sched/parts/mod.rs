//! Parts: the logic behind the clock edge of a large design, cut into pieces that run only when something that they
//! look at has changed.
//!
//! In: the sinks of a clock edge. Out: [`Parts`], in the order in which they run, each some tens of cells and the
//! registers whose next values those are. What one part computes for others is kept in memory, and whoever writes a
//! value that differs from the kept one wakes those who look at it. In a large design few values change from cycle to
//! cycle, so most parts sleep. Memory writes and effects come last, in parts of their own.
//!
//! Parts that would nearly always run together are one (`merge.rs`).
//!
//! A register that a later part reads is *late*: its next value waits beside it until all parts have run.
//!
//! Counters that never stop would wake all that lies with them in every cycle, so they have parts of their own, which
//! never sleep (`free.rs`).

mod free;
mod merge;
mod order;

use rustc_hash::FxHashMap;

use self::order::{Item, Order};
use super::activity::{Activity, Owner};
use super::regions::{Scheduler, Sink, SinkOrder};
use super::sinks::needs_shadow;
use super::{Action, Block, Domains, TaskKind, TimingModel};
use crate::ir::*;
use crate::options::Gating;

/// Effects, or writes, of one part.
const TAIL: usize = 64;
/// Most cells that are looked at to see whether a register can keep its value.
const CHOICES: usize = 64;

/// What each part does besides computing, and who looks at what.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    pub parts: Vec<Part>,
    /// The parts that look at a value which another one computes.
    pub cells: FxHashMap<CellId, Vec<u32>>,
    pub registers: FxHashMap<RegisterId, Vec<u32>>,
    pub memories: FxHashMap<MemoryId, Vec<u32>>,
    /// The part that stores a register.
    pub writers: FxHashMap<RegisterId, u32>,
    /// Cells that are inputs.
    pub inputs: Vec<(CellId, Vec<u32>)>,
}

#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Registers, memory writes, effects.
    sinks: Vec<Sink>,
    /// Values for other parts.
    pub kept: Vec<CellId>,
    pub late: Vec<RegisterId>,
    /// Looks at random values, or at what changes in every cycle: it never sleeps.
    pub is_restless: bool,
}

/// How a design is cut.
pub struct Cut {
    pub parts: Parts,
    activity: Activity,
}

impl Cut {
    /// Cuts a design with one clock edge and state that nothing else changes; `None` for others.
    pub fn find(
        n: &Netlist,
        domains: &Domains,
        tasks: &[(TaskKind, Vec<Sink>)],
        gating: Gating,
    ) -> Option<Cut> {
        let single = domains.model == TimingModel::Static && !needs_shadow(domains);
        let plain = n.latches.is_empty() && n.loops.is_empty();
        let is_edge = |(kind, _): &&(TaskKind, Vec<Sink>)| matches!(kind, TaskKind::Edge(_));
        let (_, sinks) = tasks.iter().find(is_edge).filter(|_| single && plain)?;
        if holding(n, sinks) < gating.holding {
            return None;
        }
        let pieces = Order::of(n, sinks).cut(n, sinks, gating.part_cells);
        let (_, alone) = look(n, sinks, &pieces);
        let mut pieces = merge::merge(pieces, &alone, gating.merged_cells);
        pieces.extend(tail(sinks).into_iter().map(Piece::plain));
        Some(Cut::new(n, sinks, pieces))
    }

    fn new(n: &Netlist, sinks: &[Sink], pieces: Vec<Piece>) -> Cut {
        let (activity, mut parts) = look(n, sinks, &pieces);
        parts.find_late();
        parts.leave_restless_alone();
        Cut { parts, activity }
    }

    /// What every part does.
    pub fn tasks(&self, n: &Netlist, edge: ClockEdge) -> Vec<(TaskKind, Vec<CellId>, Block)> {
        let mut scheduler = Scheduler::new(n, &self.activity);
        let mut tasks = Vec::new();
        for (index, part) in self.parts.parts.iter().enumerate() {
            let kept = part.kept.iter();
            let kept = kept.map(|c| Sink::plain(Action::Keep(*c), vec![*c]));
            let sinks = part.sinks.iter().cloned().chain(kept).collect();
            let body = scheduler.block(sinks, Owner::supernode(index));
            tasks.push((TaskKind::Part(edge, index), Vec::new(), body));
        }
        tasks
    }
}

/// Which cells each piece computes, and what it looks at.
fn look(n: &Netlist, sinks: &[Sink], pieces: &[Piece]) -> (Activity, Parts) {
    let mut activity = Activity::none(n);
    for cell in n.cells.ids().filter(|c| n.cells[*c].kind.is_source()) {
        activity.give(cell, Owner::ALL);
    }
    for (part, piece) in pieces.iter().enumerate() {
        for item in &piece.items {
            if let Item::Cell(cell) = item {
                activity.give(*cell, Owner::supernode(part));
            }
        }
    }
    let mut parts = Parts::default();
    for piece in pieces {
        parts.look(n, sinks, &activity, piece);
    }
    (activity, parts)
}

impl Parts {
    /// Adds the next part, and what it looks at.
    fn look(&mut self, n: &Netlist, sinks: &[Sink], activity: &Activity, piece: &Piece) {
        let index = self.parts.len();
        self.parts.push(Part {
            is_restless: piece.is_restless,
            ..Part::default()
        });
        for item in &piece.items {
            match item {
                Item::Cell(cell) => {
                    if let CellKind::MemRead { memory, .. } = n.cells[*cell].kind {
                        note(self.memories.entry(memory).or_default(), index);
                    }
                    let kind = &n.cells[*cell].kind;
                    kind.for_each_operand(|o| self.look_at(n, activity, o, index));
                }
                Item::Sink(sink) => {
                    let sink = &sinks[*sink];
                    for cell in sink.uses.iter().chain(&sink.guard) {
                        self.look_at(n, activity, *cell, index);
                    }
                    if let Action::StoreRegister(r, _) = sink.action {
                        self.writers.insert(r, index as u32);
                    }
                    self.parts[index].sinks.push(sink.clone());
                }
            }
        }
    }

    fn look_at(&mut self, n: &Netlist, activity: &Activity, cell: CellId, part: usize) {
        match n.cells[cell].kind {
            CellKind::Const(_) => {}
            CellKind::Random(_) => self.parts[part].is_restless = true,
            CellKind::Register(r) => note(self.registers.entry(r).or_default(), part),
            CellKind::Input(_) => {
                let known = self.inputs.iter().position(|(c, _)| *c == cell);
                let at = known.unwrap_or_else(|| {
                    self.inputs.push((cell, Vec::new()));
                    self.inputs.len() - 1
                });
                note(&mut self.inputs[at].1, part);
            }
            _ => {
                let owner = activity.owner(cell).index().expect("it is in the cone");
                if owner != part {
                    let readers = self.cells.entry(cell).or_default();
                    if readers.is_empty() {
                        self.parts[owner].kept.push(cell);
                    }
                    note(readers, part);
                }
            }
        }
    }

    fn find_late(&mut self) {
        for (index, part) in self.parts.iter_mut().enumerate() {
            for sink in &part.sinks {
                if let Action::StoreRegister(r, _) = sink.action {
                    let last = self.registers.get(&r).and_then(|readers| readers.last());
                    part.late
                        .extend(last.filter(|last| **last > index as u32).map(|_| r));
                }
            }
        }
    }

    /// Nobody need wake those that never sleep.
    fn leave_restless_alone(&mut self) {
        let parts = &self.parts;
        let sleeps = |part: &u32| !parts[*part as usize].is_restless;
        let readers = self.cells.values_mut().chain(self.registers.values_mut());
        let inputs = self.inputs.iter_mut().map(|(_, readers)| readers);
        for readers in readers.chain(self.memories.values_mut()).chain(inputs) {
            readers.retain(sleeps);
        }
        self.writers.retain(|_, part| sleeps(part));
    }
}

/// How many per cent of all registers may keep their value.
fn holding(n: &Netlist, sinks: &[Sink]) -> usize {
    let (mut all, mut holding) = (0, 0);
    for sink in sinks {
        if let Action::StoreRegister(register, next) = sink.action {
            all += 1;
            holding += usize::from(sink.guard.is_some() || can_hold(n, register, next));
        }
    }
    100 * holding / all.max(1)
}

/// True where a register's value is among those that its next value is chosen from.
fn can_hold(n: &Netlist, register: RegisterId, next: CellId) -> bool {
    let mut choices = Choices::of(n, next).take(CHOICES);
    choices.any(|cell| matches!(n.cells[cell].kind, CellKind::Register(r) if r == register))
}

/// The cells that choose a value, and those that they choose from; a cell comes as often as it is reached.
struct Choices<'a> {
    n: &'a Netlist,
    work: Vec<CellId>,
}

impl Choices<'_> {
    fn of(n: &Netlist, value: CellId) -> Choices<'_> {
        Choices {
            n,
            work: vec![value],
        }
    }
}

impl Iterator for Choices<'_> {
    type Item = CellId;

    fn next(&mut self) -> Option<CellId> {
        let cell = self.work.pop()?;
        let chosen = chosen_from(&self.n.cells[cell].kind);
        self.work.extend(chosen.into_iter().flatten());
        Some(cell)
    }
}

/// What a cell chooses from, if it is one that chooses.
fn chosen_from(kind: &CellKind) -> Option<[CellId; 2]> {
    match *kind {
        CellKind::Mux {
            on_true, on_false, ..
        } => Some([on_true, on_false]),
        CellKind::And(a, b) | CellKind::Or(a, b) => Some([a, b]),
        _ => None,
    }
}

/// What goes into one part.
struct Piece {
    items: Vec<Item>,
    is_restless: bool,
}

impl Piece {
    /// Neither restless nor one costly operation.
    fn may_join(&self) -> bool {
        !self.is_restless && self.items.len() > 1
    }

    fn plain(items: Vec<Item>) -> Piece {
        Piece {
            items,
            is_restless: false,
        }
    }
}

/// Parts come in order.
fn note(readers: &mut Vec<u32>, part: usize) {
    if readers.last() != Some(&(part as u32)) {
        readers.push(part as u32);
    }
}

/// Effects and memory writes: they see all as it was before the edge, in parts that compute nothing.
fn tail(sinks: &[Sink]) -> Vec<Vec<Item>> {
    let mut effects = Vec::new();
    let mut writes: Vec<Vec<Item>> = vec![Vec::new()];
    let mut memory_before = None;
    for (index, sink) in sinks.iter().enumerate() {
        match sink.order {
            SinkOrder::Effect(_) => effects.push(Item::Sink(index)),
            // All ports of a memory are in one part, in their order.
            SinkOrder::Write(memory, _) => {
                let last = writes.last_mut().expect("there is one");
                if last.len() >= TAIL && memory_before != Some(memory) {
                    writes.push(Vec::new());
                }
                memory_before = Some(memory);
                let last = writes.last_mut().expect("there is one");
                last.push(Item::Sink(index));
            }
            SinkOrder::Any | SinkOrder::Settled(_) | SinkOrder::Move(_) => {}
        }
    }
    let effects = effects.chunks(TAIL).map(<[Item]>::to_vec);
    let parts = effects.chain(writes);
    parts.filter(|part| !part.is_empty()).collect()
}
