//! Certificates of callers that a listener asks for, and another listener of the same port does not.
//!
//! Which listener asks is decided by the name that TLS asks for, which routes there are by the host of each request. A host
//! that both listeners serve is open to whoever asks the other one.

use super::nesting::Nesting;
use super::servers::{Served, Server};
use crate::checks::Context;
use crate::model::{Arena, Controller, Gateway, Id, Resource, ServerTls, ServerTlsMode};
use crate::routing::{RuleAction, TlsKind, Upstream, VirtualHost};
use crate::values::{HostMap, HostPattern, Protocol};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::net::IpAddr;

/// What a caller must show, from nothing to the most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Nothing,
    AnyCertificate,
    GoodCertificate,
}

impl Shown {
    fn asked_by(tls: &ServerTls) -> Self {
        let unseen = tls.body.skip_verify.is_some_and(|skip| skip.value.is_on());
        match tls.mode.value {
            ServerTlsMode::Mutual if unseen => Self::AnyCertificate,
            ServerTlsMode::Mutual | ServerTlsMode::IstioMutual => Self::GoodCertificate,
            ServerTlsMode::Simple
            | ServerTlsMode::OptionalMutual
            | ServerTlsMode::Passthrough
            | ServerTlsMode::AutoPassthrough => Self::Nothing,
        }
    }
}

/// A listener in whose TLS is HTTP.
#[derive(Clone, Copy)]
struct Asking<'s, 'm> {
    server: &'s Server<'m>,
    tls: &'m ServerTls,
    shown: Shown,
}

impl<'s, 'm> Asking<'s, 'm> {
    fn of(server: &'s Server<'m>) -> Option<Self> {
        // nginx answers 421 where the host is not the name that TLS asked for.
        let guarded = server.gateway.controller() == Controller::Nginx;
        let tls = server.listener?.body.tls.as_deref()?;
        (server.ends_tls && server.protocol == Protocol::Https && !guarded).then(|| Self {
            server,
            tls,
            shown: Shown::asked_by(tls),
        })
    }
}

/// A port and an address.
type Slot = (u16, Option<IpAddr>);

/// The listeners with a name, on a port and an address.
type Named<'s, 'm> = FxHashMap<(Slot, SmolStr), Nesting<'m, (Asking<'s, 'm>, &'s Served<'m>)>>;

/// A host for which one listener asks for a certificate is not served by another listener that asks for less.
pub(super) fn certificates_are_asked_for_everywhere(
    context: &Context<'_>,
    servers: &[Server<'_>],
    reports: &mut Vec<Diagnostic>,
) {
    let asking: Vec<Asking<'_, '_>> = servers.iter().filter_map(Asking::of).collect();
    let mut named = Named::default();
    for one in &asking {
        for host in &one.server.hosts {
            let servers = named.entry((one.server.slot, SmolStr::new(host.host.as_str()))).or_default();
            servers.add(&one.server.workloads, (*one, host));
        }
    }
    let mut plans = Behind { context, domains: FxHashMap::default() };
    for strict in asking.iter().filter(|one| one.shown > Shown::Nothing) {
        let mut reported: Vec<*const Server<'_>> = Vec::new();
        for host in &strict.server.hosts {
            for (lax, wider) in wider(&named, strict, host.host) {
                if lax.shown >= strict.shown || reported.contains(&std::ptr::from_ref(lax.server)) {
                    continue;
                }
                if let Some(open) = plans.served_by_both(&named, (strict, host.host), lax) {
                    reported.push(lax.server);
                    reports.push(bypassed(strict, (lax, wider), &open));
                }
            }
        }
    }
}

/// The wildcards that take in a name, from the narrowest on.
fn wildcards_around(name: &str) -> impl Iterator<Item = SmolStr> + '_ {
    let own = name.strip_prefix("*.").unwrap_or(name);
    let behind = own.match_indices('.').map(move |(at, _)| own.get(at..).unwrap_or_default());
    // A wildcard takes in what is below its own domain, not itself.
    let wildcards = behind.map(|rest| SmolStr::new(format!("*{rest}")));
    wildcards.chain(std::iter::once(SmolStr::new_static("*"))).filter(move |one| one != name)
}

