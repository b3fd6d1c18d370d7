//! What Yosys says, as diagnostics: takes slang's JSON and Yosys' log, gives messages with places.
//!
//! Places are those of the copies; the caller turns them into the user's.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::script::Remedy;

use crate::diag::{Diagnostic, Label, Position, Severity, Span};

/// A complaint of slang.
#[derive(Clone, Debug, Deserialize)]
pub struct Complaint {
    pub severity: String,
    pub message: String,
    #[serde(default)]
    pub code: String,
    location: Option<String>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    notes: Vec<Remark>,
}

/// A note has no severity.
#[derive(Clone, Debug, Deserialize)]
struct Remark {
    message: String,
    location: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Range {
    start: Place,
    end: Place,
}

#[derive(Clone, Debug, Deserialize)]
struct Place {
    file: String,
    line: u32,
    column: u32,
}

/// Refusals for which `read_verilog` is tried: it has cells for what slang has none for.
const FALLBACK: [&str; 2] = [
    // Set and reset: `$dffsr`.
    "multiple asynchronous loads unsupported",
    // Both edges of one clock in a sensitivity list.
    "simple if-else pattern expected in modeling an asynchronous load",
];

/// Of an `initial` block, or of the initial value of a variable.
const NET_BEFORE_TIME_0: &str = "reading net state during design initialization unsupported";

/// What slang cannot read and the rewriter can leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispensable {
    /// A property with sequences.
    Assertion,
    /// The initial value of a variable, read from nets.
    InitialValue,
}

/// One of them, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub what: Dispensable,
    pub place: Span,
}

impl Complaint {
    pub fn is_error(&self) -> bool {
        matches!(self.severity.as_str(), "error" | "fatal")
    }

    /// What may help; `in_initial` says whether a place is in an `initial` block.
    pub fn remedy(&self, in_initial: &dyn Fn(&Span) -> bool) -> Option<Remedy> {
        let has = |part: &str| self.message.contains(part);
        if FALLBACK.iter().any(|refusal| has(refusal)) {
            Some(Remedy::ReadVerilog)
        } else if has("hierarchical reference across preserved module boundary") {
            Some(Remedy::FlatHierarchy)
        } else if has("no implicit conversion") && has("explicit conversion exists") {
            Some(Remedy::NumbersForEnums)
        } else if has("unroll limit") && self.span().is_some_and(|span| in_initial(&span)) {
            Some(Remedy::MoreUnrolling)
        } else if self.code.starts_with("Expected") || self.code.starts_with("Unexpected") {
            // A Verilog name that is a keyword in SystemVerilog.
            Some(Remedy::Verilog2005)
        } else {
            None
        }
    }

    /// What it refuses, when a design can do without that.
    pub fn dispensable(&self) -> Option<Dispensable> {
        let has = |part: &str| self.is_error() && self.message.contains(part);
        if has("unsupported SVA feature") {
            Some(Dispensable::Assertion)
        } else if has(NET_BEFORE_TIME_0) {
            Some(Dispensable::InitialValue)
        } else {
            None
        }
    }

    /// slang's reader meets what slang could not make sense of and has not refused, because nothing evaluates it.
    fn is_of_invalid_expression(&self) -> bool {
        let known = [
            "expression of type  with dynamic size",
            "unsynthesizable feature",
        ];
        let nowhere = self.span().is_none_or(|span| span.start.line == 0);
        nowhere
            && known
                .iter()
                .any(|message| self.message.starts_with(message))
    }

    fn span(&self) -> Option<Span> {
        let Some(location) = self.location.as_deref().and_then(parse_location) else {
            return self.ranges.first().map(range_span);
        };
        // The range that starts at the location says where it ends.
        let range = self
            .ranges
            .iter()
            .map(range_span)
            .find(|r| r.file == location.file && r.start == location.start);
        Some(range.unwrap_or(location))
    }
}

fn range_span(range: &Range) -> Span {
    let position = |p: &Place| Position {
        line: p.line,
        column: p.column,
    };
    Span {
        file: range.start.file.clone(),
        start: position(&range.start),
        end: position(&range.end),
    }
}

/// `file:line:column`
fn parse_location(text: &str) -> Option<Span> {
    let (rest, column) = text.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Span::point(file, line.parse().ok()?, column.parse().ok()?))
}

/// Reads slang's JSON; `None` when it is not there or broken, as after a crash.
pub fn parse(json: &str) -> Option<Vec<Complaint>> {
    serde_json::from_str(json).ok()
}

/// What slang refuses and a design can do without.
pub fn refused(complaints: &[Complaint], place: &dyn Fn(Span) -> Span) -> Vec<Refused> {
    let refused = complaints.iter().filter_map(|complaint| {
        Some(Refused {
            what: complaint.dispensable()?,
            place: place(complaint.span()?),
        })
    });
    refused.collect()
}

