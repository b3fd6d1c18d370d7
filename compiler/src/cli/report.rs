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
        "dropped",
        "a part of the source that the simulation leaves out",
    ),
    ("latch", "a latch is inferred"),
    ("multiple-drivers", "a net has several drivers"),
    (
        "synthesis-view",
        "only the synthesis view of the source could be read",
    ),
    ("undriven", "a net that is read has no driver"),
    ("width", "widths that differ"),
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

    #[test]
    fn levels() {
        assert_eq!(args(&[], &[]).level("latch"), Level::Warning);
        assert_eq!(args(&["no-latch"], &[]).level("latch"), Level::Hidden);
        assert_eq!(args(&["error=latch"], &[]).level("width"), Level::Warning);
        assert_eq!(
            args(&["no-latch"], &["warnings"]).level("latch"),
            Level::Hidden
        );
        assert_eq!(
            args(&["error", "latch"], &[]).level("latch"),
            Level::Warning
        );
        assert_eq!(args(&["error"], &[]).level("latch"), Level::Error);
        assert!(lint_setting("no-such").is_err() && denied("such").is_err());
    }
}
