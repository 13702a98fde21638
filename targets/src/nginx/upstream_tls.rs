//! TLS to destinations. nginx neither verifies nor asks for a name unless it is told to.

use super::builder::Builder;
use super::directive::{Directive, line};
use super::listener_tls;
use super::module::Module;
use crate::raw_proxy::{Certificates, KeyPair, UPSTREAM_TLS, of_upstream};
use meshc_compiler::policy::{ClientTls, ClientTlsBody, ClientTlsMode};
use meshc_compiler::routing::Upstream;

/// The longest chain of certificates that is followed; nginx follows one by itself.
const DEPTH: &str = "10";

/// The name that is asked for where the destination's `tls` says none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ServerName {
    Fixed(String),
    /// The host of each request.
    OfRequest,
}

/// How connections to a destination are secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UpstreamTls {
    name: ServerName,
    /// Whether the certificate is taken unseen.
    unseen: bool,
    certificates: Certificates,
}

/// The TLS of a destination, if there is any.
pub(super) fn of(upstream: &Upstream, name: ServerName, builder: &mut Builder<'_>) -> Option<UpstreamTls> {
    let tls = upstream.policy.tls.as_deref()?;
    let ClientTls { mode, body, span: _, attributes: _ } = tls;
    let ClientTlsBody { cert: _, key: _, ca: _, crl: _, credential: _, sni, names, skip_verify: _ } = body;
    match mode.value {
        ClientTlsMode::Disable => return None,
        // `fit` has refused the certificates of the mesh.
        ClientTlsMode::Simple | ClientTlsMode::Mutual | ClientTlsMode::IstioMutual => {}
    }
    let wanted = names.as_ref().and_then(|names| names.first());
    let unseen = body.takes_unseen();
    if let (Some(sni), Some(wanted)) = (sni, wanted.filter(|_| !unseen))
        && sni.value.as_str() != wanted.value.as_str()
    {
        builder.refuse(
            wanted.span,
            "a certificate name other than the server name (SNI)",
            "nginx sends the name that it verifies as server name (SNI)",
            "give `sni` and `names` the same name",
        );
    }
    let fixed = sni.as_ref().map(|sni| sni.value.as_str()).or(wanted.map(|name| name.value.as_str()));
    let name = fixed.map_or(name, |name| ServerName::Fixed(name.to_owned()));
    let mut certificates = of_upstream(builder.model, builder.proxy, upstream, body, builder.rig);
    if mode.value == ClientTlsMode::Simple {
        certificates.own.clear();
    }
    Some(UpstreamTls { name, unseen, certificates })
}

impl UpstreamTls {
    /// Whether all connections are alike. Else one that was opened for one name must not be used for another.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.name, ServerName::Fixed(_))
    }

    /// What tells such connections from others.
    pub(super) fn identity(&self) -> String {
        format!("{self:?}")
    }

    /// The directives of a module.
    pub(super) fn lines(&self, module: Module) -> Vec<Directive> {
        let Self { name, unseen, certificates } = self;
        let Certificates { own, ca, crl } = certificates;
        let named = |name: &str| line![module.directive(&format!("ssl_{name}"))];
        let name = match name {
            ServerName::Fixed(name) => super::text::literal(name),
            ServerName::OfRequest => "$host".to_owned(),
        };
        let versions = listener_tls::within(&UPSTREAM_TLS).map(listener_tls::version);
        let mut lines = vec![
            named("server_name").and(["on"]),
            named("name").and([name]),
            named("protocols").and(versions),
        ];
        if *unseen {
            lines.push(named("verify").and(["off"]));
        } else {
            lines.push(named("verify").and(["on"]));
            lines.push(named("verify_depth").and([DEPTH]));
            lines.extend(ca.iter().map(|ca| named("trusted_certificate").and([ca.clone()])));
            lines.extend(crl.iter().map(|crl| named("crl").and([crl.clone()])));
        }
        for KeyPair { cert, key } in own.iter().take(1) {
            lines.push(named("certificate").and([super::text::literal(cert)]));
            lines.push(named("certificate_key").and([super::text::literal(key)]));
        }
        if !self.is_fixed() {
            lines.push(named("session_reuse").and(["off"]));
        }
        lines
    }
}
