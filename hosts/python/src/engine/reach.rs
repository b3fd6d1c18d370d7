//! What the writes can reach that the model has yet to act on: where that is nothing that somebody waits for, or that is
//! told, no call is needed for them. The compiler says it of each design, once somebody asks.

use std::sync::Arc;

use rtlwasm::reach::{Cone, Reach, meet};
use rustc_hash::FxHashMap;

use super::core::Core;
use super::slot::{Place, SlotId};

/// So many writes are looked at one by one.
const MOST_WRITES: usize = 32;

/// The writes, and what is known of the design.
#[derive(Default)]
pub struct Writes {
    /// Slots, each once.
    slots: Vec<SlotId>,
    /// And others.
    more: bool,
    reach: Option<Arc<Reach>>,
    /// What slots hang on; None: the compiler knows no such name.
    cones: FxHashMap<SlotId, Option<Cone>>,
    triggers: Option<Cone>,
    told: Option<Cone>,
    /// Questions without an answer.
    unknown: u32,
}

impl Writes {
    /// A slot is written.
    pub fn note(&mut self, id: SlotId) {
        if self.more || self.slots.contains(&id) {
            return;
        }
        match self.slots.len() {
            MOST_WRITES => self.more = true,
            _ => self.slots.push(id),
        }
    }

    /// The model has acted on them.
    pub fn forget(&mut self) {
        self.slots.clear();
        self.more = false;
    }

    /// The model has been written to in other ways.
    pub fn note_all(&mut self) {
        self.more = true;
    }

    /// Whether the compiler is to be asked after so many questions without an answer; it is not asked again for the
    /// present artifact.
    pub fn take_question(&mut self, worth: u32) -> bool {
        let asks = (worth..u32::MAX).contains(&self.unknown);
        if asks {
            self.unknown = u32::MAX;
        }
        asks
    }

    /// There is another artifact, with more names.
    pub fn ask_anew(&mut self) {
        self.unknown = 0;
        self.cones.retain(|_, cone| cone.is_some());
    }

    /// What the compiler says.
    pub fn know(&mut self, reach: Arc<Reach>) {
        self.triggers = Some(reach.triggers());
        self.told = Some(reach.told());
        self.cones.clear();
        self.reach = Some(reach);
    }

    /// Whether they reach what hangs on something; `cone` is that of it. None: that is not known.
    fn meet(&self, cone: Option<&Cone>) -> Option<bool> {
        let known = |id: &SlotId| self.cones.get(id).and_then(Option::as_ref);
        let written: Option<Vec<&Cone>> = self.slots.iter().map(known).collect();
        let (cone, written) = (cone?, written?);
        Some(written.into_iter().any(|written| meet(written, cone)))
    }
}

impl Core {
    /// Whether what is written can wake somebody before time goes on.
    pub fn wakes(&mut self) -> bool {
        if self.watched.is_empty() || self.edges {
            return !self.watched.is_empty();
        }
        self.moves_clocks() || (0..self.watched.len()).any(|i| self.reaches(self.watched[i].0))
    }

    /// Whether the design can tell something of it.
    pub fn tells_of_it(&mut self) -> bool {
        let changes =
            self.tells_changes && (self.edges || self.meets(|writes| writes.told.as_ref()));
        changes || self.tells && (self.edges || self.moves_clocks())
    }

    /// Whether the present value of a slot is that which it was when the model acted last.
    pub fn stays(&mut self, id: SlotId) -> bool {
        self.writes.reach.is_some() && !self.edges && !self.moves_clocks() && !self.reaches(id)
    }

    /// Whether a clock or an asynchronous reset that the design computes may have an edge: registers change then.
    fn moves_clocks(&mut self) -> bool {
        self.computed && self.meets(|writes| writes.triggers.as_ref())
    }

    fn reaches(&mut self, id: SlotId) -> bool {
        self.learn(id);
        self.meets(|writes| writes.cones.get(&id).and_then(Option::as_ref))
    }

    /// Whether what is written reaches what a cone stands for; where that is not known it may.
    fn meets(&mut self, cone: impl Fn(&Writes) -> Option<&Cone>) -> bool {
        // Resets of memories are no part of the design.
        if self.writes.more || !self.memories.is_empty() {
            return true;
        }
        for i in 0..self.writes.slots.len() {
            self.learn(self.writes.slots[i]);
        }
        let met = self.writes.meet(cone(&self.writes));
        if met.is_none() {
            self.writes.unknown = self.writes.unknown.saturating_add(1);
        }
        met.unwrap_or(true)
    }

    /// Asks what a slot hangs on.
    fn learn(&mut self, id: SlotId) {
        let (Some(reach), false) = (&self.writes.reach, self.writes.cones.contains_key(&id)) else {
            return;
        };
        let cone = match self.slots[id].place {
            Place::Host => None,
            Place::Signal(signal) | Place::Row(signal, _) => {
                let signals = self.model.artifact().signals();
                reach.cone_of(&signals[signal.id() as usize].path.join(" "))
            }
        };
        self.writes.cones.insert(id, cone);
    }
}
