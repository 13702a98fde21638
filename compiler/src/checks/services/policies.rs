//! How a destination is called: pools, ejection, hashing (rules D6 to D8), wherever it is said.

use super::Called;
use crate::policy::{HashAlgorithm, HashKey, Method, PoolBody, Upgrade};
use crate::values::Percent;
use meshc_language::{Applicability, Code, Diagnostic, Spanned};

/// D7.
pub(super) fn pools_say_something(called: &Called<'_>, reports: &mut Vec<Diagnostic>) {
    for pool in called.policies().filter_map(|policy| policy.pool.as_ref()) {
        if pool.body == PoolBody::default() && !called.faulty {
            reports.push(
                Diagnostic::new(Code::EMPTY_POLICY, pool.span, "this pool sets nothing")
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
                    "connections cannot be upgraded and keep the caller's protocol",
                )
                .related(kept.span, "the caller's protocol is kept")
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
                        Code::EJECTION_SETTING,
                        share.span,
                        format!("`{}` is not a whole percentage", share.value),
                    )
                    .consequence("Istio knows whole percents only, here")
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
            Diagnostic::new(Code::EJECTION_SETTING, max.span, "`max 0%` does not switch ejection off")
                .consequence("Istio would take it for its default, 10%")
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
                Diagnostic::new(Code::HASH_SETTING, name.span, "the query parameter has no name")
                    .consequence("Istio would refuse the destination rule, or hash nothing")
                    .help("name it"),
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
                    format!("a hash ring has at most {LARGEST_RING} places"),
                )
                .consequence("Envoy would refuse the cluster, and keep whatever it had before")
                .help("write a smaller size, such as 1024"),
            );
        }
    }
}
