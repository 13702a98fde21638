//! Whether a pattern says the same of a path with its escapes as of the decoded one.
//!
//! nginx compares paths that it has decoded; the language asks patterns of paths whose escapes stand, such as `/a%20b`. A rule that
//! takes one and not the other could let a request through that another data plane stops. So a pattern is carried only if it
//! cannot tell the two apart: characters that are sent as escapes stand in it only by repeated classes that take all of them, like
//! `.*` and `[^/]+`, and what comes behind such a class cannot begin inside of an escape.
//!
//! Escapes of other characters, such as `%2C`, are compared as the character, and sent on as they are written. `docs/targets.md` says
//! so.

use meshc_compiler::values::Pattern;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Why a pattern tells escapes from what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TellsEscapes;

/// Checks a pattern of a path. One that `fit` refuses is not looked at.
pub(super) fn check(pattern: &Pattern) -> Result<(), TellsEscapes> {
    pattern.hir().map_or(Ok(()), |hir| begins_in_escape(&hir, false).map(|_| ()))
}

/// Whether nginx sends a character of a path as an escape. It refuses paths with ends of lines, `\\` and NUL.
pub(super) const fn is_escaped(byte: u8) -> bool {
    !byte.is_ascii_graphic()
        || matches!(byte, b'%' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'?' | b'#')
}

/// Whether what begins here may begin with the digits of an escape; `behind` says so of what comes behind it.
fn begins_in_escape(hir: &Hir, behind: bool) -> Result<bool, TellsEscapes> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(Look::Start | Look::End) => Ok(behind),
        HirKind::Look(_) => Err(TellsEscapes),
        HirKind::Literal(literal) => {
            if literal.0.iter().any(|byte| is_escaped(*byte)) {
                return Err(TellsEscapes);
            }
            Ok(literal.0.first().map_or(behind, u8::is_ascii_hexdigit))
        }
        HirKind::Class(class) => match Taken::by(class) {
            Taken::Plain { digits } => Ok(digits),
            Taken::All | Taken::Some => Err(TellsEscapes),
        },
        HirKind::Repetition(repetition) => repeated(repetition, behind),
        HirKind::Capture(capture) => begins_in_escape(&capture.sub, behind),
        HirKind::Concat(parts) => {
            parts.iter().rev().try_fold(behind, |behind, part| begins_in_escape(part, behind))
        }
        HirKind::Alternation(parts) => {
            parts.iter().try_fold(false, |any, part| Ok(begins_in_escape(part, behind)? || any))
        }
    }
}

fn repeated(repetition: &Repetition, behind: bool) -> Result<bool, TellsEscapes> {
    let Repetition { min, max, greedy: _, sub } = repetition;
    if let HirKind::Class(class) = unwrapped(sub).kind()
        && Taken::by(class) == Taken::All
    {
        let any_number = *min <= 1 && max.is_none();
        return if any_number && !behind { Ok(true) } else { Err(TellsEscapes) };
    }
    // It may stand behind itself.
    let first = begins_in_escape(sub, behind)?;
    let again = if max.is_some_and(|max| max <= 1) { first } else { begins_in_escape(sub, behind || first)? };
    Ok(again || *min == 0 && behind)
}

/// What is inside of groups.
fn unwrapped(hir: &Hir) -> &Hir {
    match hir.kind() {
        HirKind::Capture(capture) => unwrapped(&capture.sub),
        HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Literal(_)
        | HirKind::Class(_)
        | HirKind::Repetition(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => hir,
    }
}

/// Which characters that are sent as escapes a class takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// None. `digits` says whether it takes digits of escapes.
    Plain { digits: bool },
    /// All, and what escapes are written with.
    All,
    /// Only some.
    Some,
}

impl Taken {
    fn by(class: &Class) -> Self {
        let bytes = match class {
            Class::Bytes(bytes) => Some(bytes.clone()),
            Class::Unicode(chars) => chars.to_byte_class(),
        };
        let Some(bytes) = bytes else { return Self::Some };
        let takes = |byte: u8| bytes.iter().any(|range| (range.start()..=range.end()).contains(&byte));
        let digits = |byte: &u8| byte.is_ascii_hexdigit();
        let all = |byte: &u8| is_escaped(*byte) && !matches!(byte, 0 | b'\n' | b'\r' | b'\\');
        let escaped = |byte: &u8| is_escaped(*byte);
        if !(0..=u8::MAX).filter(escaped).any(takes) {
            return Self::Plain { digits: (0..=u8::MAX).filter(digits).any(takes) };
        }
        let whole = (0..=u8::MAX).filter(|byte| all(byte) || digits(byte)).all(takes);
        if whole { Self::All } else { Self::Some }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::check;
    use meshc_compiler::values::{Literal, Pattern};

    #[test]
    fn patterns_that_tell_escapes_from_characters_are_known() {
        for (pattern, carried) in [
            ("/api/v[0-9]+/.*", true),
            (r"/users/[^/]+/orders", true),
            (r".+\.(css|js)", true),
            ("(/[^/]+)*", true),
            ("/files(/.*)?", true),
            (r"^/\w+$", true),
            // `/admin/%20` has it, `/admin/ ` does not.
            ("/admin/[!-~]+", false),
            // The other way about.
            ("/a[ -~]", false),
            ("/a/[^/]", false),
            ("/a/[^/]{3}", false),
            ("/a/[^/]{1,9}", false),
            ("/a/[^?]+", false),
            ("/a b", false),
            // `%20` ends with `20`.
            ("/.*20", false),
            ("/.*[0-9]", false),
            ("/(.*-?)a", false),
            ("/(?:.*|x)?a", false),
            ("/[^/]+.+", false),
            ("(?:[^/]+-?)*", false),
            (r"/.*\b.*", false),
        ] {
            assert_eq!(check(&Pattern::parse(pattern).unwrap()).is_ok(), carried, "{pattern}");
        }
    }
}
