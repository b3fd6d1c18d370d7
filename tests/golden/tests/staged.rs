//! Watches and staged writes as a testbench uses them, through the Rust host on small designs.

use golden::elaborate::elaborate_in;
use golden::fixture;
use rtlwasm::front::rtlil::{ReadOptions, read};
use rtlwasm::ir::Netlist;
use rtlwasm::options::{ClockOrder, Gating, OptLevel, Options, Trace};
use rtlwasm::pipeline;
use rtlwasm_host::{
    Artifact, Clock, Error, Model, ModelOptions, Script, Signal, Status, Value, Watch,
};

/// Counts while `up` is 1; `half` is a clock that the design computes, and counts `slow`.
const COUNTER: &str = r"
attribute \top 1
module \top
  wire input 1 \clk
  wire input 2 \up
  wire output 3 \wraps
  wire width 3 \count
  wire width 3 \next
  wire \full
  wire \half
  wire \other
  wire width 4 \slow
  wire width 4 \slower
  cell $add $1
    parameter \A_SIGNED 0
    parameter \B_SIGNED 0
    parameter \A_WIDTH 3
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 3
    connect \A \count
    connect \B \up
    connect \Y \next
  end
  cell $reduce_and $2
    parameter \A_SIGNED 0
    parameter \A_WIDTH 3
    parameter \Y_WIDTH 1
    connect \A \count
    connect \Y \full
  end
  cell $and $3
    parameter \A_SIGNED 0
    parameter \B_SIGNED 0
    parameter \A_WIDTH 1
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 1
    connect \A \full
    connect \B \up
    connect \Y \wraps
  end
  cell $dff $4
    parameter \WIDTH 3
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D \next
    connect \Q \count
  end
@DIVIDER@
end
";

const DIVIDER: &str = r"
  cell $not $5
    parameter \A_SIGNED 0
    parameter \A_WIDTH 1
    parameter \Y_WIDTH 1
    connect \A \half
    connect \Y \other
  end
  cell $dff $6
    parameter \WIDTH 1
    parameter \CLK_POLARITY 1
    connect \CLK \clk
    connect \D \other
    connect \Q \half
  end
  cell $add $7
    parameter \A_SIGNED 0
    parameter \B_SIGNED 0
    parameter \A_WIDTH 4
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 4
    connect \A \slow
    connect \B 1'1
    connect \Y \slower
  end
  cell $dff $8
    parameter \WIDTH 4
    parameter \CLK_POLARITY 1
    connect \CLK \half
    connect \D \slower
    connect \Q \slow
  end
";

fn model_of(netlist: Netlist, options: &Options) -> Model {
    let wasm = pipeline::compile_netlist(netlist, options).wasm;
    let options = ModelOptions {
        cache_dir: None,
        ..ModelOptions::default()
    };
    let artifact = Artifact::from_bytes(&wasm, &options).expect("an artifact");
    artifact.model(&options).expect("a model")
}

fn fixture_model(name: &str) -> Model {
    let fixture = fixture::load(&fixture::root().join(name)).expect("a fixture");
    let elaborated = elaborate_in(&fixture.folder(), &fixture.design(), &mut Vec::new());
    let netlist = elaborated.unwrap_or_else(|e| panic!("{name}: {e}")).netlist;
    model_of(netlist, &Options::default())
}

fn counter_with(divider: &str, options: &Options) -> Model {
    let text = COUNTER.replace("@DIVIDER@", divider);
    let netlist = read("top.il", &text, &ReadOptions::default(), &mut Vec::new());
    model_of(netlist.expect("legal RTLIL"), options)
}

/// A counter that counts up, its clock and its count. Everything in it may sleep.
fn counter() -> (Model, Clock, Signal, Signal) {
    let options = Options {
        gating: Gating::ALL,
        ..Options::default()
    };
    let mut model = counter_with("", &options);
    let (up, count) = (model.signal("up").unwrap(), model.signal("count").unwrap());
    model.poke(up, 1).unwrap();
    let (clock, clk) = (model.only_clock().unwrap(), model.signal("clk").unwrap());
    (model, clock, clk, count)
}

fn value(number: u64) -> Value {
    Value::from_u64(3, number)
}

