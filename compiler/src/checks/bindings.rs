//! `bindings`: each thing is bound once, and to something whole.

use super::Context;
use crate::model::{
    AddressBinding, AddressKind, Bindings, BindingsBody, Resource, SecretBinding, SecretFiles, SecretId,
};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// All checks of bindings.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let all: Vec<&BindingsBody> = context.model.bindings.iter().map(|one| &one.declared.body).collect();
    addresses_are_bound_once(&all, reports);
    secrets_are_bound_once(&context.model.bindings, reports);
    platforms_are_named_once(&all, reports);
    for body in all {
        body.secrets.iter().for_each(|secret| secret_is_whole(secret, reports));
        body.addresses.iter().for_each(|address| labels_have_one_value(address, reports));
    }
}

fn twice(what: &str, span: Span, earlier: Span) -> Diagnostic {
    Diagnostic::new(Code::REPEATED_STATEMENT, span, format!("{what} is bound twice"))
        .related(earlier, "first bound here")
        .consequence("only the first would be used")
        .help("keep one of them; put differences between environments into `in ENVIRONMENT`")
}

fn addresses_are_bound_once(all: &[&BindingsBody], reports: &mut Vec<Diagnostic>) {
    let addresses = all.iter().flat_map(|body| &body.addresses);
    let places = addresses.map(|one| ((one.target, one.port, one.subset.as_ref()), one.span));
    once("this destination", places, reports);
}

/// A plain name is that of the file's namespace: two teams may have a Secret of the same name.
fn secrets_are_bound_once(all: &[Resource<Bindings>], reports: &mut Vec<Diagnostic>) {
    let places = all.iter().flat_map(|bindings| {
        let home = bindings.namespace_name();
        bindings.body.secrets.iter().map(move |one| (SecretId::new(&one.name.value, home), one.name.span))
    });
    once("this secret", places, reports);
}

/// Reports what is bound a second time.
fn once<K: Eq + Hash>(what: &str, all: impl Iterator<Item = (K, Span)>, reports: &mut Vec<Diagnostic>) {
    let mut first: FxHashMap<K, Span> = FxHashMap::default();
    for (key, span) in all {
        match first.entry(key) {
            Entry::Occupied(earlier) => reports.push(twice(what, span, *earlier.get())),
            Entry::Vacant(free) => _ = free.insert(span),
        }
    }
}

/// `default` and `deploy` speak for all proxies, so they stand once in a mesh.
fn platforms_are_named_once(all: &[&BindingsBody], reports: &mut Vec<Diagnostic>) {
    let defaults: Vec<Span> =
        all.iter().filter_map(|body| body.default.map(|default| default.span)).collect();
    let deploys: Vec<Span> =
        all.iter().filter_map(|body| body.deploy.as_ref().map(|deploy| deploy.span)).collect();
    for (what, spans) in [("`default`", defaults), ("`deploy`", deploys)] {
        if let [first, rest @ ..] = spans.as_slice() {
            reports.extend(rest.iter().map(|span| twice(what, *span, *first)));
        }
    }
}

/// A secret is mounted or in files, and a certificate comes with its key.
fn secret_is_whole(secret: &SecretBinding, reports: &mut Vec<Diagnostic>) {
    let SecretFiles { cert, key, ca, crl } = &secret.files;
    let name = &secret.name;
    let in_files = cert.is_some() || key.is_some() || ca.is_some() || crl.is_some();
    let report = |message: String, help: &str| {
        Diagnostic::new(Code::MISSING_STATEMENT, name.span, message)
            .consequence("the proxy would not start without its certificate")
            .help(help)
    };
    if secret.from.is_some() && in_files {
        let message = format!("secret `{}` is mounted by a platform and in files", name.value);
        reports.push(report(message, "remove `kubernetes` or the files"));
    } else if secret.from.is_none() && !in_files {
        let message = format!("`bindings` does not say where secret `{}` is", name.value);
        reports
            .push(report(message, "write `kubernetes` after it, or a block with `cert file` and `key file`"));
    } else if cert.is_some() != key.is_some() {
        let missing = if cert.is_some() { "key" } else { "cert" };
        let message = format!("secret `{}` has no `{missing}`", name.value);
        reports.push(report(message, "a certificate needs its key"));
    }
}

fn labels_have_one_value(address: &AddressBinding, reports: &mut Vec<Diagnostic>) {
    let AddressKind::Kubernetes { labels } = &address.kind else { return };
    for (at, label) in labels.iter().enumerate() {
        let same = labels.iter().take(at).find(|other| other.value.key() == label.value.key());
        if let Some(earlier) = same {
            let message = format!("label `{}` is given twice", label.value.key());
            reports.push(
                Diagnostic::new(Code::REPEATED_STATEMENT, label.span, message)
                    .related(earlier.span, "first given here")
                    .consequence("Kubernetes takes one value for each label")
                    .help("keep one of them"),
            );
        }
    }
}
