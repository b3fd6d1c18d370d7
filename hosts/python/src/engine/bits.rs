//! Values of signals of any width between Python and the model; a number that is too wide is cut, as an assignment does.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt};
use rtlwasm_host::Value;

/// The bits of a value. Which of the two it is depends on the width alone, so equal values are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bits {
    /// Up to 64 bits.
    Word(u64),
    Wide(Value),
}

impl Bits {
    /// The low `width` bits of a Python integer.
    pub fn from_python(value: &Bound<'_, PyAny>, width: u32) -> PyResult<Bits> {
        if width <= 64 {
            if let Ok(small) = value.extract::<i64>() {
                return Ok(Bits::Word(small as u64 & mask(width)));
            }
            let low = value.call_method1("__and__", (mask(width),))?;
            return Ok(Bits::Word(low.extract()?));
        }
        let py = value.py();
        let one = 1u32.into_pyobject(py)?.into_any();
        let low = value.bitand(one.lshift(width)?.sub(1)?)?;
        let bytes = low.call_method1("to_bytes", (width.div_ceil(64) * 8, "little"))?;
        let bytes = bytes.cast::<PyBytes>()?.as_bytes();
        let limbs: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|limb| u64::from_le_bytes(limb.try_into().expect("eight bytes")))
            .collect();
        Ok(Bits::Wide(Value::from_limbs(width, &limbs)))
    }

    /// As a Python integer.
    pub fn to_python<'py>(
        &self,
        py: Python<'py>,
        width: u32,
        signed: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Bits::Word(word) if signed && width > 0 => {
                let unused = 64 - width;
                let number = ((word << unused) as i64) >> unused;
                Ok(number.into_pyobject(py)?.into_any())
            }
            Bits::Word(word) => Ok(word.into_pyobject(py)?.into_any()),
            Bits::Wide(value) => {
                let bytes: Vec<u8> = value.limbs().iter().flat_map(|l| l.to_le_bytes()).collect();
                let number = py
                    .get_type::<PyInt>()
                    .call_method1("from_bytes", (PyBytes::new(py, &bytes), "little"))?;
                if !signed || !value.bit(width - 1) {
                    return Ok(number);
                }
                let one = 1u32.into_pyobject(py)?.into_any();
                number.sub(one.lshift(width)?)
            }
        }
    }

    /// The other way round.
    pub fn of(value: Value, width: u32) -> Bits {
        match width {
            0..=64 => Bits::Word(value.limbs()[0]),
            _ => Bits::Wide(value),
        }
    }

    /// As the host takes it.
    pub fn into_value(self, width: u32) -> Value {
        match self {
            Bits::Word(word) => Value::from_u64(width, word),
            Bits::Wide(value) => value,
        }
    }

    /// In words of 64 bits, the least significant first.
    pub fn limbs(&self) -> &[u64] {
        match self {
            Bits::Word(word) => std::slice::from_ref(word),
            Bits::Wide(value) => value.limbs(),
        }
    }

    pub fn is_zero(&self) -> bool {
        match self {
            Bits::Word(word) => *word == 0,
            Bits::Wide(value) => value.limbs().iter().all(|limb| *limb == 0),
        }
    }

    /// Sets or clears bit `index`.
    pub fn set_bit(&mut self, index: u32, on: bool) {
        let change = |limb: u64| limb & !(1 << (index % 64)) | u64::from(on) << (index % 64);
        match self {
            Bits::Word(word) => *word = change(*word),
            Bits::Wide(value) => {
                let mut limbs = value.limbs().to_vec();
                limbs[index as usize / 64] = change(limbs[index as usize / 64]);
                *value = Value::from_limbs(value.width(), &limbs);
            }
        }
    }

    /// Whether bit `index` is set.
    pub fn bit(&self, index: u32) -> bool {
        match self {
            Bits::Word(word) => word >> index & 1 == 1,
            Bits::Wide(value) => value.bit(index),
        }
    }
}

fn mask(width: u32) -> u64 {
    u64::MAX.checked_shr(64 - width).unwrap_or(0)
}
