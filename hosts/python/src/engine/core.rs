//! The state of one simulation: slots for the signals that testbenches know, what is written but not yet seen, what
//! waits for what, and the model.
//!
//! One round is a delta cycle of the frameworks. Writes of a round become visible together, and wake who waits for
//! them; those run before the model acts on the writes, so they see every register as it was before an edge. What they
//! write meanwhile commits together with the registers.

use rtlwasm_host::{Access, Error, Kind, Model, Signal, Status, Value};

use super::bits::Bits;
use super::free::FreeClock;
use super::timeline::Timeline;

/// A signal or a memory row, by its place in [`Core::slots`].
pub type SlotId = usize;
/// A process or trigger that can be woken.
pub type Target = usize;

/// Where the value of a slot lies.
#[derive(Clone, Copy)]
enum Place {
    /// The design does not know it.
    Host,
    Signal(Signal),
    Row(Signal, i64),
}

impl Place {
    /// Its value never changes by itself.
    fn is_written_by_hosts_only(self) -> bool {
        match self {
            Place::Host => true,
            Place::Signal(signal) => signal.kind() == Kind::Input,
            Place::Row(..) => false,
        }
    }
}

/// A signal that a testbench may read, write or wait for.
pub struct Slot {
    place: Place,
    pub width: u32,
    pub signed: bool,
    initial: Bits,
    /// The value, of a slot that the design does not know.
    own: Bits,
    /// What it becomes at the end of the round.
    next: Option<Bits>,
    waiters: Vec<Waiter>,
}

/// Who is to be woken, by what, and which of its reasons that is.
#[derive(Clone, Copy)]
struct Waiter {
    target: Target,
    reason: u32,
    when: When,
}

/// What wakes a waiter.
#[derive(Clone, Copy)]
pub enum When {
    Changed,
    /// A bit has changed to this level.
    Edge {
        bit: u32,
        level: bool,
    },
}

impl When {
    fn is(self, before: &Bits, after: &Bits) -> bool {
        match self {
            When::Changed => before != after,
            When::Edge { bit, level } => {
                before.bit(bit) != after.bit(bit) && after.bit(bit) == level
            }
        }
    }
}

/// So many calls go to one deadline each, though nobody asks for the time.
const ALONE: u32 = 64;
/// And a call goes to so many at most: in between the interpreter looks for signals.
const MOST_AT_ONCE: u32 = 256;

/// One simulation.
pub struct Core {
    pub model: Model,
    pub slots: Vec<Slot>,
    pub timeline: Timeline,
    /// Who has been woken, and for which of its reasons, oldest first.
    pub woken: Vec<(Target, u32)>,
    /// Slots that the design drives and something waits for, with the value when the design last settled: one may be
    /// another name for an input, and then shows what was written to that at once.
    watched: Vec<(SlotId, Bits)>,
    /// Slots with a `next`.
    pending: Vec<SlotId>,
    /// The model has been written to and has not acted on it.
    unsettled: bool,
    /// Slots whose changes are recorded, with the value recorded last.
    traced: Vec<(SlotId, Bits)>,
    /// Changes of those with their time and round, oldest first.
    pub changes: Vec<(i128, u64, SlotId, Bits)>,
    /// What the design tells, oldest first: the number of the statement, and its values.
    pub events: Vec<(u32, Vec<Value>)>,
    /// Rounds so far.
    pub rounds: u64,
    /// Deadlines gone to since the time was last asked for from outside.
    pub unseen: u32,
    /// Calls of the module that ran it.
    pub calls: u64,
    /// The clocks, and whether the module can run them.
    pub clocks: Vec<(FreeClock, bool)>,
}

impl Core {
    pub fn new(model: Model) -> Core {
        Core {
            model,
            slots: Vec::new(),
            timeline: Timeline::default(),
            woken: Vec::new(),
            watched: Vec::new(),
            pending: Vec::new(),
            unsettled: true,
            traced: Vec::new(),
            changes: Vec::new(),
            events: Vec::new(),
            rounds: 0,
            unseen: 0,
            clocks: Vec::new(),
            calls: 0,
        }
    }

