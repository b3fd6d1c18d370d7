//! The benchmark: ours and outside simulators on the same designs and programs; figures out, nothing passes or fails.
//!
//! [`run`] takes the arguments of `cargo xtask bench`. `ladder` says what is measured, `engine` with whom, `measure`
//! how; `wasm` and `native` build the simulators, `process` runs them; `results` and `report` hold and show the figures,
//! `book` and `plot` write them into the documentation. `growth` measures netlists made by `grid`.

mod book;
mod engine;
mod failure;
mod fuel;
mod grid;
mod growth;
mod ladder;
mod measure;
mod native;
mod options;
mod plot;
mod process;
mod report;
mod results;
mod wasm;

use std::path::{Path, PathBuf};

use clap::Parser;

use engine::Engine;
use failure::{Failure, Result};
use options::{Arguments, Race, Task};
use wasm::{Compiler, Mode};

/// Cycles of the run that counts operations.
mod fuel_cycles {
    /// The initialisation of a program is no part of the figure.
    pub const RUN_IN: u64 = 20_000;
    pub const COUNTED: u64 = 100_000;
}

/// Does what the command line says. The environment says where things are: `RTLWASM` the compiler, `RTLWASM_CORES`
/// the cores, `RTLWASM_VERILATOR` the root of a second Verilator.
pub fn run() -> std::result::Result<(), String> {
    let arguments = Arguments::parse();
    let result = match &arguments.task {
        Some(Task::Serve {
            design,
            artifact,
            cache,
            fuel,
        }) => serve(design, artifact, cache.as_deref(), *fuel),
        Some(Task::Compile { cells, json, write }) => compile(*cells, *json, *write),
        None => race(&arguments.race),
    };
    result.map_err(|failure| failure.to_string())
}

fn serve(design: &str, artifact: &Path, cache: Option<&Path>, fuel: bool) -> Result {
    let workload = ladder::find(design);
    let workload = workload.ok_or_else(|| Failure::Other(format!("`{design}` is no design")))?;
    let mode = if fuel { Mode::Fuel } else { Mode::Host };
    wasm::serve(workload, artifact, cache, mode)
}

fn compile(cells: usize, json: bool, write: bool) -> Result {
    let scratch = tempfile::tempdir().map_err(failure::at(&std::env::temp_dir()))?;
    report::load_note();
    let rows = growth::run(&compiler(Vec::new()), cells, scratch.path())?;
    if json {
        println!("{}", report::json(&rows));
    }
    if write {
        book::write_growth(&rows)
    } else {
        Ok(())
    }
}

fn compiler(options: Vec<String>) -> Compiler {
    Compiler {
        program: variable("RTLWASM").unwrap_or_else(|| "rtlwasm".into()),
        options,
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

fn race(race: &Race) -> Result {
    let all = Engine::all(variable("RTLWASM_VERILATOR").as_deref());
    if race.list {
        return report::list(&all);
    }
    let workloads = race.workloads().map_err(Failure::Other)?;
    let engines = race.chosen(all).map_err(Failure::Other)?;
    let compiler = compiler(race.compiler_options());
    let scratch = tempfile::tempdir().map_err(failure::at(&std::env::temp_dir()))?;
    report::load_note();
    let mut all = Vec::new();
    for workload in workloads {
        let figures = measure::measure(
            workload,
            &engines,
            &compiler,
            &race.effort(),
            scratch.path(),
        );
        match figures {
            Ok(figures) => {
                report::progress(&figures);
                all.push(figures);
            }
            Err(failure) => eprintln!("  {}: {failure}", workload.name),
        }
    }
    report::load_note();
    report::finish(race, &all);
    if race.write {
        book::write_ladder(all)?;
    }
    Ok(())
}
