//! Names: of Kubernetes resources and of the language's own items.

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::{Form, Literal, ValueError};

/// A DNS label in lower case, at most 63 characters (RFC 1123), such as a Gateway's name, a subset or a
/// port's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsLabel {
    text: SmolStr,
}

/// A Kubernetes namespace: a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace {
    text: SmolStr,
}

/// The name of a Kubernetes resource: DNS labels joined by dots, at most 253 characters (DNS-1123 subdomain).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName {
    text: SmolStr,
}

/// A name of the language (route, policy, template): words in lower case joined by single hyphens, starting
/// with a letter, at most 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word {
    text: SmolStr,
}

text_value!(DnsLabel, Namespace, ResourceName, Word);

/// Longest DNS label, and longest name of the language.
pub(super) const LABEL_MAX: usize = 63;
const SUBDOMAIN_MAX: usize = 253;

/// Whether the text is a DNS label in lower case.
fn is_label(text: &str) -> bool {
    text.len() <= LABEL_MAX && is_label_of_any_length(text)
}

/// Whether the text is a name of the language.
fn is_word(text: &str) -> bool {
    let mut previous = b'-';
    text.len() <= LABEL_MAX
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(|b| {
            let fits = matches!(b, b'a'..=b'z' | b'0'..=b'9') || (b == b'-' && previous != b'-');
            previous = b;
            fits
        })
        && previous != b'-'
}

impl Literal for DnsLabel {
    const NAME: &'static str = "DNS label";
    const DOC: &'static str =
        "lower-case letters, digits and inner hyphens, at most 63, such as `v1` or `http-web`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if is_label(text) { Ok(Self { text: text.into() }) } else { Err(refuse_label(text, Self::NAME)) }
    }
}

impl Literal for Namespace {
    const NAME: &'static str = "namespace";
    const DOC: &'static str =
        "a Kubernetes namespace: lower-case letters, digits and inner hyphens, at most 63, such as `prod`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if is_label(text) { Ok(Self { text: text.into() }) } else { Err(refuse_label(text, Self::NAME)) }
    }
}

impl Literal for ResourceName {
    const NAME: &'static str = "resource name";
    const DOC: &'static str = "a Kubernetes resource name: lower-case letters, digits, inner hyphens and dots, at most 253, \
         such as `bookinfo.v1`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.len() <= SUBDOMAIN_MAX && text.split('.').all(is_label_of_any_length) {
            return Ok(Self { text: text.into() });
        }
        Err(refuse_resource(text))
    }
}

/// Kubernetes bounds the length of a subdomain only as a whole.
fn is_label_of_any_length(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| *b != b'-')
        && bytes.last().is_some_and(|b| *b != b'-')
        && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl Literal for Word {
    const NAME: &'static str = "name";
    const DOC: &'static str = "words in lower case joined by hyphens, starting with a letter, at most 63 characters, such as \
         `slow-retry`";
    const FORM: Form = Form::Bare;

    fn parse(text: &str) -> Result<Self, ValueError> {
        if is_word(text) { Ok(Self { text: text.into() }) } else { Err(refuse_word(text)) }
    }
}

impl From<Namespace> for DnsLabel {
    fn from(namespace: Namespace) -> Self {
        Self { text: namespace.text }
    }
}

impl From<DnsLabel> for ResourceName {
    fn from(label: DnsLabel) -> Self {
        Self { text: label.text }
    }
}

impl From<Word> for DnsLabel {
    fn from(word: Word) -> Self {
        Self { text: word.text }
    }
}

#[cold]
fn refuse_label(text: &str, kind: &str) -> ValueError {
    let help = "use lower-case letters, digits and hyphens, with a letter or digit at both ends";
    let error = describe(text, kind, LABEL_MAX).help(help);
    let respelt = hyphenated(text);
    if is_label(&respelt) { error.guess(respelt) } else { error }
}

#[cold]
fn refuse_resource(text: &str) -> ValueError {
    let help =
        "use lower-case letters, digits, hyphens and dots, with a letter or digit at both ends of each part";
    let error = describe(text, ResourceName::NAME, SUBDOMAIN_MAX).help(help);
    let respelt = text.to_ascii_lowercase().replace('_', "-");
    let right = respelt.len() <= SUBDOMAIN_MAX && respelt.split('.').all(is_label_of_any_length);
    if right { error.guess(respelt) } else { error }
}

#[cold]
fn refuse_word(text: &str) -> ValueError {
    let error = describe(text, "name", LABEL_MAX)
        .help("write words in lower case joined by hyphens, such as `slow-retry`");
    let respelt = hyphenated(text);
    if is_word(&respelt) { error.guess(respelt) } else { error }
}

/// The first thing that is wrong with a name.
fn describe(text: &str, kind: &str, most: usize) -> ValueError {
    if text.is_empty() {
        return ValueError::new(format!("empty {kind}"));
    }
    let shown = Shown(text);
    if text.len() > most {
        return ValueError::new(format!("{kind} {shown} has {} characters; the limit is {most}", text.len()));
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return ValueError::new(format!("{kind} {shown} has upper-case letters"));
    }
    let odd = |c: &char| !matches!(c, 'a'..='z' | '0'..='9' | '-');
    match text.chars().find(odd) {
        Some(c) if !(c == '.' && kind == ResourceName::NAME) => {
            ValueError::new(format!("{kind} {shown} has {}", character(c)))
        }
        _ if text.starts_with(|c: char| c.is_ascii_digit()) => {
            ValueError::new(format!("{kind} {shown} does not start with a letter"))
        }
        _ => ValueError::new(format!("{kind} {shown} has a hyphen or dot at the wrong place")),
    }
}

/// A character for a message, named if it can't be seen.
fn character(c: char) -> String {
    match c {
        '_' => "an underscore".into(),
        ' ' => "a space".into(),
        '.' => "a dot".into(),
        '/' => "a slash".into(),
        _ => format!("the character {}", Shown(c.encode_utf8(&mut [0; 4]))),
    }
}

/// `fooBar`, `foo_bar`, `Foo Bar` as `foo-bar`; other characters fall out.
fn hyphenated(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let mut after_small = false;
    for c in text.chars() {
        match c {
            'A'..='Z' => {
                if after_small {
                    out.push('-');
                }
                out.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' => out.push(c),
            _ if !out.ends_with('-') => out.push('-'),
            _ => {}
        }
        after_small = matches!(c, 'a'..='z' | '0'..='9');
    }
    out.trim_matches('-').to_owned()
}
