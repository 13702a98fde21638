//! Envoy and nginx as programs: how they are found, configured and started.

use super::process::{Launch, NotReady, Process};
use super::rigged::Rigged;
use meshc_compiler::Model;
use meshc_compiler::model::Controller;
use meshc_compiler::routing::Proxy;
use meshc_targets::{Artifact, Options, Target, envoy, nginx};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a proxy may take until it serves.
const START: Duration = Duration::from_secs(60);
/// How often a start is tried anew when somebody else has taken a port.
const ATTEMPTS: usize = 3;

/// A proxy that runs without a control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Envoy.
    Envoy,
    /// nginx.
    Nginx,
}

/// A program that is such a proxy.
#[derive(Clone, Debug)]
pub struct Server {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub program: PathBuf,
    /// How long it may take until it serves.
    pub patience: Duration,
}

/// Why a proxy does not serve.
#[derive(Debug)]
pub enum NotServing {
    /// Something could not be done on this machine.
    Io(&'static str, io::Error),
    /// The program refused, and said this.
    Refused(String),
    /// It did not serve in time, and said this.
    TimedOut(String),
    /// The run was to be stopped.
    Stopped,
}

impl Kind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Envoy, Self::Nginx];

    /// The name of the program and of the target.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Envoy => "envoy",
            Self::Nginx => "nginx",
        }
    }

    /// What a gateway calls it.
    #[must_use]
    pub const fn controller(self) -> Controller {
        match self {
            Self::Envoy => Controller::Envoy,
            Self::Nginx => Controller::Nginx,
        }
    }

    /// Who writes its configuration.
    #[must_use]
    pub fn target(self) -> &'static dyn Target {
        match self {
            Self::Envoy => &envoy::Envoy,
            Self::Nginx => &nginx::Nginx,
        }
    }

    /// The files of a proxy; the first is the one that the program is given.
    #[must_use]
    pub fn configuration(self, model: &Model, proxy: &Proxy, options: &Options<'_>) -> Vec<Artifact> {
        match self {
            Self::Envoy => envoy::configuration(model, proxy, options),
            Self::Nginx => nginx::configuration(model, proxy, options),
        }
    }

    /// In the foreground, without anything that several of them on one machine would share.
    fn arguments(self, configuration: &Path, folder: &Path) -> Vec<OsString> {
        let words: Vec<&OsStr> = match self {
            Self::Envoy => ["-c".as_ref(), configuration.as_os_str()]
                .into_iter()
                .chain(
                    ["--disable-hot-restart", "--concurrency", "2", "--log-level", "warning"].map(OsStr::new),
                )
                .collect(),
            Self::Nginx => {
                let told = ["-e", "stderr", "-g", "daemon off;"].map(OsStr::new);
                let placed = ["-p".as_ref(), folder.as_os_str(), "-c".as_ref(), configuration.as_os_str()];
                told.into_iter().chain(placed).collect()
            }
        };
        words.into_iter().map(OsStr::to_os_string).collect()
    }
}

impl Server {
    /// The program of this name in the folders of `PATH`, or in those where systems keep servers.
    #[must_use]
    pub fn find(kind: Kind) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
        let program = folders.map(|folder| folder.join(kind.name())).find(|program| program.is_file())?;
        Some(Self::at(kind, program))
    }

    /// This program.
    #[must_use]
    pub fn at(kind: Kind, program: PathBuf) -> Self {
        Self { kind, program, patience: START }
    }

    /// Puts a plan on the loopback with `rig` and starts the proxy in a folder, with other ports if somebody took one of them in
    /// the meantime. `stop` is asked on the way.
    pub fn start(
        &self,
        model: &Model,
        options: &Options<'_>,
        folder: &Path,
        rig: impl Fn() -> io::Result<Rigged>,
        stop: impl Fn() -> bool,
    ) -> Result<(Rigged, Process), NotServing> {
        let mut attempt = 1;
        loop {
            let rigged = rig().map_err(|error| NotServing::Io("start upstreams on 127.0.0.1", error))?;
            match self.serve(model, options, folder, &rigged, &stop) {
                Err(NotServing::Refused(said)) if attempt < ATTEMPTS && is_taken(&said) => attempt += 1,
                Err(error) => return Err(error),
                Ok(process) => return Ok((rigged, process)),
            }
        }
    }

    fn serve(
        &self,
        model: &Model,
        options: &Options<'_>,
        folder: &Path,
        rigged: &Rigged,
        stop: impl Fn() -> bool,
    ) -> Result<Process, NotServing> {
        let options = Options { rig: Some(rigged.rig.clone()), ..options.clone() };
        let files = self.kind.configuration(model, &rigged.proxy, &options);
        let written =
            write(folder, &files).map_err(|error| NotServing::Io("write the configuration", error))?;
        let Some(configuration) = written else {
            let nothing = io::Error::new(io::ErrorKind::NotFound, "the proxy has no configuration");
            return Err(NotServing::Io("write the configuration", nothing));
        };
        let launch = Launch {
            program: self.program.clone(),
            arguments: self.kind.arguments(&configuration, folder),
            folder: folder.to_owned(),
            log: folder.join(format!("{}.log", self.kind.name())),
        };
        let mut process = launch.start().map_err(|error| NotServing::Io("start the program", error))?;
        let admin = (self.kind == Kind::Envoy).then_some(rigged.rig.admin);
        match process.wait_ready(&rigged.listening(), admin, self.patience, stop) {
            Ok(()) => Ok(process),
            Err(NotReady::Ended(_)) => Err(NotServing::Refused(process.output())),
            Err(NotReady::TimedOut) => Err(NotServing::TimedOut(process.output())),
            Err(NotReady::Stopped) => Err(NotServing::Stopped),
            Err(NotReady::Failed(error)) => Err(NotServing::Io("look at the program", error)),
        }
    }
}

/// Writes files below a folder; says where the first one is.
fn write(folder: &Path, files: &[Artifact]) -> io::Result<Option<PathBuf>> {
    for file in files {
        let place = folder.join(&file.path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(place, &file.text)?;
    }
    Ok(files.first().map(|file| folder.join(&file.path)))
}

fn is_taken(said: &str) -> bool {
    said.to_ascii_lowercase().contains("address already in use")
}
