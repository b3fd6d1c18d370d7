//! Read ports of memories: a row at once, or a register that takes it at a clock edge.
//!
//! A transparent port sees the writes of the same clock edge. Where a port gives `x` because a write meets it
//! (the collision masks), it gives what was in the row before.

use super::ast::*;
use super::catalog::{Class, MemoryCell};
use super::known::name;
use super::lower::Lower;
use super::memory::{first_of_wide, port_part};
use super::params;
use super::storage::Held;
use crate::bits::Bits;
use crate::ir::{CellId, ClockEdge, Edge, Extend, Memory, MemoryId};

/// One read port, before values exist.
struct ReadPort {
    clock: Option<(Vec<Chunk>, Edge)>,
    address: Vec<Chunk>,
    /// Which of the rows from the address on is the first.
    word: u32,
    enable: Vec<Chunk>,
    /// Signal and value, when there is such a reset.
    async_reset: Option<(Vec<Chunk>, Bits)>,
    sync_reset: Option<(Vec<Chunk>, Bits)>,
    enable_over_reset: bool,
    init: Const,
    transparent: Transparent,
}

/// Which writes of the same instant a read sees.
enum Transparent {
    All,
    Ports(Bits),
}

impl Lower<'_, '_, '_> {
    fn read_kind(&self, cell: &Cell) -> MemoryCell {
        match self.class(cell) {
            Some(Class::Memory(kind)) => kind,
            other => unreachable!("{other:?} is no memory"),
        }
    }

    /// The first port of the wide port that a port of a whole memory belongs to.
    fn first_port(&self, module: &Module, cell: &Cell, port: u32) -> u32 {
        let name = name!("RD_WIDE_CONTINUATION");
        first_of_wide(
            &params::constant(self.design, module, cell, name).value,
            port,
        )
    }

    pub fn is_clocked_read(&self, instance: u32, cell: u32, port: u32) -> bool {
        let module = self.module(instance);
        let cell = &module.cells[cell as usize];
        match self.read_kind(cell) {
            MemoryCell::Whole | MemoryCell::WholeV2 => {
                let port = self.first_port(module, cell, port);
                params::constant(self.design, module, cell, name!("RD_CLK_ENABLE"))
                    .value
                    .bit(port)
            }
            _ => params::flag(self.design, module, cell, name!("CLK_ENABLE")),
        }
    }

    /// The address of a read without a clock, and which of the rows from there on is the first.
    pub fn async_read_address(
        &self,
        instance: u32,
        cell: u32,
        port: u32,
    ) -> Option<(Vec<Chunk>, u32)> {
        if self.is_clocked_read(instance, cell, port) {
            return None;
        }
        let module = self.module(instance);
        let cell = &module.cells[cell as usize];
        Some(match self.read_kind(cell) {
            MemoryCell::Whole | MemoryCell::WholeV2 => {
                let first = self.first_port(module, cell, port);
                let abits = params::number(self.design, module, cell, name!("ABITS"));
                let address = port_part(module, cell, name!("RD_ADDR"), first, abits);
                (address, port - first)
            }
            _ => (
                module.chunks_of(module.port(cell, name!("ADDR"))).to_vec(),
                0,
            ),
        })
    }

    pub fn lower_async_read(&mut self, instance: u32, cell: u32, port: u32, width: u32) -> CellId {
        let item = &self.module(instance).cells[cell as usize];
        self.set_origin(instance, item.item.src);
        let (address, word) = self
            .async_read_address(instance, cell, port)
            .expect("the node is a read without a clock");
        let address = self.value(instance, &address);
        match self.memory_of(instance, cell) {
            Some(memory) => self.read_rows(memory, address, word, width).1,
            None => self.b.zero(width),
        }
    }

    /// The rows from `word` behind an address on, as many as `width` needs, and their values side by side.
    fn read_rows(
        &mut self,
        memory: MemoryId,
        address: CellId,
        word: u32,
        width: u32,
    ) -> (Vec<CellId>, CellId) {
        let Memory {
            width: row, depth, ..
        } = self.b.netlist.memories[memory];
        // What a port wider than the whole memory adds is zero.
        let count = width.div_ceil(row.max(1)).min(depth);
        let rows: Vec<CellId> = (word..word + count)
            .map(|i| self.row(memory, address, i))
            .collect();
        let words: Vec<CellId> = rows.iter().map(|row| self.b.read(memory, *row)).collect();
        let value = self.b.concat(&words);
        (rows, self.b.resize(value, width, Extend::Zero))
    }

    fn read_port(&self, instance: u32, cell: &Cell, port: u32, width: u32) -> ReadPort {
        match self.read_kind(cell) {
            MemoryCell::Whole | MemoryCell::WholeV2 => {
                self.packed_read_port(instance, cell, port, width)
            }
            kind => self.single_read_port(instance, cell, kind, width),
        }
    }

    fn single_read_port(
        &self,
        instance: u32,
        cell: &Cell,
        kind: MemoryCell,
        width: u32,
    ) -> ReadPort {
        let module = self.module(instance);
        let chunks = |port: Name| module.chunks_of(module.port(cell, port)).to_vec();
        let flag = |name| params::flag(self.design, module, cell, name);
        let bits = |name| params::constant(self.design, module, cell, name);
        let edge = if flag(name!("CLK_POLARITY")) {
            Edge::Rise
        } else {
            Edge::Fall
        };
        let v2 = kind == MemoryCell::ReadV2;
        let transparent = match kind {
            MemoryCell::ReadV2 => Transparent::Ports(bits(name!("TRANSPARENCY_MASK")).value),
            _ if flag(name!("TRANSPARENT")) => Transparent::All,
            _ => Transparent::Ports(Bits::zero(0)),
        };
        ReadPort {
            clock: flag(name!("CLK_ENABLE")).then(|| (chunks(name!("CLK")), edge)),
            address: chunks(name!("ADDR")),
            word: 0,
            enable: chunks(name!("EN")),
            async_reset: v2.then(|| {
                (
                    chunks(name!("ARST")),
                    bits(name!("ARST_VALUE")).value.zext(width),
                )
            }),
            sync_reset: v2.then(|| {
                (
                    chunks(name!("SRST")),
                    bits(name!("SRST_VALUE")).value.zext(width),
                )
            }),
            enable_over_reset: flag(name!("CE_OVER_SRST")),
            init: bits(name!("INIT_VALUE")),
            transparent,
        }
    }

    fn packed_read_port(&self, instance: u32, cell: &Cell, port: u32, width: u32) -> ReadPort {
        let module = self.module(instance);
        let first = self.first_port(module, cell, port);
        let part = |name: Name, width: u32| port_part(module, cell, name, first, width);
        let bits = |name| params::constant(self.design, module, cell, name);
        let edge = if bits(name!("RD_CLK_POLARITY")).value.bit(first) {
            Edge::Rise
        } else {
            Edge::Fall
        };
        let v2 = self.read_kind(cell) == MemoryCell::WholeV2;
        let low = port.saturating_mul(width);
        let value = |name| bits(name).value.slice(low, width);
        let writes = params::number(self.design, module, cell, name!("WR_PORTS"));
        let transparent = match v2 {
            true => {
                let mask = bits(name!("RD_TRANSPARENCY_MASK")).value;
                Transparent::Ports(
                    mask.slice(first.saturating_mul(writes), writes.min(mask.width())),
                )
            }
            false if bits(name!("RD_TRANSPARENT")).value.bit(first) => Transparent::All,
            false => Transparent::Ports(Bits::zero(0)),
        };
        let init = bits(name!("RD_INIT_VALUE"));
        let defined = init.defined().slice(low, width);
        let other = Box::new(OtherBits {
            unknown: defined.not(),
            floating: Bits::zero(width),
            any: Bits::zero(width),
        });
        ReadPort {
            clock: bits(name!("RD_CLK_ENABLE"))
                .value
                .bit(first)
                .then(|| (part(name!("RD_CLK"), 1), edge)),
            address: part(
                name!("RD_ADDR"),
                params::number(self.design, module, cell, name!("ABITS")),
            ),
            word: port - first,
            enable: part(name!("RD_EN"), 1),
            async_reset: v2.then(|| (part(name!("RD_ARST"), 1), value(name!("RD_ARST_VALUE")))),
            sync_reset: v2.then(|| (part(name!("RD_SRST"), 1), value(name!("RD_SRST_VALUE")))),
            enable_over_reset: bits(name!("RD_CE_OVER_SRST")).value.bit(first),
            init: Const {
                value: init.value.slice(low, width),
                other: Some(other),
            },
            transparent,
        }
    }

    /// Fills in what the register of a clocked read takes.
    pub fn complete_read(&mut self, held: Held, instance: u32, cell: u32, port: u32) {
        let Some(memory) = self.memory_of(instance, cell) else {
            return;
        };
        let cell = &self.module(instance).cells[cell as usize];
        self.set_origin(instance, cell.item.src);
        let Held {
            width, value: q, ..
        } = held;
        let read = self.read_port(instance, cell, port, width);
        let address = self.value(instance, &read.address);
        let clocks = match &read.clock {
            Some((chunks, edge)) => self.clock_of(instance, chunks, *edge),
            None => Vec::new(),
        };
        let (rows, data) = self.read_rows(memory, address, read.word, width);
        let data = self.see_writes(memory, &rows, data, &read.transparent, &clocks);
        let bit = |l: &mut Self, chunks: &[Chunk]| {
            let value = l.value(instance, chunks);
            l.b.resize(value, 1, Extend::Zero)
        };
        let enable = bit(self, &read.enable);
        let reset = read
            .sync_reset
            .as_ref()
            .map(|(signal, to)| (bit(self, signal), self.b.konst(to.clone())));
        let apply = |l: &mut Self, value| match reset {
            Some((when, to)) if l.b.constant(when).is_none_or(|b| !b.is_zero()) => {
                l.b.mux(when, to, value)
            }
            _ => value,
        };
        let gate = |l: &mut Self, value| match l.b.constant(enable).map(Bits::is_ones) {
            Some(true) => value,
            _ => l.b.mux(enable, value, q),
        };
        let next = if read.enable_over_reset {
            let value = apply(self, data);
            gate(self, value)
        } else {
            let value = gate(self, data);
            apply(self, value)
        };
        let load = match &read.async_reset {
            Some((signal, to)) => {
                let when = bit(self, signal);
                let to = self.b.konst(to.clone());
                self.async_load(when, to)
            }
            None => None,
        };
        let register = &mut self.b.netlist.registers[held.register];
        register.clocks = clocks;
        register.next = next;
        register.load = load;
        register.init = read.init.value.zext(width);
        register.init_defined = read.init.defined().zext(width);
    }

    /// The data that a transparent port sees: words written at the same clock edge instead of the rows.
    fn see_writes(
        &mut self,
        memory: MemoryId,
        rows: &[CellId],
        data: CellId,
        transparent: &Transparent,
        clocks: &[ClockEdge],
    ) -> CellId {
        let word = self.b.netlist.memories[memory].width;
        let writes = self
            .memories
            .writes
            .get(&memory)
            .cloned()
            .unwrap_or_default();
        let mut value = data;
        for port in &writes {
            let seen = match transparent {
                Transparent::All => true,
                Transparent::Ports(mask) => port.number.is_some_and(|number| mask.bit(number)),
            };
            if !seen || port.clocks != clocks {
                continue;
            }
            for write in &port.words {
                let mut parts = Vec::new();
                for (at, row) in rows.iter().enumerate() {
                    let low = (at as u32 * word).min(self.b.width(value));
                    let old = self
                        .b
                        .slice(value, low, word.min(self.b.width(value) - low));
                    let size = self.b.width(old);
                    let same = self.same_row(*row, write.row);
                    let same = self.b.repeat(same, size);
                    let mask = self.b.slice(write.mask, 0, size);
                    let mask = self.b.and(mask, same);
                    let keep = self.b.not(mask);
                    let new = self.b.slice(write.data, 0, size);
                    let (old, new) = (self.b.and(old, keep), self.b.and(new, mask));
                    parts.push(self.b.or(old, new));
                }
                let seen = self.b.concat(&parts);
                let width = self.b.width(data);
                value = self.b.resize(seen, width, Extend::Zero);
            }
        }
        value
    }
}
