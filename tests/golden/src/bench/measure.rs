//! One design: built for every engine, compared, then timed in turns.
//!
//! The turns are A B C A B C, so that a change of the machine's speed meets all alike; each takes about as long.

use std::path::Path;

use super::engine::{Engine, Simulator};
use super::failure::{Failure, Result};
use super::fuel_cycles;
use super::ladder::Workload;
use super::options::Effort;
use super::process::{Lap, Session, Usage};
use super::results::{DesignFigures, EngineFigures};
use super::wasm::{self, Compiler, Mode};
use crate::oracle::OracleDesign;

/// Measures a design with some engines; ours is always built, since the ports are its.
pub fn measure(
    workload: &Workload,
    engines: &[Engine],
    compiler: &Compiler,
    effort: &Effort,
    scratch: &Path,
) -> Result<DesignFigures> {
    let mut design = workload.design().map_err(Failure::Other)?;
    let ours = compiler.build(workload, scratch)?;
    design.ports.clone_from(&ours.ports);
    let mut figures = DesignFigures {
        design: workload.name.to_owned(),
        artifact_bytes: ours.bytes,
        operations_per_cycle: None,
        engines: Vec::new(),
        failures: Vec::new(),
    };
    let mut racers = Vec::new();
    for engine in engines {
        let name = engine.name();
        let unfit = workload
            .unfit
            .iter()
            .find(|(start, _)| name.starts_with(start));
        if let Some((_, why)) = unfit {
            note(&mut figures, name, &Failure::Other((*why).to_owned()));
            continue;
        }
        eprintln!("  {}: building {name}", workload.name);
        let built = engine.build(compiler, workload, &design, &ours, scratch);
        match built.and_then(Racer::start) {
            Ok(racer) => racers.push(racer),
            Err(failure) => note(&mut figures, name, &failure),
        }
    }
    compare(workload, &design, &ours, &mut racers, effort, &mut figures)?;
    time(workload, &design, &mut racers, effort)?;
    if effort.counts_operations {
        figures.operations_per_cycle = Some(operations(workload, &ours.path)?);
    }
    for racer in racers {
        figures.engines.push(racer.finish()?);
    }
    Ok(figures)
}

fn note(figures: &mut DesignFigures, engine: String, failure: &Failure) {
    eprintln!("  {}: {engine}: {failure}", figures.design);
    // What a compiler said after the first line names this machine's folders.
    let text = failure.to_string();
    let reason = text.lines().next().unwrap_or_default().to_string();
    figures.failures.push((engine, reason));
}

/// An engine in the race.
struct Racer {
    name: String,
    session: Session,
    first_cycle: Usage,
    compared: u64,
    /// Cycles of one turn.
    cycles: u64,
    speeds: Vec<f64>,
}

impl Racer {
    /// Starts it and runs the first cycle.
    fn start(simulator: Simulator) -> Result<Racer> {
        let name = simulator.engine.name();
        let mut session = Session::start(&simulator.program, &name)?;
        session.run(1)?;
        let start = Usage {
            processor_seconds: session.seconds()?,
            wall_seconds: session.age(),
            peak_kilobytes: session.peak_kilobytes(),
        };
        Ok(Racer {
            name,
            session,
            first_cycle: simulator.building.then(start),
            compared: 1,
            cycles: 0,
            speeds: Vec::new(),
        })
    }

    fn finish(self) -> Result<EngineFigures> {
        let mut speeds = self.speeds;
        speeds.sort_by(f64::total_cmp);
        let usage = self.session.finish()?;
        Ok(EngineFigures {
            engine: self.name,
            compared_cycles: self.compared,
            cycles_per_second: speeds[speeds.len() / 2],
            slowest: speeds[0],
            fastest: speeds[speeds.len() - 1],
            cycles_per_run: self.cycles,
            first_cycle: self.first_cycle,
            running_kilobytes: usage.peak_kilobytes,
        })
    }
}

/// Lengths of the runs that are compared: single cycles, then a number that no loop of a program divides.
fn steps(cycles: u64) -> impl Iterator<Item = u64> {
    let single = cycles.min(1000);
    let rest = (cycles - single).div_ceil(STRIDE);
    (0..single).map(|_| 1).chain((0..rest).map(|_| STRIDE))
}

const STRIDE: u64 = 97;

/// A simulator that is slower than this is compared for fewer cycles.
const COMPARE_SECONDS: f64 = 30.0;

