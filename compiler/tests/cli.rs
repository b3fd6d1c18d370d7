//! The command line as users meet it: outputs, exit statuses and messages.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{Folder, answer};
use serde_json::Value;

#[test]
fn build_writes_what_is_asked_for() {
    let folder = Folder::new();
    let told = folder.run("build counter.il");
    assert!(
        told.stderr.starts_with("counter.wasm: counter ("),
        "{told:?}"
    );
    assert!(
        std::fs::read(folder.path("counter.wasm"))
            .expect("written")
            .starts_with(b"\0asm")
    );
    folder
        .run(
            "build counter.il -q -O0 -o out.wasm --emit wasm,wat,ir,sched,manifest --depfile out.d",
        )
        .ok();
    let text = |name: &str| std::fs::read_to_string(folder.path(name)).expect("written");
    assert!(text("out.wat").starts_with("(module"));
    assert!(text("out.ir").starts_with("netlist \"counter\""));
    assert!(!text("out.sched").is_empty());
    let manifest: Value = serde_json::from_str(&text("out.manifest.json")).expect("JSON");
    assert_eq!(manifest["top"], "counter");
    let depfile = text("out.d");
    assert!(
        depfile.starts_with("out.wasm out.wat out.ir out.sched out.manifest.json: counter.il\n"),
        "{depfile}"
    );
}

#[test]
fn build_is_deterministic_and_pipes() {
    let folder = Folder::new();
    folder.run("build counter.il -q -o a.wasm").ok();
    folder.run("build counter.il -q -o b.wasm").ok();
    let read = |name: &str| std::fs::read(folder.path(name)).expect("written");
    assert_eq!(read("a.wasm"), read("b.wasm"));
    let mut child = folder
        .command("build - -o -")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(&read("counter.il"))
        .expect("read");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success() && output.stdout == read("a.wasm"));
}

#[test]
fn a_glob_chooses_what_hosts_may_write() {
    let folder = Folder::new();
    for (poke, writable) in [
        ("all", true),
        ("ports", false),
        ("r*", true),
        ("[a-q]*", false),
    ] {
        folder
            .run(&format!("build counter.il -q --poke {poke}"))
            .ok();
        let told = folder.run("run counter.wasm --cycles 0 --poke ram[1]=7 --peek ram[1]");
        assert_eq!(
            told.status,
            if writable { 0 } else { 2 },
            "{poke}: {told:?}"
        );
    }
    folder.run("build counter.il --poke [a").failed(2);
}

#[test]
fn wrong_outputs_are_usage_errors() {
    let folder = Folder::new();
    folder.run("build counter.il -o counter.il").failed(2);
    folder
        .run("build counter.il -o - --emit wasm,wat")
        .failed(2);
    folder.run("build counter.il +go").failed(2);
    folder.run("build counter.il -O7").failed(2);
    folder
        .run("build counter.il --deny no-such-warning")
        .failed(2);
    folder.run("build").failed(2);
    let message = folder.run("build counter.il -o none/x.wasm").failed(1);
    assert!(
        message.contains("cannot write `none/x.wasm`: there is no folder `none`"),
        "{message}"
    );
    folder.run("build counter.il -q").ok();
    let message = folder.run("build counter.wasm -o x.wasm").failed(1);
    assert!(
        message.contains("`counter.wasm` is an artifact"),
        "{message}"
    );
    let message = folder.run("build missing.il").failed(1);
    assert!(message.contains("missing.il"), "{message}");
}

#[test]
fn bad_sources_have_places() {
    let folder = Folder::new();
    std::fs::write(
        folder.path("bad.il"),
        "module \\m\n  wire widht 3 \\w\nend\n",
    )
    .expect("written");
    let message = folder.run("build bad.il").failed(1);
    assert!(message.contains("bad.il:2:"), "{message}");
    assert!(!folder.path("bad.wasm").exists());
}

#[test]
fn warnings_can_be_errors() {
    let folder = Folder::new();
    assert!(
        folder
            .run("check loop.il")
            .stderr
            .contains("warning[combinational-loop]")
    );
    assert!(
        folder
            .run("check loop.il --deny warnings")
            .failed(1)
            .contains("error[combinational-loop]")
    );
    assert!(
        folder
            .run("check loop.il -W error=combinational-loop")
            .failed(1)
            .contains("error[")
    );
    let hidden = folder.run("check loop.il -W no-combinational-loop");
    assert_eq!((hidden.status, hidden.stderr.as_str()), (0, ""));
    folder
        .run("build loop.il --deny combinational-loop")
        .failed(1);
    assert!(!folder.path("loop.wasm").exists());
}

