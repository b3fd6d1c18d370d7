//! Parts: the logic behind the clock edge of a large design, cut into pieces that run only when something that they
//! look at has changed.
//!
//! In: the sinks of a clock edge. Out: [`Parts`], in the order in which they run, each some tens of cells and the
//! registers whose next values those are. What one part computes for others is kept in memory, and whoever writes a
//! value that differs from the kept one wakes those who look at it. In a large design few values change from cycle to
//! cycle, so most parts sleep. Memory writes and effects come last, in parts of their own.
//!
//! A register that a later part reads is *late*: its next value waits beside it until all parts have run.
//!
//! The order is one that visits every cone in depth, so that what belongs together lies together, and every cut of
//! such a list into pieces runs from front to back. It is cut where few values cross.

use rustc_hash::FxHashMap;

use super::activity::{Activity, Owner};
use super::regions::{Scheduler, Sink, SinkOrder};
use super::sinks::needs_shadow;
use super::{Action, Block, Domains, TaskKind, TimingModel};
use crate::arena::SideTable;
use crate::ir::*;
use crate::options::Gating;

/// Effects, or writes, of one part.
const TAIL: usize = 64;

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
    /// Looks at random values, so never sleeps.
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
        let order = Order::of(n, sinks);
        let mut members = order.cut(n, sinks, gating.part_cells);
        members.extend(tail(sinks));
        Some(Cut::new(n, sinks, members))
    }

    fn new(n: &Netlist, sinks: &[Sink], members: Vec<Vec<Item>>) -> Cut {
        let mut activity = Activity::none(n);
        for cell in n.cells.ids().filter(|c| n.cells[*c].kind.is_source()) {
            activity.give(cell, Owner::ALL);
        }
        for (part, items) in members.iter().enumerate() {
            for item in items {
                if let Item::Cell(cell) = item {
                    activity.give(*cell, Owner::supernode(part));
                }
            }
        }
        let mut parts = Parts::default();
        for items in &members {
            parts.look(n, sinks, &activity, items);
        }
        parts.find_late();
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

impl Parts {
    /// Adds the next part, and what it looks at.
    fn look(&mut self, n: &Netlist, sinks: &[Sink], activity: &Activity, items: &[Item]) {
        let index = self.parts.len();
        self.parts.push(Part::default());
        for item in items {
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
}

/// Parts come in order.
fn note(readers: &mut Vec<u32>, part: usize) {
    if readers.last() != Some(&(part as u32)) {
        readers.push(part as u32);
    }
}

/// True for what costs so much that it is in a part of its own.
fn is_heavy(n: &Netlist, item: Item) -> bool {
    let Item::Cell(cell) = item else { return false };
    let copies = matches!(
        n.cells[cell].kind,
        CellKind::Concat(_) | CellKind::MemRead { .. }
    );
    n.width(cell) > 64 && !copies
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
            SinkOrder::Any | SinkOrder::Settled(_) => {}
        }
    }
    let effects = effects.chunks(TAIL).map(<[Item]>::to_vec);
    let parts = effects.chain(writes);
    parts.filter(|part| !part.is_empty()).collect()
}

#[derive(Clone, Copy, Debug)]
enum Item {
    Cell(CellId),
    Sink(usize),
}

/// The cells that sinks need, operands first, every cone in depth; the store of a register behind its cone.
struct Order {
    items: Vec<Item>,
    /// Place of each cell in the list.
    place: SideTable<Cell, u32>,
}

const NOWHERE: u32 = u32::MAX;
const VISITED: u32 = u32::MAX - 1;

impl Order {
    fn of(n: &Netlist, sinks: &[Sink]) -> Order {
        let mut order = Order {
            items: Vec::new(),
            place: SideTable::new(&n.cells, NOWHERE),
        };
        let scope = |sink: &Sink| match sink.action {
            Action::StoreRegister(r, _) => (0, n.registers[r].origin.scope),
            _ => (1, n.scopes.ids().next().expect("the top")),
        };
        let mut indices: Vec<usize> = (0..sinks.len()).collect();
        indices.sort_by_key(|i| scope(&sinks[*i]));
        for index in indices {
            let sink = &sinks[index];
            for cell in sink.uses.iter().chain(&sink.guard) {
                order.visit(n, *cell);
            }
            if let Action::StoreRegister(..) = sink.action {
                order.items.push(Item::Sink(index));
            }
        }
        order
    }

    /// Appends what is not yet there of a cone.
    fn visit(&mut self, n: &Netlist, root: CellId) {
        let mut work = vec![root];
        while let Some(cell) = work.last().copied() {
            let kind = &n.cells[cell].kind;
            match self.place[cell] {
                NOWHERE if kind.is_source() || n.constant(cell).is_some() => {
                    work.pop();
                }
                NOWHERE => {
                    self.place[cell] = VISITED;
                    kind.for_each_operand(|o| work.push(o));
                }
                VISITED => {
                    work.pop();
                    self.place[cell] = self.items.len() as u32;
                    self.items.push(Item::Cell(cell));
                }
                _ => {
                    work.pop();
                }
            }
        }
    }

    /// Pieces of about `size` items, cut where the fewest values cross.
    fn cut(&self, n: &Netlist, sinks: &[Sink], size: usize) -> Vec<Vec<Item>> {
        let crossing = self.crossing(n, sinks);
        let places = 0..self.items.len();
        let mut heavy = places.filter(|at| is_heavy(n, self.items[*at])).peekable();
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < self.items.len() {
            while heavy.next_if(|at| *at < start).is_some() {}
            let free = heavy.peek().copied().unwrap_or(self.items.len());
            let (least, most) = (start + size.div_ceil(2), start + size + size / 2);
            let end = match most < free {
                true => (least..=most)
                    .min_by_key(|at| (crossing[*at], most - at))
                    .expect("the size is not zero"),
                false => free.max(start + 1),
            };
            pieces.push(self.items[start..end].to_vec());
            start = end;
        }
        pieces
    }

    /// For each place how many values are computed before it and used behind it.
    fn crossing(&self, n: &Netlist, sinks: &[Sink]) -> Vec<i32> {
        let end = self.items.len();
        let mut last = vec![0; end];
        let mut used = |cell: CellId, at: usize| {
            if let Some(place) = last.get_mut(self.place[cell] as usize) {
                *place = at.max(*place);
            }
        };
        for (at, item) in self.items.iter().enumerate() {
            match item {
                Item::Cell(cell) => n.cells[*cell].kind.for_each_operand(|o| used(o, at)),
                Item::Sink(sink) => sinks[*sink].uses.iter().for_each(|o| used(*o, at)),
            }
        }
        let of_tail = sinks.iter().filter(|s| s.order != SinkOrder::Any);
        for cell in of_tail.flat_map(|s| s.uses.iter().chain(&s.guard)) {
            used(*cell, end);
        }
        let mut crossing = vec![0; end + 1];
        for (place, last) in last.into_iter().enumerate().filter(|(at, l)| l > at) {
            crossing[place + 1] += 1;
            if last < end {
                crossing[last + 1] -= 1;
            }
        }
        let mut open = 0;
        for change in &mut crossing {
            open += *change;
            *change = open;
        }
        crossing
    }
}
