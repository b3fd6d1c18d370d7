//! The clock edge while no reset is active and nothing sleeps.
//!
//! The host changes no input within a call, so whether a reset is active is asked once for all of its cycles. For those
//! in which none is, the edge has a second task, made of the netlist without resets (`pass/release.rs`). It runs while all
//! instances are awake that can sleep, so that of these only those matter that share a function, with all that is around
//! each of them (`whole.rs`).

use super::activity::{Activity, Supernode};
use super::alike::{self, Class};
use super::domains::TimingModel;
use super::regions::Sink;
use super::{EdgeTask, Schedule, TaskKind, finish, sinks, whole};
use crate::ir::*;
use crate::options::Options;
use crate::pass::release::Release;

/// Most times that registers are left out of instances for these to be alike.
const ROUNDS: usize = 4;

/// The second edge.
#[derive(Clone, Debug)]
pub struct Released {
    /// Legal, with the state of the schedule's netlist.
    pub netlist: Netlist,
    /// Reset inputs and their inactive levels.
    pub inputs: Vec<(InputId, bool)>,
    pub edge: ClockEdge,
    /// Its task, and the functions that instances share.
    pub schedule: Schedule,
}

impl Schedule {
    /// The only edge of a design that has a second one if it has resets: it is not cut into parts.
    pub fn only_edge(&self) -> Option<ClockEdge> {
        let plain = self.domains.model == TimingModel::Static && self.parts.parts.is_empty();
        match sinks::edges(&self.domains)[..] {
            [edge] if plain && edge.edge == Edge::Rise => Some(edge),
            _ => None,
        }
    }

    /// Adds the second edge.
    pub fn release(&mut self, edge: ClockEdge, found: Release, options: &Options) {
        let Release { netlist, inputs } = found;
        let sinks = sinks::edge_sinks(&netlist, &self.domains, edge);
        let (activity, classes) = self.shared_again(&netlist, edge, &sinks, options);
        let mut task = EdgeTask::new(&netlist, &activity, &classes, options);
        task.sleeps = false;
        let body = task.body(sinks);
        let mut tasks = task.shared;
        tasks.push((TaskKind::Edge(edge), Vec::new(), body));
        let tasks = tasks.into_iter();
        let tasks = tasks.map(|task| finish(&netlist, &activity.supernodes, task, options));
        let schedule = Schedule {
            domains: self.domains.clone(),
            tasks: tasks.collect(),
            supernodes: activity.supernodes,
            classes,
            parts: self.parts.clone(),
            gating: self.gating,
            released: None,
            skips: self.skips,
            sleeps: false,
        };
        self.released = Some(Box::new(Released {
            netlist,
            inputs,
            edge,
            schedule,
        }));
    }

    /// The classes of the other netlist, and no other supernodes.
    fn shared_again(
        &self,
        n: &Netlist,
        edge: ClockEdge,
        sinks: &[Sink],
        options: &Options,
    ) -> (Activity, Vec<Class>) {
        if self.classes.is_empty() {
            return (Activity::none(n), Vec::new());
        }
        let tasks = [(TaskKind::Edge(edge), sinks.to_vec())];
        let find = |nodes: &[Supernode]| {
            let activity = Activity::again(n, sinks, options.gating, nodes);
            let classes = alike::classes(n, &activity, &tasks);
            (activity, classes)
        };
        let mut large = whole::instances(n, sinks, &self.supernodes, &self.classes);
        let registers =
            |nodes: &[Supernode]| nodes.iter().map(|s| s.registers.len()).sum::<usize>();
        let most = registers(&large);
        let (mut activity, mut classes) = find(&large);
        for _ in 0..ROUNDS {
            if !whole::leave_out(n, &activity, sinks, &mut large) {
                break;
            }
            (activity, classes) = find(&large);
        }
        let few_left_out = 8 * registers(&large) >= 7 * most;
        if few_left_out && whole::are_alike(n, &self.supernodes, &activity.supernodes, &classes) {
            return (activity, classes);
        }
        let nodes = &self.supernodes.nodes;
        let (_, classes) = find(nodes);
        let mut kept: Vec<Supernode> = nodes.iter().map(Supernode::dissolved).collect();
        for member in classes.iter().flat_map(|class| &class.members) {
            kept[member.node] = nodes[member.node].clone();
        }
        let activity = Activity::again(n, sinks, options.gating, &kept);
        (activity, classes)
    }
}
