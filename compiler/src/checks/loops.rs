//! Redirects that lead back: a client follows each of them as the gateway would answer, until it is where it was, or elsewhere.

use super::Context;
use super::protocols::carries;
use crate::model::{
    Action, Gateway, Host, Id, Listener, Match, MatchBinding, PathMatch, PathTest, Redirect, RedirectPort,
    Resource, Route, RouteKind,
};
use crate::policy::TextMatch;
use crate::values::Protocol;
use meshc_language::{Code, Diagnostic};
use smol_str::SmolStr;

/// Redirects that a client follows here; browsers give up after some twenty.
const STEPS: usize = 8;

/// Where a client is. The port is that of the listener: outside, another one may lead to it.
#[derive(Clone, PartialEq, Eq)]
struct Url {
    is_https: bool,
    host: SmolStr,
    path: SmolStr,
}

/// All redirects of all hosts at all of their gateways.
pub(super) fn check(context: &Context<'_>, reports: &mut Vec<Diagnostic>) {
    for (_, host) in context.model.hosts.iter() {
        let Some(name) = host.patterns().map(|(name, _)| name).find(|name| !name.is_ip()) else { continue };
        // Of the names behind a wildcard any one will do.
        let name = match name.as_str().strip_prefix('*') {
            Some(rest) => SmolStr::new(format!("a{rest}")),
            None => SmolStr::new(name.as_str()),
        };
        for route in host.routes.iter().filter(|route| !route.incomplete && route.kind == RouteKind::Http) {
            let Action::Redirect(redirect) = &route.action else { continue };
            let ring = host.gateways().find_map(|(id, _)| ring_of(context, id, &name, route));
            // Of a ring of several routes the first in the sources has the report.
            let ring = ring.filter(|ring| ring.iter().all(|(_, other)| route.span <= other.span));
            let urls = ring.map(|ring| ring.into_iter().map(|(url, _)| url).collect::<Vec<_>>());
            reports.extend(urls.map(|urls| leads_back(redirect, &urls)));
        }
    }
}

/// The URLs that a client comes through again and again, from one that this route redirects.
fn ring_of<'m>(
    context: &Context<'m>,
    id: Id<Resource<Gateway>>,
    name: &SmolStr,
    route: &Route,
) -> Option<Vec<(Url, &'m Route)>> {
    let gateway = context.model.mesh.gateways.get(id).filter(|gateway| !gateway.incomplete)?;
    let everything = [Match::default()];
    let matches = if route.condition.is_none() { &everything[..] } else { &route.matches };
    for one in matches {
        for is_https in [false, true] {
            let Some(path) = sample(one.path.as_ref()) else { continue };
            let start = Url { is_https, host: name.clone(), path };
            let ring = follow(context, (id, gateway), one, start);
            if ring.as_ref().is_some_and(|ring| ring.iter().any(|(_, other)| std::ptr::eq(*other, route))) {
                return ring;
            }
        }
    }
    None
}

/// A path that a comparison takes; of an expression none is made.
fn sample(path: Option<&PathMatch>) -> Option<SmolStr> {
    match path.map(|path| &path.test) {
        None => Some(SmolStr::new("/")),
        Some(PathTest::Exact(text) | PathTest::Prefix(text) | PathTest::Under(text)) => Some(text.clone()),
        Some(PathTest::Pattern(_)) => None,
    }
}

/// Follows redirects until a URL comes again, or for so long that none will be the last: the URLs that come again, each with the route
/// that redirects it.
fn follow<'m>(
    context: &Context<'m>,
    at: (Id<Resource<Gateway>>, &'m Resource<Gateway>),
    asked: &Match,
    start: Url,
) -> Option<Vec<(Url, &'m Route)>> {
    let mut seen: Vec<(Url, &Route)> = Vec::new();
    let mut url = start;
    while seen.len() <= STEPS {
        let (route, taken) = answer(context, at, asked, &url)?;
        let Action::Redirect(redirect) = &route.action else { return None };
        if changes_the_request(route, asked) {
            return None;
        }
        let next = target(&url, redirect, taken)?;
        seen.push((url, route));
        if let Some(from) = seen.iter().position(|(one, _)| *one == next) {
            return Some(seen.split_off(from));
        }
        url = next;
    }
    // A path that grows with each step is redirected by one route.
    let last = seen.last()?.1;
    let grows = seen.iter().skip(STEPS / 2).all(|(_, route)| std::ptr::eq(*route, last));
    grows.then(|| seen.into_iter().take(3).collect())
}

/// Whether clients come back otherwise: with GET (RFC 9110, sections 15.4.2 to 15.4.4), or with a cookie that they were given.
fn changes_the_request(route: &Route, asked: &Match) -> bool {
    let Action::Redirect(redirect) = &route.action else { return false };
    let keeps_method = matches!(redirect.code.get(), 307 | 308);
    let only_gets = asked.methods.iter().all(|method| matches!(method.as_str(), "GET" | "HEAD"));
    let gives_cookie = route.options.shared.response_headers.iter().any(|operations| {
        let settings = operations.body.set.iter().chain(&operations.body.add);
        settings.into_iter().any(|setting| setting.name.value.as_str() == "set-cookie")
    });
    !(keeps_method || only_gets) || gives_cookie
}

