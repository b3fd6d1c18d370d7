//! Region recovery: puts every cone under the branch that needs it.
//!
//! A *region* is the condition under which something is needed: a path of (select, arm) pairs from the
//! root. A cell belongs to the lowest common ancestor of the regions of its uses; a mux uses its data
//! operands in the regions of its two arms. Registers are sinks whose next-value mux trees are walked:
//! an arm that keeps the register's own value needs nothing.
//!
//! Three steps per task:
//! 1. `place`: regions of all cells, backwards; twice, because muxes whose arms are worth too little
//!    become plain selects after the first time.
//! 2. `Tree::block`: the cells of one region in order, muxes of equal select merged into one branch
//!    where no path runs between them.
//! 3. Sinks last within their region; memory writes and effects last of all, in their own order.
//!
//! Recursion is bounded by [`MAX_DEPTH`].

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Action, Block, Branch, Step};
use crate::arena::SideTable;
use crate::ir::*;

/// Deepest nesting of branches; muxes below are plain selects.
const MAX_DEPTH: u32 = 40;
/// Cells that the two arms of a branch must save together.
const MIN_WORTH: u32 = 2;

/// Something a task must do.
#[derive(Clone, Debug)]
pub struct Sink {
    pub action: Action,
    /// Only while this is 1.
    pub guard: Option<CellId>,
    /// Values that the action reads.
    pub uses: Vec<CellId>,
    pub order: SinkOrder,
}

/// Which sinks must keep an order: these come after all others, sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SinkOrder {
    Any,
    Effect(usize),
    Write(MemoryId, usize),
}

impl Sink {
    /// An action that always happens.
    pub fn plain(action: Action, uses: Vec<CellId>) -> Sink {
        Sink {
            action,
            guard: None,
            uses,
            order: SinkOrder::Any,
        }
    }

    /// The store of a register's next value.
    pub fn register(id: RegisterId, next: CellId) -> Sink {
        Sink::plain(Action::StoreRegister(id, next), vec![next])
    }
}

/// Schedules tasks of one netlist; keeps its tables between tasks.
pub struct Scheduler<'a> {
    netlist: &'a Netlist,
    /// Index into the current task's cells, or `NOWHERE`.
    local: SideTable<Cell, u32>,
}

const NOWHERE: u32 = u32::MAX;
const ROOT: usize = 0;

/// One region: a condition below another region's.
#[derive(Clone, Copy, Debug)]
struct Region {
    parent: usize,
    depth: u32,
    select: CellId,
    arm: bool,
}

/// The regions of one task and what lies in them.
struct Placement {
    regions: Vec<Region>,
    interned: FxHashMap<(usize, CellId, bool), usize>,
    /// Region of each local cell.
    of_cell: Vec<usize>,
    /// Sinks with the mux trees of registers taken apart.
    leaves: Vec<Leaf>,
}

/// A sink in its region.
#[derive(Clone, Debug)]
struct Leaf {
    region: usize,
    action: Action,
    uses: Vec<CellId>,
    order: SinkOrder,
}

impl<'a> Scheduler<'a> {
    pub fn new(netlist: &'a Netlist) -> Self {
        Scheduler {
            netlist,
            local: SideTable::new(&netlist.cells, NOWHERE),
        }
    }

    /// Orders the cells that `sinks` need.
    pub fn block(&mut self, mut sinks: Vec<Sink>) -> Block {
        sinks.extend(self.early_reads(&sinks));
        let cells = self.cone(&sinks);
        let fanout = self.fanout(&cells, &sinks);
        let mut plain = vec![false; cells.len()];
        let first = self.place(&cells, &sinks, &fanout, &plain);
        self.find_plain_muxes(&cells, &first, &mut plain);
        let placement = self.place(&cells, &sinks, &fanout, &plain);
        let mut tree = Tree {
            scheduler: self,
            cells: &cells,
            plain: &plain,
            placement: &placement,
            done: vec![false; cells.len()],
        };
        let block = tree.task();
        for id in cells {
            self.local[id] = NOWHERE;
        }
        block
    }

