//! `service`: a destination inside the mesh, and how it is called, with its policies put in.

use crate::declared::{Labels, Port, Visibility};
use crate::policy::TrafficPolicy;
use crate::reading::{Attributes, wherever_written};
use crate::values::{DnsLabel, Fqdn};
use meshc_language::{Span, Spanned};

/// A destination inside the mesh (Istio `DestinationRule`).
#[derive(Clone, Debug)]
pub struct Service {
    /// The name of its Kubernetes service.
    pub name: Spanned<DnsLabel>,
    /// What it says of itself.
    pub body: ServiceBody,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

wherever_written!(Service { name, body, attributes } at { span });

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceBody {
    /// The ports that it listens on. What one does not say of itself holds as the service says.
    pub ports: Vec<Port>,
    /// Its full name, if that is not NAME.NAMESPACE.svc.CLUSTER-DOMAIN.
    pub host: Option<Spanned<Fqdn>>,
    /// Parts of its workloads. Istio: DestinationRule.subsets.
    pub subsets: Vec<Subset>,
    /// Which namespaces see its policy. Istio: DestinationRule.exportTo.
    pub visibility: Option<Visibility>,
    /// How it is called.
    pub traffic: TrafficPolicy,
}

/// A part of a destination's workloads, and how it is called. What it does not say holds as the destination says.
#[derive(Clone, Debug)]
pub struct Subset {
    /// The name that routes use.
    pub name: Spanned<DnsLabel>,
    /// What it says of itself.
    pub body: SubsetBody,
    /// The statement without its block.
    pub span: Span,
    /// What stands in front of it.
    pub attributes: Option<Box<Attributes>>,
}

wherever_written!(Subset { name, body, attributes } at { span });

/// What a subset says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct SubsetBody {
    /// The labels of its workloads. Istio: Subset.labels.
    pub labels: Option<Labels>,
    /// How it is called.
    pub traffic: TrafficPolicy,
}

impl Service {
    /// The subset of this name.
    #[must_use]
    pub fn subset(&self, name: &str) -> Option<&Subset> {
        self.body.subsets.iter().find(|subset| subset.name.value.as_str() == name)
    }
}
