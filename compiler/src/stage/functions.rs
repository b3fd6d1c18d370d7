//! The functions that depend on the design, as WebAssembly text for reading.
//!
//! Only those are shown: the fixed ones are in [`FIXED`]. Indices of functions and
//! types are left out, and addresses are shown as what lies there, so that a change elsewhere moves nothing here.

use rustc_hash::FxHashSet;

use super::places::Places;
use crate::emit::{Emitted, FIXED};
use crate::pipeline::Prepared;

/// By name; functions without instructions are left out.
pub fn print(p: &Prepared, mut emitted: Emitted) -> String {
    let places = Places::new(p, &emitted);
    let wasm = emitted.module.emit_wasm();
    let text = wasmprinter::print_bytes(wasm).expect("an emitted module can be printed");
    let fixed = fixed_names();
    let mut functions: Vec<(&str, String)> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("  (func $").and_then(first_word) else {
            continue;
        };
        // An empty function ends on its first line.
        let body: Vec<&str> = match is_whole(line) {
            true => Vec::new(),
            false => lines.by_ref().take_while(|line| *line != "  )").collect(),
        };
        if !fixed.contains(name) && !body.is_empty() {
            functions.push((name, function(line, &body, &places)));
        }
    }
    functions.sort();
    let texts: Vec<String> = functions.into_iter().map(|(_, text)| text).collect();
    texts.join("\n")
}

/// Every parenthesis on the line is closed.
fn is_whole(line: &str) -> bool {
    line.matches('(').count() == line.matches(')').count()
}

fn function(first: &str, body: &[&str], places: &Places) -> String {
    let mut text = without_indices(first.trim_start());
    text.push('\n');
    for (index, line) in body.iter().enumerate() {
        let next = body.get(index + 1).map_or("", |line| line.trim());
        if line.trim() == "else" && next == "end" {
            continue;
        }
        text.push_str(&with_name(line.strip_prefix("  ").unwrap_or(line), places));
        text.push('\n');
    }
    text + ")\n"
}

/// Names of the functions that are the same for every design.
fn fixed_names() -> FxHashSet<&'static str> {
    let lines = FIXED.iter().flat_map(|text| text.lines());
    lines
        .filter_map(|line| first_word(line.trim_start().strip_prefix("(func $")?))
        .collect()
}

fn first_word(text: &str) -> Option<&str> {
    text.split([' ', ')']).next()
}

/// A function's first line without `(;12;)` and `(type 3)`.
fn without_indices(line: &str) -> String {
    let mut line = line.to_owned();
    for (start, end) in [(" (;", ";)"), (" (type ", ")")] {
        if let Some(from) = line.find(start)
            && let Some(to) = line[from..].find(end)
        {
            line.replace_range(from..from + to + end.len(), "");
        }
    }
    line
}

/// `offset=1234` as `offset=count` when something has that address.
fn with_name(line: &str, places: &Places) -> String {
    let named = || {
        let (before, rest) = line.split_once(" offset=")?;
        let (digits, after) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        let name = places.name(digits.parse().ok()?)?;
        Some(format!("{before} offset={name}{after}"))
    };
    named().unwrap_or_else(|| line.to_owned())
}
