//! From sources to an artifact, or to the text of one stage on the way.

use std::path::PathBuf;

use rtlwasm_abi::manifest::{Manifest, Symbols};

use crate::diag::{Diagnostic, Result, Sources};
use crate::front::{self, Elaborated};
use crate::options::{Design, Options};
use crate::package::{Packaged, sorted_json};
use crate::pipeline::{compile_netlist, prepare};
use crate::{ir, sched};

/// A compiled design.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// The bytes of the `.wasm` file.
    pub artifact: Vec<u8>,
    /// What the artifact says of itself.
    pub manifest: Manifest,
    /// Its signals that are not ports.
    pub symbols: Symbols,
    pub warnings: Vec<Diagnostic>,
    /// Every file that was read.
    pub dependencies: Vec<PathBuf>,
    /// Texts to show warnings with.
    pub sources: Sources,
}

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
    /// Where every signal lies in memory.
    Layout,
    /// The artifact as WebAssembly text.
    #[cfg(feature = "cli")]
    Wat,
    /// The manifest as JSON.
    Manifest,
}

/// Compiles a design.
pub fn compile(design: &Design, options: &Options) -> Result<Compilation> {
    let mut warnings = Vec::new();
    let Elaborated {
        netlist,
        dependencies,
        sources,
        ..
    } = front::elaborate(design, &mut warnings)?;
    let Packaged {
        wasm,
        manifest,
        symbols,
    } = compile_netlist(netlist, options);
    Ok(Compilation {
        artifact: wasm,
        manifest,
        symbols,
        warnings,
        dependencies,
        sources,
    })
}

/// What the design looks like after one stage.
pub fn emit_stage(design: &Design, options: &Options, stage: Stage) -> Result<String> {
    if stage == Stage::Rtlil {
        return front::to_rtlil(design, &mut Vec::new()).map(|found| found.text);
    }
    let netlist = front::elaborate(design, &mut Vec::new())?.netlist;
    Ok(match stage {
        Stage::Rtlil | Stage::Ir => ir::print(&netlist),
        Stage::OptIr => ir::print(&prepare(netlist, options).netlist),
        Stage::Sched => {
            let prepared = prepare(netlist, options);
            sched::print(&prepared.netlist, &prepared.schedule)
        }
        Stage::Layout => layout_text(&compile_netlist(netlist, options)),
        #[cfg(feature = "cli")]
        Stage::Wat => {
            let wasm = compile_netlist(netlist, options).wasm;
            wasmprinter::print_bytes(wasm).expect("an emitted module can be printed")
        }
        Stage::Manifest => {
            let json = sorted_json(&compile_netlist(netlist, options).manifest);
            String::from_utf8(json).expect("JSON is UTF-8") + "\n"
        }
    })
}

/// One line for each place of each signal, by address.
fn layout_text(packaged: &Packaged) -> String {
    let mut lines = Vec::new();
    for signal in packaged
        .manifest
        .signals
        .iter()
        .chain(&packaged.symbols.signals)
    {
        for part in &signal.parts {
            let rows = if signal.depth > 0 {
                format!(" {} rows of {}", signal.depth, signal.stride)
            } else {
                String::new()
            };
            let (shift, width, path) = (part.shift, part.width, signal.path.join("."));
            let line = format!(
                "{:#010x} {:>3} bytes, {width} bits from {shift}: {path} ({}){rows}\n",
                part.offset, part.size, signal.kind
            );
            lines.push((part.offset, part.shift, line));
        }
    }
    lines.sort();
    lines.into_iter().map(|(_, _, line)| line).collect()
}
