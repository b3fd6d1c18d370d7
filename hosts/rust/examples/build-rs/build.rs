//! Compiles the design while the program is built: RTLIL in, `dice.wasm` in cargo's output folder out.

use rtlwasm::Compiler;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let artifact = Compiler::new()
        .source("rtl/dice.il")
        .top("dice")
        .compile()?;
    artifact.write_to_out_dir("dice.wasm")?;
    artifact.cargo_rerun_if_changed();
    Ok(())
}
