//! Which region every cell of a task belongs to.

use rustc_hash::FxHashMap;

use super::{MAX_DEPTH, ROOT, Scheduler, Sink, SinkOrder};
use crate::ir::*;
use crate::sched::Action;

/// Cells that the two arms of a branch must save together.
const MIN_WORTH: u32 = 2;

/// One region: a condition below another region's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub parent: usize,
    pub depth: u32,
    pub select: CellId,
    pub arm: bool,
}

/// The regions of one task and what lies in them.
pub(super) struct Placement {
    pub regions: Vec<Region>,
    pub interned: FxHashMap<(usize, CellId, bool), usize>,
    /// Region of each local cell.
    pub of_cell: Vec<usize>,
    /// The arm of each local mux whose select is known where the mux is needed.
    pub known: Vec<Option<CellId>>,
    /// Sinks with the mux trees of registers taken apart.
    pub leaves: Vec<Leaf>,
}

/// A sink in its region.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub region: usize,
    pub action: Action,
    pub uses: Vec<CellId>,
    pub order: SinkOrder,
}

impl Scheduler<'_> {
    pub(super) fn place(
        &self,
        cells: &[CellId],
        sinks: &[Sink],
        fanout: &[u32],
        plain: &[bool],
    ) -> Placement {
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
            known: vec![None; cells.len()],
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
            if let Some(arm) = self.known_arm(*id, region, &p) {
                p.known[l] = Some(arm);
                self.use_in(arm, region, &mut p);
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
            if self.netlist.constant(guard).is_none() {
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
            if walk && let Some(arm) = self.known_arm(value, region, p) {
                work.push((region, arm));
                continue;
            }
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
    pub(super) fn find_plain_muxes(&self, cells: &[CellId], p: &Placement, plain: &mut [bool]) {
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
                && p.known[l].is_none()
                && p.of_cell[l] != usize::MAX
            {
                let region = p.of_cell[l];
                plain[l] = arm(region, select, true) + arm(region, select, false) < MIN_WORTH;
            }
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
    pub fn step_towards(&self, ancestor: usize, mut region: usize) -> Option<usize> {
        let mut below = None;
        while region != ancestor {
            below = Some(region);
            region = self.regions[region].parent;
        }
        below
    }

    pub fn is_within(&self, ancestor: usize, mut region: usize) -> bool {
        while self.regions[region].depth > self.regions[ancestor].depth {
            region = self.regions[region].parent;
        }
        region == ancestor
    }
}
