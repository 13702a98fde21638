//! TLS on the way to services and externals.

use super::{Setting, file_span, listed, origination};
use crate::checks::Context;
use crate::checks::externals::steps::{Step, steps};
use crate::checks::services::{Called, called};
use crate::model::DestinationId;
use crate::policy::{ClientTls, ClientTlsBody, ClientTlsMode};
use crate::values::SecretSource;
use meshc_language::{Code, Diagnostic, Span, Spanned};
use rustc_hash::FxHashMap;

/// The TLS of one destination, of one of its ports or of one of its subsets.
struct Site<'m> {
    tls: &'m ClientTls,
    called: &'m Called<'m>,
}

type TlsCheck = fn(&Site<'_>, &mut Vec<Diagnostic>);

/// Checks of the TLS of one destination.
const CHECKS: &[TlsCheck] = &[
    settings_go_with_the_mode,
    a_secret_stands_alone,
    callers_have_a_certificate,
    config_maps_hold_authorities,
    config_maps_are_near,
    nothing_is_verified_in_vain,
    the_server_is_verified,
];

/// TLS of services and externals.
pub(in crate::checks) fn clients(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for called in called(context) {
        for tls in called.policies().filter_map(|policy| policy.tls.as_deref()) {
            let site = Site { tls, called: &called };
            for check in CHECKS {
                check(&site, reports);
            }
        }
    }
    origination::check(context, reports);
    sidecars_need_files(context, reports);
}

/// What a block says, in the order of the reference.
fn settings(body: &ClientTlsBody) -> Vec<Setting> {
    let ClientTlsBody { cert, key, ca, crl, credential, sni, names, skip_verify } = body;
    let list = names.as_ref().and_then(|names| Some(names.first()?.span.to(names.last()?.span)));
    let places = [
        ("cert", file_span(cert)),
        ("key", file_span(key)),
        ("ca", file_span(ca)),
        ("crl", file_span(crl)),
        ("credential", credential.as_ref().map(|name| name.span)),
        ("sni", sni.as_ref().map(|name| name.span)),
        ("names", list),
        ("skip-verify", skip_verify.map(|skip| skip.span)),
    ];
    places.into_iter().filter_map(|(keyword, span)| Some((keyword, span?))).collect()
}

/// The settings that a mode looks at. With its own certificates, Istio still takes the name to ask for and the names to
/// expect from here (H23).
const fn looked_at(mode: ClientTlsMode) -> &'static [&'static str] {
    match mode {
        ClientTlsMode::Disable => &[],
        ClientTlsMode::IstioMutual => &["sni", "names"],
        ClientTlsMode::Simple => &["ca", "crl", "credential", "sni", "names", "skip-verify"],
        ClientTlsMode::Mutual => &["cert", "key", "ca", "crl", "credential", "sni", "names", "skip-verify"],
    }
}

/// H23: what a mode does not look at is ignored.
fn settings_go_with_the_mode(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ClientTls { mode, body, .. } = site.tls;
    let mut surplus = settings(body);
    // Where a secret stands too, the files are one fault with it.
    let one_fault = |keyword| beside_a_secret(site.tls) && is_file(keyword);
    surplus.retain(|(keyword, _)| !looked_at(mode.value).contains(keyword) && !one_fault(keyword));
    let Some((_, first)) = surplus.first() else { return };
    let mut report = Diagnostic::new(
        Code::CLIENT_TLS_IGNORED,
        *first,
        format!("`tls {}` takes no {}", mode.value, listed(&surplus)),
    )
    .related(mode.span, "the mode")
    .consequence("Istio would ignore it");
    for (_, span) in surplus.iter().skip(1) {
        report = report.related(*span, "nor this");
    }
    reports.push(report.help(match mode.value {
        ClientTlsMode::Simple => "use `tls mutual` to show a certificate to the server, or remove it",
        ClientTlsMode::Disable | ClientTlsMode::IstioMutual | ClientTlsMode::Mutual => {
            "remove it, or use `tls simple` or `tls mutual`"
        }
    }));
}

fn is_file(keyword: &str) -> bool {
    matches!(keyword, "cert" | "key" | "ca" | "crl")
}

fn beside_a_secret(tls: &ClientTls) -> bool {
    tls.mode.value.begins_tls() && tls.body.credential.is_some()
}

fn skips(tls: &ClientTls) -> Option<Span> {
    tls.body.skip_verify.filter(|skip| skip.value.is_on()).map(|skip| skip.span)
}

/// D11: a secret holds certificate, key, authorities and revocations.
fn a_secret_stands_alone(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(credential) = site.tls.body.credential.as_ref().filter(|_| beside_a_secret(site.tls)) else {
        return;
    };
    let mut files = settings(&site.tls.body);
    files.retain(|(keyword, _)| is_file(keyword));
    if files.is_empty() {
        return;
    }
    let mut report = Diagnostic::new(
        Code::CLIENT_TLS,
        credential.span,
        format!("`credential` excludes {}", listed(&files)),
    );
    for (_, span) in &files {
        report = report.related(*span, "given as a file");
    }
    reports.push(
        report.consequence("Istio would refuse the destination rule").help("keep the secret or the files"),
    );
}

/// D11: for mutual TLS, a secret, or certificate and key.
fn callers_have_a_certificate(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ClientTls { mode, body, .. } = site.tls;
    if mode.value != ClientTlsMode::Mutual || body.credential.is_some() || site.called.faulty {
        return;
    }
    let (span, message, help) = match (file_span(&body.cert), file_span(&body.key)) {
        (Some(_), Some(_)) => return,
        (Some(span), None) => (span, "`cert` needs a `key`", "add `key file \"...\"`"),
        (None, Some(span)) => (span, "`key` needs a `cert`", "add `cert file \"...\"`"),
        (None, None) => (
            mode.span,
            "`tls mutual` has no client certificate",
            "add `cert file \"...\"` and `key file \"...\"`, or `credential NAME`; to show none, use `tls simple`",
        ),
    };
    reports.push(
        Diagnostic::new(Code::CLIENT_TLS, span, message)
            .consequence("Istio would refuse the destination rule")
            .help(help),
    );
}

