//! rtlwasm: an ahead-of-time compiler from hardware designs to WebAssembly simulation artifacts.
pub mod arena;
pub mod bits;
pub mod diag;
pub mod front;
pub mod ir;
pub mod options;
pub mod pass;
pub mod sched;
pub mod emit;
pub mod layout;
