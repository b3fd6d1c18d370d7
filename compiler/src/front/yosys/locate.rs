//! RTLIL with the user's places: takes the text that Yosys wrote about copies, gives it about the
//! originals.
//!
//! Places are in `src` attributes; `read_verilog` also puts file names into the names it makes up, where
//! they would make the result depend on where the scratch folder is.

use super::stage::Staged;
use crate::diag::Span;

/// Rewrites every mention of a copy; `copies` marks paths of copies.
pub fn with_original_places(rtlil: &str, staged: &Staged, copies: &str) -> String {
    let mut out = String::with_capacity(rtlil.len());
    for line in rtlil.split_inclusive('\n') {
        if !line.contains(copies) {
            out.push_str(line);
        } else if let Some(places) = source_attribute(line) {
            let head = line.len() - line.trim_start().len();
            out.push_str(&line[..head]);
            let places: Vec<String> = places
                .split('|')
                .map(|place| original(place, staged, copies))
                .collect();
            out.push_str(&format!("attribute \\src \"{}\"\n", places.join("|")));
        } else {
            push_with_short_names(&mut out, line, copies);
        }
    }
    out
}

fn source_attribute(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix("attribute \\src \"")?
        .strip_suffix('"')
}

fn original(place: &str, staged: &Staged, copies: &str) -> String {
    let Some(span) = Span::parse(place) else {
        return place.to_string();
    };
    let ends = place
        .rsplit_once(':')
        .is_some_and(|(_, range)| range.contains('-'));
    let span = staged.original(copies, span);
    let (start, end) = (span.start, span.end);
    match (start.column, ends) {
        (0, _) => format!("{}:{}", span.file, start.line),
        (_, false) => format!("{}:{}.{}", span.file, start.line, start.column),
        (_, true) if end.column == 0 => format!("{}:{}.{}", span.file, start.line, start.column),
        (_, true) => format!(
            "{}:{}.{}-{}.{}",
            span.file, start.line, start.column, end.line, end.column
        ),
    }
}

/// Of the path in a made-up name, only the file's own name is kept.
fn push_with_short_names(out: &mut String, line: &str, copies: &str) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(copies) {
        // Paths have no `$`, and these names start every part with one.
        out.push_str(&before[..before.rfind('$').map_or(0, |i| i + 1)]);
        let end = after.find([':', ' ', '\n', '"']).unwrap_or(after.len());
        let name = after[..end].rsplit('/').next().unwrap_or("");
        out.push_str(name);
        rest = &after[end..];
    }
    out.push_str(rest);
}
