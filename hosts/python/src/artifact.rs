//! A loaded artifact as a Python object: its bytes, what it says of itself, what the compiler said.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rtlwasm_host::ModelOptions;

use crate::errors::{exception, guarded, not_loaded};

/// A compiled design, ready to make any number of models.
#[pyclass(frozen, subclass, module = "rtlwasm._native")]
pub struct Artifact {
    pub host: rtlwasm_host::Artifact,
    wasm: Py<PyBytes>,
    warnings: String,
    dependencies: Vec<PathBuf>,
}

impl Artifact {
    /// One that is not read from a file.
    pub fn made(host: rtlwasm_host::Artifact, wasm: Py<PyBytes>) -> Artifact {
        Artifact {
            host,
            wasm,
            warnings: String::new(),
            dependencies: Vec::new(),
        }
    }
}

#[pymethods]
impl Artifact {
    #[new]
    #[pyo3(signature = (wasm, *, cached = true, warnings = String::new(), dependencies = Vec::new()))]
    fn new(
        py: Python<'_>,
        wasm: &Bound<'_, PyBytes>,
        cached: bool,
        warnings: String,
        dependencies: Vec<PathBuf>,
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
        })
    }

    /// The bytes of the `.wasm` file.
    #[getter]
    fn wasm(&self, py: Python<'_>) -> Py<PyBytes> {
        self.wasm.clone_ref(py)
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
