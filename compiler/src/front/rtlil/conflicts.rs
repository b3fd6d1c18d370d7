//! Nets with several drivers: tristate buses and top-level inouts become joins, others a warning.

use std::ops::Range;

use super::ast::Port;
use super::catalog::Op;
use super::drivers::{Collector, Join, Node, NodeId, NodeKind};
use super::nets::{Code, NetBuilder};
use super::params;
use super::problem::Problems;
use crate::diag::Diagnostic;

/// For each top-level inout its wire and its join nodes.
pub type Pads = Vec<(u32, Range<NodeId>)>;

impl Collector<'_> {
    fn node_at(&self, code: Code) -> Option<&Node> {
        let bit = code.driver_bit()?;
        let index = self.nodes.partition_point(|n| n.start <= bit) - 1;
        Some(&self.nodes[index])
    }

    fn is_tristate(&self, code: Code) -> bool {
        let Some(node) = self.node_at(code) else {
            return false;
        };
        match node.kind {
            NodeKind::Comb {
                op: Op::Tristate, ..
            } => true,
            NodeKind::Comb {
                cell, op: Op::Mux, ..
            } => {
                let (_, module) = self.module(node.instance);
                let cell = &module.cells[cell as usize];
                params::floating_input(self.design, module, cell).is_some()
            }
            _ => false,
        }
    }

    /// Joins tristate drivers and top-level inouts, and warns of other nets with several drivers.
    pub(super) fn resolve_conflicts(
        &mut self,
        nets: &mut NetBuilder,
        problems: &mut Problems,
    ) -> (Vec<Join>, Pads) {
        let mut joins = Joins {
            list: Vec::new(),
            last: Vec::new(),
            last_root: 0,
        };
        let mut conflicts = std::mem::take(&mut nets.conflicts);
        conflicts.sort_by_key(|(root, _)| *root);
        let (pads, padded) = self.pads(nets, &conflicts, &mut joins);
        let mut fights: Vec<(u32, Vec<Code>)> = Vec::new();
        joins.last.clear();
        for group in conflicts.chunk_by(|a, b| a.0 == b.0) {
            let root = group[0].0;
            if padded.binary_search(&root).is_ok() {
                continue;
            }
            let mut all = vec![nets.driver(root)];
            all.extend(group.iter().map(|(_, code)| *code));
            if all.iter().all(|c| self.is_tristate(*c)) {
                self.add_join(nets, &mut joins, root, all, None);
            } else {
                let strong: Vec<Code> = all.into_iter().filter(|c| !self.is_tristate(*c)).collect();
                nets.set_driver(root, strong[0]);
                fights.push((root, strong));
            }
        }
        self.warn_fights(&fights, problems);
        (joins.list, pads)
    }

    /// One join per run of bits of each top-level inout; also the roots of their nets, sorted.
    fn pads(
        &mut self,
        nets: &mut NetBuilder,
        conflicts: &[(u32, Code)],
        joins: &mut Joins,
    ) -> (Pads, Vec<u32>) {
        let inputs: Vec<(NodeId, u32)> = self
            .nodes
            .iter()
            .zip(0..)
            .filter_map(|(n, id)| match n.kind {
                NodeKind::Input(wire)
                    if n.instance == 0
                        && self.module(0).1.wires[wire as usize].port == Port::Inout =>
                {
                    Some((id, wire))
                }
                _ => None,
            })
            .collect();
        let mut pads = Vec::new();
        let mut roots: Vec<u32> = Vec::new();
        for (node, wire) in inputs {
            let first_join = self.nodes.len() as NodeId;
            let first = self.hierarchy.first_bit(0, wire);
            joins.last.clear();
            for i in 0..self.module(0).1.wires[wire as usize].width {
                let root = nets.root(first + i);
                let mut all: Vec<Code> = Some(nets.driver(root))
                    .into_iter()
                    .filter(|c| *c != Code::UNDRIVEN)
                    .collect();
                let from = conflicts.partition_point(|(r, _)| *r < root);
                all.extend(
                    conflicts[from..]
                        .iter()
                        .take_while(|(r, _)| *r == root)
                        .map(|(_, c)| *c),
                );
                roots.push(root);
                self.add_join(nets, joins, root, all, Some((node, i)));
            }
            pads.push((wire, first_join..self.nodes.len() as NodeId));
        }
        roots.sort_unstable();
        (pads, roots)
    }

    /// A join for one bit; prolongs the one before where its drivers go on.
    fn add_join(
        &mut self,
        nets: &mut NetBuilder,
        joins: &mut Joins,
        root: u32,
        drivers: Vec<Code>,
        pad: Option<(NodeId, u32)>,
    ) {
        let goes_on = root == joins.last_root + 1
            && joins.last.len() == drivers.len() + 1
            && joins.last[1..]
                .iter()
                .zip(&drivers)
                .all(|(last, now)| last.driver_bit().is_some() && last.above(1) == *now);
        if goes_on {
            self.bits += 1;
        } else {
            let kind = NodeKind::Join(joins.list.len() as u32);
            self.node(0, kind, 1);
            joins.list.push(Join {
                drivers: drivers.clone(),
                pad,
            });
        }
        nets.set_driver(root, Code::driver(self.bits as u32 - 1));
        joins.last_root = root;
        joins.last.clear();
        // The first entry only tells an empty list of drivers from no join before.
        joins.last.push(Code::UNDRIVEN);
        joins.last.extend(drivers);
    }

    /// One warning per run of bits of a wire.
    fn warn_fights(&self, fights: &[(u32, Vec<Code>)], problems: &mut Problems) {
        let real = |codes: &[Code]| {
            let defined: Vec<&Code> = codes.iter().filter(|c| **c != Code::UNKNOWN).collect();
            defined.windows(2).any(|w| w[0] != w[1])
        };
        let mut last = None;
        for (root, codes) in fights.iter().filter(|(_, codes)| real(codes)) {
            let (instance, wire, bit) = self.hierarchy.wire_at(*root);
            if last == Some((instance, wire)) {
                continue;
            }
            last = Some((instance, wire));
            let (_, module) = self.module(instance);
            let item = module.wires[wire as usize].item;
            let shown = self.design.shown(item.name);
            let mut warning =
                Diagnostic::warning("multiple-drivers", format!("`{shown}` has several drivers"))
                    .label(problems.span(item), format!("bit {bit} of this"));
            for node in codes.iter().filter_map(|c| self.node_at(*c)) {
                let (_, module) = self.module(node.instance);
                if let NodeKind::Comb { cell, .. } | NodeKind::Storage(cell) = node.kind {
                    let span = problems.span(module.cells[cell as usize].item);
                    warning = warning.label(span, "driven here");
                }
            }
            problems.push(warning.note("the first driver counts"));
        }
    }
}

/// Joins under construction, with the drivers of the bit before.
struct Joins {
    list: Vec<Join>,
    last: Vec<Code>,
    last_root: u32,
}
