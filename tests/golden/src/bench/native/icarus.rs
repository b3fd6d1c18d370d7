//! Icarus Verilog: a Verilog bench around the design, run by `vvp`.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use super::{Built, Inputs, cached, inputs, outputs, versions};
use crate::bench::failure::{Result, at};
use crate::bench::ladder::{CLOCK, Workload};
use crate::bench::process::{self, Program};
use crate::oracle::OracleDesign;

/// Builds the simulator of a design.
pub fn build(workload: &Workload, design: &OracleDesign) -> Result<Built> {
    let bench = bench(&inputs(workload, design), design);
    let versions = versions(Command::new("iverilog").arg("-V"))?;
    let recipe = format!("bench icarus 1\n{versions}\n{bench}");
    let (folder, usage) = cached(design, &recipe, |folder| {
        let path = folder.join("bench.v");
        fs::write(&path, &bench).map_err(at(&path))?;
        let mut command = Command::new("iverilog");
        command
            .args(["-g2012", "-s", "rtlwasm_bench", "-o"])
            .arg(folder.join("bench.vvp"))
            .args(design.defines.iter().map(|define| format!("-D{define}")));
        let includes = design.includes.iter();
        command
            .args(includes.map(|path| format!("-I{}", path.display())))
            .arg(path)
            .args(&design.sources)
            .current_dir(&design.folder);
        process::run(&mut command, &folder.join("log"))
    })?;
    let program = Program {
        path: "vvp".into(),
        arguments: vec!["-n".into(), folder.join("bench.vvp").into()],
        folder: design.folder.clone(),
    };
    Ok(Built { program, usage })
}

fn bench(inputs: &Inputs, design: &OracleDesign) -> String {
    let mut text = String::from("`timescale 1ns/1ps\nmodule rtlwasm_bench;\n  reg clock = 0;\n");
    let mut connections = vec![format!(".{CLOCK}(clock)")];
    for (index, (name, width, value)) in inputs.rest.iter().enumerate() {
        _ = writeln!(text, "  reg [{}:0] in_{index} = {value};", width - 1);
        connections.push(format!(".{name}(in_{index})"));
    }
    let mut shown = Vec::new();
    for (index, (name, width)) in outputs(design).enumerate() {
        _ = writeln!(text, "  wire [{}:0] out_{index};", width - 1);
        connections.push(format!(".{name}(out_{index})"));
        shown.push(format!("out_{index}"));
    }
    let parameters: Vec<String> = design
        .parameters
        .iter()
        .map(|(name, value)| format!(".{name}({value})"))
        .collect();
    let parameters = match parameters.as_slice() {
        [] => String::new(),
        list => format!("#({}) ", list.join(", ")),
    };
    _ = writeln!(
        text,
        "  {} {parameters}dut ({});",
        design.top,
        connections.join(", ")
    );
    let (name, active, released) = &inputs.reset;
    let reset = inputs.rest.iter().position(|(input, ..)| input == name);
    let reset = format!("in_{}", reset.expect("the reset is an input"));
    text.push_str(
        &PROCEDURE
            .replace("@RESET@", &reset)
            .replace("@ACTIVE@", &active.to_string())
            .replace("@INACTIVE@", &released.to_string())
            .replace("@FORMAT@", &vec!["%h"; shown.len()].join(" "))
            .replace("@ROW@", &shown.join(", ")),
    );
    text
}

/// 32'h8000_0000 is standard input, 32'h8000_0002 standard error.
const PROCEDURE: &str = r#"
  integer count;
  task cycles(input integer number);
    repeat (number) begin
      #1 clock = 1;
      #1 clock = 0;
    end
  endtask
  initial begin
    #1 @RESET@ = @ACTIVE@;
    cycles(4);
    #1 @RESET@ = @INACTIVE@;
    while ($fscanf(32'h8000_0000, "%d", count) == 1) begin
      cycles(count);
      #1 $fdisplay(32'h8000_0002, "@FORMAT@", @ROW@);
    end
    $finish(0);
  end
endmodule
"#;
