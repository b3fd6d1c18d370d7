//! A loaded artifact: compiled code and checked manifest, shared by all its models.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rtlwasm_abi::manifest::{self, Manifest};
use sha2::{Digest, Sha256};
use wasmtime::{Config, Module, OptLevel};

use crate::cache;
use crate::control::Control;
use crate::engine::Engine;
use crate::error::{Error, LoadError};
use crate::machine::{Compiled, Machine};
use crate::model::Model;
use crate::names::{NameTable, Names, SignalPath};
use crate::sections::{self, Sections};
use crate::signal::{Access, Kind, Signal, Slot};
use crate::verify;

/// How an artifact is loaded.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// Where compiled machine code is kept between runs; `None`: nowhere. Anyone who can write there can run code
    /// as the user of this process.
    pub cache_dir: Option<PathBuf>,
    /// Seed of everything random in the design (`$random`, undefined bits with `--undef random`).
    pub seed: u64,
    /// `+NAME` and `+NAME=VALUE`, without the plus, for `$test$plusargs` and `$value$plusargs`.
    pub plusargs: Vec<String>,
}

impl Default for ModelOptions {
    /// Caches in [`default_cache_dir`](crate::default_cache_dir)`/modules`, seed 0, no plusargs.
    fn default() -> Self {
        let cache_dir = cache::default_cache_dir().map(|dir| dir.join("modules"));
        ModelOptions {
            cache_dir,
            seed: 0,
            plusargs: Vec::new(),
        }
    }
}

/// A loaded artifact, ready to make any number of [`Model`]s. Cheap to clone; models of it share its code.
#[derive(Clone)]
pub struct Artifact {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    code: Code,
    pub manifest: Manifest,
    pub ports: usize,
    pub control: Control,
    /// Tells handles of other artifacts: the start of the file's hash.
    pub tag: u64,
    names: OnceLock<Names>,
}

