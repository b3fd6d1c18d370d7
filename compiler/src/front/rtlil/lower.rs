//! The netlist under construction: signals to values.
//!
//! In: the graph of drivers. A signal is resolved to runs of driver bits and constants, and those to
//! slices of cells, joined where they are neighbours. `order` decides when each node is lowered, so that
//! the values asked for here exist.

use rustc_hash::FxHashMap;

use super::ast::*;
use super::catalog::Class;
use super::drivers::{Graph, Node, NodeId};
use super::hierarchy::{Hierarchy, Meaning};
use super::nets::Code;
use super::problem::Problems;
use super::process::Processes;
use crate::bits::Bits;
use crate::diag::Diagnostic;
use crate::ir::{Builder, CellId, LatchId, Origin};

/// Consecutive bits of one origin within a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    Node {
        node: NodeId,
        offset: u32,
        width: u32,
    },
    Literal {
        id: ConstId,
        offset: u32,
        width: u32,
    },
    /// The same constant code.
    Fixed { code: Code, width: u32 },
}

/// All that lowering needs.
pub struct Lower<'d, 'p, 't> {
    pub design: &'d Design<'d>,
    pub hierarchy: &'d Hierarchy,
    pub processes: &'d [Processes],
    pub graph: &'d Graph,
    pub problems: &'p mut Problems<'t>,
    pub b: Builder,
    /// Of each node, once lowered.
    pub values: Vec<Option<CellId>>,
    /// Of parts of nodes that lie on a loop, by node and first bit.
    pub pieces: FxHashMap<(NodeId, u32), CellId>,
    /// Where those nodes are cut: first bits, ascending.
    pub cuts: FxHashMap<NodeId, Vec<u32>>,
    /// In which order nodes were lowered.
    pub rank: Vec<u32>,
    /// Registers, to be completed.
    pub held: Vec<super::storage::Held>,
    pub memories: super::memory::Memories,
    /// Cells found to be constant.
    pub constants: FxHashMap<CellId, Bits>,
    pub triggers: super::clocks::Triggers,
    pub plans: FxHashMap<(u32, u32), std::rc::Rc<super::update::Plan>>,
    /// Segments that rules without a clock copy to a variable: where latches are looked for first.
    pub holders: rustc_hash::FxHashSet<NodeId>,
    /// Which bits of drivers have a name of the source; empty until a loop is met.
    pub named: Vec<bool>,
    /// Latches found in processes: node, first bit, latch.
    pub found_latches: Vec<(NodeId, u32, LatchId)>,
    /// Whether the cases of a switch exclude each other, by module and first case.
    pub disjoint: FxHashMap<(Name, u32), bool>,
    /// Wires that were used without a driver.
    undriven: indexmap::IndexMap<(u32, u32), (), rustc_hash::FxBuildHasher>,
}

impl<'d, 'p, 't> Lower<'d, 'p, 't> {
    pub fn new(
        design: &'d Design<'d>,
        hierarchy: &'d Hierarchy,
        processes: &'d [Processes],
        graph: &'d Graph,
        problems: &'p mut Problems<'t>,
    ) -> Self {
        let top = hierarchy.scopes[hierarchy.instances[0].scope]
            .module
            .clone();
        Lower {
            design,
            hierarchy,
            processes,
            graph,
            problems,
            b: Builder::literal(top),
            values: vec![None; graph.nodes.len()],
            pieces: FxHashMap::default(),
            cuts: FxHashMap::default(),
            rank: vec![0; graph.nodes.len()],
            held: Vec::new(),
            memories: super::memory::Memories::default(),
            constants: FxHashMap::default(),
            triggers: super::clocks::Triggers::default(),
            plans: FxHashMap::default(),
            holders: rustc_hash::FxHashSet::default(),
            named: Vec::new(),
            found_latches: Vec::new(),
            disjoint: FxHashMap::default(),
            undriven: indexmap::IndexMap::default(),
        }
    }

    pub fn node(&self, node: NodeId) -> Node {
        self.graph.nodes[node as usize]
    }

