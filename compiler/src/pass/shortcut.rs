//! An and or an or with one costly side looks at the cheap side first.
//!
//! `access & (illegal | ...)` becomes `access ? (illegal | ...) : 0`: a mux, whose arms are only computed when
//! they are needed (`sched::regions`). The costly side must be worth a branch by what it alone needs.

use super::uses;
use crate::arena::SideTable;
use crate::ir::*;

/// Fewest cells that are worth a branch.
const MIN_CELLS: u32 = 8;

/// Runs the pass.
pub fn run(old: &Netlist) -> Netlist {
    let own = own_cells(old);
    rewrite(old, |r, id| {
        let (a, b, is_and) = match old.cells[id].kind {
            CellKind::And(a, b) if old.width(id) == 1 => (a, b, true),
            CellKind::Or(a, b) if old.width(id) == 1 => (a, b, false),
            _ => return r.copy(id),
        };
        let (cheap, costly) = if own[a] <= own[b] { (a, b) } else { (b, a) };
        if own[costly] < MIN_CELLS || own[costly] < 2 * own[cheap] {
            return r.copy(id);
        }
        let (select, value) = (r.get(cheap), r.get(costly));
        let decided = r.new.number(1, u64::from(!is_and));
        if is_and {
            r.new.mux(select, value, decided)
        } else {
            r.new.mux(select, decided, value)
        }
    })
}

/// For each cell how many cells, itself among them, nothing else needs; 0 where several need the cell.
fn own_cells(n: &Netlist) -> SideTable<Cell, u32> {
    let uses = uses::count(n);
    let mut own = SideTable::new(&n.cells, 0u32);
    for (id, cell) in n.cells.iter() {
        if uses[id] == 1 && !cell.kind.is_source() && n.constant(id).is_none() {
            let mut sum = 1u32;
            cell.kind
                .for_each_operand(|o| sum = sum.saturating_add(own[o]));
            own[id] = sum;
        }
    }
    own
}
