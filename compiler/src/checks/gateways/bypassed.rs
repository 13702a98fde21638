//! Certificates of callers that a listener asks for, and another listener of the same port does not.
//!
//! Which listener asks is decided by the name that TLS asks for, which routes there are by the host of each request. A host
//! that both listeners serve is open to whoever asks the other one.

use super::servers::{Served, Server};
use crate::checks::Context;
use crate::model::{Controller, Gateway, Id, Resource, ServerTls, ServerTlsMode};
use crate::routing::{HttpServer, Proxy, TlsKind, gateway_proxy};
use crate::values::{HostPattern, IpAddress, Protocol};
use meshc_language::{Code, Diagnostic};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

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
type Slot = (u16, Option<IpAddress>);

/// The listeners with a name, on a port and an address.
type Named<'s, 'm> = FxHashMap<(Slot, SmolStr), Vec<(Asking<'s, 'm>, &'s Served<'m>)>>;

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
            named.entry((one.server.slot, SmolStr::new(host.host.as_str()))).or_default().push((*one, host));
        }
    }
    let mut plans = Plans { context, proxies: FxHashMap::default() };
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
    let all = around.filter_map(|wildcard| named.get(&(slot, wildcard))).flatten();
    let elsewhere = |one: &&(Asking<'s, 'm>, &Served<'m>)| {
        !std::ptr::eq(one.0.server, strict.server) && one.0.server.workloads.nest(&strict.server.workloads)
    };
    all.filter(elsewhere).map(|(one, host)| (*one, *host)).collect()
}

/// The plans of gateways that were needed.
struct Plans<'c, 'm> {
    context: &'c Context<'m>,
    proxies: FxHashMap<usize, Proxy>,
}

impl<'m> Plans<'_, 'm> {
    /// The hosts that have routes behind a listener.
    fn domains(&mut self, one: &Asking<'_, 'm>) -> Vec<HostPattern> {
        let model = self.context.model;
        let gateways = model.mesh.gateways.iter();
        let of_server = |(_, gateway): &(Id<Resource<Gateway>>, &Resource<Gateway>)| {
            std::ptr::eq(*gateway, one.server.gateway)
        };
        let Some((id, gateway)) = gateways.into_iter().find(of_server) else { return Vec::new() };
        let proxy = self.proxies.entry(id.index()).or_insert_with(|| gateway_proxy(model, id, gateway));
        let servers = proxy.listeners.iter().flat_map(|listener| &listener.tls);
        let http =
            servers.filter(|server| server.span == one.server.span).filter_map(|server| match &server.kind {
                TlsKind::Http(_, HttpServer { virtual_hosts }) => Some(virtual_hosts),
                TlsKind::Tcp(..) | TlsKind::Passthrough(_) => None,
            });
        http.flatten().flat_map(|host| &host.domains).cloned().collect()
    }

    /// A host that TLS leads to `strict` by its name, and that has routes behind `lax` as well.
    fn served_by_both(
        &mut self,
        named: &Named<'_, 'm>,
        (strict, name): (&Asking<'_, 'm>, &HostPattern),
        lax: Asking<'_, 'm>,
    ) -> Option<HostPattern> {
        let meant: Vec<HostPattern> = self.domains(strict);
        let open = self.domains(&lax);
        let within_name = open.iter().filter_map(|domain| narrower(domain, name));
        within_name
            .flat_map(|domain| meant.iter().filter_map(move |own| narrower(domain, own)))
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
fn leads_to(named: &Named<'_, '_>, strict: &Asking<'_, '_>, name: &HostPattern, host: &HostPattern) -> bool {
    let slot = strict.server.slot;
    let here = |(one, _): &(Asking<'_, '_>, &Served<'_>)| one.server.workloads.nest(&strict.server.workloads);
    let mut around = std::iter::once(SmolStr::new(host.as_str())).chain(wildcards_around(host.as_str()));
    let first =
        around.find(|one| named.get(&(slot, one.clone())).is_some_and(|servers| servers.iter().any(here)));
    first.is_some_and(|first| first == name.as_str())
}

fn bypassed(
    strict: &Asking<'_, '_>,
    (lax, wider): (Asking<'_, '_>, &Served<'_>),
    open: &HostPattern,
) -> Diagnostic {
    let who = match lax.shown {
        Shown::Nothing => "callers without a certificate",
        Shown::AnyCertificate | Shown::GoodCertificate => "callers with a certificate of anybody",
    };
    let asked = match strict.shown {
        Shown::Nothing | Shown::AnyCertificate => "its own listener asks for a certificate",
        Shown::GoodCertificate => "its own listener asks for a certificate, and verifies it",
    };
    Diagnostic::new(Code::CERTIFICATE_BYPASSED, wider.span, format!("{who} reach `{open}` through `{}`", wider.host))
        .related(strict.tls.mode.span, asked)
        .related(lax.tls.mode.span, "this one asks for less")
        .consequence(format!(
            "Istio and Envoy choose routes by the host of a request: who asks TLS for another name of `{}` can then \
             request `{open}`",
            wider.host
        ))
        .help(format!(
            "ask for certificates here too, list names here that do not take in `{open}`, or give it a port of its own"
        ))
}
