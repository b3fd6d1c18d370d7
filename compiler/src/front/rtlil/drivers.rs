//! Collects everything that drives a net: cells, processes, ports, tristate buses.
//!
//! In: the hierarchy and the lowered processes. Out: a [`Graph`]: nodes with their bit numbers, and what
//! each bit of the design carries.

use super::ast::*;
use super::catalog::{Class, MemoryCell, Op};
use super::hierarchy::{Hierarchy, Meaning};
use super::known::name;
use super::nets::{Code, NetBuilder};
use super::problem::Problems;
use super::process::Processes;

/// Most read ports of one memory that are believed.
const MAX_READ_PORTS: u32 = 1 << 20;

/// Index into [`Graph::nodes`].
pub type NodeId = u32;

/// A word that drives nets.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Number of its first bit among the drivers' bits.
    pub start: u32,
    pub instance: u32,
    pub kind: NodeKind,
}

/// Where a node's value comes from. Indices are of the instance's module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A top-level input or inout, by wire.
    Input(u32),
    /// An output of a combinational cell: cell and number of the output.
    Comb { cell: u32, op: Op, output: u8 },
    /// A flip-flop or latch.
    Storage(u32),
    /// A read port: cell; for whole memories also the number of the port.
    Read { cell: u32, port: u32 },
    /// A segment of a process.
    Segment(u32),
    /// An update of clocked or level sync rules.
    Update(u32),
    /// Several drivers on one net: an index into [`Graph::joins`].
    Join(u32),
    /// The initial value of what nothing else drives: an index into the processes' `inits`.
    Init(u32),
    /// An undriven wire with `init`: that constant.
    InitAttribute(u32),
    /// An undriven wire marked to be random.
    Random(u32),
}

/// Tristate drivers of a run of bits, and the top-level inout that it belongs to.
#[derive(Clone, Debug)]
pub struct Join {
    /// The lowest bit of each driver.
    pub drivers: Vec<Code>,
    /// Node and offset of the incoming value.
    pub pad: Option<(NodeId, u32)>,
}

/// All drivers and nets.
pub struct Graph {
    pub nodes: Vec<Node>,
    /// Total number of driver bits.
    bits: u32,
    /// For each 64 driver bits, a node at or before the first of them.
    hints: Vec<NodeId>,
    /// What each bit of the design carries.
    pub codes: Vec<Code>,
    pub joins: Vec<Join>,
    /// For each instance the node of its module's first segment.
    pub first_segment: Vec<NodeId>,
    /// For each top-level inout its wire and the first and last-but-one of its join nodes.
    pub pads: Vec<(u32, std::ops::Range<NodeId>)>,
}

impl Graph {
    /// Total number of driver bits.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    pub fn width(&self, node: NodeId) -> u32 {
        let next = self
            .nodes
            .get(node as usize + 1)
            .map_or(self.bits, |n| n.start);
        next - self.nodes[node as usize].start
    }

    /// The node that a driver bit belongs to, and the offset in it.
    pub fn locate(&self, bit: u32) -> (NodeId, u32) {
        let mut node = self.hints[bit as usize / 64];
        while self
            .nodes
            .get(node as usize + 1)
            .is_some_and(|n| n.start <= bit)
        {
            node += 1;
        }
        (node, bit - self.nodes[node as usize].start)
    }
}

