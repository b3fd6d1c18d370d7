//! Runs Yosys: takes a script, gives its log, how it ended and which files it read.
//!
//! The module sees the file system as the user's shell does: the working directory as `.`, its parents
//! as `..`, and the folders of the root. WASI's C library drops a leading `/`, so a folder of the root
//! whose name also exists in the working directory is not shown: relative paths win. Nothing can be
//! written but the scratch folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use wasmtime::{Caller, Engine, Instance, Linker, Memory, Module, Store, Trap, TypedFunc};
use wasmtime_wasi::cli::OutputFile;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use super::install::{Installed, STACK_SIZE};

const WASI: &str = "wasi_snapshot_preview1";
/// WASI numbers the folders it shows from here.
const FIRST_PREOPEN: u32 = 3;
/// Where the module sees the scratch folder; no user has a folder of that name.
const GUEST_SCRATCH: &str = "/.rtlwasm";
/// A module that ends with nearly all of its 4 GiB in use has run out of them.
const EXHAUSTED: u64 = 0xf000_0000;

/// The private folder of one run: copies of sources in `src`, results in `out`.
pub struct Scratch {
    folder: TempDir,
}

impl Scratch {
    pub fn new() -> io::Result<Scratch> {
        let folder = tempfile::Builder::new().prefix("rtlwasm-").tempdir()?;
        fs::create_dir(folder.path().join("src"))?;
        fs::create_dir(folder.path().join("out"))?;
        Ok(Scratch { folder })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn sources(&self) -> PathBuf {
        self.folder.path().join("src")
    }

    pub fn results(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// The scratch folder as scripts must name it.
    pub fn seen_by(&self, yosys: &Installed) -> String {
        match yosys {
            Installed::Native(_) => self.folder.path().to_string_lossy().into_owned(),
            Installed::Module { .. } => GUEST_SCRATCH.to_string(),
        }
    }

    /// What paths of copies contain, however Yosys spells them, before the absolute path of the original.
    pub fn mark(&self, yosys: &Installed) -> String {
        let seen = self.seen_by(yosys);
        format!("{}/src", seen.rsplit('/').next().unwrap_or(&seen))
    }
}

/// What a run left, besides its result files.
#[derive(Debug)]
pub struct Outcome {
    pub log: String,
    pub end: End,
    /// Files opened for reading; empty for a native Yosys, which does not tell.
    pub opened: Vec<PathBuf>,
}

/// How Yosys ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Success,
    /// With an exit status: it has said why.
    Failure(i32),
    OutOfMemory,
    StackOverflow,
    /// A trap or a signal, in words.
    Crash(String),
}

/// Runs a script.
pub fn run(yosys: &Installed, script: &str, scratch: &Scratch) -> io::Result<Outcome> {
    fs::write(scratch.results().join("script.ys"), script)?;
    let log = scratch.results().join("log.txt");
    let file = File::create(&log)?;
    let script = format!("{}/out/script.ys", scratch.seen_by(yosys));
    let arguments = ["yosys", "-Q", "-T", "-s", &script];
    let (end, opened) = match yosys {
        Installed::Native(program) => (run_native(program, &arguments[1..], file)?, Vec::new()),
        Installed::Module { module, .. } => run_module(module, &arguments, file, scratch)?,
    };
    Ok(Outcome {
        log: String::from_utf8_lossy(&fs::read(log)?).into_owned(),
        end,
        opened,
    })
}

fn run_native(program: &Path, arguments: &[&str], log: File) -> io::Result<End> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let status = command.status()?;
    Ok(match status.code() {
        Some(0) => End::Success,
        Some(code) => End::Failure(code),
        None => End::Crash(status.to_string()),
    })
}

