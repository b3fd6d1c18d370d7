//! Operations whose value a constant operand decides, whatever the others are.
//!
//! A parameter often switches logic off, as in `FALL_THROUGH & push`. What is off is no dependency: taken
//! for one, it would make combinational loops that the design does not have.

use super::ast::*;
use super::catalog::Op;
use super::drivers::NodeKind;
use super::known::name;
use super::lower::{Lower, Run};
use super::nets::Code;
use crate::bits::Bits;

/// Operations that are looked through on the way to a constant.
const MAX_DEPTH: u32 = 3;

impl Lower<'_, '_, '_> {
    /// The level of all bits of a cell's value, where constants decide it.
    pub fn decided(&self, instance: u32, cell: &Cell, op: Op) -> Option<bool> {
        self.decided_within(instance, cell, op, MAX_DEPTH)
    }

    fn decided_within(&self, instance: u32, cell: &Cell, op: Op, depth: u32) -> Option<bool> {
        let module = self.module(instance);
        let width = |port| self.design.width(module, module.port(cell, port));
        let (a, b) = (name!("A"), name!("B"));
        let all = |port, level| {
            let chunks = module.chunks_of(module.port(cell, port));
            self.is_all(instance, chunks, level, depth)
        };
        let full = |port| width(port) == width(name!("Y"));
        match op {
            Op::And | Op::LogicAnd if all(a, false) || all(b, false) => Some(false),
            Op::Or if full(a) && all(a, true) || full(b) && all(b, true) => Some(true),
            Op::LogicOr if width(name!("Y")) == 1 && (all(a, true) || all(b, true)) => Some(true),
            Op::LogicNot if all(a, true) => Some(false),
            Op::LogicNot if width(name!("Y")) == 1 && all(a, false) => Some(true),
            Op::Not | Op::Buf if full(a) => [false, true]
                .into_iter()
                .find(|level| all(a, *level))
                .map(|level| level != (op == Op::Not)),
            _ => None,
        }
    }

    /// True when constants give all bits of a signal that level.
    fn is_all(&self, instance: u32, chunks: &[Chunk], level: bool, depth: u32) -> bool {
        let mut all = !chunks.is_empty();
        self.each_run(instance, chunks, |_, run| {
            all = all
                && match run {
                    Run::Literal { id, offset, width } => {
                        let constant = self.design.constant(id);
                        let wanted = if level {
                            Bits::ones(width)
                        } else {
                            Bits::zero(width)
                        };
                        constant.other.is_none() && constant.value.slice(offset, width) == wanted
                    }
                    Run::Fixed { code, .. } => code == if level { Code::ONE } else { Code::ZERO },
                    Run::Node { node, .. } => depth > 0 && self.node_is(node, level, depth - 1),
                };
        });
        all
    }

    fn node_is(&self, node: u32, level: bool, depth: u32) -> bool {
        let node = self.node(node);
        match node.kind {
            NodeKind::Comb {
                cell,
                op,
                output: 0,
            } => {
                let cell = &self.module(node.instance).cells[cell as usize];
                self.decided_within(node.instance, cell, op, depth) == Some(level)
            }
            _ => false,
        }
    }
}
