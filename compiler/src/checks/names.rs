//! Names of hosts, each for the host blocks of one namespace or of all of them.

use crate::values::{HostMap, HostPattern};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// Names of hosts by namespace; `None` stands for all namespaces.
#[derive(Debug, Default)]
pub(super) struct Names {
    scopes: FxHashMap<Option<Option<SmolStr>>, HostMap<()>>,
}

impl Names {
    pub(super) fn add(&mut self, scope: Option<Option<&str>>, pattern: &HostPattern) {
        self.scopes.entry(owned(scope)).or_default().add(pattern.clone(), ());
    }

    /// Whether a name of exactly this scope has a host in common with a pattern.
    pub(super) fn overlap(&self, scope: Option<Option<&str>>, pattern: &HostPattern) -> bool {
        self.scopes.get(&owned(scope)).is_some_and(|names| names.has_overlap(pattern))
    }
}

fn owned(scope: Option<Option<&str>>) -> Option<Option<SmolStr>> {
    scope.map(|namespace| namespace.map(SmolStr::new))
}
