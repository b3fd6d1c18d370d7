//! Damaged artifacts: valid WebAssembly whose sections or control block say something else than it is. The Rust host
//! refuses them with an error, or runs them; it does not panic, hang or take all memory.
//!
//! Values of the manifest and of the symbols are edited by their place in the JSON text's tree, the text itself byte by
//! byte, and the control block in the module's data. `golden::fuzz` says how to ask for a longer run.

use std::collections::BTreeMap;

use golden::fixture;
use golden::fuzz::{Counting, Run, setting};
use golden::rng::Rng;
use rtlwasm::options::{OptLevel, Options};
use rtlwasm::pipeline;
use rtlwasm_abi::layout::control;
use rtlwasm_abi::{MANIFEST_SECTION, SYMBOLS_SECTION};
use rtlwasm_host::{Artifact, Model, ModelOptions, Script};
use serde_json::{Map, Value, json};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Fixtures with memories, events, several clocks, latches, inouts, plusargs, wide values and enumerations.
const SEEDS: &[&str] = &[
    "seq/counter.v",
    "seq/latch.v",
    "mem/wide_rows.v",
    "mem/offset.v",
    "clock/two_clocks.v",
    "clock/divided.v",
    "comb/tristate.v",
    "event/formats.v",
    "event/plusargs.v",
    "event/assert_immediate.sv",
    "event/wide_display.v",
    "seq/fsm.sv",
];

/// An artifact in pieces.
struct Seed {
    /// The module without our sections.
    code: Vec<u8>,
    manifest: Value,
    symbols: Value,
}

impl Seed {
    fn new(wasm: &[u8]) -> Seed {
        let (mut code, mut sections) = (wasm[..8].to_vec(), BTreeMap::new());
        let mut at = 8;
        while at < wasm.len() {
            let (id, start) = (wasm[at], at);
            let (size, body) = leb_at(wasm, at + 1);
            at = body + size;
            let (name_len, name_at) = leb_at(wasm, body);
            let name = (id == 0).then(|| &wasm[name_at..name_at + name_len]);
            match name.and_then(|n| std::str::from_utf8(n).ok()) {
                Some(name @ (MANIFEST_SECTION | SYMBOLS_SECTION)) => {
                    let json = serde_json::from_slice(&wasm[name_at + name_len..at]);
                    sections.insert(name.to_string(), json.expect("our own JSON"));
                }
                _ => code.extend(&wasm[start..at]),
            }
        }
        Seed {
            code,
            manifest: sections.remove(MANIFEST_SECTION).expect("a manifest"),
            symbols: sections
                .remove(SYMBOLS_SECTION)
                .unwrap_or(json!({"signals": []})),
        }
    }
}

fn seeds() -> Vec<Seed> {
    let fixtures = fixture::all().expect("fixtures");
    let mut seeds = Vec::new();
    for fixture in fixtures.iter().filter(|f| !f.is_error) {
        let name = |seed: &&str| {
            seed.rsplit_once('.')
                .is_some_and(|(s, _)| fixture.name.starts_with(s))
        };
        if !SEEDS.iter().any(name) {
            continue;
        }
        let found =
            golden::elaborate::elaborate_in(&fixture.folder(), &fixture.design(), &mut Vec::new());
        let netlist = found.expect("fixtures compile").netlist;
        let options = Options {
            opt_level: OptLevel::O2,
            ..Options::default()
        };
        seeds.push(Seed::new(
            &pipeline::compile_netlist(netlist, &options).wasm,
        ));
    }
    assert!(seeds.len() > 8, "most of the fixtures are there");
    seeds
}

/// Number and place after it.
fn leb_at(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[at];
        value |= usize::from(byte & 127) << shift;
        (at, shift) = (at + 1, shift + 7);
        if byte < 128 {
            return (value, at);
        }
    }
}

fn leb(out: &mut Vec<u8>, mut value: usize) {
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}

fn append_section(wasm: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut body = Vec::new();
    leb(&mut body, name.len());
    body.extend(name.as_bytes());
    body.extend(data);
    wasm.push(0);
    leb(wasm, body.len());
    wasm.extend(body);
}

