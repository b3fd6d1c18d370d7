//! The same stimulus for the reference interpreter, an artifact and an outside simulator: a netlist and its
//! artifact in, the first difference out.
//!
//! The interpreter runs the netlist as the front end made it. Artifact and interpreter are compared on every
//! named signal, artifact and outside simulator on every output, both after every cycle.

use rtlwasm::arena::Id;
use rtlwasm::bits::Bits;
use rtlwasm::ir::interp::{Interp, InterpOptions};
use rtlwasm::ir::{self, Netlist, SignalId, SignalValue, TriggerRole};
use rtlwasm_abi::Status;
use rtlwasm_host::{Artifact, EventKind, Model, ModelOptions, Signal, Value};

use crate::oracle::{Cycle, Direction, OracleDesign, Port, Sample, Stimulus};

/// A running model that takes cycles of a stimulus.
pub trait Simulation {
    /// Applies the values of [`OracleDesign::inputs`] and settles.
    fn apply(&mut self, inputs: &[Vec<u64>]) -> Status;
    /// The clocks rise and fall together.
    fn cycle(&mut self, rising: u64) -> Status;
    /// The value of a port or any other signal that was asked for, in limbs.
    fn value(&mut self, index: usize) -> Vec<u64>;
}

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

/// The interpreter on the signals of a netlist.
pub struct Interpreted<'a> {
    interp: Interp<'a>,
    netlist: &'a Netlist,
    inputs: Vec<SignalId>,
    /// Index among the primary triggers, or the input itself when nothing acts on its edges.
    clocks: Vec<Result<usize, SignalId>>,
    watched: Vec<SignalId>,
}

impl<'a> Interpreted<'a> {
    /// A model after power-on; `watched` are the signals that [`Simulation::value`] counts.
    pub fn new(netlist: &'a Netlist, design: &OracleDesign, watched: Vec<SignalId>) -> Self {
        let mut interp = Interp::new(netlist, InterpOptions::default());
        interp.reset();
        let clock = |name: &String| {
            let signal = port_id(netlist, name);
            trigger_of(netlist, signal).ok_or(signal)
        };
        Interpreted {
            interp,
            netlist,
            inputs: design
                .inputs()
                .map(|port| port_id(netlist, &port.name))
                .collect(),
            clocks: design.clocks.iter().map(clock).collect(),
            watched,
        }
    }

    /// What the host has told the artifact when it was loaded.
    fn take_plusargs(&mut self, compiled: &mut Compiled) {
        let asked = self.netlist.host_inputs();
        for (index, id) in self.watched.iter().enumerate() {
            let signal = &self.netlist.signals[*id];
            if matches!(signal.value, SignalValue::Cell(cell) if asked.contains_key(&cell)) {
                let value = Bits::from_limbs(signal.width, compiled.value(index));
                self.interp.poke(*id, 0, &value);
            }
        }
    }

    fn edges(&mut self, rising: u64, level: u64) -> Status {
        let mut triggers = 0;
        for (index, clock) in self.clocks.iter().enumerate() {
            match clock {
                _ if rising >> index & 1 == 0 => {}
                Ok(trigger) => triggers |= 1 << trigger,
                Err(signal) => {
                    self.interp.poke(*signal, 0, &Bits::from_u64(1, level));
                }
            }
        }
        match level {
            1 => self.interp.edges(triggers, 0),
            _ => self.interp.edges(0, triggers),
        }
    }
}

impl Simulation for Interpreted<'_> {
    fn apply(&mut self, inputs: &[Vec<u64>]) -> Status {
        for (signal, value) in self.inputs.iter().zip(inputs) {
            let width = self.netlist.signals[*signal].width;
            let value = Bits::from_limbs(width, value.iter().copied());
            self.interp.poke(*signal, 0, &value);
        }
        self.interp.eval()
    }

    fn cycle(&mut self, rising: u64) -> Status {
        match self.clocks.as_slice() {
            [] => Status::Ok,
            [Ok(trigger)] => {
                let trigger = *trigger;
                until_done(|| {
                    let status = self.interp.step(trigger, 1);
                    (status, self.interp.done())
                })
            }
            _ => worse(self.edges(rising, 1), self.edges(rising, 0)),
        }
    }

    fn value(&mut self, index: usize) -> Vec<u64> {
        self.interp.peek(self.watched[index], 0).limbs().to_vec()
    }
}

fn port_id(netlist: &Netlist, name: &str) -> SignalId {
    let mut ids = (0..netlist.signals.len()).map(Id::new);
    let is_it = |id: &SignalId| {
        let signal = &netlist.signals[*id];
        signal.name == name && netlist.scopes[signal.scope].parent.is_none()
    };
    ids.find(is_it)
        .unwrap_or_else(|| panic!("the design has no port {name}"))
}

