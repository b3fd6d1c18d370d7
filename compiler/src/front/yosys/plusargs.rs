//! `$test$plusargs` and `$value$plusargs` become wires that the host sets when a run starts.
//!
//! They are mostly asked in `initial` blocks, which run while elaborating, when nobody has answered yet.
//! The statements that ask, and those that assign the same variables, therefore become a combinational
//! process, provided that nothing else assigns these variables; else the answer is "not given", with a
//! warning.

use std::collections::BTreeSet;

use super::context::Process;
use super::lexer::Kind;
use super::rewrite::Rewriter;
use super::statement::statement_end;
use super::tasks::Call;

impl Rewriter<'_> {
    pub(super) fn plusargs(&mut self, at: usize, name: &str) {
        let Some(call) = self.call(at) else { return };
        let Some((first, last)) = self.argument(Some(&call), 0) else {
            return;
        };
        if self.in_initial(at) {
            self.replace(at, call.close, "1'b0".into());
            let message =
                format!("`{name}` in an `initial` block is answered while compiling: not given");
            return self.warn(at, message);
        }
        if first != last
            || self.file.kind(first) != Some(Kind::String)
            || self.in_process(Process::Macro)
        {
            return;
        }
        let attribute = format!("rtlwasm_plusarg = {}", self.file.word(first));
        let variable = self
            .argument(Some(&call), 1)
            .map(|(first, last)| self.copy(first, last));
        match variable {
            None => {
                if let Some(found) = self.wire("plusarg", &attribute, "") {
                    self.replace(at, call.close, found);
                }
            }
            Some(Some(variable)) => self.value_plusargs(at, &call, &attribute, &variable),
            // The front end refuses what is left as it is.
            Some(None) => {}
        }
    }

    /// A statement `s` with `$value$plusargs(format, v)` becomes `begin if (found) v = value; s end`.
    fn value_plusargs(&mut self, at: usize, call: &Call, attribute: &str, variable: &str) {
        let Some(start) = self.statement_start(at) else {
            return;
        };
        let Some(end) = statement_end(self.file, start).filter(|&end| end >= call.close) else {
            return;
        };
        let bits = if attribute.contains("%s") {
            "[511:0] "
        } else {
            "[63:0] "
        };
        let Some(found) = self.wire("plusarg", attribute, "") else {
            return;
        };
        let Some(value) = self.wire("plusarg", attribute, bits) else {
            return;
        };
        self.insert(
            self.file.tokens[start].start,
            format!("begin if ({found}) {variable} = {value}; "),
        );
        self.replace(at, call.close, found);
        self.close(end, " end");
    }

    /// The first token of the statement around a token.
    fn statement_start(&self, at: usize) -> Option<usize> {
        let mut i = at;
        loop {
            let last = i.checked_sub(1)?;
            match self.file.word(last) {
                ";" | "begin" | "end" | "else" | "initial" | "fork" | "endcase" | ":" => {
                    return Some(i);
                }
                ")" if matches!(self.file.kind(i), Some(Kind::Identifier | Kind::System)) => {
                    return Some(i);
                }
                ")" => i = self.opening(last)?,
                _ => i = last,
            }
        }
    }

    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        (0..=close).rev().find(|&i| {
            match self.file.word(i) {
                ")" => depth += 1,
                "(" => depth -= 1,
                _ => {}
            }
            depth == 0
        })
    }

    /// Makes the part of an `initial` block that depends on plusargs combinational.
    pub(super) fn split_initial(&mut self, at: usize) {
        let Some(statements) = self.statements(at + 1) else {
            return;
        };
        let asks = |&(first, last): &(usize, usize)| {
            (first..=last)
                .any(|i| matches!(self.file.word(i), "$test$plusargs" | "$value$plusargs"))
        };
        let Some(low) = statements.iter().position(asks) else {
            return;
        };
        let high = statements.iter().rposition(asks).unwrap_or(low);
        let Some((low, high)) = self.movable(&statements, low, high) else {
            return;
        };
        self.combinational = (statements[low].0, statements[high].1);
        if low == 0 && high + 1 == statements.len() {
            return self.replace(at, at, "always @*".into());
        }
        self.insert(
            self.file.tokens[statements[low].0].start,
            "end always @* begin ".into(),
        );
        self.close(statements[high].1, " end initial begin");
    }

    /// Statements directly in a process; `None` when it cannot be taken apart.
    fn statements(&self, first: usize) -> Option<Vec<(usize, usize)>> {
        let end = statement_end(self.file, first)?;
        if self.file.word(first) != "begin" {
            return Some(vec![(first, end)]);
        }
        let declares = |word: &str| {
            matches!(
                word,
                ":" | "integer" | "reg" | "int" | "logic" | "bit" | "automatic" | "static"
            )
        };
        let mut statements = Vec::new();
        let mut at = first + 1;
        while at < end {
            if declares(self.file.word(at)) || self.file.kind(at) == Some(Kind::Directive) {
                return None;
            }
            let last = statement_end(self.file, at).filter(|&last| last < end)?;
            statements.push((at, last));
            at = last + 1;
        }
        Some(statements)
    }

    /// Widens a range of statements until nothing outside assigns what it assigns.
    fn movable(
        &self,
        statements: &[(usize, usize)],
        low: usize,
        high: usize,
    ) -> Option<(usize, usize)> {
        let (mut low, mut high) = (low, high);
        loop {
            let (first, last) = (statements[low].0, statements[high].1);
            let impossible =
                |word: &str| word.starts_with("$readmem") || matches!(word, "#" | "@" | "wait");
            if (first..=last).any(|i| impossible(self.file.word(i))) {
                return None;
            }
            let targets = self.targets(first, last);
            let shares =
                |&(first, last): &(usize, usize)| !self.targets(first, last).is_disjoint(&targets);
            let wider = (
                statements.iter().position(shares).unwrap_or(low).min(low),
                statements
                    .iter()
                    .rposition(shares)
                    .unwrap_or(high)
                    .max(high),
            );
            if wider == (low, high) {
                return self.only_here(&targets, first, last).then_some((low, high));
            }
            (low, high) = wider;
        }
    }

    fn only_here(&self, targets: &BTreeSet<&str>, first: usize, last: usize) -> bool {
        let Some(start) = self.module_start() else {
            return false;
        };
        let end = (last..self.file.tokens.len())
            .find(|&i| self.file.word(i) == "endmodule")
            .unwrap_or(last);
        first > 0
            && self.targets(start, first - 1).is_disjoint(targets)
            && self.targets(last + 1, end).is_disjoint(targets)
    }

    /// Variables that look assigned between two tokens.
    fn targets(&self, first: usize, last: usize) -> BTreeSet<&str> {
        let mut depth = 0u32;
        let mut found = BTreeSet::new();
        for i in first..=last {
            match self.file.word(i) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "$value$plusargs" => {
                    let variable = self.call(i).and_then(|call| self.argument(Some(&call), 1));
                    found.extend(variable.map(|(first, _)| self.file.word(first)));
                }
                _ if depth == 0 && self.is_assigned(i) => {
                    found.insert(self.file.word(i));
                }
                _ => {}
            }
        }
        found
    }

    /// A name before `=` or `<=`, in a statement and not in a declaration.
    fn is_assigned(&self, at: usize) -> bool {
        let mut next = at + 1;
        while self.file.word(next) == "[" {
            let Some(close) = self.file.closing(next) else {
                return false;
            };
            next = close + 1;
        }
        let two = (self.file.word(next), self.file.word(next + 1));
        let assigns = matches!(two, ("=", after) if after != "=") || two == ("<", "=");
        let declared = at > 0
            && self.file.kind(at - 1) == Some(Kind::Identifier)
            && !matches!(
                self.file.word(at - 1),
                "begin" | "else" | "end" | "assign" | "initial"
            );
        assigns && !declared && self.file.kind(at) == Some(Kind::Identifier)
    }
}
