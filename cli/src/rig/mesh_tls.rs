//! Hops with the certificates of the mesh: they exist only where a control plane hands them out, so that on one machine they are
//! taken as plain, and named.

use meshc_compiler::model::ServerTlsMode;
use meshc_compiler::policy::ClientTlsMode;
use meshc_compiler::routing::{ByName, Listener, Plain, Proxy, TlsKind, TlsServer};
use meshc_language::Span;

/// Takes these hops as plain, and says which. A server that ends such TLS becomes a listener of its own: without TLS there is no
/// server name by which it could be told from others on its port.
pub(super) fn take_as_plain(proxy: &mut Proxy) -> Vec<Span> {
    let mut taken = Vec::new();
    let mut plain = Vec::new();
    for listener in &mut proxy.listeners {
        let (of_mesh, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut listener.tls).into_iter().partition(is_of_mesh);
        listener.tls = kept.into();
        for server in of_mesh {
            plain.extend(without_tls(listener, server, &mut taken));
        }
    }
    proxy.listeners.retain(|listener| listener.plain.is_some() || !listener.tls.is_empty());
    proxy.listeners.extend(plain);
    let ids: Vec<_> = proxy.upstreams.iter().map(|(id, _)| id).collect();
    for id in ids {
        let Some(upstream) = proxy.upstreams.get_mut(id) else { continue };
        let tls = upstream.policy.tls.take();
        let (of_mesh, kept) = match tls {
            Some(tls) if tls.mode.value == ClientTlsMode::IstioMutual => (Some(tls), None),
            tls => (None, tls),
        };
        upstream.policy.tls = kept;
        taken.extend(of_mesh.map(|tls| tls.mode.span));
    }
    taken.sort_by_key(|span| (span.file, span.start));
    taken.dedup();
    taken
}

fn is_of_mesh(server: &TlsServer) -> bool {
    match &server.kind {
        TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => tls.mode.value == ServerTlsMode::IstioMutual,
        TlsKind::Passthrough(_) => false,
    }
}

/// A listener for what stands in the TLS of a server.
fn without_tls(listener: &Listener, server: TlsServer, taken: &mut Vec<Span>) -> Option<Listener> {
    let TlsServer { names: _, kind, origin: _, span: _ } = server;
    let (tls, plain) = match kind {
        TlsKind::Http(tls, http) => (tls, Plain::Http(http)),
        TlsKind::Tcp(tls, rules) => (tls, Plain::Tcp(rules)),
        TlsKind::Passthrough(_) => return None,
    };
    taken.push(tls.mode.span);
    let (bind, all, port) = (listener.bind, listener.all, listener.port);
    Some(Listener { bind, all, port, plain: Some(plain), tls: ByName::default(), conflicts: Vec::new() })
}
