//! The first use of Yosys, by processes as users start them: two at once, killed half way, without room on the
//! disk, with entries that are stale. A small module stands for Yosys, so that nothing is downloaded; how
//! `pip` is used, and the real module, are for the tests that read Verilog.

#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, answer};

/// A module of so many functions: the more, the longer it takes to compile.
fn module(folder: &Folder, functions: usize) {
    let mut text =
        String::from("(module (memory (export \"memory\") 1) (func (export \"_start\"))");
    for index in 0..functions {
        text += &format!(
            "(func (param i64) (result i64) local.get 0 i64.const {index} i64.mul i64.const 7 i64.add)"
        );
    }
    std::fs::write(
        folder.path("yosys.wasm"),
        wat::parse_str(text + ")").expect("valid"),
    )
    .expect("written");
}

const SETUP: &str = "setup --yosys yosys.wasm";

/// Names in the cache, sorted; hashes left out.
fn entries(folder: &Folder) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder.path("cache"))
        .expect("the cache")
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            let name = name.to_string_lossy().into_owned();
            match name.rsplit_once('.') {
                Some((stem, ending)) if stem.starts_with("yosys-") => format!("yosys.{ending}"),
                _ => name,
            }
        })
        .collect();
    names.sort();
    names
}

const WHOLE: [&str; 3] = ["lock", "yosys.cwasm", "yosys.json"];

/// The command in a shell that allows files of so many blocks of 512 bytes; beyond them writing fails, as on a full disk.
fn with_small_disk(command: Command, blocks: u32) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
        ))
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    let variables = command.get_envs();
    shell.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null());
    shell
}

#[test]
fn one_compiles_and_the_other_waits() {
    let folder = Folder::new();
    module(&folder, 10);
    std::fs::create_dir(folder.path("cache")).expect("made");
    // This test is the process that is compiling.
    let lock = std::fs::File::create(folder.path("cache/lock")).expect("made");
    lock.lock().expect("nobody else holds it");
    let start = || {
        let mut command = folder.command(SETUP);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("starts")
    };
    let mut waiting = [start(), start()];
    for child in &mut waiting {
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        assert!(line.starts_with("waiting for another rtlwasm"), "{line}");
        child.stderr = Some(stderr.into_inner());
    }
    assert_eq!(entries(&folder), ["lock"]);
    drop(lock);
    let mut compiled = 0;
    for child in waiting {
        let told = answer(child.wait_with_output().expect("ends"));
        compiled += told.stderr.matches("compiling Yosys").count();
        assert!(told.ok().contains("is ready"));
    }
    assert_eq!(
        (compiled, entries(&folder)),
        (1, WHOLE.map(str::to_string).to_vec())
    );
}

#[test]
fn killed_at_any_time_it_leaves_nothing_broken() {
    let folder = Folder::new();
    module(&folder, 4000);
    for milliseconds in [0, 5, 20, 50, 100, 200, 400, 800] {
        let mut child = folder.command(&format!("{SETUP} --force"));
        let mut child = child
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().expect("ends");
        folder.run(SETUP).ok();
        assert_eq!(entries(&folder), WHOLE, "killed after {milliseconds} ms");
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let folder = Folder::new();
    module(&folder, 4000);
    let told = answer(
        with_small_disk(folder.command(SETUP), 64)
            .output()
            .expect("starts"),
    );
    let message = told.failed(1);
    assert!(
        message.contains("cannot keep the compiled Yosys") && message.contains("RTLWASM_CACHE"),
        "{message}"
    );
    assert_eq!(entries(&folder), ["lock"]);
    folder.run(SETUP).ok();
    assert_eq!(entries(&folder), WHOLE);
}

#[test]
fn a_full_temporary_folder_is_told() {
    let folder = Folder::new();
    module(&folder, 10);
    folder.run(SETUP).ok();
    std::fs::write(folder.path("m.v"), "module m; endmodule\n").expect("written");
    let check = folder.command("check m.v --yosys yosys.wasm");
    let message = answer(with_small_disk(check, 0).output().expect("starts")).failed(1);
    assert!(
        message.contains("error[scratch]") && message.contains("TMPDIR"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_loaded_is_compiled_again() {
    let folder = Folder::new();
    module(&folder, 10);
    folder.run(SETUP).ok();
    let find = |ending: &str| {
        let entries = std::fs::read_dir(folder.path("cache")).expect("the cache");
        let mut paths = entries.map(|entry| entry.expect("an entry").path());
        let found = paths.find(|path| path.extension().is_some_and(|e| e == ending));
        found.expect("an entry of that kind")
    };
    let (code, record) = (find("cwasm"), find("json"));
    let spoil: [&dyn Fn(); 4] = [
        &|| std::fs::write(&code, b"no machine code").expect("written"),
        &|| std::fs::write(&record, b"{").expect("written"),
        &|| std::fs::remove_file(&code).expect("there"),
        &|| std::fs::remove_file(&record).expect("there"),
    ];
    for spoil in spoil {
        spoil();
        let told = folder.run(SETUP);
        assert!(told.stderr.contains("compiling Yosys"), "{told:?}");
        told.ok();
        assert_eq!(folder.run(SETUP).stderr, "");
        assert_eq!(entries(&folder), WHOLE);
    }
}

/// A Yosys that ends in each of the ways it can fails the command with a message and status 1.
#[test]
fn a_yosys_that_dies_is_a_diagnostic() {
    let memory = |pages: u32| format!("(memory (export \"memory\") {pages})");
    for (body, pages, words) in [
        ("unreachable", 1, "Yosys crashed"),
        ("call 0", 1, "out of stack"),
        ("unreachable", 65535, "out of its 4 GiB of memory"),
    ] {
        let folder = Folder::new();
        let text = format!(
            "(module {} (func (export \"_start\") {body}))",
            memory(pages)
        );
        let path: &Path = &folder.path("yosys.wasm");
        std::fs::write(path, wat::parse_str(text).expect("valid")).expect("written");
        std::fs::write(folder.path("m.v"), "module m; endmodule\n").expect("written");
        let message = folder.run("check m.v --yosys yosys.wasm").failed(1);
        assert!(
            message.contains("error[yosys]") && message.contains(words),
            "{body}: {message}"
        );
    }
}
