//! HTTP headers: their names, their values, and what a header condition may name.

use std::fmt;
use std::hash::{Hash, Hasher};

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::text::control_character;
use super::words::unknown_word;
use super::{Form, Literal, ValueError, variable};

/// A header's name: an HTTP token in any letter case, or a pseudo header such as `:authority`.
///
/// Equality, order and `Display` are those of the name in lower case, which is what Envoy compares; what the
/// author wrote is kept beside it.
#[derive(Clone, Debug)]
pub struct HeaderName {
    lower: SmolStr,
    written: SmolStr,
}

/// What a header condition may name: a header, a pseudo header, or a claim of a verified JWT (rule V16).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchHeaderName {
    /// A header or pseudo header.
    Header(HeaderName),
    /// A JWT claim, `@request.auth.claims.x` or `@request.auth.claims[x][y]`, as istiod reads it; the text
    /// has the prefix in lower case and the claims as written.
    Claim(SmolStr),
}

/// A header's value for a proxy to set: no control characters except tabs, variables that Envoy knows (`%REQ(x)%`), `%%` for a
/// percent sign (rule C10).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderValue {
    text: SmolStr,
}

/// The name of a cookie: an HTTP token (RFC 6265, 4.1.1), whose letter case counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CookieName {
    text: SmolStr,
}

text_value!(HeaderValue, CookieName);

/// The pseudo headers that Istio takes in a match.
const PSEUDO: &[(&str, &str)] = &[
    (":method", "the request's method"),
    (":scheme", "the request's scheme"),
    (":authority", "the host that the request is for"),
    (":path", "the path with the query"),
    (":status", "the response's status"),
];
/// Longest value in bytes that Envoy's configuration takes.
const LONGEST_VALUE: usize = 16_384;
const CLAIMS: &str = "@request.auth.claims";

/// Whether the byte may stand in an HTTP token (RFC 9110, 5.6.2).
pub(super) fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

impl HeaderName {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.lower.as_str()
    }

    /// The name as the author wrote it.
    #[must_use]
    pub fn as_written(&self) -> &str {
        self.written.as_str()
    }

    /// Whether it is a pseudo header, such as `:path`.
    #[must_use]
    pub fn is_pseudo(&self) -> bool {
        self.lower.starts_with(':')
    }

    /// Whether it names the request's host: `host` or `:authority`.
    #[must_use]
    pub fn is_host(&self) -> bool {
        matches!(self.as_str(), "host" | ":authority")
    }

    /// Whether a proxy writes it for what came in, before it chooses a route (Envoy: "HTTP header manipulation"). What callers say
    /// in it may not count.
    #[must_use]
    pub fn is_of_proxies(&self) -> bool {
        let name = self.as_str();
        matches!(name, "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-client-cert" | "x-request-id")
            || name.starts_with("x-envoy-")
    }

    /// What is left of it when a route is chosen, if it is about the connection: proxies take such headers away first (Envoy
    /// `ConnectionManagerUtility::mutateRequestHeaders`).
    #[must_use]
    pub fn of_connection(&self) -> Option<OfConnection> {
        Some(match self.as_str() {
            "keep-alive" | "proxy-connection" | "transfer-encoding" => OfConnection::Nothing,
            "connection" => OfConnection::Upgrading,
            "upgrade" => OfConnection::WebSocket,
            "te" => OfConnection::Trailers,
            _ => return None,
        })
    }
}

/// What is left of a header about the connection when a route is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfConnection {
    /// Nothing.
    Nothing,
    /// All of it where the request asks for an upgrade to WebSocket, else nothing: it has the word `upgrade`.
    Upgrading,
    /// `websocket` in any letter case, where the request asks for that.
    WebSocket,
    /// `trailers`, where that is in it.
    Trailers,
}

impl Literal for HeaderName {
    const NAME: &'static str = "header name";
    const DOC: &'static str =
        "the name of an HTTP header in any letter case, or a pseudo header, such as `x-request-id`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let token = !text.is_empty() && text.bytes().all(is_token_byte);
        if !token && !PSEUDO.iter().any(|(name, _)| *name == text) {
            return Err(refuse_name(text));
        }
        let written = SmolStr::new(text);
        let lower = if text.bytes().any(|b| b.is_ascii_uppercase()) {
            SmolStr::from(text.to_ascii_lowercase())
        } else {
            written.clone()
        };
        Ok(Self { lower, written })
    }
}

