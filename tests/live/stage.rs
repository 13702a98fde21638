//! A mesh, a data plane that carries it, and upstreams, all on the loopback.

use crate::oracle::programs;
use meshc_cli::rig::{
    Authority, Connection, Echo, EchoOptions, Echoes, Identity, Launch, NotReady, Process, Request, Response,
    Security, Seen, Speaks, Tls, ports,
};
use meshc_compiler::routing::Proxy;
use meshc_compiler::{Checked, Input, Project, check};
use meshc_language::{Diagnostic, SourceFile};
use meshc_targets::envoy::{EnvoyOptions, Layout};
use meshc_targets::nginx::NginxOptions;
use meshc_targets::{Artifact, Gateways, Options, Target, envoy, fit, nginx, target};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing that goes well takes longer.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// A data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    Envoy,
    Nginx,
}

impl Plane {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Envoy => "envoy",
            Self::Nginx => "nginx",
        }
    }

    fn target(self) -> &'static dyn Target {
        target(self.name()).unwrap()
    }

    fn program(self) -> Option<PathBuf> {
        match self {
            Self::Envoy => programs::envoy(),
            Self::Nginx => programs::nginx(),
        }
    }

    /// What is answered for an upstream that does not answer.
    pub(super) fn unavailable(self) -> u16 {
        match self {
            Self::Envoy => 503,
            Self::Nginx => 502,
        }
    }
}

/// Where a test takes place. What sources name in `<...>` is filled in: `<NAME>` is the address of an upstream, `<NAME.pem>` and
/// `<NAME.key>` are the files of a certificate or an authority, `<port>` is a free port.
pub(super) struct Stage {
    pub(super) plane: Plane,
    /// How Envoy's configuration is split into files.
    pub(super) layout: Layout,
    /// How nginx is configured.
    pub(super) nginx: NginxOptions,
    pub(super) folder: TempDir,
    /// Signs what is made by [`Stage::certificate`].
    pub(super) authority: Authority,
    pub(super) program: PathBuf,
    echoes: Echoes,
    values: Vec<(String, String)>,
}

/// A running data plane.
pub(super) struct Running {
    pub(super) process: Process,
    /// The folder of its configuration.
    pub(super) folder: PathBuf,
    /// The file that it was started with.
    pub(super) main: PathBuf,
    /// `<port>`.
    pub(super) port: u16,
}

/// Runs a test on a data plane, if its program is there.
pub(super) fn on(plane: Plane, test: impl FnOnce(&mut Stage)) {
    let Some(program) = plane.program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca").unwrap();
    let mut stage = Stage {
        plane,
        layout: Layout::default(),
        nginx: NginxOptions::default(),
        values: Vec::new(),
        echoes: Echoes::new().unwrap(),
        folder,
        authority,
        program,
    };
    stage.name_file("ca.pem");
    test(&mut stage);
}

impl Stage {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn name_file(&mut self, name: &str) {
        let path = self.path(name).display().to_string();
        self.name_value(name, path);
    }

    /// Names an upstream that the test has made.
    pub(super) fn name_address(&mut self, name: &str, port: u16) {
        self.name_value(name, format!("127.0.0.1:{port}"));
    }

    /// What a name stands for; no longer for what it stood for before.
    fn name_value(&mut self, name: &str, value: String) {
        self.values.retain(|(known, _)| known != name);
        self.values.push((name.to_owned(), value));
    }

    /// A certificate of the authority for these names.
    pub(super) fn certificate(&mut self, name: &str, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let identity = self.authority.issue(name, &names).unwrap();
        self.name_file(&format!("{name}.pem"));
        self.name_file(&format!("{name}.key"));
        identity
    }

    /// Lets the authority revoke a certificate; `<NAME.crl>` is the list.
    pub(super) fn revoke(&mut self, name: &str, identity: &Identity) {
        self.authority.revoke(&[identity], &self.path(&format!("{name}.crl"))).unwrap();
        self.name_file(&format!("{name}.crl"));
    }

    /// Another authority.
    pub(super) fn other_authority(&mut self, name: &str) -> Authority {
        self.name_file(&format!("{name}.pem"));
        Authority::new(self.folder.path(), name).unwrap()
    }

    /// An upstream for HTTP without TLS.
    pub(super) fn echo(&mut self, name: &str) -> Echo {
        self.upstream(name, Speaks::Http, Security::Plain)
    }

    /// An upstream that says who it is.
    pub(super) fn greeter(&mut self, name: &str) -> Echo {
        self.upstream(name, Speaks::Greeting, Security::Plain)
    }

    /// An upstream that wants TLS and shows this certificate.
    pub(super) fn private(&mut self, name: &str, speaks: Speaks, identity: &Identity) -> Echo {
        let options =
            EchoOptions { name: name.to_owned(), speaks, security: Security::Tls(&self.authority, identity) };
        let echo = self.echoes.start(options).unwrap();
        self.name_address(name, echo.port());
        echo
    }

