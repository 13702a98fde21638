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
        }
    }
}
