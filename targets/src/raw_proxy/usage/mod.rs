//! What a plan asks of a data plane, use by use, with its place.

mod calling;
mod routing;

use crate::capability::Feature;
use meshc_compiler::Model;
use meshc_compiler::model::{
    Arena, DestinationId, Gateway, Id, Mesh, Resource, ServerTls, ServerTlsBody, ServerTlsMode,
};
use meshc_compiler::policy::ClientTls;
use meshc_compiler::routing::{
    ConnectionRule, HttpServer, Listener, Plain, Proxy, Role, TlsKind, TlsServer, Upstream, VirtualHost,
};
use meshc_compiler::values::SecretName;
use meshc_language::{Span, Spanned};

/// The upstreams of the proxy at hand.
type Upstreams<'m> = Arena<Upstream<'m>>;

/// One use of a feature.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) feature: Feature,
    pub(super) span: Span,
    /// What uses it, as messages name it.
    pub(super) what: String,
    /// Whether its loss would let callers in or make traffic readable.
    pub(super) guards: bool,
    /// The route, service or external that it belongs to, even where a policy brings it from elsewhere.
    pub(super) owner: Option<Span>,
    /// What is left out if its loss is accepted: an option, or a route for its condition; `None` for the statement that accepts
    /// it.
    pub(super) unit: Option<Span>,
}

/// A secret that a plan needs.
pub(crate) struct Secret<'m> {
    pub(crate) name: &'m Spanned<SecretName>,
}

/// Everything that the proxies ask of a data plane, in the order of the plan.
pub(super) fn uses(model: &Model, proxies: &[Proxy<'_>]) -> Vec<Use> {
    let mut walk = Walk { model, uses: Vec::new(), guards: false, owner: None, http2: false };
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
    /// The statement at hand.
    owner: Option<Span>,
    /// Whether the rule at hand leads to destinations that speak HTTP/2.
    http2: bool,
}

impl Walk<'_> {
    /// A use that goes with the statement around it.
    fn add(&mut self, feature: Feature, span: Span, what: impl Into<String>) {
        self.push(feature, span, None, what.into());
    }

    /// A use that is left out alone: an option, or a route for its condition.
    fn add_unit(&mut self, feature: Feature, span: Span, what: impl Into<String>) {
        self.push(feature, span, Some(span), what.into());
    }

    fn push(&mut self, feature: Feature, span: Span, unit: Option<Span>, what: String) {
        let guards = self.guards || feature.guards();
        self.uses.push(Use { feature, span, what, guards, owner: self.owner, unit });
    }

    fn proxy<'u>(&mut self, proxy: &Proxy<'u>) {
        let Proxy { role, name: _, namespace, listeners, upstreams, span: _ } = proxy;
        for listener in listeners {
            self.listener(listener, upstreams);
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

    fn listener<'u>(&mut self, listener: &Listener<'u>, upstreams: &Upstreams<'u>) {
        let Listener { bind: _, port: _, plain, tls, conflicts: _ } = listener;
        match plain {
            Some(Plain::Http(server)) => self.http(server, upstreams),
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
                    self.http(server, upstreams);
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

    fn http<'u>(&mut self, server: &HttpServer<'u>, upstreams: &Upstreams<'u>) {
        let HttpServer { virtual_hosts } = server;
        for VirtualHost { domains: _, https_only, rules, span } in virtual_hosts {
            self.add(Feature::HttpListener, *span, "HTTP");
            if *https_only {
                self.add(Feature::RedirectToHttps, *span, "`redirect https`");
            }
            for rule in rules {
                self.owner = Some(rule.span);
                self.rule(rule, upstreams);
                self.owner = None;
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
}
