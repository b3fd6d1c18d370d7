//! Joins latches of neighbouring bits into one word.
//!
//! Front ends infer latches bit by bit; a word costs as much as one bit. Latches are joined when they
//! follow each other, are open under the same condition, and take neighbouring bits of one value. Undefined
//! initial bits that are drawn from different places keep them apart.

use rustc_hash::FxHashMap;

use crate::ir::*;
use crate::options::{Options, Undef};

/// Runs the pass. Latches that nothing uses any more are left to `sweep`.
pub fn run(old: &Netlist, options: &Options) -> Netlist {
    let groups = find_groups(old, options.undef);
    if groups.is_empty() {
        return old.clone();
    }
    let first_new = old.latches.len();
    let mut member: FxHashMap<LatchId, (usize, u32)> = FxHashMap::default();
    let mut of_value: FxHashMap<CellId, (usize, u32)> = FxHashMap::default();
    for (g, group) in groups.iter().enumerate() {
        let mut low = 0;
        for latch in &group.members {
            member.insert(*latch, (g, low));
            of_value.insert(old.latches[*latch].value, (g, low));
            low += old.latches[*latch].width;
        }
    }
    let mut shell = old.clone();
    shell.latches = old.latches.clone();
    groups.iter().for_each(|g| {
        shell.latches.push(joined(old, g));
    });
    let mut values: Vec<Option<CellId>> = vec![None; groups.len()];
    let stored = |g: usize| CellKind::Latch(LatchId::new(first_new + g));
    let mut new = rewrite(&shell, |r, id| {
        let width = r.old.width(id);
        if let CellKind::Latch(latch) = r.old.cells[id].kind
            && let Some((g, low)) = member.get(&latch)
        {
            let word = r.new.cell(stored(*g), groups[*g].width);
            return r.new.slice(word, *low, width);
        }
        if let Some((g, low)) = of_value.get(&id) {
            let group = &groups[*g];
            let word = *values[*g].get_or_insert_with(|| {
                let (select, value) = (r.get(group.select), r.get(group.value));
                let data = r.new.slice(value, group.low, group.width);
                let held = r.new.cell(stored(*g), group.width);
                if group.open_high {
                    r.new.mux(select, data, held)
                } else {
                    r.new.mux(select, held, data)
                }
            });
            return r.new.slice(word, *low, width);
        }
        r.copy(id)
    });
    for (g, value) in values.into_iter().enumerate() {
        // A group whose value nothing reaches is dead, and so is its latch.
        let id = LatchId::new(first_new + g);
        if let Some(value) = value {
            new.latches[id].value = value;
        }
    }
    new
}

/// Latches that become one.
struct Group {
    members: Vec<LatchId>,
    width: u32,
    select: CellId,
    /// Open while `select` is 1, rather than 0.
    open_high: bool,
    /// Bits `low .. low + width` of this are the data.
    value: CellId,
    low: u32,
}

fn find_groups(n: &Netlist, undef: Undef) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (id, latch) in n.latches.iter() {
        let Some(mut next) = single(n, id, latch) else {
            continue;
        };
        match groups.last_mut() {
            Some(last)
                if last
                    .members
                    .last()
                    .is_some_and(|l| l.index() + 1 == id.index())
                    && (last.select, last.open_high, last.value)
                        == (next.select, next.open_high, next.value)
                    && last.low + last.width == next.low
                    && (undef != Undef::Random || same_draws(n, last, latch)) =>
            {
                last.members.append(&mut next.members);
                last.width += next.width;
            }
            _ => groups.push(next),
        }
    }
    groups.retain(|g| g.members.len() > 1);
    groups
}

/// True when the initial value of the group and of the latch can be one latch's.
fn same_draws(n: &Netlist, group: &Group, latch: &Latch) -> bool {
    let first = &n.latches[group.members[0]];
    let defined = |l: &Latch| l.init_defined.is_ones();
    first.draw + u64::from(group.width) == latch.draw
        || defined(latch) && group.members.iter().all(|l| defined(&n.latches[*l]))
}

/// A latch that takes a slice of a value under a condition.
fn single(n: &Netlist, id: LatchId, latch: &Latch) -> Option<Group> {
    let CellKind::Mux {
        select,
        on_true,
        on_false,
    } = n.cells[latch.value].kind
    else {
        return None;
    };
    let is_held = |c: CellId| n.cells[c].kind == CellKind::Latch(id);
    let (data, open_high) = match (is_held(on_true), is_held(on_false)) {
        (false, true) => (on_true, true),
        (true, false) => (on_false, false),
        _ => return None,
    };
    let CellKind::Slice { value, low } = n.cells[data].kind else {
        return None;
    };
    Some(Group {
        members: vec![id],
        width: latch.width,
        select,
        open_high,
        value,
        low,
    })
}

fn joined(n: &Netlist, group: &Group) -> Latch {
    let parts = || group.members.iter().map(|l| &n.latches[*l]);
    let empty = crate::bits::Bits::zero(0);
    Latch {
        width: group.width,
        init: parts().fold(empty.clone(), |bits, l| bits.concat(&l.init)),
        init_defined: parts().fold(empty, |bits, l| bits.concat(&l.init_defined)),
        draw: n.latches[group.members[0]].draw,
        // Set once the value is built.
        value: n.latches[group.members[0]].value,
        origin: n.latches[group.members[0]].origin,
    }
}
