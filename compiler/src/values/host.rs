//! Host names as conditions, gateways and destinations use them.

use std::net::IpAddr;

use smol_str::{SmolStr, ToSmolStr};

use super::error::Shown;
use super::integer::digits;
use super::name::LABEL_MAX;
use super::newtype::text_value;
use super::{Form, Literal, ValueError};

/// A set of hosts: a name, a wildcard domain, `*`, or an IP address (rules C2, C3, V4, S2). In lower case,
/// because names are compared without regard to letter case, and without the dot that may close a name: proxies
/// compare a request's host without it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern {
    text: SmolStr,
    shape: Shape,
}

/// A host name without wildcard, short (`reviews`) or dotted (`reviews.prod.svc.cluster.local`) (rule C3), in
/// lower case and without the dot that may close it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fqdn {
    text: SmolStr,
}

/// A server name of TLS (SNI), exact or a wildcard domain (rule V32), in lower case. It is never an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SniHost {
    host: HostPattern,
}

text_value!(HostPattern, Fqdn);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shape {
    /// `*`
    Any,
    /// `*.foo.com`
    Wildcard,
    /// `*foo.com`, `*-foo.com`
    PartialWildcard,
    /// `foo`, `foo.com`
    Name,
    /// `outbound_.80_.v1_.foo.com`, the server name that a sidecar presents to a gateway (rule V4).
    Generated,
    Ip,
}

/// What stops a text from being a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Empty,
    TooLong,
    /// A label of more than 63 characters, wildcard included.
    LongLabel,
    /// Two dots in a row, or one at the beginning.
    EmptyLabel,
    /// A label that begins or ends with a hyphen.
    Hyphen,
    /// The last label is a number.
    Number,
    Character,
}

/// Longest domain name.
const DOMAIN_MAX: usize = 255;

/// Checks a domain name whose first label may be a wildcard.
fn domain(text: &str) -> Result<Shape, Fault> {
    let bytes = text.as_bytes();
    if bytes.len() > DOMAIN_MAX {
        return Err(Fault::TooLong);
    }
    match bytes {
        [] => Err(Fault::Empty),
        [b'*'] => Ok(Shape::Any),
        [b'*', b'.', rest @ ..] => labels(rest, 0).map(|()| Shape::Wildcard),
        [b'*', b'-', rest @ ..] => labels(rest, 2).map(|()| Shape::PartialWildcard),
        [b'*', rest @ ..] => labels(rest, 1).map(|()| Shape::PartialWildcard),
        name => labels(name, 0).map(|()| Shape::Name),
    }
}

/// Checks labels joined by dots; `before` counts characters of the first label that were taken off. A final
/// dot is fine.
fn labels(bytes: &[u8], before: usize) -> Result<(), Fault> {
    let mut length = before;
    let mut numeric = true;
    let mut last_numeric = false;
    let mut previous = b'.';
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => numeric = false,
            b'0'..=b'9' => {}
            b'-' if previous == b'.' => return Err(Fault::Hyphen),
            b'-' => numeric = false,
            b'.' if previous == b'.' => return Err(Fault::EmptyLabel),
            b'.' if previous == b'-' => return Err(Fault::Hyphen),
            b'.' => {
                last_numeric = numeric;
                numeric = true;
            }
            _ => return Err(Fault::Character),
        }
        length = if byte == b'.' { 0 } else { length + 1 };
        if length > LABEL_MAX {
            return Err(Fault::LongLabel);
        }
        previous = byte;
    }
    match previous {
        b'-' => Err(Fault::Hyphen),
        b'.' if bytes.len() < 2 => Err(Fault::EmptyLabel),
        b'.' if last_numeric => Err(Fault::Number),
        b'.' => Ok(()),
        _ if numeric => Err(Fault::Number),
        _ => Ok(()),
    }
}

/// Whether the text is `outbound_.PORT_.SUBSET_.HOST`, with an empty subset allowed.
fn is_generated(text: &str) -> bool {
    let Some((port, rest)) = text.strip_prefix("outbound_.").and_then(|rest| rest.split_once("_.")) else {
        return false;
    };
    let Some((subset, host)) = rest.split_once("_.") else { return false };
    digits(port).is_some_and(|port| port <= u64::from(u16::MAX))
        && (subset.is_empty()
            || (!subset.contains('.') && labels(subset.as_bytes(), 0) != Err(Fault::Character)))
        && domain(host) == Ok(Shape::Name)
}