/// Finds all drivers.
pub fn collect(
    design: &Design,
    hierarchy: &Hierarchy,
    processes: &[Processes],
    problems: &mut Problems,
) -> Option<Graph> {
    let mut nets = NetBuilder::new(hierarchy.bits);
    let mut collector = Collector {
        design,
        hierarchy,
        nodes: Vec::new(),
        bits: 0,
        constants: Vec::new(),
        first_segment: Vec::new(),
    };
    for instance in 0..hierarchy.instances.len() as u32 {
        collector.join_instance(&mut nets, instance, processes);
    }
    for (first, chunk) in std::mem::take(&mut collector.constants) {
        if let Base::Const(id) = chunk.base {
            nets.drive_const(first, chunk.width, design.constant(id), chunk.offset);
        }
    }
    collector.top_inputs(&mut nets);
    for instance in 0..hierarchy.instances.len() as u32 {
        collector.cell_outputs(&mut nets, instance);
        collector.process_outputs(&mut nets, instance, processes);
    }
    collector.weak_drivers(&mut nets, processes);
    let (joins, pads) = collector.resolve_conflicts(&mut nets, problems);
    let Collector {
        nodes,
        bits,
        first_segment,
        ..
    } = collector;
    if bits > u64::from(u32::MAX / 2) {
        problems.too_large();
        return None;
    }
    let bits = bits as u32;
    let hints = hints(&nodes, bits);
    Some(Graph {
        nodes,
        bits,
        hints,
        codes: nets.finish(),
        joins,
        first_segment,
        pads,
    })
}

fn hints(nodes: &[Node], bits: u32) -> Vec<NodeId> {
    let mut hints = Vec::with_capacity(bits as usize / 64 + 1);
    let mut node = 0;
    for block in 0..=bits / 64 {
        while nodes.get(node + 1).is_some_and(|n| n.start <= block * 64) {
            node += 1;
        }
        hints.push(node as NodeId);
    }
    hints
}

pub(super) struct Collector<'d> {
    pub(super) design: &'d Design<'d>,
    pub(super) hierarchy: &'d Hierarchy,
    pub(super) nodes: Vec<Node>,
    pub(super) bits: u64,
    /// Constants connected to nets: first bit, and the constant's chunk.
    constants: Vec<(u32, Chunk)>,
    first_segment: Vec<NodeId>,
}