#[test]
fn colours_only_on_request() {
    let folder = Folder::new();
    assert!(!folder.run("check loop.il").stderr.contains('\x1b'));
    assert!(
        folder
            .run("check loop.il --color always")
            .stderr
            .contains('\x1b')
    );
    assert!(
        folder
            .run("run none.wasm --color always")
            .failed(1)
            .contains('\x1b')
    );
}

#[test]
fn run_peeks_and_counts() {
    let folder = Folder::new();
    let out = folder
        .run("run counter.il --cycles 100 --reset rst=1:3 --poke en=1 --peek count --peek wide")
        .ok();
    assert_eq!(
        out,
        "five at 5, 0000000000000000000000020\ncount = 0x61\nwide = 0x2000000000000000000000000\n"
    );
    folder.run("build counter.il -q").ok();
    let run = folder
        .run("run counter.wasm --cycles 1_00 --reset rst=1:3 --poke en=1 --peek count --json");
    assert_eq!(
        run.stderr.lines().next(),
        Some("five at 5, 0000000000000000000000020")
    );
    let json: Value = serde_json::from_str(&run.ok()).expect("one JSON object");
    assert_eq!(
        (&json["cycles"], &json["status"]),
        (&Value::from(100), &Value::from("done"))
    );
    assert_eq!(json["peek"]["count"], "61");
    assert!(json["seconds"].as_f64().expect("a number") > 0.0);
}

#[test]
fn run_from_standard_input() {
    let folder = Folder::new();
    folder.run("build counter.il -q").ok();
    for name in ["counter.wasm", "counter.il"] {
        let file = std::fs::File::open(folder.path(name)).expect("there");
        let mut command = folder.command("run - --cycles 4 --poke en=1 --peek count");
        let output = command.stdin(file).output().expect("starts");
        assert_eq!(answer(output).ok(), "count = 0x04\n", "{name}");
    }
}

#[test]
fn memories_are_loaded() {
    let folder = Folder::new();
    std::fs::write(folder.path("ram.hex"), "1 2 // two\n@e aa bb\n").expect("written");
    std::fs::write(folder.path("ram.bin"), [0x34, 0x12]).expect("written");
    let out = folder
        .run(
            "run counter.il --cycles 1 --load ram=ram.hex --poke addr=15 --peek word --peek ram[1]",
        )
        .ok();
    assert_eq!(out, "word = 0x00bb\nram[1] = 0x0002\n");
    let out = folder.run("run counter.il --cycles 1 --load ram=ram.bin --peek word --poke ram[1]=7 --peek ram[1]").ok();
    assert_eq!(out, "word = 0x1234\nram[1] = 0x0007\n");
    std::fs::write(folder.path("bad.hex"), "1\n12345\n").expect("written");
    let message = folder
        .run("run counter.il --cycles 1 --load ram=bad.hex")
        .failed(1);
    assert!(message.contains("bad.hex:2:"), "{message}");
    assert!(
        folder
            .run("run counter.il --cycles 1 --load ram=none.hex")
            .failed(1)
            .contains("none.hex")
    );
    assert!(
        folder
            .run("run counter.il --cycles 1 --load count=ram.hex")
            .failed(2)
            .contains("not a memory")
    );
}

#[test]
fn exit_statuses_of_runs() {
    let folder = Folder::new();
    let run = |rest: &str| folder.run(&format!("run counter.il --poke en=1 --cycles 300 {rest}"));
    assert!(run("--poke addr=1").stderr.contains("200 cycles in "));
    assert_eq!(run("--poke addr=1").status, 0);
    assert!(
        run("--poke addr=2")
            .failed(3)
            .contains("fatal at counter.v:")
    );
    assert!(
        run("--poke addr=3")
            .failed(3)
            .contains("$stop at counter.v:")
    );
    assert!(
        run("--poke addr=4")
            .failed(3)
            .contains("assertion failed at counter.v:")
    );
    run("--until count=77").ok();
    assert!(
        run("--until word=1")
            .failed(4)
            .contains("--until did not come true")
    );
    run("--until wide=0x80000 --peek count").ok();
    assert!(
        folder
            .run("run loop.il --cycles 3 --poke go=1")
            .failed(5)
            .contains("did not settle")
    );
    let timeout = folder.run("run counter.il --timeout 0.2");
    assert!(timeout.failed(4).contains("--timeout is over"));
}

#[test]
fn json_statuses() {
    let folder = Folder::new();
    let status = |rest: &str| {
        let run = folder.run(&format!(
            "run counter.il --json --poke en=1 --cycles 300 {rest}"
        ));
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        json["status"].as_str().expect("a string").to_string()
    };
    assert_eq!(status("--poke addr=1"), "finish");
    assert_eq!(status("--poke addr=3"), "stop");
    assert_eq!(status("--poke addr=4"), "assertion-failed");
    assert_eq!(status("--until word=1"), "until-not-met");
}

