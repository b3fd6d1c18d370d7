//! Lines of the source as places that a run can stop at.
//!
//! In: a file and a line. Out: what of the netlist was written there. An arm of an `if` or `case` that begins on the line
//! comes first, then the innermost arm that the line lies in; outside of arms the operations, memory writes and effects
//! that begin on it.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::diag::{Position, Span};
use crate::ir::interp::Place;
use crate::ir::*;

/// A line that a run can stop at.
pub struct Line {
    pub place: Place,
    /// Where it begins.
    pub span: Span,
}

/// Why there is nothing to stop at.
pub enum NoLine {
    /// No file of the design has that name.
    File { files: Vec<String> },
    /// Lines of that file that can be stopped at.
    Line { lines: Vec<u32> },
}

/// What was written on a line. `file` is a path or its end.
pub fn find(n: &Netlist, file: &str, line: u32) -> Result<Line, NoLine> {
    let spans = Spans::of(n);
    let here = |source: &SourceId| spans.in_file(*source, file);
    if let Some(found) = arm(n, line, here).or_else(|| operation(n, line, here)) {
        return Ok(found);
    }
    let lines = lines(n, here);
    match lines.is_empty() {
        true => Err(NoLine::File {
            files: spans.files(),
        }),
        false => Err(NoLine::Line {
            lines: lines.into_iter().collect(),
        }),
    }
}

/// The netlist's sources, read.
struct Spans(FxHashMap<SourceId, Span>);

impl Spans {
    fn of(n: &Netlist) -> Spans {
        let read = n
            .sources
            .iter()
            .filter_map(|(id, text)| Some((id, Span::parse(text)?)));
        Spans(read.collect())
    }

    fn in_file(&self, source: SourceId, file: &str) -> Option<&Span> {
        let span = self.0.get(&source)?;
        let rest = span.file.strip_suffix(file)?;
        (rest.is_empty() || rest.ends_with(['/', '\\'])).then_some(span)
    }

    fn files(&self) -> Vec<String> {
        let files: BTreeSet<&str> = self.0.values().map(|span| span.file.as_str()).collect();
        files.into_iter().map(str::to_string).collect()
    }
}

fn arm<'s>(n: &Netlist, line: u32, here: impl Fn(&SourceId) -> Option<&'s Span>) -> Option<Line> {
    let spans = || n.branches.iter().filter_map(|b| here(&b.source));
    let begins = spans().filter(|span| span.start.line == line);
    let inside = spans().filter(|span| (span.start.line..=span.end.line).contains(&line));
    let innermost = |span: &&Span| {
        let lines = span.end.line - span.start.line;
        (lines, std::cmp::Reverse(span.start))
    };
    let span = begins
        .min_by_key(|span| span.start)
        .or_else(|| inside.min_by_key(innermost))?;
    let own = n.branches.iter().filter(|b| here(&b.source) == Some(span));
    let place = Place {
        arms: own.map(|b| (b.mux, b.taken)).collect(),
        ..Place::default()
    };
    let mut span = span.clone();
    if span.start.line != line {
        span.start = Position { line, column: 0 };
    }
    Some(Line { place, span })
}

fn operation<'s>(
    n: &Netlist,
    line: u32,
    here: impl Fn(&SourceId) -> Option<&'s Span>,
) -> Option<Line> {
    let on_line = |source: SourceId| here(&source).filter(|span| span.start.line == line);
    let mut place = Place::default();
    let mut first: Option<&Span> = None;
    let mut note = |span: &'s Span| {
        if first.is_none_or(|found| span.start < found.start) {
            first = Some(span);
        }
    };
    for (id, cell) in n.cells.iter().filter(|(_, cell)| is_operation(&cell.kind)) {
        if let Some(span) = on_line(n.origins[id].source).filter(|_| cell.width > 0) {
            place.cells.push(id);
            note(span);
        }
    }
    for (id, memory) in n.memories.iter() {
        for (port, write) in memory.writes.iter().enumerate() {
            if let Some(span) = on_line(write.origin.source) {
                place.writes.push((id, port));
                note(span);
            }
        }
    }
    for (number, effect) in n.effects.iter().enumerate() {
        if let Some(span) = on_line(effect.origin.source) {
            place.effects.push(number);
            note(span);
        }
    }
    let span = first?.clone();
    Some(Line { place, span })
}

/// True for what computes something.
fn is_operation(kind: &CellKind) -> bool {
    !matches!(
        kind,
        CellKind::Const(_)
            | CellKind::Input(_)
            | CellKind::Register(_)
            | CellKind::Latch(_)
            | CellKind::LoopCut(_)
            | CellKind::Slice { .. }
            | CellKind::Concat(_)
    )
}

fn lines<'s>(n: &Netlist, here: impl Fn(&SourceId) -> Option<&'s Span>) -> BTreeSet<u32> {
    let arms = n.branches.iter().map(|b| b.source);
    let cells = n.cells.iter().filter(|(_, cell)| is_operation(&cell.kind));
    let cells = cells.map(|(id, _)| n.origins[id].source);
    let writes = n.memories.values().flat_map(|m| &m.writes);
    let writes = writes.map(|write| write.origin.source);
    let effects = n.effects.iter().map(|effect| effect.origin.source);
    let all = arms.chain(cells).chain(writes).chain(effects);
    all.filter_map(|source| Some(here(&source)?.start.line))
        .collect()
}
