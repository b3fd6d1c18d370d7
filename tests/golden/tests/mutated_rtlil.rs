//! Damaged RTLIL: whatever it says, the reader gives diagnostics or a valid netlist, and soon.
//!
//! Lines of what front ends write are removed, repeated, swapped and changed word by word.
//! `RTLWASM_FUZZ_SECONDS` asks for a longer run than the few seconds of the ordinary tests, and
//! `RTLWASM_FUZZ_SEED` for another one; a failing text is printed.

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use golden::rng::Rng;
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::violations;

const SEEDS: [&str; 2] = [
    include_str!("seeds/read_verilog.il"),
    include_str!("seeds/slang.il"),
];

/// Words put in place of others.
const WORDS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "31",
    "64",
    "1000",
    "16777216",
    "4'x",
    "1'z",
    "8'1-0x1010",
    "0'x",
    "\"abc\"",
    "{ }",
];

/// Cell types put in place of others: their ports and parameters will not fit.
const KINDS: &[&str] = &[
    "$add",
    "$pmux",
    "$alu",
    "$macc",
    "$macc_v2",
    "$mem_v2",
    "$mem",
    "$memrd_v2",
    "$memwr_v2",
    "$bmux",
    "$demux",
    "$lut",
    "$sop",
    "$shiftx",
    "$dffsr",
    "$dlatch",
    "$print",
    "$check",
    "$tribuf",
    "$fa",
    "$lcu",
    "$_MUX8_",
    "$_DFFE_PN0P_",
    "$_DLATCHSR_NNN_",
    "$slice",
    "$concat",
    "$connect",
    "$bwmux",
    "$pow",
    "$divfloor",
    "$meminit_v2",
    "$aldffe",
    "$sr",
];

fn mutate(lines: &mut Vec<String>, rng: &mut Rng) {
    let (at, other) = (rng.below(lines.len()), rng.below(lines.len()));
    let mut words: Vec<String> = lines[at].split(' ').map(str::to_string).collect();
    let word = rng.below(words.len());
    match rng.below(7) {
        0 if lines.len() > 1 => {
            lines.remove(at);
            return;
        }
        1 => {
            let line = lines[other].clone();
            lines.insert(at, line);
            return;
        }
        2 => {
            lines.swap(at, other);
            return;
        }
        3 | 4 => {
            let others: Vec<&str> = lines[other].split(' ').collect();
            words[word] = rng.pick(&others).to_string();
        }
        5 => words[word] = rng.pick(WORDS).to_string(),
        _ => match words.iter().position(|w| w == "cell") {
            Some(cell) if cell + 1 < words.len() => words[cell + 1] = rng.pick(KINDS).to_string(),
            _ => {}
        },
    }
    lines[at] = words.join(" ");
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(default)
}

#[test]
fn damaged_text_gives_diagnostics_or_a_valid_netlist() {
    let budget = Duration::from_secs(setting("RTLWASM_FUZZ_SECONDS", 3));
    let mut rng = Rng::new(setting("RTLWASM_FUZZ_SEED", 1));
    let start = Instant::now();
    let (mut netlists, mut diagnostics) = (0u64, 0u64);
    while start.elapsed() < budget {
        let mut lines: Vec<String> = rng.pick(&SEEDS).lines().map(str::to_string).collect();
        for _ in 0..rng.between(1, 6) {
            mutate(&mut lines, &mut rng);
        }
        let text = lines.join("\n");
        let began = Instant::now();
        let outcome = catch_unwind(|| {
            let netlist = read(
                "damaged.il",
                &text,
                &ReadOptions::default(),
                &mut Vec::new(),
            );
            netlist.map(|n| violations(&n))
        });
        match outcome {
            Ok(Ok(violations)) if violations.is_empty() => netlists += 1,
            Ok(Err(_)) => diagnostics += 1,
            Ok(Ok(violations)) => panic!("an invalid netlist: {violations:?}\n{text}"),
            Err(_) => panic!("the reader panicked on\n{text}"),
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "this takes too long:\n{text}"
        );
    }
    println!("{netlists} netlists, {diagnostics} texts with diagnostics");
    assert!(netlists > 0 && diagnostics > 0);
}
