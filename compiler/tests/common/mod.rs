//! Runs the `rtlwasm` command in a folder of its own.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A temporary folder with the test designs in it.
pub struct Folder {
    dir: tempfile::TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Folder {
        let dir = tempfile::tempdir().expect("temporary directory");
        let designs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
        for entry in std::fs::read_dir(designs).expect("the designs").flatten() {
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).expect("copied");
        }
        Folder { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rtlwasm"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.dir.path());
        command
            .env("RTLWASM_CACHE", self.path("cache"))
            .stdin(Stdio::null());
        command
    }

    /// Runs with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Answer {
        answer(self.command(arguments).output().expect("starts"))
    }
}

pub fn answer(output: Output) -> Answer {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Answer {
        status: output.status.code().expect("not killed"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Answer {
    /// The output of a command that must have worked.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        self.stdout
    }

    /// What a command that must have failed with this status said.
    #[track_caller]
    pub fn failed(self, status: i32) -> String {
        assert_eq!(self.status, status, "{self:?}");
        self.stderr
    }
}
