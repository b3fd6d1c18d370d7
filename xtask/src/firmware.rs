//! Builds the firmware of the systems in `fixtures/designs`: C and assembly in, one `.hex` a program out. Cores have
//! `firmware.hex`, which checks the core and ends, and `bench.hex`, which never ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result, at};
use crate::process::{cache, repository, run as execute};

/// A program and the design it is for.
struct Program {
    design: &'static str,
    /// Name of the `.hex` file without its ending.
    name: &'static str,
    /// Where the sources are, in `fixtures/designs`.
    folder: &'static str,
    sources: &'static [&'static str],
    isa: &'static str,
    macros: &'static [&'static str],
    target: &'static Target,
}

/// What programs for one kind of memory map have in common.
struct Target {
    flags: &'static [&'static str],
    /// Bytes of one line of the `.hex` file.
    word: usize,
}

const SMALL: Target = Target {
    flags: &["-mabi=ilp32", "-T", "link.ld"],
    word: 4,
};

/// Its harts copy the program: a table of addresses would show them the first hart's copy.
const ROCKET: Target = Target {
    flags: &[
        "-mabi=lp64",
        "-mcmodel=medany",
        "-fno-jump-tables",
        "-T",
        "rocket.ld",
    ],
    word: 8,
};

/// The design's folder, the instruction set, and how its traps work (see `traps.c`).
type Core = (&'static str, &'static str, &'static [&'static str]);

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
type Shared = (&'static str, &'static [&'static str]);

/// What every core has.
const SHARED: &[Shared] = &[
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
        &[
            "crt0.S",
            "support.c",
            "bench.c",
            "workload.c",
            "traps.c",
            "programs.c",
        ],
    ),
];

/// Designs with a program of their own.
const OWN: &[Program] = &[
    Program {
        design: "idle_soc",
        name: "firmware",
        folder: "idle_soc/firmware",
        sources: &["start.S", "program.c"],
        isa: "rv32imc",
        macros: &[],
        target: &SMALL,
    },
    Program {
        design: "many_cores",
        name: "firmware",
        folder: "many_cores/firmware",
        sources: &["start.S", "program.c"],
        isa: "rv32im",
        macros: &[],
        target: &SMALL,
    },
    rocket("firmware", &["DEVICES=0x20000000"]),
    rocket("bench", &["DEVICES=0x20000000", "ENDLESS"]),
];

const fn rocket(name: &'static str, macros: &'static [&'static str]) -> Program {
    Program {
        design: "rocket",
        name,
        folder: "firmware",
        sources: &[
            "rocket.S",
            "support.c",
            "rocket.c",
            "workload.c",
            "programs.c",
        ],
        isa: "rv64imac_zicsr_zifencei",
        macros,
        target: &ROCKET,
    }
}

/// Freestanding code that calls nothing but what is in the sources.
const FLAGS: &[&str] = &[
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
    for program in shared().iter().chain(OWN) {
        let hex = build(program)?;
        let name = format!("{}/{}.hex", program.design, program.name);
        let path = designs().join(&name);
        let same = fs::read_to_string(&path).is_ok_and(|old| old == hex);
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

/// Every core with every program they share.
fn shared() -> Vec<Program> {
    let program = |(design, isa, macros): &Core, (name, sources): &Shared| Program {
        design,
        name,
        folder: "firmware",
        sources,
        isa,
        macros,
        target: &SMALL,
    };
    CORES
        .iter()
        .flat_map(|core| SHARED.iter().map(move |shared| program(core, shared)))
        .collect()
}

fn designs() -> PathBuf {
    repository().join("fixtures").join("designs")
}

/// The program as text: one word a line.
fn build(program: &Program) -> Result<String> {
    let folder = cache()?.join("firmware");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let stem = format!("{}-{}", program.design, program.name);
    let (elf, image) = (
        folder.join(format!("{stem}.elf")),
        folder.join(format!("{stem}.bin")),
    );
    let mut compiler = Command::new("riscv64-unknown-elf-gcc");
    compiler
        .arg(format!("-march={}", program.isa))
        .args(FLAGS)
        .args(program.target.flags)
        .arg(format!("-DCORE_NAME=\"{}\"", program.design));
    compiler
        .args(program.macros.iter().map(|name| format!("-D{name}")))
        .arg("-o")
        .arg(&elf)
        .args(program.sources);
    execute(compiler.current_dir(designs().join(program.folder)))?;
    execute(
        Command::new("riscv64-unknown-elf-objcopy")
            .args(["-O", "binary"])
            .arg(&elf)
            .arg(&image),
    )?;
    words(&image, program.target.word)
}

fn words(image: &Path, size: usize) -> Result<String> {
    let bytes = fs::read(image).map_err(at(image))?;
    let word = |chunk: &[u8]| {
        chunk
            .iter()
            .rev()
            .fold(0u64, |word, byte| word << 8 | u64::from(*byte))
    };
    Ok(bytes
        .chunks(size)
        .map(|chunk| format!("{:0digits$x}\n", word(chunk), digits = 2 * size))
        .collect())
}
