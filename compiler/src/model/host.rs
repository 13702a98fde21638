//! `host`: the ordered routes of one or more user-addressed hosts.

use super::arena::Id;
use super::destination::DestinationId;
use super::gateway::Gateway;
use super::route::Route;
use super::{Mesh, Resource};
use crate::declared::HostBody;
use crate::reading::{Attributes, wherever_written};
use crate::values::{HostPattern, Literal};
use meshc_language::Span;
use smol_str::SmolStr;

/// The ordered routes of one or more hosts (Istio `VirtualService`).
#[derive(Clone, Debug)]
pub struct Host {
    /// The names it answers to. None for one that is reached by delegation only.
    pub names: Vec<HostName>,
    /// Where requests for it come in; the mesh if nothing is said.
    pub via: Vec<Binding>,
    /// What else it says.
    pub body: HostBody,
    /// Its routes in order: all kinds, as they were written.
    pub routes: Vec<Route>,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

wherever_written!(Host { names, via, body, routes, attributes } at { span });

/// One name of a host block.
#[derive(Clone, Debug)]
pub struct HostName {
    /// What it names.
    pub kind: HostNameKind,
    /// The host names that it stands for, as Istio gets them; none for a delegate.
    pub patterns: Vec<HostPattern>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(HostName { kind, patterns } at { span });

/// What the name of a host block names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostNameKind {
    /// A service, or the hosts of an external.
    Destination(DestinationId),
    /// A full host name or a wildcard.
    Pattern(HostPattern),
    /// The name of a host block that is reached by delegation only.
    Delegate(SmolStr),
}

/// Where requests for a host come in.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Where.
    pub kind: BindingKind,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Binding { kind } at { span });

/// Where requests for a host come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// Sidecars.
    Mesh,
    /// A gateway.
    Gateway(Id<Resource<Gateway>>),
    /// Routes of other hosts that delegate to it.
    Delegate,
}

impl Host {
    /// Whether sidecars use its routes.
    #[must_use]
    pub fn in_mesh(&self) -> bool {
        self.via.is_empty() || self.via.iter().any(|binding| binding.kind == BindingKind::Mesh)
    }

    /// Whether it is reached by delegation only.
    #[must_use]
    pub fn is_delegate(&self) -> bool {
        self.via.iter().any(|binding| binding.kind == BindingKind::Delegate)
    }

    /// The gateways that it is bound to.
    pub fn gateways(&self) -> impl Iterator<Item = (Id<Resource<Gateway>>, Span)> {
        self.via.iter().filter_map(|binding| match binding.kind {
            BindingKind::Gateway(id) => Some((id, binding.span)),
            BindingKind::Mesh | BindingKind::Delegate => None,
        })
    }
}

impl HostName {
    pub(crate) fn pattern(pattern: HostPattern, span: Span) -> Self {
        Self { patterns: vec![pattern.clone()], kind: HostNameKind::Pattern(pattern), span }
    }

    pub(crate) fn destination(id: DestinationId, mesh: &Mesh, span: Span) -> Self {
        let patterns = match id {
            DestinationId::Service(id) => {
                let host = mesh.services.get(id).map(|service| mesh.service_host(service));
                host.and_then(|host| HostPattern::parse(&host).ok()).into_iter().collect()
            }
            DestinationId::External(id) => {
                let hosts = mesh.externals.get(id).and_then(|external| external.body.hosts.as_ref());
                hosts.into_iter().flat_map(|hosts| hosts.iter().map(|host| host.value.clone())).collect()
            }
        };
        Self { kind: HostNameKind::Destination(id), patterns, span }
    }
}

impl Host {
    /// The host names that it answers to, as Istio gets them, each with the place of the name that stands for it.
    pub fn patterns(&self) -> impl Iterator<Item = (&HostPattern, Span)> {
        self.names.iter().flat_map(|name| name.patterns.iter().map(|pattern| (pattern, name.span)))
    }
}
