//! Prepares sources for Yosys: takes a design, gives a folder of rewritten copies and the way back.
//!
//! Every file is copied to its absolute path below the scratch folder, so that relative includes find
//! the copies. Names and columns in what Yosys says are those of the copies; [`Staged`] turns them into
//! the user's.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::complaints::Refused;
use super::preprocess::Sources;
use super::rewrite::{Facts, Shared, rewrite};
use super::source::PositionMap;
use crate::diag::{Diagnostic, Diagnostics, Position, Result, Span};
use crate::front::filelist::Expanded;

/// The name of standard input among sources.
pub const STDIN: &str = "<stdin>";

/// A design in the scratch folder.
#[derive(Debug, Default)]
pub struct Staged {
    /// The copies, in order of the command line; libraries last.
    pub sources: Vec<StagedSource>,
    pub include_dirs: Vec<PathBuf>,
    /// By absolute path, every file read and what it became.
    pub files: BTreeMap<PathBuf, StagedFile>,
    /// Warnings about tasks that were dropped.
    pub warnings: Vec<Diagnostic>,
}

/// A source to give to Yosys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedSource {
    /// Absolute path of the original; `/<stdin>` for standard input.
    pub path: PathBuf,
    pub is_library: bool,
}

/// One rewritten file.
#[derive(Debug)]
pub struct StagedFile {
    /// What the user calls it.
    pub name: String,
    pub positions: PositionMap,
    pub facts: Facts,
    pub original: String,
}

/// What is changed beside the rewriting of tasks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// Macros defined beside those of the design.
    pub defines: &'a [&'a str],
    /// What to drop.
    pub refused: &'a [Refused],
}

/// Copies a design's Verilog files.
pub fn stage(
    design: &Expanded,
    verilog: &[PathBuf],
    changes: Changes<'_>,
    stdin: &str,
    to: &Path,
) -> Result<Staged> {
    let mut reader = Reader {
        sources: Sources::default(),
        include_dirs: Vec::new(),
        stdin,
    };
    reader.include_dirs = design
        .design
        .include_dirs
        .iter()
        .map(|dir| absolute(dir))
        .collect();
    for name in design
        .design
        .defines
        .iter()
        .map(|(name, _)| name.as_str())
        .chain(changes.defines.iter().copied())
    {
        reader.sources.define(name);
    }
    let mut sources = Vec::new();
    for path in verilog {
        sources.push(StagedSource {
            path: reader.read(path),
            is_library: false,
        });
    }
    for path in &design.library_files {
        sources.push(StagedSource {
            path: reader.read(path),
            is_library: true,
        });
    }
    let mut shared = Shared {
        refused: changes.refused.to_vec(),
        ..Shared::default()
    };
    let mut files = BTreeMap::new();
    loop {
        rewrite_new(&mut reader.sources, &mut shared, &mut files);
        let missing = reader.library_files(
            &design.design.library_dirs,
            &design.design.library_extensions,
            &files,
        );
        if missing.is_empty() || !reader.sources.errors.is_empty() {
            break;
        }
        for path in missing {
            sources.push(StagedSource {
                path: reader.read(&path),
                is_library: true,
            });
        }
    }
    if !reader.sources.errors.is_empty() {
        return Err(Diagnostics(reader.sources.errors));
    }
    write_copies(&files, &mut shared, to)?;
    let files = files
        .into_iter()
        .map(|(path, (file, _))| (path, file))
        .collect();
    Ok(Staged {
        sources,
        include_dirs: reader.include_dirs,
        files,
        warnings: shared.warnings,
    })
}

/// A file and the text of its copy.
type Copies = BTreeMap<PathBuf, (StagedFile, String)>;

struct Reader<'a> {
    sources: Sources,
    include_dirs: Vec<PathBuf>,
    stdin: &'a str,
}

