//! An artifact as an engine: WebAssembly in wasmtime, through the exports and the memory map of the ABI.
//!
//! In: a netlist and how to compile it. Out: an [`Engine`] with the netlist's own numbering of signals and
//! clocks. It uses no host library, so that it can prove those too.

use rtlwasm::bits::{Bits, limb_count};
use rtlwasm::ir::interp::Timing;
use rtlwasm::ir::{
    CellId, CellKind, Direction, Netlist, SignalValue, Trigger, TriggerId, TriggerRole,
};
use rtlwasm::options::Options;
use rtlwasm::pipeline;
use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{CONTROL_BASE, control, event, state, trigger};
use rtlwasm_abi::manifest::{EventSite, Manifest, Signal};
use wasmtime::{Engine as Wasmtime, Instance, Memory, Module, Store, WasmParams, WasmResults};

use crate::engine::{Engine, Record};

/// A running artifact.
pub struct Artifact {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    /// By signal of the netlist.
    ids: Vec<Ids>,
    /// By trigger of the netlist.
    pins: Vec<Pin>,
    sites: Vec<EventSite>,
    events: Vec<Record>,
    done: u64,
    times_full: usize,
}

/// The signals of the artifact that one of the netlist is.
struct Ids {
    width: u32,
    place: Place,
}

/// How a trigger's net can be driven.
#[derive(Clone, Copy)]
enum Pin {
    /// By this row of the trigger table.
    Row(u32),
    /// By its signal: passes drop asynchronous loads that load nothing.
    Signal(u32),
    Computed,
}

enum Place {
    One(u32),
    Inout {
        input: u32,
        output: u32,
        enable: u32,
    },
}

/// Fast compilation: a random netlist runs for a moment only.
pub fn wasmtime() -> Wasmtime {
    let mut config = wasmtime::Config::new();
    config.cranelift_opt_level(wasmtime::OptLevel::None);
    Wasmtime::new(&config).expect("the configuration is sound")
}

