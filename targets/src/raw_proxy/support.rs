//! What holds for every bare proxy, whatever program it is.

use crate::capability::Support;

/// `visible`.
pub(crate) const VISIBILITY: Support = Support::emulated(
    "an outbound proxy for each namespace",
    "a caller is held to its namespace by nothing but the proxy that it is given",
);

/// The certificates of the mesh.
pub(crate) const MESH_TLS: Support = Support::unsupported(
    "the certificates of the mesh come from its control plane, which a bare proxy does not have",
);

/// Passthrough by the server names that Istio makes for each destination.
pub(crate) const AUTO_PASSTHROUGH: Support = Support::unsupported(
    "the server names are those of Istio's own clusters, which a bare proxy does not have",
);

/// Conditions on the caller.
pub(crate) const SOURCE_MATCH: Support =
    Support::unsupported("a bare proxy sees an address, not the workload behind it");

/// Headers such as `user_id`.
pub(crate) const UNDERSCORE_HEADER: Support = Support::unsupported(
    "requests lose such headers when they come in: others take `user_id` for `user-id`, and could be told what they trust",
);

/// Conditions on `x-forwarded-proto` and the like at a gateway.
pub(crate) const PROXY_HEADER_MATCH: Support = Support::unsupported(
    "a gateway gives this header its own value before it chooses the route, or removes it: what callers, or a load balancer in \
     front, say in it does not count",
);

/// Retries in other localities.
pub(crate) const RETRY_LOCALITIES: Support =
    Support::unsupported("a bare proxy does not know in which locality an endpoint is");

/// Configuration in the words of Istio.
pub(crate) const RAW_CONFIGURATION: Support =
    Support::unsupported("it is merged into resources of Istio, which are not written here");

/// Egress through a gateway.
pub(crate) const EGRESS: Support = Support::emulated(
    "routes to the gateway and from it",
    "HTTP travels in plaintext from the outbound proxy to the gateway, where Istio's sidecars use the mutual TLS of the mesh",
);
