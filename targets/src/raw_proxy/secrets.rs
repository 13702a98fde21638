//! The secrets that proxies name.

use super::certificates::{calling, listening};
use meshc_compiler::Model;
use meshc_compiler::model::Seeker;
use meshc_compiler::routing::{Proxy, TlsKind};
use meshc_compiler::values::SecretName;
use meshc_language::Spanned;

/// Every secret that the listeners and upstreams of a proxy name, with who looks for it.
pub(crate) fn secrets<'p>(
    model: &'p Model,
    proxy: &'p Proxy,
) -> impl Iterator<Item = (&'p Spanned<SecretName>, Seeker<'p>)> {
    let servers = proxy.listeners.iter().flat_map(|listener| &listener.tls);
    let settings = servers.filter_map(|server| match &server.kind {
        TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => Some(&tls.body),
        TlsKind::Passthrough(_) => None,
    });
    let of_listeners = settings.flat_map(move |body| {
        let several = body.credentials.iter().flatten();
        let all = body.credential.iter().chain(several).chain(&body.ca_credential);
        all.map(|name| (name, listening(proxy)))
    });
    let of_upstreams = proxy.upstreams.as_slice().iter().filter_map(move |upstream| {
        let name = upstream.policy.tls.as_deref()?.body.credential.as_ref()?;
        Some((name, calling(model, proxy, upstream)))
    });
    of_listeners.chain(of_upstreams)
}
