//! Snapshots of one fixture: texts by stage in, those that differ from the accepted ones out.
//!
//! All stages are compared, in the order of the pipeline, so that the first that differs says where a change began.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::fixture::Fixture;

/// Longer texts are cut.
const LONGEST: usize = 400;
/// Lines that a cut text keeps.
const KEPT: usize = 150;

/// What one stage made of a fixture.
pub struct Text {
    /// The middle of the snapshot's name; `xtask/src/claims.rs` lists them all.
    pub stage: &'static str,
    pub text: String,
}

impl Text {
    pub fn new(stage: &'static str, text: &str) -> Text {
        Text {
            stage,
            text: cut(text),
        }
    }
}

/// Compares all texts with their snapshots, or accepts them if `INSTA_UPDATE` says so.
///
/// # Panics
/// When some differ, after all have been compared; each difference is printed.
pub fn check(fixture: &Fixture, texts: &[Text]) {
    let mut different = Vec::new();
    for text in texts {
        let asserted = catch_unwind(AssertUnwindSafe(|| assert_one(fixture, text)));
        if asserted.is_err() {
            different.push(text.stage);
        }
    }
    if !different.is_empty() {
        panic!(
            "{}: {} (`cargo xtask bless` accepts)",
            fixture.name,
            report(&different)
        );
    }
}

/// Says which texts are not as accepted, and accepts none: for fixtures that fail otherwise.
pub fn compare(fixture: &Fixture, texts: &[Text]) -> String {
    let is_accepted = |text: &Text| {
        let path = folder(fixture).join(format!("{}.snap", name(fixture, text)));
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        // A snapshot opens with a block between lines of dashes.
        let content = stored.splitn(3, "---\n").nth(2).unwrap_or_default();
        content.trim() == text.text.trim()
    };
    let different = texts.iter().filter(|text| !is_accepted(text));
    let different: Vec<&str> = different.map(|text| text.stage).collect();
    match different.is_empty() {
        true => "all stages are as their snapshots".to_owned(),
        false => report(&different),
    }
}

fn report(different: &[&str]) -> String {
    let (first, rest) = different.split_first().expect("some differ");
    match rest {
        [] => format!("only `{first}` differs"),
        _ => format!(
            "`{first}` is the first stage to differ, then `{}`",
            rest.join("`, `")
        ),
    }
}

fn assert_one(fixture: &Fixture, text: &Text) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder(fixture));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name(fixture, text), text.text));
}

fn folder(fixture: &Fixture) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("snapshots")
        .join(fixture.group())
}

fn name(fixture: &Fixture, text: &Text) -> String {
    format!("{}.{}", fixture.stem(), text.stage)
}

/// The beginning of a long text, with the number of its lines and a hash of it all.
fn cut(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= LONGEST {
        return text.to_owned();
    }
    let hash: String = Sha256::digest(text)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kept = lines[..KEPT].join("\n");
    format!("{kept}\n... {} lines, SHA-256 {hash}\n", lines.len())
}

/// What a caught panic said.
pub fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_keep_a_hash() {
        let text = |last: usize| -> String { (0..last).map(|i| format!("line {i}\n")).collect() };
        assert_eq!(cut(&text(LONGEST)), text(LONGEST));
        let (one, other) = (cut(&text(LONGEST + 1)), cut(&text(LONGEST + 2)));
        assert_eq!(one.lines().count(), KEPT + 1);
        assert!(one.contains("\n... 401 lines, SHA-256 "));
        assert_ne!(one.lines().last(), other.lines().last());
    }

    #[test]
    fn the_first_stage_is_told() {
        assert_eq!(report(&["wat"]), "only `wat` differs");
        let several = report(&["sched", "layout", "wat"]);
        assert_eq!(
            several,
            "`sched` is the first stage to differ, then `layout`, `wat`"
        );
    }
}
