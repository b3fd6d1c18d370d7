//! What can be changed by whoever holds the interpreter lock, without another lock beside it.

use std::cell::{BorrowMutError, RefCell, RefMut};

/// A value of an object of Python. Only [`lock`] and [`Held::try_lock`] reach it: methods of such objects, which the
/// interpreter calls with its lock held, and its collector.
#[derive(Default)]
pub struct Held<T>(RefCell<T>);

// SAFETY: the cell is looked at with the interpreter lock held, so by one thread at a time. A guard that outlives that, as
// when Python code runs meanwhile, keeps the cell borrowed: who comes then is told so and touches nothing.
unsafe impl<T: Send> Sync for Held<T> {}

impl<T> Held<T> {
    pub fn new(value: T) -> Held<T> {
        Held(RefCell::new(value))
    }

    /// The value, unless somebody is at it.
    pub fn try_lock(&self) -> Result<RefMut<'_, T>, BorrowMutError> {
        self.0.try_borrow_mut()
    }
}

/// The value. A guard must not live while Python code can run: it could come here again, and panic.
pub fn lock<T>(held: &Held<T>) -> RefMut<'_, T> {
    held.0.borrow_mut()
}
