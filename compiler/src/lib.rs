//! rtlwasm: an ahead-of-time compiler from hardware designs to WebAssembly simulation artifacts.
pub mod api;
pub mod arena;
pub mod bits;
pub mod compile;
pub mod diag;
pub mod emit;
pub mod front;
pub mod ir;
pub mod layout;
pub mod options;
pub mod package;
pub mod pass;
pub mod pipeline;
pub mod sched;
#[cfg(feature = "cli")]
pub mod stage;

pub use api::{Artifact, Compiler};
pub use compile::{Compilation, compile};
#[cfg(feature = "cli")]
pub use stage::{Stage, emit_stage};

/// Names of the optimisations that can be left out one by one ([`options::Options::without`]).
pub fn optimisations() -> impl Iterator<Item = &'static str> {
    pass::PASSES.iter().map(|p| p.name)
}

/// The guide's examples are tests.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../../docs/library.md")]
struct LibraryGuide;
