//! Command files: takes `-f` files, adds what they say to the design.
//!
//! `-f` reads paths relative to the working directory and `-F` relative to the command file, as
//! simulators do. Environment variables are `$NAME`, `${NAME}` and `$(NAME)`; comments are `//`, `#` and
//! `/* */`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Diagnostics, Result, Span};
use crate::options::{Design, Language};

/// A design whose command files have been read.
#[derive(Clone, Debug, Default)]
pub struct Expanded {
    pub design: Design,
    /// `-v` files: modules to use where they are missing.
    pub library_files: Vec<PathBuf>,
    /// The command files themselves.
    pub lists: Vec<PathBuf>,
}

/// Reads all command files of a design, and those they name; sources named on the command line come
/// after those of the files.
pub fn expand(design: &Design) -> Result<Expanded> {
    let mut found = Found::default();
    for list in &design.file_lists {
        found.read(&Entry {
            path: list.clone(),
            place: None,
            relative: Relative::ToWorkingDirectory,
            parents: Vec::new(),
        });
    }
    if !found.errors.is_empty() {
        return Err(Diagnostics(found.errors));
    }
    let mut all = found.design;
    all.sources.extend(design.sources.iter().cloned());
    all.include_dirs
        .splice(0..0, design.include_dirs.iter().cloned());
    all.defines.extend(design.defines.iter().cloned());
    all.parameters.extend(design.parameters.iter().cloned());
    all.library_dirs
        .splice(0..0, design.library_dirs.iter().cloned());
    all.library_extensions
        .splice(0..0, design.library_extensions.iter().cloned());
    let design = Design {
        sources: all.sources,
        include_dirs: all.include_dirs,
        defines: all.defines,
        parameters: all.parameters,
        library_dirs: all.library_dirs,
        library_extensions: all.library_extensions,
        top: design.top.clone().or(all.top),
        language: design.language.or(all.language),
        ..design.clone()
    };
    Ok(Expanded {
        design,
        library_files: found.library_files,
        lists: found.lists,
    })
}

#[derive(Default)]
struct Found {
    design: Design,
    library_files: Vec<PathBuf>,
    lists: Vec<PathBuf>,
    errors: Vec<Diagnostic>,
}

#[derive(Clone, Copy)]
enum Relative {
    ToWorkingDirectory,
    ToList,
}

/// A command file to read, and where it was asked for.
struct Entry {
    path: PathBuf,
    place: Option<Span>,
    relative: Relative,
    parents: Vec<PathBuf>,
}

impl Found {
    fn read(&mut self, entry: &Entry) {
        let shown = entry.path.display();
        if entry.parents.contains(&entry.path) {
            let message = format!("command file `{shown}` includes itself");
            self.errors.push(
                Diagnostic::error("file-list", message).label(entry.place.clone(), "again here"),
            );
            return;
        }
        let text = match fs::read_to_string(&entry.path) {
            Ok(text) => text,
            Err(e) => {
                let message = format!("cannot read command file `{shown}`: {e}");
                self.errors.push(
                    Diagnostic::error("file-list", message)
                        .label(entry.place.clone(), "named here"),
                );
                return;
            }
        };
        self.lists.push(entry.path.clone());
        let mut words = words(&text).into_iter().peekable();
        while let Some(word) = words.next() {
            let value = takes_value(&word.text).then(|| words.next()).flatten();
            self.option(entry, &word, value.as_ref());
        }
    }

