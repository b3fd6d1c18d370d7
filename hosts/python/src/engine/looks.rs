//! What the module looks at of what the design drives: changes, and edges of clocks and resets that the design computes,
//! which it counts, and before which it tests conditions.

use rtlwasm_host::{Error, Watch, WatchId};

use super::bits::Bits;
use super::core::Core;
use super::slot::{Gate, Late, SlotId, Target, Waiter, When};
use super::stops::{MOST_CONDITIONS, Stop, Until};

/// Rows of the module's table of watches that are used at most, without those of guards.
const MOST_WATCHES: usize = 48;

/// What the module looks for in one call.
pub struct Watches {
    pub guards: Vec<WatchId>,
    /// For the copy at an edge that wakes.
    pub edge: Option<WatchId>,
    pub changes: Vec<Look>,
}

/// What it looks for in one slot.
pub struct Look {
    pub watch: WatchId,
    slot: SlotId,
    when: When,
    late: Late,
    /// Who is woken by it alone.
    due: Option<(Target, u32)>,
}

/// A watch that is to be made.
struct Wanted {
    watch: Watch,
    conditions: Vec<Watch>,
    when: When,
    due: Option<(Target, u32)>,
}

impl Core {
    /// How late those may be who wait for edges that the design computes. The module keeps one copy: `copied` says that
    /// it is needed for others.
    pub fn computed_lates(&self, mut copied: bool) -> Vec<(SlotId, Late)> {
        let slots = self.watched.iter().map(|(id, _)| *id);
        let computed = slots.filter(|id| self.computed_trigger(*id).is_some());
        let late = |id: SlotId| {
            let waiters = &self.slots[id].waiters;
            let lates = waiters.iter().map(|waiter| match waiter.when {
                When::Edge { .. } => waiter.late,
                When::Changed => Late::No,
            });
            let late = match lates.max().unwrap_or(Late::No) {
                Late::Copy if copied => Late::No,
                late => late,
            };
            copied |= late == Late::Copy;
            (id, late)
        };
        computed.map(late).collect()
    }

    /// Tells the module what to look for; who waits for an edge that the design computes sees what was before that.
    pub fn look(&mut self, computed: &[(SlotId, Late)]) -> Result<Vec<Look>, Error> {
        let mut looks = Vec::new();
        for index in 0..self.watched.len() {
            let slot = self.watched[index].0;
            let late = computed.iter().find(|(id, _)| *id == slot);
            let late = late.map(|(_, late)| *late);
            let wanted = match late {
                Some(_) => self.edges_of(slot)?,
                None => self.changes_of(slot),
            };
            for one in wanted {
                let watch = match late {
                    Some(Late::No) => one.watch,
                    Some(Late::Copy) => self.keeping(one.watch),
                    Some(Late::Yes) | None => one.watch.after_instant(),
                };
                looks.push(Look {
                    watch: self.model.watch_while(watch, &one.conditions)?,
                    slot,
                    when: one.when,
                    late: late.unwrap_or(Late::No),
                    due: one.due,
                });
            }
        }
        Ok(looks)
    }

    /// A watch that keeps what all is that is sampled; rows of memories are read where it stops.
    pub fn keeping(&self, watch: Watch) -> Watch {
        match self.sampled_rows().next() {
            None => watch.keep_before(),
            Some(_) => watch.keep_and_go_on(),
        }
    }

    /// Whether the module can look at everything that somebody waits for.
    pub fn can_look(&mut self) -> bool {
        let (mut rows, mut stored) = (0, true);
        for index in 0..self.watched.len() {
            let id = self.watched[index].0;
            stored &= self.is_stored(id);
            rows += match self.computed_trigger(id) {
                Some(_) => self.edge_rows(id),
                None => self.changes_of(id).len(),
            };
        }
        stored && rows <= MOST_WATCHES
    }

    /// Changes of a slot that somebody waits for.
    fn changes_of(&self, id: SlotId) -> Vec<Wanted> {
        let whens = self.whens(id);
        let wanted = |watch, when| Wanted {
            watch,
            conditions: Vec::new(),
            when,
            due: None,
        };
        if whens.contains(&When::Changed) {
            let words = self.words(id);
            let watches = words.map(|(signal, word)| Watch::changed(signal).word(word));
            return watches.map(|watch| wanted(watch, When::Changed)).collect();
        }
        let watches = whens.into_iter().filter_map(|when| {
            let watch = self.watch_of(id, when)?;
            Some(wanted(watch, when))
        });
        watches.collect()
    }

