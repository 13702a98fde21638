//! TLS of gateways' listeners: which certificates they need, which settings go with which mode.

use super::{Setting, file_span, listed};
use crate::checks::Context;
use crate::checks::gateways::as_warning;
use crate::model::{Certificate, Listener, ServerTls, ServerTlsBody, ServerTlsMode};
use crate::reading::Comma;
use crate::values::{SecretName, SecretSource, TlsVersion};
use meshc_language::{Applicability, Code, Diagnostic, Span, Spanned};

/// The TLS of one listener.
struct Site<'m> {
    tls: &'m ServerTls,
    /// Whether all of it could be read.
    complete: bool,
}

type TlsCheck = fn(&Site<'_>, &mut Vec<Diagnostic>);

/// Checks of the TLS of one listener.
const CHECKS: &[TlsCheck] = &[
    settings_go_with_the_mode,
    authorities_go_with_the_certificate,
    one_source_of_certificates,
    a_certificate_has_a_key,
    callers_can_be_verified,
    nothing_is_verified_in_vain,
    at_most_two_certificates,
    certificates_are_not_config_maps,
    versions_are_in_order,
    versions_are_current,
    ciphers_can_be_chosen,
    ciphers_stand_once,
];

/// TLS of gateways' listeners.
pub(in crate::checks) fn listeners(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, gateway) in context.model.mesh.gateways.iter() {
        for listener in &gateway.body.listeners {
            let Some(tls) = settings_that_apply(listener) else { continue };
            let site = Site { tls, complete: !gateway.faulty };
            for check in CHECKS {
                check(&site, reports);
            }
        }
    }
}

/// Settings of a plaintext listener are reported as a whole.
fn settings_that_apply(listener: &Listener) -> Option<&ServerTls> {
    listener.body.tls.as_deref().filter(|_| listener.protocol.value.is_tls_family())
}

/// What a block says, in the order of the reference.
fn settings(body: &ServerTlsBody) -> Vec<Setting> {
    let ServerTlsBody {
        credential,
        credentials,
        ca_credential,
        cert,
        key,
        ca,
        crl,
        certificates,
        names,
        spki,
        hash,
        min_version,
        max_version,
        ciphers,
        skip_verify,
    } = body;
    let places = [
        ("credential", credential.as_ref().map(|name| name.span)),
        ("credentials", credentials.as_ref().and_then(list_span)),
        ("ca-credential", ca_credential.as_ref().map(|name| name.span)),
        ("cert", file_span(cert)),
        ("key", file_span(key)),
        ("ca", file_span(ca)),
        ("crl", file_span(crl)),
        ("certificate", certificates.first().map(|certificate| certificate.span)),
        ("names", names.as_ref().and_then(list_span)),
        ("spki", spki.as_ref().and_then(list_span)),
        ("hash", hash.as_ref().and_then(list_span)),
        ("min-version", min_version.map(|version| version.span)),
        ("max-version", max_version.map(|version| version.span)),
        ("ciphers", ciphers.as_ref().and_then(list_span)),
        ("skip-verify", skip_verify.map(|skip| skip.span)),
    ];
    places.into_iter().filter_map(|(keyword, span)| Some((keyword, span?))).collect()
}

fn list_span<T>(list: &Comma<Spanned<T>>) -> Option<Span> {
    Some(list.first()?.span.to(list.last()?.span))
}

/// The settings that a mode looks at; `None` for all of them.
const fn looked_at(mode: ServerTlsMode) -> Option<&'static [&'static str]> {
    match mode {
        ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough => Some(&[]),
        ServerTlsMode::Simple => Some(&[
            "credential",
            "credentials",
            "cert",
            "key",
            "certificate",
            "min-version",
            "max-version",
            "ciphers",
        ]),
        ServerTlsMode::IstioMutual => Some(&["names", "crl", "min-version", "max-version", "ciphers"]),
        ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual => None,
    }
}

