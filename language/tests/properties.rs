//! What holds for any text: reading and formatting never fail, never lose a byte, and formatting settles at once.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "tests")]

use meshc_language::{FileId, Kind, Tree, format, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FILE: FileId = FileId(7);

/// A file that uses each part of the syntax.
const SAMPLE: &str = include_str!("sample.mesh");

/// What breaks readers: brackets, quotes, escapes, comments, line ends, marks that nobody sees.
const FRAGMENTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    "->",
    ";",
    "\n",
    "\n\n\n",
    "\n  ",
    "\n    ",
    " ",
    "   ",
    "\t",
    "\r\n",
    "\r",
    "#",
    "# c\n",
    "## d\n",
    "\"",
    "\"\"\"",
    "\"\"\"\n x\n\"\"\"",
    "\"s\"",
    "\"\\\"\"",
    "r\"",
    "r\"\\\"",
    "\\",
    "$",
    "${",
    "${a}",
    "$x",
    "@",
    "@a(b)",
    "\n@a",
    "a",
    "r",
    "-",
    "--",
    "->x",
    "=",
    ":",
    "host b {\n  x y\n}\n",
    "\nhost ",
    "x-y",
    "a.b",
    "name(",
    "{}",
    "[]",
    "()",
    "{ a; b }",
    "[a, b]",
    "é",
    "\0",
    "\u{c}",
    "\u{feff}",
    "\u{202e}",
    "\u{2028}",
    "0123456789012345678901234567890123456789012345678901234567890123456789",
];

fn fragments() -> impl Strategy<Value = String> {
    prop::collection::vec(select(FRAGMENTS), 0..40).prop_map(|fragments| fragments.concat())
}