/// Complaints as diagnostics: one for each missing module, with all its instances; the others as they
/// came, in our words where we know better.
pub fn diagnostics(complaints: &[Complaint], place: &dyn Fn(Span) -> Span) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = Vec::new();
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    for complaint in complaints {
        let span = complaint
            .span()
            .filter(|span| span.start.line > 0)
            .map(place);
        if complaint.code == "UnknownModule" {
            let name = complaint.message.split('\'').nth(1).unwrap_or("");
            let index = *missing.entry(name).or_insert_with(|| {
                out.push(missing_module(name));
                out.len() - 1
            });
            out[index].labels.extend(span.map(|span| Label {
                span,
                message: "instantiated here".into(),
            }));
            continue;
        }
        let Some(diagnostic) = diagnostic(complaint) else {
            continue;
        };
        let mut diagnostic = diagnostic.label(span, "");
        for note in &complaint.notes {
            match note.location.as_deref().and_then(parse_location).map(place) {
                Some(span) if !is_hint(&note.message) => {
                    diagnostic.labels.push(Label {
                        span,
                        message: note.message.clone(),
                    });
                }
                None if !note.message.is_empty() && !is_hint(&note.message) => {
                    diagnostic.notes.push(note.message.clone())
                }
                _ => {}
            }
        }
        if !out.contains(&diagnostic) {
            out.push(diagnostic);
        }
    }
    out
}

fn missing_module(name: &str) -> Diagnostic {
    Diagnostic::error("missing-module", format!("module `{name}` is missing"))
        .note("name its file among the sources, or its folder with -y")
}

/// Notes that speak of options which are not the user's.
fn is_hint(message: &str) -> bool {
    message.starts_with("use option '--")
}

fn diagnostic(complaint: &Complaint) -> Option<Diagnostic> {
    let message = complaint.message.as_str();
    if complaint.is_error() {
        if complaint.is_of_invalid_expression() {
            return Some(reversed_range());
        }
        return Some(known_error(message).unwrap_or_else(|| Diagnostic::error("verilog", message)));
    }
    if complaint.severity != "warning" || is_noise(&complaint.code) {
        return None;
    }
    // Tasks that elaborate are the design's own messages.
    Some(match complaint.code.as_str() {
        "WidthTruncate" => Diagnostic::warning("width", message),
        _ => Diagnostic::warning("verilog", message),
    })
}

fn known_error(message: &str) -> Option<Diagnostic> {
    let has = |part: &str| message.contains(part);
    Some(if has("unroll limit") {
        Diagnostic::error(
            "endless-loop",
            "this loop does not end, or not before very many rounds",
        )
        .note("loops become hardware, round by round: their number must be known when compiling")
    } else if has("unsynthesizable timing control") {
        delay()
    } else if has(NET_BEFORE_TIME_0) {
        Diagnostic::error("net-before-start", "this reads a net before time 0, when it has no value yet")
            .note("nets follow their drivers from time 0 on: use `assign` or a clocked process, or a constant")
    } else if has("unsupported SVA feature") {
        Diagnostic::error("assertion", "this property needs sequences or time, which are not supported")
            .note("properties of plain conditions at one clock edge are kept; leave this one out with `ifdef")
    } else if let Some(task) = message.strip_prefix("unsupported system task ") {
        Diagnostic::error(
            "system-task",
            format!("system task {task} is not supported here"),
        )
    } else if has("is not a valid top-level module") {
        let name = message.split('\'').nth(1).unwrap_or("");
        Diagnostic::error(
            "missing-top",
            format!("there is no module `{name}` that could be the top"),
        )
    } else {
        return None;
    })
}

/// `x[7:8]` of a `[7:0]`, in the part of an expression that a constant condition rules out.
pub fn reversed_range() -> Diagnostic {
    let message = "an expression selects a range whose bounds are reversed, where a constant condition rules it out";
    Diagnostic::error("reversed-range", message)
        .note("Yosys does not say where: look for ranges with computed bounds beside `? :`, `&&` and `||`")
        .note("`generate if`, or bounds that are never reversed, avoid it")
}

/// A `#` delay.
pub fn delay() -> Diagnostic {
    Diagnostic::error(
        "delay",
        "delays are not supported: a simulation of cycles has no time between edges",
    )
    .note("leave the delay out, for example with a macro that is empty here")
}

/// Warnings that say nothing to one who simulates.
fn is_noise(code: &str) -> bool {
    matches!(
        code,
        "UnusedDefinition" | "NoTopModules" | "MissingTopModules"
    )
}

/// A process that waits in its middle.
pub fn wait() -> Diagnostic {
    Diagnostic::error("wait", "a process cannot wait in its middle")
        .note("hardware has one `@(...)` for each process, right after `always`")
}

