//! Designs of the frameworks, compiled for their engines: at once, and kept in the user's cache directory.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rtlwasm::diag::{Colour, Diagnostics, Sources, render};
use rtlwasm::options::{ClockOrder, Design, Language, OptLevel, Options, Trace};
use rtlwasm::reach::Reach;
use rtlwasm_host::{LoadError, ModelOptions, default_cache_dir, keep, kept};
use sha2::{Digest, Sha256};

use crate::artifact::Artifact;
use crate::errors::{exception, guarded, not_loaded};

/// The artifact of a design as RTLIL; with `trace` it can tell what changes. Its models begin interpreted. `build` tells
/// builds of one version apart.
#[pyfunction]
pub fn compile_design(
    py: Python<'_>,
    text: &Bound<'_, PyString>,
    build: &str,
    trace: bool,
) -> PyResult<Artifact> {
    let trace = if trace { Trace::On } else { Trace::Off };
    let design = Compiled {
        text: text.clone().unbind(),
        path: path(text.to_str()?, build, trace),
        reach: OnceLock::new(),
    };
    let path = design.path.as_deref();
    let known = path.and_then(kept);
    // A file that cannot be read is as good as none.
    let found = known.and_then(|wasm| Some((load(&wasm).ok()?, wasm)));
    let (host, wasm) = match found {
        Some(found) => found,
        None => {
            let wasm = compile(py, text.to_str()?.to_owned(), trace)?;
            if let Some(path) = path {
                keep(path, &wasm);
            }
            (load(&wasm).map_err(|error| not_loaded(py, &error))?, wasm)
        }
    };
    Ok(Artifact::made(
        host,
        PyBytes::new(py, &wasm).unbind(),
        design,
    ))
}

/// A design that has been compiled.
pub struct Compiled {
    text: Py<PyString>,
    /// Where its artifact is kept.
    path: Option<PathBuf>,
    /// What hangs on what, once somebody has asked.
    reach: OnceLock<Option<Arc<Reach>>>,
}

impl Compiled {
    /// What hangs on what; it is kept beside the artifact.
    pub fn reach(&self, py: Python<'_>) -> PyResult<Option<Arc<Reach>>> {
        if let Some(reach) = self.reach.get() {
            return Ok(reach.clone());
        }
        let path = self.path.as_ref().map(|path| path.with_extension("reach"));
        let known = path.as_deref().and_then(kept);
        let mut reach = known.and_then(|bytes| Reach::from_bytes(&bytes));
        if reach.is_none() {
            let design = design(self.text.to_str(py)?.to_owned());
            let made = guarded(py, || py.detach(|| Reach::of_design(&design)))?;
            reach = made.ok();
            if let (Some(path), Some(reach)) = (&path, &reach) {
                keep(path, &reach.to_bytes());
            }
        }
        Ok(self.reach.get_or_init(|| reach.map(Arc::new)).clone())
    }
}

/// Where the artifact of a text is kept.
fn path(text: &str, build: &str, trace: Trace) -> Option<PathBuf> {
    let hash = Sha256::new()
        .chain_update(env!("CARGO_PKG_VERSION"))
        .chain_update([0])
        .chain_update(build)
        .chain_update([0, u8::from(trace == Trace::On)])
        .chain_update(text)
        .finalize();
    let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(default_cache_dir()?.join("designs").join(name + ".wasm"))
}

fn load(wasm: &[u8]) -> Result<rtlwasm_host::Artifact, LoadError> {
    rtlwasm_host::Artifact::interpreted(wasm, &ModelOptions::default())
}

fn compile(py: Python<'_>, text: String, trace: Trace) -> PyResult<Vec<u8>> {
    let options = Options {
        opt_level: OptLevel::O0,
        clock_order: ClockOrder::Delta,
        trace,
        ..Options::default()
    };
    let design = design(text);
    match guarded(py, || py.detach(|| rtlwasm::compile(&design, &options)))? {
        Ok(compilation) => Ok(compilation.artifact),
        Err(Diagnostics(found)) => {
            let mut sources = Sources::default();
            sources.texts.extend(design.rtlil);
            let text = render(&found, &sources, Colour::Never);
            Err(exception(py, "CompileError", text.trim_end()))
        }
    }
}

fn design(text: String) -> Design {
    Design {
        rtlil: Some(("<design>".into(), text)),
        language: Some(Language::Rtlil),
        top: Some("top".into()),
        ..Design::default()
    }
}