/// Places of all values in a tree, as JSON pointers.
fn places(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                places(value, format!("{at}/{key}"), out);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                places(value, format!("{at}/{i}"), out);
            }
        }
        _ => {}
    }
    out.push(at);
}

/// Numbers at which offsets, lengths and indices go wrong.
fn number(rng: &mut Rng, old: Option<u64>) -> Value {
    let old = old.unwrap_or(0);
    match rng.below(12) {
        0 => json!(0),
        1 => json!(old.wrapping_add(1)),
        2 => json!(old.wrapping_sub(1)),
        3 => json!(old.wrapping_mul(2)),
        4 => json!(u32::MAX),
        5 => json!(u64::MAX),
        6 => json!(-1),
        7 => json!(1u64 << rng.below(64)),
        8 => json!((1u64 << rng.below(64)).wrapping_sub(1)),
        9 => json!(1.5),
        10 => json!(rng.below(300)),
        _ => json!(rng.draw() >> rng.below(64)),
    }
}

const WORDS: &[&str] = &[
    "",
    "clk",
    "memory",
    "register",
    "input",
    "output",
    "inout",
    "wire",
    "constant",
    "latch",
    "rw",
    "r",
    "c",
    "w",
    "text",
    "number",
    "chars",
    "time",
    "display",
    "finish",
    "cover",
    "fail",
    "rise",
    "both",
    "1.0",
    "2.0",
    "1.99",
    "ffffffffffffffffffffffff",
    "-1",
    "zz",
    "shared",
    "simd",
    "coverage",
    "\u{0}",
    "\u{1f600}",
    "a.b",
    "clk=%d",
];

/// One edit in the tree of a section.
fn edit(section: &mut Value, rng: &mut Rng) -> &'static str {
    let mut all = Vec::new();
    places(section, String::new(), &mut all);
    let (place, other) = (rng.pick(&all).clone(), rng.pick(&all).clone());
    let taken = section.pointer(&other).cloned().unwrap_or(Value::Null);
    let Some(target) = section.pointer_mut(&place) else {
        return "nothing";
    };
    match rng.below(9) {
        0 | 1 if target.is_string() => {
            *target = json!(rng.pick(WORDS));
            "word"
        }
        0..=3 => {
            *target = number(rng, target.as_u64());
            "number"
        }
        4 => {
            *target = taken;
            "value from elsewhere"
        }
        5 => {
            *target = rng
                .pick(&[Value::Null, json!([]), json!({}), json!(true), json!("x")])
                .clone();
            "another type"
        }
        6 => match target {
            Value::Array(items) if !items.is_empty() => {
                let item = items[rng.below(items.len())].clone();
                let count = *rng.pick(&[1, 2, 1000]);
                items.extend(std::iter::repeat_n(item, count));
                "item repeated"
            }
            Value::Object(map) if !map.is_empty() => {
                let key = map.keys().nth(rng.below(map.len())).expect("a key").clone();
                map.remove(&key);
                "key removed"
            }
            _ => "nothing",
        },
        7 => match target {
            Value::Array(items) if items.len() > 1 => {
                let (a, b) = (rng.below(items.len()), rng.below(items.len()));
                items.swap(a, b);
                "items swapped"
            }
            Value::Array(items) => {
                items.clear();
                "items removed"
            }
            _ => "nothing",
        },
        _ => {
            let depth = *rng.pick(&[5, 127, 128, 400]);
            let mut deep = Value::Null;
            for _ in 0..depth {
                deep = if rng.percent(50) {
                    json!([deep])
                } else {
                    Value::Object(Map::from_iter([("x".to_string(), deep)]))
                };
            }
            *target = deep;
            "nested deep"
        }
    }
}

