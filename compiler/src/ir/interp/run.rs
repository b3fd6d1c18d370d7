//! A model between calls: everything but the netlist, and its state for who keeps a copy of it elsewhere.

use super::*;
use crate::bits::Bits;

/// All of a model but its netlist.
pub struct Run {
    pub(super) options: InterpOptions,
    /// The input bit that a trigger is, if it is one.
    pub(super) pins: Vec<Option<Pin>>,
    pub(super) state: State,
    pub(super) events: Vec<Event>,
    /// Clocked effects marked `last` that are due at the end of the instant.
    pub(super) due: Vec<bool>,
    /// Cycles ended in the last call.
    pub(super) done: u64,
    /// What the first stopping event of this call asks for.
    pub(super) stop: Option<Status>,
    pub(super) watches: Vec<Watch>,
    pub(super) staged: Vec<Staged>,
    /// Places of the source that stop a call, and those that calls went through and nobody has asked for.
    pub(super) places: Vec<Place>,
    pub(super) reached: Vec<Reached>,
    /// The instant has gone through one.
    pub(super) place_hit: bool,
    /// Settled values of all cells before the last wave that went through one.
    pub(super) before: Vec<Bits>,
}

impl Run {
    pub(super) fn new(
        options: InterpOptions,
        pins: Vec<Option<Pin>>,
        state: State,
        due: Vec<bool>,
    ) -> Run {
        Run {
            options,
            pins,
            state,
            events: Vec::new(),
            due,
            done: 0,
            stop: None,
            watches: Vec::new(),
            staged: Vec::new(),
            places: Vec::new(),
            reached: Vec::new(),
            place_hit: false,
            before: Vec::new(),
        }
    }

    /// The places at which a call stops once the instant is complete.
    pub fn places(&mut self) -> &mut Vec<Place> {
        &mut self.places
    }

    /// The settled value of a cell before the last wave that went through a place; `None` before there was one.
    pub fn before(&self, cell: CellId) -> Option<&Bits> {
        self.before.get(cell.index())
    }

    /// The places that calls have stopped at since this was asked.
    pub fn take_reached(&mut self) -> Vec<Reached> {
        std::mem::take(&mut self.reached)
    }
}

impl<'a> Interp<'a> {
    /// Lets go of the netlist.
    pub fn pause(self) -> Run {
        self.run
    }

    /// Goes on with the netlist that it had.
    pub fn resume(netlist: &'a Netlist, run: Run) -> Interp<'a> {
        Interp { netlist, run }
    }

    /// What it runs.
    pub fn netlist(&self) -> &'a Netlist {
        self.netlist
    }

    /// All that decides the future.
    pub fn state(&self) -> &State {
        &self.run.state
    }

    /// The same to be written, between calls; then comes [`Interp::show_state`] or [`Interp::recompute`].
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.run.state
    }

    /// Drives the input bit that a trigger is.
    pub fn set_level(&mut self, trigger: usize, level: bool) {
        if let Some(pin) = self.run.pins[trigger] {
            self.run.state.set_pin(pin, level);
        }
    }

    /// After pokes to the state itself: the cells that are state have its values, the others wait for the next call.
    pub fn show_state(&mut self) {
        for (id, cell) in self.netlist.cells.iter() {
            let value = match cell.kind {
                CellKind::Input(input) => &self.run.state.inputs[input.index()],
                CellKind::Register(register) => &self.run.state.registers[register.index()],
                _ => continue,
            };
            self.run.state.values[id.index()] = value.clone();
        }
        for (id, latch) in self.netlist.latches.iter() {
            self.run.state.values[latch.value.index()] = self.run.state.latches[id.index()].clone();
        }
    }

    /// After the state of another time was written: all cells have its values.
    pub fn recompute(&mut self) {
        self.run.state.values = self.pass(&self.visible_inputs());
    }
}