    /// Edges of a clock or reset that the design computes that somebody waits for: those that wake each of them.
    fn edges_of(&mut self, id: SlotId) -> Result<Vec<Wanted>, Error> {
        let mut found: Vec<Wanted> = Vec::new();
        for index in 0..self.slots[id].waiters.len() {
            let waiter = self.slots[id].waiters[index];
            let Some(watch) = self.watch_of(id, waiter.when) else {
                continue;
            };
            let mut one = Wanted {
                watch,
                conditions: Vec::new(),
                when: waiter.when,
                due: Some((waiter.target, waiter.reason)),
            };
            match waiter.gate {
                Gate::Count(left, reset) if self.stays_low(reset)? => {
                    one.watch = watch.hits(left.max(1));
                }
                Gate::Until(condition, reset) => {
                    match self.condition(&[Some(condition), reset])? {
                        Until::Never => continue,
                        Until::Watched(conditions)
                            if (1..MOST_CONDITIONS).contains(&conditions.len()) =>
                        {
                            one.conditions = conditions;
                        }
                        Until::Holds | Until::Watched(_) => one.due = None,
                    }
                }
                Gate::Open | Gate::Count(..) => one.due = None,
            }
            let known = |other: &Wanted| other.due.is_none() && other.when == one.when;
            if one.due.is_some() || !found.iter().any(known) {
                found.push(one);
            }
        }
        Ok(found)
    }

    /// At most so many rows that takes.
    fn edge_rows(&self, id: SlotId) -> usize {
        let rows = |slot: Option<SlotId>| match slot {
            Some(slot) => self.slots[slot].width.div_ceil(64).max(1) as usize,
            None => 0,
        };
        let waiters = self.slots[id].waiters.iter();
        let waiters = waiters.map(|waiter| match waiter.gate {
            Gate::Until(condition, reset) => {
                1 + (rows(Some(condition)) + rows(reset)).min(MOST_CONDITIONS)
            }
            Gate::Open | Gate::Count(..) => 1,
        });
        waiters.sum()
    }

    /// What is waited for in a slot, once each.
    fn whens(&self, id: SlotId) -> Vec<When> {
        let mut whens: Vec<When> = Vec::new();
        for waiter in &self.slots[id].waiters {
            if !whens.contains(&waiter.when) {
                whens.push(waiter.when);
            }
        }
        whens
    }

    fn watch_of(&self, id: SlotId, when: When) -> Option<Watch> {
        let (bit, make): (u32, fn(_) -> Watch) = match when {
            When::Edge { bit, level: true } => (bit, Watch::rose),
            When::Edge { bit, level: false } => (bit, Watch::fell),
            When::Changed => {
                let (signal, word) = self.words(id).next()?;
                return Some(Watch::changed(signal).word(word));
            }
        };
        let (signal, word) = self.words(id).nth(bit as usize / 64)?;
        Some(make(signal).word(word).bits(1 << (bit % 64)))
    }

    /// What has come of a look when the module has stopped.
    pub fn looked(&mut self, look: &Look, stop: &mut Stop) -> Result<(), Error> {
        let left = self.model.hits_left(look.watch)?;
        if let Some(due) = look.due {
            stop.tested.push((due, left == 0));
            let is = |waiter: &&mut Waiter| (waiter.target, waiter.reason) == due;
            let waiters = &mut self.slots[look.slot].waiters;
            if let Some(waiter) = waiters.iter_mut().find(is)
                && let Gate::Count(_, reset) = waiter.gate
            {
                waiter.gate = Gate::Count(left, reset);
            }
        }
        if left == 0 {
            stop.copied |= look.late == Late::Copy;
            let hit = (look.slot, look.when, look.late);
            if !stop.hits.contains(&hit) {
                stop.hits.push(hit);
            }
        }
        Ok(())
    }

    /// Wakes who may be late and waits for an edge that the design has computed.
    pub fn wake_late(&mut self, stop: &Stop) -> Result<(), Error> {
        for (id, when, late) in &stop.hits {
            if let (When::Edge { level, .. }, true) = (when, *late != Late::No) {
                let [before, after] = [!level, *level].map(|level| Bits::Word(level.into()));
                self.wake(*id, &before, &after)?;
            }
        }
        Ok(())
    }

    /// What the design drives and somebody waits for has changed: they are woken after those who wait for an edge.
    pub fn note_changes(&mut self, stop: &Stop) -> Result<(), Error> {
        for index in 0..self.watched.len() {
            let (id, mut before) = self.watched[index].clone();
            let after = self.read_model(id)?;
            self.watched[index].1 = after.clone();
            let computed = self.computed_trigger(id).is_some();
            let mut hits = stop.hits.iter().filter(|hit| hit.0 == id).peekable();
            // They have been woken, or nobody waits for that edge.
            if computed && hits.peek().is_none_or(|hit| hit.2 != Late::No) {
                continue;
            }
            let mut now = after;
            // Where only one edge is waited for, the other has passed unseen.
            for (_, when, _) in hits {
                if let When::Edge { bit, level } = when {
                    if computed {
                        now.set_bit(*bit, *level);
                    }
                    if now.bit(*bit) == *level {
                        before.set_bit(*bit, !level);
                    }
                }
            }
            if now != before {
                self.changed.push((id, before, now));
            }
        }
        Ok(())
    }
}
