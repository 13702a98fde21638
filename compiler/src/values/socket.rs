//! An address with its port: where a raw proxy connects.

use std::fmt;
use std::net::SocketAddr;

use super::address::UnixAddress;
use super::error::Shown;
use super::{Form, Fqdn, Literal, Port, ValueError};

const UNIX: &str = "unix://";

/// An IP address and a port, or a Unix domain socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketAddress {
    /// An IP address and a port.
    Ip(SocketAddr),
    /// A Unix domain socket, written with `unix://`.
    Unix(UnixAddress),
}

/// A host name and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    host: Fqdn,
    port: Port,
}

impl Literal for SocketAddress {
    const NAME: &'static str = "address with port";
    const DOC: &'static str = "an IP address and a port, or a Unix socket, such as `10.0.0.1:9080`, `\"[2001:db8::1]:9080\"` or \
         `\"unix:///run/app.sock\"`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if let Some(socket) = text.strip_prefix(UNIX) {
            let part = |error: ValueError| error.of_part(UNIX.len(), |socket| format!("{UNIX}{socket}"));
            return UnixAddress::parse(socket).map(Self::Unix).map_err(part);
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() > 0 => Ok(Self::Ip(address)),
            _ => Err(refuse(text)),
        }
    }
}

#[cold]
fn refuse(text: &str) -> ValueError {
    let error = ValueError::new(format!("{} is not an IP address with a port", Shown(text)));
    if HostPort::parse(text).is_ok() {
        return error.help("a name is found by `dns`, not by `endpoints`");
    }
    error.help("write `10.0.0.1:9080`, or `\"[2001:db8::1]:9080\"` for IPv6")
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => f.write_str(&path.uri()),
        }
    }
}

impl HostPort {
    /// The name.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.as_str()
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.get()
    }
}

impl Literal for HostPort {
    const NAME: &'static str = "host name with port";
    const DOC: &'static str = "a host name and a port, such as `ratings.internal:9080`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(ValueError::new(format!("{} has no port", Shown(text))).help("write `NAME:PORT`"));
        };
        let of_host = |error: ValueError| error.of_part(0, |host| format!("{host}:{port}"));
        let of_port = |error: ValueError| error.of_part(host.len() + 1, |port| format!("{host}:{port}"));
        Ok(Self { host: Fqdn::parse(host).map_err(of_host)?, port: Port::parse(port).map_err(of_port)? })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