#[test]
fn names_and_values_that_do_not_fit() {
    let folder = Folder::new();
    let run = |rest: &str| {
        folder
            .run(&format!("run counter.il --cycles 3 {rest}"))
            .failed(2)
    };
    assert!(run("--peek cuont").contains("there is no signal `cuont`; did you mean `count`?"));
    assert!(run("--poke en=2").contains("`en` has 1 bit, and `2` needs 2"));
    assert!(run("--poke en=z").contains("`z` is not a number"));
    assert!(run("--poke word=1").contains("`word` cannot be written"));
    assert!(run("--peek ram[16]").contains("rows 0 to 15"));
    assert!(run("--peek ram").contains("`ram` is a memory"));
    assert!(run("--reset rst=1").contains("NAME=VALUE:CYCLES"));
    assert!(run("--clock clock").contains("the only clock is `clk`"));
    assert!(run("--wave x.txt").contains(".vcd or .fst"));
    assert!(run("--wave-memories").contains("--wave"));
    let several = folder.run("run two_clocks.il --cycles 3").failed(2);
    assert!(
        several.contains("choose one with --clock: `red`, `blue`"),
        "{several}"
    );
    let one = folder
        .run("run two_clocks.il --cycles 3 --clock blue --peek reds --peek blues")
        .ok();
    assert_eq!(one, "reds = 0x00\nblues = 0x03\n");
}

#[test]
fn files_that_are_no_artifacts() {
    let folder = Folder::new();
    std::fs::write(folder.path("empty.wasm"), b"\0asm\x01\0\0\0").expect("written");
    assert!(
        folder
            .run("run empty.wasm --cycles 1")
            .failed(1)
            .contains("no section `rtl.manifest`")
    );
    assert!(
        folder
            .run("inspect empty.wasm")
            .failed(1)
            .contains("no section `rtl.manifest`")
    );
    assert!(
        folder
            .run("run none.wasm --cycles 1")
            .failed(1)
            .contains("cannot read `none.wasm`")
    );
    folder.run("build counter.il -q").ok();
    let mut wasm = std::fs::read(folder.path("counter.wasm")).expect("written");
    wasm.truncate(wasm.len() - 100);
    std::fs::write(folder.path("cut.wasm"), &wasm).expect("written");
    assert!(
        folder
            .run("run cut.wasm --cycles 1")
            .failed(1)
            .contains("damaged")
    );
}

#[test]
fn inspect_shows_everything() {
    let folder = Folder::new();
    folder.run("build counter.il -q").ok();
    let table = folder.run("inspect counter.wasm --signals").ok();
    for line in [
        "Top             counter",
        "  clk    input      1",
        "  ram   16    16",
        "  shifter   register  100",
    ] {
        assert!(table.contains(line), "{line}:\n{table}");
    }
    let json: Value =
        serde_json::from_str(&folder.run("inspect counter.il --json").ok()).expect("JSON");
    assert_eq!(json["ports"][4]["name"], "count");
    assert_eq!(json["memories"][0]["rows"], 16);
    assert_eq!(json["clocks"][0]["name"], "clk");
    assert!(json["sizes"]["code"].as_u64().expect("a number") > 100);
}

#[test]
fn dump_prints_every_stage() {
    let folder = Folder::new();
    let stages = [
        ("rtlil", "module \\counter"),
        ("ir", "netlist \"counter\""),
        ("opt-ir", "netlist \"counter\""),
        ("sched", "task"),
        ("layout", "count (output)"),
        ("wat", "rtl_step"),
        ("manifest", "\"top\":\"counter\""),
    ];
    for (stage, part) in stages {
        let text = folder.run(&format!("dump counter.il --stage {stage}")).ok();
        assert!(text.contains(part), "{stage}: {text}");
    }
}

#[test]
fn help_version_and_completions() {
    let folder = Folder::new();
    for command in ["build", "run", "inspect", "dump", "check"] {
        let help = folder.run(&format!("{command} --help")).ok();
        assert!(
            help.contains("Examples:") && help.contains("Exit status"),
            "{command}"
        );
    }
    let version = folder.run("--version").ok();
    for part in ["rtlwasm 0.", "Yosys", "wasmtime 48", "ABI      1.0"] {
        assert!(version.contains(part), "{version}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            folder
                .run(&format!("completions {shell}"))
                .ok()
                .contains("rtlwasm"),
            "{shell}"
        );
    }
    folder.run("").failed(2);
    folder.run("no-such-command").failed(2);
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::new();
    let mut child = folder
        .command("inspect counter.il --json")
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    assert!(child.wait().expect("ends").success());
}
