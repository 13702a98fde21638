//! The typed model of a mesh: what was declared, with every name resolved and a place on everything.

mod arena;
mod bindings;
mod bound;
mod condition;
mod destination;
mod directory;
mod egress;
mod external;
mod gateway;
mod host;
mod match_set;
mod route;
mod service;
mod wildcards;

pub use crate::declared::{
    AddressKind, Anchor, AnchorKind, BoundAddress, CONDITION_SYNTAX, Certificate, CertificateBody, Delegate,
    Deploy, DeployBody, DestinationHeaders, Endpoint, EndpointBody, EndpointPort, GatewayReference,
    HeaderTest, HostBody, HostNamespace, HttpsRedirect, Image, Labels, Listener, ListenerBody, Location,
    PathMatch, PathTest, Platform, Port, Raw, RawProxy, RawTarget, RawText, Redirect, RedirectPort,
    RedirectQuery, RedirectTarget, Reference, Resolution, Resource, Respond, RouteKind, SecretBinding,
    SecretFiles, ServerHost, ServerTls, ServerTlsBody, ServerTlsMode, Visibility, Visible, Workload,
    default_port_name,
};
pub use crate::values::Controller;
pub use arena::{Arena, Id};
pub use bindings::{AddressBinding, Bindings, BindingsBody};
pub(crate) use bound::SecretId;
pub use bound::{BoundSecret, DEFAULT_NAMESPACE, Headless, Seeker};
pub use condition::{Match, MatchBinding};
pub use destination::{Destination, DestinationId, FrontService};
pub(crate) use destination::{Known, deprecation};
pub use directory::Directory;
pub(crate) use directory::{Found, HostOf};
pub use egress::{EgressHop, share_workloads, workload_labels};
pub use external::{External, ExternalBody};
pub use gateway::{Gateway, GatewayBody};
pub use host::{Binding, BindingKind, Host, HostName, HostNameKind};
pub use match_set::MAX_MATCHES;
pub(crate) use match_set::{cannot_be_joined, exclude_each_other, merge_matches, normalise};
pub use route::{Action, Mirror, Route, RouteOptions, WeightedDestination};
pub use service::{Service, ServiceBody, Subset, SubsetBody};
pub(crate) use wildcards::Wildcards;

use crate::reading::{Application, Degradation};
use smol_str::SmolStr;
use std::sync::OnceLock;

/// The resources that routes can name.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    /// Gateways.
    pub gateways: Arena<Resource<Gateway>>,
    /// Services inside the mesh.
    pub services: Arena<Resource<Service>>,
    /// What the platform does not know.
    pub externals: Arena<Resource<External>>,
    /// Their names.
    pub directory: Directory,
    /// The domain of the cluster, `cluster.local` unless the project says otherwise.
    pub cluster_domain: SmolStr,
}

impl Mesh {
    /// The full name of a service: `reviews.bookinfo.svc.cluster.local`; the short one if it has no namespace.
    #[must_use]
    pub fn service_host(&self, service: &Resource<Service>) -> SmolStr {
        let own = service.body.host.as_ref().map(|host| host.value.as_str());
        let name = service.name.value.as_str();
        own.map_or_else(|| default_host(name, service.namespace_name(), &self.cluster_domain), SmolStr::new)
    }
}

impl Mesh {
    /// The Service of the cluster that a full name is of: its namespace, and its own name. `None` if the name is no such one.
    #[must_use]
    pub fn of_cluster<'h>(&self, host: &'h str) -> Option<(&'h str, &'h str)> {
        let inside = host.strip_suffix(self.cluster_domain.as_str())?.strip_suffix(".svc.")?;
        let (name, namespace) = inside.split_once('.')?;
        (!namespace.contains('.')).then_some((namespace, name))
    }
}

/// The full name of a service that gives itself none.
pub(crate) fn default_host(name: &str, namespace: Option<&str>, domain: &str) -> SmolStr {
    namespace.map_or_else(|| SmolStr::new(name), |namespace| full_name(name, namespace, domain))
}

/// `name.namespace.svc.domain`.
#[must_use]
pub fn full_name(name: &str, namespace: &str, domain: &str) -> SmolStr {
    let mut full = String::with_capacity(name.len() + namespace.len() + domain.len() + 6);
    for part in [name, ".", namespace, ".svc.", domain] {
        full.push_str(part);
    }
    full.into()
}

/// The whole model of one environment.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The environment, if the project has any.
    pub environment: Option<SmolStr>,
    /// What routes can name.
    pub mesh: Mesh,
    /// Hosts with their routes.
    pub hosts: Arena<Resource<Host>>,
    /// Raw configuration, anchored to items.
    pub raw: Vec<Resource<Raw>>,
    /// Addresses and certificates for raw proxies.
    pub bindings: Vec<Resource<Bindings>>,
    /// What the sources accept to lose on some targets.
    pub degradations: Vec<Degradation>,
    /// The templates that it comes from, each place once.
    pub applications: Vec<Application>,
    /// Where `bindings` speak of each destination, found when first asked for: all have been read by then.
    pub(crate) bound: OnceLock<bound::BoundPlaces>,
}
