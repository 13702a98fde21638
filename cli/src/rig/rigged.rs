//! A plan put on the loopback: every listener on a free port, an upstream that says what it was sent in place of every other.

use super::certificates::{Authority, Identity};
use super::echo::{Echo, EchoOptions, Echoes, Security, Speaks};
use super::{mesh_tls, ports};
use meshc_compiler::model::Id;
use meshc_compiler::policy::{ClientTlsMode, Method, RewriteKind, SimpleBalancing};
use meshc_compiler::routing::matcher::authority_set;
use meshc_compiler::routing::{
    Addresses, ConnectionRule, HttpServer, Plain, Proxy, Rule, RuleAction, TlsKind, Upstream, WeightedAddress,
};
use meshc_compiler::values::EndpointAddress;
use meshc_language::Span;
use meshc_targets::{KeyPaths, Rig};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

/// What all proxies of a trial share: who signs their certificates, and where their upstreams run.
pub struct World {
    /// Signs all certificates.
    pub authority: Authority,
    /// What listeners and upstreams show. It holds every name that the plans mention.
    pub server: Identity,
    /// What proxies show to upstreams, and callers to proxies.
    pub client: Identity,
    /// Where upstreams run.
    pub echoes: Echoes,
}

/// A proxy whose surroundings are on the loopback.
pub struct Rigged {
    /// The plan, with ports and addresses of the loopback.
    pub proxy: Proxy,
    /// The ports that its listeners had, in their order.
    pub ports: Vec<u16>,
    /// The upstreams, in the order of the plan's.
    pub upstreams: Vec<Echo>,
    /// What the targets have to know.
    pub rig: Rig,
    /// Where mutual TLS of the mesh (`istio-mutual`) is declared that is taken as plain here.
    pub taken_as_plain: Vec<Span>,
}

impl World {
    /// Makes the certificates for these proxies, into a folder.
    pub fn new(folder: &Path, proxies: &[Arc<Proxy>]) -> io::Result<Self> {
        let authority = Authority::new(folder, "ca")?;
        let names: BTreeSet<String> = proxies.iter().flat_map(|proxy| names(proxy)).collect();
        let names: Vec<String> = names.into_iter().collect();
        let callers: BTreeSet<String> = proxies.iter().flat_map(|proxy| names_of_callers(proxy)).collect();
        let callers: Vec<String> = callers.into_iter().collect();
        Ok(Self {
            server: authority.issue("server", &names)?,
            client: authority.issue("client", &callers)?,
            authority,
            echoes: Echoes::new()?,
        })
    }

    /// Puts a proxy on the loopback.
    pub fn rig(&self, mut proxy: Proxy) -> io::Result<Rigged> {
        let taken_as_plain = mesh_tls::take_as_plain(&mut proxy);
        let mut ports = Vec::new();
        for listener in &mut proxy.listeners {
            ports.push(listener.port);
            listener.bind = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
            listener.port = ports::free()?;
        }
        let ids: Vec<Id<Upstream>> = proxy.upstreams.iter().map(|(id, _)| id).collect();
        let mut upstreams = Vec::new();
        for id in ids {
            let calls = Calls::of(&proxy, id);
            let Some(upstream) = proxy.upstreams.get_mut(id) else { continue };
            let echo = self.echo(upstream, calls)?;
            upstream.addresses = Addresses::Fixed(vec![WeightedAddress {
                address: EndpointAddress::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST).into()),
                port: Some(echo.port()),
                weight: 1,
            }]);
            // Whatever the caller asked for is on the loopback, and the one endpoint is this.
            let balancing = upstream.policy.balancing.take();
            upstream.policy.balancing =
                balancing.filter(|one| one.method != Method::Simple(SimpleBalancing::Passthrough));
            upstreams.push(echo);
        }
        Ok(Rigged { proxy, ports, upstreams, rig: self.as_seen_by_targets()?, taken_as_plain })
    }

    fn as_seen_by_targets(&self) -> io::Result<Rig> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let paths = |identity: &Identity| KeyPaths { cert: text(&identity.cert), key: text(&identity.key) };
        Ok(Rig {
            admin: ports::free()?,
            server: paths(&self.server),
            client: paths(&self.client),
            ca: text(&self.authority.ca),
        })
    }

    fn echo(&self, upstream: &Upstream, calls: Calls) -> io::Result<Echo> {
        let originates =
            upstream.policy.tls.as_ref().is_some_and(|tls| tls.mode.value != ClientTlsMode::Disable);
        let private = (&self.authority, &self.server);
        let speaks_tls = upstream.port.protocol.value.is_tls_family();
        let (speaks, security) = match calls {
            // A port that is said to speak TLS hears nothing else.
            Calls { http: true, .. } if speaks_tls => (Speaks::Http, Security::Tls(private.0, private.1)),
            Calls { http: true, .. } | Calls { tcp: true, passthrough: true, .. } => {
                (Speaks::Http, Security::Either(private.0, private.1))
            }
            Calls { passthrough: true, .. } if originates => {
                (Speaks::Greeting, Security::Nested(private.0, private.1))
            }
            Calls { passthrough: true, .. } => (Speaks::Greeting, Security::Tls(private.0, private.1)),
            _ if originates => (Speaks::Greeting, Security::Tls(private.0, private.1)),
            Calls { .. } => (Speaks::Greeting, Security::Plain),
        };
        self.echoes.start(EchoOptions { name: called(upstream), speaks, security })
    }
}

