//! Many random netlists on all processors: seeds and a comparison in, the coverage out.
//!
//! A difference panics with the seed and a small case. Which thread takes which seed changes nothing.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{available_parallelism, scope};

use rtlwasm::ir::Netlist;

use super::{Clocking, Coverage, netlist};
use crate::shrink::{report, shrink};
use crate::stimulus::{Op, Reach, stimulus};

/// How the netlist of a seed is made and called.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Roughly so many cells.
    pub size: usize,
    pub clocking: Clocking,
    pub reach: Reach,
    pub calls: usize,
}

/// A comparison; it may note what happened.
pub type Differs<'a> = dyn Fn(u64, &Netlist, &[Op], &mut Coverage) -> Option<String> + Sync + 'a;

/// Runs a comparison on the netlist of every seed.
///
/// # Panics
/// At the first difference that is found.
pub fn run(seeds: Range<u64>, case: &(dyn Fn(u64) -> Case + Sync), differs: &Differs) -> Coverage {
    let next = AtomicU64::new(seeds.start);
    let (total, failed) = (Mutex::new(Coverage::default()), Mutex::new(None));
    let take = || {
        let mut coverage = Coverage::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || failed.lock().expect("no panic inside").is_some() {
                break;
            }
            let (netlist, calls) = make(seed, case);
            coverage.add(&netlist);
            coverage.add_calls(&calls);
            if guarded(&mut || differs(seed, &netlist, &calls, &mut coverage)).is_some() {
                failed.lock().expect("no panic inside").get_or_insert(seed);
            }
        }
        total.lock().expect("no panic inside").join(coverage);
    };
    let threads = available_parallelism().map_or(1, usize::from);
    scope(|s| (0..threads).for_each(|_| drop(s.spawn(take))));
    if let Some(seed) = failed.into_inner().expect("no panic inside") {
        let (netlist, calls) = make(seed, case);
        // A panic is shown once, not in every smaller case.
        let shown = take_hook();
        set_hook(Box::new(|_| {}));
        let found = |n: &Netlist, calls: &[Op]| {
            guarded(&mut || differs(seed, n, calls, &mut Coverage::default()))
        };
        // What a smaller case does wrong is of the same kind.
        let panics = found(&netlist, &calls).as_deref() == Some(PANIC);
        let mut again = |n: &Netlist, calls: &[Op]| {
            found(n, calls).filter(|difference| (difference == PANIC) == panics)
        };
        let small = shrink(netlist, calls, &mut again);
        set_hook(shown);
        panic!("seed {seed}\n{}", report(&small));
    }
    total.into_inner().expect("no panic inside")
}

const PANIC: &str = "a panic";

/// A panic is a difference, too.
fn guarded(differs: &mut dyn FnMut() -> Option<String>) -> Option<String> {
    catch_unwind(AssertUnwindSafe(differs)).unwrap_or_else(|_| Some(PANIC.into()))
}

fn make(seed: u64, case: &dyn Fn(u64) -> Case) -> (Netlist, Vec<Op>) {
    let Case {
        size,
        clocking,
        reach,
        calls,
    } = case(seed);
    let netlist = netlist(seed, size, clocking);
    let calls = stimulus(&netlist, reach, seed, calls);
    (netlist, calls)
}
