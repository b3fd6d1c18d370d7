//! Tables of the written specification: the constants and field lists of `rtlwasm-abi` in, the parts of
//! `runtime-abi/SPEC.md` between `<!-- generated: NAME -->` and `<!-- end -->` out. All other text is left as it is.

use std::fs;
use std::path::PathBuf;

use rtlwasm_abi::layout::{self, Field};
use rtlwasm_abi::{
    ABI_MAJOR, ABI_MINOR, EXPORTS, FEATURES, MANIFEST_SECTION, SYMBOLS_SECTION, Status, manifest,
};

use crate::failure::{Failure, Result, at};
use crate::process::repository;

#[derive(clap::Args)]
pub struct Options {
    /// Change nothing; fail if a table differs.
    #[arg(long)]
    pub check: bool,
}

/// Name of a generated part, and what makes it.
type Part = (&'static str, fn() -> String);

const PARTS: &[Part] = &[
    ("constants", constants),
    ("exports", exports),
    ("statuses", statuses),
    ("features", features),
    ("control", || fields(layout::control::FIELDS)),
    ("state", || fields(layout::state::FIELDS)),
    ("trigger", || fields(layout::trigger::FIELDS)),
    ("event", || fields(layout::event::FIELDS)),
    ("play", || fields(layout::play::FIELDS)),
    ("trace", || fields(layout::trace::FIELDS)),
    ("watch", || fields(layout::watch::FIELDS)),
];

const END: &str = "<!-- end -->";

pub fn run(options: &Options) -> Result {
    let path = specification();
    let old = fs::read_to_string(&path).map_err(at(&path))?;
    let new = filled_in(&old).map_err(Failure::Specification)?;
    if new == old {
        return Ok(());
    }
    if options.check {
        return Err(Failure::Specification(
            "a table differs from the constants (`cargo xtask codegen` writes it anew)".to_owned(),
        ));
    }
    fs::write(&path, new).map_err(at(&path))
}

fn specification() -> PathBuf {
    repository().join("runtime-abi/SPEC.md")
}

/// The text with every part made anew. Each part must be there exactly once.
fn filled_in(text: &str) -> std::result::Result<String, String> {
    let mut text = text.to_owned();
    for (name, make) in PARTS {
        let start = format!("<!-- generated: {name} -->\n");
        let (before, rest) = text
            .split_once(&start)
            .ok_or_else(|| format!("there is no part `{name}`"))?;
        let (_, after) = rest
            .split_once(END)
            .ok_or_else(|| format!("part `{name}` has no end"))?;
        if after.contains(&start) {
            return Err(format!("part `{name}` is there twice"));
        }
        text = format!("{before}{start}{}{END}{after}", make());
    }
    let known = text.matches("<!-- generated: ").count();
    if known == PARTS.len() {
        Ok(text)
    } else {
        Err("there is a part that nothing generates".to_owned())
    }
}

/// A table in Markdown, where a bar inside a cell is escaped.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = line(head.iter().map(|cell| (*cell).to_owned()).collect());
    text += &line(head.iter().map(|_| "---".to_owned()).collect());
    text.extend(rows.into_iter().map(line));
    text
}

fn constants() -> String {
    let rows = [
        ("ABI version", format!("{ABI_MAJOR}.{ABI_MINOR}")),
        (
            "address of the control block",
            layout::CONTROL_BASE.to_string(),
        ),
        (
            "bytes of the control block",
            layout::CONTROL_LEN.to_string(),
        ),
        (
            "magic",
            format!("`{}`", String::from_utf8_lossy(&layout::MAGIC)),
        ),
        (
            "bytes of the state header",
            layout::state::HEADER_LEN.to_string(),
        ),
        ("bytes of a trigger", layout::trigger::LEN.to_string()),
        ("bytes of a play record", layout::play::LEN.to_string()),
        (
            "first argument of an event record",
            layout::event::ARGS.to_string(),
        ),
        ("section of the manifest", format!("`{MANIFEST_SECTION}`")),
        ("section of the symbols", format!("`{SYMBOLS_SECTION}`")),
        ("schema of the manifest", manifest::SCHEMA.to_string()),
    ];
    let rows = rows.map(|(what, value)| vec![what.to_owned(), value]);
    table(&["what", "value"], rows)
}

fn exports() -> String {
    let rows = EXPORTS
        .iter()
        .map(|export| vec![code(export.name), code(export.signature)]);
    table(&["export", "type"], rows)
}

fn statuses() -> String {
    let rows = Status::ALL.iter().map(|status| {
        let number = (*status as u32).to_string();
        vec![
            number,
            format!("`{status:?}`"),
            status.describe().to_owned(),
        ]
    });
    table(&["status", "name", "meaning"], rows)
}

fn features() -> String {
    let rows = FEATURES.iter().map(|feature| {
        vec![
            feature.bit.to_string(),
            code(feature.name),
            feature.meaning.to_owned(),
        ]
    });
    table(&["bit", "name", "meaning"], rows)
}

fn fields(fields: &[Field]) -> String {
    let rows = fields.iter().map(|field| {
        vec![
            field.offset.to_string(),
            field.size.to_string(),
            code(field.name),
            if field.host { "host" } else { "module" }.to_owned(),
            field.meaning.to_owned(),
        ]
    });
    table(&["offset", "bytes", "field", "writer", "meaning"], rows)
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> String {
        let part = |(name, _): &Part| format!("<!-- generated: {name} -->\nold\n{END}\n");
        PARTS.iter().map(part).collect()
    }

    #[test]
    fn parts_are_replaced_and_nothing_else() {
        let text = format!("before\n{}after\n", empty());
        let made = filled_in(&text).expect("all parts are there");
        assert!(made.starts_with("before\n") && made.ends_with("after\n"));
        assert!(made.contains("| `rtl_step` |") && !made.contains("\nold\n"));
        assert_eq!(filled_in(&made), Ok(made.clone()));
    }

    #[test]
    fn missing_double_and_unknown_parts_are_errors() {
        assert!(filled_in("").is_err());
        assert!(filled_in(&(empty() + &empty())).is_err());
        assert!(filled_in(&(empty() + "<!-- generated: other -->\n<!-- end -->")).is_err());
    }

    #[test]
    fn the_specification_is_up_to_date() {
        assert!(run(&Options { check: true }).is_ok());
    }
}
