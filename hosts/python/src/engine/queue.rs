//! Writes that come after others. Where the order in which inputs change may matter, or each round is recorded, the design
//! settles in between; all of that is one call.

use rtlwasm_host::{Error, Played, Script, Status, Value};

use super::bits::Bits;
use super::core::Core;
use super::slot::{Place, SlotId};

/// So many operations are one call.
const MOST_OPERATIONS: usize = 512;

/// What is written when the design has settled with what is owed.
#[derive(Default)]
pub struct Queue {
    script: Script,
    /// Slots with a `queued`.
    slots: Vec<SlotId>,
    /// The round in which the last of it was written.
    round: u64,
    /// The operations at which the design settles before a write, and the rounds of what it settles with.
    settles: Vec<(usize, u64)>,
}

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

impl Core {
    /// Writes a slot once the design has settled with what is owed. False: that is to be acted on first, somebody may be
    /// woken by it.
    pub fn enqueue(&mut self, id: SlotId, value: &Bits) -> bool {
        let words: Vec<_> = self.words(id).collect();
        let full = self.queue.script.len() + words.len() >= MOST_OPERATIONS;
        let told = self.is_recorded() && matches!(self.slots[id].place, Place::Row(..));
        // Each time that it settles gets a time of its own there, from before this one.
        let early = self.queue.settles.len() as i128 >= self.timeline.now;
        if full || told || self.tells_rounds() && early || self.wakes() {
            return false;
        }
        if self.queue.is_empty() || self.queue.round != self.rounds {
            let operation = match self.tells_rounds() {
                true => self.queue.script.advance(0),
                false => self.queue.script.eval(),
            };
            self.queue.settles.push((operation, self.owed_in));
            self.queue.round = self.rounds;
        }
        for ((signal, word), limb) in words.into_iter().zip(value.limbs()) {
            self.queue.script.poke_word(signal, word, *limb, u64::MAX);
        }
        self.slots[id].queued = Some(value.clone());
        self.queue.slots.push(id);
        true
    }

    /// What is queued is read from the model from now on: the script that writes it. Where rounds are recorded time goes
    /// on by 1 whenever it settles, so that they can be told apart; it is the present time in the end.
    pub fn take_queue(&mut self) -> Script {
        let mut queue = std::mem::take(&mut self.queue);
        for id in queue.slots {
            self.slots[id].queued = None;
        }
        let count = queue.settles.len();
        if let (Some(recorder), Ok(now)) = (&mut self.recorder, u64::try_from(self.timeline.now))
            && recorder.rounds
            && count > 0
        {
            let first = now - count as u64;
            for (time, (operation, _)) in (first + 1..).zip(&queue.settles) {
                queue.script.set_value(*operation, time);
            }
            recorder.earlier = queue.settles.iter().map(|(_, round)| *round).collect();
            self.model.set_time(first);
        }
        queue.script
    }

    /// The model acts on what is owed, and then on what is queued, whatever the design tells meanwhile.
    pub fn settle(&mut self) -> Result<Status, Error> {
        let mut script = self.take_queue();
        if script.is_empty() {
            self.calls += 1;
            return Ok(self.model.eval()?.status);
        }
        script.eval();
        loop {
            let played = self.play(&mut script, true)?;
            let told = [Status::Finish, Status::Stop, Status::AssertionFailed];
            match played.stopped_at {
                Some(operation) if told.contains(&played.status) => {
                    script.remove_first(operation + 1);
                    if script.is_empty() {
                        return Ok(played.status);
                    }
                }
                _ => return Ok(played.status),
            }
        }
    }

    /// Runs a script in one call.
    pub fn play(&mut self, script: &mut Script, briefly: bool) -> Result<Played, Error> {
        self.calls += 1;
        match briefly {
            true => self.model.play_briefly(script),
            false => self.model.play(script),
        }
    }

    /// Lets a script read slots that somebody samples.
    pub fn peek_all(&self, slots: &[SlotId], script: &mut Script) {
        for id in slots {
            for (signal, word) in self.words(*id) {
                script.peek(signal, word);
            }
        }
    }

    /// What they were; the last of them was the operation before `end`.
    pub fn keep(&mut self, slots: Vec<SlotId>, script: &Script, end: usize) {
        let limbs = |id: &SlotId| self.slots[*id].width.div_ceil(64).max(1) as usize;
        let mut operation = end - slots.iter().map(limbs).sum::<usize>();
        let kept = slots.into_iter().map(|id| {
            let words = operation..operation + limbs(&id);
            operation = words.end;
            let words: Vec<u64> = words.map(|word| script.value(word)).collect();
            let width = self.slots[id].width;
            (id, Bits::of(Value::from_limbs(width, &words), width))
        });
        self.kept = kept.collect();
    }
}
