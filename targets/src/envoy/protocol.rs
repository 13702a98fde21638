//! What is spoken to an upstream, and for how long.

use super::api;
use super::edge;
use super::tls::UpstreamTls;
use meshc_compiler::policy::{Pool, PoolBody, Upgrade};
use meshc_compiler::routing::Upstream;
use meshc_compiler::values::{DurationOrZero, PositiveCount};
use meshc_language::Spanned;
use smol_str::SmolStr;

/// The HTTP that is spoken to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
    /// What the caller speaks.
    AsCaller,
}

impl Spoken {
    pub(super) fn of(upstream: &Upstream) -> Self {
        let pool = upstream.policy.pool.as_deref().map(|pool| &pool.body);
        let as_caller = pool.and_then(|pool| pool.client_protocol).is_some_and(|switch| switch.value.is_on());
        let upgrade = pool.and_then(|pool| pool.upgrade).map(|upgrade| upgrade.value);
        if as_caller {
            Self::AsCaller
        } else if upstream.protocol().is_http2_family() || upgrade == Some(Upgrade::Always) {
            Self::Http2
        } else {
            Self::Http1
        }
    }
}

/// The options of HTTP to an upstream that a gateway calls (`is_at_edge`), or another proxy; `None` where Envoy's defaults are what is meant.
pub(super) fn options(
    upstream: &Upstream,
    tls: Option<&UpstreamTls>,
    is_at_edge: bool,
) -> Option<api::HttpProtocolOptions> {
    let (common, streams) = upstream.policy.pool.as_deref().map(limits).unwrap_or_default();
    let spoken = Spoken::of(upstream);
    let http = tls
        .map(|tls| api::UpstreamHttpOptions { auto_sni: tls.auto_sni, auto_san_validation: tls.auto_names });
    if spoken == Spoken::Http1 && common.is_none() && http.is_none() {
        return None;
    }
    let http1 = Some(api::Empty {});
    // Istio does not limit streams where the caller chooses the protocol; a check says so.
    let streams = streams.filter(|_| spoken == Spoken::Http2);
    let http2 = Some(match is_at_edge {
        true => edge::http2(streams),
        false => api::Http2Options { max_concurrent_streams: streams, ..api::Http2Options::default() },
    });
    let chosen = |http_protocol_options, http2_protocol_options| {
        Some(api::ChosenHttpProtocol { http_protocol_options, http2_protocol_options })
    };
    Some(api::HttpProtocolOptions {
        common_http_protocol_options: common,
        upstream_http_protocol_options: http,
        explicit_http_config: match spoken {
            Spoken::Http1 => chosen(http1.clone(), None),
            Spoken::Http2 => chosen(None, http2.clone()),
            Spoken::AsCaller => None,
        },
        use_downstream_protocol_config: match spoken {
            Spoken::Http1 | Spoken::Http2 => None,
            Spoken::AsCaller => chosen(http1, http2),
        },
    })
}

type Limits = (Option<api::UpstreamCommonOptions>, Option<u32>);

/// How long connections for requests live, and how many streams they take.
fn limits(pool: &Pool) -> Limits {
    let Pool { body, span: _, attributes: _ } = pool;
    let PoolBody {
        // Of the cluster.
        connections: _,
        connect_timeout: _,
        keepalive: _,
        pending: _,
        requests: _,
        retries: _,
        tcp_idle,
        // Of the choice of the protocol.
        upgrade: _,
        client_protocol: _,
        lifetime,
        requests_per_connection,
        idle,
        streams,
    } = body;
    let common = api::UpstreamCommonOptions {
        // Istio takes the time of connections for that of requests where the latter is not said.
        idle_timeout: idle
            .map(|idle| SmolStr::new(idle.value.to_proto()))
            .or_else(|| tcp_idle.map(|idle| SmolStr::new(idle.value.to_proto()))),
        max_connection_duration: lifetime.map(|lifetime| SmolStr::new(lifetime.value.to_proto())),
        max_requests_per_connection: requests_per_connection
            .map(|count| count.value.get())
            .filter(|count| *count > 0),
    };
    let said = common != api::UpstreamCommonOptions::default();
    (said.then_some(common), streams.map(|streams: Spanned<PositiveCount>| streams.value.get()))
}

/// How long a connection that is passed on may be silent, and how long it may live.
pub(super) fn of_connection(upstream: &Upstream) -> (Option<api::Duration>, Option<api::Duration>) {
    let Some(pool) = upstream.policy.pool.as_deref() else { return (None, None) };
    let idle = pool.body.tcp_idle.map(|idle: Spanned<DurationOrZero>| SmolStr::new(idle.value.to_proto()));
    let lifetime = pool.body.lifetime.map(|lifetime| SmolStr::new(lifetime.value.to_proto()));
    (idle, lifetime)
}
