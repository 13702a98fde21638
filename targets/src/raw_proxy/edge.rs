//! What keeps a gateway in reach when its callers are strangers: limits of time and number, with the values that Envoy's guide for
//! edges gives (`configuration/best_practices/edge`). Proxies for callers of the mesh have none of them, as Istio's have none.

use meshc_compiler::policy::{SharedRouteOptions, Timeout};
use meshc_compiler::values::Duration;

/// Limits of gateways. A time that is `None` has no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeOptions {
    /// How long a connection is kept without a request (Envoy `idle_timeout`, nginx `keepalive_timeout`).
    pub idle_timeout: Option<Duration>,
    /// How long the head of a request may take (Envoy `request_headers_timeout`, nginx `client_header_timeout`).
    pub header_timeout: Option<Duration>,
    /// How long a whole request may take (Envoy `request_timeout`). nginx limits the time between two reads alone.
    pub request_timeout: Option<Duration>,
    /// How long nothing may be heard of a request, whichever side is silent (Envoy `stream_idle_timeout`, nginx
    /// `client_body_timeout`, `send_timeout` and `proxy_read_timeout`).
    pub stream_idle_timeout: Option<Duration>,
    /// Most requests at once on a connection of HTTP/2 (Envoy `max_concurrent_streams`, nginx `http2_max_concurrent_streams`).
    pub streams: u32,
    /// Whether listeners without `bind` are heard by IPv6 too.
    pub ipv6: bool,
}

const MINUTE: u64 = 60_000;

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_millis(60 * MINUTE),
            header_timeout: Duration::from_millis(MINUTE),
            request_timeout: Duration::from_millis(5 * MINUTE),
            stream_idle_timeout: Duration::from_millis(5 * MINUTE),
            streams: 100,
            ipv6: true,
        }
    }
}

impl EdgeOptions {
    /// Whether a route has its own word on how long its requests may take, so that the gateway's is not meant: it says `timeout off`
    /// or a longer time, or leads to gRPC, whose streams may be silent for hours.
    pub(crate) fn leaves_alone(&self, options: &SharedRouteOptions, leads_to_grpc: bool) -> bool {
        let longer = |limit: Duration| self.stream_idle_timeout.is_some_and(|idle| limit > idle);
        let said = options.timeout.as_ref().map(|Timeout { limit, span: _ }| limit.is_none_or(longer));
        leads_to_grpc || said.unwrap_or(false)
    }
}
