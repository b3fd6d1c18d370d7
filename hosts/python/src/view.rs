//! Views: a signal's or a memory's place in linear memory as a Python buffer, without a copy.
//!
//! A view keeps its model alive, and linear memory never moves, so a view is good for as long as Python has it. Two
//! things cannot be forgotten, because the model knows its live views: before each call, what a writable view may have
//! changed is cut to its width and the model is told of it (the ABI's `dirty`); after each call, the computed signals
//! that have views are computed again.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use rtlwasm_host::{Error, Place, Signal};

use crate::model::Model;

/// The live views of one model.
#[derive(Default)]
pub struct Views {
    /// False when `book` has nothing in it: all that a call without views looks at.
    any: AtomicBool,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    writable: Vec<Place>,
    /// Places of writable views that are gone since the last call.
    released: Vec<Place>,
    computed: Vec<Signal>,
}

impl Views {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a call: the model takes in what was written through views.
    #[inline]
    pub fn before(&self, model: &mut rtlwasm_host::Model) {
        if self.any.load(Ordering::Acquire) {
            self.take_in(model);
        }
    }

    fn take_in(&self, model: &mut rtlwasm_host::Model) {
        let mut book = self.book();
        if !book.writable.is_empty() || !book.released.is_empty() {
            model.written_directly(&book.writable);
            model.written_directly(&book.released);
            book.released.clear();
        }
        let any = !book.writable.is_empty() || !book.computed.is_empty();
        self.any.store(any, Ordering::Release);
    }

    /// After a call: computed signals with views are computed again.
    #[inline]
    pub fn after(&self, model: &mut rtlwasm_host::Model) -> Result<(), Error> {
        if self.any.load(Ordering::Acquire) {
            let computed = self.book().computed.clone();
            for signal in computed {
                model.refresh_signal(signal)?;
            }
        }
        Ok(())
    }
}

/// Exports a place through the buffer protocol; `memoryview` and numpy hold on to it.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct View {
    model: Py<Model>,
    signal: Signal,
    place: Place,
    address: usize,
    writable: bool,
    computed: bool,
    shape: [isize; 2],
    strides: [isize; 2],
}

impl View {
    /// A view of a place of a model, which it keeps alive.
    pub fn new(
        py: Python<'_>,
        model: &Bound<'_, Model>,
        signal: Signal,
        place: Place,
        writable: bool,
    ) -> PyResult<View> {
        let inner = model.get();
        let computed = signal.access() == rtlwasm_host::Access::Computed;
        let base = inner.lock(py)?.model.memory_address().0 as usize;
        let mut book = inner.views.book();
        if writable {
            book.writable.push(place);
        }
        if computed {
            book.computed.push(signal);
        }
        if writable || computed {
            inner.views.any.store(true, Ordering::Release);
        }
        drop(book);
        let outer = match place.rows {
            1 if signal.depth() == 0 => [place.items, place.item_bytes],
            rows => [rows, place.stride],
        };
        Ok(View {
            model: model.clone().unbind(),
            signal,
            place,
            address: base + place.offset,
            writable,
            computed,
            shape: [outer[0] as isize, place.items as isize],
            strides: [outer[1] as isize, place.item_bytes as isize],
        })
    }

    /// Rows of several numbers have two dimensions.
    fn dimensions(&self) -> usize {
        if self.signal.depth() > 0 && self.place.items > 1 {
            2
        } else {
            1
        }
    }

    fn format(&self) -> &'static CStr {
        match self.place.item_bytes {
            1 => c"B",
            2 => c"H",
            4 => c"I",
            _ => c"Q",
        }
    }

    fn check(&self, flags: c_int) -> PyResult<()> {
        let asks = |flag: c_int| flags & flag == flag;
        let refusal = if asks(ffi::PyBUF_WRITABLE) && !self.writable {
            "this view is read-only: ask for one with writable=True"
        } else if asks(ffi::PyBUF_F_CONTIGUOUS) && self.dimensions() == 2 {
            "rows lie one after the other: ask for C order"
        } else if !asks(ffi::PyBUF_STRIDES) && self.place.stride != self.place.row_bytes() {
            "there are gaps between the rows: ask for a buffer with strides"
        } else {
            return Ok(());
        };
        Err(PyBufferError::new_err(refusal))
    }
}

#[pymethods]
impl View {
    /// # Safety
    /// Called by Python with a `Py_buffer` to fill.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("there is no buffer to fill"));
        }
        let this = slf.get();
        // SAFETY: not null, and by the protocol ours to fill; all that it points to lies in linear memory or in the
        // view itself, which `obj` keeps alive and which does not move.
        unsafe { (*view).obj = ptr::null_mut() };
        this.check(flags)?;
        let wants = |flag: c_int| flags & flag == flag;
        unsafe {
            (*view).buf = this.address as *mut c_void;
            (*view).len = (this.place.rows * this.place.row_bytes()) as isize;
            (*view).readonly = c_int::from(!this.writable);
            (*view).itemsize = this.place.item_bytes as isize;
            (*view).format = ptr::null_mut();
            (*view).ndim = this.dimensions() as c_int;
            (*view).shape = ptr::null_mut();
            (*view).strides = ptr::null_mut();
            (*view).suboffsets = ptr::null_mut();
            (*view).internal = ptr::null_mut();
            if wants(ffi::PyBUF_FORMAT) {
                (*view).format = this.format().as_ptr().cast_mut();
            }
            if wants(ffi::PyBUF_ND) {
                (*view).shape = this.shape.as_ptr().cast_mut();
            }
            if wants(ffi::PyBUF_STRIDES) {
                (*view).strides = this.strides.as_ptr().cast_mut();
            }
            (*view).obj = slf.into_any().into_ptr();
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.model)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let mut book = self.model.get().views.book();
        if self.writable {
            remove(&mut book.writable, &self.place);
            if !book.released.contains(&self.place) {
                book.released.push(self.place);
            }
        }
        if self.computed {
            remove(&mut book.computed, &self.signal);
        }
    }
}

fn remove<T: PartialEq>(list: &mut Vec<T>, item: &T) {
    if let Some(at) = list.iter().position(|other| other == item) {
        list.swap_remove(at);
    }
}
