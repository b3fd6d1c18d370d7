//! Why a task did not succeed.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{path}: {source}", path = path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{command}` cannot be started: {source}")]
    Start {
        command: String,
        source: std::io::Error,
    },
    #[error("`{command}` failed ({status})")]
    Command {
        command: String,
        status: std::process::ExitStatus,
    },
    #[error("these are missing: {packages}\n  install them with: apt-get install {packages}")]
    Packages { packages: String },
    #[error("the environment variable HOME is not set")]
    NoHome,
    #[error("{count} of {total} steps failed: {names}")]
    Steps {
        count: usize,
        total: usize,
        names: String,
    },
    #[error("runtime-abi/SPEC.md: {0}")]
    Specification(String),
    #[error("the package of {name} has no {file}")]
    Package { name: String, file: String },
    #[error("{0} findings")]
    Findings(usize),
    #[error("differs from what its sources build: {0} (`cargo xtask firmware` builds it anew)")]
    Firmware(String),
}

pub type Result<T = ()> = std::result::Result<T, Failure>;

/// For `map_err`: an error of the file system with its path.
pub fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_owned();
    move |source| Failure::Io { path, source }
}
