//! Accepts snapshots: runs the tests that have them, then says by stage what changed.
//!
//! Tests write a snapshot only after what it shows has been compared with the interpreter and an outside simulator.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::claims::{self, DIAGNOSTIC, EVENTS, STAGES};
use crate::failure::{Result, at};
use crate::process::{cargo, repository, run as execute};
use crate::tidy;

/// Package and test file of everything with snapshots.
const TESTS: &[(&str, &str)] = &[("golden", "fixtures"), ("rtlwasm", "refusals")];

#[derive(clap::Args)]
pub struct Options {
    /// Only tests whose names contain this: `seq_counter`, `wide_`.
    filter: Option<String>,
}

/// Snapshots by path.
type Texts = BTreeMap<PathBuf, String>;

pub fn run(options: &Options) -> Result {
    let before = snapshots()?;
    let mut failed = None;
    for (package, test) in TESTS {
        let mut command = cargo(&["test", "--release", "--quiet", "--no-fail-fast"])?;
        command.args(["--package", package, "--test", test]);
        command
            .args(options.filter.as_deref())
            .env("INSTA_UPDATE", "always");
        failed = execute(&mut command).err().or(failed);
    }
    let after = snapshots()?;
    let changes = changes(&before, &after)?;
    print!("{}", summary(&changes));
    if options.filter.is_none() && failed.is_none() {
        remove_unclaimed()?;
    }
    failed.map_or(Ok(()), Err)
}

fn snapshots() -> Result<Texts> {
    let files = tidy::tracked_files()?;
    let snapshots = files
        .iter()
        .filter(|path| tidy::has_ending(path, &["snap"]));
    let read = |path: &PathBuf| {
        let full = repository().join(path);
        Ok((path.clone(), fs::read_to_string(&full).map_err(at(&full))?))
    };
    snapshots.map(read).collect()
}

/// Snapshots of fixtures and stages that are no more.
fn remove_unclaimed() -> Result {
    for path in claims::unclaimed(&tidy::tracked_files()?)? {
        if tidy::has_ending(&path, &["snap"]) {
            println!("removed {}", path.display());
            let full = repository().join(path);
            fs::remove_file(&full).map_err(at(&full))?;
        }
    }
    Ok(())
}

struct Change {
    path: PathBuf,
    stage: String,
    is_new: bool,
    added: usize,
    removed: usize,
}

fn changes(before: &Texts, after: &Texts) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for (path, text) in after {
        let old = before.get(path);
        if old == Some(text) {
            continue;
        }
        let (added, removed) = lines(path, old.map_or("", String::as_str))?;
        changes.push(Change {
            path: path.clone(),
            stage: stage(path),
            is_new: old.is_none(),
            added,
            removed,
        });
    }
    Ok(changes)
}

/// Lines that a file has more and less than its old text.
fn lines(path: &Path, old: &str) -> Result<(usize, usize)> {
    let mut git = Command::new("git");
    git.args(["diff", "--no-index", "--numstat", "--", "-"])
        .arg(path);
    let output = crate::process::with_input(git.current_dir(repository()), old)?;
    let mut numbers = output
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(0));
    Ok((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
}

/// `opt.ir` of `counter.opt.ir.snap`.
fn stage(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    match name.split_once('.') {
        Some((_, stage)) => stage.to_owned(),
        None => "command line".to_owned(),
    }
}

/// One line for each stage that changed, in the order of the pipeline, with the fixtures whose first one it is.
fn summary(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "no snapshot changed\n".to_owned();
    }
    let mut order: Vec<&str> = STAGES.to_vec();
    order.extend([EVENTS, DIAGNOSTIC, "command line"]);
    let place = |change: &Change| order.iter().position(|stage| *stage == change.stage);
    let mut first: BTreeMap<PathBuf, Option<usize>> = BTreeMap::new();
    for change in changes {
        let entry = first.entry(fixture(&change.path)).or_insert(place(change));
        *entry = (*entry).min(place(change));
    }
    let mut text = format!(
        "{:<12} {:>7} {:>4} {:>7} {:>7}  first to change in\n",
        "stage", "changed", "new", "lines +", "lines -"
    );
    for (index, stage) in order.iter().enumerate() {
        let here: Vec<&Change> = changes.iter().filter(|c| c.stage == *stage).collect();
        if here.is_empty() {
            continue;
        }
        let (new, sum) = (
            here.iter().filter(|change| change.is_new).count(),
            |count: fn(&Change) -> usize| here.iter().map(|change| count(change)).sum::<usize>(),
        );
        let starts = first.iter().filter(|(_, first)| **first == Some(index));
        text += &format!(
            "{stage:<12} {:>7} {new:>4} {:>7} {:>7}  {}\n",
            here.len() - new,
            sum(|change| change.added),
            sum(|change| change.removed),
            names(starts.map(|(fixture, _)| fixture))
        );
    }
    text
}

/// `seq/counter` of `tests/golden/snapshots/seq/counter.opt.ir.snap`.
fn fixture(path: &Path) -> PathBuf {
    let path = path.strip_prefix("tests/golden/snapshots").unwrap_or(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(name.split('.').next().unwrap_or_default())
}

/// A few of them.
fn names<'a>(fixtures: impl Iterator<Item = &'a PathBuf>) -> String {
    const SHOWN: usize = 5;
    let all: Vec<String> = fixtures.map(|path| path.display().to_string()).collect();
    match all.len() {
        0..=SHOWN => all.join(", "),
        count => format!("{}, {} more", all[..SHOWN].join(", "), count - SHOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_where_a_change_began() {
        let change = |path: &str, added, removed| Change {
            path: path.into(),
            stage: stage(Path::new(path)),
            is_new: removed == 0,
            added,
            removed,
        };
        let folder = "tests/golden/snapshots";
        let text = summary(&[
            change(&format!("{folder}/seq/a.wat.snap"), 3, 1),
            change(&format!("{folder}/seq/a.sched.snap"), 2, 1),
            change(&format!("{folder}/seq/b.wat.snap"), 4, 4),
            change("compiler/tests/snapshots/no_file.snap", 9, 0),
        ]);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["sched", "1", "0", "2", "1", "seq/a"]);
        assert_eq!(lines[2], ["wat", "2", "0", "7", "5", "seq/b"]);
        assert_eq!(lines[3][..6], ["command", "line", "0", "1", "9", "0"]);
        assert_eq!(summary(&[]), "no snapshot changed\n");
    }
}
