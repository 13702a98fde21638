//! What a raw proxy needs and `bindings` do not give: addresses and certificates.

use super::secrets as named;
use meshc_compiler::Model;
use meshc_compiler::model::Seeker;
use meshc_compiler::routing::{Addresses, Proxy};
use meshc_compiler::values::{Namespace, SecretName, SecretSource};
use meshc_language::{Code, Diagnostic, Span, Spanned};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Destinations without addresses.
pub(super) fn addresses(proxy: &Proxy) -> Vec<Diagnostic> {
    let unknown =
        proxy.upstreams.as_slice().iter().filter(|upstream| upstream.addresses == Addresses::Unknown);
    unknown
        .map(|upstream| {
            let subset = upstream.subset.as_ref().map(|subset| format!("@{subset}")).unwrap_or_default();
            let name = format!("{}{subset}", upstream.host);
            Diagnostic::new(Code::MISSING_ADDRESS, upstream.span, format!("`bindings` has no address of `{name}`"))
                .label("a raw proxy has no service discovery")
                .consequence("these requests would get 503")
                .help(
                    "add `address DESTINATION kubernetes`, `dns HOST:PORT` or `endpoints [IP:PORT, ...]` to `bindings`, \
                     or `default kubernetes`",
                )
        })
        .collect()
}

/// Certificates that nothing says where to find, or that a platform cannot mount. Gateways stand first, and what one of them lacks is
/// not said again of an outbound proxy.
pub(super) fn secrets(model: &Model, proxies: &[Arc<Proxy>]) -> Vec<Diagnostic> {
    let mut known: FxHashSet<(Span, String)> = FxHashSet::default();
    let mut reports = Vec::new();
    for proxy in proxies {
        for (name, seeker) in named(model, proxy) {
            if model.bound_secret(&name.value, seeker).is_some() {
                continue;
            }
            let mut report = secret(model, name, seeker);
            if !known.insert((report.span, report.message.clone())) {
                continue;
            }
            // Nobody has written that there is such a proxy.
            if !proxy.is_gateway() {
                report.message.push_str(", for the outbound proxy");
            }
            reports.push(report);
        }
    }
    reports
}

fn secret(model: &Model, name: &Spanned<SecretName>, seeker: Seeker<'_>) -> Diagnostic {
    let shown = shown(&name.value);
    let files = format!("`secret {shown} {{ cert file \"...\"; key file \"...\" }}`");
    let report = |message: String| {
        Diagnostic::new(Code::MISSING_SECRET, name.span, message)
            .consequence("the proxy would not start without its certificate")
    };
    if let Some(why) =
        unmountable(&name.value, seeker).filter(|_| model.is_bound_to_platform(&name.value, seeker))
    {
        let report = report(format!("`{}` cannot be mounted into this proxy", name.value)).label(why);
        return report.help(format!("bind it to files: {files}, or use a Secret of the proxy's namespace"));
    }
    let home = seeker.proxy.or(seeker.destination);
    let whose = home.map(|home| format!(" of namespace `{home}`")).unwrap_or_default();
    let report = report(format!("`bindings` has no secret `{}`{whose}", name.value));
    let elsewhere = model.secrets_elsewhere(&name.value);
    if let (Some(home), Some(other)) = (home, elsewhere.first()) {
        return report
            .label("a plain name is that of the proxy's own namespace, as in Istio")
            .related(*other, "this is the secret of another namespace")
            .help(format!(
                "add {files} to `bindings` in a file with `namespace {home}`, or \
                 `secret \"kubernetes://{home}/{}\"` with its files beside the other",
                name.value.name()
            ));
    }
    report
        .label("a raw proxy has no service discovery")
        .help(format!("add {files} or `secret {shown} kubernetes` to `bindings`"))
}

/// A name as it is written: quoted if it has a prefix.
fn shown(name: &SecretName) -> String {
    match name.source() {
        SecretSource::Secret => name.to_string(),
        SecretSource::Kubernetes
        | SecretSource::Gateway
        | SecretSource::ConfigMap
        | SecretSource::Sds
        | SecretSource::Builtin => format!("\"{name}\""),
    }
}

/// Why no platform mounts this into a pod of the proxy.
fn unmountable(name: &SecretName, seeker: Seeker<'_>) -> Option<String> {
    match name.source() {
        SecretSource::Sds | SecretSource::Builtin => {
            Some("it comes from Istio or another provider of certificates, not from a Secret".to_owned())
        }
        SecretSource::Secret | SecretSource::Kubernetes | SecretSource::Gateway | SecretSource::ConfigMap => {
            let other =
                name.namespace().map(Namespace::as_str).filter(|other| seeker.proxy != Some(*other))?;
            let own = seeker.proxy.map(|own| format!(", and this proxy is in `{own}`")).unwrap_or_default();
            Some(format!("pods mount Secrets of their own namespace only; this is of `{other}`{own}"))
        }
    }
}
