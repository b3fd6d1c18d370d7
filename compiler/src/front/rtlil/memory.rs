//! Memories in all their forms to [`Memory`], reads and write ports.
//!
//! In: `memory` objects with `$memrd* $memwr* $meminit*` cells and `memwr` actions, and whole `$mem*`
//! cells. Write ports keep their order of priority: the last one wins.
//!
//! A wide port spans several rows, from one whose address has zeros where the rows differ. In a whole memory
//! it is several ports in a row: the first has the address and all controls, the others continue it.

use rustc_hash::FxHashMap;

use super::ast::*;
use super::catalog::{Class, MemoryCell};
use super::known::name;
use super::lower::Lower;
use super::params;
use crate::bits::Bits;
use crate::ir::{CellId, ClockEdge, Memory, MemoryId};

/// The memories of a design, by instance and name, and by instance and cell.
#[derive(Default)]
pub struct Memories {
    pub by_name: FxHashMap<(u32, Name), MemoryId>,
    by_cell: FxHashMap<(u32, u32), MemoryId>,
    /// For signals: instance, shown name, location.
    pub names: Vec<(u32, MemoryId, Item)>,
    /// Of each memory: its write ports, in order of priority.
    pub writes: FxHashMap<MemoryId, Vec<Written>>,
}

/// A write port as clocked reads of the same memory see it.
#[derive(Clone, Debug)]
pub struct Written {
    /// The bit of transparency masks that stands for it; actions of processes have none.
    pub number: Option<u32>,
    pub clocks: Vec<ClockEdge>,
    pub words: Vec<WriteWord>,
}

/// One word of a write port.
#[derive(Clone, Copy, Debug)]
pub struct WriteWord {
    pub row: CellId,
    pub data: CellId,
    /// Which bits are written, zero when nothing is.
    pub mask: CellId,
}

impl Lower<'_, '_, '_> {
    /// Makes all memories; ports come later.
    pub fn make_memories(&mut self) {
        for instance in 0..self.hierarchy.instances.len() as u32 {
            let module = self.module(instance);
            for memory in &module.memories {
                let id = self.make_memory(
                    instance,
                    memory.item,
                    memory.width,
                    memory.size,
                    memory.offset,
                );
                self.memories
                    .by_name
                    .insert((instance, memory.item.name), id);
            }
            for (cell, index) in module.cells.iter().zip(0..) {
                if let Some(Class::Memory(MemoryCell::Whole | MemoryCell::WholeV2)) =
                    self.class(cell)
                {
                    let [width, size, offset] = [name!("WIDTH"), name!("SIZE"), name!("OFFSET")]
                        .map(|p| params::number(self.design, module, cell, p));
                    let item = Item {
                        name: self.memory_name(module, cell).unwrap_or(cell.item.name),
                        ..cell.item
                    };
                    let id = self.make_memory(instance, item, width, size, offset as i32);
                    self.memories.by_cell.insert((instance, index), id);
                }
            }
        }
    }

    fn make_memory(
        &mut self,
        instance: u32,
        item: Item,
        width: u32,
        depth: u32,
        first: i32,
    ) -> MemoryId {
        let origin = self.origin(instance, item.src);
        let id = self.b.netlist.memories.push(Memory {
            width: width.min(super::parser::MAX_WIDTH),
            depth,
            first: i64::from(first),
            init: Vec::new(),
            draw: 0,
            writes: Vec::new(),
            origin,
        });
        self.memories.names.push((instance, id, item));
        id
    }

    fn memory_name(&self, module: &Module, cell: &Cell) -> Option<Name> {
        let text = params::text(self.design, module, cell, name!("MEMID"));
        self.design.names.find(&text)
    }

    /// The memory that a cell of an instance belongs to.
    pub fn memory_of(&self, instance: u32, cell: u32) -> Option<MemoryId> {
        if let Some(id) = self.memories.by_cell.get(&(instance, cell)) {
            return Some(*id);
        }
        let module = self.module(instance);
        let name = self.memory_name(module, &module.cells[cell as usize])?;
        self.memories.by_name.get(&(instance, name)).copied()
    }

    /// The row of word `word` at an address: the declared index of row 0 is subtracted.
    pub fn row(&mut self, memory: MemoryId, address: CellId, word: u32) -> CellId {
        let first = self.b.netlist.memories[memory].first - i64::from(word);
        if first == 0 {
            return address;
        }
        let given = self.b.width(address);
        let bits = 64 - first.unsigned_abs().leading_zeros();
        if first > 0 {
            // One bit more, so that an address below the first row is no row.
            let width = given.max(bits) + 1;
            let address = self.b.zero_extend(address, width);
            let first = self.b.number(width, first.unsigned_abs());
            return self.b.sub(address, first);
        }
        let width = if word > 0 {
            given.max(bits) + 1
        } else {
            given.max(1)
        };
        let address = self.b.zero_extend(address, width);
        let first = self.b.number(width, first.unsigned_abs());
        self.b.add(address, first)
    }
}

/// The first of the ports that make up the wide port of `port`; the port itself when it is not wide.
pub fn first_of_wide(continuations: &Bits, port: u32) -> u32 {
    (0..=port)
        .rev()
        .find(|index| !continuations.bit(*index))
        .unwrap_or(0)
}

/// The part of a packed port that belongs to port number `index`.
pub fn port_part(module: &Module, cell: &Cell, name: Name, index: u32, width: u32) -> Vec<Chunk> {
    let chunks = module.chunks_of(module.port(cell, name));
    let given: u32 = chunks.iter().map(|c| c.width).sum();
    let low = index.saturating_mul(width).min(given);
    let mut pool = Vec::new();
    super::process::slice_chunks(chunks, low, width.min(given - low), &mut pool);
    pool
}
