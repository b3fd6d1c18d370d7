//! An artifact as an engine: WebAssembly in wasmtime, through the exports and the memory map of the ABI.
//!
//! In: a netlist and how to compile it. Out: an [`Engine`] with the netlist's own numbering of signals and
//! clocks. It uses no host library, so that it can prove those too.

mod watch;

use rtlwasm::bits::{Bits, limb_count};
use rtlwasm::ir::interp::{Condition, Timing};
use rtlwasm::ir::{
    CellId, CellKind, Direction, Netlist, SignalValue, Trigger, TriggerId, TriggerRole,
};
use rtlwasm::options::{Options, Strip};
use rtlwasm::pipeline;
use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{CONTROL_BASE, control, event, play, state, trigger};
use rtlwasm_abi::manifest::{EventSite, Manifest, Signal};
use wasmtime::{Engine as Wasmtime, Instance, Memory, Module, Store, WasmParams, WasmResults};

use crate::engine::{Engine, Record, cycle_by_cycle};
use crate::stimulus::Op;
pub use watch::WatchState;

/// How a host calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    #[default]
    Plain,
    /// Leaves so much in the event ring that little more than one wave's events fit.
    RingNearlyFull,
    /// Makes several cycles one by one.
    CycleByCycle,
}

/// A running artifact.
pub struct Artifact {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    /// By signal of the netlist.
    ids: Vec<Option<Ids>>,
    /// By trigger of the netlist.
    pins: Vec<Pin>,
    sites: Vec<EventSite>,
    events: Vec<Record>,
    done: u64,
    times_full: usize,
    manner: Manner,
    /// Up to here events have been read.
    read: u32,
    event_reserve: u32,
}

