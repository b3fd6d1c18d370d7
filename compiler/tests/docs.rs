//! Commands in `docs/cli.md` are run, and what they print must be what the page shows.
//!
//! A `console` block holds commands after `$ `, each followed by its standard output. `RTLWASM_UPDATE_DOCS=1` writes
//! the outputs into the page.

mod common;

use std::path::Path;
use std::process::Command;

use common::Folder;

#[test]
fn commands_print_what_the_page_shows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let written = std::fs::read_to_string(&page).expect("the page");
    let run = with_outputs(&written);
    if std::env::var_os("RTLWASM_UPDATE_DOCS").is_some() {
        std::fs::write(&page, run).expect("writable");
    } else {
        assert_eq!(
            written, run,
            "RTLWASM_UPDATE_DOCS=1 writes the outputs into the page"
        );
    }
}

#[test]
fn every_warning_is_on_the_page() {
    let page = include_str!("../../docs/cli.md");
    let source = include_str!("../src/cli/report.rs");
    let list = source
        .split("LINTS: ")
        .nth(1)
        .and_then(|rest| rest.split("];").next())
        .expect("the list");
    let mut strings = list.split('"').skip(1).step_by(2);
    while let (Some(name), Some(meaning)) = (strings.next(), strings.next()) {
        assert!(
            page.contains(&format!("| `{name}` | {meaning} |")),
            "{name}"
        );
    }
}

/// The page with every output as it is now.
fn with_outputs(page: &str) -> String {
    let folder = Folder::new();
    let mut out = String::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            let Some(command) = line.strip_prefix("$ ") else {
                continue;
            };
            out += &format!("{line}\n{}", output(&folder, command));
            continue;
        }
        out += line;
        out.push('\n');
    }
    out
}

fn output(folder: &Folder, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_rtlwasm"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        program.display(),
        std::env::var("PATH").expect("set")
    );
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder.path(""))
        .env("PATH", path)
        .env("RTLWASM_CACHE", folder.path("cache"))
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .map(|line| line.trim_end().to_string() + "\n")
        .collect()
}
