//! The whole driver: elaborate, optimise, schedule, lay out, emit, package - once each, in order.

use crate::emit;
use crate::ir::Netlist;
use crate::layout::{self, Layout};
use crate::options::{OptLevel, Options};
use crate::package::{self, Packaged};
use crate::pass::{self, release};
use crate::sched::observe::{Observed, observe};
use crate::sched::{self, Schedule};

/// A netlist compiled up to addresses; what the stages after it and the `dump` command need.
pub struct Prepared {
    /// Optimised and legal.
    pub netlist: Netlist,
    pub observed: Observed,
    pub schedule: Schedule,
    pub layout: Layout,
}

/// Optimises, schedules and lays out a netlist.
pub fn prepare(netlist: Netlist, options: &Options) -> Prepared {
    let optimized = sched::ahead::run(pass::optimize(netlist, options), options);
    let netlist = pass::legalize::run(&optimized);
    let observed = observe(&netlist);
    let mut schedule = sched::schedule(&netlist, &observed, options);
    if let Some(edge) = schedule.only_edge()
        && options.runs(release::RELEASE, OptLevel::O1)
        && let Some(mut found) = release::run(&optimized)
    {
        found.netlist = pass::legalize::run(&found.netlist);
        debug_assert_eq!(found.netlist.registers.len(), netlist.registers.len());
        schedule.release(edge, found, options);
    }
    let layout = layout::assign(&netlist, &schedule, &observed);
    Prepared {
        netlist,
        observed,
        schedule,
        layout,
    }
}

/// Compiles a netlist to an artifact.
pub fn compile_netlist(netlist: Netlist, options: &Options) -> Packaged {
    let p = prepare(netlist, options);
    let emitted = emit::module(&p.netlist, &p.schedule, &p.layout, &p.observed, options);
    package::artifact(&p.netlist, &p.schedule, &p.layout, emitted, options)
}
