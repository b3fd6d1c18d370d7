//! Simulation tasks in terms that both front ends keep: takes a file, gives it with tasks rewritten.
//!
//! Both `read_slang` and `read_verilog` keep `$display` and its order, so what ends or reports becomes
//! `$display("\001<word> ...", arguments)`; random numbers and run-time options become undriven wires
//! with an attribute. Tokens are replaced where they stand: lines, comments and macros stay. What cannot
//! be kept is a warning with its line.

use super::complaints::{Dispensable, Refused};
use super::context::{Around, Context, Process};
use super::lexer::Kind;
use super::source::{Edit, PositionMap, SourceFile, apply};
use super::statement::statement_end;
use crate::diag::{Diagnostic, Severity, Span};

/// What one file became, and what is known of it.
#[derive(Debug)]
pub struct Rewritten {
    pub text: String,
    pub positions: PositionMap,
    pub facts: Facts,
}

/// What the text of a file shows without being elaborated.
#[derive(Debug, Default)]
pub struct Facts {
    pub modules: Vec<DefinedModule>,
    /// Names that may be modules instantiated here.
    pub instantiated: Vec<String>,
    /// `#` delays, which no front end keeps.
    pub delays: Vec<Span>,
    /// Lines of `initial` blocks, first and last.
    pub initial: Vec<(u32, u32)>,
    /// The tokens of this file name `SYNTHESIS`.
    pub mentions_synthesis: bool,
}

/// A module defined in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinedModule {
    pub name: String,
    pub span: Span,
    /// The bytes of its text, as the user wrote it.
    pub bytes: (usize, usize),
}

/// What is common to all files of a design.
#[derive(Debug, Default)]
pub struct Shared {
    /// From macros that are random numbers and nothing else to the system function they stand for.
    pub random_macros: std::collections::BTreeMap<String, String>,
    pub warnings: Vec<Diagnostic>,
    /// What slang cannot read, to be dropped.
    pub refused: Vec<Refused>,
    /// Wires declared so far, so that names differ everywhere.
    pub wires: usize,
}

/// Rewrites a file.
pub fn rewrite(file: &SourceFile, shared: &mut Shared) -> Rewritten {
    let mut rewriter = Rewriter {
        file,
        shared,
        context: Context::default(),
        edits: Vec::new(),
        facts: Facts::default(),
        open: Vec::new(),
        monitors: Vec::new(),
        seeded: Vec::new(),
        failures: Vec::new(),
        combinational: (0, 0),
    };
    for token in 0..file.tokens.len() {
        rewriter.visit(token);
    }
    let (edits, facts) = (rewriter.edits, rewriter.facts);
    let (text, positions) = apply(file, edits);
    Rewritten {
        text,
        positions,
        facts,
    }
}

pub(super) struct Rewriter<'a> {
    pub file: &'a SourceFile,
    pub shared: &'a mut Shared,
    pub context: Context,
    pub edits: Vec<Edit>,
    facts: Facts,
    /// First tokens of the modules being read.
    open: Vec<usize>,
    /// Text to put before the end of the module, from `$monitor`.
    pub monitors: Vec<String>,
    /// Bodies of modules that have the seed of `initial` blocks declared.
    pub seeded: Vec<usize>,
    /// First and last tokens of statements that run when an assertion fails.
    pub failures: Vec<(usize, usize)>,
    /// First and last token of the part of an `initial` block that has become combinational.
    pub combinational: (usize, usize),
}

