//! The statements that a `policy` can bundle, and that routes and destinations also take directly.

use super::{Balancing, ClientTls, Cors, Ejection, Fault, HeaderOperations, Pool, PoolBody, Retry, Rewrite};
use crate::reading::{Args, Boxed, Reader, Syntax, TypeDoc, section, wherever_written};
use crate::values::{Duration, DurationOrZero, Literal};
use meshc_language::{Applicability, Edit, Span, Spanned};

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

    /// Takes over what is not said here: operations on headers header by header, a rewrite of the path beside one of the host, a
    /// delay beside a failure.
    pub fn inherit(&mut self, from: &Self) {
        let Self { timeout, retry, rewrite, fault, cors, request_headers, response_headers } = from;
        self.timeout = self.timeout.take().or_else(|| timeout.clone());
        self.retry = self.retry.take().or_else(|| retry.clone());
        let rewritten: Vec<_> = self.rewrite.iter().map(|one| one.kind.is_of_host()).collect();
        self.rewrite
            .extend(rewrite.iter().filter(|one| !rewritten.contains(&one.kind.is_of_host())).cloned());
        let injected: Vec<_> = self.fault.iter().map(|one| one.kind.is_delay()).collect();
        self.fault.extend(fault.iter().filter(|one| !injected.contains(&one.kind.is_delay())).cloned());
        self.cors = self.cors.take().or_else(|| cors.clone());
        self.request_headers = joined(request_headers, &self.request_headers);
        self.response_headers = joined(response_headers, &self.response_headers);
    }

    /// The statements that differ.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let Self { timeout, retry, rewrite, fault, cors, request_headers, response_headers } = self;
        named([
            ("timeout", *timeout != other.timeout),
            ("retry", *retry != other.retry),
            ("rewrite", !are_alike(rewrite, &other.rewrite)),
            ("fault", !are_alike(fault, &other.fault)),
            ("cors", *cors != other.cors),
            ("request-headers", differ(request_headers, &other.request_headers)),
            ("response-headers", differ(response_headers, &other.response_headers)),
        ])
    }
}

/// Whether two lists say the same, in whatever order.
fn are_alike<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.len() == other.len() && one.iter().all(|statement| other.contains(statement))
}

fn joined(
    outer: &Option<Boxed<HeaderOperations>>,
    inner: &Option<Boxed<HeaderOperations>>,
) -> Option<Boxed<HeaderOperations>> {
    HeaderOperations::joined(outer.as_deref(), inner.as_deref()).map(Boxed::new)
}

/// Whether two lists of operations do different things: the order of operations on different headers says nothing.
fn differ(one: &Option<Boxed<HeaderOperations>>, other: &Option<Boxed<HeaderOperations>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => !one.does_the_same(other),
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    }
}

fn named<const N: usize>(statements: [(&'static str, bool); N]) -> Vec<&'static str> {
    statements.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// What a `policy` bundles for one side.
pub trait Bundle: Clone {
    /// Takes over from a policy what is not said here. Lists of settings are completed line by line.
    fn complete(&mut self, policy: &Self);

    /// The statements that differ.
    fn differences(&self, other: &Self) -> Vec<&'static str>;

    /// The statements that come out otherwise when the two policies are put in the other way round: both say them, and the
    /// place itself does not.
    fn disputed(&self, first: &Self, second: &Self) -> Vec<&'static str> {
        let in_order = |policies: [&Self; 2]| {
            let mut place = self.clone();
            policies.into_iter().for_each(|policy| place.complete(policy));
            place
        };
        in_order([first, second]).differences(&in_order([second, first]))
    }
}

impl Bundle for SharedRouteOptions {
    fn complete(&mut self, policy: &Self) {
        self.inherit(policy);
    }

    fn differences(&self, other: &Self) -> Vec<&'static str> {
        self.differences(other)
    }
}

impl Bundle for TrafficPolicy {
    fn complete(&mut self, policy: &Self) {
        let pool = match (&self.pool, &policy.pool) {
            (Some(own), Some(given)) => {
                let mut pool = own.clone();
                pool.body.complete(&given.body);
                Some(pool)
            }
            (own, given) => own.clone().or_else(|| given.clone()),
        };
        self.inherit(policy);
        self.pool = pool;
    }

    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let Self { balancing, pool, ejection, tls } = self;
        named([
            ("lb", *balancing != other.balancing),
            ("pool", pool.as_ref().map(|pool| &pool.body) != other.pool.as_ref().map(|pool| &pool.body)),
            ("eject", *ejection != other.ejection),
            ("tls", *tls != other.tls),
        ])
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

    /// Takes over what is not said here, each statement whole, as Istio's subsets do.
    pub fn inherit(&mut self, from: &Self) {
        let Self { balancing, pool, ejection, tls } = from;
        self.balancing = self.balancing.take().or_else(|| balancing.clone());
        self.pool = self.pool.take().or_else(|| pool.clone());
        self.ejection = self.ejection.take().or_else(|| ejection.clone());
        self.tls = self.tls.take().or_else(|| tls.clone());
    }
}

/// `timeout 4s` or `timeout off`.
#[derive(Clone, Debug)]
pub struct Timeout {
    /// The limit; `None` for `off`.
    pub limit: Option<Duration>,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Timeout { limit } at { span });

/// Whether a word says that there is no limit in another way: `none`, or a duration of no length such as `0`, `0s`, `0ms`.
fn is_no_limit(word: &str) -> bool {
    matches!(word, "0" | "none")
        || DurationOrZero::parse(word).is_ok_and(|duration| duration.as_millis() == 0)
}

impl Syntax for Timeout {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        if let Some(span) = args.take_word("off", cx) {
            return Some(Self { limit: None, span });
        }
        let zero = args.peek(cx).filter(|term| term.word().is_some_and(is_no_limit)).map(|term| term.span);
        if let Some(span) = zero {
            args.next(cx);
            // As Envoy's `RouteAction.timeout` says that there is no limit.
            cx.foreign(span, "off", Applicability::Safe, vec![Edit { span, replacement: "off".to_owned() }]);
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