/// One change of a text: what is cut out, and what is put there.
fn edit() -> impl Strategy<Value = (Index, Index, String)> {
    let inserted = prop_oneof![
        3 => Just(String::new()),
        3 => select(FRAGMENTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => select(&["{", "[", "(", "\"", "a ", "\n", "[a,"][..]).prop_map(|fragment| fragment.repeat(300)),
    ];
    (any::<Index>(), any::<Index>(), inserted)
}

fn boundary(text: &str, at: Index) -> usize {
    let mut at = at.index(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The sample with a few spans cut out, moved or replaced.
fn mutated() -> impl Strategy<Value = String> {
    prop::collection::vec((edit(), any::<bool>(), 0..200_usize), 1..6).prop_map(|edits| {
        let mut text = SAMPLE.to_owned();
        for ((from, to, inserted), moves, length) in edits {
            let start = boundary(&text, from);
            let mut end = (start + length).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            let cut = text[start..end].to_owned();
            text.replace_range(start..end, &inserted);
            if moves {
                let at = boundary(&text, to);
                text.insert_str(at, &cut);
            }
        }
        text
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![2 => fragments(), 2 => mutated(), 1 => any::<String>(), 1 => mutated().prop_map(|text| text.replace('\n', "\r\n"))]
}

/// The text without what the formatter may change.
fn content(text: &str) -> String {
    text.chars().filter(|char| !matches!(char, ' ' | '\t' | '\r' | '\n' | ';')).collect()
}

/// The tree as depths, kinds and texts of leaves, without comments.
fn shape<'t>(tree: &Tree, text: &'t str) -> Vec<(usize, Kind, &'t str)> {
    tree.nodes()
        .filter(|(_, kind, _)| !kind.is_comment())
        .map(|(depth, kind, span)| (depth, kind, if is_leaf(kind) { &text[span.range()] } else { "" }))
        .collect()
}

fn is_leaf(kind: Kind) -> bool {
    !matches!(kind, Kind::Statement | Kind::Attribute | Kind::List | Kind::Group | Kind::Block)
}

fn comments<'t>(tree: &Tree, text: &'t str) -> Vec<&'t str> {
    let comments = tree.nodes().filter(|(_, kind, _)| kind.is_comment());
    comments.map(|(_, _, span)| text[span.range()].trim_end_matches([' ', '\t', '\r'])).collect()
}

fn spans_are_nested(tree: &Tree, text: &str) {
    let mut open: Vec<(usize, meshc_language::Span)> = Vec::new();
    let mut end = 0;
    for (depth, kind, span) in tree.nodes() {
        assert!(span.start < span.end && text.get(span.range()).is_some(), "{kind:?} {span:?}");
        open.retain(|(outer, _)| *outer < depth);
        if let Some((_, outer)) = open.last() {
            assert!(outer.contains(span), "{kind:?} {span:?} in {outer:?}");
        }
        assert!(span.start >= end, "{kind:?} {span:?} behind {end}");
        if is_leaf(kind) {
            end = span.end;
        }
        open.push((depth, span));
    }
}

fn check(text: &str) {
    let parsed = parse(FILE, text);
    spans_are_nested(&parsed.tree, text);
    for report in &parsed.diagnostics {
        assert!(text.get(report.span.range()).is_some(), "{report:?}");
    }
    let formatted = format(FILE, text);
    assert_eq!(formatted.diagnostics, parsed.diagnostics);
    assert_eq!(content(&formatted.text), content(text), "content");
    let again = format(FILE, &formatted.text);
    assert_eq!(again.text, formatted.text, "formatting twice");
    let syntax =
        |report: &meshc_language::Diagnostic| report.code != meshc_language::Code::INVISIBLE_CHARACTER;
    if !parsed.diagnostics.iter().any(syntax) {
        assert!(!again.diagnostics.iter().any(syntax), "{:?}", again.diagnostics);
        let tree = parse(FILE, &formatted.text).tree;
        assert_eq!(shape(&tree, &formatted.text), shape(&parsed.tree, text), "{}", formatted.text);
        assert_eq!(comments(&tree, &formatted.text), comments(&parsed.tree, text));
        let items: Vec<u32> =
            tree.nodes().filter(|(depth, ..)| *depth == 0).map(|(_, _, span)| span.start).collect();
        for (at, line) in outside_strings(&tree, &formatted.text) {
            assert!(!line.ends_with([' ', '\t', '\r']), "{line:?}");
            assert!(line.is_empty() || line.starts_with([' ', '}', ']']) || items.contains(&at), "{line:?}");
        }
    }
}

/// The lines that neither begin nor end inside a `"""` string, and where they begin.
fn outside_strings<'t>(tree: &Tree, text: &'t str) -> Vec<(u32, &'t str)> {
    let strings: Vec<_> = tree.nodes().filter(|(_, kind, _)| *kind == Kind::TextBlock).collect();
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let end = start + line.len() as u32;
        let inside = |at: u32| strings.iter().any(|(_, _, span)| span.start < at && at < span.end);
        if !inside(start) && !inside(end) {
            lines.push((start, line));
        }
        start = end + 1;
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_and_formatting_are_total(text in any_text()) {
        check(&text);
    }

    #[test]
    fn fragments_alone(text in fragments()) {
        check(&text);
    }

    #[test]
    fn the_number_of_threads_does_not_matter(text in mutated()) {
        let text = text.repeat(3);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (one, many) = (pool.install(|| parse(FILE, &text)), parse(FILE, &text));
        prop_assert_eq!(shape(&one.tree, &text), shape(&many.tree, &text));
        prop_assert_eq!(one.diagnostics, many.diagnostics);
    }
}

#[test]
fn the_sample_has_no_faults_and_is_its_own_form() {
    let formatted = format(FILE, SAMPLE);
    assert_eq!(formatted.diagnostics, []);
    assert_eq!(formatted.text, SAMPLE);
    check(&SAMPLE.replace('\n', "\r\n"));
}

#[test]
fn huge_and_deep_texts_end() {
    for opener in ["{", "[", "(", "a {", "a [", "@a(", "\"", "\"\"\"", "r\"", "#", "a,", "->"] {
        check(&opener.repeat(20_000));
        check(&format!("host a {{\n{}\n}}\nhost b {{}}\n", opener.repeat(20_000)));
    }
    for depth in [63, 64, 65, 127, 128, 129] {
        check(&format!("{}x{}", "a { ".repeat(depth), "}".repeat(depth)));
        check(&format!("a {}x{}", "[".repeat(depth), "]".repeat(depth)));
        check(&format!("a {}x{}", "(\n".repeat(depth), ")".repeat(depth)));
    }
    check(&"a ".repeat(500_000));
    check(&"a, ".repeat(200_000));
    check(&format!("x [{}]", "a, ".repeat(100_000)));
}