    /// An upstream that takes TLS from those who start with it, and goes without from others.
    pub(super) fn either(&mut self, name: &str, identity: &Identity) -> Echo {
        let security = Security::Either(&self.authority, identity);
        let options = EchoOptions { name: name.to_owned(), speaks: Speaks::Http, security };
        let echo = self.echoes.start(options).unwrap();
        self.name_address(name, echo.port());
        echo
    }

    fn upstream(&mut self, name: &str, speaks: Speaks, security: Security<'_>) -> Echo {
        let echo = self.echoes.start(EchoOptions { name: name.to_owned(), speaks, security }).unwrap();
        self.name_address(name, echo.port());
        echo
    }

    /// Starts the data plane with the proxy of the gateway `edge`; without one, with the outbound proxy.
    pub(super) fn start(&self, source: &str) -> Running {
        // A port that was free may be taken a moment later.
        for _ in 0..3 {
            if let Some(running) = self.attempt(source) {
                return running;
            }
        }
        panic!("{} ended three times before it was ready", self.plane.name());
    }

    fn attempt(&self, source: &str) -> Option<Running> {
        let [port, admin] = [(); 2].map(|()| ports::free().unwrap());
        let text = self.filled(source, port);
        let (checked, files) = checked(&text);
        let folder = self.path(&format!("configuration-{port}"));
        let (listening, artifacts) = self.emitted(&checked, &files, &folder);
        for artifact in &artifacts {
            let path = folder.join(&artifact.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &artifact.text).unwrap();
        }
        let main = folder.join(&artifacts.first().unwrap().path);
        if self.plane == Plane::Envoy {
            set_admin(&main, admin);
        }
        let mut process = self.launch(&folder, &main).start().unwrap();
        let admin = (self.plane == Plane::Envoy).then_some(admin);
        match process.wait_ready(&listening, admin, LIMIT, || false) {
            Ok(()) => Some(Running { process, folder, main, port }),
            Err(NotReady::Ended(_)) if process.output().contains("ddress already in use") => None,
            Err(error) => panic!("{error:?}\n{}\n{text}", process.output()),
        }
    }

    /// The text of a source with its values.
    pub(super) fn filled(&self, source: &str, port: u16) -> String {
        let mut text = source.replace("<port>", &port.to_string());
        for (name, value) in &self.values {
            text = text.replace(&format!("<{name}>"), value);
        }
        assert!(!text.contains('<'), "nothing is known for a name in {text}");
        text
    }

    /// The ports of a proxy and its files. All listeners are bound to the loopback.
    fn emitted(&self, checked: &Checked, files: &[SourceFile], folder: &Path) -> (Vec<u16>, Vec<Artifact>) {
        let options = self.options(files, folder);
        let (fitted, reports) = fit(self.plane.target(), checked, &options);
        let fitted = fitted.unwrap_or_else(|| panic!("does not fit: {:?}", messages(&reports, files)));
        let named = |name: &str| fitted.proxies().iter().find(|proxy| proxy.name == name);
        let proxy = named("edge").or_else(|| named("outbound"));
        let mut proxy = Proxy::clone(proxy.unwrap_or_else(|| panic!("no gateway is called `edge`")));
        for listener in &mut proxy.listeners {
            listener.bind = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let ports = proxy.listeners.iter().map(|listener| listener.port).collect();
        (ports, self.configuration(checked, &proxy, &options))
    }

    /// Everything that is made of a source, as it is written to disk.
    pub(super) fn artifacts(&self, source: &str) -> Vec<Artifact> {
        let text = self.filled(source, 1);
        let (checked, files) = checked(&text);
        let options = self.options(&files, self.folder.path());
        let (fitted, reports) = fit(self.plane.target(), &checked, &options);
        fitted.unwrap_or_else(|| panic!("does not fit: {:?}", messages(&reports, &files))).emit(&options)
    }

    fn configuration(&self, checked: &Checked, proxy: &Proxy, options: &Options<'_>) -> Vec<Artifact> {
        match self.plane {
            Plane::Envoy => envoy::configuration(checked.model(), proxy, options),
            Plane::Nginx => nginx::configuration(checked.model(), proxy, options),
        }
    }

    fn options<'f>(&self, files: &'f [SourceFile], folder: &Path) -> Options<'f> {
        let root = folder.display().to_string();
        Options {
            files,
            gateways: Gateways::All,
            envoy: EnvoyOptions { layout: self.layout, root, ..EnvoyOptions::default() },
            nginx: self.nginx.clone(),
            ..Options::default()
        }
    }

    fn launch(&self, folder: &Path, main: &Path) -> Launch {
        let main = main.display().to_string();
        let arguments = match self.plane {
            Plane::Envoy => {
                vec!["-c", &main, "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]
                    .into_iter()
                    .map(Into::into)
                    .collect()
            }
            Plane::Nginx => nginx_arguments(folder, &main),
        };
        Launch {
            program: self.program.clone(),
            arguments,
            folder: folder.to_owned(),
            log: folder.join("log"),
        }
    }

    /// Asserts that the data plane takes a source, and names its caveat at the line that has this text.
    pub(super) fn assert_caveat(&self, source: &str, at: &str) {
        self.assert_caveat_at(source, line_of(source, at));
    }

    /// The same at a line that may be one of the standard library.
    pub(super) fn assert_caveat_at(&self, source: &str, line: usize) {
        let (fits, reports) = self.judged(source);
        assert!(
            fits && reports.iter().any(|(at, text)| *at == line && text.contains("MESH0505")),
            "{reports:?}"
        );
    }

    /// Asserts that the data plane refuses a source, at the line that has this text and nowhere else.
    pub(super) fn assert_refused(&self, source: &str, at: &str) {
        let (fits, mut reports) = self.judged(source);
        reports.retain(|(_, text)| text.contains("MESH0501"));
        assert!(!fits && !reports.is_empty(), "it fits: {source}");
        let line = line_of(source, at);
        assert!(reports.iter().all(|(at, _)| *at == line), "expected at {line}: {reports:?}");
    }

    /// Whether a source fits, and what there is to report: line and message.
    fn judged(&self, source: &str) -> (bool, Vec<(usize, String)>) {
        let text = self.filled(source, 1);
        let (checked, files) = checked(&text);
        let options = self.options(&files, self.folder.path());
        let (fitted, reports) = fit(self.plane.target(), &checked, &options);
        (fitted.is_some(), messages(&reports, &files))
    }
}

