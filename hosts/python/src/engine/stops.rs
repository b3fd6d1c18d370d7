//! What the module is told to look for while the clocks run: edges before which a condition holds, for those who wait for
//! such a tick, and changes of what the design drives.

use rtlwasm_host::{Access, Error, Signal, Status, Watch, WatchId};

use super::core::Core;
use super::free::{Next, Plan};
use super::looks::Watches;
use super::slot::{Late, Place, SlotId, Target, Waiter, When};

/// Rows of the module's table of watches that are used at most for conditions.
pub const MOST_CONDITIONS: usize = 15;

/// Somebody who is woken by the first edge of a clock before which a condition holds.
pub struct Guard {
    /// Its place among the clocks that run.
    clock: usize,
    due: (Target, u32),
    watch: Watch,
    conditions: Vec<Watch>,
    condition: SlotId,
    /// It is the reset of somebody who counts edges, too.
    pub counts: bool,
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
    /// What has been hit, of what the design drives.
    pub hits: Vec<(SlotId, When, Late)>,
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
            let place = self.slots[*id].place;
            let constant = matches!(place, Place::Signal(signal) if self.is_constant(signal));
            if self.is_clock(*id) {
                known = false;
            } else if constant || place.is_written_by_hosts_only() {
                // The model need not act for a constant.
                let value = match constant {
                    true => self.read_model(*id)?,
                    false => self.read(*id)?,
                };
                if !value.is_zero() {
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
    pub fn words(&self, id: SlotId) -> impl Iterator<Item = (Signal, u32)> + use<> {
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
    pub fn take_wanted(&mut self) -> Result<Option<Vec<String>>, Error> {
        if self.misses < self.worth {
            return Ok(None);
        }
        if self.owed {
            self.act()?;
        }
        // Who is woken by that comes first.
        if self.unsettled || !self.changed.is_empty() {
            return Ok(None);
        }
        self.misses = 0;
        let wanted = std::mem::take(&mut self.wanted);
        let names = wanted.into_iter().filter_map(|id| {
            self.slots[id].refused = true;
            Some(self.model.artifact().path(self.signal_of(id)?))
        });
        Ok(Some(names.collect()))
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
            counts: false,
            late: waiter.late,
            first: next.time + (waiter.when.flips(next.high) - 1) * clock.half,
        })
    }

    /// Edges that are owed are none that the module is to look at.
    pub fn hold_edges_for(&mut self, plan: &Plan) -> Result<(), Error> {
        let looks = !plan.guards.is_empty() || plan.copies() || !self.watched.is_empty();
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
                Late::Copy => self.keeping(guard.watch),
                Late::No => guard.watch,
            };
            guards.push(self.model.watch_while(watch, &guard.conditions)?);
        }
        let edge = match (plan.edge, plan.late) {
            (Some(edge), Late::Copy) => self.watch_edge(nexts, edge)?,
            _ => None,
        };
        let changes = self.look(&plan.computed)?;
        Ok(Watches {
            guards,
            edge,
            changes,
        })
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
                let watch = self.keeping(Watch::changed(signal).hits(hits));
                return self.model.watch(watch).map(Some);
            }
        }
        Ok(None)
    }

    /// Why the module has stopped; it looks for nothing any more.
    pub fn what_stopped(
        &mut self,
        status: Status,
        plan: &Plan,
        nexts: &[Next],
        watches: &Watches,
    ) -> Result<Stop, Error> {
        let time = i128::from(self.model.time());
        let mut stop = Stop {
            time: (status != Status::Ok).then_some(time),
            ..Stop::default()
        };
        for (guard, id) in plan.guards.iter().zip(&watches.guards) {
            let hit = self.model.hits_left(*id)? == 0;
            if hit || !guard.counts {
                stop.tested.push((guard.due, hit));
            }
            stop.copied |= hit && plan.late == Late::Copy;
            if hit {
                let cycles = self.flips(&nexts[guard.clock], time) as u64 / 2;
                self.slots[guard.condition].waited = self.ran + cycles;
            }
        }
        if let Some(id) = &watches.edge {
            stop.copied |= self.model.hits_left(*id)? == 0;
        }
        for look in &watches.changes {
            self.looked(look, &mut stop)?;
        }
        let changes = watches.changes.iter().map(|look| &look.watch);
        for id in watches.guards.iter().chain(&watches.edge).chain(changes) {
            self.model.unwatch(*id)?;
        }
        Ok(stop)
    }
}
