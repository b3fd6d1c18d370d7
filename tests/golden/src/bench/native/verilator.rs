//! Verilator: the releases and the levels of C++ optimisation that are measured, and the bench.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Built, Inputs, MAIN, PRELUDE, cached, inputs, outputs, versions};
use crate::bench::failure::{Result, at};
use crate::bench::ladder::{CLOCK, Workload};
use crate::bench::process::{self, Program, Usage};
use crate::oracle::OracleDesign;

/// An installed Verilator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub version: String,
    /// `VERILATOR_ROOT` of one that is not on the search path.
    pub root: Option<PathBuf>,
}

/// How its C++ is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    O2,
    O3Native,
}

const OPTIONS: &[&str] = &[
    "--cc",
    "--exe",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--noassert",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "-Wno-BLKANDNBLK",
    "-Wno-UNOPTFLAT",
    "--prefix",
    "Design",
    "-o",
    "bench",
];

impl Level {
    pub const ALL: [Level; 2] = [Level::O2, Level::O3Native];

    fn flags(self) -> &'static str {
        match self {
            Level::O2 => "-O2",
            Level::O3Native => "-O3 -march=native",
        }
    }
}

impl Release {
    /// The one on the search path.
    pub fn installed() -> Option<Release> {
        let output = Command::new("verilator").arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.split_ascii_whitespace().nth(1)?.to_owned();
        Some(Release {
            version,
            root: None,
        })
    }

    fn command(&self) -> Command {
        match &self.root {
            None => Command::new("verilator"),
            Some(root) => {
                let mut command = Command::new("perl");
                command
                    .arg(root.join("bin").join("verilator"))
                    .env("VERILATOR_ROOT", root);
                command
            }
        }
    }
}

/// Builds the simulator of a design.
pub fn build(
    release: &Release,
    level: Level,
    workload: &Workload,
    design: &OracleDesign,
) -> Result<Built> {
    let bench = bench(&inputs(workload, design), design);
    let versions = versions(release.command().arg("--version"))?;
    let recipe = format!(
        "bench verilator 1\n{}\n{versions}\n{OPTIONS:?}\n{}\n{bench}",
        release.version,
        level.flags()
    );
    let (folder, usage) = cached(design, &recipe, |folder| {
        let path = folder.join("bench.cpp");
        fs::write(&path, &bench).map_err(at(&path))?;
        let objects = folder.join("objects");
        let generated = generate(release, design, &path, &objects, folder)?;
        let compiled = compile(level, &objects, folder)?;
        let program = folder.join("bench");
        fs::rename(objects.join("bench"), &program).map_err(at(&program))?;
        fs::remove_dir_all(&objects).map_err(at(&objects))?;
        Ok(generated.then(compiled))
    })?;
    let program = Program {
        path: folder.join("bench"),
        arguments: Vec::new(),
        folder: design.folder.clone(),
    };
    Ok(Built { program, usage })
}

fn generate(
    release: &Release,
    design: &OracleDesign,
    bench: &Path,
    objects: &Path,
    folder: &Path,
) -> Result<Usage> {
    let mut command = release.command();
    command
        .args(OPTIONS)
        .args(["--top-module", &design.top, "--Mdir"])
        .arg(objects);
    let defines = design.defines.iter().map(|name| format!("+define+{name}"));
    let includes = design.includes.iter();
    let includes = includes.map(|path| format!("+incdir+{}", path.display()));
    let parameters = design.parameters.iter();
    let parameters = parameters.map(|(name, value)| format!("-G{name}={value}"));
    command
        .args(defines.chain(includes).chain(parameters))
        .args(&design.sources)
        .arg(bench)
        .current_dir(&design.folder);
    process::run(&mut command, &folder.join("log"))
}

/// One job, for the processor time. The Python package does not say how this compiler takes in a precompiled header.
fn compile(level: Level, objects: &Path, folder: &Path) -> Result<Usage> {
    let flags = level.flags();
    let mut command = Command::new("make");
    command
        .args(["-j1", "-f", "Design.mk", "bench"])
        .arg(format!("OPT_FAST={flags}"))
        .arg(format!("OPT_GLOBAL={flags}"))
        .arg("CFG_CXXFLAGS_PCH_I=-include")
        .current_dir(objects);
    process::run(&mut command, &folder.join("log"))
}

fn bench(inputs: &Inputs, design: &OracleDesign) -> String {
    let mut rest = String::new();
    for (name, width, value) in &inputs.rest {
        // Wide inputs are zero as they are.
        if *width <= 64 {
            _ = writeln!(rest, "    top->{name} = {value};");
        }
    }
    let (reset, active, released) = &inputs.reset;
    let mut row = String::new();
    for (name, _) in outputs(design) {
        _ = writeln!(row, "    put(top->{name});");
    }
    TEMPLATE
        .replace("@PRELUDE@", PRELUDE)
        .replace("@CLOCK@", CLOCK)
        .replace("@REST@", &rest)
        .replace("@ACTIVE@", &format!("top->{reset} = {active}"))
        .replace("@INACTIVE@", &format!("top->{reset} = {}", released))
        .replace("@ROW@", &row)
        .replace("@MAIN@", MAIN)
}

const TEMPLATE: &str = r#"#include "Design.h"
#include "verilated.h"
@PRELUDE@
static VerilatedContext *context;
static Design *top;

// Ports are integers of 8 to 64 bits, and arrays of words above.
template <typename T> static void put(const T &port) {
    uint32_t words[2] = {(uint32_t)port, (uint32_t)((uint64_t)port >> 32)};
    put_words(words, 2);
}
template <std::size_t N> static void put(const VlWide<N> &port) {
    put_words(port.data(), N);
}

static void cycles(uint64_t count) {
    for (; count; count--) {
        top->@CLOCK@ = 1;
        top->eval();
        top->@CLOCK@ = 0;
        top->eval();
    }
}

static void start() {
    context = new VerilatedContext;
    top = new Design(context);
@REST@    top->eval();
    @ACTIVE@;
    top->eval();
    cycles(4);
    @INACTIVE@;
    top->eval();
}

static void row() {
@ROW@}
@MAIN@"#;
