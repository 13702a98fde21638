//! Patterns against the verdicts of RE2, of Go's `regexp`, of PCRE2 and of Rust's `regex`, which were asked
//! once.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::super::Literal;
use super::{Pattern, escape_literal};

/// What every engine reads alike.
const PORTABLE: &[&str] = &[
    ".*",
    r"^(.*?;)?(user=jason)(;.*)?$",
    r"/users(/.*)?",
    r"/[^/]+/bar",
    r".*?[.]eu[.]bookinfo[.]com",
    r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$",
    r"(GET|OPTIONS)",
    r"\Aa\z",
    r"a{2}b{1,3}c{4,}d{0}",
    r"(?i)a(?s:.)(?m:^b$)(?-i)c(?:d)",
    r"(?P<name>a)",
    r"\d\D\w\W\s\S\b\B",
    r"[]a][^]a][a-][-a][\w.-][\]\-\\]",
    r"[[:alpha:]][[:^digit:]]",
    r"\x41\x{41}\n\t\r\f\a\.\-\/\_\ ",
    "(a*)*",
    "a||b",
    "()",
    "]",
    "a}",
    "[.]",
    "[#&~]",
    "é(ü)*",
];

/// What RE2 reads, and another engine differently or not at all: with a part of the reason.
const ONLY_RE2: &[(&str, &str)] = &[
    ("é?", "several bytes"),
    ("(?i:é)", "several bytes"),
    ("(?i)a|é", "several bytes"),
    ("[é]", "several bytes"),
    (r"\x{e9}", "several bytes"),
    (r"\pL", "Unicode class"),
    (r"[\p{Greek}]", "Unicode class"),
    (r"\p{^Greek}", "Unicode class"),
    (r"(?<name>a)", "newer style"),
    (r"(?P<a>x)(?P<a>y)", "two groups of one name"),
    (r"(?P<abcdefghijklmnopqrstuvwxyz0123456>a)", "32 characters"),
    (r"(?P<1a>x)", "engines read"),
    ("(?U)a", "flag"),
    (r"\v", "vertical space"),
    (r"\012", "octal"),
    (r"\12", "octal"),
    (r"\Qa.b\E", "engines read"),
    ("[a&&b]", "set operation"),
    ("[a~~b]", "set operation"),
    ("[!--]", "set operation"),
    ("[[a]", "literal for RE2 only"),
    ("[a[b]]", "nested class"),
    (r"[\d-z]", "literal for RE2 only"),
    ("[:alpha:]", "refused by PCRE2"),
    ("[.x.]", "refused by PCRE2"),
    (r"\<a\>", "word boundary"),
    ("a{,3}", "brace"),
    ("a{2", "brace"),
    ("{", "brace"),
    ("a{01}", "a repeat elsewhere"),
    ("a{ 2}", "a repeat elsewhere"),
    ("^*a", "repeats a position"),
    (r"\b+", "repeats a position"),
    ("a(?i)*", "after flags"),
];

