//! HTTP on one port: the connection manager with its virtual hosts and filters.

use super::api::{self, Extension, HttpConnectionManager};
use super::context::Context;
use super::{Layout, access_log, actions, cluster, edge, retries, routes};
use crate::yaml::Sourced;
use meshc_compiler::model::{Gateway, Id, Resource};
use meshc_compiler::routing::{Addresses, HttpServer, Role, Rule, RuleAction, Upstream, VirtualHost};
use meshc_compiler::values::{HostPattern, Protocol, Scheme};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// Longest direct response in bytes that Envoy is told to keep, unless one is longer: as istiod does.
const RESPONSE_SIZE: usize = 1024 * 1024;

/// A port of a listener on which requests come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct HttpPort {
    pub(super) number: u16,
    /// Whether they come in TLS that ends here.
    pub(super) tls: bool,
    /// Whether callers may show a certificate in that TLS.
    pub(super) asks_callers: bool,
}

impl HttpPort {
    pub(super) fn scheme(self) -> Scheme {
        if self.tls { Scheme::Https } else { Scheme::Http }
    }
}

/// The filter for HTTP on a port.
pub(super) fn manager<'a>(context: &Context<'a>, server: &'a HttpServer, http_port: HttpPort) -> Extension {
    let HttpServer { virtual_hosts } = server;
    let name = SmolStr::new(format!("{}_{}", http_port.scheme(), http_port.number));
    let edge = context.edge.map(|edge| edge.limits);
    // Some requests must be allowed to take their time, and the limit of whole requests is one for all.
    let limits_requests =
        edge.filter(|edge| !rules(server).any(|rule| actions::is_left_alone(context, rule, edge)));
    let manager = HttpConnectionManager {
        stat_prefix: name.clone(),
        http_filters: filters(context, server, http_port),
        common_http_protocol_options: Some(api::DownstreamProtocolOptions {
            idle_timeout: edge.map(|edge| edge::time(edge.idle_timeout)),
            headers_with_underscores_action: Some("DROP_HEADER"),
        }),
        http2_protocol_options: edge.map(edge::http2_of_callers),
        stream_idle_timeout: Some(edge::time(edge.and_then(|edge| edge.stream_idle_timeout))),
        request_timeout: limits_requests.map(|edge| edge::time(edge.request_timeout)),
        request_headers_timeout: edge.map(|edge| edge::time(edge.header_timeout)),
        access_log: vec![access_log::standard_output()],
        // A gateway's callers are strangers: what they say of the address before them is not believed.
        use_remote_address: context.proxy.is_gateway().then_some(true),
        upgrade_configs: vec![api::UpgradeConfig { upgrade_type: "websocket" }],
        normalize_path: Some(true),
        merge_slashes: true,
        path_with_escaped_slashes_action: Some("REJECT_REQUEST"),
        strip_trailing_host_dot: true,
        // The answer of the destination is its own, and so what routes do with its `server`.
        server_header_transformation: Some("PASS_THROUGH"),
        // Who has a certificate is told to the destination, as Istio's gateways do. What callers say of themselves there is dropped
        // either way.
        forward_client_cert_details: http_port.asks_callers.then_some("SANITIZE_SET"),
        set_current_client_cert_details: http_port.asks_callers.then_some(api::ClientCertDetails {
            subject: Some(true),
            cert: true,
            dns: true,
            uri: true,
        }),
        route_config: Some(api::RouteConfiguration {
            name,
            virtual_hosts: hosts(context, virtual_hosts, http_port),
            // Clusters come from a file of their own, which may be read later.
            validate_clusters: (context.paths.layout() == Layout::Filesystem).then_some(false),
            max_direct_response_body_size_bytes: longest_response(server),
            ignore_port_in_host_matching: true,
        }),
    };
    Extension { name: "envoy.filters.network.http_connection_manager", typed_config: manager.into() }
}

fn rules(server: &HttpServer) -> impl Iterator<Item = &Rule> {
    server.virtual_hosts.iter().flat_map(|host| &host.rules)
}

