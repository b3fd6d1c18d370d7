//! Case statements: long chains of comparisons of one value with constants become tables, trees or tests.
//!
//! A front end turns `case (x)` into a chain of muxes, one for each label. A chain is as long as it has labels;
//! here it becomes
//! * a table in memory, where labels are dense and all values constant ([`rom`]);
//! * else, where there are many labels, a tree of comparisons, as deep as the logarithm of their number ([`tree`]). All
//!   trees on one value split it at the same points, so that they can share branches.
//!
//! An or of comparisons of one value becomes a test of a range or a bit mask ([`member`]). A pass of its own makes tables
//! of chains on single bits ([`priority`]).

mod member;
pub mod priority;
mod rom;
mod tree;

use std::collections::BTreeMap;

use super::uses;
use crate::arena::SideTable;
use crate::ir::*;
use rom::Roms;

/// Widest value whose labels are looked at.
const MAX_WIDTH: u32 = 32;
/// Fewest labels that are worth a table or a test.
const MIN_LABELS: usize = 4;
/// Fewest labels that are worth a tree: a shorter chain is over soon where the source names the likely ones first.
const MIN_TREE: usize = 12;

/// Runs the pass.
pub fn run(old: &Netlist) -> Netlist {
    let uses = uses::count(old);
    let points = find_points(old);
    let inner = find_inner(old, &uses);
    let mut roms = Roms::default();
    rewrite(old, |r, id| {
        if inner[id] {
            return r.copy(id);
        }
        if let Some(chain) = chain(old, id, &inner) {
            return rebuild(r, &chain, &points[&chain.value], &mut roms)
                .unwrap_or_else(|| r.copy(id));
        }
        member::rewrite(r, id, &uses).unwrap_or_else(|| r.copy(id))
    })
}

/// All constants that each value is compared with, ascending.
fn find_points(n: &Netlist) -> BTreeMap<CellId, Vec<u64>> {
    let mut points: BTreeMap<CellId, Vec<u64>> = BTreeMap::new();
    for id in n.cells.ids() {
        if let Some((value, label)) = comparison(n, id) {
            points.entry(value).or_default().push(label);
        }
    }
    for list in points.values_mut() {
        list.sort_unstable();
        list.dedup();
    }
    points
}

/// The value and the constant that a cell compares.
fn comparison(n: &Netlist, id: CellId) -> Option<(CellId, u64)> {
    match n.cells[id].kind {
        CellKind::Eq(value, label) if n.width(value) <= MAX_WIDTH => {
            Some((value, n.constant(label)?.to_u64()?))
        }
        _ => None,
    }
}

/// The value that a select compares with constants alone, and those: one comparison, or an or of several.
fn labels(n: &Netlist, select: CellId) -> Option<(CellId, Vec<u64>)> {
    let (mut value, mut labels) = (None, Vec::new());
    let mut work = vec![select];
    while let Some(id) = work.pop() {
        if let CellKind::Or(a, b) = n.cells[id].kind {
            work.extend([b, a]);
            continue;
        }
        let (compared, label) = comparison(n, id)?;
        if *value.get_or_insert(compared) != compared {
            return None;
        }
        labels.push(label);
    }
    value.map(|value| (value, labels))
}

/// The value that a mux compares with constants, if it does.
fn compared(n: &Netlist, id: CellId) -> Option<CellId> {
    match n.cells[id].kind {
        CellKind::Mux { select, .. } => labels(n, select).map(|(value, _)| value),
        _ => None,
    }
}

/// Muxes that only go on a chain of the mux that uses them.
fn find_inner(n: &Netlist, uses: &SideTable<Cell, u32>) -> SideTable<Cell, bool> {
    let mut inner = SideTable::new(&n.cells, false);
    for (id, cell) in n.cells.iter() {
        if let CellKind::Mux { on_false, .. } = cell.kind
            && uses[on_false] == 1
            && let Some(value) = compared(n, id)
            && compared(n, on_false) == Some(value)
        {
            inner[on_false] = true;
        }
    }
    inner
}

/// What a chain of muxes computes.
struct Chain {
    value: CellId,
    /// Results by label, the label ascending.
    arms: BTreeMap<u64, CellId>,
    default: CellId,
}

/// The chain that starts at a mux, if it is long enough.
fn chain(n: &Netlist, root: CellId, inner: &SideTable<Cell, bool>) -> Option<Chain> {
    let value = compared(n, root)?;
    let (mut arms, mut at) = (BTreeMap::new(), root);
    loop {
        let CellKind::Mux {
            select,
            on_true,
            on_false,
        } = n.cells[at].kind
        else {
            unreachable!("only muxes go on a chain")
        };
        for label in labels(n, select)?.1 {
            arms.entry(label).or_insert(on_true);
        }
        at = on_false;
        if !inner[at] {
            break;
        }
    }
    (arms.len() >= MIN_LABELS).then_some(Chain {
        value,
        arms,
        default: at,
    })
}

/// A table or a tree; `None` where the chain is better.
fn rebuild(r: &mut Rewriter, chain: &Chain, points: &[u64], roms: &mut Roms) -> Option<CellId> {
    let value = r.get(chain.value);
    let default = r.get(chain.default);
    let arms: Vec<(u64, CellId)> = chain.arms.iter().map(|(l, v)| (*l, r.get(*v))).collect();
    let table = roms.read(&mut r.new, value, &arms, default);
    table.or_else(|| {
        let long = arms.len() >= MIN_TREE;
        long.then(|| tree::build(&mut r.new, value, &arms, points, default))
    })
}
