//! Counters that never stop.
//!
//! A time-out or a cycle counter changes in every cycle, and what lies in one part with it would run in every cycle.
//! Such a counter is a register whose next value is one more or less than its value, or something else, but never its
//! value. What only makes that next value goes into parts of its own at the end; what looks at the counter and at
//! nothing that must be computed before, as a comparison with a limit, into others at the start.

use rustc_hash::FxHashMap;

use super::{Choices, chosen_from};
use crate::arena::SideTable;
use crate::ir::*;
use crate::sched::Action;
use crate::sched::activity::cone;
use crate::sched::regions::Sink;

/// Most cells that choose the next value of a counter.
const CHOICES: usize = 16;

#[derive(Default)]
pub(super) struct FreeRunning {
    /// Cells that look at counters, and at other registers at most.
    pub front: Vec<CellId>,
    pub counters: Vec<Counter>,
}

pub(super) struct Counter {
    register: RegisterId,
    /// What makes its next value and nothing else, operands first.
    pub cells: Vec<CellId>,
    /// Its store.
    pub sink: usize,
}

impl FreeRunning {
    pub fn find(n: &Netlist, sinks: &[Sink]) -> FreeRunning {
        let cells = cone(n, sinks);
        let uses = count_uses(n, &cells, sinks);
        let mut found = FreeRunning::default();
        for (index, sink) in sinks.iter().enumerate() {
            if let Action::StoreRegister(register, next) = sink.action
                && let None = sink.guard
                && let Some(choices) = choices(n, register, next)
            {
                found.counters.push(Counter {
                    register,
                    cells: own_cells(n, next, choices, &uses),
                    sink: index,
                });
            }
        }
        found.find_front(n, &cells);
        found
    }

    fn find_front(&mut self, n: &Netlist, cells: &[CellId]) {
        let mut is_taken = SideTable::new(&n.cells, false);
        let mut is_counter = vec![false; n.registers.len()];
        for counter in &self.counters {
            is_counter[counter.register.index()] = true;
            counter.cells.iter().for_each(|c| is_taken[*c] = true);
        }
        let is_front = |cell: &&CellId| {
            let (mut looks, mut waits) = (false, is_taken[**cell] || n.width(**cell) > 64);
            n.cells[**cell]
                .kind
                .for_each_operand(|o| match n.cells[o].kind {
                    CellKind::Const(_) => {}
                    CellKind::Register(r) => looks |= is_counter[r.index()],
                    _ => waits = true,
                });
            looks && !waits
        };
        self.front = cells.iter().filter(is_front).copied().collect();
    }
}

fn count_uses(n: &Netlist, cells: &[CellId], sinks: &[Sink]) -> SideTable<Cell, u32> {
    let mut uses = SideTable::new(&n.cells, 0);
    for cell in cells {
        n.cells[*cell].kind.for_each_operand(|o| uses[o] += 1);
    }
    for cell in sinks.iter().flat_map(|s| s.uses.iter().chain(&s.guard)) {
        uses[*cell] += 1;
    }
    uses
}

/// The cells that choose a register's next value, when it counts and never holds.
fn choices(n: &Netlist, register: RegisterId, next: CellId) -> Option<Vec<CellId>> {
    let is = |cell: CellId| matches!(n.cells[cell].kind, CellKind::Register(r) if r == register);
    let constant = |cell: CellId| n.constant(cell).is_some();
    let (mut choices, mut counts) = (Vec::new(), false);
    for cell in Choices::of(n, next) {
        if is(cell) || choices.len() > CHOICES || n.width(cell) > 64 {
            return None;
        }
        let step = match n.cells[cell].kind {
            CellKind::Add(a, b) | CellKind::Sub(a, b) => {
                is(a) && constant(b) || constant(a) && is(b)
            }
            _ => false,
        };
        counts |= step;
        if step || chosen_from(&n.cells[cell].kind).is_some() {
            choices.push(cell);
        }
    }
    choices.sort_unstable();
    choices.dedup();
    counts.then_some(choices)
}

/// Those of the cells that nobody else uses.
fn own_cells(
    n: &Netlist,
    next: CellId,
    choices: Vec<CellId>,
    uses: &SideTable<Cell, u32>,
) -> Vec<CellId> {
    let mut inside: FxHashMap<CellId, u32> = FxHashMap::default();
    inside.insert(next, 1);
    let mut own = Vec::new();
    for cell in choices.into_iter().rev() {
        if inside.get(&cell) == Some(&uses[cell]) {
            let kind = &n.cells[cell].kind;
            kind.for_each_operand(|o| *inside.entry(o).or_default() += 1);
            own.push(cell);
        }
    }
    own.reverse();
    own
}
