//! What rules for requests ask: conditions, actions, options.

use super::{Upstreams, Walk};
use crate::capability::Feature;
use meshc_compiler::model::{HeaderTest, Match, PathMatch, PathTest};
use meshc_compiler::policy::{
    Abort, Fault, HeaderOperations, HeaderOperationsBody, HeaderSetting, Injection, Rewrite, RewriteKind,
    SharedRouteOptions, TextMatch,
};
use meshc_compiler::routing::{Rule, RuleAction, WeightedUpstream};
use meshc_compiler::values::{MatchHeaderName, Pattern, Protocol};
use meshc_language::Span;

impl Walk<'_> {
    pub(super) fn rule(&mut self, rule: &Rule, upstreams: &Upstreams) {
        let Rule { name: _, declared, matches, action, options, mirrors, span } = rule;
        let host = declared.and_then(|(host, _)| self.model.hosts.get(host));
        if host.is_some_and(|host| host.is_delegate()) {
            self.add(Feature::Delegation, *span, "a delegated route");
        }
        self.guards = keeps_out(rule);
        for one in matches {
            self.condition(one, *span);
        }
        self.guards = false;
        match action {
            RuleAction::Forward(to) => {
                self.http2 = to
                    .iter()
                    .any(|one| upstreams.get(one.upstream).is_some_and(|upstream| upstream.speaks_http2()));
                self.destinations(to);
            }
            RuleAction::Redirect(redirect) => self.add(Feature::Redirect, redirect.span, "`redirect`"),
            RuleAction::Respond(respond) => self.add(Feature::Respond, respond.status.span, "`respond`"),
        }
        self.options(options);
        self.http2 = false;
        let calls_grpc = match action {
            RuleAction::Forward(to) => to.iter().any(|one| {
                upstreams.get(one.upstream).is_some_and(|upstream| upstream.protocol() == Protocol::Grpc)
            }),
            RuleAction::Redirect(_) | RuleAction::Respond(_) => false,
        };
        for mirror in mirrors {
            self.add_unit(Feature::Mirror, mirror.span, "`mirror`");
            if calls_grpc {
                self.add_unit(Feature::MirrorGrpc, mirror.span, "`mirror` of gRPC calls");
            }
        }
    }

    pub(super) fn destinations(&mut self, to: &[WeightedUpstream]) {
        if let [first, _, ..] = to {
            self.add(Feature::WeightedDestinations, first.span, "weighted routing");
        }
        for WeightedUpstream { upstream: _, weight: _, headers, span: _ } in to {
            let Some(headers) = headers else { continue };
            for operations in headers.request.iter().chain(headers.response.iter()) {
                self.add(
                    Feature::DestinationHeaders,
                    operations.span,
                    "header operations of one destination",
                );
                self.header_variables(operations);
            }
        }
    }

    pub(super) fn condition(&mut self, one: &Match, span: Span) {
        let Match {
            path,
            scheme,
            methods,
            authority,
            headers,
            without,
            query,
            ports: _,
            source_namespace,
            source_labels,
            bindings: _,
            sni: _,
            destinations,
        } = one;
        if let Some(PathMatch { test, ignore_case: _ }) = path {
            self.add_unit(Feature::PathMatch, span, "a condition on the path");
            if let PathTest::Pattern(pattern) = test {
                self.path_pattern(pattern, span, span);
            }
        }
        if scheme.is_some() || !methods.is_empty() || authority.is_some() {
            self.add_unit(Feature::MethodMatch, span, "a condition on method, scheme or authority");
        }
        for text in scheme.iter().chain(authority) {
            self.text(text, span, span);
        }
        for (name, test) in headers {
            let claims = name.claims().is_some();
            let feature = if claims { Feature::ClaimMatch } else { Feature::HeaderMatch };
            self.add_unit(feature, span, format!("a condition on `{name}`"));
            self.matched_header(name, span);
            self.header_test(test, span);
        }
        for (name, test) in without {
            let claims = name.claims().is_some();
            let feature = if claims { Feature::ClaimMatch } else { Feature::HeaderAbsent };
            self.add_unit(feature, span, format!("a condition that `{name}` is absent"));
            self.matched_header(name, span);
            self.header_test(test, span);
        }
        for (name, test) in query {
            self.add_unit(Feature::QueryMatch, span, format!("a condition on the query parameter `{name}`"));
            self.header_test(test, span);
        }
        if source_namespace.is_some() || !source_labels.is_empty() {
            self.add_unit(Feature::SourceMatch, span, "a `source` condition");
        }
        if !destinations.is_empty() {
            self.add_unit(Feature::DestinationMatch, span, "a `destination` condition");
        }
    }

    /// A header that requests do not have, or not as callers sent it, when their rule is looked for.
    fn matched_header(&mut self, name: &MatchHeaderName, span: Span) {
        let MatchHeaderName::Header(name) = name else { return };
        if name.as_str().contains('_') {
            self.add_unit(Feature::UnderscoreHeader, span, format!("a condition on `{name}`"));
        }
        if self.at_gateway && name.is_of_proxies() {
            self.add_unit(Feature::ProxyHeaderMatch, span, format!("a condition on `{name}`"));
        }
    }

    fn header_test(&mut self, test: &HeaderTest, span: Span) {
        match test {
            HeaderTest::Present => {}
            HeaderTest::Text(text) => self.text(text, span, span),
        }
    }

    fn text(&mut self, text: &TextMatch, span: Span, unit: Span) {
        match text {
            TextMatch::Exact(_) | TextMatch::Prefix(_) => {}
            TextMatch::Pattern(pattern) => self.pattern(pattern, span, unit),
        }
    }

    /// A path has characters beyond ASCII as escapes only, which some proxies decode before they compare.
    fn path_pattern(&mut self, pattern: &Pattern, span: Span, unit: Span) {
        if pattern.as_str().is_ascii() {
            self.pattern(pattern, span, unit);
        } else {
            let what = format!(
                "the regular expression `{}` with characters that never occur in a path",
                pattern.as_str()
            );
            self.push(Feature::UnicodePattern, span, Some(unit), what);
        }
    }

    fn pattern(&mut self, pattern: &Pattern, span: Span, unit: Span) {
        match pattern.portable() {
            Ok(()) => self.push(Feature::PatternMatch, span, Some(unit), "a regular expression".to_owned()),
            Err(error) => {
                let what = format!("the regular expression `{}`: {}", pattern.as_str(), error.reason());
                let feature =
                    if is_beyond_ascii(pattern) { Feature::UnicodePattern } else { Feature::AnyPattern };
                self.push(feature, span, Some(unit), what);
            }
        }
    }

    fn options(&mut self, options: &SharedRouteOptions) {
        let SharedRouteOptions { timeout, retry, rewrite, fault, cors, request_headers, response_headers } =
            options;
        if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.limit.is_some()) {
            self.add_unit(Feature::Timeout, timeout.span, "`timeout`");
        }
        if let Some(retry) = retry {
            self.retry(retry);
        }
        for Rewrite { kind, span } in rewrite {
            match kind {
                RewriteKind::Path(_) | RewriteKind::Prefix(_) | RewriteKind::Host(_) => {
                    self.add_unit(Feature::RewritePath, *span, "`rewrite`");
                }
                RewriteKind::Matches { pattern, with: _ } => {
                    self.add_unit(Feature::RewritePattern, *span, "`rewrite matches`");
                    self.path_pattern(&pattern.value, pattern.span, *span);
                }
            }
        }
        for one in fault {
            let Fault { kind, share: _, span } = one;
            self.guards = refuses(one);
            match kind {
                Injection::Delay(_) => self.add_unit(Feature::FaultDelay, *span, "`fault delay`"),
                Injection::Abort(Abort::Http(_)) => {
                    self.add_unit(Feature::FaultAbort, *span, "`fault abort`")
                }
                Injection::Abort(Abort::Grpc(_)) => {
                    self.add_unit(Feature::FaultGrpc, *span, "`fault abort grpc`")
                }
            }
        }
        self.guards = false;
        if let Some(cors) = cors {
            self.add_unit(Feature::Cors, cors.span, "`cors`");
            for origin in &cors.body.origins {
                self.text(&origin.test, origin.span, cors.span);
            }
            for name in cors.body.headers.iter().flatten().filter(|name| name.value.as_str().contains('_')) {
                let what = format!("header `{}` in `cors`,", name.value);
                self.push(Feature::UnderscoreHeader, name.span, Some(cors.span), what);
            }
        }
        for operations in request_headers.iter().chain(response_headers) {
            self.add_unit(Feature::HeaderOperations, operations.span, "header operations");
            self.header_variables(operations);
        }
    }

    fn header_variables(&mut self, operations: &HeaderOperations) {
        let HeaderOperations { body: HeaderOperationsBody { set, add, remove: _ }, span: _, attributes: _ } =
            operations;
        for HeaderSetting { name, value, span, attributes: _ } in set.iter().chain(add) {
            if value.value.as_str().replace("%%", "").contains('%') {
                let what = format!("a variable in the value of `{}`", name.value);
                self.push(Feature::HeaderVariables, value.span, Some(*span), what);
            }
            for read in value.value.headers_read().filter(|read| read.contains('_')) {
                let what = format!("the header `{read}` in the value of `{}`", name.value);
                self.push(Feature::UnderscoreHeader, value.span, Some(*span), what);
            }
            if value.value.as_str().is_empty() {
                let what = format!("`{}` without a value", name.value);
                self.push(Feature::EmptyHeaders, value.span, Some(*span), what);
            }
        }
    }
}

/// Whether an expression that engines read differently names characters beyond ASCII, of which some see single bytes.
fn is_beyond_ascii(pattern: &Pattern) -> bool {
    let text = pattern.as_str();
    !text.is_ascii() || ["\\p", "\\P", "\\x{"].iter().any(|class| text.contains(class))
}

/// Whether a rule keeps requests from where later rules would send them: it refuses them, or sends their callers elsewhere.
fn keeps_out(rule: &Rule) -> bool {
    match &rule.action {
        RuleAction::Forward(_) => rule.options.fault.iter().any(refuses),
        RuleAction::Redirect(_) => true,
        RuleAction::Respond(respond) => respond.status.value.get() >= 400,
    }
}

/// Whether a fault is no trial of what callers make of it, but lets nobody through.
fn refuses(fault: &Fault) -> bool {
    match fault.kind {
        Injection::Abort(_) => fault.share.value.ppm() == 1_000_000,
        Injection::Delay(_) => false,
    }
}
