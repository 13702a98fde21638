//! How a destination is called: pools, ejection, hashing (rules D6 to D8), wherever it is said.

use super::Called;
use crate::model::Port;
use crate::policy::{HashAlgorithm, HashKey, Method, PoolBody, Upgrade};
use crate::values::Percent;
use meshc_language::{Applicability, Code, Diagnostic, Span, Spanned};
use rustc_hash::FxHashSet;

/// D7.
pub(super) fn pools_say_something(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for pool in called.policies().filter_map(|policy| policy.pool.as_ref()) {
        if pool.body == PoolBody::default() && !called.faulty {
            reports.push(
                Diagnostic::new(Code::EMPTY_POOL, pool.span, "this pool is empty")
                    .consequence("Istio would refuse the destination rule")
                    .help("add a limit such as `connections 100`, or remove it"),
            );
        }
    }
}

/// D7: a connection is upgraded, or it keeps the protocol of the caller.
pub(super) fn upgrades_have_effect(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for pool in called.policies().filter_map(|policy| policy.pool.as_ref()) {
        let upgrade = pool.body.upgrade.filter(|upgrade| upgrade.value == Upgrade::Always);
        let kept = pool.body.client_protocol.filter(|kept| kept.value.is_on());
        if let (Some(upgrade), Some(kept)) = (upgrade, kept) {
            reports.push(
                Diagnostic::new(
                    Code::POOL_SETTING,
                    upgrade.span,
                    "`http2 always` and `client-protocol` exclude each other",
                )
                .related(kept.span, "the client's protocol is used")
                .consequence("Istio would refuse the destination rule")
                .help("remove one of the two"),
            );
        }
    }
}

/// D6: Istio takes whole percents.
pub(super) fn ejections_are_whole_percents(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for ejection in called.policies().filter_map(|policy| policy.ejection.as_ref()) {
        for share in [ejection.max, ejection.min_healthy].into_iter().flatten() {
            if let Some(rounded) = rounded(share) {
                reports.push(
                    Diagnostic::new(
                        Code::FRACTION_OF_PERCENT,
                        share.span,
                        format!("`{}` is not a whole percentage", share.value),
                    )
                    .consequence("Istio and Envoy have whole percentages here")
                    .help(format!("write `{rounded}`"))
                    .edit(Applicability::Unsafe, share.span, rounded.to_string()),
                );
            }
        }
    }
}

const PPM_PER_PERCENT: u32 = 10_000;

/// The next whole percentage above, if it is not one itself.
fn rounded(share: Spanned<Percent>) -> Option<Percent> {
    let ppm = share.value.ppm();
    if ppm.is_multiple_of(PPM_PER_PERCENT) {
        None
    } else {
        Percent::from_ppm(ppm.next_multiple_of(PPM_PER_PERCENT))
    }
}

/// H27: Istio takes 0 for "not set".
pub(super) fn ejections_are_possible(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for ejection in called.policies().filter_map(|policy| policy.ejection.as_ref()) {
        let Some(max) = ejection.max.filter(|max| max.value.ppm() == 0) else { continue };
        reports.push(
            Diagnostic::new(Code::EJECTION_SETTING, max.span, "`max 0%` does not disable ejection")
                .consequence("Istio would use its default, 10%")
                .help("remove `eject`, or write at least 1%"),
        );
    }
}

/// D8.
pub(super) fn hashes_have_a_key(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for policy in called.policies() {
        let name = match policy.balancing.as_ref().map(|balancing| &balancing.method) {
            Some(Method::Hash { key: HashKey::Query(name), .. }) => name,
            Some(
                Method::Hash { key: HashKey::Header(_) | HashKey::Cookie { .. } | HashKey::SourceIp, .. }
                | Method::Simple(_),
            )
            | None => continue,
        };
        if name.value.is_empty() {
            reports.push(
                Diagnostic::new(Code::NAMELESS_HASH_KEY, name.span, "the query parameter has no name")
                    .consequence("every request would have the same hash, and go to the same endpoint")
                    .help("give it a name"),
            );
        }
    }
}

/// The largest hash ring that Envoy builds (`RingHashLbConfig.minimum_ring_size`).
const LARGEST_RING: u32 = 8 * 1024 * 1024;

/// D8: what Istio lets through, Envoy may refuse.
pub(super) fn hash_rings_fit(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for policy in called.policies() {
        let Some(Method::Hash { algorithm: Some(HashAlgorithm::Ring(size)), .. }) =
            policy.balancing.as_ref().map(|balancing| &balancing.method)
        else {
            continue;
        };
        if size.value.get() > LARGEST_RING {
            reports.push(
                Diagnostic::new(
                    Code::HASH_SETTING,
                    size.span,
                    format!("a hash ring has at most {LARGEST_RING} entries"),
                )
                .consequence("Envoy would refuse the cluster, and keep its previous one")
                .help("write a smaller size, such as 1024"),
            );
        }
    }
}