    /// A slot of the design's signal of that name, or one that the design does not know.
    pub fn add_signal(
        &mut self,
        name: Option<&str>,
        shape: (u32, bool),
        initial: Bits,
    ) -> Result<SlotId, Error> {
        let place = match name {
            Some(name) => Place::Signal(self.model.signal(name)?),
            None => Place::Host,
        };
        let id = self.add(place, shape, initial);
        self.power_on(id)?;
        Ok(id)
    }

    /// A slot of a memory row.
    pub fn add_row(
        &mut self,
        (name, row): (&str, i64),
        shape: (u32, bool),
        initial: Bits,
    ) -> Result<SlotId, Error> {
        let memory = self.model.signal(name)?;
        Ok(self.add(Place::Row(memory, row), shape, initial))
    }

    fn add(&mut self, place: Place, (width, signed): (u32, bool), initial: Bits) -> SlotId {
        self.slots.push(Slot {
            place,
            width,
            signed,
            own: initial.clone(),
            initial,
            next: None,
            waiters: Vec::new(),
        });
        self.slots.len() - 1
    }

    /// Everything as it was in the beginning.
    pub fn reset(&mut self) -> Result<(), Error> {
        let seed = self.model.seed();
        let _ = self.model.reset(seed)?;
        self.timeline.reset();
        self.pending.clear();
        self.woken.clear();
        self.watched.clear();
        self.unsettled = true;
        for id in 0..self.slots.len() {
            self.slots[id].next = None;
            self.slots[id].waiters.clear();
            self.power_on(id)?;
        }
        Ok(())
    }

    /// Inputs and what the design does not know begin with their initial value; the design knows that of the others.
    fn power_on(&mut self, id: SlotId) -> Result<(), Error> {
        let initial = self.slots[id].initial.clone();
        match self.slots[id].place {
            Place::Signal(signal) if signal.kind() == Kind::Input => self.store(id, &initial),
            _ => {
                self.slots[id].own = initial;
                Ok(())
            }
        }
    }

    /// To how many deadlines a call may go on: one, unless nobody has looked at the time for long, as in a run to the
    /// end.
    pub fn stride(&self) -> u32 {
        match self.unseen {
            0..ALONE => 1,
            unseen => unseen.min(MOST_AT_ONCE),
        }
    }

    /// The design's signal of a slot.
    pub fn signal_of(&self, id: SlotId) -> Option<Signal> {
        match self.slots[id].place {
            Place::Signal(signal) => Some(signal),
            _ => None,
        }
    }

    /// Whether something could see a clock flip, or has yet to happen now.
    pub fn is_watched(&self) -> bool {
        let waits = |(clock, _): &(FreeClock, bool)| !self.slots[clock.slot].waiters.is_empty();
        self.unseen < ALONE
            || self.unsettled
            || !self.pending.is_empty()
            || !self.woken.is_empty()
            || !self.traced.is_empty()
            || !self.watched.is_empty()
            || self.clocks.iter().any(waits)
            || !self.model.artifact().manifest().events.is_empty()
    }

    /// The present value.
    pub fn read(&mut self, id: SlotId) -> Result<Bits, Error> {
        let slot = &self.slots[id];
        Ok(match slot.place {
            Place::Host => slot.own.clone(),
            Place::Signal(signal) if slot.width <= 64 => Bits::Word(self.model.peek(signal)?),
            Place::Signal(signal) => Bits::Wide(self.model.peek_bits(signal)?),
            Place::Row(memory, row) if slot.width <= 64 => {
                Bits::Word(self.model.peek_row(memory, row)?)
            }
            Place::Row(memory, row) => Bits::Wide(self.model.peek_row_bits(memory, row)?),
        })
    }

    /// What it is at the end of the round, as far as is known.
    pub fn read_next(&mut self, id: SlotId) -> Result<Bits, Error> {
        match &self.slots[id].next {
            Some(next) => Ok(next.clone()),
            None => self.read(id),
        }
    }

