//! Tables: columns of inputs in, columns of outputs out, one row a cycle, all of it in one call from Python.
//!
//! Rows run as scripts, many in one call of the module. Where a script cannot say what a row does, each row is calls of
//! its own: while a waveform is written, with ports that both sides drive, and with several outputs that are computed when
//! they are asked for, which a script would compute once for each.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyByteArray;
use rtlwasm_host::{Access, Clock, Error, Script, Signal as HostSignal, Status, Value};

use crate::errors::{asked, exception};
use crate::model::Model;
use crate::number;
use crate::run::{Piece, Run, Unit};
use crate::signal::Signal;
use crate::state::Recorded;

/// So many operations go into one script, unless a single row needs more.
const OPERATIONS: usize = 1024;

/// A signal and its values, row after row, so many 64-bit limbs each.
struct Column {
    signal: HostSignal,
    limbs: usize,
    values: Vec<u64>,
}

impl Column {
    fn row(&self, row: usize) -> &[u64] {
        &self.values[row * self.limbs..][..self.limbs]
    }

    /// Appends the value of now.
    fn note(&mut self, model: &mut rtlwasm_host::Model) -> Result<(), Error> {
        match self.limbs {
            1 => self.values.push(model.peek(self.signal)?),
            _ => self.values.extend(model.peek_bits(self.signal)?.limbs()),
        }
        Ok(())
    }
}

/// What is played, and how far it has come.
struct Table {
    clock: Clock,
    inputs: Vec<Column>,
    outputs: Vec<Column>,
    row: usize,
}

/// What came out: how the run ended, and the limbs of each output as bytes.
type Answer<'py> = (Py<Run>, Vec<Bound<'py, PyByteArray>>);

/// Runs `rows` cycles; in each the inputs get their row, the clock is stepped, the outputs are read.
///
/// Inputs are pairs of a signal and a buffer of uint64 with its limbs, rows one after the other. Answers the run and,
/// for each output, the limbs of as many rows as were completed.
#[pyfunction]
#[pyo3(signature = (model, rows, inputs, outputs, *, clock = None, progress = false))]
pub fn play_rows<'py>(
    model: &Bound<'py, Model>,
    #[pyo3(from_py_with = number::cycles)] rows: u64,
    inputs: Vec<(Bound<'py, Signal>, PyBuffer<u64>)>,
    outputs: Vec<Bound<'py, Signal>>,
    clock: Option<&Bound<'py, PyAny>>,
    progress: bool,
) -> PyResult<Answer<'py>> {
    let (py, model) = (model.py(), model.get());
    let clock = model.chosen_clock(py, clock)?;
    let inputs = inputs
        .iter()
        .map(|(signal, buffer)| input(model, signal, buffer, rows));
    let inputs = inputs.collect::<PyResult<Vec<Column>>>()?;
    let outputs = outputs
        .iter()
        .map(|signal| column(model, signal, Vec::new()));
    let mut table = Table {
        clock,
        inputs,
        outputs: outputs.collect::<PyResult<Vec<Column>>>()?,
        row: 0,
    };
    let mut script = RowScript::new(&table, rows).filter(|_| !model.is_watching());
    let ended = model.drive(py, (rows, Unit::Cycles), progress, |recorded, most| {
        let mut piece = Piece {
            status: Status::Ok,
            cycles: 0,
            done: 0,
        };
        while piece.done < most && piece.status == Status::Ok {
            match (&mut script, recorded.unrecorded()) {
                (Some(script), Some(model)) => script.play(model, &mut table, most, &mut piece)?,
                _ => table.one_row(recorded, &mut piece)?,
            }
        }
        Ok(piece)
    })?;
    let columns = table.outputs.iter().map(|column| {
        PyByteArray::new_with(py, column.values.len() * 8, |bytes| {
            for (place, limb) in bytes.chunks_exact_mut(8).zip(&column.values) {
                place.copy_from_slice(&limb.to_le_bytes());
            }
            Ok(())
        })
    });
    let columns = columns.collect::<PyResult<Vec<_>>>()?;
    Ok((model.answer(py, ended)?, columns))
}

impl Table {
    fn one_row(&mut self, recorded: &mut Recorded, piece: &mut Piece) -> Result<(), Error> {
        let model = &mut recorded.model;
        for column in &self.inputs {
            match column.row(self.row) {
                [limb] => model.poke(column.signal, *limb)?,
                limbs => model.poke_bits(
                    column.signal,
                    &Value::from_limbs(column.signal.width(), limbs),
                )?,
            }
        }
        let mut run = recorded.step(self.clock, 1)?;
        // A row is whole before a break stops the table.
        while run.status == Status::WatchHit && run.cycles == 0 {
            let rest = recorded.step(self.clock, 1)?;
            run.cycles = rest.cycles;
            if rest.status != Status::Ok {
                run.status = rest.status;
            }
        }
        piece.status = run.status;
        piece.cycles += run.cycles;
        self.end_row(&mut recorded.model, piece)
    }