/// The signals of the artifact that one of the netlist is.
struct Ids {
    width: u32,
    /// Where limbs can be waited for: offset in memory and distance to the left, `None` where a limb is nowhere.
    limbs: Vec<Option<(u32, u32)>>,
    /// Where its parts lie.
    offsets: Vec<u32>,
    /// Distance between rows.
    stride: u32,
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
        /// The value of the net.
        port: u32,
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
        let mut signals = packaged.manifest.signals.clone();
        if options.strip == Strip::Full {
            signals.extend(packaged.symbols.signals.iter().cloned());
        }
        let mut sites = packaged.manifest.events.clone();
        if options.strip == Strip::Ports {
            assert_eq!(sites.len(), netlist.effects.len(), "no effect is removed");
            for (site, effect) in sites.iter_mut().zip(&netlist.effects) {
                assert_eq!(site.name, "", "names are stripped");
                site.name = effect.name.clone();
            }
        }
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
            sites,
            events: Vec::new(),
            done: 0,
            times_full: 0,
            manner: Manner::Plain,
            read: 0,
            event_reserve: packaged.manifest.event_reserve,
        };
        let seed_at = artifact.state_base() + state::SEED as usize;
        artifact.write(seed_at, &seed.to_le_bytes());
        artifact
    }

    /// How many calls found the event ring full.
    pub fn times_full(&self) -> usize {
        self.times_full
    }

    /// The same artifact, called in another manner.
    pub fn with_manner(mut self, manner: Manner) -> Artifact {
        self.manner = manner;
        self
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
        let mut tail = self.read;
        while tail != head {
            let at = base + (tail as usize & (size - 1));
            if self.read_u32(at + event::SITE as usize) != event::FILLER {
                self.record(at);
            }
            tail = tail.wrapping_add(self.read_u32(at + event::BYTES as usize));
        }
        self.read = tail;
        let room = match self.manner {
            // A call needs room for one wave, or for a cycle.
            Manner::RingNearlyFull => 2 * self.event_reserve.max(16),
            Manner::Plain | Manner::CycleByCycle => size as u32,
        };
        let tail = head.wrapping_add(room).wrapping_sub(size as u32);
        let tail_at = self.control(control::EVENT_TAIL);
        self.write(tail_at, &tail.to_le_bytes());
    }

    /// Where a script may be.
    fn host_base(&self) -> usize {
        self.read_u32(self.control(control::HOST_BASE)) as usize
    }

    /// The records of a call in a script that starts at a time.
    fn records(&self, call: &Op, start: u64) -> Vec<PlayRecord> {
        let one = |op, id, word, value, mask| {
            vec![PlayRecord {
                op,
                id,
                word,
                value,
                mask,
            }]
        };
        match call {
            Op::Poke { signal, row, value } => {
                let ids = self.known(*signal);
                let limbs = limb_count(ids.width) as u32;
                let poke =
                    |(i, limb): (u32, &u64)| one(1, ids.input(), row * limbs + i, *limb, u64::MAX);
                (0..limbs).zip(value.limbs()).flat_map(poke).collect()
            }
            Op::Peek { signal, row, limb } => {
                let (id, word) = self.word(*signal, *row, *limb);
                one(2, id, word, 0, 0)
            }
            Op::Expect(c) => {
                let (id, word) = self.word(c.signal.index(), c.row, c.limb);
                one(7, id, word, c.value, c.mask)
            }
            Op::Eval => one(3, 0, 0, 0, 0),
            Op::Step { clock, n } => one(4, *clock as u32, 0, *n, 0),
            Op::Edges { rise, fall } => {
                let pins = self.poked_pins(*rise, *fall);
                let poke = |(id, level)| one(1, id, 0, level, u64::MAX);
                let edges = one(5, 0, 0, self.rows(*rise), self.rows(*fall));
                pins.into_iter().flat_map(poke).chain(edges).collect()
            }
            Op::Advance { by } => one(6, 0, 0, start + by, 0),
            other => panic!("{other:?} in a script"),
        }
    }

    fn known(&self, signal: usize) -> &Ids {
        self.ids[signal]
            .as_ref()
            .expect("only what the artifact shows is asked for")
    }

    /// The id under which a signal is read, and the number of a limb.
    fn word(&self, signal: usize, row: u32, limb: usize) -> (u32, u32) {
        let ids = self.known(signal);
        let id = match ids.place {
            Place::One(id) => id,
            Place::Inout { port, .. } => port,
        };
        (id, row * limb_count(ids.width) as u32 + limb as u32)
    }

    /// Triggers of the netlist as rows of the table; the others' inputs are not in it.
    fn rows(&self, mask: u64) -> u64 {
        let row = |(i, pin): (usize, &Pin)| match pin {
            Pin::Row(row) => (mask >> i & 1) << row,
            Pin::Signal(_) | Pin::Computed => 0,
        };
        self.pins.iter().enumerate().map(row).fold(0, |a, b| a | b)
    }

    /// Ids and levels of the inputs to be driven that are in no row.
    fn poked_pins(&self, rise: u64, fall: u64) -> Vec<(u32, u64)> {
        let driven = |(i, pin): (usize, &Pin)| match pin {
            _ if (rise | fall) >> i & 1 == 0 => None,
            Pin::Signal(id) => Some((*id, rise >> i & 1)),
            Pin::Row(_) => None,
            Pin::Computed => panic!("a computed net has no edges to give"),
        };
        self.pins.iter().enumerate().filter_map(driven).collect()
    }

    fn write_record(&mut self, index: usize, record: &PlayRecord) {
        let at = self.host_base() + index * play::LEN as usize;
        let fields = [
            (play::OP, record.op),
            (play::ID, record.id),
            (play::WORD, record.word),
        ];
        for (field, value) in fields {
            self.write(at + field as usize, &value.to_le_bytes());
        }
        self.write(at + play::VALUE as usize, &record.value.to_le_bytes());
        self.write(at + play::MASK as usize, &record.mask.to_le_bytes());
    }

    /// The offset, mask and value of a condition, if the limb lies in one place that a call can look at.
    fn place_of(&self, c: &Condition) -> Option<(i32, i64, i64)> {
        let ids = self.known(c.signal.index());
        let (offset, shift) = (*ids.limbs.get(c.limb)?)?;
        let at = (offset + c.row * ids.stride) as usize;
        // All eight bytes must lie in the state region.
        let last = self.state_base() + self.read_u64(self.control(control::STATE_LEN)) as usize - 8;
        let shift = shift + 8 * at.saturating_sub(last) as u32;
        let moved = |bits: u64| Some(bits << shift).filter(|b| b >> shift == bits);
        let (mask, value) = (moved(c.mask)?, moved(c.value)?);
        Some((at.min(last) as i32, mask as i64, value as i64))
    }

    /// What `rtl_run_until` does, for signals that have no place in the state.
    fn watch(&mut self, clock: usize, max: u64, condition: &Condition) -> Status {
        let (status, cycles) = cycle_by_cycle(self, clock, max, condition);
        self.done = cycles;
        status
    }

    fn one_step(&mut self, clock: usize, n: u64) -> Status {
        self.run(|a| a.call("rtl_step", (clock as i32, (n - a.done) as i64)))
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

/// One record of a script.
struct PlayRecord {
    op: u32,
    id: u32,
    word: u32,
    value: u64,
    mask: u64,
}

impl Ids {
    /// The id that is written.
    fn input(&self) -> u32 {
        match self.place {
            Place::One(id) | Place::Inout { input: id, .. } => id,
        }
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
fn ids(n: &Netlist, signals: &[Signal]) -> Vec<Option<Ids>> {
    let find = |path: &[&str]| signals.iter().position(|s| s.path == path);
    let of = |(id, signal): (rtlwasm::ir::SignalId, &rtlwasm::ir::Signal)| {
        let path = n.signal_path(id);
        let Some(found) = find(&path) else {
            assert_eq!(signal.direction, Direction::None, "every port is there");
            return None;
        };
        let half = |word| {
            let path = [path.as_slice(), &[word]].concat();
            find(&path).unwrap_or_else(|| panic!("there is no {path:?}")) as u32
        };
        let port = found as u32;
        let place = match signal.value {
            SignalValue::Inout { .. } => Place::Inout {
                port,
                input: half("in"),
                output: half("out"),
                enable: half("enable"),
            },
            SignalValue::Cell(_) | SignalValue::Memory(_) => Place::One(port),
        };
        Some(Ids {
            width: signal.width,
            limbs: limbs_in_state(&signals[found]),
            offsets: (signals[found].parts.iter())
                .map(|part| part.offset as u32)
                .collect(),
            stride: signals[found].stride,
            place,
        })
    };
    n.signals.iter().map(of).collect()
}

/// Limbs that lie in one part and in state; the others have no place to wait at.
fn limbs_in_state(signal: &Signal) -> Vec<Option<(u32, u32)>> {
    let mut limbs = vec![None; limb_count(signal.width)];
    let mut at = 0;
    let readable = signal.access != "c" && signal.alias_of.is_none();
    for part in signal.parts.iter().filter(|_| readable) {
        let limb_width = (signal.width - at / 64 * 64).min(64);
        if at % 64 == 0 && part.width == limb_width && part.shift + part.width <= 64 {
            limbs[(at / 64) as usize] = Some((part.offset as u32, part.shift));
        }
        at += part.width;
    }
    limbs
}

impl Engine for Artifact {
    fn reset(&mut self) -> Status {
        self.events.clear();
        self.read = 0;
        self.run(|a| a.call("rtl_reset", ()))
    }

    fn eval(&mut self) -> Status {
        self.run(|a| a.call("rtl_eval", ()))
    }

    fn step(&mut self, clock: usize, n: u64) -> Status {
        if self.manner != Manner::CycleByCycle || n == 0 {
            return self.one_step(clock, n);
        }
        let mut cycles = 0;
        loop {
            let status = self.one_step(clock, 1);
            cycles += self.done;
            self.done = cycles;
            if status != Status::Ok || cycles == n {
                return status;
            }
        }
    }

    fn edges(&mut self, rise: u64, fall: u64) -> Status {
        for (id, level) in self.poked_pins(rise, fall) {
            let status: i32 = self.call("rtl_poke", (id as i32, 0, level as i64));
            assert_eq!(status, 0, "an input can be poked");
        }
        let (rise, fall) = (self.rows(rise) as i64, self.rows(fall) as i64);
        self.run(|a| a.call("rtl_edges", (rise, fall)))
    }

    fn advance(&mut self, until: u64) -> Status {
        self.run(|a| a.call("rtl_advance", until as i64))
    }

    fn run_until(&mut self, clock: usize, max: u64, condition: Condition) -> Status {
        match self.place_of(&condition) {
            None => self.watch(clock, max, &condition),
            Some((offset, mask, value)) => self.run(|a| {
                let left = (max - a.done) as i64;
                a.call("rtl_run_until", (clock as i32, left, offset, mask, value))
            }),
        }
    }

    fn play(&mut self, calls: &[Op]) -> (Status, Vec<u64>) {
        let start = self.time();
        let records: Vec<PlayRecord> = calls
            .iter()
            .flat_map(|call| self.records(call, start))
            .collect();
        for (index, record) in records.iter().enumerate() {
            self.write_record(index, record);
        }
        let (base, mut at) = (self.host_base(), 0);
        let status = self.run(|a| {
            let len = (records.len() - at) as u32 * play::LEN;
            let script = base as u32 + at as u32 * play::LEN;
            let code = a.call("rtl_play", (script as i32, len as i32));
            at += a.read_u32(a.control(control::PLAY_POS)) as usize;
            code
        });
        let peeks = (0..at.min(records.len())).filter(|i| records[*i].op == 2);
        let answer = |i: usize| self.read_u64(base + i * play::LEN as usize + play::VALUE as usize);
        (status, peeks.map(answer).collect())
    }

    fn shows(&self, signal: usize) -> bool {
        self.ids[signal].is_some()
    }

    fn poke(&mut self, signal: usize, row: u32, value: &Bits) -> Status {
        let ids = self.known(signal);
        let (id, limbs) = (ids.input(), limb_count(ids.width) as u32);
        let mut status = 0;
        for (word, limb) in (0..limbs).zip(value.limbs()) {
            let params = (id as i32, (row * limbs + word) as i32, *limb as i64);
            status = status.max(self.call::<_, i32>("rtl_poke", params));
        }
        Status::from_code(status as u32).expect("a status")
    }

    fn peek(&mut self, signal: usize, row: u32) -> Bits {
        let ids = self.known(signal);
        let width = ids.width;
        match ids.place {
            Place::One(id) => self.peek_id(id, width, row),
            Place::Inout {
                port,
                input,
                output,
                enable,
            } => {
                let enable = self.peek_id(enable, width, 0);
                let driven = self.peek_id(output, width, 0).and(&enable);
                let value = driven.or(&self.peek_id(input, width, 0).and(&enable.not()));
                assert_eq!(value, self.peek_id(port, width, 0), "the net's own value");
                value
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
