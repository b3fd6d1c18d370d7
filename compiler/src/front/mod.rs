//! The one front door: any source becomes RTLIL text, and RTLIL text becomes a netlist.
//!
//! RTLIL is read directly; Verilog, SystemVerilog and JSON netlists go through Yosys (feature `yosys`).

pub mod filelist;
pub mod rtlil;
#[cfg(feature = "yosys")]
pub mod yosys;

use std::io::Read;
use std::path::{Path, PathBuf};

use self::filelist::{Expanded, expand};
use crate::diag::{Diagnostic, Diagnostics, Result, Sources};
use crate::ir::Netlist;
use crate::options::{Design, Language};

/// A design as a netlist.
#[derive(Debug)]
pub struct Elaborated {
    pub netlist: Netlist,
    /// Every file that was read, those of `$readmemh` included.
    pub dependencies: Vec<PathBuf>,
    /// Texts that messages quote and that are in no file.
    pub sources: Sources,
}

/// Reads any design.
pub fn elaborate(design: &Design, warnings: &mut Vec<Diagnostic>) -> Result<Elaborated> {
    let found = to_rtlil(design, warnings)?;
    Ok(Elaborated {
        netlist: found.read(warnings)?,
        dependencies: found.dependencies,
        sources: found.sources,
    })
}

/// RTLIL of a whole design.
#[derive(Clone, Debug, Default)]
pub struct RtlilText {
    /// The file it is, for messages; empty when Yosys wrote it.
    pub name: String,
    pub text: String,
    /// The top module that was asked for, in the options or in a command file.
    pub top: Option<String>,
    /// Every file that was read, those of `$readmemh` included.
    pub dependencies: Vec<PathBuf>,
    /// Texts that messages quote and that are in no file.
    pub sources: Sources,
}

impl RtlilText {
    /// The netlist that it says, the same each time.
    pub fn read(&self, warnings: &mut Vec<Diagnostic>) -> Result<Netlist> {
        let options = rtlil::ReadOptions {
            top: self.top.clone(),
        };
        rtlil::read(&self.name, &self.text, &options, warnings)
    }
}

/// Turns any design into RTLIL.
pub fn to_rtlil(design: &Design, warnings: &mut Vec<Diagnostic>) -> Result<RtlilText> {
    let expanded = expand(design)?;
    let kinds = classify(&expanded)?;
    let stdin = read_stdin(&expanded)?;
    let is_rtlil = kinds
        .iter()
        .all(|(_, language)| *language == Language::Rtlil);
    let mut found = match is_rtlil && expanded.library_files.is_empty() {
        true => read_rtlil(&expanded, &kinds, &stdin)?,
        false => through_yosys(&expanded, kinds, &stdin, warnings)?,
    };
    if expanded
        .design
        .sources
        .iter()
        .any(|path| path == Path::new("-"))
    {
        found.sources.texts.insert("<stdin>".to_string(), stdin);
    }
    Ok(found)
}

/// Every source with its language.
fn classify(design: &Expanded) -> Result<Vec<(PathBuf, Language)>> {
    let mut errors = Vec::new();
    let mut kinds = Vec::new();
    for path in &design.design.sources {
        let stdin = path == Path::new("-");
        if !stdin && !path.is_file() {
            errors.push(missing(path));
            continue;
        }
        let by_name = if stdin {
            Some(Language::Rtlil)
        } else {
            by_extension(path)
        };
        match design.design.language.or(by_name) {
            // `--lang` is about text that may be either; netlists stay what they are.
            Some(Language::Verilog | Language::SystemVerilog) if is_netlist(by_name) && !stdin => {
                kinds.push((path.clone(), by_name.expect("a netlist")));
            }
            Some(language) => kinds.push((path.clone(), language)),
            None => errors.push(unknown_kind(path)),
        }
    }
    if kinds.is_empty()
        && errors.is_empty()
        && design.design.rtlil.is_none()
        && design.library_files.is_empty()
    {
        errors.push(Diagnostic::error("no-sources", "there are no sources"));
    }
    if errors.is_empty() {
        Ok(kinds)
    } else {
        Err(Diagnostics(errors))
    }
}

fn by_extension(path: &Path) -> Option<Language> {
    match path.extension()?.to_str()? {
        "v" | "vh" => Some(Language::Verilog),
        "sv" | "svh" => Some(Language::SystemVerilog),
        "il" | "rtlil" => Some(Language::Rtlil),
        "json" => Some(Language::Json),
        _ => None,
    }
}

