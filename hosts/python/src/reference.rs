//! The engines that a model may have: the artifact itself, the reference interpreter, or both in lockstep.

use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use rtlwasm::front::RtlilText;
use rtlwasm::options::Options;
use rtlwasm::reference::engine::{both, interpreted};
use rtlwasm_host as host;
use rtlwasm_host::LoadError;
use rtlwasm_host::manifest::{Manifest, Symbols};

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

/// What an artifact was compiled from; only the compiler knows what is in it. Few models need it, so the netlist is read
/// again when the first of them comes.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Source {
    rtlil: RtlilText,
    options: Options,
    manifest: Manifest,
    symbols: Symbols,
    read: OnceLock<Arc<rtlwasm::reference::Source>>,
}

impl Source {
    /// Of a design that has compiled.
    pub fn new(rtlil: RtlilText, options: Options, manifest: Manifest, symbols: Symbols) -> Source {
        Source {
            rtlil,
            options,
            manifest,
            symbols,
            read: OnceLock::new(),
        }
    }

    fn read(&self) -> Arc<rtlwasm::reference::Source> {
        let read = || {
            let netlist = self.rtlil.read(&mut Vec::new());
            Arc::new(rtlwasm::reference::Source {
                netlist: netlist.expect("it was read when it was compiled"),
                options: self.options.clone(),
                manifest: self.manifest.clone(),
                symbols: self.symbols.clone(),
            })
        };
        self.read.get_or_init(read).clone()
    }
}

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
        source: &Source,
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
            Engine::Both => both(source.read(), compiled.clone())?,
            _ => interpreted(source.read())?,
        };
        Ok(slot.get_or_init(|| made).clone())
    }
}
