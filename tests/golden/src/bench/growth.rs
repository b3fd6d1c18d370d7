//! Growth: generated netlists from small to huge, and the PicoRV32 system: what compiling takes per cell.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::failure::{Result, at};
use super::ladder::LADDER;
use super::wasm::Compiler;
use super::{grid, process};

/// Compiles netlists of up to so many cells.
pub fn run(compiler: &Compiler, cells: usize, scratch: &Path) -> Result {
    println!(
        "{:<14} {:>3} {:>9} {:>12} {:>9} {:>12} {:>10}",
        "design", "-O", "seconds", "us per cell", "MB", "KB per cell", "artifact"
    );
    let picorv32 = scratch.join("picorv32.il");
    compiler.dump(&LADDER[0], &picorv32, &scratch.join("log"))?;
    let text = fs::read_to_string(&picorv32).map_err(at(&picorv32))?;
    let count = text.matches("\n  cell ").count();
    measure(compiler, "picorv32", &picorv32, count, scratch)?;
    for size in [1000, 10_000, 100_000, 1_000_000]
        .into_iter()
        .filter(|size| *size <= cells)
    {
        let path = scratch.join(format!("grid{size}.il"));
        grid::write(&path, size).map_err(at(&path))?;
        measure(compiler, &format!("grid {size}"), &path, size, scratch)?;
        fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(())
}

fn measure(compiler: &Compiler, name: &str, source: &Path, cells: usize, scratch: &Path) -> Result {
    for level in ["0", "2"] {
        let artifact = scratch.join("growth.wasm");
        let mut command = Command::new(&compiler.program);
        command
            .arg("build")
            .arg(format!("-O{level}"))
            .arg(source)
            .arg("-o")
            .arg(&artifact);
        let used = process::run(&mut command, &scratch.join("log"))?;
        let size = fs::metadata(&artifact).map_err(at(&artifact))?.len();
        println!(
            "{name:<14} {level:>3} {:>9.2} {:>12.1} {:>9.0} {:>12.2} {:>7.1} MB",
            used.processor_seconds,
            used.processor_seconds * 1e6 / cells as f64,
            used.peak_kilobytes as f64 / 1e3,
            used.peak_kilobytes as f64 / cells as f64,
            size as f64 / 1e6
        );
        fs::remove_file(&artifact).map_err(at(&artifact))?;
    }
    Ok(())
}
