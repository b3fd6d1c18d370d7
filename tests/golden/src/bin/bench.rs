//! The program behind `cargo xtask bench`: arguments in, figures out.

use std::process::ExitCode;

fn main() -> ExitCode {
    match golden::bench::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}
