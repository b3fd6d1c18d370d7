//! One run of Yosys on one view of a design: takes the sources, gives RTLIL or the reasons for refusal.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::complaints::{self, Complaint};
use super::install::Installed;
use super::lexer::{Kind, lex};
use super::locate::with_original_places;
use super::run::{End, Outcome, Scratch, run};
use super::script::{COMPLAINTS, FrontEnd, PRELUDE, RTLIL, Remedy, View, prelude, script};
use super::stage::{Changes, STDIN, Staged, below_root, stage};
use super::{ByKind, Netlists};
use crate::diag::{Diagnostic, Diagnostics, Label, Severity, Span};
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
    /// Places of assertions that slang cannot read.
    pub refused_assertions: Vec<Span>,
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
            refused_assertions: Vec::new(),
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
    /// Places of assertions that slang cannot read, to be dropped.
    pub refused_assertions: Vec<Span>,
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
            refused_assertions: &known.refused_assertions,
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
    let rtlil = fs::read(scratch.results().join(RTLIL)).map_err(scratch_failed)?;
    let rtlil = with_original_places(&String::from_utf8_lossy(&rtlil), &staged, &copies);
    let mut warnings = staged.warnings.clone();
    warnings.extend(said);
    warnings.extend(round.dropped_delays());
    Ok(Success {
        rtlil,
        dependencies: round.dependencies(&scratch),
        warnings,
    })
}

fn scratch_failed(error: io::Error) -> Refusal {
    Diagnostic::error(
        "scratch",
        format!("cannot use the temporary folder: {error}"),
    )
    .note("another one can be chosen with the environment variable TMPDIR")
    .into()
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

/// A finished run.
struct Round<'a> {
    input: &'a Input<'a>,
    view: View,
    staged: &'a Staged,
    outcome: &'a Outcome,
    copies: &'a str,
}

