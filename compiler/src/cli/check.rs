//! `rtlwasm check`: sources in, warnings and errors out, nothing written.

use clap::Args;
use rtlwasm::diag::Colour;

use super::design_args::DesignArgs;
use super::report::LintArgs;
use super::{CommandResult, Exit, Failure};

/// Read a design and report what is wrong with it, without writing anything
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  rtlwasm check cpu.v alu.v --top cpu
  rtlwasm check soc.sv --deny warnings -W no-verilog

Exit status: 0 no errors, 1 bad input, 2 wrong usage.")]
pub struct Opts {
    #[command(flatten)]
    design: DesignArgs,
    #[command(flatten)]
    lints: LintArgs,
}

pub fn run(opts: &Opts, colour: Colour) -> CommandResult {
    let design = opts.design.design()?;
    let mut warnings = Vec::new();
    let elaborated = rtlwasm::front::elaborate(&design, &mut warnings);
    let (sources, error) = match elaborated {
        Ok(elaborated) => (elaborated.sources, None),
        Err(error) => (Default::default(), Some(error)),
    };
    let refused = opts.lints.report(&warnings, &sources, colour);
    match error {
        Some(error) => Err(Failure::Diagnostics(error, sources)),
        None if refused => Ok(Exit::BadInput),
        None => Ok(Exit::Ok),
    }
}
