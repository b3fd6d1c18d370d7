//! The end of a round: what was written becomes visible, wakes who waits for it, and the model acts on it or owes it.

use rtlwasm_host::{Error, KEPT_EVENTS, Signal, Watch};

use super::bits::Bits;
use super::core::Core;
use super::free::settled;
use super::slot::{Gate, Place, SlotId, Waiter};

/// So many writes come with one edge in one call.
const MOST_STAGED: usize = 64;
/// As many bits each.
const WIDEST_STAGED: u32 = 1024;

impl Core {
    /// Ends a round; `seen` says that somebody goes on at once when all rounds are over. True when another one is needed.
    pub fn commit(&mut self, seen: bool) -> Result<bool, Error> {
        self.rounds += 1;
        self.unsure.clear();
        let stopped = self.model.edge_pending() && !self.changed.is_empty();
        if std::mem::take(&mut self.held) || stopped {
            // Who is woken by edges that are pending runs before the model acts on those.
            (self.unsettled, self.edges) = (true, true);
            self.wake_changed()?;
            return Ok(true);
        }
        let acts = self.unsettled && !self.may_owe(seen);
        self.fresh = self.unsettled && !self.owed;
        if self.unsettled {
            (self.unsettled, self.owed) = (false, true);
            self.owed_in = self.rounds;
        }
        // What is written in this round comes together with edges.
        if acts && !(self.fresh && self.edges) {
            self.act()?;
        }
        for id in std::mem::take(&mut self.pending) {
            let Some(next) = self.slots[id].next.take() else {
                continue;
            };
            let nobody = self.slots[id].waiters.is_empty();
            if self.owed && nobody && !self.slots[id].place.is_written_by_hosts_only() {
                self.store(id, &next)?;
                continue;
            }
            let before = self.read(id)?;
            if before == next {
                continue;
            }
            self.store(id, &next)?;
            if let Some((_, value)) = self.watched.iter_mut().find(|(watched, _)| *watched == id) {
                *value = next.clone();
            }
            if !self.slots[id].waiters.is_empty() {
                self.changed.push((id, before, next));
            }
        }
        if acts && self.owed {
            self.act()?;
        }
        // Somebody is woken by this round: whoever is by what is owed is woken together with them.
        let more = !self.changed.is_empty() || !self.woken.is_empty();
        if self.owed && more && self.wakes() {
            self.act()?;
        }
        // Everything is there that comes in this round: who waits for a condition looks at it.
        self.wake_changed()?;
        Ok(!self.woken.is_empty() || self.unsettled)
    }

    /// Wakes who waits for what has changed.
    pub fn wake_changed(&mut self) -> Result<(), Error> {
        for (id, before, after) in std::mem::take(&mut self.changed) {
            self.wake(id, &before, &after)?;
        }
        self.tested.clear();
        Ok(())
    }

    /// What the design has told.
    pub fn collect_events(&mut self) {
        let events = self.model.events();
        self.events
            .extend(events.map(|event| (event.site, event.args)));
        let more = self.events.len().saturating_sub(KEPT_EVENTS);
        self.events.drain(..more);
    }

    /// The model acts on what was written: edges, registers, logic. Who waits for that is woken when the round ends.
    pub fn act(&mut self) -> Result<(), Error> {
        let resets = self.resets_due()?;
        self.hand_over()?;
        self.eval()?;
        let mut changed = false;
        for index in resets {
            changed |= self.reset_memory(index)?;
        }
        if changed && !self.model.edge_pending() {
            self.eval()?;
        }
        self.collect_events();
        let mut watched = std::mem::take(&mut self.watched);
        for (id, before) in &mut watched {
            let after = self.read(*id)?;
            if after != *before {
                let before = std::mem::replace(before, after.clone());
                self.changed.push((*id, before, after));
            }
        }
        self.watched = watched;
        Ok(())
    }

    /// The model acts up to an edge of a clock or reset that the design computes, if somebody waits for that: they see
    /// values from before it, and what is left comes in another round.
    fn eval(&mut self) -> Result<(), Error> {
        let watched = self.watched.iter();
        let triggers: Vec<Signal> = watched
            .filter_map(|(id, _)| self.computed_trigger(*id))
            .collect();
        let mut watches = Vec::with_capacity(triggers.len());
        for trigger in triggers {
            watches.push(self.model.watch(Watch::changed(trigger))?);
        }
        let now = self.timeline.now;
        if let (true, Ok(now)) = (self.is_recorded(), u64::try_from(now)) {
            self.model.set_time(now);
        }
        let status = self.settle()?;
        self.record_call(now, &[]);
        for watch in watches {
            self.model.unwatch(watch)?;
        }
        if self.model.edge_pending() {
            (self.unsettled, self.edges) = (true, true);
        }
        settled(status, "rtl_eval")
    }

