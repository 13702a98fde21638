//! `VirtualService`: which request for a host goes where, and what happens to it on the way.
//! Source: `networking/v1alpha3/virtual_service.proto`.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::common::{Duration, Percent, PortSelector, Spec, StringMap, messages};
use crate::yaml::Sourced;

impl Spec for VirtualService {
    const KIND: &'static str = "VirtualService";
}

messages! {
    /// Routing rules for some hosts. Within each list the first rule that matches is taken.
    pub struct VirtualService {
        /// Hosts that the rules are for; empty: a delegate, used by other virtual services. `VirtualService.hosts`.
        pub hosts: Vec<SmolStr>,
        /// Gateways, `[namespace/]name`, and `mesh` for all sidecars; empty: `mesh` alone. `VirtualService.gateways`.
        pub gateways: Vec<SmolStr>,
        /// Rules for HTTP, HTTP/2, gRPC and terminated HTTPS. `VirtualService.http`.
        pub http: Vec<Sourced<HttpRoute>>,
        /// Rules for TLS that is not terminated here, by SNI name. `VirtualService.tls`.
        pub tls: Vec<Sourced<TlsRoute>>,
        /// Rules for every other connection. `VirtualService.tcp`.
        pub tcp: Vec<Sourced<TcpRoute>>,
        /// Namespaces that see it: names, `.` for its own, `*` for all; empty: the mesh's default.
        /// `VirtualService.export_to`.
        pub export_to: Vec<SmolStr>,
    }

    /// A service, and which part of it.
    pub struct Destination {
        /// Service in the registry; a name without dots belongs to the resource's namespace; required.
        /// `Destination.host`.
        pub host: SmolStr,
        /// Subset that a destination rule defines; absent: all endpoints. `Destination.subset`.
        pub subset: Option<SmolStr>,
        /// Port of the service; absent: its only port, or the port of the request. `Destination.port`.
        pub port: Option<PortSelector>,
    }

    /// One HTTP rule: conditions, one action (`route`, `redirect`, `directResponse` or `delegate`), and modifiers.
    pub struct HttpRoute {
        /// Name for logs and statistics. `HTTPRoute.name`.
        pub name: Option<SmolStr>,
        /// Conditions of which one must hold; empty: always. `HTTPRoute.match`.
        #[serde(rename = "match")]
        pub matches: Vec<HttpMatchRequest>,
        /// Forward to these destinations by weight. `HTTPRoute.route`.
        pub route: Vec<HttpRouteDestination>,
        /// Answer with a redirect. `HTTPRoute.redirect`.
        pub redirect: Option<Box<HttpRedirect>>,
        /// Answer with a fixed status and body. `HTTPRoute.direct_response`.
        pub direct_response: Option<Box<HttpDirectResponse>>,
        /// Continue with the rules of another virtual service. `HTTPRoute.delegate`.
        pub delegate: Option<Box<Delegate>>,
        /// Change path or authority before forwarding. `HTTPRoute.rewrite`.
        pub rewrite: Option<Box<HttpRewrite>>,
        /// Time for the whole response, retries included; absent: unlimited. `HTTPRoute.timeout`.
        pub timeout: Option<Duration>,
        /// Retry policy; absent: two retries on failures to connect and the like; empty: none. `HTTPRoute.retries`.
        pub retries: Option<Box<HttpRetry>>,
        /// Faults to inject on the client's side; excludes timeouts and retries of this rule. `HTTPRoute.fault`.
        pub fault: Option<Box<HttpFaultInjection>>,
        /// Destination that gets a copy of each request, its answers unread. `HTTPRoute.mirror`.
        pub mirror: Option<Box<Destination>>,
        /// Several such destinations; excludes `mirror`. `HTTPRoute.mirrors`.
        pub mirrors: Vec<HttpMirrorPolicy>,
        /// Whole percent of requests to mirror; deprecated for `mirrorPercentage`; read under both names that the CRD has.
        /// `HTTPRoute.mirror_percent`.
        #[serde(alias = "mirror_percent")]
        pub mirror_percent: Option<u32>,
        /// Share of requests that `mirror` gets; absent: all. `HTTPRoute.mirror_percentage`.
        pub mirror_percentage: Option<Percent>,
        /// Cross-origin policy. `HTTPRoute.cors_policy`.
        pub cors_policy: Option<Box<CorsPolicy>>,
        /// Header changes for every destination. `HTTPRoute.headers`.
        pub headers: Option<Box<Headers>>,
    }

    /// Another virtual service whose HTTP rules replace this one.
    pub struct Delegate {
        /// Its name. `Delegate.name`.
        pub name: Option<SmolStr>,
        /// Its namespace; absent: that of the referring one. `Delegate.namespace`.
        pub namespace: Option<SmolStr>,
    }

    /// Header changes.
    pub struct Headers {
        /// Before the request is forwarded. `Headers.request`.
        pub request: Option<HeaderOperations>,
        /// Before the response is returned. `Headers.response`.
        pub response: Option<HeaderOperations>,
    }

    /// Changes of one header list; `set` comes before `add`.
    pub struct HeaderOperations {
        /// Headers to overwrite, name to value. `Headers.HeaderOperations.set`.
        pub set: StringMap<SmolStr>,
        /// Values to append, name to value. `Headers.HeaderOperations.add`.
        pub add: StringMap<SmolStr>,
        /// Names of headers to drop. `Headers.HeaderOperations.remove`.
        pub remove: Vec<SmolStr>,
    }

    /// One rule for TLS that is not terminated here.
    pub struct TlsRoute {
        /// Conditions of which one must hold; required. `TLSRoute.match`.
        #[serde(rename = "match")]
        pub matches: Vec<TlsMatchAttributes>,
        /// Destinations by weight. `TLSRoute.route`.
        pub route: Vec<RouteDestination>,
    }

    /// One rule for TCP connections.
    pub struct TcpRoute {
        /// Conditions of which one must hold; empty: always. `TCPRoute.match`.
        #[serde(rename = "match")]
        pub matches: Vec<L4MatchAttributes>,
        /// Destinations by weight. `TCPRoute.route`.
        pub route: Vec<RouteDestination>,
    }

    /// Conditions on an HTTP request that must all hold.
    pub struct HttpMatchRequest {
        /// Name for logs and statistics, joined to the rule's. `HTTPMatchRequest.name`.
        pub name: Option<SmolStr>,
        /// Path without query. `HTTPMatchRequest.uri`.
        pub uri: Option<StringMatch>,
        /// URI scheme. `HTTPMatchRequest.scheme`.
        pub scheme: Option<Box<StringMatch>>,
        /// HTTP method. `HTTPMatchRequest.method`.
        pub method: Option<Box<StringMatch>>,
        /// `Host` or `:authority`. `HTTPMatchRequest.authority`.
        pub authority: Option<Box<StringMatch>>,
        /// Headers by lower-case name; an empty match: the header is present. `HTTPMatchRequest.headers`.
        pub headers: StringMap<StringMatch>,
        /// Port that the request came in on. `HTTPMatchRequest.port`.
        pub port: Option<u32>,
        /// Labels of the calling workload; for sidecars. `HTTPMatchRequest.source_labels`.
        pub source_labels: StringMap<SmolStr>,
        /// Of the virtual service's gateways the ones that this holds for; empty: all. `HTTPMatchRequest.gateways`.
        pub gateways: Vec<SmolStr>,
        /// Query parameters by name, undecoded; an empty match: present. `HTTPMatchRequest.query_params`.
        pub query_params: StringMap<StringMatch>,
        /// Compare exact and prefix paths without regard to letter case; default false.
        /// `HTTPMatchRequest.ignore_uri_case`.
        pub ignore_uri_case: Option<bool>,
        /// Headers that must not match; an empty match: the header is absent. `HTTPMatchRequest.without_headers`.
        pub without_headers: StringMap<StringMatch>,
        /// Namespace of the calling workload; for sidecars. `HTTPMatchRequest.source_namespace`.
        pub source_namespace: Option<SmolStr>,
        /// Prefix of the statistics of this route. `HTTPMatchRequest.stat_prefix`.
        pub stat_prefix: Option<SmolStr>,
    }

    /// A destination of an HTTP rule with its share.
    pub struct HttpRouteDestination {
        /// Where to; required. `HTTPRouteDestination.destination`.
        pub destination: Destination,
        /// Share relative to the sum of all; absent: everything if alone, else nothing. `HTTPRouteDestination.weight`.
        pub weight: Option<i32>,
        /// Header changes for this destination. `HTTPRouteDestination.headers`.
        pub headers: Option<Box<Headers>>,
    }

    /// A destination of a TLS or TCP rule with its share.
    pub struct RouteDestination {
        /// Where to; required. `RouteDestination.destination`.
        pub destination: Destination,
        /// Share relative to the sum of all; absent: everything if alone, else nothing. `RouteDestination.weight`.
        pub weight: Option<i32>,
    }

    /// Conditions on a connection that must all hold.
    pub struct L4MatchAttributes {
        /// Destination addresses, IP or CIDR, of which one must fit. `L4MatchAttributes.destination_subnets`.
        pub destination_subnets: Vec<SmolStr>,
        /// Port that the connection came in on. `L4MatchAttributes.port`.
        pub port: Option<u32>,
        /// Source address, IP or CIDR; hidden from Istio's docs. `L4MatchAttributes.source_subnet`.
        pub source_subnet: Option<SmolStr>,
        /// Labels of the calling workload; for sidecars. `L4MatchAttributes.source_labels`.
        pub source_labels: StringMap<SmolStr>,
        /// Of the virtual service's gateways the ones that this holds for; empty: all. `L4MatchAttributes.gateways`.
        pub gateways: Vec<SmolStr>,
        /// Namespace of the calling workload; for sidecars. `L4MatchAttributes.source_namespace`.
        pub source_namespace: Option<SmolStr>,
    }

    /// Conditions on a TLS connection that must all hold.
    pub struct TlsMatchAttributes {
        /// SNI names of which one must fit, `*.` prefixes allowed, each within the virtual service's hosts; required.
        /// `TLSMatchAttributes.sni_hosts`.
        pub sni_hosts: Vec<SmolStr>,
        /// Destination addresses, IP or CIDR, of which one must fit. `TLSMatchAttributes.destination_subnets`.
        pub destination_subnets: Vec<SmolStr>,
        /// Port that the connection came in on. `TLSMatchAttributes.port`.
        pub port: Option<u32>,
        /// Labels of the calling workload; for sidecars. `TLSMatchAttributes.source_labels`.
        pub source_labels: StringMap<SmolStr>,
        /// Of the virtual service's gateways the ones that this holds for; empty: all. `TLSMatchAttributes.gateways`.
        pub gateways: Vec<SmolStr>,
        /// Namespace of the calling workload; for sidecars. `TLSMatchAttributes.source_namespace`.
        pub source_namespace: Option<SmolStr>,
    }

    /// A redirect; what is absent stays as the request had it. `port` and `derivePort` exclude each other.
    pub struct HttpRedirect {
        /// New path, query included. `HTTPRedirect.uri`.
        pub uri: Option<SmolStr>,
        /// New host. `HTTPRedirect.authority`.
        pub authority: Option<SmolStr>,
        /// New port. `HTTPRedirect.port`.
        pub port: Option<u32>,
        /// Where the port comes from. `HTTPRedirect.derive_port`.
        pub derive_port: Option<RedirectPortSelection>,
        /// New scheme, `http` or `https`. `HTTPRedirect.scheme`.
        pub scheme: Option<SmolStr>,
        /// Status: 301, 302, 303, 307 or 308; default 301. `HTTPRedirect.redirect_code`.
        pub redirect_code: Option<u32>,
        /// Replacement of the matched prefix; excludes `uri`. `HTTPRedirect.prefix_rewrite`.
        pub prefix_rewrite: Option<SmolStr>,
    }

    /// A fixed answer.
    pub struct HttpDirectResponse {
        /// HTTP status; required. `HTTPDirectResponse.status`.
        pub status: u32,
        /// Body, at most 1 MiB; absent: empty. `HTTPDirectResponse.body`.
        pub body: Option<HttpBody>,
    }

    /// The body of a fixed answer, as one of the two.
    pub struct HttpBody {
        /// As text. `HTTPBody.string`.
        pub string: Option<SmolStr>,
        /// As bytes in base64. `HTTPBody.bytes`.
        pub bytes: Option<SmolStr>,
    }

    /// Changes of path or authority.
    pub struct HttpRewrite {
        /// New path, or for a prefix match what replaces the prefix. `HTTPRewrite.uri`.
        pub uri: Option<SmolStr>,
        /// New `Host`. `HTTPRewrite.authority`.
        pub authority: Option<SmolStr>,
        /// Rewrite of the path by pattern; excludes `uri`. `HTTPRewrite.uri_regex_rewrite`.
        pub uri_regex_rewrite: Option<RegexRewrite>,
    }

    /// Replaces what a pattern finds in the path.
    pub struct RegexRewrite {
        /// RE2 pattern. `RegexRewrite.match`.
        #[serde(rename = "match")]
        pub pattern: Option<SmolStr>,
        /// Replacement; `\1` is the first group. `RegexRewrite.rewrite`.
        pub rewrite: Option<SmolStr>,
    }

    /// A condition on text: one of the three; none, where Istio allows it: the text is there at all. Letter case counts.
    pub struct StringMatch {
        /// The whole text. `StringMatch.exact`.
        pub exact: Option<SmolStr>,
        /// The text's beginning. `StringMatch.prefix`.
        pub prefix: Option<SmolStr>,
        /// RE2 pattern that the whole text must fit. `StringMatch.regex`.
        pub regex: Option<SmolStr>,
    }

    /// What is tried again, and how often.
    pub struct HttpRetry {
        /// Retries after the first try; 0: none. `HTTPRetry.attempts`.
        pub attempts: Option<i32>,
        /// Time for each try; absent: the rule's timeout. `HTTPRetry.per_try_timeout`.
        pub per_try_timeout: Option<Duration>,
        /// Comma-separated Envoy conditions and status codes; default `connect-failure,refused-stream,unavailable,cancelled`.
        /// `HTTPRetry.retry_on`.
        pub retry_on: Option<SmolStr>,
        /// Whether retries may go to other localities; default false. `HTTPRetry.retry_remote_localities`.
        pub retry_remote_localities: Option<bool>,
        /// Whether retries avoid endpoints tried before; default true. `HTTPRetry.retry_ignore_previous_hosts`.
        pub retry_ignore_previous_hosts: Option<bool>,
        /// Base of the exponential pause between tries; default 25ms. `HTTPRetry.backoff`.
        pub backoff: Option<Duration>,
    }

    /// Cross-origin resource sharing.
    pub struct CorsPolicy {
        /// Allowed origins, exact; deprecated for `allowOrigins`. `CorsPolicy.allow_origin`.
        pub allow_origin: Vec<SmolStr>,
        /// Conditions on the origin of which one must hold. `CorsPolicy.allow_origins`.
        pub allow_origins: Vec<StringMatch>,
        /// Methods of `Access-Control-Allow-Methods`. `CorsPolicy.allow_methods`.
        pub allow_methods: Vec<SmolStr>,
        /// Headers of `Access-Control-Allow-Headers`. `CorsPolicy.allow_headers`.
        pub allow_headers: Vec<SmolStr>,
        /// Headers of `Access-Control-Expose-Headers`. `CorsPolicy.expose_headers`.
        pub expose_headers: Vec<SmolStr>,
        /// How long a preflight's answer may be cached. `CorsPolicy.max_age`.
        pub max_age: Option<Duration>,
        /// Whether credentials may be sent. `CorsPolicy.allow_credentials`.
        pub allow_credentials: Option<bool>,
        /// What becomes of a preflight from another origin; default `FORWARD`. `CorsPolicy.unmatched_preflights`.
        pub unmatched_preflights: Option<UnmatchedPreflights>,
    }

    /// Faults for tests; delay and abort are independent of each other.
    pub struct HttpFaultInjection {
        /// Delay before forwarding. `HTTPFaultInjection.delay`.
        pub delay: Option<FaultDelay>,
        /// Answer with an error instead of forwarding. `HTTPFaultInjection.abort`.
        pub abort: Option<FaultAbort>,
    }

    /// A delay for a share of requests.
    pub struct FaultDelay {
        /// Whole percent of requests; deprecated for `percentage`. `HTTPFaultInjection.Delay.percent`.
        pub percent: Option<i32>,
        /// How long. `HTTPFaultInjection.Delay.fixed_delay`.
        pub fixed_delay: Option<Duration>,
        /// Mean of a random delay; hidden from Istio's docs, not implemented.
        /// `HTTPFaultInjection.Delay.exponential_delay`.
        pub exponential_delay: Option<Duration>,
        /// Share of requests; absent: `percent`, else none. `HTTPFaultInjection.Delay.percentage`.
        pub percentage: Option<Percent>,
    }

    /// An error for a share of requests, as one of the three.
    pub struct FaultAbort {
        /// HTTP status to answer with. `HTTPFaultInjection.Abort.http_status`.
        pub http_status: Option<i32>,
        /// gRPC status name to answer with, such as `UNAVAILABLE`. `HTTPFaultInjection.Abort.grpc_status`.
        pub grpc_status: Option<SmolStr>,
        /// HTTP/2 error; hidden from Istio's docs, not implemented. `HTTPFaultInjection.Abort.http2_error`.
        pub http2_error: Option<SmolStr>,
        /// Share of requests; absent: none. `HTTPFaultInjection.Abort.percentage`.
        pub percentage: Option<Percent>,
    }

    /// A destination that gets copies.
    pub struct HttpMirrorPolicy {
        /// Where to; required. `HTTPMirrorPolicy.destination`.
        pub destination: Destination,
        /// Share of requests; absent: all. `HTTPMirrorPolicy.percentage`.
        pub percentage: Option<Percent>,
    }
}

/// Where a redirect's port comes from. `HTTPRedirect.RedirectPortSelection`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RedirectPortSelection {
    /// 80 for http, 443 for https.
    #[default]
    FromProtocolDefault,
    /// The port that the request came in on.
    FromRequestPort,
}

/// What becomes of a preflight request whose origin is not allowed. `CorsPolicy.UnmatchedPreflights`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnmatchedPreflights {
    /// As `Forward`.
    #[default]
    Unspecified,
    /// It goes to the destination.
    Forward,
    /// It is answered without CORS headers.
    Ignore,
}
