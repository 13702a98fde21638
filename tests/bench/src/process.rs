//! Running programs that are measured.

use std::fs;
use std::io::{self, Read as _};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Runs a command to its end; one that fails ends the measurement with its own words.
///
/// # Errors
/// When the command cannot be run, or fails.
pub(crate) fn finish(mut command: Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    judge(&command, output.status, &output.stderr)
}

/// What a command took that was watched.
pub(crate) struct Watched {
    pub(crate) time: Duration,
    /// Largest resident memory in bytes; `None` where the system does not tell.
    pub(crate) memory: Option<u64>,
}

/// Runs a command as [`finish`] does, and watches its memory. Linux only: the kernel keeps the high-water mark, so that
/// sampling once a millisecond misses no more than what is taken in the last one.
///
/// # Errors
/// When the command cannot be run, or fails.
pub(crate) fn watch(mut command: Command) -> io::Result<Watched> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut stderr = child.stderr.take().ok_or_else(|| io::Error::other("no standard error"))?;
    let listener = thread::spawn(move || {
        let mut words = Vec::new();
        stderr.read_to_end(&mut words).map(|_| words)
    });
    let status = format!("/proc/{}/status", child.id());
    let mut memory = None;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        memory = high_water_mark(&status).max(memory);
        thread::sleep(Duration::from_millis(1));
    };
    let time = start.elapsed();
    let words = listener.join().map_err(|_| io::Error::other("nobody read standard error"))??;
    judge(&command, ended, &words)?;
    Ok(Watched { time, memory })
}

fn judge(command: &Command, ended: ExitStatus, words: &[u8]) -> io::Result<()> {
    if ended.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(words);
    let first: Vec<&str> = words.lines().take(20).collect();
    Err(io::Error::other(format!("{command:?} ended with {ended}:\n{}", first.join("\n"))))
}

/// `VmHWM` of /proc/PID/status, in bytes; a process that has ended has none.
fn high_water_mark(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Time that all threads of a process have spent on processors, in its own code and in the kernel; Linux only.
///
/// # Errors
/// When the system does not tell.
pub(crate) fn cpu_time(process: u32) -> io::Result<Duration> {
    let mut all = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
        all += nanoseconds
            .map(Duration::from_nanos)
            .ok_or_else(|| io::Error::other(format!("schedstat says {text:?}")))?;
    }
    Ok(all)
}
