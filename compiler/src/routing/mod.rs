//! Routing as it is meant, for each proxy of the mesh: what it listens for, the ordered rules behind each host, and the
//! upstreams that they lead to.
//!
//! ```text
//! Model -proxies-> Proxy { listeners { virtual hosts { rules } }, upstreams }     one per gateway, and the outbound ones
//! ```
//!
//! This is the definition of the language's meaning that every data plane is held to: the reference matcher reads it, and the
//! targets for raw proxies are written from it. Delegation is resolved, conditions on ports and gateways are decided, names
//! stand for what they lead to; what is left in a rule depends on the request alone.
//!
//! Invariants:
//! - The first rule of a virtual host whose condition holds is taken; there is no other order.
//! - A host is served by the virtual host with the most specific name that takes it ([`specificity`]).
//! - An upstream stands once per proxy; nothing is listed that no rule refers to.

mod address;
mod all_addresses;
mod by_name;
mod connection_order;
mod gateway;
mod index;
pub mod matcher;
pub mod never;
mod omitted;
mod outbound;
mod parts;
mod plans;
mod rule;
mod upstream;
pub mod witness;
mod workload;

#[cfg(test)]
mod tests;

pub use address::{Addresses, WeightedAddress};
pub use all_addresses::{AllAddresses, own_address};
pub use by_name::{ByName, Named};
pub use connection_order::{ConnectionOrder, connection_alternatives, connection_order};
pub use gateway::is_seen;
pub use plans::{Plans, proxies};
pub use rule::{MirroredTo, Rule, RuleAction, WeightedUpstream, both_hold};
pub use upstream::{Upstream, effective_policy};
pub use workload::{Sidecar, WorkloadLabels, carried, gateway_workload, sidecar};

use crate::model::{Arena, DestinationId, Gateway, Host, Id, Model, Resource, ServerTls};
use crate::values::{HostPattern, SniHost};
use index::Index;
use meshc_language::Span;
use omitted::Omitted;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::net::IpAddr;
use std::sync::Arc;

/// One proxy and all that it carries.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// What it is.
    pub role: Role,
    /// The name of its gateway, or `outbound`.
    pub name: SmolStr,
    /// The namespace of its gateway, or that of the callers where it matters who they are.
    pub namespace: Option<SmolStr>,
    /// What it listens for, by port and address.
    pub listeners: Vec<Listener>,
    /// What its rules lead to, in order of first use.
    pub upstreams: Arena<Upstream>,
    /// The gateway's declaration; `None` for an outbound proxy.
    pub span: Option<Span>,
}

impl Proxy {
    /// Whether it is the proxy of a gateway.
    #[must_use]
    pub const fn is_gateway(&self) -> bool {
        match self.role {
            Role::Gateway(_) => true,
            Role::Outbound => false,
        }
    }

    /// The rules for requests of all virtual hosts.
    pub fn http_rules(&self) -> impl Iterator<Item = &Rule> {
        let servers = self.listeners.iter().flat_map(Listener::http_servers);
        servers.flat_map(|server| &server.virtual_hosts).flat_map(|host| &host.rules)
    }
}

/// What a proxy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is a gateway.
    Gateway(Id<Resource<Gateway>>),
    /// It carries what workloads of the mesh send.
    Outbound,
}

/// A port of a proxy.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The address that it binds to; `None` for all of them, as `all` says.
    pub bind: Option<IpAddr>,
    /// How the sources say that it takes all addresses: of a gateway those of both families, of an outbound proxy the loopback,
    /// where they say nothing.
    pub all: AllAddresses,
    /// The port.
    pub port: u16,
    /// What is done with connections that are not TLS; they are refused without it.
    pub plain: Option<Plain>,
    /// What is done with TLS connections, by the name that they ask for: the most specific name wins. A connection that asks
    /// for none of these names is refused.
    pub tls: ByName<TlsServer>,
    /// What cannot be told apart on this port: the later one, which is left out, and the earlier one.
    pub conflicts: Vec<(Span, Span)>,
}

/// What is done with connections that are not TLS.
#[derive(Clone, Debug)]
pub enum Plain {
    /// They are HTTP.
    Http(HttpServer),
    /// They are passed on: the first rule whose condition holds is taken.
    Tcp(Vec<ConnectionRule>),
}

/// What is done with TLS connections for some names.
#[derive(Clone, Debug)]
pub struct TlsServer {
    /// The names; `*` for any, or none. No name stands in two servers of a listener.
    pub names: Vec<HostPattern>,
    /// What is done.
    pub kind: TlsKind,
    /// The item that it was made from.
    pub origin: Origin,
    /// Where it was declared.
    pub span: Span,
}

/// What is done with TLS connections.
#[derive(Clone, Debug)]
pub enum TlsKind {
    /// TLS ends here, and HTTP is in it.
    Http(Arc<ServerTls>, HttpServer),
    /// TLS ends here, and what is in it is passed on.
    Tcp(Arc<ServerTls>, Vec<ConnectionRule>),
    /// TLS is passed on as it is: the first rule whose condition holds is taken.
    Passthrough(Vec<ConnectionRule>),
}

/// HTTP on one port, or in TLS for some names. A host that no virtual host takes is answered with 404.
#[derive(Clone, Debug, Default)]
pub struct HttpServer {
    /// The hosts. No domain stands twice.
    pub virtual_hosts: ByName<VirtualHost>,
}

