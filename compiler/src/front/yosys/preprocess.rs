//! Which files a design consists of and which of their text counts: takes the sources, follows
//! `` `include `` and `` `ifdef `` as the preprocessor will, gives every file with its active tokens.
//!
//! All files are one compilation unit, so macros of one are seen in the next. Macros are not expanded;
//! that and all checking is left to Yosys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lexer::Kind;
use super::source::SourceFile;
use crate::diag::{Diagnostic, Span};

const MAX_INCLUDE_DEPTH: usize = 128;

/// Reads a file and gives it its name; the error says why it cannot.
pub type Load<'a> = dyn FnMut(&Path) -> std::io::Result<(String, String)> + 'a;

/// All files of a design by absolute path, in the order in which they are first read.
#[derive(Debug, Default)]
pub struct Sources {
    pub files: Vec<(PathBuf, SourceFile)>,
    index: BTreeMap<PathBuf, usize>,
    macros: BTreeMap<String, Vec<Body>>,
    /// System functions that stand for a macro, when that is all it is.
    pub random_macros: BTreeMap<String, String>,
    pub errors: Vec<Diagnostic>,
}

/// What a macro was defined as, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    /// `$random` or another one alone.
    Random(String),
    /// One string: a file name perhaps.
    Text(String),
    Other,
}

/// A file being read.
struct Frame {
    file: usize,
    token: usize,
    /// Open conditions.
    branches: Vec<Branch>,
}

struct Branch {
    active: bool,
    /// One of the branches was active, so later ones are not.
    taken: bool,
    outer: bool,
}

impl Sources {
    /// Macros defined by options.
    pub fn define(&mut self, name: &str) {
        self.macros.insert(name.to_string(), vec![Body::Other]);
    }

    pub fn contains(&self, path: &Path) -> bool {
        self.index.contains_key(path)
    }

    /// Reads one source and what it includes.
    pub fn read(&mut self, path: &Path, include_dirs: &[PathBuf], load: &mut Load<'_>) {
        let Some(file) = self.load(path, None, load) else {
            return;
        };
        let mut stack = vec![Frame {
            file,
            token: 0,
            branches: Vec::new(),
        }];
        while let Some(frame) = stack.last_mut() {
            if frame.token >= self.files[frame.file].1.tokens.len() {
                stack.pop();
                continue;
            }
            let Some(include) = self.step(frame) else {
                continue;
            };
            let (file, token) = (frame.file, frame.token);
            if stack.len() > MAX_INCLUDE_DEPTH {
                let span = self.files[file].1.span(token.saturating_sub(1));
                let message = format!("includes are nested more than {MAX_INCLUDE_DEPTH} deep");
                self.errors
                    .push(Diagnostic::error("include", message).label(span, "this include"));
                return;
            }
            if let Some(file) = self.include(&include, file, include_dirs, load) {
                stack.push(Frame {
                    file,
                    token: 0,
                    branches: Vec::new(),
                });
            }
        }
    }

    /// Names of macros that are random numbers and nothing else, once everything is read.
    pub fn finish(&mut self) {
        let random = |bodies: &Vec<Body>| match bodies.as_slice() {
            [Body::Random(name), rest @ ..] if rest.iter().all(|b| *b == bodies[0]) => {
                Some(name.clone())
            }
            _ => None,
        };
        self.random_macros = self
            .macros
            .iter()
            .filter_map(|(name, b)| Some((format!("`{name}"), random(b)?)))
            .collect();
    }

    fn load(&mut self, path: &Path, asked: Option<Span>, load: &mut Load<'_>) -> Option<usize> {
        if let Some(&file) = self.index.get(path) {
            return Some(file);
        }
        match load(path) {
            Ok((name, text)) => {
                self.files
                    .push((path.to_path_buf(), SourceFile::new(name, text)));
                self.index.insert(path.to_path_buf(), self.files.len() - 1);
                Some(self.files.len() - 1)
            }
            Err(e) => {
                let message = format!("cannot read `{}`: {e}", path.display());
                self.errors
                    .push(Diagnostic::error("missing-file", message).label(asked, "included here"));
                None
            }
        }
    }

    /// Passes a token; gives what it includes.
    fn step(&mut self, frame: &mut Frame) -> Option<Include> {
        let at = frame.token;
        frame.token += 1;
        let file = &mut self.files[frame.file].1;
        let active = frame.branches.last().is_none_or(|b| b.active);
        if file.kind(at) != Some(Kind::Directive) {
            file.active[at] |= active;
            return None;
        }
        file.active[at] |= active;
        let file = &self.files[frame.file].1;
        let argument = file.word(at + 1);
        match file.word(at) {
            "`ifdef" => open(frame, active, self.macros.contains_key(argument)),
            "`ifndef" => open(frame, active, !self.macros.contains_key(argument)),
            "`elsif" => next_branch(frame, self.macros.contains_key(argument)),
            "`else" => next_branch(frame, true),
            "`endif" => {
                frame.branches.pop();
            }
            "`define" if active => {
                let (name, body) = (argument.to_string(), macro_body(file, at));
                self.macros.entry(name).or_default().push(body);
            }
            "`undef" if active => {
                self.macros.remove(argument);
            }
            "`include" if active => return self.requested(frame.file, at),
            _ => {}
        }
        None
    }