/// G11, G12, G16: what a mode does not look at is refused, or ignored.
fn settings_go_with_the_mode(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let mode = site.tls.mode;
    let Some(looked_at) = looked_at(mode.value) else { return };
    let mut surplus = settings(&site.tls.body);
    surplus.retain(|(keyword, _)| !looked_at.contains(keyword));
    let Some((_, first)) = surplus.first() else { return };
    let why = match mode.value {
        ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough => {
            "TLS is not terminated here, so certificates have no effect"
        }
        ServerTlsMode::IstioMutual => "the certificates are those that Istio gives to workloads",
        ServerTlsMode::Simple | ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual => {
            "no client certificate is required"
        }
    };
    let is_refused = surplus.iter().any(|(keyword, _)| refuses(site.tls, keyword));
    let (code, consequence) = if is_refused {
        (Code::TLS_SETTING, "Istio would refuse the gateway")
    } else {
        (Code::TLS_SETTING_IGNORED, "Istio would ignore it")
    };
    let mut report =
        Diagnostic::new(code, *first, format!("`tls {}` takes no {}", mode.value, listed(&surplus)))
            .related(mode.span, why)
            .consequence(consequence);
    for (_, span) in surplus.iter().skip(1) {
        report = report.related(*span, "nor this");
    }
    reports.push(report.help(match mode.value {
        ServerTlsMode::Simple => "use `tls mutual` to require client certificates, or remove it",
        ServerTlsMode::Passthrough
        | ServerTlsMode::AutoPassthrough
        | ServerTlsMode::IstioMutual
        | ServerTlsMode::Mutual
        | ServerTlsMode::OptionalMutual => "remove it, or use another mode",
    }));
}

/// Whether Istio's admission refuses a setting that the mode does not look at (`validateTLSOptions`); it ignores the others.
fn refuses(tls: &ServerTls, keyword: &str) -> bool {
    let with_secret = tls.body.credential.is_some() || tls.body.credentials.is_some();
    match tls.mode.value {
        ServerTlsMode::IstioMutual => {
            matches!(keyword, "cert" | "key" | "ca" | "certificate" | "credential" | "credentials")
        }
        ServerTlsMode::Simple => keyword == "crl" && !with_secret,
        ServerTlsMode::Passthrough
        | ServerTlsMode::AutoPassthrough
        | ServerTlsMode::Mutual
        | ServerTlsMode::OptionalMutual => false,
    }
}

/// Whether the mode asks for a certificate that its settings name.
const fn names_certificates(mode: ServerTlsMode) -> bool {
    matches!(mode, ServerTlsMode::Simple | ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual)
}

/// G16: a secret brings its authorities and revocations along. Istio skips the rule that would say so (H19).
fn authorities_go_with_the_certificate(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ServerTls { mode, body, .. } = site.tls;
    let secret =
        body.credential.as_ref().map(|name| name.span).or(body.credentials.as_ref().and_then(list_span));
    let Some(secret) = secret.filter(|_| mode.value.asks_callers()) else { return };
    for (keyword, file) in [("ca", &body.ca), ("crl", &body.crl)] {
        let Some(span) = file_span(file) else { continue };
        reports.push(
            Diagnostic::new(
                Code::TLS_SETTING_IGNORED,
                span,
                format!("`{keyword}` has no effect if the certificate comes from a secret"),
            )
            .related(secret, "the secret")
            .consequence("Istio would ignore it: clients would be verified by the secret alone")
            .help(if keyword == "ca" {
                "put it into the secret, or add a `ca-credential`"
            } else {
                "put it into the secret as `ca.crl`"
            }),
        );
    }
}

/// The sources of certificates that are named.
fn sources(body: &ServerTlsBody) -> Vec<Setting> {
    let mut sources = settings(body);
    sources.retain(|(keyword, _)| {
        matches!(*keyword, "credential" | "credentials" | "cert" | "key" | "certificate")
    });
    if body.cert.is_some() {
        sources.retain(|(keyword, _)| *keyword != "key");
    }
    sources
}

