//! Addresses, and where configuration comes from (`envoy.config.core.v3`).

use super::messages;
use smol_str::SmolStr;

messages! {
    /// `Address`; one of the fields.
    struct Address {
        socket_address: Option<SocketAddress>,
        pipe: Option<Pipe>,
    }

    /// `SocketAddress`.
    struct SocketAddress {
        address: SmolStr,
        port_value: u16,
        /// Whether a socket of IPv6 takes connections of IPv4 too.
        ipv4_compat: Option<bool>,
    }

    /// `Pipe`: a Unix domain socket; `@` in front of an abstract name.
    struct Pipe {
        path: SmolStr,
    }

    /// `CidrRange`.
    struct CidrRange {
        address_prefix: SmolStr,
        prefix_len: Option<u8>,
    }

    /// `ConfigSource`.
    struct ConfigSource {
        path_config_source: Option<PathConfigSource>,
        resource_api_version: &'static str,
    }

    /// `PathConfigSource`: a file that is read again when it is replaced.
    struct PathConfigSource {
        path: SmolStr,
        watched_directory: Option<WatchedDirectory>,
    }

    /// `WatchedDirectory`: a folder in which a platform moves a link to what is new.
    struct WatchedDirectory {
        path: SmolStr,
    }
}

impl Address {
    /// A port of every address of the machine, of IPv4 and IPv6.
    pub(crate) fn everywhere(port_value: u16) -> Self {
        let address = SmolStr::new_static("::");
        Self {
            socket_address: Some(SocketAddress { address, port_value, ipv4_compat: Some(true) }),
            pipe: None,
        }
    }

    /// A port of an address, or of a name where names are allowed.
    pub(crate) fn socket(address: impl Into<SmolStr>, port_value: u16) -> Self {
        Self {
            socket_address: Some(SocketAddress { address: address.into(), port_value, ipv4_compat: None }),
            pipe: None,
        }
    }

    /// A Unix domain socket.
    pub(crate) fn pipe(path: impl Into<SmolStr>) -> Self {
        Self { socket_address: None, pipe: Some(Pipe { path: path.into() }) }
    }
}
