//! TLS that ends at a listener.

use super::directive::{Directive, line, when};
use super::site::Site;
use super::text;
use crate::raw_proxy::{Certificates, KeyPair, of_listener};
use meshc_compiler::model::{ServerTls, ServerTlsBody, ServerTlsMode};
use meshc_compiler::values::TlsVersion;

/// The longest chain of callers' certificates that is followed.
const DEPTH: &str = "10";

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
    let oldest = tls.body.min_version.map_or(TlsVersion::V1_2, |version| version.value);
    let newest = tls.body.max_version.map_or(TlsVersion::V1_3, |version| version.value);
    TlsVersion::ALL.iter().copied().filter(|version| (oldest..=newest).contains(version)).collect()
}

/// Whether callers show certificates.
pub(super) fn asks_callers(tls: &ServerTls) -> bool {
    matches!(tls.mode.value, ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual)
}

/// Whether callers must show a certificate, whatever it is: nginx itself would let in those who show none.
pub(super) fn wants_any_certificate(tls: &ServerTls) -> bool {
    tls.mode.value == ServerTlsMode::Mutual && tls.body.skip_verify.is_some_and(|switch| switch.value.is_on())
}

/// The directives of a server.
pub(super) fn lines(tls: &ServerTls, in_http: bool, site: &Site<'_, '_>) -> Vec<Directive> {
    let ServerTls { mode, body, span, attributes: _ } = tls;
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
        skip_verify,
    } = body;
    let Certificates { own, ca, crl } = of_listener(site.model, body, site.rig);
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
    let unseen = skip_verify.is_some_and(|switch| switch.value.is_on());
    let asked = match (mode.value, unseen) {
        (ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual, true) => Some("optional_no_ca"),
        (ServerTlsMode::Mutual, false) => Some("on"),
        (ServerTlsMode::OptionalMutual, false) => Some("optional"),
        // Of the others, `fit` has refused those that do not end here.
        (
            ServerTlsMode::Simple
            | ServerTlsMode::Passthrough
            | ServerTlsMode::AutoPassthrough
            | ServerTlsMode::IstioMutual,
            _,
        ) => None,
    };
    if let Some(asked) = asked {
        lines.push(line!["ssl_verify_client", asked]);
        lines.push(line!["ssl_verify_depth", DEPTH]);
        lines.extend(ca.map(|ca| line!["ssl_client_certificate", ca]));
        lines.extend(crl.map(|crl| line!["ssl_crl", crl]));
        if in_http && wants_any_certificate(tls) {
            lines.push(when("$ssl_client_verify", "NONE", vec![line!["return", "400"]]));
        }
    }
    lines.into_iter().map(|line| line.at(*span)).collect()
}
