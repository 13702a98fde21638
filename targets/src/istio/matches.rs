//! From the normal form of a condition to Istio's matches.

use super::api;
use super::name::GatewayNames;
use meshc_compiler::model::{HeaderTest, Match, MatchBinding, PathMatch, PathTest};
use meshc_compiler::policy::TextMatch;
use meshc_compiler::values::{MatchHeaderName, Pattern, Port, escape_literal};
use smol_str::SmolStr;

/// The matches of an HTTP route. A segment prefix and a list of ports take several, since Istio has no word for them.
pub(super) fn http(names: &GatewayNames<'_>, one: &Match, out: &mut Vec<api::HttpMatchRequest>) {
    let Match {
        path,
        scheme,
        methods,
        authority,
        headers,
        without,
        query,
        ports,
        source_namespace,
        source_labels,
        bindings,
        // Connection properties: `check` refuses them in routes for HTTP.
        sni: _,
        destinations: _,
    } = one;
    let base = api::HttpMatchRequest {
        name: None,
        uri: None,
        scheme: scheme.as_ref().map(|text| Box::new(text_match(text))),
        method: method(methods).map(Box::new),
        authority: authority.as_ref().map(|text| Box::new(text_match(text))),
        headers: header_tests(headers),
        port: None,
        source_labels: source_labels
            .iter()
            .map(|label| (label.key().as_str(), SmolStr::new(label.value().as_str())))
            .collect(),
        gateways: gateways(names, bindings),
        query_params: query.iter().map(|(name, test)| (name.clone(), header_test(test))).collect(),
        ignore_uri_case: path.as_ref().filter(|path| path.ignore_case).map(|_| true),
        without_headers: header_tests(without),
        source_namespace: source_namespace.as_ref().map(|namespace| SmolStr::new(namespace.as_str())),
        stat_prefix: None,
    };
    for uri in uris(path.as_ref()) {
        for port in each_port(ports) {
            out.push(api::HttpMatchRequest { uri: uri.clone(), port, ..base.clone() });
        }
    }
}

fn uris(path: Option<&PathMatch>) -> Vec<Option<api::StringMatch>> {
    let Some(PathMatch { test, ignore_case: _ }) = path else { return vec![None] };
    match test {
        PathTest::Exact(path) => vec![Some(exact(path.clone()))],
        PathTest::Prefix(path) => vec![Some(prefix(path.clone()))],
        PathTest::Under(path) => {
            vec![Some(exact(path.clone())), Some(prefix(SmolStr::new(format!("{path}/"))))]
        }
        PathTest::Pattern(pattern) => vec![Some(regex(SmolStr::new(pattern.as_str())))],
    }
}

fn each_port(ports: &[Port]) -> Vec<Option<u32>> {
    if ports.is_empty() { vec![None] } else { ports.iter().map(|port| Some(u32::from(port.get()))).collect() }
}

fn method(methods: &[SmolStr]) -> Option<api::StringMatch> {
    match methods {
        [] => None,
        [one] => Some(exact(one.clone())),
        several => {
            let escaped: Vec<String> = several.iter().map(|method| escape_literal(method)).collect();
            Some(regex(SmolStr::new(escaped.join("|"))))
        }
    }
}

fn header_tests(tests: &[(MatchHeaderName, HeaderTest)]) -> api::StringMap<api::StringMatch> {
    tests.iter().map(|(name, test)| (SmolStr::new(name.as_str()), header_test(test))).collect()
}

fn header_test(test: &HeaderTest) -> api::StringMatch {
    match test {
        HeaderTest::Present => api::StringMatch::default(),
        HeaderTest::Text(text) => text_match(text),
    }
}

/// A comparison in Istio's words.
pub(super) fn text_match(text: &TextMatch) -> api::StringMatch {
    match text {
        TextMatch::Exact(text) => exact(text.clone()),
        TextMatch::Prefix(text) => prefix(text.clone()),
        TextMatch::Pattern(pattern) => regex(SmolStr::new(Pattern::as_str(pattern))),
    }
}

fn exact(text: SmolStr) -> api::StringMatch {
    api::StringMatch { exact: Some(text), prefix: None, regex: None }
}

fn prefix(text: SmolStr) -> api::StringMatch {
    api::StringMatch { exact: None, prefix: Some(text), regex: None }
}

fn regex(text: SmolStr) -> api::StringMatch {
    api::StringMatch { exact: None, prefix: None, regex: Some(text) }
}

fn gateways(names: &GatewayNames<'_>, bindings: &[MatchBinding]) -> Vec<SmolStr> {
    let binding = |binding: &MatchBinding| match binding {
        MatchBinding::Mesh => vec![SmolStr::new_static("mesh")],
        MatchBinding::Gateway(id) => names.of_gateway(*id),
    };
    bindings.iter().flat_map(binding).collect()
}

/// The parts of a connection that tls and tcp routes look at, once for each port.
fn connection(names: &GatewayNames<'_>, one: &Match) -> Vec<api::L4MatchAttributes> {
    let Match {
        // Request properties: `check` refuses them in routes for connections.
        path: _,
        scheme: _,
        methods: _,
        authority: _,
        headers: _,
        without: _,
        query: _,
        ports,
        source_namespace,
        source_labels,
        bindings,
        sni: _,
        destinations,
    } = one;
    let labels =
        source_labels.iter().map(|label| (label.key().as_str(), SmolStr::new(label.value().as_str())));
    let base = api::L4MatchAttributes {
        destination_subnets: destinations.iter().map(|range| SmolStr::new(range.to_string())).collect(),
        port: None,
        source_subnet: None,
        source_labels: labels.collect(),
        gateways: gateways(names, bindings),
        source_namespace: source_namespace.as_ref().map(|namespace| SmolStr::new(namespace.as_str())),
    };
    each_port(ports).into_iter().map(|port| api::L4MatchAttributes { port, ..base.clone() }).collect()
}

/// The matches of a tcp route.
pub(super) fn tcp(names: &GatewayNames<'_>, one: &Match, out: &mut Vec<api::L4MatchAttributes>) {
    out.extend(connection(names, one));
}

/// The matches of a tls route.
pub(super) fn tls(names: &GatewayNames<'_>, one: &Match, out: &mut Vec<api::TlsMatchAttributes>) {
    for l4 in connection(names, one) {
        let api::L4MatchAttributes {
            destination_subnets,
            port,
            source_subnet: _,
            source_labels,
            gateways,
            source_namespace,
        } = l4;
        out.push(api::TlsMatchAttributes {
            sni_hosts: one.sni.iter().map(|name| SmolStr::new(name.as_str())).collect(),
            destination_subnets,
            port,
            source_labels,
            gateways,
            source_namespace,
        });
    }
}