impl Artifact {
    /// Compiles and instantiates a netlist; `seed` is that of random values.
    ///
    /// # Panics
    /// When the artifact is no valid module: the compiler has a bug.
    pub fn new(wasmtime: &Wasmtime, netlist: &Netlist, options: &Options, seed: u64) -> Artifact {
        let packaged = pipeline::compile_netlist(netlist.clone(), options);
        let module = Module::new(wasmtime, &packaged.wasm).expect("a valid module");
        let mut store = Store::new(wasmtime, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("no imports");
        let memory = instance
            .get_memory(&mut store, "memory")
            .expect("its memory");
        let signals: Vec<Signal> = packaged
            .manifest
            .signals
            .iter()
            .chain(&packaged.symbols.signals)
            .cloned()
            .collect();
        let clocks = packaged
            .manifest
            .clocks
            .iter()
            .filter(|c| !c.derived)
            .count();
        let primary = netlist
            .triggers
            .values()
            .filter(|t| t.role == TriggerRole::PrimaryClock);
        assert_eq!(
            clocks,
            primary.count(),
            "every primary clock can be stepped"
        );
        let mut artifact = Artifact {
            store,
            instance,
            memory,
            ids: ids(netlist, &signals),
            pins: pins(netlist, &packaged.manifest),
            sites: packaged.manifest.events.clone(),
            events: Vec::new(),
            done: 0,
            times_full: 0,
        };
        let seed_at = artifact.state_base() + state::SEED as usize;
        artifact.write(seed_at, &seed.to_le_bytes());
        artifact
    }

    /// How many calls found the event ring full.
    pub fn times_full(&self) -> usize {
        self.times_full
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, params: P) -> R {
        let function = self.instance.get_typed_func::<P, R>(&mut self.store, name);
        let function = function.unwrap_or_else(|e| panic!("export `{name}`: {e}"));
        let result = function.call(&mut self.store, params);
        result.unwrap_or_else(|e| panic!("`{name}` trapped: {e}"))
    }

    fn read<const N: usize>(&self, at: usize) -> [u8; N] {
        self.memory.data(&self.store)[at..at + N]
            .try_into()
            .expect("N bytes")
    }

    fn read_u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.read(at))
    }

    fn read_u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.read(at))
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        self.memory.data_mut(&mut self.store)[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn control(&self, field: u32) -> usize {
        (CONTROL_BASE + field) as usize
    }

    fn state_base(&self) -> usize {
        self.read_u64(self.control(control::STATE_BASE)) as usize
    }

    /// Makes a call, again while the ring was full; each time events and cycles are collected.
    fn run(&mut self, mut call: impl FnMut(&mut Self) -> i32) -> Status {
        self.done = 0;
        loop {
            let code = call(self);
            self.drain();
            self.done += self.read_u64(self.control(control::DONE));
            match Status::from_code(code as u32) {
                Some(Status::RingFull) => self.times_full += 1,
                Some(status) => return status,
                None => panic!("unknown status {code}"),
            }
        }
    }

    fn drain(&mut self) {
        let base = self.read_u32(self.control(control::EVENT_BASE)) as usize;
        let size = self.read_u32(self.control(control::EVENT_SIZE)) as usize;
        let head = self.read_u32(self.control(control::EVENT_HEAD));
        let mut tail = self.read_u32(self.control(control::EVENT_TAIL));
        while tail != head {
            let at = base + (tail as usize & (size - 1));
            if self.read_u32(at + event::SITE as usize) != event::FILLER {
                self.record(at);
            }
            tail = tail.wrapping_add(self.read_u32(at + event::BYTES as usize));
        }
        let tail_at = self.control(control::EVENT_TAIL);
        self.write(tail_at, &tail.to_le_bytes());
    }

    fn record(&mut self, at: usize) {
        let site = self.sites[self.read_u32(at + event::SITE as usize) as usize].clone();
        let mut place = at + event::ARGS as usize;
        let mut args = Vec::new();
        for arg in &site.args {
            let limbs: Vec<u64> = (0..limb_count(arg.width))
                .map(|i| self.read_u64(place + 8 * i))
                .collect();
            place += 8 * limbs.len();
            args.push(Bits::from_limbs(arg.width, limbs));
        }
        let time = self.read_u64(at + event::TIME as usize);
        self.events.push(Record {
            effect: site.name,
            time,
            args,
        });
    }

    fn peek_id(&mut self, id: u32, width: u32, row: u32) -> Bits {
        let limbs = limb_count(width) as u32;
        let limb =
            |word| self.call::<_, i64>("rtl_peek", (id as i32, (row * limbs + word) as i32)) as u64;
        Bits::from_limbs(width, (0..limbs).map(limb).collect::<Vec<_>>())
    }
}

/// How each trigger is driven: clocks keep their rows, resets are found by the port that they are.
fn pins(n: &Netlist, manifest: &Manifest) -> Vec<Pin> {
    let reset = |net: CellId| {
        let is_port = |s: &&rtlwasm::ir::Signal| {
            s.direction == Direction::Input && s.value == SignalValue::Cell(net)
        };
        let port = n.signals.values().find(is_port)?.name.as_str();
        let id = manifest.signals.iter().position(|s| s.path == [port])? as u32;
        let row = manifest
            .resets
            .iter()
            .find(|r| r.signal == Some(id))
            .and_then(|r| r.trigger);
        Some(row.map_or(Pin::Signal(id), Pin::Row))
    };
    let pin = |(id, t): (TriggerId, &Trigger)| match (t.role, &n.cells[t.net].kind) {
        (TriggerRole::PrimaryClock, _) => Pin::Row(id.index() as u32),
        (TriggerRole::AsyncLoad, CellKind::Input(_)) => reset(t.net).unwrap_or(Pin::Computed),
        (TriggerRole::AsyncLoad | TriggerRole::DerivedClock, _) => Pin::Computed,
    };
    n.triggers.iter().map(pin).collect()
}

