//! Views: a signal's or a memory's place in linear memory as a Python buffer, without a copy.
//!
//! A view keeps its model alive, and linear memory never moves, so a view is good for as long as Python has it. Two
//! things cannot be forgotten, because the model knows its live views: before each call, what a writable view may have
//! changed is cut to its width and the model is told of it (the ABI's `dirty`); after each call, the computed signals
//! that have views are computed again. Signals that share their bytes with others are mirrored.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use rtlwasm_host::{Access, Error, Place, Signal};

use crate::errors::asked;
use crate::mirror::Mirror;
use crate::model::Model;

/// Python reads numbers in the order of the machine, and linear memory is little-endian.
const _: () = assert!(cfg!(target_endian = "little"));

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
    mirrors: Vec<Arc<Mirror>>,
    /// Mirrors that are gone since the last call.
    released_mirrors: Vec<Arc<Mirror>>,
}

impl Views {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the book, and remembers that there is something in it.
    fn enter(&self, change: impl FnOnce(&mut Book)) {
        change(&mut self.book());
        self.any.store(true, Ordering::Release);
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
        for mirror in book.mirrors.iter().chain(&book.released_mirrors) {
            // It was writable when the mirror was made, and the value is cut to its width: this cannot fail.
            let _ = mirror.take_in(model);
        }
        book.released_mirrors.clear();
        let any =
            !book.writable.is_empty() || !book.computed.is_empty() || !book.mirrors.is_empty();
        self.any.store(any, Ordering::Release);
    }

    /// After a call: computed signals with views are computed again, mirrors show what they mirror.
    #[inline]
    pub fn after(&self, model: &mut rtlwasm_host::Model) -> Result<(), Error> {
        match self.any.load(Ordering::Acquire) {
            true => self.show(model),
            false => Ok(()),
        }
    }

    fn show(&self, model: &mut rtlwasm_host::Model) -> Result<(), Error> {
        let book = self.book();
        for signal in &book.computed {
            model.refresh_signal(*signal)?;
        }
        book.mirrors
            .iter()
            .try_for_each(|mirror| mirror.show(model))
    }
}

/// Exports numbers through the buffer protocol; `memoryview` and numpy hold on to it.
#[pyclass(frozen, module = "rtlwasm._native")]
pub struct View {
    model: Py<Model>,
    signal: Signal,
    source: Source,
    address: usize,
    writable: bool,
    place: Place,
    shape: [isize; 2],
    strides: [isize; 2],
}

/// What a view shows.
enum Source {
    /// A place in linear memory.
    Stored,
    /// A place that holds its value only when it is asked for.
    Computed,
    Mirrored(Arc<Mirror>),
}

impl View {
    /// A view of a signal of a model, which it keeps alive. `None` for a memory that has no place.
    pub fn new(
        py: Python<'_>,
        model: &Bound<'_, Model>,
        signal: Signal,
        writable: bool,
    ) -> PyResult<Option<View>> {
        let inner = model.get();
        let place = asked(py, || inner.host.place(signal))?;
        if place.is_none() && (signal.depth() > 0 || signal.width() == 0) {
            return Ok(None);
        }
        let (source, address, place) = inner.look(py, |model| match place {
            Some(place) if place.alone => {
                model.refresh_signal(signal)?;
                let source = match signal.access() {
                    Access::Computed => Source::Computed,
                    _ => Source::Stored,
                };
                let base = model.memory_address()?.0 as usize;
                Ok((source, base + place.offset, place))
            }
            _ => {
                let mirror = Arc::new(Mirror::new(model, signal, writable)?);
                let address = mirror.address();
                Ok((Source::Mirrored(mirror), address, numbers(signal)))
            }
        })?;
        let outer = match place.rows {
            1 if signal.depth() == 0 => [place.items, place.item_bytes],
            rows => [rows, place.stride],
        };
        let view = View {
            model: model.clone().unbind(),
            signal,
            source,
            address,
            writable,
            place,
            shape: [outer[0] as isize, place.items as isize],
            strides: [outer[1] as isize, place.item_bytes as isize],
        };
        inner.views.enter(|book| view.list(book));
        Ok(Some(view))
    }

    fn list(&self, book: &mut Book) {
        match &self.source {
            Source::Stored if self.writable => book.writable.push(self.place),
            Source::Stored => {}
            Source::Computed => book.computed.push(self.signal),
            Source::Mirrored(mirror) => book.mirrors.push(mirror.clone()),
        }
    }

    fn strike(&self, book: &mut Book) {
        match &self.source {
            Source::Stored if self.writable => {
                remove(&mut book.writable, |place| *place == self.place);
                if !book.released.contains(&self.place) {
                    book.released.push(self.place);
                }
            }
            Source::Stored => {}
            Source::Computed => remove(&mut book.computed, |signal| *signal == self.signal),
            Source::Mirrored(mirror) => {
                remove(&mut book.mirrors, |other| Arc::ptr_eq(other, mirror));
                if self.writable {
                    book.released_mirrors.push(mirror.clone());
                }
            }
        }
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
        let whole = [
            ffi::PyBUF_C_CONTIGUOUS,
            ffi::PyBUF_F_CONTIGUOUS,
            ffi::PyBUF_ANY_CONTIGUOUS,
        ];
        let refusal = if asks(ffi::PyBUF_WRITABLE) && !self.writable {
            "this view is read-only: ask for one with writable=True"
        } else if asks(ffi::PyBUF_F_CONTIGUOUS) && self.dimensions() == 2 {
            "rows lie one after the other: ask for C order"
        } else if self.place.stride != self.place.row_bytes()
            && (!asks(ffi::PyBUF_STRIDES) || whole.iter().any(|flag| asks(*flag)))
        {
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
        // SAFETY: not null, and by the protocol ours to fill; all that it points to lies in linear memory, in the view
        // or in its mirror, which `obj` keeps alive and which do not move.
        unsafe { (*view).obj = ptr::null_mut() };
        this.check(flags)?;
        let wants = |flag: c_int| flags & flag == flag;
        // SAFETY: as above.
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
        let model = self.model.get();
        model.views.enter(|book| self.strike(book));
    }
}

fn remove<T>(list: &mut Vec<T>, is_it: impl FnMut(&T) -> bool) {
    if let Some(at) = list.iter().position(is_it) {
        list.swap_remove(at);
    }
}

/// The numbers of a mirrored value, as those of one that is stored.
fn numbers(signal: Signal) -> Place {
    let (item_bytes, items) = match signal.width() {
        0..=8 => (1, 1),
        9..=16 => (2, 1),
        17..=32 => (4, 1),
        33..=64 => (8, 1),
        wide => (8, wide.div_ceil(64) as usize),
    };
    Place {
        offset: 0,
        item_bytes,
        items,
        rows: 1,
        stride: item_bytes * items,
        width: signal.width(),
        alone: true,
    }
}
