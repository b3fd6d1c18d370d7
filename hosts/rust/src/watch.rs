//! Watches: conditions at which a run stops, so that a testbench waits inside the model and not call by call.
//!
//! ```no_run
//! use rtlwasm_host::{Model, Status, Watch};
//!
//! let mut model = Model::load("uart.wasm")?;
//! let (clock, valid, data) = (model.only_clock()?, model.signal("valid")?, model.signal("data")?);
//! let arrived = model.watch(Watch::rose(valid))?;
//! while model.step(clock, 1_000_000)?.status == Status::WatchHit {
//!     println!("{:#x} at time {}", model.peek(data)?, model.time());
//!     model.rearm(arrived, 1)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use rtlwasm_abi::layout::{CONTROL_BASE, control, state, watch};
use rtlwasm_abi::{Status, manifest};

use crate::control::{read_u32, write_u32, write_u64};
use crate::error::Error;
use crate::model::{Model, Run};
use crate::signal::{Access, Signal};
use crate::value::Value;

const LEN: usize = watch::LEN as usize;
/// What a hit keeps, and what to do without.
const KEPT: &str = "values from before an edge";
const KEPT_INSTEAD: &str = "read them before the run";

/// What a run is to stop at, for [`Model::watch`]: a change of some bits of a signal, or a value of them.
///
/// A change is one against the last settling, or the beginning of the call: what the host has written itself is none.
/// A watch on a clock or an asynchronous reset compares with the level that registers have acted on, and stops
/// **before** they act: all values are then those from before the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a watch does nothing until a model has it"]
pub struct Watch {
    signal: Signal,
    word: u32,
    kind: u16,
    mask: u64,
    value: u64,
    hits: u32,
    flags: u16,
}

/// A watch that a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchId(u32);

impl Watch {
    /// Any bit changes.
    pub fn changed(signal: Signal) -> Watch {
        Watch::new(signal, watch::KIND_CHANGED, 0)
    }

    /// A bit goes from 0 to 1.
    pub fn rose(signal: Signal) -> Watch {
        Watch::new(signal, watch::KIND_ROSE, 0)
    }

    /// A bit goes from 1 to 0.
    pub fn fell(signal: Signal) -> Watch {
        Watch::new(signal, watch::KIND_FELL, 0)
    }

    /// The bits are `value` after a settling, also if they were before. There is a settling when a run begins, and one
    /// after every edge of a clock.
    pub fn equals(signal: Signal, value: u64) -> Watch {
        Watch::new(signal, watch::KIND_EQUALS, value)
    }

    /// The bits are not `value` after a settling.
    pub fn differs(signal: Signal, value: u64) -> Watch {
        Watch::new(signal, watch::KIND_DIFFERS, value)
    }

    fn new(signal: Signal, kind: u16, value: u64) -> Watch {
        Watch {
            signal,
            word: 0,
            kind,
            mask: u64::MAX,
            value,
            hits: 1,
            flags: 0,
        }
    }

    /// Looks at another 64-bit word than word 0: a limb of a wide signal; row times limbs plus limb of a memory, rows
    /// counted from 0.
    pub fn word(self, word: u32) -> Watch {
        Watch { word, ..self }
    }

    /// Looks at the bits in `mask` only.
    pub fn bits(self, mask: u64) -> Watch {
        Watch { mask, ..self }
    }

    /// Stops at the hit of that number instead of the first; 0 is a watch that waits for [`Model::rearm`].
    pub fn hits(self, hits: u32) -> Watch {
        Watch { hits, ..self }
    }

    /// Stops once everything that happens at that time is complete.
    pub fn after_instant(self) -> Watch {
        self.with(watch::FLAG_AFTER)
    }

    /// Stops once everything is complete, and keeps what [`Model::peek_before`] reads: the values at the hit, for a
    /// clock those from before its edge.
    pub fn keep_before(self) -> Watch {
        self.with(watch::FLAG_AFTER | watch::FLAG_COPY)
    }

    /// Keeps what [`Model::peek_before`] reads, stops at once, and lets a [`Script`](crate::Script) go on behind the
    /// operation that it stops, unless a watch without this stops there, too. So a script can read what is not kept,
    /// rows of memories, before an edge, and [`eval`](crate::Script::eval) it then.
    pub fn keep_and_go_on(self) -> Watch {
        self.with(watch::FLAG_COPY | watch::FLAG_GO_ON)
    }

