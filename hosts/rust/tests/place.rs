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
    let (base, len) = model.memory_address();
    assert!(place.offset + place.row_bytes() <= len);
    // SAFETY: inside linear memory, and the model is borrowed as long as the slice is.
    unsafe { std::slice::from_raw_parts_mut(base.add(place.offset), place.row_bytes()) }
}

#[test]
fn shapes() {
    let model = model();
    let shape = |path| place(&model, path).map(|p| (p.item_bytes, p.items, p.rows, p.stride));
    assert_eq!(shape("en"), Some((1, 1, 1, 1)));
    assert_eq!(shape("count"), Some((1, 1, 1, 1)));
    assert_eq!(shape("mem"), Some((2, 1, 4, 2)));
    assert_eq!(shape("u.wide"), Some((8, 2, 1, 16)));
    assert_eq!(shape("next"), Some((1, 1, 1, 1)));
    for path in ["u.packed", "three_times", "u.answer", "bus"] {
        assert_eq!(shape(path), None, "{path}");
    }
    assert_eq!(place(&model, "count"), place(&model, "u.count_q"));
}

#[test]
fn a_place_that_others_share_is_none() {
    let mut manifest = common::manifest();
    // A one-bit input in the byte of the register `u.count_q`.
    manifest["signals"][1]["parts"][0][0] = 2161.into();
    let wasm = common::with_manifest(&manifest);
    let artifact = Artifact::from_bytes(&wasm, &options()).expect("loads");
    let model = artifact.model(&options()).expect("resets");
    assert_eq!(place(&model, "en"), None);
    assert!(place(&model, "u.count_q").is_some());
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
    let mut model = model();
    let wide = place(&model, "u.wide").expect("alone");
    row(&mut model, wide).fill(0xff);
    model.written_directly(&[wide]);
    assert_eq!(
        row(&mut model, wide)[8..],
        [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]
    );
}

#[test]
fn the_address_holds() {
    let mut model = model();
    let before = model.memory_address();
    let clock = model.only_clock().expect("one clock");
    assert_eq!(model.step(clock, 100).expect("runs").cycles, 100);
    let boxed = Box::new(model);
    assert_eq!(boxed.memory_address(), before);
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
