//! Models on a hand-written artifact: every call, every way to a signal, events and snapshots.

mod common;

use common::{artifact, options};
use rtlwasm_host::{
    Access, Artifact, Error, EventKind, Kind, Model, ModelOptions, Script, Status, Summary, Tracer,
    Value,
};

fn model() -> Model {
    let artifact = Artifact::from_bytes(&artifact(), &options()).expect("loads");
    artifact.model(&options()).expect("resets")
}

fn enabled() -> Model {
    let mut model = model();
    let en = model.signal("en").expect("there");
    model.poke(en, 1).expect("writable");
    model.events().for_each(drop);
    model
}

fn peek(model: &mut Model, path: &str) -> u64 {
    let signal = model.signal(path).expect("there");
    model.peek(signal).expect("readable")
}

#[test]
fn steps_and_reads() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    let run = model.step(clock, 10).expect("runs");
    assert_eq!((run.status, run.cycles), (Status::Ok, 10));
    assert_eq!(model.time(), 10_000);
    for path in ["count", "counter.count", "u.count_q", "u.merged"] {
        assert_eq!(peek(&mut model, path), 10, "{path}");
    }
    assert_eq!(peek(&mut model, "next"), 11);
    assert_eq!(peek(&mut model, "three_times"), 30);
    assert_eq!(model.clock_cycles(clock).expect("own"), 10);
    assert_eq!(model.cover_count(3), Some(10));
}

#[test]
fn outlines_follow_writes() {
    let mut model = model();
    assert_eq!(peek(&mut model, "next"), 1);
    let count = model.signal("u.count_q").expect("there");
    model.poke(count, 77).expect("writable");
    assert_eq!(peek(&mut model, "next"), 78);
}

#[test]
fn a_full_ring_is_drained_within_a_run() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    let run = model.step(clock, 100).expect("runs");
    assert_eq!((run.status, run.cycles), (Status::Ok, 100));
    let texts: Vec<String> = model.events().map(|e| e.text).collect();
    assert_eq!(texts.len(), 100);
    assert_eq!(texts[0], "count=  0\n");
    assert_eq!(texts[99], "count= 99\n");
}

#[test]
fn finish_stops_a_run() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    let run = model.step(clock, 1000).expect("runs");
    assert_eq!((run.status, run.cycles), (Status::Finish, 199));
    let last = model.events().last().expect("an event");
    assert_eq!((last.kind, last.time), (EventKind::Finish, 199_000));
}

#[test]
fn a_callback_takes_the_events() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut model = enabled();
    model.on_event(move |event| sender.send(event.text.clone()).expect("received"));
    let clock = model.only_clock().expect("one clock");
    assert_eq!(model.step(clock, 2).expect("runs").cycles, 2);
    assert_eq!(
        receiver.try_iter().collect::<Vec<_>>(),
        ["count=  0\n", "count=  1\n"]
    );
    assert_eq!(model.events().count(), 0);
}

#[test]
fn runs_until_a_value() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    for (path, value) in [
        ("u.count_q", 20),
        ("count", 30),
        ("next", 41),
        ("three_times", 150),
    ] {
        let signal = model.signal(path).expect("there");
        let run = model.run_until(clock, 50, signal, value).expect("runs");
        assert_eq!(run.status, Status::Ok, "{path}");
        assert_eq!(model.peek(signal).expect("readable"), value);
    }
    let count = model.signal("count").expect("there");
    let run = model.run_until(clock, 5, count, 0).expect("runs");
    assert_eq!((run.status, run.cycles), (Status::ConditionNotMet, 5));
    assert!(matches!(
        model.run_until(clock, 5, count, 256),
        Err(Error::TooWide { needed: 9, .. })
    ));
}

