//! Typed indices, arenas and side tables.
//!
//! Every entity of the netlist lives in an [`Arena`] and is named by a small copyable id. Facts that a
//! later stage derives about an entity hang beside it in a [`SideTable`] of that stage.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An index into an [`Arena`] of `T`.
pub struct Id<T> {
    raw: u32,
    marker: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The id of the `index`-th entity.
    pub fn new(index: usize) -> Self {
        Id {
            raw: u32::try_from(index).expect("more than 4 billion entities in one arena"),
            marker: PhantomData,
        }
    }

    /// Position in the arena.
    pub fn index(self) -> usize {
        self.raw as usize
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.raw)
    }
}

/// A growing list of entities, named by [`Id`].
#[derive(Clone, Debug)]
pub struct Arena<T> {
    items: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { items: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// Adds an entity and returns its id.
    pub fn push(&mut self, item: T) -> Id<T> {
        let id = Id::new(self.items.len());
        self.items.push(item);
        id
    }

    /// Number of entities.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = Id<T>> + ExactSizeIterator + use<T> {
        (0..self.items.len()).map(Id::new)
    }

    /// All entities with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Id<T>, &T)> + ExactSizeIterator {
        self.items
            .iter()
            .enumerate()
            .map(|(i, item)| (Id::new(i), item))
    }

    /// All entities, in order.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// All entities, in order, to change.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }

    /// The entity, or `None` when the id is of another arena.
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        self.items.get(id.index())
    }
}

impl<T> FromIterator<T> for Arena<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Arena {
            items: iter.into_iter().collect(),
        }
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;
    fn index(&self, id: Id<T>) -> &T {
        &self.items[id.index()]
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        &mut self.items[id.index()]
    }
}

/// One derived fact of type `V` for every entity of an arena of `T`.
#[derive(Clone, Debug)]
pub struct SideTable<T, V> {
    items: Vec<V>,
    marker: PhantomData<fn() -> T>,
}

impl<T, V: Clone> SideTable<T, V> {
    /// A table for the entities of `arena`, each fact being `value`.
    pub fn new(arena: &Arena<T>, value: V) -> Self {
        Self::with_len(arena.len(), value)
    }

    /// A table for `len` entities, each fact being `value`.
    pub fn with_len(len: usize, value: V) -> Self {
        SideTable {
            items: vec![value; len],
            marker: PhantomData,
        }
    }
}

impl<T, V> SideTable<T, V> {
    /// All facts with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Id<T>, &V)> {
        self.items.iter().enumerate().map(|(i, v)| (Id::new(i), v))
    }

    /// The fact, or `None` when there is none for that id.
    pub fn get(&self, id: Id<T>) -> Option<&V> {
        self.items.get(id.index())
    }

    /// Adds the fact of the next entity.
    pub fn push(&mut self, value: V) {
        self.items.push(value);
    }

    /// Number of facts.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T, V> Default for SideTable<T, V> {
    fn default() -> Self {
        SideTable {
            items: Vec::new(),
            marker: PhantomData,
        }
    }
}

impl<T, V> Index<Id<T>> for SideTable<T, V> {
    type Output = V;
    fn index(&self, id: Id<T>) -> &V {
        &self.items[id.index()]
    }
}

impl<T, V> IndexMut<Id<T>> for SideTable<T, V> {
    fn index_mut(&mut self, id: Id<T>) -> &mut V {
        &mut self.items[id.index()]
    }
}
