//! The hosts of externals, and whether they can be resolved (rules S2, S7, S8, S9).

use super::{is_nameless, resolution_span};
use crate::checks::gateways::as_warning;
use crate::model::{External, Resolution, Resource};
use crate::values::HostPattern;
use meshc_language::{Applicability, Code, Diagnostic, Spanned};

fn hosts(external: &External) -> &[Spanned<HostPattern>] {
    external.body.hosts.as_ref().map_or(&[], |hosts| hosts)
}

/// S2: an external is known by names.
pub(super) fn are_names(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    for host in hosts(external) {
        let (message, help) = if host.value.is_any() {
            (
                "`*` is every host, and cannot be a host of an external".to_owned(),
                "name hosts, or a wildcard such as `*.a.com`",
            )
        } else if host.value.is_ip() {
            (
                format!("`{}` is an address, not a host", host.value),
                "put it into `addresses`, and invent a host name",
            )
        } else if host.value.is_generated() {
            (format!("`{}` is a name that Istio makes itself", host.value), "name the host")
        } else {
            continue;
        };
        reports.push(
            Diagnostic::new(Code::BAD_LITERAL, host.span, message)
                .consequence("Istio would refuse the service entry")
                .help(help),
        );
    }
}

/// S2: Istio lets `*a.com` through and warns. The names of TLS have no such wildcards: Envoy refuses the listener.
pub(super) fn wildcards_stand_for_labels(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let by_request = external.resolution() == Resolution::DynamicDns;
    for host in hosts(external).iter().filter(|host| host.value.is_partial_wildcard() && !by_request) {
        let message = format!("the wildcard of `{}` is only part of a label", host.value);
        let report =
            Diagnostic::new(Code::WILDCARD_RESOLUTION, host.span, message).help("write `*.` and a domain");
        let tls = external.body.ports.iter().find(|port| port.protocol.value.is_tls_family());
        reports.push(match tls {
            Some(port) => report
                .related(port.protocol.span, "names in TLS have wildcards for whole labels only")
                .consequence("Envoy would refuse the listener of this port, and keep its previous one"),
            None => as_warning(
                report.consequence("Istio would warn, and match unrelated hosts with the same ending"),
            ),
        });
    }
}

/// S7: DNS knows no wildcards.
pub(super) fn wildcards_are_not_looked_up(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let resolution = external.resolution();
    let looked_up = matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    if !looked_up || !external.body.endpoints.is_empty() || external.faulty {
        return;
    }
    let wildcards = |host: &&Spanned<HostPattern>| host.value.is_wildcard() && !host.value.is_any();
    for host in hosts(external).iter().filter(wildcards) {
        reports.push(
            Diagnostic::new(
                Code::WILDCARD_RESOLUTION,
                host.span,
                format!("DNS cannot resolve `{}`", host.value),
            )
            .related(resolution_span(external), "the resolution")
            .consequence("Istio would refuse the service entry")
            .help("use `resolve none` to keep the original destination, or list host names or an `endpoint`"),
        );
    }
}

/// S8.
pub(super) fn only_wildcards_are_looked_up_by_request(
    external: &Resource<External>,
    reports: &mut Vec<Diagnostic>,
) {
    let Some(resolution) = external.body.resolution.filter(|by| by.value == Resolution::DynamicDns) else {
        return;
    };
    let names = |host: &&Spanned<HostPattern>| !host.value.is_wildcard() && !host.value.is_ip();
    let Some(host) = hosts(external).iter().find(names) else { return };
    let report = Diagnostic::new(
        Code::WILDCARD_RESOLUTION,
        host.span,
        format!("`{}` is a single host; `resolve dynamic-dns` needs wildcards", host.value),
    )
    .related(resolution.span, "the resolution")
    .consequence("Istio would refuse the service entry");
    reports.push(if hosts(external).iter().any(|host| host.value.is_wildcard()) {
        report.help("give single hosts and wildcards an external each")
    } else {
        report.help("use `resolve dns`").edit(Applicability::Unsafe, resolution.span, Resolution::Dns.word())
    });
}

/// S9: of several hosts on one port, the protocol must say which is meant.
pub(super) fn stand_alone_without_names(external: &Resource<External>, reports: &mut Vec<Diagnostic>) {
    let hosts = hosts(external);
    let Some(second) = hosts.get(1).filter(|_| external.resolution() != Resolution::None) else { return };
    let Some(port) = external.body.ports.iter().find(|port| is_nameless(port.protocol.value)) else { return };
    let message = format!("connections to port {} carry no host name", port.number.value);
    reports.push(
        Diagnostic::new(Code::SEVERAL_HOSTS_ON_TCP, port.protocol.span, message)
            .related(second.span, "a second host")
            .consequence("Istio would refuse the service entry")
            .help("declare an external for each host"),
    );
}
