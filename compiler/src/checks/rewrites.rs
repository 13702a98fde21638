//! Rewrites: one of a kind, and only of what a condition asks for.

use super::Context;
use super::externals::steps::{Whole, once_for_each_place, steps, whole_routes};
use crate::model::{Action, Destination, Match, Mirror, PathTest, Route};
use crate::policy::{HeaderOperations, Rewrite, RewriteKind, SharedRouteOptions};
use crate::values::{Pattern, Percent, ReplacementPart};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashSet;

/// All checks of rewrites.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, host) in context.model.hosts.iter() {
        for route in &host.routes {
            one_of_a_kind(&route.options.shared.rewrite, reports);
            // Whose block it is decides where the host is set.
            if !route.incomplete {
                authority_once(route, reports);
            }
            matches_make_paths(route, reports);
            mirrors_lead_elsewhere(route, reports);
        }
    }
    authority_once_delegated(context, reports);
    let mut found = Vec::new();
    // Whose block it is decides which prefix is asked for.
    for whole in whole_routes(context).into_iter().filter(|whole| !whole.incomplete) {
        prefix_has_a_prefix(&whole, &mut found);
        redirected_prefix_has_a_prefix(&whole, &mut found);
    }
    once_for_each_place(found, reports);
}

/// A copy to where the request goes is the same request a second time.
fn mirrors_lead_elsewhere(route: &Route, reports: &mut Vec<Diagnostic>) {
    let Action::Forward(destinations) = &route.action else { return };
    let [only] = destinations.as_slice() else { return };
    let original = &only.destination;
    let is_same = |copy: &Destination| {
        copy.target == original.target
            && copy.port.map(|port| port.value) == original.port.map(|port| port.value)
            && copy.subset.as_ref().map(|one| &one.value) == original.subset.as_ref().map(|one| &one.value)
    };
    let copies_something = |mirror: &&Mirror| mirror.share.is_none_or(|share| share.value != Percent::ZERO);
    let mirrors = route.options.mirrors.iter().filter(copies_something);
    for mirror in mirrors.filter(|mirror| is_same(&mirror.destination)) {
        let message = "this copies requests to the destination that they go to";
        let report = Diagnostic::new(Code::MIRROR_TO_ITSELF, mirror.span, message)
            .related(original.span, "the destination")
            .consequence("it gets these requests twice, and orders or payments are made twice");
        reports.push(report.help("mirror to another subset or service, or remove the mirror"));
    }
}

fn is_host(rewrite: &Rewrite) -> bool {
    matches!(rewrite.kind, RewriteKind::Host(_))
}

/// V28: the path can be rewritten in one way, and the host once.
fn one_of_a_kind(rewrites: &[Rewrite], reports: &mut Vec<Diagnostic>) {
    for (at, rewrite) in rewrites.iter().enumerate() {
        if let Some(earlier) = rewrites.iter().take(at).find(|earlier| is_host(earlier) == is_host(rewrite)) {
            let what = if is_host(rewrite) { "the host" } else { "the path" };
            reports.push(
                Diagnostic::new(Code::REPEATED_STATEMENT, rewrite.span, format!("{what} is rewritten twice"))
                    .related(earlier.span, "first rewritten here")
                    .consequence("Istio would refuse the virtual service")
                    .help("keep one of them"),
            );
        }
    }
}

/// `rewrite prefix` replaces what a `path prefix`, `path under` or `path is` has taken, in every alternative. Without a comparison of
/// the path it replaces the first `/`.
fn prefix_has_a_prefix(whole: &Whole<'_>, reports: &mut Vec<Diagnostic>) {
    let prefix = whole.options.rewrite.iter().find_map(|rewrite| match &rewrite.kind {
        RewriteKind::Prefix(path) => Some((path.value.as_str(), rewrite.span)),
        RewriteKind::Host(_) | RewriteKind::Path(_) | RewriteKind::Matches { .. } => None,
    });
    // What is answered is not rewritten, which is reported.
    let (Some((text, span)), Action::Forward(_)) = (prefix, &whole.step.route.action) else { return };
    if path_tests(whole).any(|test| matches!(test, Some(PathTest::Pattern(_)))) {
        let report =
            Diagnostic::new(Code::PREFIX_OF_PATTERN, span, "`path matches` has no prefix to replace")
                .consequence("Istio would replace everything that the expression matches")
                .help("use `path under` or `path prefix` in every alternative, or rewrite the whole `path`");
        reports.push(with_conditions(report, whole));
    } else {
        segments_stay_apart(text, span, whole, reports);
    }
}