/// The route that takes a request at a gateway, with the alternative that holds; `None` where it cannot be told.
fn answer<'m>(
    context: &Context<'m>,
    (id, gateway): (Id<Resource<Gateway>>, &'m Resource<Gateway>),
    asked: &Match,
    url: &Url,
) -> Option<(&'m Route, Option<&'m Match>)> {
    let listener = gateway.declared.body.listeners.iter().find(|listener| serves(listener, url))?;
    let bound = context.model.hosts.iter().map(|(_, host)| host);
    let bound = bound.filter(|host| host.gateways().any(|(other, _)| other == id));
    let host = bound
        .filter_map(|host| Some((most_specific(host, &url.host)?, host)))
        .max_by_key(|(specific, _)| *specific)
        .map(|(_, host)| host)?;
    for route in host.routes.iter().filter(|route| route.kind == RouteKind::Http) {
        if route.incomplete {
            return None;
        }
        if route.condition.is_none() {
            return Some((route, None));
        }
        for one in &route.matches {
            if takes(one, id, listener, asked, url)? {
                return Some((route, Some(one)));
            }
        }
    }
    None
}

/// Whether a listener hands requests for a URL to the routes.
fn serves(listener: &Listener, url: &Url) -> bool {
    let is_https = listener.protocol.value == Protocol::Https;
    carries(listener) == RouteKind::Http
        && is_https == url.is_https
        && listener.body.redirect.is_none()
        && listener
            .body
            .hosts
            .iter()
            .flat_map(|hosts| hosts.iter())
            .any(|host| host.value.host.takes(&url.host))
}

/// How much of a name the best pattern of a host says.
fn most_specific(host: &Host, name: &str) -> Option<(bool, usize)> {
    let taking = host.patterns().filter(|(pattern, _)| pattern.takes(name));
    taking.map(|(pattern, _)| (!pattern.is_wildcard(), pattern.as_str().len())).max()
}

/// Whether an alternative takes a request that has what `asked` asks for, and nothing else; `None` where it cannot be told.
fn takes(
    one: &Match,
    id: Id<Resource<Gateway>>,
    listener: &Listener,
    asked: &Match,
    url: &Url,
) -> Option<bool> {
    let Match {
        path,
        scheme,
        methods,
        authority,
        headers,
        without,
        query,
        ports,
        source_namespace,
        source_labels,
        bindings,
        sni: _,
        destinations: _,
    } = one;
    let is_here = bindings.is_empty() || bindings.contains(&MatchBinding::Gateway(id));
    let has_port = ports.is_empty() || ports.contains(&listener.port.value);
    let has_scheme = match scheme {
        None => true,
        Some(TextMatch::Exact(scheme)) => scheme == if url.is_https { "https" } else { "http" },
        Some(TextMatch::Prefix(_) | TextMatch::Pattern(_)) => return None,
    };
    if authority.is_some() || source_namespace.is_some() || !source_labels.is_empty() {
        return None;
    }
    let has_path = match path {
        None => true,
        Some(PathMatch { test: PathTest::Pattern(_), .. }) => return None,
        Some(PathMatch { test, ignore_case }) => {
            test.covers(&PathTest::Exact(url.path.clone()), *ignore_case)
        }
    };
    let has_method = methods.is_empty() || *methods == asked.methods;
    let has_rest = headers.iter().all(|one| asked.headers.contains(one))
        && query.iter().all(|one| asked.query.contains(one))
        && without.iter().all(|one| asked.without.contains(one));
    Some(is_here && has_port && has_scheme && has_path && has_method && has_rest)
}

/// Where a redirect sends a client; `None` for a port of its own, which may be anybody's.
fn target(url: &Url, redirect: &Redirect, taken: Option<&Match>) -> Option<Url> {
    let Redirect { code: _, scheme, host, path, prefix, port, query, span: _ } = redirect;
    // With another query another route may take it.
    if matches!(port, Some(RedirectPort::Number(_))) || query.is_some() {
        return None;
    }
    let is_https = scheme.as_ref().map_or(url.is_https, |scheme| scheme.value.word() == "https");
    let host = host.as_ref().map_or_else(|| url.host.clone(), |host| SmolStr::new(host.value.as_str()));
    let path = match (path, prefix) {
        (Some(path), _) => SmolStr::new(path.value.as_str()),
        (None, None) => url.path.clone(),
        (None, Some(prefix)) => {
            let test = taken.and_then(|one| one.path.as_ref()).map(|path| &path.test);
            let old = match test {
                Some(PathTest::Exact(text) | PathTest::Prefix(text) | PathTest::Under(text)) => text.as_str(),
                Some(PathTest::Pattern(_)) => return None,
                None => "/",
            };
            let rest = url.path.get(old.len()..)?;
            SmolStr::new(format!("{}{rest}", prefix.value.as_str()))
        }
    };
    Some(Url { is_https, host, path })
}

fn leads_back(redirect: &Redirect, ring: &[Url]) -> Diagnostic {
    let shown =
        |url: &Url| format!("`{}://{}{}`", if url.is_https { "https" } else { "http" }, url.host, url.path);
    let first = ring.first().map(shown).unwrap_or_default();
    let message = match ring {
        [_] => format!("{first} is redirected to itself"),
        _ => {
            let steps: Vec<String> = ring.iter().skip(1).map(shown).collect();
            format!("{first} is redirected to {}, and so on", steps.join(", then "))
        }
    };
    let help = match ring {
        [_] if redirect.scheme.is_some() => {
            "redirect only what comes in without TLS: `when scheme is http`, or `redirect https` in the listener"
        }
        _ => "let the condition leave out the URLs that it leads to, or put a route for them before it",
    };
    Diagnostic::new(Code::REDIRECT_LOOP, redirect.span, message)
        .consequence("browsers stop after too many redirects")
        .help(help)
}
