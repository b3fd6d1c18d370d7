//! Finds or installs Yosys: takes what the user named, gives a Yosys that can run.
//!
//! Compiling the module takes about a minute, so its machine code is cached; the key names the module,
//! this wasmtime with its settings, and the processor. Only one process compiles at a time.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use wasmparser::{Parser, Payload};
use wasmtime::{Config, Engine, Module};

use super::cache::{Cache, sha256};
use super::obtain;
use crate::diag::{Diagnostic, Diagnostics, Result};

pub use super::obtain::YOSYS_VERSION;

/// Native stack that the compiled module may use: Yosys recurses over expressions as deep as they are.
pub const STACK_SIZE: usize = 256 << 20;

/// What to install.
#[derive(Clone, Debug, Default)]
pub struct InstallOptions {
    /// A `.wasm` or a native program; else `RTLWASM_YOSYS`, else the pinned version.
    pub yosys: Option<PathBuf>,
    /// Where to keep compiled code instead of the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Compile even when the cache has it.
    pub force: bool,
}

/// What is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another process is installing.
    Waiting,
    Obtaining,
    Compiling,
    Installed,
}

/// A Yosys that can run.
pub enum Installed {
    Native(PathBuf),
    Module { module: Module, path: PathBuf },
}

/// Finds Yosys; installs it when it is not there yet.
pub fn install(options: &InstallOptions, progress: &dyn Fn(Progress)) -> Result<Installed> {
    let named = options
        .yosys
        .clone()
        .or_else(|| std::env::var_os("RTLWASM_YOSYS").map(PathBuf::from));
    let source = match named.filter(|path| !path.as_os_str().is_empty()) {
        None => Source::Pinned,
        Some(path) if path.extension() == Some(OsStr::new("wasm")) => {
            Source::File(read_module(&path)?)
        }
        Some(path) => return native(path),
    };
    let cache = match &options.cache {
        Some(folder) => Cache::at(folder),
        None => Cache::of_user().map_err(|e| {
            Diagnostic::error("setup", format!("there is no place for compiled code: {e}"))
        })?,
    };
    let engine = engine();
    let name = entry_name(&engine, &source);
    if !options.force
        && let Some(installed) = load(&engine, &cache, &name)
    {
        return Ok(installed);
    }
    compile(&engine, &cache, &name, source, options, progress)
}

enum Source {
    Pinned,
    File(Vec<u8>),
}

fn read_module(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| {
        Diagnostic::error("setup", format!("cannot read `{}`: {e}", path.display())).into()
    })
}

/// A native Yosys is taken at its word, but one without `read_slang` is refused before it confuses.
fn native(path: PathBuf) -> Result<Installed> {
    let shown = path.display();
    let output = std::process::Command::new(&path)
        .args(["-Q", "-T", "-p", "help read_slang"])
        .output()
        .map_err(|e| Diagnostic::error("setup", format!("cannot run `{shown}`: {e}")))?;
    if !String::from_utf8_lossy(&output.stdout).contains("--best-effort-hierarchy") {
        let message = format!("`{shown}` has no read_slang that knows --best-effort-hierarchy");
        return Err(Diagnostic::error("setup", message)
            .note("leave out --yosys and RTLWASM_YOSYS to use the pinned Yosys, compiled to WebAssembly")
            .into());
    }
    Ok(Installed::Native(path))
}

fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_exceptions(true);
    // The limit on recursion is the native stack of the thread that runs Yosys, a little below its size.
    config.async_stack_size(STACK_SIZE);
    config.max_wasm_stack(STACK_SIZE - (16 << 20));
    Engine::new(&config).expect("wasmtime has exceptions on this host")
}

fn entry_name(engine: &Engine, source: &Source) -> String {
    let module = match source {
        Source::Pinned => obtain::MODULE_SHA256.to_string(),
        Source::File(bytes) => sha256(bytes),
    };
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("yosys-{}-{:016x}", &module[..16], hasher.finish())
}