    /// No watch, but a condition of the one behind it.
    fn condition(self) -> Watch {
        self.with(watch::FLAG_CONDITION)
    }

    /// Goes on watching after it has stopped a run, for one hit at a time.
    pub fn again(self) -> Watch {
        self.with(watch::FLAG_AGAIN)
    }

    fn with(self, flags: u16) -> Watch {
        Watch {
            flags: self.flags | flags,
            ..self
        }
    }
}

impl Run {
    /// True when a watch has stopped it: [`Model::watches_hit`] tells which.
    pub fn hit_watch(&self) -> bool {
        self.status == Status::WatchHit
    }
}

impl Model {
    /// Adds a watch; from the next run on it stops it with [`Status::WatchHit`]. It stays, also over
    /// [`reset`](Model::reset) and [`restore`](Model::restore), until it is taken away; after its last hit it is off.
    ///
    /// # Errors
    /// [`Error::NotWatchable`] for what is not stored, [`Error::TooManyWatches`]; [`Error::NotInEngine`] for a watch
    /// that is not [`after_instant`](Watch::after_instant) where an engine does no instant by halves.
    pub fn watch(&mut self, wanted: Watch) -> Result<WatchId, Error> {
        self.watch_while(wanted, &[])
    }

    /// The same for a watch that is hit only while one of some conditions holds: [`Watch::equals`] or
    /// [`Watch::differs`]. With a watch on a clock, a run stops at the first edge before which something is so.
    ///
    /// # Errors
    /// As [`watch`](Model::watch).
    pub fn watch_while(&mut self, wanted: Watch, conditions: &[Watch]) -> Result<WatchId, Error> {
        self.check_stop(wanted.flags)?;
        for watch in conditions.iter().chain([&wanted]) {
            self.check_watch(watch)?;
        }
        let (rows, most) = (conditions.len() + 1, self.artifact.inner.control.watch_max);
        let is_free = |row: usize| !self.watches.get(row).copied().unwrap_or(false);
        let first = (0..).find(|first| (*first..first + rows).all(is_free));
        let row = first.unwrap_or(0) + conditions.len();
        if row >= most {
            return Err(Error::TooManyWatches { most });
        }
        self.watches.resize(self.watches.len().max(row + 1), false);
        for (at, condition) in (row - conditions.len()..).zip(conditions) {
            self.watches[at] = true;
            self.write_watch(at, condition.hits(1).condition());
        }
        self.watches[row] = true;
        self.write_watch(row, wanted);
        self.write_watch_count();
        Ok(WatchId(row as u32))
    }

    fn check_watch(&self, wanted: &Watch) -> Result<(), Error> {
        self.check_watchable(wanted.signal)?;
        let limbs = crate::value::limb_count(wanted.signal.width) as u32;
        if wanted.word < limbs * wanted.signal.depth.max(1) {
            return Ok(());
        }
        Err(Error::NotWatchable {
            path: self.artifact.path(wanted.signal),
            reason: "it has no such word",
        })
    }

    /// Takes a watch away; its number may be given to another.
    pub fn unwatch(&mut self, id: WatchId) -> Result<(), Error> {
        self.rearm(id, 0)?;
        let mut row = id.0 as usize;
        self.watches[row] = false;
        while row > 0 && self.watches[row - 1] && self.is_condition(row - 1) {
            row -= 1;
            self.watches[row] = false;
            let at = self.watch_row(row) + watch::LEFT as usize;
            write_u32(self.memory_mut(), at, 0);
        }
        let used = self.watches.iter().rposition(|used| *used);
        self.watches.truncate(used.map_or(0, |last| last + 1));
        self.write_watch_count();
        Ok(())
    }

    fn is_condition(&self, row: usize) -> bool {
        let word = read_u32(self.memory(), self.watch_row(row) + watch::KIND as usize);
        (word >> 16) as u16 & watch::FLAG_CONDITION != 0
    }

    /// Lets a watch stop a run at its hit of that number from now on; 0 turns it off.
    pub fn rearm(&mut self, watch: WatchId, hits: u32) -> Result<(), Error> {
        if self.watches.get(watch.0 as usize) != Some(&true) {
            return Err(Error::ForeignHandle);
        }
        let at = self.watch_row(watch.0 as usize) + watch::LEFT as usize;
        write_u32(self.memory_mut(), at, hits);
        Ok(())
    }

