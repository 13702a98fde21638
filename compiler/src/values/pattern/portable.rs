//! What RE2, PCRE2 and Rust's `regex` read alike: an allow-list over the syntax tree of `regex-syntax`.

use std::fmt;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    self, Assertion, AssertionKind, Ast, ClassSetBinaryOp, ClassSetItem, ClassSetRange, Flag, Flags,
    FlagsItemKind, Group, GroupKind, HexLiteralKind, Literal, LiteralKind, Repetition, Span,
    SpecialLiteralKind,
};

use super::super::error::Shown;

/// Why engines read a pattern differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPortable {
    reason: String,
    offset: usize,
}

impl NotPortable {
    /// The construct and what it means elsewhere.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Its byte offset in the pattern.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for NotPortable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for NotPortable {}

/// Deeper than 1024 bytes of pattern can nest.
pub(super) const NEST_MAX: u32 = 1024;
/// Longest name of a group in PCRE2 before 10.44.
const NAME_MAX: usize = 32;

/// Refuses a pattern that RE2 reads, but that not all engines read alike.
pub(super) fn check(pattern: &str) -> Result<(), NotPortable> {
    let tree = ParserBuilder::new()
        .nest_limit(NEST_MAX)
        .build()
        .parse(pattern)
        .map_err(|error| unread(pattern, &error))?;
    ast::visit(&tree, Walk { pattern, ignores_case: false })
}

/// RE2 has read the pattern, so what `regex-syntax` can't read is RE2's own.
#[cold]
fn unread(pattern: &str, error: &ast::Error) -> NotPortable {
    let offset = error.span().start.offset;
    let at_brace = pattern.get(offset..).is_some_and(|rest| rest.starts_with('{'));
    let reason = match own_syntax(error.kind()) {
        _ if at_brace => LITERAL_BRACE.to_owned(),
        Some(reason) => reason.to_owned(),
        None => format!("engines read {} differently", Shown(source(pattern, error.span()))),
    };
    NotPortable { reason, offset }
}

const LITERAL_BRACE: &str = "a brace that is no repeat is a literal for RE2 only; write `\\{`";

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are open, and all others share one sentence")]
fn own_syntax(kind: &ast::ErrorKind) -> Option<&'static str> {
    use ast::ErrorKind as Kind;
    Some(match kind {
        Kind::RepetitionCountUnclosed
        | Kind::RepetitionCountDecimalEmpty
        | Kind::DecimalEmpty
        | Kind::DecimalInvalid => LITERAL_BRACE,
        Kind::ClassRangeLiteral | Kind::ClassRangeInvalid => {
            "`-` beside a class such as `\\d` is a literal for RE2 only; write `\\-`"
        }
        Kind::ClassUnclosed => "an inner `[` is a literal for RE2 only; write `\\[`",
        Kind::GroupNameDuplicate { .. } => "two groups of one name are refused by nginx; rename one of them",
        Kind::UnsupportedBackreference => {
            "engines read octal escapes differently; write `\\x` and two hex digits"
        }
        Kind::RepetitionMissing => {
            "a repeat after flags applies to different things; put a group around what repeats"
        }
        _ => return None,
    })
}

fn source<'p>(pattern: &'p str, span: &Span) -> &'p str {
    pattern.get(span.start.offset..span.end.offset).unwrap_or_default()
}

struct Walk<'p> {
    pattern: &'p str,
    /// Whether letter case is ignored somewhere up to here.
    ignores_case: bool,
}

type Verdict = Result<(), NotPortable>;