#[test]
fn edges_advance_and_poked_clocks() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    let bit = 1 << clock.trigger();
    assert_eq!(model.edges(bit, 0).expect("runs").status, Status::Ok);
    assert_eq!((peek(&mut model, "count"), peek(&mut model, "clk")), (1, 1));
    assert_eq!(model.edges(0, bit).expect("runs").status, Status::Ok);
    let pin = model.signal("clk").expect("there");
    model.poke(pin, 1).expect("writable");
    assert_eq!(model.eval().expect("runs").status, Status::Ok);
    assert_eq!(peek(&mut model, "count"), 2);

    model.poke(pin, 0).expect("writable");
    model.set_clock_period(clock, 3, 7).expect("own");
    model.start_clock(clock, 5).expect("primary");
    assert_eq!(model.advance(100).expect("runs").status, Status::Ok);
    assert_eq!((peek(&mut model, "count"), model.time()), (12, 100));
    assert_eq!(model.clock_period(clock).expect("own"), (3, 7));
    model.stop_clock(clock).expect("own");
    assert_eq!(model.advance(200).expect("runs").status, Status::Ok);
    assert_eq!(peek(&mut model, "count"), 12);
}

#[test]
fn places_of_every_shape() {
    let mut model = model();
    let packed = model.signal("u.packed").expect("there");
    model.poke(packed, 0b101_1010).expect("writable");
    assert_eq!(model.peek(packed).expect("readable"), 0b101_1010);

    let wide = model.signal(["u", "wide"]).expect("there");
    assert_eq!(
        (wide.width(), wide.kind(), wide.access()),
        (100, Kind::Register, Access::ReadWrite)
    );
    let value = Value::parse("0xf_1234567890abcdef_55", 100).expect("fits");
    model.poke_bits(wide, &value).expect("writable");
    assert_eq!(model.peek_bits(wide).expect("readable"), value);
    assert!(matches!(
        model.peek(wide),
        Err(Error::WideRead { width: 100, .. })
    ));

    let answer = model.signal("u.answer").expect("there");
    assert_eq!(
        format!("{:x}", model.peek_bits(answer).expect("readable")),
        "2a0000000000000001"
    );
}

#[test]
fn an_inout_shows_both_sides() {
    let mut model = model();
    let (bus, count) = (
        model.signal("bus").expect("there"),
        model.signal("u.count_q").expect("there"),
    );
    model.poke(count, 0x55).expect("writable");
    model.poke(bus, 0xc3).expect("writable");
    assert_eq!(peek(&mut model, "bus$in"), 0xc3);
    assert_eq!(model.peek(bus).expect("readable"), 0xc3);
    assert!(matches!(model.poke(bus, 0x100), Err(Error::TooWide { .. })));
}

#[test]
fn memory_rows() {
    let mut model = model();
    let mem = model.signal("mem").expect("there");
    assert_eq!((mem.depth(), mem.first_row()), (4, 4));
    assert_eq!(model.peek_row(mem, 5).expect("a row"), 0xbeef);
    model.poke_row(mem, 7, 0x1234).expect("a row");
    assert_eq!(
        model.peek_row_bits(mem, 7).expect("a row"),
        Value::from_u64(16, 0x1234)
    );
    for row in [3, 8, -1] {
        assert!(matches!(
            model.peek_row(mem, row),
            Err(Error::Row {
                first: 4,
                last: 7,
                ..
            })
        ));
    }
    assert!(matches!(
        model.poke_row(mem, 4, 0x1_0000),
        Err(Error::TooWide { .. })
    ));
    assert!(matches!(model.peek(mem), Err(Error::IsMemory { .. })));
    let en = model.signal("en").expect("there");
    assert!(matches!(
        model.peek_row(en, 0),
        Err(Error::NotMemory { .. })
    ));
}

#[test]
fn memory_images() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let mut model = model();
    let mem = model.signal("mem").expect("there");
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let hex = write("rom.hex", b"@5 1 // one\n2");
    assert_eq!(model.load_memory(mem, &hex).expect("loads"), 2);
    assert_eq!(
        (
            model.peek_row(mem, 5).expect("row"),
            model.peek_row(mem, 6).expect("row")
        ),
        (1, 2)
    );
    let bin = write("rom.bin", &[0x34, 0x12, 0x78]);
    assert_eq!(model.load_memory(mem, &bin).expect("loads"), 2);
    assert_eq!(
        (
            model.peek_row(mem, 4).expect("row"),
            model.peek_row(mem, 5).expect("row")
        ),
        (0x1234, 0x78)
    );
    let bad = write("bad.hex", b"1\n2\n3\n4\n5\n");
    let error = model
        .load_memory(mem, &bad)
        .expect_err("too long")
        .to_string();
    assert!(error.contains("bad.hex:5: row 8 does not exist"), "{error}");
    let error = model
        .load_memory(mem, dir.path().join("none"))
        .expect_err("missing")
        .to_string();
    assert!(error.contains("cannot read"), "{error}");
}

