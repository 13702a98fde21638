//! Kubernetes labels, for workloads and subsets.

use std::fmt;

use smol_str::SmolStr;

use super::error::Shown;
use super::name::LABEL_MAX;
use super::newtype::text_value;
use super::{Form, Literal, ValueError};

/// A label's key: a name of at most 63 characters, after an optional DNS name of at most 253 and a slash
/// (rule C6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelKey {
    text: SmolStr,
}

/// A label's value: empty, or at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at both
/// ends. Istio's validation forgets the length (hole H32); Kubernetes does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelValue {
    text: SmolStr,
}

text_value!(LabelKey, LabelValue);

/// A label, written `version=v1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    key: LabelKey,
    value: LabelValue,
}

/// Longest DNS name before the slash of a key.
const PREFIX_MAX: usize = 253;

/// Whether the text is letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_qualified(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= LABEL_MAX
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Whether the text is a DNS name in any letter case; Istio bounds only its whole length here.
fn is_prefix(text: &str) -> bool {
    text.len() <= PREFIX_MAX
        && text.split('.').all(|part| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(u8::is_ascii_alphanumeric)
                && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
                && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        })
}

impl Label {
    /// The key.
    #[must_use]
    pub const fn key(&self) -> &LabelKey {
        &self.key
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &LabelValue {
        &self.value
    }

    /// A label of its parts.
    #[must_use]
    pub const fn new(key: LabelKey, value: LabelValue) -> Self {
        Self { key, value }
    }
}

impl Literal for LabelKey {
    const NAME: &'static str = "label key";
    const DOC: &'static str = "letters, digits, `-`, `_`, `.`, at most 63, after an optional DNS name and slash, such as \
         `app.kubernetes.io/name`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let valid = match text.split_once('/') {
            None => is_qualified(text),
            Some((prefix, name)) => is_prefix(prefix) && is_qualified(name),
        };
        if valid { Ok(Self { text: text.into() }) } else { Err(refuse_key(text)) }
    }
}

impl Literal for LabelValue {
    const NAME: &'static str = "label value";
    const DOC: &'static str = "letters, digits, `-`, `_`, `.`, at most 63, or nothing, such as `v1`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() || is_qualified(text) {
            return Ok(Self { text: text.into() });
        }
        Err(refuse_qualified(text, Self::NAME))
    }
}

impl Literal for Label {
    const NAME: &'static str = "label";
    const DOC: &'static str = "a Kubernetes label as key and value, such as `version=v1`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, ValueError> {
        let Some((key, value)) = text.split_once('=') else { return Err(refuse_label(text)) };
        Ok(Self { key: LabelKey::parse(key)?, value: LabelValue::parse(value)? })
    }
}

#[cold]
fn refuse_label(text: &str) -> ValueError {
    let error = ValueError::new(format!("label {} has no `=`", Shown(text)))
        .help("write key and value, such as `version=v1`");
    match text.split_once(':') {
        Some((key, value)) => {
            let respelt = format!("{}={}", key.trim(), value.trim());
            if Label::parse(&respelt).is_ok() { error.guess(respelt) } else { error }
        }
        None => error,
    }
}

#[cold]
fn refuse_key(text: &str) -> ValueError {
    match text.split_once('/') {
        Some((prefix, _)) if !is_prefix(prefix) => {
            ValueError::new(format!("label key {} has a bad DNS name before the slash", Shown(text)))
                .help("write a DNS name of at most 253 characters, such as `app.kubernetes.io/name`")
        }
        Some((_, name)) => refuse_qualified(name, LabelKey::NAME),
        None => refuse_qualified(text, LabelKey::NAME),
    }
}

fn refuse_qualified(text: &str, kind: &str) -> ValueError {
    let shown = Shown(text);
    let error = if text.is_empty() {
        ValueError::new(format!("empty {kind}"))
    } else if text.len() > LABEL_MAX {
        ValueError::new(format!("{kind} {shown} has {} characters; the limit is {LABEL_MAX}", text.len()))
    } else {
        let odd = |c: &char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.');
        match text.chars().find(odd) {
            Some(c) => ValueError::new(format!(
                "{kind} {shown} has the character {}",
                Shown(c.encode_utf8(&mut [0; 4]))
            )),
            None => ValueError::new(format!("{kind} {shown} must begin and end with a letter or digit")),
        }
    };
    error.help("use letters, digits, `-`, `_` and `.`, with a letter or digit at both ends")
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}
