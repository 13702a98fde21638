//! What an upgrade changes, where a project says that its clusters run several releases: the same resources mean something else
//! before and after. Only what the sources leave to Istio is reported; what they say holds for every release.

use super::plan::is_carried;
use super::release::{Release, Releases};
use meshc_compiler::model::{Action, Host, Model, Resource, Route, RouteKind};
use meshc_compiler::policy::{ClientTls, TrafficPolicy, USUAL_RETRIES};
use meshc_compiler::values::RetryName;
use meshc_language::{Code, Diagnostic, Span};

/// The release in which the default of `lb` became least request.
const LEAST_REQUEST_BY_DEFAULT: Release = Release::minor(14);
/// The release in which TLS origination began to send a server name by itself.
const SERVER_NAME_BY_DEFAULT: Release = Release::minor(20);
/// The release in which the default retry policy stopped repeating what was answered with 503.
const NO_RETRY_ON_503: Release = Release::minor(USUAL_RETRIES.since);
/// The release in which mirrored requests began to keep their host.
const MIRRORS_KEEP_HOST: Release = Release::minor(28);

/// Reports what differs between the releases of a project.
pub(super) fn between(model: &Model, releases: Releases) -> Vec<Diagnostic> {
    let mut reports = Vec::new();
    if releases.cross(LEAST_REQUEST_BY_DEFAULT) {
        reports.extend(balancing(model));
    }
    if releases.cross(SERVER_NAME_BY_DEFAULT) {
        reports.extend(policies(model).filter_map(|(_, policy)| server_name(policy.tls.as_deref()?)));
    }
    let routes =
        || carried(model).flat_map(|host| &host.routes).filter(|route| route.kind == RouteKind::Http);
    if releases.cross(NO_RETRY_ON_503) {
        reports.extend(retries(routes()));
    }
    if releases.cross(MIRRORS_KEEP_HOST) {
        reports.extend(routes().flat_map(|route| &route.options.mirrors).map(|mirror| mirrored(mirror.span)));
    }
    reports
}

fn report(release: Release, span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::CHANGES_WITH_ISTIO, span, format!("{what} changes with Istio {release}"))
}

fn carried(model: &Model) -> impl Iterator<Item = &Resource<Host>> {
    model.hosts.as_slice().iter().filter(|host| is_carried(model, host))
}

/// The policies of all destinations, with the names that they stand for.
fn policies(model: &Model) -> impl Iterator<Item = (Span, &TrafficPolicy)> {
    let services = model.mesh.services.iter().flat_map(|(_, service)| {
        let ports = service.body.ports.iter().map(|port| &port.traffic);
        let subsets = service.body.subsets.iter().map(|subset| &subset.body.traffic);
        let all = std::iter::once(&service.body.traffic).chain(ports).chain(subsets);
        all.map(|policy| (service.name.span, policy))
    });
    let externals = model.mesh.externals.iter().flat_map(|(_, external)| {
        let ports = external.body.ports.iter().map(|port| &port.traffic);
        let subsets = external.body.subsets.iter().map(|subset| &subset.body.traffic);
        let all = std::iter::once(&external.body.traffic).chain(ports).chain(subsets);
        all.map(|policy| (external.name.span, policy))
    });
    services.chain(externals)
}

/// One report for all destinations without `lb`, at the first.
fn balancing(model: &Model) -> Option<Diagnostic> {
    let services = model.mesh.services.iter().map(|(_, service)| (service.name.span, &service.body.traffic));
    let externals =
        model.mesh.externals.iter().map(|(_, external)| (external.name.span, &external.body.traffic));
    let mut without = services.chain(externals).filter(|(_, policy)| policy.balancing.is_none());
    let (first, _) = without.next()?;
    let what = match without.count() {
        0 => "the default balancing of 1 destination".to_owned(),
        more => format!("the default balancing of {} destinations", more + 1),
    };
    let report = report(LEAST_REQUEST_BY_DEFAULT, first, &what);
    Some(
        report
            .consequence("older releases use round robin, newer ones least request")
            .help("choose in a policy of all services: `lb least-request` or `lb round-robin`"),
    )
}

fn server_name(tls: &ClientTls) -> Option<Diagnostic> {
    (tls.mode.value.begins_tls() && tls.body.sni.is_none()).then(|| {
        report(SERVER_NAME_BY_DEFAULT, tls.mode.span, "the server name of this TLS origination")
            .consequence("older releases send no server name (SNI), newer ones the host of the request")
            .help("set the name: `sni api.example.com`")
    })
}

/// One report for all routes without `retry`, at the first.
fn retries<'m>(routes: impl Iterator<Item = &'m Route>) -> Option<Diagnostic> {
    let forwards = |route: &&Route| matches!(route.action, Action::Forward(_));
    let mut without = routes.filter(forwards).filter(|route| route.options.shared.retry.is_none());
    let first = without.next()?;
    let what = match without.count() {
        0 => "the default retry policy of 1 route".to_owned(),
        more => format!("the default retry policy of {} routes", more + 1),
    };
    let report = report(NO_RETRY_ON_503, first.name.span, &what);
    Some(
        report
            .consequence("older releases retry requests after a 503, POST too; newer ones do not")
            .help(format!("set it in a policy of all routes, for example `{}`", written_out())),
    )
}

/// The newer policy as a statement. One of its conditions speaks of statuses that the policy does not list.
fn written_out() -> String {
    let names = USUAL_RETRIES.on.iter().filter(|name| **name != RetryName::RetriableStatusCodes);
    let words: Vec<&str> = names.map(|name| name.word()).collect();
    format!("retry {} on [{}]", USUAL_RETRIES.attempts, words.join(", "))
}

fn mirrored(span: Span) -> Diagnostic {
    report(MIRRORS_KEEP_HOST, span, "the host of mirrored requests")
        .consequence("older releases append `-shadow` to the host of a mirrored request, newer ones do not")
        .help("let the mirror accept both names until every cluster runs the newer release")
}