    /// Writes a slot at the end of the round. False: the design drives it.
    pub fn write(&mut self, id: SlotId, value: Bits) -> Result<bool, Error> {
        if self.read_next(id)? == value {
            return Ok(true);
        }
        if let Place::Signal(signal) = self.slots[id].place
            && signal.access() != Access::ReadWrite
        {
            return Ok(false);
        }
        if self.slots[id].next.replace(value).is_none() {
            self.pending.push(id);
        }
        Ok(true)
    }

    pub fn store(&mut self, id: SlotId, value: &Bits) -> Result<(), Error> {
        let slot = &mut self.slots[id];
        match (slot.place, value) {
            (Place::Host, _) => {
                slot.own = value.clone();
                return Ok(());
            }
            (Place::Signal(signal), Bits::Word(word)) => self.model.poke(signal, *word)?,
            (Place::Signal(signal), Bits::Wide(wide)) => self.model.poke_bits(signal, wide)?,
            (Place::Row(memory, row), Bits::Word(word)) => {
                self.model.poke_row(memory, row, *word)?;
            }
            (Place::Row(memory, row), Bits::Wide(wide)) => {
                self.model.poke_row_bits(memory, row, wide)?;
            }
        }
        self.unsettled = true;
        Ok(())
    }

    /// A target is woken by a slot, until [`Core::forget`].
    pub fn wait(
        &mut self,
        id: SlotId,
        target: Target,
        reason: u32,
        when: When,
    ) -> Result<(), Error> {
        let slot = &self.slots[id];
        if slot.waiters.is_empty() && !slot.place.is_written_by_hosts_only() {
            let now = self.read(id)?;
            self.watched.push((id, now));
        }
        self.slots[id].waiters.push(Waiter {
            target,
            reason,
            when,
        });
        Ok(())
    }

    /// A target is no longer woken by a slot.
    pub fn forget(&mut self, id: SlotId, target: Target) {
        let waiters = &mut self.slots[id].waiters;
        waiters.retain(|waiter| waiter.target != target);
        if waiters.is_empty() {
            self.watched.retain(|(watched, _)| *watched != id);
        }
    }

    /// Ends a round. True when another one is needed.
    pub fn commit(&mut self) -> Result<bool, Error> {
        self.rounds += 1;
        if self.unsettled {
            self.act()?;
        }
        for id in std::mem::take(&mut self.pending) {
            let Some(next) = self.slots[id].next.take() else {
                continue;
            };
            let before = self.read(id)?;
            if before != next {
                self.store(id, &next)?;
                self.wake(id, &before, &next);
            }
        }
        Ok(!self.woken.is_empty() || self.unsettled)
    }

    /// The model acts on what was written: edges, registers, logic.
    fn act(&mut self) -> Result<(), Error> {
        self.unsettled = false;
        self.calls += 1;
        let run = self.model.eval()?;
        if run.status == Status::NotSettled {
            return Err(Error::Refused {
                call: "rtl_eval",
                status: run.status,
            });
        }
        let events = self.model.events();
        self.events
            .extend(events.map(|event| (event.site, event.args)));
        let mut watched = std::mem::take(&mut self.watched);
        for (id, before) in &mut watched {
            let after = self.read(*id)?;
            if after != *before {
                self.wake(*id, before, &after);
                *before = after;
            }
        }
        self.watched = watched;
        Ok(())
    }

    /// From now on changes of these slots are recorded; before any, they have their initial values.
    pub fn trace(&mut self, slots: &[SlotId]) {
        let initial = |id: &SlotId| (*id, self.slots[*id].initial.clone());
        self.traced = slots.iter().map(initial).collect();
        self.changes.clear();
    }

    /// Records what has changed since the last time.
    pub fn record(&mut self) -> Result<(), Error> {
        let mut traced = std::mem::take(&mut self.traced);
        for (id, last) in &mut traced {
            let value = self.read(*id)?;
            if value != *last {
                let (now, rounds) = (self.timeline.now, self.rounds);
                self.changes.push((now, rounds, *id, value.clone()));
                *last = value;
            }
        }
        self.traced = traced;
        Ok(())
    }

    fn wake(&mut self, id: SlotId, before: &Bits, after: &Bits) {
        for waiter in &self.slots[id].waiters {
            if waiter.when.is(before, after) {
                self.woken.push((waiter.target, waiter.reason));
            }
        }
    }
}
