//! Settling and waves, as the interpreter's header orders them.
//!
//! In: a state with pokes or flipped clocks. Out: the settled state after the instant. Invariant: between
//! calls all values are settled, and `prev` equals the level of every trigger, unless a watch has stopped the call.

use rtlwasm_abi::Status;

use super::*;
use crate::bits::Bits;

impl Interp<'_> {
    /// Reset after the state has its initial values: settle, and no trigger has an edge.
    pub(super) fn power_on(&mut self) -> Result<(), Status> {
        self.settle()?;
        self.take_levels();
        for t in 0..self.run.pins.len() {
            self.run.state.triggers[t].prev = self.trigger(t).0;
        }
        self.initial_effects();
        self.end_instant()
    }

    /// Settles with what the host has poked.
    /// Then finishes an instant that an earlier call has left pending.
    pub(super) fn take_in(&mut self) -> Result<(), Status> {
        self.settle()?;
        self.change_effects();
        let stop = self.look_at_words();
        if !stop && !self.is_pending() {
            return Ok(());
        }
        let before = self.run.state.pending.unwrap_or_default();
        let result = self.instant(stop);
        if self.is_pending() {
            self.run.state.pending = Some(before);
            return result;
        }
        self.run.state.pass_time(before.time);
        self.run.done += u64::from(matches!(before.flip, Some((_, false))));
        result
    }

    /// Waves until no trigger moves, then the end of the instant. With `stop`, a watch has been hit before it.
    pub(super) fn instant(&mut self, mut stop: bool) -> Result<(), Status> {
        for _ in 0..BOUND {
            self.take_levels();
            let moved: Vec<usize> = self.moved().collect();
            if moved.is_empty() && self.run.staged.is_empty() {
                self.run.state.pending = None;
                let hit = self.report() || stop || std::mem::take(&mut self.run.place_hit);
                self.end_instant()?;
                return if hit { Err(Status::WatchHit) } else { Ok(()) };
            }
            if !moved.is_empty() {
                // Of the edges that an earlier call has stopped at, the watches know.
                if !self.is_pending() {
                    stop |= self.look_at_triggers();
                }
                if stop {
                    self.run.state.pending = Some(self.run.state.pending.unwrap_or_default());
                    return Err(Status::WatchHit);
                }
                self.run.state.pending = None;
                self.wave(&moved);
            }
            self.apply_staged();
            self.settle()?;
            self.change_effects();
            stop |= self.look_at_words();
        }
        Err(Status::NotSettled)
    }

    fn moved(&self) -> impl Iterator<Item = usize> {
        (0..self.run.pins.len()).filter(|t| self.trigger(*t).0 != self.run.state.triggers[*t].prev)
    }

    /// Finds the level of every trigger that is no input.
    fn take_levels(&mut self) {
        let clock_moved = self.moved().any(|t| self.primary_clock(t).is_some());
        let ahead = (clock_moved && self.run.options.order == ClockOrder::Verilog)
            .then(|| self.pass(&self.run.state.inputs));
        let values = ahead.as_ref().unwrap_or(&self.run.state.values);
        for (state, trigger) in self
            .run
            .state
            .triggers
            .iter_mut()
            .zip(self.netlist.triggers.values())
        {
            state.level = values[trigger.net.index()].bit(0);
        }
    }

    /// All registers compute and commit; nothing is settled yet.
    fn wave(&mut self, moved: &[usize]) {
        let edges: Vec<(usize, bool)> = moved.iter().map(|t| (*t, self.trigger(*t).0)).collect();
        self.note_places(&edges);
        let registers = self.next_registers(&edges);
        let writes = self.memory_writes(&edges);
        self.clocked_effects(&edges);
        for (register, value) in registers {
            self.run.state.registers[register.index()] = value;
        }
        for write in writes {
            self.commit(write);
        }
        let clock = |t: usize| self.netlist.triggers[Id::new(t)].role != TriggerRole::AsyncLoad;
        if edges.iter().any(|(t, _)| clock(*t)) {
            self.run.state.prng = self.run.state.prng.wrapping_add(GOLDEN);
        }
        for (t, level) in edges {
            self.run.state.triggers[t].prev = level;
            self.run.state.triggers[t].cycles += u64::from(level);
        }
    }

    fn next_registers(&self, edges: &[(usize, bool)]) -> Vec<(RegisterId, Bits)> {
        let next = |r: &Register| match r.load {
            Some(load) if self.value(load.when).bit(0) => load.value,
            _ => r.next,
        };
        let clocked = self
            .netlist
            .registers
            .iter()
            .filter(|(_, r)| any_edge(&r.clocks, edges));
        clocked
            .map(|(id, r)| (id, self.value(next(r)).clone()))
            .collect()
    }

    fn memory_writes(&self, edges: &[(usize, bool)]) -> Vec<Write> {
        let ports = self
            .netlist
            .memories
            .iter()
            .flat_map(|(id, m)| m.writes.iter().map(move |w| (id, w)));
        ports
            .filter(|(_, w)| any_edge(&w.clocks, edges) && self.value(w.enable).bit(0))
            .map(|(memory, w)| Write {
                memory,
                row: self.value(w.address).to_u64_saturating(),
                data: self.value(w.data).clone(),
                mask: self.value(w.mask).clone(),
            })
            .collect()
    }

    fn commit(&mut self, w: Write) {
        let rows = &self.run.state.memories[w.memory.index()];
        let Ok(row) = usize::try_from(w.row) else {
            return;
        };
        if let Some(before) = rows.get(row) {
            let value = w.data.and(&w.mask).or(&before.and(&w.mask.not()));
            self.run.state.write_row(w.memory, row, value);
        }
    }

    fn settle(&mut self) -> Result<(), Status> {
        for _ in 0..BOUND {
            self.run.state.values = self.pass(&self.visible_inputs());
            if self.take_loops() {
                continue;
            }
            for (id, latch) in self.netlist.latches.iter() {
                self.run.state.latches[id.index()] = self.value(latch.value).clone();
            }
            if !self.take_loads() {
                return Ok(());
            }
        }
        Err(Status::NotSettled)
    }

    /// Inputs as cells see them: a primary clock at the level its registers have acted on.
    pub(super) fn visible_inputs(&self) -> Vec<Bits> {
        let mut inputs = self.run.state.inputs.clone();
        for t in 0..self.run.pins.len() {
            if let Some(Pin { input, bit }) = self.primary_clock(t) {
                let slot = &mut inputs[input.index()];
                *slot = slot.clone().with_bit(bit, self.run.state.triggers[t].prev);
            }
        }
        inputs
    }

    /// Loop cuts take their new values; true when one changed.
    fn take_loops(&mut self) -> bool {
        let new: Vec<Bits> = self
            .netlist
            .loops
            .values()
            .map(|l| self.value(l.value).clone())
            .collect();
        let changed = new != self.run.state.loops;
        self.run.state.loops = new;
        changed
    }

    /// Active asynchronous loads act; true when one changed its register.
    fn take_loads(&mut self) -> bool {
        let mut changed = false;
        for (id, r) in self.netlist.registers.iter() {
            if let Some(load) = r.load.filter(|load| self.value(load.when).bit(0)) {
                let value = self.value(load.value).clone();
                changed |= self.run.state.registers[id.index()] != value;
                self.run.state.registers[id.index()] = value;
            }
        }
        changed
    }

    /// The values of all cells, from the state and the given inputs.
    pub(super) fn pass(&self, inputs: &[Bits]) -> Vec<Bits> {
        let mut values: Vec<Bits> = Vec::with_capacity(self.netlist.cells.len());
        for cell in self.netlist.cells.values() {
            let value = self.compute(cell, inputs, &values);
            debug_assert_eq!(value.width(), cell.width, "{cell:?}");
            values.push(value);
        }
        values
    }

    fn compute(&self, cell: &Cell, inputs: &[Bits], values: &[Bits]) -> Bits {
        match cell.kind {
            CellKind::Input(id) => inputs[id.index()].clone(),
            CellKind::Register(id) => self.run.state.registers[id.index()].clone(),
            CellKind::Latch(id) => self.run.state.latches[id.index()].clone(),
            CellKind::LoopCut(id) => self.run.state.loops[id.index()].clone(),
            CellKind::Random(id) => {
                let key = self.netlist.randoms[id].key;
                random_value(self.run.state.prng, key, cell.width)
            }
            CellKind::MemRead { memory, address } => self.run.state.row(
                self.netlist,
                memory,
                values[address.index()].to_u64_saturating(),
            ),
            _ => evaluate(&cell.kind, cell.width, |id| &values[id.index()]),
        }
    }
}

/// One write that a wave found, to be committed.
struct Write {
    memory: MemoryId,
    row: u64,
    data: Bits,
    mask: Bits,
}

/// True when one of `clocks` is among the edges of a wave (trigger and new level).
pub(super) fn any_edge(clocks: &[ClockEdge], edges: &[(usize, bool)]) -> bool {
    let matches = |c: &ClockEdge| {
        edges
            .iter()
            .any(|(t, level)| c.trigger.index() == *t && c.edge.matches(*level))
    };
    clocks.iter().any(matches)
}
