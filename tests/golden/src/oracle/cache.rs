//! Built simulators, kept under the hash of all that went into them: a recipe in, a folder with the built files out.
//!
//! A folder appears under its final name only when it is complete, so that several tests may build the same
//! simulator at the same time, and one that is killed leaves nothing that could be mistaken for a result.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{OracleDesign, OracleError};

/// Folder of a simulator of `design`, built by `build` in the folder it is given unless it is there already.
///
/// `recipe` is everything besides the design's files that the result depends on.
pub fn build(
    design: &OracleDesign,
    recipe: &str,
    build: impl FnOnce(&Path) -> Result<(), OracleError>,
) -> Result<PathBuf, OracleError> {
    let root = root();
    let folder = root.join(key(design, recipe)?);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&root).map_err(|source| io(&root, source))?;
    let scratch = tempfile::Builder::new()
        .prefix("building-")
        .tempdir_in(&root)
        .map_err(|source| io(&root, source))?;
    build(scratch.path())?;
    match fs::rename(scratch.path(), &folder) {
        Ok(()) => drop(scratch.keep()),
        Err(_) if folder.is_dir() => {}
        Err(source) => return Err(io(&folder, source)),
    }
    Ok(folder)
}

/// An error with the path it is about.
pub fn io(path: &Path, source: std::io::Error) -> OracleError {
    OracleError::Io {
        path: path.to_owned(),
        source,
    }
}

/// `${XDG_CACHE_HOME:-~/.cache}/rtlwasm/oracle`.
fn root() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map_or_else(home, PathBuf::from);
    base.join("rtlwasm").join("oracle")
}

fn key(design: &OracleDesign, recipe: &str) -> Result<String, OracleError> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(recipe.as_bytes());
    add(format!(
        "{:?}",
        (
            &design.top,
            &design.defines,
            &design.parameters,
            &design.clocks,
            &design.ports
        )
    )
    .as_bytes());
    for path in input_files(design)? {
        add(&fs::read(&path).map_err(|source| io(&path, source))?);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The sources, then all files in the include folders.
fn input_files(design: &OracleDesign) -> Result<Vec<PathBuf>, OracleError> {
    let mut files: Vec<PathBuf> = design
        .sources
        .iter()
        .map(|path| design.folder.join(path))
        .collect();
    for include in &design.includes {
        let folder = design.folder.join(include);
        let entries = fs::read_dir(&folder).map_err(|source| io(&folder, source))?;
        let mut found: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}
