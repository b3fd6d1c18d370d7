//! Where in a design a token stands: takes tokens one by one, tells the enclosing module and process.
//!
//! Reads text before macros are expanded, so it guesses where macros hide structure. Both branches of
//! an `` `ifdef `` start from the same place, and the last one is believed afterwards.

use super::lexer::{Kind, Token};

/// The kind of procedural code around a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    Always,
    Initial,
    Final,
    /// A task or a function.
    Subroutine,
    /// The body of a macro: where it will be used is not known.
    Macro,
}

/// A module (or interface, or program) being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    /// Just after the `;` of the header, where declarations may be put; `None` inside the header.
    pub body: Option<usize>,
    import_in_header: bool,
}

/// The place of the next token.
#[derive(Clone, Debug, Default)]
pub struct Context {
    here: Place,
    /// The place at each open `` `ifdef ``.
    branches: Vec<Place>,
    /// The place around the macro definition that is being read.
    around_macro: Option<Place>,
}

#[derive(Clone, Debug, Default)]
struct Place {
    modules: Vec<Module>,
    process: Option<Process>,
    /// First byte of the process, and whether a declaration may stand before it.
    start: usize,
    declarable: bool,
    blocks: u32,
    parentheses: u32,
    /// In a statement that declares something which is elsewhere (`import`, `extern`, ...).
    declares_elsewhere: bool,
}

/// The token to be passed and its neighbours.
pub struct Around<'a> {
    pub before_last: &'a str,
    pub last: &'a str,
    pub text: &'a str,
    pub next: &'a str,
}

impl Context {
    /// The innermost module.
    pub fn module(&self) -> Option<&Module> {
        self.here.modules.last()
    }

    pub fn process(&self) -> Option<Process> {
        self.here.process
    }

    /// Whether the next token is part of a module's header.
    pub fn in_header(&self) -> bool {
        self.module().is_some_and(|m| m.body.is_none())
    }

    /// Where a declaration for the code at hand may be put: just before its process, so that it is in
    /// the same generate block, else after the module's header.
    pub fn declaration_place(&self) -> Option<usize> {
        let body = self.module()?.body?;
        let at_process = matches!(self.here.process, Some(Process::Always)) && self.here.declarable;
        Some(if at_process { self.here.start } else { body })
    }

    /// Passes a token.
    pub fn pass(&mut self, token: &Token, around: &Around<'_>) {
        self.enter_or_leave_macro(token.in_macro);
        if token.kind == Kind::Directive {
            return self.directive(around.text);
        }
        match around.text {
            "(" | "[" | "{" => self.here.parentheses += 1,
            ")" | "]" | "}" => self.here.parentheses = self.here.parentheses.saturating_sub(1),
            _ => {}
        }
        match self.here.process {
            None | Some(Process::Macro) => self.pass_outside(token, around),
            Some(Process::Subroutine) => {
                if matches!(around.text, "endfunction" | "endtask") {
                    self.leave_process();
                }
            }
            Some(_) => self.pass_in_process(around),
        }
    }

    fn enter_or_leave_macro(&mut self, in_macro: bool) {
        match (in_macro, self.around_macro.take()) {
            (true, None) => {
                let inside = Place {
                    process: Some(Process::Macro),
                    ..Place::default()
                };
                self.around_macro = Some(std::mem::replace(&mut self.here, inside));
            }
            (false, Some(around)) => self.here = around,
            (_, kept) => self.around_macro = kept,
        }
    }

    fn directive(&mut self, name: &str) {
        match name {
            "`ifdef" | "`ifndef" => self.branches.push(self.here.clone()),
            "`elsif" | "`else" => {
                if let Some(place) = self.branches.last() {
                    self.here = place.clone();
                }
            }
            "`endif" => {
                self.branches.pop();
            }
            _ => {}
        }
    }

    fn pass_outside(&mut self, token: &Token, around: &Around<'_>) {
        let in_header = self.in_header();
        let here = &mut self.here;
        match around.text {
            "module" | "macromodule" | "interface" | "program"
                if !in_header
                    && here.parentheses == 0
                    && around.next != "class"
                    && !here.declares_elsewhere
                    && around.last != "virtual" =>
            {
                here.modules.push(Module {
                    name: String::new(),
                    body: None,
                    import_in_header: false,
                });
            }
            "endmodule" | "endinterface" | "endprogram" => {
                here.modules.pop();
                here.parentheses = 0;
            }
            ";" if in_header && here.parentheses == 0 => end_header_part(here, token.end),
            ";" => here.declares_elsewhere = false,
            "import" if in_header => set_import_in_header(here),
            "import" | "export" | "extern" | "pure" if !in_header => here.declares_elsewhere = true,
            "always" | "always_comb" | "always_ff" | "always_latch" => {
                self.enter(Process::Always, token, around);
            }
            "initial" => self.enter(Process::Initial, token, around),
            "final" if !matches!(around.last, "assert" | "assume" | "cover") => {
                self.enter(Process::Final, token, around);
            }
            "function" | "task" if !here.declares_elsewhere => {
                self.enter(Process::Subroutine, token, around);
            }
            name => name_module(here, token, name),
        }
    }

