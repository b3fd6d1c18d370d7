//! The blocks of one task, from the placement of its cells.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::guard::Guards;
use super::order;
use super::place::{Leaf, Placement};
use super::{MAX_DEPTH, ROOT, Scheduler, SinkOrder};
use crate::ir::*;
use crate::sched::{Action, Block, Branch, Condition, Step};

/// Most cells that are looked at to find whether a select can be computed early.
const MAX_SELECT_CONE: usize = 200;

/// Builds the blocks of one task.
pub(super) struct Tree<'s, 'a> {
    pub scheduler: &'s Scheduler<'a>,
    pub cells: &'s [CellId],
    plain: &'s [bool],
    pub placement: &'s Placement,
    /// Local cells that some block evaluates already.
    pub done: Vec<bool>,
    /// How often the task's cells and leaves name each local cell.
    pub uses: Vec<u32>,
}

/// Muxes of one select, in one branch.
struct Group {
    select: CellId,
    /// Local muxes.
    muxes: Vec<usize>,
}

/// Sinks that run at one point of a block.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    /// Indices of leaves, in the order in which they run.
    pub leaves: Vec<usize>,
    /// They share one branch.
    pub select: Option<CellId>,
}

/// The sinks of a block.
struct Items {
    /// These run first, in their order.
    early: Vec<Item>,
    /// Any order suits these.
    items: Vec<Item>,
    /// These run last, in their order.
    late: Vec<Item>,
}

/// Sinks in the order that they must keep.
fn sorted(mut items: Vec<(SinkOrder, Item)>) -> Vec<Item> {
    items.sort_by_key(|(order, _)| *order);
    items.into_iter().map(|(_, item)| item).collect()
}

impl<'s, 'a> Tree<'s, 'a> {
    pub fn new(
        scheduler: &'s Scheduler<'a>,
        cells: &'s [CellId],
        plain: &'s [bool],
        placement: &'s Placement,
    ) -> Self {
        let mut tree = Tree {
            scheduler,
            cells,
            plain,
            placement,
            done: vec![false; cells.len()],
            uses: vec![0; cells.len()],
        };
        let mut uses = vec![0; cells.len()];
        for l in (0..cells.len()).filter(|l| placement.of_cell[*l] != usize::MAX) {
            tree.for_each_operand(l, |o| {
                scheduler.local(o).into_iter().for_each(|o| uses[o] += 1)
            });
        }
        for leaf in 0..placement.leaves.len() {
            for l in tree.leaf_inputs(ROOT, leaf) {
                uses[l] += 1;
            }
        }
        tree.uses = uses;
        tree
    }

    pub fn task(&mut self) -> Block {
        let all: Vec<usize> = (0..self.placement.leaves.len()).collect();
        self.block(ROOT, &[], &all)
    }

    pub fn kind(&self, local: usize) -> &CellKind {
        &self.scheduler.netlist.cells[self.cells[local]].kind
    }

    /// What evaluating a cell here reads.
    pub fn for_each_operand(&self, local: usize, mut f: impl FnMut(CellId)) {
        match self.placement.known[local] {
            Some(arm) => f(arm),
            None => self.kind(local).for_each_operand(f),
        }
    }

    pub fn leaf(&self, leaf: usize) -> &Leaf {
        &self.placement.leaves[leaf]
    }

    /// True when the mux becomes a branch rather than a select.
    pub fn branches(&self, local: usize) -> bool {
        let region = self.placement.of_cell[local];
        !self.plain[local]
            && self.placement.known[local].is_none()
            && matches!(self.kind(local), CellKind::Mux { .. })
            && self.placement.regions[region].depth < MAX_DEPTH
    }

    /// The block of `region`: evaluates the local cells `roots` and runs `leaves`. All that the leaves share is
    /// computed before the first of them changes state.
    fn block(&mut self, region: usize, roots: &[usize], leaves: &[usize]) -> Block {
        let needed = self.collect(region, roots, leaves);
        let guards = Guards::find(self, region, &needed, roots, leaves);
        let mut steps = Vec::new();
        for group in self.groups(region, &needed) {
            self.branch(region, group.select, &group.muxes, &[], &guards, &mut steps);
        }
        self.evaluate(region, roots.to_vec(), &guards, &mut steps);
        let Items { early, items, late } = self.items(region, leaves);
        for item in early {
            self.item(region, &item, &guards, &mut steps);
        }
        let all = [items.as_slice(), &late].concat();
        self.evaluate(region, self.selects(region, &all), &guards, &mut steps);
        let shared = order::shared(self, region, &needed, &all);
        self.evaluate(region, shared, &guards, &mut steps);
        for i in order::find(self, region, &needed, &items) {
            self.item(region, &items[i], &guards, &mut steps);
        }
        for item in late {
            self.item(region, &item, &guards, &mut steps);
        }
        Block { steps }
    }

