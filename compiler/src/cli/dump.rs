//! `rtlwasm dump`: what the design looks like after one stage of the compiler, as text.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rtlwasm::Stage;
use rtlwasm::diag::Sources;

use super::compile_args::{CompileArgs, KeptArgs};
use super::design_args::DesignArgs;
use super::{CommandResult, Exit, Failure, output};

/// Print what one stage of the compiler makes of a design
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  rtlwasm dump counter.v --stage ir
  rtlwasm dump counter.v --stage wat -O0 -o counter.wat

Exit status: 0 done, 1 bad input, 2 wrong usage.")]
pub struct Opts {
    #[command(flatten)]
    design: DesignArgs,
    /// After which stage
    #[arg(long, value_enum, value_name = "STAGE", default_value = "ir")]
    stage: StageArg,
    /// Where to write, `-` for standard output
    #[arg(short = 'o', long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    compile: CompileArgs,
    #[command(flatten)]
    kept: KeptArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StageArg {
    /// What the front end made of the sources
    Rtlil,
    /// The netlist as read
    Ir,
    /// The netlist after all passes
    OptIr,
    /// What runs when and under which condition
    Sched,
    /// Where everything lies in memory
    Layout,
    /// The functions that depend on the design, as emitted; addresses shown as names
    Functions,
    /// The artifact as WebAssembly text
    Wat,
    /// What the artifact says of itself
    Manifest,
}

pub fn run(opts: &Opts) -> CommandResult {
    let design = opts.design.design()?;
    let stage = match opts.stage {
        StageArg::Rtlil => Stage::Rtlil,
        StageArg::Ir => Stage::Ir,
        StageArg::OptIr => Stage::OptIr,
        StageArg::Sched => Stage::Sched,
        StageArg::Layout => Stage::Layout,
        StageArg::Functions => Stage::Functions,
        StageArg::Wat => Stage::Wat,
        StageArg::Manifest => Stage::Manifest,
    };
    let options = opts.kept.options(&opts.compile);
    let text = rtlwasm::emit_stage(&design, &options, stage);
    let text = text.map_err(|diagnostics| Failure::Diagnostics(diagnostics, Sources::default()))?;
    output::write(&opts.output, text.as_bytes())?;
    Ok(Exit::Ok)
}