impl Rewriter<'_> {
    fn visit(&mut self, at: usize) {
        self.before(at);
        let word = |n: usize| at.checked_sub(n).map_or("", |i| self.file.word(i));
        let around = Around {
            before_last: word(2),
            last: word(1),
            text: word(0),
            next: self.file.word(at + 1),
        };
        let process = self.context.process();
        self.context.pass(&self.file.tokens[at], &around);
        let entered = process != self.context.process();
        match self.file.kind(at) {
            Some(Kind::System) => self.system_task(at, self.file.word(at)),
            Some(Kind::Directive) => {
                if let Some(function) = self.shared.random_macros.get(self.file.word(at)).cloned() {
                    self.random(at, at, &function);
                }
                self.assertion_macro(at);
            }
            Some(Kind::Identifier) => self.word(at, entered),
            Some(Kind::Punctuation) if self.is_delay(at) => {
                self.facts.delays.push(self.file.span(at))
            }
            Some(Kind::Punctuation) if self.file.word(at) == "=" => self.initial_value(at),
            _ => {}
        }
    }

    /// What must be seen before the context passes the token.
    fn before(&mut self, at: usize) {
        match self.file.word(at) {
            "module" | "macromodule" if self.context.module().is_none() => self.open.push(at),
            "endmodule" | "endinterface" | "endprogram" => self.end_module(at),
            "SYNTHESIS" => self.facts.mentions_synthesis = true,
            _ => {}
        }
    }

    fn end_module(&mut self, at: usize) {
        let text = std::mem::take(&mut self.monitors).concat();
        self.insert(self.file.tokens[at].start, text);
        if let (Some(start), Some(module)) = (self.open.pop(), self.context.module()) {
            let (name, span) = (module.name.clone(), self.file.span(start));
            let bytes = (self.file.tokens[start].start, self.file.tokens[at].end);
            self.facts.modules.push(DefinedModule { name, span, bytes });
        }
    }

    fn word(&mut self, at: usize, entered: bool) {
        // The name of a macro means nothing else.
        if at > 0 && self.file.word(at - 1) == "`define" {
            return;
        }
        match self.file.word(at) {
            "final" if entered => self.drop_final(at),
            "initial" if entered => {
                let last = statement_end(self.file, at + 1).unwrap_or(at);
                self.facts
                    .initial
                    .push((self.file.span(at).start.line, self.file.span(last).end.line));
                self.split_initial(at);
            }
            "assert" | "assume" | "cover" => self.assertion(at),
            "casez" | "casex" => self.case_of_patterns(at),
            "const" => self.constant_of_package(at),
            "function" if entered => self.function(at),
            "pullup" | "pulldown" | "tri0" | "tri1" | "trireg"
                if self.context.process().is_none() =>
            {
                let word = self.file.word(at).to_string();
                self.warn(
                    at,
                    format!("`{word}` is ignored: a net has two states and no strength"),
                );
            }
            _ if self.may_be_instance(at) => {
                self.facts.instantiated.push(self.file.word(at).to_string())
            }
            _ => {}
        }
    }

    /// Yosys has no variables outside of modules, but it has constants.
    fn constant_of_package(&mut self, at: usize) {
        let outside = self.context.module().is_none() && self.context.process().is_none();
        let alone = at == 0
            || matches!(
                self.file.word(at - 1),
                ";" | "end" | "endfunction" | "endtask"
            );
        let mut declared = (at + 1..).map(|i| self.file.word(i));
        let qualified = matches!(
            self.file.word(at + 1),
            "var" | "static" | "automatic" | "ref"
        );
        let has_value = declared.find(|word| matches!(*word, "=" | ";" | "")) == Some("=");
        if outside && alone && has_value && !qualified {
            self.replace(at, at, "localparam".into());
        }
    }

    fn drop_final(&mut self, at: usize) {
        let Some(end) = statement_end(self.file, at + 1) else {
            return;
        };
        self.remove(at, end);
        self.warn(
            at,
            "`final` blocks are not run: an artifact has no end of simulation".into(),
        );
    }

    /// The initial value of a variable, where slang refused it. In simulators it is undefined, too: nets have no value
    /// yet when it is taken.
    fn initial_value(&mut self, at: usize) {
        let in_module = self.context.module().is_some_and(|m| m.body.is_some());
        if !in_module || self.context.process().is_some() {
            return;
        }
        let Some(end) = self.declarator_end(at + 1) else {
            return;
        };
        let (first, last) = (self.file.span(at), self.file.span(end));
        let is_inside = |place: &Span| place.start >= first.end && place.start < last.end;
        let refused = self.shared.refused.iter().any(|refused| {
            refused.what == Dispensable::InitialValue
                && refused.place.file == first.file
                && is_inside(&refused.place)
        });
        if refused {
            self.remove(at, end);
            let message = "the initial value of this variable is dropped: it is taken from nets, which have none yet";
            self.tell(
                at,
                Diagnostic::warning("dropped-initial-value", message)
                    .note("a `wire` instead of a variable, or `assign`, follows the nets"),
            );
        }
    }

    /// The last token before the `,` or `;` that ends a declarator.
    fn declarator_end(&self, first: usize) -> Option<usize> {
        let mut at = first;
        loop {
            match self.file.word(at) {
                "" | "endmodule" => return None,
                "," | ";" => return (at > first).then(|| at - 1),
                "(" | "[" | "{" => at = self.file.closing(at)?,
                _ => {}
            }
            at += 1;
        }
    }

    fn may_be_instance(&self, at: usize) -> bool {
        let (Some(Kind::Identifier), Some(module)) = (self.file.kind(at), self.context.module())
        else {
            return false;
        };
        let next_is_name = self.file.kind(at + 1) == Some(Kind::Identifier)
            || (self.file.word(at + 1) == "#" && self.file.word(at + 2) == "(");
        next_is_name
            && !takes_delay(self.file.word(at))
            && module.body.is_some()
            && self.context.process().is_none()
    }

    /// A delay, and not the parameters of an instance or a cycle delay of a property.
    fn is_delay(&self, at: usize) -> bool {
        if self.file.word(at) != "#" || !self.file.active[at] || self.context.in_header() {
            return false;
        }
        let last = at.checked_sub(1).map_or("", |i| self.file.word(i));
        let cycles = last == "#" || self.file.word(at + 1) == "#";
        let assertion = matches!(last, "assert" | "assume" | "cover");
        let parameters = self.file.word(at + 1) == "("
            && at.checked_sub(1).and_then(|i| self.file.kind(i)) == Some(Kind::Identifier)
            && !takes_delay(last);
        !cycles && !assertion && !parameters
    }

    /// Tokens as one line of text, so that they can be put elsewhere.
    pub fn copy(&self, first: usize, last: usize) -> Option<String> {
        let raw = &self.file.text[self.file.tokens[first].start..self.file.tokens[last].end];
        if !raw.contains('\n') {
            return (!raw.contains("//")).then(|| raw.to_string());
        }
        let glued = raw.contains("``") || raw.contains("`\"");
        (!glued).then(|| {
            (first..=last)
                .map(|i| self.file.word(i))
                .collect::<Vec<_>>()
                .join(" ")
        })
    }

    pub fn insert(&mut self, at: usize, text: String) {
        if !text.is_empty() {
            self.edits.push(Edit {
                start: at,
                end: at,
                text,
                closes: false,
            });
        }
    }

    /// Ends, after a token, what was begun by an insertion before.
    pub fn close(&mut self, last: usize, text: &str) {
        let at = self.file.tokens[last].end;
        self.edits.push(Edit {
            start: at,
            end: at,
            text: text.to_string(),
            closes: true,
        });
    }

    pub fn replace(&mut self, first: usize, last: usize, text: String) {
        let (start, end) = (self.file.tokens[first].start, self.file.tokens[last].end);
        self.edits.push(Edit {
            start,
            end,
            text,
            closes: false,
        });
    }

    pub fn remove(&mut self, first: usize, last: usize) {
        self.replace(first, last, String::new());
    }

    /// A warning that something is not in the artifact; none for text that the preprocessor drops.
    pub fn warn(&mut self, at: usize, message: String) {
        self.tell(at, Diagnostic::warning("dropped-task", message));
    }

    pub fn note(&mut self, at: usize, message: String) {
        let note = Diagnostic {
            severity: Severity::Note,
            ..Diagnostic::warning("simulation-task", message)
        };
        self.tell(at, note);
    }

    pub fn tell(&mut self, at: usize, diagnostic: Diagnostic) {
        if self.file.active[at] {
            self.shared
                .warnings
                .push(diagnostic.label(self.file.span(at), ""));
        }
    }

    /// In code that runs while elaborating.
    pub fn in_initial(&self, at: usize) -> bool {
        let (first, last) = self.combinational;
        self.in_process(Process::Initial) && !(first..=last).contains(&at)
    }

    /// The first token of the module being read.
    pub fn module_start(&self) -> Option<usize> {
        self.open.last().copied()
    }

    pub fn in_process(&self, process: Process) -> bool {
        self.context.process() == Some(process)
    }
}

/// Words that `#(...)` after them makes a delay.
fn takes_delay(word: &str) -> bool {
    matches!(
        word,
        "assign"
            | "wire"
            | "tri"
            | "wand"
            | "wor"
            | "and"
            | "nand"
            | "or"
            | "nor"
            | "xor"
            | "xnor"
            | "buf"
            | "not"
            | "bufif0"
            | "bufif1"
            | "notif0"
            | "notif1"
            | "supply0"
            | "supply1"
    )
}

#[cfg(test)]
mod tests;