    /// How many hits of a watch are still to come before it stops a run. None: it has stopped one, or will when the
    /// instant is complete in which a run has stopped before.
    pub fn hits_left(&self, watch: WatchId) -> Result<u32, Error> {
        if self.watches.get(watch.0 as usize) != Some(&true) {
            return Err(Error::ForeignHandle);
        }
        let at = self.watch_row(watch.0 as usize) + watch::LEFT as usize;
        Ok(read_u32(self.memory(), at))
    }

    /// The watches that have stopped the last run, in the order of their numbers. An event such as `$finish` at the
    /// same time gives the run its status, and they are told here all the same.
    pub fn watches_hit(&self) -> impl Iterator<Item = WatchId> {
        let is_hit = |row: &usize| {
            let word = read_u32(self.memory(), self.watch_row(*row) + watch::KIND as usize);
            (word >> 16) as u16 & watch::FLAG_HIT != 0
        };
        let rows = (0..self.watches.len()).filter(|row| self.watches[*row]);
        rows.filter(is_hit).map(|row| WatchId(row as u32))
    }

    /// What a signal was at the last hit of a watch made with [`Watch::keep_before`]; zero before there was one.
    ///
    /// # Errors
    /// [`Error::NotWatchable`] for memories and for what is not stored, [`Error::NotInEngine`].
    pub fn peek_before(&self, signal: Signal) -> Result<Value, Error> {
        self.check_watchable(signal)?;
        self.machine.only_artifacts(KEPT, KEPT_INSTEAD)?;
        if signal.depth > 0 {
            return Err(Error::NotWatchable {
                path: self.artifact.path(signal),
                reason: "memories are not kept",
            });
        }
        let delta = self.artifact.inner.control.before_delta;
        let entry = &self.artifact.signals()[signal.place as usize];
        let end = |part: &manifest::Part| part.offset as usize + part.size as usize + delta;
        if entry
            .parts
            .iter()
            .any(|part| end(part) > self.memory().len())
        {
            return Err(Error::NotWatchable {
                path: self.artifact.path(signal),
                reason: "the artifact is damaged; build it again",
            });
        }
        Ok(self.read_parts(signal, 0, delta))
    }

    /// True when the last run has stopped before an edge: all values are settled ones from before it, levels of clocks
    /// and resets and the time are those of after it, and any run first does what belongs to it.
    pub fn edge_pending(&self) -> bool {
        self.state_u64(state::PHASE) as u32 != 0
    }

    fn check_watchable(&self, signal: Signal) -> Result<(), Error> {
        self.check_own(signal)?;
        let reason = if self.artifact.inner.control.watch_max == 0 {
            "the artifact knows no watches; build it again"
        } else if signal.access == Access::Computed {
            "it is not stored: it is a constant, or computed when it is asked for; make it an output"
        } else {
            return Ok(());
        };
        Err(Error::NotWatchable {
            path: self.artifact.path(signal),
            reason,
        })
    }

    /// Other engines stop when an instant is complete, and keep nothing of before it.
    fn check_stop(&self, flags: u16) -> Result<(), Error> {
        if flags & watch::FLAG_COPY != 0 {
            return self.machine.only_artifacts(KEPT, KEPT_INSTEAD);
        }
        if flags & watch::FLAG_AFTER != 0 {
            return Ok(());
        }
        let what = "stops in the middle of an instant";
        let instead = "make the watch stop `after_instant`";
        self.machine.only_artifacts(what, instead)
    }

    fn write_watch(&mut self, row: usize, wanted: Watch) {
        let at = self.watch_row(row);
        let memory = &mut self.memory_mut()[at..at + LEN];
        let kind = u32::from(wanted.kind) | u32::from(wanted.flags) << 16;
        for (field, value) in [
            (watch::ID, wanted.signal.place),
            (watch::WORD, wanted.word),
            (watch::KIND, kind),
            (watch::LEFT, wanted.hits),
        ] {
            write_u32(memory, field as usize, value);
        }
        write_u64(memory, watch::MASK as usize, wanted.mask);
        write_u64(memory, watch::VALUE as usize, wanted.value);
    }

    fn write_watch_count(&mut self) {
        let count = self.watches.len() as u32;
        let at = (CONTROL_BASE + control::WATCH_COUNT) as usize;
        write_u32(self.memory_mut(), at, count);
    }

    fn watch_row(&self, row: usize) -> usize {
        self.artifact.inner.control.watch_base + row * LEN
    }
}
