//! The secrets that proxies name.

use meshc_compiler::routing::{Proxy, TlsKind};
use meshc_compiler::values::SecretName;
use meshc_language::Spanned;

/// Every secret that the listeners and upstreams of proxies name.
pub(crate) fn secrets<'p>(
    proxies: impl IntoIterator<Item = &'p Proxy>,
) -> impl Iterator<Item = &'p Spanned<SecretName>> {
    proxies.into_iter().flat_map(|proxy| {
        let servers = proxy.listeners.iter().flat_map(|listener| &listener.tls);
        let settings = servers.filter_map(|server| match &server.kind {
            TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => Some(&tls.body),
            TlsKind::Passthrough(_) => None,
        });
        let of_listeners = settings.flat_map(|body| {
            let several = body.credentials.iter().flatten();
            body.credential.iter().chain(several).chain(&body.ca_credential)
        });
        let policies =
            proxy.upstreams.as_slice().iter().filter_map(|upstream| upstream.policy.tls.as_deref());
        of_listeners.chain(policies.filter_map(|tls| tls.body.credential.as_ref()))
    })
}
