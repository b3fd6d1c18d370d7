//! The state of one simulation: slots for the signals that testbenches know, what is written but not yet seen, what
//! waits for what, and the model.
//!
//! One round is a delta cycle of the frameworks. Writes of a round become visible together, and wake who waits for
//! them; those run before the model acts on the writes, so they see every register as it was before an edge. What they
//! write meanwhile commits together with the registers.

//!
//! What the model is to act on it acts on when somebody needs to know: then, or in the call in which the clocks run on.
//! Until then it is *owed*, and what processes write *staged*, if it comes with an edge that is owed. Where it can be seen
//! how often logic settles, as in designs with loops, what is written in later rounds is *queued*: the module settles
//! before each.

use std::collections::VecDeque;

use rtlwasm_host::{Access, Artifact, Error, Kind, Model, Signal, Value};

use super::bits::Bits;
use super::free::FreeClock;
use super::memory::MemoryReset;
use super::queue::Queue;
use super::reach::Writes;
use super::record::{Recorded, Recorder};
use super::slot::{Gate, Late, Place, Slot, SlotId, Target, Waiter};
use super::timeline::Timeline;

/// So many calls go to one deadline each, though nobody asks for the time.
const ALONE: u32 = 64;
/// And a call goes to so many at most: in between the interpreter looks for signals.
const MOST_AT_ONCE: u32 = 256;

/// What is not stored is made so when that would have saved so many calls.
const WORTH: u32 = 64;

/// One simulation.
pub struct Core {
    pub model: Model,
    pub slots: Vec<Slot>,
    pub timeline: Timeline,
    /// Who has been woken, and for which of its reasons, oldest first.
    pub woken: Vec<(Target, u32)>,
    /// Whom something has come for that does not wake them yet.
    pub passed: Vec<Target>,
    /// Slots that the design drives and something waits for, with the value when the design last settled: one may be
    /// another name for an input, and then shows what was written to that at once.
    pub watched: Vec<(SlotId, Bits)>,
    /// What has changed in this round, of slots that something waits for: from which value to which.
    pub changed: Vec<(SlotId, Bits, Bits)>,
    /// Slots with a `next`.
    pub pending: Vec<SlotId>,
    /// The model has been written to and has not acted on it.
    pub unsettled: bool,
    /// It was to act on that, and nobody has needed it yet.
    pub owed: bool,
    /// A clock or reset is among what it has not acted on.
    pub edges: bool,
    /// And something else, on which conditions may hang.
    pub poked: bool,
    /// Who is woken without it being known whether their condition holds.
    pub unsure: Vec<Target>,
    /// Slots with a `staged`, in the order in which they were written.
    pub staged: Vec<SlotId>,
    /// What comes when it has settled with all that.
    pub queue: Queue,
    /// All that is written and that it has not acted on.
    pub writes: Writes,
    /// The round in which that came to be owed.
    pub owed_in: u64,
    /// What is owed was written in the last round: what is written in this one comes together with its edges.
    pub fresh: bool,
    /// The module has stopped in the middle of an instant, and those come first who are woken by its beginning.
    pub held: bool,
    /// What each samples who runs when everything has settled: signals and rows of memories that the design drives.
    pub samples: Vec<Vec<SlotId>>,
    /// What some of those were before the edge up to which the clocks have run.
    pub kept: Vec<(SlotId, Bits)>,
    /// Values of what the design drives are read as they were before the edge up to which the clocks have run.
    pub before: bool,
    /// What was owed last was needed before the clocks ran on.
    pub eager: bool,
    /// The order in which inputs change may matter: it settles between the writes of two rounds.
    pub ordered: bool,
    /// The design tells when values change.
    pub tells_changes: bool,
    /// The design tells something.
    pub tells: bool,
    /// Ids of the clocks and asynchronous resets that are inputs.
    pub triggers: Vec<u32>,
    /// Whether it was the edge for those who wait for one before which a condition holds, where the module knows.
    pub tested: Vec<((Target, u32), bool)>,
    /// Cycles that have been run before the present call for a condition.
    pub ran: u64,
    /// The condition that they have been run for, which holds.
    pub holds: Option<SlotId>,
    /// What calls would have been saved by, if it were stored; and how many.
    pub wanted: Vec<SlotId>,
    pub misses: u32,
    /// It is stored then when so many would have been saved, and the compiler asked what writes reach.
    pub worth: u32,
    /// The design computes some of those that there are.
    pub computed: bool,
    /// What resets do to memories.
    pub memories: Vec<MemoryReset>,
    /// What is recorded, if anything is.
    pub recorder: Option<Recorder>,
    /// Recorded changes, oldest first.
    pub changes: Vec<Recorded>,
    /// What the design tells, oldest first: the number of the statement, and its values.
    pub events: VecDeque<(u32, Vec<Value>)>,
    /// Rounds so far.
    pub rounds: u64,
    /// Deadlines gone to since the time was last asked for from outside.
    pub unseen: u32,
    /// Nobody asks for the time again before this one.
    pub horizon: Option<i128>,
    /// And it comes though no process keeps the simulation going.
    pub comes: bool,
    /// Calls of the module that ran it.
    pub calls: u64,
    /// Flips of clocks inside the module while it was interpreted.
    pub interpreted: i128,
    /// The clocks, and whether the module can run them.
    pub clocks: Vec<(FreeClock, bool)>,
}

