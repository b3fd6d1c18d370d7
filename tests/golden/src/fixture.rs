//! Fixtures: a source file in, what its header asks for out. The grammar is in this crate's README.

use std::path::{Path, PathBuf};

use rtlwasm::options::Design;

use crate::oracle::{InputRule, OracleDesign, OracleKind, Port, Reset, Stimulus};

/// The folders under `fixtures/` that hold one fixture per file.
pub const FOLDERS: &[&str] = &["comb", "seq", "clock", "mem", "wide", "event", "error"];

/// One source file with its header.
#[derive(Clone, Debug)]
pub struct Fixture {
    pub path: PathBuf,
    /// Folder and file without its ending, such as `seq/counter`; with `.il` or `.sv` it ends in `_il` or `_sv`.
    pub name: String,
    pub top: String,
    /// The header names the top.
    pub names_top: bool,
    pub clocks: Vec<String>,
    pub stimulus: Stimulus,
    pub oracle: Option<OracleKind>,
    pub parameters: Vec<(String, String)>,
    pub defines: Vec<String>,
    pub includes: Vec<PathBuf>,
    /// The fixture itself first; names without a folder.
    pub sources: Vec<PathBuf>,
    pub plusargs: Vec<String>,
    /// The text it writes must equal the outside simulator's.
    pub compares_output: bool,
    /// Its events are a snapshot.
    pub shows_events: bool,
    /// Codes of warnings that compiling must give.
    pub warnings: Vec<String>,
    /// Compiling must fail.
    pub is_error: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    #[error("{path}: {source}", path = path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}:{line}: not understood: `{text}`", path = path.display())]
    Header {
        path: PathBuf,
        line: usize,
        text: String,
    },
}

/// The repository's `fixtures` folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// All fixtures, sorted by folder and name.
pub fn all() -> Result<Vec<Fixture>, FixtureError> {
    let mut paths = Vec::new();
    for folder in FOLDERS.iter().map(|name| root().join(name)) {
        let entries = std::fs::read_dir(&folder).map_err(|source| FixtureError::Io {
            path: folder.clone(),
            source,
        })?;
        paths.extend(
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| is_source(path)),
        );
    }
    paths.sort();
    paths.iter().map(|path| load(path)).collect()
}

fn is_source(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ["v", "sv", "il"].iter().any(|known| ending == *known))
}

/// Reads one fixture.
pub fn load(path: &Path) -> Result<Fixture, FixtureError> {
    let text = std::fs::read_to_string(path).map_err(|source| FixtureError::Io {
        path: path.to_owned(),
        source,
    })?;
    let mut fixture = plain(path);
    for (index, line) in text.lines().enumerate() {
        let Some(directive) = line
            .strip_prefix("//@ ")
            .or_else(|| line.strip_prefix("#@ "))
        else {
            break;
        };
        let (key, value) = directive.split_once(": ").unwrap_or((directive, ""));
        if fixture.apply(key.trim(), value.trim()).is_none() {
            return Err(FixtureError::Header {
                path: path.to_owned(),
                line: index + 1,
                text: directive.to_owned(),
            });
        }
    }
    Ok(fixture)
}

/// A fixture whose header is empty.
fn plain(path: &Path) -> Fixture {
    let part =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (part(path.file_stem()), part(path.extension()));
    let folder = part(path.parent().and_then(Path::file_name));
    let (oracle, mark) = match ending.as_str() {
        "il" => (OracleKind::Cxxrtl, "_il"),
        "sv" => (OracleKind::Verilator, "_sv"),
        _ => (OracleKind::Icarus, ""),
    };
    Fixture {
        path: path.to_owned(),
        name: format!("{folder}/{stem}{mark}"),
        top: stem,
        names_top: false,
        clocks: Vec::new(),
        stimulus: Stimulus {
            cycles: 64,
            seed: 1,
            ..Stimulus::default()
        },
        oracle: Some(oracle),
        parameters: Vec::new(),
        defines: Vec::new(),
        includes: Vec::new(),
        sources: path.file_name().map(PathBuf::from).into_iter().collect(),
        plusargs: Vec::new(),
        compares_output: false,
        shows_events: false,
        warnings: Vec::new(),
        is_error: false,
    }
}