    /// Cells not done yet, in this region or below, that the roots and leaves need; ascending.
    fn collect(&self, region: usize, roots: &[usize], leaves: &[usize]) -> Vec<usize> {
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        let mut work = roots.to_vec();
        for leaf in leaves {
            work.extend(self.leaf_inputs(region, *leaf));
        }
        let mut needed = Vec::new();
        while let Some(l) = work.pop() {
            let open = !self.done[l] && self.placement.is_within(region, self.placement.of_cell[l]);
            if open && seen.insert(l) {
                needed.push(l);
                self.for_each_operand(l, |o| work.extend(self.scheduler.local(o)));
            }
        }
        needed.sort_unstable();
        needed
    }

    /// What a leaf reads, and the selects between `region` and its own.
    pub fn leaf_inputs(&self, region: usize, leaf: usize) -> Vec<usize> {
        let leaf = self.leaf(leaf);
        let uses = leaf.uses.iter().copied();
        uses.chain(self.selects_between(region, leaf.region).map(|(s, _)| s))
            .filter_map(|u| self.scheduler.local(u))
            .collect()
    }

    /// The selects on the way from `region` down to `below`, lowest first, and the region that uses each.
    pub fn selects_between(
        &self,
        region: usize,
        below: usize,
    ) -> impl Iterator<Item = (CellId, usize)> + '_ {
        let regions = &self.placement.regions;
        let path = std::iter::successors(Some(below), move |at| Some(regions[*at].parent));
        path.take_while(move |at| *at != region)
            .map(move |at| (regions[at].select, regions[at].parent))
    }

    /// Groups the muxes of a block in an order that respects every path between them.
    fn groups(&self, region: usize, needed: &[usize]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut by_select: FxHashMap<CellId, Vec<usize>> = FxHashMap::default();
        // How many groups must have run before a cell can be evaluated.
        let mut after: FxHashMap<usize, usize> = FxHashMap::default();
        for l in needed {
            let mut earliest = 0;
            self.for_each_operand(*l, |o| {
                let local = self.scheduler.local(o);
                earliest = earliest.max(local.and_then(|o| after.get(&o)).copied().unwrap_or(0));
            });
            if self.placement.of_cell[*l] == region && self.branches(*l) {
                let CellKind::Mux { select, .. } = *self.kind(*l) else {
                    unreachable!("branches are muxes")
                };
                let same = by_select.entry(select).or_default();
                let group = match same.iter().find(|g| **g >= earliest) {
                    Some(group) => *group,
                    None => {
                        let muxes = Vec::new();
                        groups.push(Group { select, muxes });
                        same.push(groups.len() - 1);
                        groups.len() - 1
                    }
                };
                groups[group].muxes.push(*l);
                earliest = group + 1;
            }
            after.insert(*l, earliest);
        }
        groups
    }

    /// The sinks of a block by when they run.
    fn items(&self, region: usize, leaves: &[usize]) -> Items {
        let (mut early, mut items, mut late) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_select: BTreeMap<CellId, Vec<usize>> = BTreeMap::new();
        let mut by_memory: BTreeMap<MemoryId, Vec<usize>> = BTreeMap::new();
        for leaf in leaves {
            let at = self.leaf(*leaf);
            let alone = || Item {
                leaves: vec![*leaf],
                select: None,
            };
            match (at.order, at.action) {
                (SinkOrder::Effect(_), _) | (SinkOrder::Any, Action::Read(_)) => {
                    early.push((at.order, alone()))
                }
                (SinkOrder::Settled(_), _) => late.push((at.order, alone())),
                (SinkOrder::Move(memory) | SinkOrder::Write(memory, _), _) => {
                    by_memory.entry(memory).or_default().push(*leaf)
                }
                (SinkOrder::Any, _) => match self.placement.step_towards(region, at.region) {
                    None => items.push(alone()),
                    Some(child) => {
                        let select = self.placement.regions[child].select;
                        by_select.entry(select).or_default().push(*leaf);
                    }
                },
            }
        }
        items.extend(by_select.into_iter().map(|(select, leaves)| Item {
            leaves,
            select: Some(select),
        }));
        for mut leaves in by_memory.into_values() {
            leaves.sort_by_key(|l| self.leaf(*l).order);
            let select = None;
            items.push(Item { leaves, select });
        }
        Items {
            early: sorted(early),
            items,
            late: sorted(late),
        }
    }

    /// The selects that decide in this region whether leaves run.
    fn selects(&self, region: usize, items: &[Item]) -> Vec<usize> {
        let leaves = items.iter().flat_map(|item| &item.leaves);
        let child = |l: &usize| self.placement.step_towards(region, self.leaf(*l).region);
        leaves
            .filter_map(child)
            .filter_map(|c| self.scheduler.local(self.placement.regions[c].select))
            .collect()
    }

    fn item(&mut self, region: usize, item: &Item, guards: &Guards, steps: &mut Vec<Step>) {
        if let Some(select) = item.select {
            return self.branch(region, select, &[], &item.leaves, guards, steps);
        }
        for leaf in &item.leaves {
            match self.placement.step_towards(region, self.leaf(*leaf).region) {
                Some(child) => {
                    let select = self.placement.regions[child].select;
                    self.branch(region, select, &[], &[*leaf], guards, steps);
                }
                None => {
                    let inputs = self.leaf_inputs(region, *leaf);
                    self.evaluate(region, inputs, guards, steps);
                    steps.push(Step::Act(self.leaf(*leaf).action));
                }
            }
        }
    }

    /// One branch: muxes that it merges, and leaves that run in its arms.
    fn branch(
        &mut self,
        region: usize,
        select: CellId,
        muxes: &[usize],
        leaves: &[usize],
        guards: &Guards,
        steps: &mut Vec<Step>,
    ) {
        let mut arms: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
        for mux in muxes {
            if let CellKind::Mux {
                on_true, on_false, ..
            } = *self.kind(*mux)
            {
                arms[1].extend(self.scheduler.local(on_true));
                arms[0].extend(self.scheduler.local(on_false));
            }
        }
        let mut inputs: Vec<usize> = arms.concat();
        for leaf in leaves {
            inputs.extend(self.leaf_inputs(region, *leaf));
        }
        let select_cell = self.scheduler.local(select).into_iter().collect();
        self.evaluate(region, select_cell, guards, steps);
        self.evaluate(region, inputs, guards, steps);
        let [on_false, on_true] = [false, true].map(|arm| {
            let child = self.placement.interned.get(&(region, select, arm)).copied();
            child.map_or_else(Block::default, |child| {
                let inside = |l: &usize| self.placement.is_within(child, self.leaf(*l).region);
                let leaves: Vec<usize> = leaves.iter().copied().filter(inside).collect();
                self.block(child, &arms[usize::from(arm)], &leaves)
            })
        });
        muxes.iter().for_each(|m| self.done[*m] = true);
        steps.push(Step::Branch(Branch {
            select,
            merges: muxes.iter().map(|m| self.cells[*m]).collect(),
            on_true,
            on_false,
        }));
    }

    /// Evaluates the plain cells of this region that `inputs` need, also through cells of regions below.
    fn evaluate(
        &mut self,
        region: usize,
        inputs: Vec<usize>,
        guards: &Guards,
        steps: &mut Vec<Step>,
    ) {
        let mut ready = self.ready(region, inputs, usize::MAX).expect("no limit");
        // Conditions of guards come early where they can.
        let selects = guards.selects(self, &ready);
        let known = selects.into_iter().filter(|s| self.is_straight(region, *s));
        let known = self.ready(region, known.collect(), usize::MAX);
        ready.extend(known.expect("no limit"));
        ready.sort_unstable();
        ready.dedup();
        for l in &ready {
            assert!(!self.branches(*l), "a branch is used before it has run");
            self.done[*l] = true;
        }
        for (conditions, cells) in guards.sort(self, ready) {
            let evals = cells.iter().map(|l| self.eval(*l)).collect();
            match conditions {
                None => steps.extend::<Vec<Step>>(evals),
                Some(any) => steps.push(Step::Guard {
                    any,
                    body: Block { steps: evals },
                }),
            }
        }
    }

    fn eval(&self, local: usize) -> Step {
        let cell = self.cells[local];
        match self.placement.known[local] {
            Some(value) => Step::Alias { cell, value },
            None => Step::Eval(cell),
        }
    }

    /// The cells of the region itself that `inputs` need and that are not done; `None` when more than `limit` cells
    /// have to be looked at.
    fn ready(&self, region: usize, inputs: Vec<usize>, limit: usize) -> Option<Vec<usize>> {
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        let mut work = inputs;
        let mut ready = Vec::new();
        while let Some(l) = work.pop() {
            let of_cell = self.placement.of_cell[l];
            let open = !self.done[l] && self.placement.is_within(region, of_cell);
            if open && seen.insert(l) {
                if of_cell == region {
                    ready.push(l);
                }
                self.for_each_operand(l, |o| work.extend(self.scheduler.local(o)));
            }
            if seen.len() > limit {
                return None;
            }
        }
        Some(ready)
    }

    /// True when a cell needs no branch that has not run, and not much else.
    fn is_straight(&self, region: usize, local: usize) -> bool {
        let cone = self.ready(region, vec![local], MAX_SELECT_CONE);
        cone.is_some_and(|cone| cone.iter().all(|l| !self.branches(*l)))
    }

    /// The condition of a region that lies directly below another one.
    pub fn condition(&self, child: usize) -> Condition {
        let region = self.placement.regions[child];
        Condition {
            select: region.select,
            level: region.arm,
        }
    }
}
