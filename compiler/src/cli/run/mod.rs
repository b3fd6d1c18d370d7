//! `rtlwasm run`: an artifact or a source in; text of the design, waveform, values and speed out.

mod console;
mod drive;
mod interrupt;
mod prepare;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rtlwasm::diag::Colour;
use rtlwasm::options::Poke;
use rtlwasm_host::wave::{self, Memories, Wave};
use rtlwasm_host::{Artifact, Model, ModelOptions};
use serde_json::json;

use self::console::Console;
use self::drive::{Driver, End, Outcome};
use self::prepare::Plan;
use super::compile_args::CompileArgs;
use super::design_args::DesignArgs;
use super::number::{self, Assignment, Hold};
use super::report::LintArgs;
use super::{CommandResult, Exit, Failure, load, output};

/// Run an artifact, or compile a source and run it
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  rtlwasm run counter.v --cycles 100 --poke en=1 --peek count
  rtlwasm run cpu.wasm --reset rst=1:4 --load ram=firmware.hex --until halted=1 --cycles 10M
  rtlwasm run cpu.wasm --cycles 2k --wave cpu.fst +verbose +seed=7
  rtlwasm run cpu.wasm --cycles 1M --peek pc --peek 'ram[16]' --json

Without --cycles and --until the design runs until it calls $finish. Names are paths below the top, joined with
dots; rows of memories are NAME[INDEX]. Values are 42, -1, 0x2a, 0b101 or 8'h2a. Files for --load are texts as
$readmemh reads them, or plain bytes when they end in .bin.

Exit status:
  0    $finish was called, or the cycles asked for are over
  1    bad input
  2    wrong usage, such as a signal that the design does not have
  3    an assertion failed, or $fatal or $stop was called
  4    --until did not come true within --cycles, or --timeout ended the run
  5    combinational logic did not settle
  130  interrupted; the waveform is complete up to then")]
pub struct Opts {
    #[command(flatten)]
    design: DesignArgs,
    /// Run so many clock cycles, those of --reset included; 10k, 5M and 1G are understood
    #[arg(long, value_name = "N", value_parser = number::count)]
    cycles: Option<u64>,
    /// Run until a signal has a value
    #[arg(long, value_name = "NAME=VALUE", value_parser = number::assignment)]
    until: Option<Assignment>,
    /// The clock to run; not needed when there is only one
    #[arg(long, value_name = "NAME")]
    clock: Option<String>,
    /// Hold an input at a value for so many cycles, then at its complement
    #[arg(long, value_name = "NAME=VALUE:CYCLES", value_parser = number::hold)]
    reset: Vec<Hold>,
    /// Write a signal or a memory row before the run
    #[arg(long, value_name = "NAME=VALUE", value_parser = number::assignment)]
    poke: Vec<Assignment>,
    /// Fill a memory from a file before the run
    #[arg(long, value_name = "MEMORY=FILE", value_parser = number::assignment)]
    load: Vec<Assignment>,
    /// Show a signal or a memory row after the run
    #[arg(long, value_name = "NAME")]
    peek: Vec<String>,
    /// Write a waveform; the name ends in .vcd or .fst
    #[arg(long, value_name = "FILE", value_parser = wave_path)]
    wave: Option<PathBuf>,
    /// Put memories into the waveform, row by row
    #[arg(long, requires = "wave")]
    wave_memories: bool,
    /// Seed of $random and of --undef random
    #[arg(long, value_name = "N", default_value = "0", value_parser = number::seed)]
    seed: u64,
    /// End the run after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = number::seconds)]
    timeout: Option<f64>,
    /// One JSON object on standard output; the design's own text goes to standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compile: CompileArgs,
    #[command(flatten)]
    lints: LintArgs,
}

fn wave_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if wave::is_known(&path) {
        Ok(path)
    } else {
        Err("the name must end in .vcd or .fst".to_string())
    }
}

pub fn run(opts: &Opts, colour: Colour) -> CommandResult {
    let interrupted = interrupt::flag();
    let (design, plusargs) = opts.design.split();
    let wasm = load::artifact(
        design,
        &opts.compile.options(Poke::All),
        &opts.lints,
        colour,
    )?;
    let options = ModelOptions {
        seed: opts.seed,
        plusargs,
        ..ModelOptions::default()
    };
    let artifact =
        Artifact::from_bytes(&wasm, &options).map_err(|e| Failure::Input(e.to_string()))?;
    // Names are checked before anything runs or is written.
    let plan = Plan::new(opts, &artifact)?;
    let mut model = artifact
        .model(&options)
        .map_err(|e| Failure::Input(e.to_string()))?;
    let console = Console::attach(&mut model, opts.json);
    plan.prepare(&mut model)?;
    let memories = if opts.wave_memories {
        Memories::Include
    } else {
        Memories::Exclude
    };
    let wave = opts
        .wave
        .as_deref()
        .map(|path| Wave::create(path, &mut model, memories))
        .transpose()
        .map_err(|e| Failure::Input(e.to_string()))?;
    let timeout = opts.timeout.map(Duration::from_secs_f64);
    let mut driver = Driver::new(
        &mut model,
        wave,
        interrupted,
        timeout,
        console.progress(plan.cycles),
    );
    let outcome = driver.run(&plan)?;
    console.close(&outcome, &model);
    let closed = finish(opts, &plan, &mut model, &outcome);
    if console.reader_is_gone() {
        Err(Failure::BrokenPipe)
    } else {
        closed.map(|()| exit(outcome.end))
    }
}

/// Prints what was asked for after the run.
fn finish(opts: &Opts, plan: &Plan, model: &mut Model, outcome: &Outcome) -> Result<(), Failure> {
    let mut values = Vec::new();
    for (name, probe) in &plan.peeks {
        values.push((
            name,
            model
                .peek_probe(*probe)
                .map_err(|e| Failure::Input(e.to_string()))?,
        ));
    }
    let text = if opts.json {
        let peek: serde_json::Map<String, serde_json::Value> = values
            .iter()
            .map(|(name, value)| (name.to_string(), format!("{value:x}").into()))
            .collect();
        let object = json!({
            "cycles": outcome.cycles,
            "seconds": outcome.stepping.as_secs_f64(),
            "status": outcome.end.name(),
            "time": model.time(),
            "peek": peek,
        });
        format!("{object}\n")
    } else {
        values
            .iter()
            .map(|(name, value)| format!("{name} = 0x{value:x}\n"))
            .collect()
    };
    output::stdout(text.as_bytes())
}

fn exit(end: End) -> Exit {
    match end {
        End::Done | End::Finish => Exit::Ok,
        End::AssertionFailed | End::Stop => Exit::Failed,
        End::NotMet | End::Timeout => Exit::NotMet,
        End::NotSettled => Exit::NotSettled,
        End::Interrupted => Exit::Interrupted,
    }
}
