//! Why something cannot be measured.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::oracle::OracleError;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{path}: {source}", path = path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{program} cannot be started: {source}")]
    Start {
        program: String,
        source: std::io::Error,
    },
    #[error("{program} failed ({status}):\n{log}")]
    Command {
        program: String,
        status: ExitStatus,
        log: String,
    },
    #[error(transparent)]
    Oracle(#[from] OracleError),
    #[error("{name} ended before it was told to: {text}")]
    Ended { name: String, text: String },
    #[error("{name} differs in cycle {cycle}: {port} is {found}, but {expected} in ours")]
    Differs {
        name: String,
        cycle: u64,
        port: String,
        found: String,
        expected: String,
    },
    #[error("{name}: the program is over or has failed; the outputs are {outputs}")]
    Over { name: String, outputs: String },
    #[error("{0}")]
    Other(String),
}

pub type Result<T = ()> = std::result::Result<T, Failure>;

/// For `map_err`: an error of the file system with its path.
pub fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.to_owned();
    move |source| Failure::Io { path, source }
}