    /// Every cell but constants that the sinks need, ascending; fills `local`.
    fn cone(&mut self, sinks: &[Sink]) -> Vec<CellId> {
        let mut cells = Vec::new();
        let mut work: Vec<CellId> = sinks
            .iter()
            .flat_map(|s| s.uses.iter().copied().chain(s.guard))
            .collect();
        while let Some(id) = work.pop() {
            if self.local[id] == NOWHERE && self.netlist.constant(id).is_none() {
                self.local[id] = 0;
                cells.push(id);
                self.netlist.cells[id]
                    .kind
                    .for_each_operand(|o| work.push(o));
            }
        }
        cells.sort_unstable();
        for (i, id) in cells.iter().enumerate() {
            self.local[*id] = i as u32;
        }
        cells
    }

    /// Where several ports write, what their cones read from memories is read before any of them writes.
    fn early_reads(&mut self, sinks: &[Sink]) -> Vec<Sink> {
        let writes: Vec<Sink> = sinks
            .iter()
            .filter(|s| matches!(s.action, Action::Write { .. }))
            .cloned()
            .collect();
        if writes.len() < 2 {
            return Vec::new();
        }
        let cells = self.cone(&writes);
        cells.iter().for_each(|id| self.local[*id] = NOWHERE);
        let reads = cells
            .into_iter()
            .filter(|id| matches!(self.netlist.cells[*id].kind, CellKind::MemRead { .. }));
        reads
            .map(|id| Sink::plain(Action::Read(id), vec![id]))
            .collect()
    }

    fn local(&self, id: CellId) -> Option<usize> {
        Some(self.local[id])
            .filter(|l| *l != NOWHERE)
            .map(|l| l as usize)
    }

    fn fanout(&self, cells: &[CellId], sinks: &[Sink]) -> Vec<u32> {
        let mut fanout = vec![0; cells.len()];
        let mut count = |id: CellId| {
            if let Some(l) = self.local(id) {
                fanout[l] += 1;
            }
        };
        cells
            .iter()
            .for_each(|id| self.netlist.cells[*id].kind.for_each_operand(&mut count));
        sinks
            .iter()
            .for_each(|s| s.uses.iter().copied().chain(s.guard).for_each(&mut count));
        fanout
    }

    fn mux(&self, id: CellId) -> Option<(CellId, CellId, CellId)> {
        match self.netlist.cells[id].kind {
            CellKind::Mux {
                select,
                on_true,
                on_false,
            } => Some((select, on_true, on_false)),
            _ => None,
        }
    }

    fn place(&self, cells: &[CellId], sinks: &[Sink], fanout: &[u32], plain: &[bool]) -> Placement {
        let root = Region {
            parent: ROOT,
            depth: 0,
            select: CellId::new(0),
            arm: false,
        };
        let mut p = Placement {
            regions: vec![root],
            interned: FxHashMap::default(),
            of_cell: vec![usize::MAX; cells.len()],
            leaves: Vec::new(),
        };
        for sink in sinks {
            self.place_sink(sink, fanout, plain, &mut p);
        }
        for (l, id) in cells.iter().enumerate().rev() {
            let region = p.of_cell[l];
            if region == usize::MAX {
                // A mux that a register store took apart, or a value only a kept register needs.
                continue;
            }
            match self.mux(*id) {
                Some((select, on_true, on_false))
                    if !plain[l] && p.regions[region].depth < MAX_DEPTH =>
                {
                    self.use_in(select, region, &mut p);
                    let (t, f) = (
                        p.child(region, select, true),
                        p.child(region, select, false),
                    );
                    self.use_in(on_true, t, &mut p);
                    self.use_in(on_false, f, &mut p);
                }
                _ => self.netlist.cells[*id]
                    .kind
                    .for_each_operand(|o| self.use_in(o, region, &mut p)),
            }
        }
        p
    }

    fn use_in(&self, id: CellId, region: usize, p: &mut Placement) {
        if let Some(l) = self.local(id) {
            p.of_cell[l] = match p.of_cell[l] {
                usize::MAX => region,
                other => p.common(other, region),
            };
        }
    }