/// What RE2 or Go refuses: with a part of the message, and the offset of the fault.
const REFUSED: &[(&str, &str, Option<usize>)] = &[
    ("", "empty pattern", None),
    ("a(?=b)", "look-ahead, which is not part of RE2", Some(1)),
    ("(?!a)", "negative look-ahead", Some(0)),
    ("(?<=a)b", "look-behind", Some(0)),
    ("(?<!a)b", "negative look-behind", Some(0)),
    ("(?>a)", "an atomic group", Some(0)),
    ("(?#a)", "a comment", Some(0)),
    ("(?P=a)", "a back reference", Some(0)),
    ("(?R)", "recursion", Some(0)),
    ("(?x)a", "not a group that RE2 knows", Some(0)),
    ("(?u)a", "not a group that RE2 knows", Some(0)),
    ("(?-)a", "not a group that RE2 knows", Some(0)),
    ("(?i-)a", "not a group that RE2 knows", Some(0)),
    ("(?", "not a group that RE2 knows", Some(0)),
    ("(?P<a b>c)", "the name of this group", Some(0)),
    ("(?P<é>c)", "the name of this group", Some(0)),
    ("(?P<a", "the name of this group", Some(0)),
    (r"(a)\1", "a back reference", Some(3)),
    (r"\8", "a back reference", Some(0)),
    (r"a\Z", "last newline", Some(1)),
    (r"\G", "previous match", Some(0)),
    (r"a\Kb", "reset of the match", Some(1)),
    (r"\R", "any line break", Some(0)),
    (r"\h", "horizontal space", Some(0)),
    (r"\u0041", "another dialect", Some(0)),
    (r"\y", "unknown escape", Some(0)),
    (r"\é", "unknown escape", Some(0)),
    (r"\E", "not valid here", Some(0)),
    (r"\C", "refused by Istio's admission", Some(0)),
    (r"\x4", "needs two hex digits", Some(0)),
    (r"\x{}", "needs two hex digits", Some(0)),
    (r"\x{110000}", "needs two hex digits", Some(0)),
    (r"\p{Foo}", "no character class with the name `Foo`", Some(0)),
    (r"\p{Greek", "is not closed", Some(0)),
    (r"a\", "ends with a backslash", Some(1)),
    ("[a", "not closed", Some(0)),
    ("[]", "not closed", Some(0)),
    ("[z-a]", "runs backwards", Some(1)),
    ("[a--b]", "runs backwards", Some(1)),
    (r"[a-\d]", "unknown escape", Some(3)),
    (r"[\b]", "unknown escape", Some(1)),
    ("[[:foo:]]", "no character class `[:foo:]`", Some(1)),
    ("(a", "is not closed", Some(0)),
    ("a)", "closes no group", Some(1)),
    ("*a", "nothing to repeat", Some(0)),
    ("?", "nothing to repeat", Some(0)),
    ("a|*", "nothing to repeat", Some(2)),
    ("(+)", "nothing to repeat", Some(1)),
    ("{2}", "nothing to repeat", Some(0)),
    (r"\Q\E*", "nothing to repeat", Some(4)),
    ("a**", "follows another repeat", Some(2)),
    ("a*+", "follows another repeat", Some(2)),
    ("a*??", "follows another repeat", Some(3)),
    ("a{2}{3}", "follows another repeat", Some(4)),
    ("a{1001}", "over the limit of RE2", Some(1)),
    ("a{99999999999999999999}", "over the limit of RE2", Some(1)),
    ("a{3,1}", "larger number first", Some(1)),
    ("(?:a{100}){100}", "multiply to 10000", Some(10)),
];

#[test]
fn portable_patterns() {
    for text in PORTABLE {
        let pattern = Pattern::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error:?}"));
        assert_eq!(pattern.portable(), Ok(()), "`{text}`");
        assert_eq!(pattern.as_str(), *text);
        assert!(pattern.hir().is_some(), "`{text}`");
    }
}

#[test]
fn patterns_of_re2_alone() {
    for (text, reason) in ONLY_RE2 {
        let pattern = Pattern::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error:?}"));
        let why = pattern.portable().map(|()| panic!("`{text}` is portable")).unwrap_err();
        assert!(why.reason().contains(reason), "`{text}`: {why}");
        assert!(text.is_char_boundary(why.offset()), "`{text}`: {why:?}");
        assert!(pattern.hir().is_none(), "`{text}`");
    }
}

#[test]
fn refused_patterns() {
    for (text, message, offset) in REFUSED {
        let error = Pattern::parse(text).map(|_| panic!("`{text}` is read")).unwrap_err();
        assert!(error.message.contains(message), "`{text}`: {error:?}");
        assert_eq!(error.offset, *offset, "`{text}`: {error:?}");
    }
}

#[test]
fn the_limit_counts_bytes() {
    assert!(Pattern::parse(&"a".repeat(1024)).is_ok());
    assert!(Pattern::parse(&"é".repeat(512)).is_ok());
    let error = Pattern::parse(&"é".repeat(513)).unwrap_err();
    assert_eq!(error.message, "the pattern has 1026 bytes; the limit of Istio is 1024");
}

#[test]
fn depth_is_no_danger() {
    let deep = format!("{}a{}", "(".repeat(511), ")".repeat(511));
    assert_eq!(Pattern::parse(&deep).unwrap().portable(), Ok(()));
    assert!(Pattern::parse(&"(".repeat(1024)).is_err());
    assert!(Pattern::parse(&format!("{}{}", "[".repeat(1000), "a]")).is_ok());
}

#[test]
fn escaped_literals_match_themselves() {
    for text in ["/a.b", "a+b*c?", r"\d", "(a|b)", "[x]{2}^$", "é", "-&~#/", "\n"] {
        let escaped = escape_literal(text);
        let hir = regex_syntax::ParserBuilder::new().build().parse(&escaped).unwrap();
        let expected = regex_syntax::hir::Hir::literal(text.as_bytes());
        assert_eq!(hir, expected, "`{text}` as `{escaped}`");
        assert!(Pattern::parse(&escaped).is_ok(), "`{escaped}`");
    }
}