impl Reader<'_> {
    /// Reads a source and what it includes; gives its absolute path.
    fn read(&mut self, path: &Path) -> PathBuf {
        let at = if path == Path::new("-") {
            Path::new("/").join(STDIN)
        } else {
            absolute(path)
        };
        let spelt = at.clone();
        let mut load = |wanted: &Path| {
            if wanted.ends_with(STDIN) {
                return Ok((STDIN.to_string(), self.stdin.to_string()));
            }
            let name = if wanted == spelt {
                path.to_path_buf()
            } else {
                relative(wanted)
            };
            Ok((name.to_string_lossy().into_owned(), read_text(wanted)?))
        };
        self.sources.read(&at, &self.include_dirs, &mut load);
        at
    }

    /// Files of `-y` folders for modules that are instantiated and not there.
    fn library_files(
        &self,
        dirs: &[PathBuf],
        extensions: &[String],
        files: &Copies,
    ) -> Vec<PathBuf> {
        let facts = || files.values().map(|(file, _)| &file.facts);
        let defined: std::collections::BTreeSet<&str> = facts()
            .flat_map(|f| &f.modules)
            .map(|m| m.name.as_str())
            .collect();
        let mut wanted: Vec<&str> = facts()
            .flat_map(|f| &f.instantiated)
            .map(String::as_str)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let given = extensions.iter().map(String::as_str);
        let extensions: Vec<&str> = if extensions.is_empty() {
            vec![".v", ".sv"]
        } else {
            given.collect()
        };
        let candidate = |name: &str| {
            let files = dirs
                .iter()
                .flat_map(|dir| extensions.iter().map(move |e| dir.join(file_name(name, e))));
            files
                .into_iter()
                .find(|path| path.is_file() && !self.sources.contains(&absolute(path)))
        };
        wanted
            .into_iter()
            .filter(|name| !defined.contains(name))
            .filter_map(candidate)
            .collect()
    }
}

fn file_name(module: &str, extension: &str) -> String {
    match extension.starts_with('.') {
        true => format!("{module}{extension}"),
        false => format!("{module}.{extension}"),
    }
}

fn rewrite_new(sources: &mut Sources, shared: &mut Shared, files: &mut Copies) {
    sources.finish();
    shared.random_macros = sources.random_macros.clone();
    for (path, source) in &sources.files {
        if !files.contains_key(path) {
            let rewritten = rewrite(source, shared);
            let (positions, facts) = (rewritten.positions, rewritten.facts);
            let file = StagedFile {
                name: source.name.clone(),
                positions,
                facts,
                original: source.text.clone(),
            };
            files.insert(path.clone(), (file, rewritten.text));
        }
    }
}

fn write_copies(files: &Copies, shared: &mut Shared, to: &Path) -> Result<()> {
    for (path, (_, text)) in files {
        let copy = to.join(below_root(path));
        let written = fs::create_dir_all(copy.parent().expect("a file is in a folder"))
            .and_then(|()| fs::write(&copy, text));
        let what = || format!("cannot write a copy of `{}`", path.display());
        written.map_err(|error| scratch_failed(&what(), &error))?;
    }
    shared
        .warnings
        .sort_by_key(|warning| warning.labels.first().map(|label| label.span.clone()));
    Ok(())
}

/// What the user must know when the folder for copies and results is of no use.
pub fn scratch_failed(what: &str, error: &io::Error) -> Diagnostic {
    let folder = std::env::temp_dir();
    Diagnostic::error("scratch", format!("{what}: {error}")).note(format!(
        "temporary files are in `{}`; TMPDIR chooses another folder",
        folder.display()
    ))
}

impl Staged {
    /// A place in a copy as a place in the user's file; `copies` marks paths of copies.
    pub fn original(&self, copies: &str, span: Span) -> Span {
        let Some((_, path)) = span.file.split_once(copies) else {
            return span;
        };
        let Some(file) = self.files.get(&normalise(Path::new(path))) else {
            return Span {
                file: path.to_string(),
                ..span
            };
        };
        let map = |p: Position| file.positions.original(p);
        Span {
            file: file.name.clone(),
            start: map(span.start),
            end: map(span.end),
        }
    }

    /// All modules defined in the sources.
    pub fn modules(&self) -> impl Iterator<Item = (&StagedFile, &super::rewrite::DefinedModule)> {
        self.files
            .values()
            .flat_map(|file| file.facts.modules.iter().map(move |m| (file, m)))
    }
}

/// An absolute path without `.` and `..`; symbolic links are kept, because names are the user's.
pub fn absolute(path: &Path) -> PathBuf {
    normalise(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

/// Resolves `.` and `..` as text.
pub fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The path from its root on.
pub fn below_root(path: &Path) -> PathBuf {
    path.components()
        .filter(|c| matches!(c, Component::Normal(_)))
        .collect()
}

/// A file as the user would name it from here.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf))
        .unwrap_or_else(|| path.to_path_buf())
}

/// Text of a file; bytes that are no UTF-8, as in old comments, are replaced one by one.
pub fn read_text(path: &Path) -> io::Result<String> {
    if path.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a folder",
        ));
    }
    let bytes = fs::read(path)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|e| {
        let replace = |&b: &u8| if b.is_ascii() { b as char } else { '?' };
        e.as_bytes().iter().map(replace).collect()
    }))
}