/// Which signal of the artifact is which of the netlist, by path.
fn ids(n: &Netlist, signals: &[Signal]) -> Vec<Ids> {
    let find = |path: &[&str]| {
        let found = signals.iter().position(|s| s.path == path);
        found.unwrap_or_else(|| panic!("the artifact has no signal {path:?}")) as u32
    };
    let place = |id, signal: &rtlwasm::ir::Signal| {
        let path = n.signal_path(id);
        let half = |word| find(&[path.as_slice(), &[word]].concat());
        match signal.value {
            SignalValue::Inout { .. } => Place::Inout {
                input: half("in"),
                output: half("out"),
                enable: half("enable"),
            },
            SignalValue::Cell(_) | SignalValue::Memory(_) => Place::One(find(&path)),
        }
    };
    n.signals
        .iter()
        .map(|(id, s)| Ids {
            width: s.width,
            place: place(id, s),
        })
        .collect()
}

impl Engine for Artifact {
    fn reset(&mut self) -> Status {
        self.events.clear();
        self.run(|a| a.call("rtl_reset", ()))
    }

    fn eval(&mut self) -> Status {
        self.run(|a| a.call("rtl_eval", ()))
    }

    fn step(&mut self, clock: usize, n: u64) -> Status {
        self.run(|a| a.call("rtl_step", (clock as i32, (n - a.done) as i64)))
    }

    fn edges(&mut self, rise: u64, fall: u64) -> Status {
        let (mut rows, bit) = ([0u64; 2], |mask: u64, i: usize| mask >> i & 1);
        for (i, pin) in self.pins.clone().into_iter().enumerate() {
            match pin {
                Pin::Row(row) => {
                    rows[0] |= bit(rise, i) << row;
                    rows[1] |= bit(fall, i) << row;
                }
                Pin::Signal(id) if bit(rise | fall, i) == 1 => {
                    let status: i32 = self.call("rtl_poke", (id as i32, 0, bit(rise, i) as i64));
                    assert_eq!(status, 0, "an input can be poked");
                }
                Pin::Signal(_) => {}
                Pin::Computed => assert_eq!(
                    bit(rise | fall, i),
                    0,
                    "a computed net has no edges to give"
                ),
            }
        }
        self.run(|a| a.call("rtl_edges", (rows[0] as i64, rows[1] as i64)))
    }

    fn advance(&mut self, until: u64) -> Status {
        self.run(|a| a.call("rtl_advance", until as i64))
    }

    fn poke(&mut self, signal: usize, row: u32, value: &Bits) -> Status {
        let limbs = limb_count(self.ids[signal].width) as u32;
        let id = match self.ids[signal].place {
            Place::One(id) | Place::Inout { input: id, .. } => id,
        };
        let mut status = 0;
        for (word, limb) in (0..limbs).zip(value.limbs()) {
            let params = (id as i32, (row * limbs + word) as i32, *limb as i64);
            status = status.max(self.call::<_, i32>("rtl_poke", params));
        }
        Status::from_code(status as u32).expect("a status")
    }

    fn peek(&mut self, signal: usize, row: u32) -> Bits {
        let width = self.ids[signal].width;
        match self.ids[signal].place {
            Place::One(id) => self.peek_id(id, width, row),
            Place::Inout {
                input,
                output,
                enable,
            } => {
                let enable = self.peek_id(enable, width, 0);
                let driven = self.peek_id(output, width, 0).and(&enable);
                driven.or(&self.peek_id(input, width, 0).and(&enable.not()))
            }
        }
    }

    fn set_timing(&mut self, clock: usize, timing: Timing, next: u64) {
        let base = self.read_u32(self.control(control::TRIGGER_BASE));
        let row = base + clock as u32 * trigger::LEN;
        let fields = [
            (trigger::NEXT, next),
            (trigger::HIGH, timing.high),
            (trigger::LOW, timing.low),
            (trigger::PHASE, timing.phase),
        ];
        for (field, value) in fields {
            self.write((row + field) as usize, &value.to_le_bytes());
        }
        self.write((row + trigger::RUN) as usize, &[u8::from(timing.run)]);
    }

    fn events(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.events)
    }

    fn covers(&mut self) -> Vec<(String, u64)> {
        let counters = self
            .sites
            .iter()
            .filter_map(|s| Some((s.name.clone(), s.cover?)));
        counters
            .map(|(name, at)| (name, self.read_u64(at as usize)))
            .collect()
    }

    fn time(&mut self) -> u64 {
        self.read_u64(self.state_base() + state::TIME as usize)
    }

    fn done(&mut self) -> u64 {
        self.done
    }
}
