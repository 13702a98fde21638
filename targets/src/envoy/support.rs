//! What Envoy carries, and how.

use crate::capability::{Feature, Support};

/// How Envoy carries a feature.
pub(super) fn of(feature: Feature) -> Support {
    match feature {
        Feature::HttpListener
        | Feature::Http2Listener
        | Feature::SimpleTls
        | Feature::MutualTls
        | Feature::CallerIdentity
        | Feature::Passthrough
        | Feature::MixedTls
        | Feature::TcpListener
        | Feature::RedirectToHttps
        | Feature::PathMatch
        | Feature::MethodMatch
        | Feature::HeaderMatch
        | Feature::HeaderAbsent
        | Feature::QueryMatch
        | Feature::PatternMatch
        | Feature::AnyPattern
        | Feature::WeightedDestinations
        | Feature::Redirect
        | Feature::Respond
        | Feature::Delegation
        | Feature::RewritePath
        | Feature::RewritePattern
        | Feature::Timeout
        | Feature::Retries
        | Feature::RetryPerTry
        | Feature::RetryStatuses
        | Feature::RetryGrpc
        | Feature::FaultDelay
        | Feature::FaultAbort
        | Feature::FaultGrpc
        | Feature::Cors
        | Feature::Mirror
        | Feature::HeaderOperations
        | Feature::HeaderVariables
        | Feature::EmptyHeaders
        | Feature::DestinationHeaders
        | Feature::TlsRoutes
        | Feature::TcpRoutes
        | Feature::SimpleBalancing
        | Feature::ConsistentHash
        | Feature::HashCookie
        | Feature::ConnectionPool
        | Feature::RequestLimits
        | Feature::ConnectionLifetime
        | Feature::Keepalive
        | Feature::Http2Destination
        | Feature::Ejection
        | Feature::UpstreamTls
        | Feature::UpstreamIdentity
        | Feature::FixedExternal
        | Feature::DnsExternal
        | Feature::EgressGateway => Support::Native,
        Feature::DestinationMatch => Support::Emulated {
            how: "ranges of filter chains and the filter for original addresses",
            caveat: "the system has to redirect connections to the proxy, with the address that was asked for kept",
        },
        Feature::PassthroughBalancing | Feature::OriginalExternal => Support::Emulated {
            how: "clusters of original addresses",
            caveat: "the system has to redirect connections to the proxy, with the address that was asked for kept; \
                     else they are answered with 503",
        },
        Feature::PerRequestExternal => Support::Emulated {
            how: "a dynamic forward proxy",
            caveat: "a request goes to the port that its host names, 80 or with TLS 443 where it names none",
        },
        Feature::Visibility => Support::Emulated {
            how: "an outbound proxy for each namespace",
            caveat: "a caller is held to its namespace by nothing but the proxy that it is given",
        },
        Feature::MeshTls => Support::Unsupported {
            reason: "the certificates of the mesh come from its control plane, which a bare proxy does not have",
        },
        Feature::ClaimMatch => Support::Unsupported {
            reason: "who issues tokens is not said in the sources, so the proxy cannot verify one",
        },
        Feature::UnicodePattern => Support::Unsupported {
            reason: "Envoy compares bytes, and a character beyond ASCII is several of them",
        },
        Feature::SourceMatch => {
            Support::Unsupported { reason: "a bare proxy sees an address, not the workload behind it" }
        }
        Feature::RetryLocalities => {
            Support::Unsupported { reason: "a bare proxy does not know in which locality an endpoint is" }
        }
        Feature::RawConfiguration => Support::Unsupported {
            reason: "it is merged into resources of Istio, which are not written here",
        },
    }
}
