//! Waveforms, read back with the library that viewers use.

mod common;

use std::path::Path;

use common::Folder;
use wellen::simple::Waveform;
use wellen::{SignalValueRef, TimescaleUnit};

fn open(path: &Path) -> Waveform {
    wellen::simple::read(path).expect("a waveform")
}

/// Every change of a signal as time and bits.
fn changes(wave: &mut Waveform, path: &[&str]) -> Vec<(u64, String)> {
    let (name, scopes) = path.split_last().expect("not empty");
    let var = wave
        .hierarchy()
        .lookup_var(scopes, name)
        .unwrap_or_else(|| panic!("no {path:?}"));
    let signal = wave.hierarchy()[var].signal_ref();
    wave.load_signals(&[signal]);
    let times = wave.time_table().to_vec();
    let signal = wave.get_signal(signal).expect("loaded");
    let bits = |value: SignalValueRef| value.to_bit_string().expect("bits");
    signal
        .iter_changes()
        .map(|(i, value)| (times[i as usize], bits(value)))
        .collect()
}

fn changes_of_counter(name: &str) {
    let folder = Folder::new();
    folder
        .run(&format!(
            "run counter.il --cycles 3 --poke en=1 --wave {name}"
        ))
        .ok();
    let mut wave = open(&folder.path(name));
    let timescale = wave.hierarchy().timescale().expect("there");
    assert_eq!(
        (timescale.factor, timescale.unit),
        (1, TimescaleUnit::NanoSeconds)
    );
    let list = |pairs: &[(u64, &str)]| {
        pairs
            .iter()
            .map(|(t, v)| (*t, v.to_string()))
            .collect::<Vec<_>>()
    };
    let clk = changes(&mut wave, &["counter", "clk"]);
    let last = |changes: &[(u64, String)], at: u64| {
        changes
            .iter()
            .rev()
            .find(|(time, _)| *time <= at)
            .map(|(_, value)| value.clone())
    };
    let levels: Vec<_> = (0..6).map(|t| last(&clk, t).expect("known")).collect();
    assert_eq!(levels, ["1", "0", "1", "0", "1", "0"]);
    let count = changes(&mut wave, &["counter", "count"]);
    let values: Vec<_> = [1, 3, 5]
        .iter()
        .map(|t| last(&count, *t).expect("known"))
        .collect();
    assert_eq!(values, ["00000001", "00000010", "00000011"]);
    assert_eq!(
        changes(&mut wave, &["counter", "addr"]),
        list(&[(0, "0000")])
    );
    let wide = changes(&mut wave, &["counter", "shifter"]);
    assert_eq!(wide.last().expect("changes").1, format!("{:0>100}", "1000"));
    assert!(
        wave.hierarchy()
            .lookup_var(&["counter", "ram"], "[0]")
            .is_none()
    );
}

#[test]
fn vcd() {
    changes_of_counter("x.vcd");
}

#[test]
fn fst() {
    changes_of_counter("x.fst");
}

#[test]
fn both_formats_hold_the_same() {
    let folder = Folder::new();
    folder
        .run("run counter.il --cycles 500 --poke en=1 --wave x.vcd")
        .ok();
    folder
        .run("run counter.il --cycles 500 --poke en=1 --wave x.fst")
        .ok();
    let (mut vcd, mut fst) = (open(&folder.path("x.vcd")), open(&folder.path("x.fst")));
    for name in ["count", "next", "wide", "word"] {
        let settled = |wave: &mut Waveform| {
            let mut all = changes(wave, &["counter", name]);
            // Several values at one time: the last is seen.
            all.reverse();
            all.dedup_by_key(|(time, _)| *time);
            all
        };
        assert_eq!(settled(&mut vcd), settled(&mut fst), "{name}");
    }
}

#[test]
fn memories_on_request() {
    let folder = Folder::new();
    for name in ["x.vcd", "x.fst"] {
        folder
            .run(&format!(
                "run counter.il --cycles 2 --poke ram[3]=5 --wave {name} --wave-memories"
            ))
            .ok();
        let mut wave = open(&folder.path(name));
        assert_eq!(
            changes(&mut wave, &["counter", "ram", "[3]"])
                .last()
                .expect("a value")
                .1,
            format!("{:016b}", 5)
        );
    }
}

#[test]
fn a_run_without_cycles_is_a_waveform_too() {
    let folder = Folder::new();
    for name in ["x.vcd", "x.fst"] {
        folder
            .run(&format!(
                "run counter.il --cycles 0 --poke addr=3 --wave {name}"
            ))
            .ok();
        let mut wave = open(&folder.path(name));
        assert_eq!(
            changes(&mut wave, &["counter", "addr"]),
            [(0, "0011".to_string())],
            "{name}"
        );
    }
}

/// Ctrl-C ends a run in good order: the waveform is whole and the cycle is told.
#[cfg(unix)]
#[test]
fn an_interrupted_waveform_is_whole() {
    let folder = Folder::new();
    for name in ["x.vcd", "x.fst"] {
        let mut command = folder.command(&format!("run counter.il --poke en=1 --wave {name}"));
        let piped = std::process::Stdio::piped();
        let child = command
            .stdout(std::process::Stdio::null())
            .stderr(piped)
            .spawn()
            .expect("starts");
        std::thread::sleep(std::time::Duration::from_millis(600));
        let kill = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.expect("kill is there").success());
        let output = common::answer(child.wait_with_output().expect("ends"));
        let message = output.failed(130);
        assert!(
            message.contains("cycles in ") && message.contains("interrupted"),
            "{message}"
        );
        let mut wave = open(&folder.path(name));
        assert!(
            changes(&mut wave, &["counter", "count"]).len() > 50,
            "{name}"
        );
    }
}
