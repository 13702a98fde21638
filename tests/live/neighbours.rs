//! Builds over running proxies: pairs of neighbouring meshes, one put in the place of the other while requests are sent.
//!
//! Whatever is sent is answered as the old source says, or as the new one says, or not at all; never as neither says. A second later
//! it is answered as the source says that the proxy has read last: the new one, but for Envoy with everything in its bootstrap,
//! which is read at the start only.
//!
//! The program writes the files itself, in its own order.

use super::project::Project;
use super::stage::{Plane, Stage, on, seen, wait_for};
use crate::generated::random::Random;
use meshc_cli::rig::{Authority, Connection, Echo, Identity, Request, Speaks, Tls};
use meshc_targets::envoy::Layout;
use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn envoy_with_a_bootstrap_for_everything_keeps_what_it_has_read() {
    on(Plane::Envoy, |stage| neighbours(stage, Layout::Static));
}

#[test]
fn envoy_that_watches_files_goes_from_one_source_to_the_next() {
    on(Plane::Envoy, |stage| neighbours(stage, Layout::Filesystem));
}

#[test]
fn nginx_that_loads_anew_goes_from_one_source_to_the_next() {
    on(Plane::Nginx, |stage| neighbours(stage, Layout::Static));
}

/// Chains of neighbouring meshes, and how many builds each has.
const CHAINS: u64 = 3;
const BUILDS: usize = 6;

/// After this time nothing is wrong any more.
const SETTLED: Duration = Duration::from_secs(1);

/// Names that callers ask for, destinations, certificates of destinations' callers, authorities of callers.
const SITES: [&str; 5] = ["a", "b", "c", "d", "e"];
const DESTINATIONS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const SHOWN: [&str; 2] = ["left", "right"];
const AUTHORITIES: [&str; 2] = ["red", "blue"];

/// How one name is served.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Site {
    name: &'static str,
    served: Served,
    /// Where its requests or connections go.
    to: &'static str,
    /// Which certificate the destination is shown.
    shown: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    /// HTTP in TLS that ends at the listener.
    Https,
    /// The same for callers with a certificate of this authority.
    Mutual(&'static str),
    /// TLS ends at the listener, and what is in it is passed on.
    Tls,
    /// TLS passes through.
    Passed,
}

/// What comes of a request: whose certificate is shown, who is called, and what certificate they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    certificate: String,
    upstream: String,
    client: Option<String>,
}

impl Site {
    fn random(name: &'static str, random: &mut Random) -> Self {
        let served = match random.below(5) {
            0 => Served::Https,
            1 | 2 => Served::Mutual(random.pick(&AUTHORITIES)),
            3 => Served::Tls,
            _ => Served::Passed,
        };
        Self { name, served, to: random.pick(&DESTINATIONS), shown: random.pick(&SHOWN) }
    }

    /// What is expected of a caller with a certificate of this authority, or with none; `None` if it is turned away.
    fn outcome(&self, caller: Option<&str>) -> Option<Outcome> {
        let Self { name, served, to, shown } = self;
        let (certificate, upstream, client) = match served {
            Served::Https | Served::Tls => {
                (format!("of-{name}"), format!("{to}-{}", self.kind()), Some(*shown))
            }
            Served::Mutual(authority) if caller == Some(authority) => {
                (format!("of-{name}"), format!("{to}-{}", self.kind()), Some(*shown))
            }
            Served::Mutual(_) => return None,
            // The destination asks for certificates itself, and knows neither authority.
            Served::Passed if caller.is_some() => return None,
            Served::Passed => (format!("of-{to}"), format!("{to}-{}", self.kind()), None),
        };
        Some(Outcome { certificate, upstream, client: client.map(str::to_owned) })
    }

