//! What runs when, and under which condition.
//!
//! In: a legal netlist (`pass::legalize`). Out: a [`Schedule`]: for each function of the artifact that
//! depends on the design a tree of [`Block`]s - cells to evaluate, branches under which a cone runs,
//! and stores. Nothing here knows WebAssembly or addresses.

pub mod activity;
mod delay;
pub mod domains;
pub mod observe;
mod partition;
mod print;
pub mod regions;
pub mod sinks;

use rustc_hash::FxHashSet;

use crate::ir::*;
use crate::options::{Gating, OptLevel, Options};
use activity::{Activity, Owner, Supernodes};
pub use domains::{Domain, DomainId, Domains, TimingModel};
pub use print::{print, task_name};
use regions::Sink;

/// Everything the emitter needs to know about order.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub domains: Domains,
    pub tasks: Vec<Task>,
    /// Parts of the only clock edge's task that can sleep.
    pub supernodes: Supernodes,
    pub gating: Gating,
    /// Once a clock cycle has changed nothing, those behind it in the same call are only counted.
    pub skips: bool,
}

/// One function of the artifact.
#[derive(Clone, Debug)]
pub struct Task {
    pub kind: TaskKind,
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
    /// The registers, writes and effects of one edge, in place.
    Edge(ClockEdge),
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
    /// Runs a piece of the task.
    Call(usize),
}

impl Step {
    /// The blocks inside a step.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let (first, second) = match self {
            Step::Branch(branch) => (Some(&branch.on_true), Some(&branch.on_false)),
            Step::Guard { body, .. } | Step::Supernode { body, .. } => (Some(body), None),
            Step::Eval(_) | Step::Alias { .. } | Step::Act(_) | Step::Call(_) => (None, None),
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

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    StoreRegister(RegisterId, CellId),
    StoreLatch(LatchId, CellId),
    /// Stores, and notes whether the value differs.
    StoreLoop(LoopId, CellId),
    /// Stores a cell's value to its own place.
    StoreNet(CellId),
    /// Stores the level of a computed trigger.
    StoreLevel(TriggerId, CellId),
    /// An asynchronous load that is active: stores, and notes whether the value differs.
    Load(RegisterId, CellId),
    /// A memory write whose enable is 1.
    Write {
        memory: MemoryId,
        port: usize,
    },
    /// Evaluates a memory read here, before later writes.
    Read(CellId),
    /// Runs a supernode; in a finished block it is [`Step::Supernode`].
    Run(usize),
    /// An effect whose enable is 1.
    Effect(usize),
    /// An effect whose enable is 1 and that waits for the end of the instant.
    Due(usize),
    /// An effect that may have waited.
    Last(usize),
    /// An effect whose enable and arguments are compared with those of the last settling.
    Change(usize),
}

/// Name of activity gating among the optimisations.
pub const SLEEP: &str = "sleep";
/// And of counting cycles that change nothing instead of running them.
pub const SKIP: &str = "skip";

/// And of computing values late.
pub const DELAY: &str = "delay";

/// Schedules a legal netlist.
pub fn schedule(netlist: &Netlist, observed: &observe::Observed, options: &Options) -> Schedule {
    let domains = domains::find(netlist);
    let tasks = sinks::tasks(netlist, &domains, observed);
    let activity = match options.runs(SLEEP, OptLevel::O1) {
        true => Activity::find(netlist, &domains, &tasks, options.gating),
        false => Activity::none(netlist),
    };
    let none = Activity::none(netlist);
    let mut gated = regions::Scheduler::new(netlist, &activity);
    let mut plain = regions::Scheduler::new(netlist, &none);
    let tasks = tasks.into_iter().map(|(kind, sinks)| {
        let mut pieces = Vec::new();
        let body = match kind {
            TaskKind::Edge(_) => edge(&activity, &mut gated, sinks),
            _ => plain.block(sinks, Owner::NONE),
        };
        let body = match options.runs(DELAY, OptLevel::O1) {
            true => delay::delay(netlist, body),
            false => body,
        };
        let body = partition::cut(body, options.profile.max_steps(), &mut pieces);
        Task { kind, body, pieces }
    });
    let tasks = tasks.collect();
    let is_static = domains.model == TimingModel::Static;
    Schedule {
        // Random values differ from cycle to cycle.
        skips: is_static && netlist.randoms.is_empty() && options.runs(SKIP, OptLevel::O0),
        tasks,
        domains,
        supernodes: activity.supernodes,
        gating: options.gating,
    }
}

/// The block of a clock edge, with the supernodes where they run.
fn edge(activity: &Activity, scheduler: &mut regions::Scheduler, sinks: Vec<Sink>) -> Block {
    let (rest, parts) = activity.split(sinks);
    let parts = parts.into_iter().enumerate();
    let mut bodies: Vec<Block> = parts
        .map(|(i, part)| scheduler.block(part, Owner::supernode(i)))
        .collect();
    let mut block = scheduler.block(rest, Owner::NONE);
    let mut seen = FxHashSet::default();
    for step in &mut block.steps {
        if let Step::Act(Action::Run(index)) = *step {
            let inputs = activity.supernodes.nodes[index].inputs.iter().copied();
            *step = Step::Supernode {
                index,
                inputs: inputs.filter(|cell| seen.insert(*cell)).collect(),
                body: std::mem::take(&mut bodies[index]),
            };
        }
    }
    block
}
