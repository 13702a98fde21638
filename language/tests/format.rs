//! The canonical form, rule by rule.

use meshc_language::{FileId, format};

fn formatted(text: &str) -> String {
    format(FileId(0), text).text
}

#[track_caller]
fn becomes(table: &[(&str, &str)]) {
    for (before, after) in table {
        assert_eq!(formatted(before), *after, "{before}");
        assert_eq!(formatted(after), *after, "twice");
    }
}

const LONG: &str = "thirty-two-columns-wide-word-abc";

#[test]
fn blanks_between_words() {
    becomes(&[
        ("", ""),
        (" \n\n", ""),
        ("a  b\tc", "a b c\n"),
        ("a b,c ,d", "a b, c, d\n"),
        ("a [ b,c ] ( d )", "a [b, c] (d)\n"),
        ("a b( c ) d (e)", "a b(c) d (e)\n"),
        ("@a( b )c", "@a(b)\nc\n"),
        ("const $x=1\nconst $x  =  1", "const $x=1\nconst $x = 1\n"),
        ("a b->c", "a b->c\n"),
        ("a b ->c", "a b -> c\n"),
        ("a \"b\"c", "a \"b\" c\n"),
        ("a [\n]", "a []\n"),
    ]);
}

#[test]
fn statements_and_blocks() {
    becomes(&[
        ("a;b ; c", "a\nb\nc\n"),
        ("a {}", "a {}\n"),
        ("a {\n\n}", "a {}\n"),
        ("a{b;c}", "a { b; c }\n"),
        ("a{b;c;}", "a { b; c }\n"),
        ("a{b\nc}", "a {\n  b\n  c\n}\n"),
        ("a {\n\n\n  b\n\n\n\n  c\n\n}", "a {\n  b\n\n  c\n}\n"),
        ("a {b} {c}", "a { b } { c }\n"),
        ("a {b} c", "a { b }\nc\n"),
        ("a {b} -> c", "a { b } -> c\n"),
        ("a { @b c }", "a {\n  @b\n  c\n}\n"),
        ("@a @b(c) d", "@a\n@b(c)\nd\n"),
        ("\n\na\n\n\n\nb", "a\n\nb\n"),
        ("a {\r\n\tb\r\n}\r\n", "a {\n  b\n}\n"),
        ("a b,\n  c", "a b, c\n"),
        ("a b,; c", "a b,;\nc\n"),
        ("a { b, }", "a { b, }\n"),
        ("a b, # c\n;d", "a b,; # c\nd\n"),
    ]);
}

#[test]
fn comments_stay_where_they_are() {
    becomes(&[
        ("#  a  \nb", "#  a\nb\n"),
        ("a   # b", "a # b\n"),
        ("a{#b\nc}", "a { #b\n  c\n}\n"),
        ("a { # b\n\n  c\n}", "a { # b\n  c\n}\n"),
        ("a {\n# b\n  c # d\n      ## e\n f\n}", "a {\n  # b\n  c # d\n  ## e\n  f\n}\n"),
        ("a [b, # c\n d]", "a [\n  b, # c\n  d\n]\n"),
        ("a [ # b\n\n # c\n d\n # e\n]", "a [ # b\n  # c\n  d\n      # e\n]\n"),
        ("a b, # c\n  # d\n e", "a b, # c\n    # d\n    e\n"),
        ("a (b, # c\n d)", "a (b, # c\n    d)\n"),
    ]);
}

#[test]
fn long_lines_are_broken() {
    let four = format!("{LONG}, {LONG}, {LONG}, {LONG}");
    let three = format!("{LONG} {LONG} {LONG}");
    let table = [
        (format!("a {four}"), format!("a {LONG}, {LONG},\n    {LONG}, {LONG}\n")),
        (format!("a {LONG} {LONG} -> {LONG}"), format!("a {LONG} {LONG} ->\n    {LONG}\n")),
        (format!("a [{four}]"), format!("a [\n  {LONG},\n  {LONG},\n  {LONG},\n  {LONG}\n]\n")),
        (format!("@a({four})\nb"), format!("@a({LONG}, {LONG},\n    {LONG}, {LONG})\nb\n")),
        // The block of the statement gives way before the line in front of it.
        (format!("a {LONG} -> {LONG} {{ {LONG} }}"), format!("a {LONG} -> {LONG} {{\n  {LONG}\n}}\n")),
        (
            format!("a {LONG} {{ {LONG} }}, {LONG} {{ b }}"),
            format!("a {LONG} {{ {LONG} }},\n    {LONG} {{ b }}\n"),
        ),
        // What cannot be broken stays.
        (format!("a {three}"), format!("a {three}\n")),
        (format!("a {three} {{ b }}"), format!("a {three} {{\n  b\n}}\n")),
        // What the author broke stays broken.
        ("a [\nb, c]".to_owned(), "a [\n  b,\n  c\n]\n".to_owned()),
        ("a { b [\nc] }".to_owned(), "a {\n  b [\n    c\n  ]\n}\n".to_owned()),
    ];
    for (before, after) in &table {
        becomes(&[(before, after)]);
    }
}

#[test]
fn strings_stay_as_they_are() {
    becomes(&[
        ("a \"b  #  {\"  c", "a \"b  #  {\" c\n"),
        ("a r\"\\\"  b", "a r\"\\\" b\n"),
        ("a \"\"\"\n   b  \n\nc\n  \"\"\"  d", "a \"\"\"\n   b  \n\nc\n  \"\"\" d\n"),
        ("a {\nb \"\"\"\nc\n\"\"\"\n}", "a {\n  b \"\"\"\nc\n\"\"\"\n}\n"),
    ]);
}

#[test]
fn faulty_items_stay_as_they_are() {
    becomes(&[
        ("a  {\n b\n\n\nc  {\n d }", "a  {\n b\n\n\nc {\n  d\n}\n"),
        ("c  d\n\n\n\na  {\n b\n\n\nc  d", "c d\n\na  {\n b\n\n\nc d\n"),
        ("a  \"b\nc  d", "a  \"b\nc d\n"),
        ("a  {", "a  {"),
    ]);
    let report = &format(FileId(0), "a  {").diagnostics;
    assert_eq!(report.len(), 1);
}
