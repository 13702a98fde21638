//! What nginx 1.22 carries, and how.

use crate::capability::{Feature, Support};

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
        | F::TlsRoutes
        | F::TcpRoutes
        | F::SimpleBalancing
        | F::FixedExternal
        | F::EgressGateway => Support::Native,
        F::Http2Listener => emulated(
            "`listen ... http2`",
            "callers must speak HTTP/2 from the start: HTTP/1.1 is not heard on such a port",
        ),
        F::MutualTls => emulated(
            "`ssl_verify_client`",
            "a caller without a good certificate is answered with 400 after the handshake, which does not fail",
        ),
        F::MixedTls => emulated(
            "a server that reads the server name and passes connections on over the loopback",
            "who can connect to the loopback of the proxy can pretend to be another address",
        ),
        F::HeaderMatch | F::HeaderAbsent => emulated(
            "`map` over `$http_NAME`",
            "an empty header counts as absent, and of a header that stands several times the first is compared",
        ),
        F::DestinationMatch => emulated(
            "`geo` over `$server_addr`",
            "the address must be one of the proxy's own, or be kept on the way to it (TPROXY)",
        ),
        F::WeightedDestinations => emulated("`split_clients`", "shares are rounded to 0.01 %"),
        F::RewritePattern => {
            emulated("`rewrite`", "the first match in the path is replaced, not all of them")
        }
        F::Timeout => emulated(
            "`proxy_read_timeout`",
            "it limits the time between two reads, not that of the whole response",
        ),
        F::Retries => emulated(
            "`proxy_next_upstream`",
            "each line of the endpoints is tried once, without a wait between; at most 16 tries; without `retry` nothing is tried \
             again, where Istio and Envoy try twice more when a connection fails",
        ),
        F::RetryPerTry => emulated(
            "`proxy_read_timeout`",
            "`per-try` limits the time between two reads, and there is no wait before a retry",
        ),
        F::FaultAbort => emulated("`split_clients` and `return`", "shares are rounded to 0.01 %"),
        F::Cors => emulated(
            "`map`, `if` and `add_header`",
            "headers of the destination that say the same stand beside those that are added",
        ),
        F::Mirror => emulated(
            "`mirror`",
            "a copy that is slow delays the next request of its connection, and shares are rounded to 0.01 %",
        ),
        F::HeaderOperations | F::DestinationHeaders => emulated(
            "`proxy_set_header`, `proxy_hide_header` and `add_header`",
            "values that are added to a request's header stand in one line, separated by commas",
        ),
        F::ConsistentHash => emulated(
            "`hash ... consistent`",
            "another ring than Istio's, of a size of its own; of endpoints found by DNS any is taken",
        ),
        F::HashCookie => emulated("`add_header Set-Cookie`", "of endpoints found by DNS any is taken"),
        F::ConnectionPool => emulated(
            "`max_conns` and `proxy_connect_timeout`",
            "`connections` is shared out among the endpoints, there is no queue, and what is beyond is answered with 502; \
             endpoints found by DNS have no limit",
        ),
        F::RequestLimits => emulated(
            "`max_conns`",
            "`requests` limits connections too, and what is beyond is answered with 502 at once: `pending` keeps nothing waiting; \
             retries and streams at once have no limit",
        ),
        F::ConnectionLifetime => emulated(
            "`keepalive_*` of upstream blocks and `proxy_timeout`",
            "`lifetime` and `idle` hold for HTTP; of TCP destinations that share a port, the longest `tcp-idle` holds",
        ),
        F::Keepalive => {
            emulated("`proxy_socket_keepalive`", "times and numbers are those of the operating system")
        }
        F::Http2Destination => emulated(
            "`grpc_pass`",
            "websockets do not pass, and with `client-protocol` HTTP/1.1 is spoken whatever the caller speaks",
        ),
        F::Ejection => emulated(
            "`max_fails` and `fail_timeout`",
            "failures are counted within that time, answers count only where routes retry on them, and of one endpoint, or of \
             endpoints found by DNS, none is left out",
        ),
        F::UpstreamTls => emulated(
            "`proxy_ssl_*`",
            "the name that is asked for is the one that the certificate must have; TCP goes through a port of the loopback before \
             TLS begins, and who can connect to it can use the proxy's certificate",
        ),
        F::DnsExternal => emulated(
            "`resolver` and a variable in `proxy_pass`",
            "addresses are asked of `[nginx] resolver`, 127.0.0.53 by default, as often as DNS says; each request opens a connection, \
             and endpoints take turns whatever `lb` says",
        ),
        F::PerRequestExternal => emulated(
            "`resolver` and the host of the request in `proxy_pass`",
            "addresses are asked of `[nginx] resolver`; each request opens a connection",
        ),
        F::OriginalExternal => emulated(
            "`resolver` and the host of the request, or the name that TLS asks for",
            "the address is looked up again by that name; TCP without TLS is refused",
        ),
        F::Visibility => emulated(
            "an outbound proxy for each namespace",
            "a caller is held to its namespace by nothing but the proxy that it is given",
        ),
        F::CallerIdentity => {
            unsupported("nginx verifies who signed a certificate, not the names, keys or hashes in it")
        }
        F::MeshTls => unsupported(
            "the certificates of the mesh come from its control plane, which a bare proxy does not have",
        ),
        F::AnyPattern => unsupported("nginx's engine (PCRE) reads it otherwise than Istio's (RE2)"),
        F::UnicodePattern => {
            unsupported("nginx compares bytes, and a character beyond ASCII is several of them")
        }
        F::ClaimMatch => unsupported("nginx does not verify tokens"),
        F::SourceMatch => unsupported("a bare proxy sees an address, not the workload behind it"),
        F::RetryStatuses => unsupported("nginx retries on 403, 404, 429, 500, 502, 503 and 504"),
        F::RetryGrpc => {
            unsupported("nginx does not read the status of gRPC or of streams before it decides on a retry")
        }
        F::RetryLocalities => unsupported("a bare proxy does not know in which locality an endpoint is"),
        F::FaultDelay => {
            unsupported("nginx has no way to wait without a module that Debian's does not load (njs)")
        }
        F::FaultGrpc => unsupported("nginx cannot end a stream with a status of gRPC by chance"),
        F::EmptyHeaders => unsupported("nginx sends no header without a value"),
        F::HeaderVariables => unsupported("nginx has other variables than Envoy"),
        F::PassthroughBalancing => {
            unsupported("nginx does not know for which address a connection was meant")
        }
        F::UpstreamIdentity => unsupported("nginx verifies one DNS name of a certificate"),
        F::RawConfiguration => {
            unsupported("it is merged into resources of Istio, which are not written here")
        }
    }
}

const fn emulated(how: &'static str, caveat: &'static str) -> Support {
    Support::Emulated { how, caveat }
}

const fn unsupported(reason: &'static str) -> Support {
    Support::Unsupported { reason }
}
