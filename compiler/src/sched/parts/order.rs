//! The order in which parts compute, and where it is cut.
//!
//! The order is one that visits every cone in depth, so that what belongs together lies together, and every cut of
//! such a list into pieces runs from front to back. It is cut where few values cross.

use rustc_hash::FxHashMap;

use super::Piece;
use super::free::{Counter, FreeRunning};
use crate::arena::SideTable;
use crate::ir::*;
use crate::sched::Action;
use crate::sched::regions::{Sink, SinkOrder};

/// True for what costs so much that it is in a part of its own.
fn is_heavy(n: &Netlist, item: Item) -> bool {
    let Item::Cell(cell) = item else { return false };
    let copies = matches!(
        n.cells[cell].kind,
        CellKind::Concat(_) | CellKind::MemRead { .. }
    );
    n.width(cell) > 64 && !copies
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Cell(CellId),
    Sink(usize),
}

/// The cells that sinks need, operands first, every cone in depth; the store of a register behind its cone.
pub(super) struct Order {
    items: Vec<Item>,
    /// Place of each cell in the list.
    place: SideTable<Cell, u32>,
    /// Up to here, and from there on, is what counters need that never stop.
    front: usize,
    back: usize,
}

const NOWHERE: u32 = u32::MAX;
const VISITED: u32 = u32::MAX - 1;
/// It comes at the end.
const LATER: u32 = u32::MAX - 2;

impl Order {
    pub fn of(n: &Netlist, sinks: &[Sink]) -> Order {
        let mut order = Order {
            items: Vec::new(),
            place: SideTable::new(&n.cells, NOWHERE),
            front: 0,
            back: 0,
        };
        let free = FreeRunning::find(n, sinks);
        free.front.iter().for_each(|cell| order.push(*cell));
        order.front = order.items.len();
        let cells = free.counters.iter().flat_map(|counter| &counter.cells);
        cells.for_each(|cell| order.place[*cell] = LATER);
        order.visit_cones(n, sinks, &free);
        order.back = order.items.len();
        for counter in &free.counters {
            counter.cells.iter().for_each(|c| order.push(*c));
            order.items.push(Item::Sink(counter.sink));
        }
        order
    }

    fn push(&mut self, cell: CellId) {
        self.place[cell] = self.items.len() as u32;
        self.items.push(Item::Cell(cell));
    }

    fn visit_cones(&mut self, n: &Netlist, sinks: &[Sink], free: &FreeRunning) {
        let counters = free.counters.iter().map(|counter| (counter.sink, counter));
        let counters: FxHashMap<usize, &Counter> = counters.collect();
        let scope = |sink: &Sink| match sink.action {
            Action::StoreRegister(r, _) => (0, n.registers[r].origin.scope),
            _ => (1, n.scopes.ids().next().expect("the top")),
        };
        let mut indices: Vec<usize> = (0..sinks.len()).collect();
        indices.sort_by_key(|i| scope(&sinks[*i]));
        for index in indices {
            let sink = &sinks[index];
            for cell in sink.uses.iter().chain(&sink.guard) {
                self.visit(n, *cell);
            }
            if let Some(counter) = counters.get(&index) {
                let kinds = counter.cells.iter().map(|cell| &n.cells[*cell].kind);
                kinds.for_each(|kind| kind.for_each_operand(|o| self.visit(n, o)));
            } else if let Action::StoreRegister(..) = sink.action {
                self.items.push(Item::Sink(index));
            }
        }
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
                    self.push(cell);
                }
                _ => {
                    work.pop();
                }
            }
        }
    }

    /// Pieces of about `size` items, cut where the fewest values cross.
    pub fn cut(&self, n: &Netlist, sinks: &[Sink], size: usize) -> Vec<Piece> {
        let crossing = self.crossing(n, sinks);
        let places = 0..self.items.len();
        let mut heavy = places.filter(|at| is_heavy(n, self.items[*at])).peekable();
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < self.items.len() {
            while heavy.next_if(|at| *at < start).is_some() {}
            let stops = [self.front, self.back, self.items.len()];
            let stop = stops.into_iter().find(|at| *at > start);
            let stop = stop.expect("the list ends behind this");
            // A heavy cell is a piece of its own.
            let free = heavy
                .peek()
                .map_or(stop, |at| stop.min((*at).max(start + 1)));
            let (least, most) = (start + size.div_ceil(2), start + size + size / 2);
            let end = match most < free {
                true => (least..=most)
                    .min_by_key(|at| (crossing[*at], most - at))
                    .expect("the size is not zero"),
                false => free,
            };
            pieces.push(Piece {
                items: self.items[start..end].to_vec(),
                is_restless: start < self.front || start >= self.back,
            });
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
