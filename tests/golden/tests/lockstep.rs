//! The reference interpreter behind the interface of an artifact, and artifacts beside it.
//!
//! On random netlists a model of the interpreter shows what the interpreter itself computes, and no divergence is
//! reported of an artifact that is right. One of a netlist with another cell is reported in the cycle in which an
//! outside comparison first sees a difference.

use golden::engine::{End, check};
use golden::lockstep::{Hosted, both, compiled, interpreted};
use golden::random::{self, Case, Clocking, Coverage};
use golden::stimulus::{Op, Reach};
use rtlwasm::ir::Netlist;
use rtlwasm::ir::interp::InterpOptions;
use rtlwasm::options::{ClockOrder, OptLevel, Options, Poke, Strip, Undef};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn case(seed: u64) -> Case {
    Case {
        size: 20 + seed as usize % 7 * 20,
        clocking: match seed % 5 {
            0 => Clocking::OneEdge,
            _ => Clocking::Any,
        },
        reach: match seed % 6 {
            0 => Reach::Reads,
            1 => Reach::Ports,
            _ => Reach::Names,
        },
        calls: 40,
    }
}

/// Policies and orders differ from case to case.
fn options(seed: u64) -> (Options, InterpOptions) {
    let interp = InterpOptions {
        undef: [Undef::Zero, Undef::Random, Undef::Ones][seed as usize % 3],
        seed: seed.wrapping_mul(77),
        order: [ClockOrder::Verilog, ClockOrder::Delta][seed as usize / 3 % 2],
    };
    let reach = case(seed).reach;
    let options = Options {
        opt_level: [OptLevel::O1, OptLevel::O3, OptLevel::O0, OptLevel::O2][seed as usize % 4],
        undef: interp.undef,
        clock_order: interp.order,
        poke: match reach {
            Reach::Names => Poke::All,
            Reach::Reads | Reach::Ports => Poke::Ports,
        },
        strip: match reach {
            Reach::Names | Reach::Reads => Strip::Full,
            Reach::Ports => Strip::Ports,
        },
        ..Options::default()
    };
    (options, interp)
}

/// Seeds of a test that makes so many netlists in the suite.
fn seeds(count: u64) -> std::ops::Range<u64> {
    let from = setting("RTLWASM_RANDOM_SEED", 1);
    from..from + setting("RTLWASM_RANDOM_COUNT", count)
}

type Compare = dyn Fn(u64, &Netlist, &[Op], &mut Coverage) -> Result<End, String> + Sync;

fn run(count: u64, compare: &Compare) {
    let mut coverage = random::run(seeds(count), &case, &|seed, n, calls, coverage| {
        match compare(seed, n, calls, coverage) {
            Ok(end) => coverage.note(&format!("end {end:?}")),
            Err(difference) => return Some(difference),
        }
        None
    });
    ["end Complete", "elsewhere"]
        .iter()
        .for_each(|name| coverage.require(name));
    println!("{coverage}");
    let missing = coverage.missing();
    assert!(missing.is_empty(), "these never came: {missing:?}");
}

#[test]
fn a_model_of_the_interpreter_shows_what_it_computes() {
    run(60, &|seed, n, calls, coverage| {
        let (options, interp) = options(seed);
        let artifact = interpreted(compiled(n, &options).0).expect("an artifact");
        let mut model = Hosted::new(n, &artifact, interp.seed);
        let end = check(n, interp, calls, &mut model);
        (0..model.detours()).for_each(|_| coverage.note("elsewhere"));
        end
    });
}

#[test]
fn no_divergence_is_reported_of_what_is_right() {
    run(60, &|seed, n, calls, coverage| {
        let (options, interp) = options(seed);
        let (source, artifact) = compiled(n, &options);
        let artifact = both(source, artifact).expect("an artifact");
        let mut model = Hosted::new(n, &artifact, interp.seed);
        let end = check(n, interp, calls, &mut model);
        (0..model.detours()).for_each(|_| coverage.note("elsewhere"));
        end
    });
}
