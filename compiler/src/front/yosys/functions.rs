//! Functions that keep nothing from one call to the next become `automatic`.
//!
//! Without that word the arguments and variables of a function are variables of the module. slang's reader makes them
//! registers where clocked processes call it, and where several do, nets with several drivers.

use super::lexer::Kind;
use super::rewrite::Rewriter;
use super::statement::statement_end;

/// Words that begin the declaration of a variable.
const TYPES: [&str; 9] = [
    "reg", "logic", "bit", "integer", "int", "byte", "shortint", "longint", "time",
];

impl Rewriter<'_> {
    pub(super) fn function(&mut self, at: usize) {
        let alone = |word: &str| {
            let other = matches!(
                word,
                "import" | "extern" | "virtual" | "pure" | "context" | "static"
            );
            !other && !word.starts_with('"')
        };
        let before = at.checked_sub(1).map_or("", |i| self.file.word(i));
        let has_lifetime = matches!(self.file.word(at + 1), "automatic" | "static" | "new");
        if alone(before) && !has_lifetime && self.keeps_nothing(at).is_some() {
            self.insert(self.file.tokens[at].end, " automatic".into());
        }
    }

    /// None: it may keep something, or its text does not show that it does not.
    fn keeps_nothing(&self, function: usize) -> Option<()> {
        let end =
            (function..self.file.tokens.len()).find(|at| self.file.word(*at) == "endfunction")?;
        let (mut variables, body) = self.variables(self.after_semicolon(function)?)?;
        let plain = |at: usize| {
            let named = self.file.word(at + 1) == "'" || self.is_in_for(at);
            named || !TYPES.contains(&self.file.word(at))
        };
        let no_directives = (function..end).all(|at| !self.is_conditional_text(at));
        if !no_directives || !(body..end).all(plain) {
            return None;
        }
        let mut at = body;
        while at < end && !matches!(self.file.word(at), "end" | "endfunction") {
            let last = statement_end(self.file, at)?;
            let mut left = Vec::new();
            for variable in variables {
                if !self.assigns_first(at, last, variable)? {
                    left.push(variable);
                }
            }
            variables = left;
            at = last + 1;
        }
        Some(())
    }

    /// Variables that are declared from a token on, and where the first statement begins.
    fn variables(&self, first: usize) -> Option<(Vec<&str>, usize)> {
        let (mut at, mut in_block) = (first, false);
        let mut names = Vec::new();
        loop {
            match self.file.word(at) {
                "input" | "localparam" | "parameter" => at = self.after_semicolon(at)?,
                "begin" if !in_block => {
                    in_block = true;
                    at += if self.file.word(at + 1) == ":" { 3 } else { 1 };
                }
                word if TYPES.contains(&word) => {
                    let end = self.after_semicolon(at)?;
                    names.extend(self.declared(at + 1, end - 1)?);
                    at = end;
                }
                "output" | "inout" | "ref" | "const" | "typedef" | "import" | "static"
                | "automatic" | "var" | "" => return None,
                "return" | "unique" | "unique0" | "priority" => return Some((names, at)),
                // A type of the user's.
                _ if self.is_name(at) && self.is_name(at + 1) => return None,
                _ => return Some((names, at)),
            }
        }
    }

    /// The names in a declaration without values.
    fn declared(&self, first: usize, semicolon: usize) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let mut at = first;
        while at < semicolon {
            match self.file.word(at) {
                "[" => at = self.file.closing(at)?,
                "," | "signed" | "unsigned" => {}
                name if self.is_name(at) => names.push(name),
                _ => return None,
            }
            at += 1;
        }
        Some(names)
    }

    /// Whether a statement gives a variable its value in every case, without looking at the one before. None: it may
    /// look at it, or it gives one in some cases.
    fn assigns_first(&self, first: usize, last: usize, variable: &str) -> Option<bool> {
        let named = |from: usize| (from..=last).any(|at| self.file.word(at) == variable);
        if !named(first) {
            return Some(false);
        }
        let (target, value_end) = match (self.file.word(first), self.file.word(first + 1)) {
            ("for", "(") => (first + 2, self.after_semicolon(first + 2)? - 1),
            _ => (first, last),
        };
        let assigns = self.file.word(target) == variable
            && self.file.word(target + 1) == "="
            && self.file.word(target + 2) != "=";
        let looks = (target + 2..=value_end).any(|at| self.file.word(at) == variable);
        (assigns && !looks).then_some(true)
    }

    fn after_semicolon(&self, first: usize) -> Option<usize> {
        let mut at = first;
        loop {
            match self.file.word(at) {
                "" | "endfunction" => return None,
                ";" => return Some(at + 1),
                "(" | "[" | "{" => at = self.file.closing(at)?,
                _ => {}
            }
            at += 1;
        }
    }

    fn is_in_for(&self, at: usize) -> bool {
        at >= 2 && self.file.word(at - 1) == "(" && self.file.word(at - 2) == "for"
    }

    fn is_conditional_text(&self, at: usize) -> bool {
        matches!(
            self.file.word(at),
            "`ifdef" | "`ifndef" | "`else" | "`elsif" | "`endif" | "`define" | "`include"
        )
    }

    fn is_name(&self, at: usize) -> bool {
        self.file.kind(at) == Some(Kind::Identifier)
    }
}
