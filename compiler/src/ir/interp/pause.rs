//! A model between calls: everything but the netlist, and its state for who keeps a copy of it elsewhere.

use super::*;
use crate::bits::Bits;

/// A model without its netlist: [`Interp::resume`] makes one of both again.
pub struct Paused {
    options: InterpOptions,
    pins: Vec<Option<Pin>>,
    state: State,
    events: Vec<Event>,
    due: Vec<bool>,
    done: u64,
    stop: Option<Status>,
    watches: Vec<Watch>,
    staged: Vec<Staged>,
    places: Vec<Place>,
    reached: Vec<Reached>,
    before: Vec<Bits>,
}

impl Paused {
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
    pub fn pause(self) -> Paused {
        Paused {
            options: self.options,
            pins: self.pins,
            state: self.state,
            events: self.events,
            due: self.due,
            done: self.done,
            stop: self.stop,
            watches: self.watches,
            staged: self.staged,
            places: self.places,
            reached: self.reached,
            before: self.before,
        }
    }

    /// Goes on with the netlist that it had.
    pub fn resume(netlist: &'a Netlist, paused: Paused) -> Interp<'a> {
        Interp {
            netlist,
            options: paused.options,
            pins: paused.pins,
            state: paused.state,
            events: paused.events,
            due: paused.due,
            done: paused.done,
            stop: paused.stop,
            watches: paused.watches,
            staged: paused.staged,
            places: paused.places,
            reached: paused.reached,
            place_hit: false,
            before: paused.before,
        }
    }

    /// What it runs.
    pub fn netlist(&self) -> &'a Netlist {
        self.netlist
    }

    /// All that decides the future.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The same to be written, between calls; then comes [`Interp::show_state`] or [`Interp::recompute`].
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Drives the input bit that a trigger is.
    pub fn set_level(&mut self, trigger: usize, level: bool) {
        if let Some(pin) = self.pins[trigger] {
            self.state.set_pin(pin, level);
        }
    }

    /// After pokes to the state itself: the cells that are state have its values, the others wait for the next call.
    pub fn show_state(&mut self) {
        for (id, cell) in self.netlist.cells.iter() {
            let value = match cell.kind {
                CellKind::Input(input) => &self.state.inputs[input.index()],
                CellKind::Register(register) => &self.state.registers[register.index()],
                _ => continue,
            };
            self.state.values[id.index()] = value.clone();
        }
        for (id, latch) in self.netlist.latches.iter() {
            self.state.values[latch.value.index()] = self.state.latches[id.index()].clone();
        }
    }

    /// After the state of another time was written: all cells have its values.
    pub fn recompute(&mut self) {
        self.state.values = self.pass(&self.visible_inputs());
    }
}