#[test]
fn what_may_not_be_written() {
    let mut model = model();
    let refusal = |model: &mut Model, path: &str| {
        let signal = model.signal(path).expect("there");
        model.poke(signal, 1).expect_err("not writable").to_string()
    };
    assert!(refusal(&mut model, "count").contains("which the design drives"));
    assert!(refusal(&mut model, "u.merged").contains("option `poke`"));
    assert!(refusal(&mut model, "u.answer").contains("constant"));
    let en = model.signal("en").expect("there");
    let error = model.poke(en, 2).expect_err("too wide").to_string();
    assert_eq!(error, "the width of `en` is 1, and the value needs 2");
}

#[test]
fn names_that_do_not_exist() {
    let model = model();
    let message = |path: &str| model.signal(path).expect_err("unknown").to_string();
    assert_eq!(
        message("cuont"),
        "there is no signal `cuont`; did you mean `count`?"
    );
    assert!(message("v.count_q").contains("did you mean `u.count_q`?"));
    assert_eq!(message("zzzzzzzz"), "there is no signal `zzzzzzzz`");
    assert!(matches!(
        model.signal("a.b"),
        Err(Error::AmbiguousSignal { .. })
    ));
    let (one, other) = (
        model.signal(["a", "b"]).expect("exact"),
        model.signal(["a.b"]).expect("exact"),
    );
    assert_ne!(one.id(), other.id());
    assert!(matches!(
        model.signal(["u.wide"]),
        Err(Error::UnknownSignal { .. })
    ));
}

#[test]
fn clocks_by_name() {
    let mut model = model();
    let error = model.clock("clock").expect_err("unknown").to_string();
    assert_eq!(error, "there is no clock `clock`: the only clock is `clk`");
    let gated = model.clock("gated").expect("there");
    assert!(gated.is_derived());
    assert!(matches!(
        model.step(gated, 1),
        Err(Error::DerivedClock { .. })
    ));
}

#[test]
fn snapshots_and_forks() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    assert_eq!(model.step(clock, 5).expect("runs").cycles, 5);
    let saved = model.snapshot();
    let mut twin = model.fork().expect("forks");
    assert_eq!(twin.events().count(), 0);
    for m in [&mut model, &mut twin] {
        assert_eq!(m.step(clock, 7).expect("runs").cycles, 7);
    }
    assert_eq!(model.snapshot(), twin.snapshot());
    model.restore(&saved).expect("fits");
    assert_eq!(
        (
            peek(&mut model, "count"),
            peek(&mut model, "next"),
            model.time()
        ),
        (5, 6, 5000)
    );
    assert_eq!(peek(&mut twin, "count"), 12);
    let mut damaged = saved.as_bytes().to_vec();
    damaged[0] ^= 1;
    let damaged = rtlwasm_host::Snapshot::from_bytes(damaged);
    assert!(matches!(
        model.restore(&damaged),
        Err(Error::ForeignSnapshot)
    ));
}

#[test]
fn seeds_and_plusargs() {
    let options = ModelOptions {
        seed: 0xabc,
        plusargs: vec!["enough".into()],
        ..options()
    };
    let artifact = Artifact::from_bytes(&artifact(), &options).expect("loads");
    let mut model = artifact.model(&options).expect("resets");
    assert_eq!(model.events().next().expect("initial").text, "seed abc");
    assert_eq!(peek(&mut model, "en"), 1);
    assert!(!model.set_plusarg("other").expect("no error"));
    assert_eq!(model.reset(7).expect("resets").status, Status::Ok);
    assert_eq!(model.events().next().expect("initial").text, "seed 7");
    assert_eq!(peek(&mut model, "en"), 1);
}

