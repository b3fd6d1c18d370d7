//! `rtlwasm completions`: a script with which a shell completes our arguments.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, CommandResult, Exit, output};

/// Print a completion script for a shell
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  rtlwasm completions bash > ~/.local/share/bash-completion/completions/rtlwasm
  rtlwasm completions zsh > ~/.zfunc/_rtlwasm
  rtlwasm completions fish > ~/.config/fish/completions/rtlwasm.fish")]
pub struct Opts {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(opts: &Opts) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(opts.shell, &mut Cli::command(), "rtlwasm", &mut script);
    output::stdout(&script)?;
    Ok(Exit::Ok)
}