fn run_module(
    module: &Module,
    arguments: &[&str],
    log: File,
    scratch: &Scratch,
) -> io::Result<(End, Vec<PathBuf>)> {
    let mut wasi = WasiCtxBuilder::new();
    let log = OutputFile::new(log);
    wasi.args(arguments)
        .stdout(log.clone())
        .stderr(log)
        .allow_blocking_current_thread(true);
    let folders = show_folders(&mut wasi, scratch)?;
    let state = State {
        wasi: wasi.build_p1(),
        folders,
        opened: Vec::new(),
        links: 0,
        scratch: scratch.folder().to_path_buf(),
    };
    // Its own thread, because the stack must be larger than that of the caller may be.
    std::thread::scope(|scope| {
        let start = || execute(module, state).map_err(|e| io::Error::other(format!("{e:#}")));
        let thread = std::thread::Builder::new()
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, start)?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

struct State {
    wasi: WasiP1Ctx,
    /// What each folder shown to the module is on the host, in the order of their numbers.
    folders: Vec<PathBuf>,
    opened: Vec<PathBuf>,
    links: usize,
    scratch: PathBuf,
}

/// Shows folders to the module; the first is the scratch folder.
fn show_folders(wasi: &mut WasiCtxBuilder, scratch: &Scratch) -> io::Result<Vec<PathBuf>> {
    let here = std::env::current_dir()?;
    let mut shown = vec![
        (
            scratch.folder().to_path_buf(),
            GUEST_SCRATCH.to_string(),
            FsPerms::ReadWrite,
        ),
        (here.clone(), ".".to_string(), FsPerms::ReadOnly),
    ];
    for (i, parent) in here.ancestors().enumerate().skip(1) {
        shown.push((
            parent.to_path_buf(),
            vec![".."; i].join("/"),
            FsPerms::ReadOnly,
        ));
    }
    shown.extend(
        root_folders(&here)?
            .into_iter()
            .map(|(host, guest)| (host, guest, FsPerms::ReadOnly)),
    );
    let mut folders = Vec::new();
    for (host, guest, permissions) in shown {
        // Folders that the user may not open are no use to the module either.
        if wasi.preopened_dir(&host, &guest, permissions).is_ok() {
            folders.push(host);
        }
    }
    Ok(folders)
}

fn root_folders(here: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let root: PathBuf = here
        .components()
        .take_while(|c| !matches!(c, Component::Normal(_)))
        .collect();
    let mut names: Vec<OsString> = fs::read_dir(&root)?
        .flatten()
        .map(|e| e.file_name())
        .collect();
    names.sort();
    let visible = names
        .into_iter()
        .filter(|name| root.join(name).is_dir() && !here.join(name).exists());
    Ok(visible
        .map(|name| (root.join(&name), format!("/{}", name.to_string_lossy())))
        .collect())
}

fn execute(module: &Module, state: State) -> wasmtime::Result<(End, Vec<PathBuf>)> {
    let engine = module.engine();
    let mut store = Store::new(engine, state);
    let linker = linker(engine, &mut store)?;
    let instance = linker.instantiate(&mut store, module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    let result = start.call(&mut store, ());
    let memory = instance
        .get_memory(&mut store, "memory")
        .map_or(0, |m| m.data_size(&store) as u64);
    let end = match result {
        Ok(()) => End::Success,
        Err(error) => how_it_ended(&error, memory),
    };
    Ok((end, std::mem::take(&mut store.data_mut().opened)))
}

fn how_it_ended(error: &wasmtime::Error, memory: u64) -> End {
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return match exit.0 {
            0 => End::Success,
            _ if memory >= EXHAUSTED => End::OutOfMemory,
            code => End::Failure(code),
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => End::StackOverflow,
        _ if memory >= EXHAUSTED => End::OutOfMemory,
        Some(trap) => End::Crash(trap.to_string()),
        None => End::Crash(error.root_cause().to_string()),
    }
}

type PathOpen = TypedFunc<(u32, u32, u32, u32, u32, u64, u64, u32, u32), u32>;

/// WASI's functions work on the memory of the instance that calls them. So a watched call goes through
/// an instance that has Yosys' memory for its own.
const THROUGH: &str = r#"(module
    (type $open (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi" "path_open" (func $path_open (type $open)))
    (import "yosys" "memory" (memory 0))
    (export "memory" (memory 0))
    (func (export "path_open") (type $open)
        local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 local.get 5 local.get 6 local.get 7 local.get 8
        call $path_open))"#;

/// WASI, with `path_open` watched: for the list of files, and to follow absolute symbolic links, which
/// the sandbox refuses because they leave the folder they are in.
fn linker(engine: &Engine, store: &mut Store<State>) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |state: &mut State| &mut state.wasi)?;
    let original = linker.get(&mut *store, WASI, "path_open")?;
    let through = Module::new(engine, wat::parse_str(THROUGH).expect("a fixed text"))?;
    linker.allow_shadowing(true);
    linker.func_wrap(
        WASI,
        "path_open",
        move |mut caller: Caller<'_, State>,
              fd: u32,
              follow: u32,
              path: u32,
              len: u32,
              create: u32,
              rights: u64,
              inherited: u64,
              flags: u32,
              result: u32| {
            let memory = caller
                .get_export("memory")
                .expect("a WASI module exports its memory");
            let instance = Instance::new(&mut caller, &through, &[original.clone(), memory])?;
            let function: PathOpen = instance.get_typed_func(&mut caller, "path_open")?;
            let open = |caller: &mut Caller<'_, State>, fd, len| {
                function.call(
                    caller,
                    (
                        fd, follow, path, len, create, rights, inherited, flags, result,
                    ),
                )
            };
            let file = host_path(&mut caller, fd, path, len);
            let status = open(&mut caller, fd, len)?;
            let Some(file) = file.filter(|f| create == 0 && f.is_file()) else {
                return Ok(status);
            };
            if status == 0 {
                caller.data_mut().opened.push(file);
                return Ok(0);
            }
            let Some((memory, before, after)) = linked_copy(&mut caller, &file, path, len) else {
                return Ok(status);
            };
            memory.write(&mut caller, path as usize, &after)?;
            let status = open(&mut caller, FIRST_PREOPEN, after.len() as u32)?;
            memory.write(&mut caller, path as usize, &before)?;
            caller.data_mut().opened.push(file);
            wasmtime::Result::Ok(status)
        },
    )?;
    Ok(linker)
}

fn host_path(caller: &mut Caller<'_, State>, fd: u32, path: u32, len: u32) -> Option<PathBuf> {
    let memory = caller.get_export("memory")?.into_memory()?;
    let mut bytes = vec![0; len as usize];
    memory.read(&*caller, path as usize, &mut bytes).ok()?;
    let folder = caller
        .data()
        .folders
        .get(fd.checked_sub(FIRST_PREOPEN)? as usize)?;
    Some(folder.join(String::from_utf8(bytes).ok()?))
}

/// Copies a file to the scratch folder under a name short enough to stand where the path stands;
/// gives the memory, the path and that name.
fn linked_copy(
    caller: &mut Caller<'_, State>,
    file: &Path,
    path: u32,
    len: u32,
) -> Option<(Memory, Vec<u8>, Vec<u8>)> {
    let memory = caller.get_export("memory")?.into_memory()?;
    let mut before = vec![0; len as usize];
    memory.read(&*caller, path as usize, &mut before).ok()?;
    let state = caller.data_mut();
    let name = format!("{:x}", state.links);
    state.links += 1;
    fs::copy(file, state.scratch.join(&name))
        .ok()
        .filter(|_| name.len() <= before.len())?;
    Some((memory, before, name.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::install::{InstallOptions, install};
    use super::*;

    fn outcome_of(wat: &str) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small.wasm");
        fs::write(&path, wat::parse_str(wat).unwrap()).unwrap();
        let options = InstallOptions {
            yosys: Some(path),
            cache: Some(folder.path().join("cache")),
            force: false,
        };
        let installed = install(&options, &|_| ()).unwrap();
        run(&installed, "", &Scratch::new().unwrap()).unwrap()
    }

    #[test]
    fn every_end_is_told_apart() {
        assert_eq!(
            outcome_of("(module (func (export \"_start\")))").end,
            End::Success
        );
        let trap = "(module (func (export \"_start\") unreachable))";
        assert!(matches!(outcome_of(trap).end, End::Crash(_)));
        let deep = "(module (func $f (export \"_start\") call $f))";
        assert_eq!(outcome_of(deep).end, End::StackOverflow);
        let full =
            "(module (memory (export \"memory\") 65535) (func (export \"_start\") unreachable))";
        assert_eq!(outcome_of(full).end, End::OutOfMemory);
        let exit = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 3))))"#;
        assert_eq!(outcome_of(exit).end, End::Failure(3));
    }
}
