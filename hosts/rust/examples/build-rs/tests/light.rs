//! As a build dependency the compiler stays light: no C or C++ compiler, no engine, few crates.

use std::process::Command;

/// More crates than this might not build in two minutes on two cores; there are about 50, and they take 80 seconds of
/// one processor.
const MOST_CRATES: usize = 60;

#[test]
fn the_compiler_alone_needs_no_c_compiler() {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--package",
            "rtlwasm",
            "--no-default-features",
            "--edges",
            "normal,build",
        ])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    let mut crates: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    crates.sort_unstable();
    crates.dedup();
    assert!(crates.contains(&"walrus"), "{crates:?}");
    for heavy in [
        "cc",
        "cmake",
        "cxx",
        "cxx-build",
        "bindgen",
        "wasm-opt",
        "wasmtime",
        "cranelift-codegen",
    ] {
        assert!(!crates.contains(&heavy), "`{heavy}` is needed");
    }
    assert!(
        crates.len() <= MOST_CRATES,
        "{} crates: {crates:?}",
        crates.len()
    );
}
