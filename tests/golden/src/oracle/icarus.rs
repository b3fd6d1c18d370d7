//! Icarus Verilog: a Verilog test bench around the design, compiled for `vvp`. RTLIL goes through Yosys' Verilog.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::{self, io};
use super::run::{Simulator, execute};
use super::{Direction, OracleDesign, OracleError};
use crate::library::PinnedYosys;

const TOOL: &str = "iverilog";

/// In SystemVerilog a variable has its declared initial value before any process runs, and so without an edge.
const LANGUAGE: &str = "-g2012";

/// Models of cells that the distribution's library lacks.
const NEWER_CELLS: &str = include_str!("newer_cells.v");

/// Builds the design with its bench.
pub fn build(design: &OracleDesign) -> Result<Simulator, OracleError> {
    let bench = bench(design);
    let recipe = format!("icarus\n{LANGUAGE}\n{NEWER_CELLS}\n{bench}");
    let folder = cache::build(design, &recipe, |folder| {
        let bench_path = folder.join("bench.v");
        fs::write(&bench_path, &bench).map_err(|source| io(&bench_path, source))?;
        let mut command = Command::new(TOOL);
        command
            .args([LANGUAGE, "-s", "rtlwasm_bench", "-o"])
            .arg(folder.join("bench.vvp"));
        command.args(design.defines.iter().map(|define| format!("-D{define}")));
        command.args(
            design
                .includes
                .iter()
                .map(|include| format!("-I{}", include.display())),
        );
        command
            .arg(bench_path)
            .args(verilog(design, folder)?)
            .current_dir(&design.folder);
        let (status, log) = execute(TOOL, command, &folder.join("log"))?;
        if status.success() {
            Ok(())
        } else {
            Err(OracleError::Build { tool: TOOL, log })
        }
    })?;
    Ok(Simulator {
        tool: TOOL,
        program: "vvp".into(),
        arguments: vec!["-n".into(), folder.join("bench.vvp").display().to_string()],
        bits_per_digit: 1,
        own_lines: |line| line.contains("$finish called at") || line.starts_with("WARNING: "),
    })
}

/// The design's sources; one that is RTLIL is written as Verilog by Yosys, together with the models of its cells.
fn verilog(design: &OracleDesign, folder: &Path) -> Result<Vec<PathBuf>, OracleError> {
    let is_rtlil = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "il");
    let (rtlil, sources): (Vec<&PathBuf>, Vec<&PathBuf>) =
        design.sources.iter().partition(is_rtlil);
    if rtlil.is_empty() {
        return Ok(design.sources.clone());
    }
    let yosys = PinnedYosys::new();
    let mut script = String::new();
    for (index, path) in rtlil.iter().enumerate() {
        let text = fs::read_to_string(design.folder.join(path));
        yosys.write(
            &format!("{index}.il"),
            &text.map_err(|source| io(path, source))?,
        );
        _ = writeln!(script, "read_rtlil {}/{index}.il", yosys.sources());
    }
    _ = writeln!(script, "write_verilog -noattr {}/design.v", yosys.sources());
    yosys.run(&script);
    let written = [
        ("design.v", yosys.read("design.v")),
        ("newer_cells.v", NEWER_CELLS.into()),
    ];
    let mut command = Command::new("yosys-config");
    command.arg("--datdir");
    let (_, answer) = execute("yosys", command, &folder.join("datdir"))?;
    let library = PathBuf::from(answer.trim());
    let mut out: Vec<PathBuf> = sources.into_iter().cloned().collect();
    out.extend(["simlib.v", "simcells.v"].map(|name| library.join(name)));
    for (name, text) in written {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| io(&path, source))?;
        out.push(path);
    }
    Ok(out)
}

/// The bench. A clock is compared with 1, so that it is low from the start and not after an edge from `x`. Edges lie a quarter of a time unit behind the times they show as, so that inputs that change at the
/// same time have settled before them.
fn bench(design: &OracleDesign) -> String {
    let mut text = String::from("`timescale 1ns/1ps\nmodule rtlwasm_bench;\n");
    for (index, _) in design.clocks.iter().enumerate() {
        _ = writeln!(
            text,
            "  reg high_{index};\n  wire clock_{index} = high_{index} === 1'b1;"
        );
    }
    for (index, port) in design.inputs().enumerate() {
        _ = writeln!(text, "  reg [{}:0] in_{index};", port.width - 1);
    }
    for (index, port) in design.outputs().enumerate() {
        _ = writeln!(text, "  wire [{}:0] out_{index};", port.width - 1);
        // Whatever the design drives is stronger.
        let from_outside = design.inputs().position(|input| input == port);
        if let Some(input) = from_outside {
            _ = writeln!(text, "  assign (weak1, weak0) out_{index} = in_{input};");
        }
    }
    _ = writeln!(
        text,
        "  {} {}dut (\n    {}\n  );",
        design.top,
        parameters(design),
        connections(design).join(",\n    ")
    );
    text.push_str(&procedure(design));
    text.push_str("endmodule\n");
    text
}

fn parameters(design: &OracleDesign) -> String {
    let list: Vec<String> = design
        .parameters
        .iter()
        .map(|(name, value)| format!(".{name}({value})"))
        .collect();
    if list.is_empty() {
        String::new()
    } else {
        format!("#({}) ", list.join(", "))
    }
}

fn connections(design: &OracleDesign) -> Vec<String> {
    let clocks = design
        .clocks
        .iter()
        .enumerate()
        .map(|(index, name)| format!(".{name}(clock_{index})"));
    let inputs = design
        .inputs()
        .enumerate()
        .filter(|(_, port)| port.direction == Direction::Input)
        .map(|(index, port)| format!(".{}(in_{index})", port.name));
    let outputs = design
        .outputs()
        .enumerate()
        .map(|(index, port)| format!(".{}(out_{index})", port.name));
    clocks.chain(inputs).chain(outputs).collect()
}

fn procedure(design: &OracleDesign) -> String {
    let inputs: Vec<String> = (0..design.inputs().count())
        .map(|index| format!("in_{index}"))
        .collect();
    let outputs: Vec<String> = (0..design.outputs().count())
        .map(|index| format!("out_{index}"))
        .collect();
    let read = format!(
        "$fscanf(stimulus, \"{}\", {})",
        vec!["%h"; inputs.len() + 1].join(" "),
        [&["rising".to_owned()], &inputs[..]].concat().join(", "),
    );
    let write = format!(
        "$fdisplay(trace, \"{}\"{})",
        vec!["%b"; outputs.len()].join(" "),
        outputs
            .iter()
            .map(|name| format!(", {name}"))
            .collect::<String>(),
    );
    let clocks = |level: u32| -> String {
        let set = |index| format!("      if (rising[{index}]) high_{index} = 1'b{level};\n");
        (0..design.clocks.len()).map(set).collect()
    };
    let (rise, fall, count) = (clocks(1), clocks(0), inputs.len() + 1);
    format!(
        "  reg [63:0] rising;
  reg [8*1024-1:0] path;
  integer stimulus, trace, got;
  initial begin
    got = $value$plusargs(\"stimulus=%s\", path);
    stimulus = $fopen(path, \"r\");
    got = $value$plusargs(\"trace=%s\", path);
    trace = $fopen(path, \"w\");
    got = {read};
    #0.125 got = {read};
    while (got == {count}) begin
      #0.125;
{rise}      #1;
{fall}      #0.25 {write};
      #0.625 got = {read};
    end
    $fclose(trace);
    $finish(0);
  end
"
    )
}
