//! Figures as text: a table for people, JSON for programs.

use serde::Serialize;

use super::engine::Engine;
use super::failure::Result;
use super::growth::Growth;
use super::ladder::LADDER;
use super::options::Race;
use super::results::{DesignFigures, EngineFigures, mean_ratio};

/// Names of designs and engines.
pub fn list(engines: &[Engine]) -> Result {
    for workload in LADDER {
        println!("{}", workload.name);
    }
    println!();
    for engine in engines {
        println!("{}", engine.name());
    }
    Ok(())
}

/// Says how busy the machine is besides this.
pub fn load_note() {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = text
        .split_ascii_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    if let Some(load) = load.filter(|load: &f64| *load > 1.2) {
        eprintln!("other processes are busy (load {load}): only ratios mean something");
    }
}

/// One design, as soon as it is measured.
pub fn progress(figures: &DesignFigures) {
    for engine in &figures.engines {
        eprintln!(
            "  {}: {:<18} {:>10.1} k cycles/s ({:.1} to {:.1}), {} cycles compared, first cycle after {:.2} s",
            figures.design,
            engine.engine,
            engine.cycles_per_second / 1e3,
            engine.slowest / 1e3,
            engine.fastest / 1e3,
            engine.compared_cycles,
            engine.first_cycle.processor_seconds,
        );
    }
}

/// The table and what else was asked for.
pub fn finish(race: &Race, all: &[DesignFigures]) {
    let text = table(all);
    if race.json {
        eprint!("{text}");
        println!("{}", json(&all));
    } else {
        print!("{text}");
    }
}

pub fn json(data: &impl Serialize) -> String {
    serde_json::to_string_pretty(data).expect("plain data")
}

/// Above rows of [`growth_row`].
pub fn growth_header() -> String {
    format!(
        "{:>9} {:>3} {:>9} {:>12} {:>9} {:>12} {:>11} {:>12} {:>9} {:>12} {:>12}",
        "cells",
        "-O",
        "seconds",
        "us per cell",
        "MB",
        "KB per cell",
        "artifact MB",
        "B per cell",
        "engine s",
        "cycles/s",
        "ns per cell"
    )
}

pub fn growth_row(row: &Growth) -> String {
    format!(
        "{:>9} {:>3} {:>9.2} {:>12.1} {:>9.0} {:>12.2} {:>11.2} {:>12.1} {:>9.2} {:>12.1} {:>12.2}",
        row.cells,
        row.level,
        row.compiling.processor_seconds,
        row.microseconds_per_cell(),
        row.compiling.peak_kilobytes as f64 / 1e3,
        row.kilobytes_per_cell(),
        row.artifact_bytes as f64 / 1e6,
        row.bytes_per_cell(),
        row.engine_seconds,
        row.cycles_per_second,
        row.nanoseconds_per_cell(),
    )
}

/// Speeds in thousands of cycles a second of processor time, and ours as a multiple of theirs.
fn table(all: &[DesignFigures]) -> String {
    let mut text = format!(
        "{:<14} {:>10} {:>10} {:>7} {:>8} {:>8} {:>9} {:>9} {:>8} {:>8} {:>6}\n",
        "design",
        "ours k/s",
        "verilator",
        "ours/v",
        "ours/cxx",
        "ours/iv",
        "ops/cyc",
        "artifact",
        "first s",
        "v first",
        "MB",
    );
    for figures in all {
        let speed = |engine: Option<&EngineFigures>| {
            number(engine.map(|engine| engine.cycles_per_second / 1e3), 1)
        };
        let first = |engine: Option<&EngineFigures>| {
            number(engine.map(|engine| engine.first_cycle.processor_seconds), 2)
        };
        let (ours, verilator) = (figures.ours(), figures.best("verilator"));
        text.push_str(&format!(
            "{:<14} {:>10} {:>10} {:>7} {:>8} {:>8} {:>9} {:>9} {:>8} {:>8} {:>6}\n",
            figures.design,
            speed(ours),
            speed(verilator),
            number(figures.ratio("verilator"), 3),
            number(figures.ratio("cxxrtl"), 2),
            number(figures.ratio("icarus"), 0),
            number(figures.operations_per_cycle, 0),
            figures.artifact_bytes,
            first(ours),
            first(verilator),
            number(ours.map(|ours| ours.running_kilobytes as f64 / 1e3), 0),
        ));
    }
    if let Some(mean) = mean_ratio(all, "verilator") {
        text.push_str(&format!(
            "geometric mean of ours/verilator, without idle_soc: {mean:.3}\n"
        ));
    }
    text
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".into(), |value| format!("{value:.digits$}"))
}

/// Digits in groups of three: `12,345`; small numbers with a fraction.
pub fn grouped(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [3.25, 987.0, 1234.4, 1_234_567.0].map(grouped),
            ["3.2", "987", "1,234", "1,234,567"]
        );
    }
}