    /// Walks the mux tree of a register store down to the arms that store something.
    fn place_sink(&self, sink: &Sink, fanout: &[u32], plain: &[bool], p: &mut Placement) {
        let mut region = ROOT;
        if let Some(guard) = sink.guard {
            self.use_in(guard, ROOT, p);
            if self.local(guard).is_none()
                && self.netlist.constant(guard).is_some_and(|c| c.is_zero())
            {
                return;
            }
            if self.local(guard).is_some() {
                region = p.child(ROOT, guard, true);
            }
        }
        let (next, held) = match sink.action {
            Action::StoreRegister(r, next) => (next, CellKind::Register(r)),
            Action::StoreLatch(l, next) => (next, CellKind::Latch(l)),
            _ => {
                sink.uses.iter().for_each(|u| self.use_in(*u, region, p));
                p.leaves.push(Leaf {
                    region,
                    action: sink.action,
                    uses: sink.uses.clone(),
                    order: sink.order,
                });
                return;
            }
        };
        let mut work = vec![(region, next)];
        while let Some((region, value)) = work.pop() {
            if self.netlist.cells[value].kind == held {
                continue;
            }
            let walk = self
                .local(value)
                .is_some_and(|l| fanout[l] == 1 && !plain[l]);
            match self.mux(value) {
                Some((select, on_true, on_false))
                    if walk && p.regions[region].depth < MAX_DEPTH =>
                {
                    self.use_in(select, region, p);
                    work.push((p.child(region, select, false), on_false));
                    work.push((p.child(region, select, true), on_true));
                }
                _ => {
                    self.use_in(value, region, p);
                    let action = match sink.action {
                        Action::StoreLatch(l, _) => Action::StoreLatch(l, value),
                        Action::StoreRegister(r, _) => Action::StoreRegister(r, value),
                        other => other,
                    };
                    p.leaves.push(Leaf {
                        region,
                        action,
                        uses: vec![value],
                        order: sink.order,
                    });
                }
            }
        }
    }

    /// Marks the muxes whose two arms save too little to be worth a branch.
    fn find_plain_muxes(&self, cells: &[CellId], p: &Placement, plain: &mut [bool]) {
        let mut worth = vec![0u32; p.regions.len()];
        for (l, id) in cells.iter().enumerate() {
            if p.of_cell[l] != usize::MAX {
                worth[p.of_cell[l]] += self.cost(*id);
            }
        }
        for leaf in &p.leaves {
            worth[leaf.region] += 2;
        }
        for r in (1..p.regions.len()).rev() {
            let parent = p.regions[r].parent;
            worth[parent] = worth[parent].saturating_add(worth[r]);
        }
        let arm = |region, select, arm| {
            p.interned
                .get(&(region, select, arm))
                .map_or(0, |r| worth[*r])
        };
        for (l, id) in cells.iter().enumerate() {
            if let Some((select, ..)) = self.mux(*id)
                && p.of_cell[l] != usize::MAX
            {
                let region = p.of_cell[l];
                plain[l] = arm(region, select, true) + arm(region, select, false) < MIN_WORTH;
            }
        }
    }

    fn cost(&self, id: CellId) -> u32 {
        match self.netlist.cells[id].kind {
            CellKind::Const(_) => 0,
            CellKind::DivU(..)
            | CellKind::DivS(..)
            | CellKind::RemU(..)
            | CellKind::RemS(..)
            | CellKind::Pow(..) => 20,
            _ if self.netlist.width(id) > 64 => 10,
            _ => 1,
        }
    }
}

impl Placement {
    fn child(&mut self, parent: usize, select: CellId, arm: bool) -> usize {
        let depth = self.regions[parent].depth + 1;
        let next = self.regions.len();
        let id = *self.interned.entry((parent, select, arm)).or_insert(next);
        if id == next {
            self.regions.push(Region {
                parent,
                depth,
                select,
                arm,
            });
        }
        id
    }

    fn common(&self, mut a: usize, mut b: usize) -> usize {
        while a != b {
            if self.regions[a].depth >= self.regions[b].depth {
                a = self.regions[a].parent;
            } else {
                b = self.regions[b].parent;
            }
        }
        a
    }

    /// The child of `ancestor` on the way to `region`; `None` when they are the same.
    fn step_towards(&self, ancestor: usize, mut region: usize) -> Option<usize> {
        let mut below = None;
        while region != ancestor {
            below = Some(region);
            region = self.regions[region].parent;
        }
        below
    }

    fn is_within(&self, ancestor: usize, mut region: usize) -> bool {
        while self.regions[region].depth > self.regions[ancestor].depth {
            region = self.regions[region].parent;
        }
        region == ancestor
    }
}