    /// Notes what a row has led to.
    fn end_row(&mut self, model: &mut rtlwasm_host::Model, piece: &mut Piece) -> Result<(), Error> {
        self.row += 1;
        piece.done += 1;
        self.outputs
            .iter_mut()
            .try_for_each(|column| column.note(model))
    }

    /// Operations of a row: a poke for each limb, the step, a peek for each limb. `None` when a script cannot do it.
    fn operations(&self) -> Option<usize> {
        let is_there = |column: &Column| column.signal.width() > 0;
        let is_stored = |column: &&Column| column.signal.access() != Access::Computed;
        let can_poke = |column: &Column| column.signal.access() == Access::ReadWrite;
        let limbs = |columns: &[Column]| columns.iter().map(|column| column.limbs).sum::<usize>();
        let computed = limbs(&self.outputs)
            - self
                .outputs
                .iter()
                .filter(is_stored)
                .map(|c| c.limbs)
                .sum::<usize>();
        let can =
            self.inputs.iter().all(can_poke) && self.outputs.iter().all(is_there) && computed <= 1;
        can.then(|| limbs(&self.inputs) + 1 + limbs(&self.outputs))
    }
}

/// Some rows as one script, played again and again with other values.
struct RowScript {
    script: Script,
    rows: usize,
    /// Operations of a row.
    operations: usize,
}

impl RowScript {
    fn new(table: &Table, rows: u64) -> Option<RowScript> {
        let operations = table.operations()?;
        let fit = (OPERATIONS / operations).max(1);
        let rows = usize::try_from(rows).map_or(fit, |rows| rows.min(fit));
        let mut script = Script::new();
        for _ in 0..rows {
            for column in &table.inputs {
                for word in 0..column.limbs {
                    script.poke_word(column.signal, word as u32, 0, u64::MAX);
                }
            }
            script.step(table.clock, 1);
            for column in &table.outputs {
                for word in 0..column.limbs {
                    script.peek(column.signal, word as u32);
                }
            }
        }
        Some(RowScript {
            script,
            rows,
            operations,
        })
    }

    /// Plays the next rows, as many as fit, and no more than make `most` in the piece.
    fn play(
        &mut self,
        model: &mut rtlwasm_host::Model,
        table: &mut Table,
        most: u64,
        piece: &mut Piece,
    ) -> Result<(), Error> {
        let rows = (most - piece.done).min(self.rows as u64) as usize;
        let mut fewer;
        let script = match rows < self.rows {
            true => {
                fewer = self.script.clone();
                fewer.truncate(rows * self.operations);
                &mut fewer
            }
            false => &mut self.script,
        };
        fill(script, table, rows, self.operations);
        let played = model.play(script)?;
        let ended = played
            .stopped_at
            .map_or(rows, |operation| operation / self.operations);
        collect(script, table, ended, self.operations);
        table.row += ended;
        piece.done += ended as u64;
        piece.cycles += ended as u64 + played.cycles;
        piece.status = played.status;
        match played.stopped_at {
            // Its step has stopped it: what it led to is still to be read.
            Some(_) => table.end_row(model, piece),
            None => Ok(()),
        }
    }
}

/// The inputs of the next rows go into the script.
fn fill(script: &mut Script, table: &Table, rows: usize, operations: usize) {
    let mut first = 0;
    for column in &table.inputs {
        for row in 0..rows {
            for (limb, value) in column.row(table.row + row).iter().enumerate() {
                script.set_value(row * operations + first + limb, *value);
            }
        }
        first += column.limbs;
    }
}

/// The outputs of the rows that ended come out of it.
fn collect(script: &Script, table: &mut Table, rows: usize, operations: usize) {
    let pokes: usize = table.inputs.iter().map(|column| column.limbs).sum();
    let mut first = pokes + 1;
    for column in &mut table.outputs {
        for row in 0..rows {
            let at = row * operations + first;
            let limbs = (at..at + column.limbs).map(|operation| script.value(operation));
            column.values.extend(limbs);
        }
        first += column.limbs;
    }
}

/// Refuses memories and signals of other designs.
fn column(model: &Model, signal: &Bound<'_, Signal>, values: Vec<u64>) -> PyResult<Column> {
    let py = signal.py();
    let signal = signal.get().signal;
    asked(py, || model.host.probe_of(signal, None))?;
    let limbs = signal.width().div_ceil(64).max(1) as usize;
    Ok(Column {
        signal,
        limbs,
        values,
    })
}

fn input(
    model: &Model,
    signal: &Bound<'_, Signal>,
    buffer: &PyBuffer<u64>,
    rows: u64,
) -> PyResult<Column> {
    let py = signal.py();
    let column = column(model, signal, buffer.to_vec(py)?)?;
    if column.values.len() as u64 != rows.saturating_mul(column.limbs as u64) {
        let text = format!(
            "a column has {} numbers, and {rows} rows of {} are needed",
            column.values.len(),
            column.limbs
        );
        return Err(exception(py, "ShapeError", text));
    }
    Ok(column)
}