/// Errors and warnings of a log: `file:line: ERROR: text` or without place.
pub fn from_log(log: &str) -> Vec<(Severity, Option<Span>, String)> {
    let mut found = Vec::new();
    // slang's dump of what it has no implementation for says where it is, and the error does not.
    let mut dumped = None;
    for line in log.lines() {
        if let Some(place) = line.strip_prefix("Source line ") {
            dumped = place.split(": ").next().and_then(parse_location);
        }
        for (mark, severity) in [
            ("ERROR: ", Severity::Error),
            ("Warning: ", Severity::Warning),
        ] {
            let Some((before, message)) = line.split_once(mark) else {
                continue;
            };
            let span = before.trim_end().strip_suffix(':').and_then(log_place);
            if span.is_some() || before.is_empty() {
                let span = span.or_else(|| dumped.clone().filter(|_| is_unimplemented(message)));
                found.push((severity, span, message.trim_end().to_string()));
            }
            break;
        }
    }
    found
}

/// The package and name of a variable for which slang's reader has no net, and ends.
pub fn package_variable(log: &str) -> Option<(&str, &str)> {
    let mut missing = log.lines().filter_map(|line| {
        let symbol = line.trim_start().strip_prefix("wire for symbol ")?;
        symbol.strip_suffix(" is missing")?.split_once("::")
    });
    missing.next()
}

/// What slang says of a construct that it has not.
pub fn is_unimplemented(message: &str) -> bool {
    message.starts_with("Feature unimplemented")
}

/// `file:line`, or `file:line.column-line.column`.
fn log_place(text: &str) -> Option<Span> {
    Span::parse(text)
}

/// Warnings of `read_verilog` about what it drops, as errors.
pub fn refused_by_us(message: &str) -> Option<Diagnostic> {
    let name = || {
        message
            .split(['`', '\''])
            .nth(1)
            .unwrap_or("")
            .trim_start_matches('\\')
    };
    if message.contains("implicitly declared") {
        Some(Diagnostic::error(
            "undeclared",
            format!("`{}` is not declared", name()),
        ))
    } else if message.contains("Ignoring call") {
        Some(Diagnostic::error(
            "system-task",
            format!("system task `{}` is not supported here", name()),
        ))
    } else {
        None
    }
}

/// The modules that slang took for tops.
pub fn tops(log: &str) -> Vec<String> {
    let after = log
        .lines()
        .skip_while(|line| !line.starts_with("Top level design units:"))
        .skip(1);
    after
        .take_while(|line| line.starts_with("    "))
        .map(|line| line.trim().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"[
        {"severity": "error", "message": "unknown module 'foo'", "code": "UnknownModule", "location": "/s/b.v:3:1",
         "ranges": [{"start": {"file": "/s/b.v", "line": 3, "column": 1}, "end": {"file": "/s/b.v", "line": 3, "column": 4}}],
         "symbolPath": "b"},
        {"severity": "error", "message": "unknown module 'foo'", "code": "UnknownModule", "location": "/s/b.v:4:1"},
        {"severity": "error", "message": "unsynthesizable timing control (ignore with '--ignore-timing')",
         "code": "<user-diag>", "location": "/s/b.v:5:2",
         "notes": [{"message": "use option '--ignore-initial' to ignore initial procedures", "code": "<user-diag>"},
                   {"message": "previous assignment here", "code": "<user-diag>", "location": "/s/b.v:1:2"}]},
        {"severity": "warning", "message": "something odd", "code": "Odd"}
    ]"#;

    #[test]
    fn slang_complaints_become_diagnostics() {
        let complaints = parse(JSON).unwrap();
        let place = |span: Span| Span {
            file: span.file.replace("/s/", ""),
            ..span
        };
        let found = diagnostics(&complaints, &place);
        assert_eq!(
            found.iter().map(|d| d.code).collect::<Vec<_>>(),
            ["missing-module", "delay", "verilog"]
        );
        assert_eq!(found[0].labels.len(), 2);
        assert_eq!(found[0].labels[0].span.file, "b.v");
        assert_eq!(found[0].labels[0].span.end.column, 4);
        assert_eq!(found[1].labels.len(), 2);
        assert_eq!(found[2].severity, Severity::Warning);
    }

    #[test]
    fn log_lines() {
        let log = "a.v:2: ERROR: syntax error\nParsing\nERROR: Can't open\na b.v:5.3-5.9: Warning: Identifier `\\x' is implicitly declared.\n";
        let found = from_log(log);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].1.as_ref().unwrap().start.line, 2);
        assert_eq!(
            (found[1].1.clone(), found[1].2.as_str()),
            (None, "Can't open")
        );
        assert_eq!(
            refused_by_us(&found[2].2).unwrap().message,
            "`x` is not declared"
        );
    }

    #[test]
    fn tops_of_a_log() {
        assert_eq!(
            tops("x\nTop level design units:\n    a\n    b\n\nBuild"),
            ["a", "b"]
        );
        assert!(tops("nothing").is_empty());
    }
}