impl Core {
    pub fn new(model: Model) -> Core {
        Core {
            ordered: is_ordered(&model),
            tells_changes: false,
            tells: !model.artifact().manifest().events.is_empty(),
            triggers: triggers(&model),
            tested: Vec::new(),
            ran: 0,
            holds: None,
            wanted: Vec::new(),
            misses: 0,
            worth: WORTH,
            computed: has_computed(&model),
            model,
            slots: Vec::new(),
            timeline: Timeline::default(),
            woken: Vec::new(),
            passed: Vec::new(),
            watched: Vec::new(),
            changed: Vec::new(),
            pending: Vec::new(),
            unsettled: true,
            owed: false,
            edges: false,
            poked: false,
            unsure: Vec::new(),
            staged: Vec::new(),
            queue: Queue::default(),
            writes: Writes::default(),
            owed_in: 0,
            fresh: false,
            held: false,
            samples: Vec::new(),
            kept: Vec::new(),
            memories: Vec::new(),
            before: false,
            eager: false,
            recorder: None,
            changes: Vec::new(),
            events: VecDeque::new(),
            rounds: 0,
            unseen: 0,
            horizon: None,
            comes: false,
            clocks: Vec::new(),
            calls: 0,
            interpreted: 0,
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

    fn add(&mut self, place: Place, shape: (u32, bool), initial: Bits) -> SlotId {
        self.slots
            .push(Slot::new(place, shape, initial, &self.triggers));
        self.slots.len() - 1
    }

    /// Everything as it was in the beginning.
    pub fn reset(&mut self) -> Result<(), Error> {
        let seed = self.model.seed();
        let _ = self.model.reset(seed)?;
        self.timeline.reset();
        self.pending.clear();
        self.changed.clear();
        self.woken.clear();
        self.passed.clear();
        self.watched.clear();
        self.staged.clear();
        self.tested.clear();
        self.samples.clear();
        self.queue = Queue::default();
        self.horizon = None;
        (self.before, self.held) = (false, false);
        (self.unsettled, self.owed) = (true, false);
        (self.edges, self.poked) = (false, false);
        self.unsure.clear();
        self.writes.note_all();
        for id in 0..self.slots.len() {
            self.slots[id].next = None;
            self.slots[id].staged = None;
            self.slots[id].queued = None;
            self.slots[id].waiters.clear();
            self.power_on(id)?;
        }
        self.record_all()
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
            0..ALONE if self.horizon.is_none() => 1,
            unseen => unseen.clamp(1, MOST_AT_ONCE),
        }
    }

    /// Whether somebody looks at the time that it is now.
    pub fn is_seen(&self) -> bool {
        self.horizon.is_some_and(|time| self.timeline.now >= time)
    }

    /// The design's signal of a slot.
    pub fn signal_of(&self, id: SlotId) -> Option<Signal> {
        match self.slots[id].place {
            Place::Signal(signal) => Some(signal),
            _ => None,
        }
    }

    /// The signal of a slot, if it may be a clock or an asynchronous reset that the design computes. A register that is
    /// one has no row of its own in the trigger table, so every bit is taken for one.
    pub fn computed_trigger(&self, id: SlotId) -> Option<Signal> {
        let signal = self.signal_of(id).filter(|_| self.computed)?;
        let may_be = self.slots[id].width == 1 && signal.kind() != Kind::Input;
        (may_be && signal.access() != Access::Computed).then_some(signal)
    }

    /// Whether something but a clock's waiters could see it flip, or has yet to happen now.
    pub fn is_watched(&mut self) -> bool {
        let waiting = !self.pending.is_empty() || !self.woken.is_empty();
        let seen = self.unseen < ALONE && self.horizon.is_none();
        let steps = !self.memories_rest() || !self.can_look();
        seen || self.unsettled || waiting || steps
    }

    /// Whether nobody sees when the model acts; `seen` says that somebody goes on at once.
    pub fn may_owe(&mut self, seen: bool) -> bool {
        let sees = seen && self.may_react();
        !sees && self.memories_rest()
    }

    /// Something is owed that may wake somebody, or be told.
    pub fn owes_news(&mut self) -> bool {
        self.owed && self.may_react()
    }

    /// What the model acts on may wake somebody, or be told.
    fn may_react(&mut self) -> bool {
        self.tells_of_it() || self.wakes()
    }

    /// The design has told something that has not been taken.
    pub fn has_told(&self) -> bool {
        !self.events.is_empty()
    }

    /// The present value.
    pub fn read(&mut self, id: SlotId) -> Result<Bits, Error> {
        let slot = &self.slots[id];
        // What is queued may move a clock that the design computes, and that a register.
        let lasts = slot.place.is_written_by_hosts_only() || !self.computed;
        let queued = slot.queued.as_ref().filter(|_| lasts);
        if let Some(ahead) = queued.or(slot.staged.as_ref()) {
            return Ok(ahead.clone());
        }
        let kept = self.kept.iter().find(|kept| kept.0 == id);
        if let (true, Some((_, value))) = (self.before, kept) {
            return Ok(value.clone());
        }
        if let (true, Place::Signal(signal)) = (self.before, slot.place)
            && signal.kind() != Kind::Input
            && !self.is_constant(signal)
        {
            let value = self.model.peek_before(signal)?;
            return Ok(Bits::of(value, slot.width));
        }
        if self.owed && !slot.place.is_written_by_hosts_only() && !self.stays(id) {
            self.eager = true;
            self.act()?;
        }
        self.read_model(id)
    }

    pub fn is_constant(&self, signal: Signal) -> bool {
        let signals = self.model.artifact().signals();
        signals[signal.id() as usize].value.is_some()
    }

    /// Whether a slot is a clock of the simulation, which flips at its time whoever else moves.
    pub fn is_clock(&self, id: SlotId) -> bool {
        self.clocks.iter().any(|(clock, _)| clock.slot == id)
    }

    /// How late somebody may be who samples some slots: what those were before an edge can be kept.
    pub fn late(&mut self, target: Target, slots: impl Iterator<Item = SlotId>) -> Late {
        if self.samples.len() <= target {
            self.samples.resize(target + 1, Vec::new());
        }
        self.samples[target].clear();
        let late = slots.map(|id| self.late_for(target, id));
        late.max().unwrap_or(Late::Yes)
    }

    fn late_for(&mut self, target: Target, id: SlotId) -> Late {
        let place = self.slots[id].place;
        match place {
            _ if place.is_written_by_hosts_only() => return Late::Yes,
            Place::Signal(signal) if self.is_constant(signal) => return Late::Yes,
            Place::Signal(_) if !self.is_stored(id) => return Late::No,
            Place::Host | Place::Signal(_) | Place::Row(..) => {}
        }
        self.samples[target].push(id);
        Late::Copy
    }

    /// Rows of memories that are sampled. The module keeps no copy of those.
    pub fn sampled_rows(&self) -> impl Iterator<Item = SlotId> {
        let slots = self.samples.iter().flatten().copied();
        slots.filter(|id| matches!(self.slots[*id].place, Place::Row(..)))
    }

    /// Lets somebody who waits for a slot be woken by other edges.
    pub fn gate(&mut self, due: (Target, u32), id: SlotId, gate: Gate) {
        for waiter in &mut self.slots[id].waiters {
            if (waiter.target, waiter.reason) == due {
                waiter.gate = gate;
            }
        }
    }

    pub fn read_model(&mut self, id: SlotId) -> Result<Bits, Error> {
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
        let slot = &self.slots[id];
        // What it is would have to be computed first.
        let unknown = self.owed && !slot.place.is_written_by_hosts_only() && slot.next.is_none();
        if !unknown && self.read_next(id)? == value {
            return Ok(true);
        }
        if let Place::Signal(signal) = self.slots[id].place
            && signal.access() != Access::ReadWrite
        {
            return Ok(unknown && self.read_next(id)? == value);
        }
        if self.slots[id].next.replace(value).is_none() {
            self.pending.push(id);
        }
        Ok(true)
    }

    /// Somebody is woken by a slot, until [`Core::forget`].
    pub fn wait(&mut self, id: SlotId, waiter: Waiter) -> Result<(), Error> {
        let slot = &self.slots[id];
        if slot.waiters.is_empty() && !slot.place.is_written_by_hosts_only() {
            if !self.queue.is_empty() {
                self.act()?;
            }
            let now = self.read(id)?;
            self.watched.push((id, now));
        }
        self.slots[id].waiters.push(waiter);
        Ok(())
    }

    /// A target is no longer woken by a slot.
    pub fn forget(&mut self, id: SlotId, target: Target) {
        self.forget_those(id, |waiter| waiter.target == target);
        if let Some(samples) = self.samples.get_mut(target) {
            samples.clear();
        }
    }

    /// A target is no longer woken by a slot for one of its reasons.
    pub fn forget_reason(&mut self, id: SlotId, due: (Target, u32)) {
        self.forget_those(id, |waiter| (waiter.target, waiter.reason) == due);
    }

    fn forget_those(&mut self, id: SlotId, those: impl Fn(&Waiter) -> bool) {
        let waiters = &mut self.slots[id].waiters;
        waiters.retain(|waiter| !those(waiter));
        if waiters.is_empty() {
            self.watched.retain(|(watched, _)| *watched != id);
        }
    }
}

/// Whether the order in which inputs change may matter to the design.
fn is_ordered(model: &Model) -> bool {
    let manifest = model.artifact().manifest();
    let loops = manifest.features.iter().any(|name| name == "loops");
    loops || has_computed(model)
}

/// The ids of all clocks and asynchronous resets that are inputs.
pub fn triggers(model: &Model) -> Vec<u32> {
    let artifact = model.artifact();
    let ids = trigger_ids(artifact).flatten();
    ids.filter(|id| is_input(artifact, *id)).collect()
}

/// Whether a clock or an asynchronous reset is no input.
pub fn has_computed(model: &Model) -> bool {
    let artifact = model.artifact();
    trigger_ids(artifact).any(|id| !id.is_some_and(|id| is_input(artifact, id)))
}

fn is_input(artifact: &Artifact, id: u32) -> bool {
    let found = artifact.signal_by_id(id);
    found.is_some_and(|signal| signal.kind() == Kind::Input)
}

/// None: it has no name.
fn trigger_ids(artifact: &Artifact) -> impl Iterator<Item = Option<u32>> {
    let manifest = artifact.manifest();
    let resets = manifest.resets.iter().filter(|reset| reset.asynchronous);
    let clocks = manifest.clocks.iter().map(|clock| clock.signal);
    clocks.chain(resets.map(|reset| reset.signal))
}
