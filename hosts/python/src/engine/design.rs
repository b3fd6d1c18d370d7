//! Designs of the frameworks, compiled for their engines: at once, and kept in the user's cache directory.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rtlwasm::diag::{Colour, Diagnostics, Sources, render};
use rtlwasm::options::{ClockOrder, Design, Language, OptLevel, Options, Trace};
use rtlwasm_host::{LoadError, ModelOptions, default_cache_dir, keep, kept};
use sha2::{Digest, Sha256};

use crate::artifact::Artifact;
use crate::errors::{exception, guarded, not_loaded};

/// The artifact of a design as RTLIL; with `trace` it can tell what changes. Its models begin interpreted. `build` tells
/// builds of one version apart.
#[pyfunction]
pub fn compile_design(
    py: Python<'_>,
    text: String,
    build: &str,
    trace: bool,
) -> PyResult<Artifact> {
    let trace = if trace { Trace::On } else { Trace::Off };
    let path = path(&text, build, trace);
    let known = path.as_deref().and_then(kept);
    // A file that cannot be read is as good as none.
    let found = known.and_then(|wasm| Some((load(&wasm).ok()?, wasm)));
    let (host, wasm) = match found {
        Some(found) => found,
        None => {
            let wasm = compile(py, text, trace)?;
            if let Some(path) = &path {
                keep(path, &wasm);
            }
            (load(&wasm).map_err(|error| not_loaded(py, &error))?, wasm)
        }
    };
    Ok(Artifact::made(host, PyBytes::new(py, &wasm).unbind()))
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
    let design = Design {
        rtlil: Some(("<design>".into(), text)),
        language: Some(Language::Rtlil),
        top: Some("top".into()),
        ..Design::default()
    };
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
