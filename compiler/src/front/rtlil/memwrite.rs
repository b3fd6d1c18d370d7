//! Write ports of memories.
//!
//! In: `$memwr*` cells, ports of whole memories, `memwr` actions. Out: [`WritePort`]s in order of
//! priority; a wide port becomes one port per row. Where two ports write the same bit of the same row, the
//! later one wins, whether its mask says so or leaves it open. A mask that names a later port would have it
//! the other way round; Yosys has no such memories, and they are refused.

use super::ast::*;
use super::catalog::{Class, MemoryCell};
use super::known::name;
use super::lower::Lower;
use super::meminit::Init;
use super::memory::{WriteWord, Written, first_of_wide, port_part};
use super::params;
use crate::bits::Bits;
use crate::diag::Diagnostic;
use crate::ir::{CellId, CellKind, ClockEdge, Edge, Extend, MemoryId, WritePort};

/// A write port before its values exist.
pub struct Write {
    memory: MemoryId,
    instance: u32,
    /// What the source orders ports by; actions of processes come after cells.
    order: (u32, u64),
    /// What masks call it.
    number: Option<u32>,
    clock: Clock,
    address: Vec<Chunk>,
    data: Vec<Chunk>,
    enable: Vec<Chunk>,
    /// Bit `i`: wins over the port that masks call `i`.
    priority: Bits,
    src: Name,
    at: u32,
}

enum Clock {
    None,
    Port(Vec<Chunk>, Edge),
    /// As the updates of that process.
    Process(u32),
}

