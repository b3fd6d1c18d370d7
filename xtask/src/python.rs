//! The Python package: built as a wheel, installed into an environment of its own below the cache, checked and tested.
//!
//! The wheel is built in cargo's target folder like everything else, so that the engine is not built twice. Versions
//! of what is installed are pinned in `hosts/python/pyproject.toml`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Result, at};
use crate::process::{cache, repository, run as execute, say, target_dir};
use crate::{cores, setup};

#[derive(clap::Args)]
pub struct Options {
    /// Run the gateware tests of SOL and LUNA under the engines for Torii and Amaranth instead; they are downloaded. How
    /// each ended is written to hosts/python/tests/suites.txt.
    #[arg(long)]
    pub suites: bool,
}

/// What `pyproject.toml` pins for tests, one requirement a line.
const PINNED: &str = "import sys, tomllib; \
                      print('\\n'.join(tomllib.load(open(sys.argv[1], 'rb'))['dependency-groups']['test']))";

/// The Python that environments are made with.
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// `cargo xtask python`.
pub fn run(options: &Options) -> Result {
    setup::run()?;
    match options.suites {
        true => suites(),
        false => test(),
    }
}

/// Builds, installs, checks types and style, runs the tests.
pub fn test() -> Result {
    let environment = Environment::ready()?;
    environment.install_wheel()?;
    environment.tool(&["ruff", "check", "--quiet", "--no-cache", "."])?;
    environment.tool(&["ruff", "format", "--check", "--quiet", "--no-cache", "."])?;
    environment.tool(&["mypy", "--no-incremental"])?;
    environment.tool(&[
        "mypy.stubtest",
        "rtlwasm._native",
        "--concise",
        "--mypy-config-file",
        "pyproject.toml",
    ])?;
    environment.tool(&["pytest", "-q", "-p", "no:cacheprovider"])
}

/// `cargo xtask bench python`: measures and writes the tables of docs/python.md.
pub fn bench() -> Result {
    let environment = Environment::ready()?;
    environment.install_wheel()?;
    let mut command = environment.python();
    command
        .arg("tests/bench.py")
        .arg(target_dir()?.join("release").join("rtlwasm"))
        .arg(cache()?.join("suites"))
        .env("RTLWASM_CORES", cores::folder()?);
    execute(&mut command)
}

/// SOL's and LUNA's tests.
fn suites() -> Result {
    let environment = Environment::ready()?;
    environment.install_wheel()?;
    let mut command = environment.python();
    command.arg("tests/suites.py").arg(cache()?.join("suites"));
    execute(&mut command)
}

/// A virtual environment with everything but the wheel.
pub struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Makes it, or takes the one made before from the same requirements.
    pub fn ready() -> Result<Environment> {
        let environment = Environment {
            folder: cache()?.join("python"),
        };
        let requirements = requirements()?;
        let record = environment.folder.join("requirements.txt");
        if fs::read_to_string(&record).is_ok_and(|made| made == requirements) {
            return Ok(environment);
        }
        say("Making a Python environment for the package's tests; this takes a minute.");
        if environment.folder.exists() {
            fs::remove_dir_all(&environment.folder).map_err(at(&environment.folder))?;
        }
        execute(
            Command::new(PYTHON)
                .args(["-m", "venv"])
                .arg(&environment.folder),
        )?;
        let unfinished = environment.folder.join("wanted.txt");
        fs::write(&unfinished, &requirements).map_err(at(&unfinished))?;
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ];
        execute(environment.python().args(install).arg(&unfinished))?;
        // Only a finished environment is taken again.
        fs::rename(&unfinished, &record).map_err(at(&record))?;
        Ok(environment)
    }

    /// Builds the package and installs it.
    pub fn install_wheel(&self) -> Result {
        let wheels = target_dir()?.join("wheels");
        if wheels.exists() {
            fs::remove_dir_all(&wheels).map_err(at(&wheels))?;
        }
        let mut build = self.python();
        build.args(["-m", "maturin", "build", "--quiet", "--release"]);
        if cfg!(target_os = "linux") {
            // It is for this machine: a wheel for others is built on an old one.
            build.args(["--compatibility", "linux"]);
        }
        execute(
            build
                .arg("--out")
                .arg(&wheels)
                .env("CARGO_TARGET_DIR", target_dir()?),
        )?;
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        let options = [
            "--no-index",
            "--no-deps",
            "--force-reinstall",
            "--find-links",
        ];
        let mut command = self.python();
        execute(
            command
                .args(install)
                .args(options)
                .arg(&wheels)
                .arg("rtlwasm"),
        )
    }

    /// Runs a Python module of the environment in the package's folder.
    fn tool(&self, arguments: &[&str]) -> Result {
        let mut command = self.python();
        command.arg("-m").args(arguments);
        execute(command.env("RTLWASM_TEST_VERILOG", "1"))
    }

    /// Its interpreter, in the package's folder.
    pub fn python(&self) -> Command {
        let scripts = if cfg!(windows) { "Scripts" } else { "bin" };
        let mut command = Command::new(self.folder.join(scripts).join("python"));
        command
            .current_dir(package())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("VIRTUAL_ENV", &self.folder);
        command
    }
}

fn package() -> PathBuf {
    repository().join("hosts").join("python")
}

fn requirements() -> Result<String> {
    let mut command = Command::new(PYTHON);
    command
        .arg("-c")
        .arg(PINNED)
        .arg(package().join("pyproject.toml"));
    output(&mut command, PYTHON)
}

fn output(command: &mut Command, name: &str) -> Result<String> {
    let failure = |source| Failure::Start {
        command: name.to_owned(),
        source,
    };
    let output = command.output().map_err(failure)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Err(Failure::Command {
        command: name.to_owned(),
        status: output.status,
    })
}
