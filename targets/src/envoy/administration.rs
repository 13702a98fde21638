//! Where the administration of a proxy is heard, and what it is asked before the end.

use super::EnvoyOptions;
use super::api::Address;
use super::options::{Admin, PROXY_PLACE};
use crate::raw_proxy::Rig;
use meshc_compiler::routing::Proxy;
use smol_str::SmolStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The usual port.
const ADMIN: u16 = 15_000;

/// The name of a proxy: `GATEWAY.NAMESPACE`, or without the second where there is none.
pub(super) fn name(proxy: &Proxy) -> SmolStr {
    match &proxy.namespace {
        Some(namespace) => SmolStr::new(format!("{}.{namespace}", proxy.name)),
        None => proxy.name.clone(),
    }
}

/// The address of the administration, unless it is at a socket or off.
pub(super) fn socket_address(proxy: &Proxy, options: &EnvoyOptions, rig: Option<&Rig>) -> Option<SocketAddr> {
    let local = |port| Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    if let Some(rig) = rig {
        return local(rig.admin);
    }
    match &options.admin {
        Admin::Usual => {
            let taken = |port: &u16| proxy.listeners.iter().any(|listener| listener.port == *port);
            local((ADMIN..u16::MAX).find(|port| !taken(port)).unwrap_or(ADMIN))
        }
        Admin::Address(address) => Some(*address),
        Admin::Socket(_) | Admin::Off => None,
    }
}

/// Where it is heard; `None` if nowhere.
pub(super) fn address(proxy: &Proxy, options: &EnvoyOptions, rig: Option<&Rig>) -> Option<Address> {
    if let Some(address) = socket_address(proxy, options, rig) {
        return Some(Address::socket(address.ip().to_string(), address.port()));
    }
    match &options.admin {
        Admin::Socket(path) => Some(Address::pipe(path.replace(PROXY_PLACE, &name(proxy)))),
        Admin::Usual | Admin::Address(_) | Admin::Off => None,
    }
}
