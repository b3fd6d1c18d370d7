//! Simulation tasks in terms that both front ends keep: takes a file, gives it with tasks rewritten.
//!
//! Both `read_slang` and `read_verilog` keep `$display` and its order, so what ends or reports becomes
//! `$display("\001<word> ...", arguments)`; random numbers and run-time options become undriven wires
//! with an attribute. Tokens are replaced where they stand: lines, comments and macros stay. What cannot
//! be kept is a warning with its line.

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
    /// Files and lines of assertions that slang cannot read, to be dropped.
    pub refused_assertions: Vec<(String, u32)>,
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
mod tests {
    use super::*;

    /// A module with this body, rewritten, without its header; and the warnings.
    fn body(text: &str) -> (String, Vec<String>) {
        let mut file = SourceFile::new(
            "f.v".into(),
            format!("module m(input clk);\n{text}\nendmodule"),
        );
        file.active.fill(true);
        let mut shared = Shared::default();
        shared
            .random_macros
            .insert("`RANDOM".into(), "$random".into());
        let rewritten = rewrite(&file, &mut shared);
        assert_eq!(
            rewritten.text.lines().count(),
            file.text.lines().count(),
            "lines are kept"
        );
        let body = rewritten.text.strip_prefix("module m(input clk);").unwrap();
        let body = body.strip_suffix("endmodule").unwrap();
        let severe = shared
            .warnings
            .iter()
            .filter(|w| w.severity == Severity::Warning);
        (
            body.trim().to_string(),
            severe.map(|w| w.message.clone()).collect(),
        )
    }

    fn clocked(statement: &str) -> String {
        let (text, warnings) = body(&format!("always @(posedge clk) {statement}"));
        assert!(warnings.is_empty(), "{warnings:?}");
        text.strip_prefix("always @(posedge clk) ")
            .unwrap_or(&text)
            .to_string()
    }

