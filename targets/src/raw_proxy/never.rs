//! Conditions that can never hold on a raw proxy. What can hold nowhere at all, the checks have reported.

use meshc_compiler::Model;
use meshc_compiler::model::{Controller, Match};
use meshc_compiler::routing::never::{
    Never, Reading, foreign_authority, method_refused_by_envoy, never, other_scheme,
};
use meshc_compiler::routing::{HttpServer, Listener, Plain, Proxy, Rule, TlsKind, VirtualHost};
use meshc_language::{Code, Diagnostic, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Comparisons of rules that hold in none of the places where the rule stands.
pub(super) fn reports(model: &Model, controller: Controller, proxies: &[Arc<Proxy>]) -> Vec<Diagnostic> {
    let mut walk = Walk { model, controller, reports: Vec::new(), by_place: FxHashMap::default() };
    for listener in proxies.iter().flat_map(|proxy| &proxy.listeners) {
        walk.listener(listener);
    }
    let Walk { model: _, controller: _, mut reports, by_place } = walk;
    let mut everywhere: Vec<Diagnostic> = by_place.into_values().flatten().collect();
    everywhere.sort_by(|left, right| left.order().cmp(&right.order()));
    reports.extend(everywhere);
    reports
}

struct Walk<'m> {
    model: &'m Model,
    controller: Controller,
    reports: Vec<Diagnostic>,
    /// For a rule and what it asks of scheme and authority: the report, if that holds in no place so far.
    by_place: FxHashMap<(Span, String), Option<Diagnostic>>,
}

impl Walk<'_> {
    fn listener(&mut self, listener: &Listener) {
        match &listener.plain {
            Some(Plain::Http(server)) => self.server(server, "http"),
            Some(Plain::Tcp(_)) | None => {}
        }
        for tls in &listener.tls {
            match &tls.kind {
                TlsKind::Http(_, server) => self.server(server, "https"),
                TlsKind::Tcp(..) | TlsKind::Passthrough(_) => {}
            }
        }
    }

    fn server(&mut self, HttpServer { virtual_hosts }: &HttpServer, scheme: &str) {
        for host in virtual_hosts.iter().filter(|host| !host.https_only) {
            for rule in &host.rules {
                for one in &rule.matches {
                    self.alternative(one, rule, host, scheme);
                }
            }
        }
    }

    fn alternative(&mut self, one: &Match, rule: &Rule, host: &VirtualHost, scheme: &str) {
        if let Some(never) = never(one, Reading::Raw).filter(|_| never(one, Reading::Istio).is_none()) {
            let report = self.report(never, rule);
            self.reports.push(report);
        }
        if self.controller == Controller::Envoy {
            self.reports.extend(refused_method(self.controller, one, self.place(rule)));
        }
        if one.scheme.is_none() && one.authority.is_none() || self.is_checked(rule) {
            return;
        }
        let never = other_scheme(one, scheme).or_else(|| foreign_authority(one, host.domains.iter()));
        let report = never.map(|never| self.report(never, rule));
        let asked = format!("{:?} {:?}", one.scheme, one.authority);
        let entry = self.by_place.entry((rule.span, asked)).or_insert_with(|| report.clone());
        if report.is_none() {
            *entry = None;
        }
    }

    /// Whether the checks have looked at scheme and authority of a rule: at gateways they know all places of its host.
    fn is_checked(&self, rule: &Rule) -> bool {
        let host = rule.declared.and_then(|(host, _)| self.model.hosts.get(host));
        host.is_some_and(|host| !host.in_mesh() && !host.is_delegate())
    }

    fn report(&self, never: Never, rule: &Rule) -> Diagnostic {
        here(self.controller, never, self.place(rule))
            .consequence("the route, or this alternative of it, would get no requests on this target")
    }

    /// The condition of a rule.
    fn place(&self, rule: &Rule) -> Span {
        let route = rule.declared.and_then(|(host, at)| self.model.hosts.get(host)?.routes.get(at));
        route.and_then(|route| route.condition).unwrap_or(rule.span)
    }
}

fn here(target: Controller, Never { message, why, help }: Never, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NEVER_TRUE_HERE, span, format!("{target}: {message}")).label(why).help(help)
}

/// A method that Envoy does not read, as a raw proxy and under Istio.
pub(crate) fn refused_method(target: Controller, one: &Match, span: Span) -> Option<Diagnostic> {
    let report = here(target, method_refused_by_envoy(one)?, span);
    Some(report.consequence("the route, or this alternative of it, would get requests of HTTP/2 only"))
}
