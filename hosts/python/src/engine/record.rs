//! What is recorded for waveforms: the module itself notes what has changed, in the change trace, and the host adds what
//! the module does not tell, rows that testbenches write and what the design does not know.

use rtlwasm_host::{Change, Error, Signal, Value};
use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::core::Core;
use super::slot::{Place, SlotId};

/// Time, round, slot, value.
pub type Recorded = (i128, u64, SlotId, Bits);

/// Rounds that an edge of a clock takes.
const ROUNDS: u64 = 2;

/// A set of slots, and what was told of each last.
pub struct Recorder {
    /// The slots that lie where the trace names a signal, by its id; rows of memories by id and number.
    signals: FxHashMap<u32, Vec<SlotId>>,
    rows: FxHashMap<(u32, u32), SlotId>,
    /// What the design does not know.
    own: Vec<SlotId>,
    told: FxHashMap<SlotId, Bits>,
    /// Rows that are written together with edges that are owed.
    staged: Vec<(SlotId, Bits)>,
    /// Each round is told, however many there are at one time.
    pub rounds: bool,
    /// The rounds in which the design has settled in the present call before the last time; at times before it began.
    pub earlier: Vec<u64>,
    /// And the round of what it settles with at the time at which it began.
    pub first: u64,
}

impl Core {
    /// From now on changes of these slots are recorded; before any, they have their initial values. No slots: nothing is
    /// recorded any more. With `rounds`, changes within one time are told apart.
    pub fn trace(&mut self, slots: &[SlotId], rounds: bool) -> Result<(), Error> {
        if self.owed || self.unsettled && self.calls > 0 {
            self.act()?;
        }
        self.changes.clear();
        self.recorder = None;
        if slots.is_empty() {
            self.model.stop_trace();
            return Ok(());
        }
        let told = slots
            .iter()
            .map(|id| (*id, self.slots[*id].initial.clone()));
        self.recorder = Some(Recorder {
            signals: FxHashMap::default(),
            rows: FxHashMap::default(),
            own: Vec::new(),
            told: told.collect(),
            staged: Vec::new(),
            rounds,
            earlier: Vec::new(),
            first: self.rounds,
        });
        self.trace_on()?;
        self.record_all()
    }

    /// Lets the model note what changes, if anything is recorded: what is recorded lies where that model has it.
    pub fn trace_on(&mut self) -> Result<(), Error> {
        let Some(mut recorder) = self.recorder.take() else {
            return Ok(());
        };
        self.model.start_trace()?;
        recorder.signals.clear();
        recorder.rows.clear();
        recorder.own.clear();
        for id in recorder.told.keys() {
            match self.slots[*id].place {
                Place::Host => recorder.own.push(*id),
                Place::Signal(signal) => {
                    let place = self.traced_id(signal);
                    recorder.signals.entry(place).or_default().push(*id);
                }
                Place::Row(memory, row) => {
                    let row = (row - memory.first_row()) as u32;
                    recorder.rows.insert((self.traced_id(memory), row), *id);
                }
            }
        }
        recorder.own.sort_unstable();
        self.recorder = Some(recorder);
        Ok(())
    }

    /// Tells what is so without a call: all that is known now; before the first call, nothing is computed.
    pub fn record_all(&mut self) -> Result<(), Error> {
        let slots = self
            .recorder
            .iter()
            .flat_map(|recorder| recorder.told.keys());
        let mut slots: Vec<SlotId> = slots.copied().collect();
        slots.sort_unstable();
        for id in slots {
            let known = match self.slots[id].place {
                Place::Signal(signal) => self.calls > 0 || self.is_constant(signal),
                Place::Host | Place::Row(..) => true,
            };
            if known {
                let value = self.read_model(id)?;
                self.tell(self.timeline.now, self.rounds, id, value);
            }
        }
        Ok(())
    }

    /// The trace names the first of the signals that lie in one place.
    fn traced_id(&self, signal: Signal) -> u32 {
        let signals = self.model.artifact().signals();
        signals[signal.id() as usize]
            .alias_of
            .unwrap_or(signal.id())
    }

    /// Whether rounds of one time are told apart.
    pub fn tells_rounds(&self) -> bool {
        self.recorder
            .as_ref()
            .is_some_and(|recorder| recorder.rounds)
    }

    /// What was recorded and not yet taken, oldest first.
    pub fn take_changes(&mut self) -> Vec<Recorded> {
        let mut changes = std::mem::take(&mut self.changes);
        if self.tells_rounds() {
            // What was written early may have been acted on late.
            changes.sort_by_key(|(time, round, ..)| (*time, *round));
        }
        changes
    }

    /// Whether anything is recorded.
    pub fn is_recorded(&self) -> bool {
        self.recorder.is_some()
    }

    /// At the end of a round: what the design does not know.
    pub fn record(&mut self) {
        let own = match &self.recorder {
            Some(recorder) => recorder.own.clone(),
            None => return,
        };
        for id in own {
            let value = self.slots[id].own.clone();
            self.tell(self.timeline.now, self.rounds, id, value);
        }
    }

