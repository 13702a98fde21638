//! The items of the model, taken apart in full: what the plan takes from each, and what it leaves to others.
//!
//! Nothing else of the plan reads a statement of an item by its field. A new statement stops this file from compiling until it says
//! what becomes of it.

use crate::model::{
    Endpoint, EndpointBody, EndpointPort, External, ExternalBody, Gateway, GatewayBody, Host, HostBody,
    HttpsRedirect, Labels, Listener, ListenerBody, Mirror, Port, Route, RouteOptions, ServerHost, ServerTls,
    Service, ServiceBody, Subset, SubsetBody, Visibility,
};
use crate::policy::{SharedRouteOptions, TrafficPolicy};
use crate::values::{Count, EndpointAddress, HostPattern, IpOrCidr, Protocol, SubjectAltName, Text};
use meshc_language::{Span, Spanned};
use std::net::IpAddr;

/// The listeners of a gateway.
pub(super) fn listeners(gateway: &Gateway) -> &[Listener] {
    // `service` is what callers of an external are led to.
    let Gateway { name: _, body, service: _, span: _, attributes: _ } = gateway;
    let GatewayBody {
        // Who builds it is chosen by target.
        controller: _,
        // Istio finds pods by it; a raw proxy is the gateway.
        workload: _,
        listeners,
    } = body;
    listeners
}

/// What a listener says.
pub(super) struct ListenerParts<'m> {
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    pub(super) hosts: &'m [Spanned<ServerHost>],
    pub(super) tls: Option<&'m ServerTls>,
    pub(super) redirect: Option<HttpsRedirect>,
    /// The address that it binds to, as it is said.
    pub(super) bind: Option<IpAddr>,
    pub(super) span: Span,
}

pub(super) fn listener(listener: &Listener) -> ListenerParts<'_> {
    let Listener { protocol, port, body, span, attributes: _ } = listener;
    let ListenerBody {
        hosts,
        tls,
        redirect,
        bind,
        // Names for Istio's statistics and resources.
        name: _,
        port_name: _,
    } = body;
    ListenerParts {
        protocol: protocol.value,
        port: port.value.get(),
        hosts: hosts.as_ref().map_or(&[], |hosts| hosts),
        tls: tls.as_deref(),
        // Requests of HTTPS are where it leads.
        redirect: redirect.filter(|_| protocol.value.is_http_family()),
        bind: bind.map(|bind| bind.value.bound()),
        span: *span,
    }
}

/// What a service says.
pub(super) struct ServiceParts<'m> {
    /// Whether its host is another one than that of its name and namespace.
    pub(super) has_own_host: bool,
    pub(super) ports: &'m [Port],
    pub(super) subsets: &'m [Subset],
    pub(super) visibility: Option<&'m Visibility>,
    pub(super) traffic: &'m TrafficPolicy,
}

pub(super) fn service(service: &Service) -> ServiceParts<'_> {
    let Service { name: _, body, span: _, attributes: _ } = service;
    let ServiceBody { ports, host, subsets, visibility, traffic } = body;
    ServiceParts { has_own_host: host.is_some(), ports, subsets, visibility: visibility.as_ref(), traffic }
}

/// What an external says.
pub(super) struct ExternalParts<'m> {
    pub(super) hosts: &'m [Spanned<HostPattern>],
    /// The addresses that callers use.
    pub(super) addresses: &'m [Spanned<IpOrCidr>],
    pub(super) ports: &'m [Port],
    pub(super) endpoints: &'m [Endpoint],
    /// Names one of which its certificate must have.
    pub(super) names: &'m [Spanned<SubjectAltName>],
    pub(super) subsets: &'m [Subset],
    pub(super) visibility: Option<&'m Visibility>,
    pub(super) traffic: &'m TrafficPolicy,
}

pub(super) fn external(external: &External) -> ExternalParts<'_> {
    // `via` is looked up where callers are told of it.
    let External { name: _, body, via: _, span: _, attributes: _ } = external;
    let ExternalBody {
        hosts,
        addresses,
        ports,
        // As `External::resolution`.
        resolution: _,
        endpoints,
        // Labels by which Istio finds endpoints, and membership in its mesh: targets report that they have no use for them.
        workload: _,
        location: _,
        names,
        subsets,
        visibility,
        traffic,
    } = body;
    ExternalParts {
        hosts: hosts.as_ref().map_or(&[], |hosts| hosts),
        addresses: addresses.as_ref().map_or(&[], |addresses| addresses),
        ports,
        endpoints,
        names: names.as_ref().map_or(&[], |names| names),
        subsets,
        visibility: visibility.as_ref(),
        traffic,
    }
}

/// What an endpoint says.
pub(super) struct EndpointParts<'m> {
    pub(super) address: &'m EndpointAddress,
    pub(super) ports: &'m [EndpointPort],
    pub(super) labels: Option<&'m Labels>,
    pub(super) weight: Option<Spanned<Count>>,
    pub(super) service_account: Option<&'m Spanned<Text>>,
}

pub(super) fn endpoint(endpoint: &Endpoint) -> EndpointParts<'_> {
    let Endpoint { address, body, span: _, attributes: _ } = endpoint;
    let EndpointBody {
        ports,
        labels,
        // Where it is: targets report that they prefer no endpoint.
        network: _,
        locality: _,
        weight,
        service_account,
    } = body;
    EndpointParts {
        address: &address.value,
        ports,
        labels: labels.as_ref(),
        weight: *weight,
        service_account: service_account.as_ref(),
    }
}

/// The labels of a subset, and how it is called.
pub(super) fn subset(subset: &Subset) -> (Option<&Labels>, &TrafficPolicy) {
    let Subset { name: _, body, span: _, attributes: _ } = subset;
    let SubsetBody { labels, traffic } = body;
    (labels.as_ref(), traffic)
}

/// Who sees the routes of a host block.
pub(super) fn visibility(host: &Host) -> Option<&Visibility> {
    // Names, bindings and routes are looked up where they are needed.
    let Host { names: _, via: _, body, routes: _, span: _, attributes: _ } = host;
    let HostBody {
        // The name of Istio's resource.
        name: _,
        visibility,
    } = body;
    visibility.as_ref()
}

/// The options of a route, and where it sends copies.
pub(super) fn options(route: &Route) -> (&SharedRouteOptions, &[Mirror]) {
    let Route {
        kind: _,
        name: _,
        matches: _,
        condition: _,
        action: _,
        options,
        span: _,
        attributes: _,
        incomplete: _,
    } = route;
    let RouteOptions { mirrors, shared } = options;
    (shared, mirrors)
}
