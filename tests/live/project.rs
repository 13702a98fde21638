//! A project that the program itself builds, over and over, and the proxy that runs on its output.

use super::stage::{LIMIT, Plane, Stage};
use meshc_cli::rig::{Launch, NotReady, Process, ports};
use meshc_targets::envoy::Layout;
use serde::Deserialize;
use serde_yaml::Value;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a source is, for the port of its gateway `edge`. The gateway binds to the loopback.
type Source<'s> = &'s dyn Fn(u16) -> String;

/// A project and its proxy.
pub(super) struct Project {
    pub(super) process: Process,
    /// What the proxy was started with.
    arguments: Vec<String>,
    folder: PathBuf,
    pub(super) port: u16,
}

impl Project {
    /// Builds a source and starts the proxy.
    pub(super) fn start(stage: &Stage, layout: Layout, source: Source<'_>) -> Self {
        // A port that was free may be taken a moment later.
        for _ in 0..3 {
            if let Some(project) = Self::attempt(stage, layout, source) {
                return project;
            }
        }
        panic!("it ended three times before it was ready");
    }

    fn attempt(stage: &Stage, layout: Layout, source: Source<'_>) -> Option<Self> {
        let [port, admin] = [(); 2].map(|()| ports::free().unwrap());
        let folder = stage.folder.path().join(format!("project-{port}"));
        let root = folder.join("out");
        let layout_name = Layout::WORDS.iter().find(|(_, one)| *one == layout).unwrap().0;
        let mut manifest = format!("targets = [\"{}\"]\n", stage.plane.name());
        manifest.push_str(&format!(
            "[envoy]\nlayout = \"{layout_name}\"\nroot = \"{}\"\nadmin = \"127.0.0.1:{admin}\"\n",
            root.join(stage.plane.name()).display()
        ));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("mesh.toml"), manifest).unwrap();
        build(stage, &folder, &source(port), port);
        let main = match (stage.plane, layout) {
            (Plane::Envoy, Layout::Static) => "edge.yaml",
            (Plane::Envoy, Layout::Filesystem) => "edge/envoy.yaml",
            (Plane::Nginx, _) => "edge/nginx.conf",
        };
        let main = root.join(stage.plane.name()).join(main).display().to_string();
        let prefix = folder.display().to_string();
        let arguments: Vec<&str> = match stage.plane {
            Plane::Envoy => vec!["-c", &main, "--concurrency", "1", "--log-level", "warning"],
            Plane::Nginx => vec!["-c", &main, "-p", &prefix, "-e", "stderr", "-g", "daemon off;"],
        };
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        if stage.plane == Plane::Envoy {
            let usual = || vec!["--disable-hot-restart".to_owned()];
            arguments.extend(container(&root).map_or_else(usual, |one| texts(&one["args"])[2..].to_vec()));
        }
        let launch = Launch {
            program: stage.program.clone(),
            arguments: arguments.iter().map(Into::into).collect(),
            folder: folder.clone(),
            log: folder.join("log"),
        };
        let mut process = launch.start().unwrap();
        let admin = (stage.plane == Plane::Envoy).then_some(admin);
        match process.wait_ready(&[port], admin, LIMIT, || false) {
            Ok(()) => Some(Self { process, arguments, folder, port }),
            Err(NotReady::Ended(_)) if process.output().contains("ddress already in use") => None,
            Err(error) => panic!("{error:?}\n{}", process.output()),
        }
    }

    /// Builds another source in the place of the last one, and has it read.
    pub(super) fn change(&self, stage: &Stage, source: Source<'_>) {
        build(stage, &self.folder, &source(self.port), self.port);
        if stage.plane == Plane::Nginx {
            let run =
                Command::new(&stage.program).args(&self.arguments).args(["-s", "reload"]).output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        }
    }

    /// What Kubernetes runs before it ends the proxy.
    pub(super) fn before_the_end(&self) -> Vec<String> {
        let container = container(&self.folder.join("out")).unwrap();
        texts(&container["lifecycle"]["preStop"]["exec"]["command"])
    }

    /// A connection on which nothing has been said.
    pub(super) fn open(&self) -> Option<TcpStream> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()
    }
}

/// Writes a source, and lets the program build it.
pub(super) fn build(stage: &Stage, folder: &Path, source: &str, port: u16) {
    fs::write(folder.join("a.mesh"), stage.filled(source, port)).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_meshc")).arg("build").current_dir(folder).output().unwrap();
    assert!(run.status.success(), "{}\n{source}", String::from_utf8_lossy(&run.stderr));
}

/// The container of the Deployment that stands in the output, if there is one.
pub(super) fn container(out: &Path) -> Option<Value> {
    let manifests =
        ["envoy", "nginx"].map(|target| out.join(target).join("kubernetes/_no-namespace/edge.yaml"));
    let text = manifests.iter().find_map(|path| fs::read_to_string(path).ok())?;
    serde_yaml::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).unwrap())
        .find(|document| document["kind"] == "Deployment")
        .map(|document| document["spec"]["template"]["spec"]["containers"][0].clone())
}

pub(super) fn texts(list: &Value) -> Vec<String> {
    list.as_sequence().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
