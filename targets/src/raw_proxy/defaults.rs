//! What raw proxies are told where the sources say nothing, so that they do what Istio's proxies do.
//!
//! What a default means is part of the language where its reference names it: those of pools, of TLS and of URLs stand with their
//! types in the compiler.

use super::EdgeOptions;
use meshc_compiler::Model;
use meshc_compiler::routing::{AllAddresses, Listener, Proxy};
use meshc_compiler::values::TlsVersion;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

/// The certificates of public authorities, by which a server is known where no `ca` is given. Istio has its proxies look for
/// them in several places, of which this is that of Debian and most others.
pub(super) const SYSTEM_CA: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The versions of TLS that are spoken to upstreams: those that istiod writes (`tlsMinimumProtocolVersion` and
/// `tlsMaximumProtocolVersion` of an upstream).
pub(crate) const UPSTREAM_TLS: RangeInclusive<TlsVersion> = TlsVersion::V1_2..=TlsVersion::V1_3;

/// Where a listener is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At this address.
    At(IpAddr),
    /// At every address of the machine, of IPv4 and IPv6.
    Everywhere,
}

/// Where a listener is heard. One that says nothing (`bind`): a gateway and what a platform deploys serve others, as in Istio; an
/// outbound proxy on a machine serves those beside it.
pub(crate) fn place(listener: &Listener, model: &Model, proxy: &Proxy, edge: &EdgeOptions) -> Place {
    if let Some(address) = listener.bind {
        return Place::At(address);
    }
    let AllAddresses { unsaid, v4, v6 } = listener.all;
    let unsaid = unsaid || !(v4 || v6);
    if unsaid && !proxy.is_gateway() && model.deploy().is_none() {
        return Place::At(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    match (v4 || unsaid, v6 || (unsaid && edge.ipv6)) {
        (true, true) => Place::Everywhere,
        (true, false) => Place::At(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        (false, _) => Place::At(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    }
}
