//! What the program is doing: shown when it takes long, and named when it fails.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

static CURRENT: Mutex<String> = Mutex::new(String::new());

/// Says what is being done from now on, such as `reading 14 files`.
pub(crate) fn begin(what: impl Into<String>) {
    if let Ok(mut current) = CURRENT.lock() {
        *current = what.into();
    }
}

/// What is being done.
pub(crate) fn current() -> String {
    CURRENT.lock().map(|current| current.clone()).unwrap_or_default()
}

/// How long a run may take before it says what it is doing.
const PATIENCE: Duration = Duration::from_millis(500);
const REFRESH: Duration = Duration::from_millis(100);

/// A line on the terminal that says what is being done; gone when it is dropped.
pub(crate) struct Progress {
    ended: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to watch; nothing if nobody does.
    pub(crate) fn start() -> Option<Self> {
        std::io::stderr().is_terminal().then(|| {
            let ended = Arc::new((Mutex::new(false), Condvar::new()));
            let shared = Arc::clone(&ended);
            Self { ended, thread: Some(std::thread::spawn(move || watch(&shared))) }
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Ok(mut ended) = self.ended.0.lock() {
            *ended = true;
        }
        self.ended.1.notify_all();
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

fn watch(shared: &(Mutex<bool>, Condvar)) {
    let mut shown = false;
    let mut wait = PATIENCE;
    loop {
        let Ok(ended) = shared.0.lock() else { return };
        let Ok((ended, _)) = shared.1.wait_timeout_while(ended, wait, |ended| !*ended) else { return };
        // A terminal that takes no text is not worth a failure.
        if *ended {
            if shown {
                _ = std::io::stderr().write_all(b"\r\x1b[2K");
            }
            return;
        }
        drop(ended);
        _ = std::io::stderr().write_all(format!("\r\x1b[2K{} ...", current()).as_bytes());
        shown = true;
        wait = REFRESH;
    }
}
