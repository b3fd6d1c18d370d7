//! A loaded artifact as a Python object: its bytes, what it says of itself, what the compiler said.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rtlwasm::reach::Reach;
use rtlwasm_host::ModelOptions;

use crate::engine::Compiled;
use crate::errors::{exception, guarded, not_loaded};
use crate::reference::{Engine, Source, Twins};

/// A compiled design, ready to make any number of models.
#[pyclass(frozen, subclass, module = "rtlwasm._native")]
pub struct Artifact {
    pub host: rtlwasm_host::Artifact,
    wasm: Py<PyBytes>,
    warnings: String,
    dependencies: Vec<PathBuf>,
    source: Option<Py<Source>>,
    twins: Twins,
    /// Of one made for a simulation engine.
    design: Option<Compiled>,
}

impl Artifact {
    /// One for a simulation engine.
    pub fn made(host: rtlwasm_host::Artifact, wasm: Py<PyBytes>, design: Compiled) -> Artifact {
        Artifact {
            host,
            wasm,
            warnings: String::new(),
            dependencies: Vec::new(),
            source: None,
            twins: Twins::default(),
            design: Some(design),
        }
    }

    /// What hangs on what in the design, as far as that is known of it.
    pub fn reach(&self, py: Python<'_>) -> PyResult<Option<Arc<Reach>>> {
        let design = self.design.as_ref();
        design.map_or(Ok(None), |design| design.reach(py))
    }

    /// What models with that engine are made of.
    pub fn for_engine(&self, py: Python<'_>, engine: Engine) -> PyResult<rtlwasm_host::Artifact> {
        if engine == Engine::Wasm {
            return Ok(self.host.clone());
        }
        let Some(source) = &self.source else {
            let text = format!(
                "engine=\"{}\" needs the source, and a .wasm file holds none: make the model of what rtlwasm.compile \
                 returns, or say what the file was compiled from, \
                 rtlwasm.load(file, engine=\"{}\", source=...)",
                engine.name(),
                engine.name()
            );
            return Err(exception(py, "OptionError", text));
        };
        let (source, compiled) = (source.get(), &self.host);
        let made = guarded(py, || {
            py.detach(|| self.twins.get(engine, source, compiled))
        })?;
        made.map_err(|error| not_loaded(py, &error))
    }
}

#[pymethods]
impl Artifact {
    #[new]
    #[pyo3(signature = (wasm, *, cached = true, warnings = String::new(), dependencies = Vec::new(), source = None))]
    fn new(
        py: Python<'_>,
        wasm: &Bound<'_, PyBytes>,
        cached: bool,
        warnings: String,
        dependencies: Vec<PathBuf>,
        source: Option<Py<Source>>,
    ) -> PyResult<Artifact> {
        let mut options = ModelOptions::default();
        if !cached {
            options.cache_dir = None;
        }
        let bytes = wasm.as_bytes();
        let load = || rtlwasm_host::Artifact::from_bytes(bytes, &options);
        let loaded = guarded(py, || py.detach(load))?;
        Ok(Artifact {
            host: loaded.map_err(|error| not_loaded(py, &error))?,
            wasm: wasm.clone().unbind(),
            warnings,
            dependencies,
            source,
            twins: Twins::default(),
            design: None,
        })
    }

    /// The bytes of the `.wasm` file.
    #[getter]
    fn wasm(&self, py: Python<'_>) -> Py<PyBytes> {
        self.wasm.clone_ref(py)
    }

    /// What it was compiled from, for the engines that run that; None when it was loaded.
    #[getter]
    fn _source(&self, py: Python<'_>) -> Option<Py<Source>> {
        self.source.as_ref().map(|source| source.clone_ref(py))
    }

    /// Name of the top module.
    #[getter]
    fn top(&self) -> &str {
        &self.host.manifest().top
    }

    /// What the compiler found suspicious, with source lines; empty when nothing was, or when the artifact was loaded.
    #[getter]
    fn warnings(&self) -> &str {
        &self.warnings
    }

    /// Every file that was read to compile it.
    #[getter]
    fn dependencies(&self) -> Vec<PathBuf> {
        self.dependencies.clone()
    }

    /// The paths of all signals, ports first.
    fn paths(&self) -> Vec<Vec<String>> {
        self.host
            .signals()
            .iter()
            .map(|signal| signal.path.clone())
            .collect()
    }

    /// How many of the signals are ports.
    fn port_count(&self) -> usize {
        self.host.ports().len()
    }

    /// The manifest, signals of the inside included, as JSON.
    fn manifest_json(&self, py: Python<'_>) -> PyResult<String> {
        let text = serde_json::to_string(self.host.manifest());
        text.map_err(|error| exception(py, "InternalError", error.to_string()))
    }
}
