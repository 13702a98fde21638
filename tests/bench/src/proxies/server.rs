//! Proxies that run while they are measured.

use super::Options;
use crate::process::cpu_time;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A proxy; ended when it is dropped.
pub(super) struct Server(Child);

impl Server {
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    /// What it has used of processors until now.
    pub(super) fn cpu_time(&self) -> io::Result<Duration> {
        cpu_time(self.0.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// nginx as one process.
pub(super) fn nginx(options: &Options, main: &Path) -> Command {
    let mut command = Command::new(&options.nginx);
    command.args(["-g", "daemon off; master_process off;", "-e", "stderr", "-p"]);
    command.arg(main.parent().unwrap_or(main)).arg("-c").arg(main);
    command
}

/// Envoy with one worker.
pub(super) fn envoy(options: &Options, main: &Path) -> Command {
    let mut command = Command::new(&options.envoy);
    command.args(["--concurrency", "1", "--log-level", "error", "--disable-hot-restart", "-c"]).arg(main);
    command
}

/// A port of loopback that nobody listened on a moment ago.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
