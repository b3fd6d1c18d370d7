//! Damaged RTLIL: whatever it says, the reader gives diagnostics or a valid netlist, and soon.
//!
//! Lines of what front ends write are removed, repeated, swapped and changed word by word; widths, slices, names and
//! numbers are edited where they stand; switches and concatenations are nested deep. `golden::fuzz` says how to ask
//! for a longer run.

use std::collections::BTreeMap;

use golden::fuzz::{Counting, Run, setting};
use golden::rng::Rng;
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::violations;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SEEDS: [&str; 8] = [
    include_str!("seeds/read_verilog.il"),
    include_str!("seeds/slang.il"),
    include_str!("../../../fixtures/comb/case_patterns.il"),
    include_str!("../../../fixtures/comb/fine_cells.il"),
    include_str!("../../../fixtures/mem/ports.il"),
    include_str!("../../../fixtures/seq/counter.il"),
    include_str!("../../../fixtures/error/bad_slice.il"),
    include_str!("../../../fixtures/error/width_mismatch.il"),
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
    "16777217",
    "2147483647",
    "-2147483648",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "99999999999999999999999999",
    "1.5e300",
    "1000000'1",
    "4294967295'0",
    "32'11111111111111111111111111111111",
    "[",
    "]",
    "{",
    "}",
    "[7:0]",
    "[-1:0]",
    "[0:7]",
    "[4294967295:0]",
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

/// Ends of words that are whole constructs.
const STATEMENTS: &[&str] = &[
    "end",
    "module \\top",
    "process $p",
    "switch \\d",
    "case 4'1-z0",
    "case",
    "sync always",
    "sync init",
    "sync global",
    "sync posedge \\clk",
    "sync edge \\clk",
    "sync high \\rst",
    "update \\q \\d",
    "assign \\q \\d",
    "connect \\q \\d",
    "memory width 8 size 4 \\m",
    "memory width 4294967295 size 4294967295 \\m",
    "memwr \\m \\d \\q 4'1111 1'1",
    "wire width 100000000 \\w",
    "wire width 4 upto offset -3 signed \\w",
    "parameter \\WIDTH 100000000",
    "parameter signed \\WIDTH 32'10000000000000000000000000000000",
    "attribute \\init 4'x01z",
    "cell \\top \\again",
    "autoidx 99999999999",
];

fn mutate(lines: &mut Vec<String>, rng: &mut Rng) -> &'static str {
    let (at, other) = (rng.below(lines.len()), rng.below(lines.len()));
    let mut words: Vec<String> = lines[at].split(' ').map(str::to_string).collect();
    let word = rng.below(words.len());
    let what = match rng.below(16) {
        0 if lines.len() > 1 => {
            lines.remove(at);
            return "line removed";
        }
        1 => {
            let line = lines[other].clone();
            lines.insert(at, line);
            return "line repeated";
        }
        2 => {
            lines.swap(at, other);
            return "lines swapped";
        }
        3 | 4 => {
            let others: Vec<&str> = lines[other].split(' ').collect();
            words[word] = rng.pick(&others).to_string();
            "word taken from elsewhere"
        }
        5 => {
            words[word] = rng.pick(WORDS).to_string();
            "word replaced"
        }
        6 => {
            let next = rng.below(words.len());
            words.swap(word, next);
            "words swapped"
        }
        7 => {
            lines.insert(at, rng.pick(STATEMENTS).to_string());
            return "statement put in";
        }
        8 => {
            nest(lines, at, rng);
            return "nested deep";
        }
        9 => {
            rename(lines, at, other);
            return "name given twice";
        }
        10 | 11 => {
            lines[at] = other_number(&lines[at], rng);
            return "number edited";
        }
        12 => {
            let from = rng.below(lines.len() - at) + at;
            let block: Vec<String> = lines[at..=from.min(at + 40)].to_vec();
            lines.splice(other..other, block);
            return "block repeated";
        }
        13 => {
            lines[at] = other_byte(&lines[at], rng);
            return "byte edited";
        }
        14 => {
            lines.truncate(at + 1);
            return "cut off";
        }
        _ => match words.iter().position(|w| w == "cell") {
            Some(cell) if cell + 1 < words.len() => {
                words[cell + 1] = rng.pick(KINDS).to_string();
                "cell of another type"
            }
            _ => return "nothing",
        },
    };
    lines[at] = words.join(" ");
    what
}