#[test]
fn scripts_longer_than_the_host_memory() {
    let mut model = model();
    let clock = model.only_clock().expect("one clock");
    let (en, count) = (
        model.signal("en").expect("there"),
        model.signal("three_times").expect("there"),
    );
    let mut script = Script::new();
    script.poke(en, 1);
    let mut reads = Vec::new();
    for _ in 0..10 {
        script.step(clock, 9);
        reads.push(script.peek(count, 0));
    }
    let wrong = script.expect(count, 0, u64::MAX, 1);
    script.step(clock, 1);
    let played = model.play(&mut script).expect("plays");
    assert_eq!(
        (played.status, played.stopped_at),
        (Status::ConditionNotMet, Some(wrong))
    );
    assert_eq!(script.status(wrong), Status::ConditionNotMet);
    let values: Vec<u64> = reads.iter().map(|read| script.value(*read)).collect();
    assert_eq!(values, (1..=10).map(|i| i * 27).collect::<Vec<u64>>());
    script.remove_first(wrong + 1);
    let played = model.play(&mut script).expect("plays");
    assert_eq!((played.status, script.len()), (Status::Ok, 1));
    assert_eq!(model.peek(count).expect("there"), 273);
}

#[test]
fn a_script_is_played_again_with_other_values() {
    let mut model = model();
    let clock = model.only_clock().expect("one clock");
    let signal = |name| model.signal(name).expect("there");
    let (en, count) = (signal("en"), signal("three_times"));
    let mut script = Script::new();
    let poke = script.poke(en, 0);
    let step = script.step(clock, 3);
    let read = script.peek(count, 0);
    let wrong = script.expect(count, 0, u64::MAX, 1);
    script.truncate(wrong);
    for (enable, cycles, expected) in [(1, 3, 9), (0, 100, 9), (1, 2, 15)] {
        script.set_value(poke, enable);
        script.set_value(step, cycles);
        let played = model.play(&mut script).expect("plays");
        assert_eq!((played.status, played.cycles), (Status::Ok, 0));
        assert_eq!(script.value(read), expected);
    }
    // The 200th edge that counts ends the simulation, within its cycle; five were before.
    script.set_value(step, 1000);
    let played = model.play(&mut script).expect("plays");
    assert_eq!(
        (played.status, played.stopped_at, played.cycles),
        (Status::Finish, Some(step), 194)
    );
}

#[test]
fn a_tracer_reports_changes_only() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    let paths = [
        "en",
        "count",
        "next",
        "u.wide",
        "u.packed",
        "three_times",
        "mem[4]",
        "mem[5]",
    ];
    let probes = paths.map(|path| model.artifact().probe(path).expect("there"));
    let mut tracer = Tracer::new(&model, &probes).expect("its own");
    let mut seen = Vec::new();
    tracer
        .changes(&mut model, |i, value| {
            seen.push((paths[i], value.limbs()[0]))
        })
        .expect("readable");
    assert_eq!(seen.len(), paths.len());
    seen.clear();
    assert_eq!(model.step(clock, 1).expect("runs").cycles, 1);
    tracer
        .changes(&mut model, |i, value| {
            seen.push((paths[i], value.limbs()[0]))
        })
        .expect("readable");
    assert_eq!(
        seen,
        [("count", 1), ("next", 2), ("three_times", 3), ("mem[4]", 1)]
    );
}

#[test]
fn probes_name_signals_and_rows() {
    let mut model = model();
    let row = model.artifact().probe("counter.mem[0x5]").expect("there");
    assert_eq!(row.row(), Some(5));
    assert_eq!(
        model.peek_probe(row).expect("readable"),
        Value::from_u64(16, 0xbeef)
    );
    model
        .poke_probe(row, &Value::from_u64(4, 7))
        .expect("writable");
    assert_eq!(
        model.peek_probe(row).expect("readable"),
        Value::from_u64(16, 7)
    );
    let refused = |text: &str| model.artifact().probe(text).expect_err("refused");
    assert!(matches!(refused("mem"), Error::IsMemory { .. }));
    assert!(matches!(refused("mem[8]"), Error::Row { .. }));
    assert!(matches!(refused("en[0]"), Error::NotMemory { .. }));
    assert!(matches!(refused("memm[4]"), Error::UnknownSignal { .. }));
}

