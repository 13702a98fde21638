//! Queries of URLs.

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::path::encoded;
use super::{Form, Literal, ValueError};

/// The query of a URL, without `?` (RFC 3986, 3.4): `a=b&c`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query {
    text: SmolStr,
}

text_value!(Query);

/// Longest query in bytes: nginx reads no longer token.
const MOST: usize = 4096;

impl Literal for Query {
    const NAME: &'static str = "query";
    const DOC: &'static str = "the query of a URL, without `?`, such as `\"from=old&page=1\"`";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let may_stand = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte);
        if !text.is_empty() && text.len() <= MOST && !text.starts_with('?') && text.bytes().all(may_stand) {
            return Ok(Self { text: text.into() });
        }
        Err(refuse(text).checked::<Self>())
    }
}

#[cold]
fn refuse(text: &str) -> ValueError {
    let shown = Shown(text);
    if text.is_empty() {
        return ValueError::new("empty query").help("write `query drop` to remove the query");
    }
    if text.len() > MOST {
        return ValueError::new(format!("the query has {} bytes; the limit is {MOST}", text.len()))
            .help("shorten it");
    }
    if let Some(rest) = text.strip_prefix('?') {
        return ValueError::new(format!("the query {shown} starts with `?`")).respell(rest);
    }
    let error = ValueError::new(format!("the query {shown} has characters that no query has"));
    if text.contains('#') {
        return error.help("remove the fragment: clients never send it");
    }
    let parts: Vec<String> = text.split('?').map(encoded).collect();
    error.guess(parts.join("?"))
}
