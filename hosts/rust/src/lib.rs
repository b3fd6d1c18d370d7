//! Loads and runs simulation artifacts made by rtlwasm: `.wasm` in, peeks, pokes, steps, events and snapshots out.
//!
//! An [`Artifact`] is a loaded file: compiled code and checked manifest. A [`Model`] is one running instance of it;
//! any number may be made of one artifact, and they share its code. [`Signal`] and [`Clock`] are handles: looked up
//! once by name, then used without a search.
//!
//! ```no_run
//! use rtlwasm_host::{Model, Status};
//!
//! let mut model = Model::load("counter.wasm")?;
//! let clock = model.only_clock()?;
//! let (enable, count) = (model.signal("en")?, model.signal("count")?);
//! model.poke(enable, 1)?;
//! let run = model.step(clock, 100)?;
//! assert_eq!((run.status, run.cycles), (Status::Ok, 100));
//! println!("{} at time {}", model.peek(count)?, model.time());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * Values of up to 64 bits are `u64`; [`Value`] has any width, and formats and parses all bases.
//! * Poked inputs are taken in by the next [`eval`](Model::eval) or run; nothing settles by itself.
//! * Text of `$display`, failed assertions and `$finish` arrive as [`Event`]s, already formatted.
//! * Times are in units of 10^`time_unit` seconds; the manifest says which (nanoseconds at present).
//! * Artifacts are checked when they are loaded: whatever a damaged file says, it gives a [`LoadError`] and never
//!   reads or writes outside of the model's own memory.
//! * The feature `wave` adds the module `wave`, which writes VCD and FST files.
//!
//! Machine code is cached between runs; see [`ModelOptions::cache_dir`].

mod access;
mod artifact;
mod cache;
mod changes;
mod clocks;
mod control;
mod engine;
mod error;
mod events;
mod format;
mod image;
mod lockstep;
mod machine;
mod model;
mod names;
mod place;
mod play;
mod plusargs;
mod probe;
mod sections;
mod signal;
mod snapshot;
mod stage;
mod summary;
mod takeover;
mod trace;
mod value;
mod verify;
mod watch;
#[cfg(feature = "wave")]
pub mod wave;

pub use artifact::{Artifact, ModelOptions};
pub use cache::{default_cache_dir, keep, kept};
pub use changes::Change;
pub use clocks::Clock;
pub use engine::{Engine, Told, Until};
pub use error::{Error, LoadError};
pub use events::{Event, EventKind, KEPT_EVENTS};
pub use image::ImageFormat;
pub use lockstep::{Divergence, Lockstep};
pub use model::{Model, Run};
pub use names::SignalPath;
pub use place::Place;
pub use play::{Played, Script};
pub use probe::Probe;
pub use rtlwasm_abi::{Status, manifest};
pub use signal::{Access, Kind, Signal};
pub use snapshot::Snapshot;
pub use summary::Summary;
pub use trace::Tracer;
pub use value::{ParseValueError, Value};
pub use watch::{Watch, WatchId};

/// Version of the WebAssembly engine.
pub const WASMTIME_VERSION: &str = "48.0.8";
