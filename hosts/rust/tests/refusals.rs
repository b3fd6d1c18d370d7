//! Files that are no artifacts, or damaged ones: each is refused with a message that names the field.

mod common;

use common::{append_section, artifact, code, manifest, options, with_manifest};
use rtlwasm_host::{Artifact, LoadError};
use serde_json::{Value, json};

/// Why these bytes are refused.
fn refusal(wasm: &[u8]) -> LoadError {
    match Artifact::from_bytes(wasm, &options()) {
        Ok(_) => panic!("it loads"),
        Err(error) => error,
    }
}

/// The message for a manifest with the value at a JSON pointer replaced.
fn changed(pointer: &str, value: Value) -> String {
    let mut manifest = manifest();
    *manifest
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("no {pointer}")) = value;
    refusal(&with_manifest(&manifest)).to_string()
}

#[test]
fn files_that_are_no_artifacts() {
    assert!(matches!(
        refusal(b"module top(); endmodule"),
        LoadError::NotWasm
    ));
    assert!(matches!(refusal(b""), LoadError::NotWasm));
    assert!(matches!(refusal(&code()), LoadError::NotArtifact));
    assert!(refusal(&code()).to_string().contains("rtlwasm build"));
    let Err(missing) = Artifact::load("/nonexistent/x.wasm", &options()) else {
        panic!("there is no such file");
    };
    assert!(
        missing
            .to_string()
            .starts_with("cannot read `/nonexistent/x.wasm`")
    );
}

#[test]
fn cut_and_damaged_files() {
    let whole = artifact();
    for len in (8..whole.len()).step_by(97) {
        assert!(
            Artifact::from_bytes(&whole[..len], &options()).is_err(),
            "{len} bytes"
        );
    }
    let mut wasm = code();
    append_section(&mut wasm, "rtl.manifest", b"{\"schema\":1,\"abi\":\"1.0\",");
    assert!(matches!(
        refusal(&wasm),
        LoadError::Json {
            section: "rtl.manifest",
            ..
        }
    ));
    let mut wasm = with_manifest(&manifest());
    append_section(&mut wasm, "rtl.symbols", b"[]");
    assert!(matches!(
        refusal(&wasm),
        LoadError::Json {
            section: "rtl.symbols",
            ..
        }
    ));
}

#[test]
fn other_versions_and_features() {
    let message = changed("/abi", json!("2.0"));
    assert!(
        message.contains("ABI version 2.0") && message.contains("build the artifact again"),
        "{message}"
    );
    assert!(changed("/schema", json!(9)).contains("ABI version"));
    assert!(changed("/features", json!(["shared"])).contains("feature `shared`"));
    let mut newer = manifest();
    newer["abi"] = json!("1.7");
    newer["features"] = json!(["something-new"]);
    newer["unknown_key"] = json!([1, 2]);
    newer["signals"][1]["kind"] = json!("something-new");
    assert!(Artifact::from_bytes(&with_manifest(&newer), &options()).is_ok());
}

#[test]
fn fields_that_point_outside() {
    let cases = [
        ("/state/base", json!(4096), "state"),
        ("/scalars/len", json!(u64::MAX), "scalars"),
        ("/event_reserve", json!(4096), "event_reserve"),
        ("/clocks/0/trigger", json!(9), "clocks[0].trigger"),
        ("/clocks/0/signal", json!(99), "clocks[0].signal"),
        (
            "/signals/1/parts/0/0",
            json!(70_000),
            "signals[1] (`en`).parts[0]",
        ),
        (
            "/signals/1/parts/0/0",
            json!(u64::MAX),
            "signals[1] (`en`).parts[0]",
        ),
        (
            "/signals/1/parts/0/0",
            json!(1024),
            "signals[1] (`en`).parts[0]",
        ),
        (
            "/signals/1/parts/0/1",
            json!(u32::MAX),
            "signals[1] (`en`).parts[0]",
        ),
        (
            "/signals/1/parts/0/2",
            json!(8),
            "signals[1] (`en`).parts[0]",
        ),
        ("/signals/1/parts/0/3", json!(3), "signals[1] (`en`).parts"),
        (
            "/signals/1/width",
            json!(u32::MAX),
            "signals[1] (`en`).width",
        ),
        ("/signals/1/path", json!([]), "path"),
        (
            "/signals/1/kind",
            json!("memory"),
            "signals[1] (`en`).depth",
        ),
        ("/signals/2/alias_of", json!(2), "signals[2].alias_of"),
        ("/signals/2/alias_of", json!(99), "signals[2].alias_of"),
        ("/signals/2/alias_of", json!(1), "signals[2].alias_of"),
        ("/signals/3/inout/0", json!(3), "signals[3] (`bus`).inout"),
        ("/signals/3/inout/2", json!(99), "signals[3] (`bus`).inout"),
        ("/outline_groups", json!(0), "(`next`).outline"),
        ("/outline_groups", json!(1 << 29), "outline_groups"),
        ("/plusargs/0/found", json!(99), "plusargs[0].found"),
        ("/events/0/message/1/arg", json!(1), "events[0].message[1]"),
        ("/events/0/message/1/base", json!(7), "events[0].message[1]"),
        (
            "/events/0/message/1/layout/width",
            json!(u32::MAX),
            "events[0].message[1]",
        ),
        (
            "/events/0/args/0/width",
            json!(u32::MAX),
            "events[0].args[0]",
        ),
        ("/events/3/cover", json!(0), "events[3].cover"),
        ("/layout_hash", json!("00"), "layout_hash"),
    ];
    for (pointer, value, field) in cases {
        let message = match pointer {
            "/layout_hash" => model_refusal(pointer, value),
            _ => changed(pointer, value.clone()),
        };
        let expected = format!("corrupt artifact: {field}");
        let found = message.starts_with(&expected) || message.contains(field);
        assert!(
            found && message.ends_with("build the artifact again"),
            "{pointer}: {message}"
        );
    }
}

