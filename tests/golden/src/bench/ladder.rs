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
    /// Outputs whose values together mean that the program is over or has failed.
    pub over: &'static [(&'static str, u64)],
    /// Starts of the names of engines that cannot simulate it, and why.
    pub unfit: &'static [(&'static str, &'static str)],
}

/// The clock of every design here.
pub const CLOCK: &str = "clk";

/// It sleeps but for some hundred cycles in 50,000, so it is not in the means.
pub const IDLE: &str = "idle_soc";

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
        over: &[("exit_valid", 1)],
        unfit: &[],
    }
}

/// The same with a gated clock.
const fn gated(name: &'static str, top: &'static str) -> Workload {
    Workload {
        unfit: &[(
            "cxxrtl",
            "it does not act on the edges of a gated clock as Verilog does",
        )],
        ..soc(name, top, ("rst_n", 0))
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

/// A design that knows an answer: `ok` says whether it is right, once it is done.
const fn answer(
    name: &'static str,
    (folder, list): (&'static str, &'static str),
    top: &'static str,
) -> Workload {
    Workload {
        name,
        folder,
        list,
        top,
        defines: &[],
        parameters: &[],
        reset: ("rst", 1),
        inputs: &[],
        over: &[("done", 1), ("ok", 0)],
        unfit: &[],
    }
}

/// All of them, small ones first.
pub const LADDER: &[Workload] = &[
    soc("picorv32", "picorv32_soc", ("rst", 1)),
    soc("serv", "serv_soc", ("rst", 1)),
    soc("vexriscv", "vexriscv_soc", ("rst", 1)),
    gated("ibex", "ibex_soc"),
    gated("cv32e40p", "cv32e40p_soc"),
    Workload {
        name: "mandelbrot",
        folder: "mandelbrot",
        list: "sources.f",
        top: "mandelbrot",
        defines: &[],
        parameters: &[("COLUMNS", "30000"), ("ROWS", "30000"), ("PRINT", "0")],
        reset: ("rst", 1),
        inputs: &[],
        over: &[("done", 1)],
        unfit: &[],
    },
    answer("sha256", ("sha256", "sources.f"), "sha256"),
    answer("aes256", ("aes256", "sources.f"), "aes256"),
    answer("gemm", ("gemm", "sources.f"), "gemm"),
    answer("wide512", ("wide512", "sources.f"), "wide512"),
    answer(IDLE, ("idle_soc", "waking.f"), "idle_soc"),
    answer("cores16", ("many_cores", "cores16.f"), "many_cores"),
    answer("cores64", ("many_cores", "cores64.f"), "many_cores"),
    rocket("rocket", "sources.f"),
    rocket("rocket-quad", "quad.f"),
];

/// The generated netlists of `grid.rs`: there is nothing to reset.
pub const GRID: Workload = Workload {
    name: "grid",
    folder: "",
    list: "",
    top: "grid",
    defines: &[],
    parameters: &[],
    reset: ("seed", 1),
    inputs: &[("seed", 0x1234_5678)],
    over: &[],
    unfit: &[],
};

/// The workload of that name.
pub fn find(name: &str) -> Option<&'static Workload> {
    LADDER
        .iter()
        .chain([&GRID])
        .find(|workload| workload.name == name)
}

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
