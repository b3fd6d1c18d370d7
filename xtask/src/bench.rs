//! Benchmarks: figures, never pass or fail. The program `bench` of the golden tests does the work; here it gets what
//! it needs: a compiler, the cores, a second Verilator. What Python takes to draw a picture is a benchmark of its own.

use std::ffi::OsString;

use crate::failure::Result;
use crate::process::{cargo, run as execute, target_dir};
use crate::{cores, mandelbrot, python, setup, verilator};

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Options {
    /// For the benchmark; `--help` lists them. `python` alone: the Python package, and its simulation engines.
    /// `python-mandelbrot` alone: a picture drawn from Python, in several ways.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub fn run(options: &Options) -> Result {
    if options.arguments == ["python-mandelbrot"] {
        return mandelbrot::run();
    }
    setup::run()?;
    if options.arguments == ["python"] {
        return python::bench();
    }
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "golden",
        "--bin",
        "bench",
        "--",
    ])?;
    command
        .args(&options.arguments)
        .env("RTLWASM", target_dir()?.join("release").join("rtlwasm"))
        .env("RTLWASM_CORES", cores::folder()?)
        .env("RTLWASM_VERILATOR", verilator::root()?);
    execute(&mut command)
}