/// G13, G15: exactly one.
fn one_source_of_certificates(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let mode = site.tls.mode;
    if !names_certificates(mode.value) {
        return;
    }
    match sources(&site.tls.body).as_slice() {
        [] if site.complete => reports.push(
            Diagnostic::new(
                Code::CERTIFICATE_SOURCE,
                mode.span,
                format!("`tls {}` has no certificate", mode.value),
            )
            .consequence("Istio would refuse the gateway")
            .help("add `credential NAME`, or `cert file \"...\"` and `key file \"...\"`"),
        ),
        [first, second, ..] => reports.push(
            Diagnostic::new(
                Code::CERTIFICATE_SOURCE,
                second.1,
                format!("the certificate is given by `{}` and by `{}`", first.0, second.0),
            )
            .related(first.1, "given here already")
            .consequence("Istio would refuse the gateway")
            .help("keep one of them"),
        ),
        _ => {}
    }
}

/// G15.
fn a_certificate_has_a_key(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ServerTls { mode, body, .. } = site.tls;
    if !names_certificates(mode.value) || !site.complete {
        return;
    }
    let (span, has, lacks) = match (file_span(&body.cert), file_span(&body.key)) {
        (Some(span), None) => (span, "cert", "key"),
        (None, Some(span)) => (span, "key", "cert"),
        (None, None) | (Some(_), Some(_)) => return,
    };
    reports.push(
        Diagnostic::new(Code::CERTIFICATE_SOURCE, span, format!("`{has}` needs `{lacks}`"))
            .consequence("Istio would refuse the gateway")
            .help(format!("add `{lacks} file \"...\"`")),
    );
}

/// G15: with certificates in files, those who sign callers' certificates are in a file too.
fn callers_can_be_verified(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ServerTls { mode, body, .. } = site.tls;
    let in_files = matches!(sources(body).as_slice(), [("cert" | "key" | "certificate", _)]);
    if !mode.value.asks_callers() || !in_files || body.ca.is_some() || !site.complete {
        return;
    }
    let report = Diagnostic::new(
        Code::CERTIFICATE_SOURCE,
        mode.span,
        format!("`tls {}` has no CA to verify client certificates", mode.value),
    )
    .consequence("Istio would refuse the gateway")
    .help("add `ca file \"...\"`");
    reports.push(match &body.ca_credential {
        Some(name) => report.related(name.span, "this has an effect only with `credential`"),
        None => report,
    });
}

/// Envoy lets in who fails a verification that is to be skipped, whichever one it is.
fn nothing_is_verified_in_vain(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ServerTls { mode, body, .. } = site.tls;
    let Some(skip) = body.skip_verify.filter(|skip| skip.value.is_on() && mode.value.asks_callers()) else {
        return;
    };
    // Authorities are still told to callers, and Istio wants them; beside a secret, `crl` is one fault with that.
    let with_secret = body.credential.is_some() || body.credentials.is_some();
    let mut in_vain = settings(body);
    in_vain.retain(|(keyword, _)| {
        matches!(*keyword, "names" | "spki" | "hash") || (*keyword == "crl" && !with_secret)
    });
    let Some((_, first)) = in_vain.first() else { return };
    let mut report = Diagnostic::new(
        Code::TLS_SETTING_IGNORED,
        *first,
        format!("no effect with `skip-verify on`: {}", listed(&in_vain)),
    )
    .related(skip.span, "client certificates are not verified");
    for (_, span) in in_vain.iter().skip(1) {
        report = report.related(*span, "nor has this an effect");
    }
    reports.push(
        report
            .consequence("clients with any certificate would be accepted")
            .help("remove `skip-verify`, so that clients are verified"),
    );
}

/// G15: one certificate with an RSA key and one with an ECDSA key.
fn at_most_two_certificates(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let body = &site.tls.body;
    if let Some(third) = body.certificates.get(2).map(|Certificate { span, .. }| *span) {
        reports.push(too_many_certificates(third));
    }
    let names = body.credentials.as_ref().map_or(&[][..], |names| names);
    if let Some(third) = names.get(2) {
        reports.push(too_many_certificates(third.span));
    }
    for (at, name) in names.iter().enumerate() {
        if let Some(earlier) = names.iter().take(at).find(|earlier| earlier.value == name.value) {
            reports.push(
                Diagnostic::new(
                    Code::CERTIFICATE_SOURCE,
                    name.span,
                    format!("the secret `{}` is named twice", name.value),
                )
                .related(earlier.span, "first named here")
                .consequence("Envoy would refuse two certificates with one key type")
                .help("use one secret with an RSA key and one with an ECDSA key"),
            );
        }
    }
}

