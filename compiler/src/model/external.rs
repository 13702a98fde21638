//! `external`: what the platform's registry does not know.

use super::gateway::Gateway;
use super::service::Subset;
use super::{Id, Resource};
use crate::declared::{Endpoint, Labels, Location, Port, Resolution, Visibility};
use crate::policy::TrafficPolicy;
use crate::reading::{Attributes, Comma, wherever_written};
use crate::values::{DnsLabel, HostPattern, IpOrCidr, SubjectAltName};
use meshc_language::{Span, Spanned};

/// A destination that the platform's registry does not know, outside or inside the mesh (Istio `ServiceEntry`).
#[derive(Clone, Debug)]
pub struct External {
    /// The name that routes use.
    pub name: Spanned<DnsLabel>,
    /// What it says of itself.
    pub body: ExternalBody,
    /// The gateway through which all traffic to it leaves the mesh, and where that is said.
    pub via: Option<Spanned<Id<Resource<Gateway>>>>,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

wherever_written!(External { name, body, via, attributes } at { span });

/// What an external says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalBody {
    /// The host names that clients use. Istio: ServiceEntry.hosts.
    pub hosts: Option<Comma<Spanned<HostPattern>>>,
    /// Virtual addresses that clients use. Istio: ServiceEntry.addresses.
    pub addresses: Option<Comma<Spanned<IpOrCidr>>>,
    /// Its ports. Istio: ServiceEntry.ports.
    pub ports: Vec<Port>,
    /// How endpoints are found. Istio: ServiceEntry.resolution.
    pub resolution: Option<Spanned<Resolution>>,
    /// Its endpoints. Istio: ServiceEntry.endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Workloads that are the endpoints, chosen by labels. Istio: ServiceEntry.workloadSelector.
    pub workload: Option<Labels>,
    /// Whether it belongs to the mesh. Istio: ServiceEntry.location.
    pub location: Option<Spanned<Location>>,
    /// Names one of which the servers' certificates must have. Istio: ServiceEntry.subjectAltNames.
    pub names: Option<Comma<Spanned<SubjectAltName>>>,
    /// Parts of its endpoints, chosen by labels. Istio: DestinationRule.subsets.
    pub subsets: Vec<Subset>,
    /// Which namespaces see it. Istio: exportTo.
    pub visibility: Option<Visibility>,
    /// How it is called.
    pub traffic: TrafficPolicy,
}

impl External {
    /// The gateway through which all traffic to it leaves the mesh.
    #[must_use]
    pub fn egress(&self) -> Option<Id<Resource<Gateway>>> {
        self.via.map(|gateway| gateway.value)
    }
}

impl External {
    /// The subset of this name.
    #[must_use]
    pub fn subset(&self, name: &str) -> Option<&Subset> {
        self.body.subsets.iter().find(|subset| subset.name.value.as_str() == name)
    }

    /// How endpoints are found.
    #[must_use]
    pub fn resolution(&self) -> Resolution {
        self.body.resolution.map_or(Resolution::None, |resolution| resolution.value)
    }
}
