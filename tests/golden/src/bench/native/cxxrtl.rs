//! CXXRTL, from the RTLIL that our own front end makes: Debian's Yosys does not read SystemVerilog.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Built, Inputs, MAIN, PRELUDE, cached, inputs, outputs, versions};
use crate::bench::failure::{Result, at};
use crate::bench::ladder::{CLOCK, Workload};
use crate::bench::process::{self, Program, Usage};
use crate::bench::wasm::Compiler;
use crate::oracle::OracleDesign;

const FLAGS: &[&str] = &["-std=c++14", "-O2", "-I", "/usr/share/yosys/include"];

/// Builds the simulator of a design; `scratch` is for what is not kept.
pub fn build(
    compiler: &Compiler,
    workload: &Workload,
    design: &OracleDesign,
    scratch: &Path,
) -> Result<Built> {
    let rtlil = scratch.join(format!("{}.il", workload.name));
    let dumped = compiler.dump(workload, &rtlil, &scratch.join("log"))?;
    let text = fs::read_to_string(&rtlil).map_err(at(&rtlil))?;
    fs::write(&rtlil, with_older_cells(&text)).map_err(at(&rtlil))?;
    let design = OracleDesign {
        sources: vec![rtlil.clone()],
        includes: Vec::new(),
        ..design.clone()
    };
    let bench = bench(&inputs(workload, &design), &design);
    let versions = versions(Command::new("yosys").arg("-V"))?;
    let recipe = format!("bench cxxrtl 1\n{versions}\n{FLAGS:?}\n{bench}");
    let (folder, usage) = cached(&design, &recipe, |folder| {
        let generated = generate(&design, &rtlil, folder)?;
        Ok(dumped.then(generated).then(compile(&bench, folder)?))
    })?;
    let program = Program {
        path: folder.join("bench"),
        arguments: Vec::new(),
        folder: design.folder.clone(),
    };
    Ok(Built { program, usage })
}

/// Cells that Debian's Yosys does not know: they become the modules below, or go where they only write text.
const NEWER: &[&str] = &["buf", "bwmux", "bweqx", "print", "check", "scopeinfo"];

const NEWER_MODULES: &str = r#"
module rtlwasm_buf #(parameter WIDTH = 1) (input [WIDTH-1:0] A, output [WIDTH-1:0] Y);
    assign Y = A;
endmodule
module rtlwasm_bwmux #(parameter WIDTH = 1) (input [WIDTH-1:0] A, B, S, output [WIDTH-1:0] Y);
    assign Y = A & ~S | B & S;
endmodule
module rtlwasm_bweqx #(parameter WIDTH = 1) (input [WIDTH-1:0] A, B, output [WIDTH-1:0] Y);
    assign Y = ~(A ^ B);
endmodule
"#;

fn with_older_cells(rtlil: &str) -> String {
    NEWER.iter().fold(rtlil.to_owned(), |text, name| {
        text.replace(
            &format!("  cell ${name} "),
            &format!("  cell \\rtlwasm_{name} "),
        )
    })
}

fn generate(design: &OracleDesign, rtlil: &Path, folder: &Path) -> Result<Usage> {
    let newer = folder.join("newer.v");
    fs::write(&newer, NEWER_MODULES).map_err(at(&newer))?;
    // CXXRTL itself knows no gate-level cells, and removes hierarchy and processes by itself.
    let script = format!(
        "read_verilog \"{}\"\nread_rtlil \"{}\"\n\
         delete */t:rtlwasm_print */t:rtlwasm_check */t:rtlwasm_scopeinfo\nhierarchy -check -top {}\ntechmap -map +/simcells.v\nwrite_cxxrtl \"{}\"\n",
        newer.display(),
        rtlil.display(),
        design.top,
        folder.join("design.cc").display()
    );
    let path = folder.join("script.ys");
    fs::write(&path, script).map_err(at(&path))?;
    let mut command = Command::new("yosys");
    command
        .args(["-q", "-s"])
        .arg(&path)
        .current_dir(&design.folder);
    process::run(&mut command, &folder.join("log"))
}

fn compile(bench: &str, folder: &Path) -> Result<Usage> {
    let path = folder.join("bench.cc");
    fs::write(&path, bench).map_err(at(&path))?;
    let mut command = Command::new("c++");
    command
        .args(FLAGS)
        .args(["-o", "bench", "bench.cc"])
        .current_dir(folder);
    let usage = process::run(&mut command, &folder.join("log"))?;
    let generated = folder.join("design.cc");
    fs::remove_file(&generated).map_err(at(&generated))?;
    Ok(usage)
}

fn bench(inputs: &Inputs, design: &OracleDesign) -> String {
    let mut rest = String::new();
    for (name, _, value) in &inputs.rest {
        _ = writeln!(rest, "    set(\"{name}\", {value}u);");
    }
    let (reset, active, released) = &inputs.reset;
    let mut row = String::new();
    for (name, _) in outputs(design) {
        _ = writeln!(row, "    put(\"{name}\");");
    }
    TEMPLATE
        .replace("@PRELUDE@", PRELUDE)
        .replace("@TOP@", &design.top.replace('_', "__"))
        .replace("@CLOCK@", &CLOCK.replace('_', "__"))
        .replace("@REST@", &rest)
        .replace("@ACTIVE@", &format!("set(\"{reset}\", {active}u)"))
        .replace("@INACTIVE@", &format!("set(\"{reset}\", {}u)", released))
        .replace("@ROW@", &row)
        .replace("@MAIN@", MAIN)
}

const TEMPLATE: &str = r#"#include "design.cc"
#include <vector>
@PRELUDE@
static cxxrtl_design::p_@TOP@ top;
static cxxrtl::debug_items items;

static void set(const char *name, uint32_t value) {
    items.table.at(name)[0].curr[0] = value;
}

static void put(const char *name) {
    cxxrtl::debug_item &item = items.table.at(name)[0];
    if (item.outline) item.outline->eval();
    // Bits above the width of a shifted value are left behind by this release.
    std::vector<uint32_t> words(item.curr, item.curr + (item.width + 31) / 32);
    if (item.width % 32) words.back() &= (1u << item.width % 32) - 1;
    put_words(words.data(), words.size());
}

static void cycles(uint64_t count) {
    for (; count; count--) {
        top.p_@CLOCK@.set<bool>(true);
        top.step();
        top.p_@CLOCK@.set<bool>(false);
        top.step();
    }
}

static void start() {
    top.debug_info(items);
@REST@    top.step();
    @ACTIVE@;
    top.step();
    cycles(4);
    @INACTIVE@;
    top.step();
}

static void row() {
@ROW@}
@MAIN@"#;
