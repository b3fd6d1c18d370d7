//! What two implementations show and tell after a call, compared.
//!
//! In: the reference's memory, the artifact's model, and the events and statuses of both. Out: the first difference; of
//! several signals that differ, state comes first, because the others may follow from it.

use std::fmt;

use rtlwasm_abi::Status;
use rtlwasm_abi::layout::trigger;
use rtlwasm_abi::manifest::Manifest;

use super::Lockstep;
use crate::access::value_at;
use crate::control::read_u64;
use crate::engine::Told;
use crate::error::Error;
use crate::signal::Signal;
use crate::value::Value;

/// The first difference between two implementations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// What differs: the path of a signal with its row if it is a memory, `time`, `events`, `cover` with its name, or
    /// `status`.
    pub what: String,
    /// What the reference says.
    pub reference: String,
    /// What the artifact says.
    pub compiled: String,
    /// Where the signal is declared, as `file:line.column`.
    pub source: Option<String>,
    /// Rises of the clock so far, that of this cycle included.
    pub cycle: u64,
    /// The time, in time units.
    pub time: u64,
    /// All signals that differ: state first, then ports.
    pub signals: Vec<String>,
}

/// What differs, and what the reference and the artifact say.
type Difference = (String, String, String);

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "artifact and reference interpreter differ in cycle {} at time {}: `{}` is {} in the artifact and {} in the \
             interpreter",
            self.cycle, self.time, self.what, self.compiled, self.reference
        )?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        match self.signals.len() {
            0 | 1 => Ok(()),
            many => write!(f, "; {} more signals differ", many - 1),
        }
    }
}

impl std::error::Error for Divergence {}

impl Lockstep {
    /// The first difference between what both show and tell.
    pub(super) fn compare(
        &mut self,
        status: (Status, Status),
        told: &[Told],
        events: &[crate::Event],
    ) -> Result<(), Error> {
        let different = self.different_signals()?;
        if let Some(first) = different.first() {
            let (reference, compiled) = (format!("{:#x}", first.1), format!("{:#x}", first.2));
            let mut found = self.divergence(first.0.clone(), reference, compiled);
            found.source = self.manifest.signals[first.3].source.clone();
            found.signals = different.into_iter().map(|(name, ..)| name).collect();
            return Err(Error::Diverged(Box::new(found)));
        }
        let names = (status.0.describe(), status.1.describe());
        let found = unlike("time", self.time(), self.compiled.time())
            .or_else(|| self.different_event(told, events))
            .or_else(|| self.different_cover())
            .or_else(|| unlike("status", names.0, names.1));
        match found {
            Some((what, reference, compiled)) => {
                let found = self.divergence(what, reference, compiled);
                Err(Error::Diverged(Box::new(found)))
            }
            None => Ok(()),
        }
    }

    /// The first event that only one has, or that differs.
    fn different_event(&self, told: &[Told], events: &[crate::Event]) -> Option<Difference> {
        let sites = self.compiled.artifact().manifest();
        let mut here = told
            .iter()
            .map(|told| event_line(&self.manifest, told.site, told.time, &told.args));
        let mut there = events
            .iter()
            .map(|event| event_line(sites, event.site, event.time, &event.args));
        let none = || "no event".to_string();
        for _ in 0..told.len().max(events.len()) {
            let (a, b) = (here.next(), there.next());
            if a != b {
                let (a, b) = (a.unwrap_or_else(none), b.unwrap_or_else(none));
                return Some(("events".to_string(), a, b));
            }
        }
        None
    }

    /// The first cover that one has counted more often than the other.
    fn different_cover(&self) -> Option<Difference> {
        if !self.settled {
            return None;
        }
        let artifact = self.compiled.artifact().manifest();
        covers(&self.manifest)
            .zip(covers(artifact))
            .filter(|(here, there)| here.0 == there.0)
            .find_map(|((name, here), (_, there))| {
                let here = read_u64(self.reference.memory(), here);
                let there = read_u64(self.compiled.memory(), there);
                let (what, a, b) = unlike(name, here, there)?;
                Some((format!("cover {what}"), a, b))
            })
    }

    fn divergence(&self, what: String, reference: String, compiled: String) -> Divergence {
        let cycle = self.counted.map_or(0, |trigger| {
            read_u64(
                self.reference.memory(),
                self.row(trigger) + trigger::CYCLES as usize,
            )
        });
        Divergence {
            what,
            reference,
            compiled,
            source: None,
            cycle,
            time: self.time(),
            signals: Vec::new(),
        }
    }

    /// Names of the signals that differ with both values and their number: state first, then ports, then the others.
    fn different_signals(&mut self) -> Result<Vec<(String, Value, Value, usize)>, Error> {
        let mut found = Vec::new();
        for at in 0..self.pairs.len() {
            let (id, signal) = self.pairs[at];
            let entry = &self.manifest.signals[id];
            let name = entry.path.join(".");
            if entry.depth > 0 {
                if let Some((row, here, there)) = self.different_row(id, signal)? {
                    found.push((format!("{name}[{row}]"), here, there, id));
                }
                continue;
            }
            let here = value_at(entry, self.reference.memory(), 0);
            let there = self.compiled.peek_bits(signal)?;
            if here != there {
                found.push((name, here, there, id));
            }
        }
        let rank = |id: usize| match self.manifest.signals[id].kind.as_str() {
            "register" | "latch" | "memory" => 0,
            "output" | "inout" => 1,
            _ => 2,
        };
        found.sort_by_key(|(.., id)| rank(*id));
        Ok(found)
    }

    /// The first row of a memory that differs, by its declared index.
    fn different_row(
        &mut self,
        id: usize,
        signal: Signal,
    ) -> Result<Option<(i64, Value, Value)>, Error> {
        let entry = &self.manifest.signals[id];
        let memory = self.reference.memory();
        let other = &self.compiled.artifact.signals()[signal.place as usize];
        if let ([a], [b]) = (entry.parts.as_slice(), other.parts.as_slice())
            && (a.size, a.shift, entry.stride) == (b.size, b.shift, other.stride)
        {
            let len = (entry.stride * entry.depth) as usize;
            let (a, b) = (a.offset as usize, b.offset as usize);
            if memory[a..a + len] == self.compiled.memory()[b..b + len] {
                return Ok(None);
            }
        }
        for row in 0..entry.depth {
            let here = value_at(entry, memory, (row * entry.stride) as usize);
            let row = entry.first + i64::from(row);
            let there = self.compiled.peek_row_bits(signal, row)?;
            if here != there {
                return Ok(Some((row, here, there)));
            }
        }
        Ok(None)
    }
}

/// Name of every cover, and where its counter lies.
fn covers(manifest: &Manifest) -> impl Iterator<Item = (&str, usize)> {
    let sites = manifest.events.iter();
    sites.filter_map(|site| Some((site.name.as_str(), site.cover? as usize)))
}

fn unlike<T: PartialEq + ToString>(what: &str, reference: T, compiled: T) -> Option<Difference> {
    (reference != compiled).then(|| (what.into(), reference.to_string(), compiled.to_string()))
}

fn event_line(manifest: &Manifest, site: u32, time: u64, args: &[Value]) -> String {
    let named = manifest.events.get(site as usize);
    let (kind, name) = named.map_or(("", ""), |site| (&site.kind, &site.name));
    format!("{kind} {name} at {time} with {args:?}")
}
