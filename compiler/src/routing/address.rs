//! Where a raw proxy finds the endpoints of an upstream: what `bindings` say, and what externals say of themselves.

use super::parts::{self, EndpointParts};
use crate::model::{
    AddressKind, BoundAddress, Destination, DestinationId, Endpoint, External, Headless, Model, Port,
    Resolution, Subset,
};
use crate::values::{EndpointAddress, Fqdn, Label, Literal, SocketAddress};
use smol_str::SmolStr;

/// Where endpoints are.
#[derive(Clone, Debug, PartialEq)]
pub enum Addresses {
    /// At these addresses.
    Fixed(Vec<WeightedAddress>),
    /// At the addresses that DNS answers for these names.
    Dns {
        /// The names.
        names: Vec<WeightedAddress>,
        /// Whether the first address that DNS answers is taken for each new connection, instead of all of them.
        first_only: bool,
    },
    /// At the address that the caller asked for.
    Original,
    /// At the address that DNS answers for the host of each request.
    PerRequest,
    /// Nothing says where.
    Unknown,
}

/// An endpoint and its share.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedAddress {
    /// The address.
    pub address: EndpointAddress,
    /// The port; `None` for a Unix socket.
    pub port: Option<u16>,
    /// Its share of the traffic, relative to the others; at least 1.
    pub weight: u32,
}

/// The endpoints of one port of a destination, whose host is `host`.
pub(super) fn of(model: &Model, destination: &Destination, port: &Port, host: &SmolStr) -> Addresses {
    let subset = destination.subset.as_ref().map(|subset| subset.value.as_str());
    // A service in front of a gateway has a subset for each external that leaves there.
    let is_front = matches!(destination.target, DestinationId::Service(id) if model.mesh.is_in_front(id));
    if subset.is_some_and(|subset| !is_front && !model.mesh.has_subset(destination.target, subset)) {
        // Nobody but Istio may know which endpoints these are.
        return Addresses::Unknown;
    }
    let number = port.number.value.get();
    if let Some(Headless { namespace, name, selector: _, is_guessed: _ }) =
        model.headless(destination.target, number, subset)
    {
        // The name stands for the pods themselves, which listen on the target port.
        let full = crate::model::full_name(&name, &namespace, &model.mesh.cluster_domain);
        return dns(&full, port.target.unwrap_or(port.number).value.get());
    }
    match model.bound_address(destination.target, number, subset) {
        Some(AddressKind::Dns(place)) => return dns(place.host(), place.port()),
        Some(AddressKind::Endpoints(endpoints)) => {
            return Addresses::Fixed(endpoints.iter().map(of_bound).collect());
        }
        // `headless` has answered.
        Some(AddressKind::Kubernetes { .. }) | None => {}
    }
    match destination.target {
        DestinationId::Service(_) => Addresses::Unknown,
        DestinationId::External(id) => match model.mesh.externals.get(id) {
            Some(external) => of_external(external, port, subset, host),
            None => Addresses::Unknown,
        },
    }
}

fn of_bound(BoundAddress { place, weight, span: _ }: &BoundAddress) -> WeightedAddress {
    let weight = weight.map_or(1, |weight| weight.value.get());
    match &place.value {
        SocketAddress::Ip(socket) => {
            let address = EndpointAddress::Ip(socket.ip().into());
            WeightedAddress { address, port: Some(socket.port()), weight }
        }
        SocketAddress::Unix(path) => {
            WeightedAddress { address: EndpointAddress::Unix(path.clone()), port: None, weight }
        }
    }
}

fn dns(name: &str, port: u16) -> Addresses {
    match Fqdn::parse(name) {
        Ok(name) => Addresses::Dns {
            names: vec![WeightedAddress {
                address: EndpointAddress::Host(name),
                port: Some(port),
                weight: 1,
            }],
            first_only: false,
        },
        Err(_) => Addresses::Unknown,
    }
}

fn of_external(external: &External, port: &Port, subset: Option<&str>, host: &SmolStr) -> Addresses {
    let chosen = subset.and_then(|name| external.subset(name));
    let endpoints: Vec<WeightedAddress> = parts::external(external)
        .endpoints
        .iter()
        .filter(|endpoint| chosen.is_none_or(|subset| belongs(endpoint, subset)))
        .map(|endpoint| of_endpoint(endpoint, port))
        .collect();
    let number = port.target.unwrap_or(port.number).value.get();
    match external.resolution() {
        Resolution::None => Addresses::Original,
        Resolution::DynamicDns => Addresses::PerRequest,
        Resolution::Static if endpoints.is_empty() => Addresses::Unknown,
        Resolution::Static => Addresses::Fixed(endpoints),
        resolution @ (Resolution::Dns | Resolution::DnsRoundRobin) => {
            let first_only = resolution == Resolution::DnsRoundRobin;
            match (endpoints.is_empty(), dns(host, number)) {
                (false, _) => Addresses::Dns { names: endpoints, first_only },
                (true, Addresses::Dns { names, first_only: _ }) => Addresses::Dns { names, first_only },
                (true, _) => Addresses::Unknown,
            }
        }
    }
}

/// Whether an endpoint has all labels of a subset.
fn belongs(endpoint: &Endpoint, subset: &Subset) -> bool {
    let own = parts::endpoint(endpoint).labels;
    let has = |label: &Label| own.into_iter().flat_map(|labels| labels.iter()).any(|own| own.value == *label);
    let (labels, _) = parts::subset(subset);
    labels.into_iter().flat_map(|labels| labels.iter()).all(|label| has(&label.value))
}

fn of_endpoint(endpoint: &Endpoint, port: &Port) -> WeightedAddress {
    let EndpointParts { address, ports, labels: _, weight, service_account: _ } = parts::endpoint(endpoint);
    let named = ports.iter().find(|own| own.name.value.as_str() == port.port_name());
    let number = named.map_or(port.target.unwrap_or(port.number).value, |named| named.number.value);
    WeightedAddress {
        port: (!matches!(address, EndpointAddress::Unix(_))).then(|| number.get()),
        address: address.clone(),
        weight: weight.map_or(1, |weight| weight.value.get().max(1)),
    }
}
