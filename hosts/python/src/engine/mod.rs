//! The kernel of the simulation engines for Amaranth and Torii: time, rounds, signals; see `rtlwasm._sim` for the rest.

mod adopt;
mod amaranth;
mod bits;
mod context;
mod core;
mod design;
mod free;
mod held;
mod long;
mod looks;
mod memory;
mod process;
mod queue;
mod reach;
mod record;
mod round;
mod signals;
mod slot;
mod stops;
mod targets;
mod timeline;
mod torii;
mod trigger;

pub use amaranth::AmaranthKernel;
pub use context::{Awaited, BenchContext, Context};
pub use design::{Compiled, compile_design};
pub use process::Process;
pub use signals::Signals;
pub use torii::ToriiKernel;
pub use trigger::{Trigger, Waiting};
