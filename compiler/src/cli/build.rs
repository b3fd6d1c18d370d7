//! `rtlwasm build`: sources in, an artifact and whatever else was asked for out.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rtlwasm::Stage;
use rtlwasm::diag::Colour;
use rtlwasm::options::Design;

use super::compile_args::{CompileArgs, KeptArgs};
use super::design_args::DesignArgs;
use super::report::LintArgs;
use super::{CommandResult, Exit, Failure, load, number, output};

/// Compile a design to a WebAssembly artifact
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  rtlwasm build counter.v                              writes counter.wasm
  rtlwasm build soc.sv -I rtl -D FAST --top soc -o soc.wasm
  rtlwasm build top.il --emit wasm,manifest -o out/top.wasm
  rtlwasm build cpu.v --depfile cpu.d --deny undriven   for make and ninja
  yosys -q -p 'read_verilog a.v; write_rtlil -' | rtlwasm build - -o a.wasm

Exit status: 0 done, 1 bad input, 2 wrong usage.")]
pub struct Opts {
    #[command(flatten)]
    design: DesignArgs,
    /// Where to write the artifact, `-` for standard output; other outputs are named after it
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to write
    #[arg(
        long,
        value_enum,
        value_name = "KIND",
        value_delimiter = ',',
        default_value = "wasm"
    )]
    emit: Vec<Emit>,
    /// Write the files that the artifact depends on, as make and ninja read them
    #[arg(long, value_name = "FILE")]
    depfile: Option<PathBuf>,
    /// Do not say what was written
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    compile: CompileArgs,
    #[command(flatten)]
    kept: KeptArgs,
    #[command(flatten)]
    lints: LintArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// The artifact
    Wasm,
    /// The artifact as WebAssembly text
    Wat,
    /// The optimised netlist
    Ir,
    /// The schedule
    Sched,
    /// The manifest as JSON
    Manifest,
}

pub fn run(opts: &Opts, colour: Colour) -> CommandResult {
    let design = opts.design.design()?;
    let options = opts.kept.options(&opts.compile);
    let wasm = opts
        .output
        .clone()
        .unwrap_or_else(|| load::default_output(&design, "wasm"));
    check_outputs(opts, &design, &wasm)?;
    let compilation = load::compile(&design, &options, &opts.lints, colour)?;
    let mut written = Vec::new();
    for emit in &opts.emit {
        let path = emit.path(&wasm);
        match emit.stage() {
            None => output::write(&path, &compilation.artifact)?,
            Some(stage) => {
                let text = rtlwasm::emit_stage(&design, &options, stage)
                    .map_err(|d| Failure::Diagnostics(d, compilation.sources.clone()))?;
                output::write(&path, text.as_bytes())?;
            }
        }
        written.push(path);
    }
    if let Some(depfile) = &opts.depfile {
        output::write(
            depfile,
            output::depfile(&written, &compilation.dependencies).as_bytes(),
        )?;
    }
    if !opts.quiet && wasm != Path::new("-") {
        tell(&written, &compilation);
    }
    Ok(Exit::Ok)
}

/// Standard output takes one thing, and an output never replaces a source.
fn check_outputs(opts: &Opts, design: &Design, wasm: &Path) -> Result<(), Failure> {
    if wasm == Path::new("-") && (opts.emit.len() > 1 || opts.depfile.as_deref() == Some(wasm)) {
        return Err(Failure::Usage(
            "standard output takes one kind of output: give -o FILE".to_string(),
        ));
    }
    if wasm == Path::new("-") && opts.depfile.is_some() {
        return Err(Failure::Usage(
            "--depfile needs the name of the output: give -o FILE".to_string(),
        ));
    }
    let outputs = opts
        .emit
        .iter()
        .map(|emit| emit.path(wasm))
        .chain(opts.depfile.clone());
    for path in outputs.filter(|path| path != Path::new("-")) {
        if design.sources.contains(&path) {
            return Err(Failure::Usage(format!(
                "`{}` is a source and would be overwritten",
                path.display()
            )));
        }
    }
    Ok(())
}

fn tell(written: &[PathBuf], compilation: &rtlwasm::Compilation) {
    let names: Vec<String> = written
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let manifest = &compilation.manifest;
    let signals = manifest.signals.len() + compilation.symbols.signals.len();
    let size = number::bytes(compilation.artifact.len() as u64);
    eprintln!(
        "{}: {} ({size}, {signals} signals)",
        names.join(", "),
        manifest.top
    );
}

impl Emit {
    fn stage(self) -> Option<Stage> {
        match self {
            Emit::Wasm => None,
            Emit::Wat => Some(Stage::Wat),
            Emit::Ir => Some(Stage::OptIr),
            Emit::Sched => Some(Stage::Sched),
            Emit::Manifest => Some(Stage::Manifest),
        }
    }

    /// The name of an output beside the artifact.
    fn path(self, wasm: &Path) -> PathBuf {
        let extension = match self {
            _ if wasm == Path::new("-") => return wasm.to_path_buf(),
            Emit::Wasm => return wasm.to_path_buf(),
            Emit::Wat => "wat",
            Emit::Ir => "ir",
            Emit::Sched => "sched",
            Emit::Manifest => "manifest.json",
        };
        wasm.with_extension(extension)
    }
}
