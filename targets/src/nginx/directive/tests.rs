//! What is printed, read back by a reader that follows nginx's own (`ngx_conf_read_token`) and knows nothing of the printer.

use super::{Directive, print};
use proptest::prelude::*;

#[test]
fn a_word_stays_one_token_whatever_it_says() {
    for (word, written) in [
        ("/reviews", "/reviews;\n"),
        ("", "\"\";\n"),
        ("a b", "\"a b\";\n"),
        ("x; } evil {", "\"x; } evil {\";\n"),
        ("\"", "\"\\\"\";\n"),
        ("\\", "\"\\\\\";\n"),
        ("\\n", "\"\\\\n\";\n"),
        ("a\\.b", "\"a\\.b\";\n"),
        ("\\\\.", "\"\\\\\\.\";\n"),
        ("\\'", "\"\\\\'\";\n"),
        ("a\nb\tc", "\"a\\nb\\tc\";\n"),
        ("'", "\"'\";\n"),
        ("#", "\"#\";\n"),
        ("$uri", "$uri;\n"),
        ("${x}", "\"${x}\";\n"),
    ] {
        assert_eq!(print(&[line![word]], 0), written, "{word:?}");
    }
}

#[test]
fn a_comment_stays_on_its_line() {
    assert_eq!(print(&[line!["a"].comment("x\n}")], 1), "    # x }\n    a;\n");
}

/// Reads directives up to the brace that closes their block, or to the end.
fn read(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Vec<Directive> {
    let mut all = Vec::new();
    let mut words: Vec<String> = Vec::new();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' | '\r' | '\n' => {}
            '#' => while chars.next().is_some_and(|char| char != '\n') {},
            ';' => all.push(Directive { words: std::mem::take(&mut words), ..Directive::default() }),
            '{' => {
                let block = Some(read(chars));
                all.push(Directive { words: std::mem::take(&mut words), block, ..Directive::default() });
            }
            '}' => return all,
            quote @ ('"' | '\'') => words.push(word(chars, String::new(), Some(quote))),
            first => {
                let begun = if first == '\\' { escaped(chars) } else { first.to_string() };
                words.push(word(chars, begun, None));
            }
        }
    }
    assert!(words.is_empty(), "a directive has no end: {words:?}");
    all
}

/// The rest of a token.
fn word(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    mut text: String,
    quote: Option<char>,
) -> String {
    while let Some(char) = chars.peek().copied() {
        match (quote, char) {
            (Some(quote), char) if char == quote => {
                chars.next();
                return text;
            }
            (None, ' ' | '\t' | '\r' | '\n' | ';') => return text,
            (None, '{') if !text.ends_with('$') => return text,
            (_, '\\') => {
                chars.next();
                text.push_str(&escaped(chars));
            }
            (_, char) => {
                chars.next();
                text.push(char);
            }
        }
    }
    text
}

/// What stands behind a backslash.
fn escaped(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    match chars.next() {
        Some(char @ ('"' | '\'' | '\\')) => char.to_string(),
        Some('t') => "\t".to_owned(),
        Some('r') => "\r".to_owned(),
        Some('n') => "\n".to_owned(),
        Some(other) => format!("\\{other}"),
        None => "\\".to_owned(),
    }
}

/// Words of characters that mean something to nginx, and of any.
fn words() -> impl Strategy<Value = Vec<String>> {
    let hostile = "[\"'\\\\$;{}#%~^ \\n\\t\\rntr=a/*.:()|]{0,12}";
    prop::collection::vec(prop_oneof![hostile, "\\PC{0,12}", "[a-z_]{1,8}"], 1..4)
}

fn directives() -> impl Strategy<Value = Vec<Directive>> {
    let comment = || prop::option::of("\\PC{0,8}|[\\n}#]{0,4}");
    let leaf = (words(), comment()).prop_map(|(words, comment)| Directive {
        comment,
        words,
        ..Directive::default()
    });
    let tree = leaf.prop_recursive(3, 24, 4, move |inner| {
        (words(), comment(), prop::option::of(prop::collection::vec(inner, 0..4)))
            .prop_map(|(words, comment, block)| Directive { comment, words, block, span: None })
    });
    prop::collection::vec(tree, 0..5)
}

fn without_comments(directives: &[Directive]) -> Vec<Directive> {
    let one = |one: &Directive| Directive {
        comment: None,
        words: one.words.clone(),
        block: one.block.as_deref().map(without_comments),
        span: None,
    };
    directives.iter().map(one).collect()
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_as_it_was(directives in directives()) {
        let text = print(&directives, 0);
        prop_assert_eq!(read(&mut text.chars().peekable()), without_comments(&directives), "{}", text);
    }
}
