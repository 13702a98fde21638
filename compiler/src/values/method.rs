//! HTTP methods.

use smol_str::SmolStr;

use super::error::Shown;
use super::header::is_token_byte;
use super::newtype::text_value;
use super::words::words;
use super::{Form, Literal, ValueError};

/// An HTTP method: a token without lower-case letters, such as `GET` or `PURGE`. Methods differ by letter
/// case (RFC 9110).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method {
    text: SmolStr,
}

text_value!(Method);

words! {
    /// A method that a CORS policy may allow: the nine that Istio knows, or all of them (rule V21).
    pub enum CorsMethod: "CORS method" {
        Get = "GET" "read a resource",
        Head = "HEAD" "read the headers of a resource",
        Post = "POST" "submit to a resource",
        Put = "PUT" "replace a resource",
        Patch = "PATCH" "change a part of a resource",
        Delete = "DELETE" "remove a resource",
        Connect = "CONNECT" "open a tunnel",
        Options = "OPTIONS" "ask what is possible",
        Trace = "TRACE" "echo the request",
        Any = "*" "every method",
    }
}

impl Method {
    /// Whether it is one of the nine methods of RFC 9110 and RFC 5789.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        CorsMethod::ALL.iter().any(|method| *method != CorsMethod::Any && method.word() == self.as_str())
    }
}

/// The methods that Envoy reads in HTTP/1.1: to any other it answers 400 before it looks for a route (`BalsaParser`, which took them
/// over from Node's parser; in HTTP/2 it reads every method).
const OF_ENVOY: [&str; 34] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// Whether Envoy reads a method in HTTP/1.1.
#[must_use]
pub fn is_read_by_envoy(method: &str) -> bool {
    OF_ENVOY.contains(&method)
}

impl Literal for Method {
    const NAME: &'static str = "method";
    const DOC: &'static str = "an HTTP method in upper case, such as `GET` or `PURGE`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let fits = |b: u8| is_token_byte(b) && !b.is_ascii_lowercase();
        if !text.is_empty() && text.bytes().all(fits) {
            Ok(Self { text: text.into() })
        } else {
            Err(refuse(text))
        }
    }
}

#[cold]
fn refuse(text: &str) -> ValueError {
    if text.is_empty() {
        return ValueError::new("empty method").help("write a method such as `GET`");
    }
    if text.bytes().all(is_token_byte) {
        return ValueError::new(format!(
            "method {} has lower-case letters, so no request would have it",
            Shown(text)
        ))
        .guess(text.to_ascii_uppercase());
    }
    ValueError::new(format!("{} is not an HTTP method", Shown(text))).help("write a method such as `GET`")
}
