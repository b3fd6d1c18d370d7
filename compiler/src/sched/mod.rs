//! What runs when, and under which condition.
//!
//! In: a legal netlist (`pass::legalize`). Out: a [`Schedule`]: for each function of the artifact that
//! depends on the design a tree of [`Block`]s - cells to evaluate, branches under which a cone runs,
//! and stores. Nothing here knows WebAssembly or addresses.

mod action;
pub mod activity;
pub mod ahead;
mod alike;
mod delay;
pub mod domains;
pub mod moves;
pub mod observe;
mod partition;
pub mod parts;
mod print;
pub mod regions;
mod released;
pub mod sinks;
mod whole;

use rustc_hash::FxHashSet;

use crate::ir::*;
use crate::options::{Gating, OptLevel, Options};
pub use action::{Action, State};
use activity::{Activity, Inputs, Owner, Supernodes};
use alike::Class;
pub use domains::{Domain, DomainId, Domains, TimingModel};
use parts::{Cut, Parts};
pub use print::{print, task_name};
use regions::Sink;
pub use released::Released;

/// Everything the emitter needs to know about order.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub domains: Domains,
    pub tasks: Vec<Task>,
    /// Parts of the only clock edge's task that can sleep.
    pub supernodes: Supernodes,
    /// Those of them that run one function.
    pub classes: Vec<Class>,
    /// The pieces of the only clock edge's task, where a large design is cut instead.
    pub parts: Parts,
    pub gating: Gating,
    /// The edge of the only clock while no reset is active and nothing sleeps.
    pub released: Option<Box<Released>>,
    /// Whether supernodes can sleep in its edge; otherwise those in a class only share a function.
    pub sleeps: bool,
    /// Once a clock cycle has changed nothing, those behind it in the same call are only counted.
    pub skips: bool,
}

/// One function of the artifact.
#[derive(Clone, Debug)]
pub struct Task {
    pub kind: TaskKind,
    /// Cells whose values its caller gives.
    pub params: Vec<CellId>,
    pub body: Block,
    /// Parts of the body that are functions of their own, called from it or from later pieces.
    pub pieces: Vec<Block>,
}

/// What a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Combinational logic to the outputs, latches, cut loops, asynchronous loads and computed triggers.
    Settle,
    /// Effects that follow changes of values, after settling.
    Changes,
    /// Effects that waited for the end of the instant.
    Last,
    /// Levels of computed clocks right after a flip, before registers act.
    Carry,
    /// Hidden registers, after the host has written something.
    Renew,
    /// The registers, writes and effects of one edge, in place.
    Edge(ClockEdge),
    /// One of the parts of an edge.
    Part(ClockEdge, usize),
    /// The same for supernodes that are alike.
    Shared(usize),
    /// The same for one clock domain, into shadow places.
    Compute(DomainId),
    /// The effects of one group, where several domains have effects: their order is the source's.
    Effects(usize),
    /// Effects of `initial` blocks, and the first look at those on change.
    Initial,
    /// Debug-visible values that have no place of their own.
    Outline,
}

/// Steps in order.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub steps: Vec<Step>,
}

/// One step of a block.
#[derive(Clone, Debug)]
pub enum Step {
    /// Computes a cell; later steps of this and of nested blocks may use it.
    Eval(CellId),
    /// The same for a mux whose select is known here: it has the value of one of its arms.
    Alias {
        cell: CellId,
        value: CellId,
    },
    /// Runs one of two blocks.
    Branch(Branch),
    /// Computes cells that only branches behind it use, when one of those will run.
    Guard {
        any: Vec<Condition>,
        body: Block,
    },
    Act(Action),
    /// Runs a supernode, if it is awake, after looking at those of its inputs that none before it has.
    Supernode {
        index: usize,
        inputs: Vec<CellId>,
        body: Block,
    },
    /// Runs the function of a class for one of its supernodes.
    Shared {
        class: usize,
        node: usize,
        args: Vec<CellId>,
    },
    /// Runs a piece of the task.
    Call(usize),
}