fn is_netlist(language: Option<Language>) -> bool {
    matches!(language, Some(Language::Rtlil | Language::Json))
}

fn missing(path: &Path) -> Diagnostic {
    let shown = path.display();
    let what = if path.is_dir() {
        "is a folder"
    } else {
        "does not exist"
    };
    Diagnostic::error("missing-file", format!("source `{shown}` {what}"))
}

fn unknown_kind(path: &Path) -> Diagnostic {
    if path.extension().is_some_and(|ending| ending == "wasm") {
        let message = format!("`{}` is an artifact and no source", path.display());
        return Diagnostic::error("unknown-file-kind", message)
            .note("`rtlwasm run` and `rtlwasm inspect` take artifacts");
    }
    Diagnostic::error(
        "unknown-file-kind",
        format!("`{}` does not say by its name what it is", path.display()),
    )
    .note("known endings are .v .vh .sv .svh .il .rtlil .json; say which with --lang")
}

fn no_parameters(name: &str) -> Diagnostic {
    let message = format!("parameter `{name}` cannot be set in RTLIL");
    Diagnostic::error("unresolved-parameter", message)
        .note("parameters have their values before RTLIL is written: set them there")
}

fn read_stdin(design: &Expanded) -> Result<String> {
    if let Some(text) = &design.design.stdin {
        return Ok(text.clone());
    }
    let mut text = String::new();
    if design
        .design
        .sources
        .iter()
        .any(|path| path == Path::new("-"))
    {
        std::io::stdin().read_to_string(&mut text).map_err(|e| {
            Diagnostic::error("missing-file", format!("cannot read standard input: {e}"))
        })?;
    }
    Ok(text)
}

/// Several RTLIL files are one text: modules of all, in order.
fn read_rtlil(design: &Expanded, kinds: &[(PathBuf, Language)], stdin: &str) -> Result<RtlilText> {
    if let Some((parameter, _)) = design.design.parameters.first() {
        return Err(no_parameters(parameter).into());
    }
    let mut found = RtlilText {
        top: design.design.top.clone(),
        dependencies: design.lists.clone(),
        ..RtlilText::default()
    };
    if let Some((name, text)) = &design.design.rtlil {
        found.name.clone_from(name);
        found.text.clone_from(text);
        found.sources.texts.insert(name.clone(), text.clone());
    }
    for (path, _) in kinds {
        let stdin_name = path == Path::new("-");
        let name = if stdin_name {
            "<stdin>".to_string()
        } else {
            path.to_string_lossy().into_owned()
        };
        let text = if stdin_name {
            Ok(stdin.to_string())
        } else {
            std::fs::read_to_string(path)
        };
        let text = text
            .map_err(|e| Diagnostic::error("missing-file", format!("cannot read `{name}`: {e}")))?;
        if found.text.is_empty() {
            found.name = name;
        } else {
            found.text.push('\n');
        }
        found.text.push_str(&text);
        if !stdin_name {
            found.dependencies.push(path.clone());
        }
    }
    Ok(found)
}

#[cfg(feature = "yosys")]
fn through_yosys(
    design: &Expanded,
    kinds: Vec<(PathBuf, Language)>,
    stdin: &str,
    warnings: &mut Vec<Diagnostic>,
) -> Result<RtlilText> {
    let mut by_kind = yosys::ByKind::default();
    for (path, language) in kinds {
        match language {
            Language::Rtlil | Language::Json => by_kind.netlists.push((path, language)),
            Language::Verilog | Language::SystemVerilog => by_kind.verilog.push(path),
        }
    }
    let found = yosys::elaborate(design, &by_kind, stdin, warnings)?;
    Ok(RtlilText {
        text: found.rtlil,
        dependencies: found.dependencies,
        ..RtlilText::default()
    })
}

#[cfg(not(feature = "yosys"))]
fn through_yosys(
    _: &Expanded,
    kinds: Vec<(PathBuf, Language)>,
    _: &str,
    _: &mut Vec<Diagnostic>,
) -> Result<RtlilText> {
    let names: Vec<String> = kinds
        .iter()
        .map(|(path, _)| format!("`{}`", path.display()))
        .collect();
    let message = format!(
        "{} cannot be read: this rtlwasm was built without Yosys",
        names.join(", ")
    );
    Err(Diagnostic::error("no-yosys", message)
        .note("build it with the cargo feature `yosys`, or give it RTLIL")
        .into())
}
