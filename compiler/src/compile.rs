//! From sources to an artifact.

use std::path::PathBuf;

use rtlwasm_abi::manifest::{Manifest, Symbols};

use crate::diag::{Diagnostic, Result, Sources};
use crate::front::{self, Elaborated};
use crate::options::{Design, Options};
use crate::package::Packaged;
use crate::pipeline::compile_netlist;
use crate::reference::Source;

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

/// Compiles a design.
pub fn compile(design: &Design, options: &Options) -> Result<Compilation> {
    let mut warnings = Vec::new();
    let mut elaborated = front::elaborate(design, &mut warnings)?;
    let packaged = compile_netlist(std::mem::take(&mut elaborated.netlist), options);
    Ok(compilation(elaborated, warnings, packaged))
}

/// The same, and what the [reference interpreter](crate::reference) needs: it costs a copy of the netlist.
pub fn compile_with_source(design: &Design, options: &Options) -> Result<(Compilation, Source)> {
    let mut warnings = Vec::new();
    let mut elaborated = front::elaborate(design, &mut warnings)?;
    let netlist = std::mem::take(&mut elaborated.netlist);
    let packaged = compile_netlist(netlist.clone(), options);
    let source = Source {
        netlist,
        options: options.clone(),
        manifest: packaged.manifest.clone(),
        symbols: packaged.symbols.clone(),
    };
    Ok((compilation(elaborated, warnings, packaged), source))
}

fn compilation(
    elaborated: Elaborated,
    warnings: Vec<Diagnostic>,
    packaged: Packaged,
) -> Compilation {
    Compilation {
        artifact: packaged.wasm,
        manifest: packaged.manifest,
        symbols: packaged.symbols,
        warnings,
        dependencies: elaborated.dependencies,
        sources: elaborated.sources,
    }
}