fn load(engine: &Engine, cache: &Cache, name: &str) -> Option<Installed> {
    let path = cache.find(name)?;
    // SAFETY: the file is what `compile` stored there: its hash was compared with the one recorded.
    let module = unsafe { Module::deserialize_file(engine, &path) }.ok()?;
    Some(Installed::Module { module, path })
}

fn compile(
    engine: &Engine,
    cache: &Cache,
    name: &str,
    source: Source,
    options: &InstallOptions,
    progress: &dyn Fn(Progress),
) -> Result<Installed> {
    let unusable = |e: std::io::Error| -> Diagnostics {
        let message = format!(
            "cannot keep the compiled Yosys in `{}`: {e}",
            cache.folder().display()
        );
        Diagnostic::error("setup", message)
            .note("choose another folder with RTLWASM_CACHE")
            .into()
    };
    let _lock = cache
        .lock(|| progress(Progress::Waiting))
        .map_err(unusable)?;
    if !options.force
        && let Some(installed) = load(engine, cache, name)
    {
        return Ok(installed);
    }
    cache.remove_partial().map_err(unusable)?;
    let module = match source {
        Source::File(module) => module,
        Source::Pinned => {
            progress(Progress::Obtaining);
            obtain::from_installed_package().map_or_else(obtain::through_pip, Ok)?
        }
    };
    progress(Progress::Compiling);
    let code = machine_code(engine, &module)?;
    cache.store(name, &code).map_err(unusable)?;
    drop(code);
    progress(Progress::Installed);
    load(engine, cache, name).ok_or_else(|| {
        let message = format!(
            "the compiled Yosys in `{}` cannot be loaded",
            cache.folder().display()
        );
        Diagnostic::error("setup", message).into()
    })
}

fn machine_code(engine: &Engine, module: &[u8]) -> Result<Vec<u8>> {
    let invalid =
        |e: String| Diagnostic::error("setup", format!("this Yosys cannot be compiled: {e}"));
    let stripped = strip(module).map_err(|e| invalid(e.to_string()))?;
    Ok(engine
        .precompile_module(&stripped)
        .map_err(|e| invalid(format!("{e:#}")))?)
}

/// Leaves out names and debug information: a third of the module, and of no use to its compilation.
fn strip(module: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let mut out = module.get(..8).unwrap_or(module).to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if matches!(&payload, Payload::CustomSection(_)) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            out.push(id);
            push_leb128(&mut out, range.len());
            out.extend_from_slice(&module[range]);
        }
    }
    Ok(out)
}

fn push_leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripping_leaves_a_valid_module_without_names() {
        let module =
            wat::parse_str("(module $named (func $f (export \"f\") (result i32) i32.const 7))")
                .unwrap();
        let stripped = strip(&module).unwrap();
        assert!(stripped.len() < module.len());
        wasmparser::validate(&stripped).unwrap();
    }

    #[test]
    fn a_file_that_is_no_module_is_refused_and_leaves_no_entry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.wasm");
        fs::write(&path, b"no module").unwrap();
        let cache = folder.path().join("cache");
        let options = InstallOptions {
            yosys: Some(path),
            cache: Some(cache.clone()),
            force: false,
        };
        assert!(install(&options, &|_| ()).is_err());
        let left: Vec<_> = fs::read_dir(cache)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(left, ["lock"]);
    }

    #[test]
    fn a_module_is_compiled_once_and_again_when_the_cache_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small.wasm");
        fs::write(
            &path,
            wat::parse_str("(module (func (export \"_start\")))").unwrap(),
        )
        .unwrap();
        let options = InstallOptions {
            yosys: Some(path),
            cache: Some(folder.path().join("cache")),
            force: false,
        };
        let compiled = || {
            let count = std::cell::Cell::new(0);
            let step = |p| count.set(count.get() + u32::from(p == Progress::Compiling));
            let Ok(Installed::Module { path, .. }) = install(&options, &step) else {
                panic!("a module")
            };
            (count.get(), path)
        };
        let (first, file) = compiled();
        assert_eq!((first, compiled().0), (1, 0));
        fs::File::options()
            .write(true)
            .open(file)
            .unwrap()
            .set_len(100)
            .unwrap();
        assert_eq!((compiled().0, compiled().0), (1, 0));
    }
}
