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
            "a caller without a good certificate is answered with 400 after the handshake, which does not fail; TLS sessions are not resumed",
        ),
        F::MixedTls => Support::emulated(
            "a server that reads the server name and passes connections on over the loopback",
            "who can connect to the loopback of the proxy can pretend to be another address",
        ),
        F::HeaderMatch | F::HeaderAbsent => Support::emulated(
            "`map` over `$http_NAME`",
            "an empty header counts as absent, and of a header that stands several times the first is compared",
        ),
        F::DestinationMatch => Support::emulated(
            "`geo` over `$server_addr`",
            "the address must be one of the proxy's own, or be kept on the way to it (TPROXY)",
        ),
        F::WeightedDestinations => Support::emulated("`split_clients`", "shares are rounded to 0.01 %"),
        F::RewritePattern => {
            Support::emulated("`rewrite`", "the first match in the path is replaced, not all of them")
        }
        F::Timeout => Support::emulated(
            "`proxy_read_timeout`",
            "it limits the time between two reads, not that of the whole response",
        ),
        F::Retries => Support::emulated(
            "`proxy_next_upstream`",
            "each line of the endpoints is tried once, without a wait between; at most 16 tries; on `connect-failure` and \
             `reset-before-request`, requests other than POST, PATCH and LOCK are also sent again when the connection \
             breaks after they were sent, and beside either, POST is not retried on a status; a retry after an answer needs the whole \
             request, which is read first: an upload that waits for parts of the answer stalls; without `retry` nothing is tried \
             again, where Istio and Envoy try twice more when a connection fails",
        ),
        F::RetryPerTry => Support::emulated(
            "`proxy_read_timeout`",
            "`per-try` limits the time between two reads, and there is no wait before a retry",
        ),
        F::FaultAbort => Support::emulated("`split_clients` and `return`", "shares are rounded to 0.01 %"),
        F::Mirror => Support::emulated(
            "`mirror`",
            "a copy that is slow delays the next request of its connection, and shares are rounded to 0.01 %",
        ),
        F::HeaderOperations | F::DestinationHeaders => Support::emulated(
            "`proxy_set_header`, `proxy_hide_header` and `add_header`",
            "values that are added to a request's header stand in one line, separated by commas, after the first of those that the \
             caller sent: nginx before 1.23 does not see the others",
        ),
        F::ConsistentHash => Support::emulated(
            "`hash ... consistent`",
            "another ring than Istio's, of a size of its own; of endpoints found by DNS any is taken",
        ),
        F::HashCookie => {
            Support::emulated("`add_header Set-Cookie`", "of endpoints found by DNS any is taken")
        }
        F::ConnectionPool => Support::emulated(
            "`max_conns` and `proxy_connect_timeout`",
            "`connections` is shared out among the endpoints, there is no queue, and what is beyond is answered with 502; \
             endpoints found by DNS have no limit",
        ),
        F::RequestLimits => Support::emulated(
            "`max_conns`",
            "`requests` limits connections too, and what is beyond is answered with 502 at once: `pending` keeps nothing waiting; \
             retries and streams at once have no limit",
        ),
        F::ConnectionLifetime => Support::emulated(
            "`keepalive_*` of upstream blocks and `proxy_timeout`",
            "`lifetime` and `idle` hold for HTTP; of TCP destinations that share a port, the longest `tcp-idle` holds",
        ),
        F::Keepalive => Support::emulated(
            "`proxy_socket_keepalive`",
            "times and numbers are those of the operating system",
        ),
        F::Http2Destination => Support::emulated(
            "`grpc_pass`",
            "websockets do not pass, a path with an escape that nginx would change, such as `%2B` or `%c3`, is answered with 400, and \
             with `client-protocol` HTTP/1.1 is spoken whatever the client speaks",
        ),
        F::GrpcWeb => Support::unsupported("nginx does not translate gRPC-web to gRPC"),
        F::Ejection => Support::emulated(
            "`max_fails` and `fail_timeout`",
            "failures are counted within that time, in whole seconds; answers count only where routes retry on them; `max` and \
             `min-healthy` do not hold; and of one endpoint, or of endpoints found by DNS, none is left out",
        ),
        F::UpstreamTls => Support::emulated(
            "`proxy_ssl_*`",
            "the name that is asked for is the one that the certificate must have; TCP goes through a port of the loopback before \
             TLS begins, and who can connect to it can use the proxy's certificate",
        ),
        F::DnsExternal => Support::emulated(
            "`resolver` and a variable in `proxy_pass`",
            "addresses are asked of `[nginx] resolver`, 127.0.0.53 by default, as often as DNS says; each request opens a connection, \
             and endpoints take turns whatever `lb` says; where DNS fails after that time, requests are answered with 502 at once, or \
             after `[nginx] resolver-timeout` (5s), while Envoy keeps the last addresses: give `endpoints` where that must not happen",
        ),
        F::PerRequestExternal => Support::emulated(
            "`resolver` and the host of the request in `proxy_pass`",
            "addresses are asked of `[nginx] resolver`; each request opens a connection; where DNS fails, requests are answered with 502",
        ),
        F::OriginalExternal => Support::emulated(
            "`resolver` and the host of the request, or the name that TLS asks for",
            "the address is looked up again by that name; TCP without TLS is refused",
        ),
        F::Visibility => support::VISIBILITY,
        F::CallerIdentity => Support::unsupported(
            "nginx verifies who signed a certificate, not the names, keys or hashes in it",
        ),
        F::MeshTls => support::MESH_TLS,
        F::AutoPassthrough => support::AUTO_PASSTHROUGH,
        F::AnyPattern => Support::unsupported("nginx's engine (PCRE) reads it otherwise than Istio's (RE2)"),
        F::UnicodePattern => {
            Support::unsupported("nginx compares bytes, and a character beyond ASCII is several of them")
        }
        F::ClaimMatch => Support::unsupported("nginx does not verify tokens"),
        F::SourceMatch => support::SOURCE_MATCH,
        F::UnderscoreHeader => support::UNDERSCORE_HEADER,
        F::ProxyHeaderMatch => support::PROXY_HEADER_MATCH,
        F::RetryStatuses => Support::unsupported("nginx retries on 403, 404, 429, 500, 502, 503 and 504"),
        F::RetryGrpc => Support::unsupported(
            "nginx does not read the status of gRPC or of streams before it decides on a retry",
        ),
        F::RetryLocalities => support::RETRY_LOCALITIES,
        F::FaultDelay => Support::unsupported(
            "nginx has no way to wait without a module that Debian's does not load (njs)",
        ),
        F::FaultGrpc => Support::unsupported("nginx cannot end a stream with a status of gRPC by chance"),
        F::EmptyHeaders => Support::unsupported("nginx sends no header without a value"),
        F::HeaderVariables => Support::unsupported("nginx has other variables than Envoy"),
        F::PassthroughBalancing => {
            Support::unsupported("nginx does not know for which address a connection was meant")
        }
        F::UpstreamIdentity => Support::unsupported("nginx verifies one DNS name of a certificate"),
        F::RawConfiguration => support::RAW_CONFIGURATION,
    }
}
