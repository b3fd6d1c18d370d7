//! From sources to an artifact.

use std::path::PathBuf;

use rtlwasm_abi::manifest::{Manifest, Symbols};

use crate::diag::{Diagnostic, Result, Sources};
use crate::front::{self, Elaborated, RtlilText};
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
    } = front::elaborate(design, &mut warnings)?;
    let packaged = compile_netlist(netlist, options);
    Ok(compilation(packaged, warnings, dependencies, sources))
}

/// The same, and the text from which the [reference interpreter](crate::reference) can be made later.
pub fn compile_with_rtlil(design: &Design, options: &Options) -> Result<(Compilation, RtlilText)> {
    let mut warnings = Vec::new();
    let mut rtlil = front::to_rtlil(design, &mut warnings)?;
    let packaged = compile_netlist(rtlil.read(&mut warnings)?, options);
    let dependencies = std::mem::take(&mut rtlil.dependencies);
    let sources = std::mem::take(&mut rtlil.sources);
    let made = compilation(packaged, warnings, dependencies, sources);
    Ok((made, rtlil))
}

fn compilation(
    packaged: Packaged,
    warnings: Vec<Diagnostic>,
    dependencies: Vec<PathBuf>,
    sources: Sources,
) -> Compilation {
    Compilation {
        artifact: packaged.wasm,
        manifest: packaged.manifest,
        symbols: packaged.symbols,
        warnings,
        dependencies,
        sources,
    }
}