impl Fixture {
    /// What the compiler is given, in the fixture's folder.
    pub fn design(&self) -> Design {
        let define = |text: &String| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.clone(), None),
        };
        Design {
            sources: self.sources.clone(),
            top: Some(self.top.clone()).filter(|_| self.names_top),
            include_dirs: self.includes.clone(),
            defines: self.defines.iter().map(define).collect(),
            parameters: self.parameters.clone(),
            ..Design::default()
        }
    }

    /// What the outside simulator is given; ports come from whoever compiled the fixture.
    pub fn oracle_design(&self, ports: Vec<Port>) -> OracleDesign {
        OracleDesign {
            top: self.top.clone(),
            folder: self.folder(),
            sources: self.sources.clone(),
            includes: self.includes.clone(),
            defines: self.defines.clone(),
            parameters: self.parameters.clone(),
            plusargs: self.plusargs.clone(),
            clocks: self.clocks.clone(),
            ports,
        }
    }

    /// The part of the name before the slash.
    pub fn group(&self) -> &str {
        self.name.split_once('/').map_or("", |(group, _)| group)
    }

    /// The part of the name behind the slash.
    pub fn stem(&self) -> &str {
        self.name
            .split_once('/')
            .map_or(self.name.as_str(), |(_, stem)| stem)
    }

    /// Where its sources lie and simulators run.
    pub fn folder(&self) -> PathBuf {
        self.path.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// One line of the header; `None` if it is not understood.
    fn apply(&mut self, key: &str, value: &str) -> Option<()> {
        let words = || value.split_whitespace();
        match key {
            "top" => (self.top, self.names_top) = (value.to_owned(), true),
            "clock" => self.clocks = words().map(str::to_owned).collect(),
            "reset" => self.stimulus.resets.push(parse_reset(value)?),
            "cycles" => self.stimulus.cycles = value.parse().ok()?,
            "seed" => self.stimulus.seed = value.parse().ok()?,
            "input" => self.stimulus.rules.push(parse_rule(value)?),
            "option" => self.apply_option(value)?,
            "sources" => self.sources.extend(words().map(PathBuf::from)),
            "oracle" => self.oracle = parse_oracle(value)?,
            "plusarg" => self.plusargs.push(value.to_owned()),
            "output" => self.compares_output = true,
            "events" => self.shows_events = true,
            "warning" => self.warnings.push(value.to_owned()),
            "error" => self.is_error = true,
            _ => return None,
        }
        Some(())
    }

    fn apply_option(&mut self, option: &str) -> Option<()> {
        let (flag, value) = option.split_once(' ')?;
        match flag {
            "-P" => self.parameters.push(
                value
                    .split_once('=')
                    .map(|(name, value)| (name.into(), value.into()))?,
            ),
            "-D" => self.defines.push(value.to_owned()),
            "-I" => self.includes.push(PathBuf::from(value)),
            _ => return None,
        }
        Some(())
    }
}

/// `NAME=VALUE:CYCLES`
fn parse_reset(text: &str) -> Option<Reset> {
    let (name, rest) = text.split_once('=')?;
    let (value, cycles) = rest.split_once(':')?;
    Some(Reset {
        name: name.to_owned(),
        value: value.parse().ok()?,
        cycles: cycles.parse().ok()?,
    })
}

/// `NAME=VALUE`, or `NAME` and how often its bits are 1
fn parse_rule(text: &str) -> Option<(String, InputRule)> {
    if let Some((name, value)) = text.split_once('=') {
        return Some((name.to_owned(), InputRule::Constant(value.parse().ok()?)));
    }
    let (name, rule) = text.split_once(' ')?;
    let rule = match rule {
        "random" => InputRule::Random,
        "rare" => InputRule::Rare,
        "often" => InputRule::Often,
        _ => return None,
    };
    Some((name.to_owned(), rule))
}

fn parse_oracle(text: &str) -> Option<Option<OracleKind>> {
    match text {
        "icarus" => Some(Some(OracleKind::Icarus)),
        "verilator" => Some(Some(OracleKind::Verilator)),
        "cxxrtl" => Some(Some(OracleKind::Cxxrtl)),
        "none" => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_in_the_repository_is_understood() {
        let all = all().unwrap();
        assert!(all.len() >= 60);
        let mut names: Vec<&str> = all.iter().map(|fixture| fixture.name.as_str()).collect();
        names.dedup();
        assert_eq!(names.len(), all.len(), "two fixtures share a name");
    }

    #[test]
    fn a_header_is_read_line_by_line() {
        let mut fixture = plain(Path::new("fixtures/seq/thing.sv"));
        for (key, value) in [
            ("clock", "a b"),
            ("reset", "rst=1:3"),
            ("input", "x rare"),
            ("option", "-P N=4"),
        ] {
            fixture.apply(key, value).unwrap();
        }
        assert_eq!(
            (fixture.name.as_str(), fixture.top.as_str()),
            ("seq/thing_sv", "thing")
        );
        assert_eq!(fixture.clocks, ["a", "b"]);
        assert_eq!(
            fixture.stimulus.resets,
            [Reset {
                name: "rst".into(),
                value: 1,
                cycles: 3
            }]
        );
        assert_eq!(fixture.stimulus.rules, [("x".into(), InputRule::Rare)]);
        assert_eq!(fixture.parameters, [("N".into(), "4".into())]);
        assert!(fixture.apply("input", "x sometimes").is_none());
        assert!(fixture.apply("unknown", "").is_none());
    }
}
