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
    /// A port of an address, or of a name where names are allowed.
    pub(crate) fn socket(address: impl Into<SmolStr>, port_value: u16) -> Self {
        Self { socket_address: Some(SocketAddress { address: address.into(), port_value }), pipe: None }
    }

    /// A Unix domain socket.
    pub(crate) fn pipe(path: impl Into<SmolStr>) -> Self {
        Self { socket_address: None, pipe: Some(Pipe { path: path.into() }) }
    }
}
