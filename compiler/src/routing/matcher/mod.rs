//! The reference matcher: what the plan means, request by request. It is the definition; data planes are held to it.
//!
//! ```text
//! Entrance -listener-> TLS server by name -> virtual host by authority -> first rule whose condition holds -> Answer
//! ```
//!
//! | what | how | as in |
//! |---|---|---|
//! | listener | port; one bound to the address that was called before one bound to all | sockets |
//! | server for TLS | most specific name; `*` also takes a connection that names none; without one it is refused | Envoy `FilterChainMatch.server_names` |
//! | path | [`target`]: escaped slashes and backslashes rejected (400), dot segments resolved, unreserved characters decoded, slashes merged | Envoy `normalize_path`, `merge_slashes`; RFC 3986, 6.2.2 |
//! | virtual host | most specific domain; letter case, port and final dot do not count; a wildcard stands for at least one character | Envoy `VirtualHost.domains`, `ignore_port_in_host_matching`, `strip_trailing_host_dot` |
//! | rule | the first in order; alternatives in order | Envoy `VirtualHost.routes` |
//! | path, text | bytes; patterns match as a whole | Envoy `RouteMatch`, `StringMatcher` |
//! | authority | as the caller wrote it, with the port, without a final dot | Envoy `:authority` |
//! | header | one of its values says so; one with an underscore in its name is not there | Envoy `HeaderMatcher` |
//! | header absent or different | one that is not there says nothing | istiod, `treat_missing_header_as_empty` |
//! | query | as written, first occurrence, letter case counts; without `=` it is empty | Envoy `QueryParameterMatcher` |
//! | scheme | whether the connection is TLS; what callers claim in headers does not count | Envoy `use_remote_address` |
//! | redirect | [`redirect`] | Envoy `RedirectAction` |
//! | rewrite | [`rewrite`]; the query stays | Envoy `prefix_rewrite`, `regex_rewrite` |
//! | headers | [`header_changes`]: remove, set, add; the destination after the route | Envoy `HeaderParser` |
//! | redirect to HTTPS | 301 whatever rules say, host and port as written | Envoy `VirtualHost.require_tls` |
//! | connection | first rule in order whose name, address and caller fit | the language: first match wins |
//!
//! Deliberately absent: what depends on chance (weights are shares of an answer, a fault says how many it hits), on time, and on
//! other requests.

mod authority;
mod condition;
mod header_changes;
mod outcome;
mod pattern;
mod redirect;
mod request;
mod rewrite;
mod target;

pub(super) use pattern::Patterns;
pub use pattern::matches_whole;
pub(super) use target::is_normal;

pub use header_changes::{HeaderChange, apply, authority_set, header_changes, literal};
pub use outcome::{Answer, Delivery, Doubt, Fault, Outcome, Passage, Refusal, Taken};
pub use redirect::same_location;
pub use request::{Connection, Entrance, Request, Security, Source};

use super::{
    ConnectionRule, HttpServer, Listener, Plain, Proxy, Role, Rule, RuleAction, TlsKind, TlsServer,
    VirtualHost, WeightedUpstream,
};
use crate::model::Match;
use crate::values::HostPattern;
use authority::Authority;
use condition::Asked;
use target::Target;

/// What becomes of a request at a proxy.
#[must_use]
pub fn answer<'p>(proxy: &'p Proxy, request: &Request) -> Outcome<'p> {
    Matcher::new(proxy).answer(request)
}

/// A proxy, for many questions: patterns are compiled once.
#[derive(Debug)]
pub struct Matcher<'p> {
    proxy: &'p Proxy,
    patterns: Patterns<'p>,
}

