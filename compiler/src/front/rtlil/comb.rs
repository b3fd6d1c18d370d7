//! Combinational cells, with the semantics of Yosys' simulation library in two states.
//!
//! Operands are taken at the width of their connection and extended or cut as the operation asks, so a
//! cell whose parameters disagree with its connections still has a value.

use super::ast::*;
use super::catalog::Op;
use super::drivers::{NodeId, NodeKind};
use super::known::name;
use super::lower::Lower;
use super::params;
use super::process::slice_chunks;
use crate::bits::Bits;
use crate::ir::{CellId, Extend, Origin};

/// A cell being lowered, and the bits of its output that are wanted.
pub(super) struct At<'c> {
    pub instance: u32,
    pub cell: &'c Cell,
    pub low: u32,
    pub width: u32,
}

/// The ports that can enable a tristate driver.
pub fn tristate_enables() -> [Name; 3] {
    [name!("EN"), name!("E"), name!("S")]
}

impl Lower<'_, '_, '_> {
    /// Bits `low .. low + width` of a node; all of them unless the node is separable.
    pub fn lower_node(&mut self, id: NodeId, low: u32, width: u32) -> CellId {
        let node = self.node(id);
        let instance = node.instance;
        let module = self.module(instance);
        let value = match node.kind {
            NodeKind::Comb { cell, op, output } => {
                let cell = &module.cells[cell as usize];
                self.set_origin(instance, cell.item.src);
                self.lower_comb(
                    &At {
                        instance,
                        cell,
                        low,
                        width,
                    },
                    op,
                    output,
                )
            }
            NodeKind::Segment(segment) => self.lower_segment(instance, segment, low, width),
            NodeKind::Join(join) => self.lower_join(join, low, width).0,
            NodeKind::Storage(cell) => self.lower_latch_cell(id, instance, cell),
            NodeKind::Update(update) => self.lower_level_update(id, instance, update),
            NodeKind::Read { cell, port } => self.lower_async_read(instance, cell, port, width),
            NodeKind::Init(init) => {
                let processes = self.processes_of(instance);
                let (_, value) = processes.inits[init as usize];
                self.value(instance, value.of(&processes.chunks))
            }
            NodeKind::InitAttribute(wire) => {
                let bits = self
                    .init_attribute(instance, wire)
                    .map_or(Bits::zero(width), |c| c.value.zext(width));
                self.b.konst(bits)
            }
            NodeKind::Input(_) | NodeKind::Random(_) => unreachable!("made before everything else"),
        };
        debug_assert_eq!(self.b.width(value), width, "{:?}", node.kind);
        value
    }

    /// Where a node comes from.
    pub fn node_origin(&mut self, id: NodeId) -> Origin {
        let node = self.node(id);
        let src = self.item_of(id).map_or(EMPTY, |item| item.src);
        self.origin(node.instance, src)
    }

    /// The cell, process or wire that a node comes from.
    pub fn item_of(&self, id: NodeId) -> Option<Item> {
        let node = self.node(id);
        let module = self.module(node.instance);
        let processes = self.processes_of(node.instance);
        Some(match node.kind {
            NodeKind::Comb { cell, .. } | NodeKind::Storage(cell) | NodeKind::Read { cell, .. } => {
                module.cells[cell as usize].item
            }
            NodeKind::Segment(s) => {
                module.processes[processes.segments[s as usize].process as usize].item
            }
            NodeKind::Update(u) => {
                module.processes[processes.updates[u as usize].process as usize].item
            }
            NodeKind::Input(w) | NodeKind::Random(w) | NodeKind::InitAttribute(w) => {
                module.wires[w as usize].item
            }
            NodeKind::Join(_) | NodeKind::Init(_) => return None,
        })
    }

    /// Bits of an operand that is extended to the width of the result.
    fn part(&mut self, at: &At, port: Name, extend: Extend) -> CellId {
        let module = self.module(at.instance);
        let chunks = module.chunks_of(module.port(at.cell, port));
        let given: u32 = chunks.iter().map(|c| c.width).sum();
        let mut pool = Vec::new();
        if at.low >= given {
            if extend == Extend::Zero || given == 0 {
                return self.b.zero(at.width);
            }
            let top = slice_chunks(chunks, given - 1, 1, &mut pool);
            let top = self.value(at.instance, top.of(&pool));
            return self.b.repeat(top, at.width);
        }
        let part = slice_chunks(chunks, at.low, at.width.min(given - at.low), &mut pool);
        let value = self.value(at.instance, part.of(&pool));
        self.b.resize(value, at.width, extend)
    }

    fn is_set(&self, at: &At, parameter: Name) -> bool {
        params::flag(self.design, self.module(at.instance), at.cell, parameter)
    }

    pub(super) fn number(&self, at: &At, parameter: Name) -> u32 {
        params::number(self.design, self.module(at.instance), at.cell, parameter)
    }

    /// How operands are extended: signed only when both are.
    pub(super) fn extension(&self, at: &At, two: bool) -> Extend {
        Extend::signed(
            self.is_set(at, name!("A_SIGNED")) && (!two || self.is_set(at, name!("B_SIGNED"))),
        )
    }

    pub(super) fn whole(&mut self, at: &At, port: Name) -> CellId {
        self.port(at.instance, at.cell, port)
    }

    pub(super) fn bit_of(&mut self, at: &At, port: Name) -> CellId {
        self.port_bit(at.instance, at.cell, port)
    }

    fn lower_comb(&mut self, at: &At, op: Op, output: u8) -> CellId {
        if let Some(level) = self.decided(at.instance, at.cell, op) {
            let bits = if level { Bits::ones } else { Bits::zero };
            return self.b.konst(bits(at.width));
        }
        if op.is_bitwise() {
            self.lower_bitwise(at, op)
        } else {
            self.lower_word(at, op, output)
        }
    }

    fn lower_bitwise(&mut self, at: &At, op: Op) -> CellId {
        let (port_a, port_b) = (name!("A"), name!("B"));
        let extend = self.extension(at, !matches!(op, Op::Buf | Op::Not));
        let a = self.part(at, port_a, extend);
        match op {
            Op::Buf => return a,
            Op::Not => return self.b.not(a),
            Op::Tristate => {
                let enable = self.tristate_enable(at.instance, at.cell);
                let zero = self.b.zero(at.width);
                return self.b.mux(enable, a, zero);
            }
            Op::Pmux => return self.lower_pmux(at, a),
            _ => {}
        }
        let y = self.part(at, port_b, extend);
        match op {
            Op::And => self.b.and(a, y),
            Op::Or => self.b.or(a, y),
            Op::Xor => self.b.xor(a, y),
            Op::Xnor | Op::BitEq => {
                let differs = self.b.xor(a, y);
                self.b.not(differs)
            }
            Op::AndNot => {
                let not = self.b.not(y);
                self.b.and(a, not)
            }
            Op::OrNot => {
                let not = self.b.not(y);
                self.b.or(a, not)
            }
            Op::Nand => {
                let both = self.b.and(a, y);
                self.b.not(both)
            }
            Op::Nor => {
                let any = self.b.or(a, y);
                self.b.not(any)
            }
            Op::BitMux => {
                let select = self.part(at, name!("S"), Extend::Zero);
                let not = self.b.not(select);
                let (low, high) = (self.b.and(a, not), self.b.and(y, select));
                self.b.or(low, high)
            }
            Op::Mux | Op::NotMux => {
                let select = self.bit_of(at, name!("S"));
                let value = self.b.mux(select, y, a);
                if op == Op::NotMux {
                    self.b.not(value)
                } else {
                    value
                }
            }
            _ => unreachable!("{op:?} is not bitwise"),
        }
    }

    /// The first selected input counts; Yosys leaves several selected ones undefined.
    fn lower_pmux(&mut self, at: &At, default: CellId) -> CellId {
        let module = self.module(at.instance);
        let data = module.chunks_of(module.port(at.cell, name!("B")));
        let given: u32 = data.iter().map(|c| c.width).sum();
        let word = self.design.width(module, module.port(at.cell, name!("Y")));
        let selects = self.whole(at, name!("S"));
        let mut result = default;
        for index in (0..self.b.width(selects)).rev() {
            let mut pool = Vec::new();
            let first = index.saturating_mul(word).saturating_add(at.low);
            let part = slice_chunks(
                data,
                first.min(given),
                at.width.min(given.saturating_sub(first)),
                &mut pool,
            );
            let value = self.value(at.instance, part.of(&pool));
            let value = self.b.resize(value, at.width, Extend::Zero);
            let select = self.b.bit(selects, index);
            result = self.b.mux(select, value, result);
        }
        result
    }

    /// When a tristate driver drives.
    pub fn tristate_enable(&mut self, instance: u32, cell: &Cell) -> CellId {
        let module = self.module(instance);
        if let Some(floating) = params::floating_input(self.design, module, cell) {
            let select = self.port_bit(instance, cell, name!("S"));
            return self.with_polarity(select, floating == name!("A"));
        }
        let word = !module.chunks_of(module.port(cell, name!("EN"))).is_empty();
        self.port_bit(instance, cell, if word { name!("EN") } else { name!("E") })
    }

    /// The value of a net with several tristate drivers; also what the design drives and where.
    pub fn lower_join(&mut self, join: u32, low: u32, width: u32) -> (CellId, CellId, CellId) {
        let join = &self.graph.joins[join as usize];
        let (mut driven, mut enable) = (self.b.zero(width), self.b.zero(width));
        let mut first = true;
        for code in &join.drivers {
            let (value, on) = self.join_driver(*code, low, width);
            (driven, enable) = match first {
                true => (value, on),
                false => (self.b.or(driven, value), self.b.or(enable, on)),
            };
            first = false;
        }
        let Some((pad, offset)) = join.pad else {
            return (driven, driven, enable);
        };
        let outside = self.node_part(pad, offset + low, width);
        let free = self.b.not(enable);
        let outside = self.b.and(outside, free);
        (self.b.or(driven, outside), driven, enable)
    }

    /// What one driver gives, zero where it does not drive; and where it drives.
    fn join_driver(&mut self, code: super::nets::Code, low: u32, width: u32) -> (CellId, CellId) {
        let Some(bit) = code.driver_bit() else {
            let ones = self.b.ones(width);
            let value = if code == super::nets::Code::ONE {
                ones
            } else {
                self.b.zero(width)
            };
            return (value, ones);
        };
        let (node, offset) = self.graph.locate(bit);
        let value = self.node_part(node, offset + low, width);
        let super::drivers::Node { instance, kind, .. } = self.node(node);
        if let NodeKind::Comb { cell, op, .. } = kind {
            let cell = &self.module(instance).cells[cell as usize];
            let floats = params::floating_input(self.design, self.module(instance), cell).is_some();
            if op == Op::Tristate || (op == Op::Mux && floats) {
                let enable = self.tristate_enable(instance, cell);
                return (value, self.b.repeat(enable, width));
            }
        }
        (value, self.b.ones(width))
    }
}
