//! What a plan asks of a data plane, use by use, with its place.

use crate::capability::Feature;
use meshc_compiler::Model;
use meshc_compiler::model::{
    DestinationId, Gateway, HeaderTest, Id, Match, Mesh, PathMatch, PathTest, Resource, Respond, ServerTls,
    ServerTlsBody, ServerTlsMode,
};
use meshc_compiler::policy::{
    Abort, Balancing, ClientTls, ClientTlsBody, ClientTlsMode, Fault, HashKey, HeaderOperations,
    HeaderOperationsBody, HeaderSetting, Injection, Method, Pool, PoolBody, Retry, RetryChoice, RetryPolicy,
    Rewrite, RewriteKind, SharedRouteOptions, SimpleBalancing, TextMatch, TrafficPolicy, Upgrade,
};
use meshc_compiler::routing::{
    Addresses, ConnectionRule, HttpServer, Listener, Plain, Proxy, Role, Rule, RuleAction, TlsKind,
    TlsServer, Upstream, VirtualHost, WeightedUpstream,
};
use meshc_compiler::values::{Pattern, Protocol, RetryCondition, RetryName, SecretName};
use meshc_language::{Span, Spanned};

/// One use of a feature.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) feature: Feature,
    pub(super) span: Span,
    /// What uses it, as messages name it.
    pub(super) what: String,
    /// Whether its loss would let callers in or make traffic readable.
    pub(super) guards: bool,
}

/// A secret that a plan needs.
pub(crate) struct Secret<'m> {
    pub(crate) name: &'m Spanned<SecretName>,
}

/// Everything that the proxies ask of a data plane, in the order of the plan.
pub(super) fn uses(model: &Model, proxies: &[Proxy<'_>]) -> Vec<Use> {
    let mut walk = Walk { model, uses: Vec::new(), guards: false };
    for raw in &model.raw {
        walk.add(
            Feature::RawConfiguration,
            raw.declared.span,
            "raw configuration, which is in the words of Istio",
        );
    }
    for proxy in proxies {
        walk.proxy(proxy);
    }
    walk.uses
}

/// Every secret that listeners and upstreams name.
pub(crate) fn secrets<'m>(model: &'m Model, proxies: &[Proxy<'m>]) -> impl Iterator<Item = Secret<'m>> {
    let mut found: Vec<&'m Spanned<SecretName>> = Vec::new();
    for proxy in proxies {
        for server in proxy.listeners.iter().flat_map(|listener| &listener.tls) {
            if let TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) = &server.kind {
                let body = &tls.body;
                found.extend(&body.credential);
                found.extend(body.credentials.iter().flat_map(|list| list.iter()));
                found.extend(&body.ca_credential);
            }
        }
        for upstream in proxy.upstreams.as_slice() {
            found.extend(declared_tls(&model.mesh, upstream).and_then(|tls| tls.body.credential.as_ref()));
        }
    }
    found.into_iter().map(|name| Secret { name })
}

/// The `tls` of an upstream, where it stands in the model.
fn declared_tls<'m>(mesh: &'m Mesh, upstream: &Upstream<'m>) -> Option<&'m ClientTls> {
    let wanted = upstream.policy.tls.as_ref()?;
    let (subsets, traffic) = match upstream.target {
        DestinationId::Service(id) => {
            let body = &mesh.services.get(id)?.declared.body;
            (&body.subsets, &body.traffic)
        }
        DestinationId::External(id) => {
            let body = &mesh.externals.get(id)?.declared.body;
            (&body.subsets, &body.traffic)
        }
    };
    let subset = subsets.iter().filter(|one| Some(one.name.value.as_str()) == upstream.subset.as_deref());
    let mut all = subset.map(|one| &one.body.traffic).chain([&upstream.port.traffic, traffic]);
    all.find_map(|traffic| traffic.tls.as_deref().filter(|tls| tls.span == wanted.span))
}

struct Walk<'m> {
    model: &'m Model,
    uses: Vec<Use>,
    /// Whether the rule at hand keeps callers out.
    guards: bool,
}

