//! Random netlists through every engine there is: each must agree with the reference interpreter.
//!
//! `RTLWASM_RANDOM_COUNT` and `RTLWASM_RANDOM_SEED` choose how many and where to start; a failure prints the seed and
//! a small case. The long tests, marked `ignored`, run 10,000 netlists at each of `-O0` and `-O3`.

use golden::artifact::{Artifact, Manner, wasmtime};
use golden::engine::{End, Interpreter, check};
use golden::random::{self, Case, Clocking, Coverage, policies};
use golden::stimulus::{Op, Reach};
use rtlwasm::ir::{Netlist, parse, print, rewrite, validate};
use rtlwasm::options::{Gating, OptLevel, Options, Profile};
use rtlwasm::pipeline::prepare;
use rtlwasm::sched;

/// How the host calls the artifact of a seed.
fn manner(seed: u64) -> Manner {
    [Manner::Plain, Manner::RingNearlyFull, Manner::CycleByCycle][seed as usize / 6 % 3]
}

/// What the artifact of a seed shows and lets be written.
fn reach(seed: u64) -> Reach {
    [Reach::Names, Reach::Names, Reach::Reads, Reach::Ports][seed as usize / 18 % 4]
}

/// What has to happen in a comparison of artifacts, beside the constructs of netlists.
const EVENTS: &[&str] = &[
    "end not settled",
    "end complete",
    "host ring was full",
    "host Plain",
    "host RingNearlyFull",
    "host CycleByCycle",
    "names Names",
    "names Reads",
    "names Ports",
];

fn small(seed: u64) -> Case {
    Case {
        size: 20 + seed as usize % 7 * 25,
        clocking: Clocking::Any,
        reach: reach(seed),
        calls: 40,
    }
}

type Compare<'a> = dyn Fn(u64, &Netlist, &[Op], &mut Coverage) -> Result<End, String> + Sync + 'a;

/// So many random cases; what never came is a failure, `required` included.
fn run(count: u64, case: fn(u64) -> Case, required: &[&str], compare: &Compare) {
    let seeds = random::seeds(count);
    let (first, count) = (seeds.start, seeds.end - seeds.start);
    let mut coverage = random::run(seeds, &case, &|seed, n, calls, coverage| {
        match compare(seed, n, calls, coverage) {
            Ok(End::Complete) => coverage.note("end complete"),
            Ok(End::NotSettled) => coverage.note("end not settled"),
            Err(difference) => return Some(difference),
        }
        None
    });
    // Few large netlists need not have everything, nor those of one edge.
    if count >= 100 && case(first).clocking == Clocking::Any {
        coverage.require_all();
    }
    required.iter().for_each(|name| coverage.require(name));
    println!("{count} netlists\n{coverage}");
    let missing = coverage.missing();
    assert!(missing.is_empty(), "these never came: {missing:?}");
}

fn against(n: &Netlist, other: &Netlist, seed: u64, calls: &[Op]) -> Result<End, String> {
    let options = policies(seed);
    check(n, options, calls, &mut Interpreter::new(other, options))
}

#[test]
fn text_is_read_back_as_it_was() {
    run(300, small, &[], &|seed, n, calls, _| {
        let text = print(n);
        let back = parse(&text).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
        if print(&back) != text {
            return Err("the text has changed".into());
        }
        // A few calls are enough: what the text lost shows at once.
        against(n, &back, seed, &calls[..calls.len().min(5)])
    });
}

#[test]
fn folding_changes_nothing() {
    run(300, small, &[], &|seed, n, calls, _| {
        let folded = rewrite(n, |rewriter, id| rewriter.copy(id));
        validate(&folded);
        against(n, &folded, seed, calls)
    });
}

/// The artifact at one level against the interpreter of the netlist as it was made.
fn artifacts(
    level: OptLevel,
    profile: Profile,
    count: u64,
    case: fn(u64) -> Case,
    required: &[&str],
) {
    let wasmtime = wasmtime();
    run(count, case, required, &|seed, n, calls, coverage| {
        let interp = policies(seed);
        let Case {
            reach, clocking, ..
        } = case(seed);
        let options = Options {
            opt_level: level,
            profile,
            gating: match seed % 4 {
                0 => Gating::ALL,
                1 => Gating::PARTS,
                _ => Gating::default(),
            },
            ..random::options(interp, reach)
        };
        coverage.note(&format!("names {reach:?}"));
        coverage.note(&format!("host {:?}", manner(seed)));
        if profile != Profile::Server || clocking != Clocking::Any {
            let prepared = prepare(n.clone(), &options);
            let text = sched::print(&prepared.netlist, &prepared.schedule);
            if text.contains(" move memory ") {
                coverage.note("rows that move");
            }
            let prepared = prepared.schedule;
            if !prepared.supernodes.nodes.is_empty() {
                coverage.note("supernode");
            }
            if prepared.released.is_some() {
                coverage.note("released");
            }
            if prepared.parts.parts.len() > 1 {
                coverage.note("parts");
            }
            if !prepared.classes.is_empty() {
                coverage.note("shared");
            }
            if prepared.tasks.iter().any(|task| !task.pieces.is_empty()) {
                coverage.note("function cut");
            }
        }
        let artifact = Artifact::new(&wasmtime, n, &options, interp.seed);
        let mut artifact = artifact.with_manner(manner(seed));
        let end = check(n, interp, calls, &mut artifact);
        (0..artifact.times_full()).for_each(|_| coverage.note("host ring was full"));
        end
    });
}

