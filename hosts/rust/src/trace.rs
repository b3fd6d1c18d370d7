//! Which signals changed: for waveforms and anything else that watches many signals at each step.
//!
//! Signals that are stored close together are compared together, a block of memory at a time, so that a step in which
//! little happens costs little more than a comparison of memory.

use crate::error::Error;
use crate::model::Model;
use crate::probe::Probe;
use crate::value::Value;

/// Bytes that are compared at once.
const BLOCK: u64 = 64;

/// Remembers the values of a set of signals of one model, and tells which differ later.
pub struct Tracer {
    probes: Vec<Probe>,
    /// The value last reported of each.
    reported: Vec<Option<Value>>,
    blocks: Vec<Block>,
    /// Signals without a place in memory: these are looked at each time.
    computed: Vec<usize>,
    /// Outline groups that must be fresh before memory is compared.
    groups: Vec<u32>,
}

/// A stretch of memory with what it held last.
struct Block {
    start: usize,
    len: usize,
    /// What was there last; empty before the first comparison.
    seen: Vec<u8>,
    /// Indices of the signals that have bits here.
    users: Vec<usize>,
}

impl Tracer {
    /// Watches signals and memory rows.
    ///
    /// # Errors
    /// [`Error::ForeignHandle`].
    pub fn new(model: &Model, probes: &[Probe]) -> Result<Tracer, Error> {
        let (mut computed, mut groups) = (Vec::new(), Vec::new());
        let mut uses = Vec::new();
        for (index, probe) in probes.iter().enumerate() {
            let signal = probe.signal();
            model.check_own(signal)?;
            let entry = &model.artifact().signals()[signal.place as usize];
            let row = probe
                .row()
                .map_or(Ok(0), |row| model.artifact.row_index(signal, row))?;
            let skip = u64::from(row) * u64::from(signal.stride);
            if entry.parts.is_empty() {
                computed.push(index);
            }
            groups.extend(entry.outline.filter(|_| !entry.parts.is_empty()));
            for part in &entry.parts {
                let first = part.offset + skip;
                let last = first + u64::from(part.size).saturating_sub(1);
                uses.extend((first / BLOCK..=last / BLOCK).map(|block| (block, index)));
            }
        }
        groups.sort_unstable();
        groups.dedup();
        uses.sort_unstable();
        uses.dedup();
        let blocks = blocks(&uses, model.memory().len());
        Ok(Tracer {
            probes: probes.to_vec(),
            reported: vec![None; probes.len()],
            blocks,
            computed,
            groups,
        })
    }

    /// Calls `report` with the index (into the probes given to [`new`](Tracer::new)) and the value of every one
    /// that changed since the last call, in order; the first time with all.
    pub fn changes(
        &mut self,
        model: &mut Model,
        mut report: impl FnMut(usize, &Value),
    ) -> Result<(), Error> {
        for group in &self.groups {
            model.refresh(*group)?;
        }
        let mut suspects = self.computed.clone();
        for block in &mut self.blocks {
            let now = &model.memory()[block.start..block.start + block.len];
            if block.seen != now {
                block.seen = now.to_vec();
                suspects.extend(&block.users);
            }
        }
        suspects.sort_unstable();
        suspects.dedup();
        for index in suspects {
            let value = model.peek_probe(self.probes[index])?;
            if self.reported[index].as_ref() != Some(&value) {
                report(index, &value);
                self.reported[index] = Some(value);
            }
        }
        Ok(())
    }
}

/// One block for each number in the sorted list of uses.
fn blocks(uses: &[(u64, usize)], memory: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut number = None;
    for (block, user) in uses {
        if number != Some(*block) {
            number = Some(*block);
            let start = (*block * BLOCK) as usize;
            let len = (memory - start).min(BLOCK as usize);
            blocks.push(Block {
                start,
                len,
                seen: Vec::new(),
                users: Vec::new(),
            });
        }
        blocks.last_mut().expect("just pushed").users.push(*user);
    }
    blocks
}
