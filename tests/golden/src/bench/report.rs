//! Figures as text: a table for people, JSON for programs.

use super::engine::Engine;
use super::failure::Result;
use super::ladder::LADDER;
use super::options::Race;
use super::results::{DesignFigures, EngineFigures, geometric_mean};

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
pub fn finish(race: &Race, all: &[DesignFigures]) -> Result {
    let text = table(all);
    if race.json {
        eprint!("{text}");
        println!("{}", serde_json::to_string_pretty(all).expect("plain data"));
    } else {
        print!("{text}");
    }
    Ok(())
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
    let mean = geometric_mean(all.iter().filter_map(|figures| figures.ratio("verilator")));
    if let Some(mean) = mean {
        text.push_str(&format!("geometric mean of ours/verilator: {mean:.3}\n"));
    }
    text
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".into(), |value| format!("{value:.digits$}"))
}
