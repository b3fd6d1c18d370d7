//! How many cells and roots need each cell while a design runs.

use crate::arena::SideTable;
use crate::ir::*;

/// The count for every cell. Names that are no ports do not count: those are looked at between cycles.
pub fn count(n: &Netlist) -> SideTable<Cell, u32> {
    let mut uses = SideTable::new(&n.cells, 0);
    for cell in n.cells.values() {
        cell.kind.for_each_operand(|o| uses[o] += 1);
    }
    n.for_each_root(|root| uses[root] += 1);
    for signal in n.signals.values() {
        if let (Direction::None, SignalValue::Cell(cell)) = (signal.direction, &signal.value) {
            uses[*cell] -= 1;
        }
    }
    uses
}
