//! What listeners ask: protocols, and TLS that ends or passes.

use super::{Upstreams, Walk};
use crate::capability::Feature;
use meshc_compiler::model::{Gateway, Id, Resource, ServerTls, ServerTlsBody, ServerTlsMode};
use meshc_compiler::routing::{ConnectionRule, HttpServer, Listener, Plain, TlsKind, TlsServer, VirtualHost};

impl Walk<'_> {
    /// What listeners ask by how they are declared, whatever the plan makes of them.
    pub(super) fn declared_listeners(&mut self, gateway: Id<Resource<Gateway>>) {
        let model = self.model;
        let gateway = model.mesh.gateways.get(gateway);
        for listener in gateway.into_iter().flat_map(|gateway| &gateway.body.listeners) {
            match listener.body.tls.as_deref() {
                None if listener.protocol.value.is_http2_family() => {
                    self.add(Feature::Http2Listener, listener.protocol.span, "HTTP/2 without TLS");
                }
                Some(tls) if tls.mode.value == ServerTlsMode::AutoPassthrough => {
                    self.add(Feature::AutoPassthrough, tls.mode.span, "`tls auto-passthrough`");
                }
                None | Some(_) => {}
            }
        }
    }

    pub(super) fn listener(&mut self, listener: &Listener, upstreams: &Upstreams) {
        let Listener { bind: _, all: _, port: _, plain, tls, conflicts: _ } = listener;
        match plain {
            Some(Plain::Http(server)) => self.http(server, upstreams),
            Some(Plain::Tcp(rules)) => {
                if let Some(first) = rules.first() {
                    self.add(Feature::TcpListener, first.span, "a TCP listener");
                }
                rules.iter().for_each(|rule| self.connection(rule, Feature::TcpRoutes))
            }
            None => {}
        }
        let passes = |server: &&TlsServer| matches!(server.kind, TlsKind::Passthrough(_));
        let passing = tls.iter().find(passes);
        if let Some(passing) = passing.filter(|_| tls.iter().any(|server| !passes(&server))) {
            self.add(Feature::MixedTls, passing.span, "TLS passthrough and termination on one port");
        }
        for TlsServer { names: _, kind, origin: _, span } in tls {
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
                    self.add(Feature::Passthrough, *span, "TLS passthrough");
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
            ServerTlsMode::AutoPassthrough => Feature::AutoPassthrough,
            ServerTlsMode::IstioMutual => Feature::MeshTls,
        };
        self.add(feature, mode.span, format!("`tls {}`", mode.value.word()));
        for (said, what) in [
            (names.as_ref().and_then(|list| list.first()).map(|one| one.span), "`names`"),
            (spki.as_ref().and_then(|list| list.first()).map(|one| one.span), "`spki`"),
            (hash.as_ref().and_then(|list| list.first()).map(|one| one.span), "`hash`"),
        ] {
            if let Some(span) = said {
                self.add(Feature::CallerIdentity, span, format!("{what} of client certificates"));
            }
        }
    }

    fn http(&mut self, server: &HttpServer, upstreams: &Upstreams) {
        let HttpServer { virtual_hosts } = server;
        for VirtualHost { domains: _, https_only, rules, origin: _, span } in virtual_hosts {
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

    fn connection(&mut self, rule: &ConnectionRule, feature: Feature) {
        let ConnectionRule { name: _, sni: _, matches, to, origin: _, span } = rule;
        self.add(feature, *span, "a TCP or TLS route");
        for one in matches {
            self.condition(one, *span);
        }
        self.destinations(to);
    }
}
