//! Points of the ABI that neither hosts nor the comparison with the interpreter reach.

use golden::artifact::{Artifact, wasmtime};
use golden::engine::Engine;
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
