//! TLS termination, and TLS to an upstream.

use super::api::{self, Extension, StringMatcher};
use super::context::Context;
use super::protocol::Spoken;
use crate::raw_proxy::{UPSTREAM_TLS, of_listener, of_upstream};
use meshc_compiler::model::{Id, ServerTls, ServerTlsBody, ServerTlsMode};
use meshc_compiler::policy::{ClientTls, ClientTlsBody, ClientTlsMode};
use meshc_compiler::routing::Upstream;
use meshc_compiler::values::{HostPattern, Literal, SubjectAltName, TlsVersion};
use smol_str::SmolStr;
use std::net::IpAddr;

const NAME: &str = "envoy.transport_sockets.tls";
const HTTP2: &str = "h2";
const HTTP1: &str = "http/1.1";

/// TLS termination; `http` if HTTP is in it.
pub(super) fn downstream(context: &Context<'_>, tls: &ServerTls, http: bool) -> Extension {
    let ServerTls { mode, body, span: _, attributes: _ } = tls;
    let ServerTlsBody {
        credential: _,
        credentials: _,
        ca_credential: _,
        cert: _,
        key: _,
        ca: _,
        crl: _,
        certificates: _,
        names,
        spki,
        hash,
        min_version: _,
        max_version,
        ciphers,
        skip_verify: _,
    } = body;
    let certificates = of_listener(context.model, context.proxy, body, context.rig);
    let mut common = api::CommonTlsContext {
        tls_params: Some(api::TlsParameters {
            tls_minimum_protocol_version: Some(version(body.oldest_version())),
            tls_maximum_protocol_version: max_version.map(|one| version(one.value)),
            cipher_suites: ciphers.iter().flatten().map(|one| one.value.word()).collect(),
        }),
        tls_certificate_sds_secret_configs: context.secrets.own(&certificates, &context.paths),
        alpn_protocols: if http { vec![HTTP2, HTTP1] } else { Vec::new() },
        ..api::CommonTlsContext::default()
    };
    if mode.value.asks_callers() {
        let validation = api::CertificateValidationContext {
            verify_certificate_spki: texts(spki.iter().flatten().map(|one| one.value.as_str())),
            verify_certificate_hash: texts(hash.iter().flatten().map(|one| one.value.as_str())),
            match_typed_subject_alt_names: subject_names(names.iter().flatten().map(|one| &one.value)),
            trust_chain_verification: body.takes_unseen().then_some("ACCEPT_UNTRUSTED"),
            ..api::CertificateValidationContext::default()
        };
        validate(&mut common, validation, context.secrets.authority(&certificates, &context.paths));
    }
    let required = mode.value.asks_callers().then_some(mode.value == ServerTlsMode::Mutual);
    let config =
        api::DownstreamTlsContext { common_tls_context: common, require_client_certificate: required };
    Extension { name: NAME, typed_config: config.into() }
}

/// How TLS to an upstream is set up.
pub(super) struct UpstreamTls {
    /// The transport socket of its cluster.
    pub(super) socket: Extension,
    /// Whether the name that is asked for is the host of each request.
    pub(super) auto_sni: bool,
    /// Whether the server's certificate must have the host of each request.
    pub(super) auto_names: bool,
}

/// TLS to an upstream; `None` for plaintext.
pub(super) fn upstream<'a>(
    context: &Context<'a>,
    id: Id<Upstream>,
    upstream: &Upstream,
) -> Option<UpstreamTls> {
    let tls = upstream.policy.tls.as_deref()?;
    let ClientTls { mode, body, span: _, attributes: _ } = tls;
    match mode.value {
        ClientTlsMode::Simple | ClientTlsMode::Mutual => {}
        // The second is refused before.
        ClientTlsMode::Disable | ClientTlsMode::IstioMutual => return None,
    }
    let certificates = of_upstream(context.model, context.proxy, upstream, body, context.rig);
    let Identity { sni, names, auto_names } = Identity::of(context, id, upstream, body);
    let mut common = api::CommonTlsContext {
        tls_params: Some(api::TlsParameters {
            tls_minimum_protocol_version: Some(version(*UPSTREAM_TLS.start())),
            tls_maximum_protocol_version: Some(version(*UPSTREAM_TLS.end())),
            cipher_suites: Vec::new(),
        }),
        alpn_protocols: if context.is_called_by_http(id) { protocols(upstream) } else { Vec::new() },
        ..api::CommonTlsContext::default()
    };
    if mode.value == ClientTlsMode::Mutual {
        common.tls_certificate_sds_secret_configs = context.secrets.own(&certificates, &context.paths);
    }
    if !body.takes_unseen() {
        let validation = api::CertificateValidationContext {
            match_typed_subject_alt_names: names,
            ..api::CertificateValidationContext::default()
        };
        validate(&mut common, validation, context.secrets.authority(&certificates, &context.paths));
    }
    let auto_sni = sni.is_none();
    let config = api::UpstreamTlsContext { common_tls_context: common, sni: sni.unwrap_or_default() };
    let socket = Extension { name: NAME, typed_config: config.into() };
    Some(UpstreamTls { socket, auto_sni, auto_names })
}

