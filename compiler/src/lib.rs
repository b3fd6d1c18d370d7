//! rtlwasm: an ahead-of-time compiler from hardware designs to WebAssembly simulation artifacts.
pub mod arena;
pub mod bits;
pub mod diag;
pub mod front;
pub mod ir;
pub mod options;
