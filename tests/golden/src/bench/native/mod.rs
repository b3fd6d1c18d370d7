//! Outside simulators as sessions (see `process.rs`): sources in, a program that answers numbers of cycles out.
//!
//! A built program is kept under the hash of all that went into it, with what building it took.

mod cxxrtl;
mod icarus;
mod verilator;

use std::fs;
use std::path::Path;
use std::process::Command;

pub use cxxrtl::build as build_cxxrtl;
pub use icarus::build as build_icarus;
pub use verilator::{Level, Release, build as build_verilator};

use super::failure::{Failure, Result, at};
use super::ladder::Workload;
use super::process::{Program, Usage};
use crate::oracle::{Direction, OracleDesign, OracleError, cache};

/// A simulator and what building it took.
pub struct Built {
    pub program: Program,
    pub usage: Usage,
}

const USAGE: &str = "usage.json";

/// Builds in a folder of the cache unless that is there.
fn cached(
    design: &OracleDesign,
    recipe: &str,
    build: impl FnOnce(&Path) -> Result<Usage>,
) -> Result<(std::path::PathBuf, Usage)> {
    let mut failure = None;
    let built = cache::build(design, recipe, |folder| {
        let usage = build(folder).and_then(|usage| {
            let path = folder.join(USAGE);
            let text = serde_json::to_string(&usage).expect("plain numbers");
            fs::write(&path, text).map_err(at(&path))
        });
        usage.map_err(|e| {
            let log = e.to_string();
            failure = Some(e);
            OracleError::Build { tool: "bench", log }
        })
    });
    let folder = match (built, failure) {
        (_, Some(failure)) => return Err(failure),
        (built, None) => built?,
    };
    let path = folder.join(USAGE);
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    let usage = serde_json::from_str(&text)
        .map_err(|e| Failure::Other(format!("{}: {e}", path.display())))?;
    Ok((folder, usage))
}

/// What a tool calls itself, and the C++ compiler: both decide what is built.
fn versions(tool: &mut Command) -> Result<String> {
    let mut text = String::new();
    for command in [tool, Command::new("c++").arg("--version")] {
        let output = command.output().map_err(|source| Failure::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        text.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    Ok(text)
}

/// What a bench assigns: name, width and value of every input at rest; the reset, its active value and its other one.
struct Inputs {
    rest: Vec<(String, u32, u64)>,
    reset: (String, u64, u64),
}

fn inputs(workload: &Workload, design: &OracleDesign) -> Inputs {
    let value =
        |port: &crate::oracle::Port| (port.name.clone(), port.width, workload.input(&port.name));
    Inputs {
        rest: design.inputs().map(value).collect(),
        reset: (
            workload.reset.0.to_owned(),
            workload.reset.1,
            workload.input(workload.reset.0),
        ),
    }
}

/// Outputs in the order of the ports.
fn outputs(design: &OracleDesign) -> impl Iterator<Item = (&str, u32)> {
    let is_output = |port: &&crate::oracle::Port| port.direction == Direction::Output;
    let found = design.ports.iter().filter(is_output);
    found.map(|port| (port.name.as_str(), port.width))
}

/// C++ that both C++ benches start with: words of 32 bits as hexadecimal text.
const PRELUDE: &str = r#"#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>

static void put_words(const uint32_t *words, size_t count) {
    for (size_t i = count; i-- > 0;) fprintf(stderr, "%08x", words[i]);
    putc(' ', stderr);
}
"#;

/// The loop that answers; `cycles` and `row` come before it.
const MAIN: &str = r#"
int main() {
    static char buffer[1 << 16];
    setvbuf(stderr, buffer, _IOFBF, sizeof buffer);
    start();
    uint64_t count;
    while (scanf("%" SCNu64, &count) == 1) {
        cycles(count);
        row();
        putc('\n', stderr);
        fflush(stderr);
    }
    return 0;
}
"#;