fn line_of(source: &str, text: &str) -> usize {
    source.lines().position(|line| line.contains(text)).unwrap() + 1
}

fn checked(text: &str) -> (Checked, Vec<SourceFile>) {
    let file = SourceFile { name: "mesh.mesh".to_owned(), text: text.to_owned() };
    let project = Project::read(vec![Input { module: "mesh".to_owned(), file }]);
    let compilation = check(&project, None, &meshc_compiler::Options::default());
    let reports = messages(&compilation.reports, &project.files);
    let [(_, Some(checked))] = compilation.environments.as_slice() else { panic!("{reports:?}\n{text}") };
    (checked.clone(), project.files)
}

fn messages(reports: &[Diagnostic], files: &[SourceFile]) -> Vec<(usize, String)> {
    let line = |report: &Diagnostic| {
        let text = &files.get(report.span.file.0 as usize).unwrap().text;
        text.get(..report.span.start as usize).unwrap().matches('\n').count() + 1
    };
    reports.iter().map(|report| (line(report), format!("{} {}", report.code, report.message))).collect()
}

/// What nginx writes goes to the folder of its configuration.
fn nginx_arguments(folder: &Path, main: &str) -> Vec<OsString> {
    let prefix = folder.display().to_string();
    ["-c", main, "-p", &prefix, "-e", "stderr", "-g", "daemon off;"].map(Into::into).into()
}

/// Gives Envoy's administration a port of its own: many run beside each other here.
fn set_admin(bootstrap: &Path, port: u16) {
    let text = fs::read_to_string(bootstrap).unwrap();
    assert_eq!(text.matches("port_value: 15000").count(), 1, "{text}");
    fs::write(bootstrap, text.replace("port_value: 15000", &format!("port_value: {port}"))).unwrap();
}

impl Running {
    /// All files of the configuration below its folder, with `/`, and what is in them.
    pub(super) fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "yaml" || end == "conf") {
                    let text = fs::read_to_string(&path).unwrap();
                    found.insert(path, text);
                }
            }
        }
        found
    }

    /// The only file of the configuration whose name begins like this, and what is in it.
    pub(super) fn file(&self, begin: &str) -> (PathBuf, String) {
        let mut files = self.files();
        files.retain(|path, _| path.file_name().unwrap().to_str().unwrap().starts_with(begin));
        assert_eq!(files.len(), 1, "{:?}", files.keys());
        files.pop_first().unwrap()
    }

    /// Loads what has changed: Envoy does so by itself.
    pub(super) fn reload(&self, stage: &Stage) {
        assert!(stage.plane == Plane::Envoy || self.reloads(stage));
    }

    /// Whether nginx takes what has changed.
    pub(super) fn reloads(&self, stage: &Stage) -> bool {
        let mut arguments = nginx_arguments(&self.folder, &self.main.display().to_string());
        arguments.extend(["-s".into(), "reload".into()]);
        Command::new(&stage.program).args(arguments).output().unwrap().status.success()
    }

    /// A connection without TLS.
    pub(super) fn connect(&self) -> Connection {
        Connection::open(self.port, None, LIMIT).unwrap()
    }

    /// The answer to a request on a connection of its own.
    pub(super) fn ask(&self, request: &Request) -> Response {
        self.connect().exchange(request).unwrap()
    }

    /// The answer to a request on a TLS connection of its own, or why there is none.
    pub(super) fn ask_privately(&self, tls: &Tls<'_>, request: &Request) -> io::Result<Response> {
        Connection::open(self.port, Some(tls), LIMIT)?.exchange(request)
    }
}

/// What an upstream says it was sent.
pub(super) fn seen(answer: &Response) -> Seen {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

/// Puts a file in the place of another, as those do who want it read whole.
pub(super) fn swap(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

/// Asks until the answer is as wanted.
pub(super) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
