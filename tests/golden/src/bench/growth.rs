//! Growth: generated netlists from a thousand to a million cells; what compiling and running them takes per cell.
//! Where nothing grows faster than the design, the figures per cell stay level.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::failure::{Result, at};
use super::ladder::GRID;
use super::process::{self, Session, Usage};
use super::wasm::{self, Compiler, Mode};
use super::{grid, report};

/// One netlist at one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    pub cells: usize,
    pub level: u32,
    /// RTLIL to artifact.
    pub compiling: Usage,
    pub artifact_bytes: u64,
    /// Processor seconds of the engine up to the first cycle.
    pub engine_seconds: f64,
    pub cycles_per_second: f64,
}

impl Growth {
    /// Processor time of compiling.
    pub fn microseconds_per_cell(&self) -> f64 {
        self.compiling.processor_seconds * 1e6 / self.cells as f64
    }

    pub fn kilobytes_per_cell(&self) -> f64 {
        self.compiling.peak_kilobytes as f64 / self.cells as f64
    }

    pub fn bytes_per_cell(&self) -> f64 {
        self.artifact_bytes as f64 / self.cells as f64
    }

    /// Of one cycle.
    pub fn nanoseconds_per_cell(&self) -> f64 {
        1e9 / self.cycles_per_second / self.cells as f64
    }
}

const SIZES: &[usize] = &[1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
const LEVELS: &[u32] = &[0, 2];

/// Length of a timed run, and how many there are.
const SECONDS: f64 = 0.5;
const ROUNDS: usize = 3;

/// Netlists of up to so many cells; each row is shown as soon as it is there.
pub fn run(compiler: &Compiler, cells: usize, scratch: &Path) -> Result<Vec<Growth>> {
    eprintln!("{}", report::growth_header());
    let mut rows = Vec::new();
    for size in SIZES.iter().filter(|size| **size <= cells) {
        let path = scratch.join("grid.il");
        grid::write(&path, *size).map_err(at(&path))?;
        for level in LEVELS {
            let row = measure(compiler, &path, *size, *level, scratch)?;
            eprintln!("{}", report::growth_row(&row));
            rows.push(row);
        }
    }
    Ok(rows)
}

fn measure(
    compiler: &Compiler,
    source: &Path,
    cells: usize,
    level: u32,
    scratch: &Path,
) -> Result<Growth> {
    let artifact = scratch.join("grid.wasm");
    let mut command = Command::new(&compiler.program);
    command
        .args(["build", "--quiet", &format!("-O{level}")])
        .args(&compiler.options)
        .arg(source)
        .arg("-o")
        .arg(&artifact);
    let compiling = process::run(&mut command, &scratch.join("log"))?;
    let artifact_bytes = fs::metadata(&artifact).map_err(at(&artifact))?.len();
    let program = wasm::program(&GRID, &artifact, None, Mode::Host)?;
    let mut session = Session::start(&program, "grid")?;
    session.run(1)?;
    let engine_seconds = session.seconds()?;
    let cycles = session.cycles_of(SECONDS)?;
    let mut speeds = Vec::new();
    for _ in 0..ROUNDS {
        speeds.push(cycles as f64 / session.run(cycles)?.seconds);
    }
    speeds.sort_by(f64::total_cmp);
    session.finish()?;
    Ok(Growth {
        cells,
        level,
        compiling,
        artifact_bytes,
        engine_seconds,
        cycles_per_second: speeds[ROUNDS / 2],
    })
}
