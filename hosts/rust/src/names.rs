//! From paths to signals.
//!
//! A path is an array of names; joined with dots it is usually still unique, and that is how people write it. A
//! name of the source may itself hold a dot: then the array decides.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rtlwasm_abi::manifest;

use crate::error::Error;

/// How many similar names an error shows.
const SUGGESTIONS: usize = 3;

/// Every signal by its joined path.
pub(crate) struct Names {
    joined: HashMap<String, Match>,
}

#[derive(Clone, Copy)]
enum Match {
    One(u32),
    Several,
}

/// Something that names a signal: `"cpu.pc"`, or the exact array `["cpu", "pc"]`.
pub trait SignalPath {
    #[doc(hidden)]
    fn find_in(&self, table: NameTable<'_>) -> Result<u32, Error>;
}

/// What a [`SignalPath`] is looked up in.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct NameTable<'a> {
    pub(crate) names: &'a Names,
    pub(crate) top: &'a str,
    pub(crate) signals: &'a [manifest::Signal],
}

impl Names {
    pub fn new(signals: &[manifest::Signal]) -> Names {
        let mut joined = HashMap::with_capacity(signals.len());
        for (id, signal) in signals.iter().enumerate() {
            match joined.entry(signal.path.join(".")) {
                Entry::Vacant(entry) => _ = entry.insert(Match::One(id as u32)),
                Entry::Occupied(mut entry) => _ = entry.insert(Match::Several),
            }
        }
        Names { joined }
    }
}

impl SignalPath for str {
    /// The joined path, with or without the top module's name before it.
    fn find_in(&self, table: NameTable<'_>) -> Result<u32, Error> {
        let below_top = || self.strip_prefix(table.top)?.strip_prefix('.');
        let found = table
            .names
            .joined
            .get(self)
            .or_else(|| table.names.joined.get(below_top()?));
        match found {
            Some(Match::One(id)) => Ok(*id),
            Some(Match::Several) => Err(Error::AmbiguousSignal {
                path: self.to_string(),
            }),
            None => Err(Error::UnknownSignal {
                path: self.to_string(),
                near: near(self, table.signals),
            }),
        }
    }
}

impl SignalPath for String {
    fn find_in(&self, table: NameTable<'_>) -> Result<u32, Error> {
        self.as_str().find_in(table)
    }
}

impl<S: AsRef<str>> SignalPath for [S] {
    /// Every name as it is.
    fn find_in(&self, table: NameTable<'_>) -> Result<u32, Error> {
        let same = |signal: &manifest::Signal| {
            signal.path.len() == self.len()
                && signal.path.iter().zip(self).all(|(a, b)| a == b.as_ref())
        };
        let joined = self
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>()
            .join(".");
        match table.names.joined.get(&joined) {
            Some(Match::One(id)) if same(&table.signals[*id as usize]) => return Ok(*id),
            None => {}
            _ => {
                if let Some(id) = table.signals.iter().position(same) {
                    return Ok(id as u32);
                }
            }
        }
        Err(Error::UnknownSignal {
            near: near(&joined, table.signals),
            path: joined,
        })
    }
}

impl<S: AsRef<str>, const N: usize> SignalPath for [S; N] {
    fn find_in(&self, table: NameTable<'_>) -> Result<u32, Error> {
        self.as_slice().find_in(table)
    }
}

impl<S: AsRef<str>> SignalPath for Vec<S> {
    fn find_in(&self, table: NameTable<'_>) -> Result<u32, Error> {
        self.as_slice().find_in(table)
    }
}

impl<P: SignalPath + ?Sized> SignalPath for &P {
    fn find_in(&self, table: NameTable<'_>) -> Result<u32, Error> {
        (**self).find_in(table)
    }
}

/// The most similar names: the whole path misspelt (two characters the wrong way round are one mistake), or its last name right and the way to it wrong.
fn near(path: &str, signals: &[manifest::Signal]) -> Vec<String> {
    let last = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    let lower = path.to_lowercase();
    let mut scored: Vec<(usize, String)> = Vec::new();
    for signal in signals {
        let joined = signal.path.join(".");
        let name = signal
            .path
            .last()
            .map(|name| name.to_lowercase())
            .unwrap_or_default();
        let whole = strsim::damerau_levenshtein(&lower, &joined.to_lowercase());
        let score = if name == last { whole.min(1) } else { whole };
        if score <= 1 + lower.len() / 4 {
            scored.push((score, joined));
        }
    }
    scored.sort_by(|a, b| (a.0, a.1.len(), &a.1).cmp(&(b.0, b.1.len(), &b.1)));
    scored.dedup();
    scored
        .into_iter()
        .take(SUGGESTIONS)
        .map(|(_, joined)| joined)
        .collect()
}
