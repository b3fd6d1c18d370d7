//! Computes every value as late as its block allows.
//!
//! In: a task's block. Out: the same steps, those that only compute moved down to just before the first step that needs
//! them, so that fewer values are alive at once and engines keep more of them in registers. A value does not move past
//! a step that overwrites state or a memory which it reads.

use rustc_hash::FxHashMap;

use super::activity::Supernodes;
use super::sinks::limbs;
use super::{Block, State, Step};
use crate::ir::*;

/// Places from which on a step takes over no more from the steps that it uses.
const MAX_READS: usize = 64;

/// Moves what a block and the blocks inside it compute.
pub fn delay(n: &Netlist, supernodes: &Supernodes, block: Block) -> Block {
    let mut counts = FxHashMap::default();
    count_uses(n, &block, &mut counts);
    let delay = Delay {
        n,
        supernodes,
        counts,
    };
    delay.block(block).0
}

/// What a step is to the steps around it.
#[derive(Clone, Debug, Default)]
struct Footprint {
    makes: Vec<CellId>,
    uses: Vec<CellId>,
    reads: Vec<State>,
    stores: Vec<State>,
    acts: bool,
}

impl Footprint {
    /// Takes in what happens inside of a step. What is computed there may be used behind it, where it has run.
    fn add(&mut self, inner: Footprint) {
        self.makes.extend(inner.makes);
        self.uses.extend(inner.uses);
        self.reads.extend(inner.reads);
        self.stores.extend(inner.stores);
        self.acts |= inner.acts;
    }
}

struct Delay<'a> {
    n: &'a Netlist,
    supernodes: &'a Supernodes,
    /// How many steps use each cell.
    counts: FxHashMap<CellId, u32>,
}

impl Delay<'_> {
    /// Recursion is bounded by the depth of regions.
    fn block(&self, block: Block) -> (Block, Footprint) {
        let mut waiting = Waiting::default();
        let mut whole = Footprint::default();
        for step in block.steps {
            let (step, mut print) = self.step(step);
            self.add_reads_of_inlined(&mut print, &waiting);
            if print.acts {
                waiting.release_for(&print);
                waiting.out.push(step);
            } else {
                waiting.push(step, &print);
            }
            whole.add(print);
        }
        waiting.release_all();
        let steps = waiting.out;
        (Block { steps }, whole)
    }

    /// The step, with what is inside it moved.
    fn step(&self, step: Step) -> (Step, Footprint) {
        let mut print = Footprint::default();
        let step = match step {
            Step::Eval(cell) => {
                print.makes.push(cell);
                self.n.cells[cell]
                    .kind
                    .for_each_operand(|o| print.uses.push(o));
                print.reads.extend(State::of(self.n, cell));
                step
            }
            Step::Alias { cell, value } => {
                print.makes.push(cell);
                print.uses.push(value);
                step
            }
            Step::Act(action) => {
                print.acts = true;
                print.uses = action.uses(self.n);
                print.stores.extend(action.overwrites());
                step
            }
            Step::Branch(mut branch) => {
                print.makes.clone_from(&branch.merges);
                print.uses.push(branch.select);
                for merge in &branch.merges {
                    self.n.cells[*merge]
                        .kind
                        .for_each_operand(|o| print.uses.push(o));
                }
                branch.on_true = self.inside(branch.on_true, &mut print);
                branch.on_false = self.inside(branch.on_false, &mut print);
                Step::Branch(branch)
            }
            Step::Guard { any, body } => {
                print.uses.extend(any.iter().map(|c| c.select));
                let body = self.inside(body, &mut print);
                Step::Guard { any, body }
            }
            Step::Supernode {
                index,
                inputs,
                body,
            } => {
                print.acts = true;
                print.uses.clone_from(&inputs);
                let body = self.inside(body, &mut print);
                Step::Supernode {
                    index,
                    inputs,
                    body,
                }
            }
            Step::Shared { node, ref args, .. } => {
                let node = &self.supernodes.nodes[node];
                print.acts = true;
                print.uses.clone_from(args);
                let registers = node.registers.iter().map(|r| State::Register(*r));
                print.stores.extend(registers);
                let memories = node.memories.iter().map(|m| State::Memory(*m));
                print.stores.extend(memories);
                step
            }
            Step::Call(_) => panic!("tasks are cut later"),
        };
        let whole = print.uses.iter().filter(|c| self.n.width(**c) > 64);
        let parts: Vec<CellId> = whole.flat_map(|c| limbs(self.n, *c)).collect();
        print.uses.extend(parts);
        // Blocks inside each other would have the same uses again at every level.
        print.uses.sort_unstable();
        print.uses.dedup();
        let sources = print
            .uses
            .iter()
            .filter(|cell| self.n.cells[**cell].kind.is_source());
        let states: Vec<State> = sources.filter_map(|c| State::of(self.n, *c)).collect();
        print.reads.extend(states);
        (step, print)
    }

    fn inside(&self, block: Block, print: &mut Footprint) -> Block {
        let (block, inner) = self.block(block);
        print.add(inner);
        block
    }

    /// A value that only one step uses is computed there. Where that step reads much, the rest is left out: it may then
    /// be moved past a store, and the emitter saves the state that it still needs.
    fn add_reads_of_inlined(&self, print: &mut Footprint, waiting: &Waiting) {
        let once = print.uses.iter().filter(|c| self.counts.get(c) == Some(&1));
        let makers = once.filter_map(|c| waiting.maker.get(c).copied());
        let mut makers: Vec<usize> = makers.collect();
        makers.sort_unstable();
        makers.dedup();
        for maker in makers {
            if print.reads.len() < MAX_READS {
                print.reads.extend(&waiting.steps[maker].reads);
            }
        }
        print.reads.sort_unstable();
        print.reads.dedup();
    }
}

