//! What nginx cannot read, found by making all of the configuration.

use super::directive::{TOKEN_MAX, too_long};
use super::files::Configuration;
use crate::target::{Fit, Options};
use meshc_compiler::Model;
use meshc_language::{Code, Diagnostic, Severity, Span};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

/// Writes the configuration where all else fits, and adds what that shows.
pub(super) fn write(model: &Model, fit: &mut Fit, options: &Options<'_>) {
    if fit.reports.iter().any(|report| report.severity == Severity::Error) {
        return;
    }
    let made = fit.proxies.par_iter().map(|proxy| {
        let mut made = Configuration::new(model, proxy, options);
        let long = too_long(&made.http, proxy.span).into_iter().chain(too_long(&made.stream, proxy.span));
        let mut reports = std::mem::take(&mut made.reports);
        reports.extend(long.filter_map(|(span, length)| span.map(|span| report(span, length))));
        (reports, super::written(&made, options))
    });
    let (found, written): (Vec<Vec<Diagnostic>>, _) = made.unzip();
    let mut known: FxHashSet<(Span, String)> = FxHashSet::default();
    fit.reports.extend(
        found.into_iter().flatten().filter(|report| known.insert((report.span, report.message.clone()))),
    );
    fit.written = written;
}

fn report(span: Span, length: usize) -> Diagnostic {
    Diagnostic::new(Code::UNSUPPORTED, span, "nginx cannot read a parameter as long as this statement needs")
        .label(format!("it has {length} bytes in nginx's syntax; the limit is {TOKEN_MAX}"))
        .consequence("nginx would not start")
        .help("shorten it, or remove this target")
}