#[cold]
fn refuse_name(text: &str) -> ValueError {
    if text.is_empty() {
        return ValueError::new("empty header name").help("write a name such as `x-request-id`");
    }
    if text.starts_with(':') {
        return unknown_word("pseudo header", text, PSEUDO, &[]);
    }
    let (offset, c) =
        text.char_indices().find(|(_, c)| !u8::try_from(*c).is_ok_and(is_token_byte)).unwrap_or((0, ' '));
    let shown = Shown(text);
    let error = if text.starts_with(CLAIMS) {
        ValueError::new(format!("{shown} is not a header; JWT claims are allowed in conditions only"))
    } else if let Some(name) = text.strip_suffix([':', '=']).filter(|name| name.len() == offset) {
        let sign = if c == ':' { "a colon" } else { "`=`" };
        return ValueError::new(format!("header name {shown} ends with {sign}")).respell(name).at(offset);
    } else {
        ValueError::new(format!(
            "header name {shown} has the character {}",
            Shown(c.encode_utf8(&mut [0; 4]))
        ))
    };
    error.help("use letters, digits and hyphens").at(offset)
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.lower == other.lower
    }
}

impl Eq for HeaderName {}

impl PartialOrd for HeaderName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HeaderName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.lower.cmp(&other.lower)
    }
}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lower.hash(state);
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Literal for CookieName {
    const NAME: &'static str = "cookie name";
    const DOC: &'static str = "the name of a cookie, such as `session`; letter case counts";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if !text.is_empty() && text.bytes().all(is_token_byte) {
            return Ok(Self { text: text.into() });
        }
        Err(ValueError::new(format!("{} is not the name of a cookie", Shown(text)))
            .help("use letters, digits, hyphens and underscores"))
    }
}

impl MatchHeaderName {
    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Header(name) => name.as_str(),
            Self::Claim(text) => text.as_str(),
        }
    }

    /// Whether it is a pseudo header.
    #[must_use]
    pub fn is_pseudo(&self) -> bool {
        matches!(self, Self::Header(name) if name.is_pseudo())
    }

    /// Whether it names the request's host: `host` or `:authority`.
    #[must_use]
    pub fn is_host(&self) -> bool {
        matches!(self, Self::Header(name) if name.is_host())
    }

    /// The path of nested claims, for a JWT claim.
    #[must_use]
    pub fn claims(&self) -> Option<Vec<&str>> {
        match self {
            Self::Header(_) => None,
            Self::Claim(text) => claim_path(text),
        }
    }
}

impl Literal for MatchHeaderName {
    const NAME: &'static str = "header or claim";
    const DOC: &'static str =
        "a header, a pseudo header such as `:path`, or a JWT claim such as `@request.auth.claims.sub`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if !text.starts_with('@') {
            return HeaderName::parse(text).map(Self::Header);
        }
        let claims = text.get(..CLAIMS.len()).filter(|prefix| prefix.eq_ignore_ascii_case(CLAIMS));
        match claims.and(text.get(CLAIMS.len()..)) {
            Some(path) if claim_path(text).is_some() => Ok(Self::Claim(SmolStr::from_iter([CLAIMS, path]))),
            _ => Err(refuse_claim(text)),
        }
    }
}

/// The claims of `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`.
fn claim_path(text: &str) -> Option<Vec<&str>> {
    let path = text.get(CLAIMS.len()..)?;
    let claims: Vec<&str> = match path.strip_prefix('.') {
        Some(dotted) => dotted.split('.').collect(),
        None => path.strip_prefix('[')?.strip_suffix(']')?.split("][").collect(),
    };
    claims.iter().all(|claim| !claim.is_empty()).then_some(claims)
}

#[cold]
fn refuse_claim(text: &str) -> ValueError {
    ValueError::new(format!("{} is not a JWT claim", Shown(text)))
        .help("write `@request.auth.claims.NAME` or, for nested claims, `\"@request.auth.claims[NAME][NAME]\"` in quotes")
}

impl fmt::Display for MatchHeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Literal for HeaderValue {
    const NAME: &'static str = "header value";
    const DOC: &'static str =
        "text without control characters; `%REQ(x-id)%` is a variable of Envoy and `%%` a percent sign";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if let Some(error) = control_character(text, &['\t']) {
            return Err(error);
        }
        if text.len() > LONGEST_VALUE {
            return Err(ValueError::new(format!(
                "the header value has {} bytes; the limit is {LONGEST_VALUE}",
                text.len()
            ))
            .help("shorten it: no proxy takes a longer one"));
        }
        if text.bytes().any(|b| b == b'%') {
            variable::check(text)?;
        }
        Ok(Self { text: text.into() })
    }
}

impl HeaderValue {
    /// Whether it has a variable or an escape, so that its text is not sent as it stands.
    #[must_use]
    pub fn has_percent(&self) -> bool {
        self.text.contains('%')
    }

    /// Whether Istio's admission takes it: it reads no length, as in `%REQ(x):3%`, and not all texts in parentheses.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        variable::admission(self.as_str())
    }

    /// The request headers that its variables read: `x` and `y` of `%REQ(x?y)%`, in any letter case.
    pub fn headers_read(&self) -> impl Iterator<Item = &str> {
        variable::headers_read(self.as_str())
    }
}
