//! Netlist to netlist: each pass is a verb, a file and `pub fn run(&Netlist) -> Netlist`.
//!
//! The order is the one table [`PASSES`]. [`legalize`] always runs, last: it brings every value but a
//! few wide operands down to 64 bits, which is what the stages behind it understand.

mod case;
mod latch;
pub mod legalize;
mod mask;
pub mod release;
mod shortcut;
mod sweep;
mod ungate;
mod uses;

use crate::ir::{Netlist, rewrite, validate};
use crate::options::{OptLevel, Options};

/// One optimisation.
pub struct Pass {
    /// As in `-Z no-<name>`.
    pub name: &'static str,
    /// The lowest level that runs it.
    pub level: OptLevel,
    pub run: fn(&Netlist, &Options) -> Netlist,
}

/// All optimisations, in order.
pub const PASSES: &[Pass] = &[
    Pass {
        name: "simplify",
        level: OptLevel::O1,
        run: |n, _| rewrite(n, |r, id| r.copy(id)),
    },
    Pass {
        name: "cases",
        level: OptLevel::O1,
        run: |n, _| case::run(n),
    },
    Pass {
        name: "priorities",
        level: OptLevel::O1,
        run: |n, _| case::priority::run(n),
    },
    Pass {
        name: "ungate",
        level: OptLevel::O1,
        run: ungate::run,
    },
    Pass {
        name: "constant-masks",
        level: OptLevel::O1,
        run: |n, _| mask::run(n),
    },
    Pass {
        name: "sweep",
        level: OptLevel::O1,
        run: sweep::run,
    },
    Pass {
        name: "join-latches",
        level: OptLevel::O1,
        run: latch::run,
    },
    Pass {
        name: "sweep-again",
        level: OptLevel::O1,
        run: sweep::run,
    },
    Pass {
        name: "shortcuts",
        level: OptLevel::O1,
        run: |n, _| shortcut::run(n),
    },
];

/// The optimised netlist, not yet legal for the emitter.
pub fn optimize(mut netlist: Netlist, options: &Options) -> Netlist {
    for pass in PASSES.iter().filter(|p| options.runs(p.name, p.level)) {
        netlist = (pass.run)(&netlist, options);
        if cfg!(debug_assertions) {
            validate(&netlist);
        }
    }
    netlist
}
