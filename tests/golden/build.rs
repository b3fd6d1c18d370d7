//! One test per fixture: the files in `fixtures/` in, a list of calls of `fixture!` for `tests/fixtures.rs` out.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

const FOLDERS: &[&str] = &["comb", "seq", "clock", "mem", "wide", "event", "error"];

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../fixtures");
    let mut list = String::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        let mut names: Vec<PathBuf> = fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                ["v", "sv", "il"]
                    .map(Some)
                    .contains(&path.extension().and_then(|e| e.to_str()))
            })
            .collect();
        names.sort();
        for path in names {
            let file = path.file_name().unwrap().to_str().unwrap();
            let test = format!("{folder}_{}", file.trim_end_matches(".v")).replace('.', "_");
            _ = writeln!(list, "fixture!({test}, \"{folder}/{file}\");");
        }
    }
    fs::write(
        Path::new(&env::var("OUT_DIR").unwrap()).join("fixtures.rs"),
        list,
    )
    .unwrap();
}
