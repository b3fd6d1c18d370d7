//! Our side: the artifact is compiled by the `rtlwasm` program, and run by `rtlwasm-host` in a process of its own.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use rtlwasm_abi::Status;
use rtlwasm_host::manifest::Manifest;
use rtlwasm_host::{Artifact, Clock, Model, ModelOptions, Signal};

use super::failure::{Failure, Result, at};
use super::fuel::Fuelled;
use super::ladder::{CLOCK, Workload};
use super::process::{self, Program, Usage};
use crate::oracle::{Direction, Port};

/// An artifact and what making it took.
pub struct Built {
    pub path: PathBuf,
    pub bytes: u64,
    pub usage: Usage,
    pub ports: Vec<Port>,
}

/// The compiler, and what it is told besides the design.
pub struct Compiler {
    pub program: PathBuf,
    pub options: Vec<String>,
}

impl Compiler {
    /// Compiles a design.
    pub fn build(&self, workload: &Workload, folder: &Path) -> Result<Built> {
        let path = folder.join(format!("{}.wasm", workload.name));
        let mut command = self.command(workload, "build");
        command
            .arg("--quiet")
            .args(&self.options)
            .arg("-o")
            .arg(&path);
        let usage = process::run(&mut command, &folder.join("log"))?;
        let wasm = fs::read(&path).map_err(at(&path))?;
        let ports = ports(&load(&wasm, None)?);
        Ok(Built {
            bytes: wasm.len() as u64,
            path,
            usage,
            ports,
        })
    }

    /// Writes a design as RTLIL, for simulators that cannot read its language.
    pub fn dump(&self, workload: &Workload, path: &Path, log: &Path) -> Result<Usage> {
        let mut command = self.command(workload, "dump");
        command.args(["--stage", "rtlil", "-o"]).arg(path);
        process::run(&mut command, log)
    }

    fn command(&self, workload: &Workload, subcommand: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args([subcommand, "-f", workload.list, "--top", workload.top])
            .current_dir(workload.folder());
        for define in workload.defines {
            command.args(["-D", define]);
        }
        for (name, value) in workload.parameters {
            command.args(["-P", &format!("{name}={value}")]);
        }
        command
    }
}

/// How an artifact is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By the host.
    Host,
    /// In an engine that counts operations; the answer is their number.
    Fuel,
}

/// This program itself, running an artifact. Without `cache` the engine compiles it anew.
pub fn program(
    workload: &Workload,
    artifact: &Path,
    cache: Option<&Path>,
    mode: Mode,
) -> Result<Program> {
    let mut arguments: Vec<OsString> = vec!["serve".into(), workload.name.into(), artifact.into()];
    if let Some(cache) = cache {
        arguments.extend(["--cache".into(), cache.into()]);
    }
    if mode == Mode::Fuel {
        arguments.push("--fuel".into());
    }
    let path = std::env::current_exe().map_err(at(Path::new("the program itself")))?;
    Ok(Program {
        path,
        arguments,
        folder: workload.folder(),
    })
}

/// The other side of [`program`]: answers until its input ends.
pub fn serve(workload: &Workload, artifact: &Path, cache: Option<&Path>, mode: Mode) -> Result {
    let wasm = fs::read(artifact).map_err(at(artifact))?;
    let loaded = load(&wasm, cache)?;
    let mut fuelled;
    let mut hosted;
    let simulation: &mut dyn FnMut(u64) -> Result<String> = match mode {
        Mode::Host => {
            hosted = Hosted::new(workload, &loaded)?;
            &mut |cycles| hosted.run(cycles)
        }
        Mode::Fuel => {
            fuelled = Fuelled::new(workload, &wasm, loaded.manifest())?;
            &mut |cycles| Ok(format!("{:x}", fuelled.run(cycles)?))
        }
    };
    for line in std::io::stdin().lock().lines() {
        let cycles = line.ok().and_then(|line| line.trim().parse().ok());
        let cycles = cycles.ok_or_else(|| Failure::Other("not a number of cycles".into()))?;
        let answer = simulation(cycles)?;
        _ = writeln!(std::io::stderr(), "{answer}");
    }
    Ok(())
}

fn load(wasm: &[u8], cache: Option<&Path>) -> Result<Artifact> {
    let options = ModelOptions {
        cache_dir: cache.map(Path::to_owned),
        ..ModelOptions::default()
    };
    Artifact::from_bytes(wasm, &options).map_err(|e| Failure::Other(e.to_string()))
}

fn ports(artifact: &Artifact) -> Vec<Port> {
    let port = |signal: &rtlwasm_host::manifest::Signal| Port {
        name: signal.path.join("."),
        width: signal.width,
        direction: match signal.kind.as_str() {
            "input" => Direction::Input,
            _ => Direction::Output,
        },
    };
    artifact.ports().iter().map(port).collect()
}

/// The index of the clock for `rtl_step`.
pub fn clock_index(manifest: &Manifest) -> Option<usize> {
    manifest.clocks.iter().position(|clock| clock.name == CLOCK)
}

struct Hosted {
    model: Model,
    clock: Clock,
    outputs: Vec<Signal>,
}

impl Hosted {
    /// A model after its reset.
    fn new(workload: &Workload, artifact: &Artifact) -> Result<Hosted> {
        let shown = |e: &dyn std::fmt::Display| Failure::Other(e.to_string());
        let mut model = artifact
            .model(&ModelOptions::default())
            .map_err(|e| shown(&e))?;
        model.on_event(|_| {});
        let signal = |port: &Port| model.signal(port.name.as_str()).map_err(|e| shown(&e));
        let ports = ports(artifact);
        let is_output = |port: &&Port| port.direction == Direction::Output;
        let outputs = ports
            .iter()
            .filter(is_output)
            .map(signal)
            .collect::<Result<_>>()?;
        let inputs: Vec<(Signal, &Port)> = ports
            .iter()
            .filter(|port| port.direction == Direction::Input && port.name != CLOCK)
            .map(|port| Ok((signal(port)?, port)))
            .collect::<Result<_>>()?;
        let clock = model.clock(CLOCK).map_err(|e| shown(&e))?;
        let reset = model.signal(workload.reset.0).map_err(|e| shown(&e))?;
        let mut start = || {
            for (input, port) in &inputs {
                model.poke(*input, workload.input(&port.name))?;
            }
            let _ = model.eval()?;
            model.poke(reset, workload.reset.1)?;
            let _ = model.step(clock, 4)?;
            model.poke(reset, workload.input(workload.reset.0))?;
            model.eval()
        };
        let _ = start().map_err(|e| shown(&e))?;
        Ok(Hosted {
            model,
            clock,
            outputs,
        })
    }

    fn run(&mut self, cycles: u64) -> Result<String> {
        let run = self.model.step(self.clock, cycles);
        let run = run.map_err(|e| Failure::Other(e.to_string()))?;
        if run.status != Status::Ok {
            return Err(Failure::Other(format!("the run ended: {:?}", run.status)));
        }
        let mut row = Vec::new();
        for output in &self.outputs {
            let value = self.model.peek_bits(*output);
            let value = value.map_err(|e| Failure::Other(e.to_string()))?;
            row.push(format!("{value:x}"));
        }
        Ok(row.join(" "))
    }
}