impl Artifact {
    /// Loads a `.wasm` file.
    pub fn load(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Artifact, LoadError> {
        let path = path.as_ref();
        let wasm = std::fs::read(path).map_err(|source| LoadError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Artifact::from_bytes(&wasm, options)
    }

    /// Loads the bytes of a `.wasm` file.
    pub fn from_bytes(wasm: &[u8], options: &ModelOptions) -> Result<Artifact, LoadError> {
        Artifact::new(wasm, || Code::new(wasm, options))
    }

    /// The same, for models whose first calls are interpreted: those begin in a thousandth of the time that machine
    /// code takes to make. After some thousands of calls, and for runs of many cycles, they go on as machine code.
    #[cfg(feature = "interpreter")]
    pub fn interpreted(wasm: &[u8], options: &ModelOptions) -> Result<Artifact, LoadError> {
        Artifact::new(wasm, || Code::interpreted(wasm, options))
    }

    /// A design that another engine runs: `make` gives each model one, before its first reset, and `manifest` says
    /// where everything lies in its memory; the first `ports` of its signals are the ports.
    pub fn of_engine(
        manifest: Manifest,
        ports: usize,
        make: impl Fn() -> Result<Box<dyn Engine>, LoadError> + Send + Sync + 'static,
    ) -> Result<Artifact, LoadError> {
        let code = Code::Other(Box::new(make));
        let hash = Sha256::digest(&manifest.layout_hash);
        Artifact::checked(Sections { manifest, ports }, code, &hash)
    }

    fn new(
        wasm: &[u8],
        code: impl FnOnce() -> Result<Code, LoadError>,
    ) -> Result<Artifact, LoadError> {
        let sections = sections::read(wasm)?;
        Artifact::checked(sections, code()?, &Sha256::digest(wasm))
    }

    fn checked(sections: Sections, code: Code, hash: &[u8]) -> Result<Artifact, LoadError> {
        let Sections { manifest, ports } = sections;
        let machine = code.machine()?;
        let memory_len = machine.memory().len() as u64;
        let control = Control::read(machine.memory())?;
        verify::check(&manifest, &control, memory_len)?;
        let tag = u64::from_le_bytes(hash[..8].try_into().expect("32 bytes"));
        let inner = Inner {
            code,
            manifest,
            ports,
            control,
            tag,
            names: OnceLock::new(),
        };
        Ok(Artifact {
            inner: Arc::new(inner),
        })
    }

    /// A new model, just reset with the options' seed and plusargs.
    pub fn model(&self, options: &ModelOptions) -> Result<Model, LoadError> {
        Model::new(self.clone(), options)
    }

    /// A new instance, of which nothing has run.
    pub(crate) fn machine(&self) -> Result<Machine, LoadError> {
        self.inner.code.machine()
    }

    /// The same as machine code.
    pub(crate) fn compiled(&self) -> Result<Machine, LoadError> {
        self.inner.code.compiled()
    }

    /// What the artifact says of itself; its `signals` are all signals, ports first.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// Every signal's entry in the manifest, in order of their ids.
    pub fn signals(&self) -> &[manifest::Signal] {
        &self.inner.manifest.signals
    }

    /// The ports' entries: the first of [`signals`](Artifact::signals).
    pub fn ports(&self) -> &[manifest::Signal] {
        &self.signals()[..self.inner.ports]
    }

    /// The handle of a signal: `"cpu.pc"`, with or without the top module's name before it, or the exact array of
    /// names `["cpu", "pc"]`.
    ///
    /// # Errors
    /// [`Error::UnknownSignal`] with names that look alike, [`Error::AmbiguousSignal`].
    pub fn signal(&self, path: impl SignalPath) -> Result<Signal, Error> {
        let names = self.inner.names.get_or_init(|| Names::new(self.signals()));
        let top = self.inner.manifest.top.as_str();
        let id = path.find_in(NameTable {
            names,
            top,
            signals: self.signals(),
        })?;
        Ok(self.signal_by_id(id).expect("names have ids of signals"))
    }

    /// The handle of the signal with that number in the manifest.
    pub fn signal_by_id(&self, id: u32) -> Option<Signal> {
        let own = self.signals().get(id as usize)?;
        let place = sections::resolve(self.signals(), id)?;
        let stored = &self.signals()[place as usize];
        let signal = Signal {
            id,
            place,
            artifact: self.inner.tag,
            width: own.width,
            depth: own.depth,
            first: own.first,
            stride: stored.stride,
            kind: Kind::from_name(&own.kind),
            access: Access::from_name(&own.access),
            slot: Slot::of(stored),
        };
        Some(signal)
    }

    /// The path of a signal, joined with dots.
    pub fn path(&self, signal: Signal) -> String {
        self.signals()
            .get(signal.id as usize)
            .map(|s| s.path.join("."))
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifact")
            .field("top", &self.inner.manifest.top)
            .finish_non_exhaustive()
    }
}

/// What instances are made of.
enum Code {
    Compiled(Module),
    #[cfg(feature = "interpreter")]
    Interpreted(Interpreted),
    Other(MakeEngine),
}

/// Makes an engine for one more model.
type MakeEngine = Box<dyn Fn() -> Result<Box<dyn Engine>, LoadError> + Send + Sync>;

/// A module for the interpreter, and what machine code is made of when it is wanted.
#[cfg(feature = "interpreter")]
struct Interpreted {
    module: wasmi::Module,
    wasm: Vec<u8>,
    cache_dir: Option<PathBuf>,
    compiled: OnceLock<Module>,
}

impl Code {
    fn new(wasm: &[u8], options: &ModelOptions) -> Result<Code, LoadError> {
        Ok(Code::Compiled(compile(wasm, options.cache_dir.as_deref())?))
    }

    #[cfg(feature = "interpreter")]
    fn interpreted(wasm: &[u8], options: &ModelOptions) -> Result<Code, LoadError> {
        let module = wasmi::Module::new(&wasmi::Engine::default(), wasm);
        let module = module.map_err(|e| LoadError::Damaged {
            reason: e.to_string(),
        })?;
        if let Some(import) = module.imports().next() {
            return Err(LoadError::Import {
                module: import.module().into(),
                name: import.name().into(),
            });
        }
        Ok(Code::Interpreted(Interpreted {
            module,
            wasm: wasm.to_vec(),
            cache_dir: options.cache_dir.clone(),
            compiled: OnceLock::new(),
        }))
    }

    fn machine(&self) -> Result<Machine, LoadError> {
        match self {
            #[cfg(feature = "interpreter")]
            Code::Interpreted(code) if code.compiled.get().is_none() => {
                let made = crate::machine::interpreted::Interpreted::new(&code.module)?;
                Ok(Machine::Interpreted(Box::new(made)))
            }
            Code::Other(make) => Ok(Machine::Other(make()?)),
            _ => self.compiled(),
        }
    }

    fn compiled(&self) -> Result<Machine, LoadError> {
        let module = match self {
            Code::Compiled(module) => module,
            #[cfg(feature = "interpreter")]
            Code::Interpreted(code) => match code.compiled.get() {
                Some(module) => module,
                None => {
                    let module = compile(&code.wasm, code.cache_dir.as_deref())?;
                    // Another thread may have been faster.
                    code.compiled.get_or_init(|| module)
                }
            },
            Code::Other(_) => return self.machine(),
        };
        Ok(Machine::Compiled(Box::new(Compiled::new(module)?)))
    }
}

/// Machine code of an artifact, which must have no imports.
fn compile(wasm: &[u8], cache_dir: Option<&Path>) -> Result<Module, LoadError> {
    let module = cache::compile(engine()?, wasm, cache_dir)?;
    if let Some(import) = module.imports().next() {
        return Err(LoadError::Import {
            module: import.module().into(),
            name: import.name().into(),
        });
    }
    Ok(module)
}

/// The one engine of this process. Models of different artifacts share it, so that it is set up once.
fn engine() -> Result<&'static wasmtime::Engine, LoadError> {
    static ENGINE: OnceLock<wasmtime::Engine> = OnceLock::new();
    if let Some(engine) = ENGINE.get() {
        return Ok(engine);
    }
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::Speed);
    // The whole 32-bit address space is reserved and the memory never moves, so no access needs a bounds check.
    config.memory_reservation(1 << 32);
    config.memory_guard_size(1 << 25);
    config.memory_may_move(false);
    config.wasm_wide_arithmetic(true);
    // Neither fuel nor epochs: they cost time in every loop.
    let engine = wasmtime::Engine::new(&config).map_err(|e| LoadError::Instantiate {
        reason: format!("{e:#}"),
    })?;
    Ok(ENGINE.get_or_init(|| engine))
}