/// A signal's fields are edited together, so that more than one check is passed.
fn reshape(section: &mut Value, rng: &mut Rng) -> &'static str {
    let signals = section.get_mut("signals").and_then(Value::as_array_mut);
    let Some(signals) = signals.filter(|s| !s.is_empty()) else {
        return "nothing";
    };
    let count = signals.len();
    let at = rng.below(count);
    if !signals[at].is_object() {
        return "nothing";
    }
    let width = *rng.pick(&[0u64, 1, 7, 64, 65, 128, 1000, 1 << 20]);
    let offset = signals[at]
        .pointer("/parts/0/0")
        .and_then(Value::as_u64)
        .unwrap_or(2048);
    let limbs = width.div_ceil(64).max(1);
    let parts: Vec<Value> = (0..limbs)
        .map(|i| json!([offset.wrapping_add(8 * i), 8, 0, (width - 64 * i).min(64)]))
        .collect();
    let signal = &mut signals[at];
    signal["width"] = json!(width);
    signal["parts"] = json!(parts);
    if rng.percent(30) {
        signal["kind"] = json!("memory");
        signal["depth"] = json!(*rng.pick(&[1u64, 2, 1000, u64::from(u32::MAX)]));
        signal["stride"] = json!(*rng.pick(&[0u64, 1, 8, 4096, u64::from(u32::MAX)]));
        signal["first"] = json!(*rng.pick(&[0i64, -1, i64::MIN, i64::MAX]));
    }
    if rng.percent(20) {
        signal["alias_of"] = json!(rng.below(count + 1));
        signal["parts"] = json!([]);
    }
    "signal of another shape"
}

/// Edits the control block where the module's data holds it.
fn edit_control(code: &mut [u8], rng: &mut Rng) -> &'static str {
    let Some(at) = code.windows(4).position(|w| w == b"rtlw") else {
        return "nothing";
    };
    let field = *rng.pick(&[
        control::STATE_BASE,
        control::STATE_LEN,
        control::TRIGGER_BASE,
        control::TRIGGER_COUNT,
        control::HOST_BASE,
        control::HOST_LEN,
        control::EVENT_BASE,
        control::EVENT_SIZE,
        control::FEATURES,
    ]);
    let place = at + field as usize;
    if place + 4 > code.len() {
        return "nothing";
    }
    let old = u32::from_le_bytes(code[place..place + 4].try_into().expect("four bytes"));
    let new = number(rng, Some(old.into())).as_u64().unwrap_or(u64::MAX) as u32;
    code[place..place + 4].copy_from_slice(&new.to_le_bytes());
    "control block"
}

/// The bytes of a damaged artifact.
fn damaged(seed: &Seed, rng: &mut Rng, note: &mut dyn FnMut(&str)) -> Vec<u8> {
    let (mut code, mut manifest, mut symbols) = (
        seed.code.clone(),
        seed.manifest.clone(),
        seed.symbols.clone(),
    );
    let edits = if rng.percent(80) {
        1
    } else {
        rng.between(2, 4)
    };
    for _ in 0..edits {
        let section = if rng.percent(70) {
            &mut manifest
        } else {
            &mut symbols
        };
        note(match rng.below(10) {
            0 => edit_control(&mut code, rng),
            1 | 2 => reshape(section, rng),
            _ => edit(section, rng),
        });
    }
    let mut texts = [
        manifest.to_string().into_bytes(),
        symbols.to_string().into_bytes(),
    ];
    if rng.percent(10) {
        let text = &mut texts[rng.below(2)];
        for _ in 0..rng.between(1, 4) {
            let at = rng.below(text.len());
            text[at] = *rng.pick(b"{}[],:\"0919-e. \\u\xff\0");
        }
        note("byte of the text");
    }
    let [manifest, symbols] = texts;
    append_section(&mut code, MANIFEST_SECTION, &manifest);
    if !rng.percent(5) {
        append_section(&mut code, SYMBOLS_SECTION, &symbols);
    }
    if rng.percent(3) {
        append_section(&mut code, MANIFEST_SECTION, &manifest);
        note("section given twice");
    }
    if rng.percent(3) {
        code.truncate(rng.below(code.len()));
        note("cut off");
    }
    code
}

fn options() -> ModelOptions {
    ModelOptions {
        cache_dir: None,
        plusargs: vec!["FAST".into(), "N=3".into(), "LIMIT=9".into()],
        ..ModelOptions::default()
    }
}

