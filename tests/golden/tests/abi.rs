//! Points of the ABI that neither hosts nor the comparison with the interpreter reach.

use golden::artifact::{Artifact, wasmtime};
use golden::engine::Engine;
use golden::rng::Rng;
use rtlwasm::bits::Bits;
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::Netlist;
use rtlwasm::ir::interp::Timing;
use rtlwasm::options::Options;
use rtlwasm_abi::Status;

/// A counter of the edges of its clock that rise.
const COUNTER: &str = r"
attribute \top 1
module \top
  wire input 1 \clk
  wire width 8 output 2 \count
  attribute \init 8'00000000
  wire width 8 \held
  wire width 8 \next
  connect \count \held
  cell $add $1
    parameter \A_SIGNED 0
    parameter \B_SIGNED 0
    parameter \A_WIDTH 8
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 8
    connect \A \held
    connect \B 1'1
    connect \Y \next
  end
  cell $dff $2
    parameter \WIDTH 8
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D \next
    connect \Q \held
  end
end
";

fn netlist(text: &str) -> Netlist {
    let mut warnings = Vec::new();
    read("top.il", text, &ReadOptions::default(), &mut warnings).expect("it is valid")
}

fn signal(netlist: &Netlist, name: &str) -> usize {
    let mut signals = netlist.signals.iter();
    let found = signals.find(|(_, signal)| signal.name == name);
    found.expect("a signal of that name").0.index()
}

/// `rtl_reset` keeps each trigger's `high`, `low`, `phase` and `run`: the first one too.
#[test]
fn clocks_set_before_the_first_reset_stay_set() {
    let netlist = netlist(COUNTER);
    let count = signal(&netlist, "count");
    let timing = Timing {
        high: 3,
        low: 7,
        phase: 5,
        run: true,
    };
    let mut artifact = Artifact::new(&wasmtime(), &netlist, &Options::default(), 0);
    artifact.set_timing(0, timing, 0);
    for _ in 0..2 {
        assert_eq!(artifact.reset(), Status::Ok);
        for (until, rises) in [(4, 0), (5, 1), (14, 1), (15, 2), (104, 10), (105, 11)] {
            assert_eq!(artifact.advance(until), Status::Ok);
            assert_eq!(
                artifact.peek(count, 0),
                Bits::from_u64(8, rises),
                "at {until}"
            );
        }
    }
}

/// Without settings a half period is one unit and no clock runs by itself.
#[test]
fn clocks_that_nobody_set() {
    let netlist = netlist(COUNTER);
    let count = signal(&netlist, "count");
    let mut artifact = Artifact::new(&wasmtime(), &netlist, &Options::default(), 0);
    assert_eq!(artifact.reset(), Status::Ok);
    assert_eq!(artifact.advance(100), Status::Ok);
    assert_eq!(artifact.peek(count, 0), Bits::zero(8));
    assert_eq!(artifact.step(0, 5), Status::Ok);
    assert_eq!(artifact.peek(count, 0), Bits::from_u64(8, 5));
    assert_eq!(artifact.time(), 110);
}

/// Whatever a host has written there: no trap, nothing but a refusal or what a watch may do, and all is well after it.
#[test]
fn garbage_in_watches_and_staged_pokes() {
    let netlist = netlist(COUNTER);
    let count = signal(&netlist, "count");
    let mut artifact = Artifact::new(&wasmtime(), &netlist, &Options::default(), 0);
    assert_eq!(artifact.reset(), Status::Ok);
    let mut rng = Rng::new(11);
    let mut refused = 0;
    for _ in 0..3000 {
        let rows = rng.below(4);
        let table: Vec<u8> = (0..rows).flat_map(|_| row(&mut rng)).collect();
        let more = if rng.percent(5) { rng.draw() as u32 } else { 0 };
        artifact.write_watch_table(&table, rows as u32 + more);
        artifact.write_stage(0, 0);
        if rng.percent(20) {
            let far = if rng.percent(50) {
                rng.draw() as u32
            } else {
                64
            };
            artifact.write_stage(far, 8 * rng.below(9) as u32);
        }
        let status = artifact.step(0, rng.below(4) as u64);
        refused += u32::from(status == Status::BadArgument);
        let expected = [
            Status::Ok,
            Status::WatchHit,
            Status::BadArgument,
            Status::NotWritable,
        ];
        assert!(expected.contains(&status), "{status:?}");
    }
    assert!((500..2500).contains(&refused), "{refused} refused");
    artifact.write_watch_table(&[], 0);
    artifact.write_stage(0, 0);
    assert_eq!(artifact.eval(), Status::Ok);
    let before = artifact.peek(count, 0).limbs()[0];
    assert_eq!(artifact.step(0, 5), Status::Ok);
    let after = artifact.peek(count, 0).limbs()[0];
    assert!([4, 5].contains(&(after.wrapping_sub(before) & 0xff)));
}

/// A record that may be a watch or a staged poke.
fn row(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for most in [6, 3] {
        bytes.extend((rng.below(most) as u32).to_le_bytes());
    }
    bytes.extend((rng.between(1, 5) as u16).to_le_bytes());
    bytes.extend((rng.draw() as u16).to_le_bytes());
    bytes.extend((rng.below(3) as u32).to_le_bytes());
    bytes.extend(rng.draw().to_le_bytes());
    bytes.extend(rng.draw().to_le_bytes());
    bytes
}
