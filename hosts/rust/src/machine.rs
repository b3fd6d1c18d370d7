//! An instance of an artifact and its exports: as machine code, or interpreted for as long as few calls come; or
//! another engine in its place.
//!
//! Everything that an instance knows lies in its memory, so one that was interpreted goes on as machine code with a copy
//! of that. Machine code takes long to make and not at all to run; the interpreter is the other way round.

use rtlwasm_abi::Status;
use wasmtime::{Instance, Memory, Module, Store, TypedFunc, WasmParams, WasmResults};

use crate::engine::{Engine, Until};
use crate::error::{Error, LoadError};

/// An instance.
pub(crate) enum Machine {
    Compiled(Box<Compiled>),
    #[cfg(feature = "interpreter")]
    Interpreted(Box<interpreted::Interpreted>),
    Other(Box<dyn Engine>),
}

/// Writes what is the same for every export.
macro_rules! exports {
    ($($name:ident: $params:ty => $result:ty),* $(,)?) => {
        /// An instance as machine code.
        pub(crate) struct Compiled {
            store: Store<()>,
            memory: Memory,
            $($name: TypedFunc<$params, $result>,)*
        }

        impl Compiled {
            /// Makes an instance; nothing of it has run.
            pub fn new(module: &Module) -> Result<Compiled, LoadError> {
                let mut store = Store::new(module.engine(), ());
                let made = Instance::new(&mut store, module, &[]);
                let made = made.map_err(|e| LoadError::Instantiate {
                    reason: format!("{e:#}"),
                })?;
                let memory = made.get_memory(&mut store, "memory").ok_or(NO_MEMORY)?;
                Ok(Compiled {
                    memory,
                    $($name: export(&mut store, &made, concat!("rtl_", stringify!($name)))?,)*
                    store,
                })
            }
        }

        impl Machine {
            $(pub fn $name(&mut self, arguments: $params) -> Result<$result, Error> {
                match self {
                    Machine::Compiled(machine) => {
                        let function = &machine.$name;
                        let answer = function.call(&mut machine.store, arguments);
                        answer.map_err(|e| trap(concat!("rtl_", stringify!($name)), &e))
                    }
                    #[cfg(feature = "interpreter")]
                    Machine::Interpreted(machine) => machine.$name(arguments),
                    Machine::Other(engine) => other::$name(engine.as_mut(), arguments),
                }
            })*
        }

        #[cfg(feature = "interpreter")]
        pub(crate) mod interpreted {
            use wasmi::{Linker, Memory, Module, Store, TypedFunc, WasmParams, WasmResults};

            use super::{Error, LoadError, NO_MEMORY, missing, trap};

            /// An instance that is interpreted.
            pub(crate) struct Interpreted {
                pub store: Store<()>,
                pub memory: Memory,
                /// How often it was called.
                pub calls: u32,
                $($name: TypedFunc<$params, $result>,)*
            }

            impl Interpreted {
                /// Makes an instance; nothing of it has run.
                pub fn new(module: &Module) -> Result<Interpreted, LoadError> {
                    let mut store = Store::new(module.engine(), ());
                    let made = Linker::new(module.engine()).instantiate_and_start(&mut store, module);
                    let made = made.map_err(|e| LoadError::Instantiate {
                        reason: e.to_string(),
                    })?;
                    Ok(Interpreted {
                        memory: made.get_memory(&store, "memory").ok_or(NO_MEMORY)?,
                        calls: 0,
                        $($name: export(&store, &made, concat!("rtl_", stringify!($name)))?,)*
                        store,
                    })
                }

                $(pub fn $name(&mut self, arguments: $params) -> Result<$result, Error> {
                    self.calls = self.calls.saturating_add(1);
                    let answer = self.$name.call(&mut self.store, arguments);
                    answer.map_err(|e| trap(concat!("rtl_", stringify!($name)), &e))
                })*
            }

            fn export<P: WasmParams, R: WasmResults>(
                store: &Store<()>,
                instance: &wasmi::Instance,
                name: &'static str,
            ) -> Result<TypedFunc<P, R>, LoadError> {
                let found = instance.get_typed_func(store, name);
                found.map_err(|_| missing(name))
            }
        }
    };
}

exports! {
    reset: () => u32,
    eval: () => u32,
    step: (u32, u64) => u32,
    edges: (u64, u64) => u32,
    advance: (u64,) => u32,
    run_until: (u32, u64, u32, u64, u64) => u32,
    play: (u32, u32) => u32,
    peek: (u32, u32) => u64,
    poke: (u32, u32, u64) => u32,
    outline: (u32,) => u32,
}

