//! The endpoints of externals (rules S1, S5 to S8).

use super::resolution_span;
use crate::model::default_port_name;
use crate::model::{Endpoint, External, Resolution, Resource};
use crate::values::EndpointAddress;
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashMap;

/// Where the first endpoint or the labels of endpoints stand.
fn first_place(external: &External) -> Option<Span> {
    let body = &external.body;
    let workload = || Some(body.workload.as_ref()?.first()?.span.to(body.workload.as_ref()?.last()?.span));
    body.endpoints.first().map(|endpoint| endpoint.span).or_else(workload)
}

/// S1, S5, S8: endpoints are named or chosen by labels; without a resolution, or by the host of each request, there are
/// none.
pub(super) fn go_with_the_resolution(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let body = &external.body;
    if let (Some(endpoint), Some(label)) =
        (body.endpoints.first(), body.workload.as_ref().and_then(|labels| labels.first()))
    {
        reports.push(
            Diagnostic::new(
                Code::RESOLUTION,
                endpoint.span,
                "endpoints are listed, and also selected by labels",
            )
            .related(label.span, "selected here")
            .consequence("Istio would refuse the service entry")
            .help("keep `endpoint` or `workload`"),
        );
    }
    let Some(place) = first_place(external) else { return };
    let report = match (external.resolution(), body.resolution) {
        (Resolution::None, None) if external.faulty => return,
        (Resolution::None, None) => Diagnostic::new(Code::RESOLUTION, place, "endpoints need a resolution")
            .label("without `resolve`, requests go to the original destination address")
            .help(format!("add `resolve {}`", fitting(external).word())),
        (Resolution::None, Some(resolution)) => {
            Diagnostic::new(Code::RESOLUTION, place, "`resolve none` takes no endpoints")
                .related(resolution.span, "requests go to the original destination address")
                .help(format!("use `resolve {}`, or remove the endpoints", fitting(external).word()))
        }
        (Resolution::DynamicDns, resolution) => {
            Diagnostic::new(Code::RESOLUTION, place, "`resolve dynamic-dns` takes no endpoints")
                .related(
                    resolution.map_or(place, |resolution| resolution.span),
                    "the host of each request is resolved",
                )
                .help("remove the endpoints, or use another resolution")
        }
        (Resolution::Static | Resolution::Dns | Resolution::DnsRoundRobin, _) => return,
    };
    reports.push(report.consequence("Istio would refuse the service entry, or ignore the endpoints"));
}

/// The resolution that the endpoints ask for.
fn fitting(external: &External) -> Resolution {
    let by_name = |endpoint: &Endpoint| matches!(endpoint.address.value, EndpointAddress::Host(_));
    if external.body.endpoints.iter().any(by_name) { Resolution::Dns } else { Resolution::Static }
}

/// Istio takes a list of no endpoints, and nothing can be sent to it.
pub(super) fn are_there(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let Some(resolution) = external.body.resolution.filter(|by| by.value == Resolution::Static) else {
        return;
    };
    if first_place(external).is_none() && !external.faulty {
        reports.push(
            Diagnostic::new(Code::NO_ENDPOINTS, resolution.span, "`resolve static` needs endpoints")
                .consequence("requests would get 503: there are no endpoints")
                .help("add `endpoint ADDRESS`, select workloads with `workload`, or use `resolve dns`"),
        );
    }
}

/// S7.
pub(super) fn are_one_for_one_connection(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let Some(resolution) = external.body.resolution.filter(|by| by.value == Resolution::DnsRoundRobin) else {
        return;
    };
    if let Some(second) = external.body.endpoints.get(1) {
        reports.push(
            Diagnostic::new(
                Code::RESOLUTION,
                second.span,
                "`resolve dns-round-robin` takes one endpoint at most",
            )
            .related(resolution.span, "the resolution")
            .consequence("Istio would refuse the service entry")
            .help("use `resolve dns`, or keep one endpoint"),
        );
    }
}

