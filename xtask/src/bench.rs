//! Benchmarks: figures, never pass or fail.
//!
//! `bench compile` makes netlists of 10 thousand to 1 million cells, compiles each and the PicoRV32 system
//! at two levels, and prints time and memory per cell. The generator is deterministic.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result, at};
use crate::process::{cache, repository, run as execute, say, target_dir};
use crate::{cores, setup};

#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Time and memory of compiling: PicoRV32, and generated netlists of up to 1 million cells.
    Compile {
        /// Largest number of cells.
        #[arg(long, default_value_t = 1_000_000)]
        cells: usize,
    },
}

pub fn run(options: &Options) -> Result {
    let What::Compile { cells } = options.what;
    setup::run()?;
    let folder = cache()?.join("bench");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    say(
        "RTLIL to artifact; one run each, seconds of processor time of this process and its threads.",
    );
    println!(
        "{:<14} {:>3} {:>9} {:>12} {:>9} {:>12} {:>10}",
        "design", "-O", "seconds", "us per cell", "MB", "KB per cell", "artifact"
    );
    let picorv32 = picorv32(&folder)?;
    let count = fs::read_to_string(&picorv32)
        .map_err(at(&picorv32))?
        .matches("\n  cell ")
        .count();
    measure("picorv32", &picorv32, count, &folder)?;
    for size in [10_000, 100_000, 1_000_000]
        .into_iter()
        .filter(|size| *size <= cells)
    {
        let path = folder.join(format!("grid{size}.il"));
        write_grid(&path, size).map_err(at(&path))?;
        measure(&format!("grid {size}"), &path, size, &folder)?;
        fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(())
}

/// The PicoRV32 system as RTLIL.
fn picorv32(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("picorv32.il");
    let design = repository().join("fixtures/designs/picorv32");
    let mut command = Command::new(target_dir()?.join("release/rtlwasm"));
    command
        .args([
            "dump",
            "--stage",
            "rtlil",
            "-f",
            "sources.f",
            "--top",
            "picorv32_soc",
            "-o",
        ])
        .arg(&path);
    execute(
        command
            .current_dir(design)
            .env("RTLWASM_CORES", cores::folder()?),
    )?;
    Ok(path)
}

fn measure(name: &str, source: &Path, cells: usize, folder: &Path) -> Result {
    for level in ["0", "2"] {
        let artifact = folder.join("bench.wasm");
        let mut command = Command::new(target_dir()?.join("release/rtlwasm"));
        command
            .arg("build")
            .arg(format!("-O{level}"))
            .arg(source)
            .arg("-o")
            .arg(&artifact);
        let used = resources(&mut command)?;
        let size = fs::metadata(&artifact).map_err(at(&artifact))?.len();
        println!(
            "{name:<14} {level:>3} {:>9.2} {:>12.1} {:>9.0} {:>12.2} {:>7.1} MB",
            used.seconds,
            used.seconds * 1e6 / cells as f64,
            used.kilobytes / 1e3,
            used.kilobytes / cells as f64,
            size as f64 / 1e6
        );
        fs::remove_file(&artifact).map_err(at(&artifact))?;
    }
    Ok(())
}

/// What a process used from start to end.
struct Resources {
    seconds: f64,
    /// Largest resident size.
    kilobytes: f64,
}

fn resources(command: &mut Command) -> Result<Resources> {
    let failed = |source| Failure::Start {
        command: "rtlwasm build".into(),
        source,
    };
    let child = command
        .stderr(std::process::Stdio::null())
        .spawn()
        .map_err(failed)?;
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the child is ours and not waited for elsewhere; both pointers are to live values of the right type.
    let waited = unsafe { libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr()) };
    if waited < 0 {
        return Err(failed(std::io::Error::last_os_error()));
    }
    let status = std::process::ExitStatus::from_raw(status);
    if !status.success() {
        return Err(Failure::Command {
            command: "rtlwasm build".into(),
            status,
        });
    }
    // SAFETY: `wait4` has filled it in; all-zero bytes are valid, too.
    let usage = unsafe { usage.assume_init() };
    let time = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    Ok(Resources {
        seconds: time(usage.ru_utime) + time(usage.ru_stime),
        kilobytes: usage.ru_maxrss as f64,
    })
}

/// A ring of small datapaths: ten cells each, with adders, comparisons, muxes and a register.
fn write_grid(path: &Path, cells: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let tiles = cells / 10;
    writeln!(out, "attribute \\top 1\nmodule \\grid")?;
    writeln!(
        out,
        "  wire input 1 \\clk\n  wire width 32 input 2 \\seed\n  wire width 32 output 3 \\out"
    )?;
    for i in 0..tiles {
        for word in ["r", "s", "t", "n", "x", "m", "a", "o"] {
            writeln!(out, "  wire width 32 \\{word}{i}")?;
        }
        writeln!(out, "  wire \\e{i}\n  wire \\l{i}")?;
    }
    for i in 0..tiles {
        let before = if i == 0 {
            "\\seed".to_string()
        } else {
            format!("\\r{}", i - 1)
        };
        let far = format!("\\r{}", (i * 7 + 3) % tiles);
        let net = |word: &str| format!("\\{word}{i}");
        for (kind, width, a, b, y) in [
            ("add", 32, before.clone(), far.clone(), net("s")),
            ("xor", 32, net("s"), net("r"), net("t")),
            ("lt", 1, net("s"), net("t"), net("e")),
            ("sub", 32, net("t"), before.clone(), net("m")),
            ("eq", 1, net("x"), far.clone(), net("l")),
            ("and", 32, net("x"), net("s"), net("a")),
            ("or", 32, net("a"), net("m"), net("o")),
        ] {
            writeln!(out, "  cell ${kind} ${kind}{i}")?;
            writeln!(
                out,
                "    parameter \\A_SIGNED 0\n    parameter \\B_SIGNED 0"
            )?;
            writeln!(
                out,
                "    parameter \\A_WIDTH 32\n    parameter \\B_WIDTH 32\n    parameter \\Y_WIDTH {width}"
            )?;
            writeln!(
                out,
                "    connect \\A {a}\n    connect \\B {b}\n    connect \\Y {y}\n  end"
            )?;
        }
        for (name, a, b, s, y) in [("p", "t", "m", "e", "x"), ("q", "o", "x", "l", "n")] {
            writeln!(out, "  cell $mux $mux_{name}{i}\n    parameter \\WIDTH 32")?;
            writeln!(
                out,
                "    connect \\A \\{a}{i}\n    connect \\B \\{b}{i}\n    connect \\S \\{s}{i}\n    connect \\Y \\{y}{i}\n  end"
            )?;
        }
        writeln!(
            out,
            "  cell $dff $dff{i}\n    parameter \\CLK_POLARITY 1\n    parameter \\WIDTH 32"
        )?;
        writeln!(
            out,
            "    connect \\CLK \\clk\n    connect \\D \\n{i}\n    connect \\Q \\r{i}\n  end"
        )?;
    }
    writeln!(out, "  connect \\out \\r{}\nend", tiles - 1)?;
    out.flush()
}
