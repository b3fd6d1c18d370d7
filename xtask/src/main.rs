//! Every chore of the project: a task's name and options in, the task done or a reason why not out.
//!
//! One file per task. Tasks only run programs and move files; what is compiled and compared lives in the other crates.

mod bench;
mod bless;
mod claims;
mod codegen;
mod cores;
mod demo;
mod failure;
mod firmware;
mod mandelbrot;
mod oracle;
mod package;
mod process;
mod python;
mod setup;
mod test;
mod tidy;
mod verilator;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the rtlwasm repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the other tasks need: simulators, cross compiler, cores, the compiler's own Yosys.
    Setup,
    /// Fetch and unpack the cores that the systems in fixtures/designs are built around.
    Cores,
    /// Build the firmware of the systems in fixtures/designs.
    Firmware(firmware::Options),
    /// Compile a PicoRV32 system from its Verilog and run it; draw a picture with a core.
    Demo,
    /// Run the short form of every kind of test.
    Test(test::Options),
    /// Write the tables of runtime-abi/SPEC.md from the constants.
    Codegen(codegen::Options),
    /// Check the rules of the source tree.
    Tidy,
    /// Accept what the tests' snapshots should now be, and say by stage what changed.
    Bless(bless::Options),
    /// Measure; nothing passes or fails. `bench --help` lists the options; `bench python` is about the Python package.
    Bench(bench::Options),
    /// Pack the crates that are published, and build them from their packages.
    Package(package::Options),
    /// Build the Python package, install it into an environment of its own, and test it there.
    Python(python::Options),
    /// Compare real cores with Verilator, cycle by cycle.
    Oracle(oracle::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Setup => setup::run(),
        Task::Cores => cores::run(),
        Task::Firmware(options) => firmware::run(&options),
        Task::Demo => demo::run(),
        Task::Test(options) => test::run(&options),
        Task::Codegen(options) => codegen::run(&options),
        Task::Tidy => tidy::run(),
        Task::Bless(options) => bless::run(&options),
        Task::Package(options) => package::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Python(options) => python::run(&options),
        Task::Oracle(options) => oracle::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
