//! `rtlwasm._native`: the compiler and the Rust host as Python classes; what is written in Python wraps these.
//!
//! Nothing here computes anything about a design. Every call checks its arguments, gives up the interpreter lock while
//! the model or the compiler works, and turns errors into the exceptions of `rtlwasm.errors`.

mod artifact;
mod breaks;
mod clock;
mod compile;
mod edges;
mod engine;
mod errors;
mod event;
mod mirror;
mod model;
mod number;
mod play;
mod reference;
mod run;
mod signal;
mod state;
mod values;
mod view;
mod watch;

use pyo3::prelude::*;

/// The native part of the package `rtlwasm`.
#[pymodule]
mod _native {
    /// Version of the package, the compiler and the host; Python has this name for it.
    #[allow(non_upper_case_globals)]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::artifact::Artifact;
    #[pymodule_export]
    use crate::breaks::{break_at, break_on, unbreak, value_before};
    #[pymodule_export]
    use crate::clock::Clock;
    #[pymodule_export]
    use crate::compile::compile;
    #[pymodule_export]
    use crate::edges::{eval_to_change, put_time, step_to_change};
    #[pymodule_export]
    use crate::engine::{
        AmaranthKernel, Awaited, BenchContext, Context, Process, Signals, ToriiKernel, Trigger,
        Waiting, compile_design,
    };
    #[pymodule_export]
    use crate::event::Event;
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::play::play_rows;
    #[pymodule_export]
    use crate::reference::Source;
    #[pymodule_export]
    use crate::run::Run;
    #[pymodule_export]
    use crate::signal::Signal;
    #[pymodule_export]
    use crate::state::{begin_wave, end_wave};
    #[pymodule_export]
    use crate::view::View;
    #[pymodule_export]
    use crate::watch::{
        Watch, add_watch, edge_pending, peek_before, set_trace, stage, take_changes,
    };
}
