//! One run of Yosys on one view of a design: takes the sources, gives RTLIL or the reasons for refusal.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::complaints::{self, Refused};
use super::install::Installed;
use super::latches;
use super::locate::with_original_places;
use super::round::Round;
use super::run::{End, Outcome, Scratch, run};
use super::script::{FrontEnd, PRELUDE, RTLIL, Remedy, View, prelude, script};
use super::stage::{self, Changes, Staged, below_root, stage};
use super::{ByKind, Netlists};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::front::filelist::Expanded;

/// A design and the Yosys to read it.
pub struct Input<'a> {
    pub design: &'a Expanded,
    pub kinds: &'a ByKind,
    pub stdin: &'a str,
    pub yosys: &'a Installed,
}

pub struct Success {
    pub rtlil: String,
    pub dependencies: Vec<PathBuf>,
    pub warnings: Vec<Diagnostic>,
}

/// Why a view was refused.
pub struct Refusal {
    pub errors: Diagnostics,
    /// What may help.
    pub remedy: Option<Remedy>,
    /// What slang cannot read and the design can do without.
    pub refused: Vec<Refused>,
    /// Text depends on whether `SYNTHESIS` is defined, and it is not.
    pub may_depend_on_synthesis: bool,
    /// The refusal is not the front end's but ours, because meaning would be lost.
    pub is_ours: bool,
    /// The top as far as it is known.
    pub top: Option<String>,
}

impl From<Diagnostics> for Refusal {
    fn from(errors: Diagnostics) -> Self {
        Refusal {
            errors,
            remedy: None,
            refused: Vec::new(),
            may_depend_on_synthesis: false,
            is_ours: true,
            top: None,
        }
    }
}

impl From<Diagnostic> for Refusal {
    fn from(error: Diagnostic) -> Self {
        Diagnostics::from(error).into()
    }
}

/// What earlier attempts have shown.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub top: Option<String>,
    /// What slang cannot read, to be dropped.
    pub refused: Vec<Refused>,
}

/// Stages the sources, runs Yosys and reads what it wrote.
pub fn attempt(input: &Input<'_>, view: View, known: &Known) -> Result<Success, Refusal> {
    let scratch = Scratch::new().map_err(scratch_failed)?;
    let defines: &[&str] = if view.synthesis { &["SYNTHESIS"] } else { &[] };
    let staged = stage(
        input.design,
        &input.kinds.verilog,
        Changes {
            defines,
            refused: &known.refused,
        },
        input.stdin,
        &scratch.sources(),
    )?;
    if view.front == FrontEnd::Verilog {
        refuse_delays(&staged)?;
    }
    let netlists = input.netlists();
    copy_netlists(&netlists, input.stdin, &scratch)?;
    let outcome = run_yosys(
        input,
        &staged,
        &netlists,
        view,
        known.top.as_deref(),
        &scratch,
    )?;
    let copies = scratch.mark(input.yosys);
    let round = Round {
        input,
        view,
        staged: &staged,
        outcome: &outcome,
        copies: &copies,
    };
    let said = round.complaints(&scratch);
    if outcome.end != End::Success || said.iter().any(|d| d.severity == Severity::Error) {
        return Err(round.refusal(said, &scratch));
    }
    round.check()?;
    let rtlil = result_of(&scratch)?;
    if leaves_out_process(&rtlil) {
        return Err(complaints::reversed_range().into());
    }
    let rtlil = with_original_places(&rtlil, &staged, &copies);
    let mut warnings = staged.warnings.clone();
    warnings.extend(said);
    warnings.extend(round.dropped_delays());
    warnings.extend(latches::warnings(&rtlil, &staged));
    Ok(Success {
        rtlil,
        dependencies: round.dependencies(&scratch),
        warnings,
    })
}

