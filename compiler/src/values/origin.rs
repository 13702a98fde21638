//! Origins, as browsers send them.

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::{Form, Literal, ValueError};

/// The value of the header `Origin` (RFC 6454, 7; the Fetch standard): a scheme, a host and a port that is not the usual one, in
/// lower case and without a path; `null`; or `*` for all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    text: SmolStr,
}

text_value!(Origin);

/// Schemes whose usual port browsers leave out.
const USUAL_PORTS: [(&str, &str); 2] = [("http://", ":80"), ("https://", ":443")];

impl Literal for Origin {
    const NAME: &'static str = "origin";
    const DOC: &'static str =
        "an origin as browsers send it, such as `\"https://app.example.com\"`; `\"*\"` is every origin";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text == "*" || text == "null" || is_origin(text) {
            return Ok(Self { text: text.into() });
        }
        Err(refuse(text).checked::<Self>())
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let in_scheme =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
    let in_authority =
        |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && !b"/\\?#@*\"<>".contains(&byte);
    !scheme.is_empty()
        && scheme.bytes().all(in_scheme)
        && authority.bytes().all(in_authority)
        && !USUAL_PORTS.iter().any(|(scheme, port)| text.starts_with(scheme) && text.ends_with(port))
}

#[cold]
fn refuse(text: &str) -> ValueError {
    if text.is_empty() {
        return ValueError::new("empty origin")
            .help("write an origin such as `https://app.example.com`, or `*` for all of them");
    }
    let shown = Shown(text);
    if matches!(text, "any" | "all" | "everywhere") {
        let error = ValueError::new(format!("no browser sends the origin {shown}: every origin is `*`"));
        return error.guess("*");
    }
    let never = |why: &str| ValueError::new(format!("no browser sends the origin {shown}: {why}"));
    let Some((scheme, rest)) = text.split_once("://") else {
        return never("it has no scheme").guess(format!("https://{text}"));
    };
    if text.contains('*') {
        return never("`*` is no wildcard in it").help(
            "write `matches` and a regular expression, such as `matches r\"https://[^.]+[.]example[.]com\"`",
        );
    }
    if let Some((authority, _)) = rest.split_once(['/', '?', '#']) {
        return never("an origin has no path").guess(format!("{scheme}://{authority}"));
    }
    let usual = USUAL_PORTS.iter().find(|(start, port)| text.starts_with(start) && text.ends_with(port));
    if let Some((_, port)) = usual {
        return never("browsers omit the default port of a scheme")
            .guess(text.strip_suffix(port).unwrap_or(text));
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return never("it is written in lower case").guess(text.to_ascii_lowercase());
    }
    never("it has characters that no host name has")
        .help("write a scheme and a host, such as `https://app.example.com`")
}
