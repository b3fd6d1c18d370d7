//! Effects: which of them act, and the events they write.
//!
//! In: settled values and the edges of a wave. Out: events in order, cover counts, and the status that the
//! first stopping event asks for.

use rtlwasm_abi::Status;

use super::wave::any_edge;
use super::*;
use crate::bits::Bits;

/// One record of the event ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Index into [`Netlist::effects`].
    pub site: usize,
    pub time: u64,
    pub args: Vec<Bits>,
}

impl EffectKind {
    /// The status that stops a call once such an event's instant is complete.
    pub fn stop_status(self) -> Option<Status> {
        match self {
            EffectKind::Finish => Some(Status::Finish),
            EffectKind::Stop => Some(Status::Stop),
            EffectKind::Fatal | EffectKind::Assert | EffectKind::Assume => {
                Some(Status::AssertionFailed)
            }
            EffectKind::Display
            | EffectKind::Info
            | EffectKind::Warning
            | EffectKind::Error
            | EffectKind::Cover => None,
        }
    }
}

impl Interp<'_> {
    /// Clocked effects of a wave, with the values before it.
    pub(super) fn clocked_effects(&mut self, edges: &[(usize, bool)]) {
        for (site, effect) in self.netlist.effects.iter().enumerate() {
            let EffectTime::Edges(clocks) = &effect.when else {
                continue;
            };
            if any_edge(clocks, edges) && self.value(effect.enable).bit(0) {
                self.act_or_wait(site);
            }
        }
    }

    /// Change effects after a settling; those marked `last` wait for the end of the instant.
    pub(super) fn change_effects(&mut self) {
        for (site, effect) in self.netlist.effects.iter().enumerate() {
            if effect.when == EffectTime::Change && !effect.last && self.changed(site) {
                self.act(site);
            }
        }
    }

    /// Initial and change effects at power-on; those marked `last` wait.
    pub(super) fn initial_effects(&mut self) {
        for (site, effect) in self.netlist.effects.iter().enumerate() {
            match effect.when {
                EffectTime::Initial if self.value(effect.enable).bit(0) => self.act_or_wait(site),
                EffectTime::Change if !effect.last && self.changed(site) => self.act(site),
                EffectTime::Initial | EffectTime::Change | EffectTime::Edges(_) => {}
            }
        }
    }

    /// Effects marked `last`, with the values then; answers what stops the call.
    pub(super) fn end_instant(&mut self) -> Result<(), Status> {
        for (site, effect) in self
            .netlist
            .effects
            .iter()
            .enumerate()
            .filter(|(_, e)| e.last)
        {
            let due = match effect.when {
                EffectTime::Change => self.changed(site),
                EffectTime::Initial | EffectTime::Edges(_) => {
                    std::mem::take(&mut self.run.due[site])
                }
            };
            if due {
                self.act(site);
            }
        }
        self.run.stop.map_or(Ok(()), Err)
    }

    /// True when the effect is enabled and differs from the last time this was asked.
    fn changed(&mut self, site: usize) -> bool {
        let effect = &self.netlist.effects[site];
        let cells = std::iter::once(effect.enable).chain(effect.args.iter().map(|a| a.value));
        let seen: Vec<Bits> = cells.map(|c| self.value(c).clone()).collect();
        let enabled = seen[0].bit(0);
        let before = self.run.state.last_seen[site].replace(seen);
        enabled && before != self.run.state.last_seen[site]
    }

    /// Covers are counted at once: nobody sees when.
    fn act_or_wait(&mut self, site: usize) {
        let effect = &self.netlist.effects[site];
        if effect.last && effect.kind != EffectKind::Cover {
            self.run.due[site] = true;
        } else {
            self.act(site);
        }
    }

    fn act(&mut self, site: usize) {
        let effect = &self.netlist.effects[site];
        if effect.kind == EffectKind::Cover {
            self.run.state.covers[site] += 1;
            return;
        }
        let args = effect
            .args
            .iter()
            .map(|a| self.value(a.value).clone())
            .collect();
        self.run.events.push(Event {
            site,
            time: self.run.state.time,
            args,
        });
        self.run.stop = self.run.stop.or(effect.kind.stop_status());
    }
}