#[test]
fn a_summary_needs_no_engine() {
    let bytes = artifact();
    let summary = Summary::of(&bytes).expect("reads");
    assert_eq!((summary.ports, summary.manifest.signals.len()), (4, 16));
    assert_eq!(
        (summary.memory_bytes, summary.file_bytes),
        (65536, bytes.len() as u64)
    );
    assert!(summary.code_bytes > 500 && summary.functions > 10 && summary.data_bytes > 50);
}

#[test]
fn single_flips() {
    let mut model = enabled();
    let clock = model.only_clock().expect("one clock");
    assert_eq!(model.rise(clock).expect("runs").status, Status::Ok);
    assert_eq!(
        (
            peek(&mut model, "count"),
            model.clock_level(clock).expect("own"),
            model.time()
        ),
        (1, 1, 0)
    );
    assert_eq!(model.fall(clock).expect("runs").status, Status::Ok);
    assert_eq!(
        (
            peek(&mut model, "count"),
            model.clock_level(clock).expect("own")
        ),
        (1, 0)
    );
}

#[test]
fn handles_of_other_artifacts_are_refused() {
    let mut model = model();
    let mut other = common::manifest();
    other["design_hash"] = "01".into();
    let other = Artifact::from_bytes(&common::with_manifest(&other), &options()).expect("loads");
    let mut other = other.model(&options()).expect("resets");
    let (signal, clock) = (
        other.signal("en").expect("there"),
        other.only_clock().expect("one"),
    );
    assert!(matches!(model.peek(signal), Err(Error::ForeignHandle)));
    assert!(matches!(model.poke(signal, 1), Err(Error::ForeignHandle)));
    assert!(matches!(model.step(clock, 1), Err(Error::ForeignHandle)));
    assert_eq!(other.peek(signal).expect("its own"), 0);
}

#[test]
fn models_run_on_several_threads() {
    let artifact = Artifact::from_bytes(&artifact(), &options()).expect("loads");
    let run = |cycles: u64| {
        let artifact = artifact.clone();
        std::thread::spawn(move || {
            let mut model = artifact.model(&options()).expect("resets");
            let (clock, en) = (
                model.only_clock().expect("one"),
                model.signal("en").expect("there"),
            );
            model.poke(en, 1).expect("writable");
            let run = model.step(clock, cycles).expect("runs");
            assert_eq!(run.status, Status::Ok);
            peek(&mut model, "count")
        })
    };
    let threads: Vec<_> = (1..20).map(run).collect();
    let counts: Vec<u64> = threads
        .into_iter()
        .map(|t| t.join().expect("no panic"))
        .collect();
    assert_eq!(counts, (1..20).collect::<Vec<u64>>());
}

#[cfg(feature = "interpreter")]
#[test]
fn interpreted_first_and_then_compiled() {
    let interpreted = Artifact::interpreted(&artifact(), &options()).expect("loads");
    let mut model = interpreted.model(&options()).expect("resets");
    let mut other = enabled();
    let clock = model.only_clock().expect("one clock");
    let enable = model.signal("en").expect("there");
    model.poke(enable, 1).expect("writable");
    let _ = other.eval().expect("runs");
    // Far beyond the number of calls after which it is compiled.
    for turn in 0..10_000u64 {
        let (level, other_clock) = (turn % 2 == 0, other.only_clock().expect("one clock"));
        for (model, clock) in [(&mut model, clock), (&mut other, other_clock)] {
            let run = match level {
                true => model.rise(clock),
                false => model.fall(clock),
            };
            let _ = run.expect("runs");
        }
        assert_eq!(peek(&mut model, "count"), peek(&mut other, "count"));
    }
    assert_eq!(model.snapshot().as_bytes(), other.snapshot().as_bytes());
    let _ = model.step(clock, 5).expect("runs");
    let _ = other.step(clock, 5).expect("runs");
    assert_eq!(peek(&mut model, "count"), peek(&mut other, "count"));
    let fork = model.fork().expect("forks");
    assert_eq!(fork.snapshot().as_bytes(), model.snapshot().as_bytes());
}
