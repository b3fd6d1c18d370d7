//! Every kind of bad input on the command line: commands in, their whole answers with exit statuses as snapshots.

mod common;

use std::fmt::Write;
use std::fs;

use common::Folder;
use serde_json::{Value, json};

/// Runs commands; each with its exit status and all that it says.
fn shown(folder: &Folder, commands: &[&str]) -> String {
    let mut text = String::new();
    for command in commands {
        let answer = folder.run(command);
        let _ = writeln!(text, "$ rtlwasm {command}\nexit status {}", answer.status);
        text.push_str(&answer.stdout);
        text.push_str(&answer.stderr);
        text.push('\n');
    }
    text
}

#[track_caller]
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Commands on the test designs.
#[track_caller]
fn answers(name: &str, commands: &[&str]) {
    snapshot(name, &shown(&Folder::new(), commands));
}

#[test]
fn files_that_do_not_exist() {
    answers(
        "missing_files",
        &[
            "build missing.il",
            "build missing.v",
            "build counter.il missing.il",
            "build -f missing.f",
            "check missing.sv",
            "run missing.wasm --cycles 1",
            "run missing.il --cycles 1",
            "inspect missing.wasm",
            "run counter.il --cycles 1 --load ram=missing.hex",
        ],
    );
}

#[test]
fn a_top_that_does_not_exist() {
    answers("unknown_top", &["build counter.il --top cuonter"]);
}

#[test]
fn cells_that_cannot_be_simulated() {
    let folder = Folder::new();
    let source = "module top(input a, output y, output z);\n  \
                  assign y = $anyconst;\n  special one (.A(a), .Y(z));\nendmodule\n";
    let netlist = r#"attribute \top 1
module \top
  wire input 1 \a
  wire output 2 \y
  wire output 3 \z
  attribute \src "top.v:2.14-2.23"
  cell $anyconst $auto$1
    parameter \WIDTH 1
    connect \Y \y
  end
  attribute \src "top.v:3.11-3.14"
  cell $special \one
    connect \A \a
    connect \Y \z
  end
end
"#;
    fs::write(folder.path("top.v"), source).expect("written");
    fs::write(folder.path("top.il"), netlist).expect("written");
    snapshot("unsupported_cells", &shown(&folder, &["build top.il"]));
    assert!(!folder.path("top.wasm").exists());
}

#[test]
fn rtlil_that_ends_too_early() {
    let folder = Folder::new();
    let whole = fs::read_to_string(folder.path("counter.il")).expect("there");
    let lines: Vec<&str> = whole.lines().collect();
    let cell = lines.iter().position(|line| line.contains("  cell "));
    let half = lines[..=cell.expect("a cell")].join("\n");
    fs::write(folder.path("half.il"), half).expect("written");
    fs::write(folder.path("word.il"), "module \\top\n  wire wid").expect("written");
    fs::write(folder.path("none.il"), "").expect("written");
    let commands = ["build half.il", "build word.il", "build none.il"];
    snapshot("truncated_rtlil", &shown(&folder, &commands));
}

#[test]
fn modules_that_are_missing() {
    let folder = Folder::new();
    let netlist = r"attribute \top 1
module \top
  wire input 1 \a
  cell \absent \first
    connect \a \a
  end
  cell \other \second
    connect \a \a
  end
  cell \middle \inside
    connect \a \a
  end
end
module \middle
  wire input 1 \a
  cell \absent \third
    connect \a \a
  end
end
";
    fs::write(folder.path("top.il"), netlist).expect("written");
    snapshot("missing_modules", &shown(&folder, &["build top.il"]));
}

#[test]
fn parameters_that_nobody_takes() {
    answers("parameters_of_rtlil", &["build counter.il -P WIDTH=4"]);
}

#[test]
fn signals_that_do_not_exist() {
    answers(
        "unknown_signals",
        &[
            "run counter.il --cycles 3 --peek cuont",
            "run counter.il --cycles 3 --peek nothing_like_it",
            "run counter.il --cycles 3 --peek count[1]",
            "run counter.il --cycles 3 --poke ne=1",
            "run counter.il --until conut=5",
            "run counter.il --cycles 3 --reset rts=1:2",
            "run counter.il --cycles 3 --load rma=ram.hex",
            "run counter.il --cycles 3 --clock clck",
            "run counter.il --cycles 3 --peek ram[16]",
        ],
    );
}

