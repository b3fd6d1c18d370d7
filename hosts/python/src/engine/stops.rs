//! What the module is told to look for while the clocks run: edges before which a condition holds, for those who wait for
//! such a tick, and changes of what the design drives.

use rtlwasm_host::{Access, Error, Run, Signal, Status, Watch, WatchId};

use super::core::Core;
use super::free::{Next, Plan};
use super::slot::{Late, Place, SlotId, Target, Waiter, When};

/// Rows of the module's table of watches that are used at most.
const MOST_WATCHES: usize = 48;
/// And so many for conditions.
const MOST_CONDITIONS: usize = 15;

/// Somebody who is woken by the first edge of a clock before which a condition holds.
pub struct Guard {
    /// Its place among the clocks that run.
    clock: usize,
    due: (Target, u32),
    watch: Watch,
    conditions: Vec<Watch>,
    condition: SlotId,
    pub late: Late,
    /// The first edge of its clock.
    pub first: i128,
}

/// When a condition holds.
pub enum Until {
    Holds,
    /// Not as long as only clocks move.
    Never,
    /// When one of these does; none: that is not known.
    Watched(Vec<Watch>),
}

/// Why the clocks have stopped.
#[derive(Default)]
pub struct Stop {
    /// When, if it was before the end.
    pub time: Option<i128>,
    /// The module keeps all values of before the edges at that time.
    pub copied: bool,
    /// Of those who wait for one, whether it was theirs.
    pub tested: Vec<((Target, u32), bool)>,
    /// Edges of bits that the design drives.
    edges: Vec<(SlotId, u32, bool)>,
}

/// What the module looks for in one call.
pub struct Watches {
    guards: Vec<WatchId>,
    /// For the copy at an edge that wakes.
    edge: Option<WatchId>,
    changes: Vec<(WatchId, SlotId, When)>,
}

/// Those of whom the module can look for all; the others are woken by every edge.
pub fn affordable(guards: Vec<Guard>) -> (Vec<Guard>, Vec<Guard>) {
    let mut rows = 0;
    guards.into_iter().partition(|guard| {
        rows += guard.conditions.len() + 1;
        rows <= MOST_CONDITIONS
    })
}

impl Core {
    /// When one of some slots is not 0.
    pub fn condition(&mut self, slots: &[Option<SlotId>]) -> Result<Until, Error> {
        let (mut found, mut known) = (Vec::new(), true);
        for id in slots.iter().flatten() {
            if self.slots[*id].place.is_written_by_hosts_only() {
                if !self.read(*id)?.is_zero() {
                    return Ok(Until::Holds);
                }
            } else if self.is_stored(*id) {
                found.extend(
                    self.words(*id)
                        .map(|(signal, word)| Watch::differs(signal, 0).word(word)),
                );
            } else {
                known = false;
            }
        }
        Ok(match found.is_empty() && known {
            true => Until::Never,
            false if known => Until::Watched(found),
            false => Until::Watched(Vec::new()),
        })
    }

    /// The words of a slot that the design knows.
    fn words(&self, id: SlotId) -> impl Iterator<Item = (Signal, u32)> + use<> {
        let limbs = self.slots[id].width.div_ceil(64).max(1);
        let (signal, first) = match self.slots[id].place {
            Place::Host => (None, 0),
            Place::Signal(signal) => (Some(signal), 0),
            Place::Row(memory, row) => (Some(memory), (row - memory.first_row()) as u32 * limbs),
        };
        signal
            .into_iter()
            .flat_map(move |signal| (first..first + limbs).map(move |word| (signal, word)))
    }

    /// Whether a value lies where the module can look at it; if not, it may be worth to store it.
    pub fn is_stored(&mut self, id: SlotId) -> bool {
        let stored = match self.slots[id].place {
            Place::Signal(signal) => signal.access() != Access::Computed,
            Place::Host | Place::Row(..) => true,
        };
        if !stored {
            self.want(id);
        }
        stored
    }