const NO_MEMORY: LoadError = LoadError::Export {
    name: "memory",
    expected: "memory",
};

fn export<P: WasmParams, R: WasmResults>(
    store: &mut Store<()>,
    instance: &Instance,
    name: &'static str,
) -> Result<TypedFunc<P, R>, LoadError> {
    let found = instance.get_typed_func(store, name);
    found.map_err(|_| missing(name))
}

fn missing(name: &'static str) -> LoadError {
    let known = rtlwasm_abi::EXPORTS.iter().find(|e| e.name == name);
    LoadError::Export {
        name,
        expected: known.map_or("", |e| e.signature),
    }
}

fn trap(call: &'static str, error: &dyn std::fmt::Display) -> Error {
    Error::Trap {
        call,
        reason: format!("{error:#}"),
    }
}

impl Machine {
    /// Linear memory. Its length never changes.
    pub fn memory(&self) -> &[u8] {
        match self {
            Machine::Compiled(machine) => machine.memory.data(&machine.store),
            #[cfg(feature = "interpreter")]
            Machine::Interpreted(machine) => machine.memory.data(&machine.store),
            Machine::Other(engine) => engine.memory(),
        }
    }

    pub fn memory_mut(&mut self) -> &mut [u8] {
        match self {
            Machine::Compiled(machine) => machine.memory.data_mut(&mut machine.store),
            #[cfg(feature = "interpreter")]
            Machine::Interpreted(machine) => machine.memory.data_mut(&mut machine.store),
            Machine::Other(engine) => engine.memory_mut(),
        }
    }

    /// Whether so many calls were interpreted that machine code would have been worth it.
    pub fn is_busy(&self) -> bool {
        match self {
            Machine::Compiled(_) | Machine::Other(_) => false,
            #[cfg(feature = "interpreter")]
            Machine::Interpreted(machine) => machine.calls >= MANY_CALLS,
        }
    }

    /// Whether it is WebAssembly that is interpreted.
    pub fn is_interpreted(&self) -> bool {
        !matches!(self, Machine::Compiled(_) | Machine::Other(_))
    }

    /// Refuses what other engines do not have: `instead` is what to do with them.
    pub fn only_artifacts(&self, what: &'static str, instead: &'static str) -> Result<(), Error> {
        match self {
            Machine::Other(engine) => Err(Error::NotInEngine {
                engine: engine.name(),
                what,
                instead,
            }),
            _ => Ok(()),
        }
    }

    /// The other engine, where there is one.
    pub fn other(&mut self) -> Option<&mut dyn Engine> {
        match self {
            Machine::Other(engine) => Some(engine.as_mut()),
            _ => None,
        }
    }
}

/// The exports, of another engine. It has a place for every signal, and takes no scripts.
mod other {
    use super::*;

    type Answer = Result<u32, Error>;

    fn code(answer: Result<Status, Error>) -> Answer {
        answer.map(|status| status as u32)
    }

    pub fn reset(engine: &mut dyn Engine, (): ()) -> Answer {
        code(engine.reset())
    }

    pub fn eval(engine: &mut dyn Engine, (): ()) -> Answer {
        code(engine.eval())
    }

    pub fn step(engine: &mut dyn Engine, (clock, cycles): (u32, u64)) -> Answer {
        code(engine.step(clock, cycles))
    }

    pub fn edges(engine: &mut dyn Engine, (rise, fall): (u64, u64)) -> Answer {
        code(engine.edges(rise, fall))
    }

    pub fn advance(engine: &mut dyn Engine, (until,): (u64,)) -> Answer {
        code(engine.advance(until))
    }

    pub fn run_until(
        engine: &mut dyn Engine,
        (clock, max, offset, mask, value): (u32, u64, u32, u64, u64),
    ) -> Answer {
        let until = Until {
            offset,
            mask,
            value,
        };
        code(engine.run_until(clock, max, until))
    }

    pub fn play(_: &mut dyn Engine, _: (u32, u32)) -> Answer {
        Ok(Status::BadArgument as u32)
    }

    pub fn peek(_: &mut dyn Engine, _: (u32, u32)) -> Result<u64, Error> {
        Ok(0)
    }

    pub fn poke(_: &mut dyn Engine, _: (u32, u32, u64)) -> Answer {
        Ok(Status::NotWritable as u32)
    }

    pub fn outline(_: &mut dyn Engine, _: (u32,)) -> Answer {
        Ok(Status::Ok as u32)
    }
}

/// So many interpreted calls take about as long as making machine code, whatever the size of the design.
#[cfg(feature = "interpreter")]
const MANY_CALLS: u32 = 4000;
