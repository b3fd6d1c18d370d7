//! Random netlists through every engine there is: each must agree with the reference interpreter.
//!
//! `RTLWASM_RANDOM_COUNT` and `RTLWASM_RANDOM_SEED` choose how many and where to start; a failure prints
//! the seed and a small case.

use golden::artifact::{Artifact, wasmtime};
use golden::engine::{Interpreter, check};
use golden::random::{self, Coverage};
use golden::shrink::{report, shrink};
use golden::stimulus::{Op, stimulus};
use rtlwasm::ir::interp::InterpOptions;
use rtlwasm::ir::{Netlist, parse, print, rewrite, validate};
use rtlwasm::options::{ClockOrder, OptLevel, Options, Undef};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Policies and seeds differ from case to case.
fn options(seed: u64) -> InterpOptions {
    InterpOptions {
        undef: [Undef::Zero, Undef::Ones, Undef::Random][seed as usize % 3],
        seed: seed.wrapping_mul(77),
        order: [ClockOrder::Verilog, ClockOrder::Delta][seed as usize / 3 % 2],
    }
}

/// Runs `differs` on so many random cases; a difference is made small and shown.
fn run(count: u64, differs: impl Fn(u64, &Netlist, &[Op]) -> Option<String>) {
    let mut coverage = Coverage::default();
    let from = setting("RTLWASM_RANDOM_SEED", 1);
    for seed in from..from + setting("RTLWASM_RANDOM_COUNT", count) {
        let netlist = random::netlist(seed, 20 + seed as usize % 7 * 25);
        coverage.add(&netlist);
        let calls = stimulus(&netlist, seed, 40);
        if differs(seed, &netlist, &calls).is_some() {
            let case = shrink(netlist, calls, &mut |n, calls| differs(seed, n, calls));
            panic!("seed {seed} {:?}\n{}", options(seed), report(&case));
        }
    }
    println!("{coverage}");
    assert!(
        coverage.missing().is_empty(),
        "these never came: {:?}",
        coverage.missing()
    );
}

fn against(n: &Netlist, other: &Netlist, seed: u64, calls: &[Op]) -> Option<String> {
    let options = options(seed);
    check(n, options, calls, &mut Interpreter::new(other, options)).err()
}

#[test]
fn text_is_read_back_as_it_was() {
    run(300, |seed, n, calls| {
        let text = print(n);
        let back = parse(&text).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{text}"));
        if print(&back) != text {
            return Some("the text has changed".into());
        }
        // A few calls are enough: what the text lost shows at once.
        against(n, &back, seed, &calls[..calls.len().min(5)])
    });
}

#[test]
fn folding_changes_nothing() {
    run(300, |seed, n, calls| {
        let folded = rewrite(n, |rewriter, id| rewriter.copy(id));
        validate(&folded);
        against(n, &folded, seed, calls)
    });
}

/// The artifact at one level against the interpreter of the netlist as it was made.
fn artifact(level: OptLevel, count: u64) {
    let wasmtime = wasmtime();
    run(count, |seed, n, calls| {
        let mut interp = options(seed);
        // Undefined bits are drawn in the order of the state there is; passes leave less of it.
        if level > OptLevel::O0 && interp.undef == Undef::Random {
            interp.undef = Undef::Ones;
        }
        let options = Options {
            opt_level: level,
            undef: interp.undef,
            clock_order: interp.order,
            ..Options::default()
        };
        let mut artifact = Artifact::new(&wasmtime, n, &options, interp.seed);
        check(n, interp, calls, &mut artifact).err()
    });
}

#[test]
fn artifacts_run_alike_at_o0() {
    artifact(OptLevel::O0, 150);
}

#[test]
fn artifacts_run_alike_at_o3() {
    artifact(OptLevel::O3, 100);
}
