//! The same stimulus for the reference interpreter, an artifact and an outside simulator: a netlist and its
//! artifact in, the first difference out.
//!
//! The interpreter runs the netlist as the front end made it. Artifact and interpreter run in lockstep, which compares
//! all that both show and tell; artifact and outside simulator are compared on every output; both after every cycle.

use std::sync::Arc;

use rtlwasm::arena::Id;
use rtlwasm::ir::{self, Netlist, SignalId, SignalValue};
use rtlwasm::options::Options;
use rtlwasm::package::Packaged;
use rtlwasm::reference::Source;
use rtlwasm::reference::engine::both;
use rtlwasm_abi::Status;
use rtlwasm_host::{Artifact, EventKind, Model, ModelOptions, Signal, Value};

use crate::oracle::{Cycle, Direction, OracleDesign, Port, Sample, Stimulus};

/// The top-level ports of a netlist, in order; those of no bits have no values.
pub fn ports(netlist: &Netlist) -> Vec<Port> {
    let direction = |signal: &ir::Signal| match signal.direction {
        ir::Direction::Input => Some(Direction::Input),
        ir::Direction::Output => Some(Direction::Output),
        ir::Direction::Inout => Some(Direction::Inout),
        ir::Direction::None => None,
    };
    let port = |signal: &ir::Signal| {
        Some(Port {
            name: signal.name.clone(),
            width: signal.width,
            direction: direction(signal)?,
        })
    };
    let signals = netlist.signals.values().filter(|signal| signal.width > 0);
    signals.filter_map(port).collect()
}

/// The dotted path of a signal below the top, as the manifest has it.
pub fn path(netlist: &Netlist, signal: &ir::Signal) -> Vec<String> {
    let mut path = vec![signal.name.clone()];
    let mut scope = &netlist.scopes[signal.scope];
    while let Some(parent) = scope.parent {
        path.push(scope.name.clone());
        scope = &netlist.scopes[parent];
    }
    path.reverse();
    path
}

/// Every signal that is no memory.
pub fn words(netlist: &Netlist) -> Vec<SignalId> {
    let is_word = |id: &SignalId| !matches!(netlist.signals[*id].value, SignalValue::Memory(_));
    (0..netlist.signals.len())
        .map(Id::new)
        .filter(is_word)
        .collect()
}

/// The top-level outputs, in order.
pub fn outputs(netlist: &Netlist) -> Vec<SignalId> {
    let is_output = |id: &SignalId| netlist.signals[*id].direction == ir::Direction::Output;
    words(netlist).into_iter().filter(is_output).collect()
}

/// An artifact under the Rust host.
pub struct Compiled {
    model: Model,
    inputs: Vec<Signal>,
    /// Row of the trigger table, or the input itself when nothing acts on its edges.
    clocks: Vec<Result<rtlwasm_host::Clock, Signal>>,
    watched: Vec<Signal>,
}

impl Compiled {
    /// A model after power-on; `watched` are paths of the signals that [`Compiled::value`] counts.
    pub fn new(
        wasm: &[u8],
        design: &OracleDesign,
        watched: &[Vec<String>],
    ) -> Result<Self, String> {
        let artifact = Artifact::from_bytes(wasm, &options(design)).map_err(|e| e.to_string())?;
        Compiled::of(&artifact, design, watched)
    }

    fn of(
        artifact: &Artifact,
        design: &OracleDesign,
        watched: &[Vec<String>],
    ) -> Result<Self, String> {
        let options = options(design);
        let model = artifact.model(&options).map_err(|e| e.to_string())?;
        let find = |path: &[String]| model.signal(path.to_vec()).map_err(|e| e.to_string());
        let port = |name: &String| find(std::slice::from_ref(name));
        let input = |p: &Port| match p.direction {
            Direction::Inout => find(&[p.name.clone(), "in".to_owned()]),
            Direction::Input | Direction::Output => port(&p.name),
        };
        let inputs = design.inputs().map(input).collect::<Result<_, _>>()?;
        let clock = |name: &String| match model.clock(name) {
            Ok(clock) if !clock.is_derived() => Ok(Ok(clock)),
            _ => port(name).map(Err),
        };
        let clocks = design.clocks.iter().map(clock).collect::<Result<_, _>>()?;
        let watched = watched
            .iter()
            .map(|path| find(path))
            .collect::<Result<_, _>>()?;
        Ok(Compiled {
            model,
            inputs,
            clocks,
            watched,
        })
    }

