//! What takes the place of what a regular expression matches in a path.

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::path::{encoded, is_foreign};
use super::{Form, Literal, ValueError};

/// The text that takes the place of a match in a path (Istio `RegexRewrite.rewrite`, Envoy `RegexMatchAndSubstitute.substitution`):
/// characters of a path, `\1` to `\9` for the groups of the expression and `\0` for the whole match. It has no query and no
/// fragment: both would be taken for a part of the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replacement {
    text: SmolStr,
}

text_value!(Replacement);

/// A part of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplacementPart<'r> {
    /// It stands for itself.
    Text(&'r str),
    /// What a group matched; 0 for the whole match.
    Group(usize),
}

/// Longest text in bytes: nginx reads no longer token.
const MOST: usize = 4096;

impl Replacement {
    /// Its parts, in order.
    pub fn parts(&self) -> impl Iterator<Item = ReplacementPart<'_>> {
        let mut rest = self.as_str();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = rest.find('\\').unwrap_or(rest.len());
            if end > 0 {
                let (text, after) = rest.split_at_checked(end)?;
                rest = after;
                return Some(ReplacementPart::Text(text));
            }
            let digit = rest.chars().nth(1)?.to_digit(10)?;
            rest = rest.get(2..)?;
            Some(ReplacementPart::Group(usize::try_from(digit).ok()?))
        })
    }

    /// The highest group that it names.
    #[must_use]
    pub fn highest_group(&self) -> usize {
        let groups = self.parts().map(|part| match part {
            ReplacementPart::Group(group) => group,
            ReplacementPart::Text(_) => 0,
        });
        groups.max().unwrap_or(0)
    }
}

impl Literal for Replacement {
    const NAME: &'static str = "replacement";
    const DOC: &'static str = "the replacement of a match in a path: characters of a path, `\\1` to `\\9` for the groups of the \
         expression, such as `r\"/new/\\1\"`";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.len() > MOST {
            return Err(ValueError::new(format!(
                "the replacement has {} bytes; the limit is {MOST}",
                text.len()
            ))
            .help("shorten it"));
        }
        let mut chars = text.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            match (char, chars.peek().map(|(_, next)| *next)) {
                ('\\', Some('0'..='9')) => _ = chars.next(),
                ('$', Some(next @ ('0'..='9' | '{'))) => return Err(refuse_dollar(text, at, next)),
                (char, _) if u8::try_from(char).map_or(true, is_foreign) => {
                    return Err(refuse(text, at, char));
                }
                _ => {}
            }
        }
        Ok(Self { text: text.into() })
    }
}

#[cold]
fn refuse_dollar(text: &str, at: usize, next: char) -> ValueError {
    let error = ValueError::new("groups are not written with `$`: this text would be sent literally")
        .help("write `\\1` for the first group, and `%24` for a dollar sign")
        .at(at);
    if next == '{' { error } else { error.guess(text.replacen('$', "\\", 1)) }
}

#[cold]
fn refuse(text: &str, at: usize, char: char) -> ValueError {
    let shown = Shown(text);
    let named = Shown(char.encode_utf8(&mut [0; 4])).to_string();
    let error = match char {
        '?' | '#' => ValueError::new(format!(
            "the replacement {shown} has {named}: a path has no query and no fragment"
        ))
        .help("remove that part: the query of the request is kept"),
        '\\' => ValueError::new(format!(
            "a backslash in the replacement {shown} is followed by no number of a group"
        ))
        .help("write `\\1` for the first group"),
        char if char.is_control() => {
            ValueError::new(format!("the replacement {shown} has the control character {named}"))
                .help("remove the control character")
        }
        _ => {
            let part = encoded(char.encode_utf8(&mut [0; 4]));
            let error = ValueError::new(format!(
                "the replacement {shown} has the character {named}, which no path has"
            ))
            .help(format!("write it percent-encoded: `{part}`"));
            let respelt: String = text
                .chars()
                .map(|char| match u8::try_from(char) {
                    Ok(b'\\' | b'?' | b'#') => char.to_string(),
                    _ => encoded(char.encode_utf8(&mut [0; 4])),
                })
                .collect();
            if Replacement::parse(&respelt).is_ok() { error.guess(respelt) } else { error }
        }
    };
    error.at(at)
}
