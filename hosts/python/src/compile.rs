//! The compiler as one function: sources and options in, the bytes of an artifact and warnings out.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rtlwasm::diag::{Colour, Diagnostic, Diagnostics, Severity, Sources, render};
use rtlwasm::options::{
    ClockOrder, Design, Language, OptLevel, Options, Poke, Profile, Strip, Trace, Undef,
};

use crate::errors::{exception, guarded};
use crate::reference::Source;

/// What the user asked for, as Python spells it; see `rtlwasm.compile`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Request {
    sources: Vec<PathBuf>,
    rtlil: Option<(String, String)>,
    top: Option<String>,
    language: Option<String>,
    include_dirs: Vec<PathBuf>,
    defines: Vec<(String, Option<String>)>,
    parameters: Vec<(String, String)>,
    file_lists: Vec<PathBuf>,
    library_dirs: Vec<PathBuf>,
    yosys: Option<PathBuf>,
    verbose: bool,
    opt_level: u32,
    strip: String,
    undef: String,
    poke: String,
    clock_order: String,
    profile: String,
    trace: bool,
}

/// What the compiler answers: the file, the warnings as text, every file that was read, and what other engines need.
type Compiled = (Py<PyBytes>, String, Vec<PathBuf>, Source);

/// Compiles a design; the request has one item for each option of `rtlwasm.compile`.
#[pyfunction]
pub fn compile(py: Python<'_>, request: &Bound<'_, PyDict>) -> PyResult<Compiled> {
    let request: Request = request.extract()?;
    let options = options(py, &request)?;
    let design = design(py, request)?;
    let compiled = guarded(py, || {
        py.detach(|| rtlwasm::compile_with_rtlil(&design, &options))
    })?;
    let (compilation, rtlil) = match compiled {
        Ok(compiled) => compiled,
        Err(Diagnostics(found)) => return Err(refusal(py, &found, &design)?),
    };
    let warnings = render(&compilation.warnings, &compilation.sources, Colour::Never);
    let wasm = PyBytes::new(py, &compilation.artifact).unbind();
    let (manifest, symbols) = (compilation.manifest, compilation.symbols);
    let source = Source::new(rtlil, options, manifest, symbols);
    Ok((wasm, warnings, compilation.dependencies, source))
}

fn design(py: Python<'_>, request: Request) -> PyResult<Design> {
    let language = request.language.as_deref();
    let language = language.map(|name| {
        choose(
            py,
            "language",
            name,
            &[
                ("verilog", Language::Verilog),
                ("systemverilog", Language::SystemVerilog),
                ("rtlil", Language::Rtlil),
                ("json", Language::Json),
            ],
        )
    });
    let library_extensions = match request.library_dirs.is_empty() {
        true => Vec::new(),
        false => vec![".v".to_string(), ".sv".to_string()],
    };
    Ok(Design {
        sources: request.sources,
        stdin: None,
        rtlil: request.rtlil,
        top: request.top,
        include_dirs: request.include_dirs,
        defines: request.defines,
        parameters: request.parameters,
        file_lists: request.file_lists,
        library_dirs: request.library_dirs,
        library_extensions,
        language: language.transpose()?,
        yosys: request.yosys,
        verbose: request.verbose,
    })
}

fn options(py: Python<'_>, request: &Request) -> PyResult<Options> {
    let levels = [OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::O3];
    let Some(opt_level) = levels.get(request.opt_level as usize) else {
        return Err(exception(py, "OptionError", "opt_level is 0, 1, 2 or 3"));
    };
    Ok(Options {
        opt_level: *opt_level,
        strip: choose(
            py,
            "strip",
            &request.strip,
            &[("full", Strip::Full), ("ports", Strip::Ports)],
        )?,
        undef: choose(
            py,
            "undef",
            &request.undef,
            &[
                ("zero", Undef::Zero),
                ("ones", Undef::Ones),
                ("random", Undef::Random),
            ],
        )?,
        poke: match request.poke.as_str() {
            "all" => Poke::All,
            "ports" => Poke::Ports,
            glob => Poke::Glob(glob.to_string()),
        },
        clock_order: choose(
            py,
            "clock_order",
            &request.clock_order,
            &[
                ("verilog", ClockOrder::Verilog),
                ("delta", ClockOrder::Delta),
            ],
        )?,
        profile: choose(
            py,
            "profile",
            &request.profile,
            &[
                ("server", Profile::Server),
                ("browser", Profile::Browser),
                ("jvm", Profile::Jvm),
            ],
        )?,
        trace: if request.trace { Trace::On } else { Trace::Off },
        ..Options::default()
    })
}

fn choose<T: Copy>(py: Python<'_>, option: &str, name: &str, choices: &[(&str, T)]) -> PyResult<T> {
    let found = choices.iter().find(|(choice, _)| *choice == name);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        let text = format!("{option} is one of {}, and not `{name}`", names.join(", "));
        exception(py, "OptionError", text)
    })
}

/// A `CompileError` with the problems as text and one by one.
fn refusal(py: Python<'_>, found: &[Diagnostic], design: &Design) -> PyResult<PyErr> {
    let mut sources = Sources::default();
    if let Some((name, text)) = &design.rtlil {
        sources.texts.insert(name.clone(), text.clone());
    }
    let text = render(found, &sources, Colour::Never);
    let error = exception(py, "CompileError", text.trim_end());
    let rows = found.iter().map(|diagnostic| row(py, diagnostic));
    let rows = rows.collect::<PyResult<Vec<Bound<'_, PyDict>>>>()?;
    error.value(py).call_method1("_take", (rows,))?;
    Ok(error)
}

/// The fields of `rtlwasm.errors.Diagnostic`.
fn row<'py>(py: Python<'py>, diagnostic: &Diagnostic) -> PyResult<Bound<'py, PyDict>> {
    let row = PyDict::new(py);
    row.set_item(
        "severity",
        match diagnostic.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
    )?;
    row.set_item("code", diagnostic.code)?;
    row.set_item("message", &diagnostic.message)?;
    let place = diagnostic.labels.first().map(|label| &label.span);
    row.set_item("file", place.map(|span| &span.file))?;
    row.set_item("line", place.map(|span| span.start.line))?;
    row.set_item("column", place.map(|span| span.start.column))?;
    row.set_item("notes", &diagnostic.notes)?;
    Ok(row)
}
