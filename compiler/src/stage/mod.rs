//! The text of a design after each stage: what `rtlwasm dump` and `--emit` print, and what golden snapshots hold.
//!
//! In: a design, or the netlist of one. Out: text, the same for the same input.

mod functions;
mod places;

use crate::diag::Result;
use crate::emit::{self, Emitted};
use crate::front;
use crate::ir::{self, Netlist};
use crate::options::{Design, Options};
use crate::package::sorted_json;
use crate::pipeline::{Prepared, compile_netlist, prepare};
use crate::sched;

/// A point on the way from source to artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What the front end made of the sources.
    Rtlil,
    /// The netlist as read.
    Ir,
    /// The netlist after all passes.
    OptIr,
    /// What runs when, under which condition.
    Sched,
    /// Where everything lies in memory.
    Layout,
    /// The functions that depend on the design, as emitted.
    Functions,
    /// The artifact as WebAssembly text.
    Wat,
    /// The manifest as JSON.
    Manifest,
}

/// What the design looks like after one stage.
pub fn emit_stage(design: &Design, options: &Options, stage: Stage) -> Result<String> {
    if stage == Stage::Rtlil {
        return front::to_rtlil(design, &mut Vec::new()).map(|found| found.text);
    }
    let netlist = front::elaborate(design, &mut Vec::new())?.netlist;
    Ok(netlist_stage(netlist, options, stage))
}

/// The same from the netlist as read, which [`Stage::Rtlil`] shows too: there is no text before it.
pub fn netlist_stage(netlist: Netlist, options: &Options, stage: Stage) -> String {
    match stage {
        Stage::Rtlil | Stage::Ir => ir::print(&netlist),
        Stage::OptIr => ir::print(&prepare(netlist, options).netlist),
        Stage::Sched => {
            let prepared = prepare(netlist, options);
            sched::print(&prepared.netlist, &prepared.schedule)
        }
        Stage::Layout => {
            let prepared = prepare(netlist, options);
            places::print(&prepared, &emitted(&prepared, options))
        }
        Stage::Functions => {
            let prepared = prepare(netlist, options);
            functions::print(&prepared, emitted(&prepared, options))
        }
        Stage::Wat => {
            let wasm = compile_netlist(netlist, options).wasm;
            wasmprinter::print_bytes(wasm).expect("an emitted module can be printed")
        }
        Stage::Manifest => {
            let json = sorted_json(&compile_netlist(netlist, options).manifest);
            String::from_utf8(json).expect("JSON is UTF-8") + "\n"
        }
    }
}

fn emitted(p: &Prepared, options: &Options) -> Emitted {
    emit::module(&p.netlist, &p.schedule, &p.layout, &p.observed, options)
}
