//! Verilog, SystemVerilog and JSON netlists through Yosys: takes sources, gives RTLIL text whose places
//! are those of the user's files.
//!
//! Yosys is a WebAssembly module run in this process (or a native program that the user names). It only
//! reads and elaborates. `read_slang` is tried first; see `docs/front-ends.md` for when something else is.

mod assertions;
mod attempt;
mod cache;
mod complaints;
mod context;
mod formats;
mod functions;
pub mod install;
mod latches;
mod lexer;
mod locate;
mod obtain;
mod patterns;
mod plusargs;
mod preprocess;
mod progress;
mod rewrite;
mod round;
pub mod run;
mod script;
mod source;
mod stage;
mod statement;
mod tasks;

use std::path::PathBuf;

use self::attempt::{Input, Known, Refusal, Success, attempt};
use self::install::{InstallOptions, Installed, install};
pub use self::progress::Display;
use self::script::{Enums, FrontEnd, Hierarchy, Keywords, Netlists, Remedy, UNROLL, View};
use super::filelist::Expanded;
use crate::diag::{Diagnostic, Result};
use crate::options::Language;

/// Sources by kind, in order.
#[derive(Clone, Debug, Default)]
pub struct ByKind {
    pub verilog: Vec<PathBuf>,
    pub netlists: Vec<(PathBuf, Language)>,
}

/// What Yosys made of a design.
#[derive(Debug)]
pub struct Elaboration {
    pub rtlil: String,
    /// Every file that was read.
    pub dependencies: Vec<PathBuf>,
}

/// Elaborates a design whose command files have been read.
pub fn elaborate(
    design: &Expanded,
    kinds: &ByKind,
    stdin: &str,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Elaboration> {
    let yosys = find(design)?;
    let input = Input {
        design,
        kinds,
        stdin,
        yosys: &yosys,
    };
    let success = first_accepted(&input, warnings)?;
    warnings.extend(success.warnings);
    Ok(Elaboration {
        rtlil: success.rtlil,
        dependencies: success.dependencies,
    })
}

fn find(design: &Expanded) -> Result<Installed> {
    let display = Display::default();
    let options = InstallOptions {
        yosys: design.design.yosys.clone(),
        ..InstallOptions::default()
    };
    install(&options, &|progress| display.show(progress))
}

/// Tries the views of a design in order; when all are refused, the first refusal is shown, because it is
/// about the text as the user sees it.
fn first_accepted(input: &Input<'_>, warnings: &mut Vec<Diagnostic>) -> Result<Success> {
    let simulation = View {
        front: FrontEnd::Slang,
        synthesis: false,
        keywords: input.keywords(),
        hierarchy: Hierarchy::Kept,
        enums: Enums::Members,
        unroll: UNROLL,
    };
    let mut known = Known::default();
    let first = match with_remedies(input, simulation, &mut known) {
        Ok(success) => return Ok(success),
        Err(refusal) => refusal,
    };
    if first.may_depend_on_synthesis
        && let Ok(success) = with_remedies(
            input,
            View {
                synthesis: true,
                ..simulation
            },
            &mut Known::default(),
        )
    {
        warnings.push(synthesis_view(&first));
        return Ok(success);
    }
    without_refused(input, simulation, known, first)
}

/// Drops what was refused and can be done without, with warnings, as long as that brings up more of it.
fn without_refused(
    input: &Input<'_>,
    view: View,
    mut known: Known,
    first: Refusal,
) -> Result<Success> {
    let mut refused = first.refused.clone();
    while refused.iter().any(|one| !known.refused.contains(one)) {
        known.refused.append(&mut refused);
        match with_remedies(input, view, &mut known) {
            Ok(success) => return Ok(success),
            Err(refusal) => refused = refusal.refused,
        }
    }
    Err(first.errors)
}

/// Tries a view, and again with what may help, until it is accepted or nothing more helps.
fn with_remedies(
    input: &Input<'_>,
    view: View,
    known: &mut Known,
) -> std::result::Result<Success, Refusal> {
    let mut shown = match attempt(input, view, known) {
        Ok(success) => return Ok(success),
        Err(refusal) => refusal,
    };
    let (mut view, mut remedy) = (view, shown.remedy);
    let mut casts = Vec::new();
    while let Some(next) = remedy.and_then(|remedy| view.with(remedy)) {
        known.top.clone_from(&shown.top);
        if remedy == Some(Remedy::NumbersForEnums) {
            casts.extend(missing_casts(&shown));
        }
        let refusal = match attempt(input, next, known) {
            Ok(mut success) => {
                success.warnings.append(&mut casts);
                return Ok(success);
            }
            Err(refusal) => refusal,
        };
        // Other front ends and languages fail on much that these sources may have, so what they say is
        // of no help, unless it is that meaning would be lost.
        let is_telling = refusal.is_ours
            || matches!(
                remedy,
                Some(Remedy::MoreUnrolling | Remedy::FlatHierarchy | Remedy::NumbersForEnums)
            );
        (view, remedy) = (next, refusal.remedy);
        if is_telling {
            shown = refusal;
        }
    }
    Err(shown)
}

/// What is refused without a cast, and accepted all the same.
fn missing_casts(refusal: &Refusal) -> impl Iterator<Item = Diagnostic> {
    let errors = refusal.errors.0.iter().cloned();
    errors.map(|error| Diagnostic {
        labels: error.labels,
        notes: error.notes,
        ..Diagnostic::warning("enum-cast", error.message)
    })
}

fn synthesis_view(refusal: &Refusal) -> Diagnostic {
    let message =
        "the simulation view of this design is refused; its view with SYNTHESIS defined is used";
    let mut warning = Diagnostic::warning("synthesis-view", message);
    if let Some(error) = refusal.errors.0.first() {
        warning.labels = error.labels.clone();
        warning
            .notes
            .push(format!("refused because: {}", error.message));
    }
    warning.note("define SYNTHESIS (-D SYNTHESIS) to choose that view and be rid of this warning")
}

impl Input<'_> {
    fn keywords(&self) -> Keywords {
        match self.design.design.language {
            Some(Language::Verilog) => Keywords::Verilog2005,
            _ => Keywords::SystemVerilog,
        }
    }

    fn may_be_verilog_2005(&self) -> bool {
        let is_verilog = |path: &PathBuf| path.extension().is_some_and(|e| e == "v" || e == "vh");
        self.design.design.language.is_none() && self.kinds.verilog.iter().any(is_verilog)
    }

    fn netlists(&self) -> Netlists {
        let of = |wanted: Language| {
            let paths = self
                .kinds
                .netlists
                .iter()
                .filter(|(_, language)| *language == wanted);
            paths.map(|(path, _)| stage::absolute(path)).collect()
        };
        Netlists {
            rtlil: of(Language::Rtlil),
            json: of(Language::Json),
        }
    }
}