/// Who an upstream is taken for.
struct Identity {
    /// The name that is asked for; `None` for the host of each request.
    sni: Option<SmolStr>,
    /// Names one of which its certificate must have.
    names: Vec<api::SubjectAltNameMatcher>,
    /// Whether its certificate must have the host of each request.
    auto_names: bool,
}

impl Identity {
    fn of<'a>(context: &Context<'a>, id: Id<Upstream>, upstream: &Upstream, tls: &ClientTlsBody) -> Self {
        let ClientTlsBody { cert: _, key: _, ca: _, crl: _, credential: _, sni, names, skip_verify: _ } = tls;
        // A connection has no request whose host could be asked for.
        let declared =
            context.is_called_by_connections(id).then(|| HostPattern::parse(&upstream.host).ok()).flatten();
        let sni = match sni {
            Some(sni) => Some(SmolStr::new(sni.value.as_str())),
            None => declared
                .as_ref()
                .filter(|host| !host.is_wildcard() && !host.is_ip())
                .map(|host| SmolStr::new(host.as_str())),
        };
        let mut names = subject_names(names.iter().flatten().map(|one| &one.value));
        // As Istio does: names of the external are looked for beside the host of each request, not in its place.
        let is_of_request = names.is_empty() && sni.is_none() && !tls.takes_unseen();
        let auto_names = context.is_called_by_http(id) && is_of_request;
        if names.is_empty() {
            names = subject_names(upstream.identities.iter().map(|one| &one.value));
        }
        if names.is_empty() {
            names.extend(sni.as_deref().map(subject_name));
        }
        if names.is_empty() {
            names.extend(declared.as_ref().map(subject_of_host));
        }
        Self { sni, names, auto_names }
    }
}

fn protocols(upstream: &Upstream) -> Vec<&'static str> {
    match Spoken::of(upstream) {
        Spoken::Http1 => vec![HTTP1],
        Spoken::Http2 => vec![HTTP2],
        // Envoy asks for what each connection will speak; a server that could choose might choose the other.
        Spoken::AsCaller => Vec::new(),
    }
}

fn validate(
    common: &mut api::CommonTlsContext,
    validation: api::CertificateValidationContext,
    authority: Option<api::SdsSecretConfig>,
) {
    if authority.is_none() {
        common.validation_context = Some(validation);
        return;
    }
    common.combined_validation_context = Some(api::CombinedValidationContext {
        default_validation_context: Some(validation),
        validation_context_sds_secret_config: authority,
    });
}

fn texts<'t>(all: impl Iterator<Item = &'t str>) -> Vec<SmolStr> {
    all.map(SmolStr::new).collect()
}

fn subject_names<'n>(names: impl Iterator<Item = &'n SubjectAltName>) -> Vec<api::SubjectAltNameMatcher> {
    names.map(|name| subject_name(name.as_str())).collect()
}

/// A name that a certificate must have: a URI, an address or a DNS name. For the last, a wildcard in the certificate counts.
fn subject_name(name: &str) -> api::SubjectAltNameMatcher {
    let san_type = if name.contains("://") {
        "URI"
    } else if name.parse::<IpAddr>().is_ok() {
        "IP_ADDRESS"
    } else if name.contains('@') {
        "EMAIL"
    } else {
        "DNS"
    };
    api::SubjectAltNameMatcher { san_type, matcher: StringMatcher::exact(name) }
}

/// A name that a certificate must have to speak for a declared host: for a wildcard, any name that ends like it.
fn subject_of_host(host: &HostPattern) -> api::SubjectAltNameMatcher {
    match host.as_str().strip_prefix('*') {
        Some(rest) => api::SubjectAltNameMatcher {
            san_type: "DNS",
            matcher: StringMatcher { suffix: Some(SmolStr::new(rest)), ..StringMatcher::default() },
        },
        None => subject_name(host.as_str()),
    }
}

fn version(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::V1_0 => "TLSv1_0",
        TlsVersion::V1_1 => "TLSv1_1",
        TlsVersion::V1_2 => "TLSv1_2",
        TlsVersion::V1_3 => "TLSv1_3",
    }
}
