//! What Istio carries: everything.

use crate::capability::{Feature, Support};

/// How Istio carries a feature. The language is Istio's model, so everything is native; a new feature is asked about here
/// nevertheless.
pub(super) const fn of(feature: Feature) -> Support {
    use Feature as F;
    match feature {
        F::HttpListener
        | F::Http2Listener
        | F::SimpleTls
        | F::MutualTls
        | F::CallerIdentity
        | F::MeshTls
        | F::AutoPassthrough
        | F::Passthrough
        | F::MixedTls
        | F::TcpListener
        | F::RedirectToHttps
        | F::PathMatch
        | F::MethodMatch
        | F::HeaderMatch
        | F::HeaderAbsent
        | F::UnderscoreHeader
        | F::ProxyHeaderMatch
        | F::QueryMatch
        | F::PatternMatch
        | F::AnyPattern
        | F::UnicodePattern
        | F::ClaimMatch
        | F::SourceMatch
        | F::DestinationMatch
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
        | F::RetryLocalities
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
        | F::PassthroughBalancing
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
        | F::DnsExternal
        | F::OriginalExternal
        | F::PerRequestExternal
        | F::EgressGateway
        | F::Visibility
        | F::RawConfiguration => Support::Native,
    }
}
