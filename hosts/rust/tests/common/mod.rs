//! The hand-written artifact as bytes, whole or with its manifest changed.

use rtlwasm_host::ModelOptions;
use serde_json::Value;

/// The fixture's manifest.
pub fn manifest() -> Value {
    serde_json::from_str(include_str!("../counter.json")).expect("valid JSON")
}

/// The fixture with this manifest.
pub fn with_manifest(manifest: &Value) -> Vec<u8> {
    let mut wasm = code();
    append_section(&mut wasm, "rtl.manifest", manifest.to_string().as_bytes());
    append_section(
        &mut wasm,
        "rtl.symbols",
        include_bytes!("../counter.symbols.json"),
    );
    wasm
}

/// The fixture as it is.
pub fn artifact() -> Vec<u8> {
    with_manifest(&manifest())
}

/// The fixture without its sections.
pub fn code() -> Vec<u8> {
    wat::parse_str(include_str!("../counter.wat")).expect("valid WebAssembly text")
}

/// Options that keep no files.
pub fn options() -> ModelOptions {
    ModelOptions {
        cache_dir: None,
        ..ModelOptions::default()
    }
}

/// Appends a custom section to a module.
pub fn append_section(wasm: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut body = Vec::new();
    leb(&mut body, name.len());
    body.extend(name.as_bytes());
    body.extend(data);
    wasm.push(0);
    leb(wasm, body.len());
    wasm.extend(body);
}

fn leb(out: &mut Vec<u8>, mut value: usize) {
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}
