//! The long comparison: real cores with running programs, artifact against Verilator, all outputs in every cycle.

use crate::cores;
use crate::failure::Result;
use crate::process::{cargo, run as execute};

#[derive(clap::Args)]
pub struct Options {
    /// Only these designs.
    pub designs: Vec<String>,
    /// Compare so many cycles; without it, as many as the program needs to end.
    #[arg(long)]
    pub cycles: Option<u64>,
}

pub fn run(options: &Options) -> Result {
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "golden",
        "--bin",
        "compare-cores",
        "--",
    ])?;
    command
        .args(&options.designs)
        .env("RTLWASM_CORES", cores::folder()?);
    if let Some(cycles) = options.cycles {
        command.args(["--cycles", &cycles.to_string()]);
    }
    execute(&mut command)
}
