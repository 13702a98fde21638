//! Lists of what is found by a host: virtual hosts by the host of a request, servers of TLS by the name that is asked for.

use super::{TlsServer, VirtualHost};
use crate::values::{HostMap, HostPattern};
use std::ops::Deref;
use std::sync::OnceLock;

/// What has names.
pub trait Named {
    /// The names; none of them stands in two elements of a list.
    fn names(&self) -> &[HostPattern];
}

impl Named for VirtualHost {
    fn names(&self) -> &[HostPattern] {
        &self.domains
    }
}

impl Named for TlsServer {
    fn names(&self) -> &[HostPattern] {
        &self.names
    }
}

/// A list whose elements are found by their names.
#[derive(Clone, Debug)]
pub struct ByName<T> {
    all: Vec<T>,
    /// Positions by name, made when somebody first asks.
    places: OnceLock<HostMap<usize>>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: OnceLock::new() }
    }
}

impl<T> From<Vec<T>> for ByName<T> {
    fn from(all: Vec<T>) -> Self {
        Self { all, places: OnceLock::new() }
    }
}

impl<T> Deref for ByName<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.all
    }
}

impl<'a, T> IntoIterator for &'a ByName<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl<T> IntoIterator for ByName<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a mut ByName<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.places = OnceLock::new();
        self.all.iter_mut()
    }
}

impl<T: Named> ByName<T> {
    /// The element with the most specific name that takes a host, with its position; of a host that is not said, `*` is the name.
    #[must_use]
    pub fn find(&self, host: Option<&str>) -> Option<(usize, &T)> {
        let at = *self.places().taking(host.unwrap_or_default())?;
        self.all.get(at).map(|found| (at, found))
    }

    /// The positions of the elements by their names.
    pub fn places(&self) -> &HostMap<usize> {
        self.places.get_or_init(|| {
            let all = self.all.iter().enumerate();
            all.flat_map(|(at, one)| one.names().iter().map(move |name| (name.clone(), at))).collect()
        })
    }

    pub(super) fn push(&mut self, one: T) {
        self.places = OnceLock::new();
        self.all.push(one);
    }

    pub(super) fn extend(&mut self, all: impl IntoIterator<Item = T>) {
        self.places = OnceLock::new();
        self.all.extend(all);
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.places = OnceLock::new();
        self.all.get_mut(at)
    }
}
