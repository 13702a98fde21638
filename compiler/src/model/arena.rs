//! Lists with typed indices.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// The place of a `T` in its [`Arena`].
pub struct Id<T> {
    index: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The element at a position of an arena that is still to be filled.
    pub(crate) fn at(position: usize) -> Self {
        Self { index: u32::try_from(position).unwrap_or(u32::MAX), of: PhantomData }
    }

    /// The position in the arena.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index as usize
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
        self.index == other.index
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
        self.index.cmp(&other.index)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

/// A list whose elements are named by [`Id`]s. Elements are never removed.
#[derive(Clone, Debug)]
pub struct Arena<T> {
    elements: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { elements: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// Adds an element.
    pub fn add(&mut self, element: T) -> Id<T> {
        let id = Id::at(self.elements.len());
        self.elements.push(element);
        id
    }

    /// The element at a place; `None` only for an id of another arena.
    #[must_use]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        self.elements.get(id.index())
    }

    /// The element at a place, to change it.
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        self.elements.get_mut(id.index())
    }

    /// All elements with their places, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Id<T>, &T)> + DoubleEndedIterator {
        self.elements.iter().enumerate().map(|(position, element)| (Id::at(position), element))
    }

    /// All elements in order.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.elements
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}

impl<T> FromIterator<T> for Arena<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self { elements: elements.into_iter().collect() }
    }
}