impl Walk<'_> {
    #[cold]
    fn refuse(&self, span: &Span, why: &str) -> Verdict {
        let shown = Shown(source(self.pattern, span)).to_string();
        Err(NotPortable { reason: format!("{shown} {why}"), offset: span.start.offset })
    }

    /// A character that stands for itself, once: its bytes are the same for all, unless it is changed to the other case.
    fn single(&self, literal: &Literal) -> Verdict {
        if literal.kind == LiteralKind::Verbatim && !self.ignores_case {
            Ok(())
        } else {
            self.literal(literal)
        }
    }

    fn literal(&self, literal: &Literal) -> Verdict {
        if !literal.c.is_ascii() {
            return self
                .refuse(&literal.span, "is one character for some engines and several bytes for others");
        }
        match literal.kind {
            LiteralKind::Verbatim | LiteralKind::Meta | LiteralKind::Superfluous => Ok(()),
            LiteralKind::HexFixed(HexLiteralKind::X) | LiteralKind::HexBrace(HexLiteralKind::X) => Ok(()),
            LiteralKind::Special(SpecialLiteralKind::VerticalTab) => {
                self.refuse(&literal.span, "is any vertical space in PCRE2; write `\\x0b`")
            }
            LiteralKind::Special(_) => Ok(()),
            LiteralKind::Octal | LiteralKind::HexFixed(_) | LiteralKind::HexBrace(_) => {
                self.refuse(&literal.span, "is read differently by engines; write `\\x` and two hex digits")
            }
        }
    }

    fn assertion(&self, assertion: &Assertion) -> Verdict {
        match assertion.kind {
            AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText
            | AssertionKind::WordBoundary
            | AssertionKind::NotWordBoundary => Ok(()),
            AssertionKind::WordBoundaryStart
            | AssertionKind::WordBoundaryEnd
            | AssertionKind::WordBoundaryStartAngle
            | AssertionKind::WordBoundaryEndAngle
            | AssertionKind::WordBoundaryStartHalf
            | AssertionKind::WordBoundaryEndHalf => {
                self.refuse(&assertion.span, "is a literal for RE2 and a word boundary elsewhere")
            }
        }
    }

    fn flags(&mut self, flags: &Flags) -> Verdict {
        for item in &flags.items {
            match item.kind {
                FlagsItemKind::Flag(Flag::CaseInsensitive) => self.ignores_case = true,
                FlagsItemKind::Negation | FlagsItemKind::Flag(Flag::MultiLine | Flag::DotMatchesNewLine) => {}
                FlagsItemKind::Flag(
                    Flag::SwapGreed | Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace,
                ) => {
                    return self.refuse(
                        &item.span,
                        "is a flag that engines read differently; use `i`, `m` and `s` only",
                    );
                }
            }
        }
        Ok(())
    }

    fn group(&mut self, group: &Group) -> Verdict {
        match &group.kind {
            GroupKind::CaptureIndex(_) => Ok(()),
            GroupKind::NonCapturing(flags) => self.flags(flags),
            GroupKind::CaptureName { starts_with_p: false, name } => self.refuse(
                &name.span,
                "is a name in the newer style; write `(?P<name>...)`, which every RE2 reads",
            ),
            GroupKind::CaptureName { name, .. } if name.name.len() > NAME_MAX => {
                self.refuse(&name.span, "is too long a name for PCRE2, which takes 32 characters")
            }
            GroupKind::CaptureName { .. } => Ok(()),
        }
    }

    fn repetition(&self, repetition: &Repetition) -> Verdict {
        let written = source(self.pattern, &repetition.op.span);
        let padded = |number: &str| number.len() > 1 && number.starts_with('0');
        if written.contains(char::is_whitespace) || written.split(['{', ',', '}']).any(padded) {
            return self.refuse(&repetition.op.span, "is a literal for RE2 and a repeat elsewhere");
        }
        match *repetition.ast {
            Ast::Literal(ref literal) => self.literal(literal),
            Ast::Assertion(_) | Ast::Empty(_) | Ast::Flags(_) => {
                self.refuse(&repetition.span, "repeats a position, which engines read differently")
            }
            Ast::Dot(_)
            | Ast::ClassUnicode(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_)
            | Ast::Repetition(_)
            | Ast::Group(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => Ok(()),
        }
    }

    /// PCRE2 refuses a class that looks like an inner class of POSIX, such as `[:alpha:]` or `[.x.]`.
    fn posix_lookalike(&self, span: &Span) -> Verdict {
        match source(self.pattern, span).as_bytes() {
            [b'[', open @ (b':' | b'.' | b'='), .., close, b']'] if open == close => self
                .refuse(span, "is refused by PCRE2; write `[[:alpha:]]` for a named class, or another order"),
            _ => Ok(()),
        }
    }

    fn range(&self, range: &ClassSetRange) -> Verdict {
        self.literal(&range.start)?;
        self.literal(&range.end)
    }
}

impl ast::Visitor for Walk<'_> {
    type Output = ();
    type Err = NotPortable;

    fn finish(self) -> Verdict {
        Ok(())
    }

    fn visit_pre(&mut self, tree: &Ast) -> Verdict {
        match tree {
            Ast::Empty(_) | Ast::Dot(_) | Ast::ClassPerl(_) | Ast::Alternation(_) | Ast::Concat(_) => Ok(()),
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Literal(literal) => self.single(literal),
            Ast::Assertion(assertion) => self.assertion(assertion),
            Ast::ClassUnicode(class) => {
                self.refuse(&class.span, "is a Unicode class, which nginx does not match")
            }
            Ast::ClassBracketed(class) => self.posix_lookalike(&class.span),
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => self.group(group),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Verdict {
        match item {
            ClassSetItem::Empty(_)
            | ClassSetItem::Ascii(_)
            | ClassSetItem::Perl(_)
            | ClassSetItem::Union(_) => Ok(()),
            ClassSetItem::Literal(literal) => self.literal(literal),
            ClassSetItem::Range(range) => self.range(range),
            ClassSetItem::Unicode(class) => {
                self.refuse(&class.span, "is a Unicode class, which nginx does not match")
            }
            ClassSetItem::Bracketed(class) => self.refuse(
                &class.span,
                "is a nested class for some engines and a literal `[` for RE2; write `\\[`",
            ),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, operation: &ClassSetBinaryOp) -> Verdict {
        self.refuse(&operation.span, "is a set operation for some engines and literal characters for RE2")
    }
}