#[test]
fn artifacts_run_alike_at_o0() {
    artifacts(OptLevel::O0, Profile::Server, 180, small, EVENTS);
}

#[test]
fn artifacts_run_alike_at_o1() {
    artifacts(OptLevel::O1, Profile::Server, 120, small, EVENTS);
}

#[test]
fn artifacts_run_alike_at_o2() {
    artifacts(OptLevel::O2, Profile::Server, 120, small, EVENTS);
}

#[test]
fn artifacts_run_alike_at_o3() {
    artifacts(OptLevel::O3, Profile::Server, 120, small, EVENTS);
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn ten_thousand_artifacts_at_o0() {
    artifacts(OptLevel::O0, Profile::Server, 10_000, small, EVENTS);
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn ten_thousand_artifacts_at_o3() {
    artifacts(OptLevel::O3, Profile::Server, 10_000, small, EVENTS);
}

/// Large enough for functions to be cut.
fn large(seed: u64) -> Case {
    Case {
        size: 400 + seed as usize % 5 * 150,
        calls: 12,
        ..small(seed)
    }
}

fn very_large(seed: u64) -> Case {
    Case {
        size: 6000,
        calls: 6,
        ..small(seed)
    }
}

/// Parts of it can sleep.
fn one_edge(seed: u64) -> Case {
    Case {
        clocking: Clocking::OneEdge,
        ..small(seed)
    }
}

/// Parts of it run one function.
fn repeated(seed: u64) -> Case {
    Case {
        clocking: Clocking::Repeated,
        ..small(seed)
    }
}

#[test]
fn parts_that_are_alike_run_alike() {
    artifacts(OptLevel::O1, Profile::Server, 150, repeated, &["shared"]);
    artifacts(OptLevel::O2, Profile::Jvm, 50, repeated, &["shared"]);
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn three_thousand_whose_parts_are_alike() {
    artifacts(OptLevel::O1, Profile::Server, 3_000, repeated, &["shared"]);
}

#[test]
fn parts_that_sleep_run_alike() {
    artifacts(
        OptLevel::O1,
        Profile::Server,
        150,
        one_edge,
        &["supernode", "parts", "rows that move"],
    );
    artifacts(
        OptLevel::O2,
        Profile::Jvm,
        50,
        one_edge,
        &["supernode", "parts", "rows that move"],
    );
}

/// An input resets most of it.
fn with_reset(seed: u64) -> Case {
    Case {
        clocking: Clocking::Reset,
        ..small(seed)
    }
}

#[test]
fn cycles_without_reset_run_alike() {
    artifacts(
        OptLevel::O1,
        Profile::Server,
        100,
        with_reset,
        &["released", "rows that move"],
    );
    artifacts(OptLevel::O2, Profile::Jvm, 40, with_reset, &["released"]);
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn three_thousand_with_a_reset() {
    artifacts(
        OptLevel::O1,
        Profile::Server,
        3_000,
        with_reset,
        &["released", "rows that move"],
    );
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn three_thousand_whose_parts_sleep() {
    artifacts(
        OptLevel::O1,
        Profile::Server,
        3_000,
        one_edge,
        &["supernode", "parts", "rows that move"],
    );
}

#[test]
fn functions_cut_for_the_jvm_run_alike() {
    artifacts(OptLevel::O0, Profile::Jvm, 40, large, &["function cut"]);
    artifacts(OptLevel::O2, Profile::Jvm, 40, large, &["function cut"]);
}

#[test]
fn functions_cut_for_browsers_run_alike() {
    artifacts(
        OptLevel::O0,
        Profile::Browser,
        8,
        very_large,
        &["function cut"],
    );
}

#[test]
#[ignore = "minutes; part of `cargo xtask test --full`"]
fn a_thousand_artifacts_with_functions_cut() {
    artifacts(OptLevel::O3, Profile::Jvm, 1000, large, &["function cut"]);
    artifacts(
        OptLevel::O2,
        Profile::Browser,
        60,
        very_large,
        &["function cut"],
    );
}
