//! The cell types of Yosys' libraries, by the test that compares them with Yosys itself; and that Yosys.

use std::fs;

use rtlwasm::front::yosys::install::{InstallOptions, Installed, install};
use rtlwasm::front::yosys::run::{End, Scratch, run};

/// The Yosys that the compiler reads Verilog with, to be asked what cells are.
pub struct PinnedYosys {
    installed: Installed,
    scratch: Scratch,
}

impl PinnedYosys {
    /// # Panics
    /// When it can not be installed.
    #[allow(clippy::new_without_default, reason = "it installs a program")]
    pub fn new() -> PinnedYosys {
        let installed = install(&InstallOptions::default(), &|_| ());
        PinnedYosys {
            installed: installed.unwrap_or_else(|errors| panic!("no Yosys: {errors:?}")),
            scratch: Scratch::new().expect("a temporary folder"),
        }
    }

    /// The folder of [`write`](Self::write), as scripts name it.
    pub fn sources(&self) -> String {
        format!("{}/src", self.scratch.seen_by(&self.installed))
    }

    /// Writes a file for scripts to read.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.scratch.sources().join(name), text).expect("written");
    }

    /// What a script wrote there.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.scratch.sources().join(name)).expect("written by Yosys")
    }

    /// Runs a script and gives its log.
    ///
    /// # Panics
    /// When the script fails.
    pub fn run(&self, script: &str) -> String {
        let outcome = run(&self.installed, script, &self.scratch).expect("it runs");
        assert_eq!(outcome.end, End::Success, "{}", outcome.log);
        outcome.log
    }
}

/// Compared by `tests/cells.rs`, with Yosys' own evaluation.
pub const UNARY: &[&str] = &[
    "$not",
    "$pos",
    "$neg",
    "$reduce_and",
    "$reduce_or",
    "$reduce_xor",
    "$reduce_xnor",
    "$reduce_bool",
    "$logic_not",
];
/// The same.
pub const BINARY: &[&str] = &[
    "$and",
    "$or",
    "$xor",
    "$xnor",
    "$shl",
    "$shr",
    "$sshl",
    "$sshr",
    "$shift",
    "$shiftx",
    "$lt",
    "$le",
    "$eq",
    "$ne",
    "$eqx",
    "$nex",
    "$ge",
    "$gt",
    "$add",
    "$sub",
    "$mul",
    "$div",
    "$mod",
    "$divfloor",
    "$modfloor",
    "$pow",
    "$logic_and",
    "$logic_or",
];
/// The same, with their inputs.
pub const GATES: &[(&str, &[&str])] = &[
    ("$_BUF_", &["A"]),
    ("$_NOT_", &["A"]),
    ("$_AND_", &["A", "B"]),
    ("$_NAND_", &["A", "B"]),
    ("$_OR_", &["A", "B"]),
    ("$_NOR_", &["A", "B"]),
    ("$_XOR_", &["A", "B"]),
    ("$_XNOR_", &["A", "B"]),
    ("$_ANDNOT_", &["A", "B"]),
    ("$_ORNOT_", &["A", "B"]),
    ("$_MUX_", &["A", "B", "S"]),
    ("$_NMUX_", &["A", "B", "S"]),
    ("$_AOI3_", &["A", "B", "C"]),
    ("$_OAI3_", &["A", "B", "C"]),
    ("$_AOI4_", &["A", "B", "C", "D"]),
    ("$_OAI4_", &["A", "B", "C", "D"]),
];
/// The same, each with parameters of its own.
pub const OTHERS: &[&str] = &[
    "$buf", "$slice", "$concat", "$mux", "$pmux", "$bmux", "$demux", "$bwmux", "$bweqx", "$lut",
    "$sop", "$fa", "$lcu", "$alu", "$macc", "$macc_v2",
];

/// Compared by `tests/storage.rs`, with Yosys' simulation library.
pub const WORD_CELLS: &[&str] = &[
    "$dff",
    "$dffe",
    "$sdff",
    "$sdffe",
    "$sdffce",
    "$adff",
    "$adffe",
    "$aldff",
    "$aldffe",
    "$dffsr",
    "$dffsre",
    "$dlatch",
    "$adlatch",
    "$dlatchsr",
    "$sr",
];

/// Families of gate-level cells: what each letter of the name controls (`v`: the value of a reset).
pub const FAMILIES: &[(&str, &str)] = &[
    ("DFF", "C"),
    ("DFFE", "CE"),
    ("DFF", "CRv"),
    ("DFFE", "CRvE"),
    ("ALDFF", "CL"),
    ("ALDFFE", "CLE"),
    ("DFFSR", "CSR"),
    ("DFFSRE", "CSRE"),
    ("SDFF", "CRv"),
    ("SDFFE", "CRvE"),
    ("SDFFCE", "CRvE"),
    ("DLATCH", "E"),
    ("DLATCH", "ERv"),
    ("DLATCHSR", "ESR"),
    ("SR", "SR"),
];

/// The name of the cell of a family whose controls are as the bits of `choice` say.
pub fn spelled(family: &str, controls: &str, choice: usize) -> String {
    let letter = |(at, control): (usize, char)| match (control, choice >> at & 1) {
        ('v', 1) => '1',
        ('v', _) => '0',
        (_, 1) => 'P',
        _ => 'N',
    };
    let letters: String = controls.char_indices().map(letter).collect();
    format!("$_{family}_{letters}_")
}
