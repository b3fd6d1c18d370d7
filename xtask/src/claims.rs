//! Files that tests read: what is in the repository in, the files that no test claims out.
//!
//! Every file beside the fixtures is used by one, every snapshot belongs to a stage of a fixture or is named by a test
//! beside it, every design is in the list.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Result, at};
use crate::process::repository;
use crate::tidy::has_ending;

/// The snapshots of a fixture that compiles, in the order of the pipeline.
pub const STAGES: &[&str] = &[
    "ir", "opt.ir", "sched", "layout", "wat", "manifest", "trace",
];
/// That of a fixture with `//@ events`.
pub const EVENTS: &str = "events";
/// The only one of a fixture with `//@ error`.
pub const DIAGNOSTIC: &str = "diag";

const SOURCES: &[&str] = &["v", "sv", "il"];

pub fn unclaimed(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let list_path = repository().join("fixtures/designs/README.md");
    let list = fs::read_to_string(&list_path).map_err(at(&list_path))?;
    let mut unclaimed = Vec::new();
    for path in files {
        let claimed = match path.strip_prefix("fixtures") {
            Ok(rest) if rest.starts_with("designs") => design_is_listed(rest, &list),
            Ok(rest) if has_ending(rest, SOURCES) => true,
            Ok(_) => is_data_of_a_fixture(path, files)?,
            Err(_) if has_ending(path, &["snap"]) => snapshot_is_claimed(path, files)?,
            Err(_) => true,
        };
        if !claimed {
            unclaimed.push(path.clone());
        }
    }
    Ok(unclaimed)
}

/// `designs/NAME/...` with `NAME` in the table, or one of the folders that designs share.
fn design_is_listed(path: &Path, list: &str) -> bool {
    let folder = path.iter().nth(1).unwrap_or_default().to_string_lossy();
    ["README.md", "soc", "firmware"].contains(&folder.as_ref())
        || list.contains(&format!("| `{folder}` |"))
}

fn is_data_of_a_fixture(path: &Path, files: &[PathBuf]) -> Result<bool> {
    let beside = files
        .iter()
        .filter(|other| other.parent() == path.parent() && has_ending(other, SOURCES));
    one_contains(beside, &file_name(path))
}

fn snapshot_is_claimed(path: &Path, files: &[PathBuf]) -> Result<bool> {
    match path.strip_prefix("tests/golden/snapshots") {
        Ok(rest) => belongs_to_a_fixture(rest, files),
        Err(_) => is_named_by_a_test(path, files),
    }
}

/// `FOLDER/NAME.STAGE.snap`, where the fixture `FOLDER/NAME` has that stage.
fn belongs_to_a_fixture(snapshot: &Path, files: &[PathBuf]) -> Result<bool> {
    let name = file_name(snapshot);
    let name = name.trim_end_matches(".snap");
    let Some((stem, stage)) = name.split_once('.') else {
        return Ok(false);
    };
    let candidates = [
        Some((stem, "v")),
        stem.strip_suffix("_sv").map(|stem| (stem, "sv")),
        stem.strip_suffix("_il").map(|stem| (stem, "il")),
    ];
    let path = |(stem, ending)| {
        let file = snapshot.with_file_name(format!("{stem}.{ending}"));
        Path::new("fixtures").join(file)
    };
    let mut paths = candidates.into_iter().flatten().map(path);
    let Some(fixture) = paths.find(|path| files.contains(path)) else {
        return Ok(false);
    };
    let full = repository().join(&fixture);
    let text = fs::read_to_string(&full).map_err(at(&full))?;
    Ok(has_stage(&text, stage))
}

/// Whether a fixture with this source has a snapshot of a stage.
fn has_stage(source: &str, stage: &str) -> bool {
    let directive = |line: &str| {
        let line = line.strip_prefix("//@ ").or(line.strip_prefix("#@ "));
        line.map(|line| line.trim().to_owned())
    };
    let header: Vec<String> = source.lines().map_while(directive).collect();
    let says = |word: &str| header.iter().any(|line| line == word);
    match stage {
        DIAGNOSTIC => says("error"),
        EVENTS => says(EVENTS),
        _ => !says("error") && STAGES.contains(&stage),
    }
}

/// `tests/snapshots/NAME.snap`, where a test in `tests` says `"NAME"`.
fn is_named_by_a_test(path: &Path, files: &[PathBuf]) -> Result<bool> {
    let tests = path.parent().and_then(Path::parent);
    let sources = files
        .iter()
        .filter(|other| other.parent() == tests && has_ending(other, &["rs"]));
    let name = file_name(path);
    one_contains(sources, &format!("\"{}\"", name.trim_end_matches(".snap")))
}

fn one_contains<'a>(paths: impl Iterator<Item = &'a PathBuf>, text: &str) -> Result<bool> {
    for path in paths {
        let full = repository().join(path);
        if fs::read_to_string(&full).map_err(at(&full))?.contains(text) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_the_header() {
        let plain = "//@ clock: clk\nmodule m;\n//@ error\n";
        assert!(has_stage(plain, "opt.ir") && has_stage(plain, "trace"));
        assert!(!has_stage(plain, "diag") && !has_stage(plain, "events"));
        assert!(!has_stage(plain, "opt") && !has_stage(plain, "ir.old"));
        assert!(has_stage("#@ events\n", "events"));
        assert!(has_stage("//@ error\n", "diag") && !has_stage("//@ error\n", "ir"));
    }

    #[test]
    fn snapshots_need_their_fixture() {
        let files: Vec<PathBuf> = vec!["fixtures/seq/counter.il".into()];
        let belongs = |name: &str| belongs_to_a_fixture(Path::new(name), &files).unwrap();
        assert!(belongs("seq/counter_il.sched.snap"));
        assert!(!belongs("seq/counter.sched.snap"));
        assert!(!belongs("comb/counter_il.sched.snap"));
        assert!(!belongs("seq/counter_il.snap"));
    }
}