/// Steps that nothing has needed yet.
#[derive(Default)]
struct Waiting {
    /// All steps so far that only compute, in order.
    steps: Vec<Delayed>,
    /// The step that makes each cell, while it waits.
    maker: FxHashMap<CellId, usize>,
    /// Steps that read each place.
    readers: FxHashMap<State, Vec<usize>>,
    out: Vec<Step>,
}

struct Delayed {
    /// `None` once it has its place.
    step: Option<Step>,
    uses: Vec<CellId>,
    reads: Vec<State>,
}

impl Waiting {
    fn push(&mut self, step: Step, print: &Footprint) {
        let index = self.steps.len();
        for cell in &print.makes {
            self.maker.insert(*cell, index);
        }
        for place in &print.reads {
            self.readers.entry(*place).or_default().push(index);
        }
        self.steps.push(Delayed {
            step: Some(step),
            uses: print.uses.clone(),
            reads: print.reads.clone(),
        });
    }

    /// Places what a step needs, and what would read state that it overwrites.
    fn release_for(&mut self, print: &Footprint) {
        let makers = print.uses.iter().filter_map(|c| self.maker.get(c).copied());
        let mut work: Vec<usize> = makers.collect();
        for place in &print.stores {
            work.extend(self.readers.remove(place).unwrap_or_default());
        }
        let mut needed = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(index) = work.pop() {
            if self.steps[index].step.is_some() && seen.insert(index) {
                needed.push(index);
                let uses = self.steps[index].uses.iter();
                work.extend(uses.filter_map(|c| self.maker.get(c).copied()));
            }
        }
        needed.sort_unstable();
        for index in needed {
            self.out.extend(self.steps[index].step.take());
        }
    }

    fn release_all(&mut self) {
        let steps = self.steps.iter_mut().filter_map(|s| s.step.take());
        self.out.extend(steps);
    }
}

fn count_uses(n: &Netlist, block: &Block, counts: &mut FxHashMap<CellId, u32>) {
    let mut count = |cell: CellId| *counts.entry(cell).or_default() += 1;
    for step in &block.steps {
        match step {
            Step::Eval(cell) => n.cells[*cell].kind.for_each_operand(&mut count),
            Step::Alias { value, .. } => count(*value),
            Step::Act(action) => action.uses(n).into_iter().for_each(&mut count),
            Step::Branch(branch) => {
                count(branch.select);
                for merge in &branch.merges {
                    n.cells[*merge].kind.for_each_operand(&mut count);
                }
            }
            Step::Guard { any, .. } => any.iter().for_each(|c| count(c.select)),
            Step::Supernode { inputs: cells, .. } | Step::Shared { args: cells, .. } => {
                cells.iter().for_each(|c| count(*c))
            }
            Step::Call(_) => {}
        }
    }
    for inner in block.steps.iter().flat_map(Step::blocks) {
        count_uses(n, inner, counts);
    }
}
