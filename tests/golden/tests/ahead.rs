//! What is computed ahead, when the registers are written that it depends on, follows what the host writes to them.

use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::options::Options;
use rtlwasm::pipeline;
use rtlwasm_host::{Artifact, Model, ModelOptions};

/// Adds a function of a register, which is loaded a cycle after `load` was 1, in every cycle.
const ADDS: &str = r"
attribute \top 1
module \adds
  wire input 1 \clk
  wire input 2 \load
  wire width 8 input 3 \word
  wire width 8 output 4 \sum
  wire width 8 \held
  wire $loads
  wire width 8 $mixed
  wire width 8 $more
  wire width 8 $next
  cell $dffe $1
    parameter \WIDTH 8
    parameter \CLK_POLARITY 1
    parameter \EN_POLARITY 1
    connect \CLK \clk
    connect \EN $loads
    connect \D \word
    connect \Q \held
  end
  cell $xor $2
    parameter \A_SIGNED 0
    parameter \A_WIDTH 8
    parameter \B_SIGNED 0
    parameter \B_WIDTH 8
    parameter \Y_WIDTH 8
    connect \A \held
    connect \B 8'01011010
    connect \Y $mixed
  end
  cell $mul $3
    parameter \A_SIGNED 0
    parameter \A_WIDTH 8
    parameter \B_SIGNED 0
    parameter \B_WIDTH 8
    parameter \Y_WIDTH 8
    connect \A $mixed
    connect \B \held
    connect \Y $more
  end
  cell $add $4
    parameter \A_SIGNED 0
    parameter \A_WIDTH 8
    parameter \B_SIGNED 0
    parameter \B_WIDTH 8
    parameter \Y_WIDTH 8
    connect \A \sum
    connect \B $more
    connect \Y $next
  end
  cell $dff $6
    parameter \WIDTH 1
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D \load
    connect \Q $loads
  end
  attribute \init 8'00000000
  cell $dff $5
    parameter \WIDTH 8
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D $next
    connect \Q \sum
  end
end
";

fn added(held: u64) -> u64 {
    ((held ^ 0x5a) * held) & 0xff
}

fn model() -> Model {
    let netlist = read("adds.il", ADDS, &ReadOptions::default(), &mut Vec::new());
    let netlist = netlist.expect("legal RTLIL");
    let options = Options::default();
    let prepared = pipeline::prepare(netlist.clone(), &options);
    assert_eq!(
        prepared.netlist.hidden.len(),
        1,
        "one value is computed ahead"
    );
    let wasm = pipeline::compile_netlist(netlist, &options).wasm;
    let options = ModelOptions {
        cache_dir: None,
        ..ModelOptions::default()
    };
    let artifact = Artifact::from_bytes(&wasm, &options).expect("an artifact");
    artifact.model(&options).expect("a model")
}

/// Makes some cycles; what one adds to the sum, which is the same for all.
fn step(model: &mut Model, cycles: u64) -> u64 {
    let (clock, sum) = (
        model.only_clock().expect("one clock"),
        model.signal("sum").expect("an output"),
    );
    let mut difference = 0;
    for _ in 0..cycles {
        let before = model.peek(sum).expect("an output");
        let run = model.step(clock, 1).expect("it runs");
        assert_eq!(run.cycles, 1);
        let after = model.peek(sum).expect("an output");
        difference = after.wrapping_sub(before) & 0xff;
    }
    difference
}

#[test]
fn it_follows_the_design() {
    let mut model = model();
    let [load, word] = ["load", "word"].map(|name| model.signal(name).expect("an input"));
    for value in [7, 0, 255, 91] {
        model.poke(load, 1).expect("an input");
        model.poke(word, value).expect("an input");
        step(&mut model, 1);
        model.poke(load, 0).expect("an input");
        step(&mut model, 1);
        model.poke(word, 3).expect("an input");
        assert_eq!(step(&mut model, 3), added(value));
    }
}

#[test]
fn it_follows_pokes() {
    let mut model = model();
    let held = model.signal("held").expect("a register");
    for value in [200, 17, 0, 66] {
        model.poke(held, value).expect("a register");
        assert_eq!(step(&mut model, 1), added(value));
        assert_eq!(step(&mut model, 5), added(value));
    }
}

#[test]
fn it_follows_snapshots() {
    let mut model = model();
    let held = model.signal("held").expect("a register");
    model.poke(held, 44).expect("a register");
    let before = model.snapshot();
    step(&mut model, 1);
    let run = model.snapshot();
    model.poke(held, 5).expect("a register");
    assert_eq!(step(&mut model, 2), added(5));
    model.restore(&run).expect("its own snapshot");
    assert_eq!(step(&mut model, 2), added(44));
    model.restore(&before).expect("its own snapshot");
    assert_eq!(step(&mut model, 1), added(44));
    let mut fork = model.fork().expect("another model");
    model.poke(held, 9).expect("a register");
    assert_eq!(step(&mut fork, 2), added(44));
    assert_eq!(step(&mut model, 2), added(9));
}
