//! In which order the sinks of a block run.
//!
//! State is overwritten in place, so what reads it should come before what writes it. Where that cannot be
//! had - two registers that swap, say - the emitter saves the old value at the start of the task. Memory rows
//! are not saved, so reads of a memory come before its writes, always; reads that other memory writes need
//! have been done before (`early_reads`).

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::tree::{Item, Tree};
use crate::ir::*;
use crate::sched::Action;

/// Something that sinks overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Register(RegisterId),
    Latch(LatchId),
    Loop(LoopId),
    Memory(MemoryId),
}

impl State {
    fn read_by(kind: &CellKind) -> Option<State> {
        match kind {
            CellKind::Register(r) => Some(State::Register(*r)),
            CellKind::Latch(l) => Some(State::Latch(*l)),
            CellKind::LoopCut(l) => Some(State::Loop(*l)),
            CellKind::MemRead { memory, .. } => Some(State::Memory(*memory)),
            _ => None,
        }
    }

    fn written_by(tree: &Tree, action: &Action) -> Vec<State> {
        match action {
            Action::StoreRegister(r, _) | Action::Load(r, _) => vec![State::Register(*r)],
            Action::StoreLatch(l, _) => vec![State::Latch(*l)],
            Action::StoreLoop(l, _) => vec![State::Loop(*l)],
            Action::Write { memory, .. } | Action::Move { memory, .. } => {
                vec![State::Memory(*memory)]
            }
            Action::Run(index) => {
                let node = &tree.scheduler.activity.supernodes.nodes[*index];
                let registers = node.registers.iter().map(|r| State::Register(*r));
                let memories = node.memories.iter().map(|m| State::Memory(*m));
                registers.chain(memories).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Which items need a cell that is not done yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    By(usize),
    BySeveral,
}

fn needs(tree: &Tree, region: usize, cells: &[usize], items: &[Item]) -> FxHashMap<usize, Needed> {
    let mut needs: FxHashMap<usize, Needed> = FxHashMap::default();
    let join = |needs: &mut FxHashMap<usize, Needed>, local: usize, by: Needed| {
        let entry = needs.entry(local).or_insert(by);
        if *entry != by {
            *entry = Needed::BySeveral;
        }
    };
    for (i, item) in items.iter().enumerate() {
        for leaf in &item.leaves {
            for input in tree.leaf_inputs(region, *leaf) {
                join(&mut needs, input, Needed::By(i));
            }
        }
    }
    for l in cells.iter().rev().filter(|l| !tree.done[**l]) {
        if let Some(by) = needs.get(l).copied() {
            tree.for_each_operand(*l, |o| {
                if let Some(operand) = tree.scheduler.local(o) {
                    join(&mut needs, operand, by);
                }
            });
        }
    }
    needs
}

/// Cells of the region itself that several items need.
pub(super) fn shared(tree: &Tree, region: usize, cells: &[usize], items: &[Item]) -> Vec<usize> {
    let needs = needs(tree, region, cells, items);
    let here = |l: &usize| !tree.done[*l] && tree.placement.of_cell[*l] == region;
    let several = |l: &usize| needs.get(l) == Some(&Needed::BySeveral);
    let all = cells.iter().copied();
    all.filter(|l| here(l) && several(l)).collect()
}

/// The items in the order in which they are to run.
pub(super) fn find(tree: &Tree, region: usize, cells: &[usize], items: &[Item]) -> Vec<usize> {
    let reads = reads(tree, region, cells, items);
    let writes: Vec<FxHashSet<State>> = items
        .iter()
        .map(|item| {
            let actions = item.leaves.iter().map(|l| &tree.leaf(*l).action);
            actions
                .flat_map(|action| State::written_by(tree, action))
                .collect()
        })
        .collect();
    Order::new(reads, writes).run()
}

/// The state that each item reads when it runs.
fn reads(tree: &Tree, region: usize, cells: &[usize], items: &[Item]) -> Vec<FxHashSet<State>> {
    let mut reads: Vec<FxHashSet<State>> = vec![FxHashSet::default(); items.len()];
    let netlist = tree.scheduler.netlist;
    let state_of = |id: CellId| State::read_by(&netlist.cells[id].kind);
    for (i, item) in items.iter().enumerate() {
        for leaf in &item.leaves {
            let at = tree.leaf(*leaf);
            reads[i].extend(at.uses.iter().filter_map(|u| state_of(*u)));
            let selects = tree.selects_between(region, at.region);
            reads[i].extend(selects.filter_map(|(s, _)| state_of(s)));
        }
    }
    let needs = needs(tree, region, cells, items);
    for l in cells.iter().filter(|l| !tree.done[**l]) {
        let Some(Needed::By(item)) = needs.get(l) else {
            continue;
        };
        reads[*item].extend(State::read_by(tree.kind(*l)));
        tree.for_each_operand(*l, |o| reads[*item].extend(state_of(o)));
    }
    // A read of a memory that is done is in a local.
    for set in &mut reads {
        set.retain(|s| !matches!(s, State::Memory(_)));
    }
    for l in cells.iter().filter(|l| !tree.done[**l]) {
        if let (Some(Needed::By(item)), CellKind::MemRead { memory, .. }) =
            (needs.get(l), tree.kind(*l))
        {
            reads[*item].insert(State::Memory(*memory));
        }
    }
    reads
}

/// Runs what nobody else must read before, as long as there is such a thing.
struct Order {
    reads: Vec<FxHashSet<State>>,
    writes: Vec<FxHashSet<State>>,
    /// Items that read a state and have not run.
    readers: FxHashMap<State, usize>,
    writers: FxHashMap<State, Vec<usize>>,
    waiting: BTreeSet<usize>,
    free: BTreeSet<usize>,
}

impl Order {
    fn new(reads: Vec<FxHashSet<State>>, writes: Vec<FxHashSet<State>>) -> Order {
        let mut readers: FxHashMap<State, usize> = FxHashMap::default();
        for state in reads.iter().flatten() {
            *readers.entry(*state).or_default() += 1;
        }
        let mut writers: FxHashMap<State, Vec<usize>> = FxHashMap::default();
        for (i, set) in writes.iter().enumerate() {
            for state in set {
                writers.entry(*state).or_default().push(i);
            }
        }
        let mut order = Order {
            waiting: (0..reads.len()).collect(),
            reads,
            writes,
            readers,
            writers,
            free: BTreeSet::new(),
        };
        order.free = (0..order.reads.len())
            .filter(|i| order.blocked(*i) == 0)
            .collect();
        order
    }

    /// How many states the item would overwrite before somebody else reads them; memories count as very many.
    fn blocked(&self, item: usize) -> usize {
        let weight = |state: &State| {
            let others = self.readers.get(state).copied().unwrap_or(0)
                - usize::from(self.reads[item].contains(state));
            match state {
                _ if others == 0 => 0,
                State::Memory(_) => 1 << 20,
                State::Register(_) | State::Latch(_) | State::Loop(_) => 1,
            }
        };
        self.writes[item].iter().map(weight).sum()
    }

    fn run(mut self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.reads.len());
        while let Some(first) = self.waiting.first().copied() {
            let next = match self.free.first() {
                Some(item) => *item,
                None => self.least_bad(first),
            };
            self.waiting.remove(&next);
            self.free.remove(&next);
            order.push(next);
            for state in std::mem::take(&mut self.reads[next]) {
                *self.readers.get_mut(&state).expect("it was counted") -= 1;
                for writer in self.writers.get(&state).cloned().unwrap_or_default() {
                    if self.waiting.contains(&writer) && self.blocked(writer) == 0 {
                        self.free.insert(writer);
                    }
                }
            }
        }
        order
    }

    /// How many states that others read an item would set free for their writers.
    fn frees(&self, item: usize) -> usize {
        let last_reader = |state: &&State| self.readers.get(state) == Some(&1);
        let freed = self.reads[item].iter().filter(last_reader);
        let writers = freed.filter_map(|state| self.writers.get(state)).flatten();
        let others = writers.filter(|w| **w != item && self.waiting.contains(w));
        others.map(|w| self.reads[*w].len()).sum()
    }

    /// The item that spoils least for what it frees, among the first few.
    fn least_bad(&self, first: usize) -> usize {
        const LOOK_AT: usize = 64;
        let few = self.waiting.iter().copied().take(LOOK_AT);
        let spoils = |i: &usize| (16 * self.blocked(*i) / (1 + self.frees(*i)), *i);
        let best = few.min_by_key(spoils).unwrap_or(first);
        if self.blocked(best) < 1 << 20 {
            return best;
        }
        let all = self.waiting.iter().copied();
        all.min_by_key(|i| (self.blocked(*i), *i)).unwrap_or(first)
    }
}
