//! What each node depends on within one settling, without lowering it.
//!
//! `order` needs it to lower operands first, `loops` to tell which bits matter to which.

use super::ast::*;
use super::catalog::Op;
use super::comb::tristate_enables;
use super::drivers::{Node, NodeId, NodeKind};
use super::known::name;
use super::lower::{Lower, Run};
use super::process::{Tree, UNASSIGNED, slice_chunks};

/// How an operand bears on a node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Bit `i` of the run matters to bit `position + i` of the value only.
    Aligned,
    /// Aligned, and one of the values that the node chooses from.
    Choice,
    /// Matters to every bit.
    Whole,
}

/// Part of an operand that comes from another node.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub role: Role,
    pub position: u32,
    pub node: NodeId,
    pub offset: u32,
    pub width: u32,
}

impl Lower<'_, '_, '_> {
    /// What a node's value depends on within one settling.
    pub fn operands(&self, id: NodeId, out: &mut Vec<Operand>) {
        let node = self.node(id);
        let instance = node.instance;
        let module = self.module(instance);
        match node.kind {
            NodeKind::Input(_) | NodeKind::Random(_) | NodeKind::InitAttribute(_) => {}
            NodeKind::Comb { cell, op, .. } => {
                self.comb_operands(id, instance, &module.cells[cell as usize], op, out)
            }
            NodeKind::Storage(cell) => {
                let cells = self.latch_row(id, cell);
                for cell in cells.iter().filter(|c| self.is_latch(c)) {
                    self.other_ports(instance, cell, &[name!("Q")], out);
                }
            }
            NodeKind::Read { cell, port } => {
                if let Some((address, _)) = self.async_read_address(instance, cell, port) {
                    self.add_operand(instance, &address, Role::Whole, 0, out);
                }
            }
            NodeKind::Segment(segment) => self.segment_operands(instance, segment, out),
            NodeKind::Update(update) => self.update_operands(instance, update, out),
            NodeKind::Init(init) => {
                let processes = self.processes_of(instance);
                let (_, value) = processes.inits[init as usize];
                self.add_operand(instance, value.of(&processes.chunks), Role::Aligned, 0, out);
            }
            NodeKind::Join(join) => self.join_operands(id, join, out),
        }
    }

    pub fn add_operand(
        &self,
        instance: u32,
        chunks: &[Chunk],
        role: Role,
        low: u32,
        out: &mut Vec<Operand>,
    ) {
        let mut position = low;
        self.each_run(instance, chunks, |_, run| match run {
            Run::Node {
                node,
                offset,
                width,
            } => {
                out.push(Operand {
                    role,
                    position,
                    node,
                    offset,
                    width,
                });
                position += width;
            }
            Run::Literal { width, .. } | Run::Fixed { width, .. } => position += width,
        });
    }

    fn other_ports(&self, instance: u32, cell: &Cell, but: &[Name], out: &mut Vec<Operand>) {
        let module = self.module(instance);
        for (port, sig) in cell.connections.of(&module.connections) {
            if !but.contains(port) {
                self.add_operand(instance, module.chunks_of(*sig), Role::Whole, 0, out);
            }
        }
    }

    fn comb_operands(
        &self,
        id: NodeId,
        instance: u32,
        cell: &Cell,
        op: Op,
        out: &mut Vec<Operand>,
    ) {
        if self.decided(instance, cell, op).is_some() {
            return;
        }
        if !op.is_bitwise() {
            return self.other_ports(instance, cell, op.outputs(), out);
        }
        let module = self.module(instance);
        let width = self.graph.width(id);
        let role = if matches!(op, Op::Mux | Op::Pmux | Op::Buf) {
            Role::Choice
        } else {
            Role::Aligned
        };
        for (port, sig) in cell.connections.of(&module.connections) {
            let chunks = module.chunks_of(*sig);
            if *port == name!("Y") {
                continue;
            }
            let is_data = *port == name!("A")
                || *port == name!("B")
                || (*port == name!("S") && op == Op::BitMux);
            if !is_data {
                self.add_operand(instance, chunks, Role::Whole, 0, out);
                continue;
            }
            let given = self.design.width(module, *sig);
            if op == Op::Pmux && *port == name!("B") {
                let mut pool = Vec::new();
                for low in (0..given).step_by(width.max(1) as usize) {
                    let slice = slice_chunks(chunks, low, width.min(given - low), &mut pool);
                    self.add_operand(instance, slice.of(&pool), role, 0, out);
                }
                continue;
            }
            self.add_operand(instance, chunks, role, 0, out);
            if given < width && given > 0 {
                let mut pool = Vec::new();
                let top = slice_chunks(chunks, given - 1, 1, &mut pool);
                self.add_operand(instance, top.of(&pool), Role::Whole, 0, out);
            }
        }
    }

    fn segment_operands(&self, instance: u32, segment: u32, out: &mut Vec<Operand>) {
        let processes = self.processes_of(instance);
        let module = self.module(instance);
        for tree in processes.reachable(processes.segments[segment as usize].tree) {
            match processes.trees[tree as usize] {
                Tree::Unassigned => debug_assert_eq!(tree, UNASSIGNED),
                Tree::Leaf(value) => {
                    self.add_operand(instance, value.of(&processes.chunks), Role::Choice, 0, out);
                }
                Tree::Switch { switch, .. } => {
                    let switch = &module.switches[switch as usize];
                    self.add_operand(
                        instance,
                        module.chunks_of(switch.signal),
                        Role::Whole,
                        0,
                        out,
                    );
                    for case in &switch.cases {
                        for compare in &module.cases[*case as usize].compares {
                            self.add_operand(
                                instance,
                                module.chunks_of(*compare),
                                Role::Whole,
                                0,
                                out,
                            );
                        }
                    }
                }
            }
        }
    }

    fn join_operands(&self, id: NodeId, join: u32, out: &mut Vec<Operand>) {
        let width = self.graph.width(id);
        let join = &self.graph.joins[join as usize];
        let mut direct = |node, offset| {
            out.push(Operand {
                role: Role::Aligned,
                position: 0,
                node,
                offset,
                width,
            })
        };
        if let Some((node, offset)) = join.pad {
            direct(node, offset);
        }
        for bit in join.drivers.iter().filter_map(|c| c.driver_bit()) {
            let (node, offset) = self.graph.locate(bit);
            direct(node, offset);
        }
        for bit in join.drivers.iter().filter_map(|c| c.driver_bit()) {
            let (node, _) = self.graph.locate(bit);
            let Node { instance, kind, .. } = self.node(node);
            if let NodeKind::Comb { cell, .. } = kind {
                let module = self.module(instance);
                let cell = &module.cells[cell as usize];
                for port in tristate_enables() {
                    self.add_operand(
                        instance,
                        module.chunks_of(module.port(cell, port)),
                        Role::Whole,
                        0,
                        out,
                    );
                }
            }
        }
    }
}