    /// A call would have been saved if a value were stored.
    pub fn want(&mut self, id: SlotId) {
        let slot = &self.slots[id];
        let computed = matches!(slot.place, Place::Signal(signal) if !self.is_constant(signal));
        if computed && !slot.refused {
            self.misses += 1;
            if !self.wanted.contains(&id) {
                self.wanted.push(id);
            }
        }
    }

    /// The names of values that are worth to be stored. They are not asked for again.
    pub fn take_wanted(&mut self) -> Option<Vec<String>> {
        if self.misses < self.worth {
            return None;
        }
        self.misses = 0;
        let wanted = std::mem::take(&mut self.wanted);
        let names = wanted.into_iter().filter_map(|id| {
            self.slots[id].refused = true;
            Some(self.model.artifact().path(self.signal_of(id)?))
        });
        Some(names.collect())
    }

    /// What the module is to look for, for somebody who waits for an edge of a clock.
    pub fn guard(
        &mut self,
        (place, next): (usize, &Next),
        waiter: &Waiter,
        conditions: Vec<Watch>,
        condition: SlotId,
    ) -> Option<Guard> {
        let clock = &self.clocks[next.clock].0;
        let signal = self.signal_of(clock.slot)?;
        clock.inside?;
        if conditions.is_empty() || conditions.len() >= MOST_CONDITIONS {
            return None;
        }
        let watch = match waiter.when {
            When::Changed => Watch::changed(signal),
            When::Edge { level: true, .. } => Watch::rose(signal),
            When::Edge { level: false, .. } => Watch::fell(signal),
        };
        Some(Guard {
            clock: place,
            due: (waiter.target, waiter.reason),
            watch,
            conditions,
            condition,
            late: waiter.late,
            first: next.time + (waiter.when.flips(next.high) - 1) * clock.half,
        })
    }

    /// Edges that are owed are none that the module is to look at.
    pub fn hold_edges_for(&mut self, plan: &Plan) -> Result<(), Error> {
        let looks = !plan.guards.is_empty() || plan.late == Late::Copy || !self.watched.is_empty();
        if self.owed && self.edges && looks && !self.model.hold_edges() {
            self.act()?;
        }
        Ok(())
    }

    /// Tells the module what to look for.
    pub fn look_for(&mut self, nexts: &[Next], plan: &Plan) -> Result<Watches, Error> {
        let mut guards = Vec::new();
        for guard in &plan.guards {
            let watch = match plan.late {
                Late::Yes => guard.watch.after_instant(),
                Late::Copy => guard.watch.keep_before(),
                Late::No => guard.watch,
            };
            guards.push(self.model.watch_while(watch, &guard.conditions)?);
        }
        let edge = match (plan.edge, plan.late) {
            (Some(edge), Late::Copy) => self.watch_edge(nexts, edge)?,
            _ => None,
        };
        let mut changes = Vec::new();
        for index in 0..self.watched.len() {
            let id = self.watched[index].0;
            // Who waits for a clock sees what was before its edge.
            let trigger = self.computed_trigger(id).is_some();
            for (watch, when) in self.looks(id) {
                let watch = if trigger {
                    watch
                } else {
                    watch.after_instant()
                };
                changes.push((self.model.watch(watch)?, id, when));
            }
        }
        Ok(Watches {
            guards,
            edge,
            changes,
        })
    }

    /// What the module looks at for those who wait for a slot that the design drives.
    fn looks(&self, id: SlotId) -> Vec<(Watch, When)> {
        let mut whens: Vec<When> = Vec::new();
        for waiter in &self.slots[id].waiters {
            if !whens.contains(&waiter.when) {
                whens.push(waiter.when);
            }
        }
        if whens.contains(&When::Changed) {
            let words = self.words(id);
            let watches = words.map(|(signal, word)| Watch::changed(signal).word(word));
            return watches.map(|watch| (watch, When::Changed)).collect();
        }
        let edge = |when| match when {
            When::Edge { bit, level } => {
                let (signal, word) = self.words(id).nth(bit as usize / 64)?;
                let watch = match level {
                    true => Watch::rose(signal),
                    false => Watch::fell(signal),
                };
                Some((watch.word(word).bits(1 << (bit % 64)), when))
            }
            When::Changed => None,
        };
        whens.into_iter().filter_map(edge).collect()
    }