/// Builds the blocks of one task.
struct Tree<'s, 'a> {
    scheduler: &'s Scheduler<'a>,
    cells: &'s [CellId],
    plain: &'s [bool],
    placement: &'s Placement,
    /// Local cells that some block evaluates already.
    done: Vec<bool>,
}

/// Muxes and sinks of one select, in one branch.
#[derive(Default)]
struct Group {
    select: Option<CellId>,
    /// Local muxes.
    muxes: Vec<usize>,
    /// Indices of leaves, for each arm.
    leaves: [Vec<usize>; 2],
}

impl Tree<'_, '_> {
    fn task(&mut self) -> Block {
        let all = 0..self.placement.leaves.len();
        let (free, mut ordered): (Vec<usize>, Vec<usize>) =
            all.partition(|i| self.placement.leaves[*i].order == SinkOrder::Any);
        ordered.sort_by_key(|i| self.placement.leaves[*i].order);
        let mut block = self.block(ROOT, &[], &free);
        for leaf in ordered {
            let next = self.block(ROOT, &[], &[leaf]);
            block.steps.extend(next.steps);
        }
        block
    }

    fn kind(&self, local: usize) -> &CellKind {
        &self.scheduler.netlist.cells[self.cells[local]].kind
    }

    /// True when the mux becomes a branch rather than a select.
    fn branches(&self, local: usize) -> bool {
        let region = self.placement.of_cell[local];
        !self.plain[local]
            && matches!(self.kind(local), CellKind::Mux { .. })
            && self.placement.regions[region].depth < MAX_DEPTH
    }

    /// The block of `region`: evaluates the local cells `roots` and runs `leaves`.
    fn block(&mut self, region: usize, roots: &[usize], leaves: &[usize]) -> Block {
        let needed = self.collect(region, roots, leaves);
        let (groups, here) = self.group(region, &needed, leaves);
        let mut steps = Vec::new();
        for group in groups {
            let branch = self.branch(region, group, &mut steps);
            steps.push(Step::Branch(branch));
        }
        self.evaluate(region, roots.to_vec(), &mut steps);
        for leaf in here {
            let leaf = &self.placement.leaves[leaf];
            let uses = leaf
                .uses
                .iter()
                .filter_map(|u| self.scheduler.local(*u))
                .collect();
            self.evaluate(region, uses, &mut steps);
            steps.push(Step::Act(leaf.action));
        }
        Block { steps }
    }

    /// Cells not done yet, in this region or below, that the roots and leaves need; ascending.
    fn collect(&self, region: usize, roots: &[usize], leaves: &[usize]) -> Vec<usize> {
        let mut seen: FxHashMap<usize, ()> = FxHashMap::default();
        let mut work = roots.to_vec();
        for leaf in leaves {
            work.extend(self.leaf_inputs(region, *leaf));
        }
        let mut needed = Vec::new();
        while let Some(l) = work.pop() {
            let open = !self.done[l] && self.placement.is_within(region, self.placement.of_cell[l]);
            if open && seen.insert(l, ()).is_none() {
                needed.push(l);
                self.kind(l)
                    .for_each_operand(|o| work.extend(self.scheduler.local(o)));
            }
        }
        needed.sort_unstable();
        needed
    }

    /// What a leaf reads, and the selects between `region` and its own.
    fn leaf_inputs(&self, region: usize, leaf: usize) -> Vec<usize> {
        let leaf = &self.placement.leaves[leaf];
        let mut inputs: Vec<usize> = leaf
            .uses
            .iter()
            .filter_map(|u| self.scheduler.local(*u))
            .collect();
        let mut at = leaf.region;
        while at != region {
            inputs.extend(self.scheduler.local(self.placement.regions[at].select));
            at = self.placement.regions[at].parent;
        }
        inputs
    }

