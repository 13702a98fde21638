//! Externals: what admission refuses (rules S of the API), and what can never be reached.

mod egress;
mod endpoints;
mod hosts;
pub(super) mod sent_on;
pub(super) mod steps;
mod twice;
mod wildcards;

use super::Context;
use super::services::labels_stand_once;
use crate::model::{Endpoint, External, Location, Port, Resolution, Resource};
use crate::values::Protocol;
use meshc_language::{Code, Diagnostic, Span};

type ExternalCheck = fn(&Resource<External>, &mut Vec<Diagnostic>);

/// Checks of one external.
const CHECKS: &[ExternalCheck] = &[
    hosts::are_names,
    hosts::wildcards_stand_for_labels,
    hosts::wildcards_are_not_looked_up,
    hosts::only_wildcards_are_looked_up_by_request,
    hosts::stand_alone_without_names,
    ranges_are_not_looked_up,
    tcp_has_an_address,
    requests_name_their_host,
    endpoints::go_with_the_resolution,
    endpoints::are_there,
    endpoints::are_one_for_one_connection,
    endpoints::have_an_address_of_the_right_kind,
    endpoints::name_ports_that_exist,
    endpoints::of_sockets_have_one_port,
    endpoints::have_a_weight,
    labels_stand_once_in_each_list,
    lists_are_not_too_long,
];

/// All checks of externals that services do not need.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, external) in context.model.mesh.externals.iter() {
        for check in CHECKS {
            check(external, reports);
        }
        egress::check(context, external, reports);
    }
    egress::subsets_are_free(context, reports);
    sent_on::hosts_are_known_to_the_gateway(context, reports);
    twice::hosts_are_declared_alike(context, reports);
    wildcards::policies_of_wildcards_are_seen(context, reports);
}

/// Where the resolution stands; the name where it is not given.
fn resolution_span(external: &External) -> Span {
    external.body.resolution.map_or(external.name.span, |resolution| resolution.span)
}

/// S3, S8: a range is matched against what callers ask for; only without DNS is that an address.
fn ranges_are_not_looked_up(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let resolution = external.resolution();
    let addresses = external.body.addresses.as_ref().map_or(&[][..], |addresses| addresses);
    let Some(first) = addresses.first().filter(|_| resolution == Resolution::DynamicDns) else {
        let looked_up = matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
        for range in addresses.iter().filter(|address| looked_up && address.value.is_cidr()) {
            reports.push(
                Diagnostic::new(
                    Code::ADDRESS_RANGE,
                    range.span,
                    format!("`{}` is a range; names are resolved by DNS here", range.value),
                )
                .related(resolution_span(external), "the resolution")
                .consequence("Istio would refuse the service entry")
                .help("write single addresses, or use `resolve none` or `resolve static`"),
            );
        }
        return;
    };
    reports.push(
        Diagnostic::new(Code::ADDRESS_RANGE, first.span, "`resolve dynamic-dns` takes no `addresses`")
            .related(resolution_span(external), "the resolution")
            .consequence("Istio would refuse the service entry")
            .help("remove `addresses`, or use another resolution"),
    );
}

/// Whether a protocol says neither a host nor a server name.
const fn is_nameless(protocol: Protocol) -> bool {
    !protocol.is_http_family() && !protocol.is_tls_family()
}

/// S4, IST0134: a sidecar tells TCP connections apart by address and port only. Istio warns for `tcp`; the databases'
/// protocols are captured in the same way.
fn tcp_has_an_address(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let by_request = external.resolution() == Resolution::DynamicDns;
    // Workloads of the mesh are known by the addresses of their endpoints.
    let has_workloads = external.body.location.is_some_and(|location| location.value == Location::Internal)
        && (external.body.workload.is_some() || !external.body.endpoints.is_empty());
    if external.body.addresses.is_some() || external.faulty || by_request || has_workloads {
        return;
    }
    let captures = |port: &&Port| is_nameless(port.protocol.value) && port.protocol.value.is_tcp_family();
    let mut ports = external.body.ports.iter().filter(captures);
    let Some(first) = ports.next() else { return };
    let message = format!(
        "port {} is for `{}`, and the external has no `addresses`",
        first.number.value, first.protocol.value
    );
    let mut report = Diagnostic::new(Code::TCP_WITHOUT_ADDRESS, first.protocol.span, message)
        .consequence("sidecars would send every connection on this port, whatever its host, to this external")
        .help("add `addresses`, or accept this with `@allow` where Istio assigns addresses by itself");
    for port in ports {
        report = report.related(port.protocol.span, "this port too");
    }
    reports.push(report);
}

