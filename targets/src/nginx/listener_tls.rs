//! TLS termination.

use super::builder::Builder;
use super::directive::{Directive, line, when};
use super::text;
use crate::raw_proxy::{Certificates, KeyPair, of_listener};
use meshc_compiler::model::{ServerTls, ServerTlsBody, ServerTlsMode};
use meshc_compiler::values::TlsVersion;
use std::ops::RangeInclusive;

/// The longest chain of callers' certificates that is followed.
const DEPTH: &str = "10";

/// The cipher suites up to TLS 1.2 where `ciphers` names none: those of Envoy (`TlsParameters.cipher_suites`).
pub(super) const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:\
     ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

/// A version as nginx names it.
pub(super) fn version(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::V1_0 => "TLSv1",
        TlsVersion::V1_1 => "TLSv1.1",
        TlsVersion::V1_2 => "TLSv1.2",
        TlsVersion::V1_3 => "TLSv1.3",
    }
}

/// The versions that a listener speaks. nginx agrees on one before it knows which name is asked for.
pub(super) fn versions(tls: &ServerTls) -> Vec<TlsVersion> {
    let newest = tls.body.max_version.map_or(TlsVersion::V1_3, |version| version.value);
    within(&(tls.body.oldest_version()..=newest)).collect()
}

/// The versions of a range, the oldest first.
pub(super) fn within(range: &RangeInclusive<TlsVersion>) -> impl Iterator<Item = TlsVersion> {
    TlsVersion::ALL.iter().copied().filter(|version| range.contains(version))
}

/// Whether callers must show a certificate, whatever it is: nginx itself would let in those who show none.
pub(super) fn wants_any_certificate(tls: &ServerTls) -> bool {
    tls.mode.value == ServerTlsMode::Mutual && tls.body.takes_unseen()
}

/// The directives of a server.
pub(super) fn lines(tls: &ServerTls, in_http: bool, builder: &Builder<'_>) -> Vec<Directive> {
    let ServerTls { mode: _, body, span, attributes: _ } = tls;
    let ServerTlsBody {
        credential: _,
        credentials: _,
        ca_credential: _,
        cert: _,
        key: _,
        ca: _,
        crl: _,
        certificates: _,
        // `fit` has refused these.
        names: _,
        spki: _,
        hash: _,
        min_version: _,
        max_version: _,
        ciphers,
        skip_verify: _,
    } = body;
    let Certificates { own, ca, crl } = of_listener(builder.model, builder.proxy, body, builder.rig);
    let mut lines = Vec::new();
    for KeyPair { cert, key } in own {
        lines.push(line!["ssl_certificate", text::literal(&cert)]);
        lines.push(line!["ssl_certificate_key", text::literal(&key)]);
    }
    lines.push(line!["ssl_protocols"].and(versions(tls).into_iter().map(version)));
    if let Some(ciphers) = ciphers {
        let words: Vec<&str> = ciphers.iter().map(|cipher| cipher.value.word()).collect();
        lines.push(line!["ssl_ciphers", words.join(":")]);
    }
    lines.extend(callers(tls, ca, crl, in_http));
    lines.into_iter().map(|line| line.at(*span)).collect()
}

/// What asks callers for certificates.
fn callers(tls: &ServerTls, ca: Option<String>, crl: Option<String>, in_http: bool) -> Vec<Directive> {
    let asked = match (tls.mode.value, tls.body.takes_unseen()) {
        (ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual, true) => "optional_no_ca",
        (ServerTlsMode::Mutual, false) => "on",
        (ServerTlsMode::OptionalMutual, false) => "optional",
        // Of the others, `fit` has refused those that do not end here.
        (
            ServerTlsMode::Simple
            | ServerTlsMode::Passthrough
            | ServerTlsMode::AutoPassthrough
            | ServerTlsMode::IstioMutual,
            _,
        ) => return Vec::new(),
    };
    let mut lines = vec![line!["ssl_verify_client", asked], line!["ssl_verify_depth", DEPTH]];
    lines.extend(ca.map(|ca| line!["ssl_client_certificate", ca]));
    lines.extend(crl.map(|crl| line!["ssl_crl", crl]));
    if in_http && wants_any_certificate(tls) {
        lines.push(when("$ssl_client_verify", "NONE", vec![line!["return", "400"]]));
    }
    lines
}