/// S6, S7: addresses where they are used as they are, names or addresses where they are looked up.
pub(super) fn have_an_address_of_the_right_kind(
    external: &Resource<External>,
    reports: &mut Vec<Diagnostic>,
) {
    for endpoint in &external.body.endpoints {
        let (message, help) = match (external.resolution(), &endpoint.address.value) {
            (Resolution::Static, EndpointAddress::Host(name)) => (
                format!("`{name}` is a host name, which `resolve static` does not resolve"),
                "write its address, or use `resolve dns`",
            ),
            (Resolution::Dns | Resolution::DnsRoundRobin, EndpointAddress::Unix(_)) => {
                ("a socket cannot be resolved by DNS".to_owned(), "use `resolve static`")
            }
            _ => continue,
        };
        reports.push(
            Diagnostic::new(Code::BAD_ENDPOINT, endpoint.address.span, message)
                .related(resolution_span(external), "the resolution")
                .consequence("Istio would refuse the service entry")
                .help(help),
        );
    }
}

/// S6, S7: an endpoint says where it has the ports of its external.
pub(super) fn name_ports_that_exist(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let names = external.body.ports.iter().map(|port| match &port.name {
        Some(name) => name.value.to_string(),
        None => default_port_name(port.protocol.value, port.number.value).to_string(),
    });
    let names: Vec<String> = names.collect();
    for endpoint in &external.body.endpoints {
        let mut seen: FxHashMap<&str, Span> = FxHashMap::default();
        for port in &endpoint.body.ports {
            let name = port.name.value.as_str();
            if let Some(earlier) = seen.insert(name, port.name.span) {
                reports.push(
                    port_fault(port.name.span, format!("port `{name}` is given twice"), "keep one of them")
                        .related(earlier, "first named here"),
                );
            } else if !names.iter().any(|known| known == name) && !external.incomplete {
                reports.push(unknown_port(external, name, port.name.span, &names));
            } else if name.len() == LONGEST_NAME {
                let message =
                    format!("the name of a port on an endpoint has at most {} characters", LONGEST_NAME - 1);
                reports.push(port_fault(port.name.span, message, "shorten the name of the port"));
            }
        }
    }
}

/// Istio's CRD takes one character less here than elsewhere.
const LONGEST_NAME: usize = 63;

fn port_fault(span: Span, message: String, help: &str) -> Diagnostic {
    Diagnostic::new(Code::BAD_ENDPOINT, span, message)
        .consequence("Istio would refuse the service entry")
        .help(help)
}

fn unknown_port(external: &External, name: &str, span: Span, names: &[String]) -> Diagnostic {
    let report =
        port_fault(span, format!("external `{}` has no port named `{name}`", external.name.value), "")
            .related(external.name.span, "declared here");
    match crate::values::did_you_mean(name, names.iter().map(String::as_str)) {
        Some(meant) => report.help(format!("did you mean `{meant}`?")).edit(
            meshc_language::Applicability::Unsafe,
            span,
            meant.to_owned(),
        ),
        None => report.help(format!("it has {}", crate::reading::listed(names))),
    }
}

/// S6: a socket has no ports, and stands for one.
pub(super) fn of_sockets_have_one_port(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let sockets = |endpoint: &&Endpoint| matches!(endpoint.address.value, EndpointAddress::Unix(_));
    for endpoint in external.body.endpoints.iter().filter(sockets) {
        if let Some(port) = endpoint.body.ports.first() {
            reports.push(
                port_fault(port.span, "a socket has no ports".to_owned(), "remove `port`")
                    .related(endpoint.address.span, "the socket"),
            );
        }
        if let Some(second) = external.body.ports.get(1) {
            reports.push(
                port_fault(
                    endpoint.address.span,
                    "a socket serves one port, and this external has several".to_owned(),
                    "declare an external for each port",
                )
                .related(second.span, "a second port"),
            );
        }
    }
}

/// Istio takes 0 for "not set".
pub(super) fn have_a_weight(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    for endpoint in &external.body.endpoints {
        let Some(weight) = endpoint.body.weight.filter(|weight| weight.value.get() == 0) else { continue };
        reports.push(
            Diagnostic::new(Code::WEIGHTLESS_ENDPOINT, weight.span, "a weight of 0 does not stop traffic")
                .consequence("Istio would use its default, 1")
                .help("remove the endpoint, or write at least 1"),
        );
    }
}
