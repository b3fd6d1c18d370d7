//! Latch cells to latches.
//!
//! Front ends cut a latched variable into one cell per bit; a row of such cells that hold neighbouring
//! bits under neighbouring enables becomes one latch again.

use super::ast::*;
use super::drivers::NodeId;
use super::known::name;
use super::lower::Lower;
use super::params;
use crate::bits::Bits;
use crate::ir::{CellId, Extend, Latch, LatchId, Origin};

/// How many cells from `first` on are one variable.
pub fn row_length(design: &Design, module: &Module, first: u32) -> u32 {
    let cell = |index: u32| module.cells.get((first + index) as usize);
    let Some(head) = cell(0).filter(|c| design.names.text(c.kind) == "$dlatch") else {
        return 1;
    };
    let polarity = |c: &Cell| params::flag(design, module, c, name!("EN_POLARITY"));
    let single = |c: &Cell, port: Name| match module.chunks_of(module.port(c, port)) {
        [chunk] if chunk.width == 1 => Some(*chunk),
        _ => None,
    };
    let mut length = 1;
    while let Some(next) =
        cell(length).filter(|c| c.kind == head.kind && polarity(c) == polarity(head))
    {
        let follows = |port: Name| match (single(head, port), single(next, port)) {
            (Some(a), Some(b)) => a.base == b.base && b.offset == a.offset + length,
            _ => false,
        };
        if ![name!("EN"), name!("D"), name!("Q")]
            .into_iter()
            .all(follows)
        {
            break;
        }
        length += 1;
    }
    length
}

/// A port of all cells of a row, side by side.
pub fn row_port(module: &Module, cells: &[Cell], port: Name) -> Vec<Chunk> {
    cells
        .iter()
        .flat_map(|c| module.chunks_of(module.port(c, port)))
        .copied()
        .collect()
}

impl<'d> Lower<'d, '_, '_> {
    /// The cells of a storage node: one, or the row that starts with `first`.
    pub fn latch_row(&self, node: NodeId, first: u32) -> &'d [Cell] {
        let module = self.module(self.node(node).instance);
        let cell = &module.cells[first as usize];
        let own = self.design.width(module, module.port(cell, name!("Q")));
        let count = self.graph.width(node).checked_div(own).unwrap_or(1).max(1);
        &module.cells[first as usize..(first + count) as usize]
    }

    /// A latch and the cell that reads what it stored; the caller sets its value.
    pub fn make_latch(&mut self, node: NodeId, width: u32, origin: Origin) -> (LatchId, CellId) {
        let (init, init_defined) = (Bits::zero(width), Bits::zero(width));
        let made = self.b.latch(Latch {
            width,
            init,
            init_defined,
            draw: 0,
            value: CellId::new(0),
            origin,
        });
        self.found_latches.push((node, 0, made.0));
        made
    }

    /// The transparent output of a latch cell.
    pub fn lower_latch_cell(&mut self, node: NodeId, instance: u32, first: u32) -> CellId {
        let cells = self.latch_row(node, first);
        self.set_origin(instance, cells[0].item.src);
        let width = self.graph.width(node);
        let (latch, stored) = self.make_latch(node, width, self.b.origin);
        let value = match cells {
            [cell] => self.lower_single_latch(instance, cell, stored),
            row => self.lower_latch_row(instance, row, stored),
        };
        self.b.netlist.latches[latch].value = value;
        value
    }

    /// Set and clear over reset over data.
    fn lower_single_latch(&mut self, instance: u32, cell: &Cell, stored: CellId) -> CellId {
        let storage = self.storage(cell);
        let width = self.b.width(stored);
        let mut value = stored;
        if let Some(control) = storage.enable {
            let enable = self.control(instance, cell, control);
            let d = self.data(instance, cell, name!("D"), 0, width);
            value = self.b.mux(enable, d, value);
        }
        if let Some((control, to)) = storage.async_reset {
            let when = self.control(instance, cell, control);
            let to = self.reset_value(instance, cell, to, 0, width);
            value = self.b.mux(when, to, value);
        }
        if let Some(control) = storage.set {
            let set = self.data(instance, cell, control.port, 0, width);
            let high = self.is_high(instance, cell, control.active);
            let set = self.with_polarity(set, high);
            value = self.b.or(value, set);
        }
        if let Some(control) = storage.clear {
            let clear = self.data(instance, cell, control.port, 0, width);
            let high = self.is_high(instance, cell, control.active);
            let keep = self.with_polarity(clear, !high);
            value = self.b.and(value, keep);
        }
        value
    }

    /// Each bit has its own enable.
    fn lower_latch_row(&mut self, instance: u32, cells: &[Cell], stored: CellId) -> CellId {
        let module = self.module(instance);
        let width = self.b.width(stored);
        let [enable, data] = [name!("EN"), name!("D")].map(|port| {
            let value = self.value(instance, &row_port(module, cells, port));
            self.b.resize(value, width, Extend::Zero)
        });
        let control = self
            .storage(&cells[0])
            .enable
            .expect("the row is made of latches with an enable");
        let high = self.is_high(instance, &cells[0], control.active);
        let (open, closed) = (
            self.with_polarity(enable, high),
            self.with_polarity(enable, !high),
        );
        let mut steps = 256;
        if let Some(select) = self.uniform_bit(open, &mut steps) {
            return self.b.mux(select, data, stored);
        }
        let new = self.b.and(data, open);
        let old = self.b.and(stored, closed);
        self.b.or(new, old)
    }
}
