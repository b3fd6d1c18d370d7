//! CXXRTL, the simulator that Yosys generates: a C++ program around a design given as RTLIL.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::bench::CPP_PRELUDE;
use super::cache::{self, io};
use super::run::{Simulator, execute};
use super::{OracleDesign, OracleError};

/// Builds the design with its bench.
pub fn build(design: &OracleDesign) -> Result<Simulator, OracleError> {
    let bench = bench(design);
    let cleaned = if has_empty_wires(design) {
        " folded, cleaned"
    } else {
        ""
    };
    let recipe = format!("cxxrtl 2{cleaned}\n{bench}");
    let folder = cache::build(design, &recipe, |folder| {
        generate(design, folder)?;
        compile(&bench, folder)
    })?;
    let own_lines = |_: &str| false;
    Ok(Simulator {
        tool: "cxxrtl",
        program: folder.join("bench"),
        arguments: Vec::new(),
        bits_per_digit: 4,
        own_lines,
    })
}

fn generate(design: &OracleDesign, folder: &Path) -> Result<(), OracleError> {
    let mut script = String::new();
    for source in &design.sources {
        _ = writeln!(script, "read_rtlil \"{}\"", source.display());
    }
    _ = writeln!(script, "hierarchy -check -top {}", design.top);
    // CXXRTL itself knows no gate-level cells.
    script.push_str("techmap -map +/simcells.v\n");
    if has_empty_wires(design) {
        // A product of a value of no bits reads past its end.
        script.push_str("opt_expr\ndelete -port s:0\nopt_clean -purge\n");
    }
    _ = writeln!(
        script,
        "write_cxxrtl \"{}\"",
        folder.join("design.cc").display()
    );
    let path = folder.join("script.ys");
    fs::write(&path, script).map_err(|source| io(&path, source))?;
    let mut command = Command::new("yosys");
    command
        .args(["-q", "-s"])
        .arg(&path)
        .current_dir(&design.folder);
    let (status, log) = execute("yosys", command, &folder.join("log"))?;
    if status.success() {
        Ok(())
    } else {
        Err(OracleError::Build { tool: "yosys", log })
    }
}

/// The C++ that describes wires to debuggers cannot be compiled for wires of no bits.
fn has_empty_wires(design: &OracleDesign) -> bool {
    design.sources.iter().any(|source| {
        let text = fs::read_to_string(design.folder.join(source)).unwrap_or_default();
        text.contains("wire width 0 ")
    })
}

fn compile(bench: &str, folder: &Path) -> Result<(), OracleError> {
    let path = folder.join("bench.cc");
    fs::write(&path, bench).map_err(|source| io(&path, source))?;
    let mut command = Command::new("c++");
    command
        .args([
            "-std=c++14",
            "-O1",
            "-I",
            "/usr/share/yosys/include",
            "-o",
            "bench",
            "bench.cc",
        ])
        .current_dir(folder);
    let (status, log) = execute("c++", command, &folder.join("log"))?;
    if status.success() {
        Ok(())
    } else {
        Err(OracleError::Build { tool: "c++", log })
    }
}

fn bench(design: &OracleDesign) -> String {
    let mut read = String::new();
    for port in design.inputs() {
        _ = writeln!(read, "    if (!get(\"{}\")) return false;", port.name);
    }
    let mut write = String::new();
    for port in design.outputs() {
        _ = writeln!(write, "    put(\"{}\");", port.name);
    }
    let clocks = |level: u32| -> String {
        let set = |(index, name): (usize, &String)| {
            format!(
                "        if (rising >> {index} & 1) items.table.at(\"{name}\")[0].curr[0] = {level};\n"
            )
        };
        design.clocks.iter().enumerate().map(set).collect()
    };
    TEMPLATE
        .replace("@PRELUDE@", CPP_PRELUDE)
        .replace("@TOP@", &design.top.replace('_', "__"))
        .replace("@READ@", &read)
        .replace("@WRITE@", &write)
        .replace("@RISE@", &clocks(1))
        .replace("@FALL@", &clocks(0))
}

const TEMPLATE: &str = r#"#include "design.cc"
@PRELUDE@
static cxxrtl::debug_items items;
static uint64_t rising;

static bool get(const char *name) {
    cxxrtl::debug_item &item = items.table.at(name)[0];
    std::vector<uint32_t> words((item.width + 31) / 32);
    if (!read_number(words)) return false;
    for (size_t i = 0; i < words.size(); i++) item.curr[i] = words[i];
    return true;
}

static void put(const char *name) {
    cxxrtl::debug_item &item = items.table.at(name)[0];
    if (item.outline) item.outline->eval();
    // Bits above the width of a shifted value are left behind by this release.
    std::vector<uint32_t> words(item.curr, item.curr + (item.width + 31) / 32);
    if (item.width % 32) words.back() &= (1u << item.width % 32) - 1;
    write_number(words.data(), words.size());
}

static bool read_inputs() {
    std::vector<uint32_t> words(2);
    if (!read_number(words)) return false;
    rising = (uint64_t)words[1] << 32 | words[0];
@READ@    return true;
}

static void write_outputs() {
@WRITE@    putc('\n', trace_file);
}

// As `step()`, but not for ever, and until nothing changes: `eval()` calls a design settled whose latches have not yet
// seen what registers hold since the last edge.
static void settle(cxxrtl::module &top) {
    for (int pass = 0; pass < 1000; pass++) {
        top.eval();
        if (!top.commit()) return;
    }
    fprintf(stderr, "the design does not settle\n");
    exit(1);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "+stimulus=", 10)) stimulus_file = fopen(argv[i] + 10, "r");
        if (!strncmp(argv[i], "+trace=", 7)) trace_file = fopen(argv[i] + 7, "w");
    }
    if (!stimulus_file || !trace_file) return 1;
    cxxrtl_design::p_@TOP@ top;
    top.debug_info(items);
    // As an artifact's reset: all inputs are 0 first.
    settle(top);
    read_inputs();
    settle(top);
    while (read_inputs()) {
        settle(top);
@RISE@        settle(top);
@FALL@        settle(top);
        write_outputs();
    }
    fclose(trace_file);
    return 0;
}
"#;
