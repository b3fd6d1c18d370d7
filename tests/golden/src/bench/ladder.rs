//! The designs that are measured: which sources, which workload, and what must be true after it.

use std::path::PathBuf;

use crate::cores::FileList;
use crate::fixture;
use crate::oracle::OracleDesign;

/// One design with the program that runs on it.
pub struct Workload {
    pub name: &'static str,
    folder: &'static str,
    pub list: &'static str,
    pub top: &'static str,
    /// Besides those of the file list.
    pub defines: &'static [&'static str],
    pub parameters: &'static [(&'static str, &'static str)],
    /// The reset input and its active value; it is held for four cycles.
    pub reset: (&'static str, u64),
    /// Other inputs that are not zero, constant for the whole run.
    pub inputs: &'static [(&'static str, u64)],
    /// Outputs and their values as long as the workload goes well.
    pub expected: &'static [(&'static str, u64)],
}

/// The clock of every design here.
pub const CLOCK: &str = "clk";

/// A system of `fixtures/designs` with the endless program `bench.hex`.
const fn soc(name: &'static str, top: &'static str, reset: (&'static str, u64)) -> Workload {
    Workload {
        name,
        folder: name,
        list: "sources.f",
        top,
        defines: &["BENCH"],
        parameters: &[],
        reset,
        inputs: &[],
        expected: &[("exit_valid", 0)],
    }
}

/// Rocket, with the endless form of its program.
const fn rocket(name: &'static str, list: &'static str) -> Workload {
    Workload {
        name,
        folder: "rocket",
        list,
        ..soc(name, "rocket_top", ("rst", 1))
    }
}

/// All of them, small ones first.
pub const LADDER: &[Workload] = &[
    soc("picorv32", "picorv32_soc", ("rst", 1)),
    soc("serv", "serv_soc", ("rst", 1)),
    soc("vexriscv", "vexriscv_soc", ("rst", 1)),
    soc("ibex", "ibex_soc", ("rst_n", 0)),
    soc("cv32e40p", "cv32e40p_soc", ("rst_n", 0)),
    Workload {
        name: "mandelbrot",
        folder: "mandelbrot",
        list: "sources.f",
        top: "mandelbrot",
        defines: &[],
        parameters: &[("COLUMNS", "30000"), ("ROWS", "30000")],
        reset: ("rst", 1),
        inputs: &[],
        expected: &[("done", 0)],
    },
    rocket("rocket", "sources.f"),
    rocket("rocket-quad", "quad.f"),
];

impl Workload {
    /// Where the sources are, and every simulator runs.
    pub fn folder(&self) -> PathBuf {
        fixture::root().join("designs").join(self.folder)
    }

    /// What outside simulators are given; the ports are not known yet.
    pub fn design(&self) -> Result<OracleDesign, String> {
        let list = FileList::read(&self.folder(), self.list)?;
        let own = self.defines.iter().map(|define| (*define).to_owned());
        Ok(OracleDesign {
            top: self.top.to_owned(),
            folder: self.folder(),
            sources: list.sources,
            includes: list.includes,
            defines: list.defines.into_iter().chain(own).collect(),
            parameters: self
                .parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            clocks: vec![CLOCK.to_owned()],
            ..OracleDesign::default()
        })
    }

    /// Value of an input outside of reset.
    pub fn input(&self, name: &str) -> u64 {
        match self.inputs.iter().find(|(input, _)| *input == name) {
            Some((_, value)) => *value,
            None if name == self.reset.0 => 1 - self.reset.1,
            None => 0,
        }
    }
}