/// The text in lower case, without an allocation where it is already.
fn lower(text: &str) -> SmolStr {
    if text.bytes().any(|b| b.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// The canonical text of a name: in lower case, and without the dot that may close it. A single label keeps the dot,
/// which says that it is whole as it is and not to be expanded.
fn canonical(text: &str) -> SmolStr {
    lower(text.strip_suffix('.').filter(|rest| rest.contains('.')).unwrap_or(text))
}

impl HostPattern {
    /// The pattern of a name, wildcard or `*`, but no address and no generated name.
    fn of_domain(text: &str) -> Result<Self, Fault> {
        domain(text).map(|shape| Self { text: canonical(text), shape })
    }

    /// Whether it takes more than one host: `*`, `*.foo.com` or `*foo.com`.
    #[must_use]
    pub const fn is_wildcard(&self) -> bool {
        matches!(self.shape, Shape::Any | Shape::Wildcard | Shape::PartialWildcard)
    }

    /// Whether the wildcard stands for a part of a label, as in `*foo.com` or `*-foo.com`; gateways refuse
    /// those (rule G5).
    #[must_use]
    pub const fn is_partial_wildcard(&self) -> bool {
        matches!(self.shape, Shape::PartialWildcard)
    }

    /// Whether it is `*`.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        matches!(self.shape, Shape::Any)
    }

    /// Whether it is an IP address.
    #[must_use]
    pub const fn is_ip(&self) -> bool {
        matches!(self.shape, Shape::Ip)
    }

    /// Whether it is a name without a dot, which Istio expands with the namespace.
    #[must_use]
    pub fn is_short(&self) -> bool {
        matches!(self.shape, Shape::Name) && !self.text.contains('.')
    }

    /// Whether it is the server name that a sidecar presents to a gateway, `outbound_.PORT_.SUBSET_.HOST`.
    /// Istio takes it only as a host of a gateway's virtual service with SNI matches (rule V4).
    #[must_use]
    pub const fn is_generated(&self) -> bool {
        matches!(self.shape, Shape::Generated)
    }

    /// The address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        if self.is_ip() { self.text.parse().ok() } else { None }
    }

    /// What follows the `*` of a wildcard: `.foo.com`, `foo.com`, nothing.
    pub(super) fn suffix(&self) -> Option<&str> {
        if self.is_wildcard() { self.text.strip_prefix('*') } else { None }
    }

    /// Whether every host of `other` is one of its hosts: `*.foo.com` covers `a.foo.com`, `a.b.foo.com` and
    /// `*.a.foo.com`, not `foo.com`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self.suffix(), other.suffix()) {
            (None, None) => self.text == other.text,
            (None, Some(_)) => false,
            (Some(suffix), None) => other.text.ends_with(suffix),
            (Some(suffix), Some(narrower)) => narrower.ends_with(suffix),
        }
    }

    /// Whether some host is one of both. Two wildcards overlap only where one covers the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Whether a request's host, in any letter case and without port, is one of its hosts. A wildcard stands for at least one
    /// character: Envoy's `*foo.com` does not take `foo.com`, nor `*.foo.com` a host `.foo.com`.
    #[must_use]
    pub fn takes(&self, host: &str) -> bool {
        if self.is_any() {
            return true;
        }
        let (host, wanted) = (host.as_bytes(), self.suffix().unwrap_or(self.as_str()).as_bytes());
        if self.is_wildcard() {
            let more = host.len().checked_sub(wanted.len()).filter(|more| *more > 0);
            let tail = more.and_then(|at| host.get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(wanted))
        } else {
            host.eq_ignore_ascii_case(wanted)
        }
    }
}

impl Literal for HostPattern {
    const NAME: &'static str = "host";
    const DOC: &'static str =
        "a host name, a wildcard domain, `*` or an IP address, such as `bookinfo.com` or `*.bookinfo.com`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        match Self::of_domain(text) {
            Ok(host) => Ok(host),
            Err(fault) => match text.parse::<IpAddr>() {
                Ok(ip) => Ok(Self { text: ip.to_smolstr(), shape: Shape::Ip }),
                Err(_) if is_generated(text) => Ok(Self { text: lower(text), shape: Shape::Generated }),
                Err(_) => Err(refuse(text, fault, Self::NAME)),
            },
        }
    }
}

impl Fqdn {
    /// Whether it has no dot, so that it is expanded with a namespace.
    #[must_use]
    pub fn is_short(&self) -> bool {
        !self.text.contains('.')
    }
}

impl Literal for Fqdn {
    const NAME: &'static str = "host name";
    const DOC: &'static str =
        "a host name without wildcard, such as `reviews` or `reviews.prod.svc.cluster.local`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        match domain(text) {
            Ok(Shape::Name) => Ok(Self { text: canonical(text) }),
            Ok(_) => Err(ValueError::new(format!("{} is a wildcard; one host is needed here", Shown(text)))
                .help("write the full name of the host")),
            Err(_) if text.parse::<IpAddr>().is_ok() => {
                Err(ValueError::new(format!("{} is an address; a host name is needed here", Shown(text)))
                    .help("write the name of the host"))
            }
            Err(fault) => Err(refuse(text, fault, Self::NAME).checked::<Self>()),
        }
    }
}

