//! A source file as text and tokens, edits to it, and the way back: takes edits that keep line numbers,
//! gives the edited text and a map from its columns to those the user wrote.

use super::lexer::{Kind, Token, lex};
use crate::diag::{Position, Span};

/// A file with its tokens.
#[derive(Debug)]
pub struct SourceFile {
    /// What the user calls it.
    pub name: String,
    pub text: String,
    pub tokens: Vec<Token>,
    /// Whether each token is in an active branch of `` `ifdef `` wherever the file was included.
    pub active: Vec<bool>,
    lines: Vec<usize>,
}

impl SourceFile {
    pub fn new(name: String, text: String) -> SourceFile {
        let tokens = lex(&text);
        let active = vec![false; tokens.len()];
        let lines = line_starts(&text);
        SourceFile {
            name,
            text,
            tokens,
            active,
            lines,
        }
    }

    /// The text of a token; empty beyond the last.
    pub fn word(&self, token: usize) -> &str {
        self.tokens
            .get(token)
            .map_or("", |t| &self.text[t.start..t.end])
    }

    pub fn kind(&self, token: usize) -> Option<Kind> {
        self.tokens.get(token).map(|t| t.kind)
    }

    /// The token with the bracket that closes the one at `open`; `None` when there is none.
    pub fn closing(&self, open: usize) -> Option<usize> {
        let in_macro = self.tokens.get(open)?.in_macro;
        let mut depth = 0usize;
        for i in open..self.tokens.len() {
            if self.tokens[i].in_macro != in_macro {
                return None;
            }
            match self.word(i) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(i);
            }
        }
        None
    }

    /// Where a token is.
    pub fn span(&self, token: usize) -> Span {
        let token = &self.tokens[token];
        Span {
            file: self.name.clone(),
            start: self.position(token.start),
            end: self.position(token.end),
        }
    }

    fn position(&self, offset: usize) -> Position {
        position(&self.lines, offset)
    }
}

/// A replacement of bytes; an insertion when `start == end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub start: usize,
    pub end: usize,
    pub text: String,
    /// An insertion that ends what an earlier one began: of several in one place the last one made comes
    /// first, because it is the innermost.
    pub closes: bool,
}

/// Applies edits; of overlapping ones the first in the text wins. Lines are kept: a replacement has at
/// least the line ends of what it replaces.
pub fn apply(file: &SourceFile, mut edits: Vec<Edit>) -> (String, PositionMap) {
    let mut edits: Vec<(isize, Edit)> = (0..).zip(edits.drain(..)).collect();
    edits.sort_by_key(|(made, edit)| match (edit.closes, edit.start == edit.end) {
        (true, _) => (edit.start, 0, -made),
        (false, true) => (edit.start, 1, *made),
        (false, false) => (edit.start, 2, *made),
    });
    let mut out = String::with_capacity(file.text.len() + 64 * edits.len());
    let mut segments = Vec::new();
    let mut copied = 0;
    for (_, edit) in edits {
        if edit.start < copied {
            continue;
        }
        out.push_str(&file.text[copied..edit.start]);
        segments.push(Segment {
            new: out.len(),
            old: edit.start,
            is_edit: true,
        });
        out.push_str(&edit.text);
        let kept = file.text[edit.start..edit.end]
            .bytes()
            .filter(|&b| b == b'\n')
            .count();
        let given = edit.text.bytes().filter(|&b| b == b'\n').count();
        out.extend(std::iter::repeat_n('\n', kept.saturating_sub(given)));
        segments.push(Segment {
            new: out.len(),
            old: edit.end,
            is_edit: false,
        });
        copied = edit.end;
    }
    out.push_str(&file.text[copied..]);
    let map = PositionMap {
        segments,
        new_lines: line_starts(&out),
        old_lines: file.lines.clone(),
    };
    (out, map)
}

/// From positions in the edited text to positions in the original.
#[derive(Clone, Debug)]
pub struct PositionMap {
    segments: Vec<Segment>,
    new_lines: Vec<usize>,
    old_lines: Vec<usize>,
}

/// From byte `new` of the edited text on, up to the next segment: a copy from byte `old`, or an edit there.
#[derive(Clone, Debug)]
struct Segment {
    new: usize,
    old: usize,
    is_edit: bool,
}

impl PositionMap {
    /// Column 0, a whole line, stays.
    pub fn original(&self, at: Position) -> Position {
        let Some(&line) = self.new_lines.get((at.line as usize).wrapping_sub(1)) else {
            return at;
        };
        if at.column == 0 {
            return at;
        }
        let offset = line + at.column as usize - 1;
        let Some(segment) =
            self.segments[..self.segments.partition_point(|s| s.new <= offset)].last()
        else {
            return at;
        };
        let old = if segment.is_edit {
            segment.old
        } else {
            segment.old + (offset - segment.new)
        };
        let found = position(&self.old_lines, old);
        // Past the end of a line there is nothing to look up; the line itself is always right.
        if found.line == at.line {
            found
        } else {
            Position {
                line: at.line,
                column: 0,
            }
        }
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0)
        .chain(text.match_indices('\n').map(|(i, _)| i + 1))
        .collect()
}

fn position(lines: &[usize], offset: usize) -> Position {
    let line = lines.partition_point(|&start| start <= offset);
    Position {
        line: line as u32,
        column: (offset - lines[line - 1]) as u32 + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_first_ends_last() {
        let file = SourceFile::new("f".into(), "s;".into());
        let insert = |start, text: &str, closes| Edit {
            start,
            end: start,
            text: text.into(),
            closes,
        };
        let edits = vec![
            insert(0, "(", false),
            insert(2, ")", true),
            insert(0, "[", false),
            insert(2, "]", true),
        ];
        assert_eq!(apply(&file, edits).0, "([s;])");
    }

    #[test]
    fn positions_come_back() {
        let file = SourceFile::new("f".into(), "ab $x(\n1) cd\nef".into());
        let edit = |start, end, text: &str| Edit {
            start,
            end,
            text: text.into(),
            closes: false,
        };
        let (text, map) = apply(
            &file,
            vec![edit(3, 9, "long_name()"), edit(0, 0, "wire w; ")],
        );
        assert_eq!(text, "wire w; ab long_name()\n cd\nef");
        let original = |line, column| {
            let p = map.original(Position { line, column });
            (p.line, p.column)
        };
        assert_eq!(original(1, 9), (1, 1));
        assert_eq!(original(1, 12), (1, 4));
        assert_eq!(original(1, 15), (1, 4));
        assert_eq!(original(2, 2), (2, 4));
        assert_eq!(original(3, 1), (3, 1));
        assert_eq!(original(2, 0), (2, 0));
    }
}
