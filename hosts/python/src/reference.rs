//! The engines that a model may have: the artifact itself, the reference interpreter, or both in lockstep.
//!
//! The compiler's interpreter becomes an engine of the Rust host here, where both are known.

use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use rtlwasm::bits::Bits;
use rtlwasm::reference::{Design, Reference, Room};
use rtlwasm_host as host;
use rtlwasm_host::{Error, LoadError, Lockstep, ModelOptions, Status, Told, Until, Value};

use crate::errors::exception;

/// What runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Wasm,
    Interp,
    Both,
}

impl Engine {
    pub fn from_name(py: Python<'_>, name: &str) -> PyResult<Engine> {
        match name {
            "wasm" => Ok(Engine::Wasm),
            "interp" => Ok(Engine::Interp),
            "both" => Ok(Engine::Both),
            _ => {
                let text = format!("engine is one of wasm, interp, both, and not `{name}`");
                Err(exception(py, "OptionError", text))
            }
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Engine::Wasm => "wasm",
            Engine::Interp => "interp",
            Engine::Both => "both",
        }
    }
}

/// What an artifact was compiled from; only the compiler knows what is in it.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Source(pub Arc<rtlwasm::reference::Source>);

/// Artifacts for the other engines, made when they are first asked for.
#[derive(Default)]
pub struct Twins {
    interp: OnceLock<host::Artifact>,
    both: OnceLock<host::Artifact>,
}

impl Twins {
    /// The artifact for models of that engine.
    pub fn get(
        &self,
        engine: Engine,
        source: &Arc<rtlwasm::reference::Source>,
        compiled: &host::Artifact,
    ) -> Result<host::Artifact, LoadError> {
        let (slot, made) = match engine {
            Engine::Wasm => return Ok(compiled.clone()),
            Engine::Interp => (&self.interp, self.interp.get()),
            Engine::Both => (&self.both, self.both.get()),
        };
        if let Some(made) = made {
            return Ok(made.clone());
        }
        let made = match engine {
            Engine::Both => both(source.clone(), compiled.clone())?,
            _ => interpreted(source.clone())?,
        };
        Ok(slot.get_or_init(|| made).clone())
    }
}

fn interpreted(source: Arc<rtlwasm::reference::Source>) -> Result<host::Artifact, LoadError> {
    let design = Arc::new(Design::new(source, Room::default()));
    let (manifest, ports) = (design.manifest().clone(), design.ports());
    host::Artifact::of_engine(manifest, ports, move || {
        Ok(Box::new(Interpreter::new(design.clone())))
    })
}

fn both(
    source: Arc<rtlwasm::reference::Source>,
    compiled: host::Artifact,
) -> Result<host::Artifact, LoadError> {
    let room = Room {
        state: compiled.manifest().state.len,
    };
    let design = Arc::new(Design::new(source, room));
    let manifest = Arc::new(design.manifest().clone());
    host::Artifact::of_engine(design.manifest().clone(), design.ports(), move || {
        let reference = Box::new(Interpreter::new(design.clone()));
        let model = compiled.model(&ModelOptions {
            cache_dir: None,
            ..ModelOptions::default()
        })?;
        let manifest = manifest.clone();
        let made = Lockstep::new(reference, manifest, design.ports(), design.room(), model);
        Ok(Box::new(made.map_err(Box::new)?))
    })
}

/// The compiler's reference interpreter as an engine of the host.
pub struct Interpreter(pub Reference);

impl Interpreter {
    fn new(design: Arc<Design>) -> Interpreter {
        Interpreter(Reference::new(design))
    }
}

impl host::Engine for Interpreter {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn memory(&self) -> &[u8] {
        self.0.memory()
    }

    fn memory_mut(&mut self) -> &mut [u8] {
        self.0.memory_mut()
    }

    fn reset(&mut self) -> Result<Status, Error> {
        Ok(self.0.reset())
    }

    fn eval(&mut self) -> Result<Status, Error> {
        Ok(self.0.eval())
    }

    fn step(&mut self, clock: u32, cycles: u64) -> Result<Status, Error> {
        Ok(self.0.step(clock, cycles))
    }

    fn edges(&mut self, rise: u64, fall: u64) -> Result<Status, Error> {
        Ok(self.0.edges(rise, fall))
    }

    fn advance(&mut self, until: u64) -> Result<Status, Error> {
        Ok(self.0.advance(until))
    }

    fn run_until(&mut self, clock: u32, max: u64, until: Until) -> Result<Status, Error> {
        Ok(self.0.run_until(clock, max, &|memory| until.holds(memory)))
    }

    fn told(&mut self) -> Vec<Told> {
        let value = |bits: &Bits| Value::from_limbs(bits.width(), bits.limbs());
        let events = self.0.take_events().into_iter();
        events
            .map(|event| Told {
                site: event.site as u32,
                time: event.time,
                args: event.args.iter().map(value).collect(),
            })
            .collect()
    }
}
