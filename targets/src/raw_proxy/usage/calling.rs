//! What upstreams ask: addresses, and how they are called.

use super::Walk;
use crate::capability::Feature;
use meshc_compiler::model::DestinationId;
use meshc_compiler::policy::{
    Balancing, ClientTls, ClientTlsBody, ClientTlsMode, HashKey, Method, Pool, PoolBody, SimpleBalancing,
    TrafficPolicy, Upgrade,
};
use meshc_compiler::routing::{Addresses, Upstream};
use meshc_compiler::values::{Protocol, SubjectAltName};
use meshc_language::Spanned;

impl Walk<'_> {
    pub(super) fn upstream(&mut self, upstream: &Upstream) {
        // What gateways take of what is sent on to them is judged where it is known who builds them.
        let Upstream {
            name: _,
            target,
            host,
            port: _,
            subset: _,
            policy,
            identities,
            addresses,
            sent_on: _,
            span,
        } = upstream;
        if upstream.speaks_http2() {
            self.add(Feature::Http2Destination, *span, "a destination that speaks HTTP/2");
        }
        if upstream.protocol() == Protocol::GrpcWeb {
            self.add(Feature::GrpcWeb, *span, "a destination that speaks gRPC-web");
        }
        self.owner = self.model.mesh.declaration(*target);
        self.policy(policy);
        self.identities(policy, host, identities);
        self.owner = None;
        match addresses {
            Addresses::Fixed(_) if matches!(target, DestinationId::External(_)) => {
                self.add(Feature::FixedExternal, *span, "an external at fixed addresses");
            }
            Addresses::Fixed(_) | Addresses::Unknown => {}
            Addresses::Dns { names: _, first_only: _ } => {
                self.add(Feature::DnsExternal, *span, "a destination resolved by DNS");
            }
            Addresses::Original => {
                self.add(Feature::OriginalExternal, *span, "an external without `resolve`");
            }
            Addresses::PerRequest => self.add(Feature::PerRequestExternal, *span, "`resolve dynamic-dns`"),
        }
    }

    /// What the external's certificate must say beside the name that is asked for.
    fn identities(&mut self, policy: &TrafficPolicy, host: &str, identities: &[Spanned<SubjectAltName>]) {
        let Some(tls) = policy.tls.as_deref().filter(|tls| tls.verifies_itself()) else { return };
        let says_names = tls.body.names.as_ref().is_some_and(|names| !names.is_empty());
        let asked = tls.body.sni.as_ref().map_or(host, |sni| sni.value.as_str());
        let is_asked = matches!(identities, [only] if only.value.as_str() == asked);
        if let Some(first) = identities.first().filter(|_| !says_names && !is_asked) {
            self.add(
                Feature::UpstreamIdentity,
                first.span,
                "a name of an external other than the server name (SNI)",
            );
        }
    }

    fn policy(&mut self, policy: &TrafficPolicy) {
        let TrafficPolicy { balancing, pool, ejection, tls } = policy;
        if let Some(Balancing { method, span }) = balancing {
            match method {
                Method::Simple(SimpleBalancing::Passthrough) => {
                    self.add_unit(Feature::PassthroughBalancing, *span, "`lb passthrough`");
                }
                Method::Simple(_) => self.add_unit(Feature::SimpleBalancing, *span, "`lb`"),
                Method::Hash { key, algorithm: _ } => {
                    self.add_unit(Feature::ConsistentHash, *span, "`lb hash`");
                    if let HashKey::Header(name) = key
                        && name.value.as_str().contains('_')
                    {
                        let what = format!("a hash of `{}`", name.value);
                        self.push(Feature::UnderscoreHeader, name.span, Some(*span), what);
                    }
                    if matches!(key, HashKey::Cookie { .. }) {
                        self.add_unit(Feature::HashCookie, *span, "`lb hash cookie` with a generated cookie");
                    }
                }
            }
        }
        if let Some(pool) = pool {
            self.pool(pool);
        }
        if let Some(ejection) = ejection {
            self.add_unit(Feature::Ejection, ejection.span, "`eject`");
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
                self.add_unit(feature, span, format!("{what} of a pool"));
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
