//! What routes lead to: services and externals, and what is known of them.

use super::arena::Id;
use super::external::External;
use super::service::{Service, Subset};
use super::{Mesh, Resource};
use crate::declared::Port;
use crate::reading::{Attributes, Deprecation, wherever_written};
use crate::values::Port as Number;
use meshc_language::{Span, Spanned};
use smol_str::SmolStr;
use std::borrow::Cow;

/// A service or an external.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DestinationId {
    /// A service.
    Service(Id<Resource<Service>>),
    /// An external.
    External(Id<Resource<External>>),
}

/// A resolved destination of a route, a mirror.
#[derive(Clone, Debug)]
pub struct Destination {
    /// What it is.
    pub target: DestinationId,
    /// Which host of an external; `None` for its only one, and for services.
    pub host: Option<SmolStr>,
    /// Which port; `None` for the only one, or in the host block of a service in the mesh for the one that is called.
    pub port: Option<Spanned<Number>>,
    /// Which subset.
    pub subset: Option<Spanned<SmolStr>>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Destination { target, host, port, subset } at { span });

/// What routes need to know of a service or an external.
pub(crate) struct Known<'m> {
    pub(crate) what: &'static str,
    pub(crate) name: &'m str,
    pub(crate) span: Span,
    pub(crate) ports: &'m [Port],
    pub(crate) subsets: &'m [Subset],
    pub(crate) deprecation: Option<&'m Deprecation>,
    pub(crate) incomplete: bool,
}

pub(crate) fn deprecation(attributes: Option<&Attributes>) -> Option<&Deprecation> {
    attributes.and_then(|attributes| attributes.deprecated.as_ref())
}

impl Mesh {
    pub(crate) fn known(&self, target: DestinationId) -> Option<Known<'_>> {
        Some(match target {
            DestinationId::Service(id) => {
                let service = self.services.get(id)?;
                Known {
                    what: "service",
                    name: service.name.value.as_str(),
                    span: service.name.span,
                    ports: &service.body.ports,
                    subsets: &service.body.subsets,
                    deprecation: deprecation(service.attributes.as_deref()),
                    incomplete: service.incomplete,
                }
            }
            DestinationId::External(id) => {
                let external = self.externals.get(id)?;
                Known {
                    what: "external",
                    name: external.name.value.as_str(),
                    span: external.name.span,
                    ports: &external.body.ports,
                    subsets: &external.body.subsets,
                    deprecation: deprecation(external.attributes.as_deref()),
                    incomplete: external.incomplete,
                }
            }
        })
    }

    /// The ports of a destination.
    #[must_use]
    pub fn ports(&self, target: DestinationId) -> &[Port] {
        self.known(target).map_or(&[], |known| known.ports)
    }

    /// Whether a destination declares a subset.
    #[must_use]
    pub fn has_subset(&self, target: DestinationId, name: &str) -> bool {
        let subsets = self.known(target).map_or(&[][..], |known| known.subsets);
        subsets.iter().any(|subset| subset.name.value.as_str() == name)
    }

    /// The port that a destination is called on: the one that is named, or the only one.
    #[must_use]
    pub fn port_of(&self, destination: &Destination) -> Option<&Port> {
        let ports = self.ports(destination.target);
        match destination.port {
            Some(number) => ports.iter().find(|port| port.number.value == number.value),
            None => ports.first(),
        }
    }

    /// A destination as it is meant where requests come in on a port: without a port of its own, a service in its own host block
    /// is called on the port that the caller has chosen.
    #[must_use]
    pub fn met<'d>(&self, destination: &'d Destination, port: u16) -> Cow<'d, Destination> {
        let ports = self.ports(destination.target);
        let own = ports.iter().find(|own| own.number.value.get() == port);
        match own.filter(|_| destination.port.is_none() && ports.len() > 1) {
            Some(own) => Cow::Owned(Destination { port: Some(own.number), ..destination.clone() }),
            None => Cow::Borrowed(destination),
        }
    }

    /// Whether a service is the one in front of a gateway.
    #[must_use]
    pub fn is_in_front(&self, service: Id<Resource<Service>>) -> bool {
        let is_it = |front: &FrontService| *front == FrontService::Declared(service);
        self.gateways.as_slice().iter().any(|gateway| gateway.front().is_some_and(is_it))
    }

    /// The name under which a destination was declared.
    #[must_use]
    pub fn destination_name(&self, target: DestinationId) -> &str {
        self.known(target).map_or("", |known| known.name)
    }

    /// The host name of a destination, as Istio gets it.
    #[must_use]
    pub fn destination_host(&self, destination: &Destination) -> SmolStr {
        if let Some(host) = &destination.host {
            return host.clone();
        }
        let host = match destination.target {
            DestinationId::Service(id) => self.services.get(id).map(|service| self.service_host(service)),
            DestinationId::External(id) => {
                let hosts = self.externals.get(id).and_then(|external| external.body.hosts.as_ref());
                hosts.and_then(|hosts| hosts.first()).map(|host| SmolStr::new(host.value.as_str()))
            }
        };
        host.unwrap_or_default()
    }

    /// The statement that declares a destination, without its block.
    #[must_use]
    pub fn declaration(&self, target: DestinationId) -> Option<Span> {
        match target {
            DestinationId::Service(id) => self.services.get(id).map(|service| service.declared.span),
            DestinationId::External(id) => self.externals.get(id).map(|external| external.declared.span),
        }
    }

    /// Where the name of a destination stands in its declaration.
    #[must_use]
    pub fn name_span(&self, target: DestinationId) -> Option<Span> {
        self.known(target).map(|known| known.span)
    }
}

/// The service in front of a gateway's workloads.
#[derive(Clone, Debug, PartialEq)]
pub enum FrontService {
    /// A declared one.
    Declared(Id<Resource<Service>>),
    /// A full host name that is not declared.
    Outside(SmolStr),
}