fn model_refusal(pointer: &str, value: Value) -> String {
    let mut manifest = manifest();
    *manifest.pointer_mut(pointer).expect("there") = value;
    let artifact = Artifact::from_bytes(&with_manifest(&manifest), &options()).expect("loads");
    artifact.model(&options()).expect_err("refused").to_string()
}

#[test]
fn memories_that_run_over() {
    let symbols = json!({"signals": [{"path": ["m"], "kind": "memory", "access": "r", "width": 8, "stride": 65536,
        "depth": 2, "parts": [[2161, 1, 0, 8]]}]});
    let mut wasm = code();
    let mut manifest = manifest();
    manifest["signals"] = json!([manifest["signals"][0], manifest["signals"][1]]);
    append_section(&mut wasm, "rtl.manifest", manifest.to_string().as_bytes());
    append_section(&mut wasm, "rtl.symbols", symbols.to_string().as_bytes());
    assert!(
        refusal(&wasm)
            .to_string()
            .contains("signals[2] (`m`).parts[0]")
    );
}

/// The control block is data of the module: change it there.
#[test]
fn control_blocks_that_point_outside() {
    let text = include_str!("counter.wat");
    let cases = [
        ("\"rtlw\\00\\00\\01", "\"rtlx\\00\\00\\01", "magic"),
        (
            "\"rtlw\\00\\00\\01",
            "\"rtlw\\00\\00\\02",
            "ABI version 2.0",
        ),
        (
            "rtlw\\00\\00\\01\\00\\00",
            "rtlw\\00\\00\\01\\00\\02",
            "feature `shared`",
        ),
        (
            "rtlw\\00\\00\\01\\00\\00",
            "rtlw\\00\\00\\01\\00\\80",
            "feature bit 7",
        ),
        ("\\90\\00\\00\\00", "\\90\\00\\00\\7f", "state_base"),
        ("\"\\40\\08\\00\\00", "\"\\40\\00\\00\\00", "trigger_base"),
        ("\\00\\20\\00\\00", "\\04\\20\\00\\00", "host_base"),
        ("\\00\\01\\00\\00\")", "\\00\\03\\00\\00\")", "event_size"),
        (
            "(export \"rtl_poke\")",
            "(export \"rtl_poke_\")",
            "export `rtl_poke` of type `i32, i32, i64 -> i32`",
        ),
        (
            "(memory (export \"memory\") 1)",
            "(memory (export \"m\") 1)",
            "export `memory`",
        ),
    ];
    for (old, new, expected) in cases {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        let mut wasm = wat::parse_str(text.replace(old, new)).expect("valid");
        append_section(&mut wasm, "rtl.manifest", manifest().to_string().as_bytes());
        append_section(
            &mut wasm,
            "rtl.symbols",
            include_bytes!("counter.symbols.json"),
        );
        let message = refusal(&wasm).to_string();
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn imports_are_refused() {
    let mut wasm = wat::parse_str("(module (import \"a\" \"b\" (func)))").expect("valid");
    append_section(&mut wasm, "rtl.manifest", manifest().to_string().as_bytes());
    append_section(
        &mut wasm,
        "rtl.symbols",
        include_bytes!("counter.symbols.json"),
    );
    assert!(refusal(&wasm).to_string().contains("imports `a.b`"));
}

#[test]
fn the_engine_version_is_told_right() {
    let lock = include_str!("../../../Cargo.lock");
    let entry = format!(
        "name = \"wasmtime\"\nversion = \"{}\"",
        rtlwasm_host::WASMTIME_VERSION
    );
    assert!(lock.contains(&entry));
}
