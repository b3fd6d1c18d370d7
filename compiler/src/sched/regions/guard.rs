//! Cells that only some of a block's branches need.
//!
//! Such a cell belongs to the block's region, because no single branch below has all its uses; computed there,
//! it would be computed in every cycle. Cells that the same few branches need are computed together, when
//! the condition of one of those holds. In other cycles they have no value, and nothing looks at them.
//!
//! A region may have several blocks, one for each point where its leaves run. A cell that a later one needs, too, is
//! always computed by the first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::place::{Placement, Region};
use super::tree::Tree;
use crate::ir::*;
use crate::sched::Condition;

/// Most branches that one test asks about.
const MAX_CONDITIONS: usize = 6;
/// Cells, per condition, from which on a test is worth its cost.
const MIN_CELLS: u32 = 6;

/// Regions directly below a block's that need a cell; `None` when the block itself does.
type Users = Option<Vec<usize>>;

/// For one block: which cells need not always be computed.
pub(super) struct Guards {
    users: FxHashMap<usize, Vec<usize>>,
}

impl Guards {
    /// `needed` are the cells of the block, ascending.
    pub fn find(
        tree: &Tree,
        region: usize,
        needed: &[usize],
        roots: &[usize],
        leaves: &[usize],
    ) -> Guards {
        let mut users: FxHashMap<usize, Users> = FxHashMap::default();
        for local in needed_elsewhere(tree, region, needed, leaves) {
            users.insert(local, None);
        }
        for root in roots {
            add(&mut users, *root, &None);
        }
        for leaf in leaves {
            add_leaf(tree, region, *leaf, &mut users);
        }
        for l in needed.iter().rev() {
            add_operands(tree, region, *l, &mut users);
        }
        let here = |l: &usize| tree.placement.of_cell[*l] == region && !tree.branches(*l);
        let cells: Vec<usize> = needed.iter().copied().filter(here).collect();
        drop_small(tree, &cells, &mut users);
        let guarded = cells
            .iter()
            .filter_map(|l| Some((*l, users.get(l)?.clone()?)));
        Guards {
            users: guarded.collect(),
        }
    }

    /// The selects that the guards of some cells ask about.
    pub fn selects(&self, tree: &Tree, cells: &[usize]) -> BTreeSet<usize> {
        let children = cells.iter().filter_map(|l| self.users.get(l)).flatten();
        children
            .filter_map(|child| tree.scheduler.local(tree.condition(*child).select))
            .collect()
    }

    /// Cells that are to be evaluated, in runs of equal conditions; `None` is always. Operands come first.
    pub fn sort(
        &self,
        tree: &Tree,
        mut cells: Vec<usize>,
    ) -> Vec<(Option<Vec<Condition>>, Vec<usize>)> {
        // Whoever needs a cell needs its operands, too: those have as many users or more.
        let key = |l: &usize| {
            let users = self.users.get(l);
            (Reverse(users.map_or(usize::MAX, Vec::len)), users, *l)
        };
        cells.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        let mut runs = Vec::new();
        for run in cells.chunk_by(|a, b| self.users.get(a) == self.users.get(b)) {
            let users = self.users.get(&run[0]);
            runs.push((users.and_then(|u| conditions(tree, u)), run.to_vec()));
        }
        runs
    }
}

/// Cells of the block's region that more than the block's own cells and leaves use.
fn needed_elsewhere(tree: &Tree, region: usize, needed: &[usize], leaves: &[usize]) -> Vec<usize> {
    let mut uses: FxHashMap<usize, u32> = FxHashMap::default();
    for l in needed {
        tree.for_each_operand(*l, |o| {
            if let Some(o) = tree.scheduler.local(o) {
                *uses.entry(o).or_default() += 1;
            }
        });
    }
    for l in leaves
        .iter()
        .flat_map(|leaf| tree.leaf_inputs(region, *leaf))
    {
        *uses.entry(l).or_default() += 1;
    }
    let here = |l: &usize| tree.placement.of_cell[*l] == region;
    let all = |l: &usize| uses.get(l).copied().unwrap_or(0) == tree.uses[*l];
    (needed.iter().copied())
        .filter(|l| here(l) && !all(l))
        .collect()
}

