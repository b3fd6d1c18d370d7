//! Programs, folders and what is said about them.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Result};

/// The repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// What is kept between runs: `${RTLWASM_CACHE:-${XDG_CACHE_HOME:-~/.cache}/rtlwasm}`.
pub fn cache() -> Result<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(path) = set("RTLWASM_CACHE") {
        return Ok(path);
    }
    let base = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("rtlwasm")).ok_or(Failure::NoHome)
}

/// Cargo's target folder for all that is built here; outside of the repository unless the user says otherwise.
pub fn target_dir() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(path) => Ok(PathBuf::from(path)),
        None => Ok(cache()?.join("target")),
    }
}

/// A cargo command in the repository.
pub fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(arguments)
        .current_dir(repository())
        .env("CARGO_TARGET_DIR", target_dir()?);
    Ok(command)
}

/// Runs a command to its end with its output shown.
pub fn run(command: &mut Command) -> Result {
    let text = shown(command);
    let status = command.status().map_err(|source| Failure::Start {
        command: text.clone(),
        source,
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Command {
            command: text,
            status,
        })
    }
}

/// Runs a command on a text; what it writes.
pub fn with_input(command: &mut Command, input: &str) -> Result<String> {
    let text = shown(command);
    let failure = |source| Failure::Start {
        command: text.clone(),
        source,
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failure)?;
    let written = child
        .stdin
        .take()
        .map(|mut pipe| pipe.write_all(input.as_bytes()));
    written.transpose().map_err(failure)?;
    let output = child.wait_with_output().map_err(failure)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program can be started and succeeds; its output is dropped.
pub fn works(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Says what is being done, and why when that takes long.
pub fn say(what: &str) {
    println!("\x1b[1m==\x1b[0m {what}");
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
