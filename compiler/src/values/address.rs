//! IP addresses, their ranges, and where an endpoint listens.

use std::fmt;
use std::net::IpAddr;

use cidr::{IpCidr, IpInet};
use smol_str::SmolStr;

use super::error::Shown;
use super::integer::digits;
use super::newtype::text_value;
use super::text::control_character;
use super::{Form, Fqdn, Literal, ValueError};

/// An IPv4 or IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpAddress(IpAddr);

/// A range of addresses: the network and the length of its prefix. Nothing stands after the prefix: Istio
/// would ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpCidr);

/// One address or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpOrCidr {
    /// One address.
    Ip(IpAddress),
    /// A range.
    Cidr(Cidr),
}

/// A Unix domain socket: an absolute path, or `@` and an abstract name (rules G7, S6). The text has no
/// `unix://`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixAddress {
    text: SmolStr,
}

text_value!(UnixAddress);

/// Where an endpoint listens (rules S6, S7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointAddress {
    /// An IP address.
    Ip(IpAddress),
    /// A name to be resolved.
    Host(Fqdn),
    /// A Unix domain socket, written with `unix://`.
    Unix(UnixAddress),
}

/// Longest path or name of a Unix socket, in bytes: `sun_path` of Linux has 108, and Envoy and nginx end it with a zero. The
/// CRD's bound of 256 characters is never met.
const UNIX_MAX: usize = 107;
const UNIX: &str = "unix://";

impl IpAddress {
    /// The address that a socket is bound to; one of IPv4 in the form of IPv6 (`::ffff:10.0.0.1`) is that of IPv4, as the kernel
    /// sees it.
    #[must_use]
    pub const fn bound(self) -> IpAddr {
        self.0.to_canonical()
    }

    /// The address.
    #[must_use]
    pub const fn get(self) -> IpAddr {
        self.0
    }
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> Self {
        Self(address)
    }
}

impl Literal for IpAddress {
    const NAME: &'static str = "IP address";
    const DOC: &'static str = "an IPv4 or IPv6 address, such as `10.0.0.1` or `\"2001:db8::1\"`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        text.parse().map(Self).map_err(|_| refuse_ip(text))
    }
}

#[cold]
fn refuse_ip(text: &str) -> ValueError {
    let error = ValueError::new(format!("{} is not an IP address", Shown(text)))
        .help("write four numbers from 0 to 255 without leading zeros, or an IPv6 address");
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner.or_else(|| text.split_once('/').map(|(address, _)| address)) {
        Some(address) if address.parse::<IpAddr>().is_ok() => error.guess(address),
        _ => error,
    }
}

impl fmt::Display for IpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Cidr {
    /// The first address, which names the network.
    #[must_use]
    pub const fn network(self) -> IpAddr {
        self.0.first_address()
    }

    /// The length of the prefix in bits, 0 to 32 or 128.
    #[must_use]
    pub const fn prefix_length(self) -> u8 {
        self.0.network_length()
    }

    /// Whether the address lies in the range.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether every address of `other` lies in the range.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.prefix_length() <= other.prefix_length() && self.contains(other.network())
    }
}

impl Literal for Cidr {
    const NAME: &'static str = "address range";
    const DOC: &'static str =
        "a network and the length of its prefix, such as `10.0.0.0/8` or `\"2001:db8::/32\"`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        split_range(text)
            .and_then(|(address, length)| IpCidr::new(address, length).ok())
            .map(Self)
            .ok_or_else(|| refuse_range(text))
    }
}

/// Address and length of a range; none if either is none.
fn split_range(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    Some((address.parse().ok()?, u8::try_from(digits(length)?).ok()?))
}

