//! The `rtlwasm` command: arguments in, exit status out. Everything is in [`cli`].

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