/// The conditions of some regions; `None` while one of them is not known yet.
fn conditions(tree: &Tree, users: &[usize]) -> Option<Vec<Condition>> {
    let conditions: Vec<Condition> = users.iter().map(|child| tree.condition(*child)).collect();
    let known = |c: &Condition| tree.scheduler.local(c.select).is_none_or(|l| tree.done[l]);
    conditions.iter().all(known).then_some(conditions)
}

fn add(users: &mut FxHashMap<usize, Users>, local: usize, by: &Users) {
    let entry = users.entry(local).or_insert_with(|| Some(Vec::new()));
    let (Some(all), Some(more)) = (entry.as_mut(), by) else {
        *entry = None;
        return;
    };
    for child in more {
        if let Err(at) = all.binary_search(child) {
            all.insert(at, *child);
        }
    }
    if all.len() > MAX_CONDITIONS {
        *entry = None;
    }
}

/// Who needs something that `below`, a region in or under `region`, uses: a region directly below that has one of the
/// conditions on the way, the innermost of them.
fn user(tree: &Tree, region: usize, below: usize) -> Users {
    let Placement {
        regions, interned, ..
    } = tree.placement;
    let mut at = below;
    while at != region {
        let Region { select, arm, .. } = regions[at];
        if let Some(child) = interned.get(&(region, select, arm)) {
            return Some(vec![*child]);
        }
        at = regions[at].parent;
    }
    None
}

fn add_leaf(tree: &Tree, region: usize, leaf: usize, users: &mut FxHashMap<usize, Users>) {
    let at = tree.leaf(leaf);
    let uses = at.uses.iter().map(|u| (*u, at.region));
    for (cell, below) in uses.chain(tree.selects_between(region, at.region)) {
        if let Some(local) = tree.scheduler.local(cell) {
            add(users, local, &user(tree, region, below));
        }
    }
}

fn add_operands(tree: &Tree, region: usize, local: usize, users: &mut FxHashMap<usize, Users>) {
    let of_cell = tree.placement.of_cell[local];
    let mut put = |operand: CellId, by: &Users| {
        if let Some(o) = tree.scheduler.local(operand) {
            add(users, o, by);
        }
    };
    if tree.branches(local)
        && let CellKind::Mux {
            select,
            on_true,
            on_false,
        } = *tree.kind(local)
    {
        put(select, &user(tree, region, of_cell));
        for (value, arm) in [(on_true, true), (on_false, false)] {
            let child = tree.placement.interned.get(&(of_cell, select, arm));
            let below = child.copied().unwrap_or(of_cell);
            put(value, &user(tree, region, below));
        }
        return;
    }
    let by = match user(tree, region, of_cell) {
        None => users.get(&local).cloned().unwrap_or(None),
        child => child,
    };
    tree.for_each_operand(local, |o| {
        if let Some(o) = tree.scheduler.local(o) {
            add(users, o, &by);
        }
    });
}

/// Cells whose condition always holds, and those that are too few for a test of their own, are always computed,
/// and so is what they need. `cells` are those of the block's own region, ascending.
fn drop_small(tree: &Tree, cells: &[usize], users: &mut FxHashMap<usize, Users>) {
    let mut worth: FxHashMap<Vec<usize>, u32> = FxHashMap::default();
    for l in cells {
        if let Some(Some(set)) = users.get(l) {
            let source = tree.kind(*l).is_source();
            let cost = if source {
                0
            } else {
                tree.scheduler.cost(tree.cells[*l])
            };
            *worth.entry(set.clone()).or_default() += cost;
        }
    }
    let always = |set: &Vec<usize>| {
        let regions = set.iter().map(|child| tree.placement.regions[*child]);
        let opposite = |a: usize| {
            let a = tree.placement.regions[a];
            let mut others = regions.clone();
            others.any(|b| b.select == a.select && b.arm != a.arm)
        };
        set.is_empty() || set.iter().any(|a| opposite(*a))
    };
    for l in cells.iter().rev() {
        let small = |set: &Vec<usize>| always(set) || worth[set] < MIN_CELLS * set.len() as u32;
        let drop = match users.get(l) {
            Some(Some(set)) => small(set),
            _ => true,
        };
        if drop {
            users.insert(*l, None);
            tree.for_each_operand(*l, |o| {
                if let Some(o) = tree.scheduler.local(o) {
                    users.insert(o, None);
                }
            });
        }
    }
}
