//! Python integers and the values of signals, of any width, both ways.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};
use rtlwasm_host::Value;

use crate::errors::exception;

/// A value as an unsigned Python integer.
pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    if let Some(small) = value.to_u64() {
        return Ok(small.into_pyobject(py)?.into_any());
    }
    let bytes: Vec<u8> = value.limbs().iter().flat_map(|l| l.to_le_bytes()).collect();
    let bytes = PyBytes::new(py, &bytes);
    py.get_type::<PyInt>()
        .call_method1("from_bytes", (bytes, "little"))
}

/// An integer, anything with `__index__`, a truth value, or text such as `0x2a` and `8'h2a`, as a value of `width` bits. Negative
/// numbers are two's complement. `name` stands for the signal in errors.
pub fn from_python(value: &Bound<'_, PyAny>, width: u32, name: &str) -> PyResult<Value> {
    let py = value.py();
    if let Ok(text) = value.cast::<PyString>() {
        let parsed = Value::parse(text.to_str()?, width);
        return parsed.map_err(|e| exception(py, "ValueRangeError", format!("`{name}`: {e}")));
    }
    let class = value.get_type().name()?.to_string();
    let indexed = py.import("operator")?.call_method1("index", (value,));
    let number = match (indexed, class.as_str()) {
        (Ok(number), _) => number,
        // To Python the truth values of numpy are no numbers.
        (Err(_), "bool" | "bool_") => u8::from(value.is_truthy()?).into_pyobject(py)?.into_any(),
        (Err(_), class) => {
            let text = format!("`{name}` takes an int, or text such as \"0x2a\", and not {class}");
            return Err(PyTypeError::new_err(text));
        }
    };
    let range = 1u32.into_pyobject(py)?.into_any().lshift(width)?;
    let inside = match number.lt(0)? {
        true => number.neg()?.le(range.rshift(1)?)?,
        false => number.lt(&range)?,
    };
    if !inside {
        let text = if number.lt(0)? {
            format!("the least that it takes is -{}", range.rshift(1)?)
        } else if width <= 64 {
            format!(
                "it holds 0 to {}",
                u64::MAX.checked_shr(64 - width).unwrap_or(0)
            )
        } else {
            format!("it holds 0 to 2**{width} - 1")
        };
        return Err(exception(
            py,
            "ValueRangeError",
            format!("{number} does not fit `{name}`, whose width is {width}: {text}"),
        ));
    }
    let number = if number.lt(0)? {
        number.add(range)?
    } else {
        number
    };
    let bytes = number.call_method1("to_bytes", (width.div_ceil(64).max(1) * 8, "little"))?;
    Ok(Value::from_limbs(
        width,
        &limbs(bytes.cast::<PyBytes>()?.as_bytes()),
    ))
}

/// A number of cycles that Python hands in.
pub fn cycles(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    let told = "is no number of cycles: that is 0 to 2**64 - 1; to go back, take a snapshot and restore it";
    counted(value, told)
}

/// A time, or how long something takes.
pub fn time(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    let told =
        "is no time: that is 0 to 2**64 - 1 time units; to go back, take a snapshot and restore it";
    counted(value, told)
}

pub fn seed(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    counted(value, "is no seed: that is 0 to 2**64 - 1")
}

/// At which of its hits a watch stops a run.
pub fn hits(value: &Bound<'_, PyAny>) -> PyResult<u32> {
    counted(
        value,
        "is no number of hits: that is 0 to 2**32 - 1, and 0 waits for rearm",
    )
}

/// A whole number; one that is too small or too large is an error that says what to do.
fn counted<'py, T>(value: &Bound<'py, PyAny>, told: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    let py = value.py();
    value.extract::<T>().map_err(|error| {
        if !error.is_instance_of::<PyOverflowError>(py) {
            return error;
        }
        let bits = value.call_method0("bit_length");
        let is_long = bits.is_ok_and(|bits| bits.gt(256).unwrap_or(true));
        let shown = match is_long {
            true => "this".to_string(),
            false => value.to_string(),
        };
        exception(py, "ValueRangeError", format!("{shown} {told}"))
    })
}

fn limbs(bytes: &[u8]) -> Vec<u64> {
    let limb = |chunk: &[u8]| {
        let mut limb = [0; 8];
        limb[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(limb)
    };
    bytes.chunks(8).map(limb).collect()
}