    fn option(&mut self, entry: &Entry, word: &Word, value: Option<&Word>) {
        let span = |word: &Word| Span::point(entry.path.to_string_lossy(), word.line, word.column);
        let mut expand = |word: &Word, text: &str| match with_variables(text) {
            Ok(text) => text,
            Err(name) => {
                let message = format!("environment variable `{name}` is not set");
                self.errors
                    .push(Diagnostic::error("file-list", message).label(span(word), "used here"));
                String::new()
            }
        };
        let (text, value_text) = (expand(word, &word.text), value.map(|v| expand(v, &v.text)));
        let path = |text: &str| match entry.relative {
            Relative::ToList => entry.path.parent().unwrap_or(Path::new("")).join(text),
            Relative::ToWorkingDirectory => PathBuf::from(text),
        };
        if takes_value(&word.text) && value.is_none() {
            let message = format!("`{}` needs a value", word.text);
            self.errors
                .push(Diagnostic::error("file-list", message).label(span(word), "here"));
            return;
        }
        let value_text = value_text.unwrap_or_default();
        let design = &mut self.design;
        match text.as_str() {
            "-f" | "-F" => {
                let relative = if text == "-F" {
                    Relative::ToList
                } else {
                    Relative::ToWorkingDirectory
                };
                let parents = entry.parents.iter().chain([&entry.path]).cloned().collect();
                self.read(&Entry {
                    path: path(&value_text),
                    place: Some(span(word)),
                    relative,
                    parents,
                });
            }
            "-v" => self.library_files.push(path(&value_text)),
            "-y" => design.library_dirs.push(path(&value_text)),
            "-Y" => design.library_extensions.push(value_text),
            "-I" => design.include_dirs.push(path(&value_text)),
            "-D" => design.defines.push(definition(&value_text)),
            "-P" | "-G" | "-pvalue" => design.parameters.push(parameter(&value_text)),
            "--top" | "-top" | "--top-module" | "-s" => design.top = Some(value_text),
            "-sv" | "--sv" => design.language = Some(Language::SystemVerilog),
            _ => self.joined_option(&text, &path).unwrap_or_else(|| {
                let message = format!("`{text}` is not an option that command files may have");
                self.errors
                    .push(Diagnostic::error("file-list", message).label(span(word), "here"));
            }),
        }
    }

    /// Options whose value follows without space, and source files.
    fn joined_option(&mut self, text: &str, path: &dyn Fn(&str) -> PathBuf) -> Option<()> {
        let design = &mut self.design;
        let listed = |rest: &str| {
            rest.split('+')
                .filter(|s| !s.is_empty())
                .map(str::to_string)
                .collect::<Vec<_>>()
        };
        if let Some(rest) = text.strip_prefix("+incdir+") {
            design
                .include_dirs
                .extend(listed(rest).iter().map(|dir| path(dir)));
        } else if let Some(rest) = text.strip_prefix("+define+") {
            design
                .defines
                .extend(listed(rest).iter().map(|text| definition(text)));
        } else if let Some(rest) = text.strip_prefix("+libext+") {
            design.library_extensions.extend(listed(rest));
        } else if let Some(rest) = text.strip_prefix("-I") {
            design.include_dirs.push(path(rest));
        } else if let Some(rest) = text.strip_prefix("-D") {
            design.defines.push(definition(rest));
        } else if let Some(rest) = text.strip_prefix("-G").or_else(|| text.strip_prefix("-P")) {
            design.parameters.push(parameter(rest));
        } else if text.starts_with(['-', '+']) {
            return None;
        } else if !text.is_empty() {
            design.sources.push(path(text));
        }
        Some(())
    }
}

fn takes_value(option: &str) -> bool {
    matches!(
        option,
        "-f" | "-F"
            | "-v"
            | "-y"
            | "-Y"
            | "-I"
            | "-D"
            | "-P"
            | "-G"
            | "-pvalue"
            | "--top"
            | "-top"
            | "--top-module"
            | "-s"
    )
}

fn definition(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.to_string(), Some(value.to_string())),
        None => (text.to_string(), None),
    }
}

fn parameter(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, "1"));
    (name.to_string(), value.to_string())
}

struct Word {
    text: String,
    line: u32,
    column: u32,
}

/// Words of a command file: split at space, quotes and backslashes as in a shell, comments dropped.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut in_comment = false;
    for (line, content) in (1..).zip(text.lines()) {
        let mut open = false;
        let mut quote = None;
        let mut chars = (1..).zip(content.chars()).peekable();
        while let Some((column, c)) = chars.next() {
            let next = chars.peek().map(|&(_, c)| c);
            if in_comment {
                in_comment = !(c == '*' && next == Some('/'));
                if !in_comment {
                    chars.next();
                }
                continue;
            }
            let literal = match (quote, c, next) {
                (Some(q), _, _) if c == q => {
                    quote = None;
                    continue;
                }
                (Some(_), _, _) => c,
                (None, '#', _) | (None, '/', Some('/')) if !open => break,
                (None, '/', Some('*')) if !open => {
                    in_comment = true;
                    continue;
                }
                (None, '\\', Some(_)) => chars.next().expect("peeked").1,
                // At the end of a line a backslash only joins lines, which space does as well.
                (None, '\\', None) => break,
                (None, '"' | '\'', _) => {
                    quote = Some(c);
                    continue;
                }
                _ if c.is_whitespace() => {
                    open = false;
                    continue;
                }
                _ => c,
            };
            if !open {
                words.push(Word {
                    text: String::new(),
                    line,
                    column,
                });
                open = true;
            }
            words
                .last_mut()
                .expect("pushed when opened")
                .text
                .push(literal);
        }
    }
    words
}

