//! The signals and memory rows of a simulation as Python knows them.

use std::cell::RefMut;

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use rtlwasm_host::{Error, Model, ModelOptions};
use rustc_hash::FxHashMap;

use super::bits::Bits;
use super::core::Core;
use super::held::{Held, lock};
use super::slot::SlotId;
use crate::artifact::Artifact;
use crate::errors::{answered, caught, guarded, not_loaded};

/// So many recorded changes are taken before time goes on.
const MOST_CHANGES: usize = 1 << 14;

/// A change as Python sees it.
type Change<'py> = (i128, u64, SlotId, Bound<'py, PyAny>);

/// One simulation, without its processes.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct Signals {
    core: Held<Core>,
    /// Slots by the address of the signal, which `known` keeps alive.
    slots: Held<FxHashMap<usize, SlotId>>,
    known: Held<Vec<Py<PyAny>>>,
    /// Makes a signal known that is used for the first time, and returns its slot.
    missing: Held<Option<Py<PyAny>>>,
    /// Goes on with an artifact that stores signals, by their names.
    store: Held<Option<Py<PyAny>>>,
    /// What the model is of.
    artifact: Held<Py<Artifact>>,
}

#[pymethods]
impl Signals {
    #[new]
    fn new(
        py: Python<'_>,
        artifact: &Bound<'_, Artifact>,
        missing: Py<PyAny>,
        store: Py<PyAny>,
    ) -> PyResult<Signals> {
        let model = new_model(py, artifact)?;
        Ok(Signals {
            core: Held::new(Core::new(model)),
            slots: Held::default(),
            known: Held::default(),
            missing: Held::new(Some(missing)),
            store: Held::new(Some(store)),
            artifact: Held::new(artifact.clone().unbind()),
        })
    }

    /// Makes a signal known. `name` is that of the design; None: the design does not know it.
    fn add_signal(
        &self,
        signal: &Bound<'_, PyAny>,
        name: Option<&str>,
        width: u32,
        signed: bool,
        initial: &Bound<'_, PyAny>,
    ) -> PyResult<SlotId> {
        let initial = Bits::from_python(initial, width)?;
        let slot = self.with(signal.py(), |core| {
            core.add_signal(name, (width, signed), initial)
        })?;
        Ok(self.remember(signal, slot))
    }

    /// Makes a memory row known.
    fn add_row(
        &self,
        signal: &Bound<'_, PyAny>,
        memory: &str,
        row: i64,
        width: u32,
        signed: bool,
        initial: &Bound<'_, PyAny>,
    ) -> PyResult<SlotId> {
        let initial = Bits::from_python(initial, width)?;
        let slot = self.with(signal.py(), |core| {
            core.add_row((memory, row), (width, signed), initial)
        })?;
        Ok(self.remember(signal, slot))
    }

    /// Lets a reset give a memory its initial contents: at an edge of a clock to a level before which a slot is not 0,
    /// and when an asynchronous reset rises.
    #[pyo3(signature = (memory, width, rows, clock, level, when, at_once))]
    #[allow(clippy::too_many_arguments)]
    fn add_memory_reset(
        &self,
        py: Python<'_>,
        memory: &str,
        width: u32,
        rows: Vec<Bound<'_, PyAny>>,
        clock: SlotId,
        level: bool,
        when: SlotId,
        at_once: Option<SlotId>,
    ) -> PyResult<()> {
        let rows = rows.iter().map(|row| Bits::from_python(row, width));
        let rows = rows.collect::<PyResult<Vec<Bits>>>()?;
        self.with(py, |core| {
            core.add_memory_reset(memory, rows, (clock, level), when, at_once)
        })
    }

    /// The slot of a signal.
    pub fn slot(&self, signal: &Bound<'_, PyAny>) -> PyResult<SlotId> {
        if let Some(slot) = self.known(signal) {
            return Ok(slot);
        }
        let py = signal.py();
        let missing = lock(&self.missing).as_ref().map(|call| call.clone_ref(py));
        let missing = missing.ok_or_else(|| PyValueError::new_err("the simulation has ended"))?;
        missing.bind(py).call1((signal,))?.extract()
    }