    /// Groups the branches of a block in an order that respects every path between them; also returns
    /// the leaves of the region itself.
    fn group(&self, region: usize, needed: &[usize], leaves: &[usize]) -> (Vec<Group>, Vec<usize>) {
        let mut groups: Vec<Group> = Vec::new();
        let mut by_select: FxHashMap<CellId, Vec<usize>> = FxHashMap::default();
        // How many groups must have run before a cell can be evaluated.
        let mut after: FxHashMap<usize, usize> = FxHashMap::default();
        let mut join = |select: CellId, earliest: usize, groups: &mut Vec<Group>| {
            let same = by_select.entry(select).or_default();
            match same.iter().find(|g| **g >= earliest) {
                Some(g) => *g,
                None => {
                    groups.push(Group {
                        select: Some(select),
                        ..Group::default()
                    });
                    same.push(groups.len() - 1);
                    groups.len() - 1
                }
            }
        };
        for l in needed {
            let mut earliest = 0;
            self.kind(*l).for_each_operand(|o| {
                let local = self.scheduler.local(o);
                earliest = earliest.max(local.and_then(|o| after.get(&o)).copied().unwrap_or(0));
            });
            if self.placement.of_cell[*l] == region && self.branches(*l) {
                let CellKind::Mux { select, .. } = *self.kind(*l) else {
                    unreachable!("branches are muxes")
                };
                let group = join(select, earliest, &mut groups);
                groups[group].muxes.push(*l);
                earliest = group + 1;
            }
            after.insert(*l, earliest);
        }
        let mut here = Vec::new();
        let mut by_child: BTreeMap<CellId, Vec<(usize, bool)>> = BTreeMap::new();
        for leaf in leaves {
            match self
                .placement
                .step_towards(region, self.placement.leaves[*leaf].region)
            {
                None => here.push(*leaf),
                Some(child) => {
                    let child = self.placement.regions[child];
                    by_child
                        .entry(child.select)
                        .or_default()
                        .push((*leaf, child.arm));
                }
            }
        }
        for (select, members) in by_child {
            let inputs = members
                .iter()
                .flat_map(|(leaf, _)| self.leaf_inputs(region, *leaf));
            let earliest = inputs
                .filter_map(|l| after.get(&l))
                .max()
                .copied()
                .unwrap_or(0);
            let group = join(select, earliest, &mut groups);
            for (leaf, arm) in members {
                groups[group].leaves[usize::from(arm)].push(leaf);
            }
        }
        (groups, here)
    }

    fn branch(&mut self, region: usize, group: Group, steps: &mut Vec<Step>) -> Branch {
        let select = group.select.expect("every group has a select");
        let mut arms: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
        for mux in &group.muxes {
            if let CellKind::Mux {
                on_true, on_false, ..
            } = *self.kind(*mux)
            {
                arms[1].extend(self.scheduler.local(on_true));
                arms[0].extend(self.scheduler.local(on_false));
            }
        }
        let mut inputs: Vec<usize> = arms.concat();
        for leaf in group.leaves.iter().flatten() {
            inputs.extend(self.leaf_inputs(region, *leaf));
        }
        inputs.extend(self.scheduler.local(select));
        self.evaluate(region, inputs, steps);
        let blocks = [false, true].map(|arm| {
            let leaves = &group.leaves[usize::from(arm)];
            match self.placement.interned.get(&(region, select, arm)) {
                Some(child) => self.block(*child, &arms[usize::from(arm)], leaves),
                None => Block::default(),
            }
        });
        let merges = group.muxes.iter().map(|m| self.cells[*m]).collect();
        group.muxes.iter().for_each(|m| self.done[*m] = true);
        let [on_false, on_true] = blocks;
        Branch {
            select,
            merges,
            on_true,
            on_false,
        }
    }

    /// Evaluates the plain cells of this region that `inputs` need, also through cells of regions below.
    fn evaluate(&mut self, region: usize, inputs: Vec<usize>, steps: &mut Vec<Step>) {
        let mut seen: FxHashMap<usize, ()> = FxHashMap::default();
        let mut work = inputs;
        let mut ready = Vec::new();
        while let Some(l) = work.pop() {
            let of_cell = self.placement.of_cell[l];
            let open = !self.done[l] && self.placement.is_within(region, of_cell);
            if !open || seen.insert(l, ()).is_some() {
                continue;
            }
            if of_cell == region {
                assert!(!self.branches(l), "a branch is used before it has run");
                ready.push(l);
            }
            self.kind(l)
                .for_each_operand(|o| work.extend(self.scheduler.local(o)));
        }
        ready.sort_unstable();
        for l in ready {
            self.done[l] = true;
            steps.push(Step::Eval(self.cells[l]));
        }
    }
}
