//! The clock edge while no reset is active.
//!
//! The host changes no input within a call, so whether a reset is active is asked once for all of its cycles. For those
//! in which none is, the edge has a second task, made of the netlist without resets (`pass/release.rs`).

use super::activity::{Activity, Owner, Supernodes};
use super::domains::TimingModel;
use super::{Schedule, Task, TaskKind, finish, moves, regions, sinks};
use crate::ir::*;
use crate::options::Options;

/// The second task.
#[derive(Clone, Debug)]
pub struct Released {
    /// Legal, with the state of the schedule's netlist.
    pub netlist: Netlist,
    /// Reset inputs and their inactive levels.
    pub inputs: Vec<(InputId, bool)>,
    pub edge: ClockEdge,
    pub task: Task,
}

impl Schedule {
    /// The only edge of a design that has a second task if it has resets: nothing in it sleeps.
    pub fn only_edge(&self) -> Option<ClockEdge> {
        let plain = self.domains.model == TimingModel::Static
            && self.supernodes.nodes.is_empty()
            && self.parts.parts.is_empty();
        match sinks::edges(&self.domains)[..] {
            [edge] if plain && edge.edge == Edge::Rise => Some(edge),
            _ => None,
        }
    }

    /// Adds the task.
    pub fn release(
        &mut self,
        edge: ClockEdge,
        netlist: Netlist,
        inputs: Vec<(InputId, bool)>,
        options: &Options,
    ) {
        let none = Activity::none(&netlist);
        let sinks = sinks::edge_sinks(&netlist, &self.domains, edge);
        let sinks = moves::join(&netlist, sinks, options);
        let body = regions::Scheduler::new(&netlist, &none).block(sinks, Owner::NONE);
        let body = (TaskKind::Edge(edge), Vec::new(), body);
        let task = finish(&netlist, &Supernodes::default(), body, options);
        self.released = Some(Released {
            netlist,
            inputs,
            edge,
            task,
        });
    }
}