/// An edit after which the text is mostly still grammatical, so that what comes behind the parser has work.
fn mutate_gently(lines: &mut Vec<String>, rng: &mut Rng) -> &'static str {
    const ALONE: &[&str] = &[
        "connect",
        "parameter",
        "assign",
        "update",
        "attribute",
        "wire",
        "sync",
        "case",
    ];
    let cells: Vec<usize> = (0..lines.len())
        .filter(|i| first_word(&lines[*i]) == "cell")
        .collect();
    let at = match cells.is_empty() || rng.percent(85) {
        true => rng.below(lines.len()),
        false => *rng.pick(&cells),
    };
    let kind = first_word(&lines[at]).to_string();
    let alike: Vec<usize> = (0..lines.len())
        .filter(|i| first_word(&lines[*i]) == kind)
        .collect();
    let other = *rng.pick(&alike);
    match rng.below(8) {
        0 | 1 => {
            lines[at] = other_number(&lines[at], rng);
            "gently: number edited"
        }
        2 if kind == "cell" => {
            let words: Vec<&str> = lines[at].trim_start().split(' ').collect();
            let name = words.last().expect("a name").to_string();
            lines[at] = format!("cell {} {name}", rng.pick(KINDS));
            "gently: cell of another type"
        }
        2..=4 => {
            let (old, new) = (lines[at].clone(), lines[other].clone());
            let (mut words, others): (Vec<&str>, Vec<&str>) = (
                old.trim_start().split(' ').collect(),
                new.trim_start().split(' ').collect(),
            );
            let word = rng.below(words.len().min(others.len()));
            words[word] = others[word];
            lines[at] = words.join(" ");
            "gently: word of a line of its kind"
        }
        5 if ALONE.contains(&kind.as_str()) => {
            lines.remove(at);
            "gently: line removed"
        }
        6 if ALONE.contains(&kind.as_str()) => {
            let line = lines[at].clone();
            lines.insert(other, line);
            "gently: line moved to its kind"
        }
        7 => {
            lines.swap(at, other);
            "gently: lines of a kind swapped"
        }
        _ => {
            rename(lines, at, other);
            "gently: name given twice"
        }
    }
}

fn first_word(line: &str) -> &str {
    line.trim_start().split(' ').next().unwrap_or("")
}

/// Switches inside of switches, or a concatenation of concatenations.
fn nest(lines: &mut Vec<String>, at: usize, rng: &mut Rng) {
    let depth = *rng.pick(&[10, 300, 20_000]);
    if rng.percent(50) {
        let open = "switch \\d [0]\ncase 1'1\n".repeat(depth);
        let close = "end\n".repeat(depth);
        lines.insert(at, format!("{open}assign \\q \\d\n{close}"));
    } else {
        let (open, close) = ("{ ".repeat(depth), " }".repeat(depth));
        lines.insert(at, format!("connect \\q {open}\\d{close}"));
    }
}

/// The name that one line declares becomes that of another.
fn rename(lines: &mut [String], at: usize, other: usize) {
    let name = |line: &str| {
        let word = line.split(' ').rfind(|w| w.starts_with(['\\', '$']));
        word.map(str::to_string)
    };
    if let (Some(old), Some(new)) = (name(&lines[at]), name(&lines[other])) {
        lines[at] = lines[at].replace(&old, &new);
    }
}

/// One run of digits becomes another number.
fn other_number(line: &str, rng: &mut Rng) -> String {
    let bytes = line.as_bytes();
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|i| bytes[*i].is_ascii_digit() && (*i == 0 || !bytes[i - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return line.to_string();
    }
    let start = *rng.pick(&starts);
    let len = bytes[start..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let old: u64 = line[start..start + len].parse().unwrap_or(u64::MAX);
    let new = match rng.below(6) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        2 => old.wrapping_mul(2),
        3 => 0,
        4 => 1 << rng.below(64),
        _ => rng.draw() >> rng.below(64),
    };
    format!("{}{new}{}", &line[..start], &line[start + len..])
}

fn other_byte(line: &str, rng: &mut Rng) -> String {
    let mut bytes = line.as_bytes().to_vec();
    let byte = *rng.pick(b"\0\t \"\\#'-:[]{}019xzmA\xff");
    match bytes.len() {
        0 => bytes.push(byte),
        len => bytes[rng.below(len)] = byte,
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn damaged_text_gives_diagnostics_or_a_valid_netlist() {
    let mut run = Run::new("rtlil", 3);
    let mut rng = Rng::new(setting("RTLWASM_FUZZ_SEED", 1));
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut note = |what: String| *seen.entry(what).or_default() += 1;
    while run.goes_on() {
        let mut lines: Vec<String> = rng.pick(&SEEDS).lines().map(str::to_string).collect();
        let gently = rng.percent(80);
        for _ in 0..rng.between(1, 6) {
            let what = match gently && !lines.is_empty() {
                true => mutate_gently(&mut lines, &mut rng),
                false => mutate(&mut lines, &mut rng),
            };
            note(format!("damage: {what}"));
        }
        let text = lines.join("\n");
        let outcome = run.one(text.as_bytes(), || {
            let options = ReadOptions::default();
            let netlist = read("damaged.il", &text, &options, &mut Vec::new());
            netlist.map(|n| assert_eq!(violations(&n), Vec::<String>::new()))
        });
        match outcome {
            Ok(()) => note("outcome: a netlist".into()),
            Err(found) => found
                .0
                .iter()
                .for_each(|d| note(format!("outcome: {}", d.code))),
        }
    }
    println!("{} texts", run.count);
    for (what, count) in &seen {
        println!("{what:40} {count:>9}");
    }
    assert!(seen.contains_key("outcome: a netlist") && seen.len() > 20);
}
