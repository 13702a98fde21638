//! What comes in: a request or a connection, and where.

use std::net::IpAddr;

/// Where something comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// The port of the listener, as the mesh declares it.
    pub port: u16,
    /// The address of the proxy that was called; `None` for any of its own. It matters where two listeners of one port bind to
    /// different addresses.
    pub address: Option<IpAddr>,
    /// Whether it is TLS.
    pub security: Security,
}

/// Whether a connection is TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// It is not.
    Plain,
    /// It is.
    Tls {
        /// The name that is asked for (RFC 6066), in any letter case, without a final dot.
        server_name: Option<String>,
    },
}

/// Who calls. A raw proxy knows nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The namespace of the client's workload.
    pub namespace: Option<String>,
    /// The labels of the client's workload.
    pub labels: Vec<(String, String)>,
}

/// An HTTP request as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where it comes in.
    pub entrance: Entrance,
    /// The method, such as `GET`.
    pub method: String,
    /// The value of `Host` (HTTP/2: `:authority`), as the caller wrote it: a port may stand behind the host.
    pub authority: String,
    /// The target in origin form (RFC 9112, 3.2.1): the path, not yet normalised, and the query behind `?`.
    pub target: String,
    /// The other headers in order, in any letter case; a name may stand several times.
    pub headers: Vec<(String, String)>,
    /// Who calls.
    pub source: Source,
}

/// A connection that is passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Where it comes in.
    pub entrance: Entrance,
    /// The address that the caller asked for, where the proxy stands in between unseen.
    pub destination: Option<IpAddr>,
    /// Who calls.
    pub source: Source,
}

impl Entrance {
    /// The scheme of a request that comes in here.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match self.security {
            Security::Plain => "http",
            Security::Tls { .. } => "https",
        }
    }
}