    /// A row is written, by a testbench.
    pub fn record_row(&mut self, id: SlotId, value: &Bits) {
        if matches!(self.slots[id].place, Place::Row(..)) {
            self.tell(self.timeline.now, self.rounds, id, value.clone());
        }
    }

    /// The same, by a reset, which knows no slot.
    pub fn record_reset(&mut self, memory: Signal, row: i64, value: &Bits) {
        let row = (self.traced_id(memory), (row - memory.first_row()) as u32);
        let recorder = self.recorder.as_ref();
        if let Some(id) = recorder.and_then(|recorder| recorder.rows.get(&row)) {
            self.tell(self.timeline.now, self.rounds, *id, value.clone());
        }
    }

    /// The same, together with edges that are owed.
    pub fn record_staged(&mut self, id: SlotId, value: &Bits) {
        let is_row = matches!(self.slots[id].place, Place::Row(..));
        if let Some(recorder) = self.recorder.as_mut().filter(|_| is_row) {
            recorder.staged.push((id, value.clone()));
        }
    }

    /// After a call that began at a time: what the module tells. `flips` are those of clocks that it does not know, in
    /// order.
    pub fn record_call(&mut self, began: i128, flips: &[(i128, SlotId, Bits)]) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let (earlier, first) = (std::mem::take(&mut recorder.earlier), recorder.first);
        let changes: Vec<Change> = self.model.changes().collect();
        let (mut time, mut flips) = (began, flips.iter().peekable());
        for group in changes.chunk_by(|a, b| a.time == b.time) {
            let now = i128::from(group[0].time);
            while let Some((flip, id, value)) = flips.next_if(|flip| flip.0 <= now) {
                self.pass_to(&mut time, *flip);
                self.tell(time, self.rounds, *id, value.clone());
            }
            let place = earlier.len() as i128 - (began - now);
            let before = usize::try_from(place).ok();
            match before.and_then(|place| earlier.get(place)) {
                Some(round) => self.record_group(time, *round, group),
                None if now <= began => self.record_group(time, first, group),
                None => {
                    self.pass_to(&mut time, now);
                    self.record_group(time, self.rounds, group);
                }
            }
            if now < began {
                self.tell_staged(time);
            }
        }
        for (flip, id, value) in flips {
            self.pass_to(&mut time, *flip);
            self.tell(time, self.rounds, *id, value.clone());
        }
        self.tell_staged(time);
    }

    /// What has changed at once.
    fn record_group(&mut self, time: i128, round: u64, group: &[Change]) {
        let mut wide = Vec::new();
        for change in group {
            self.record_change((time, round), change, &mut wide);
        }
        wide.sort_unstable();
        wide.dedup();
        for id in wide {
            let value = self.told(id);
            self.changes.push((time, round, id, value));
        }
    }

    /// Time passes within a call; what was staged has come before.
    fn pass_to(&mut self, time: &mut i128, now: i128) {
        if now > *time {
            self.tell_staged(*time);
            self.rounds += ROUNDS;
            *time = now;
        }
    }

    fn tell_staged(&mut self, time: i128) {
        let staged = self
            .recorder
            .as_mut()
            .map(|recorder| std::mem::take(&mut recorder.staged));
        for (id, value) in staged.into_iter().flatten() {
            self.tell(time, self.rounds, id, value);
        }
    }

    /// A word has changed. What is wider is told when all its words are there.
    fn record_change(
        &mut self,
        (time, round): (i128, u64),
        change: &Change,
        wide: &mut Vec<SlotId>,
    ) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let memory = self.model.artifact().signals().get(change.signal as usize);
        let depth = memory.map_or(0, |memory| memory.depth);
        let (slots, limb) = match depth {
            0 => (recorder.signals.get(&change.signal).cloned(), change.word),
            _ => {
                let limbs = memory.map_or(1, |memory| memory.width.div_ceil(64).max(1));
                let row = (change.signal, change.word / limbs);
                let slot = recorder.rows.get(&row);
                (slot.map(|slot| vec![*slot]), change.word % limbs)
            }
        };
        for id in slots.into_iter().flatten() {
            match self.told(id) {
                Bits::Word(_) => self.tell(time, round, id, Bits::Word(change.value)),
                Bits::Wide(before) => {
                    let mut limbs = before.limbs().to_vec();
                    if limbs[limb as usize] != change.value {
                        limbs[limb as usize] = change.value;
                        let value = Bits::Wide(Value::from_limbs(before.width(), &limbs));
                        self.set_told(id, value);
                        wide.push(id);
                    }
                }
            }
        }
    }

    fn told(&self, id: SlotId) -> Bits {
        let told = self
            .recorder
            .as_ref()
            .and_then(|recorder| recorder.told.get(&id));
        told.cloned().unwrap_or(Bits::Word(0))
    }

    fn set_told(&mut self, id: SlotId, value: Bits) {
        if let Some(recorder) = &mut self.recorder {
            recorder.told.insert(id, value);
        }
    }

    /// Tells a value that differs from what was told last, of a slot that is recorded.
    fn tell(&mut self, time: i128, rounds: u64, id: SlotId, value: Bits) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let told = recorder.told.get_mut(&id);
        if let Some(told) = told.filter(|told| **told != value) {
            *told = value.clone();
            self.changes.push((time, rounds, id, value));
        }
    }
}
