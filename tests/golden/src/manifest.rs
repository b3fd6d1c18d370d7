//! A manifest as JSON for reading: one line for each key, and for each entry of a list. What changes with every
//! version or with the last byte of code is left out.

use rtlwasm::package::{Packaged, sorted_json};
use serde_json::Value;

/// Manifest and symbols; keys are sorted.
pub fn print(packaged: &Packaged) -> String {
    let mut manifest = packaged.manifest.clone();
    manifest.design_hash = "(changes with the code)".to_owned();
    manifest.toolchain.compiler = "rtlwasm".to_owned();
    let mut lines = entries(&sorted_json(&manifest));
    // The section of the symbols has one key, which the manifest has too.
    let symbols = entries(&sorted_json(&packaged.symbols));
    let renamed = |line: String| line.replacen("\"signals\"", "\"symbols\"", 1);
    lines.extend(symbols.into_iter().map(renamed));
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn entries(json: &[u8]) -> Vec<String> {
    let value: Value = serde_json::from_slice(json).expect("JSON that was just written");
    let object = value.as_object().expect("an object");
    object
        .iter()
        .map(|(key, value)| entry(key, value))
        .collect()
}

fn entry(key: &str, value: &Value) -> String {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let items: Vec<String> = items.iter().map(|item| format!("    {item}")).collect();
            format!("  \"{key}\": [\n{}\n  ]", items.join(",\n"))
        }
        _ => format!("  \"{key}\": {value}"),
    }
}
