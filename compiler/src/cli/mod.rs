//! The command line: the only code that reads arguments, prints and exits.
//!
//! One file per subcommand, each with its `Opts` and its `run`. What goes wrong comes up as a [`Failure`] and is
//! printed here.

mod build;
mod check;
mod compile_args;
mod completions;
mod design_args;
mod dump;
mod inspect;
mod load;
mod number;
mod output;
mod report;
mod run;
#[cfg(feature = "yosys")]
mod setup;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{ColorChoice, Parser, Subcommand};
use rtlwasm::diag::{Colour, Diagnostics, Sources, render};

/// Exit statuses; `docs/cli.md` and the help text tell them to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Done.
    Ok = 0,
    /// A source, an artifact or another input is bad.
    BadInput = 1,
    /// The arguments are.
    Usage = 2,
    /// An assertion failed, or `$fatal` or `$stop` was called.
    Failed = 3,
    /// `--until` did not come true, or `--timeout` ended the run.
    NotMet = 4,
    /// Combinational logic did not settle.
    NotSettled = 5,
    /// Ctrl-C or a request to terminate.
    Interrupted = 130,
}

/// Why a command did not do its work.
#[derive(Debug)]
enum Failure {
    /// Problems in sources, with the texts to show.
    Diagnostics(Diagnostics, Sources),
    /// Any other bad input.
    Input(String),
    /// Arguments that do not fit each other or the design.
    Usage(String),
    /// Nobody reads what we write: a closed pipe, which is no error.
    BrokenPipe,
}

type CommandResult = Result<Exit, Failure>;

#[derive(Parser)]
#[command(
    name = "rtlwasm",
    version,
    long_version = LONG_VERSION.as_str(),
    about = "Compile hardware designs to self-contained WebAssembly simulations, and run them",
    after_help = HELP,
    propagate_version = false,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to colour messages; NO_COLOR is respected
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    Build(build::Opts),
    Run(run::Opts),
    Inspect(inspect::Opts),
    Dump(dump::Opts),
    Check(check::Opts),
    #[cfg(feature = "yosys")]
    Setup(setup::Opts),
    Completions(completions::Opts),
}

const HELP: &str = "\
Examples:
  rtlwasm build cpu.v alu.v --top cpu -o cpu.wasm
  rtlwasm run cpu.wasm --cycles 1M --reset rst=1:4 --load ram=firmware.hex --wave cpu.fst
  rtlwasm inspect cpu.wasm

Exit status:
  0    done: $finish was called, or the cycles asked for are over
  1    bad input: a source, an artifact, a memory image
  2    wrong usage: arguments that are wrong or do not fit the design
  3    an assertion failed, or $fatal or $stop was called
  4    --until did not come true in time, or --timeout ended the run
  5    combinational logic did not settle
  130  interrupted";

static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    #[cfg(feature = "yosys")]
    let yosys = setup::yosys_version();
    #[cfg(not(feature = "yosys"))]
    let yosys = "none: this build reads RTLIL only";
    format!(
        "{}\nYosys    {yosys}\nwasmtime {}\nABI      {}.{}",
        env!("CARGO_PKG_VERSION"),
        rtlwasm_host::WASMTIME_VERSION,
        rtlwasm_abi::ABI_MAJOR,
        rtlwasm_abi::ABI_MINOR
    )
});

/// Reads the arguments, does the work and prints what went wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let colour = stderr_colour(cli.color);
    let result = match &cli.command {
        Command::Build(opts) => build::run(opts, colour),
        Command::Run(opts) => run::run(opts, colour),
        Command::Inspect(opts) => inspect::run(opts, colour),
        Command::Dump(opts) => dump::run(opts),
        Command::Check(opts) => check::run(opts, colour),
        #[cfg(feature = "yosys")]
        Command::Setup(opts) => setup::run(opts),
        Command::Completions(opts) => completions::run(opts),
    };
    let exit = result.unwrap_or_else(|failure| report_failure(failure, colour));
    ExitCode::from(exit as u8)
}

fn report_failure(failure: Failure, colour: Colour) -> Exit {
    match failure {
        Failure::Diagnostics(diagnostics, sources) => {
            eprint!("{}", render(&diagnostics.0, &sources, colour));
            Exit::BadInput
        }
        Failure::Input(message) => {
            report::error(&message, colour);
            Exit::BadInput
        }
        Failure::Usage(message) => {
            report::error(&message, colour);
            Exit::Usage
        }
        Failure::BrokenPipe => Exit::Ok,
    }
}

fn stderr_colour(choice: ColorChoice) -> Colour {
    let wanted = match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !refused && std::io::stderr().is_terminal()
        }
    };
    if wanted {
        Colour::Always
    } else {
        Colour::Never
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