/// Loads an artifact and does all that a host can do to it.
fn use_it(wasm: &[u8], rng: &mut Rng) -> &'static str {
    let Ok(artifact) = Artifact::from_bytes(wasm, &options()) else {
        return "refused";
    };
    let Ok(mut model) = artifact.model(&options()) else {
        return "refused when it started";
    };
    let snapshot = model.snapshot();
    signals(&artifact, &mut model, rng);
    run(&mut model, rng);
    model.events().for_each(drop);
    _ = model.restore(&snapshot);
    _ = model.fork().map(|mut fork| fork.eval().map(|_| ()));
    _ = model.reset(7);
    (0..4).for_each(|site| _ = model.cover_count(site));
    "ran"
}

fn signals(artifact: &Artifact, model: &mut Model, rng: &mut Rng) {
    let count = artifact.signals().len();
    // Of very many, some.
    for _ in 0..count.min(40) {
        let id = rng.below(count) as u32;
        let Some(signal) = artifact.signal_by_id(id) else {
            continue;
        };
        _ = model.signal(artifact.path(signal).as_str());
        _ = model.peek(signal);
        let bits = model.peek_bits(signal);
        _ = model.poke(signal, rng.draw());
        if let Ok(bits) = &bits {
            _ = model.poke_bits(signal, bits);
            _ = (bits.to_string(), bits.to_decimal(true));
        }
        for row in [signal.first_row(), 0, -1, i64::MAX, i64::MIN] {
            _ = model.peek_row(signal, row);
            _ = model.poke_row(signal, row, 1);
            _ = model.peek_row_bits(signal, row);
        }
        if let Ok(clock) = model.only_clock() {
            _ = model.run_until(clock, rng.draw() % 5, signal, rng.draw() & 1);
        }
    }
    let mut script = Script::new();
    if let Some(signal) = artifact.signal_by_id(rng.below(count.max(1)) as u32) {
        script.poke(signal, 1);
        script.peek(signal, rng.draw() as u32);
        script.expect(signal, 0, 1, 1);
        if let Ok(clock) = model.only_clock() {
            _ = script.run_until(model, (clock, rng.draw() % 5), signal, 1);
        }
    }
    script.eval();
    _ = model.play(&mut script);
}

fn run(model: &mut Model, rng: &mut Rng) {
    let clocks: Vec<String> = model.clocks().iter().map(|c| c.name.clone()).collect();
    for name in clocks.iter().take(4) {
        let Ok(clock) = model.clock(name) else {
            continue;
        };
        _ = model.step(clock, rng.draw() % 20);
        _ = model.rise(clock).and_then(|_| model.fall(clock));
        _ = model.clock_cycles(clock);
        _ = model.clock_level(clock);
        _ = model.set_clock_period(clock, rng.draw() % 3, rng.draw() % 3);
        _ = model.start_clock(clock, rng.draw() % 3);
    }
    // Not from its time on: a damaged control block may show any number as that.
    _ = model.advance(rng.draw() % 50);
    _ = model.edges(rng.draw(), rng.draw());
    _ = model.eval();
    _ = model.set_plusarg("N=12345678901234567890");
}

#[test]
fn damaged_artifacts_are_refused_or_run() {
    let seeds = seeds();
    let mut run = Run::new("artifact", 3);
    let mut rng = Rng::new(setting("RTLWASM_FUZZ_SEED", 1));
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    while run.goes_on() {
        let seed = rng.pick(&seeds);
        let mut note = |what: &str| *seen.entry(format!("damage: {what}")).or_default() += 1;
        let wasm = damaged(seed, &mut rng, &mut note);
        let outcome = run.one(&wasm, || use_it(&wasm, &mut rng));
        *seen.entry(format!("outcome: {outcome}")).or_default() += 1;
    }
    println!("{} artifacts", run.count);
    for (what, count) in &seen {
        println!("{what:40} {count:>9}");
    }
    for outcome in ["refused", "ran"] {
        assert!(
            seen.contains_key(&format!("outcome: {outcome}")),
            "{outcome}"
        );
    }
}
