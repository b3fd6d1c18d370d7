//! The kernel of the simulation engines for Amaranth and Torii: time, rounds, signals; see `rtlwasm._sim` for the rest.

mod bits;
mod core;
mod timeline;
mod torii;

pub use torii::ToriiKernel;
