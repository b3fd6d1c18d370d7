//! How to compile: arguments in, [`Options`] out.

use clap::{Args, ValueEnum};
use rtlwasm::options::{ClockOrder, Gating, OptLevel, Options, Poke, Profile, Strip, Trace, Undef};

/// The compile options that `build`, `run` and `dump` share.
#[derive(Args, Clone, Debug)]
pub struct CompileArgs {
    /// Optimisation level, 0 to 3: 0 compiles fastest, 3 runs fastest
    #[arg(short = 'O', value_name = "LEVEL", default_value = "2", value_parser = opt_level, help_heading = "Compilation")]
    opt_level: OptLevel,
    /// What the artifact says about its inside: every named signal, or ports only
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value = "full",
        help_heading = "Compilation"
    )]
    strip: StripArg,
    /// What undefined bits of the initial state become
    #[arg(
        long,
        value_enum,
        value_name = "POLICY",
        default_value = "zero",
        help_heading = "Compilation"
    )]
    undef: UndefArg,
    /// When an edge on a gated clock is seen: with its source, as in Verilog, or one wave later
    #[arg(
        long,
        value_enum,
        value_name = "ORDER",
        default_value = "verilog",
        help_heading = "Compilation"
    )]
    clock_order: ClockOrderArg,
    /// The kind of engine that functions are cut for
    #[arg(
        long,
        value_enum,
        value_name = "ENGINE",
        default_value = "server",
        help_heading = "Compilation"
    )]
    profile: ProfileArg,
    /// Leave out one optimisation: `no-<name>`; `help` lists them
    #[arg(short = 'Z', value_name = "no-NAME", value_parser = left_out, help_heading = "Compilation")]
    without: Vec<String>,
}

/// What hosts may do, for artifacts that are kept.
#[derive(Args, Clone, Debug)]
pub struct KeptArgs {
    /// Which state hosts may write: `all`, `ports`, or a glob of dotted paths such as `cpu.regs*`
    #[arg(long, value_name = "all|ports|GLOB", default_value = "all", value_parser = poke, help_heading = "Compilation")]
    poke: Poke,
    /// Let hosts ask the artifact for a record of every change (the feature `trace`)
    #[arg(long, help_heading = "Compilation")]
    trace: bool,
}

impl KeptArgs {
    /// The options they stand for, with how to compile.
    pub fn options(&self, compile: &CompileArgs) -> Options {
        Options {
            trace: if self.trace { Trace::On } else { Trace::Off },
            ..compile.options(self.poke.clone())
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StripArg {
    Full,
    Ports,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum UndefArg {
    Zero,
    Ones,
    Random,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileArg {
    /// wasmtime, wasmer and other compilers
    Server,
    /// JavaScript engines
    Browser,
    /// Hosts on the Java virtual machine
    Jvm,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClockOrderArg {
    Verilog,
    Delta,
}

impl CompileArgs {
    /// The options they stand for, with the state that the host may write.
    pub fn options(&self, poke: Poke) -> Options {
        Options {
            opt_level: self.opt_level,
            strip: match self.strip {
                StripArg::Full => Strip::Full,
                StripArg::Ports => Strip::Ports,
            },
            undef: match self.undef {
                UndefArg::Zero => Undef::Zero,
                UndefArg::Ones => Undef::Ones,
                UndefArg::Random => Undef::Random,
            },
            poke,
            clock_order: match self.clock_order {
                ClockOrderArg::Verilog => ClockOrder::Verilog,
                ClockOrderArg::Delta => ClockOrder::Delta,
            },
            profile: match self.profile {
                ProfileArg::Server => Profile::Server,
                ProfileArg::Browser => Profile::Browser,
                ProfileArg::Jvm => Profile::Jvm,
            },
            gating: Gating::default(),
            trace: Trace::Off,
            without: self.without.iter().cloned().collect(),
        }
    }
}

fn opt_level(text: &str) -> Result<OptLevel, String> {
    match text {
        "0" => Ok(OptLevel::O0),
        "1" => Ok(OptLevel::O1),
        "2" => Ok(OptLevel::O2),
        "3" => Ok(OptLevel::O3),
        _ => Err("the levels are 0, 1, 2 and 3".to_string()),
    }
}

fn left_out(text: &str) -> Result<String, String> {
    let known: Vec<&str> = rtlwasm::optimisations().collect();
    match text.strip_prefix("no-") {
        Some(name) if known.contains(&name) => Ok(name.to_string()),
        _ => Err(format!("the choices are no-{}", known.join(", no-"))),
    }
}

fn poke(text: &str) -> Result<Poke, String> {
    match text {
        "all" => Ok(Poke::All),
        "ports" => Ok(Poke::Ports),
        glob => match glob::Pattern::new(glob) {
            Ok(_) => Ok(Poke::Glob(glob.to_string())),
            Err(error) => Err(error.to_string()),
        },
    }
}