/// Replaces environment variables, or gives the name of one that is not set.
fn with_variables(text: &str) -> std::result::Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, tail) = match after.chars().next() {
            Some(open @ ('{' | '(')) => {
                let close = if open == '{' { '}' } else { ')' };
                after[1..].split_once(close).unwrap_or((&after[1..], ""))
            }
            _ => after.split_at(after.find(|c| !is_name(c)).unwrap_or(after.len())),
        };
        match name {
            "" => out.push('$'),
            _ => out.push_str(&std::env::var(name).map_err(|_| name.to_string())?),
        }
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_text(text: &str) -> Result<Expanded> {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("files.f");
        fs::write(&list, text).unwrap();
        expand(&Design {
            file_lists: vec![list],
            ..Design::default()
        })
    }

    #[test]
    fn options_comments_and_sources() {
        let text = "// comment\n# comment\n/* a\n b */ a.v \"b c.v\" +incdir+i+j \\\n+define+X+Y=3 -y lib -Y .v\n\
                    -DZ=1 -D W -v cells.v --top t -P N=4 /abs/d.v";
        let found = expand_text(text).unwrap();
        let design = found.design;
        assert_eq!(
            design.sources,
            ["a.v", "b c.v", "/abs/d.v"].map(PathBuf::from)
        );
        assert_eq!(design.include_dirs, ["i", "j"].map(PathBuf::from));
        let defines: Vec<_> = design
            .defines
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_deref()))
            .collect();
        assert_eq!(
            defines,
            [("X", None), ("Y", Some("3")), ("Z", Some("1")), ("W", None)]
        );
        assert_eq!(design.library_dirs, [PathBuf::from("lib")]);
        assert_eq!(found.library_files, [PathBuf::from("cells.v")]);
        assert_eq!(
            (design.top.as_deref(), design.parameters.len()),
            (Some("t"), 1)
        );
    }

    #[test]
    fn nested_lists_and_what_they_are_relative_to() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/inner.f"), "x.v").unwrap();
        let outer = folder.path().join("outer.f");
        fs::write(
            &outer,
            format!(
                "-F {0}/sub/inner.f\n-f {0}/sub/inner.f",
                folder.path().display()
            ),
        )
        .unwrap();
        let found = expand(&Design {
            file_lists: vec![outer],
            ..Design::default()
        })
        .unwrap();
        assert_eq!(
            found.design.sources,
            [folder.path().join("sub/x.v"), PathBuf::from("x.v")]
        );
        assert_eq!(found.lists.len(), 3);
    }

    #[test]
    fn mistakes_have_their_place() {
        let Err(Diagnostics(errors)) =
            expand_text("a.v\n  --what\n$NO_SUCH_VARIABLE_HERE/x.v\n-f nowhere.f\n-y")
        else {
            panic!("all wrong")
        };
        let lines: Vec<_> = errors.iter().map(|e| e.labels[0].span.start.line).collect();
        assert_eq!(lines, [2, 3, 4, 5]);
    }

    #[test]
    fn a_list_that_names_itself_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("files.f");
        fs::write(&list, format!("-f {}", list.display())).unwrap();
        assert!(
            expand(&Design {
                file_lists: vec![list],
                ..Design::default()
            })
            .is_err()
        );
    }

    #[test]
    fn environment_variables() {
        let home = std::env::var("PATH").unwrap();
        assert_eq!(
            with_variables("a$PATH/${PATH}$(PATH)$"),
            Ok(format!("a{home}/{home}{home}$"))
        );
        assert_eq!(
            with_variables("$NO_SUCH_VARIABLE_HERE"),
            Err("NO_SUCH_VARIABLE_HERE".to_string())
        );
    }
}