/// Istio takes 0 for "not set".
pub(super) fn retries_at_once_are_limited(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for pool in called.policies().filter_map(|policy| policy.pool.as_ref()) {
        let Some(retries) = pool.body.retries.filter(|retries| retries.value.get() == 0) else { continue };
        reports.push(
            Diagnostic::new(Code::POOL_DEFAULT, retries.span, "`retries 0` does not disable retries")
                .consequence("Istio would use its default: unlimited concurrent retries")
                .help("write `retry off` in the routes, or at least `retries 1`"),
        );
    }
}

/// Streams are limited where HTTP/2 is spoken for certain.
pub(super) fn streams_are_limited_where_there_are_some(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    let mut shared = called.ports.iter().filter(|port| port.traffic.is_empty());
    let on_ports = called.ports.iter().map(|port| (&port.traffic, port.protocol.value.is_http2_family()));
    let general = (called.traffic, shared.any(|port| port.protocol.value.is_http2_family()));
    let any = called.ports.iter().any(|port| port.protocol.value.is_http2_family());
    let subsets = called.subsets.iter().map(|subset| (&subset.body.traffic, any));
    let mut known = FxHashSet::default();
    for (policy, speaks_http2) in std::iter::once(general).chain(on_ports).chain(subsets) {
        let Some(pool) = policy.pool.as_deref() else { continue };
        let Some(streams) = pool.body.streams.filter(|streams| known.insert(streams.span)) else { continue };
        let as_caller = pool.body.client_protocol.filter(|kept| kept.value.is_on());
        let upgraded = pool.body.upgrade.is_some_and(|upgrade| upgrade.value == Upgrade::Always);
        let report = Diagnostic::new(Code::POOL_WITHOUT_EFFECT, streams.span, "`streams` has no effect here");
        if let Some(kept) = as_caller {
            reports.push(
                report
                    .related(kept.span, "the client's protocol is used")
                    .consequence("Istio does not limit streams where clients choose the protocol, nor do the other targets")
                    .help("remove `client-protocol`, or limit `requests`"),
            );
        } else if !speaks_http2 && !upgraded && !called.faulty {
            reports.push(
                report
                    .consequence(
                        "it limits the streams of an HTTP/2 connection, and this destination uses HTTP/1.1",
                    )
                    .help("add `http2 always`, declare the port as `http2` or `grpc`, or limit `requests`"),
            );
        }
    }
}

/// Settings of pools for HTTP do nothing where only connections are passed on. `streams` is looked at by itself.
pub(super) fn settings_for_requests_have_some(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    let is_plain = |port: &&Port| {
        let protocol = port.protocol.value;
        protocol.is_tcp_family() && !protocol.is_tls_family()
    };
    let has_requests = |ports: &[&Port]| ports.is_empty() || !ports.iter().all(is_plain);
    let all: Vec<&Port> = called.ports.iter().collect();
    let shared: Vec<&Port> = called.ports.iter().filter(|port| port.traffic.is_empty()).collect();
    let on_ports = called.ports.iter().map(|port| (&port.traffic, has_requests(&[port])));
    let subsets = called.subsets.iter().map(|subset| (&subset.body.traffic, has_requests(&all)));
    let general = std::iter::once((called.traffic, has_requests(&shared)));
    let mut known = FxHashSet::default();
    for (policy, has_requests) in general.chain(on_ports).chain(subsets) {
        let Some(pool) = policy.pool.as_deref().filter(|_| !has_requests && !called.faulty) else { continue };
        // A policy is for many: what one of its destinations has no use for, another may.
        let is_own = pool.span.file == called.name_span.file && pool.span.start > called.name_span.start;
        if !is_own || called.is_applied {
            continue;
        }
        let of_requests: [(&str, Option<Span>); 6] = [
            ("requests", pool.body.requests.map(|one| one.span)),
            ("requests-per-connection", pool.body.requests_per_connection.map(|one| one.span)),
            ("retries", pool.body.retries.map(|one| one.span)),
            ("idle", pool.body.idle.map(|one| one.span)),
            ("http2", pool.body.upgrade.map(|one| one.span)),
            ("client-protocol", pool.body.client_protocol.map(|one| one.span)),
        ];
        for (setting, span) in of_requests {
            let Some(span) = span.filter(|span| known.insert(*span)) else { continue };
            let message = format!("`{setting}` has no effect here");
            let report = Diagnostic::new(Code::POOL_WITHOUT_EFFECT, span, message).consequence(
                "it is a setting for HTTP, and this destination gets connections, whose bytes no proxy reads",
            );
            reports.push(match setting {
                "requests" => report.help("limit `connections`, or declare the port as `http`"),
                "idle" => report.help("write `tcp-idle`, or declare the port as `http`"),
                _ => report.help("remove it, or declare the port as `http`"),
            });
        }
    }
}