fn trigger_of(netlist: &Netlist, signal: SignalId) -> Option<usize> {
    let SignalValue::Cell(cell) = netlist.signals[signal].value else {
        return None;
    };
    let is_it = |t: &ir::Trigger| t.net == cell && matches!(t.role, TriggerRole::PrimaryClock);
    netlist.triggers.values().position(is_it)
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
    /// A model after power-on; `watched` are paths of signals.
    pub fn new(
        wasm: &[u8],
        design: &OracleDesign,
        watched: &[Vec<String>],
    ) -> Result<Self, String> {
        let options = ModelOptions {
            cache_dir: None,
            plusargs: design.plusargs.clone(),
            ..ModelOptions::default()
        };
        let artifact = Artifact::from_bytes(wasm, &options).map_err(|e| e.to_string())?;
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

    fn poke(&mut self, inputs: &[Vec<u64>]) -> Result<Status, rtlwasm_host::Error> {
        for (signal, value) in self.inputs.iter().zip(inputs) {
            let value = Value::from_limbs(signal.width(), value);
            self.model.poke_bits(*signal, &value)?;
        }
        Ok(self.model.eval()?.status)
    }
}

impl Simulation for Compiled {
    fn apply(&mut self, inputs: &[Vec<u64>]) -> Status {
        self.poke(inputs).unwrap_or_else(|e| panic!("eval: {e}"))
    }

    fn cycle(&mut self, rising: u64) -> Status {
        match self.clocks.as_slice() {
            [] => Status::Ok,
            [Ok(clock)] => {
                let clock = *clock;
                until_done(|| {
                    let run = self
                        .model
                        .step(clock, 1)
                        .unwrap_or_else(|e| panic!("step: {e}"));
                    (run.status, run.cycles)
                })
            }
            _ => {
                let mut edge = |level| {
                    self.edges(rising, level)
                        .unwrap_or_else(|e| panic!("edges: {e}"))
                };
                worse(edge(1), edge(0))
            }
        }
    }

    fn value(&mut self, index: usize) -> Vec<u64> {
        let value = self.model.peek_bits(self.watched[index]);
        value
            .unwrap_or_else(|e| panic!("peek: {e}"))
            .limbs()
            .to_vec()
    }
}

/// Runs one cycle to its end; a stop or a failed assertion in it is no end. The first status that is not `Ok`.
fn until_done(mut step: impl FnMut() -> (Status, u64)) -> Status {
    let mut first = Status::Ok;
    loop {
        let (status, done) = step();
        first = worse(first, status);
        let goes_on = matches!(status, Status::Stop | Status::AssertionFailed);
        if done == 1 || !goes_on {
            return first;
        }
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

/// Interpreter and artifact on all named signals; the samples of all outputs per cycle, up to the end of the design.
pub fn interpreter_and_artifact(
    netlist: &Netlist,
    compiled: &mut Compiled,
    design: &OracleDesign,
    stimulus: &Stimulus,
    watched: &[SignalId],
) -> Result<u64, String> {
    let mut reference = Interpreted::new(netlist, design, watched.to_vec());
    reference.take_plusargs(compiled);
    let inputs = stimulus.power_on(design);
    let status = (reference.apply(&inputs), compiled.apply(&inputs));
    same_values(netlist, watched, &mut reference, compiled, status)
        .map_err(|e| format!("at power-on: {e}"))?;
    for (index, Cycle { rising, inputs }) in stimulus.cycles(design).enumerate() {
        let applied = (reference.apply(&inputs), compiled.apply(&inputs));
        let stepped = (reference.cycle(rising), compiled.cycle(rising));
        let status = (worse(applied.0, stepped.0), worse(applied.1, stepped.1));
        same_values(netlist, watched, &mut reference, compiled, status)
            .map_err(|e| format!("in cycle {index}: {e}"))?;
        if status.0 == Status::Finish {
            return Ok(index as u64 + 1);
        }
    }
    Ok(stimulus.cycles)
}

/// Fails at the first watched signal that differs, or at another status.
pub fn same_values(
    netlist: &Netlist,
    watched: &[SignalId],
    reference: &mut Interpreted,
    compiled: &mut Compiled,
    status: (Status, Status),
) -> Result<(), String> {
    if status.0 != status.1 {
        return Err(format!(
            "status: interpreter {:?}, artifact {:?}",
            status.0, status.1
        ));
    }
    for (index, id) in watched.iter().enumerate() {
        let (expected, found) = (reference.value(index), compiled.value(index));
        if expected != found {
            let name = path(netlist, &netlist.signals[*id]).join(".");
            return Err(format!(
                "{name}: interpreter {expected:x?}, artifact {found:x?}"
            ));
        }
    }
    Ok(())
}

/// Compares one row of an outside simulator with the outputs of a model, which are its first watched signals.
pub fn same_outputs(
    design: &OracleDesign,
    row: &[Sample],
    model: &mut dyn Simulation,
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