    fn enter(&mut self, process: Process, token: &Token, around: &Around<'_>) {
        let here = &mut self.here;
        here.declarable = matches!(
            around.last,
            ";" | "end" | "begin" | "generate" | "endgenerate"
        ) || around.before_last == ":";
        here.process = Some(process);
        here.start = token.start;
        (here.blocks, here.parentheses) = (0, 0);
    }

    fn pass_in_process(&mut self, around: &Around<'_>) {
        let here = &mut self.here;
        match around.text {
            "begin" | "case" | "casex" | "casez" | "randcase" => here.blocks += 1,
            "fork" if !matches!(around.last, "wait" | "disable") => here.blocks += 1,
            "end" | "endcase" | "join" | "join_any" | "join_none" => {
                here.blocks = here.blocks.saturating_sub(1);
                self.perhaps_leave(around.next);
            }
            ";" => self.perhaps_leave(around.next),
            "endmodule" => {
                here.modules.pop();
                self.leave_process();
            }
            _ => {}
        }
    }

    fn perhaps_leave(&mut self, next: &str) {
        if self.here.blocks == 0 && self.here.parentheses == 0 && next != "else" {
            self.leave_process();
        }
    }

    fn leave_process(&mut self) {
        self.here.process = self.around_macro.is_some().then_some(Process::Macro);
        (self.here.blocks, self.here.parentheses) = (0, 0);
    }
}

fn end_header_part(here: &mut Place, end: usize) {
    let module = here.modules.last_mut().expect("in a header");
    if !std::mem::take(&mut module.import_in_header) {
        module.body = Some(end);
    }
}

fn set_import_in_header(here: &mut Place) {
    if here.parentheses == 0 {
        here.modules
            .last_mut()
            .expect("in a header")
            .import_in_header = true;
    }
}

/// The first plain word of a header is the name.
fn name_module(here: &mut Place, token: &Token, word: &str) {
    let Some(module) = here.modules.last_mut() else {
        return;
    };
    if module.name.is_empty()
        && token.kind == Kind::Identifier
        && !matches!(word, "automatic" | "static")
    {
        module.name = word.strip_prefix('\\').unwrap_or(word).to_string();
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    /// The module and process around each `HERE`.
    fn places(text: &str) -> Vec<(Option<String>, Option<Process>)> {
        let tokens = lex(text);
        let word = |i: usize| tokens.get(i).map_or("", |t| &text[t.start..t.end]);
        let mut context = Context::default();
        let mut found = Vec::new();
        for (i, token) in tokens.iter().enumerate() {
            let before = |n: usize| if i >= n { word(i - n) } else { "" };
            let around = Around {
                before_last: before(2),
                last: before(1),
                text: word(i),
                next: word(i + 1),
            };
            context.pass(token, &around);
            if word(i) == "HERE" {
                found.push((context.module().map(|m| m.name.clone()), context.process()));
            }
        }
        found
    }

    fn processes(body: &str) -> Vec<Option<Process>> {
        places(&format!("module m(input a); {body} endmodule"))
            .into_iter()
            .map(|(_, p)| p)
            .collect()
    }

    #[test]
    fn processes_end_where_their_statement_ends() {
        use Process::{Always, Initial};
        let body =
            "HERE always @(posedge a) if (b) begin x; end else if (c) HERE; else y = HERE; HERE
                    initial begin case (x) 1: HERE; endcase for (i=0;i<3;i=i+1) z; HERE; end HERE
                    initial HERE; HERE always_comb begin : name HERE; end : name HERE";
        let expected = [
            None,
            Some(Always),
            Some(Always),
            None,
            Some(Initial),
            Some(Initial),
            None,
            Some(Initial),
            None,
            Some(Always),
            None,
        ];
        assert_eq!(processes(body), expected);
    }

    #[test]
    fn subroutines_and_prototypes() {
        let body = "function f; input HERE; begin end endfunction HERE
                    import \"DPI-C\" function int g(int x); HERE task t; HERE; endtask HERE";
        let inside = Some(Process::Subroutine);
        assert_eq!(processes(body), [inside, None, None, inside, None]);
    }

    #[test]
    fn macros_and_branches() {
        let body = "`define M(x) if (x) HERE; \\\n HERE\nHERE
                    `ifdef A\n initial begin HERE; `else\n initial begin HERE; `endif\n HERE; end HERE";
        let (r#macro, initial) = (Some(Process::Macro), Some(Process::Initial));
        assert_eq!(
            processes(body),
            [r#macro, r#macro, None, initial, initial, initial, None]
        );
    }

    #[test]
    fn modules_and_headers() {
        let text =
            "HERE module automatic a import p::*; #(parameter P = HERE)(input b); HERE endmodule
                    interface i; HERE endinterface extern module e(input x); HERE
                    module \\c.d (x); HERE endmodule HERE";
        let modules: Vec<_> = places(text).into_iter().map(|(m, _)| m).collect();
        let name = |n: &str| Some(n.to_string());
        assert_eq!(
            modules,
            [
                None,
                name("a"),
                name("a"),
                name("i"),
                None,
                name("c.d"),
                None
            ]
        );
    }
}