impl From<Fqdn> for HostPattern {
    fn from(name: Fqdn) -> Self {
        Self { text: name.text, shape: Shape::Name }
    }
}

impl SniHost {
    /// The same as a host pattern.
    #[must_use]
    pub const fn as_host(&self) -> &HostPattern {
        &self.host
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.host.as_str()
    }
}

impl Literal for SniHost {
    const NAME: &'static str = "server name";
    const DOC: &'static str = "a host name or wildcard domain that TLS clients send (SNI), such as `a.bookinfo.com` or \
         `*.bookinfo.com`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let host = HostPattern::parse(text).map_err(ValueError::checked::<Self>)?;
        if host.is_ip() {
            return Err(ValueError::new(format!(
                "{} is an address; TLS clients send names only (SNI)",
                Shown(text)
            ))
            .help("match the destination address of the connection instead"));
        }
        Ok(Self { host })
    }
}

impl std::fmt::Display for SniHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.host.fmt(f)
    }
}

impl From<SniHost> for HostPattern {
    fn from(name: SniHost) -> Self {
        name.host
    }
}

#[cold]
fn refuse(text: &str, fault: Fault, kind: &str) -> ValueError {
    let shown = Shown(text);
    match fault {
        Fault::Empty => ValueError::new(format!("empty {kind}")).help("write a host such as `bookinfo.com`"),
        Fault::TooLong => {
            ValueError::new(format!("{kind} has {} characters; the limit is {DOMAIN_MAX}", text.len()))
                .help("shorten it")
        }
        Fault::LongLabel => {
            ValueError::new(format!("{kind} {shown} has a part of more than {LABEL_MAX} characters"))
                .help("shorten the part between two dots")
        }
        Fault::EmptyLabel => {
            ValueError::new(format!("{kind} {shown} has an empty part")).help("put a name between the dots")
        }
        Fault::Hyphen => {
            ValueError::new(format!("{kind} {shown} has a part that begins or ends with a hyphen"))
                .help("begin and end each part with a letter or digit")
        }
        Fault::Number => refuse_number(text, kind),
        Fault::Character => refuse_character(text, kind),
    }
}

/// An address that is none, or a name that ends like one.
fn refuse_number(text: &str, kind: &str) -> ValueError {
    let shown = Shown(text);
    if text.split('.').count() != 4 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return ValueError::new(format!("the last part of {kind} {shown} is a number"))
            .help("end a host name with a part that has a letter");
    }
    let error =
        ValueError::new(format!("{shown} is not an IP address")).help("each of the four numbers is 0 to 255");
    let plain: Vec<String> =
        text.split('.').filter_map(|part| part.parse::<u8>().ok()).map(|n| n.to_string()).collect();
    let respelt = plain.join(".");
    if plain.len() == 4 && respelt != text {
        return error.help("write the numbers of an address without leading zeros").guess(respelt);
    }
    error
}

/// A URL, a port, a wildcard in the middle, an underscore, anything else.
fn refuse_character(text: &str, kind: &str) -> ValueError {
    let shown = Shown(text);
    let keep = |error: ValueError, host: &str| if domain(host).is_ok() { error.guess(host) } else { error };
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        return keep(
            ValueError::new(format!("{shown} is a URL; a {kind} is needed here"))
                .help("write the host alone"),
            host,
        );
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let error = ValueError::new(format!("{shown} is not a {kind}"));
        return if inner.parse::<IpAddr>().is_ok() { error.respell(inner) } else { error };
    }
    match text.split_once(':') {
        Some((host, port)) if digits(port).is_some() => {
            return keep(
                ValueError::new(format!("{kind} {shown} has a port")).help("write the host without its port"),
                host,
            );
        }
        _ => {}
    }
    if let Some((host, _)) = text.split_once('/') {
        let error = ValueError::new(format!("{kind} {shown} has a slash")).help("write the host alone");
        return if text.starts_with('*') { error } else { keep(error, host) };
    }
    if text.contains('*') {
        return ValueError::new(format!("{kind} {shown} has a wildcard inside"))
            .help("write `*` at the beginning only, as in `*.bookinfo.com`");
    }
    let odd = text.char_indices().find(|(_, c)| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_'));
    if odd.is_none() {
        let error =
            ValueError::new(format!("{kind} {shown} has an underscore")).help("host names have hyphens only");
        return keep(error, &text.replace('_', "-"));
    }
    let (offset, c) = odd.unwrap_or((0, ' '));
    ValueError::new(format!("{kind} {shown} has the character {}", Shown(c.encode_utf8(&mut [0; 4]))))
        .help("use letters, digits, hyphens and dots")
        .at(offset)
}
