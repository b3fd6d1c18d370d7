//! What the project does, in one command: a PicoRV32 system with firmware from its Verilog to an artifact, the
//! artifact's run with its serial output and speed, and a picture drawn by a core.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Result, at};
use crate::process::{cache, repository, run as execute, say, target_dir};
use crate::{cores, setup};

pub fn run() -> Result {
    setup::run()?;
    let artifacts = cache()?.join("demo");
    fs::create_dir_all(&artifacts).map_err(at(&artifacts))?;

    say("A PicoRV32 with RAM, timer and serial port: from Verilog to one .wasm file.");
    let picorv32 = artifacts.join("picorv32.wasm");
    compile("picorv32", "picorv32_soc", &picorv32)?;
    say("Its firmware tests the core and reports on the serial port:");
    simulate(
        &picorv32,
        &["--until", "exit_valid=1", "--peek", "exit_code"],
    )?;

    say("A Mandelbrot core, one iteration a cycle:");
    let mandelbrot = artifacts.join("mandelbrot.wasm");
    compile("mandelbrot", "mandelbrot", &mandelbrot)?;
    simulate(&mandelbrot, &["--until", "done=1"])?;
    println!();
    say("Both artifacts are complete: any WebAssembly engine runs them without this repository.");
    println!("   {}\n   {}", picorv32.display(), mandelbrot.display());
    Ok(())
}

fn compile(design: &str, top: &str, artifact: &Path) -> Result {
    let folder = repository().join("fixtures").join("designs").join(design);
    let mut command = Command::new(rtlwasm()?);
    // Cores come from elsewhere: what may be doubted in them is not ours to say; errors are shown.
    command
        .args(["build", "-f", "sources.f", "--top", top])
        .args(["-W", "no-latch", "-W", "no-width", "-o"])
        .arg(artifact);
    execute(
        command
            .current_dir(folder)
            .env("RTLWASM_CORES", cores::folder()?),
    )
}

fn simulate(artifact: &Path, arguments: &[&str]) -> Result {
    execute(
        Command::new(rtlwasm()?)
            .arg("run")
            .arg(artifact)
            .args(["--reset", "rst=1:4"])
            .args(arguments),
    )
}

fn rtlwasm() -> Result<PathBuf> {
    Ok(target_dir()?.join("release").join("rtlwasm"))
}
