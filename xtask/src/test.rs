//! The short form of every kind of test, one step after the other, with a summary at the end. A step that fails does
//! not keep the others from running.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::process::{cargo, run as execute, say};
use crate::{codegen, cores, firmware, oracle, package, python, setup, tidy};

#[derive(clap::Args)]
pub struct Options {
    /// The long forms too: whole programs on all cores, many random designs.
    #[arg(long)]
    pub full: bool,
}

type Step = (&'static str, fn(&Options) -> Result);

const STEPS: &[Step] = &[
    ("tidy", |_| tidy::run()),
    ("codegen", |_| {
        codegen::run(&codegen::Options { check: true })
    }),
    ("format", |_| {
        execute(&mut cargo(&["fmt", "--all", "--check"])?)
    }),
    ("clippy", |_| {
        let arguments = [
            "clippy",
            "--release",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "--deny",
            "warnings",
        ];
        execute(&mut cargo(&arguments)?)
    }),
    ("firmware", |_| {
        firmware::run(&firmware::Options { check: true })
    }),
    ("package", |_| {
        package::run(&package::Options { no_verify: true })
    }),
    ("workspace", workspace),
    ("python", |_| python::test()),
    ("cores", |options| {
        cores_compared(options).iter().try_for_each(oracle::run)
    }),
];

pub fn run(options: &Options) -> Result {
    setup::run()?;
    let results: Vec<(&str, Result, Duration)> = STEPS
        .iter()
        .map(|(name, step)| {
            say(name);
            let start = Instant::now();
            let result = step(options);
            if let Err(failure) = &result {
                eprintln!("error: {failure}");
            }
            (*name, result, start.elapsed())
        })
        .collect();
    summary(&results)
}

/// All tests of all crates; the long ones are marked `ignored` in their source.
fn workspace(options: &Options) -> Result {
    let mut command = cargo(&[
        "test",
        "--release",
        "--workspace",
        "--no-fail-fast",
        "--quiet",
    ])?;
    if options.full {
        command.args(["--", "--include-ignored"]);
    }
    execute(command.env("RTLWASM_CORES", cores::folder()?))
}

/// The short form leaves out what Verilator takes minutes to build: Rocket and many cores.
fn cores_compared(options: &Options) -> Vec<oracle::Options> {
    let some = |names: &[&str], cycles| oracle::Options {
        designs: names.iter().map(|name| name.to_string()).collect(),
        cycles,
    };
    match options.full {
        true => vec![some(&[], None)],
        false => vec![
            some(&["sha256", "aes256", "gemm", "wide512"], Some(5_000)),
            some(
                &[
                    "idle_soc", "picorv32", "serv", "vexriscv", "ibex", "cv32e40p",
                ],
                Some(20_000),
            ),
        ],
    }
}

fn summary(results: &[(&str, Result, Duration)]) -> Result {
    println!();
    for (name, result, time) in results {
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        println!("{name:<12} {verdict} {:>8.1} s", time.as_secs_f64());
    }
    let failed: Vec<&str> = results
        .iter()
        .filter(|(_, result, _)| result.is_err())
        .map(|(name, ..)| *name)
        .collect();
    match failed.len() {
        0 => Ok(()),
        count => Err(Failure::Steps {
            count,
            total: results.len(),
            names: failed.join(", "),
        }),
    }
}
