//! Many bits of state, or'ed: bits that lie side by side are loaded together.
//!
//! A register of one bit has a byte to itself, 0 or 1. Eight neighbours are one load of eight bytes, and the
//! question is only whether anything in them is not zero.

use walrus::ir::BinaryOp::{I32Or, I64Ne, I64Or};

use super::code::Ty;
use super::task::Emitter;
use crate::ir::*;

/// Fewest neighbours that are worth a load of their own.
const MIN_RUN: usize = 3;

impl Emitter<'_, '_> {
    /// Pushes an or of width 1.
    pub fn any(&mut self, id: CellId) {
        let mut leaves = Vec::new();
        self.collect_or(id, true, &mut leaves);
        let mut bytes: Vec<u32> = leaves.iter().filter_map(|l| self.byte_of(*l)).collect();
        bytes.sort_unstable();
        bytes.dedup();
        let runs: Vec<&[u32]> = bytes
            .chunk_by(|a, b| a + 1 == *b)
            .filter(|run| run.len() >= MIN_RUN)
            .collect();
        let loads: Vec<(u32, u32)> = runs.iter().flat_map(|run| cover(run)).collect();
        let covered = |e: &Self, leaf: CellId| {
            let byte = e.byte_of(leaf);
            byte.is_some_and(|byte| runs.iter().any(|run| run.contains(&byte)))
        };
        let mut first = true;
        for (i, (offset, size)) in loads.iter().enumerate() {
            self.push_registers_base();
            self.code.load(Ty::I64, *offset, *size);
            if i > 0 {
                self.code.binary(Ty::I64, I32Or, I64Or);
            }
        }
        if !loads.is_empty() {
            self.code.constant(Ty::I64, 0);
            self.code.binary(Ty::I64, I64Ne, I64Ne);
            first = false;
        }
        for leaf in leaves {
            if covered(self, leaf) {
                continue;
            }
            self.value(leaf);
            if !first {
                self.code.binary(Ty::I32, I32Or, I64Or);
            }
            first = false;
        }
    }

    /// The operands of an or and of those that are written inside it. Recursion is bounded by the plan.
    fn collect_or(&self, id: CellId, top: bool, leaves: &mut Vec<CellId>) {
        match self.netlist().cells[id].kind {
            CellKind::Or(a, b) if top || self.plan.is_inline(id) => {
                self.collect_or(a, false, leaves);
                self.collect_or(b, false, leaves);
            }
            _ => leaves.push(id),
        }
    }

    /// The byte of a register of one bit that still has its value from before the task.
    pub fn byte_of(&self, cell: CellId) -> Option<u32> {
        let CellKind::Register(r) = self.netlist().cells[cell].kind else {
            return None;
        };
        let slot = self.context.layout.registers[r.index()];
        (self.width(cell) == 1 && self.is_in_place(cell)).then_some(slot.offset)
    }
}

/// Loads that cover a run of bytes and nothing else; they may overlap.
fn cover(run: &[u32]) -> Vec<(u32, u32)> {
    let len = run.len() as u32;
    let size = [8, 4, 2].into_iter().find(|s| *s <= len).unwrap_or(1);
    let end = run[0] + len;
    let starts = (run[0]..end).step_by(size as usize);
    starts.map(|at| (at.min(end - size), size)).collect()
}
