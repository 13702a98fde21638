//! `--show 'GET https://shop.example.com/cart'`: where such a request comes in.

use super::outcome::name_of;
use crate::exit::Failure;
use meshc_compiler::routing::Proxy;
use meshc_compiler::routing::matcher::{Entrance, Matcher, Outcome, Request, Security, Source};

/// A request that is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// As it was written.
    pub(super) text: String,
    method: String,
    private: bool,
    authority: String,
    host: String,
    port: u16,
    target: String,
    /// The proxy and its listener that take it, by their positions.
    pub(super) place: (usize, usize),
}

impl Shown {
    /// Reads `METHOD URL`, and finds the first proxy that knows the host, or one that would say that it does not.
    pub(super) fn read(text: &str, proxies: &[Proxy<'_>]) -> Result<Self, Failure> {
        let mut shown = Self::parse(text).ok_or_else(|| {
            Failure::new(format!("`{text}` is no request"))
                .help("write one like 'GET https://shop.example.com/cart?id=1'")
        })?;
        let mut fallback = None;
        for (number, proxy) in proxies.iter().enumerate() {
            let matcher = Matcher::new(proxy);
            for (at, listener) in proxy.listeners.iter().enumerate().filter(|(_, one)| one.port == shown.port)
            {
                let entrance =
                    Entrance { port: shown.port, address: listener.bind, security: shown.security() };
                shown.place = (number, at);
                match matcher.answer(&shown.request(entrance)) {
                    Outcome::Refused(_) | Outcome::NotHttp => {}
                    // Another proxy may know the host.
                    Outcome::NoHost => fallback = fallback.or(Some(shown.place)),
                    Outcome::Rejected(_)
                    | Outcome::NoRule(_)
                    | Outcome::WantsTls { .. }
                    | Outcome::Taken(_)
                    | Outcome::Undecided(..) => return Ok(shown),
                }
            }
        }
        if let Some(place) = fallback {
            return Ok(Self { place, ..shown });
        }
        Err(Failure::new(format!("no proxy takes `{text}`")).help(format!("there is {}", listening(proxies))))
    }

    fn parse(text: &str) -> Option<Self> {
        let (method, url) = text.trim().split_once(' ')?;
        let (scheme, rest) = url.trim().split_once("://")?;
        let private = match scheme {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let colon = authority.rfind(':').filter(|colon| authority.rfind(']').is_none_or(|end| end < *colon));
        let (host, port) = authority.split_at_checked(colon.unwrap_or(authority.len()))?;
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if private => 443,
            None => 80,
        };
        let is_word = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
        let legal =
            is_word && !host.is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        (legal && !target.contains(' ')).then(|| Self {
            text: text.to_owned(),
            method: method.to_owned(),
            private,
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            target,
            place: (0, 0),
        })
    }

    fn security(&self) -> Security {
        if self.private { Security::Tls { server_name: Some(self.host.clone()) } } else { Security::Plain }
    }

    /// The request as it comes in on the loopback, or wherever the listener is.
    pub(super) fn at(&self, proxy: &Proxy<'_>) -> Option<Request> {
        let listener = proxy.listeners.get(self.place.1)?;
        let entrance = Entrance { port: listener.port, address: listener.bind, security: self.security() };
        Some(self.request(entrance))
    }

    fn request(&self, entrance: Entrance) -> Request {
        Request {
            entrance,
            method: self.method.clone(),
            authority: self.authority.clone(),
            target: self.target.clone(),
            headers: Vec::new(),
            source: Source::default(),
        }
    }
}

fn listening(proxies: &[Proxy<'_>]) -> String {
    let ports = |proxy: &Proxy<'_>| {
        let ports: Vec<String> = proxy.listeners.iter().map(|listener| listener.port.to_string()).collect();
        format!("{} on {}", name_of(proxy), ports.join(", "))
    };
    proxies.iter().map(ports).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let read = |text: &str| Shown::parse(text).map(|one| (one.host, one.port, one.target, one.private));
        let some = |host: &str, port, target: &str, private| {
            Some((host.to_owned(), port, target.to_owned(), private))
        };
        assert_eq!(read("GET https://a.com/x?y=1"), some("a.com", 443, "/x?y=1", true));
        assert_eq!(read("POST http://a.com:8080"), some("a.com", 8080, "/", false));
        assert_eq!(read("GET http://a.com?x"), some("a.com", 80, "/?x", false));
        assert_eq!(read("GET http://[::1]/"), some("[::1]", 80, "/", false));
        for wrong in [
            "",
            "GET",
            "GET a.com",
            "GET ftp://a.com/",
            "GET http://a.com:x/",
            "GET http:///",
            "GET http://a/\r\n",
            "G:T http://a/",
            "GET http://a/b c",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
