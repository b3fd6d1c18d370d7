//! Watches and staged pokes of an artifact, given as those of the interpreter.
//!
//! In: what the interpreter watches, by signal and trigger of the netlist. Out: rows of the watch table, and what
//! became of them.

use rtlwasm::ir::interp::{Condition, Watch, WatchKind, Watched};
use rtlwasm::ir::{Netlist, TriggerRole};
use rtlwasm_abi::layout::{control, play, state, trigger, watch};

use super::{Artifact, Op};

/// Bytes that staged pokes lie behind the start of host memory.
const STAGED: usize = 0x8000;

/// A watch by what a host sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchState {
    pub left: u32,
    pub hit: bool,
}

impl Artifact {
    /// What a watch on a word is to the artifact; `None` where it has no place in state of its own.
    pub fn watched(&self, n: &Netlist, signal: usize, row: u32, limb: usize) -> Option<Watched> {
        let ids = self.ids[signal].as_ref()?;
        let (offset, _) = (*ids.limbs.get(limb)?)?;
        Some(match self.level_row(offset) {
            Some(row) => Watched::Trigger(trigger_of_row(n, row)),
            None => Watched::Word {
                signal: rtlwasm::arena::Id::new(signal),
                row,
                limb,
            },
        })
    }

    /// The row of the trigger table in which an address lies.
    fn level_row(&self, offset: u32) -> Option<usize> {
        let base = self.read_u32(self.control(control::TRIGGER_BASE));
        let rows = self.read_u32(self.control(control::TRIGGER_COUNT));
        let row = offset.checked_sub(base)? / trigger::LEN;
        (row < rows).then_some(row as usize)
    }

    /// True when a wait for the condition is one call.
    pub fn can_wait(&self, condition: &Condition) -> bool {
        self.place_of(condition).is_some()
    }

    /// True when levels of triggers are among a signal's bits: those are ahead while edges are pending.
    pub fn shows_levels(&self, signal: usize) -> bool {
        let known = self.ids[signal].as_ref();
        known.is_some_and(|ids| ids.offsets.iter().any(|at| self.level_row(*at).is_some()))
    }

    /// True when parts of two signals lie at one address.
    pub fn overlap(&self, a: usize, b: usize) -> bool {
        let offsets = |signal: usize| self.ids[signal].iter().flat_map(|ids| &ids.offsets);
        offsets(a).any(|x| offsets(b).any(|y| x == y))
    }

    /// Replaces all watches; a watch on a trigger is given by the signal that shows its level.
    pub fn set_watches(&mut self, watches: &[(usize, Watch)]) {
        let base = self.read_u32(self.control(control::WATCH_BASE)) as usize;
        for (i, (signal, w)) in watches.iter().enumerate() {
            let (row, limb) = match w.on {
                Watched::Word { row, limb, .. } => (row, limb),
                Watched::Trigger(_) => (0, 0),
            };
            let (id, word) = self.word(*signal, row, limb);
            let (kind, value) = match w.kind {
                WatchKind::Changed => (watch::KIND_CHANGED, 0),
                WatchKind::Rose => (watch::KIND_ROSE, 0),
                WatchKind::Fell => (watch::KIND_FELL, 0),
                WatchKind::Equals(value) => (watch::KIND_EQUALS, value),
                WatchKind::Differs(value) => (watch::KIND_DIFFERS, value),
            };
            let flag = |on: bool, flag: u16| if on { flag } else { 0 };
            let flags = flag(w.after, watch::FLAG_AFTER)
                | flag(w.again, watch::FLAG_AGAIN)
                | flag(w.condition, watch::FLAG_CONDITION);
            let at = base + i * watch::LEN as usize;
            for (field, value) in [(watch::ID, id), (watch::WORD, word), (watch::LEFT, w.left)] {
                self.write(at + field as usize, &value.to_le_bytes());
            }
            self.write(at + watch::KIND as usize, &kind.to_le_bytes());
            self.write(at + watch::FLAGS as usize, &flags.to_le_bytes());
            self.write(at + watch::MASK as usize, &w.mask.to_le_bytes());
            self.write(at + watch::VALUE as usize, &value.to_le_bytes());
        }
        let count = self.control(control::WATCH_COUNT);
        self.write(count, &(watches.len() as u32).to_le_bytes());
    }

    /// Writes what may be no watches to the table, and their number.
    pub fn write_watch_table(&mut self, bytes: &[u8], count: u32) {
        let base = self.read_u32(self.control(control::WATCH_BASE)) as usize;
        self.write(base, bytes);
        self.write(self.control(control::WATCH_COUNT), &count.to_le_bytes());
    }

    /// Says that staged pokes lie there, from the start of host memory on.
    pub fn write_stage(&mut self, offset: u32, len: u32) {
        let base = self.host_base() as u32;
        let at = base.wrapping_add(offset);
        self.write(self.control(control::STAGE_BASE), &at.to_le_bytes());
        self.write(self.control(control::STAGE_LEN), &len.to_le_bytes());
    }

    /// How the watches stand after a call.
    pub fn watch_states(&self) -> Vec<WatchState> {
        let base = self.read_u32(self.control(control::WATCH_BASE)) as usize;
        let count = self.read_u32(self.control(control::WATCH_COUNT)) as usize;
        let row = |i| base + i * watch::LEN as usize;
        let flags = |i| u16::from_le_bytes(self.read(row(i) + watch::FLAGS as usize));
        let state = |i| WatchState {
            left: self.read_u32(row(i) + watch::LEFT as usize),
            hit: flags(i) & watch::FLAG_HIT != 0,
        };
        (0..count).map(state).collect()
    }

    /// Stages a poke.
    pub fn stage(&mut self, poke: &Op) {
        let (base_at, len_at) = (
            self.control(control::STAGE_BASE),
            self.control(control::STAGE_LEN),
        );
        let base = self.host_base() + STAGED;
        let mut len = self.read_u32(len_at);
        for record in self.records(poke, 0) {
            let index = (STAGED + len as usize) / play::LEN as usize;
            self.write_record(index, &record);
            len += play::LEN;
        }
        self.write(base_at, &(base as u32).to_le_bytes());
        self.write(len_at, &len.to_le_bytes());
    }

    /// True when the last call has stopped before a wave.
    pub fn is_pending(&self) -> bool {
        self.read_u32(self.state_base() + state::PHASE as usize) != 0
    }
}

/// The table's order: primary clocks, computed clocks, asynchronous loads.
fn trigger_of_row(n: &Netlist, row: usize) -> usize {
    let rank = |role| match role {
        TriggerRole::PrimaryClock => 0,
        TriggerRole::DerivedClock => 1,
        TriggerRole::AsyncLoad => 2,
    };
    let mut order: Vec<_> = n.triggers.values().enumerate().collect();
    order.sort_by_key(|(_, t)| rank(t.role));
    order[row].0
}
