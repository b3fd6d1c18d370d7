//! What a run of Yosys comes to: takes its log, complaints and end, gives errors and warnings in the
//! user's terms, and the files that were read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::attempt::{Input, Refusal};
use super::complaints::{self, Complaint};
use super::install::Installed;
use super::lexer::{Kind, lex};
use super::run::{End, Outcome, Scratch};
use super::script::{COMPLAINTS, FrontEnd, Remedy, View};
use super::source::SourceFile;
use super::stage::{STDIN, Staged};
use crate::diag::{Diagnostic, Diagnostics, Label, Severity, Span};

/// A finished run.
pub struct Round<'a> {
    pub input: &'a Input<'a>,
    pub view: View,
    pub staged: &'a Staged,
    pub outcome: &'a Outcome,
    /// What marks paths of copies.
    pub copies: &'a str,
}

impl Round<'_> {
    fn place(&self, span: Span) -> Span {
        self.staged.original(self.copies, span)
    }

    fn slang_complaints(&self, scratch: &Scratch) -> Option<Vec<Complaint>> {
        complaints::parse(&fs::read_to_string(scratch.results().join(COMPLAINTS)).ok()?)
    }

    /// All that was said, errors of ours in place of warnings about what would be dropped.
    pub fn complaints(&self, scratch: &Scratch) -> Vec<Diagnostic> {
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

    pub fn refusal(&self, said: Vec<Diagnostic>, scratch: &Scratch) -> Refusal {
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
            refused: complaints::refused(&slang, &|span| self.place(span)),
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
            .filter(|complaint| complaint.is_error() && complaint.dispensable().is_none());
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
        if let Some((package, variable)) = complaints::package_variable(&self.outcome.log) {
            let message = format!(
                "`{package}::{variable}` is a variable of a package: modules cannot share one"
            );
            let declared = self.declaration(package, variable);
            let error = Diagnostic::error("unsupported", message)
                .label(declared, "declared here")
                .note("declare it in a module, or make it a `localparam` if it never changes");
            return vec![error];
        }
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

    /// Where something is declared in a package.
    fn declaration(&self, package: &str, name: &str) -> Option<Span> {
        let files = self.staged.files.values();
        let mut found = files.filter_map(|file| {
            let file = SourceFile::new(file.name.clone(), file.original.clone());
            let begins = |&at: &usize| {
                file.word(at) == "package"
                    && (file.word(at + 1), file.word(at + 2)) == (package, ";")
            };
            let first = (0..file.tokens.len()).find(begins)?;
            let declared = (first + 2..file.tokens.len()).find(|at| file.word(*at) == name)?;
            Some(file.span(declared))
        });
        found.next()
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
    pub fn check(&self) -> Result<(), Refusal> {
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
    pub fn dropped_delays(&self) -> Vec<Diagnostic> {
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
    pub fn dependencies(&self, scratch: &Scratch) -> Vec<PathBuf> {
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
