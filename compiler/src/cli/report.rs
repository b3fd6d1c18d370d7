//! Warnings and errors on standard error, and which of them end the command.

use clap::Args;
use rtlwasm::diag::{Colour, Diagnostic, Severity, Sources, render};

/// Every warning that has a name, with what it says.
pub const LINTS: &[(&str, &str)] = &[
    (
        "combinational-loop",
        "a net depends on itself without a register between",
    ),
    (
        "dropped-assertion",
        "an assertion or property that the front end cannot read",
    ),
    ("dropped-delay", "a delay that has no meaning in cycles"),
    (
        "dropped-initial-value",
        "the initial value of a variable that is taken from nets",
    ),
    (
        "dropped-task",
        "a system task that the simulation leaves out",
    ),
    ("enum-cast", "an enum is given a number without a cast"),
    ("ignored-cell", "a cell that has no effect in simulation"),
    (
        "latch",
        "a process keeps a value where no branch assigns it",
    ),
    ("multiple-drivers", "a net has several drivers"),
    (
        "synthesis-view",
        "only the source's view for synthesis could be read",
    ),
    ("undriven", "a net that is read has no driver"),
    (
        "verilog",
        "anything else that the Verilog front end warns of",
    ),
    ("width", "an assignment cuts bits off"),
];

/// `-W` and `--deny`.
#[derive(Args, Clone, Debug, Default)]
pub struct LintArgs {
    /// A warning to change: `-W no-LINT` hides it, `-W error=LINT` makes it an error, `-W error` makes all errors
    #[arg(short = 'W', value_name = "LINT", value_parser = lint_setting, help_heading = "Warnings")]
    settings: Vec<(Level, Option<String>)>,
    /// Make a warning an error; `--deny warnings` for all
    #[arg(long, value_name = "LINT", value_parser = denied, help_heading = "Warnings")]
    deny: Vec<Option<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Hidden,
    Warning,
    Error,
}

impl LintArgs {
    /// Prints the warnings that are to be seen; true when one of them is an error now.
    pub fn report(&self, warnings: &[Diagnostic], sources: &Sources, colour: Colour) -> bool {
        let mut shown = Vec::new();
        for warning in warnings {
            let level = if warning.severity == Severity::Warning {
                self.level(warning.code)
            } else {
                Level::Warning
            };
            match level {
                Level::Hidden => continue,
                Level::Warning => shown.push(warning.clone()),
                Level::Error => shown.push(Diagnostic {
                    severity: Severity::Error,
                    ..warning.clone()
                }),
            }
        }
        eprint!("{}", render(&shown, sources, colour));
        shown.iter().any(|d| d.severity == Severity::Error)
    }

    /// A setting with a name is stronger than one for all; of equals the last counts.
    fn level(&self, code: &str) -> Level {
        let denied = self.deny.iter().map(|name| (Level::Error, name));
        let mut level = Level::Warning;
        let mut named = false;
        for (setting, name) in self
            .settings
            .iter()
            .map(|(level, name)| (*level, name))
            .chain(denied)
        {
            match name {
                None if !named => level = setting,
                Some(name) if name == code => (level, named) = (setting, true),
                _ => {}
            }
        }
        level
    }
}

fn lint_setting(text: &str) -> Result<(Level, Option<String>), String> {
    if text == "error" {
        return Ok((Level::Error, None));
    }
    let (level, name) = if let Some(name) = text.strip_prefix("no-") {
        (Level::Hidden, name)
    } else if let Some(name) = text.strip_prefix("error=") {
        (Level::Error, name)
    } else {
        (Level::Warning, text)
    };
    known(name).map(|name| (level, Some(name)))
}

fn denied(text: &str) -> Result<Option<String>, String> {
    if text == "warnings" {
        Ok(None)
    } else {
        known(text).map(Some)
    }
}

fn known(name: &str) -> Result<String, String> {
    if LINTS.iter().any(|(lint, _)| *lint == name) {
        return Ok(name.to_string());
    }
    let names: Vec<&str> = LINTS.iter().map(|(lint, _)| *lint).collect();
    Err(format!(
        "there is no warning `{name}`; there are {}",
        names.join(", ")
    ))
}

/// An error that has no place in a source.
pub fn error(message: &str, colour: Colour) {
    let (start, end) = match colour {
        Colour::Always => ("\x1b[1;31m", "\x1b[0m"),
        Colour::Never => ("", ""),
    };
    eprintln!("{start}error{end}: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(settings: &[&str], deny: &[&str]) -> LintArgs {
        LintArgs {
            settings: settings
                .iter()
                .map(|s| lint_setting(s).expect("known"))
                .collect(),
            deny: deny.iter().map(|s| denied(s).expect("known")).collect(),
        }
    }

    /// Every code that a front end warns with can be named, and no other.
    #[test]
    fn the_list_is_complete() {
        let mut found = std::collections::BTreeSet::new();
        let mut folders = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("a source");
                for call in text.split(concat!("Diagnostic::", "warning(")).skip(1) {
                    let code = call
                        .trim_start()
                        .strip_prefix('"')
                        .and_then(|rest| rest.split('"').next());
                    found.extend(code.map(str::to_string));
                }
            }
        }
        // Notes are no warnings.
        found.remove("simulation-task");
        let listed: Vec<&str> = LINTS.iter().map(|(lint, _)| *lint).collect();
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), listed);
    }

    #[test]
    fn levels() {
        assert_eq!(args(&[], &[]).level("undriven"), Level::Warning);
        assert_eq!(args(&["no-undriven"], &[]).level("undriven"), Level::Hidden);
        assert_eq!(
            args(&["error=undriven"], &[]).level("verilog"),
            Level::Warning
        );
        assert_eq!(
            args(&["no-undriven"], &["warnings"]).level("undriven"),
            Level::Hidden
        );
        assert_eq!(
            args(&["error", "undriven"], &[]).level("undriven"),
            Level::Warning
        );
        assert_eq!(args(&["error"], &[]).level("undriven"), Level::Error);
        assert!(lint_setting("no-such").is_err() && denied("such").is_err());
    }
}
