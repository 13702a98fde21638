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
    pattern.hir().map_or(Ok(()), |hir| begin(&hir, Begin::Outside).map(|_| ()))
}

/// Where what a part of a pattern takes may begin, seen from an escape in front of it. The greater one holds for a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Begin {
    /// Not with a digit of the escape.
    Outside,
    /// Within the escape, but only by a repeated class that takes all of its characters too, so that either of the two can have
    /// the whole escape. It needs so many characters, none or one.
    Shared(u32),
    /// With a digit of the escape.
    Inside,
}

/// Whether nginx sends a character of a path as an escape. It refuses paths with ends of lines, `\\` and NUL.
pub(super) const fn is_escaped(byte: u8) -> bool {
    !byte.is_ascii_graphic()
        || matches!(byte, b'%' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'?' | b'#')
}

/// Where a part may begin; `behind` says so of what comes behind it.
fn begin(hir: &Hir, behind: Begin) -> Result<Begin, TellsEscapes> {
    let of_digit = |is_digit: bool| if is_digit { Begin::Inside } else { Begin::Outside };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(Look::Start | Look::End) => Ok(behind),
        HirKind::Look(_) => Err(TellsEscapes),
        HirKind::Literal(literal) => {
            if literal.0.iter().any(|byte| is_escaped(*byte)) {
                return Err(TellsEscapes);
            }
            Ok(literal.0.first().map_or(behind, |byte| of_digit(byte.is_ascii_hexdigit())))
        }
        HirKind::Class(class) => match Taken::by(class) {
            Taken::Plain { digits } => Ok(of_digit(digits)),
            Taken::All | Taken::Some => Err(TellsEscapes),
        },
        HirKind::Repetition(repetition) => repeated(repetition, behind),
        HirKind::Capture(capture) => begin(&capture.sub, behind),
        HirKind::Concat(parts) => parts.iter().rev().try_fold(behind, |behind, part| begin(part, behind)),
        HirKind::Alternation(parts) => {
            parts.iter().try_fold(Begin::Outside, |first, part| Ok(begin(part, behind)?.max(first)))
        }
    }
}

fn repeated(repetition: &Repetition, behind: Begin) -> Result<Begin, TellsEscapes> {
    let Repetition { min, max, greedy: _, sub } = repetition;
    if let HirKind::Class(class) = unwrapped(sub).kind()
        && Taken::by(class) == Taken::All
    {
        // A character and its escape are one character and three: what needs two of them tells the two apart.
        let needed = match behind {
            Begin::Outside => *min,
            Begin::Shared(behind) => min.saturating_add(behind),
            Begin::Inside => return Err(TellsEscapes),
        };
        return if max.is_none() && needed <= 1 { Ok(Begin::Shared(needed)) } else { Err(TellsEscapes) };
    }
    // It may stand behind itself.
    let first = begin(sub, behind)?;
    let again = if max.is_some_and(|max| max <= 1) { first } else { begin(sub, behind.max(first))? };
    Ok(if *min == 0 { again.max(behind) } else { again })
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
            (r"/api(/|$)(.*).*", true),
            ("/a(/.*)?.*", true),
            ("/a/[^/]+.*", true),
            ("/a/.*.+", true),
            // A character is one, its escape three.
            ("/a.+.+", false),
            ("/a/[^/]+([^/]+-)?", false),
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
