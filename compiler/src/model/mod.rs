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
mod visibility;
mod wildcards;

pub use crate::declared::{
    AddressKind, Anchor, AnchorKind, BoundAddress, CONDITION_SYNTAX, Delegate, Deploy, DeployBody,
    DestinationHeaders, GatewayReference, HeaderTest, HostBody, Image, PathMatch, PathTest, Platform, Raw,
    RawProxy, RawTarget, RawText, Redirect, RedirectPort, RedirectQuery, Reference, Respond, RouteKind,
    SecretBinding, SecretFiles,
};
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
pub use external::{Endpoint, EndpointBody, EndpointPort, External, ExternalBody, Location, Resolution};
pub use gateway::{
    Certificate, CertificateBody, Controller, Gateway, GatewayBody, HostNamespace, HttpsRedirect, Listener,
    ListenerBody, RedirectTarget, ServerHost, ServerTls, ServerTlsBody, ServerTlsMode, Workload,
};
pub use host::{Binding, BindingKind, Host, HostName, HostNameKind};
pub use match_set::MAX_MATCHES;
pub(crate) use match_set::{cannot_be_joined, exclude_each_other, merge_matches, normalise};
pub use route::{Action, Mirror, Route, RouteOptions, WeightedDestination};
pub use service::{Labels, Port, Service, ServiceBody, Subset, SubsetBody, default_port_name};
pub use visibility::{Visibility, Visible};
pub(crate) use wildcards::Wildcards;

use crate::project::ModuleId;
use crate::reading::{Application, Degradation};
use crate::values::Namespace;
use meshc_language::Span;
use smol_str::SmolStr;
use std::ops::Deref;
use std::sync::OnceLock;

/// A resource of the mesh: what was declared, and where it belongs.
#[derive(Clone, Debug)]
pub struct Resource<T> {
    /// What was declared.
    pub declared: T,
    /// Its Kubernetes namespace; `None` where the file names none.
    pub namespace: Option<Namespace>,
    /// Its module.
    pub module: ModuleId,
    /// Where the templates that it comes from were applied.
    pub applied: Vec<Span>,
    /// Whether a part of it could not be read: nothing may be concluded from what is absent.
    pub incomplete: bool,
    /// Whether an error was reported in it: a statement or an element of a list may have been meant that is not here,
    /// though all that others may name is.
    pub faulty: bool,
}

impl<T> Resource<T> {
    /// Its namespace as text.
    #[must_use]
    pub fn namespace_name(&self) -> Option<&str> {
        self.namespace.as_ref().map(Namespace::as_str)
    }
}

impl<T> Resource<T> {
    /// Where it belongs, without what it says.
    pub(crate) fn place(&self) -> Resource<()> {
        let Self { declared: _, namespace, module, applied, incomplete, faulty } = self;
        let (namespace, applied) = (namespace.clone(), applied.clone());
        Resource {
            declared: (),
            namespace,
            module: *module,
            applied,
            incomplete: *incomplete,
            faulty: *faulty,
        }
    }

    /// The same with something else that it says, and what it said.
    pub(crate) fn with<U>(self, declared: U) -> (Resource<U>, T) {
        let Self { declared: old, namespace, module, applied, incomplete, faulty } = self;
        (Resource { declared, namespace, module, applied, incomplete, faulty }, old)
    }
}

impl<T> Deref for Resource<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.declared
    }
}

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
        match (&service.body.host, service.namespace_name()) {
            (Some(host), _) => SmolStr::new(host.value.as_str()),
            (None, None) => SmolStr::new(service.name.value.as_str()),
            (None, Some(namespace)) => {
                full_name(service.name.value.as_str(), namespace, &self.cluster_domain)
            }
        }
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