    /// Which port of a destination is called.
    fn kind(&self) -> &'static str {
        match self.served {
            Served::Https | Served::Mutual(_) => "http",
            Served::Tls => "tcp",
            Served::Passed => "tls",
        }
    }

    fn listener(&self, port: u16) -> String {
        let Self { name, served, .. } = self;
        let own = format!(r#"cert file "<of-{name}.pem>"; key file "<of-{name}.key>""#);
        let (protocol, tls) = match served {
            Served::Https => ("https", format!("tls simple {{ {own} }}")),
            Served::Mutual(authority) => {
                ("https", format!(r#"tls mutual {{ {own}; ca file "<{authority}.pem>" }}"#))
            }
            Served::Tls => ("tls", format!("tls simple {{ {own} }}")),
            Served::Passed => ("tls", "tls passthrough".to_owned()),
        };
        format!("listen {protocol} {port} {{ hosts {name}.test; bind 127.0.0.1; {tls} }}\n")
    }

    fn host(&self) -> String {
        let Self { name, served, to, shown } = self;
        let route = match served {
            Served::Https | Served::Mutual(_) => format!("route all -> {to}-http-{shown}"),
            Served::Tls => format!("tcp route all -> {to}-tcp-{shown}"),
            Served::Passed => format!("tls route all when sni {name}.test -> {to}-tls"),
        };
        format!("host {name}.test via edge {{ {route} }}\n")
    }
}

/// A mesh: what is served, and in which order it is written.
#[derive(Clone, Debug)]
struct Mesh {
    listeners: Vec<Site>,
    /// Positions in `listeners`, in the order of the host blocks.
    hosts: Vec<usize>,
    /// An ordering of what is declared beside.
    turned: bool,
}

impl Mesh {
    fn random(random: &mut Random) -> Self {
        let listeners: Vec<Site> =
            random.some(&SITES, 3).into_iter().map(|name| Site::random(name, random)).collect();
        let hosts = (0..listeners.len()).collect();
        Self { listeners, hosts, turned: false }
    }

    /// A mesh that differs in one thing: a site more or less, another place of a listener or of a block, another destination, other
    /// TLS.
    fn neighbour(&self, random: &mut Random) -> Self {
        let mut next = self.clone();
        let at = random.below(next.listeners.len());
        match random.below(6) {
            0 | 1 if next.listeners.len() < SITES.len() => {
                let known: BTreeSet<&str> = next.listeners.iter().map(|site| site.name).collect();
                let free: Vec<&'static str> =
                    SITES.into_iter().filter(|name| !known.contains(name)).collect();
                let site = Site::random(random.pick(&free), random);
                next.listeners.insert(random.below(next.listeners.len() + 1), site);
            }
            2 if next.listeners.len() > 2 => {
                next.listeners.remove(at);
            }
            3 => {
                let other = random.below(next.listeners.len());
                next.listeners.swap(at, other);
            }
            4 => next.turned = !next.turned,
            _ => {
                let name = next.listeners[at].name;
                next.listeners[at] = Site::random(name, random);
            }
        }
        let all: Vec<usize> = (0..next.listeners.len()).collect();
        next.hosts = random.some(&all, all.len());
        next
    }

    fn site(&self, name: &str) -> Option<&Site> {
        self.listeners.iter().find(|site| site.name == name)
    }

    fn outcome(&self, name: &str, caller: Option<&str>) -> Option<Outcome> {
        self.site(name)?.outcome(caller)
    }

    fn source(&self, port: u16) -> String {
        let mut text = String::from("gateway edge {\nworkload any\n");
        for site in &self.listeners {
            text.push_str(&site.listener(port));
        }
        text.push_str("}\n");
        for at in &self.hosts {
            text.push_str(&self.listeners[*at].host());
        }
        let mut services: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
        for site in &self.listeners {
            let shown = if site.served == Served::Passed { "" } else { site.shown };
            services.insert((site.to, site.kind(), shown));
        }
        let mut services: Vec<_> = services.into_iter().collect();
        if self.turned {
            services.reverse();
        }
        let mut addresses = String::new();
        for (to, kind, shown) in services {
            let name = [to, kind, shown].join("-");
            let name = name.trim_end_matches('-');
            let protocol = if kind == "http" { "https" } else { kind };
            let tls = if kind == "tls" {
                String::new()
            } else {
                format!(
                    r#"tls mutual {{ cert file "<{shown}.pem>"; key file "<{shown}.key>"; ca file "<ca.pem>"; sni {to}.test }}"#
                )
            };
            text.push_str(&format!("service {name} {{\nport {protocol} 443\n{tls}\n}}\n"));
            addresses.push_str(&format!("address {name} endpoints [<{to}-{kind}>]\n"));
        }
        text.push_str(&format!("bindings {{\n{addresses}}}\n"));
        text
    }
}

/// Everything around the proxy.
struct World {
    destinations: Vec<Echo>,
    identities: Vec<Identity>,
    authorities: Vec<Authority>,
    /// A caller's certificate of each authority.
    callers: Vec<(&'static str, Identity)>,
}

impl World {
    fn new(stage: &mut Stage) -> Self {
        let mut identities = Vec::new();
        for site in SITES {
            identities.push(stage.certificate(&format!("of-{site}"), &[&format!("{site}.test")]));
        }
        identities.extend(SHOWN.map(|shown| stage.certificate(shown, &[])));
        let mut destinations = Vec::new();
        for to in DESTINATIONS {
            let names = [format!("{to}.test")];
            let names: Vec<&str> = names.iter().map(String::as_str).chain(["*.test"]).collect();
            let own = stage.certificate(&format!("of-{to}"), &names);
            for (kind, speaks) in
                [("http", Speaks::Http), ("tcp", Speaks::Greeting), ("tls", Speaks::Greeting)]
            {
                destinations.push(stage.private(&format!("{to}-{kind}"), speaks, &own));
            }
            identities.push(own);
        }
        let authorities: Vec<Authority> =
            AUTHORITIES.iter().map(|name| stage.other_authority(name)).collect();
        let caller = |(name, authority): (&&'static str, &Authority)| {
            (*name, authority.issue(&format!("caller-{name}"), &[]).unwrap())
        };
        let callers = AUTHORITIES.iter().zip(&authorities).map(caller).collect();
        Self { destinations, identities, authorities, callers }
    }

    fn caller(&self, name: Option<&str>) -> Option<&Identity> {
        self.callers.iter().find(|(known, _)| Some(*known) == name).map(|(_, identity)| identity)
    }
}

/// What comes of a request or a connection for a site, on a connection that was opened before. Who is turned away gets nothing.
fn ask(
    stage: &Stage,
    world: &World,
    tcp: TcpStream,
    name: &str,
    caller: Option<&str>,
    is_http: bool,
) -> Option<Outcome> {
    let host = format!("{name}.test");
    let tls = Tls { server_name: Some(&host), identity: world.caller(caller), protocols: &["http/1.1"] };
    let mut connection = Connection::over(tcp, Some(&tls), Duration::from_secs(2)).ok()?;
    let certificate = stage.authority.name_of(connection.server_certificate()?);
    let told = if is_http {
        let answer = connection.exchange(&Request::get(&host, "/")).ok()?;
        (answer.status == 200).then(|| seen(&answer))?
    } else {
        serde_json::from_slice(&connection.read_line().ok()?).ok()?
    };
    Some(Outcome { certificate, upstream: told.upstream, client: told.client })
}

/// Every kind of caller of every site.
fn callers() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let kinds = [None, Some(AUTHORITIES[0]), Some(AUTHORITIES[1])];
    SITES.into_iter().flat_map(move |name| kinds.map(|caller| (name, caller)))
}

/// Whether callers of a site speak HTTP, as one of these meshes has it.
fn speaks_http(name: &str, meshes: [&Mesh; 2]) -> [bool; 2] {
    meshes.map(|mesh| {
        mesh.site(name).is_none_or(|site| matches!(site.served, Served::Https | Served::Mutual(_)))
    })
}

fn neighbours(stage: &mut Stage, layout: Layout) {
    let world = World::new(stage);
    assert_eq!(world.destinations.len(), 3 * DESTINATIONS.len());
    assert!(!world.identities.is_empty() && world.authorities.len() == AUTHORITIES.len());
    for chain in 0..CHAINS {
        let mut random = Random::new(chain);
        let first = Mesh::random(&mut random);
        let mut edge = Project::start(stage, layout, &|port| first.source(port));
        let reads_again = stage.plane == Plane::Nginx || layout == Layout::Filesystem;
        let mut old = first;
        for step in 0..BUILDS {
            let new = old.neighbour(&mut random);
            let now = if reads_again { new.clone() } else { old.clone() };
            let what = || {
                format!("chain {chain}, build {step}\nbefore:\n{}\nnow:\n{}", old.source(1), new.source(1))
            };
            // Connections that have said nothing yet when the change comes.
            let waiting: Vec<_> = callers().filter_map(|caller| Some((caller, edge.open()?))).collect();
            edge.change(stage, &|port| new.source(port));
            let changed = Instant::now();
            for ((name, caller), tcp) in waiting {
                let is_http = speaks_http(name, [&old, &new])[0];
                let got = ask(stage, &world, tcp, name, caller, is_http);
                let allowed = [old.outcome(name, caller), now.outcome(name, caller), None];
                assert!(allowed.contains(&got), "{name} for {caller:?} waited: {got:?}\n{}", what());
            }
            while changed.elapsed() < SETTLED {
                for (name, caller) in callers() {
                    for is_http in speaks_http(name, [&old, &new]) {
                        let Some(tcp) = edge.open() else { continue };
                        let got = ask(stage, &world, tcp, name, caller, is_http);
                        let allowed = [old.outcome(name, caller), now.outcome(name, caller), None];
                        assert!(allowed.contains(&got), "{name} for {caller:?}: {got:?}\n{}", what());
                    }
                }
            }
            for (name, caller) in callers() {
                let is_http = speaks_http(name, [&now, &now])[0];
                let wanted = now.outcome(name, caller);
                // A machine that is busy may take longer than a second to load anew; what is wrong for good stays wrong.
                let is_so =
                    || edge.open().and_then(|tcp| ask(stage, &world, tcp, name, caller, is_http)) == wanted;
                wait_for(
                    &format!("{name} for {caller:?}: {wanted:?}\n{}\n{}", what(), edge.process.output()),
                    is_so,
                );
            }
            assert!(edge.process.ended().unwrap().is_none(), "{}", edge.process.output());
            if reads_again {
                old = new;
            }
        }
    }
}
