//! Verilator: a C++ program around the design. Undefined values are zero, as in an artifact's default.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use super::bench::CPP_PRELUDE;
use super::cache::{self, io};
use super::run::{Simulator, execute};
use super::{OracleDesign, OracleError};

const TOOL: &str = "verilator";

/// Latches, loops and mixed edges are what fixtures are about, and style is not ours to judge in real cores.
const OPTIONS: &[&str] = &[
    "--cc",
    "--exe",
    "--build",
    "-O3",
    "--x-assign",
    "0",
    "--x-initial",
    "0",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "-Wno-BLKANDNBLK",
    "-Wno-UNOPTFLAT",
    "--prefix",
    "Design",
    "-CFLAGS",
    "-O1 -std=c++17",
];

/// Builds the design with its bench.
pub fn build(design: &OracleDesign) -> Result<Simulator, OracleError> {
    let bench = bench(design);
    let recipe = format!("verilator\n{OPTIONS:?}\n{bench}");
    let folder = cache::build(design, &recipe, |folder| {
        let bench_path = folder.join("bench.cpp");
        fs::write(&bench_path, &bench).map_err(|source| io(&bench_path, source))?;
        let mut command = Command::new(TOOL);
        command
            .args(OPTIONS)
            .args(["--top-module", &design.top, "-o", "bench", "--Mdir"])
            .arg(folder.join("objects"));
        command.args(
            design
                .defines
                .iter()
                .map(|define| format!("+define+{define}")),
        );
        command.args(
            design
                .includes
                .iter()
                .map(|include| format!("+incdir+{}", include.display())),
        );
        command.args(
            design
                .parameters
                .iter()
                .map(|(name, value)| format!("-G{name}={value}")),
        );
        command
            .args(&design.sources)
            .arg(bench_path)
            .current_dir(&design.folder);
        let (status, log) = execute(TOOL, command, &folder.join("log"))?;
        if !status.success() {
            return Err(OracleError::Build { tool: TOOL, log });
        }
        keep_program(folder)
    })?;
    Ok(Simulator {
        tool: TOOL,
        program: folder.join("bench"),
        arguments: Vec::new(),
        bits_per_digit: 4,
        own_lines: |line| {
            line.starts_with("- ") && line.contains("Verilog $finish")
                || line.starts_with("%Warning: ")
        },
    })
}

/// Objects are many times as large as the program.
fn keep_program(folder: &std::path::Path) -> Result<(), OracleError> {
    let objects = folder.join("objects");
    let program = folder.join("bench");
    fs::rename(objects.join("bench"), &program).map_err(|source| io(&program, source))?;
    fs::remove_dir_all(&objects).map_err(|source| io(&objects, source))
}

fn bench(design: &OracleDesign) -> String {
    let mut read = String::new();
    for port in design.inputs() {
        _ = writeln!(read, "    if (!get(top->{})) return false;", port.name);
    }
    let mut write = String::new();
    for port in design.outputs() {
        _ = writeln!(write, "    put(top->{});", port.name);
    }
    let clocks = |level: u32| -> String {
        let set = |(index, name): (usize, &String)| {
            format!("        if (rising >> {index} & 1) top->{name} = {level};\n")
        };
        design.clocks.iter().enumerate().map(set).collect()
    };
    TEMPLATE
        .replace("@PRELUDE@", CPP_PRELUDE)
        .replace("@READ@", &read)
        .replace("@WRITE@", &write)
        .replace("@RISE@", &clocks(1))
        .replace("@FALL@", &clocks(0))
}

const TEMPLATE: &str = r#"#include "Design.h"
#include "verilated.h"
@PRELUDE@
static VerilatedContext *context;
static Design *top;
static uint64_t rising;

// Ports are integers of 8 to 64 bits, and arrays of words above.
template <typename T> static bool get(T &port) {
    std::vector<uint32_t> words(2);
    if (!read_number(words)) return false;
    port = (T)((uint64_t)words[1] << 32 | words[0]);
    return true;
}
template <std::size_t N> static bool get(VlWide<N> &port) {
    std::vector<uint32_t> words(N);
    if (!read_number(words)) return false;
    for (std::size_t i = 0; i < N; i++) port[i] = words[i];
    return true;
}
template <typename T> static void put(const T &port) {
    uint32_t words[2] = {(uint32_t)port, (uint32_t)((uint64_t)port >> 32)};
    write_number(words, 2);
}
template <std::size_t N> static void put(const VlWide<N> &port) {
    write_number(port.data(), N);
}

static bool read_inputs() {
    if (!get(rising)) return false;
@READ@    return true;
}

static void write_outputs() {
@WRITE@    putc('\n', trace_file);
}

int main(int argc, char **argv) {
    context = new VerilatedContext;
    context->commandArgs(argc, argv);
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "+stimulus=", 10)) stimulus_file = fopen(argv[i] + 10, "r");
        if (!strncmp(argv[i], "+trace=", 7)) trace_file = fopen(argv[i] + 7, "w");
    }
    if (!stimulus_file || !trace_file) return 1;
    top = new Design(context);
    read_inputs();
    top->eval();
    for (uint64_t time = 0; read_inputs(); time += 2) {
        context->time(time);
        top->eval();
@RISE@        top->eval();
        context->time(time + 1);
@FALL@        top->eval();
        if (context->gotFinish()) break;
        write_outputs();
    }
    fclose(trace_file);
    top->final();
    return 0;
}
"#;