impl Rigged {
    /// The ports on which it listens.
    #[must_use]
    pub fn listening(&self) -> Vec<u16> {
        self.proxy.listeners.iter().map(|listener| listener.port).collect()
    }

    /// The echo of an upstream.
    #[must_use]
    pub fn echo(&self, id: Id<Upstream>) -> Option<&Echo> {
        self.upstreams.get(id.index())
    }
}

/// How an upstream is called in reports, and calls itself: `reviews.shop.svc.cluster.local:9080@v1`.
#[must_use]
pub fn called(upstream: &Upstream) -> String {
    let subset = upstream.subset.as_ref().map(|subset| format!("@{subset}")).unwrap_or_default();
    format!("{}:{}{subset}", upstream.host, upstream.port.number.value)
}

/// What reaches an upstream.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    http: bool,
    tcp: bool,
    passthrough: bool,
}

impl Calls {
    fn of(proxy: &Proxy, id: Id<Upstream>) -> Self {
        let mut calls = Self::default();
        for listener in &proxy.listeners {
            calls.http |= listener.http_servers().any(|server| leads_to(server, id));
            if let Some(Plain::Tcp(rules)) = &listener.plain {
                calls.tcp |= lead_to(rules, id);
            }
            for server in &listener.tls {
                match &server.kind {
                    TlsKind::Http(..) => {}
                    TlsKind::Tcp(_, rules) => calls.tcp |= lead_to(rules, id),
                    TlsKind::Passthrough(rules) => calls.passthrough |= lead_to(rules, id),
                }
            }
        }
        calls
    }
}

fn leads_to(server: &HttpServer, id: Id<Upstream>) -> bool {
    let mut rules = server.virtual_hosts.iter().flat_map(|host| &host.rules);
    rules.any(|rule| {
        let forwards = match &rule.action {
            RuleAction::Forward(to) => to.iter().any(|one| one.upstream.index() == id.index()),
            RuleAction::Redirect(_) | RuleAction::Respond(_) => false,
        };
        forwards || rule.mirrors.iter().any(|mirror| mirror.upstream.index() == id.index())
    })
}

fn lead_to(rules: &[ConnectionRule], id: Id<Upstream>) -> bool {
    rules.iter().flat_map(|rule| &rule.to).any(|one| one.upstream.index() == id.index())
}

/// The names that callers are asked for.
fn names_of_callers(proxy: &Proxy) -> Vec<String> {
    let servers = proxy.listeners.iter().flat_map(|listener| &listener.tls);
    let bodies = servers.filter_map(|server| match &server.kind {
        TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => Some(&tls.body),
        TlsKind::Passthrough(_) => None,
    });
    let names = bodies.flat_map(|body| body.names.iter().flatten());
    names.map(|name| name.value.to_string()).collect()
}

/// The hosts that a rule gives to requests: where no other name is said, they are what the certificate behind it must have.
fn hosts_given(rule: &Rule) -> Vec<String> {
    let rewritten = rule.options.rewrite.iter().filter_map(|rewrite| match &rewrite.kind {
        RewriteKind::Host(host) => Some(host.value.to_string()),
        RewriteKind::Path(_) | RewriteKind::Prefix(_) | RewriteKind::Matches { .. } => None,
    });
    let destinations = match &rule.action {
        RuleAction::Forward(to) => to.as_slice(),
        RuleAction::Redirect(_) | RuleAction::Respond(_) => &[],
    };
    let of_destinations = destinations.iter().map(|to| to.headers.as_ref()?.request.as_deref());
    let operations = std::iter::once(rule.options.request_headers.as_deref()).chain(of_destinations);
    let set = operations.filter_map(|operations| authority_set(&[operations]).map(str::to_owned));
    rewritten.chain(set).collect()
}

/// Every name that a certificate may be asked to hold.
fn names(proxy: &Proxy) -> Vec<String> {
    let mut names = Vec::new();
    for listener in &proxy.listeners {
        names.extend(listener.tls.iter().flat_map(|server| &server.names).map(ToString::to_string));
        for host in listener.http_servers().flat_map(|server| &server.virtual_hosts) {
            names.extend(host.domains.iter().map(ToString::to_string));
            names.extend(host.rules.iter().flat_map(hosts_given));
        }
    }
    for upstream in proxy.upstreams.as_slice() {
        names.push(upstream.host.to_string());
        let Some(tls) = &upstream.policy.tls else { continue };
        names.extend(tls.body.sni.iter().map(|name| name.value.to_string()));
        names.extend(tls.body.names.iter().flatten().map(|name| name.value.to_string()));
    }
    names
}
