//! The designs in `fixtures/designs`, compared with Verilator in every cycle: real cores for a whole program, designs
//! with known answers until these are checked. Rocket is compared with the interpreter, too, for the first cycles.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rtlwasm::ir::Netlist;
use rtlwasm::options::{Design, Options};

use crate::compare::{self, Agreement, Compiled};
use crate::elaborate::elaborate_in;
use crate::fixture;
use crate::oracle::{self, OracleDesign, OracleKind, Reset, Stimulus};

/// One design.
pub struct Core {
    pub name: &'static str,
    folder: &'static str,
    list: &'static str,
    top: &'static str,
    /// The reset input and its active value.
    reset: (&'static str, u64),
    /// Cycles until its check is over.
    cycles: u64,
    check: Check,
    /// As many are compared with the interpreter, too.
    interpreted_cycles: u64,
}

/// How a design tells that it has worked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    /// Its program ends with an exit code: `exit_valid`, `exit_code`.
    Program,
    /// It knows an answer: `done`, `ok`.
    Answer,
}

const fn soc(
    name: &'static str,
    top: &'static str,
    reset: (&'static str, u64),
    cycles: u64,
) -> Core {
    Core {
        name,
        folder: name,
        list: "sources.f",
        top,
        reset,
        cycles,
        check: Check::Program,
        interpreted_cycles: 0,
    }
}

const fn answer(
    name: &'static str,
    (folder, list): (&'static str, &'static str),
    top: &'static str,
    cycles: u64,
) -> Core {
    Core {
        name,
        folder,
        list,
        top,
        reset: ("rst", 1),
        cycles,
        check: Check::Answer,
        interpreted_cycles: 0,
    }
}

const fn rocket(name: &'static str, list: &'static str, cycles: u64) -> Core {
    Core {
        name,
        folder: "rocket",
        list,
        top: "rocket_top",
        reset: ("rst", 1),
        cycles,
        check: Check::Program,
        interpreted_cycles: 1000,
    }
}

/// All of them, small ones first.
pub const CORES: &[Core] = &[
    answer("sha256", ("sha256", "sources.f"), "sha256", 100_000),
    answer("aes256", ("aes256", "sources.f"), "aes256", 100_000),
    answer("gemm", ("gemm", "sources.f"), "gemm", 50_000),
    answer("wide512", ("wide512", "sources.f"), "wide512", 50_000),
    soc("picorv32", "picorv32_soc", ("rst", 1), 153_100),
    soc("serv", "serv_soc", ("rst", 1), 1_286_600),
    soc("vexriscv", "vexriscv_soc", ("rst", 1), 137_400),
    soc("ibex", "ibex_soc", ("rst_n", 0), 145_900),
    soc("cv32e40p", "cv32e40p_soc", ("rst_n", 0), 147_600),
    answer("idle_soc", ("idle_soc", "sources.f"), "idle_soc", 50_000),
    answer(
        "idle_soc-waking",
        ("idle_soc", "waking.f"),
        "idle_soc",
        400_000,
    ),
    answer("cores16", ("many_cores", "cores16.f"), "many_cores", 60_000),
    answer("cores64", ("many_cores", "cores64.f"), "many_cores", 31_000),
    rocket("rocket", "sources.f", 171_900),
    rocket("rocket-quad", "quad.f", 253_300),
];

/// What a comparison found.
pub struct Report {
    pub agreement: Agreement,
    pub outputs: usize,
    /// 0 if the design has checked itself.
    pub exit: Option<u64>,
    /// What the program wrote.
    pub text: String,
    pub compiling: Duration,
}

impl Core {
    /// Compares up to `limit` cycles.
    pub fn compare(&self, limit: Option<u64>) -> Result<Report, String> {
        let start = Instant::now();
        let list = FileList::read(&self.folder(), self.list)?;
        let netlist = self.elaborate()?;
        let packaged = rtlwasm::pipeline::compile_netlist(netlist.clone(), &Options::default());
        let compiling = start.elapsed();

        let design = OracleDesign {
            top: self.top.to_owned(),
            folder: self.folder(),
            sources: list.sources,
            includes: list.includes,
            defines: list.defines,
            clocks: vec!["clk".to_owned()],
            ports: compare::ports(&netlist),
            ..OracleDesign::default()
        };
        let (name, value) = self.reset;
        let stimulus = Stimulus {
            cycles: self.cycles.min(limit.unwrap_or(u64::MAX)),
            seed: 1,
            resets: vec![Reset {
                name: name.to_owned(),
                value,
                cycles: 4,
            }],
            rules: Vec::new(),
        };
        let mut model = Compiled::new(&packaged.wasm, &design, &compare::output_paths(&design))?;
        let first = Stimulus {
            cycles: self.interpreted_cycles.min(stimulus.cycles),
            ..stimulus.clone()
        };
        let options = Options::default();
        compare::with_interpreter(&netlist, &options, &packaged, (&design, &first), &[])?;
        let agreement = with_verilator(&design, &stimulus, &mut model)?;
        Ok(Report {
            agreement,
            outputs: design.outputs().count(),
            exit: self.verdict(&design, &mut model, limit)?,
            text: model.text(),
            compiling,
        })
    }

    fn folder(&self) -> PathBuf {
        fixture::root().join("designs").join(self.folder)
    }

    fn elaborate(&self) -> Result<Netlist, String> {
        let design = Design {
            file_lists: vec![self.list.into()],
            top: Some(self.top.to_owned()),
            ..Design::default()
        };
        let elaborated = elaborate_in(&self.folder(), &design, &mut Vec::new());
        elaborated
            .map(|found| found.netlist)
            .map_err(|e| e.to_string())
    }

    /// The check must have ended well, unless the comparison was cut short.
    fn verdict(
        &self,
        design: &OracleDesign,
        model: &mut Compiled,
        limit: Option<u64>,
    ) -> Result<Option<u64>, String> {
        let mut value = |name: &str| {
            let index = design.outputs().position(|port| port.name == name);
            model.value(index.unwrap_or_else(|| panic!("no output {name}")))[0]
        };
        let (ended, code) = match self.check {
            Check::Program => (value("exit_valid"), value("exit_code")),
            Check::Answer => (value("done"), value("ok") ^ 1),
        };
        let cut_short = limit.is_some_and(|limit| limit < self.cycles);
        match (ended, code) {
            (1, 0) => Ok(Some(0)),
            (1, code) => Err(format!("check {code} of the design failed")),
            _ if cut_short => Ok(None),
            _ => Err(format!("not done after {} cycles", self.cycles)),
        }
    }
}

/// All outputs after every cycle.
fn with_verilator(
    design: &OracleDesign,
    stimulus: &Stimulus,
    model: &mut Compiled,
) -> Result<Agreement, String> {
    model.apply(&stimulus.power_on(design));
    let mut agreement = Agreement::default();
    let mut cycles = stimulus.cycles(design);
    let mut difference = None;
    let compare_row = |row: Vec<oracle::Sample>| {
        let Some(cycle) = cycles.next().filter(|_| difference.is_none()) else {
            return;
        };
        model.apply(&cycle.inputs);
        model.cycle(cycle.rising);
        let result = compare::same_outputs(design, &row, model, &mut agreement);
        difference = result
            .err()
            .map(|text| format!("in cycle {}: {text}", agreement.cycles));
    };
    oracle::stream(OracleKind::Verilator, design, stimulus, compare_row)
        .map_err(|e| e.to_string())?;
    match difference {
        Some(text) => Err(text),
        None => Ok(agreement),
    }
}

/// A `-f` file: one source a line, `+incdir+`, `+define+`, `//` comments and `${RTLWASM_CORES}`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FileList {
    pub(crate) sources: Vec<PathBuf>,
    pub(crate) includes: Vec<PathBuf>,
    pub(crate) defines: Vec<String>,
}

impl FileList {
    pub(crate) fn read(folder: &std::path::Path, name: &str) -> Result<FileList, String> {
        let path = folder.join(name);
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let cores = std::env::var("RTLWASM_CORES")
            .map_err(|_| "RTLWASM_CORES is not set (`cargo xtask oracle` sets it)".to_owned())?;
        Ok(FileList::parse(&text.replace("${RTLWASM_CORES}", &cores)))
    }

    fn parse(text: &str) -> FileList {
        let mut list = FileList::default();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
        {
            if let Some(folder) = line.strip_prefix("+incdir+") {
                list.includes.push(folder.into());
            } else if let Some(define) = line.strip_prefix("+define+") {
                list.defines.push(define.to_owned());
            } else {
                list.sources.push(line.into());
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_lists() {
        let list = FileList::parse("// a comment\n+incdir+inc\n+define+X=1\n\na.v\n../b.v\n");
        assert_eq!(
            list.sources,
            [PathBuf::from("a.v"), PathBuf::from("../b.v")]
        );
        assert_eq!(
            (list.includes, list.defines),
            (vec![PathBuf::from("inc")], vec!["X=1".to_owned()])
        );
    }
}