/// `redirect prefix` does the same, of what a `path prefix` or `path under` has taken (V25).
fn redirected_prefix_has_a_prefix(whole: &Whole<'_>, reports: &mut Vec<Diagnostic>) {
    let Action::Redirect(redirect) = &whole.step.route.action else { return };
    let Some(prefix) = redirect.prefix.as_ref() else { return };
    if path_tests(whole).any(|test| matches!(test, Some(PathTest::Exact(_) | PathTest::Pattern(_)))) {
        let message = "`prefix` replaces the matched prefix, but this route matches none";
        let report = Diagnostic::new(Code::PREFIX_WITHOUT_PREFIX, prefix.span, message)
            .consequence("Istio would refuse the virtual service")
            .help("use `path under` or `path prefix` in every alternative, or redirect to a `path`");
        reports.push(with_conditions(report, whole));
    } else {
        segments_stay_apart(prefix.value.as_str(), prefix.span, whole, reports);
    }
}

/// What each alternative asks of the path.
fn path_tests<'w>(whole: &'w Whole<'_>) -> impl Iterator<Item = Option<&'w PathTest>> {
    let tests = whole.matches.iter().map(|one| one.path.as_ref().map(|path| &path.test));
    tests.chain(whole.matches.is_empty().then_some(None))
}

/// Where no condition asks for a path, its first `/` is what is replaced: the new text has to end with one.
fn segments_stay_apart(text: &str, span: Span, whole: &Whole<'_>, reports: &mut Vec<Diagnostic>) {
    if text.ends_with('/') || path_tests(whole).all(|test| test.is_some()) {
        return;
    }
    let message = "without a path condition, this replaces the first `/` of the path";
    let report = Diagnostic::new(Code::JOINED_SEGMENTS, span, message)
        .consequence(format!("`/a` would become `{text}a`"))
        .help(format!("write `{text}/`, or use `path under` or `path prefix` in every alternative"));
    reports.push(with_conditions(report, whole));
}

/// Whether the pattern matches at the beginning of a path: it is tied to it, or the route's paths begin as the pattern does.
fn begins_paths(route: &Route, pattern: &Pattern) -> bool {
    let begins = |one: &Match| match one.path.as_ref().map(|path| &path.test) {
        Some(PathTest::Exact(text) | PathTest::Prefix(text) | PathTest::Under(text)) => {
            pattern.may_begin(text)
        }
        Some(PathTest::Pattern(_)) | None => false,
    };
    pattern.is_tied_to_beginning() || route.matches.iter().any(begins)
}

fn with_conditions(report: Diagnostic, whole: &Whole<'_>) -> Diagnostic {
    let report = match whole.step.route.condition {
        Some(condition) => report.related(condition, "the condition"),
        None => report,
    };
    match whole.step.parent {
        Some(parent) => {
            report.related(parent.condition.unwrap_or(parent.name.span), "requests are delegated from here")
        }
        None => report,
    }
}

