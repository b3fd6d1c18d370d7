//! Flip-flop cells to registers.
//!
//! Registers are made before everything else, since their values are sources; what they take next is
//! filled in when all values exist. Enables and synchronous resets become muxes.

use super::ast::*;
use super::catalog::{Active, Class, Control, ResetValue, Storage};
use super::drivers::{NodeId, NodeKind};
use super::known::name;
use super::lower::Lower;
use super::params;
use super::process::slice_chunks;
use crate::bits::Bits;
use crate::ir::{AsyncLoad, CellId, Edge, Extend, Origin, Register, RegisterId};

/// A register and the bits of the node that it holds.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub node: NodeId,
    pub low: u32,
    pub width: u32,
    pub register: RegisterId,
    pub value: CellId,
}

impl Lower<'_, '_, '_> {
    pub(super) fn storage(&self, cell: &Cell) -> Storage {
        match self.class(cell) {
            Some(Class::Storage(storage)) => storage,
            other => unreachable!("{other:?} is no storage"),
        }
    }

    pub fn is_latch(&self, cell: &Cell) -> bool {
        self.storage(cell).clock.is_none()
    }

    /// A register for bits of a node, to be completed later.
    pub fn make_register(&mut self, node: NodeId, low: u32, width: u32, origin: Origin) -> CellId {
        let zero = Bits::zero(width);
        let (register, value) = self.b.register(Register {
            width,
            init: zero.clone(),
            init_defined: zero,
            draw: 0,
            clocks: Vec::new(),
            next: CellId::new(0),
            load: None,
            origin,
        });
        self.b.netlist.registers[register].next = value;
        self.held.push(Held {
            node,
            low,
            width,
            register,
            value,
        });
        value
    }

    /// The registers of a flip-flop cell: one, or one for each run of bits with the same set and clear.
    pub fn make_flip_flop(&mut self, node: NodeId, instance: u32, cell: &Cell) -> CellId {
        let storage = self.storage(cell);
        let width = self.graph.width(node);
        let origin = self.origin(instance, cell.item.src);
        let mut starts = vec![0];
        if storage.set.is_some() || storage.clear.is_some() {
            let ports = [storage.set, storage.clear];
            let bits: Vec<Vec<_>> = ports
                .iter()
                .flatten()
                .map(|c| self.codes_of(instance, cell, c.port))
                .collect();
            let differs = |i: u32| {
                bits.iter()
                    .any(|b| b.get(i as usize) != b.get(i as usize - 1))
            };
            starts.extend((1..width).filter(|i| differs(*i)));
        }
        let mut parts = Vec::new();
        for (index, low) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(width);
            parts.push(self.make_register(node, *low, end - low, origin));
        }
        self.b.concat(&parts)
    }

    fn codes_of(&self, instance: u32, cell: &Cell, port: Name) -> Vec<super::nets::Code> {
        use super::lower::Run;
        let module = self.module(instance);
        let mut codes = Vec::new();
        self.each_run(
            instance,
            module.chunks_of(module.port(cell, port)),
            |_, run| match run {
                Run::Node {
                    node,
                    offset,
                    width,
                } => {
                    let first = super::nets::Code::driver(self.node(node).start + offset);
                    codes.extend((0..width).map(|i| first.above(i)));
                }
                Run::Literal { id, offset, width } => {
                    let value = self.design.constant(id);
                    let code = |i| {
                        super::nets::Code::of_const(value, i).unwrap_or(super::nets::Code::UNDRIVEN)
                    };
                    codes.extend((offset..offset + width).map(code));
                }
                Run::Fixed { code, width } => codes.extend((0..width).map(|_| code)),
            },
        );
        codes
    }

    pub(super) fn is_high(&self, instance: u32, cell: &Cell, active: Active) -> bool {
        match active {
            Active::High => true,
            Active::Low => false,
            Active::Parameter(name) => params::flag(self.design, self.module(instance), cell, name),
        }
    }

    /// 1 when a control acts.
    pub(super) fn control(&mut self, instance: u32, cell: &Cell, control: Control) -> CellId {
        let value = self.port_bit(instance, cell, control.port);
        let high = self.is_high(instance, cell, control.active);
        self.with_polarity(value, high)
    }

    /// Bits of a data port, cut to what is held.
    pub(super) fn data(
        &mut self,
        instance: u32,
        cell: &Cell,
        port: Name,
        low: u32,
        width: u32,
    ) -> CellId {
        let module = self.module(instance);
        let chunks = module.chunks_of(module.port(cell, port));
        let mut pool = Vec::new();
        let given: u32 = chunks.iter().map(|c| c.width).sum();
        let part = slice_chunks(
            chunks,
            low.min(given),
            width.min(given.saturating_sub(low)),
            &mut pool,
        );
        let value = self.value(instance, part.of(&pool));
        self.b.resize(value, width, Extend::Zero)
    }

    pub(super) fn reset_value(
        &mut self,
        instance: u32,
        cell: &Cell,
        value: ResetValue,
        low: u32,
        width: u32,
    ) -> CellId {
        let bits = match value {
            ResetValue::Bit(bit) => Bits::from_u64(1, u64::from(bit)).zext(width),
            ResetValue::Parameter(name) => {
                params::constant(self.design, self.module(instance), cell, name)
                    .value
                    .slice(low, width)
            }
        };
        self.b.konst(bits)
    }

    /// Fills in what the registers of a flip-flop cell take, and when.
    pub fn complete_flip_flop(&mut self, held: Held, instance: u32, cell: &Cell) {
        self.set_origin(instance, cell.item.src);
        let storage = self.storage(cell);
        let Held {
            low,
            width,
            value: q,
            ..
        } = held;
        let clock = storage.clock.expect("flip-flops have a clock");
        let module = self.module(instance);
        let edge = if self.is_high(instance, cell, clock.active) {
            Edge::Rise
        } else {
            Edge::Fall
        };
        let clocks = self.clock_of(
            instance,
            module.chunks_of(module.port(cell, clock.port)),
            edge,
        );
        let port_d = name!("D");
        let d = self.data(instance, cell, port_d, low, width);
        let enable = storage.enable.map(|c| self.control(instance, cell, c));
        let gate = |l: &mut Self, value| enable.map_or(value, |e| l.b.mux(e, value, q));
        let reset = |l: &mut Self, value| match storage.sync_reset {
            None => value,
            Some((control, to)) => {
                let when = l.control(instance, cell, control);
                let to = l.reset_value(instance, cell, to, low, width);
                l.b.mux(when, to, value)
            }
        };
        let next = if storage.enable_over_reset {
            let value = reset(self, d);
            gate(self, value)
        } else {
            let value = gate(self, d);
            reset(self, value)
        };
        let (next, load) = self.async_controls(held, instance, cell, &storage, next);
        let register = &mut self.b.netlist.registers[held.register];
        register.clocks = clocks;
        register.next = next;
        register.load = load;
    }

    fn async_controls(
        &mut self,
        held: Held,
        instance: u32,
        cell: &Cell,
        storage: &Storage,
        next: CellId,
    ) -> (CellId, Option<AsyncLoad>) {
        let Held {
            low,
            width,
            value: q,
            ..
        } = held;
        if let Some((control, to)) = storage.async_reset {
            let when = self.control(instance, cell, control);
            let value = self.reset_value(instance, cell, to, low, width);
            return (next, self.async_load(when, value));
        }
        if let Some(control) = storage.load {
            let when = self.control(instance, cell, control);
            let value = self.data(instance, cell, name!("AD"), low, width);
            return (next, self.async_load(when, value));
        }
        if storage.set.is_none() && storage.clear.is_none() {
            return (next, None);
        }
        // All bits of this register have the same set and the same clear.
        let [set, clear] = [storage.set, storage.clear].map(|c| match c {
            Some(c) => {
                let bit = self.data(instance, cell, c.port, low, 1.min(width));
                let bit = self.b.resize(bit, 1, Extend::Zero);
                let high = self.is_high(instance, cell, c.active);
                self.with_polarity(bit, high)
            }
            None => self.b.zero(1),
        });
        let when = self.b.or(set, clear);
        let not_clear = self.b.not(clear);
        let value = self.b.repeat(not_clear, width);
        debug_assert_eq!(self.b.width(q), width);
        (next, self.async_load(when, value))
    }

    /// `None` for a load that can never act.
    pub fn async_load(&mut self, when: CellId, value: CellId) -> Option<AsyncLoad> {
        if self.b.constant(when).is_some_and(Bits::is_zero) {
            return None;
        }
        let trigger = self.async_trigger(when);
        Some(AsyncLoad {
            when,
            value,
            trigger,
        })
    }

    /// Makes the cells that are there before everything else: inputs, registers, random values.
    pub fn make_sources(&mut self) {
        for id in 0..self.graph.nodes.len() as NodeId {
            let node = self.node(id);
            let module = self.module(node.instance);
            let width = self.graph.width(id);
            let value = match node.kind {
                NodeKind::Input(wire) => self.make_input(node.instance, wire, width),
                NodeKind::Random(wire) => self.make_random(node.instance, wire, width),
                NodeKind::Storage(cell) if !self.is_latch(&module.cells[cell as usize]) => {
                    self.make_flip_flop(id, node.instance, &module.cells[cell as usize])
                }
                NodeKind::Update(update) if self.is_clocked(node.instance, update) => {
                    let origin = self.node_origin(id);
                    self.make_register(id, 0, width, origin)
                }
                NodeKind::Read { cell, port }
                    if self.is_clocked_read(node.instance, cell, port) =>
                {
                    let origin = self.node_origin(id);
                    self.make_register(id, 0, width, origin)
                }
                _ => continue,
            };
            self.values[id as usize] = Some(value);
        }
    }

    /// Completes every register, now that all values exist.
    pub fn complete_registers(&mut self) {
        for index in 0..self.held.len() {
            let held = self.held[index];
            let node = self.node(held.node);
            let module = self.module(node.instance);
            match node.kind {
                NodeKind::Storage(cell) => {
                    self.complete_flip_flop(held, node.instance, &module.cells[cell as usize]);
                }
                NodeKind::Update(update) => self.complete_update(held, node.instance, update),
                NodeKind::Read { cell, port } => {
                    self.complete_read(held, node.instance, cell, port)
                }
                _ => unreachable!("{:?} holds nothing", node.kind),
            }
        }
    }
}
