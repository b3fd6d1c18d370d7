//! Tables: columns of inputs in, columns of outputs out, one row a cycle, all of it in one call from Python.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyByteArray;
use rtlwasm_host::{Clock, Error, Signal as HostSignal, Status, Value};

use crate::errors::{asked, exception};
use crate::model::Model;
use crate::run::{Piece, Run, Unit};
use crate::signal::Signal;
use crate::state::Recorded;

/// A signal and its values, row after row, so many 64-bit limbs each.
struct Column {
    signal: HostSignal,
    limbs: usize,
    values: Vec<u64>,
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
    rows: u64,
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
    let mut inputs = inputs.collect::<PyResult<Vec<Column>>>()?;
    let outputs = outputs
        .iter()
        .map(|signal| column(model, signal, Vec::new()));
    let mut outputs = outputs.collect::<PyResult<Vec<Column>>>()?;
    let mut row = 0;
    let ended = model.drive(py, (rows, Unit::Cycles), progress, |recorded, most| {
        let mut piece = Piece {
            status: Status::Ok,
            cycles: 0,
            done: 0,
        };
        while piece.done < most && piece.status == Status::Ok {
            one_row(
                recorded,
                clock,
                row,
                (&mut inputs, &mut outputs),
                &mut piece,
            )?;
            row += 1;
        }
        Ok(piece)
    })?;
    let columns = outputs.iter().map(|column| {
        let bytes: Vec<u8> = column
            .values
            .iter()
            .flat_map(|limb| limb.to_le_bytes())
            .collect();
        PyByteArray::new(py, &bytes)
    });
    let columns = columns.collect();
    Ok((model.answer(py, ended)?, columns))
}

fn one_row(
    recorded: &mut Recorded,
    clock: Clock,
    row: usize,
    (inputs, outputs): (&mut [Column], &mut [Column]),
    piece: &mut Piece,
) -> Result<(), Error> {
    let model = &mut recorded.model;
    for column in inputs {
        let limbs = &column.values[row * column.limbs..][..column.limbs];
        match limbs {
            [limb] => model.poke(column.signal, *limb)?,
            _ => model.poke_bits(
                column.signal,
                &Value::from_limbs(column.signal.width(), limbs),
            )?,
        }
    }
    let run = recorded.step(clock, 1)?;
    let model = &mut recorded.model;
    piece.status = run.status;
    piece.cycles += run.cycles;
    piece.done += 1;
    for column in outputs {
        match column.limbs {
            1 => column.values.push(model.peek(column.signal)?),
            _ => column
                .values
                .extend(model.peek_bits(column.signal)?.limbs()),
        }
    }
    Ok(())
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