/// A filter stands here if a route uses it; the order is istiod's.
fn filters<'a>(context: &Context<'a>, server: &HttpServer, http_port: HttpPort) -> Vec<Extension> {
    let mut filters = Vec::new();
    let mut add = |name, typed_config| filters.push(Extension { name, typed_config });
    let goes_to = |wanted: &dyn Fn(&Upstream) -> bool| {
        rules(server).any(|rule| match &rule.action {
            RuleAction::Forward(to) => context.upstreams(to).any(wanted),
            RuleAction::Redirect(_) | RuleAction::Respond(_) => false,
        })
    };
    // As istiod has it: a gateway translates on listeners of that protocol, another proxy for destinations of it.
    let translates = match context.proxy.role {
        Role::Gateway(id) => listens_to_grpc_web(context, id, http_port),
        Role::Outbound => goes_to(&|upstream| upstream.protocol() == Protocol::GrpcWeb),
    };
    if translates {
        add("envoy.filters.http.grpc_web", api::GrpcWeb {}.into());
    }
    if rules(server).any(|rule| !rule.options.fault.is_empty()) {
        add("envoy.filters.http.fault", api::HttpFault::default().into());
    }
    if rules(server).any(|rule| rule.options.cors.is_some()) {
        add("envoy.filters.http.cors", api::Cors {}.into());
    }
    if goes_to(&|upstream| upstream.addresses == Addresses::PerRequest) {
        let filter = api::DynamicForwardProxyFilter { dns_cache_config: Some(cluster::dns_cache()) };
        add("envoy.filters.http.dynamic_forward_proxy", filter.into());
    }
    add("envoy.filters.http.router", api::Router {}.into());
    filters
}

/// Whether a listener of a gateway is one for gRPC-web.
fn listens_to_grpc_web(context: &Context<'_>, id: Id<Resource<Gateway>>, http_port: HttpPort) -> bool {
    let gateway = context.model.mesh.gateways.get(id);
    let mut listeners = gateway.iter().flat_map(|gateway| &gateway.declared.body.listeners);
    listeners.any(|one| one.port.value.get() == http_port.number && one.protocol.value == Protocol::GrpcWeb)
}

fn longest_response(server: &HttpServer) -> Option<u32> {
    let bodies = rules(server).filter_map(|rule| match &rule.action {
        RuleAction::Respond(respond) => respond.body.as_ref().map(|body| body.value.len()),
        RuleAction::Forward(_) | RuleAction::Redirect(_) => None,
    });
    let longest = bodies.max()?;
    Some(u32::try_from(longest.max(RESPONSE_SIZE)).unwrap_or(u32::MAX))
}

fn hosts<'a>(
    context: &Context<'a>,
    hosts: &'a [VirtualHost],
    http_port: HttpPort,
) -> Vec<Sourced<api::VirtualHost>> {
    let mut taken: FxHashSet<SmolStr> = FxHashSet::default();
    let mut all = Vec::with_capacity(hosts.len());
    for host in hosts {
        let VirtualHost { domains: patterns, https_only, rules, origin: _, span: _ } = host;
        let mut domains: Vec<SmolStr> = Vec::with_capacity(patterns.len());
        for domain in patterns.iter().map(domain_of) {
            if taken.insert(domain.clone()) {
                domains.push(domain);
            }
        }
        let Some(first) = domains.first() else { continue };
        let name = SmolStr::new(format!("{first}:{}", http_port.number));
        // What is sent to HTTPS looks at no route.
        let mut routes = if *https_only { Vec::new() } else { routes::of_rules(context, rules, http_port) };
        let retry_policy = retries::taken_to_the_virtual_host(&mut routes);
        let value = api::VirtualHost {
            name,
            domains,
            require_tls: https_only.then_some("ALL"),
            // What is kept for a retry is no part of what flows through a connection.
            request_body_buffer_limit: context.edge.map(|edge| edge.envoy.retry_buffer),
            retry_policy,
            routes,
        };
        all.push(Sourced { comment: context.provenance.virtual_host(context.model, host), value });
    }
    all
}

/// A pattern in Envoy's words: an address of the new kind stands in brackets.
fn domain_of(pattern: &HostPattern) -> SmolStr {
    let text = pattern.as_str();
    match pattern.ip() {
        Some(address) if address.is_ipv6() => SmolStr::new(format!("[{text}]")),
        Some(_) | None => SmolStr::new(text),
    }
}
