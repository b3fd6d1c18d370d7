//! rtlwasm: an ahead-of-time compiler from hardware designs to WebAssembly simulation artifacts.
//!
//! [`Compiler`] is what build scripts and programs use:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "
//! module \\inverter
//!   wire input 1 \\a
//!   wire output 2 \\y
//!   cell $not $1
//!     parameter \\A_SIGNED 0
//!     parameter \\A_WIDTH 1
//!     parameter \\Y_WIDTH 1
//!     connect \\A \\a
//!     connect \\Y \\y
//!   end
//! end";
//! let artifact = rtlwasm::Compiler::new().rtlil("inverter.il", text).compile()?;
//! assert!(artifact.bytes().starts_with(b"\0asm"));
//! # Ok(())
//! # }
//! ```
//!
//! Inside, a design takes one way through the modules, never back. This is the order to read them in:
//!
//! 1. [`front`] turns any source into RTLIL text ([`front::yosys`], for Verilog) and that into a netlist
//!    ([`front::rtlil`]). Only here can a design be refused, with a [`diag::Diagnostic`].
//! 2. [`ir`] is the netlist: cells, registers, latches, memories, effects and names. [`ir::interp`] runs it, slowly and
//!    plainly; everything behind must agree with it.
//! 3. [`pass`] makes the netlist smaller and splits wide values into words.
//! 4. [`sched`] decides what runs when, under which condition, in which function.
//! 5. [`layout`] gives every stored value its address.
//! 6. [`emit`] writes the module, [`package`] optimises it and adds the manifest.
//!
//! [`reference`] gives the interpreter the interface of an artifact, for hosts that run both.
//!
//! [`reach`] tells hosts what hangs on what in a netlist.
//!
//! [`pipeline`] calls 3 to 6 and [`compile()`] all of them. [`bits`] and [`arena`] are used everywhere.

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
pub mod reach;
pub mod reference;
pub mod sched;
#[cfg(feature = "cli")]
pub mod stage;

pub use api::{Artifact, Compiler};
pub use compile::{Compilation, compile, compile_with_rtlil};
#[cfg(feature = "cli")]
pub use stage::{Stage, emit_stage};

/// Names of the optimisations that can be left out one by one ([`options::Options::without`]).
pub fn optimisations() -> impl Iterator<Item = &'static str> {
    pass::PASSES.iter().map(|p| p.name).chain([
        sched::SLEEP,
        sched::PARTS,
        sched::SHARE,
        sched::SKIP,
        pass::release::RELEASE,
        sched::DELAY,
        sched::AHEAD,
        sched::moves::MOVES,
        emit::MEMORY_ARGUMENTS,
    ])
}

/// The guide's examples are tests.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../../docs/library.md")]
struct LibraryGuide;
