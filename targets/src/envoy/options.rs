//! How Envoy is configured.

use std::net::SocketAddr;

/// How Envoy is configured.
#[derive(Clone, Debug)]
pub struct EnvoyOptions {
    /// How configuration is written.
    pub format: Format,
    /// How configuration is spread over files.
    pub layout: Layout,
    /// Where the administration is heard.
    pub admin: Admin,
    /// The folder that holds the files where Envoy runs, without a closing `/`. The layout `filesystem` and certificates need it.
    pub root: String,
    /// Most connections of callers at once to a gateway (`envoy.resource_monitors.global_downstream_max_connections`).
    pub connections: u32,
    /// Bytes that a gateway keeps of a connection before it stops reading (`per_connection_buffer_limit_bytes`).
    pub buffer: u32,
    /// Bytes of a request's body that a gateway keeps for a retry or a mirror (`request_body_buffer_limit`).
    pub retry_buffer: u64,
    /// Bytes of heap near which a gateway takes no more requests (`envoy.resource_monitors.fixed_heap`); `None` for no limit.
    pub heap: Option<u64>,
}

/// Where Envoy's administration is heard. Whoever reaches it can end the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Admin {
    /// On 127.0.0.1, at port 15000 or at the next one that no listener of the proxy has.
    #[default]
    Usual,
    /// At this address and port.
    Address(SocketAddr),
    /// At a Unix socket; [`PROXY_PLACE`] in its path stands for the proxy.
    Socket(String),
    /// Nowhere.
    Off,
}

/// What stands for the name of a proxy (`GATEWAY.NAMESPACE`) in the path of a socket.
pub const PROXY_PLACE: &str = "{proxy}";

/// How configuration is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// With comments that say where each part comes from.
    #[default]
    Yaml,
    /// Loads in about half the time.
    Json,
}

/// How configuration is spread over files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One bootstrap with everything.
    #[default]
    Static,
    /// A bootstrap, and files of listeners, clusters and endpoints that Envoy watches.
    Filesystem,
}

impl Format {
    /// The words of the command line and the project file.
    pub const WORDS: [(&'static str, Self); 2] = [("yaml", Self::Yaml), ("json", Self::Json)];
}

impl Layout {
    /// The words of the command line and the project file.
    pub const WORDS: [(&'static str, Self); 2] = [("static", Self::Static), ("filesystem", Self::Filesystem)];
}

impl Default for EnvoyOptions {
    fn default() -> Self {
        Self {
            format: Format::default(),
            layout: Layout::default(),
            admin: Admin::default(),
            root: "/etc/envoy".to_owned(),
            connections: 50_000,
            buffer: 32 * 1024,
            retry_buffer: 1024 * 1024,
            heap: Some(2 * 1024 * 1024 * 1024),
        }
    }
}