    /// Lets the module keep what all values are before the edges at a time.
    fn watch_edge(&mut self, nexts: &[Next], edge: i128) -> Result<Option<WatchId>, Error> {
        for next in nexts {
            let flips = self.flips(next, edge);
            let clock = &self.clocks[next.clock].0;
            let at = next.time + (flips - 1) * clock.half;
            if flips == 0 || at != edge || clock.inside.is_none() {
                continue;
            }
            if let Some(signal) = self.signal_of(clock.slot) {
                let hits = u32::try_from(flips).unwrap_or(u32::MAX);
                let watch = Watch::changed(signal).hits(hits).keep_before();
                return self.model.watch(watch).map(Some);
            }
        }
        Ok(None)
    }

    /// Why the module has stopped; it looks for nothing any more.
    pub fn what_stopped(
        &mut self,
        run: Run,
        plan: &Plan,
        nexts: &[Next],
        watches: &Watches,
    ) -> Result<Stop, Error> {
        let time = i128::from(self.model.time());
        let hits: Vec<WatchId> = match run.status {
            Status::Ok => Vec::new(),
            _ => self.model.watches_hit().collect(),
        };
        let tests = plan.guards.iter().zip(&watches.guards);
        let tested = tests.map(|(guard, id)| (guard.due, hits.contains(id)));
        let changes = watches
            .changes
            .iter()
            .filter(|change| hits.contains(&change.0));
        let edges = changes.filter_map(|(_, id, when)| match when {
            When::Edge { bit, level } => Some((*id, *bit, *level)),
            When::Changed => None,
        });
        let mut copies = watches.guards.iter().chain(&watches.edge);
        let stop = Stop {
            edges: edges.collect(),
            time: (run.status != Status::Ok).then_some(time),
            copied: plan.late == Late::Copy && copies.any(|id| hits.contains(id)),
            tested: tested.collect(),
        };
        for (guard, id) in plan.guards.iter().zip(&watches.guards) {
            if hits.contains(id) {
                let cycles = self.flips(&nexts[guard.clock], time) as u64 / 2;
                self.slots[guard.condition].waited = self.ran + cycles;
            }
        }
        let changes = watches.changes.iter().map(|change| &change.0);
        for id in watches.guards.iter().chain(&watches.edge).chain(changes) {
            self.model.unwatch(*id)?;
        }
        Ok(stop)
    }

    /// What the design drives and somebody waits for has changed: they are woken after those who wait for an edge.
    pub fn note_changes(&mut self, stop: &Stop) -> Result<(), Error> {
        for index in 0..self.watched.len() {
            let (id, mut before) = self.watched[index].clone();
            let after = self.read_model(id)?;
            // Where only one edge is waited for, the other has passed unseen.
            for (_, bit, level) in stop.edges.iter().filter(|edge| edge.0 == id) {
                if after.bit(*bit) == *level {
                    before.set_bit(*bit, !level);
                }
            }
            if after != before {
                self.watched[index].1 = after.clone();
                self.changed.push((id, before, after));
            }
        }
        Ok(())
    }

    /// Whether the module can look at everything that somebody waits for.
    pub fn can_look(&mut self) -> bool {
        let (mut rows, mut stored) = (0, true);
        for index in 0..self.watched.len() {
            let id = self.watched[index].0;
            rows += self.looks(id).len();
            stored &= self.is_stored(id);
        }
        stored && rows <= MOST_WATCHES
    }
}