#[test]
fn a_run_stops_before_the_edge() {
    let (mut model, clock, clk, count) = counter();
    let rise = model.watch(Watch::rose(clk).again()).unwrap();
    for n in 0..20 {
        let run = model.step(clock, 100).unwrap();
        assert_eq!(
            (run.status, run.cycles),
            (Status::WatchHit, u64::from(n > 0))
        );
        assert!(run.hit_watch() && model.edge_pending());
        assert_eq!(model.watches_hit().collect::<Vec<_>>(), [rise]);
        assert_eq!(model.peek(count).unwrap(), n % 8);
        assert_eq!((model.time(), model.peek(clk).unwrap()), (2 * n, 1));
    }
    model.unwatch(rise).unwrap();
    let run = model.step(clock, 10).unwrap();
    assert_eq!((run.status, run.cycles), (Status::Ok, 10));
    assert_eq!((model.peek(count).unwrap(), model.time()), (29 % 8, 58));
}

#[test]
fn staged_writes_come_with_the_edge() {
    let (mut model, clock, clk, count) = counter();
    let _ = model.watch(Watch::rose(clk).again()).unwrap();
    assert!(model.step(clock, 1).unwrap().hit_watch());
    // The edge does not see it, and it wins.
    model.stage(count, &value(5)).unwrap();
    assert_eq!(model.peek(count).unwrap(), 0);
    assert_eq!(model.eval().unwrap().status, Status::Ok);
    assert_eq!(model.peek(count).unwrap(), 5);
    assert!(model.step(clock, 2).unwrap().hit_watch());
    // The edge sees `up` as it was, and counts.
    let up = model.signal("up").unwrap();
    model.stage(up, &Value::from_u64(1, 0)).unwrap();
    assert_eq!(model.eval().unwrap().status, Status::Ok);
    assert_eq!(
        (model.peek(count).unwrap(), model.peek(up).unwrap()),
        (6, 0)
    );
    // Without an edge it is a poke.
    model.stage(count, &value(2)).unwrap();
    assert_eq!(model.eval().unwrap().status, Status::Ok);
    assert_eq!(model.peek(count).unwrap(), 2);
}

#[test]
fn edges_that_the_host_makes_take_staged_writes_too() {
    let (mut model, _, clk, count) = counter();
    let up = model.signal("up").unwrap();
    model.poke(up, 1).unwrap();
    for n in 0..10 {
        model.poke(clk, 1).unwrap();
        assert!(model.hold_edges() && model.edge_pending());
        // The edge counts up from what was there, or not, as `up` was before it; what is staged wins.
        model.stage(up, &Value::from_u64(1, n % 2)).unwrap();
        if n == 7 {
            model.stage(count, &value(3)).unwrap();
        }
        assert_eq!(model.eval().unwrap().status, Status::Ok);
        assert!(!model.edge_pending());
        let counted = [1, 1, 2, 2, 3, 3, 4, 3, 4, 4];
        assert_eq!(model.peek(count).unwrap(), counted[n as usize]);
        assert_eq!(model.peek(up).unwrap(), n % 2);
        model.poke(clk, 0).unwrap();
        assert_eq!(model.eval().unwrap().status, Status::Ok);
    }
}

#[test]
fn one_call_for_each_process() {
    let (mut model, clock, clk, count) = counter();
    let wraps = model.signal("wraps").unwrap();
    let _ = model.watch(Watch::rose(clk).keep_before().again()).unwrap();
    model.start_clock(clock, 4).unwrap();
    for n in 0..20 {
        let run = model.advance(1000).unwrap();
        assert!(run.hit_watch() && !model.edge_pending());
        assert_eq!(model.time(), 4 + 2 * n);
        assert_eq!(model.peek(count).unwrap(), (n + 1) % 8);
        assert_eq!(model.peek_before(count).unwrap(), value(n % 8));
        assert_eq!(
            model.peek_before(wraps).unwrap().limbs(),
            [u64::from(n % 8 == 7)]
        );
    }
}

#[test]
fn a_script_goes_on_where_a_watch_stops_it() {
    let (mut model, clock, clk, count) = counter();
    let fourth = Watch::rose(clk).hits(4).keep_and_go_on();
    let fourth = model.watch(fourth).unwrap();
    model.start_clock(clock, 4).unwrap();
    let mut script = Script::new();
    let advance = script.advance(1000);
    let before = script.peek(count, 0);
    let edge = script.eval();
    let after = script.peek(count, 0);
    let played = model.play(&mut script).unwrap();
    assert_eq!((played.status, played.stopped_at), (Status::Ok, None));
    assert_eq!(
        (script.status(advance), script.status(edge)),
        (Status::WatchHit, Status::Ok)
    );
    assert_eq!((script.value(before), script.value(after)), (3, 4));
    assert_eq!(model.peek_before(count).unwrap(), value(3));
    assert!(!model.edge_pending());
    assert_eq!(model.time(), 10);
    // What has to come when the instant is complete does not stop it before, but then.
    model.rearm(fourth, 1).unwrap();
    let later = model.watch(Watch::rose(clk).after_instant()).unwrap();
    let played = model.play(&mut script).unwrap();
    let stopped = (Status::WatchHit, Some(edge));
    assert_eq!((played.status, played.stopped_at), stopped);
    assert_eq!((script.value(before), model.peek(count).unwrap()), (4, 5));
    model.unwatch(later).unwrap();
    // Another watch does not want it.
    model.rearm(fourth, 1).unwrap();
    let _ = model.watch(Watch::rose(clk)).unwrap();
    let played = model.play(&mut script).unwrap();
    let stopped = (Status::WatchHit, Some(advance));
    assert_eq!((played.status, played.stopped_at), stopped);
    assert!(model.edge_pending());
    assert_eq!(model.peek(count).unwrap(), 5);
}

