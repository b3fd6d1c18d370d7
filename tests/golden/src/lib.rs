//! The tests' own machinery. Fixtures and outside simulators in, differences between them and our engines
//! out ([`fixture`], [`oracle`]), what each stage made of a fixture as snapshots ([`snapshot`], [`table`], [`manifest`]); and engines that run the same netlist must agree: [`random`] makes
//! netlists, [`stimulus`] what to do to them, [`engine`] compares whatever runs them, [`lockstep`] is the Rust host's models and [`shrink`] makes a
//! failing case small enough to read. [`fuzz`] is for damaged input. [`bench`] measures instead of comparing.

pub mod artifact;
pub mod bench;
pub mod compare;
pub mod cores;
pub mod elaborate;
pub mod engine;
pub mod fixture;
pub mod fuzz;
pub mod library;
pub mod lockstep;
pub mod manifest;
pub mod oracle;
pub mod random;
pub mod rng;
pub mod shrink;
pub mod snapshot;
pub mod stimulus;
pub mod table;
