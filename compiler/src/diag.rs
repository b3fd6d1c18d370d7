//! What the user is told: typed problems become [`Diagnostic`]s, and only the edge renders them.
//!
//! A stage that can fail collects several diagnostics per run. Locations are file names with lines and
//! columns, because that is what RTLIL `src` attributes carry; the text is read when rendering.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use codespan_reporting::diagnostic as cs;
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term;
use codespan_reporting::term::termcolor::{Ansi, NoColor, WriteColor};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// One message to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable name such as `unknown-cell`, for `--deny` and for searching.
    pub code: &'static str,
    pub message: String,
    /// Places in the source; the first is the main one.
    pub labels: Vec<Label>,
    /// What else to know, and the way out.
    pub notes: Vec<String>,
}

/// A marked place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub message: String,
}

/// A range of a source file; lines and columns count from 1, the end is exclusive. Column 0 means the
/// whole line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub file: String,
    pub start: Position,
    pub end: Position,
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// The result of a stage in which users can err.
pub type Result<T> = std::result::Result<T, Diagnostics>;

/// At least one error, with whatever else was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message.into())
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: &'static str, message: String) -> Diagnostic {
        Diagnostic {
            severity,
            code,
            message,
            labels: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Marks a place; `None` changes nothing.
    pub fn label(
        mut self,
        span: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> Diagnostic {
        if let Some(span) = span.into() {
            self.labels.push(Label {
                span,
                message: message.into(),
            });
        }
        self
    }

    /// Adds a note or a way out.
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.0, &Sources::default(), Colour::Never))
    }
}

impl std::error::Error for Diagnostics {}

impl Span {
    /// One position.
    pub fn point(file: impl Into<String>, line: u32, column: u32) -> Span {
        let start = Position { line, column };
        Span {
            file: file.into(),
            start,
            end: Position {
                line,
                column: column + 1,
            },
        }
    }

    /// Parses one `src` attribute: `file:line`, `file:line.col` or `file:line.col-line.col`. Of several
    /// joined by `|`, the last (innermost) counts.
    pub fn parse(src: &str) -> Option<Span> {
        let src = src.rsplit('|').next()?;
        let (file, place) = src.rsplit_once(':')?;
        let position = |text: &str| {
            let (line, column) = text.split_once('.').unwrap_or((text, "0"));
            Some(Position {
                line: line.parse().ok()?,
                column: column.parse().ok()?,
            })
        };
        let (start, end) = match place.split_once('-') {
            Some((start, end)) => (position(start)?, position(end)?),
            None => (position(place)?, position(place)?),
        };
        Some(Span {
            file: file.to_string(),
            start,
            end,
        })
    }
}

/// Texts that are not to be read from disk (standard input, temporary copies), by name.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub texts: BTreeMap<String, String>,
}

impl Sources {
    fn load(&self, file: &str) -> Option<String> {
        let text = self.texts.get(file).cloned();
        text.or_else(|| {
            std::fs::read(Path::new(file))
                .ok()
                .map(|b| String::from_utf8_lossy(&b).into_owned())
        })
    }
}

/// Whether to use terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Always,
    Never,
}

/// Renders diagnostics with carets where their source can be read.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: Colour) -> String {
    let mut files = SimpleFiles::new();
    let mut loaded: BTreeMap<&str, Option<(usize, String)>> = BTreeMap::new();
    for label in diagnostics.iter().flat_map(|d| &d.labels) {
        loaded.entry(&label.span.file).or_insert_with(|| {
            let text = sources.load(&label.span.file)?;
            Some((files.add(label.span.file.clone(), text.clone()), text))
        });
    }
    let mut out = Vec::new();
    for diagnostic in diagnostics {
        let shown = to_codespan(diagnostic, &loaded);
        let mut writer: Box<dyn WriteColor + '_> = match colour {
            Colour::Always => Box::new(Ansi::new(&mut out)),
            Colour::Never => Box::new(NoColor::new(&mut out)),
        };
        term::emit_to_write_style(&mut writer, &term::Config::default(), &files, &shown)
            .expect("writing to memory, with offsets inside the files");
    }
    String::from_utf8(out).expect("codespan writes UTF-8")
}

fn to_codespan(
    diagnostic: &Diagnostic,
    loaded: &BTreeMap<&str, Option<(usize, String)>>,
) -> cs::Diagnostic<usize> {
    let severity = match diagnostic.severity {
        Severity::Note => cs::Severity::Note,
        Severity::Warning => cs::Severity::Warning,
        Severity::Error => cs::Severity::Error,
    };
    let mut shown = cs::Diagnostic::new(severity)
        .with_code(diagnostic.code)
        .with_message(&diagnostic.message);
    for (i, label) in diagnostic.labels.iter().enumerate() {
        let style = if i == 0 {
            cs::LabelStyle::Primary
        } else {
            cs::LabelStyle::Secondary
        };
        let place = loaded
            .get(label.span.file.as_str())
            .and_then(Option::as_ref);
        match place.and_then(|(id, text)| Some((*id, byte_range(text, &label.span)?))) {
            Some((id, range)) => shown
                .labels
                .push(cs::Label::new(style, id, range).with_message(&label.message)),
            None => shown
                .notes
                .push(format!("at {}: {}", Place(&label.span), label.message)),
        }
    }
    shown.notes.extend(diagnostic.notes.iter().cloned());
    shown
}

struct Place<'a>(&'a Span);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file, self.0.start.line)?;
        if self.0.start.column > 0 {
            write!(f, ":{}", self.0.start.column)?;
        }
        Ok(())
    }
}

/// The bytes of a span, cut to its first line; `None` when the file has no such line.
fn byte_range(text: &str, span: &Span) -> Option<std::ops::Range<usize>> {
    let line_index = span.start.line.checked_sub(1)? as usize;
    let start = match line_index {
        0 => 0,
        n => text.match_indices('\n').nth(n - 1)?.0 + 1,
    };
    let line = text[start..].lines().next().unwrap_or("");
    let at = |column: u32| {
        let skip = (column as usize).saturating_sub(1);
        line.char_indices().nth(skip).map_or(line.len(), |(i, _)| i)
    };
    if span.start.column == 0 {
        let indent = line.len() - line.trim_start().len();
        return Some(start + indent..start + line.len());
    }
    let from = at(span.start.column);
    let to = if span.end.line == span.start.line {
        at(span.end.column)
    } else {
        line.len()
    };
    Some(start + from..start + to.max(from))
}