    /// What a replay by another engine must know: ids and limbs of ports, rows of the trigger table, and the index
    /// of the clock if there is one.
    pub fn replay_case(&self) -> serde_json::Value {
        let port = |signal: &Signal| (signal.id(), signal.width().div_ceil(64));
        let trigger = |clock: &Result<rtlwasm_host::Clock, Signal>| {
            clock.as_ref().map(|clock| clock.trigger()).ok()
        };
        let triggers: Option<Vec<u32>> = self.clocks.iter().map(trigger).collect();
        let triggers = triggers.expect("every clock of a fixture has registers");
        let clocks = &self.model.artifact().manifest().clocks;
        let step = match triggers.as_slice() {
            [only] => clocks.iter().position(|clock| clock.trigger == *only),
            _ => None,
        };
        serde_json::json!({
            "inputs": self.inputs.iter().map(port).collect::<Vec<_>>(),
            "outputs": self.watched.iter().map(port).collect::<Vec<_>>(),
            "clocks": triggers,
            "step": step,
        })
    }

    /// What the design has written since the last call of this.
    pub fn text(&mut self) -> String {
        let is_text = |event: &rtlwasm_host::Event| event.kind == EventKind::Display;
        self.model
            .events()
            .filter(is_text)
            .map(|event| event.text)
            .collect()
    }

    /// The same, and kind, time and text of every event, one a line.
    pub fn text_and_events(&mut self) -> (String, String) {
        let (mut text, mut lines) = (String::new(), String::new());
        for event in self.model.events() {
            let shown = format!("{} {:?} {}", event.time, event.kind, event.text);
            lines.push_str(shown.trim_end());
            lines.push('\n');
            if event.kind == EventKind::Display {
                text.push_str(&event.text);
            }
        }
        (text, lines)
    }

    fn edges(&mut self, rising: u64, level: u64) -> Result<Status, rtlwasm_host::Error> {
        let mut triggers = 0;
        for (index, clock) in self.clocks.iter().enumerate() {
            match clock {
                _ if rising >> index & 1 == 0 => {}
                Ok(clock) => triggers |= 1 << clock.trigger(),
                Err(signal) => self.model.poke(*signal, level)?,
            }
        }
        let run = match level {
            1 => self.model.edges(triggers, 0)?,
            _ => self.model.edges(0, triggers)?,
        };
        Ok(run.status)
    }

    /// Applies the values of [`OracleDesign::inputs`] and settles.
    pub fn apply(&mut self, inputs: &[Vec<u64>]) -> Status {
        self.poke(inputs).unwrap_or_else(|e| panic!("eval: {e}"))
    }

    /// The clocks rise and fall together.
    pub fn cycle(&mut self, rising: u64) -> Status {
        self.run(rising).unwrap_or_else(|e| panic!("cycle: {e}"))
    }

    /// The value of a port or any other signal that was asked for, in limbs.
    pub fn value(&mut self, index: usize) -> Vec<u64> {
        let value = self.model.peek_bits(self.watched[index]);
        value
            .unwrap_or_else(|e| panic!("peek: {e}"))
            .limbs()
            .to_vec()
    }

    fn run(&mut self, rising: u64) -> Result<Status, rtlwasm_host::Error> {
        match self.clocks.as_slice() {
            [] => Ok(Status::Ok),
            [Ok(clock)] => self.step(*clock),
            _ => {
                let up = self.edges(rising, 1)?;
                Ok(worse(up, self.edges(rising, 0)?))
            }
        }
    }