impl Step {
    /// The blocks inside a step.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let (first, second) = match self {
            Step::Branch(branch) => (Some(&branch.on_true), Some(&branch.on_false)),
            Step::Guard { body, .. } | Step::Supernode { body, .. } => (Some(body), None),
            Step::Eval(_)
            | Step::Alias { .. }
            | Step::Act(_)
            | Step::Shared { .. }
            | Step::Call(_) => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// A choice by the value of a cell of width 1.
#[derive(Clone, Debug)]
pub struct Branch {
    pub select: CellId,
    /// Muxes of that select that take their value at the end of the block that ran.
    pub merges: Vec<CellId>,
    pub on_true: Block,
    pub on_false: Block,
}

/// A cell of width 1 has this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    pub select: CellId,
    pub level: bool,
}

/// Name of activity gating among the optimisations.
pub const SLEEP: &str = "sleep";
/// And of counting cycles that change nothing instead of running them.
pub const SKIP: &str = "skip";

/// And of parts that sleep in designs without such instances.
pub const PARTS: &str = "parts";
/// And of one function for supernodes that are alike.
pub const SHARE: &str = "share";
/// And of computing values late.
pub const DELAY: &str = "delay";

/// And of computing values when that is written on which they depend.
pub const AHEAD: &str = "ahead";

/// Schedules a legal netlist.
pub fn schedule(netlist: &Netlist, observed: &observe::Observed, options: &Options) -> Schedule {
    let domains = domains::find(netlist);
    let sinks = sinks::tasks(netlist, &domains, observed);
    let (mut activity, mut classes) = gate(netlist, &domains, &sinks, options);
    let cut = cut(netlist, &domains, &sinks, &activity, options);
    if cut.is_some() {
        (activity, classes) = (Activity::none(netlist), Vec::new());
    }
    let none = Activity::none(netlist);
    let mut plain = regions::Scheduler::new(netlist, &none);
    let mut tasks = Vec::new();
    for (kind, sinks) in sinks {
        match kind {
            TaskKind::Edge(edge) if cut.is_some() => {
                let parts = cut.iter().flat_map(|cut| cut.tasks(netlist, edge));
                tasks.extend(parts);
                tasks.push((kind, Vec::new(), Block::default()));
            }
            TaskKind::Edge(_) => {
                let mut edge = EdgeTask::new(netlist, &activity, &classes, options);
                let body = edge.body(sinks);
                tasks.extend(edge.shared);
                tasks.push((kind, Vec::new(), body));
            }
            _ => tasks.push((kind, Vec::new(), plain.block(sinks, Owner::NONE))),
        }
    }
    let tasks = tasks.into_iter();
    let tasks = tasks.map(|task| finish(netlist, &activity.supernodes, task, options));
    let tasks = tasks.collect();
    let is_static = domains.model == TimingModel::Static;
    Schedule {
        // Random values differ from cycle to cycle.
        skips: is_static && netlist.randoms.is_empty() && options.runs(SKIP, OptLevel::O0),
        tasks,
        domains,
        sleeps: !activity.supernodes.nodes.is_empty(),
        supernodes: activity.supernodes,
        classes,
        released: None,
        parts: cut.map(|cut| cut.parts).unwrap_or_default(),
        gating: options.gating,
    }
}

/// A task of its kind, parameters and block: values late, functions small.
fn finish(
    n: &Netlist,
    supernodes: &Supernodes,
    (kind, params, body): (TaskKind, Vec<CellId>, Block),
    options: &Options,
) -> Task {
    let body = match options.runs(DELAY, OptLevel::O1) {
        true => delay::delay(n, supernodes, body),
        false => body,
    };
    let mut pieces = Vec::new();
    let body = partition::cut(body, options.profile.max_steps(), &mut pieces);
    Task {
        kind,
        params,
        body,
        pieces,
    }
}