/// A ConfigMap holds no keys.
fn config_maps_hold_authorities(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let ClientTls { mode, body, .. } = site.tls;
    let Some(name) = body.credential.as_ref().filter(|name| name.value.source() == SecretSource::ConfigMap)
    else {
        return;
    };
    if mode.value == ClientTlsMode::Mutual {
        reports.push(
            Diagnostic::new(
                Code::CLIENT_TLS_IGNORED,
                name.span,
                format!("`{}` cannot hold a private key", name.value),
            )
            .related(mode.span, "this mode needs a certificate")
            .consequence("there would be no certificate, and every handshake would fail")
            .help("name a secret, or use `tls simple`"),
        );
    }
}

/// D11.
fn config_maps_are_near(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(name) = &site.tls.body.credential else { return };
    let Some(namespace) = name.value.namespace().filter(|_| name.value.source() == SecretSource::ConfigMap)
    else {
        return;
    };
    if site.called.namespace.is_some_and(|own| own != namespace.as_str()) {
        reports.push(
            Diagnostic::new(
                Code::CLIENT_TLS,
                name.span,
                format!("a ConfigMap of namespace `{namespace}` cannot be used here"),
            )
            .consequence("Istio would refuse the destination rule")
            .help("use a ConfigMap of this namespace"),
        );
    }
}

/// D11: what is not verified needs nothing to verify it with.
fn nothing_is_verified_in_vain(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(skip) = skips(site.tls) else { return };
    let in_vain = in_vain(site.tls);
    let Some((_, first)) = in_vain.first() else { return };
    // Istio looks at the authorities and names that nobody asks, not at revocations (`ValidateTLS`).
    let (code, consequence) = if in_vain.iter().any(|(keyword, _)| *keyword != "crl") {
        (Code::CLIENT_TLS, "Istio would refuse the destination rule")
    } else {
        (Code::CLIENT_TLS_IGNORED, "Istio would ignore it")
    };
    reports.push(
        Diagnostic::new(code, *first, format!("no effect with `skip-verify on`: {}", listed(&in_vain)))
            .related(skip, "the server's certificate is not verified")
            .consequence(consequence)
            .help("remove `skip-verify`, so that the server is verified"),
    );
}

fn in_vain(tls: &ClientTls) -> Vec<Setting> {
    let mut settings = settings(&tls.body);
    settings.retain(|(keyword, _)| match tls.mode.value {
        ClientTlsMode::Simple => matches!(*keyword, "ca" | "crl" | "names" | "credential"),
        // A secret holds the certificate to show as well.
        ClientTlsMode::Mutual => matches!(*keyword, "ca" | "crl" | "names"),
        ClientTlsMode::Disable | ClientTlsMode::IstioMutual => false,
    });
    settings
}

/// IST0128 says this of every destination without `ca`; but Istio then verifies by the authorities of the system, so
/// only what is switched off is reported.
fn the_server_is_verified(site: &Site<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(skip) = skips(site.tls).filter(|_| site.tls.mode.value.begins_tls()) else { return };
    if in_vain(site.tls).is_empty() {
        reports.push(
            Diagnostic::new(Code::UNVERIFIED_SERVER, skip, "the server's certificate is not verified")
                .consequence("anyone on the network path could impersonate it and read everything")
                .help("remove `skip-verify`, and add its CA with `ca` if the system does not trust it"),
        );
    }
}

/// Gateways read secrets; sidecars do not, and ignore the settings of a destination that has one.
fn sidecars_need_files(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let from_sidecars = destinations_of_sidecars(context);
    for called in called(context) {
        let Some(route) = from_sidecars.get(&called.target) else { continue };
        let policies = std::iter::once(called.traffic).chain(called.ports.iter().map(|port| &port.traffic));
        let secret = policies.filter_map(|policy| policy.tls.as_deref()).find_map(secret_of);
        if let Some(secret) = secret {
            reports.push(
                Diagnostic::new(Code::CLIENT_TLS_IGNORED, secret.span, "sidecars cannot read secrets")
                    .related(*route, "sidecars use this route")
                    .consequence("they would ignore these settings, and send plaintext")
                    .help("use files that the sidecars have, or send the traffic through a gateway"),
            );
        }
    }
}

fn secret_of(tls: &ClientTls) -> Option<&Spanned<crate::values::SecretName>> {
    tls.body.credential.as_ref().filter(|_| tls.mode.value.begins_tls())
}

/// Where sidecars themselves send requests or copies of them, by the routes of hosts in the mesh; what leaves through a gateway is
/// sent on by that.
fn destinations_of_sidecars(context: &Context<'_>) -> FxHashMap<DestinationId, Span> {
    let mesh = &context.model.mesh;
    let mut found = FxHashMap::default();
    for step in steps(context).into_iter().filter(Step::is_of_the_mesh) {
        for target in step.ways().into_iter().map(|way| way.destination.target) {
            let leaves = match target {
                DestinationId::External(id) => {
                    mesh.externals.get(id).is_some_and(|external| external.egress().is_some())
                }
                DestinationId::Service(_) => false,
            };
            if !leaves {
                found.entry(target).or_insert(step.route.name.span);
            }
        }
    }
    found
}
