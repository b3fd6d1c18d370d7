//! A file that is an artifact or a source: told apart by the first bytes, compiled when it is a source.

use std::io::Read;
use std::path::{Path, PathBuf};

use rtlwasm::diag::{Colour, Sources};
use rtlwasm::options::{Design, Options};

use super::Failure;
use super::report::LintArgs;

/// First bytes of every WebAssembly module.
const WASM: &[u8; 4] = b"\0asm";

/// The bytes of the artifact that is given, or that the design compiles to.
pub fn artifact(
    mut design: Design,
    options: &Options,
    lints: &LintArgs,
    colour: Colour,
) -> Result<Vec<u8>, Failure> {
    if let [path] = design.sources.as_slice() {
        match given_artifact(path)? {
            Given::Artifact(bytes) => return Ok(bytes),
            Given::Standard(text) => design.stdin = Some(text),
            Given::Source => {}
        }
    }
    compile(&design, options, lints, colour).map(|compilation| compilation.artifact)
}

/// Compiles and prints the warnings.
pub fn compile(
    design: &Design,
    options: &Options,
    lints: &LintArgs,
    colour: Colour,
) -> Result<rtlwasm::Compilation, Failure> {
    let compilation = rtlwasm::compile(design, options).map_err(|diagnostics| {
        let stdin = design
            .stdin
            .iter()
            .map(|text| ("<stdin>".to_string(), text.clone()));
        let texts = design.rtlil.iter().cloned().chain(stdin).collect();
        Failure::Diagnostics(diagnostics, Sources { texts })
    })?;
    if lints.report(&compilation.warnings, &compilation.sources, colour) {
        return Err(Failure::Input(
            "warnings were made errors; nothing is written".to_string(),
        ));
    }
    Ok(compilation)
}

enum Given {
    Artifact(Vec<u8>),
    /// Text from standard input, which can be read only once.
    Standard(String),
    Source,
}

fn given_artifact(path: &Path) -> Result<Given, Failure> {
    let fail = |error: std::io::Error| {
        Failure::Input(format!("cannot read `{}`: {error}", path.display()))
    };
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(fail)?;
        if bytes.starts_with(WASM) {
            return Ok(Given::Artifact(bytes));
        }
        let text = String::from_utf8(bytes);
        return text
            .map(Given::Standard)
            .map_err(|_| Failure::Input("standard input is neither an artifact nor text".into()));
    }
    let mut start = [0; 4];
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let is_wasm = match file.read_exact(&mut start) {
        Ok(()) => start == *WASM,
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(fail(error)),
    };
    // What is named like an artifact is one, or the host says why it is none.
    match is_wasm || path.extension().is_some_and(|ending| ending == "wasm") {
        true => std::fs::read(path).map(Given::Artifact).map_err(fail),
        false => Ok(Given::Source),
    }
}

/// The name of the file to write when none is given: the first source's, with another ending, in this folder.
pub fn default_output(design: &Design, extension: &str) -> PathBuf {
    let first = design
        .sources
        .first()
        .filter(|path| *path != Path::new("-"));
    let stem = first
        .and_then(|path| path.file_stem())
        .unwrap_or("design".as_ref());
    Path::new(stem).with_extension(extension)
}
