//! Where an item belongs.

use crate::project::ModuleId;
use crate::values::Namespace;
use meshc_language::Span;
use std::ops::Deref;

/// A resource of the mesh: what was declared, and where it belongs.
#[derive(Clone, Debug)]
pub struct Resource<T> {
    /// What was declared.
    pub declared: T,
    /// Its Kubernetes namespace; `None` where the file names none.
    pub namespace: Option<Namespace>,
    /// Its module.
    pub module: ModuleId,
    /// Where the templates that it comes from were applied.
    pub applied: Vec<Span>,
    /// Whether a part of it could not be read: nothing may be concluded from what is absent.
    pub incomplete: bool,
    /// Whether an error was reported in it: a statement or an element of a list may have been meant that is not here,
    /// though all that others may name is.
    pub faulty: bool,
}

impl<T> Resource<T> {
    /// Its namespace as text.
    #[must_use]
    pub fn namespace_name(&self) -> Option<&str> {
        self.namespace.as_ref().map(Namespace::as_str)
    }
}

impl<T> Resource<T> {
    /// The same with something else that it says, and what it said.
    pub(crate) fn with<U>(self, declared: U) -> (Resource<U>, T) {
        let Self { declared: old, namespace, module, applied, incomplete, faulty } = self;
        (Resource { declared, namespace, module, applied, incomplete, faulty }, old)
    }
}

impl<T> Deref for Resource<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.declared
    }
}
