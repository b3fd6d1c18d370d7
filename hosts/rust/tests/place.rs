//! Places in linear memory on a hand-written artifact: what has one, and what follows a write there.

mod common;

use common::{artifact, options};
use rtlwasm_host::{Artifact, Model, Place};

fn model() -> Model {
    let artifact = Artifact::from_bytes(&artifact(), &options()).expect("loads");
    artifact.model(&options()).expect("resets")
}

fn place(model: &Model, path: &str) -> Option<Place> {
    let signal = model.signal(path).expect("there");
    model.artifact().place(signal).expect("own")
}

/// The bytes of a place's first row, for as long as nothing runs.
fn row(model: &mut Model, place: Place) -> &mut [u8] {
    let (base, len) = model.memory_address().expect("compiled");
    assert!(place.offset + place.row_bytes() <= len);
    // SAFETY: inside linear memory, and the model is borrowed as long as the slice is.
    unsafe { std::slice::from_raw_parts_mut(base.add(place.offset), place.row_bytes()) }
}

#[test]
fn shapes() {
    let model = model();
    let shape = |path| {
        let place = place(&model, path)?;
        Some((
            place.item_bytes,
            place.items,
            place.rows,
            place.stride,
            place.alone,
        ))
    };
    assert_eq!(shape("en"), Some((1, 1, 1, 1, true)));
    assert_eq!(shape("count"), Some((1, 1, 1, 1, true)));
    assert_eq!(shape("mem"), Some((2, 1, 4, 2, true)));
    assert_eq!(shape("u.wide"), Some((8, 2, 1, 16, false)));
    assert_eq!(shape("next"), Some((1, 1, 1, 1, true)));
    for path in ["u.packed", "three_times", "u.answer", "bus"] {
        assert_eq!(shape(path), None, "{path}");
    }
    assert_eq!(place(&model, "count"), place(&model, "u.count_q"));
}

/// A model whose input `en` has this width and these parts.
fn with_input(width: u32, parts: serde_json::Value) -> Model {
    let mut manifest = common::manifest();
    manifest["signals"][1]["width"] = width.into();
    manifest["signals"][1]["parts"] = parts;
    let wasm = common::with_manifest(&manifest);
    let artifact = Artifact::from_bytes(&wasm, &options()).expect("loads");
    artifact.model(&options()).expect("resets")
}

#[test]
fn parts_in_order_are_one_place() {
    let parts = serde_json::json!([[2168, 8, 0, 64], [2176, 8, 0, 36]]);
    let found = place(&with_input(100, parts), "en").map(|p| (p.item_bytes, p.items, p.stride));
    assert_eq!(found, Some((8, 2, 16)));
    let parts = serde_json::json!([[2176, 8, 0, 64], [2168, 8, 0, 36]]);
    assert_eq!(place(&with_input(100, parts), "en"), None);
}

#[test]
fn what_is_written_is_cut_and_seen() {
    let mut model = model();
    let en = place(&model, "en").expect("alone");
    let count = place(&model, "u.count_q").expect("alone");
    let next = model.signal("next").expect("there");
    assert_eq!(model.peek(next).expect("readable"), 1);
    row(&mut model, en)[0] = 0xff;
    row(&mut model, count)[0] = 41;
    model.written_directly(&[en, count]);
    assert_eq!(row(&mut model, en)[0], 1);
    assert_eq!(model.peek(next).expect("readable"), 42);
    let clock = model.only_clock().expect("one clock");
    assert_eq!(model.step(clock, 1).expect("runs").cycles, 1);
    assert_eq!(row(&mut model, count)[0], 42);
}

#[test]
fn bits_above_a_wide_value_are_cut() {
    let mut model = with_input(100, serde_json::json!([[2168, 16, 0, 100]]));
    let wide = place(&model, "en").expect("alone");
    row(&mut model, wide).fill(0xff);
    model.written_directly(&[wide]);
    assert_eq!(
        row(&mut model, wide)[8..],
        [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]
    );
}

#[test]
fn what_others_may_share_is_read_and_left_alone() {
    let mut model = model();
    let wide = place(&model, "u.wide").expect("in order");
    row(&mut model, wide).fill(0xff);
    model.written_directly(&[wide]);
    assert_eq!(row(&mut model, wide)[15], 0xff);
    let numbers: Vec<u64> = model.numbers_at(wide).collect();
    assert_eq!(numbers, [u64::MAX, 0xf_ffff_ffff]);
}

#[test]
fn the_address_holds() {
    let mut model = model();
    let before = model.memory_address().expect("compiled");
    let clock = model.only_clock().expect("one clock");
    assert_eq!(model.step(clock, 100).expect("runs").cycles, 100);
    let mut boxed = Box::new(model);
    assert_eq!(boxed.memory_address().expect("compiled"), before);
}

#[test]
fn computed_signals_are_computed_in_their_place() {
    let mut model = model();
    let next = model.signal("next").expect("there");
    let place = place(&model, "next").expect("alone");
    let count = model.signal("u.count_q").expect("there");
    model.poke(count, 9).expect("writable");
    model.refresh_signal(next).expect("own");
    assert_eq!(row(&mut model, place)[0], 10);
    model.refresh_signal(count).expect("nothing to do");
}