#[test]
fn hits_are_counted() {
    let (mut model, clock, _, count) = counter();
    let wraps = model.signal("wraps").unwrap();
    // 4 is seen at a rise and a fall, and eight cycles later again; the highest bit falls every eight cycles.
    let third = model.watch(Watch::equals(count, 4).hits(3)).unwrap();
    let fell = model.watch(Watch::fell(count).bits(4).again()).unwrap();
    let rose = model.watch(Watch::rose(wraps).hits(0)).unwrap();
    let mut seen = Vec::new();
    let mut left = 24;
    assert_eq!(model.hits_left(third).unwrap(), 3);
    loop {
        let run = model.step(clock, left).unwrap();
        left -= run.cycles;
        if !run.hit_watch() {
            break;
        }
        let hit: Vec<_> = model.watches_hit().collect();
        seen.push((model.peek(count).unwrap(), hit));
    }
    let expected = [
        (0, vec![fell]),
        (4, vec![third]),
        (0, vec![fell]),
        (0, vec![fell]),
    ];
    assert_eq!(seen, expected);
    let hits = [third, fell, rose].map(|watch| model.hits_left(watch).unwrap());
    assert_eq!(hits, [0, 1, 0]);
    model.rearm(rose, 1).unwrap();
    assert!(model.step(clock, 100).unwrap().hit_watch());
    assert_eq!(model.peek(count).unwrap(), 7);
}

#[test]
fn what_the_host_writes_is_no_change() {
    let (mut model, clock, _, count) = counter();
    let (up, wraps) = (model.signal("up").unwrap(), model.signal("wraps").unwrap());
    let changed = model.watch(Watch::changed(count)).unwrap();
    let before = model.snapshot();
    model.poke(count, 6).unwrap();
    assert_eq!(model.eval().unwrap().status, Status::Ok);
    model.restore(&before).unwrap();
    assert_eq!(model.eval().unwrap().status, Status::Ok);
    assert!(model.step(clock, 5).unwrap().hit_watch());
    assert_eq!(model.peek(count).unwrap(), 1);
    // What follows from it is one.
    model.unwatch(changed).unwrap();
    let _ = model.watch(Watch::rose(wraps)).unwrap();
    model.poke(count, 7).unwrap();
    assert!(model.step(clock, 5).unwrap().hit_watch());
    assert_eq!(
        (model.peek(count).unwrap(), model.peek(up).unwrap()),
        (7, 1)
    );
}

#[test]
fn a_computed_clock_in_both_orders() {
    for order in [ClockOrder::Verilog, ClockOrder::Delta] {
        let options = Options {
            clock_order: order,
            ..Options::default()
        };
        let mut model = counter_with(DIVIDER, &options);
        let signal = |name: &str| model.signal(name).unwrap();
        let (half, slow, clock) = (signal("half"), signal("slow"), model.only_clock().unwrap());
        let _ = model.watch(Watch::rose(half).again()).unwrap();
        for n in 0..10 {
            let run = model.step(clock, 10).unwrap();
            assert!(run.hit_watch() && model.edge_pending(), "{order:?} {n}");
            // The divider has moved; what it clocks has not.
            assert_eq!(
                (model.peek(half).unwrap(), model.peek(slow).unwrap()),
                (1, n)
            );
            model.stage(slow, &Value::from_u64(4, n + 1)).unwrap();
        }
    }
}

