//! Builds the firmware of the systems in `fixtures/designs`: C and assembly in, and per core `firmware.hex`, which
//! checks the core and ends, and `bench.hex`, which never ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result, at};
use crate::process::{cache, repository, run as execute};

/// A folder, an instruction set, and names to define.
type Core = (&'static str, &'static str, &'static [&'static str]);

/// The design's folder, the instruction set, and how its traps work (see `traps.c`).
const CORES: &[Core] = &[
    (
        "picorv32",
        "rv32imc",
        &["TRAPS_PICORV32", "TRAPS_ILLEGAL", "TRAPS_MISALIGNED"],
    ),
    ("serv", "rv32i_zicsr", &["TRAPS_MISALIGNED"]),
    (
        "vexriscv",
        "rv32im_zicsr",
        &["TRAPS_ILLEGAL", "TRAPS_MISALIGNED"],
    ),
    ("ibex", "rv32imc_zicsr", &["TRAPS_ILLEGAL"]),
    ("cv32e40p", "rv32imc_zicsr", &["TRAPS_ILLEGAL"]),
];

/// The file's name without its ending, and the sources.
const PROGRAMS: &[(&str, &[&str])] = &[
    (
        "firmware",
        &[
            "crt0.S",
            "support.c",
            "main.c",
            "arithmetic.c",
            "memory.c",
            "traps.c",
            "programs.c",
        ],
    ),
    (
        "bench",
        &["crt0.S", "support.c", "bench.c", "traps.c", "programs.c"],
    ),
];

/// Freestanding code that calls nothing but what is in the sources.
const FLAGS: &[&str] = &[
    "-mabi=ilp32",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-pic",
    "-mno-relax",
    "-fno-tree-loop-distribute-patterns",
    "-msmall-data-limit=0",
    "-nostdlib",
    "-static",
    "-T",
    "link.ld",
    "-Wl,--no-relax",
    "-Wl,--build-id=none",
    "-Wl,--no-warn-rwx-segments",
];

#[derive(clap::Args)]
pub struct Options {
    /// Only compare with the files that are there.
    #[arg(long)]
    pub check: bool,
}

pub fn run(options: &Options) -> Result {
    let mut stale = Vec::new();
    for (core, program) in CORES
        .iter()
        .flat_map(|core| PROGRAMS.iter().map(move |program| (core, program)))
    {
        let hex = build(core, program)?;
        let path = designs().join(core.0).join(format!("{}.hex", program.0));
        let same = fs::read_to_string(&path).is_ok_and(|old| old == hex);
        let name = format!("{}/{}.hex", core.0, program.0);
        println!(
            "{name}: {} words{}",
            hex.lines().count(),
            if same { ", unchanged" } else { "" }
        );
        if options.check && !same {
            stale.push(name);
        } else if !same {
            fs::write(&path, &hex).map_err(at(&path))?;
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(Failure::Firmware(stale.join(", ")))
    }
}

fn designs() -> PathBuf {
    repository().join("fixtures").join("designs")
}

/// The program as text: one 32-bit word a line.
fn build((core, isa, traps): &Core, (program, sources): &(&str, &[&str])) -> Result<String> {
    let folder = cache()?.join("firmware");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let (elf, image) = (
        folder.join(format!("{core}-{program}.elf")),
        folder.join(format!("{core}-{program}.bin")),
    );
    let mut compiler = Command::new("riscv64-unknown-elf-gcc");
    compiler
        .arg(format!("-march={isa}"))
        .args(FLAGS)
        .arg(format!("-DCORE_NAME=\"{core}\""));
    compiler
        .args(traps.iter().map(|name| format!("-D{name}")))
        .arg("-o")
        .arg(&elf)
        .args(*sources);
    execute(compiler.current_dir(designs().join("firmware")))?;
    execute(
        Command::new("riscv64-unknown-elf-objcopy")
            .args(["-O", "binary"])
            .arg(&elf)
            .arg(&image),
    )?;
    words(&image)
}

fn words(image: &Path) -> Result<String> {
    let bytes = fs::read(image).map_err(at(image))?;
    let word = |chunk: &[u8]| {
        chunk
            .iter()
            .rev()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte))
    };
    Ok(bytes
        .chunks(4)
        .map(|chunk| format!("{:08x}\n", word(chunk)))
        .collect())
}