/// Every engine against ours; one that differs is out of the race.
fn compare(
    workload: &Workload,
    design: &OracleDesign,
    ours: &wasm::Built,
    racers: &mut Vec<Racer>,
    effort: &Effort,
    figures: &mut DesignFigures,
) -> Result {
    let program = wasm::program(workload, &ours.path, None, Mode::Host)?;
    let mut reference = Session::start(&program, "ours")?;
    reference.run(1)?;
    let mut expected = Vec::new();
    for step in steps(effort.compared_cycles) {
        expected.push(reference.run(step)?.row);
    }
    reference.finish()?;
    let mut same = Vec::new();
    for mut racer in racers.drain(..) {
        match compare_one(&mut racer, design, &expected, effort.compared_cycles) {
            Ok(()) => same.push(racer),
            Err(failure) => note(figures, racer.name, &failure),
        }
    }
    *racers = same;
    Ok(())
}

fn compare_one(
    racer: &mut Racer,
    design: &OracleDesign,
    expected: &[Vec<String>],
    cycles: u64,
) -> Result {
    let start = racer.session.seconds()?;
    for (step, expected) in steps(cycles).zip(expected) {
        let lap = racer.session.run(step)?;
        racer.compared += step;
        let ports = design.outputs().zip(&lap.row).zip(expected);
        for ((port, found), expected) in ports {
            if !same_number(found, expected) {
                return Err(Failure::Differs {
                    name: racer.name.clone(),
                    cycle: racer.compared,
                    port: port.name.clone(),
                    found: found.clone(),
                    expected: expected.clone(),
                });
            }
        }
        if racer.session.seconds()? - start > COMPARE_SECONDS {
            break;
        }
    }
    Ok(())
}

/// Leading zeros do not matter, and unknown digits are not compared.
fn same_number(found: &str, expected: &str) -> bool {
    let digits = |text: &str| -> Vec<char> { text.to_ascii_lowercase().chars().rev().collect() };
    let (found, expected) = (digits(found), digits(expected));
    (0..found.len().max(expected.len())).all(|index| {
        let at = |digits: &[char]| digits.get(index).copied().unwrap_or('0');
        matches!(at(&found), 'x' | 'z') || at(&found) == at(&expected)
    })
}

fn time(
    workload: &Workload,
    design: &OracleDesign,
    racers: &mut [Racer],
    effort: &Effort,
) -> Result {
    for racer in racers.iter_mut() {
        racer.cycles = match effort.cycles {
            Some(cycles) => cycles,
            None => racer.session.cycles_of(effort.seconds)?,
        };
    }
    for _ in 0..effort.rounds {
        for racer in racers.iter_mut() {
            let lap = racer.session.run(racer.cycles)?;
            still_running(workload, design, racer, &lap)?;
            racer.speeds.push(racer.cycles as f64 / lap.seconds);
        }
    }
    Ok(())
}

fn still_running(workload: &Workload, design: &OracleDesign, racer: &Racer, lap: &Lap) -> Result {
    let is_over = |(name, value): &(&str, u64)| {
        let index = design.outputs().position(|port| port.name == *name);
        let index = index.unwrap_or_else(|| panic!("{} has no output {name}", workload.name));
        same_number(&lap.row[index], &format!("{value:x}"))
    };
    if workload.over.is_empty() || !workload.over.iter().all(is_over) {
        return Ok(());
    }
    Err(Failure::Over {
        name: racer.name.clone(),
        outputs: lap.row.join(" "),
    })
}

/// Counted in a run of its own, since counting takes time.
fn operations(workload: &Workload, artifact: &Path) -> Result<f64> {
    let program = wasm::program(workload, artifact, None, Mode::Fuel)?;
    let mut session = Session::start(&program, "operations")?;
    session.run(fuel_cycles::RUN_IN)?;
    let lap = session.run(fuel_cycles::COUNTED)?;
    session.finish()?;
    let count = lap
        .row
        .first()
        .and_then(|text| u64::from_str_radix(text, 16).ok());
    let count = count.ok_or_else(|| Failure::Other("no number of operations".into()))?;
    Ok(count as f64 / fuel_cycles::COUNTED as f64)
}

#[cfg(test)]
mod tests {
    use super::{same_number, steps};

    #[test]
    fn numbers_are_compared_by_digits() {
        assert!(same_number("00Ff", "ff") && same_number("x1", "71") && same_number("0", "000"));
        assert!(!same_number("10", "1") && !same_number("0", "1"));
    }

    #[test]
    fn steps_reach_the_end() {
        assert_eq!(steps(10).sum::<u64>(), 10);
        assert!((20_000..20_097).contains(&steps(20_000).sum::<u64>()));
    }
}
