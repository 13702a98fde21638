//! What nginx 1.22 carries, and how.

use crate::capability::{Feature, Support};
use crate::raw_proxy::support;

/// How nginx carries a feature.
pub(super) fn of(feature: Feature) -> Support {
    use Feature as F;
    match feature {
        F::HttpListener
        | F::SimpleTls
        | F::Passthrough
        | F::TcpListener
        | F::RedirectToHttps
        | F::PathMatch
        | F::MethodMatch
        | F::QueryMatch
        | F::PatternMatch
        | F::Redirect
        | F::Respond
        | F::Delegation
        | F::RewritePath
        | F::Cors
        | F::TlsRoutes
        | F::TcpRoutes
        | F::SimpleBalancing
        | F::FixedExternal => Support::Native,
        F::EgressGateway => support::EGRESS,
        F::Http2Listener => Support::emulated(
            "`listen ... http2`",
            "clients need HTTP/2 prior knowledge; HTTP/1.1 clients fail on this port; a request with trailers, or with a `host` \
             beside another `:authority`, fails",
        ),
        F::MutualTls => Support::emulated(
            "`ssl_verify_client`",
            "a client without a valid certificate gets 400 after a successful handshake; TLS sessions are not resumed; \
             `x-forwarded-client-cert` has `Cert` and `Subject` of a certificate that a CA has signed, and no `Hash`, `URI` or `DNS`",
        ),
        F::MixedTls => Support::emulated(
            "a server that reads the server name (SNI) and forwards connections over loopback",
            "any local process can forge the client address",
        ),
        F::HeaderMatch | F::HeaderAbsent => Support::emulated(
            "`map` over `$http_NAME`",
            "an empty header counts as absent; of a repeated header the first value is compared",
        ),
        F::DestinationMatch => Support::emulated(
            "`geo` over `$server_addr`",
            "the address must be one of the proxy's own, or be preserved up to it (TPROXY)",
        ),
        F::WeightedDestinations => Support::emulated("`split_clients`", "shares are rounded to 0.01 %"),
        F::RewritePattern => {
            Support::emulated("`rewrite`", "the first match in the path is replaced, not all of them")
        }
        F::Timeout => Support::emulated(
            "`proxy_read_timeout`",
            "this limits the time between two reads, not the time for the whole response",
        ),
        F::Retries => Support::emulated(
            "`proxy_next_upstream`",
            "retries do not wait; of several endpoints, each is tried once at most, and one alone 16 times; with \
             `connect-failure` or `reset-before-request`, requests other than POST, PATCH and LOCK are also retried when the \
             connection breaks after they were sent, and POST is not retried on a status; a retry after a response needs the whole request, \
             which is buffered first: an upload that waits for parts of the response stalls; nginx does not retry unless the \
             route has `retry`, where Istio and Envoy retry twice when a connection fails",
        ),
        F::RetryPerTry => Support::emulated(
            "`proxy_read_timeout`",
            "`per-try` limits the time between two reads, and retries have no backoff",
        ),
        F::FaultAbort => Support::emulated("`split_clients` and `return`", "shares are rounded to 0.01 %"),
        F::Mirror => Support::emulated(
            "`mirror`",
            "a request that is copied is read to its end before it goes on: an upload that waits for parts of the response stalls; a \
             slow copy delays the next request of its connection; shares are rounded to 0.01 %",
        ),
        F::MirrorGrpc => Support::emulated(
            "`mirror`",
            "a call that is copied is read to its end before it goes on: a stream whose client waits for an answer never starts",
        ),
        F::HeaderOperations | F::DestinationHeaders => Support::emulated(
            "`proxy_set_header`, `proxy_hide_header` and `add_header`",
            "values added to a request header are joined with commas, after the first value that the \
             client sent: nginx before 1.23 does not see the others",
        ),
        F::ConsistentHash => Support::emulated(
            "`hash ... consistent`",
            "nginx has its own ring and ring size; endpoints resolved by DNS are chosen without the hash",
        ),
        F::HashCookie => Support::emulated(
            "`add_header Set-Cookie`",
            "endpoints resolved by DNS are chosen without the hash",
        ),
        F::ConnectionPool => Support::emulated(
            "`max_conns` and `proxy_connect_timeout`",
            "`connections` is divided among the endpoints; there is no queue, and excess requests get \
             502; endpoints resolved by DNS have no limit",
        ),
        F::RequestLimits => Support::emulated(
            "`max_conns`",
            "`requests` limits connections too; excess requests get 502 at once: `pending` queues \
             nothing; concurrent retries and streams have no limit",
        ),
        F::ConnectionLifetime => Support::emulated(
            "`keepalive_*` of upstream blocks and `proxy_timeout`",
            "`lifetime` and `idle` apply to HTTP; of TCP destinations that share a port, the longest `tcp-idle` applies",
        ),
        F::Keepalive => Support::emulated(
            "`proxy_socket_keepalive`",
            "times and counts are those of the operating system",
        ),
        F::Http2Destination => Support::emulated(
            "`grpc_pass`",
            "websockets do not work; a path that is rewritten or copied, or has double slashes or dots to resolve, and an escape \
             that nginx would change, such as `%2B` or `%c3`, gets 400, and a copy of it is lost; with `client-protocol` the upstream protocol is always HTTP/1.1",
        ),
        F::GrpcWeb => Support::unsupported("nginx does not translate gRPC-web to gRPC"),
        F::Ejection => Support::emulated(
            "`max_fails` and `fail_timeout`",
            "failures are counted within that time, in whole seconds; responses count only where routes retry on them; \
             `max` and `min-healthy` have no effect; a single endpoint, or endpoints resolved by DNS, are never ejected",
        ),
        F::UpstreamTls => Support::emulated(
            "`proxy_ssl_*`",
            "the server name (SNI) must be the name in the certificate; TCP passes through a loopback port before \
             TLS origination, and any local process can use the proxy's certificate there",
        ),
        F::DnsExternal => Support::emulated(
            "`resolver` and a variable in `proxy_pass`",
            "names are resolved by `[nginx] resolver`, 127.0.0.53 by default, and again when their TTL ends; each request \
             opens a connection, and endpoints are used round robin whatever `lb` says; when DNS fails after the TTL, requests get 502 at \
             once, or after `[nginx] resolver-timeout` (5s), while Envoy keeps the last addresses: use `endpoints` where that must not happen",
        ),
        F::PerRequestExternal => Support::emulated(
            "`resolver` and the host of the request in `proxy_pass`",
            "names are resolved by `[nginx] resolver`; each request opens a connection; when DNS fails, requests get 502",
        ),
        F::OriginalExternal => Support::emulated(
            "`resolver` and the host of the request, or the server name (SNI)",
            "that name is resolved again; TCP without TLS is refused",
        ),
        F::Visibility => support::VISIBILITY,
        F::CallerIdentity => {
            Support::unsupported("nginx verifies the CA of a certificate, not its names, keys or hashes")
        }
        F::MeshTls => support::MESH_TLS,
        F::AutoPassthrough => support::AUTO_PASSTHROUGH,
        F::AnyPattern => {
            Support::unsupported("nginx's engine (PCRE) reads it differently from Istio's (RE2)")
        }
        F::UnicodePattern => {
            Support::unsupported("nginx compares bytes, and a non-ASCII character has several")
        }
        F::ClaimMatch => Support::unsupported("nginx does not verify JWTs"),
        F::SourceMatch => support::SOURCE_MATCH,
        F::UnderscoreHeader => support::UNDERSCORE_HEADER,
        F::ProxyHeaderMatch => support::PROXY_HEADER_MATCH,
        F::RetryStatuses => Support::unsupported("nginx retries on 403, 404, 429, 500, 502, 503 and 504"),
        F::RetryGrpc => {
            Support::unsupported("nginx does not read gRPC or stream status before it decides on a retry")
        }
        F::RetryLocalities => support::RETRY_LOCALITIES,
        F::FaultDelay => Support::unsupported(
            "nginx cannot delay requests without njs, a module that Debian's nginx does not load",
        ),
        F::FaultGrpc => Support::unsupported("nginx cannot end a percentage of streams with a gRPC status"),
        F::EmptyHeaders => Support::unsupported("nginx does not send empty headers"),
        F::HeaderVariables => Support::unsupported("nginx does not have Envoy's variables"),
        F::PassthroughBalancing => {
            Support::unsupported("nginx does not know the original destination of a connection")
        }
        F::UpstreamIdentity => Support::unsupported("nginx verifies a single DNS name of a certificate"),
        F::RawConfiguration => support::RAW_CONFIGURATION,
    }
}
