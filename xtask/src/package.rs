//! The crates as they are published: nothing in, `.crate` files below cargo's target folder out, each of them whole.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process::{cargo, run as execute, say, target_dir};

#[derive(clap::Args)]
pub struct Options {
    /// Pack and look inside only; do not build what was packed.
    #[arg(long)]
    pub no_verify: bool,
}

/// Crates that are not published.
const PRIVATE: &[&str] = &["golden", "xtask", "build-rs-example", "rtlwasm-python"];

/// What each published crate must hold beside its sources.
const CONTENTS: &[(&str, &[&str])] = &[
    (
        "rtlwasm-abi",
        &["README.md", "LICENSE-APACHE", "LICENSE-MIT", "SPEC.md"],
    ),
    (
        "rtlwasm-host",
        &["README.md", "LICENSE-APACHE", "LICENSE-MIT"],
    ),
    (
        "rtlwasm",
        &[
            "README.md",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "src/emit/prelude.wat",
            "src/emit/watch.wat",
            "src/emit/trace.wat",
            "src/emit/wide.wat",
        ],
    ),
];

pub fn run(options: &Options) -> Result {
    let mut command = cargo(&["package", "--workspace", "--allow-dirty", "--quiet"])?;
    for name in PRIVATE {
        command.args(["--exclude", name]);
    }
    if options.no_verify {
        command.arg("--no-verify");
    } else {
        say(
            "Building the crates from their packages, without optimisation; this takes about ten minutes.",
        );
    }
    execute(&mut command)?;
    let folder = target_dir()?.join("package");
    for (name, wanted) in CONTENTS {
        check(&folder, name, wanted)?;
    }
    Ok(())
}

/// Fails when a package lacks a file.
fn check(folder: &Path, name: &str, wanted: &[&str]) -> Result {
    let stem = format!("{name}-{}", env!("CARGO_PKG_VERSION"));
    let mut command = Command::new("tar");
    command
        .arg("-tzf")
        .arg(folder.join(format!("{stem}.crate")));
    let output = command.output().map_err(|source| Failure::Start {
        command: "tar".to_owned(),
        source,
    })?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let files: Vec<&str> = listed.lines().collect();
    let missing = wanted
        .iter()
        .find(|file| !files.contains(&format!("{stem}/{file}").as_str()));
    match missing {
        Some(file) => Err(Failure::Package {
            name: name.to_owned(),
            file: (*file).to_owned(),
        }),
        None => Ok(()),
    }
}
