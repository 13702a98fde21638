//! What holds for every bare proxy, whatever program it is.

use crate::capability::Support;

/// `visible`.
pub(crate) const VISIBILITY: Support = Support::emulated(
    "an outbound proxy for each namespace",
    "only the choice of proxy restricts a client to its namespace",
);

/// The certificates of the mesh.
pub(crate) const MESH_TLS: Support = Support::unsupported(
    "mesh certificates come from Istio's control plane, which a bare proxy does not have",
);

/// Passthrough by the server names that Istio makes for each destination.
pub(crate) const AUTO_PASSTHROUGH: Support = Support::unsupported(
    "its server names (SNI) are those of Istio's own clusters, which a bare proxy does not have",
);

/// Conditions on the caller.
pub(crate) const SOURCE_MATCH: Support =
    Support::unsupported("a bare proxy sees the client's address, not its workload");

/// Headers such as `user_id`.
pub(crate) const UNDERSCORE_HEADER: Support = Support::unsupported(
    "such headers are removed from incoming requests: many servers read `user_id` as `user-id`, so clients could forge trusted headers",
);

/// Conditions on `x-forwarded-proto` and the like at a gateway.
pub(crate) const PROXY_HEADER_MATCH: Support = Support::unsupported(
    "a gateway overwrites or removes this header before it chooses the route: values from clients, or from a load \
     balancer in front of it, are ignored",
);

/// Retries in other localities.
pub(crate) const RETRY_LOCALITIES: Support =
    Support::unsupported("a bare proxy does not know the locality of endpoints");

/// Configuration in the words of Istio.
pub(crate) const RAW_CONFIGURATION: Support =
    Support::unsupported("it is merged into Istio resources, which this target does not write");

/// Egress through a gateway.
pub(crate) const EGRESS: Support = Support::emulated(
    "routes to the gateway and from it",
    "HTTP from the outbound proxy to the gateway is plaintext, where Istio's sidecars use the mutual TLS of the mesh",
);
