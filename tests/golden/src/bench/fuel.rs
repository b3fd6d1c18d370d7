//! WebAssembly operations per cycle: an artifact in an engine that counts them, without the host library.

use rtlwasm_abi::Status;
use rtlwasm_abi::layout::{CONTROL_BASE, control};
use rtlwasm_host::manifest::{Manifest, Signal};
use wasmtime::{Config, Engine, Instance, Memory, Module, Store, WasmParams};

use super::failure::{Failure, Result};
use super::ladder::{CLOCK, Workload};
use super::wasm::clock_index;

/// A running artifact after its reset.
pub struct Fuelled {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    clock: u32,
}

impl Fuelled {
    pub fn new(workload: &Workload, wasm: &[u8], manifest: &Manifest) -> Result<Fuelled> {
        let mut config = Config::new();
        config.consume_fuel(true).wasm_wide_arithmetic(true);
        let engine = Engine::new(&config).map_err(other)?;
        let module = Module::new(&engine, wasm).map_err(other)?;
        let mut store = Store::new(&engine, ());
        store.set_fuel(u64::MAX).map_err(other)?;
        let instance = Instance::new(&mut store, &module, &[]).map_err(other)?;
        let memory = instance.get_memory(&mut store, "memory");
        let missing = || Failure::Other("the artifact has no memory or no clock".into());
        let clock = clock_index(manifest).ok_or_else(missing)? as u32;
        let mut fuelled = Fuelled {
            memory: memory.ok_or_else(missing)?,
            store,
            instance,
            clock,
        };
        fuelled.start(workload, &manifest.signals)?;
        Ok(fuelled)
    }

    fn start(&mut self, workload: &Workload, signals: &[Signal]) -> Result {
        self.settle("rtl_reset")?;
        let is_input = |signal: &&Signal| signal.kind == "input" && signal.path != [CLOCK];
        for (id, signal) in signals.iter().enumerate().filter(|(_, s)| is_input(s)) {
            self.poke(id, workload.input(&signal.path.join(".")))?;
        }
        self.settle("rtl_eval")?;
        let reset = signals.iter().position(|s| s.path == [workload.reset.0]);
        let reset = reset.ok_or_else(|| Failure::Other("the artifact has no reset".into()))?;
        self.poke(reset, workload.reset.1)?;
        self.step(4)?;
        self.poke(reset, workload.input(workload.reset.0))?;
        self.settle("rtl_eval")
    }

    /// Operations that so many cycles took.
    pub fn run(&mut self, cycles: u64) -> Result<u64> {
        let before = self.store.get_fuel().map_err(other)?;
        self.step(cycles)?;
        Ok(before - self.store.get_fuel().map_err(other)?)
    }

    fn step(&mut self, cycles: u64) -> Result {
        let mut done = 0;
        while done < cycles {
            let status = self.call("rtl_step", (self.clock, cycles - done))?;
            let at = (CONTROL_BASE + control::DONE) as usize;
            let bytes = &self.memory.data(&self.store)[at..at + 8];
            done += u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
            self.drain();
            if status != Status::Ok as u32 && status != Status::RingFull as u32 {
                return Err(Failure::Other(format!(
                    "the run ended with status {status}"
                )));
            }
        }
        Ok(())
    }

    fn settle(&mut self, name: &str) -> Result {
        while self.call(name, ())? == Status::RingFull as u32 {
            self.drain();
        }
        Ok(())
    }

    fn poke(&mut self, id: usize, value: u64) -> Result {
        self.call("rtl_poke", (id as u32, 0u32, value)).map(|_| ())
    }

    fn call<P: WasmParams>(&mut self, name: &str, arguments: P) -> Result<u32> {
        let function = self
            .instance
            .get_typed_func::<P, u32>(&mut self.store, name);
        let function = function.map_err(other)?;
        function.call(&mut self.store, arguments).map_err(other)
    }

    /// Events are not looked at.
    fn drain(&mut self) {
        let field = |field: u32| (CONTROL_BASE + field) as usize;
        let (head, tail) = (field(control::EVENT_HEAD), field(control::EVENT_TAIL));
        self.memory
            .data_mut(&mut self.store)
            .copy_within(head..head + 4, tail);
    }
}

fn other(error: wasmtime::Error) -> Failure {
    Failure::Other(format!("{error:#}"))
}