    /// The module of an instance.
    pub fn module(&self, instance: u32) -> &'d Module {
        &self.design.modules[self.hierarchy.instances[instance as usize].module as usize]
    }

    /// The lowered processes of an instance's module.
    pub fn processes_of(&self, instance: u32) -> &'d Processes {
        &self.processes[self.hierarchy.instances[instance as usize].module as usize]
    }

    /// What a cell of an instance is.
    pub fn class(&self, cell: &Cell) -> Option<Class> {
        match self.hierarchy.meaning(cell.kind) {
            Meaning::Primitive(class) => Some(class),
            _ => None,
        }
    }

    /// The origin of something in an instance.
    pub fn origin(&mut self, instance: u32, src: Name) -> Origin {
        let scope = self.hierarchy.instances[instance as usize].scope;
        Origin {
            scope,
            source: self.problems.source(src),
        }
    }

    /// Cells made from now on come from there.
    pub fn set_origin(&mut self, instance: u32, src: Name) {
        self.b.origin = self.origin(instance, src);
    }

    /// Calls `f` with every run of a signal, lowest bits first, and the chunk that it lies in.
    pub fn each_run(&self, instance: u32, chunks: &[Chunk], mut f: impl FnMut(&Chunk, Run)) {
        for chunk in chunks {
            let wire = match chunk.base {
                Base::Wire(wire) => wire,
                Base::Const(id) => {
                    f(
                        chunk,
                        Run::Literal {
                            id,
                            offset: chunk.offset,
                            width: chunk.width,
                        },
                    );
                    continue;
                }
            };
            let first = (self.hierarchy.first_bit(instance, wire) + chunk.offset) as usize;
            let codes = &self.graph.codes[first..first + chunk.width as usize];
            let mut at = 0;
            while at < codes.len() {
                let code = codes[at];
                let limit = match code.driver_bit() {
                    None => codes.len(),
                    Some(bit) => {
                        let (node, offset) = self.graph.locate(bit);
                        codes
                            .len()
                            .min(at + (self.graph.width(node) - offset) as usize)
                    }
                };
                let mut end = at + 1;
                while end < limit && codes[end] == code.above((end - at) as u32) {
                    end += 1;
                }
                let width = (end - at) as u32;
                match code.driver_bit() {
                    None => f(chunk, Run::Fixed { code, width }),
                    Some(bit) => {
                        let (node, offset) = self.graph.locate(bit);
                        f(
                            chunk,
                            Run::Node {
                                node,
                                offset,
                                width,
                            },
                        );
                    }
                }
                at = end;
            }
        }
    }

    /// The value of a signal; a wire without driver is noted.
    pub fn value(&mut self, instance: u32, chunks: &[Chunk]) -> CellId {
        let mut undriven = Vec::new();
        let runs = self.runs(instance, chunks, |wire| undriven.push(wire));
        for wire in undriven {
            self.undriven.insert((instance, wire), ());
        }
        self.join_runs(&runs)
    }

    /// The value of a signal, for what is only to be seen.
    pub fn quiet_value(&mut self, instance: u32, chunks: &[Chunk]) -> CellId {
        let runs = self.runs(instance, chunks, |_| {});
        self.join_runs(&runs)
    }

    /// The runs of a signal, neighbours joined across chunks.
    pub fn runs(&self, instance: u32, chunks: &[Chunk], mut undriven: impl FnMut(u32)) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        self.each_run(instance, chunks, |chunk, run| {
            if let (
                Run::Fixed {
                    code: Code::UNDRIVEN,
                    ..
                },
                Base::Wire(wire),
            ) = (run, chunk.base)
            {
                undriven(wire);
            }
            match (runs.last_mut(), run) {
                (
                    Some(Run::Node {
                        node,
                        offset,
                        width,
                    }),
                    Run::Node {
                        node: n,
                        offset: o,
                        width: w,
                    },
                ) if *node == n && *offset + *width == o => {
                    *width += w;
                }
                _ => runs.push(run),
            }
        });
        runs
    }

    fn join_runs(&mut self, runs: &[Run]) -> CellId {
        let mut parts: Vec<CellId> = Vec::with_capacity(runs.len());
        let mut constant: Option<Bits> = None;
        for run in runs {
            let bits = match *run {
                Run::Node {
                    node,
                    offset,
                    width,
                } => {
                    if let Some(bits) = constant.take() {
                        parts.push(self.b.konst(bits));
                    }
                    parts.push(self.node_part(node, offset, width));
                    continue;
                }
                Run::Literal { id, offset, width } => {
                    self.design.constant(id).value.slice(offset, width)
                }
                Run::Fixed {
                    code: Code::ONE,
                    width,
                } => Bits::ones(width),
                Run::Fixed { width, .. } => Bits::zero(width),
            };
            constant = Some(match constant {
                Some(below) => below.concat(&bits),
                None => bits,
            });
        }
        if let Some(bits) = constant {
            parts.push(self.b.konst(bits));
        }
        self.b.concat(&parts)
    }

    /// Bits of a node, from its value or from the pieces on a loop.
    pub fn node_part(&mut self, node: NodeId, offset: u32, width: u32) -> CellId {
        if let Some(value) = self.values[node as usize] {
            return self.b.slice(value, offset, width);
        }
        let node_width = self.graph.width(node);
        let cuts = &self.cuts[&node];
        let mut parts = Vec::new();
        for (index, start) in cuts.iter().enumerate() {
            let end = cuts.get(index + 1).copied().unwrap_or(node_width);
            let (from, to) = (offset.max(*start), (offset + width).min(end));
            if from < to {
                parts.push((self.pieces[&(node, *start)], from - start, to - from));
            }
        }
        let parts: Vec<CellId> = parts
            .into_iter()
            .map(|(piece, low, width)| self.b.slice(piece, low, width))
            .collect();
        self.b.concat(&parts)
    }

    /// The value of a cell's port, at its own width.
    pub fn port(&mut self, instance: u32, cell: &Cell, port: Name) -> CellId {
        let module = self.module(instance);
        self.value(instance, module.chunks_of(module.port(cell, port)))
    }

    /// One bit of a cell's port; zero when the port has none.
    pub fn port_bit(&mut self, instance: u32, cell: &Cell, port: Name) -> CellId {
        let value = self.port(instance, cell, port);
        self.b.resize(value, 1, crate::ir::Extend::Zero)
    }

    /// Warns of wires that are used and have no driver.
    pub fn warn_undriven(&mut self) {
        for (instance, wire) in std::mem::take(&mut self.undriven).into_keys() {
            let item = self.module(instance).wires[wire as usize].item;
            let scope = self.hierarchy.instances[instance as usize].scope;
            let name = self.design.shown(item.name);
            let path = self.scope_path(scope);
            let message = format!("`{path}{name}` is used but nothing drives it");
            let span = self.problems.span(item);
            self.problems.push(
                Diagnostic::warning("undriven", message)
                    .label(span, "declared here")
                    .note("it reads as zero"),
            );
        }
    }

    /// Instance names from below the top, each with a dot.
    fn scope_path(&self, scope: crate::ir::ScopeId) -> String {
        let mut names = Vec::new();
        let mut at = scope;
        while let Some(parent) = self.hierarchy.scopes[at].parent {
            names.push(self.hierarchy.scopes[at].name.as_str());
            at = parent;
        }
        names.reverse();
        names.iter().map(|n| format!("{n}.")).collect()
    }
}