impl Walk<'_> {
    fn add(&mut self, feature: Feature, span: Span, what: impl Into<String>) {
        let guards = self.guards || feature.guards();
        self.uses.push(Use { feature, span, what: what.into(), guards });
    }

    fn proxy(&mut self, proxy: &Proxy<'_>) {
        let Proxy { role, name: _, namespace, listeners, upstreams, span: _ } = proxy;
        for listener in listeners {
            self.listener(listener);
        }
        for upstream in upstreams.as_slice() {
            self.upstream(upstream);
        }
        match role {
            Role::Outbound => self.hidden(namespace.is_some()),
            Role::Gateway(id) => {
                self.egress(*id);
                self.http2_listeners(*id);
            }
        }
    }

    fn http2_listeners(&mut self, gateway: Id<Resource<Gateway>>) {
        let gateway = self.model.mesh.gateways.get(gateway);
        let listeners = gateway.into_iter().flat_map(|gateway| &gateway.body.listeners);
        let plain = listeners.filter(|one| one.body.tls.is_none() && one.protocol.value.is_http2_family());
        let spans: Vec<Span> = plain.map(|one| one.protocol.span).collect();
        for span in spans {
            self.add(Feature::Http2Listener, span, "HTTP/2 without TLS");
        }
    }

    /// Who sees what.
    fn hidden(&mut self, matters: bool) {
        let hosts = self.model.hosts.as_slice().iter().filter_map(|host| host.body.visibility.as_ref());
        let spans: Vec<Span> = hosts.map(|visibility| visibility.span).collect();
        for span in spans.into_iter().filter(|_| matters) {
            self.add(Feature::Visibility, span, "`visible`");
        }
    }

    fn egress(&mut self, gateway: Id<Resource<Gateway>>) {
        let through =
            self.model.mesh.externals.as_slice().iter().filter(|external| external.egress == Some(gateway));
        let spans: Vec<Span> =
            through.filter_map(|external| external.body.via.as_ref().map(|via| via.span)).collect();
        for span in spans {
            self.add(Feature::EgressGateway, span, "`via` of an external");
        }
    }

    fn listener(&mut self, listener: &Listener<'_>) {
        let Listener { bind: _, port: _, plain, tls, conflicts: _ } = listener;
        match plain {
            Some(Plain::Http(server)) => self.http(server),
            Some(Plain::Tcp(rules)) => {
                if let Some(first) = rules.first() {
                    self.add(Feature::TcpListener, first.span, "a port for any connection");
                }
                rules.iter().for_each(|rule| self.connection(rule, Feature::TcpRoutes))
            }
            None => {}
        }
        let passes = |server: &&TlsServer<'_>| matches!(server.kind, TlsKind::Passthrough(_));
        let passing = tls.iter().find(passes);
        if let Some(passing) = passing.filter(|_| tls.iter().any(|server| !passes(&server))) {
            self.add(
                Feature::MixedTls,
                passing.span,
                "a listener whose TLS passes beside one whose TLS ends",
            );
        }
        for TlsServer { names: _, kind, span } in tls {
            match kind {
                TlsKind::Http(settings, server) => {
                    self.server_tls(settings);
                    self.http(server);
                }
                TlsKind::Tcp(settings, rules) => {
                    self.server_tls(settings);
                    rules.iter().for_each(|rule| self.connection(rule, Feature::TcpRoutes));
                }
                TlsKind::Passthrough(rules) => {
                    self.add(Feature::Passthrough, *span, "TLS that passes through");
                    rules.iter().for_each(|rule| self.connection(rule, Feature::TlsRoutes));
                }
            }
        }
    }

    fn server_tls(&mut self, tls: &ServerTls) {
        let ServerTls { mode, body, span: _, attributes: _ } = tls;
        let ServerTlsBody {
            credential: _,
            credentials: _,
            ca_credential: _,
            cert: _,
            key: _,
            ca: _,
            crl: _,
            certificates: _,
            names,
            spki,
            hash,
            min_version: _,
            max_version: _,
            ciphers: _,
            skip_verify: _,
        } = body;
        let feature = match mode.value {
            ServerTlsMode::Simple => Feature::SimpleTls,
            ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual => Feature::MutualTls,
            ServerTlsMode::Passthrough => Feature::Passthrough,
            ServerTlsMode::AutoPassthrough | ServerTlsMode::IstioMutual => Feature::MeshTls,
        };
        self.add(feature, mode.span, format!("`tls {}`", mode.value.word()));
        for (said, what) in [
            (names.as_ref().and_then(|list| list.first()).map(|one| one.span), "`names`"),
            (spki.as_ref().and_then(|list| list.first()).map(|one| one.span), "`spki`"),
            (hash.as_ref().and_then(|list| list.first()).map(|one| one.span), "`hash`"),
        ] {
            if let Some(span) = said {
                self.add(Feature::CallerIdentity, span, format!("{what} of callers' certificates"));
            }
        }
    }

    fn http(&mut self, server: &HttpServer<'_>) {
        let HttpServer { virtual_hosts } = server;
        for VirtualHost { domains: _, https_only, rules, span } in virtual_hosts {
            self.add(Feature::HttpListener, *span, "HTTP");
            if *https_only {
                self.add(Feature::RedirectToHttps, *span, "`redirect https`");
            }
            for rule in rules {
                self.rule(rule);
            }
        }
    }

    fn rule(&mut self, rule: &Rule<'_>) {
        let Rule { name: _, declared, matches, action, options, mirrors, span } = rule;
        let host = declared.and_then(|(host, _)| self.model.hosts.get(host));
        if host.is_some_and(|host| host.is_delegate()) {
            self.add(Feature::Delegation, *span, "a rule that another host delegates to");
        }
        self.guards = matches!(action, RuleAction::Respond(respond) if refuses(respond));
        for one in matches {
            self.condition(one, *span);
        }
        self.guards = false;
        match action {
            RuleAction::Forward(to) => self.destinations(to),
            RuleAction::Redirect(redirect) => self.add(Feature::Redirect, redirect.span, "`redirect`"),
            RuleAction::Respond(respond) => self.add(Feature::Respond, respond.status.span, "`respond`"),
        }
        self.options(options);
        for mirror in mirrors {
            self.add(Feature::Mirror, mirror.span, "`mirror`");
        }
    }

    fn destinations(&mut self, to: &[WeightedUpstream<'_>]) {
        if let [first, _, ..] = to {
            self.add(Feature::WeightedDestinations, first.span, "shares of several destinations");
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

    fn condition(&mut self, one: &Match, span: Span) {
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
            self.add(Feature::PathMatch, span, "a condition on the path");
            if let PathTest::Pattern(pattern) = test {
                self.pattern(pattern, span);
            }
        }
        if scheme.is_some() || !methods.is_empty() || authority.is_some() {
            self.add(Feature::MethodMatch, span, "a condition on method, scheme or authority");
        }
        for text in scheme.iter().chain(authority) {
            self.text(text, span);
        }
        for (name, test) in headers {
            let claims = name.claims().is_some();
            let feature = if claims { Feature::ClaimMatch } else { Feature::HeaderMatch };
            self.add(feature, span, format!("a condition on `{name}`"));
            self.header_test(test, span);
        }
        for (name, test) in without {
            let claims = name.claims().is_some();
            let feature = if claims { Feature::ClaimMatch } else { Feature::HeaderAbsent };
            self.add(feature, span, format!("a condition on the absence of `{name}`"));
            self.header_test(test, span);
        }
        for (name, test) in query {
            self.add(Feature::QueryMatch, span, format!("a condition on the query parameter `{name}`"));
            self.header_test(test, span);
        }
        if source_namespace.is_some() || !source_labels.is_empty() {
            self.add(Feature::SourceMatch, span, "a condition on the caller (`source`)");
        }
        if !destinations.is_empty() {
            self.add(Feature::DestinationMatch, span, "a condition on the address that was asked for");
        }
    }

    fn header_test(&mut self, test: &HeaderTest, span: Span) {
        match test {
            HeaderTest::Present => {}
            HeaderTest::Text(text) => self.text(text, span),
        }
    }

    fn text(&mut self, text: &TextMatch, span: Span) {
        match text {
            TextMatch::Exact(_) | TextMatch::Prefix(_) => {}
            TextMatch::Pattern(pattern) => self.pattern(pattern, span),
        }
    }

    fn pattern(&mut self, pattern: &Pattern, span: Span) {
        match pattern.portable() {
            Ok(()) => self.add(Feature::PatternMatch, span, "a regular expression"),
            Err(error) => {
                let what = format!("the regular expression `{}`: {}", pattern.as_str(), error.reason());
                self.add(Feature::AnyPattern, span, what);
            }
        }
    }

    fn options(&mut self, options: &SharedRouteOptions) {
        let SharedRouteOptions { timeout, retry, rewrite, fault, cors, request_headers, response_headers } =
            options;
        if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.limit.is_some()) {
            self.add(Feature::Timeout, timeout.span, "`timeout`");
        }
        if let Some(retry) = retry {
            self.retry(retry);
        }
        for Rewrite { kind, span } in rewrite {
            match kind {
                RewriteKind::Path(_) | RewriteKind::Prefix(_) | RewriteKind::Host(_) => {
                    self.add(Feature::RewritePath, *span, "`rewrite`");
                }
                RewriteKind::Matches { pattern, with: _ } => {
                    self.add(Feature::RewritePattern, *span, "`rewrite matches`");
                    self.pattern(&pattern.value, pattern.span);
                }
            }
        }
        for Fault { kind, share: _, span } in fault {
            match kind {
                Injection::Delay(_) => self.add(Feature::FaultDelay, *span, "`fault delay`"),
                Injection::Abort(Abort::Http(_)) => self.add(Feature::FaultAbort, *span, "`fault abort`"),
                Injection::Abort(Abort::Grpc(_)) => self.add(Feature::FaultGrpc, *span, "`fault abort grpc`"),
            }
        }
        if let Some(cors) = cors {
            self.add(Feature::Cors, cors.span, "`cors`");
            for origin in &cors.body.origins {
                self.text(&origin.test, origin.span);
            }
        }
        for operations in request_headers.iter().chain(response_headers) {
            self.add(Feature::HeaderOperations, operations.span, "header operations");
            self.header_variables(operations);
        }
    }

    fn header_variables(&mut self, operations: &HeaderOperations) {
        let HeaderOperations { body: HeaderOperationsBody { set, add, remove: _ }, span: _, attributes: _ } =
            operations;
        for HeaderSetting { name, value, span: _, attributes: _ } in set.iter().chain(add) {
            if value.value.as_str().replace("%%", "").contains('%') {
                self.add(
                    Feature::HeaderVariables,
                    value.span,
                    format!("a variable in the value of `{}`", name.value),
                );
            }
        }
    }

    fn retry(&mut self, retry: &Retry) {
        let Retry { choice, span } = retry;
        let RetryChoice::Policy(policy) = choice else { return };
        let RetryPolicy { attempts: _, per_try, on, backoff, remote_localities, previous_hosts: _ } =
            &**policy;
        self.add(Feature::Retries, *span, "`retry`");
        if per_try.is_some() || backoff.is_some() {
            self.add(Feature::RetryPerTry, *span, "`per-try` or `backoff` of a retry");
        }
        if remote_localities.is_some_and(|switch| switch.value.is_on()) {
            self.add(Feature::RetryLocalities, *span, "`remote-localities` of a retry");
        }
        for condition in on.iter().flat_map(|list| list.iter()) {
            match condition.value {
                RetryCondition::Status(status) => {
                    let known = matches!(status.get(), 403 | 404 | 429 | 500 | 502 | 503 | 504);
                    if !known {
                        self.add(Feature::RetryStatuses, *span, format!("a retry on the status {status}"));
                    }
                }
                RetryCondition::Named(name) => match name {
                    RetryName::ServerError
                    | RetryName::GatewayError
                    | RetryName::Reset
                    | RetryName::ResetBeforeRequest
                    | RetryName::ConnectFailure => {}
                    RetryName::Retriable4xx
                    | RetryName::RetriableStatusCodes
                    | RetryName::RetriableHeaders
                    | RetryName::EnvoyRatelimited => {
                        self.add(Feature::RetryStatuses, *span, format!("a retry on `{name}`"));
                    }
                    RetryName::RefusedStream
                    | RetryName::Http3PostConnectFailure
                    | RetryName::Cancelled
                    | RetryName::DeadlineExceeded
                    | RetryName::Internal
                    | RetryName::ResourceExhausted
                    | RetryName::Unavailable => {
                        self.add(Feature::RetryGrpc, *span, format!("a retry on `{name}`"));
                    }
                },
            }
        }
    }

    fn connection(&mut self, rule: &ConnectionRule<'_>, feature: Feature) {
        let ConnectionRule { name: _, sni: _, matches, to, span } = rule;
        self.add(feature, *span, "a route for connections");
        for one in matches {
            self.condition(one, *span);
        }
        self.destinations(to);
    }

    fn upstream(&mut self, upstream: &Upstream<'_>) {
        let Upstream { name: _, target, host: _, port, subset: _, policy, addresses, span } = upstream;
        if matches!(port.protocol.value, Protocol::Http2 | Protocol::Grpc) {
            self.add(Feature::Http2Destination, *span, "a destination that speaks HTTP/2");
        }
        self.policy(policy);
        match addresses {
            Addresses::Fixed(_) if matches!(target, DestinationId::External(_)) => {
                self.add(Feature::FixedExternal, *span, "an external at fixed addresses");
            }
            Addresses::Fixed(_) | Addresses::Unknown => {}
            Addresses::Dns { names: _, first_only: _ } => {
                self.add(Feature::DnsExternal, *span, "a destination that is found by DNS");
            }
            Addresses::Original => {
                self.add(Feature::OriginalExternal, *span, "an external without `resolve`");
            }
            Addresses::PerRequest => self.add(Feature::PerRequestExternal, *span, "`resolve dynamic-dns`"),
        }
    }

    fn policy(&mut self, policy: &TrafficPolicy) {
        let TrafficPolicy { balancing, pool, ejection, tls } = policy;
        if let Some(Balancing { method, span }) = balancing {
            match method {
                Method::Simple(SimpleBalancing::Passthrough) => {
                    self.add(Feature::PassthroughBalancing, *span, "`lb passthrough`");
                }
                Method::Simple(_) => self.add(Feature::SimpleBalancing, *span, "`lb`"),
                Method::Hash { key, algorithm: _ } => {
                    self.add(Feature::ConsistentHash, *span, "`lb hash`");
                    if matches!(key, HashKey::Cookie { .. }) {
                        self.add(
                            Feature::HashCookie,
                            *span,
                            "`lb hash cookie`, which is made where it is missing",
                        );
                    }
                }
            }
        }
        if let Some(pool) = pool {
            self.pool(pool);
        }
        if let Some(ejection) = ejection {
            self.add(Feature::Ejection, ejection.span, "`eject`");
        }
        if let Some(tls) = tls {
            self.client_tls(tls);
        }
    }

    fn pool(&mut self, pool: &Pool) {
        let Pool { body, span: _, attributes: _ } = pool;
        let PoolBody {
            connections,
            connect_timeout,
            lifetime,
            tcp_idle,
            keepalive,
            pending,
            requests,
            requests_per_connection,
            retries,
            idle,
            upgrade,
            client_protocol,
            streams,
        } = body;
        let limits = [
            (Feature::ConnectionPool, connections.map(|one| one.span), "`connections`"),
            (Feature::ConnectionPool, connect_timeout.map(|one| one.span), "`connect-timeout`"),
            (Feature::ConnectionLifetime, lifetime.map(|one| one.span), "`lifetime`"),
            (Feature::ConnectionLifetime, tcp_idle.map(|one| one.span), "`tcp-idle`"),
            (Feature::ConnectionLifetime, idle.map(|one| one.span), "`idle`"),
            (
                Feature::ConnectionLifetime,
                requests_per_connection.map(|one| one.span),
                "`requests-per-connection`",
            ),
            (Feature::Keepalive, keepalive.as_ref().map(|one| one.span), "`keepalive`"),
            (Feature::RequestLimits, pending.map(|one| one.span), "`pending`"),
            (Feature::RequestLimits, requests.map(|one| one.span), "`requests`"),
            (Feature::RequestLimits, retries.map(|one| one.span), "`retries`"),
            (Feature::RequestLimits, streams.map(|one| one.span), "`streams`"),
            (
                Feature::Http2Destination,
                upgrade.filter(|one| one.value == Upgrade::Always).map(|one| one.span),
                "`http2 always`",
            ),
            (
                Feature::Http2Destination,
                client_protocol.filter(|one| one.value.is_on()).map(|one| one.span),
                "`client-protocol`",
            ),
        ];
        for (feature, span, what) in limits {
            if let Some(span) = span {
                self.add(feature, span, format!("{what} of a pool"));
            }
        }
    }

    fn client_tls(&mut self, tls: &ClientTls) {
        let ClientTls { mode, body, span: _, attributes: _ } = tls;
        let ClientTlsBody { cert: _, key: _, ca: _, crl: _, credential: _, sni: _, names, skip_verify: _ } =
            body;
        match mode.value {
            ClientTlsMode::Disable => {}
            ClientTlsMode::Simple | ClientTlsMode::Mutual => {
                self.add(Feature::UpstreamTls, mode.span, format!("`tls {}`", mode.value.word()));
            }
            ClientTlsMode::IstioMutual => self.add(Feature::MeshTls, mode.span, "`tls istio-mutual`"),
        }
        let names = names.as_ref().map_or(&[][..], |names| names);
        let one_name = matches!(names, [only] if !only.value.as_str().contains("://"));
        if let Some(first) = names.first().filter(|_| !one_name) {
            self.add(Feature::UpstreamIdentity, first.span, "`names` of the destination's certificate");
        }
    }
}

/// Whether a response keeps the caller out.
fn refuses(respond: &Respond) -> bool {
    matches!(respond.status.value.get(), 401 | 403)
}
