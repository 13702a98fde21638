//! Words that reports, pages and help used to have, and that a search or a reader at night is not helped by: each with what says it
//! better. What people read is looked through: string literals of the program, the pages, the README, the standard library.

use super::{root, sources, without_tests};
use regex::Regex;
use std::fs;
use std::path::Path;

/// What is retired, as an expression, and what to write instead.
const RETIRED: &[(&str, &str)] = &[
    (r"callers?(?:'s?)?", "client"),
    (r"nobody|anybody|everybody|somebody", "no client, any client, all clients; or name who it is"),
    (r"mend(?:s|ed|ing)?", "fix"),
    (r"behind", "after"),
    (r"in front", "before"),
    (r"stands?|stood", "is, belongs, is allowed"),
    (r"(?:is|are|was|were) said", "a verb with a subject"),
    (r"without a word|in silence", "silently"),
    (r"otherwise than", "differently from"),
    (
        r"TLS (?:that )?(?:both )?(?:ends|begins|is begun)|(?:ends?|begins?|began) TLS",
        "TLS termination, TLS origination",
    ),
    (r"asked for", "requested; of TLS: server name (SNI)"),
    (r"the loopback", "127.0.0.1"),
    (
        r"cannot be said|is no length|read alike|together with another",
        "is not supported, invalid, portable, exclude each other",
    ),
    (r"cannot carry|carries \S+ by", "does not support, approximates"),
];

/// Where a retired word is the right one, by a text around it, and why.
const RIGHT: &[(&str, &str)] = &[
    ("balancer in front of", "where a load balancer is, people say so"),
    ("proxies in front of", "as of a load balancer"),
    ("waypoint in front of", "as of a load balancer"),
    ("Behind a load balancer", "as in front of it"),
    ("look-behind", "the name of the thing in regular expressions"),
    ("nobody.meshc.invalid", "a host that does not exist"),
    ("nobody.witness.invalid", "a host that does not exist"),
];

/// The string literals of a source, with the line of each.
fn literals(text: &str) -> Vec<(usize, String)> {
    let token = r###"(?s)//[^\n]*|r##"(?<c>.*?)"##|r#"(?<b>.*?)"#|r"(?<a>[^"]*)"|"(?<plain>(?:[^"\\]|\\.)*)"|'(?:[^'\\]|\\.)'"###;
    let token = Regex::new(token).unwrap();
    let line_end = Regex::new(r"\\\n\s*").unwrap();
    let mut found = Vec::new();
    for token in token.captures_iter(text) {
        let literal = ["plain", "a", "b", "c"].into_iter().find_map(|name| token.name(name));
        if let Some(literal) = literal {
            let line = text.split_at(literal.start()).0.matches('\n').count() + 1;
            found.push((line, line_end.replace_all(literal.as_str(), "").into_owned()));
        }
    }
    found
}

/// The paragraphs of a page without its blocks of code, each as one line.
fn paragraphs(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut is_code, mut goes_on) = (false, false);
    for (at, line) in text.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        is_code ^= fence;
        let is_text = !is_code && !fence && !line.trim().is_empty();
        match found.last_mut() {
            Some((_, last)) if is_text && goes_on => last.push_str(&format!(" {}", line.trim())),
            _ if is_text => found.push((at + 1, line.to_owned())),
            _ => {}
        }
        goes_on = is_text;
    }
    found
}

/// The comments of a source of the language, or of a configuration: they are read where it is applied.
fn comments(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    let comment = |(at, line): (usize, &str)| Some((at + 1, line.trim_start().strip_prefix('#')?.to_owned()));
    lines.filter_map(comment).collect()
}

/// The help of the command line, which is made of doc comments.
fn doc_comments(text: &str) -> Vec<(usize, String)> {
    let lines = without_tests(text).lines().enumerate();
    let comment =
        |(at, line): (usize, &str)| Some((at + 1, line.trim_start().strip_prefix("///")?.to_owned()));
    lines.filter_map(comment).collect()
}

/// Everything that people read, with its place.
fn texts() -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut add = |path: &Path, found: Vec<(usize, String)>| {
        let path = path.strip_prefix(root()).unwrap().display().to_string();
        texts.extend(found.into_iter().map(|(line, text)| (format!("{path}:{line}"), text)));
    };
    for folder in ["language/src", "compiler/src", "targets/src", "cli/src"] {
        for (path, text) in sources(folder) {
            add(&path, literals(without_tests(&text)));
        }
    }
    let files = |folder: &str, end: &str| {
        let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|own| own == end)).collect();
        files.sort();
        files
    };
    for page in [files("language/explain", "md"), files("docs", "md"), files("cli/templates", "md")].concat()
    {
        add(&page, paragraphs(&fs::read_to_string(&page).unwrap()));
    }
    for page in ["README.md", "CONTRIBUTING.md", "examples/README.md"] {
        add(&root().join(page), paragraphs(&fs::read_to_string(root().join(page)).unwrap()));
    }
    let templates =
        [files("targets/src/nginx/templates", "conf"), files("cli/templates/init", "mesh")].concat();
    for file in [files("stdlib", "mesh"), templates].concat() {
        add(&file, comments(&fs::read_to_string(&file).unwrap()));
    }
    let help = root().join("cli/src/args.rs");
    add(&help, doc_comments(&fs::read_to_string(&help).unwrap()));
    texts
}

/// The first retired word of a text, and what to write instead.
fn retired(text: &str, words: &[(Regex, &'static str)]) -> Option<(String, &'static str)> {
    let text = RIGHT.iter().fold(text.to_owned(), |text, (right, _)| text.replace(right, ""));
    // What shows a claim is named as it is called.
    let text = text.split_whitespace().filter(|word| !word.contains("::")).collect::<Vec<_>>().join(" ");
    words.iter().find_map(|(word, instead)| Some((word.find(&text)?.as_str().to_owned(), *instead)))
}

fn words() -> Vec<(Regex, &'static str)> {
    let word = |(word, instead): &(&str, &'static str)| {
        (Regex::new(&format!(r"(?i)\b(?:{word})\b")).unwrap(), *instead)
    };
    RETIRED.iter().map(word).collect()
}

#[test]
fn retired_words_do_not_come_back() {
    let (texts, words) = (texts(), words());
    assert!(texts.len() > 4_000, "only {} texts were found", texts.len());
    let found = texts.iter().filter_map(|(place, text)| {
        let (word, instead) = retired(text, &words)?;
        Some(format!("{place}: `{word}` ({instead}): {text}"))
    });
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "{} texts:\n{}", found.len(), found.join("\n"));
}

#[test]
fn retired_words_are_seen_and_the_exceptions_are_needed() {
    let words = words();
    for text in ["TLS that ends here", "a route behind it", "Callers' certificates", "nginx cannot carry it"]
    {
        assert!(retired(text, &words).is_some(), "{text}");
    }
    assert_eq!(
        literals("let a = \"b\\\n   c\"; // \"d\"\nr#\"e\"#"),
        [(1, "bc".to_owned()), (3, "e".to_owned())]
    );
    let texts = texts();
    for (right, _) in RIGHT {
        assert!(texts.iter().any(|(_, text)| text.contains(right)), "no text has `{right}`");
    }
}