#[test]
fn values_that_do_not_fit() {
    answers(
        "values_too_wide",
        &[
            "run counter.il --cycles 3 --poke en=2",
            "run counter.il --cycles 3 --poke addr=0x1_0",
            "run counter.il --cycles 3 --poke addr=-9",
            "run counter.il --cycles 3 --poke ram[0]=0x10000",
            "run counter.il --cycles 3 --reset rst=2:1",
            "run counter.il --until count=256",
            "run counter.il --cycles 3 --poke en=z",
            "run counter.il --cycles 3 --poke word=1",
        ],
    );
}

/// The counter as an artifact, with changes.
struct Artifact {
    folder: Folder,
    wasm: Vec<u8>,
}

impl Artifact {
    fn new() -> Artifact {
        let folder = Folder::new();
        folder.run("build counter.il -q -O0").ok();
        let wasm = fs::read(folder.path("counter.wasm")).expect("written");
        Artifact { folder, wasm }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path(name), bytes).expect("written");
    }

    /// Writes it with another section `rtl.manifest`.
    fn with_manifest(&self, name: &str, manifest: &[u8]) {
        let mut wasm = Vec::new();
        for section in sections(&self.wasm) {
            match is_manifest(section) {
                true => append_section(&mut wasm, "rtl.manifest", manifest),
                false => wasm.extend(section),
            }
        }
        self.write(name, &[b"\0asm\x01\0\0\0", wasm.as_slice()].concat());
    }

    fn manifest(&self) -> Value {
        let mut all = sections(&self.wasm).into_iter();
        let section = all.find(|section| is_manifest(section)).expect("there");
        let json = section.iter().position(|byte| *byte == b'{').expect("JSON");
        serde_json::from_slice(&section[json..]).expect("JSON")
    }

    /// Writes it with one value of the manifest changed.
    fn with_value(&self, name: &str, pointer: &str, value: Value) {
        let mut manifest = self.manifest();
        *manifest.pointer_mut(pointer).expect("there") = value;
        self.with_manifest(name, manifest.to_string().as_bytes());
    }

    /// Writes it with other bytes in its control block.
    fn with_control(&self, name: &str, offset: usize, bytes: &[u8]) {
        let mut wasm = self.wasm.clone();
        let magic = wasm.windows(4).position(|four| four == b"rtlw");
        let at = magic.expect("the control block is data of the module") + offset;
        wasm[at..at + bytes.len()].copy_from_slice(bytes);
        self.write(name, &wasm);
    }
}

/// The sections of a module, each with its kind and length.
fn sections(wasm: &[u8]) -> Vec<&[u8]> {
    let mut rest = &wasm[8..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (length, bytes) = unsigned(&rest[1..]);
        let (section, behind) = rest.split_at(1 + bytes + length);
        found.push(section);
        rest = behind;
    }
    found
}

fn is_manifest(section: &[u8]) -> bool {
    let (_, bytes) = unsigned(&section[1..]);
    section[0] == 0 && section[1 + bytes..].starts_with(b"\x0crtl.manifest")
}

/// A LEB128 number and its bytes.
fn unsigned(bytes: &[u8]) -> (usize, usize) {
    let length = 1 + bytes
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .expect("an end");
    let digits = bytes[..length].iter().rev();
    let value = digits.fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    (value, length)
}

/// Lengths may have more bytes than they need: five here.
fn append_section(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    let length = 1 + name.len() + content.len();
    wasm.push(0);
    wasm.extend((0..5).map(|i| (length >> (7 * i)) as u8 & 0x7f | u8::from(i < 4) << 7));
    wasm.push(name.len() as u8);
    wasm.extend(name.as_bytes());
    wasm.extend(content);
}

#[test]
fn other_abi_versions() {
    let artifact = Artifact::new();
    artifact.with_value("manifest.wasm", "/abi", json!("2.0"));
    artifact.with_value("schema.wasm", "/schema", json!(9));
    artifact.with_control("control.wasm", 4, &[0, 0, 2, 0]);
    artifact.with_value("minor.wasm", "/abi", json!("1.99"));
    let commands = [
        "run manifest.wasm --cycles 1",
        "inspect manifest.wasm",
        "run schema.wasm --cycles 1",
        "run control.wasm --cycles 1",
    ];
    snapshot("other_abi_versions", &shown(&artifact.folder, &commands));
    // A later minor version only adds.
    artifact.folder.run("run minor.wasm --cycles 1").ok();
}

