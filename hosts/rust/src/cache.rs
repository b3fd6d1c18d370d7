//! Machine code of artifacts, and artifacts themselves, that were compiled before, one file each.
//!
//! A file's name is the hash of the artifact and of everything that machine code depends on (wasmtime's version and
//! settings, the processor). It begins with the hash of what follows, so that a damaged or half-written file is
//! seen, thrown away and made anew. Files are written beside their place and then renamed: two processes that make
//! the same one at once both succeed, without a lock. The cache is only an economy: its failures are not errors.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use crate::error::LoadError;

/// First bytes of a file.
const MAGIC: &[u8; 8] = b"rtlwcwm1";
/// Bytes before the machine code: magic and hash.
const HEADER: usize = 8 + 32;
/// When the files exceed this many bytes, the oldest go.
const MAX_BYTES: u64 = 1 << 30;

/// Where the user's caches live: `RTLWASM_CACHE`, else the system's place for caches and `rtlwasm` below it.
/// `None` when the environment names no such place.
pub fn default_cache_dir() -> Option<PathBuf> {
    let var = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    if let Some(dir) = var("RTLWASM_CACHE") {
        return Some(dir);
    }
    let base = if cfg!(windows) {
        var("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        var("HOME").map(|home| home.join("Library/Caches"))
    } else {
        var("XDG_CACHE_HOME").or_else(|| Some(var("HOME")?.join(".cache")))
    };
    Some(base?.join("rtlwasm"))
}

/// Compiles a module, or takes it from the cache directory `dir`.
pub(crate) fn compile(
    engine: &Engine,
    wasm: &[u8],
    dir: Option<&Path>,
) -> Result<Module, LoadError> {
    let damaged = |e: wasmtime::Error| LoadError::Damaged {
        reason: format!("{e:#}"),
    };
    let Some(dir) = dir else {
        return Module::new(engine, wasm).map_err(damaged);
    };
    let path = dir.join(format!("{}.cwasm", key(engine, wasm)));
    if let Some(module) = load(engine, &path) {
        return Ok(module);
    }
    let code = engine.precompile_module(wasm).map_err(damaged)?;
    keep(&path, &code);
    // SAFETY: the bytes come from `precompile_module` of this very engine and were not touched since.
    unsafe { Module::deserialize(engine, &code) }.map_err(damaged)
}

/// The name of an artifact's file, without its ending.
fn key(engine: &Engine, wasm: &[u8]) -> String {
    struct Feed(Sha256);
    impl Hasher for Feed {
        fn finish(&self) -> u64 {
            unreachable!("the whole hash is taken instead")
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut feed = Feed(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut feed);
    feed.0.update(wasm);
    feed.0
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn load(engine: &Engine, path: &Path) -> Option<Module> {
    let code = kept(path)?;
    // SAFETY: `deserialize` demands bytes that wasmtime made. The hash shows that these are the ones that `store`
    // wrote after `precompile_module`; whoever can write a false file with a right hash into the user's own cache
    // directory can already run code as that user. Another version's file is refused by wasmtime itself.
    unsafe { Module::deserialize(engine, &code) }.ok()
}

/// What [`keep`] wrote, unless it is damaged or gone.
pub fn kept(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = fs::read(path).ok()?;
    let content = bytes.get(HEADER..)?;
    if bytes[..8] != *MAGIC || bytes[8..HEADER] != *Sha256::digest(content) {
        return None;
    }
    // The date says when it was last of use; pruning is no worse than inexact when it cannot be set.
    let _ = fs::File::options()
        .append(true)
        .open(path)
        .and_then(|f| f.set_modified(SystemTime::now()));
    Some(bytes.split_off(HEADER))
}

/// Keeps bytes in a file of a cache directory, whose name tells them from all others and ends in `.cwasm`, `.wasm` or `.reach`.
/// When the directory grows too large, what was of no use for longest goes. That nothing can be written is no error.
pub fn keep(path: &Path, bytes: &[u8]) {
    if let (Ok(()), Some(dir)) = (store(path, bytes), path.parent()) {
        prune(dir, MAX_BYTES);
    }
}

fn store(path: &Path, code: &[u8]) -> std::io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let dir = path.parent().expect("a file in the cache directory");
    fs::create_dir_all(dir)?;
    let unique = format!(
        "{}-{}.tmp",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let temporary = path.with_extension(unique);
    let written = fs::File::create_new(&temporary).and_then(|mut file| {
        file.write_all(MAGIC)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        drop(file);
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Removes the files that were of no use for longest until the rest is at most `limit` bytes.
fn prune(dir: &Path, limit: u64) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
        .flatten()
        .filter(|e| {
            e.path().extension().is_some_and(|ext| {
                ext == "cwasm" || ext == "wasm" || ext == "reach" || ext == "tmp"
            })
        })
        .filter_map(|e| {
            let meta = e.metadata().ok()?;
            Some((meta.modified().ok()?, meta.len(), e.path()))
        })
        .collect();
    files.sort();
    let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in files {
        if total <= limit {
            break;
        }
        let _ = fs::remove_file(path);
        total -= len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module() -> Vec<u8> {
        wat::parse_str(r#"(module (func (export "f") (result i32) i32.const 7))"#).expect("valid")
    }

    fn only_file(dir: &Path) -> PathBuf {
        let mut files: Vec<PathBuf> = fs::read_dir(dir)
            .expect("made")
            .flatten()
            .map(|e| e.path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    #[test]
    fn a_damaged_file_is_made_anew() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let engine = Engine::default();
        compile(&engine, &module(), Some(dir.path())).expect("compiles");
        let path = only_file(dir.path());
        let good = fs::read(&path).expect("written");
        assert!(load(&engine, &path).is_some());
        for damage in [
            &good[..HEADER + 100],
            b"",
            &[good.as_slice(), b"x"].concat(),
        ] {
            fs::write(&path, damage).expect("written");
            assert!(load(&engine, &path).is_none());
            compile(&engine, &module(), Some(dir.path())).expect("compiles");
            assert_eq!(fs::read(only_file(dir.path())).expect("written"), good);
        }
    }

    #[test]
    fn works_without_a_writable_directory() {
        let dir = tempfile::NamedTempFile::new().expect("temporary file");
        compile(&Engine::default(), &module(), Some(dir.path())).expect("compiles");
    }

    #[test]
    fn the_oldest_files_are_pruned() {
        let dir = tempfile::tempdir().expect("temporary directory");
        for (i, name) in ["c", "a", "b"].into_iter().enumerate() {
            let path = dir.path().join(name).with_extension("cwasm");
            fs::write(&path, [0; 100]).expect("written");
            let file = fs::File::options().append(true).open(&path).expect("there");
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(i as u64);
            file.set_modified(time).expect("settable");
        }
        prune(dir.path(), 150);
        assert!(only_file(dir.path()).ends_with("b.cwasm"));
    }
}
