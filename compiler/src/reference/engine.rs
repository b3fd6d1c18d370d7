//! The reference interpreter as an engine of the Rust host, alone or beside an artifact (feature `engines`).
//!
//! In: what was compiled, and the artifact that came of it. Out: host artifacts whose models run the interpreter, or
//! both in lockstep. It stands here because the host knows nothing of the compiler, and Rust wants the implementation of
//! a foreign trait beside the type; who compiles only builds without the feature and needs no host.

use std::sync::Arc;

use rtlwasm_abi::Status;
use rtlwasm_host as host;
use rtlwasm_host::{Error, LoadError, Lockstep, ModelOptions, Told, Until, Value};

use super::{Design, Reference, Room, Source};
use crate::bits::Bits;

/// The interpreter alone: models of engine `interp`.
pub fn interpreted(source: Arc<Source>) -> Result<host::Artifact, LoadError> {
    let design = Arc::new(Design::new(source, Room::default()));
    let (manifest, ports) = (design.manifest().clone(), design.ports());
    host::Artifact::of_engine(manifest, ports, move || {
        Ok(Box::new(Reference::new(design.clone())))
    })
}

/// The interpreter beside an artifact: models of engine `both`.
pub fn both(source: Arc<Source>, compiled: host::Artifact) -> Result<host::Artifact, LoadError> {
    let room = Room {
        state: compiled.manifest().state.len,
    };
    let design = Arc::new(Design::new(source, room));
    let (manifest, ports) = (design.manifest().clone(), design.ports());
    let shared = Arc::new(manifest.clone());
    host::Artifact::of_engine(manifest, ports, move || {
        let reference = Box::new(Reference::new(design.clone()));
        let model = compiled.model(&ModelOptions {
            cache_dir: None,
            ..ModelOptions::default()
        })?;
        let made = Lockstep::new(reference, shared.clone(), ports, design.room(), model);
        Ok(Box::new(made.map_err(Box::new)?))
    })
}

impl host::Engine for Reference {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn memory(&self) -> &[u8] {
        Reference::memory(self)
    }

    fn memory_mut(&mut self) -> &mut [u8] {
        Reference::memory_mut(self)
    }

    fn reset(&mut self) -> Result<Status, Error> {
        Ok(Reference::reset(self))
    }

    fn eval(&mut self) -> Result<Status, Error> {
        Ok(Reference::eval(self))
    }

    fn step(&mut self, clock: u32, cycles: u64) -> Result<Status, Error> {
        Ok(Reference::step(self, clock, cycles))
    }

    fn edges(&mut self, rise: u64, fall: u64) -> Result<Status, Error> {
        Ok(Reference::edges(self, rise, fall))
    }

    fn advance(&mut self, until: u64) -> Result<Status, Error> {
        Ok(Reference::advance(self, until))
    }

    fn run_until(&mut self, clock: u32, max: u64, until: Until) -> Result<Status, Error> {
        let holds = |memory: &[u8]| until.holds(memory);
        Ok(Reference::run_until(self, clock, max, &holds))
    }

    fn told(&mut self) -> Vec<Told> {
        let value = |bits: &Bits| Value::from_limbs(bits.width(), bits.limbs());
        let events = self.take_events().into_iter();
        let told = events.map(|event| Told {
            site: event.site as u32,
            time: event.time,
            args: event.args.iter().map(value).collect(),
        });
        told.collect()
    }
}
