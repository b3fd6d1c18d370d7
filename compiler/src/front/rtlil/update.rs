//! Sync rules of processes to registers and latches.
//!
//! A process with several edges is how Verilog writes asynchronous resets: an edge whose signal the
//! switches test is a load by level, and the process is lowered anew under what is then known of that
//! signal. Edges that nothing tests are clocks.

use rustc_hash::FxHashMap;

use super::ast::*;
use super::drivers::NodeId;
use super::lower::Lower;
use super::operands::Role;
use super::process::Update;
use super::storage::Held;
use super::tree::{Assumption, TreeContext};
use crate::diag::Diagnostic;
use crate::ir::{AsyncLoad, CellId, ClockEdge, Edge, Extend};

/// Values of the process' segments under some assumption.
pub type Known = FxHashMap<NodeId, CellId>;

/// When the updates of a process happen.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub clocks: Vec<ClockEdge>,
    /// Indices of the rules that are clocks.
    clock_rules: Vec<u32>,
    /// Loads by level, the strongest first: the condition, and what is known while it holds.
    loads: Vec<(CellId, Known)>,
    /// What is known while no load is active.
    pub idle: Known,
}

fn is_edge(kind: SyncKind) -> bool {
    matches!(kind, SyncKind::Posedge | SyncKind::Negedge | SyncKind::Edge)
}

