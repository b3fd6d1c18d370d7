//! Files and standard output: whole or not at all.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::Failure;

/// Writes a file beside its place and renames it, so that nobody ever sees half of it; `-` is standard output.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        return stdout(bytes);
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let (path, folder) = (path.display(), folder.display());
        return Err(Failure::Input(format!(
            "cannot write `{path}`: there is no folder `{folder}`"
        )));
    }
    write_file(path, folder, bytes)
        .map_err(|e| Failure::Input(format!("cannot write `{}`: {}", path.display(), cause(&e))))
}

/// An error without the name of the temporary file, which `tempfile` puts behind it and which nobody knows.
fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" at path ").next().unwrap_or(&text).to_owned()
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Writes all to standard output. A reader that has gone away is not an error.
pub fn stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::BrokenPipe),
        Err(error) => Err(Failure::Input(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) => Ok(()),
    }
}

fn write_file(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    // A device or a pipe must be written itself, not replaced.
    if path.exists() && !path.is_file() {
        return std::fs::write(path, bytes);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rtlwasm-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

/// The text of a dependency file for make and ninja: `targets` are made from `sources`. Each source is also a target
/// of its own, so that a source that is gone does not stop make.
pub fn depfile(targets: &[PathBuf], sources: &[PathBuf]) -> String {
    let join = |paths: &[PathBuf]| {
        paths
            .iter()
            .map(|p| escape(p))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut text = format!("{}: {}\n", join(targets), join(sources));
    for source in sources {
        text.push_str(&format!("\n{}:\n", escape(source)));
    }
    text
}

/// A path as make reads it.
fn escape(path: &Path) -> String {
    let mut text = String::new();
    for c in path.to_string_lossy().chars() {
        match c {
            ' ' | '#' | ':' if !(c == ':' && cfg!(windows)) => text.extend(['\\', c]),
            '$' => text.push_str("$$"),
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depfile_escapes() {
        let text = depfile(&["out.wasm".into()], &["a b.v".into(), "c$d.v".into()]);
        assert_eq!(text, "out.wasm: a\\ b.v c$$d.v\n\na\\ b.v:\n\nc$$d.v:\n");
    }

    #[test]
    fn files_are_replaced_whole() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("x");
        write(&path, b"one").expect("writes");
        write(&path, b"two").expect("writes");
        assert_eq!(std::fs::read(&path).expect("there"), b"two");
        assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 1);
        assert!(write(&dir.path().join("none/x"), b"").is_err());
    }
}
