//! Names: public wires, memories and ports become [`Signal`]s; initial values find their registers.

use rustc_hash::{FxHashMap, FxHashSet};

use super::ast::*;
use super::drivers::{NodeId, NodeKind};
use super::known::name;
use super::lexer::unescape;
use super::lower::{Lower, Run};
use super::params::value_bits;
use crate::bits::Bits;
use crate::diag::{Diagnostic, Span};
use crate::ir::{
    CellId, Direction, LatchId, MemoryId, RandomSource, RegisterId, Scope, ScopeId, Signal,
    SignalValue, TypeId, ValueType,
};

/// What holds bits of a node.
#[derive(Clone, Copy)]
enum Holder {
    Register(RegisterId),
    Latch(LatchId),
}

/// Names given so far.
#[derive(Default)]
struct Namer {
    scopes: FxHashMap<(ScopeId, String), ScopeId>,
    used: FxHashSet<(ScopeId, String)>,
    types: FxHashMap<Vec<(String, Bits)>, TypeId>,
}

impl Lower<'_, '_, '_> {
    pub fn make_input(&mut self, instance: u32, wire: u32, width: u32) -> CellId {
        let item = self.module(instance).wires[wire as usize].item;
        let plusarg = self.attribute(instance, item, name!("rtlwasm_plusarg"));
        let name = match plusarg {
            Some(Value::Str(text)) => unescape(self.design.names.text(text)),
            _ => self.design.shown(item.name).to_string(),
        };
        self.b.input(name, width)
    }

    pub fn make_random(&mut self, instance: u32, wire: u32, width: u32) -> CellId {
        let item = self.module(instance).wires[wire as usize].item;
        let origin = self.origin(instance, item.src);
        let id = self.b.netlist.randoms.push(RandomSource {
            width,
            key: 0,
            origin,
        });
        self.b.cell(crate::ir::CellKind::Random(id), width)
    }

    fn attribute(&self, instance: u32, item: Item, wanted: Name) -> Option<Value> {
        self.module(instance)
            .attributes_of(item)
            .find(|(n, _)| *n == wanted)
            .map(|(_, v)| v)
    }

    /// The `init` attribute of a wire.
    pub fn init_attribute(&self, instance: u32, wire: u32) -> Option<Const> {
        let item = self.module(instance).wires[wire as usize].item;
        self.attribute(instance, item, name!("init"))
            .map(|v| value_bits(self.design, v))
    }

    /// Gives registers and latches their initial values, from attributes of any name of the net and from
    /// `init` rules.
    pub fn complete_initial_values(&mut self) {
        let mut holders: FxHashMap<NodeId, Vec<(u32, u32, Holder)>> = FxHashMap::default();
        for held in &self.held {
            holders.entry(held.node).or_default().push((
                held.low,
                held.width,
                Holder::Register(held.register),
            ));
        }
        for (node, low, latch) in &self.found_latches {
            let width = self.b.netlist.latches[*latch].width;
            holders
                .entry(*node)
                .or_default()
                .push((*low, width, Holder::Latch(*latch)));
        }
        for instance in 0..self.hierarchy.instances.len() as u32 {
            let module = self.module(instance);
            for (wire, index) in module.wires.iter().zip(0..) {
                if wire.item.attributes.start == wire.item.attributes.end {
                    continue;
                }
                if let Some(init) = self.init_attribute(instance, index) {
                    let chunk = Chunk {
                        base: Base::Wire(index),
                        offset: 0,
                        width: wire.width,
                    };
                    self.initialise(instance, chunk, &init.value, &init.defined(), &holders);
                }
            }
            let processes = self.processes_of(instance);
            for (target, value) in &processes.inits {
                match self.constant_signal(instance, value.of(&processes.chunks)) {
                    Some((value, defined)) => {
                        self.initialise(instance, *target, &value, &defined, &holders)
                    }
                    None => self.init_of_wire_not_constant(instance, *target),
                }
            }
        }
    }

    fn initialise(
        &mut self,
        instance: u32,
        target: Chunk,
        value: &Bits,
        defined: &Bits,
        holders: &FxHashMap<NodeId, Vec<(u32, u32, Holder)>>,
    ) {
        let mut position = 0;
        for run in self.runs(instance, &[target], |_| {}) {
            let (Run::Literal { width, .. } | Run::Fixed { width, .. } | Run::Node { width, .. }) =
                run;
            let at = position;
            position += width;
            let Run::Node { node, offset, .. } = run else {
                continue;
            };
            for (low, size, holder) in holders.get(&node).into_iter().flatten() {
                let (from, to) = (offset.max(*low), (offset + width).min(low + size));
                if from >= to {
                    continue;
                }
                let take = |bits: &Bits| {
                    let part = bits.slice(at + from - offset, to - from);
                    part.zext(*size).shl(u64::from(from - low))
                };
                let (value, defined) = (take(value), take(defined));
                let (init, known) = match holder {
                    Holder::Register(id) => {
                        let r = &mut self.b.netlist.registers[*id];
                        (&mut r.init, &mut r.init_defined)
                    }
                    Holder::Latch(id) => {
                        let l = &mut self.b.netlist.latches[*id];
                        (&mut l.init, &mut l.init_defined)
                    }
                };
                let new = defined.and(&known.not());
                *init = init.or(&value.and(&new));
                *known = known.or(&new);
            }
        }
    }

    fn init_of_wire_not_constant(&mut self, instance: u32, target: Chunk) {
        let Base::Wire(wire) = target.base else {
            return;
        };
        let item = self.module(instance).wires[wire as usize].item;
        let message = format!(
            "the initial value of `{}` is not constant",
            self.design.shown(item.name)
        );
        let span = self.problems.span(item);
        self.problems
            .push(Diagnostic::error("init-not-constant", message).label(span, "declared here"));
    }

    /// Makes all signals: ports of the top first, then instance by instance.
    pub fn make_signals(&mut self) {
        self.b.netlist.scopes = self.hierarchy.scopes.clone();
        let mut namer = Namer::default();
        for (id, scope) in self.hierarchy.scopes.iter() {
            if let Some(parent) = scope.parent {
                namer.scopes.insert((parent, scope.name.clone()), id);
            }
        }
        let top = self.module(0);
        let mut ports: Vec<(u32, u32)> = top
            .wires
            .iter()
            .zip(0..)
            .filter(|(w, _)| w.port != Port::None)
            .map(|(w, i)| (w.port_id, i))
            .collect();
        ports.sort_unstable();
        for (_, wire) in ports {
            self.make_port(&mut namer, wire);
        }
        let mut memories = std::mem::take(&mut self.memories.names)
            .into_iter()
            .peekable();
        for instance in 0..self.hierarchy.instances.len() as u32 {
            let module = self.module(instance);
            for (wire, index) in module.wires.iter().zip(0..) {
                let port = instance == 0 && wire.port != Port::None;
                if !port && self.design.names.text(wire.item.name).starts_with('\\') {
                    let chunk = Chunk {
                        base: Base::Wire(index),
                        offset: 0,
                        width: wire.width,
                    };
                    let value = self.quiet_value(instance, &[chunk]);
                    self.add_signal(
                        &mut namer,
                        instance,
                        wire,
                        Direction::None,
                        SignalValue::Cell(value),
                    );
                }
            }
            while let Some((_, memory, item)) = memories.next_if(|(i, ..)| *i == instance) {
                self.add_memory(&mut namer, instance, memory, item);
            }
        }
    }

    fn make_port(&mut self, namer: &mut Namer, wire: u32) {
        let port = self.module(0).wires[wire as usize];
        let chunk = Chunk {
            base: Base::Wire(wire),
            offset: 0,
            width: port.width,
        };
        let direction = match port.port {
            Port::Input => Direction::Input,
            Port::Output => Direction::Output,
            _ => Direction::Inout,
        };
        let value = match direction {
            Direction::Inout => self.inout_value(wire),
            Direction::Input => SignalValue::Cell(self.quiet_value(0, &[chunk])),
            _ => SignalValue::Cell(self.value(0, &[chunk])),
        };
        self.add_signal(namer, 0, &port, direction, value);
    }

    fn inout_value(&mut self, wire: u32) -> SignalValue {
        let pad = self.graph.pads.iter().find(|(w, _)| *w == wire);
        let (mut input, mut outputs, mut enables) = (None, Vec::new(), Vec::new());
        for node in pad.map(|(_, nodes)| nodes.clone()).into_iter().flatten() {
            let NodeKind::Join(join) = self.node(node).kind else {
                continue;
            };
            let width = self.graph.width(node);
            let (_, output, enable) = self.lower_join(join, 0, width);
            outputs.push(output);
            enables.push(enable);
            input = self.graph.joins[join as usize].pad.map(|(node, _)| node);
        }
        let input = match input.and_then(|node| self.values[node as usize]) {
            Some(value) => value,
            None => self.b.zero(0),
        };
        SignalValue::Inout {
            input,
            output: self.b.concat(&outputs),
            enable: self.b.concat(&enables),
        }
    }

    fn add_signal(
        &mut self,
        namer: &mut Namer,
        instance: u32,
        wire: &Wire,
        direction: Direction,
        value: SignalValue,
    ) {
        let Some((scope, name)) = self.place_of(namer, instance, wire.item) else {
            return;
        };
        let ty = self.type_of(namer, instance, wire);
        let source = self.problems.source(wire.item.src);
        self.b.netlist.signals.push(Signal {
            scope,
            name,
            direction,
            width: wire.width,
            lsb: i64::from(wire.offset),
            upto: wire.upto,
            signed: wire.signed,
            value,
            ty,
            source,
        });
    }

    fn add_memory(&mut self, namer: &mut Namer, instance: u32, memory: MemoryId, item: Item) {
        let Some((scope, name)) = self.place_of(namer, instance, item) else {
            return;
        };
        let source = self.problems.source(item.src);
        let width = self.b.netlist.memories[memory].width;
        self.b.netlist.signals.push(Signal {
            scope,
            name,
            direction: Direction::None,
            width,
            lsb: 0,
            upto: false,
            signed: false,
            value: SignalValue::Memory(memory),
            ty: None,
            source,
        });
    }

    /// Scope and name of an item; flattened input gives the path in `hdlname`. `None` when the name is
    /// taken.
    fn place_of(
        &mut self,
        namer: &mut Namer,
        instance: u32,
        item: Item,
    ) -> Option<(ScopeId, String)> {
        let mut scope = self.hierarchy.instances[instance as usize].scope;
        let mut name = self.design.shown(item.name).to_string();
        if let Some(Value::Str(text)) = self.attribute(instance, item, name!("hdlname")) {
            let path = unescape(self.design.names.text(text));
            let mut parts: Vec<&str> = path.split(' ').filter(|p| !p.is_empty()).collect();
            if let Some(last) = parts.pop() {
                name = last.to_string();
            }
            for part in parts {
                scope = self.inner_scope(namer, scope, part);
            }
        }
        namer
            .used
            .insert((scope, name.clone()))
            .then_some((scope, name))
    }

    fn inner_scope(&mut self, namer: &mut Namer, parent: ScopeId, name: &str) -> ScopeId {
        let scopes = &mut self.b.netlist.scopes;
        *namer
            .scopes
            .entry((parent, name.to_string()))
            .or_insert_with(|| {
                let source = scopes[parent].source;
                scopes.push(Scope {
                    parent: Some(parent),
                    name: name.to_string(),
                    module: String::new(),
                    source,
                })
            })
    }

    /// The enumeration that a wire's attributes describe.
    fn type_of(&mut self, namer: &mut Namer, instance: u32, wire: &Wire) -> Option<TypeId> {
        let module = self.module(instance);
        let mut variants: Vec<(String, Bits)> = Vec::new();
        let mut name = String::new();
        for (attribute, value) in module.attributes_of(wire.item) {
            let Value::Str(text) = value else { continue };
            let text = unescape(self.design.names.text(text));
            let text = text.strip_prefix('\\').unwrap_or(&text);
            if [
                name!("enum_base_type"),
                name!("wiretype"),
                name!("enum_type"),
            ]
            .contains(&attribute)
            {
                name = text.to_string();
            } else if let Some(bits) = self
                .design
                .names
                .text(attribute)
                .strip_prefix("\\enum_value_")
            {
                let bits = Bits::from_bools(bits.bytes().rev().map(|b| b == b'1'));
                if bits.width() == wire.width {
                    variants.push((text.to_string(), bits));
                }
            }
        }
        if variants.is_empty() {
            return None;
        }
        variants.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
        let types = &mut self.b.netlist.types;
        let mut key = variants.clone();
        key.push((name.clone(), Bits::zero(wire.width)));
        let new = || {
            types.push(ValueType {
                name,
                width: wire.width,
                variants,
            })
        };
        Some(*namer.types.entry(key).or_insert_with(new))
    }

    /// A public name of a node's value and where it is declared.
    pub fn name_of(&self, node: NodeId) -> Option<(String, Option<Span>)> {
        let item = self.target_of(node).or_else(|| self.item_of(node))?;
        let text = self.design.names.text(item.name);
        Some((
            text.strip_prefix('\\').unwrap_or(text).to_string(),
            self.problems.span(item),
        ))
    }

    /// The first wire that a node drives.
    fn target_of(&self, node: NodeId) -> Option<Item> {
        let drivers = self.node(node);
        let module = self.module(drivers.instance);
        let chunk = match drivers.kind {
            NodeKind::Comb { cell, op, output } => {
                let cell = &module.cells[cell as usize];
                *module
                    .chunks_of(module.port(cell, op.outputs()[output as usize]))
                    .first()?
            }
            NodeKind::Segment(s) => self.processes_of(drivers.instance).segments[s as usize].target,
            _ => return None,
        };
        match chunk.base {
            Base::Wire(wire) => Some(module.wires[wire as usize].item),
            Base::Const(_) => None,
        }
    }
}
