//! Where the endpoints of a cluster are.

use super::Layout;
use super::api::{self, Address, Cluster, ClusterLoadAssignment, LbEndpoint};
use super::context::Context;
use meshc_compiler::routing::{Addresses, Upstream, WeightedAddress};
use meshc_compiler::values::EndpointAddress;

/// Which addresses of a name are taken: the old kind, and the new one where there is no other.
pub(super) const FAMILY: &str = "V4_PREFERRED";

/// How endpoints are found.
pub(super) enum Found {
    /// They are these addresses.
    Fixed(ClusterLoadAssignment),
    /// By DNS.
    Names {
        endpoints: ClusterLoadAssignment,
        /// Whether the first address is taken for each new connection.
        first_only: bool,
    },
    /// By the host of each request.
    PerRequest,
}

/// How the endpoints of an upstream are found, unless they are what the caller asked for.
pub(super) fn of(upstream: &Upstream) -> Found {
    match &upstream.addresses {
        Addresses::Fixed(all) => {
            let endpoints = assignment(upstream, all);
            if all.iter().any(|one| matches!(one.address, EndpointAddress::Host(_))) {
                Found::Names { endpoints, first_only: false }
            } else {
                Found::Fixed(endpoints)
            }
        }
        Addresses::Dns { names, first_only } => {
            // Envoy takes the first address of one name only.
            let first_only = *first_only && names.len() == 1;
            Found::Names { endpoints: assignment(upstream, names), first_only }
        }
        Addresses::PerRequest => Found::PerRequest,
        // Of the first nothing is emitted; the second has been dealt with.
        Addresses::Unknown | Addresses::Original => Found::Fixed(assignment(upstream, &[])),
    }
}

fn assignment(upstream: &Upstream, all: &[WeightedAddress]) -> ClusterLoadAssignment {
    let weighted = all.iter().any(|one| one.weight != 1);
    let endpoint = |one: &WeightedAddress| {
        let WeightedAddress { address, port, weight } = one;
        let port = port.unwrap_or_default();
        let address = match address {
            EndpointAddress::Ip(address) => Address::socket(address.to_string(), port),
            EndpointAddress::Host(name) => Address::socket(name.as_str(), port),
            EndpointAddress::Unix(path) => Address::pipe(path.as_str()),
        };
        LbEndpoint {
            endpoint: api::Endpoint { address: Some(address) },
            load_balancing_weight: weighted.then_some(*weight),
        }
    };
    let lb_endpoints: Vec<LbEndpoint> = all.iter().map(endpoint).collect();
    let locality = api::LocalityLbEndpoints { lb_endpoints };
    ClusterLoadAssignment {
        cluster_name: upstream.name.clone(),
        endpoints: if all.is_empty() { Vec::new() } else { vec![locality] },
    }
}

/// Whether endpoints have different shares.
pub(super) fn have_weights(endpoints: &ClusterLoadAssignment) -> bool {
    let mut all = endpoints.endpoints.iter().flat_map(|locality| &locality.lb_endpoints);
    all.any(|endpoint| endpoint.load_balancing_weight.is_some())
}

/// Puts fixed endpoints into a cluster, or says which file they are in.
pub(super) fn put_fixed(context: &Context<'_>, endpoints: ClusterLoadAssignment, cluster: &mut Cluster) {
    match context.paths.layout() {
        Layout::Static => {
            cluster.r#type = Some("STATIC");
            cluster.load_assignment = Some(endpoints);
        }
        Layout::Filesystem => {
            cluster.r#type = Some("EDS");
            let file = context.paths.endpoints(&cluster.name);
            cluster.eds_cluster_config =
                Some(api::EdsClusterConfig { eds_config: Some(context.paths.source(&file)) });
        }
    }
}

/// The file of a cluster's endpoints, if they come from one: its path and what is in it.
pub(super) fn file(context: &Context<'_>, upstream: &Upstream) -> Option<(String, ClusterLoadAssignment)> {
    if context.paths.layout() == Layout::Static || super::context::goes_to_the_original(upstream) {
        return None;
    }
    match of(upstream) {
        Found::Fixed(endpoints) => Some((context.paths.endpoints(&upstream.name), endpoints)),
        Found::Names { endpoints: _, first_only: _ } | Found::PerRequest => None,
    }
}
