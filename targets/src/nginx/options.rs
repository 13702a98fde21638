//! How nginx is configured.

use meshc_compiler::values::Duration;

/// How nginx is configured.
#[derive(Clone, Debug)]
pub struct NginxOptions {
    /// Who is asked for the addresses of names, as `resolver` takes it: addresses, each with a port or without. `None` for that of
    /// systemd; of pods that the compiler deploys, for those of their `/etc/resolv.conf`.
    pub resolver: Option<Vec<String>>,
    /// Whether DNS is asked for addresses of IPv6 too. nginx takes turns among all that it is told, whether they can be reached or not.
    pub resolver_ipv6: bool,
    /// Where requests are logged: an absolute path, or `off`.
    pub access_log: String,
    /// The file of nginx's stream module; empty where nginx has it built in. `None` for Debian's; of pods that the compiler
    /// deploys, for none.
    pub stream_module: Option<String>,
    /// Most connections of one worker at once, those to destinations among them (`worker_connections`).
    pub worker_connections: u32,
    /// How long an answer of DNS may take before requests are answered with 502 (`resolver_timeout`); `None` for five seconds, as
    /// Envoy has by itself.
    pub resolver_timeout: Option<Duration>,
}

impl Default for NginxOptions {
    fn default() -> Self {
        Self {
            resolver: None,
            resolver_ipv6: false,
            access_log: "/dev/stdout".to_owned(),
            stream_module: None,
            worker_connections: 16_384,
            resolver_timeout: None,
        }
    }
}