    /// Before a call: the model gets what is staged, to come with the edges that are owed.
    pub fn hand_over(&mut self) -> Result<(), Error> {
        if let Some(recorder) = &mut self.recorder {
            recorder.first = if self.owed { self.owed_in } else { self.rounds };
        }
        (self.unsettled, self.owed) = (false, false);
        (self.edges, self.poked) = (false, false);
        self.writes.forget();
        if self.staged.is_empty() {
            return Ok(());
        }
        self.model.hold_edges();
        for id in std::mem::take(&mut self.staged) {
            let Some(value) = self.slots[id].staged.take() else {
                continue;
            };
            self.record_staged(id, &value);
            let value = value.into_value(self.slots[id].width);
            match self.slots[id].place {
                Place::Host => {}
                Place::Signal(signal) => self.model.stage(signal, &value)?,
                Place::Row(memory, row) => self.model.stage_row(memory, row, &value)?,
            }
        }
        Ok(())
    }

    pub fn store(&mut self, id: SlotId, value: &Bits) -> Result<(), Error> {
        if self.slots[id].trigger {
            if self.owed {
                self.act()?;
            }
            self.edges = true;
        }
        if matches!(self.slots[id].place, Place::Host) {
            self.slots[id].own = value.clone();
            return Ok(());
        }
        let later = self.owed && !(self.fresh && self.edges);
        let ahead = if later && (self.ordered || self.tells_rounds()) {
            self.enqueue(id, value)
        } else if self.owed && self.edges || self.model.edge_pending() {
            self.stage(id, value)
        } else {
            self.unsettled = true;
            self.writes.note(id);
            return self.poke(id, value);
        };
        if !ahead {
            self.act()?;
        }
        self.unsettled = true;
        self.writes.note(id);
        match ahead || self.model.edge_pending() && self.stage(id, value) {
            true => Ok(()),
            false => self.poke(id, value),
        }
    }

    /// Writes a slot together with edges that are owed. False: those are to be acted on first.
    fn stage(&mut self, id: SlotId, value: &Bits) -> bool {
        if self.staged.len() == MOST_STAGED || self.slots[id].width > WIDEST_STAGED {
            return false;
        }
        self.slots[id].staged = Some(value.clone());
        self.staged.push(id);
        true
    }

    /// Writes to the model, which knows the slot.
    pub fn poke(&mut self, id: SlotId, value: &Bits) -> Result<(), Error> {
        self.record_row(id, value);
        self.poked |= !self.slots[id].trigger;
        match (self.slots[id].place, value) {
            (Place::Host, _) => Ok(()),
            (Place::Signal(signal), Bits::Word(word)) => self.model.poke(signal, *word),
            (Place::Signal(signal), Bits::Wide(wide)) => self.model.poke_bits(signal, wide),
            (Place::Row(memory, row), Bits::Word(word)) => self.model.poke_row(memory, row, *word),
            (Place::Row(memory, row), Bits::Wide(wide)) => {
                self.model.poke_row_bits(memory, row, wide)
            }
        }
    }

    /// Wakes who waits for such a change of a slot.
    pub fn wake(&mut self, id: SlotId, before: &Bits, after: &Bits) -> Result<(), Error> {
        for i in 0..self.slots[id].waiters.len() {
            let Waiter {
                target,
                reason,
                when,
                gate,
                ..
            } = self.slots[id].waiters[i];
            if !when.is(before, after) {
                continue;
            }
            if self.opens(id, i, gate)? {
                self.woken.push((target, reason));
            } else {
                self.passed.push(target);
            }
        }
        Ok(())
    }

    /// A clock has been flipped together with other writes, and logic has yet to follow those.
    fn is_behind(&self, condition: SlotId) -> bool {
        let computed = !self.slots[condition].place.is_written_by_hosts_only();
        computed && self.poked && self.edges && !self.model.edge_pending()
    }

    /// Whether this is the time at which a waiter is woken; if that is not known, it is woken and finds out.
    fn opens(&mut self, id: SlotId, waiter: usize, gate: Gate) -> Result<bool, Error> {
        let Waiter { target, reason, .. } = self.slots[id].waiters[waiter];
        let tested = self.tested.iter().find(|test| test.0 == (target, reason));
        if let Some((_, holds)) = tested {
            return Ok(*holds);
        }
        if let Some(reset) = gate.reset()
            && !self.read(reset)?.is_zero()
        {
            return Ok(true);
        }
        Ok(match gate {
            Gate::Open => true,
            Gate::Count(left, reset) => {
                let left = left.saturating_sub(1);
                self.slots[id].waiters[waiter].gate = Gate::Count(left, reset);
                left == 0
            }
            Gate::Until(condition, _) if self.is_behind(condition) => {
                self.unsure.push(target);
                true
            }
            Gate::Until(condition, _) => !self.read(condition)?.is_zero(),
        })
    }
}
