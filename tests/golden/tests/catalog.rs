//! Every cell type that Yosys lists is read and compared with Yosys, or refused in words that help.
//!
//! The lists are those of `help -cells`, of the Yosys that the compiler comes with and of the distribution's.

use std::collections::BTreeSet;
use std::process::Command;

use golden::fixture;
use golden::library::{BINARY, FAMILIES, GATES, OTHERS, PinnedYosys, UNARY, WORD_CELLS, spelled};
use rtlwasm::diag::{Diagnostic, Severity};
use rtlwasm::front::rtlil::{ReadOptions, read};

/// What is known of a cell type.
#[derive(Clone, Copy)]
enum Proof {
    /// It is in this fixture.
    Fixture(&'static str),
    /// An error names it, its place and what this text says to do.
    Refused(&'static str),
    /// It is dropped with a warning that names it and its place.
    Warned,
    /// It says nothing about behaviour and is dropped.
    Silent,
}
use Proof::*;

/// Cell types that are in none of the lists of [`golden::library`].
const OTHER_PROOFS: &[(&str, Proof)] = &[
    ("$_MUX4_", Fixture("comb/gate_muxes.il")),
    ("$_MUX8_", Fixture("comb/gate_muxes.il")),
    ("$_MUX16_", Fixture("comb/gate_muxes.il")),
    ("$_TBUF_", Fixture("comb/gate_muxes.il")),
    ("$tribuf", Fixture("comb/gate_muxes.il")),
    ("$connect", Fixture("comb/transparent_cells.il")),
    ("$barrier", Fixture("comb/transparent_cells.il")),
    ("$set_tag", Fixture("comb/transparent_cells.il")),
    ("$get_tag", Fixture("comb/transparent_cells.il")),
    ("$original_tag", Fixture("comb/transparent_cells.il")),
    ("$future_ff", Fixture("comb/transparent_cells.il")),
    ("$mem", Fixture("mem/old_cells.il")),
    ("$memrd", Fixture("mem/old_cells.il")),
    ("$memwr", Fixture("mem/old_cells.il")),
    ("$meminit", Fixture("mem/old_cells.il")),
    ("$mem_v2", Fixture("mem/wide_whole.il")),
    ("$memrd_v2", Fixture("mem/wide_ports.il")),
    ("$memwr_v2", Fixture("mem/wide_ports.il")),
    ("$meminit_v2", Fixture("mem/wide_ports.il")),
    ("$assert", Fixture("event/check_cells.il")),
    ("$assume", Fixture("event/check_cells.il")),
    ("$cover", Fixture("event/check_cells.il")),
    ("$check", Fixture("event/check_cells.il")),
    ("$print", Fixture("event/check_cells.il")),
    ("$ff", Refused("`clk2fflogic`")),
    ("$_FF_", Refused("`clk2fflogic`")),
    ("$anyinit", Refused("`clk2fflogic`")),
    ("$anyconst", Refused("`delete t:$any* t:$all*`")),
    ("$anyseq", Refused("`delete t:$any* t:$all*`")),
    ("$allconst", Refused("`delete t:$any* t:$all*`")),
    ("$allseq", Refused("`delete t:$any* t:$all*`")),
    ("$initstate", Refused("`delete t:$initstate`")),
    ("$equiv", Refused("`equiv_remove -gold`")),
    ("$fsm", Refused("`fsm_map`")),
    ("$live", Warned),
    ("$fair", Warned),
    ("$specify2", Warned),
    ("$specify3", Warned),
    ("$specrule", Warned),
    ("$scopeinfo", Silent),
    ("$input_port", Silent),
    ("$overwrite_tag", Silent),
];

fn listed(log: &str) -> Vec<String> {
    let first_words = log
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    first_words
        .filter(|word| word.starts_with('$'))
        .map(str::to_string)
        .collect()
}

fn cell_types() -> BTreeSet<String> {
    let mut all: BTreeSet<String> = listed(&PinnedYosys::new().run("help -cells\n"))
        .into_iter()
        .collect();
    let own = Command::new("yosys")
        .args(["-Q", "-T", "-p", "help -cells"])
        .output();
    let own = own.expect("yosys is installed (`cargo xtask setup` installs it)");
    all.extend(listed(&String::from_utf8_lossy(&own.stdout)));
    assert!(all.len() > 250, "{all:?}");
    all
}

/// The types that `cells` and `storage` compare.
fn compared() -> BTreeSet<String> {
    let gates = GATES.iter().map(|(kind, _)| kind);
    let words = [UNARY, BINARY, OTHERS, WORD_CELLS].concat();
    let mut all: BTreeSet<String> = words.iter().chain(gates).map(|s| s.to_string()).collect();
    for (family, controls) in FAMILIES {
        all.extend((0..1 << controls.len()).map(|choice| spelled(family, controls, choice)));
    }
    all
}

/// What the reader says of a cell of that type, and whether it accepts it.
fn told(kind: &str) -> (bool, Vec<Diagnostic>) {
    let text = format!(
        "module \\top\n  attribute \\src \"cell.v:7.3-7.9\"\n  cell {kind} $cell\n  end\nend\n"
    );
    let mut warnings = Vec::new();
    match read("cell.il", &text, &ReadOptions::default(), &mut warnings) {
        Ok(_) => (true, warnings),
        Err(errors) => (false, errors.0),
    }
}

fn check(kind: &str, proof: Proof) -> Result<(), String> {
    let says = |severity: Severity, hint: &str| {
        let (accepted, said) = told(kind);
        let fits = |d: &Diagnostic| {
            d.severity == severity
                && d.message.contains(&format!("`{kind}`"))
                && d.labels.iter().any(|label| label.span.start.line == 7)
                && d.notes.iter().any(|note| note.contains(hint))
        };
        let as_wanted = accepted == (severity == Severity::Warning) && said.iter().any(fits);
        as_wanted.then_some(()).ok_or(format!("{kind}: {said:?}"))
    };
    match proof {
        Fixture(name) => {
            let text = std::fs::read_to_string(fixture::root().join(name));
            let text = text.map_err(|e| format!("{kind}: {name}: {e}"))?;
            let holds = text.contains(&format!("  cell {kind} "));
            holds.then_some(()).ok_or(format!("{name} has no {kind}"))
        }
        Refused(pass) => says(Severity::Error, pass),
        Warned => says(Severity::Warning, ""),
        Silent => match told(kind) {
            (true, said) if said.is_empty() => Ok(()),
            (_, said) => Err(format!("{kind}: {said:?}")),
        },
    }
}

#[test]
fn every_cell_type_of_yosys_is_known() {
    let compared = compared();
    let mut faults = Vec::new();
    for kind in cell_types() {
        let other = OTHER_PROOFS.iter().find(|(name, _)| *name == kind);
        match other {
            Some((_, proof)) => faults.extend(check(&kind, *proof).err()),
            None if compared.contains(&kind) => {}
            None => faults.push(format!("{kind} is in no list")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
