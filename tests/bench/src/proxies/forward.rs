//! What a proxy spends on a request that it forwards: our configuration beside one that a person writes for the same meaning.

use super::client::{Client, Request};
use super::server::{Server, envoy, free_port, nginx};
use super::{Options, build, by_hand, project};
use crate::tree;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Requests before the measurement.
const WARM_UP: usize = 2_000;
/// Hosts of the mesh, each with its service.
const SERVICES: usize = 20;
/// The two configurations are measured in turn as often; the least time of each counts, since all else is disturbance.
const ROUNDS: usize = 5;
/// What the endpoint answers.
const ANSWER: &str = "ok";

/// The rows of both proxies.
pub(super) fn table(options: &Options, folder: &Path) -> io::Result<String> {
    let mut text = String::from(
        "| proxy | by hand, us per request | ours, us per request | throughput of ours |\n|---|---:|---:|---:|\n",
    );
    for proxy in [Proxy::Envoy, Proxy::Nginx] {
        let bench = Bench { options, folder, proxy };
        let (by_hand, ours) = bench.measure()?;
        let name = proxy.name();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {name} | {by_hand:.1} | {ours:.1} | {:.2} x |", by_hand / ours);
    }
    Ok(text)
}

#[derive(Clone, Copy)]
enum Proxy {
    Envoy,
    Nginx,
}

impl Proxy {
    fn name(self) -> &'static str {
        match self {
            Self::Envoy => "Envoy",
            Self::Nginx => "nginx",
        }
    }
}

/// The ports of one measurement.
#[derive(Clone, Copy)]
struct Ports {
    proxy: u16,
    endpoint: u16,
}

struct Bench<'a> {
    options: &'a Options,
    folder: &'a Path,
    proxy: Proxy,
}

impl Bench<'_> {
    /// Microseconds of the proxy's processor time per request: by hand, and ours.
    fn measure(&self) -> io::Result<(f64, f64)> {
        let mut least = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            least.0 = self.round(Self::by_hand)?.min(least.0);
            least.1 = self.round(Self::ours)?.min(least.1);
        }
        Ok(least)
    }

    fn round(&self, write: fn(&Self, Ports) -> io::Result<PathBuf>) -> io::Result<f64> {
        tree::remove(self.folder)?;
        let ports = Ports { proxy: free_port()?, endpoint: free_port()? };
        let endpoint = self.folder.join("endpoint/nginx.conf");
        tree::write(&endpoint, by_hand::endpoint(ports.endpoint, ANSWER).as_bytes())?;
        let _endpoint = Server::start(nginx(self.options, &endpoint))?;
        Client::connect(ports.endpoint)?;
        let main = write(self, ports)?;
        let server = Server::start(self.command(&main))?;
        let mut client = Client::connect(ports.proxy)?;
        let requests = requests();
        client.send(&requests, WARM_UP)?;
        let before = server.cpu_time()?;
        client.send(&requests, self.options.requests)?;
        let spent = server.cpu_time()?.saturating_sub(before);
        Ok(spent.as_secs_f64() * 1e6 / self.options.requests as f64)
    }

    fn command(&self, main: &Path) -> Command {
        match self.proxy {
            Proxy::Envoy => envoy(self.options, main),
            Proxy::Nginx => nginx(self.options, main),
        }
    }

    fn by_hand(&self, ports: Ports) -> io::Result<PathBuf> {
        let endpoint = |_| format!("127.0.0.1:{}", ports.endpoint);
        let (name, text) = match self.proxy {
            Proxy::Envoy => ("envoy.yaml", by_hand::envoy(SERVICES, ports.proxy, endpoint)),
            Proxy::Nginx => ("nginx.conf", by_hand::nginx(SERVICES, ports.proxy, endpoint)),
        };
        let main = self.folder.join("by-hand").join(name);
        tree::write(&main, text.as_bytes())?;
        Ok(main)
    }

    fn ours(&self, ports: Ports) -> io::Result<PathBuf> {
        let (target, main) = match self.proxy {
            Proxy::Envoy => ("envoy", "edge.yaml"),
            Proxy::Nginx => ("nginx", "edge/nginx.conf"),
        };
        let source = self.folder.join("source");
        let endpoint = |_| format!("127.0.0.1:{}", ports.endpoint);
        let mesh = project::hosts(SERVICES, target, ports.proxy, endpoint);
        tree::write(&source.join("mesh.toml"), project::MANIFEST.as_bytes())?;
        tree::write(&source.join("mesh.mesh"), mesh.as_bytes())?;
        let main = build(self.options, &source, target, &[], &self.folder.join("out"))?.join(main);
        // The administration's port may be in use on this machine; nothing else is changed.
        let text = fs::read_to_string(&main)?;
        fs::write(&main, text.replace("port_value: 15000", "port_value: 0"))?;
        Ok(main)
    }
}

/// A request for each route of each host.
fn requests() -> Vec<Request> {
    let paths = ["/api/orders?page=2", "/items/4711", "/about"];
    let all = (0..SERVICES).flat_map(|service| paths.map(|path| (service, path)));
    all.map(|(service, path)| Request {
        bytes: format!(
            "GET {path} HTTP/1.1\r\nhost: svc-{service}.example.com\r\nuser-agent: bench\r\naccept: */*\r\n\r\n"
        )
        .into_bytes(),
        answer: ANSWER.as_bytes().to_vec(),
    })
    .collect()
}