    fn requested(&self, file: usize, at: usize) -> Option<Include> {
        let source = &self.files[file].1;
        let (name, span) = (source.word(at + 1), source.span(at + 1));
        if let Some(name) = quoted(name) {
            return Some(Include {
                name,
                span,
                local: true,
            });
        }
        if name == "<" {
            let start = source.tokens[at + 1].end;
            let name = source.text[start..]
                .split(['>', '\n'])
                .next()
                .unwrap_or("")
                .to_string();
            return Some(Include {
                name,
                span,
                local: false,
            });
        }
        let bodies = self.macros.get(name.strip_prefix('`')?)?;
        match bodies.last()? {
            Body::Text(name) => Some(Include {
                name: name.clone(),
                span,
                local: true,
            }),
            _ => None,
        }
    }

    fn include(
        &mut self,
        include: &Include,
        from: usize,
        include_dirs: &[PathBuf],
        load: &mut Load<'_>,
    ) -> Option<usize> {
        let local = self.files[from].0.parent().filter(|_| include.local);
        let candidates = local
            .into_iter()
            .chain(include_dirs.iter().map(PathBuf::as_path));
        let found = candidates
            .map(|dir| super::stage::normalise(&dir.join(&include.name)))
            .find(|p| p.is_file());
        if let Some(path) = found {
            return self.load(&path, Some(include.span.clone()), load);
        }
        let searched = if include_dirs.is_empty() {
            "and there are no -I folders"
        } else {
            "nor in any -I folder"
        };
        let message = format!("cannot find include file `{}`", include.name);
        self.errors.push(
            Diagnostic::error("missing-include", message)
                .label(include.span.clone(), "included here")
                .note(format!(
                    "it is not in the folder of the file that includes it, {searched}"
                )),
        );
        None
    }
}

struct Include {
    name: String,
    span: Span,
    /// Looked up beside the including file first.
    local: bool,
}

fn open(frame: &mut Frame, outer: bool, condition: bool) {
    frame.branches.push(Branch {
        active: outer && condition,
        taken: condition,
        outer,
    });
}

fn next_branch(frame: &mut Frame, condition: bool) {
    if let Some(branch) = frame.branches.last_mut() {
        branch.active = branch.outer && condition && !branch.taken;
        branch.taken |= condition;
    }
}

fn macro_body(file: &SourceFile, define: usize) -> Body {
    let mut body = (define + 2..).take_while(|&i| file.tokens.get(i).is_some_and(|t| t.in_macro));
    match (body.next(), body.next()) {
        (Some(only), None) => match (file.kind(only), quoted(file.word(only))) {
            (_, Some(text)) => Body::Text(text),
            (Some(Kind::System), _) => match file.word(only) {
                name @ ("$random" | "$urandom") => Body::Random(name.to_string()),
                _ => Body::Other,
            },
            _ => Body::Other,
        },
        _ => Body::Other,
    }
}

fn quoted(word: &str) -> Option<String> {
    Some(word.strip_prefix('"')?.strip_suffix('"')?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Sources {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut sources = Sources::default();
        let path = folder.path().join(files[0].0);
        sources.read(&path, &[], &mut |path| {
            Ok((path.display().to_string(), std::fs::read_to_string(path)?))
        });
        sources.finish();
        sources
    }

    fn active(sources: &Sources, file: usize) -> Vec<&str> {
        let file = &sources.files[file].1;
        (0..file.tokens.len())
            .filter(|&i| file.active[i])
            .map(|i| file.word(i))
            .collect()
    }

    #[test]
    fn branches_and_includes() {
        let top = "`ifdef A\n x\n`elsif B\n y\n`else\n `include \"i.vh\"\n`endif\n`ifdef C z\n`endif\n`undef C\n`ifndef C w\n`endif";
        let sources = read(&[("top.v", top), ("i.vh", "`define C\n`ifdef C c `endif")]);
        assert!(sources.errors.is_empty());
        let words: Vec<_> = active(&sources, 0)
            .into_iter()
            .filter(|w| w.len() == 1 && *w != "C")
            .collect();
        assert_eq!(words, ["z", "w"]);
        assert!(active(&sources, 1).contains(&"c"));
    }

    #[test]
    fn missing_includes_count_only_where_they_are_active() {
        let sources = read(&[(
            "top.v",
            "`ifdef NO\n`include \"a.vh\"\n`endif\n`include \"b.vh\"",
        )]);
        assert_eq!(sources.errors.len(), 1);
        assert_eq!(sources.errors[0].labels[0].span.start.line, 4);
    }

    #[test]
    fn a_file_that_includes_itself_is_refused() {
        let sources = read(&[("top.v", "`include \"top.v\"")]);
        assert_eq!(sources.errors.len(), 1);
    }

    #[test]
    fn macros_that_are_file_names_or_random_numbers() {
        let sources = read(&[
            (
                "top.v",
                "`define F \"i.vh\"\n`define R $random\n`include `F",
            ),
            ("i.vh", "a"),
        ]);
        assert_eq!(active(&sources, 1), ["a"]);
        assert_eq!(
            sources.random_macros,
            BTreeMap::from([("`R".to_string(), "$random".to_string())])
        );
    }
}
