//! Errors and warnings of the reader, and the places they name.
//!
//! Places come from `src` attributes; items without one are shown in the RTLIL text itself.

use super::ast::*;
use super::lexer::unescape;
use super::parser::place;
use crate::arena::Arena;
use crate::diag::{Diagnostic, Span};
use crate::ir::SourceId;

/// Collects what the user must know, and interns source locations.
pub struct Problems<'a> {
    file: &'a str,
    text: &'a str,
    names: Vec<Option<SourceId>>,
    raw: Vec<&'a str>,
    pub sources: Arena<String>,
    pub found: Vec<Diagnostic>,
}

impl<'a> Problems<'a> {
    pub fn new(file: &'a str, text: &'a str, design: &Design<'a>) -> Problems<'a> {
        let mut sources = Arena::default();
        let empty = sources.push(String::new());
        let mut names = vec![None; design.names.len()];
        names[EMPTY.0 as usize] = Some(empty);
        let raw = (0..design.names.len())
            .map(|i| design.names.text(Name(i as u32)))
            .collect();
        Problems {
            file,
            text,
            names,
            raw,
            sources,
            found: Vec::new(),
        }
    }

    /// The netlist's id of a `src` attribute.
    pub fn source(&mut self, src: Name) -> SourceId {
        let slot = &mut self.names[src.0 as usize];
        *slot.get_or_insert_with(|| self.sources.push(unescape(self.raw[src.0 as usize])))
    }

    /// Where a statement stands: its `src`, or its line in the RTLIL text; `None` when no user has seen that text.
    pub fn span_of(&self, src: Name, at: u32) -> Option<Span> {
        let written = || (!self.file.is_empty()).then(|| place(self.file, self.text, at));
        Span::parse(&unescape(self.raw[src.0 as usize])).or_else(written)
    }

    pub fn span(&self, item: Item) -> Option<Span> {
        self.span_of(item.src, item.at)
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    pub fn too_large(&mut self) {
        self.push(
            Diagnostic::error(
                "too-large",
                "the design has more than 2 billion bits of signals",
            )
            .note("memories do not count; look for a wire of an absurd width"),
        );
    }

    pub fn no_top(&mut self, message: String, candidates: Vec<String>) {
        let mut diagnostic = Diagnostic::error("no-top", message);
        if !candidates.is_empty() {
            diagnostic =
                diagnostic.note(format!("name one with `--top`: {}", candidates.join(", ")));
        }
        self.push(diagnostic);
    }

    pub fn recursive_module(&mut self, design: &Design, module: &Module, cell: &Cell) {
        let (outer, inner) = (design.shown(module.item.name), design.shown(cell.kind));
        let span = self.span(cell.item);
        self.push(
            Diagnostic::error(
                "recursive-module",
                format!("module `{inner}` contains itself"),
            )
            .label(span, format!("instantiated here, in `{outer}`")),
        );
    }

    /// An instance whose parameters nobody resolved; true when there are none.
    pub fn check_parameters(&mut self, design: &Design, module: &Module, cell: &Cell) -> bool {
        let given = cell.parameters.of(&module.parameters);
        let Some((first, _)) = given.first() else {
            return true;
        };
        let (kind, parameter) = (design.shown(cell.kind), design.shown(*first));
        let message = format!("parameter `{parameter}` of module `{kind}` is not resolved");
        let span = self.span(cell.item);
        self.push(
            Diagnostic::error("unresolved-parameter", message)
                .label(span, "given here")
                .note("run the Yosys pass `hierarchy` before writing RTLIL"),
        );
        false
    }

    /// A module without definition, with every place that needs it.
    pub fn missing_module(&mut self, design: &Design, kind: Name, instances: &[(String, Item)]) {
        let kind = design.shown(kind);
        let mut diagnostic =
            Diagnostic::error("missing-module", format!("module `{kind}` is not defined"));
        for (path, item) in instances {
            diagnostic = diagnostic.label(self.span(*item), format!("instance `{path}`"));
        }
        self.push(diagnostic.note("give its source, or a model of it, together with the design"));
    }
}
