//! skeleton
use super::*;
pub fn cell_line(id: CellId, cell: &Cell) -> String { format!("%{} {cell:?}", id.index()) }
