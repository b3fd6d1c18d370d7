//! Waveforms: a running model in, a VCD or FST file out, changes only.
//!
//! Signals that share a place are one variable with several names. Every named signal is written; memories, row by
//! row, only when asked for.

mod fst;
mod run;
mod vcd;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rtlwasm_abi::manifest::Signal;

use crate::error::Error;
use crate::model::Model;
use crate::probe::Probe;
use crate::trace::Tracer;
use crate::value::Value;

/// Memories go into the waveform, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memories {
    /// Every row is a variable.
    Include,
    /// They are left out.
    Exclude,
}

/// A waveform being written.
pub struct Wave {
    path: PathBuf,
    tracer: Tracer,
    format: Box<dyn Format>,
    /// The time of the last sample.
    last: u64,
}

/// What a file format does with the changes.
trait Format: Send {
    /// From now on changes are at this time, in time units; times never decrease.
    fn time(&mut self, time: u64) -> Result<(), String>;
    /// A value of the variable that was declared with this number.
    fn change(&mut self, variable: usize, value: &Value) -> Result<(), String>;
    /// Writes the rest.
    fn finish(self: Box<Self>) -> Result<(), String>;
}

/// What the file says before its first value.
struct Header {
    version: String,
    /// Time is in units of 10^this seconds.
    time_unit: i32,
    start: u64,
    /// Sorted by scope; a scope's own names before those of the scopes in it.
    names: Vec<Name>,
    variables: usize,
}

/// One name in the hierarchy.
struct Name {
    /// The top module first.
    scopes: Vec<String>,
    name: String,
    kind: NameKind,
    width: u32,
    /// Declared indices of the highest and of the lowest bit; `None` for what was declared without a range.
    range: Option<(i64, i64)>,
    /// The variable it shows.
    variable: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameKind {
    Input,
    Output,
    Inout,
    Register,
    Wire,
    Constant,
}

impl Wave {
    /// Creates the file, of the format that its ending tells (see [`is_known`]), with all names in it.
    ///
    /// # Errors
    /// [`Error::Wave`].
    pub fn create(path: &Path, model: &mut Model, memories: Memories) -> Result<Wave, Error> {
        let (names, probes) = collect(model, memories);
        let tracer = Tracer::new(model, &probes)?;
        let header = Header {
            version: format!("rtlwasm {}", env!("CARGO_PKG_VERSION")),
            time_unit: model.artifact().manifest().time_unit,
            start: model.time(),
            names,
            variables: probes.len(),
        };
        let made = match extension(path) {
            Some("vcd") => vcd::create(path, &header),
            Some("fst") => fst::create(path, &header),
            _ => Err("its name ends neither in .vcd nor in .fst".to_string()),
        };
        let format = made.map_err(|problem| cannot_write(path, &problem))?;
        Ok(Wave {
            path: path.to_path_buf(),
            tracer,
            format,
            last: model.time(),
        })
    }

    /// Writes what changed since the last sample, at the model's present time.
    ///
    /// # Errors
    /// [`Error::Wave`], also when a reset or a snapshot has taken the model back in time.
    pub fn sample(&mut self, model: &mut Model) -> Result<(), Error> {
        let time = model.time();
        if time < self.last {
            let problem = format!(
                "time went back from {} to {time}: finish a waveform before a reset or a restore",
                self.last
            );
            return Err(cannot_write(&self.path, &problem));
        }
        self.last = time;
        let mut result = self.format.time(time);
        let format = &mut self.format;
        let traced = self.tracer.changes(model, |variable, value| {
            if result.is_ok() {
                result = format.change(variable, value);
            }
        });
        traced?;
        result.map_err(|problem| cannot_write(&self.path, &problem))
    }

    /// Writes the rest up to the model's present time and closes the file.
    pub fn finish(mut self, model: &Model) -> Result<(), Error> {
        let ended = self.format.time(model.time().max(self.last));
        ended
            .and_then(|()| self.format.finish())
            .map_err(|problem| cannot_write(&self.path, &problem))
    }
}

/// True for a name that tells a format.
pub fn is_known(path: &Path) -> bool {
    matches!(extension(path), Some("vcd" | "fst"))
}

/// 10^exponent seconds as the formats write it: 1, 10 or 100 of a unit.
pub fn timescale(exponent: i32) -> Option<(u32, &'static str)> {
    const UNITS: [&str; 6] = ["fs", "ps", "ns", "us", "ms", "s"];
    let above = usize::try_from(exponent + 15).ok()?;
    let unit = UNITS.get(above / 3)?;
    Some((10u32.pow((above % 3) as u32), unit))
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|e| e.to_str())
}

fn cannot_write(path: &Path, problem: &str) -> Error {
    Error::Wave {
        path: path.to_path_buf(),
        problem: problem.to_string(),
    }
}

/// All names, and the distinct places behind them.
fn collect(model: &Model, memories: Memories) -> (Vec<Name>, Vec<Probe>) {
    let artifact = model.artifact();
    let (mut names, mut probes) = (Vec::new(), Vec::new());
    let mut variables: HashMap<(u32, Option<i64>), usize> = HashMap::new();
    for (id, entry) in artifact
        .signals()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.width > 0)
    {
        if entry.depth > 0 && memories == Memories::Exclude {
            continue;
        }
        let signal = artifact.signal_by_id(id as u32).expect("an id of the list");
        let rows: Vec<Option<i64>> = match entry.depth {
            0 => vec![None],
            depth => (entry.first..entry.first + i64::from(depth))
                .map(Some)
                .collect(),
        };
        let place = entry.alias_of.unwrap_or(id as u32);
        for row in rows {
            let variable = *variables.entry((place, row)).or_insert_with(|| {
                probes.push(artifact.probe_of(signal, row).expect("a row of the memory"));
                probes.len() - 1
            });
            names.push(name(&artifact.manifest().top, entry, row, variable));
        }
    }
    names.sort_by(|a, b| a.scopes.cmp(&b.scopes));
    (names, probes)
}

fn name(top: &str, entry: &Signal, row: Option<i64>, variable: usize) -> Name {
    let (last, scopes) = entry
        .path
        .split_last()
        .expect("checked when the artifact was loaded");
    let (low, high) = (entry.lsb, entry.lsb + i64::from(entry.width) - 1);
    let range = if entry.upto { (low, high) } else { (high, low) };
    Name {
        scopes: std::iter::once(top)
            .chain(scopes.iter().map(String::as_str))
            .map(plain)
            .collect(),
        name: match row {
            Some(row) => plain(&format!("{last}[{row}]")),
            None => plain(last),
        },
        kind: match entry.kind.as_str() {
            "input" => NameKind::Input,
            "output" => NameKind::Output,
            "inout" => NameKind::Inout,
            "register" | "latch" | "memory" => NameKind::Register,
            "constant" => NameKind::Constant,
            _ => NameKind::Wire,
        },
        width: entry.width,
        range: (entry.width > 1).then_some(range),
        variable,
    }
}

/// Both formats end a name at a space.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_whitespace() || c.is_control() {
                '_'
            } else {
                c
            }
        })
        .collect()
}

/// How many scopes to leave and which to enter between two names.
fn scope_change<'a>(from: &[String], to: &'a [String]) -> (usize, &'a [String]) {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    (from.len() - common, &to[common..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timescales() {
        assert_eq!(timescale(-15), Some((1, "fs")));
        assert_eq!(timescale(-11), Some((10, "ps")));
        assert_eq!(timescale(2), Some((100, "s")));
        assert_eq!((timescale(3), timescale(-16)), (None, None));
    }
}
