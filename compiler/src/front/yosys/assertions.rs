//! What becomes of assertions: the front ends keep their conditions and drop their actions.
//!
//! By the standard an immediate assertion with an `else` is that statement and nothing more, so
//! `assert (c) a; else b;` is written as `if (c) a; else b;`, and `$error` in `b` is what reports it.
//! Concurrent assertions stay, or are dropped where slang said that it cannot read them.

use super::complaints::Dispensable;
use super::context::Process;
use super::lexer::Kind;
use super::rewrite::Rewriter;
use super::statement::statement_end;
use crate::diag::Diagnostic;

impl Rewriter<'_> {
    pub(super) fn assertion(&mut self, at: usize) {
        let mut open = at + 1;
        if self.file.word(open) == "property" {
            return self.concurrent_assertion(at);
        }
        match self.file.word(open) {
            "#" => open += 2,
            "final" => open += 1,
            _ => {}
        }
        let close = (self.file.word(open) == "(")
            .then(|| self.file.closing(open))
            .flatten();
        let Some(close) = close else { return };
        if self.file.word(close + 1) == ";" || self.context.process().is_none() {
            return;
        }
        match self
            .otherwise(close)
            .filter(|_| self.file.word(at) != "cover")
        {
            Some(otherwise) => self.as_condition(at, open, close, otherwise),
            None => self.with_action(at, open, close),
        }
    }

    /// The `else` of an assertion whose condition ends at `close`.
    fn otherwise(&self, close: usize) -> Option<usize> {
        if self.file.word(close + 1) == "else" {
            return Some(close + 1);
        }
        let pass = statement_end(self.file, close + 1)?;
        (self.file.word(pass + 1) == "else").then_some(pass + 1)
    }

    fn as_condition(&mut self, at: usize, open: usize, close: usize, otherwise: usize) {
        self.replace(at, open - 1, "if".into());
        if otherwise == close + 1 {
            self.insert(self.file.tokens[close].end, " ;".into());
        }
        if let Some(end) = statement_end(self.file, otherwise + 1) {
            self.failures.push((otherwise, end));
        }
    }

    /// `assert (c) a;` is `begin assert (c); if (c) a; end`.
    fn with_action(&mut self, at: usize, open: usize, close: usize) {
        let (end, condition) = (statement_end(self.file, at), self.copy(open, close));
        let (Some(end), Some(condition)) = (end, condition) else {
            return self.warn(
                at,
                "the action of this assertion is dropped: it is too involved".into(),
            );
        };
        self.insert(self.file.tokens[at].start, "begin ".into());
        self.insert(self.file.tokens[close].end, format!("; if {condition} "));
        self.close(end, " end");
    }

    fn concurrent_assertion(&mut self, at: usize) {
        let close = (self.file.word(at + 2) == "(")
            .then(|| self.file.closing(at + 2))
            .flatten();
        let end = statement_end(self.file, at);
        if let Some(end) = end.filter(|&end| self.is_refused(at, end)) {
            let first = self.label_of(at);
            // In a process something must stay where a statement was.
            let rest = if self.context.process().is_some() {
                ";"
            } else {
                ""
            };
            self.replace(first, end, rest.into());
            return self.dropped(at);
        }
        let Some(close) = close else { return };
        let kept = self.file.word(close + 1) == ";" || self.as_clocked(at, close).is_some();
        if self.file.word(at) != "cover" {
            self.implication(at + 2, close);
        }
        if !kept {
            self.warn(
                at,
                "the action of a concurrent assertion is dropped; the assertion itself stays"
                    .into(),
            );
        }
    }

    /// `assert property (@(posedge clk) disable iff (r) c) else a;` is `always @(posedge clk) if (!(r)) if (c) ; else a;`.
    /// None: it is not so plain.
    fn as_clocked(&mut self, at: usize, close: usize) -> Option<()> {
        let (clock, first) = (at + 3, self.after_clock(at + 3)?);
        let clock_end = self.file.closing(clock + 1)?;
        let has_edge = matches!(self.file.word(clock + 2), "posedge" | "negedge");
        let plain = (first..close).all(|i| !self.takes_time(i) && !self.samples(i));
        let at_module = self.context.process().is_none() && self.context.module().is_some();
        if self.file.word(at) == "cover" || !has_edge || !plain || !at_module || self.has_default()
        {
            return None;
        }
        let otherwise = self.otherwise(close)?;
        let end = statement_end(self.file, otherwise + 1)?;
        let mut before = format!("always {} ", self.copy(clock, clock_end)?);
        if first > clock_end + 1 {
            before += &format!("if (!{}) ", self.copy(clock_end + 3, first - 1)?);
        }
        self.insert(self.file.tokens[self.label_of(at)].start, before);
        self.replace(at, first - 1, "if (".into());
        if otherwise == close + 1 {
            self.insert(self.file.tokens[close].end, " ;".into());
        }
        self.failures.push((otherwise, end));
        Some(())
    }

    /// `default disable iff`, which holds for assertions and not for processes.
    fn has_default(&self) -> bool {
        let mut words = 0..self.file.tokens.len();
        words.any(|i| self.file.word(i) == "default" && self.file.word(i + 1) == "disable")
    }

    /// System functions that look at other times.
    fn samples(&self, at: usize) -> bool {
        let known = [
            "$onehot",
            "$onehot0",
            "$countones",
            "$isunknown",
            "$signed",
            "$unsigned",
            "$bits",
            "$clog2",
        ];
        self.file.kind(at) == Some(Kind::System) && !known.contains(&self.file.word(at))
    }

    /// The first token of an assertion, which may have a name.
    fn label_of(&self, at: usize) -> usize {
        let labelled = at >= 2
            && self.file.word(at - 1) == ":"
            && self.file.kind(at - 2) == Some(Kind::Identifier);
        if labelled { at - 2 } else { at }
    }

    /// `a |-> b` of plain conditions is `!(a) || (b)`.
    fn implication(&mut self, open: usize, close: usize) {
        let Some(first) = self.after_clock(open + 1) else {
            return;
        };
        let arrows: Vec<usize> = (first..close).filter(|at| self.is_arrow(*at)).collect();
        let takes_time = (first..close).any(|at| self.takes_time(at));
        let (&[arrow], false) = (arrows.as_slice(), takes_time) else {
            return;
        };
        self.insert(self.file.tokens[first].start, "!(".into());
        self.replace(arrow, arrow + 2, ") || (".into());
        self.close(close - 1, ")");
    }

    /// What comes after the clock and `disable iff (...)`.
    fn after_clock(&self, first: usize) -> Option<usize> {
        let mut at = first;
        if self.file.word(at) == "@" {
            at = match self.file.word(at + 1) {
                "(" => self.file.closing(at + 1)? + 1,
                _ => at + 2,
            };
        }
        if (self.file.word(at), self.file.word(at + 1)) == ("disable", "iff") {
            at = self.file.closing(at + 2)? + 1;
        }
        Some(at)
    }

    fn is_arrow(&self, at: usize) -> bool {
        let text = &self.file.text[self.file.tokens[at].start..];
        text.starts_with("|->")
    }

    /// Operators of sequences and properties.
    fn takes_time(&self, at: usize) -> bool {
        let (word, next) = (self.file.word(at), self.file.word(at + 1));
        match word {
            "#" | "@" | "and" | "or" | "not" | "if" | "case" | "implies" | "iff" | "throughout"
            | "within" | "intersect" | "first_match" | "until" | "until_with" | "always"
            | "eventually" | "nexttime" | "strong" | "weak" | "accept_on" | "reject_on" => true,
            "[" => matches!(next, "*" | "=" | "-"),
            "|" => next == "=" && self.file.word(at + 2) == ">",
            _ => word.starts_with("s_") || word.starts_with("sync_"),
        }
    }

    /// A macro call that slang refused because of an assertion in it.
    pub(super) fn assertion_macro(&mut self, at: usize) {
        let close = (self.file.word(at + 1) == "(")
            .then(|| self.file.closing(at + 1))
            .flatten();
        let Some(close) =
            close.filter(|&close| !self.in_process(Process::Macro) && self.is_refused(at, close))
        else {
            return;
        };
        self.remove(at, close);
        self.dropped(at);
    }

    fn dropped(&mut self, at: usize) {
        let message =
            "this assertion is dropped: it needs sequences or time, which are not supported";
        self.tell(at, Diagnostic::warning("dropped-assertion", message));
    }

    fn is_refused(&self, first: usize, last: usize) -> bool {
        let lines = self.file.span(first).start.line..=self.file.span(last).end.line;
        self.shared.refused.iter().any(|refused| {
            refused.what == Dispensable::Assertion
                && refused.place.file == self.file.name
                && lines.contains(&refused.place.start.line)
        })
    }
}
