//! Compares real cores with Verilator: names of designs in, a table out; fails if anything differs.

use std::process::ExitCode;
use std::time::Instant;

use golden::cores::{CORES, Core, Report};

fn main() -> ExitCode {
    let Some((names, cycles)) = arguments() else {
        eprintln!("usage: compare-cores [NAME...] [--cycles N]");
        return ExitCode::from(2);
    };
    let chosen = |core: &&Core| names.is_empty() || names.iter().any(|name| name == core.name);
    println!(
        "{:<12} {:>9} {:>8} {:>6} {:>9} {:>8}",
        "core", "cycles", "outputs", "exit", "compiled", "all"
    );
    let mut failed = false;
    for core in CORES.iter().filter(chosen) {
        let start = Instant::now();
        let result = core.compare(cycles);
        failed |= result.is_err();
        print(core, &result, start.elapsed().as_secs_f64());
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn print(core: &Core, result: &Result<Report, String>, seconds: f64) {
    match result {
        Ok(report) => {
            let exit = report.exit.map_or("-".to_owned(), |code| code.to_string());
            let compiled = report.compiling.as_secs_f64();
            let (cycles, outputs) = (report.agreement.cycles, report.outputs);
            println!(
                "{:<12} {cycles:>9} {outputs:>8} {exit:>6} {compiled:>7.1} s {seconds:>6.1} s",
                core.name
            );
            print!("{}", report.text);
        }
        Err(text) => println!("{:<12} DIFFERS {text}", core.name),
    }
}

fn arguments() -> Option<(Vec<String>, Option<u64>)> {
    let mut names = Vec::new();
    let mut cycles = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--cycles" => cycles = Some(words.next()?.parse().ok()?),
            name if CORES.iter().any(|core| core.name == name) => names.push(word),
            _ => return None,
        }
    }
    Some((names, cycles))
}
