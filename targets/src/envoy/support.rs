//! What Envoy carries, and how.

use crate::capability::{Feature, Support};
use crate::raw_proxy::support;

/// How Envoy carries a feature.
pub(super) fn of(feature: Feature) -> Support {
    use Feature as F;
    match feature {
        F::HttpListener
        | F::Http2Listener
        | F::SimpleTls
        | F::MutualTls
        | F::CallerIdentity
        | F::Passthrough
        | F::MixedTls
        | F::TcpListener
        | F::RedirectToHttps
        | F::PathMatch
        | F::MethodMatch
        | F::HeaderMatch
        | F::HeaderAbsent
        | F::QueryMatch
        | F::PatternMatch
        | F::AnyPattern
        | F::WeightedDestinations
        | F::Redirect
        | F::Respond
        | F::Delegation
        | F::RewritePath
        | F::RewritePattern
        | F::Timeout
        | F::Retries
        | F::RetryPerTry
        | F::RetryStatuses
        | F::RetryGrpc
        | F::FaultDelay
        | F::FaultAbort
        | F::FaultGrpc
        | F::Cors
        | F::Mirror
        | F::MirrorGrpc
        | F::HeaderOperations
        | F::HeaderVariables
        | F::EmptyHeaders
        | F::DestinationHeaders
        | F::TlsRoutes
        | F::TcpRoutes
        | F::SimpleBalancing
        | F::ConsistentHash
        | F::HashCookie
        | F::ConnectionPool
        | F::RequestLimits
        | F::ConnectionLifetime
        | F::Keepalive
        | F::Http2Destination
        | F::GrpcWeb
        | F::Ejection
        | F::UpstreamTls
        | F::UpstreamIdentity
        | F::FixedExternal
        | F::DnsExternal => Support::Native,
        F::EgressGateway => support::EGRESS,
        F::DestinationMatch => Support::emulated(
            "filter chain ranges and the `original_dst` listener filter",
            "connections must be redirected to the proxy with their original destination preserved",
        ),
        F::PassthroughBalancing | F::OriginalExternal => Support::emulated(
            "`ORIGINAL_DST` clusters",
            "connections must be redirected to the proxy with their original \
                     destination preserved; otherwise they get 503",
        ),
        F::PerRequestExternal => Support::emulated(
            "a dynamic forward proxy",
            "a request goes to the port in its host, or without one to 80, with TLS to 443",
        ),
        F::Visibility => support::VISIBILITY,
        F::MeshTls => support::MESH_TLS,
        F::AutoPassthrough => support::AUTO_PASSTHROUGH,
        F::ClaimMatch => {
            Support::unsupported("the sources have no issuer of JWTs, so the proxy cannot verify them")
        }
        F::UnicodePattern => {
            Support::unsupported("Envoy compares bytes, and a non-ASCII character has several")
        }
        F::SourceMatch => support::SOURCE_MATCH,
        F::UnderscoreHeader => support::UNDERSCORE_HEADER,
        F::ProxyHeaderMatch => support::PROXY_HEADER_MATCH,
        F::RetryLocalities => support::RETRY_LOCALITIES,
        F::RawConfiguration => support::RAW_CONFIGURATION,
    }
}