#[test]
fn a_restored_model_goes_on_before_the_edge() {
    let (mut model, clock, clk, count) = counter();
    let _ = model.watch(Watch::rose(clk).hits(4)).unwrap();
    assert!(model.step(clock, 10).unwrap().hit_watch());
    let before = model.snapshot();
    let mut fork = model.fork().unwrap();
    for model in [&mut model, &mut fork] {
        assert_eq!(model.peek(count).unwrap(), 3);
        assert_eq!(model.step(clock, 2).unwrap().cycles, 2);
        assert_eq!((model.peek(count).unwrap(), model.time()), (5, 10));
    }
    model.restore(&before).unwrap();
    assert!(model.edge_pending());
    assert_eq!(model.step(clock, 2).unwrap().cycles, 2);
    assert_eq!((model.peek(count).unwrap(), model.time()), (5, 10));
}

#[test]
fn an_event_that_stops_comes_first() {
    let mut model = fixture_model("event/stop.v");
    let (clock, count) = (model.only_clock().unwrap(), model.signal("count").unwrap());
    let five = model.watch(Watch::equals(count, 5)).unwrap();
    let run = model.step(clock, 20).unwrap();
    assert_eq!(run.status, Status::Stop);
    assert_eq!(model.watches_hit().collect::<Vec<_>>(), [five]);
    assert_eq!(model.step(clock, 4).unwrap().status, Status::Ok);
    assert_eq!(model.watches_hit().count(), 0);
}

#[test]
fn run_until_stops_at_watches_too() {
    let (mut model, clock, clk, count) = counter();
    let _ = model.watch(Watch::rose(clk).hits(4)).unwrap();
    let run = model.run_until(clock, 100, count, 6).unwrap();
    assert_eq!((run.status, run.cycles), (Status::WatchHit, 3));
    let run = model.run_until(clock, 100, count, 6).unwrap();
    assert_eq!((run.status, model.time()), (Status::Ok, 12));
}

#[test]
fn memories_are_staged_and_watched() {
    let mut model = fixture_model("mem/register_file.v");
    let memory = model.signal("rows").unwrap();
    let clk = model.signal("clk").unwrap();
    let clock = model.only_clock().unwrap();
    let _ = model.watch(Watch::rose(clk)).unwrap();
    let row = model.watch(Watch::changed(memory).word(3)).unwrap();
    assert!(model.step(clock, 3).unwrap().hit_watch());
    let row_3 = memory.first_row() + 3;
    model
        .stage_row(memory, row_3, &Value::from_u64(memory.width(), 5))
        .unwrap();
    assert_eq!(model.peek_row(memory, row_3).unwrap(), 0);
    assert!(model.step(clock, 3).unwrap().hit_watch());
    assert_eq!(model.watches_hit().collect::<Vec<_>>(), [row]);
    assert_eq!(model.peek_row(memory, row_3).unwrap(), 5);
}

#[test]
fn what_cannot_be_watched_or_staged_is_said() {
    let (mut model, _, clk, count) = counter();
    let signal = |name: &str| model.signal(name).unwrap();
    let (wraps, next) = (signal("wraps"), signal("next"));
    let error = model.watch(Watch::changed(next)).unwrap_err();
    assert!(matches!(error, Error::NotWatchable { .. }), "{error}");
    let error = model.watch(Watch::changed(count).word(1)).unwrap_err();
    assert!(matches!(error, Error::NotWatchable { .. }), "{error}");
    let error = model.stage(wraps, &Value::from_u64(1, 1)).unwrap_err();
    assert!(matches!(error, Error::NotWritable { .. }), "{error}");
    let error = model.stage(count, &Value::from_u64(4, 8)).unwrap_err();
    assert!(matches!(error, Error::TooWide { .. }), "{error}");
    let mut added = 0;
    let error = loop {
        match model.watch(Watch::rose(clk)) {
            Ok(_) => added += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, Error::TooManyWatches { most } if most == added),
        "{error}"
    );
    let staged = (0..).find_map(|_| model.stage(count, &value(1)).err());
    assert!(matches!(staged, Some(Error::StageFull)));
}

#[test]
fn a_watch_with_conditions_stops_at_the_first_edge_before_which_one_holds() {
    let (mut model, clock, clk, count) = counter();
    let either = [Watch::equals(count, 3), Watch::equals(count, 6)];
    let watch = model.watch_while(Watch::rose(clk).again(), &either);
    let watch = watch.unwrap();
    for n in 0..10 {
        let _ = model.step(clock, 100).unwrap();
        assert_eq!(model.watches_hit().collect::<Vec<_>>(), [watch]);
        assert_eq!(model.peek(count).unwrap(), [3, 6][n % 2]);
    }
    // Rows of a watch that is taken away are free; others keep theirs.
    let other = model.watch(Watch::changed(count).again()).unwrap();
    model.unwatch(watch).unwrap();
    let not = [Watch::differs(count, 2).bits(2)];
    let watch = model.watch_while(Watch::fell(clk).again(), &not).unwrap();
    model.rearm(other, 0).unwrap();
    for _ in 0..10 {
        assert!(model.step(clock, 100).unwrap().hit_watch());
        assert_eq!(model.watches_hit().collect::<Vec<_>>(), [watch]);
        assert_eq!(model.peek(count).unwrap() & 2, 0);
    }
}

