//! Chains of constants as tables in memory.

use std::collections::BTreeMap;

use crate::bits::Bits;
use crate::ir::*;

/// Fewest labels of a table.
const MIN_ROWS: usize = 8;
/// Most rows of a table for each label.
const MAX_SPARSE: u64 = 4;
/// Most rows of a table.
const MAX_ROWS: u64 = 1 << 16;

/// The tables so far, by what they hold: instances of one module share them.
#[derive(Default)]
pub struct Roms {
    tables: BTreeMap<Vec<Vec<u64>>, MemoryId>,
}

impl Roms {
    /// A read of a table that gives the result of the label that `value` equals, or `default`. Labels ascend.
    /// `None` where a table does not fit.
    pub fn read(
        &mut self,
        b: &mut Builder,
        value: CellId,
        arms: &[(u64, CellId)],
        default: CellId,
    ) -> Option<CellId> {
        let (first, last) = (arms.first()?.0, arms.last()?.0);
        let rows = last - first + 1;
        let fits =
            arms.len() >= MIN_ROWS && rows <= MAX_ROWS && rows <= MAX_SPARSE * arms.len() as u64;
        if !fits || arms.iter().any(|(_, result)| b.constant(*result).is_none()) {
            return None;
        }
        let has_holes = rows > arms.len() as u64;
        let filler = match b.constant(default) {
            Some(bits) => bits.clone(),
            None if has_holes => return None,
            None => Bits::zero(b.width(default)),
        };
        // From row 0 where that costs little: then nothing needs to be subtracted.
        let base = if first <= rows { 0 } else { first };
        let mut table = vec![filler; (last - base + 1) as usize];
        for (label, result) in arms {
            table[(label - base) as usize] = b.constant(*result).expect("checked above").clone();
        }
        if base < first && b.constant(default).is_none() {
            return None;
        }
        let base_value = b.number(b.width(value), base);
        let row = b.sub(value, base_value);
        let memory = self.table(b, &table);
        let found = b.read(memory, row);
        Some(self.or_default(b, row, table.len() as u64, found, default))
    }

    /// The row that was read, if there is one; a read elsewhere gives 0.
    fn or_default(
        &self,
        b: &mut Builder,
        row: CellId,
        rows: u64,
        found: CellId,
        default: CellId,
    ) -> CellId {
        let width = b.width(row);
        let all = rows > crate::bits::low_mask(width);
        if all || b.constant(default).is_some_and(Bits::is_zero) {
            return found;
        }
        let end = b.number(width, rows);
        let inside = b.lt_u(row, end);
        b.mux(inside, found, default)
    }

    /// A memory with these rows.
    pub fn table(&mut self, b: &mut Builder, rows: &[Bits]) -> MemoryId {
        let width = rows[0].width();
        let mut key: Vec<Vec<u64>> = rows.iter().map(|row| row.limbs().to_vec()).collect();
        key.push(vec![width.into()]);
        *self.tables.entry(key).or_insert_with(|| {
            let init = rows.iter().enumerate().map(|(row, value)| MemoryInit {
                row: row as u32,
                value: value.clone(),
                defined: Bits::ones(width),
            });
            b.netlist.memories.push(Memory {
                width,
                depth: rows.len() as u32,
                first: 0,
                init: init.collect(),
                // Every row is defined.
                draw: 0,
                writes: Vec::new(),
                origin: b.origin,
            })
        })
    }
}
