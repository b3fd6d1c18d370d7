//! Under how many conditions each cell is needed and each register written.

use super::place::Placement;
use super::{Action, ROOT};
use crate::ir::*;

/// What a placement says, without regions. Conditions are counted but for those that are inputs, such as a reset.
pub struct Homes {
    /// Cells, operands first, with the conditions under which they are computed; `None` for a mux that a register's
    /// store has taken apart.
    pub cells: Vec<(CellId, Option<u32>)>,
    /// What registers are set to, and under how many conditions.
    pub stores: Vec<(RegisterId, CellId, u32)>,
    /// Cells that something else than a cell uses.
    pub needed: Vec<CellId>,
}

impl Homes {
    pub(super) fn new(n: &Netlist, cells: &[CellId], placement: &Placement) -> Homes {
        let mut conditions = vec![0; placement.regions.len()];
        for (i, region) in placement.regions.iter().enumerate().skip(1) {
            let counts = !is_input(n, region.select);
            conditions[i] = conditions[region.parent] + u32::from(counts);
        }
        let of_cell = placement
            .of_cell
            .iter()
            .map(|region| conditions.get(*region).copied());
        let store = |leaf: &super::place::Leaf| match leaf.action {
            Action::StoreRegister(r, value) => Some((r, value, conditions[leaf.region])),
            _ => None,
        };
        let used = placement
            .leaves
            .iter()
            .flat_map(|leaf| leaf.uses.iter().copied());
        let selects = placement
            .regions
            .iter()
            .skip(ROOT + 1)
            .map(|region| region.select);
        Homes {
            cells: cells.iter().copied().zip(of_cell).collect(),
            stores: placement.leaves.iter().filter_map(store).collect(),
            needed: used.chain(selects).collect(),
        }
    }
}

fn is_input(n: &Netlist, select: CellId) -> bool {
    match n.cells[select].kind {
        CellKind::Input(_) => true,
        CellKind::Not(a) => matches!(n.cells[a].kind, CellKind::Input(_)),
        _ => false,
    }
}