    #[test]
    fn tasks_that_end_or_report() {
        for (before, after) in [
            ("$finish;", r#"$display("\001finish 1");"#),
            ("$finish(0);", r#"$display("\001finish 0");"#),
            ("$stop(1);", r#"$display("\001stop");"#),
            ("$fatal;", r#"$display("\001fatal 1 ");"#),
            ("$fatal();", r#"$display("\001fatal 1 ");"#),
            (
                r#"$fatal(2, "x %d", q);"#,
                r#"$display("\001fatal 2 ", "x %d", q);"#,
            ),
            (r#"$fatal("x");"#, r#"$display("\001fatal 1 ", "x");"#),
            (
                r#"$error("x %d", f(a, b));"#,
                r#"$display("\001error ", "x %d", f(a, b));"#,
            ),
            ("$warning;", r#"$display("\001warning ");"#),
            ("$info();", r#"$display("\001info ");"#),
            (r#"$strobe("x");"#, r#"$display("\001strobe ", "x");"#),
            (r#"$fwrite(1, "x");"#, r#"$write( "x");"#),
            (
                r#"$fdisplay(32'h8000_0002, "x", y);"#,
                r#"$display( "x", y);"#,
            ),
            ("$fdisplay(2);", r#"$display("");"#),
            (r#"$fstrobe(1, "x");"#, r#"$display("\001strobe ",  "x");"#),
            ("$dumpvars(0, m);", ";"),
            ("q <= $isunknown(q);", "q <= 1'b0;"),
        ] {
            assert_eq!(clocked(before), after);
        }
    }

    #[test]
    fn what_cannot_be_kept_is_a_warning() {
        for statement in [
            r#"$fwrite(f, "x");"#,
            r#"$monitor("x", q);"#,
            "$writememh(\"f\", m);",
            "q <= $fopen(\"f\");",
        ] {
            let (_, warnings) = body(&format!("always @(posedge clk) {statement}"));
            assert_eq!(warnings.len(), 1, "{statement}");
        }
        assert_eq!(
            body("final $display(\"x\");"),
            (
                String::new(),
                vec![
                    "`final` blocks are not run: an artifact has no end of simulation".to_string(),
                ]
            )
        );
        assert_eq!(body("pullup (q);").1.len(), 1);
    }

    #[test]
    fn elaboration_tasks_and_comments_stay() {
        let text = "if (N > 3) $error(\"N\");\n// $finish\n/* $stop; */ assign s = \"$finish\";";
        assert_eq!(body(text), (text.to_string(), Vec::new()));
    }

    #[test]
    fn random_numbers_become_wires_before_their_process() {
        assert_eq!(
            body("wire a;\nalways @(posedge clk) q <= $random;").0,
            "wire a;\n (* rtlwasm_random *) wire signed [31:0] rtlwasm_random_0; always @(posedge clk) q <= rtlwasm_random_0;"
        );
        assert_eq!(
            body("assign q = `RANDOM;").0,
            "(* rtlwasm_random *) wire signed [31:0] rtlwasm_random_0; \nassign q = rtlwasm_random_0;"
        );
        let range = body("wire a;\nalways @(posedge clk) q <= $urandom_range(9);").0;
        assert!(
            range.ends_with("q <= (rtlwasm_random_0 % (33'd1 + (9)));"),
            "{range}"
        );
    }

    #[test]
    fn random_numbers_of_initial_blocks_are_drawn_while_compiling() {
        let text = body("initial q = $urandom;").0;
        assert!(text.starts_with("reg [31:0] rtlwasm_seed = 32'd"), "{text}");
        assert!(text.ends_with("^ (rtlwasm_seed >> 15));"), "{text}");
    }

    #[test]
    fn actions_of_assertions_become_statements() {
        assert_eq!(
            clocked("assert (a) else $error(\"x\");"),
            "if (a) ; else $display(\"\\001assert \", \"x\");"
        );
        assert_eq!(
            clocked("n: assume (a) b;"),
            "n: begin assume (a); if (a)  b; end"
        );
        assert_eq!(clocked("assert (a);"), "assert (a);");
        let text = "p: assert property (@(posedge clk) a) else $error;";
        assert_eq!(body(text).0, text);
        assert_eq!(body(text).1.len(), 1);
    }

    #[test]
    fn a_monitor_of_an_initial_block_prints_on_change() {
        let text = body("initial $monitor(\"x %d\",\n q);").0;
        assert_eq!(text, "initial \n;\nalways @* $display( \"x %d\" , q );");
    }

    #[test]
    fn plusargs_in_clocked_code() {
        let text =
            body("wire a;\nalways @(posedge clk) if ($value$plusargs(\"N=%d\", n)) q <= n;").0;
        assert!(text.ends_with(
            "begin if (rtlwasm_plusarg_0) n = rtlwasm_plusarg_1; if (rtlwasm_plusarg_0) q <= n; end"
        ), "{text}");
        assert!(
            text.contains("(* rtlwasm_plusarg = \"N=%d\" *) wire [63:0] rtlwasm_plusarg_1;"),
            "{text}"
        );
    }

    #[test]
    fn plusargs_in_initial_blocks_become_combinational() {
        let text =
            body("initial begin q = 0; n = 1; if (!$value$plusargs(\"N=%d\", n)) n = 1; end").0;
        let expected = "initial begin q = 0; end always @* begin n = 1; \
            begin if (rtlwasm_plusarg_0) n = rtlwasm_plusarg_1; if (!rtlwasm_plusarg_0) n = 1; end end initial begin end";
        assert!(text.ends_with(expected), "{text}");
        let (text, warnings) =
            body("initial if ($test$plusargs(\"A\")) q = 1;\nalways @(posedge clk) q <= 0;");
        assert!(text.starts_with("initial if (1'b0) q = 1;"), "{text}");
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn delays_and_parameters_are_told_apart() {
        let text = "foo #(3) u (a);\nassign #5 b = c;\nalways @(posedge clk) q <= #1 d;\nand #(2) g (a, b);";
        let mut file = SourceFile::new(
            "f.v".into(),
            format!("module m #(parameter N = 1) (input clk);\n{text}\nendmodule"),
        );
        file.active.fill(true);
        let facts = rewrite(&file, &mut Shared::default()).facts;
        assert_eq!(
            facts
                .delays
                .iter()
                .map(|s| s.start.line)
                .collect::<Vec<_>>(),
            [3, 4, 5]
        );
        assert_eq!(facts.instantiated, ["foo"]);
        assert_eq!(facts.modules[0].name, "m");
    }
}
