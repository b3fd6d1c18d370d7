//! What differs from seed to seed beside the netlist: undefined values, order of clocks, what may be poked and seen.
//!
//! In: a seed. Out: options of the interpreter, and of an artifact that must agree with it.

use std::ops::Range;

use rtlwasm::ir::interp::InterpOptions;
use rtlwasm::options::{ClockOrder, Options, Poke, Strip, Undef};

use crate::fuzz::setting;
use crate::stimulus::Reach;

/// The seeds of a test that makes `count` netlists where nothing else is said: `RTLWASM_RANDOM_COUNT` says how many,
/// `RTLWASM_RANDOM_SEED` which is the first.
pub fn seeds(count: u64) -> Range<u64> {
    let first = setting("RTLWASM_RANDOM_SEED", 1);
    first..first + setting("RTLWASM_RANDOM_COUNT", count)
}

/// What the interpreter of a seed does.
pub fn policies(seed: u64) -> InterpOptions {
    InterpOptions {
        undef: [Undef::Zero, Undef::Ones, Undef::Random][seed as usize % 3],
        seed: seed.wrapping_mul(77),
        order: [ClockOrder::Verilog, ClockOrder::Delta][seed as usize / 3 % 2],
    }
}

/// What an artifact is compiled with that does the same.
pub fn options(policies: InterpOptions, reach: Reach) -> Options {
    Options {
        undef: policies.undef,
        clock_order: policies.order,
        poke: match reach {
            Reach::Names => Poke::All,
            Reach::Reads | Reach::Ports => Poke::Ports,
        },
        strip: match reach {
            Reach::Names | Reach::Reads => Strip::Full,
            Reach::Ports => Strip::Ports,
        },
        ..Options::default()
    }
}
