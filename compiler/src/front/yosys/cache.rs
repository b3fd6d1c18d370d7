//! The compiled Yosys on disk: takes machine code, gives back the path of a file proven to be that code.
//!
//! A cache entry is two files, `NAME.cwasm` and `NAME.json`, the record of its length and hash. Both are
//! written to temporary files and renamed, the record last, so an entry without a fitting record is
//! never used. Loading machine code is as good as running it: an entry is loaded only after its hash was
//! compared with the record; the record then keeps the file's time of change, so that the 200 MB are
//! hashed once and not on every run.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const TEMP_PREFIX: &str = ".partial-";

/// The folder that holds compiled modules.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    length: u64,
    sha256: String,
    /// Nanoseconds since 1970 at which the file was last changed when its hash was right.
    verified: Option<u128>,
}

impl Cache {
    /// `RTLWASM_CACHE`, else `XDG_CACHE_HOME/rtlwasm`, else `~/.cache/rtlwasm`.
    pub fn of_user() -> io::Result<Cache> {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        let folder = variable("RTLWASM_CACHE")
            .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("rtlwasm")))
            .or_else(|| Some(variable("HOME")?.join(".cache/rtlwasm")))
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    "neither RTLWASM_CACHE nor HOME is set",
                )
            })?;
        Ok(Cache::at(folder))
    }

    pub fn at(folder: impl Into<PathBuf>) -> Cache {
        Cache {
            folder: folder.into(),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The entry's file when it is whole.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let file = self.code_path(name);
        let record: Record =
            serde_json::from_slice(&fs::read(self.record_path(name)).ok()?).ok()?;
        let metadata = fs::metadata(&file).ok()?;
        if metadata.len() != record.length {
            return None;
        }
        let changed = time_of_change(&metadata);
        if changed.is_some() && changed == record.verified {
            return Some(file);
        }
        if hash_file(&file).ok()? != record.sha256 {
            return None;
        }
        // Only saves time on the next run, so a read-only cache is as good.
        let _ = self.write_record(
            name,
            &Record {
                verified: changed,
                ..record
            },
        );
        Some(file)
    }

    /// Stores an entry; whoever looks meanwhile sees none, the old one or the new one.
    pub fn store(&self, name: &str, code: &[u8]) -> io::Result<PathBuf> {
        let file = self.code_path(name);
        // Were the old record left, it might fit neither file while the new one is written.
        remove_if_there(&self.record_path(name))?;
        self.write_atomically(&file, code)?;
        let verified = time_of_change(&fs::metadata(&file)?);
        let record = Record {
            length: code.len() as u64,
            sha256: hex(&Sha256::digest(code)),
            verified,
        };
        self.write_record(name, &record)?;
        Ok(file)
    }

    /// Waits until no other process fills the cache, and holds it until the file is dropped. Calls
    /// `waiting` once if there is somebody to wait for.
    pub fn lock(&self, waiting: impl FnOnce()) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                waiting();
                lock.lock()?;
            }
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(lock)
    }

    /// Removes what a killed process left half written; needs the lock.
    pub fn remove_partial(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX) {
                remove_if_there(&entry.path())?;
            }
        }
        Ok(())
    }

    fn write_record(&self, name: &str, record: &Record) -> io::Result<()> {
        let text = serde_json::to_vec(record).expect("a record is plain data");
        self.write_atomically(&self.record_path(name), &text)
    }

    fn write_atomically(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMP_PREFIX);
        // A cache may be shared; who may read it is for the folder and the umask to say.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut temp = builder.tempfile_in(&self.folder)?;
        temp.write_all(bytes)?;
        temp.as_file().sync_all()?;
        temp.persist(path).map_err(|e| e.error)?;
        Ok(())
    }

    fn code_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.cwasm"))
    }

    fn record_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

/// Lower-case hexadecimal SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

fn time_of_change(metadata: &fs::Metadata) -> Option<u128> {
    Some(
        metadata
            .modified()
            .ok()?
            .duration_since(UNIX_EPOCH)
            .ok()?
            .as_nanos(),
    )
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("rtlwasm"));
        drop(cache.lock(|| ()).unwrap());
        (folder, cache)
    }

    #[test]
    fn what_was_stored_is_found() {
        let (_folder, cache) = cache();
        assert_eq!(cache.find("a"), None);
        let file = cache.store("a", b"code").unwrap();
        assert_eq!(cache.find("a"), Some(file.clone()));
        assert_eq!(fs::read(file).unwrap(), b"code");
    }

    #[test]
    fn a_truncated_file_is_not_used_and_can_be_replaced() {
        let (_folder, cache) = cache();
        let file = cache.store("a", b"machine code").unwrap();
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(5)
            .unwrap();
        assert_eq!(cache.find("a"), None);
        cache.store("a", b"machine code").unwrap();
        assert!(cache.find("a").is_some());
    }

    #[test]
    fn a_changed_file_of_the_same_length_is_not_used() {
        let (_folder, cache) = cache();
        let file = cache.store("a", b"machine code").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&file, b"machine c0de").unwrap();
        assert_eq!(cache.find("a"), None);
    }

    #[test]
    fn a_copied_file_is_hashed_again_and_used() {
        let (_folder, cache) = cache();
        let file = cache.store("a", b"machine code").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&file, b"machine code").unwrap();
        assert!(cache.find("a").is_some());
    }

    #[test]
    fn a_killed_process_leaves_no_entry_and_its_rest_is_removed() {
        let (_folder, cache) = cache();
        let rest = cache.folder().join(format!("{TEMP_PREFIX}xyz"));
        fs::write(&rest, b"mach").unwrap();
        // Killed between the two renames: the code is there and its record is not.
        fs::write(cache.code_path("a"), b"machine code").unwrap();
        assert_eq!(cache.find("a"), None);
        let _lock = cache.lock(|| ()).unwrap();
        cache.remove_partial().unwrap();
        assert!(!rest.exists());
        cache.store("a", b"machine code").unwrap();
        assert!(cache.find("a").is_some());
    }

    #[test]
    fn the_second_process_waits_for_the_first() {
        let (_folder, cache) = cache();
        let first = cache.lock(|| panic!("nobody holds it")).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let other = cache.clone();
        let second = std::thread::spawn(move || {
            let _lock = other.lock(|| sender.send(()).unwrap()).unwrap();
            other.find("a").is_some()
        });
        receiver.recv().unwrap();
        cache.store("a", b"machine code").unwrap();
        drop(first);
        assert!(second.join().unwrap());
    }
}