fn too_many_certificates(third: Span) -> Diagnostic {
    Diagnostic::new(Code::CERTIFICATE_SOURCE, third, "a listener has at most two certificates")
        .consequence("Istio would refuse the gateway")
        .help("keep one with an RSA key and one with an ECDSA key; serve other names in a separate listener")
}

/// A ConfigMap holds no keys.
fn certificates_are_not_config_maps(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ServerTls { mode, body, .. } = site.tls;
    if !names_certificates(mode.value) {
        return;
    }
    let names = body.credentials.iter().flat_map(|names| names.iter()).chain(&body.credential);
    for name in names.filter(|name| name.value.source() == SecretSource::ConfigMap) {
        reports.push(no_key(name));
    }
}

fn no_key(name: &Spanned<SecretName>) -> Diagnostic {
    Diagnostic::new(
        Code::CERTIFICATE_WITHOUT_KEY,
        name.span,
        format!("`{}` cannot hold a private key", name.value),
    )
    .consequence("the listener would have no certificate, and every handshake would fail")
    .help("use a secret; a ConfigMap holds only CA certificates, for `ca-credential`")
}

fn versions_are_in_order(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let body = &site.tls.body;
    let Some(max) = body.max_version else { return };
    let min = body.oldest_version();
    let ends_here = looked_at(site.tls.mode.value) != Some(&[]);
    if !ends_here || min <= max.value || (body.min_version.is_none() && !site.complete) {
        return;
    }
    let report = Diagnostic::new(
        Code::TLS_SETTING_IGNORED,
        max.span,
        format!("the newest version is {}, the oldest {min}", max.value),
    )
    .consequence("every handshake would fail")
    .help("raise `max-version`, or remove it");
    reports.push(match body.min_version {
        Some(min) => report.related(min.span, "the oldest version"),
        None => report.label("1.2 is the oldest version by default"),
    });
}

/// G9: TLS 1.0 and 1.1 are retired (RFC 8996).
fn versions_are_current(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let body = &site.tls.body;
    let ends_here = looked_at(site.tls.mode.value) != Some(&[]);
    let Some(min) = body.min_version.filter(|min| ends_here && min.value < TlsVersion::V1_2) else { return };
    let consequence = if body.ciphers.is_some() {
        "clients could be downgraded to a version with known attacks"
    } else {
        "without matching `ciphers`, such a handshake would fail anyway"
    };
    reports.push(
        Diagnostic::new(Code::WEAK_TLS, min.span, format!("TLS {} is retired (RFC 8996)", min.value))
            .consequence(consequence)
            .help("require 1.2 at least")
            .edit(Applicability::Unsafe, min.span, TlsVersion::V1_2.word()),
    );
}

/// The cipher suites of TLS 1.3 are fixed.
fn ciphers_can_be_chosen(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let body = &site.tls.body;
    let Some(min) = body.min_version.filter(|min| min.value == TlsVersion::V1_3) else { return };
    let ends_here = looked_at(site.tls.mode.value) != Some(&[]);
    let Some(span) = body.ciphers.as_ref().and_then(list_span).filter(|_| ends_here) else { return };
    reports.push(
        Diagnostic::new(Code::TLS_SETTING_IGNORED, span, "the cipher suites of TLS 1.3 cannot be chosen")
            .related(min.span, "no older version is spoken")
            .consequence("Envoy would ignore them")
            .help("remove `ciphers`"),
    );
}

/// G10.
fn ciphers_stand_once(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let suites = site.tls.body.ciphers.as_ref().map_or(&[][..], |suites| suites);
    for (at, suite) in suites.iter().enumerate() {
        if let Some(earlier) = suites.iter().take(at).find(|earlier| earlier.value == suite.value) {
            reports.push(as_warning(
                Diagnostic::new(
                    Code::TLS_SETTING_IGNORED,
                    suite.span,
                    format!("`{}` is listed twice", suite.value),
                )
                .related(earlier.span, "first named here")
                .consequence("Istio would ignore the second")
                .help("remove it"),
            ));
        }
    }
}
