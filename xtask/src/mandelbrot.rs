//! The Mandelbrot set drawn from Python: by Python itself, by a WebAssembly module that computes it, by the core in
//! Verilog. The figures go into docs/python.md.

use crate::failure::Result;
use crate::process::{cache, repository, run as execute};
use crate::python::Environment;
use crate::setup;

/// `cargo xtask bench python-mandelbrot`.
pub fn run() -> Result {
    setup::run()?;
    let environment = Environment::ready()?;
    environment.install_wheel()?;
    let mut command = environment.python();
    command
        .arg("tests/mandelbrot/bench.py")
        .arg(repository().join("docs").join("python.md"))
        .arg(cache()?.join("python-wasmer"));
    execute(&mut command)
}
