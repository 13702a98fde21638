//! Listeners: ports with the filter chains behind them.

use super::api::{self, Address, CidrRange, Extension, FilterChainMatch};
use super::chains::{Chain, Choice, Treatment, chains};
use super::context::Context;
use super::http::HttpPort;
use super::{http, tcp, tls};
use crate::raw_proxy::{Place, place};
use crate::yaml::Sourced;
use meshc_compiler::model::ServerTls;
use meshc_compiler::routing::{ConnectionRule, Listener, Plain, TlsKind, TlsServer};
use meshc_compiler::values::Cidr;
use smol_str::SmolStr;
use std::net::{IpAddr, Ipv6Addr};

/// A listener; `None` if it takes no connection at all.
pub(super) fn listener<'a>(context: &Context<'a>, listener: &'a Listener) -> Option<Sourced<api::Listener>> {
    let Listener { bind: _, all: _, port, plain: _, tls, conflicts: _ } = listener;
    let (name, address) = match place(listener, context.model, context.proxy, context.limits) {
        Place::At(address) => (address, Address::socket(address.to_string(), *port)),
        Place::Everywhere => (IpAddr::V6(Ipv6Addr::UNSPECIFIED), Address::everywhere(*port)),
    };
    let chains = chains(listener);
    let by_address = chains.iter().any(|chain| !chain.ranges.is_empty());
    let mut filter_chains = Vec::with_capacity(chains.len());
    for chain in &chains {
        filter_chains.extend(filter_chain(context, listener, chain));
    }
    let mut listener_filters = Vec::new();
    if by_address || context.looks_at_addresses() {
        listener_filters.push(Extension {
            name: "envoy.filters.listener.original_dst",
            typed_config: api::OriginalDst {}.into(),
        });
    }
    if !tls.is_empty() {
        listener_filters.push(Extension {
            name: "envoy.filters.listener.tls_inspector",
            typed_config: api::TlsInspector {}.into(),
        });
    }
    let listener = api::Listener {
        name: SmolStr::new(format!("{name}_{port}")),
        address: Some(address),
        per_connection_buffer_limit_bytes: context.edge.map(|edge| edge.envoy.buffer),
        listener_filters,
        filter_chains,
    };
    (!chains.is_empty()).then(|| listener.into())
}

fn filter_chain<'a>(
    context: &Context<'a>,
    listener: &'a Listener,
    chain: &Chain<'_>,
) -> Option<Sourced<api::FilterChain>> {
    let Chain { choice: Choice { server, treatment }, ranges, names } = chain;
    let server = match server {
        None => None,
        Some(at) => Some(listener.tls.get(*at)?),
    };
    let Treated { filters, transport_socket, rule } = treated(context, listener, server, *treatment)?;
    let transport = match server {
        Some(_) => Some("tls"),
        None => (!listener.tls.is_empty()).then_some("raw_buffer"),
    };
    let filter_chain = api::FilterChain {
        filter_chain_match: filter_chain_match(ranges, names, transport),
        filters,
        transport_socket,
    };
    let provenance = &context.provenance;
    let comment = match (rule, server) {
        (Some(rule), _) => provenance.connection_rule(context.model, rule),
        (None, Some(server)) => provenance.origin(context.model, server.origin, server.span),
        (None, None) => None,
    };
    Some(Sourced { comment, value: filter_chain })
}

/// What is done with the connections of a chain.
struct Treated<'a> {
    /// Without filters, they are closed.
    filters: Vec<Extension>,
    transport_socket: Option<Extension>,
    /// The rule that takes them, if they are passed on.
    rule: Option<&'a ConnectionRule>,
}

fn treated<'a>(
    context: &Context<'a>,
    listener: &'a Listener,
    server: Option<&'a TlsServer>,
    treatment: Treatment,
) -> Option<Treated<'a>> {
    let http = |server, tls: Option<&ServerTls>| {
        let asks_callers = tls.is_some_and(|tls| tls.mode.value.asks_callers());
        let port = HttpPort { number: listener.port, tls: tls.is_some(), asks_callers };
        vec![http::manager(context, server, port)]
    };
    let passed = |rules: &'a [ConnectionRule], transport_socket, named| {
        let rule = match treatment {
            Treatment::Rule(at) => rules.get(at),
            Treatment::Http | Treatment::Refuse => None,
        };
        let filters = rule.and_then(|rule| tcp::filters(context, rule, named)).unwrap_or_default();
        Treated { filters, transport_socket, rule }
    };
    Some(match server.map(|server| &server.kind) {
        None => match listener.plain.as_ref()? {
            Plain::Http(server) => {
                Treated { filters: http(server, None), transport_socket: None, rule: None }
            }
            Plain::Tcp(rules) => passed(rules, None, false),
        },
        Some(TlsKind::Http(settings, server)) => {
            let socket = tls::downstream(context, settings, true);
            Treated { filters: http(server, Some(settings)), transport_socket: Some(socket), rule: None }
        }
        Some(TlsKind::Tcp(settings, rules)) => {
            passed(rules, Some(tls::downstream(context, settings, false)), false)
        }
        Some(TlsKind::Passthrough(rules)) => passed(rules, None, true),
    })
}

fn filter_chain_match(
    ranges: &[Cidr],
    names: &[&str],
    transport_protocol: Option<&'static str>,
) -> Option<FilterChainMatch> {
    let range = |range: &Cidr| CidrRange {
        address_prefix: SmolStr::new(range.network().to_string()),
        prefix_len: Some(range.prefix_length()),
    };
    let name = |name: &&str| {
        if name.starts_with('.') { SmolStr::new(format!("*{name}")) } else { SmolStr::new(*name) }
    };
    let matching = FilterChainMatch {
        prefix_ranges: ranges.iter().map(range).collect(),
        server_names: names.iter().map(name).collect(),
        transport_protocol,
    };
    (matching != FilterChainMatch::default()).then_some(matching)
}