/// Which instances can sleep, and which of them run one function.
fn gate(
    n: &Netlist,
    domains: &Domains,
    tasks: &[(TaskKind, Vec<Sink>)],
    options: &Options,
) -> (Activity, Vec<Class>) {
    if !options.runs(SLEEP, OptLevel::O1) {
        return (Activity::none(n), Vec::new());
    }
    let find = |inputs| Activity::find(n, domains, tasks, options.gating, inputs);
    if options.runs(SHARE, OptLevel::O1) {
        let activity = find(Inputs::Picked);
        let classes = alike::classes(n, &activity, tasks);
        if alike::saved_cells(&activity, &classes) >= options.gating.shared_cells {
            return (activity, classes);
        }
    }
    (find(Inputs::Whole), Vec::new())
}

/// The parts of a design most of which lies outside of instances that can sleep.
fn cut(
    n: &Netlist,
    domains: &Domains,
    tasks: &[(TaskKind, Vec<Sink>)],
    activity: &Activity,
    options: &Options,
) -> Option<Cut> {
    let gating = options.gating;
    let runs = options.runs(PARTS, OptLevel::O1);
    let is_small = n.cells.len() < gating.ungated;
    if !runs || is_small || activity.ungated(n, tasks) < gating.ungated {
        return None;
    }
    Cut::find(n, domains, tasks, gating)
}

/// The task of a clock edge while it is made.
struct EdgeTask<'a> {
    netlist: &'a Netlist,
    activity: &'a Activity,
    classes: &'a [Class],
    options: &'a Options,
    /// Whether supernodes sleep.
    sleeps: bool,
    scheduler: regions::Scheduler<'a>,
    /// The functions of classes: kind, parameters, block.
    shared: Vec<(TaskKind, Vec<CellId>, Block)>,
}

impl<'a> EdgeTask<'a> {
    fn new(
        netlist: &'a Netlist,
        activity: &'a Activity,
        classes: &'a [Class],
        options: &'a Options,
    ) -> Self {
        EdgeTask {
            netlist,
            activity,
            classes,
            options,
            sleeps: true,
            scheduler: regions::Scheduler::new(netlist, activity),
            shared: Vec::new(),
        }
    }

    /// The block, with the supernodes where they run.
    fn body(&mut self, sinks: Vec<Sink>) -> Block {
        let (rest, parts) = self.activity.split(&sinks);
        let mut bodies = self.bodies(parts);
        let mut block = self.block(rest, Owner::NONE);
        let mut seen = FxHashSet::default();
        for step in &mut block.steps {
            if let Step::Act(Action::Run(index)) = *step {
                if !self.sleeps {
                    let body = bodies[index].steps.pop();
                    *step = body.expect("the call of a class's function");
                    continue;
                }
                let inputs = &self.activity.supernodes.nodes[index].inputs;
                let inputs = inputs.iter().copied();
                *step = Step::Supernode {
                    index,
                    inputs: inputs.filter(|cell| seen.insert(*cell)).collect(),
                    body: std::mem::take(&mut bodies[index]),
                };
            }
        }
        block
    }

    fn block(&mut self, sinks: Vec<Sink>, owner: Owner) -> Block {
        let sinks = moves::join(self.netlist, sinks, self.options);
        self.scheduler.block(sinks, owner)
    }

    /// What each supernode does: the call of its class's function, or all of it.
    fn bodies(&mut self, parts: Vec<Vec<Sink>>) -> Vec<Block> {
        let mut calls: Vec<Option<Step>> = vec![None; parts.len()];
        for (class, found) in self.classes.iter().enumerate() {
            for member in &found.members {
                calls[member.node] = Some(Step::Shared {
                    class,
                    node: member.node,
                    args: member.args.clone(),
                });
            }
        }
        for (class, found) in self.classes.iter().enumerate() {
            let model = &found.members[0];
            let sinks = parts[model.node].clone();
            let body = self.block(sinks, Owner::supernode(model.node));
            let kind = TaskKind::Shared(class);
            self.shared.push((kind, model.args.clone(), body));
        }
        let bodies = parts.into_iter().zip(calls).enumerate();
        let bodies = bodies.map(|(node, (sinks, call))| match call {
            Some(call) => Block { steps: vec![call] },
            None => self.block(sinks, Owner::supernode(node)),
        });
        bodies.collect()
    }
}