#[test]
fn unknown_features() {
    let artifact = Artifact::new();
    artifact.with_value("name.wasm", "/features", json!(["shared"]));
    artifact.with_control("known.wasm", 8, &[0, 2]);
    artifact.with_control("bit.wasm", 8, &[0, 0, 0, 0, 0, 0, 0, 0x80]);
    let commands = ["run name.wasm --cycles 1", "run known.wasm --cycles 1"];
    snapshot("unknown_features", &shown(&artifact.folder, &commands));
    // Features from bit 32 up change nothing for hosts that do not know them.
    artifact.folder.run("run bit.wasm --cycles 1").ok();
}

#[test]
fn corrupt_manifests() {
    let artifact = Artifact::new();
    let whole = artifact.manifest();
    let text = whole.to_string();
    // Where it ends depends on the code.
    artifact.write("cut.wasm", &artifact.wasm[..artifact.wasm.len() - 100]);
    for command in ["run cut.wasm --cycles 1", "inspect cut.wasm"] {
        let message = artifact.folder.run(command).failed(1);
        assert!(
            message.contains("damaged: unexpected end-of-file"),
            "{message}"
        );
    }
    artifact.with_manifest("half.wasm", &text.as_bytes()[..100]);
    artifact.with_manifest("not_json.wasm", b"top = counter");
    artifact.with_manifest("not_utf8.wasm", b"{\"top\":\"\xff\"}");
    artifact.with_manifest("list.wasm", b"[]");
    artifact.with_manifest("empty.wasm", b"");
    artifact.with_value("signal.wasm", "/signals/4/parts/0/0", json!(1_u64 << 40));
    artifact.with_value("state.wasm", "/state/len", json!(1_u64 << 40));
    artifact.with_value("clock.wasm", "/clocks/0/trigger", json!(77));
    let commands = [
        "run half.wasm --cycles 1",
        "run not_json.wasm --cycles 1",
        "run not_utf8.wasm --cycles 1",
        "run list.wasm --cycles 1",
        "run empty.wasm --cycles 1",
        "run signal.wasm --cycles 1",
        "run state.wasm --cycles 1",
        "run clock.wasm --cycles 1",
        "inspect half.wasm",
        "inspect not_json.wasm",
    ];
    snapshot("corrupt_manifests", &shown(&artifact.folder, &commands));
}

#[test]
fn files_of_another_kind() {
    let folder = Folder::new();
    let files: [(&str, &[u8]); 4] = [
        ("text.wasm", b"module top(); endmodule\n"),
        ("nothing.wasm", b""),
        ("plain.wasm", b"\0asm\x01\0\0\0"),
        ("component.wasm", b"\0asm\x0d\0\x01\0"),
    ];
    for (name, bytes) in files {
        fs::write(folder.path(name), bytes).expect("written");
    }
    fs::create_dir(folder.path("folder.wasm")).expect("made");
    let commands = [
        "run text.wasm --cycles 1",
        "inspect text.wasm",
        "run nothing.wasm --cycles 1",
        "run plain.wasm --cycles 1",
        "inspect plain.wasm",
        "run component.wasm --cycles 1",
        "run folder.wasm --cycles 1",
        "build plain.wasm -o out.wasm",
        "build counter.txt",
    ];
    snapshot("files_of_another_kind", &shown(&folder, &commands));
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = Folder::new();
    fs::create_dir(folder.path("taken.wasm")).expect("made");
    fs::create_dir(folder.path("other.wat")).expect("made");
    let names = || {
        let entries = fs::read_dir(folder.path("")).expect("there").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.retain(|name| name != "cache");
        names.sort();
        names
    };
    let before = names();
    let commands = [
        "build counter.il -q -o none/counter.wasm",
        "build counter.il -q -o counter.il/counter.wasm",
        "build counter.il -q -o taken.wasm",
        "build counter.il -q -o other.wasm --emit wat",
        "build counter.il -q -o counter.il",
        "dump counter.il -o none/counter.ir",
        "run counter.il --cycles 1 --wave none/counter.vcd",
        "run counter.il --cycles 1 --wave none/counter.fst",
    ];
    snapshot("unwritable_outputs", &shown(&folder, &commands));
    assert_eq!(names(), before, "something is left");
}