impl Round<'_> {
    fn place(&self, span: Span) -> Span {
        self.staged.original(self.copies, span)
    }

    fn slang_complaints(&self, scratch: &Scratch) -> Option<Vec<Complaint>> {
        complaints::parse(&fs::read_to_string(scratch.results().join(COMPLAINTS)).ok()?)
    }

    /// All that was said, errors of ours in place of warnings about what would be dropped.
    fn complaints(&self, scratch: &Scratch) -> Vec<Diagnostic> {
        let slang = self.slang_complaints(scratch).unwrap_or_default();
        let mut all = complaints::diagnostics(&slang, &|span| self.place(span));
        for error in all
            .iter_mut()
            .filter(|error| error.code == "delay" && !self.shows_delay(error))
        {
            let labels = std::mem::take(&mut error.labels);
            *error = Diagnostic {
                labels,
                ..complaints::wait()
            };
        }
        if self.view.front == FrontEnd::Verilog {
            for (severity, span, message) in complaints::from_log(&self.outcome.log) {
                if severity == Severity::Warning
                    && let Some(error) = complaints::refused_by_us(&message)
                {
                    all.push(error.label(span.map(|span| self.place(span)), ""));
                }
            }
        }
        all
    }

    /// slang has one complaint for `#5` and for `@(posedge clk)` inside a process.
    fn shows_delay(&self, error: &Diagnostic) -> bool {
        let Some(Label { span, .. }) = error.labels.first() else {
            return true;
        };
        let file = self
            .staged
            .files
            .values()
            .find(|file| file.name == span.file);
        let line = file
            .and_then(|file| file.original.lines().nth(span.start.line as usize - 1))
            .unwrap_or("");
        line.get(span.start.column as usize - 1..)
            .unwrap_or("")
            .starts_with('#')
    }

    fn refusal(&self, said: Vec<Diagnostic>, scratch: &Scratch) -> Refusal {
        let slang: Vec<Complaint> = self.slang_complaints(scratch).unwrap_or_default();
        let mut all: Vec<Diagnostic> = said
            .into_iter()
            .filter(|d| d.severity == Severity::Error)
            .collect();
        let is_ours = self.view.front == FrontEnd::Verilog && !all.is_empty();
        if all.is_empty() {
            all = self.errors_of_end();
        }
        for error in all.iter_mut().filter(|e| e.code == "missing-top") {
            error.notes.push(self.list_of_modules());
        }
        let defined = self
            .input
            .design
            .design
            .defines
            .iter()
            .any(|(name, _)| name == "SYNTHESIS");
        let mentioned = self
            .staged
            .files
            .values()
            .any(|file| file.facts.mentions_synthesis);
        Refusal {
            errors: Diagnostics(all),
            remedy: self.remedy(&slang),
            refused_assertions: complaints::refused_assertions(&slang, &|span| self.place(span)),
            may_depend_on_synthesis: mentioned && !defined,
            is_ours,
            top: self.only_top(),
        }
    }

    /// What would help against every error; a syntax error brings others, so there one is enough.
    fn remedy(&self, slang: &[Complaint]) -> Option<Remedy> {
        let in_initial = |span: &Span| {
            let span = self.place(span.clone());
            let file = self
                .staged
                .files
                .values()
                .find(|file| file.name == span.file);
            let holds = |&(first, last): &(u32, u32)| (first..=last).contains(&span.start.line);
            file.is_some_and(|file| file.facts.initial.iter().any(holds))
        };
        let errors = slang
            .iter()
            .filter(|complaint| complaint.is_error() && !complaint.is_about_assertion());
        let remedies: Vec<Option<Remedy>> = errors.map(|error| error.remedy(&in_initial)).collect();
        if remedies.contains(&Some(Remedy::Verilog2005)) {
            return self
                .input
                .may_be_verilog_2005()
                .then_some(Remedy::Verilog2005);
        }
        let first = *remedies.first()?;
        remedies
            .iter()
            .all(|remedy| *remedy == first)
            .then_some(first)?
    }

    /// The errors of the log, or what the end itself says.
    fn errors_of_end(&self) -> Vec<Diagnostic> {
        let log = complaints::from_log(&self.outcome.log);
        let errors = log.into_iter().filter(|(severity, _, message)| {
            *severity == Severity::Error && !message.contains("see full log for details")
        });
        let mut all: Vec<Diagnostic> = errors
            .map(|(_, span, message)| {
                let internal = message.starts_with("Assert `") || message.starts_with("Exception: ");
                let error = if complaints::is_unimplemented(&message) {
                    Diagnostic::error("unsupported", "this construct is not supported: it is no hardware")
                } else if internal {
                    Diagnostic::error("yosys", format!("Yosys failed on this design: {message}"))
                        .note("this is a fault of Yosys; leaving out parts of the design shows which part it is about")
                } else {
                    Diagnostic::error("verilog", self.without_scratch(&message))
                };
                error.label(span.map(|span| self.place(span)), "")
            })
            .collect();
        let end = match &self.outcome.end {
            End::OutOfMemory => Some("Yosys ran out of its 4 GiB of memory".to_string()),
            End::StackOverflow => {
                Some("Yosys ran out of stack: an expression or a hierarchy is too deep".to_string())
            }
            End::Crash(how) => Some(format!(
                "Yosys crashed ({how}): perhaps an expression is nested too deep"
            )),
            End::Failure(status) if all.is_empty() => {
                Some(format!("Yosys ended with status {status} and no message"))
            }
            _ => None,
        };
        all.extend(end.map(|message| {
            Diagnostic::error("yosys", message).note("--verbose shows its script and log")
        }));
        if all.is_empty() {
            all.push(Diagnostic::error(
                "yosys",
                "Yosys refused the design without a message",
            ));
        }
        all
    }

    /// A message without the paths of copies: each becomes the path of its original.
    fn without_scratch(&self, message: &str) -> String {
        let word = |word: &str| match word.split_once(self.copies) {
            Some((before, after)) => {
                let open = before
                    .find(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.'))
                    .unwrap_or(before.len());
                format!("{}{after}", &before[..open])
            }
            None => word.to_string(),
        };
        message.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    fn only_top(&self) -> Option<String> {
        let mut tops = complaints::tops(&self.outcome.log);
        (tops.len() == 1).then(|| tops.remove(0))
    }

    fn list_of_modules(&self) -> String {
        let names: BTreeSet<&str> = self
            .staged
            .modules()
            .map(|(_, module)| module.name.as_str())
            .collect();
        match names.len() {
            0 => "the sources define no module".to_string(),
            _ => format!("the modules are {}", list(&names)),
        }
    }

    /// Mistakes that the front ends pass over.
    fn check(&self) -> Result<(), Refusal> {
        if self.staged.sources.is_empty() {
            return Ok(());
        }
        let tops = complaints::tops(&self.outcome.log);
        let chosen = self.input.design.design.top.as_ref();
        if self.view.front == FrontEnd::Slang && chosen.is_none() && tops.len() != 1 {
            return Err(self.no_single_top(&tops).into());
        }
        let Some(top) = chosen.or(tops.first()) else {
            return Ok(());
        };
        let Some((file, module)) = self
            .staged
            .modules()
            .find(|(_, module)| module.name == *top)
        else {
            return Ok(());
        };
        let text = &file.original[module.bytes.0..module.bytes.1];
        let names: BTreeSet<&str> = words(text).collect();
        let parameters = self.input.design.design.parameters.iter();
        let unknown = parameters.filter(|(name, _)| !names.contains(name.as_str()));
        let errors: Vec<Diagnostic> = unknown
            .map(|(name, _)| {
                let message = format!("module `{top}` has no parameter `{name}`");
                Diagnostic::error("unknown-parameter", message)
                    .label(module.span.clone(), "this module")
            })
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Diagnostics(errors).into())
        }
    }

    fn no_single_top(&self, tops: &[String]) -> Diagnostic {
        if tops.is_empty() {
            return Diagnostic::error("missing-top", "there is no module that could be the top")
                .note(self.list_of_modules());
        }
        let names: BTreeSet<&str> = tops.iter().map(String::as_str).collect();
        Diagnostic::error(
            "several-tops",
            format!("{} modules could be the top: {}", names.len(), list(&names)),
        )
        .note("choose one with --top NAME")
    }

    /// slang passes over the delays of gates and continuous assignments.
    fn dropped_delays(&self) -> Vec<Diagnostic> {
        let delays = self
            .staged
            .files
            .values()
            .flat_map(|file| &file.facts.delays);
        let warning = || {
            Diagnostic::warning(
                "dropped-delay",
                "this delay is ignored: cycles have no time between edges",
            )
        };
        delays
            .map(|span| warning().label(span.clone(), ""))
            .collect()
    }

    /// All files read, as the user would name them, in order of name.
    fn dependencies(&self, scratch: &Scratch) -> Vec<PathBuf> {
        let staged = self
            .staged
            .files
            .values()
            .map(|file| PathBuf::from(&file.name));
        let mut all: BTreeSet<PathBuf> = staged.filter(|path| path != Path::new(STDIN)).collect();
        all.extend(self.input.design.lists.iter().cloned());
        all.extend(
            self.input
                .kinds
                .netlists
                .iter()
                .map(|(path, _)| path.clone())
                .filter(|p| p != Path::new("-")),
        );
        let here = std::env::current_dir().unwrap_or_default();
        let opened = self
            .outcome
            .opened
            .iter()
            .filter(|path| !path.starts_with(scratch.folder()));
        let opened = opened.filter(|path| !self.staged.files.contains_key(*path));
        all.extend(opened.map(|path| path.strip_prefix(&here).unwrap_or(path).to_path_buf()));
        if matches!(self.input.yosys, Installed::Native(_)) {
            all.extend(
                self.staged
                    .files
                    .values()
                    .flat_map(|file| named_files(&file.original)),
            );
        }
        all.into_iter().collect()
    }
}

/// Files that strings of a source name: what a native Yosys may have read by `$readmemh`.
fn named_files(text: &str) -> Vec<PathBuf> {
    let tokens = lex(text).into_iter().filter(|t| t.kind == Kind::String);
    let names = tokens.map(|t| PathBuf::from(text[t.start..t.end].trim_matches('"')));
    names.filter(|path| path.is_file()).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    lex(text)
        .into_iter()
        .filter(|t| t.kind == Kind::Identifier)
        .map(|t| &text[t.start..t.end])
}

fn list(names: &BTreeSet<&str>) -> String {
    let quoted: Vec<String> = names
        .iter()
        .take(20)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = names.len().saturating_sub(20);
    match more {
        0 => quoted.join(", "),
        _ => format!("{} and {more} more", quoted.join(", ")),
    }
}
