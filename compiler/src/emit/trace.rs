//! The tables of the change trace: which words lie in which eight bytes of the scalars, and where memories lie.
//!
//! In: the rows of all signals. Out: addresses, sizes, and the bytes that are there from instantiation on. Without
//! [`Trace::On`] everything is empty.

use walrus::{MemoryId, Module};

use super::tables::{SignalRow, add_data};
use crate::ir::Netlist;
use crate::layout::{Cursor, Layout};
use crate::options::Trace;

/// Bytes of a record.
const RECORD: u32 = 16;
/// Smallest ring.
const MIN_RING: u32 = 1 << 16;

/// Where the tables and the ring lie, and what is in the tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceTables {
    /// Signal id and word, ordered by the eight bytes that they have bits in; some more than once.
    pub entries: Vec<(u32, u32)>,
    /// For each eight bytes of the scalars the number of its first entry, and of the end.
    index: Vec<u32>,
    /// Signal id, first address and bytes of each memory.
    memories: Vec<(u32, u32, u32)>,
    pub index_base: u32,
    pub table_base: u32,
    pub memory_base: u32,
    /// A copy of the scalars.
    pub copy_base: u32,
    pub ring_base: u32,
    pub ring_size: u32,
    /// Word that is not zero once all words have been told, and the time that was told last.
    pub told: u32,
    pub time: u32,
    /// Most bytes that one wave and the end of its instant write.
    pub reserve: u32,
}

impl TraceTables {
    /// Finds what is traced and gives it places.
    pub fn place(
        n: &Netlist,
        layout: &Layout,
        rows: &[SignalRow],
        trace: Trace,
        at: &mut Cursor,
    ) -> TraceTables {
        if trace == Trace::Off {
            return TraceTables::default();
        }
        let (entries, index) = entries(layout, rows);
        let memories = memories(rows);
        let writes = n
            .memories
            .values()
            .map(|m| m.writes.len() as u32 * m.width.div_ceil(64));
        let records = entries.len() as u32 + writes.sum::<u32>() + 1;
        let reserve = RECORD * records;
        let ring_size = (4 * reserve).max(MIN_RING).next_power_of_two();
        TraceTables {
            index_base: at.take(4 * index.len() as u64, 8),
            table_base: at.take(8 * entries.len() as u64, 8),
            memory_base: at.take(16 * memories.len() as u64, 8),
            copy_base: at.take(layout.scalars_len().into(), 8),
            ring_base: at.take(ring_size.into(), 8),
            told: at.take(8, 8),
            time: at.take(8, 8),
            ring_size,
            reserve,
            entries,
            index,
            memories,
        }
    }

    /// End of the table of memories.
    pub fn memory_end(&self) -> u32 {
        self.memory_base + 16 * self.memories.len() as u32
    }

    /// Writes the tables as data.
    pub fn emit(&self, module: &mut Module, memory: MemoryId) {
        let index = self.index.iter().flat_map(|i| i.to_le_bytes()).collect();
        let words = self.entries.iter().flat_map(|(id, word)| [*id, *word]);
        let table = words.flat_map(u32::to_le_bytes).collect();
        let rows = self.memories.iter();
        let rows = rows.flat_map(|(id, base, bytes)| [*id, *base, *bytes, 0]);
        let memories = rows.flat_map(u32::to_le_bytes).collect();
        for (base, bytes) in [
            (self.index_base, index),
            (self.table_base, table),
            (self.memory_base, memories),
        ] {
            add_data(module, memory, base, bytes);
        }
    }
}

/// The entries and where those of each eight bytes begin.
fn entries(layout: &Layout, rows: &[SignalRow]) -> (Vec<(u32, u32)>, Vec<u32>) {
    let scalars = u64::from(layout.state_base)..u64::from(layout.scalars_end);
    let mut uses: Vec<(u32, (u32, u32))> = Vec::new();
    let is_traced = |row: &SignalRow| {
        let stored = !row.outlined && row.constant.is_none() && row.rows == 1;
        stored && row.alias_of.is_none() && row.parts.iter().all(|p| scalars.contains(&p.offset))
    };
    for (id, row) in rows.iter().enumerate().filter(|(_, row)| is_traced(row)) {
        let mut bit = 0;
        for part in &row.parts {
            let block = ((part.offset - scalars.start) / 8) as u32;
            // A part that crosses a limb has bits in both.
            for limb in bit / 64..=(bit + part.width.max(1) - 1) / 64 {
                uses.push((block, (id as u32, limb)));
            }
            bit += part.width;
        }
    }
    uses.sort_unstable();
    uses.dedup();
    let blocks = layout.scalars_len().div_ceil(8);
    let index = (0..=blocks).map(|block| uses.partition_point(|(b, _)| *b < block) as u32);
    let index = index.collect();
    (uses.into_iter().map(|(_, entry)| entry).collect(), index)
}

fn memories(rows: &[SignalRow]) -> Vec<(u32, u32, u32)> {
    let memories = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.kind == "memory");
    let place = |(id, row): (usize, &SignalRow)| {
        let base = row.parts.first().map_or(0, |part| part.offset as u32);
        (id as u32, base, row.rows * row.stride)
    };
    memories.map(place).collect()
}
