//! The same meaning in the words of an earlier Istio, where it has any.

use super::api;
use super::document::Document;
use super::release::Release;

/// Writes newer fields in an older way for a release that does not know them, and leaves out those that say what holds anyway.
pub(super) fn reword(document: &mut Document, oldest: Release) {
    if oldest >= Release::NEWEST {
        return;
    }
    match document {
        Document::Gateway(gateway) => {
            let tls = gateway.spec.servers.iter_mut().filter_map(|server| server.value.tls.as_deref_mut());
            tls.for_each(|tls| listener_tls(tls, oldest));
        }
        Document::VirtualService(routes) => {
            routes.spec.http.iter_mut().for_each(|route| http_route(&mut route.value, oldest));
        }
        Document::DestinationRule(rule) => {
            let subsets =
                rule.spec.subsets.iter_mut().filter_map(|subset| subset.value.traffic_policy.as_deref_mut());
            let whole = rule.spec.traffic_policy.as_deref_mut().map(|policy| &mut policy.value);
            let policies = whole.into_iter().chain(subsets);
            policies.for_each(|policy| traffic_policy(policy, oldest));
        }
        Document::ServiceEntry(_) => {}
    }
}

/// Whether a release lacks what came with 1.`minor`.
fn lacks(oldest: Release, minor: u8) -> bool {
    oldest < Release::minor(minor)
}

fn listener_tls(tls: &mut api::ServerTlsSettings, oldest: Release) {
    // A caller's certificate is verified where nothing is said.
    if lacks(oldest, 31) && tls.insecure_skip_verify == Some(false) {
        tls.insecure_skip_verify = None;
    }
    if lacks(oldest, 26) && tls.credential_name.is_none() {
        if let [only] = tls.credential_names.as_slice() {
            tls.credential_name = Some(only.clone());
            tls.credential_names = Vec::new();
        }
        if let [only] = tls.tls_certificates.as_slice()
            && tls.server_certificate.is_none()
        {
            tls.server_certificate = only.server_certificate.clone();
            tls.private_key = only.private_key.clone();
            tls.tls_certificates = Vec::new();
        }
    }
}

fn http_route(route: &mut api::HttpRoute, oldest: Release) {
    if lacks(oldest, 26)
        && let Some(retries) = route.retries.as_deref_mut()
        && retries.retry_ignore_previous_hosts == Some(true)
    {
        retries.retry_ignore_previous_hosts = None;
    }
    if lacks(oldest, 23)
        && let Some(cors) = route.cors_policy.as_deref_mut()
        && cors.unmatched_preflights == Some(api::UnmatchedPreflights::Forward)
    {
        cors.unmatched_preflights = None;
    }
    if lacks(oldest, 12)
        && let Some(redirect) = route.redirect.as_deref_mut()
        && redirect.derive_port == Some(api::RedirectPortSelection::FromProtocolDefault)
    {
        redirect.derive_port = None;
    }
}

fn traffic_policy(policy: &mut api::TrafficPolicy, oldest: Release) {
    balancing(policy.load_balancer.as_deref_mut(), oldest);
    client_tls(policy.tls.as_deref_mut(), oldest);
    for port in &mut policy.port_level_settings {
        balancing(port.load_balancer.as_deref_mut(), oldest);
        client_tls(port.tls.as_deref_mut(), oldest);
    }
}

fn client_tls(tls: Option<&mut api::ClientTlsSettings>, oldest: Release) {
    let Some(tls) = tls else { return };
    if lacks(oldest, 12) && tls.insecure_skip_verify == Some(false) {
        tls.insecure_skip_verify = None;
    }
}

fn balancing(balancing: Option<&mut api::LoadBalancerSettings>, oldest: Release) {
    let Some(balancing) = balancing else { return };
    // Every release takes the older word.
    if lacks(oldest, 14) && balancing.simple == Some(api::SimpleLb::LeastRequest) {
        balancing.simple = Some(api::SimpleLb::LeastConn);
    }
    if lacks(oldest, 16)
        && let Some(hash) = balancing.consistent_hash.as_deref_mut()
        && let Some(ring) = hash.ring_hash.take()
    {
        hash.minimum_ring_size = ring.minimum_ring_size;
    }
}