    /// Runs one cycle to its end; a stop or a failed assertion in it is no end. The first status that is not `Ok`.
    fn step(&mut self, clock: rtlwasm_host::Clock) -> Result<Status, rtlwasm_host::Error> {
        let mut first = Status::Ok;
        loop {
            let run = self.model.step(clock, 1)?;
            first = worse(first, run.status);
            let goes_on = matches!(run.status, Status::Stop | Status::AssertionFailed);
            if run.cycles == 1 || !goes_on {
                return Ok(first);
            }
        }
    }

    fn poke(&mut self, inputs: &[Vec<u64>]) -> Result<Status, rtlwasm_host::Error> {
        for (signal, value) in self.inputs.iter().zip(inputs) {
            let value = Value::from_limbs(signal.width(), value);
            self.model.poke_bits(*signal, &value)?;
        }
        Ok(self.model.eval()?.status)
    }
}

fn options(design: &OracleDesign) -> ModelOptions {
    ModelOptions {
        cache_dir: None,
        plusargs: design.plusargs.clone(),
        ..ModelOptions::default()
    }
}

fn worse(first: Status, second: Status) -> Status {
    if first == Status::Ok { second } else { first }
}

/// How a comparison went.
#[derive(Clone, Debug, Default)]
pub struct Agreement {
    /// Cycles compared.
    pub cycles: u64,
    /// Values of outputs compared with the outside simulator, in bits, and those it showed as unknown.
    pub bits: u64,
    pub unknown: u64,
}

/// Runs an artifact beside the interpreter, to the end of the stimulus or of the design; the cycles, or the first
/// difference. `watched` are paths that both must know.
pub fn with_interpreter(
    netlist: &Netlist,
    compiled_with: &Options,
    packaged: &Packaged,
    (design, stimulus): (&OracleDesign, &Stimulus),
    watched: &[Vec<String>],
) -> Result<u64, String> {
    let source = Source {
        netlist: netlist.clone(),
        options: compiled_with.clone(),
        manifest: packaged.manifest.clone(),
        symbols: packaged.symbols.clone(),
    };
    let artifact = Artifact::from_bytes(&packaged.wasm, &options(design));
    let beside = artifact.and_then(|artifact| both(Arc::new(source), artifact));
    let beside = beside.map_err(|e| e.to_string())?;
    let mut model = Compiled::of(&beside, design, watched)?;
    let power_on = model.poke(&stimulus.power_on(design));
    power_on.map_err(|e| format!("at power-on: {e}"))?;
    for (index, Cycle { rising, inputs }) in stimulus.cycles(design).enumerate() {
        let applied = model.poke(&inputs);
        let run = applied.and_then(|applied| Ok(worse(applied, model.run(rising)?)));
        if run.map_err(|e| format!("in cycle {index}: {e}"))? == Status::Finish {
            return Ok(index as u64 + 1);
        }
    }
    Ok(stimulus.cycles)
}

/// Compares one row of an outside simulator with the outputs of a model, which are its first watched signals.
pub fn same_outputs(
    design: &OracleDesign,
    row: &[Sample],
    model: &mut Compiled,
    agreement: &mut Agreement,
) -> Result<(), String> {
    for (index, (port, sample)) in design.outputs().zip(row).enumerate() {
        let found = model.value(index);
        let unknown: u32 = sample.unknown.iter().map(|limb| limb.count_ones()).sum();
        agreement.bits += u64::from(port.width);
        agreement.unknown += u64::from(unknown);
        let limbs = sample.value.iter().zip(&sample.unknown).zip(&found);
        for ((value, unknown), found_limb) in limbs {
            if (value ^ found_limb) & !unknown != 0 {
                return Err(format!(
                    "{}: outside simulator {:x?} (unknown {:x?}), artifact {found:x?}",
                    port.name, sample.value, sample.unknown
                ));
            }
        }
    }
    agreement.cycles += 1;
    Ok(())
}

/// All outputs as paths, in order.
pub fn output_paths(design: &OracleDesign) -> Vec<Vec<String>> {
    design
        .outputs()
        .map(|port| vec![port.name.clone()])
        .collect()
}