impl Lower<'_, '_, '_> {
    /// Lowers the write ports and initial values of all memories.
    pub fn complete_memories(&mut self) {
        let mut inits: Vec<Init> = Vec::new();
        let mut writes: Vec<Write> = Vec::new();
        for instance in 0..self.hierarchy.instances.len() as u32 {
            for (cell, index) in self.module(instance).cells.iter().zip(0..) {
                let Some(Class::Memory(kind)) = self.class(cell) else {
                    continue;
                };
                match self.memory_of(instance, index) {
                    Some(memory) => {
                        self.collect_ports(memory, instance, cell, kind, &mut writes, &mut inits)
                    }
                    None => self.no_memory(cell.item.src, cell.item.at),
                }
            }
            self.collect_actions(instance, &mut writes, &mut inits);
        }
        self.complete_inits(inits);
        writes.sort_by_key(|w| (w.memory, w.order));
        for group in writes.chunk_by(|a, b| a.memory == b.memory) {
            self.complete_writes(group);
        }
    }

    fn collect_ports(
        &mut self,
        memory: MemoryId,
        instance: u32,
        cell: &Cell,
        kind: MemoryCell,
        writes: &mut Vec<Write>,
        inits: &mut Vec<Init>,
    ) {
        match kind {
            MemoryCell::Read | MemoryCell::ReadV2 => {}
            MemoryCell::Write | MemoryCell::WriteV2 => {
                writes.push(self.cell_write(memory, instance, cell, kind))
            }
            MemoryCell::Init | MemoryCell::InitV2 => {
                inits.push(self.cell_init(memory, instance, cell, kind))
            }
            MemoryCell::Whole | MemoryCell::WholeV2 => {
                self.whole_init(memory, instance, cell);
                self.whole_writes(memory, instance, cell, kind, writes);
            }
        }
    }

    fn no_memory(&mut self, src: Name, at: u32) {
        let span = self.problems.span_of(src, at);
        let message = "this accesses a memory that is not declared";
        self.problems
            .push(Diagnostic::error("no-memory", message).label(span, "here"));
    }

    fn cell_write(&self, memory: MemoryId, instance: u32, cell: &Cell, kind: MemoryCell) -> Write {
        let module = self.module(instance);
        let chunks = |port: Name| module.chunks_of(module.port(cell, port)).to_vec();
        let flag = |name| params::flag(self.design, module, cell, name);
        let edge = if flag(name!("CLK_POLARITY")) {
            Edge::Rise
        } else {
            Edge::Fall
        };
        let number = if kind == MemoryCell::Write {
            name!("PRIORITY")
        } else {
            name!("PORTID")
        };
        // Priorities of old cells may be negative.
        let number = params::number(self.design, module, cell, number) as i32;
        let clock = if flag(name!("CLK_ENABLE")) {
            Clock::Port(chunks(name!("CLK")), edge)
        } else {
            Clock::None
        };
        Write {
            memory,
            instance,
            order: (0, (i64::from(number) - i64::from(i32::MIN)) as u64),
            number: Some(number as u32),
            clock,
            address: chunks(name!("ADDR")),
            data: chunks(name!("DATA")),
            enable: chunks(name!("EN")),
            priority: params::constant(self.design, module, cell, name!("PRIORITY_MASK")).value,
            src: cell.item.src,
            at: cell.item.at,
        }
    }

    fn whole_writes(
        &self,
        memory: MemoryId,
        instance: u32,
        cell: &Cell,
        kind: MemoryCell,
        writes: &mut Vec<Write>,
    ) {
        let module = self.module(instance);
        let width = self.b.netlist.memories[memory].width;
        let bits = |p| params::constant(self.design, module, cell, p).value;
        let ports = params::number(self.design, module, cell, name!("WR_PORTS"));
        let abits = params::number(self.design, module, cell, name!("ABITS"));
        let (enabled, polarity) = (bits(name!("WR_CLK_ENABLE")), bits(name!("WR_CLK_POLARITY")));
        let priority = bits(name!("WR_PRIORITY_MASK"));
        let continuations = bits(name!("WR_WIDE_CONTINUATION"));
        let given = self
            .design
            .width(module, module.port(cell, name!("WR_DATA")));
        let ports = ports.min(given.checked_div(width).unwrap_or(0));
        let starts = (0..ports).filter(|port| first_of_wide(&continuations, *port) == *port);
        for port in starts {
            let part = |name: Name, width: u32| port_part(module, cell, name, port, width);
            let end = (port + 1..ports).find(|next| !continuations.bit(*next));
            // The words of a wide port lie side by side.
            let words = |name: Name| {
                let ports = port..end.unwrap_or(ports);
                let parts = ports.map(|port| port_part(module, cell, name, port, width));
                parts.flatten().collect::<Vec<_>>()
            };
            let edge = if polarity.bit(port) {
                Edge::Rise
            } else {
                Edge::Fall
            };
            let clock = if enabled.bit(port) {
                Clock::Port(part(name!("WR_CLK"), 1), edge)
            } else {
                Clock::None
            };
            let low = port.saturating_mul(ports).min(priority.width());
            let wins = if kind == MemoryCell::WholeV2 {
                priority.slice(low, ports)
            } else {
                Bits::zero(0)
            };
            writes.push(Write {
                memory,
                instance,
                order: (0, u64::from(port)),
                number: Some(port),
                clock,
                address: part(name!("WR_ADDR"), abits),
                data: words(name!("WR_DATA")),
                enable: words(name!("WR_EN")),
                priority: wins,
                src: cell.item.src,
                at: cell.item.at,
            });
        }
    }

    /// `memwr` actions: those of `init` rules are initial values.
    fn collect_actions(&mut self, instance: u32, writes: &mut Vec<Write>, inits: &mut Vec<Init>) {
        let module = self.module(instance);
        for (process, number) in module.processes.iter().zip(0u32..) {
            // The same action stands under each edge of the process; the first one is it.
            let Some(first) = process.syncs.iter().position(|s| !s.writes.is_empty()) else {
                continue;
            };
            for (index, sync) in process.syncs.iter().enumerate() {
                if index != first && sync.when != SyncKind::Init {
                    continue;
                }
                for (action, position) in sync.writes.iter().zip(0u64..) {
                    let Some(memory) = self
                        .memories
                        .by_name
                        .get(&(instance, action.memory))
                        .copied()
                    else {
                        self.no_memory(action.src, action.at);
                        continue;
                    };
                    let chunks = |sig| module.chunks_of(sig).to_vec();
                    let (address, data, enable) = (
                        chunks(action.address),
                        chunks(action.data),
                        chunks(action.enable),
                    );
                    if sync.when == SyncKind::Init {
                        inits.push(Init::action(
                            memory, instance, address, data, enable, position, action,
                        ));
                        continue;
                    }
                    let clocked = !matches!(
                        sync.when,
                        SyncKind::Always | SyncKind::Global | SyncKind::Low | SyncKind::High
                    );
                    writes.push(Write {
                        memory,
                        instance,
                        order: (number + 1, position),
                        number: None,
                        clock: if clocked {
                            Clock::Process(number)
                        } else {
                            Clock::None
                        },
                        address,
                        data,
                        enable,
                        priority: Bits::zero(0),
                        src: action.src,
                        at: action.at,
                    });
                }
            }
        }
    }

    /// All write ports of one memory, in order.
    fn complete_writes(&mut self, writes: &[Write]) {
        let memory = writes[0].memory;
        self.check_priorities(writes);
        let mut ports = Vec::new();
        for write in writes {
            let (clocks, words) = self.write_words(write);
            ports.push(Written {
                number: write.number,
                clocks,
                words,
            });
        }
        for (port, write) in ports.iter().zip(writes) {
            self.set_origin(write.instance, write.src);
            for word in &port.words {
                let Some(enable) = self.any_bit(word.mask) else {
                    continue;
                };
                if port.clocks.is_empty() {
                    continue;
                }
                let (clocks, origin) = (port.clocks.clone(), self.b.origin);
                let WriteWord { row, data, mask } = *word;
                let port = WritePort {
                    clocks,
                    enable,
                    address: row,
                    data,
                    mask,
                    origin,
                };
                self.b.netlist.memories[memory].writes.push(port);
            }
        }
        self.memories.writes.insert(memory, ports);
    }

    /// Refuses ports that claim to win over a later one.
    fn check_priorities(&mut self, writes: &[Write]) {
        for (index, write) in writes.iter().enumerate() {
            let loser = writes[index + 1..]
                .iter()
                .find(|later| later.number.is_some_and(|n| write.priority.bit(n)));
            if let Some(loser) = loser {
                let [winner, loser] = [write, loser].map(|w| self.problems.span_of(w.src, w.at));
                let error = Diagnostic::error(
                    "memory-priority",
                    "a write port of a memory claims priority over a later one",
                );
                self.problems.push(
                    error
                        .label(winner, "this write would win")
                        .label(loser, "over this later one")
                        .note("a port has priority over earlier ports only: number the ports so that the strongest comes last"),
                );
            }
        }
    }

    /// 1 when two row numbers of any width are equal.
    pub fn same_row(&mut self, a: CellId, b: CellId) -> CellId {
        let width = self.b.width(a).max(self.b.width(b));
        let (a, b) = (self.b.zero_extend(a, width), self.b.zero_extend(b, width));
        self.b.eq(a, b)
    }

    /// The clocks and the words of a write port.
    fn write_words(&mut self, write: &Write) -> (Vec<ClockEdge>, Vec<WriteWord>) {
        let instance = write.instance;
        self.set_origin(instance, write.src);
        let memory = &self.b.netlist.memories[write.memory];
        // No port is wider than the memory, whatever is connected.
        let rows = memory.depth.checked_next_power_of_two();
        let (width, rows) = (memory.width, rows.unwrap_or(u32::MAX));
        let plan = match &write.clock {
            Clock::Process(process) => Some(self.plan(instance, *process)),
            _ => None,
        };
        let value = |l: &mut Self, chunks: &[Chunk]| match &plan {
            Some(plan) if !plan.idle.is_empty() => l.value_knowing(instance, chunks, &plan.idle),
            _ => l.value(instance, chunks),
        };
        let mask = value(self, &write.enable);
        let clocks = match (&write.clock, &plan) {
            (_, Some(plan)) => plan.clocks.clone(),
            (Clock::Port(chunks, edge), _) => self.clock_of(instance, chunks, *edge),
            _ => {
                if !self.constant_value(mask).is_some_and(|m| m.is_zero()) {
                    self.write_without_clock(write);
                }
                return (Vec::new(), Vec::new());
            }
        };
        let address = value(self, &write.address);
        let data = value(self, &write.data);
        let words = self.b.width(data).checked_div(width).unwrap_or(0).min(rows);
        let mask = self.b.resize(mask, words * width, Extend::Zero);
        let mut out = Vec::new();
        for word in 0..words {
            let row = self.row(write.memory, address, word);
            let part = |l: &mut Self, v| l.b.slice(v, word * width, width);
            out.push(WriteWord {
                row,
                data: part(self, data),
                mask: part(self, mask),
            });
        }
        (clocks, out)
    }

    fn write_without_clock(&mut self, write: &Write) {
        let span = self.problems.span_of(write.src, write.at);
        self.problems.push(
            Diagnostic::error(
                "memory-write-without-clock",
                "a memory is written without a clock",
            )
            .label(span, "this write happens whenever its inputs change")
            .note("write in a clocked process, or use a register for each row"),
        );
    }

    /// The enable of a mask: 1 when any bit is; `None` for a mask that is always zero.
    fn any_bit(&mut self, mask: CellId) -> Option<CellId> {
        if let Some(bits) = self.b.constant(mask) {
            let zero = bits.is_zero();
            return (!zero).then(|| self.b.ones(1));
        }
        let mut steps = 256;
        if let Some(bit) = self.uniform_bit(mask, &mut steps) {
            return Some(bit);
        }
        if let CellKind::Concat(parts) = self.b.kind(mask) {
            let mut parts: Vec<CellId> = parts.to_vec();
            parts.sort_unstable();
            parts.dedup();
            let mut any = None;
            for part in parts {
                if let Some(one) = self.any_bit(part) {
                    any = Some(any.map_or(one, |a| self.b.or(a, one)));
                }
            }
            return any;
        }
        Some(self.b.reduce_or(mask))
    }

    /// One bit that all bits of a value are equal to, where that shows at once.
    pub fn uniform_bit(&mut self, value: CellId, steps: &mut u32) -> Option<CellId> {
        *steps = steps.checked_sub(1)?;
        match self.b.kind(value).clone() {
            _ if self.b.width(value) == 1 => Some(value),
            CellKind::Const(bits) if bits.is_zero() => Some(self.b.zero(1)),
            CellKind::Const(bits) if bits.is_ones() => Some(self.b.ones(1)),
            CellKind::SignExtend(bit) if self.b.width(bit) == 1 => Some(bit),
            CellKind::Mux {
                select,
                on_true,
                on_false,
            } => {
                let on_true = self.uniform_bit(on_true, steps)?;
                let on_false = self.uniform_bit(on_false, steps)?;
                let zero_one = self.b.constant(on_true).is_some_and(Bits::is_ones)
                    && self.b.constant(on_false).is_some_and(Bits::is_zero);
                Some(if zero_one {
                    select
                } else {
                    self.b.mux(select, on_true, on_false)
                })
            }
            _ => None,
        }
    }
}