/// What takes the place of the beginning of a path begins with `/`. Nothing is said of an expression that may match further inside of
/// the paths that are meant, nor of a group that may begin with a slash.
fn matches_make_paths(route: &Route, reports: &mut Vec<Diagnostic>) {
    for rewrite in &route.options.shared.rewrite {
        let RewriteKind::Matches { pattern, with } = &rewrite.kind else { continue };
        let what = match with.value.parts().next() {
            Some(ReplacementPart::Text(text)) if !text.starts_with('/') => "but does not start with `/`",
            Some(ReplacementPart::Group(group)) if group > 0 && pattern.value.puts_slash_before(group) => {
                "and starts with a group that comes after a `/`"
            }
            None if pattern.value.puts_slash_before(0) => "up to a `/`",
            Some(ReplacementPart::Text(_) | ReplacementPart::Group(_)) | None => continue,
        };
        if !pattern.value.takes_first_slash() || !begins_paths(route, &pattern.value) {
            continue;
        }
        let message = match with.value.as_str() {
            "" => format!("nothing replaces the beginning of a path {what}"),
            text => format!("`{text}` replaces the beginning of a path, {what}"),
        };
        reports.push(
            Diagnostic::new(Code::BAD_REPLACEMENT, with.span, message)
                .related(pattern.span, "it matches the first slash of a path")
                .consequence("destinations would get a path without a leading slash, and answer 400; nginx would answer 500")
                .help(format!("write `/{}`", with.value)),
        );
    }
}

/// V29: the host can be set in one place only.
fn authority_once(route: &Route, reports: &mut Vec<Diagnostic>) {
    for places in authority_settings(&route.options.shared, &route.action) {
        report_twice(
            &places,
            "the host is set twice on this route",
            "Istio would refuse the virtual service",
            reports,
        );
    }
}

/// The same of a route and the one that delegates to it, which no admission sees together. The host of a `rewrite` wins over that of
/// header operations, and that of a route over that of its destination, however near they are.
fn authority_once_delegated(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    let mut known: FxHashSet<(Span, Span)> = FxHashSet::default();
    for step in steps(context) {
        let Some(parent) = step.parent.filter(|parent| !parent.incomplete && !step.route.incomplete) else {
            continue;
        };
        let outer: Vec<Span> = authority_settings(&parent.options.shared, &parent.action).concat();
        if outer.is_empty() {
            continue;
        }
        let mut joined = step.route.options.shared.clone();
        joined.inherit(&parent.options.shared);
        for places in authority_settings(&joined, &step.route.action) {
            let (first, own): (Vec<Span>, Vec<Span>) = places.iter().partition(|place| outer.contains(place));
            let (Some(first), Some(own)) = (first.first(), own.last()) else { continue };
            if known.insert((*first, *own)) {
                let message = "the host is set on this route and on the one that delegates to it";
                let consequence = "`rewrite host` wins, then the operations of routes, wherever they are: this host could be lost";
                report_twice(&[*first, *own], message, consequence, reports);
            }
        }
    }
}

/// Where the host of requests is set, on each way that they can take: on the route, and to each destination that sets it too.
fn authority_settings(shared: &SharedRouteOptions, action: &Action) -> Vec<Vec<Span>> {
    let rewritten: Vec<Span> =
        shared.rewrite.iter().filter(|rewrite| is_host(rewrite)).map(|rewrite| rewrite.span).collect();
    let on_route = host_settings(shared.request_headers.as_deref());
    let of_route = [rewritten, on_route].concat();
    let destinations = match action {
        Action::Forward(destinations) => destinations.as_slice(),
        Action::Redirect(_) | Action::Respond(_) | Action::Delegate(_) => &[],
    };
    let here = destinations.iter().map(|one| host_settings(one.headers.request.as_deref()));
    let to_each = here.filter(|here| !here.is_empty()).map(|here| [of_route.clone(), here].concat());
    std::iter::once(of_route.clone()).chain(to_each).collect()
}

/// Where header operations set the host.
fn host_settings(operations: Option<&HeaderOperations>) -> Vec<Span> {
    let Some(operations) = operations else { return Vec::new() };
    let settings = operations.body.set.iter().chain(&operations.body.add);
    settings.filter(|setting| setting.name.value.is_host()).map(|setting| setting.span).collect()
}

fn report_twice(places: &[Span], message: &str, consequence: &str, reports: &mut Vec<Diagnostic>) {
    if let [first, .., last] = places {
        reports.push(
            Diagnostic::new(Code::AUTHORITY_TWICE, *last, message)
                .related(*first, "first set here")
                .consequence(consequence)
                .help("keep one of them"),
        );
    }
}
