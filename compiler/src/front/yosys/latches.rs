//! Latches that nobody asked for: takes the RTLIL of a design and its sources, gives a warning for each process that
//! keeps values though it does not say `always_latch`.

use std::collections::BTreeMap;

use super::stage::Staged;
use crate::diag::{Diagnostic, Span};

/// The places of `$dlatch` cells are those of their processes, in the user's files.
pub fn warnings(rtlil: &str, staged: &Staged) -> Vec<Diagnostic> {
    let mut found: BTreeMap<Span, Vec<&str>> = BTreeMap::new();
    let mut lines = rtlil.lines();
    let mut source = None;
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if let Some(text) = line.strip_prefix("attribute \\src ") {
            source = Some(text);
        } else if line.starts_with("cell $dlatch ") {
            let mut ports = lines
                .by_ref()
                .map(str::trim_start)
                .take_while(|line| *line != "end");
            // slang makes one for each bit.
            let held = ports.find_map(|line| line.strip_prefix("connect \\Q "));
            let held = held.and_then(|signal| signal.split(' ').next());
            let place = source
                .take()
                .and_then(|text| Span::parse(text.trim_matches('"')));
            if let (Some(held), Some(place)) = (held, place.filter(|p| is_inferred(p, staged))) {
                let names = found.entry(place).or_default();
                if !names.contains(&held) {
                    names.push(held);
                }
            }
        } else if !line.starts_with("attribute ") {
            source = None;
        }
    }
    found.into_iter().map(warning).collect()
}

/// The process does not say that it is a latch.
fn is_inferred(place: &Span, staged: &Staged) -> bool {
    let mut files = staged.files.values();
    let file = files.find(|file| file.name == place.file);
    let before = |number: u32| (number as usize).checked_sub(1);
    let text = file.and_then(|file| {
        let line = file.original.lines().nth(before(place.start.line)?)?;
        line.get(before(place.start.column)?..)
    });
    text.is_some_and(|text| text.starts_with("always") && !text.starts_with("always_latch"))
}

fn warning((place, names): (Span, Vec<&str>)) -> Diagnostic {
    let shown: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.trim_start_matches('\\')))
        .collect();
    let message = match shown.as_slice() {
        [one] => format!("{one} is a latch"),
        many => format!("{} are latches", many.join(", ")),
    };
    Diagnostic::warning("latch", message)
        .label(place, "some branch of this process assigns nothing")
        .note("assign a value first, or say that a latch is meant with `always_latch`")
}
