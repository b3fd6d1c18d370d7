//! RTLIL text to a [`Netlist`]: the only front door.
//!
//! ```text
//! text --parser--> Design --hierarchy--> instances --drivers--> Graph --order--> cells --> Netlist
//!                         \--process--> decision trees --------/
//! ```
//! Cells, wires and processes of all instances become nodes that drive numbered bits; nets are sets of
//! bits; nodes are lowered operands first. User mistakes become diagnostics, several per run.

mod absorb;
mod ast;
mod catalog;
mod clocks;
mod comb;
mod conflicts;
mod drivers;
mod effects;
mod feedback;
mod fold;
mod format;
mod hierarchy;
mod known;
mod latch;
mod lexer;
mod loops;
mod lower;
mod meminit;
mod memory;
mod memread;
mod memwrite;
mod message;
mod nets;
mod operands;
mod order;
mod params;
mod parse_process;
mod parser;
mod problem;
mod process;
mod signals;
mod sigspec;
mod storage;
mod sums;
mod support;
#[cfg(test)]
mod tests;
mod tree;
mod update;
mod word;

use crate::diag::{Diagnostic, Diagnostics, Result, Severity};
use crate::ir::Netlist;

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Name of the top module; found by itself when only one can be it.
    pub top: Option<String>,
}

/// Reads RTLIL text; `name` is shown in diagnostics that have no better place.
pub fn read(
    name: &str,
    text: &str,
    options: &ReadOptions,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Netlist> {
    let design = parser::parse(name, text)?;
    let mut problems = problem::Problems::new(name, text, &design);
    let netlist = lower(&design, options, &mut problems);
    let (errors, others): (Vec<_>, Vec<_>) = problems
        .found
        .into_iter()
        .partition(|d| d.severity == Severity::Error);
    match netlist {
        Some(netlist) if errors.is_empty() => {
            warnings.extend(others);
            Ok(netlist)
        }
        _ => Err(Diagnostics(errors.into_iter().chain(others).collect())),
    }
}

/// `None` when there were errors.
fn lower(
    design: &ast::Design,
    options: &ReadOptions,
    problems: &mut problem::Problems,
) -> Option<Netlist> {
    let hierarchy = hierarchy::elaborate(design, options, problems)?;
    if !support::check(design, &hierarchy, problems) {
        return None;
    }
    let processes: Vec<process::Processes> = design
        .modules
        .iter()
        .map(|m| process::lower_processes(design, m))
        .collect();
    let graph = drivers::collect(design, &hierarchy, &processes, problems)?;
    let mut lower = lower::Lower::new(design, &hierarchy, &processes, &graph, problems);
    lower.make_memories();
    lower.make_sources();
    lower.find_holders();
    order::lower_all(&mut lower);
    lower.complete_memories();
    lower.complete_registers();
    lower.complete_initial_values();
    lower.make_effects();
    lower.make_signals();
    lower.warn_undriven();
    let lower::Lower {
        mut b,
        triggers,
        problems,
        ..
    } = lower;
    triggers.install(&mut b);
    b.netlist.sources = std::mem::take(&mut problems.sources);
    Some(b.finish())
}