/// The listeners on the port of `strict` that serve a wider name.
fn wider<'n, 's, 'm>(
    named: &'n Named<'s, 'm>,
    strict: &Asking<'s, 'm>,
    name: &HostPattern,
) -> Vec<(Asking<'s, 'm>, &'n Served<'m>)> {
    let slot = strict.server.slot;
    let around = wildcards_around(name.as_str());
    let servers = around.filter_map(|wildcard| named.get(&(slot, wildcard)));
    let all = servers.flat_map(|servers| servers.nested(&strict.server.workloads));
    let elsewhere = |one: &&(Asking<'s, 'm>, &Served<'m>)| !std::ptr::eq(one.0.server, strict.server);
    all.filter(elsewhere).map(|(one, host)| (*one, *host)).collect()
}

/// The hosts that have routes, by the statement of the listener that they are behind, with what those routes are.
type Domains = FxHashMap<Span, HostMap<Reached>>;

/// What is reached by the routes of a host: the statements of the routes, and the hosts of destinations.
#[derive(Clone, Default)]
struct Reached {
    routes: FxHashSet<Span>,
    destinations: FxHashSet<SmolStr>,
}

impl Reached {
    fn of(host: &VirtualHost, upstreams: &Arena<Upstream>) -> Self {
        let mut reached = Self::default();
        for rule in &host.rules {
            reached.routes.insert(rule.span);
            let RuleAction::Forward(to) = &rule.action else { continue };
            let hosts = to.iter().filter_map(|one| upstreams.get(one.upstream)).map(|one| one.host.clone());
            reached.destinations.extend(hosts);
        }
        reached
    }

    fn meets(&self, other: &Self) -> bool {
        !self.routes.is_disjoint(&other.routes) || !self.destinations.is_disjoint(&other.destinations)
    }
}

/// What is behind the listeners of the gateways that were asked for.
struct Behind<'c, 'm> {
    context: &'c Context<'m>,
    domains: FxHashMap<Id<Resource<Gateway>>, Domains>,
}

impl<'m> Behind<'_, 'm> {
    /// The hosts that have routes behind the listeners of a gateway.
    fn domains(&mut self, server: &Server<'m>) -> &Domains {
        let (model, plans) = (self.context.model, self.context.plans);
        self.domains.entry(server.id).or_insert_with(|| {
            let mut domains = Domains::default();
            let proxy = plans.gateway(model, server.id);
            let Some(proxy) = proxy else { return domains };
            for server in proxy.listeners.iter().flat_map(|listener| &listener.tls) {
                let TlsKind::Http(_, http) = &server.kind else { continue };
                let known = domains.entry(server.span).or_default();
                for host in &http.virtual_hosts {
                    let reached = Reached::of(host, &proxy.upstreams);
                    host.domains.iter().for_each(|domain| known.add(domain.clone(), reached.clone()));
                }
            }
            domains
        })
    }

    /// A host that TLS leads to `strict` by its name, and of which something is reached behind `lax` as well.
    fn served_by_both(
        &mut self,
        named: &Named<'_, 'm>,
        (strict, name): (&Asking<'_, 'm>, &HostPattern),
        lax: Asking<'_, 'm>,
    ) -> Option<HostPattern> {
        let open: Vec<(HostPattern, Reached)> = self
            .domains(lax.server)
            .get(&lax.server.span)?
            .overlapping(name)
            .filter_map(|(domain, reached)| Some((narrower(domain, name)?.clone(), reached.clone())))
            .collect();
        let meant = self.domains(strict.server).get(&strict.server.span)?;
        open.iter()
            .flat_map(|(domain, reached)| {
                let same = meant.overlapping(domain).filter(|(_, own)| own.meets(reached));
                same.filter_map(move |(own, _)| narrower(domain, own))
            })
            .find(|host| leads_to(named, strict, name, host))
            .cloned()
    }
}

/// What both names take in.
fn narrower<'h>(one: &'h HostPattern, other: &'h HostPattern) -> Option<&'h HostPattern> {
    if other.covers(one) {
        return Some(one);
    }
    one.covers(other).then_some(other)
}

/// Whether no other listener has a more specific name for a host than this one.
fn leads_to<'m>(
    named: &Named<'_, 'm>,
    strict: &Asking<'_, 'm>,
    name: &HostPattern,
    host: &HostPattern,
) -> bool {
    let slot = strict.server.slot;
    let mut around = std::iter::once(SmolStr::new(host.as_str())).chain(wildcards_around(host.as_str()));
    let first = around.find(|one| {
        named
            .get(&(slot, one.clone()))
            .is_some_and(|servers| servers.find(&strict.server.workloads, |_| true).is_some())
    });
    first.is_some_and(|first| first == name.as_str())
}

fn bypassed(
    strict: &Asking<'_, '_>,
    (lax, wider): (Asking<'_, '_>, &Served<'_>),
    open: &HostPattern,
) -> Diagnostic {
    let who = match lax.shown {
        Shown::Nothing => "clients without a certificate",
        Shown::AnyCertificate | Shown::GoodCertificate => "clients with an unverified certificate",
    };
    let asked = match strict.shown {
        Shown::Nothing | Shown::AnyCertificate => "its own listener asks for a client certificate",
        Shown::GoodCertificate => "its own listener asks for a client certificate and verifies it",
    };
    Diagnostic::new(Code::CERTIFICATE_BYPASSED, wider.span, format!("{who} reach `{open}` through `{}`", wider.host))
        .related(strict.tls.mode.span, asked)
        .related(lax.tls.mode.span, "this one asks for less")
        .consequence(format!(
            "Istio and Envoy choose routes by the host of a request: a client that sends another server name (SNI) \
             of `{}` can then request `{open}`",
            wider.host
        ))
        .help(format!(
            "require client certificates here too, list names here that do not include `{open}`, or use a separate port"
        ))
}