/// What stands behind an entrance.
enum Served<'p> {
    Http(&'p HttpServer),
    Connections(&'p [ConnectionRule]),
}

impl<'p> Matcher<'p> {
    /// A matcher for a proxy.
    #[must_use]
    pub fn new(proxy: &'p Proxy) -> Self {
        Self { proxy, patterns: Patterns::default() }
    }

    /// The patterns of its rules.
    pub(super) fn patterns(&self) -> &Patterns<'p> {
        &self.patterns
    }

    /// What becomes of a request.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Outcome<'p> {
        let server = match self.serve(&request.entrance) {
            Ok(Served::Http(server)) => server,
            Ok(Served::Connections(_)) => return Outcome::NotHttp,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let read = Authority::read(&request.authority)
            .and_then(|authority| Target::read(&request.target).map(|target| (authority, target)));
        let (authority, target) = match read {
            Ok(read) => read,
            Err(fault) => return Outcome::Rejected(fault),
        };
        let Some((_, host)) = server.virtual_hosts.find(Some(authority.name())) else {
            return Outcome::NoHost;
        };
        let asked = Asked { patterns: &self.patterns, request, target, authority, callers: self.callers() };
        if host.https_only && request.entrance.security == Security::Plain {
            return Outcome::WantsTls { host, location: redirect::to_https(&asked) };
        }
        for (position, rule) in host.rules.iter().enumerate() {
            let taken = match asked.first_of(&rule.matches) {
                Ok(None) => continue,
                Ok(Some(alternative)) => taken(&asked, host, (position, rule), alternative),
                Err(doubt) => Err(doubt),
            };
            return match taken {
                Ok(taken) => Outcome::Taken(Box::new(taken)),
                Err(doubt) => Outcome::Undecided(rule, doubt),
            };
        }
        Outcome::NoRule(host)
    }

    /// What becomes of a connection.
    #[must_use]
    pub fn connect(&self, connection: &Connection) -> Passage<'p> {
        let rules = match self.serve(&connection.entrance) {
            Ok(Served::Connections(rules)) => rules,
            Ok(Served::Http(_)) => return Passage::Http,
            Err(refusal) => return Passage::Refused(refusal),
        };
        let name = match &connection.entrance.security {
            Security::Plain => None,
            Security::Tls { server_name } => server_name.as_deref(),
        };
        let asks = |rule: &ConnectionRule| {
            rule.sni.is_empty() || rule.sni.iter().any(|one| takes(one.as_host(), name))
        };
        let mut rules = rules.iter();
        match rules.find(|rule| asks(rule) && condition::admits(&rule.matches, connection, self.callers())) {
            Some(rule) => Passage::Taken(rule),
            None => Passage::NoRule,
        }
    }

    fn serve(&self, entrance: &Entrance) -> Result<Served<'p>, Refusal> {
        let listener = self.listener(entrance).ok_or(Refusal::NoListener)?;
        let Security::Tls { server_name } = &entrance.security else {
            return match listener.plain.as_ref().ok_or(Refusal::Plain)? {
                Plain::Http(server) => Ok(Served::Http(server)),
                Plain::Tcp(rules) => Ok(Served::Connections(rules)),
            };
        };
        match &server(listener, server_name.as_deref()).ok_or(Refusal::ServerName)?.kind {
            TlsKind::Http(_, server) => Ok(Served::Http(server)),
            TlsKind::Tcp(_, rules) | TlsKind::Passthrough(rules) => Ok(Served::Connections(rules)),
        }
    }

    fn listener(&self, entrance: &Entrance) -> Option<&'p Listener> {
        let on_port = || self.proxy.listeners.iter().filter(|one| one.port == entrance.port);
        let bound = on_port().find(|one| one.bind == entrance.address);
        let any_address = |one: &&Listener| one.bind.is_none() || entrance.address.is_none();
        bound.or_else(|| on_port().find(any_address))
    }

    /// The namespace of the callers of an outbound proxy that is made for one.
    fn callers(&self) -> Option<&'p str> {
        match self.proxy.role {
            Role::Outbound => self.proxy.namespace.as_deref(),
            Role::Gateway(_) => None,
        }
    }
}

/// The server of a listener for what TLS asks for.
#[must_use]
pub fn server<'p>(listener: &'p Listener, name: Option<&str>) -> Option<&'p TlsServer> {
    listener.tls.find(name).map(|(_, server)| server)
}

/// Whether a name takes what is asked for; `*` also what asks for nothing.
fn takes(name: &HostPattern, asked: Option<&str>) -> bool {
    asked.map_or(name.is_any(), |asked| name.takes(asked))
}

fn taken<'p>(
    asked: &Asked<'p, '_>,
    host: &'p VirtualHost,
    (position, rule): (usize, &'p Rule),
    alternative: Option<usize>,
) -> Result<Taken<'p>, Doubt<'p>> {
    let held = alternative.and_then(|at| rule.matches.get(at));
    let on_the_way_back = || header_changes(rule.options.response_headers.as_deref(), None);
    let answer = match &rule.action {
        RuleAction::Forward(to) => forwarded(asked, rule, to, held)?,
        RuleAction::Redirect(redirect) => Answer::Redirected {
            status: redirect.code.value.get(),
            location: redirect::location(asked, redirect, held),
            headers: on_the_way_back(),
        },
        RuleAction::Respond(respond) => Answer::Responded {
            status: respond.status.value.get(),
            body: respond.body.as_ref().map(|body| body.value.as_str()),
            headers: on_the_way_back(),
        },
    };
    Ok(Taken { host, rule, position, alternative, answer })
}

fn forwarded<'p>(
    asked: &Asked<'p, '_>,
    rule: &'p Rule,
    to: &'p [WeightedUpstream],
    held: Option<&Match>,
) -> Result<Answer<'p>, Doubt<'p>> {
    let options = &*rule.options;
    let path = rewrite::path(asked, &options.rewrite, held)?;
    let delivery = |to: &'p WeightedUpstream| {
        let own = |side: fn(
            &'p crate::model::DestinationHeaders,
        ) -> Option<&'p crate::policy::HeaderOperations>| {
            to.headers.as_deref().and_then(side)
        };
        let (request, response) = (own(|own| own.request.as_deref()), own(|own| own.response.as_deref()));
        let of_route = options.request_headers.as_deref();
        let authority = rewrite::host(&options.rewrite).or_else(|| authority_set(&[of_route, request]));
        Delivery {
            to,
            authority: authority.unwrap_or(&asked.authority.text).to_owned(),
            request_headers: header_changes(of_route, request),
            response_headers: header_changes(options.response_headers.as_deref(), response),
        }
    };
    Ok(Answer::Forwarded {
        target: target::with_query(&path, asked.target.query.as_deref()),
        deliveries: to.iter().map(delivery).collect(),
    })
}