#[test]
fn no_watch_is_hit_by_edges_that_the_host_makes_and_holds() {
    let (mut model, clock, clk, count) = counter();
    let _ = model.watch(Watch::rose(clk).again()).unwrap();
    model.poke(clk, 1).unwrap();
    assert!(model.hold_edges());
    assert_eq!(model.eval().unwrap().status, Status::Ok);
    assert_eq!(model.peek(count).unwrap(), 1);
    assert!(model.step(clock, 2).unwrap().hit_watch());
    assert_eq!(model.peek(count).unwrap(), 1);
}

#[test]
fn another_artifact_goes_on() {
    let traced = Options {
        trace: Trace::On,
        opt_level: OptLevel::O0,
        clock_order: ClockOrder::Delta,
        ..Options::default()
    };
    let plain = Options {
        trace: Trace::Off,
        ..traced.clone()
    };
    let (mut alone, mut before) = (counter_with(DIVIDER, &plain), counter_with(DIVIDER, &plain));
    for model in [&mut alone, &mut before] {
        let (clock, up) = (model.only_clock().unwrap(), model.signal("up").unwrap());
        model.poke(up, 1).unwrap();
        let _ = model.step(clock, 13).unwrap();
        let _ = model.rise(clock).unwrap();
    }
    // Other outputs: another layout.
    let text = COUNTER.replace("wire width 3 \\next", "wire width 3 output 4 \\next");
    let text = text.replace("@DIVIDER@", DIVIDER);
    let netlist = read("top.il", &text, &ReadOptions::default(), &mut Vec::new());
    let mut after = model_of(netlist.expect("legal RTLIL"), &traced);
    after.take_over(&mut before).unwrap();
    for cycles in [0, 1, 2, 7] {
        for model in [&mut alone, &mut after] {
            let clock = model.only_clock().unwrap();
            let _ = model.step(clock, cycles).unwrap();
        }
        for name in ["clk", "count", "next", "half", "slow", "wraps"] {
            let mut seen = [&mut alone, &mut after].into_iter().map(|model| {
                let signal = model.signal(name).unwrap();
                (model.time(), model.peek(signal).unwrap())
            });
            assert_eq!(seen.next(), seen.next(), "{name}");
        }
    }
}

/// `held` is a bit that holds itself, in a signal of which another is logic.
const HOLDS: &str = r"
module \top
  wire input 1 \set
  wire input 2 \clear
  wire width 2 \q
  wire \held
  wire \keep
  connect \held \q [0]
  connect \q [1] \set
  cell $or $or1
    parameter \A_SIGNED 0
    parameter \A_WIDTH 1
    parameter \B_SIGNED 0
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 1
    connect \A \q [0]
    connect \B \set
    connect \Y \keep
  end
  cell $gt $gt2
    parameter \A_SIGNED 0
    parameter \A_WIDTH 1
    parameter \B_SIGNED 0
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 1
    connect \A \keep
    connect \B \clear
    connect \Y \q [0]
  end
end
";

#[test]
fn another_artifact_goes_on_with_what_a_loop_has_come_to() {
    let model = |text: &str| {
        let netlist = read("top.il", text, &ReadOptions::default(), &mut Vec::new());
        model_of(netlist.expect("legal RTLIL"), &Options::default())
    };
    let mut before = model(HOLDS);
    let mut after = model(&HOLDS.replace("wire width 2 \\q", "wire width 2 output 3 \\q"));
    for (set, clear) in [(1, 0), (0, 0), (0, 1), (0, 0), (1, 0), (0, 0)] {
        for (name, value) in [("set", set), ("clear", clear)] {
            let signal = before.signal(name).unwrap();
            before.poke(signal, value).unwrap();
        }
        let _ = before.eval().unwrap();
        after.take_over(&mut before).unwrap();
        let _ = after.eval().unwrap();
        for name in ["q", "held", "keep"] {
            let mut seen = [&mut before, &mut after].into_iter().map(|model| {
                let signal = model.signal(name).unwrap();
                model.peek(signal).unwrap()
            });
            assert_eq!(seen.next(), seen.next(), "{name}");
        }
    }
    let held = after.signal("held").unwrap();
    assert_eq!(after.peek(held).unwrap(), 1);
}