impl Lower<'_, '_, '_> {
    fn update(&self, instance: u32, update: u32) -> (&Update, &Process) {
        let update = &self.processes_of(instance).updates[update as usize];
        (
            update,
            &self.module(instance).processes[update.process as usize],
        )
    }

    /// True when some rule of an update has an edge.
    pub fn is_clocked(&self, instance: u32, update: u32) -> bool {
        let (update, process) = self.update(instance, update);
        update
            .values
            .iter()
            .any(|(sync, _)| is_edge(process.syncs[*sync as usize].when))
    }

    /// What an update of level rules depends on.
    pub fn update_operands(
        &self,
        instance: u32,
        update: u32,
        out: &mut Vec<super::operands::Operand>,
    ) {
        let processes = self.processes_of(instance);
        let (update, process) = self.update(instance, update);
        for (sync, value) in &update.values {
            let signal = process.syncs[*sync as usize].signal;
            self.add_operand(
                instance,
                self.module(instance).chunks_of(signal),
                Role::Whole,
                0,
                out,
            );
            self.add_operand(instance, value.of(&processes.chunks), Role::Whole, 0, out);
        }
    }

    /// An update with level rules only: a latch.
    pub fn lower_level_update(&mut self, node: NodeId, instance: u32, update: u32) -> CellId {
        let processes = self.processes_of(instance);
        let update = &processes.updates[update as usize];
        let process = &self.module(instance).processes[update.process as usize];
        self.set_origin(instance, process.item.src);
        let origin = self.b.origin;
        let (latch, mut value) = self.make_latch(node, update.target.width, origin);
        for (sync, data) in update.values.iter().rev() {
            let sync = &process.syncs[*sync as usize];
            let data = self.value(instance, data.of(&processes.chunks));
            let enable = self.level(instance, sync);
            value = self.b.mux(enable, data, value);
        }
        self.b.netlist.latches[latch].value = value;
        value
    }

    /// 1 while a level rule acts, or at the level that an edge rule leads to.
    fn level(&mut self, instance: u32, sync: &Sync) -> CellId {
        let module = self.module(instance);
        let value = self.value(instance, module.chunks_of(sync.signal));
        let value = self.b.resize(value, 1, Extend::Zero);
        self.with_polarity(
            value,
            !matches!(sync.when, SyncKind::Low | SyncKind::Negedge),
        )
    }

    /// Fills in what a register of a process takes, and when.
    pub fn complete_update(&mut self, held: Held, instance: u32, update: u32) {
        let processes = self.processes_of(instance);
        let update = &processes.updates[update as usize];
        let process = &self.module(instance).processes[update.process as usize];
        let plan = self.plan(instance, update.process);
        self.set_origin(instance, process.item.src);
        let mut next: Option<CellId> = None;
        for (sync, value) in &update.values {
            if !plan.clock_rules.contains(sync) {
                continue;
            }
            let value = self.value_knowing(instance, value.of(&processes.chunks), &plan.idle);
            match next {
                Some(other) if other != value => self.several_values(process),
                _ => next = Some(value),
            }
        }
        let mut loads: Vec<(CellId, CellId)> = Vec::new();
        for (sync, value) in &update.values {
            let rule = &process.syncs[*sync as usize];
            if matches!(rule.when, SyncKind::Low | SyncKind::High) {
                let when = self.level(instance, rule);
                loads.push((when, self.value(instance, value.of(&processes.chunks))));
            }
        }
        let (_, any_value) = update.values[0];
        for (when, known) in &plan.loads {
            loads.push((
                *when,
                self.value_knowing(instance, any_value.of(&processes.chunks), known),
            ));
        }
        let load = self.merge_loads(&loads);
        let register = &mut self.b.netlist.registers[held.register];
        register.clocks = plan.clocks.clone();
        register.next = next.unwrap_or(held.value);
        register.load = load;
    }

    /// Several loads as one; the first is the strongest.
    fn merge_loads(&mut self, loads: &[(CellId, CellId)]) -> Option<AsyncLoad> {
        let (when, value) = *loads.last()?;
        if loads.len() == 1 {
            return self.async_load(when, value);
        }
        let (mut any, mut merged) = (when, value);
        for (when, value) in loads.iter().rev().skip(1) {
            any = self.b.or(any, *when);
            merged = self.b.mux(*when, *value, merged);
        }
        Some(AsyncLoad {
            when: any,
            value: merged,
            trigger: None,
        })
    }

    fn several_values(&mut self, process: &Process) {
        let span = self.problems.span(process.item);
        self.problems.push(
            Diagnostic::error(
                "unsupported-process",
                "a variable gets different values at edges of different signals",
            )
            .label(span, "in this process")
            .note("give it one clock, and test the other signals inside the process"),
        );
    }

    /// When the updates of a process happen; worked out once per process and instance.
    pub fn plan(&mut self, instance: u32, process: u32) -> std::rc::Rc<Plan> {
        if let Some(plan) = self.plans.get(&(instance, process)) {
            return plan.clone();
        }
        let plan = std::rc::Rc::new(self.make_plan(instance, process));
        self.plans.insert((instance, process), plan.clone());
        plan
    }

    fn make_plan(&mut self, instance: u32, index: u32) -> Plan {
        let module = self.module(instance);
        let process = &module.processes[index as usize];
        let mut plan = Plan::default();
        let mut edges: Vec<(u32, CellId, Edge)> = Vec::new();
        for (sync, number) in process.syncs.iter().zip(0..) {
            let edge = match sync.when {
                SyncKind::Posedge => Edge::Rise,
                SyncKind::Negedge => Edge::Fall,
                SyncKind::Edge => Edge::Both,
                _ => continue,
            };
            let net = self.value(instance, module.chunks_of(sync.signal));
            edges.push((number, net, edge));
        }
        let nets: Vec<CellId> = edges
            .iter()
            .map(|(_, net, _)| self.strip_inverters(*net).0)
            .collect();
        let several = nets.iter().any(|n| *n != nets[0]);
        let alone = |i: usize| nets.iter().filter(|n| **n == nets[i]).count() == 1;
        let mut tested: Vec<bool> = (0..edges.len())
            .map(|i| {
                several
                    && alone(i)
                    && edges[i].2 != Edge::Both
                    && self.is_tested(instance, process, edges[i].1)
            })
            .collect();
        if tested.iter().all(|t| *t) {
            tested.fill(false);
        }
        let mut assumed: Vec<Assumption> = Vec::new();
        for ((number, net, edge), tested) in edges.into_iter().zip(tested) {
            if !tested {
                plan.clocks.extend(self.clock(net, edge));
                plan.clock_rules.push(number);
                continue;
            }
            let level = edge == Edge::Rise;
            let mut active = assumed.clone();
            active.push(Assumption { net, level });
            let known = self.specialise(instance, index, &active);
            plan.loads.push((self.with_polarity(net, level), known));
            assumed.push(Assumption { net, level: !level });
        }
        if !assumed.is_empty() {
            plan.idle = self.specialise(instance, index, &assumed);
        }
        self.merge_edges(&mut plan.clocks);
        plan
    }

    /// Both edges of one trigger become one entry.
    pub fn merge_edges(&self, clocks: &mut Vec<ClockEdge>) {
        clocks.sort_unstable();
        clocks.dedup();
        let mut merged: Vec<ClockEdge> = Vec::new();
        for clock in clocks.drain(..) {
            match merged.last_mut() {
                Some(last) if last.trigger == clock.trigger => last.edge = Edge::Both,
                _ => merged.push(clock),
            }
        }
        *clocks = merged;
    }

    /// True when a switch of the process depends on nothing but the level of `net`.
    fn is_tested(&mut self, instance: u32, process: &Process, net: CellId) -> bool {
        let module = self.module(instance);
        let mut waiting = vec![process.root];
        while let Some(case) = waiting.pop() {
            for switch in &module.cases[case as usize].switches {
                let switch = &module.switches[*switch as usize];
                let signal = self.value(instance, module.chunks_of(switch.signal));
                let assumption = Assumption { net, level: true };
                if self.b.width(signal) == 1 && self.level_under(signal, assumption).is_some() {
                    return true;
                }
                waiting.extend(&switch.cases);
            }
        }
        false
    }

    /// The values of all segments of a process under assumptions.
    fn specialise(&mut self, instance: u32, process: u32, assumptions: &[Assumption]) -> Known {
        let processes = self.processes_of(instance);
        let first = self.graph.first_segment[instance as usize];
        let own = processes
            .segments
            .iter()
            .zip(0u32..)
            .filter(|(s, _)| s.process == process);
        let mut nodes: Vec<(NodeId, u32)> =
            own.map(|(_, number)| (first + number, number)).collect();
        nodes.sort_by_key(|(node, _)| self.rank[*node as usize]);
        let mut known = Known::default();
        for (node, number) in nodes {
            let segment = processes.segments[number as usize];
            let context = TreeContext {
                instance,
                low: 0,
                width: segment.target.width,
                assumptions,
                known: &known,
            };
            let value = self.lower_tree(segment.tree, &context);
            known.insert(node, value);
        }
        known
    }
}