/// S8: the host of a request is known where a protocol says it.
fn requests_name_their_host(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    if external.resolution() != Resolution::DynamicDns {
        return;
    }
    let fits =
        |protocol| matches!(protocol, Protocol::Http | Protocol::Tls | Protocol::Grpc | Protocol::Http2);
    for port in external.body.ports.iter().filter(|port| !fits(port.protocol.value)) {
        let report = Diagnostic::new(
            Code::RESOLUTION,
            port.protocol.span,
            format!("a port for `{}` does not work with `resolve dynamic-dns`", port.protocol.value),
        )
        .related(resolution_span(external), "the resolution")
        .consequence("Istio would refuse the service entry");
        reports.push(if port.protocol.value == Protocol::Https {
            report.help("use `tls`: only the server name (SNI) is read").edit(
                meshc_language::Applicability::Unsafe,
                port.protocol.span,
                Protocol::Tls.word(),
            )
        } else {
            report.help("use `http`, `http2`, `grpc` or `tls`, or another resolution")
        });
    }
    if let Some(location) =
        external.body.location.filter(|location| location.value == crate::model::Location::Internal)
    {
        reports.push(
            Diagnostic::new(
                Code::RESOLUTION,
                location.span,
                "`resolve dynamic-dns` works only outside the mesh",
            )
            .related(resolution_span(external), "the resolution")
            .consequence("Istio does not support it")
            .help("remove `location internal`, or use another resolution"),
        );
    }
}

fn labels_stand_once_in_each_list(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let body = &external.body;
    let endpoints = body.endpoints.iter().filter_map(|endpoint| endpoint.body.labels.as_ref());
    for labels in body.workload.iter().chain(endpoints) {
        labels_stand_once(labels, reports);
    }
}

/// The longest lists that Istio's CRD lets through: hosts, addresses, ports, endpoints, ports of an endpoint, labels.
const LONGEST: [usize; 6] = [256, 256, 256, 4096, 128, 256];

/// H32.
fn lists_are_not_too_long(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let body = &external.body;
    let [hosts, addresses, ports, endpoints, endpoint_ports, labels] = LONGEST;
    let host = body.hosts.as_ref().and_then(|list| list.get(hosts)).map(|host| host.span);
    let address = body.addresses.as_ref().and_then(|list| list.get(addresses)).map(|address| address.span);
    let workload_label = body.workload.as_ref().and_then(|list| list.get(labels)).map(|label| label.span);
    let beyond = [
        (host, hosts, "hosts"),
        (address, addresses, "addresses"),
        (body.ports.get(ports).map(|port| port.span), ports, "ports"),
        (body.endpoints.get(endpoints).map(|endpoint| endpoint.span), endpoints, "endpoints"),
        (workload_label, labels, "labels"),
    ];
    let of_endpoints = body.endpoints.iter().flat_map(|Endpoint { body, .. }| {
        let label = body.labels.as_ref().and_then(|list| list.get(labels)).map(|label| label.span);
        [
            (body.ports.get(endpoint_ports).map(|port| port.span), endpoint_ports, "ports"),
            (label, labels, "labels"),
        ]
    });
    for (span, most, what) in beyond.into_iter().chain(of_endpoints) {
        let Some(span) = span else { continue };
        reports.push(
            Diagnostic::new(Code::BAD_ENDPOINT, span, format!("there are more than {most} {what}"))
                .consequence("Istio would refuse the service entry")
                .help("split them into several externals"),
        );
    }
}
