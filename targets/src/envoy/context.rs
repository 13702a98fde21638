//! What the configuration of one proxy is made from.

use super::EnvoyOptions;
use super::paths::FilePaths;
use super::secrets::Secrets;
use crate::provenance::Provenance;
use crate::raw_proxy::{EdgeOptions, Rig};
use crate::target::Options;
use meshc_compiler::model::{Id, Model};
use meshc_compiler::policy::{Balancing, HashKey, Method, SimpleBalancing};
use meshc_compiler::routing::{Addresses, Plain, Proxy, RuleAction, TlsKind, Upstream, WeightedUpstream};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// What the configuration of one proxy is made from.
pub(super) struct Context<'a> {
    pub(super) model: &'a Model,
    pub(super) proxy: &'a Proxy,
    pub(super) options: &'a EnvoyOptions,
    pub(super) rig: Option<&'a Rig>,
    /// The limits of gateways, whatever this proxy is.
    pub(super) limits: &'a EdgeOptions,
    /// The limits of a gateway; other proxies have none.
    pub(super) edge: Option<Edge<'a>>,
    /// The names of its files.
    pub(super) paths: FilePaths,
    /// The certificates that it uses.
    pub(super) secrets: Secrets,
    /// Where things come from, for comments.
    pub(super) provenance: Provenance<'a>,
    /// The upstreams that HTTP requests are sent to.
    called_by_http: FxHashSet<Id<Upstream>>,
    /// The upstreams that connections are passed on to.
    called_by_connections: FxHashSet<Id<Upstream>>,
}

/// The limits of a gateway.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge<'a> {
    /// Those that all raw proxies have.
    pub(super) limits: &'a EdgeOptions,
    /// Envoy's own.
    pub(super) envoy: &'a EnvoyOptions,
}

impl<'a> Context<'a> {
    pub(super) fn new(model: &'a Model, proxy: &'a Proxy, options: &'a Options<'_>) -> Self {
        Self {
            model,
            proxy,
            options: &options.envoy,
            rig: options.rig.as_ref(),
            limits: &options.edge,
            edge: proxy.is_gateway().then_some(Edge { limits: &options.edge, envoy: &options.envoy }),
            paths: FilePaths::of(model, proxy, options),
            secrets: Secrets::of(model, proxy, options.rig.as_ref()),
            provenance: Provenance::new(options.files),
            called_by_http: called_by_http(proxy),
            called_by_connections: called_by_connections(proxy),
        }
    }

    /// The comment for an upstream: where the destination was declared.
    pub(super) fn declared(&self, upstream: &Upstream) -> Option<SmolStr> {
        self.provenance.upstream(self.model, upstream)
    }

    pub(super) fn upstream(&self, id: Id<Upstream>) -> Option<&'a Upstream> {
        self.proxy.upstreams.get(id)
    }

    /// The upstreams of weighted destinations.
    pub(super) fn upstreams<'s>(
        &'s self,
        to: &'s [WeightedUpstream],
    ) -> impl Iterator<Item = &'a Upstream> + 's {
        to.iter().filter_map(|one| self.upstream(one.upstream))
    }

    /// The name of a cluster.
    pub(super) fn cluster(&self, id: Id<Upstream>) -> SmolStr {
        self.upstream(id).map(|upstream| upstream.name.clone()).unwrap_or_default()
    }

    /// Whether HTTP requests are sent to an upstream.
    pub(super) fn is_called_by_http(&self, id: Id<Upstream>) -> bool {
        self.called_by_http.contains(&id)
    }

    /// Whether connections are passed on to an upstream.
    pub(super) fn is_called_by_connections(&self, id: Id<Upstream>) -> bool {
        self.called_by_connections.contains(&id)
    }

    /// Whether the original destination address has to be known.
    pub(super) fn looks_at_addresses(&self) -> bool {
        self.proxy.upstreams.as_slice().iter().any(goes_to_the_original)
    }
}

/// Whether the endpoint is the address that the caller asked for.
pub(super) fn goes_to_the_original(upstream: &Upstream) -> bool {
    let by_policy = upstream.policy.balancing.as_ref().is_some_and(|balancing| match &balancing.method {
        Method::Simple(simple) => *simple == SimpleBalancing::Passthrough,
        Method::Hash { key: _, algorithm: _ } => false,
    });
    by_policy || upstream.addresses == Addresses::Original
}

/// What an upstream is chosen by, if equal keys go to the same endpoint.
pub(super) fn hash_key(upstream: &Upstream) -> Option<&HashKey> {
    match &upstream.policy.balancing {
        Some(Balancing { method: Method::Hash { key, algorithm: _ }, span: _ }) => Some(key),
        Some(Balancing { method: Method::Simple(_), span: _ }) | None => None,
    }
}

fn called_by_http(proxy: &Proxy) -> FxHashSet<Id<Upstream>> {
    let mut called = FxHashSet::default();
    for rule in proxy.http_rules() {
        called.extend(rule.mirrors.iter().map(|mirror| mirror.upstream));
        match &rule.action {
            RuleAction::Forward(to) => called.extend(to.iter().map(|one| one.upstream)),
            RuleAction::Redirect(_) | RuleAction::Respond(_) => {}
        }
    }
    called
}

fn called_by_connections(proxy: &Proxy) -> FxHashSet<Id<Upstream>> {
    let mut called = FxHashSet::default();
    for listener in &proxy.listeners {
        let plain = listener.plain.iter().filter_map(|plain| match plain {
            Plain::Tcp(rules) => Some(rules),
            Plain::Http(_) => None,
        });
        let tls = listener.tls.iter().filter_map(|server| match &server.kind {
            TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => Some(rules),
            TlsKind::Http(..) => None,
        });
        called.extend(plain.chain(tls).flatten().flat_map(|rule| &rule.to).map(|one| one.upstream));
    }
    called
}