impl Collector<'_> {
    pub(super) fn module(&self, instance: u32) -> (usize, &Module) {
        let index = self.hierarchy.instances[instance as usize].module as usize;
        (index, &self.design.modules[index])
    }

    fn first_bit(&self, instance: u32, chunk: &Chunk) -> Option<u32> {
        match chunk.base {
            Base::Wire(wire) => Some(self.hierarchy.first_bit(instance, wire) + chunk.offset),
            Base::Const(_) => None,
        }
    }

    /// All connections of an instance: its own, its aliases, those of its cells that only connect.
    fn join_instance(&mut self, nets: &mut NetBuilder, instance: u32, processes: &[Processes]) {
        let (index, module) = self.module(instance);
        let mut todo: Vec<(u32, Vec<Chunk>, u32, Vec<Chunk>)> = Vec::new();
        let chunks = |sig: Sig| module.chunks_of(sig).to_vec();
        for (left, right) in &module.connects {
            todo.push((instance, chunks(*left), instance, chunks(*right)));
        }
        for (target, value) in &processes[index].aliases {
            todo.push((
                instance,
                vec![*target],
                instance,
                value.of(&processes[index].chunks).to_vec(),
            ));
        }
        for cell in &module.cells {
            if self.hierarchy.meaning(cell.kind) == Meaning::Primitive(Class::Wire) {
                let [a, b] = [name!("A"), name!("B")].map(|p| chunks(module.port(cell, p)));
                todo.push((instance, a, instance, b));
            }
        }
        if let Some((parent, cell)) = self.hierarchy.instances[instance as usize].parent {
            let (_, above) = self.module(parent);
            for (port, sig) in above.cells[cell as usize]
                .connections
                .of(&above.connections)
            {
                if let Some(wire) = module.wires.iter().position(|w| w.item.name == *port) {
                    let inner = Chunk {
                        base: Base::Wire(wire as u32),
                        offset: 0,
                        width: module.wires[wire].width,
                    };
                    todo.push((
                        instance,
                        vec![inner],
                        parent,
                        above.chunks_of(*sig).to_vec(),
                    ));
                }
            }
        }
        for (left_instance, left, right_instance, right) in todo {
            self.join(nets, (left_instance, &left), (right_instance, &right));
        }
    }

    /// Joins two signals bit by bit, as far as both reach.
    fn join(&mut self, nets: &mut NetBuilder, left: (u32, &[Chunk]), right: (u32, &[Chunk])) {
        let (mut lefts, mut rights) = (left.1.iter().copied(), right.1.iter().copied());
        let (mut a, mut b) = (lefts.next(), rights.next());
        while let (Some(l), Some(r)) = (a, b) {
            let width = l.width.min(r.width);
            match (self.first_bit(left.0, &l), self.first_bit(right.0, &r)) {
                (Some(l), Some(r)) => nets.join(l, r, width),
                (Some(l), None) => self.constants.push((l, Chunk { width, ..r })),
                (None, Some(r)) => self.constants.push((r, Chunk { width, ..l })),
                (None, None) => {}
            }
            a = rest(l, width).or_else(|| lefts.next());
            b = rest(r, width).or_else(|| rights.next());
        }
    }

    pub(super) fn node(&mut self, instance: u32, kind: NodeKind, width: u32) -> Code {
        let start = self.bits as u32;
        self.nodes.push(Node {
            start,
            instance,
            kind,
        });
        self.bits += u64::from(width);
        Code::driver(start)
    }

    /// A node that drives a signal.
    fn drive(&mut self, nets: &mut NetBuilder, instance: u32, kind: NodeKind, target: &[Chunk]) {
        let width = target.iter().map(|c| c.width).sum();
        let code = self.node(instance, kind, width);
        let mut at = 0;
        for chunk in target {
            if let Some(first) = self.first_bit(instance, chunk) {
                nets.drive(first, chunk.width, code.above(at));
            }
            at += chunk.width;
        }
    }

    fn top_inputs(&mut self, nets: &mut NetBuilder) {
        let (_, module) = self.module(0);
        let mut ports: Vec<(u32, u32)> = module
            .wires
            .iter()
            .zip(0..)
            .filter(|(w, _)| w.port != Port::None)
            .map(|(w, i)| (w.port_id, i))
            .collect();
        ports.sort_unstable();
        let mut inputs: Vec<(u32, Port)> = ports
            .iter()
            .map(|(_, i)| (*i, module.wires[*i as usize].port))
            .collect();
        inputs.retain(|(_, port)| *port != Port::Output);
        for (wire, port) in inputs {
            let width = self.design.modules[self.hierarchy.instances[0].module as usize].wires
                [wire as usize]
                .width;
            let chunk = Chunk {
                base: Base::Wire(wire),
                offset: 0,
                width,
            };
            match port {
                // Joined with what the design drives later on.
                Port::Inout => {
                    self.node(0, NodeKind::Input(wire), width);
                }
                _ => self.drive(nets, 0, NodeKind::Input(wire), &[chunk]),
            }
        }
    }

    fn cell_outputs(&mut self, nets: &mut NetBuilder, instance: u32) {
        let mut latch_rows = 0..0u32;
        let (index, _) = self.module(instance);
        let design = self.design;
        let module = &design.modules[index];
        for (cell, number) in module.cells.iter().zip(0..) {
            let Meaning::Primitive(class) = self.hierarchy.meaning(cell.kind) else {
                continue;
            };
            match class {
                Class::Comb(op) => {
                    for (port, output) in op.outputs().iter().zip(0..) {
                        let target = module.chunks_of(module.port(cell, *port));
                        if !target.is_empty() {
                            self.drive(
                                nets,
                                instance,
                                NodeKind::Comb {
                                    cell: number,
                                    op,
                                    output,
                                },
                                target,
                            );
                        }
                    }
                }
                Class::Storage(_) if latch_rows.contains(&number) => {}
                Class::Storage(_) => {
                    latch_rows = number..number + super::latch::row_length(design, module, number);
                    let cells = latch_rows.start as usize..latch_rows.end as usize;
                    let target = super::latch::row_port(module, &module.cells[cells], name!("Q"));
                    self.drive(nets, instance, NodeKind::Storage(number), &target);
                }
                Class::Memory(MemoryCell::Read | MemoryCell::ReadV2) => {
                    let target = module.chunks_of(module.port(cell, name!("DATA")));
                    self.drive(
                        nets,
                        instance,
                        NodeKind::Read {
                            cell: number,
                            port: 0,
                        },
                        target,
                    );
                }
                Class::Memory(MemoryCell::Whole | MemoryCell::WholeV2) => {
                    self.whole_memory_outputs(nets, instance, cell, number);
                }
                _ => {}
            }
        }
    }

    /// One node for each read port.
    fn whole_memory_outputs(
        &mut self,
        nets: &mut NetBuilder,
        instance: u32,
        cell: &Cell,
        number: u32,
    ) {
        let (_, module) = self.module(instance);
        let target = module
            .chunks_of(module.port(cell, name!("RD_DATA")))
            .to_vec();
        let width = super::params::number(self.design, module, cell, name!("WIDTH")).max(1);
        let total: u32 = target.iter().map(|c| c.width).sum();
        // Whatever is connected, there are no more ports than the cell says.
        let ports = super::params::number(self.design, module, cell, name!("RD_PORTS"));
        let mut pool = Vec::new();
        for port in 0..total.div_ceil(width).min(ports).min(MAX_READ_PORTS) {
            let low = port * width;
            let part =
                super::process::slice_chunks(&target, low, width.min(total - low), &mut pool);
            self.drive(
                nets,
                instance,
                NodeKind::Read { cell: number, port },
                part.of(&pool),
            );
        }
    }

    fn process_outputs(&mut self, nets: &mut NetBuilder, instance: u32, processes: &[Processes]) {
        let (index, _) = self.module(instance);
        self.first_segment.push(self.nodes.len() as NodeId);
        for (segment, number) in processes[index].segments.iter().zip(0..) {
            self.drive(nets, instance, NodeKind::Segment(number), &[segment.target]);
        }
        for (update, number) in processes[index].updates.iter().zip(0..) {
            self.drive(nets, instance, NodeKind::Update(number), &[update.target]);
        }
    }

    /// What gives undriven nets a value: initial values, and requests for random ones.
    fn weak_drivers(&mut self, nets: &mut NetBuilder, processes: &[Processes]) {
        for instance in 0..self.hierarchy.instances.len() as u32 {
            let (index, _) = self.module(instance);
            let design = self.design;
            let module = &design.modules[index];
            for ((target, _), number) in processes[index].inits.iter().zip(0..) {
                self.drive_undriven(nets, instance, NodeKind::Init(number), *target);
            }
            for (wire, number) in module.wires.iter().zip(0..) {
                if wire.item.attributes.start == wire.item.attributes.end {
                    continue;
                }
                let chunk = Chunk {
                    base: Base::Wire(number),
                    offset: 0,
                    width: wire.width,
                };
                let has = |wanted: Name| module.attributes_of(wire.item).any(|(n, _)| n == wanted);
                if has(name!("rtlwasm_plusarg")) {
                    self.drive_undriven(nets, instance, NodeKind::Input(number), chunk);
                }
                if has(name!("rtlwasm_random")) {
                    self.drive_undriven(nets, instance, NodeKind::Random(number), chunk);
                }
                if has(name!("init")) {
                    self.drive_undriven(nets, instance, NodeKind::InitAttribute(number), chunk);
                }
            }
        }
    }

    /// Drives those bits of a wire that have no driver, when there are any.
    fn drive_undriven(
        &mut self,
        nets: &mut NetBuilder,
        instance: u32,
        kind: NodeKind,
        target: Chunk,
    ) {
        let Some(first) = self.first_bit(instance, &target) else {
            return;
        };
        let bits = first..first + target.width;
        if bits.clone().any(|bit| nets.driver(bit) == Code::UNDRIVEN) {
            let code = self.node(instance, kind, target.width);
            for (bit, i) in bits.zip(0..) {
                if nets.driver(bit) == Code::UNDRIVEN {
                    nets.drive(bit, 1, code.above(i));
                }
            }
        }
    }
}

/// What is left of a chunk above `width` bits.
fn rest(chunk: Chunk, width: u32) -> Option<Chunk> {
    (chunk.width > width).then(|| Chunk {
        offset: chunk.offset + width,
        width: chunk.width - width,
        ..chunk
    })
}