/// Some hosts and their rules.
#[derive(Clone, Debug)]
pub struct VirtualHost {
    /// The hosts, without ports, in lower case.
    pub domains: Vec<HostPattern>,
    /// Whether every request is sent to HTTPS (301, the rest of the URL as it was); the rules are not looked at then.
    pub https_only: bool,
    /// The rules in order; a request that none takes is answered with 404.
    pub rules: Vec<Rule>,
    /// The item that it was made from.
    pub origin: Origin,
    /// Where it was declared.
    pub span: Span,
}

/// The item that a part of a proxy was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A host block.
    Host(Id<Resource<Host>>),
    /// A gateway: one of its listeners.
    Gateway(Id<Resource<Gateway>>),
    /// A destination that is reached without a host block.
    Destination(DestinationId),
}

/// A rule for connections.
#[derive(Clone, Debug)]
pub struct ConnectionRule {
    /// Its name in its host block; `default` for one that nobody wrote.
    pub name: SmolStr,
    /// The names that TLS asks for, any of them; empty for all.
    pub sni: Vec<SniHost>,
    /// The alternatives under which it is taken, any of them; none for every connection. Only `destinations`,
    /// `source_namespace` and `source_labels` are looked at.
    pub matches: Vec<crate::model::Match>,
    /// Where connections go, by weight.
    pub to: Vec<WeightedUpstream>,
    /// The item that it was made from.
    pub origin: Origin,
    /// The statement.
    pub span: Span,
}

/// How specific a host pattern is; the greatest that takes a host wins. An exact name is more specific than every wildcard, a
/// longer wildcard more than a shorter one, `*` the least.
#[must_use]
pub fn specificity(pattern: &HostPattern) -> usize {
    if pattern.is_wildcard() { pattern.as_str().len() } else { usize::MAX }
}

/// A statement that is left out, because the sources accept its loss on some target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The statement.
    pub span: Span,
    /// The route, service or external that does without it; others that share it through a policy keep it. `None` for all.
    pub owner: Option<Span>,
}

/// What the parts of the plan are made from.
struct Plan<'m, 'd> {
    model: &'m Model,
    index: &'d Index,
    dropped: &'d Omitted,
    /// Whose sidecar it is, where somebody knows.
    sidecar: Option<&'d Sidecar>,
}

impl Plan<'_, '_> {
    /// Whether a statement of a route, service or external is left out.
    fn is_dropped(&self, span: Span, owner: Span) -> bool {
        self.dropped.contains(span, owner)
    }
}

impl Listener {
    fn new(bind: Option<IpAddr>, port: u16) -> Self {
        let all = AllAddresses::default();
        Self { bind, all, port, plain: None, tls: ByName::default(), conflicts: Vec::new() }
    }

    /// The HTTP server for connections that are not TLS, made if there is none.
    fn plain_http(&mut self) -> Option<&mut HttpServer> {
        match self.plain.get_or_insert_with(|| Plain::Http(HttpServer::default())) {
            Plain::Http(server) => Some(server),
            Plain::Tcp(_) => None,
        }
    }

    /// The rules for connections that are not TLS and not HTTP, made if there are none.
    fn plain_tcp(&mut self) -> Option<&mut Vec<ConnectionRule>> {
        match self.plain.get_or_insert_with(|| Plain::Tcp(Vec::new())) {
            Plain::Tcp(rules) => Some(rules),
            Plain::Http(_) => None,
        }
    }

    /// The virtual hosts behind connections that are not TLS, and in TLS that ends here.
    pub fn http_servers(&self) -> impl Iterator<Item = &HttpServer> {
        let plain = self.plain.iter().filter_map(|plain| match plain {
            Plain::Http(server) => Some(server),
            Plain::Tcp(_) => None,
        });
        plain.chain(self.tls.iter().filter_map(|server| match &server.kind {
            TlsKind::Http(_, http) => Some(http),
            TlsKind::Tcp(..) | TlsKind::Passthrough(_) => None,
        }))
    }
}

/// The listeners of a proxy while they are made.
#[derive(Default)]
struct Listeners {
    all: Vec<Listener>,
    places: FxHashMap<(u16, Option<IpAddr>), usize>,
}

impl Listeners {
    /// The listener of a port and of what a `bind` says, made if there is none.
    fn at(&mut self, bind: Option<IpAddr>, port: u16) -> &mut Listener {
        let listener = self.place(bind, port);
        listener.all.join(AllAddresses::of(bind));
        listener
    }

    /// The same, whose addresses are not widened.
    fn place(&mut self, bind: Option<IpAddr>, port: u16) -> &mut Listener {
        let bind = own_address(bind);
        let at = *self.places.entry((port, bind)).or_insert_with(|| {
            self.all.push(Listener::new(bind, port));
            self.all.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "what is in the table was added")]
        &mut self.all[at]
    }

    /// The listener of a port and address, if there is one.
    fn get_mut(&mut self, bind: Option<IpAddr>, port: u16) -> Option<&mut Listener> {
        let at = self.places.get(&(port, own_address(bind)))?;
        self.all.get_mut(*at)
    }

    /// All of them, by port and address.
    fn sorted(mut self) -> Vec<Listener> {
        self.all.sort_by_key(|listener| (listener.port, listener.bind));
        self.all
    }
}