    /// The present value of a slot.
    pub fn read<'py>(&self, py: Python<'py>, slot: SlotId) -> PyResult<Bound<'py, PyAny>> {
        let (bits, width, signed) = self.with(py, |core| {
            let bits = core.read(slot)?;
            Ok((bits, core.slots[slot].width, core.slots[slot].signed))
        })?;
        bits.to_python(py, width, signed)
    }

    /// The present value of a signal.
    fn get<'py>(&self, signal: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.read(signal.py(), self.slot(signal)?)
    }

    /// The value that a slot has at the end of the round.
    fn read_next<'py>(&self, py: Python<'py>, slot: SlotId) -> PyResult<Bound<'py, PyAny>> {
        let (bits, width, signed) = self.with(py, |core| {
            let bits = core.read_next(slot)?;
            Ok((bits, core.slots[slot].width, core.slots[slot].signed))
        })?;
        bits.to_python(py, width, signed)
    }

    /// Writes a slot at the end of the round, cut to its width. False: the design drives it.
    pub fn write(&self, slot: SlotId, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let width = self.core().slots[slot].width;
        let bits = Bits::from_python(value, width)?;
        self.with(value.py(), |core| core.write(slot, bits))
    }

    /// Records changes of these slots from now on; with `rounds`, those of one time in as many rounds as it has.
    fn trace(&self, py: Python<'_>, slots: Vec<SlotId>, rounds: bool) -> PyResult<()> {
        self.with(py, |core| core.trace(&slots, rounds))
    }

    /// Goes on with another artifact of the same design. It has `inputs` that the design did not know: slots, and names.
    fn adopt(
        &self,
        py: Python<'_>,
        artifact: &Bound<'_, Artifact>,
        inputs: Vec<(SlotId, String)>,
    ) -> PyResult<()> {
        let model = new_model(py, artifact)?;
        let before = std::mem::replace(&mut *lock(&self.artifact), artifact.clone().unbind());
        drop(before);
        self.with(py, |core| {
            core.writes.ask_anew();
            core.adopt(model, &inputs)
        })
    }

    /// Gives an input on which nothing but conditions hangs a value, whatever is still to come.
    fn set_constant(&self, slot: SlotId, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let width = self.core().slots[slot].width;
        let bits = Bits::from_python(value, width)?;
        self.with(value.py(), |core| core.poke(slot, &bits))
    }

    /// Whether a slot is a clock, of the simulation or of the design.
    fn is_clock(&self, slot: SlotId) -> bool {
        let core = self.core();
        core.is_clock(slot) || core.inner_clock(slot).is_some()
    }

    /// What has been written is acted on, if that has yet to come.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |core| match core.owed {
            true => core.act(),
            false => Ok(()),
        })
    }

    /// What was recorded and not yet taken: time, round, slot and value.
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Vec<Change<'py>>> {
        let mut core = self.core();
        let changes = core.take_changes();
        let shape = |slot: SlotId| (core.slots[slot].width, core.slots[slot].signed);
        let shapes: Vec<(u32, bool)> = changes.iter().map(|change| shape(change.2)).collect();
        drop(core);
        let rows = changes.into_iter().zip(shapes);
        rows.map(|((time, round, slot, bits), (width, signed))| {
            Ok((time, round, slot, bits.to_python(py, width, signed)?))
        })
        .collect()
    }

    /// Present time.
    #[getter]
    fn now(&self) -> i128 {
        let mut core = self.core();
        core.unseen = 0;
        core.horizon = None;
        core.timeline.now
    }

    /// Until that time nobody asks for the time; `comes` says that the simulation goes on until then in any case.
    fn look_away(&self, until: i128, comes: bool) {
        let mut core = self.core();
        (core.horizon, core.comes) = (Some(until), comes);
    }

    /// As if nobody had looked at the time for long: from now on clocks run inside the module, and what would save a call
    /// is stored.
    fn hurry(&self) {
        let mut core = self.core();
        (core.unseen, core.worth) = (u32::MAX, 1);
    }

    /// It is told when values change: what a testbench writes is acted on at once.
    fn tell_changes(&self) {
        self.core().tells_changes = true;
    }

    /// Whether the order in which inputs change may matter.
    #[getter]
    fn loops(&self) -> bool {
        let core = self.core();
        let features = &core.model.artifact().manifest().features;
        features.iter().any(|name| name == "loops")
    }

    /// How often the module was run.
    #[getter]
    fn calls(&self) -> u64 {
        self.core().calls
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for call in [&self.missing, &self.store] {
            if let Ok(call) = call.try_lock() {
                visit.call(&*call)?;
            }
        }
        if let Ok(known) = self.known.try_lock() {
            for signal in &*known {
                visit.call(signal)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let calls = [&self.missing, &self.store].map(|call| lock(call).take());
        let known = std::mem::take(&mut *lock(&self.known));
        lock(&self.slots).clear();
        drop((calls, known));
    }
}

impl Signals {
    /// The slot of what has been used before.
    pub fn known(&self, signal: &Bound<'_, PyAny>) -> Option<SlotId> {
        let slots = lock(&self.slots);
        slots.get(&(signal.as_ptr() as usize)).copied()
    }

    /// The simulation; the guard must not live while Python code can run.
    pub fn core(&self) -> RefMut<'_, Core> {
        lock(&self.core)
    }

    /// Does something that may fail.
    pub fn with<T>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Core) -> Result<T, Error>,
    ) -> PyResult<T> {
        let mut core = self.core();
        let answer = caught(|| work(&mut core));
        drop(core);
        answered(py, answer)
    }

    /// Records what changed at this time, and goes on to the nearest deadline; to one that is not only of clocks, if the
    /// simulation goes on after it. When somebody is woken meanwhile, it is the time of that.
    pub fn pass(&self, py: Python<'_>, goes_on: bool) -> PyResult<()> {
        let wanted = self.with(py, Core::take_wanted)?;
        if let Some(names) = wanted {
            let store = lock(&self.store).as_ref().map(|call| call.clone_ref(py));
            store.map_or(Ok(()), |store| store.call1(py, (names,)).map(drop))?;
        }
        let mut core = self.core();
        let worth = core.worth;
        let asks = core.writes.take_question(worth);
        drop(core);
        if asks {
            let artifact = lock(&self.artifact).clone_ref(py);
            if let Some(reach) = artifact.get().reach(py)? {
                self.core().writes.know(reach);
            }
        }
        let woken = self.with(py, |core| {
            // What the artifact was changed for has come to by that.
            core.wake_changed()?;
            if !core.woken.is_empty() {
                return Ok(true);
            }
            core.record();
            if goes_on || core.horizon.is_some() && core.comes {
                core.run_clocks()?;
            }
            // It is to be told, or to be seen, at its time.
            if core.owed && (core.is_recorded() || core.owes_news()) {
                core.act()?;
            }
            if core.woken.is_empty() {
                core.wake_changed()?;
            }
            Ok(core.unsettled || core.has_told() || !core.woken.is_empty())
        })?;
        let mut guard = self.core();
        let core = &mut *guard;
        let now = core.timeline.now;
        core.unseen = core.unseen.saturating_add(1);
        if woken {
            return Ok(());
        }
        core.timeline.advance(&mut core.woken).map_err(|backwards| {
            PyValueError::new_err(format!(
                "Deadline of {} is behind our current state of {now}",
                backwards.deadline
            ))
        })
    }

    /// Goes to a deadline, again and again while the simulation goes on and nobody has looked at the time for long. True
    /// when it goes on.
    pub fn in_strides(
        &self,
        py: Python<'_>,
        mut go_on: impl FnMut() -> PyResult<bool>,
    ) -> PyResult<bool> {
        let stride = self.core().stride();
        for _ in 0..stride {
            if !go_on()? {
                return Ok(false);
            }
            let core = self.core();
            if core.is_seen() || core.changes.len() > MOST_CHANGES {
                break;
            }
        }
        py.check_signals()?;
        Ok(true)
    }

    fn remember(&self, signal: &Bound<'_, PyAny>, slot: SlotId) -> SlotId {
        lock(&self.known).push(signal.clone().unbind());
        lock(&self.slots).insert(signal.as_ptr() as usize, slot);
        slot
    }
}

fn new_model(py: Python<'_>, artifact: &Bound<'_, Artifact>) -> PyResult<Model> {
    let host = artifact.get().host.clone();
    let options = ModelOptions {
        cache_dir: None,
        ..ModelOptions::default()
    };
    let model = guarded(py, || host.model(&options))?;
    model.map_err(|error| not_loaded(py, &error))
}
