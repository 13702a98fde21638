//! The normal form of a condition: alternatives, in each of which everything must hold.

use super::gateway::Gateway;
use super::{Id, Resource};
use crate::declared::{HeaderTest, PathMatch, PathTest};
use crate::policy::TextMatch;
use crate::values::{IpOrCidr, Label, MatchHeaderName, Namespace, Port, SniHost};
use smol_str::SmolStr;

/// Where a request comes in: a gateway or the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchBinding {
    /// A sidecar.
    Mesh,
    /// A gateway.
    Gateway(Id<Resource<Gateway>>),
}

/// One alternative: everything in it must hold. Nothing in it: every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Match {
    /// The path.
    pub path: Option<PathMatch>,
    /// The scheme.
    pub scheme: Option<TextMatch>,
    /// The methods, any of them; empty for all.
    pub methods: Vec<SmolStr>,
    /// The host as the caller wrote it.
    pub authority: Option<TextMatch>,
    /// Headers that must be there, by name.
    pub headers: Vec<(MatchHeaderName, HeaderTest)>,
    /// Headers that must not be there, or not like this, by name.
    pub without: Vec<(MatchHeaderName, HeaderTest)>,
    /// Query parameters, by name.
    pub query: Vec<(SmolStr, HeaderTest)>,
    /// Ports of the listener, any of them; empty for all.
    pub ports: Vec<Port>,
    /// The namespace of the client.
    pub source_namespace: Option<Namespace>,
    /// Labels of the caller's workload.
    pub source_labels: Vec<Label>,
    /// Where the request comes in, any of them; empty for all.
    pub bindings: Vec<MatchBinding>,
    /// Names that TLS asks for, any of them.
    pub sni: Vec<SniHost>,
    /// Addresses that the caller asked for, any of them.
    pub destinations: Vec<IpOrCidr>,
}

impl Match {
    /// Whether Istio and Envoy put it behind all others: it asks for nothing but a path that every request has (istiod,
    /// `IsCatchAllRoute`).
    #[must_use]
    pub fn is_catch_all(&self) -> bool {
        let path = self.path.as_ref().map(|path| &path.test);
        let any_path = match path {
            None => true,
            Some(PathTest::Prefix(prefix)) => prefix == "/",
            Some(PathTest::Pattern(pattern)) => pattern.as_str() == ".*",
            Some(PathTest::Exact(_) | PathTest::Under(_)) => false,
        };
        any_path && Self { path: None, ..self.clone() } == Self::default()
    }
}