#[cold]
fn refuse_range(text: &str) -> ValueError {
    let shown = Shown(text);
    if let Some((address, length)) = split_range(text) {
        return match IpInet::new(address, length) {
            Ok(inet) => {
                let network = written(&inet.network());
                ValueError::new(format!("{shown} has address bits after its prefix of {length} bits"))
                    .help("write the network's own address")
                    .guess(network)
            }
            Err(_) => {
                let most = if address.is_ipv4() { 32 } else { 128 };
                ValueError::new(format!("the prefix of {shown} is too long"))
                    .help(format!("write at most `/{most}`"))
            }
        };
    }
    let error = ValueError::new(format!("{shown} is not an address range"));
    match text.parse::<IpAddr>() {
        Ok(address) => error.help("add the length of the prefix").guess(written(&IpCidr::new_host(address))),
        Err(_) => error.help("write a network and the length of its prefix, such as `10.0.0.0/8`"),
    }
}

/// A range with its length even where it is one address.
fn written(range: &IpCidr) -> String {
    format!("{}/{}", range.first_address(), range.network_length())
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network(), self.prefix_length())
    }
}

impl IpOrCidr {
    /// Whether the address is it or lies in it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        match self {
            Self::Ip(own) => own.get() == address,
            Self::Cidr(range) => range.contains(address),
        }
    }

    /// As a range, of one address if need be.
    #[must_use]
    pub const fn as_cidr(self) -> Cidr {
        match self {
            Self::Ip(address) => Cidr(IpCidr::new_host(address.0)),
            Self::Cidr(range) => range,
        }
    }

    /// Whether it is written as a range.
    #[must_use]
    pub const fn is_cidr(self) -> bool {
        matches!(self, Self::Cidr(_))
    }
}

impl Literal for IpOrCidr {
    const NAME: &'static str = "address or range";
    const DOC: &'static str = "an IP address or a range of them, such as `10.0.0.1` or `10.0.0.0/8`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.contains('/') {
            Cidr::parse(text).map(Self::Cidr)
        } else {
            IpAddress::parse(text).map(Self::Ip)
        }
    }
}

impl fmt::Display for IpOrCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Cidr(range) => range.fmt(f),
        }
    }
}

impl UnixAddress {
    /// Whether it is an abstract name, `@name`.
    #[must_use]
    pub fn is_abstract(&self) -> bool {
        self.text.starts_with('@')
    }

    /// The spelling of Istio's API, with `unix://`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{UNIX}{}", self.text)
    }
}

impl Literal for UnixAddress {
    const NAME: &'static str = "Unix socket";
    const DOC: &'static str =
        "the absolute path of a socket, or `@` and an abstract name, such as `\"/run/app.sock\"`";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if let Some(error) = control_character(text, &[]) {
            return Err(error);
        }
        let valid = match text.as_bytes() {
            [b'@', rest @ ..] => !rest.is_empty(),
            [b'/', .., last] => *last != b'/',
            _ => false,
        };
        if valid && text.len() <= UNIX_MAX { Ok(Self { text: text.into() }) } else { Err(refuse_unix(text)) }
    }
}

#[cold]
fn refuse_unix(text: &str) -> ValueError {
    if text.len() > UNIX_MAX {
        return ValueError::new(format!("Unix socket {} has more than {UNIX_MAX} bytes", Shown(text)))
            .help("shorten it: an address of the operating system has no room for more");
    }
    ValueError::new(format!("{} is not the path of a Unix socket", Shown(text)))
        .help("write the absolute path of a file, or `@` and an abstract name")
}

impl Literal for EndpointAddress {
    const NAME: &'static str = "endpoint address";
    const DOC: &'static str = "an IP address, a host name or a Unix socket, such as `10.0.0.1`, `db.example.com` or \
         `\"unix:///run/app.sock\"`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if let Some(socket) = text.strip_prefix(UNIX) {
            let part = |error: ValueError| error.of_part(UNIX.len(), |socket| format!("{UNIX}{socket}"));
            return UnixAddress::parse(socket).map(Self::Unix).map_err(part);
        }
        match text.parse() {
            Ok(address) => Ok(Self::Ip(IpAddress(address))),
            Err(_) => Fqdn::parse(text).map(Self::Host),
        }
    }
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Host(name) => name.fmt(f),
            Self::Unix(socket) => write!(f, "{UNIX}{socket}"),
        }
    }
}