/// Where slang can make no sense of a process, because of an expression that nothing evaluates, its reader writes one that
/// is empty and has no place.
fn leaves_out_process(rtlil: &str) -> bool {
    let mut before = ("", "");
    rtlil.lines().map(str::trim_start).any(|line| {
        let (first, second) = before;
        before = (second, line);
        line == "end" && second.starts_with("process ") && !first.starts_with("attribute ")
    })
}

/// What Yosys wrote. It does not look whether its writes succeed, so a full disk shows here only.
fn result_of(scratch: &Scratch) -> Result<String, Refusal> {
    let rtlil = match fs::read(scratch.results().join(RTLIL)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(scratch_failed(error)),
    };
    if rtlil.lines().last() == Some("end") {
        return Ok(rtlil);
    }
    let error = io::Error::new(io::ErrorKind::UnexpectedEof, "its end is missing");
    Err(stage::scratch_failed("Yosys could not write its result", &error).into())
}

fn scratch_failed(error: io::Error) -> Refusal {
    stage::scratch_failed("cannot use the temporary folder", &error).into()
}

fn refuse_delays(staged: &Staged) -> Result<(), Refusal> {
    let delays = staged.files.values().flat_map(|file| &file.facts.delays);
    let errors: Vec<Diagnostic> = delays
        .map(|span| complaints::delay().label(span.clone(), ""))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Diagnostics(errors).into())
    }
}

fn copy_netlists(netlists: &Netlists, stdin: &str, scratch: &Scratch) -> Result<(), Refusal> {
    for path in netlists.rtlil.iter().chain(&netlists.json) {
        let copy = scratch.sources().join(below_root(path));
        fs::create_dir_all(copy.parent().expect("a file is in a folder"))
            .map_err(scratch_failed)?;
        let written = if path.ends_with("-") {
            fs::write(&copy, stdin)
        } else {
            fs::copy(path, &copy).map(|_| ())
        };
        written.map_err(|e| {
            Diagnostic::error(
                "missing-file",
                format!("cannot read `{}`: {e}", path.display()),
            )
        })?;
    }
    Ok(())
}

fn run_yosys(
    input: &Input<'_>,
    staged: &Staged,
    netlists: &Netlists,
    view: View,
    top: Option<&str>,
    scratch: &Scratch,
) -> Result<Outcome, Refusal> {
    let (design, seen) = (&input.design.design, scratch.seen_by(input.yosys));
    let text = prelude(design, staged, view, &seen);
    fs::write(scratch.sources().join(PRELUDE), text).map_err(scratch_failed)?;
    let likely = likely_top(staged);
    let top = design.top.as_deref().or(top).or(likely);
    let script = script(design, staged, netlists, view, top, &seen);
    let outcome = run(input.yosys, &script, scratch)
        .map_err(|e| Refusal::from(Diagnostic::error("yosys", format!("cannot run Yosys: {e}"))))?;
    if design.verbose {
        eprint!(
            "--- Yosys script\n{script}--- Yosys log\n{}--- end of Yosys log\n",
            outcome.log
        );
    }
    Ok(outcome)
}

/// With library files, the one module outside of them that no text instantiates.
fn likely_top(staged: &Staged) -> Option<&str> {
    let libraries = staged
        .sources
        .iter()
        .filter(|source| source.is_library)
        .map(|source| &source.path);
    let libraries: BTreeSet<&PathBuf> = libraries.collect();
    let used = staged
        .files
        .values()
        .flat_map(|file| &file.facts.instantiated);
    let used: BTreeSet<&str> = used.map(String::as_str).collect();
    let own = staged
        .files
        .iter()
        .filter(|(path, _)| !libraries.contains(path));
    let defined = own
        .flat_map(|(_, file)| &file.facts.modules)
        .map(|module| module.name.as_str());
    let mut tops = defined.filter(|name| !used.contains(name));
    let top = tops.next().filter(|_| !libraries.is_empty())?;
    tops.next().is_none().then_some(top)
}
