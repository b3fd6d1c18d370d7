//! Initial contents of memories.
//!
//! In: `$meminit*` cells, `memwr` actions of `init` rules, `INIT` of whole memories. Out:
//! [`MemoryInit`]s sorted by row; where several give a bit, the one with the highest priority counts.

use std::collections::BTreeMap;

use super::ast::*;
use super::catalog::MemoryCell;
use super::known::name;
use super::lower::Lower;
use super::params;
use crate::bits::Bits;
use crate::diag::Diagnostic;
use crate::ir::{MemoryId, MemoryInit};

/// A block of initial words.
pub struct Init {
    memory: MemoryId,
    instance: u32,
    priority: i64,
    address: Vec<Chunk>,
    data: Vec<Chunk>,
    /// `None`: all bits.
    enable: Option<Vec<Chunk>>,
    src: Name,
    at: u32,
}

impl Init {
    /// One of an `init` rule; these come after all cells.
    pub fn action(
        memory: MemoryId,
        instance: u32,
        address: Vec<Chunk>,
        data: Vec<Chunk>,
        enable: Vec<Chunk>,
        position: u64,
        action: &MemoryWrite,
    ) -> Init {
        let priority = i64::from(u32::MAX) + position as i64;
        Init {
            memory,
            instance,
            priority,
            address,
            data,
            enable: Some(enable),
            src: action.src,
            at: action.at,
        }
    }
}

/// Value and defined bits of a row.
type Row = (Bits, Bits);

impl Lower<'_, '_, '_> {
    pub fn cell_init(
        &self,
        memory: MemoryId,
        instance: u32,
        cell: &Cell,
        kind: MemoryCell,
    ) -> Init {
        let module = self.module(instance);
        let chunks = |port: Name| module.chunks_of(module.port(cell, port)).to_vec();
        Init {
            memory,
            instance,
            priority: i64::from(params::number(self.design, module, cell, name!("PRIORITY")) as i32),
            address: chunks(name!("ADDR")),
            data: chunks(name!("DATA")),
            enable: (kind == MemoryCell::InitV2).then(|| chunks(name!("EN"))),
            src: cell.item.src,
            at: cell.item.at,
        }
    }

    /// The `INIT` parameter: rows side by side from row 0.
    pub fn whole_init(&mut self, memory: MemoryId, instance: u32, cell: &Cell) {
        let module = self.module(instance);
        let init = params::constant(self.design, module, cell, name!("INIT"));
        let (width, depth) = (
            self.b.netlist.memories[memory].width,
            self.b.netlist.memories[memory].depth,
        );
        let defined = init.defined();
        let rows = init.width().checked_div(width).unwrap_or(0).min(depth);
        let list = (0..rows).map(|row| MemoryInit {
            row,
            value: init.value.slice(row * width, width),
            defined: defined.slice(row * width, width),
        });
        self.b.netlist.memories[memory].init = list.filter(|i| !i.defined.is_zero()).collect();
    }

    /// Puts all blocks into their memories.
    pub fn complete_inits(&mut self, mut inits: Vec<Init>) {
        inits.sort_by_key(|i| (i.memory, i.priority));
        for group in inits.chunk_by(|a, b| a.memory == b.memory) {
            let mut rows: BTreeMap<u32, Row> = BTreeMap::new();
            for init in group {
                self.add_rows(init, &mut rows);
            }
            let list = rows.into_iter().map(|(row, (value, defined))| MemoryInit {
                row,
                value,
                defined,
            });
            self.b.netlist.memories[group[0].memory].init = list.collect();
        }
    }

    fn add_rows(&mut self, init: &Init, rows: &mut BTreeMap<u32, Row>) {
        let memory = &self.b.netlist.memories[init.memory];
        let (width, depth, first) = (memory.width, memory.depth, memory.first);
        let enable = match &init.enable {
            Some(chunks) => self.constant_signal(init.instance, chunks),
            None => Some((Bits::ones(width), Bits::ones(width))),
        };
        let address = self.constant_signal(init.instance, &init.address);
        let data = self.constant_signal(init.instance, &init.data);
        let (Some((enable, _)), Some((address, _)), Some((data, defined))) =
            (enable, address, data)
        else {
            self.init_not_constant(init);
            return;
        };
        let (enable, defined) = (enable.zext(width), defined);
        // Indices below zero come as 32-bit numbers.
        let start = match address.width() {
            32 if first < 0 => i64::from(address.limbs()[0] as u32 as i32),
            _ => address
                .to_u64()
                .and_then(|a| i64::try_from(a).ok())
                .unwrap_or(i64::MAX / 2),
        };
        for index in 0..data.width().checked_div(width).unwrap_or(0) {
            let row = start.saturating_add(i64::from(index)).saturating_sub(first);
            let Some(row) = u32::try_from(row).ok().filter(|r| *r < depth) else {
                continue;
            };
            let (value, known) = (
                data.slice(index * width, width),
                defined.slice(index * width, width),
            );
            let slot = rows
                .entry(row)
                .or_insert_with(|| (Bits::zero(width), Bits::zero(width)));
            if enable.is_ones() {
                *slot = (value, known);
                continue;
            }
            let keep = enable.not();
            let merge = |old: &Bits, new: Bits| old.and(&keep).or(&new.and(&enable));
            *slot = (merge(&slot.0, value), merge(&slot.1, known));
        }
    }

    fn init_not_constant(&mut self, init: &Init) {
        let span = self.problems.span_of(init.src, init.at);
        let message = "the initial value of a memory is not constant";
        self.problems
            .push(Diagnostic::error("init-not-constant", message).label(span, "here"));
    }

    /// The value of a signal that is constant, and which of its bits are defined.
    pub fn constant_signal(&mut self, instance: u32, chunks: &[Chunk]) -> Option<(Bits, Bits)> {
        let (mut value, mut defined) = (Bits::zero(0), Bits::zero(0));
        for chunk in chunks {
            let (v, d) = match chunk.base {
                Base::Const(id) => {
                    let constant = self.design.constant(id);
                    let part = constant.value.slice(chunk.offset, chunk.width);
                    (part, constant.defined().slice(chunk.offset, chunk.width))
                }
                Base::Wire(_) => {
                    let cell = self.quiet_value(instance, &[*chunk]);
                    (self.constant_value(cell)?, Bits::ones(chunk.width))
                }
            };
            (value, defined) = (value.concat(&v), defined.concat(&d));
        }
        Some((value, defined))
    }
}
