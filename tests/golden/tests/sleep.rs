//! A part of a design that sleeps wakes when the host writes its state; cycles in which nothing changes are counted.

use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::options::{Gating, Options};
use rtlwasm::pipeline;
use rtlwasm::sched::Schedule;
use rtlwasm_host::{Artifact, Model, ModelOptions, Status};

/// Counts down to zero and stays there.
const COUNTDOWN: &str = r"
module \countdown
  wire input 1 \clk
  wire width 8 output 2 \count
  wire width 8 $less
  wire $busy
  wire width 8 $next
  cell $reduce_bool $1
    parameter \A_SIGNED 0
    parameter \A_WIDTH 8
    parameter \Y_WIDTH 1
    connect \A \count
    connect \Y $busy
  end
  cell $sub $2
    parameter \A_SIGNED 0
    parameter \A_WIDTH 8
    parameter \B_SIGNED 0
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 8
    connect \A \count
    connect \B 1'1
    connect \Y $less
  end
  cell $mux $3
    parameter \WIDTH 8
    connect \A 8'00000000
    connect \B $less
    connect \S $busy
    connect \Y $next
  end
  cell $dff $4
    parameter \WIDTH 8
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D $next
    connect \Q \count
  end
end
attribute \top 1
module \top
  wire input 1 \clk
  wire width 8 output 2 \count
  cell \countdown \part
    connect \clk \clk
    connect \count \count
  end
end
";

/// One whose instance can sleep, and one that is cut into parts.
fn models() -> [Model; 2] {
    let gated = model(Gating::ALL, |schedule| schedule.supernodes.nodes.len());
    let cut = model(Gating::PARTS, |schedule| schedule.parts.parts.len());
    [gated, cut]
}

fn model(gating: Gating, sleepers: fn(&Schedule) -> usize) -> Model {
    let netlist = read(
        "countdown.il",
        COUNTDOWN,
        &ReadOptions::default(),
        &mut Vec::new(),
    );
    let options = Options {
        gating,
        ..Options::default()
    };
    let netlist = netlist.expect("legal RTLIL");
    let prepared = pipeline::prepare(netlist.clone(), &options);
    assert_ne!(sleepers(&prepared.schedule), 0);
    let wasm = pipeline::compile_netlist(netlist, &options).wasm;
    let options = ModelOptions {
        cache_dir: None,
        ..ModelOptions::default()
    };
    let artifact = Artifact::from_bytes(&wasm, &options).expect("an artifact");
    artifact.model(&options).expect("a model")
}

fn step(model: &mut Model, cycles: u64) {
    let clock = model.only_clock().expect("one clock");
    let run = model.step(clock, cycles).expect("it runs");
    assert_eq!(run.cycles, cycles);
}

#[test]
fn a_poke_wakes_it() {
    for mut model in models() {
        let count = model.signal("part.count").expect("a register");
        step(&mut model, 8);
        model.poke(count, 5).expect("a register");
        step(&mut model, 2);
        assert_eq!(model.peek(count).ok(), Some(3));
        step(&mut model, 200);
        assert_eq!(model.peek(count).ok(), Some(0));
    }
}

#[test]
fn a_snapshot_wakes_it() {
    for mut model in models() {
        let count = model.signal("part.count").expect("a register");
        model.poke(count, 9).expect("a register");
        let before = model.snapshot();
        step(&mut model, 30);
        assert_eq!(model.peek(count).ok(), Some(0));
        model.restore(&before).expect("its own snapshot");
        step(&mut model, 4);
        assert_eq!(model.peek(count).ok(), Some(5));
        let mut fork = model.fork().expect("another model");
        step(&mut fork, 1);
        assert_eq!(fork.peek(count).ok(), Some(4));
    }
}

/// So many cycles, one after the other, would take an hour.
const LONG: u64 = 1 << 40;

#[test]
fn cycles_that_change_nothing_are_only_counted() {
    for mut model in models() {
        let count = model.signal("part.count").expect("a register");
        let clock = model.only_clock().expect("one clock");
        let (high, low) = model.clock_period(clock).expect("a clock");
        model.poke(count, 200).expect("a register");
        step(&mut model, LONG);
        assert_eq!(model.peek(count).ok(), Some(0));
        assert_eq!(model.clock_cycles(clock).ok(), Some(LONG));
        assert_eq!(model.time(), LONG * (high + low));
        // What the host writes is seen as ever.
        model.poke(count, 3).expect("a register");
        step(&mut model, 1);
        assert_eq!(model.peek(count).ok(), Some(2));
    }
}

#[test]
fn a_condition_that_cannot_come_true_is_given_up() {
    for mut model in models() {
        let count = model.signal("part.count").expect("a register");
        let clock = model.only_clock().expect("one clock");
        model.poke(count, 20).expect("a register");
        let until = model.run_until(clock, LONG, count, 7);
        assert_eq!(until.expect("it runs").cycles, 13);
        let never = model.run_until(clock, LONG, count, 9);
        assert_eq!(never.expect("it runs").cycles, LONG);
    }
}

#[test]
fn time_passes_quickly_where_nothing_changes() {
    for mut model in models() {
        let count = model.signal("part.count").expect("a register");
        let clock = model.only_clock().expect("one clock");
        model.set_clock_period(clock, 3, 4).expect("a clock");
        model.start_clock(clock, 10).expect("a clock");
        model.poke(count, 100).expect("a register");
        let run = model.advance(10 + 7 * LONG + 2).expect("it runs");
        assert_eq!(run.status, Status::Ok);
        assert_eq!(model.clock_cycles(clock).ok(), Some(LONG + 1));
        assert_eq!(model.clock_level(clock).ok(), Some(1));
        assert_eq!(model.time(), 10 + 7 * LONG + 2);
        assert_eq!(model.peek(count).ok(), Some(0));
    }
}
