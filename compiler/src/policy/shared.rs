//! The statements that a `policy` can bundle, and that routes and destinations also take directly.

use super::{Balancing, ClientTls, Cors, Ejection, Fault, HeaderOperations, Pool, PoolBody, Retry, Rewrite};
use crate::reading::{Args, Boxed, Reader, Syntax, TypeDoc, section};
use crate::values::{Duration, DurationOrZero};
use meshc_language::{Span, Spanned};

section! {
    /// Options of routes that name no destination (Istio `HTTPRoute`).
    pub struct SharedRouteOptions {
        /// How long the whole response may take, retries included. `off`, the default, sets no limit.
        /// Istio: HTTPRoute.timeout.
        once "timeout" | "request-timeout" | "proxy-read-timeout" timeout: Timeout;
        /// What is retried, and how often. Without it Istio and Envoy retry twice: failed connections,
        /// refused streams, and gRPC responses UNAVAILABLE and CANCELLED. Istio: HTTPRoute.retries.
        once "retry" | "retries" | "retry-policy" | "proxy-next-upstream" retry: Retry;
        /// What the destination sees instead of the requested path or host.
        /// Istio: HTTPRoute.rewrite.
        many "rewrite" | "prefix-rewrite" | "url-rewrite" | "regex-rewrite" rewrite: Rewrite;
        /// An injected delay or failure. Istio: HTTPRoute.fault.
        many "fault" | "fault-injection" fault: Fault;
        /// Which other origins a browser may call from. Istio: HTTPRoute.corsPolicy.
        once "cors" | "cors-policy" cors: Boxed<Cors>;
        /// Headers set, added or removed in requests. Istio: HTTPRoute.headers.request.
        once "request-headers" | "headers" | "request-headers-to-add" | "proxy-set-header" request_headers: Boxed<HeaderOperations>;
        /// Headers set, added or removed in responses. Istio: HTTPRoute.headers.response.
        once "response-headers" | "response-headers-to-add" | "add-header" response_headers: Boxed<HeaderOperations>;
    }
}

impl SharedRouteOptions {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes over what is not said here.
    pub fn inherit(&mut self, from: &Self) {
        let Self { timeout, retry, rewrite, fault, cors, request_headers, response_headers } = from;
        self.timeout = self.timeout.take().or_else(|| timeout.clone());
        self.retry = self.retry.take().or_else(|| retry.clone());
        if self.rewrite.is_empty() {
            self.rewrite.clone_from(rewrite);
        }
        if self.fault.is_empty() {
            self.fault.clone_from(fault);
        }
        self.cors = self.cors.take().or_else(|| cors.clone());
        self.request_headers = self.request_headers.take().or_else(|| request_headers.clone());
        self.response_headers = self.response_headers.take().or_else(|| response_headers.clone());
    }
}

section! {
    /// How a chosen destination is called (Istio `TrafficPolicy`).
    pub struct TrafficPolicy {
        /// Which endpoint gets the next request. Istio: TrafficPolicy.loadBalancer.
        once "lb" | "load-balancer" | "load-balancing" | "lb-policy" | "balance" balancing: Balancing;
        /// How many connections and requests at once. Istio: TrafficPolicy.connectionPool.
        once "pool" | "connection-pool" | "circuit-breakers" | "circuit-breaker" pool: Boxed<Pool>;
        /// When an endpoint that fails is left out for a while. Istio: TrafficPolicy.outlierDetection.
        once "eject" | "outlier-detection" | "outlier-ejection" ejection: Boxed<Ejection>;
        /// How the connection to the destination is secured. Istio: TrafficPolicy.tls.
        once "tls" | "mtls" | "tls-settings" | "tls-context" | "transport-socket" tls: Boxed<ClientTls>;
    }
}

impl TrafficPolicy {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { balancing, pool, ejection, tls } = self;
        balancing.is_none() && pool.is_none() && ejection.is_none() && tls.is_none()
    }

    /// How long a connection may take to open.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        let said = self.pool.as_deref().and_then(|pool| pool.body.connect_timeout);
        said.map_or(PoolBody::CONNECT_TIMEOUT, |time| time.value)
    }

    /// How long a TCP connection may be silent; zero for ever.
    #[must_use]
    pub fn tcp_idle(&self) -> DurationOrZero {
        let said = self.pool.as_deref().and_then(|pool| pool.body.tcp_idle);
        said.map_or(PoolBody::TCP_IDLE, |time| time.value)
    }

    /// Takes over what is not said here.
    pub fn inherit(&mut self, from: &Self) {
        let Self { balancing, pool, ejection, tls } = from;
        self.balancing = self.balancing.take().or_else(|| balancing.clone());
        self.pool = self.pool.take().or_else(|| pool.clone());
        self.ejection = self.ejection.take().or_else(|| ejection.clone());
        self.tls = self.tls.take().or_else(|| tls.clone());
    }
}

/// `timeout 4s` or `timeout off`.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeout {
    /// The limit; `None` for `off`.
    pub limit: Option<Duration>,
    /// Where it was written.
    pub span: Span,
}

impl Syntax for Timeout {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        if let Some(span) = args.take_word("off", cx) {
            return Some(Self { limit: None, span });
        }
        let limit = Spanned::<Duration>::read(args, cx)?;
        Some(Self { limit: Some(limit.value), span: limit.span })
    }

    fn signature() -> String {
        format!("{} | off", Spanned::<Duration>::signature())
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<Duration>::types(types);
    }
}
