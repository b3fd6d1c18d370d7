//! From sources to an artifact.

use std::path::PathBuf;

use rtlwasm_abi::manifest::{Manifest, Symbols};

use crate::diag::{Diagnostic, Result, Sources};
use crate::front::{self, Elaborated};
use crate::options::{Design, Options};
use crate::package::Packaged;
use crate::pipeline::compile_netlist;

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
