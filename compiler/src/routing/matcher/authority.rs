//! The authority of a request: the host that finds the virtual host, and what conditions and redirects see.

use super::outcome::Fault;

/// The value of `Host`, without a dot behind the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    /// The whole of it, in the letter case of the caller.
    pub(super) text: String,
    /// Where the port begins, its colon included.
    port: Option<usize>,
}

impl Authority {
    /// Reads what the caller wrote. `example.com.` and `example.com` are one host (Envoy `strip_trailing_host_dot`).
    pub(super) fn read(written: &str) -> Result<Self, Fault> {
        if !written.bytes().all(may_stand) {
            return Err(Fault::Authority);
        }
        let port = port_at(written);
        let (host, port) = written.split_at_checked(port.unwrap_or(written.len())).unwrap_or((written, ""));
        let host = host.strip_suffix('.').unwrap_or(host);
        let has_port = !port.is_empty();
        Ok(Self { text: format!("{host}{port}"), port: has_port.then_some(host.len()) })
    }

    /// The host without the port, in the letter case of the caller; brackets stay around IPv6.
    pub(super) fn host(&self) -> &str {
        self.port.and_then(|at| self.text.get(..at)).unwrap_or(&self.text)
    }

    /// The host as virtual hosts are named: without brackets around IPv6.
    pub(super) fn name(&self) -> &str {
        let host = self.host();
        host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
    }

    /// The port with its colon, or nothing.
    pub(super) fn port(&self) -> &str {
        self.port.and_then(|at| self.text.get(at..)).unwrap_or_default()
    }
}

/// The colon in front of a port: the last one, outside of the brackets of IPv6.
fn port_at(authority: &str) -> Option<usize> {
    let colon = authority.rfind(':')?;
    let inside = authority.rfind(']').is_some_and(|bracket| bracket > colon);
    (!inside).then_some(colon)
}

/// RFC 3986, 3.2: user, host and port.
fn may_stand(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@[]%".contains(&byte)
}
