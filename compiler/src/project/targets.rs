//! `in envoy { ... }`: blocks that exist for some targets only.

use crate::values::Controller;
use std::sync::atomic::{AtomicBool, Ordering};

/// The target that the sources are read for.
#[derive(Debug)]
pub(crate) struct Targets {
    /// Whose blocks are read.
    pub(crate) current: Option<Controller>,
    /// All that the project builds.
    pub(crate) known: Vec<Controller>,
    /// Whether a block for targets was met: another target then reads other statements.
    met: AtomicBool,
}

impl Targets {
    pub(crate) fn new(current: Option<Controller>, known: Vec<Controller>) -> Self {
        Self { current, known, met: AtomicBool::new(false) }
    }

    /// Whether a block that names these targets is read.
    pub(super) fn applies(&self, named: &[Controller]) -> bool {
        self.met.store(true, Ordering::Relaxed);
        self.current.is_some_and(|current| named.contains(&current))
    }

    /// Whether targets differ in what they read.
    pub(crate) fn differ(&self) -> bool {
        self.met.load(Ordering::Relaxed)
    }
}
