//! Signals that end the program: they wait until what was started, or half written, is gone.

use crate::exit::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The last signal that came in; 0 if none did.
pub(crate) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Keeps signals from ending the program at once.
    pub(crate) fn watch() -> Result<Self, Failure> {
        let told = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&told), number)
                .map_err(|error| Failure::new(format!("cannot watch for signals: {error}")))?;
        }
        Ok(Self(told))
    }

    /// Whether a signal came in.
    pub(crate) fn told(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Ends the program as the signal would have, if one came in.
    pub(crate) fn obey(&self) {
        if let Ok(signal) = i32::try_from(self.0.load(Ordering::Relaxed))
            && signal != 0
        {
            // Whoever started the program sees the signal, not an exit code. If that fails, the run goes on to its end.
            _ = low_level::emulate_default_handler(signal);
        }
    }
}
