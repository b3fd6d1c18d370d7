//! Finds what cannot be simulated, before anything is lowered: all of it in one run.

use std::collections::BTreeMap;

use super::ast::*;
use super::catalog::Class;
use super::hierarchy::{Hierarchy, Meaning};
use super::problem::Problems;
use crate::diag::Diagnostic;

/// At most so many places of one kind are shown.
const SHOWN: usize = 8;

/// Reports unsupported cells and rules of the modules in use; true when there are none.
pub fn check(design: &Design, hierarchy: &Hierarchy, problems: &mut Problems) -> bool {
    let mut used = vec![false; design.modules.len()];
    hierarchy
        .instances
        .iter()
        .for_each(|i| used[i.module as usize] = true);
    let mut unsupported: BTreeMap<Name, (&str, Vec<Item>)> = BTreeMap::new();
    let mut dropped: BTreeMap<Name, (&str, Vec<Item>)> = BTreeMap::new();
    let mut good = true;
    for (module, _) in design.modules.iter().zip(used).filter(|(_, used)| *used) {
        for cell in &module.cells {
            let note = |list: &mut BTreeMap<Name, (&'static str, Vec<Item>)>, why| {
                list.entry(cell.kind)
                    .or_insert((why, Vec::new()))
                    .1
                    .push(cell.item);
            };
            match hierarchy.meaning(cell.kind) {
                Meaning::Primitive(Class::Unsupported(why)) => note(&mut unsupported, why),
                Meaning::Primitive(Class::Unknown) => note(&mut unsupported, UNKNOWN),
                Meaning::Primitive(Class::Dropped(why)) => note(&mut dropped, why),
                _ => {}
            }
        }
        for process in &module.processes {
            if process.syncs.iter().any(|s| s.when == SyncKind::Global) {
                good = false;
                let span = problems.span(process.item);
                problems.push(
                    Diagnostic::error("unsupported-process", "a rule of the global clock cannot be simulated")
                        .label(span, "in this process")
                        .note("give the process a clock, or lower it with the Yosys passes `proc` and `clk2fflogic`"),
                );
            }
        }
    }
    for (kind, (why, items)) in &unsupported {
        let kind = design.names.text(*kind);
        let diagnostic = Diagnostic::error(
            "unsupported-cell",
            format!("cells of type `{kind}` are not supported"),
        );
        problems.push(with_places(diagnostic, items, design, problems).note(*why));
    }
    for (kind, (why, items)) in &dropped {
        let kind = design.names.text(*kind);
        let diagnostic = Diagnostic::warning(
            "ignored-cell",
            format!("cells of type `{kind}` are ignored"),
        );
        problems.push(with_places(diagnostic, items, design, problems).note(*why));
    }
    good && unsupported.is_empty()
}

const UNKNOWN: &str =
    "lower it with a Yosys pass: `techmap`, or `simplemap` for cells of its own library";

fn with_places(
    mut diagnostic: Diagnostic,
    items: &[Item],
    design: &Design,
    problems: &Problems,
) -> Diagnostic {
    for item in items.iter().take(SHOWN) {
        diagnostic = diagnostic.label(
            problems.span(*item),
            format!("cell `{}`", design.shown(item.name)),
        );
    }
    match items.len().saturating_sub(SHOWN) {
        0 => diagnostic,
        more => diagnostic.note(format!("and at {more} more places")),
    }
}
