//! A program that is started, waited for and ended.

use super::client::Connection;
use super::client::Request;
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

/// What is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program, by its path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub folder: PathBuf,
    /// The file that takes all that it prints.
    pub log: PathBuf,
}

/// A running program. It is ended when this is dropped, with all that it has started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    status: Option<ExitStatus>,
}

/// Why a program is not ready.
#[derive(Debug)]
pub enum NotReady {
    /// It has ended by itself.
    Ended(ExitStatus),
    /// It took too long.
    TimedOut,
    /// Whoever waits was told to stop.
    Stopped,
    /// It could not be looked at.
    Failed(io::Error),
}

impl Launch {
    /// Starts the program in a process group of its own: a Ctrl-C on the terminal does not reach it before its parent.
    pub fn start(&self) -> io::Result<Process> {
        let log = File::create(&self.log)?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        Ok(Process { child, log: self.log.clone(), status: None })
    }
}

impl Process {
    /// Its id, which is that of its group too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The file of what it has printed.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Waits until all ports of the loopback take connections and, if the port of Envoy's administration is given, until it says
    /// that it is ready. `stop` is asked on the way.
    pub fn wait_ready(
        &mut self,
        ports: &[u16],
        admin: Option<u16>,
        limit: Duration,
        stop: impl Fn() -> bool,
    ) -> Result<(), NotReady> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended().map_err(NotReady::Failed)? {
                return Err(NotReady::Ended(status));
            }
            if admin.is_none_or(is_live) && ports.iter().all(|port| takes_connections(*port)) {
                return Ok(());
            }
            if stop() {
                return Err(NotReady::Stopped);
            }
            if Instant::now() >= deadline {
                return Err(NotReady::TimedOut);
            }
            std::thread::sleep(POLL);
        }
    }

    /// How it has ended, if it has.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
        }
        Ok(self.status)
    }

    /// Sends a signal to it and to all that it has started, such as `SIGHUP` to load its configuration anew.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process_group(Pid::from_child(&self.child), signal)?)
    }

    /// Asks it to end, and ends it when it does not within a few seconds.
    pub fn stop(&mut self) -> io::Result<()> {
        if self.ended()?.is_some() {
            // What it has started may live on without it; there is nobody left if this fails.
            _ = self.signal(Signal::KILL);
            return Ok(());
        }
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + GRACE;
        while self.ended()?.is_none() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        _ = self.signal(Signal::KILL);
        if self.status.is_none() {
            self.status = Some(self.child.wait()?);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that can't be ended has ended.
        _ = self.stop();
    }
}

fn takes_connections(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
}

/// Whether Envoy says that it serves.
fn is_live(admin: u16) -> bool {
    let asked = Connection::open(admin, None, Duration::from_millis(500))
        .and_then(|mut connection| connection.exchange(&Request::get("localhost", "/ready")));
    asked.is_ok_and(|answer| answer.status == 200)
}
