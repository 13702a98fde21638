//! The text inside quotes.

/// A quoted literal, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unquoted {
    /// The text it stands for, variables not put in.
    pub text: String,
    /// Byte offsets, within the text, of each `$` that was not written as an escape: only these can start a variable.
    pub dollars: Vec<usize>,
    /// Byte offsets, within the literal, of escapes that mean nothing.
    pub bad_escapes: Vec<usize>,
}

/// Whether a `"..."`, `r"..."` or `"""..."""` literal has its closing quote.
#[must_use]
pub fn is_terminated(literal: &str) -> bool {
    if let Some(body) = literal.strip_prefix("\"\"\"") {
        return body.ends_with("\"\"\"");
    }
    if let Some(body) = literal.strip_prefix("r\"") {
        return body.ends_with('"');
    }
    let Some(body) = literal.strip_prefix('"') else { return true };
    let mut escaped = false;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1 == body.len(),
            _ => {}
        }
    }
    false
}

/// The text of a literal in quotes of another language, such as `'x'`; `None` for `"..."`. It has no escapes and no variables.
#[must_use]
pub fn in_foreign_quotes(literal: &str) -> Option<&str> {
    crate::quotes::foreign(literal)
}

/// Whether a word begins with a quote of another language that nothing closes, such as `“/a`; it has been reported with the syntax.
#[must_use]
pub fn opens_foreign_quote(word: &str) -> bool {
    crate::quotes::opens(word)
}

/// Reads a `"..."` literal: `\n`, `\t`, `\"`, `\\`, `\$` and `\u{1f600}` are escapes.
///
/// An escape is read once: what it stands for is text, never the start of a variable or of another escape.
#[must_use]
pub fn unquote(literal: &str) -> Unquoted {
    let body = literal.strip_prefix('"').unwrap_or(literal);
    let body = body.strip_suffix('"').unwrap_or(body);
    let text = String::with_capacity(body.len());
    let mut read = Unquoted { text, dollars: Vec::new(), bad_escapes: Vec::new() };
    let mut chars = body.char_indices();
    while let Some((at, char)) = chars.next() {
        if char != '\\' {
            if char == '$' {
                read.dollars.push(read.text.len());
            }
            read.text.push(char);
            continue;
        }
        match chars.next().map(|(_, escape)| escape) {
            Some('n') => read.text.push('\n'),
            Some('t') => read.text.push('\t'),
            Some('"') => read.text.push('"'),
            Some('\\') => read.text.push('\\'),
            Some('$') => read.text.push('$'),
            Some('u') => match code_point(&mut chars) {
                Some(char) => read.text.push(char),
                None => read.bad_escapes.push(at + 1),
            },
            _ => read.bad_escapes.push(at + 1),
        }
    }
    read
}

fn code_point(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    let (digits, _) = chars.as_str().strip_prefix('{')?.split_once('}')?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    for _ in 0..digits.chars().count() + 2 {
        chars.next();
    }
    char::from_u32(value)
}

/// Reads a `"""..."""` literal: the line break behind the opening quotes, the common indentation and the blanks in
/// front of the closing quotes are not part of it. Line ends are `\n`.
#[must_use]
pub fn unquote_block(literal: &str) -> String {
    let body = literal.strip_prefix("\"\"\"").unwrap_or(literal);
    let body = body.strip_suffix("\"\"\"").unwrap_or(body);
    let body = body.strip_prefix("\r\n").or_else(|| body.strip_prefix('\n')).unwrap_or(body);
    let indent = common_indent(body);
    let mut text = String::with_capacity(body.len());
    for (at, line) in body.split('\n').enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        text.push_str(line.strip_prefix(indent).unwrap_or_else(|| line.trim_start_matches([' ', '\t'])));
    }
    let last = text.rfind('\n').map_or(0, |newline| newline + 1);
    if text.get(last..).is_some_and(|line| line.bytes().all(|byte| matches!(byte, b' ' | b'\t'))) {
        text.truncate(last);
    }
    text
}

/// The blanks that each line starts with, lines of nothing but blanks aside.
fn common_indent(body: &str) -> &str {
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut lines = body.split('\n').filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty());
    let first = lines.next().unwrap_or_default();
    let shared = |line: &str| std::iter::zip(first.bytes(), line.bytes()).take_while(|(a, b)| a == b).count();
    let length = lines.map(|line| shared(line).min(blanks(line))).fold(blanks(first), usize::min);
    first.get(..length).unwrap_or_default()
}

/// Writes `text` as a `"..."` literal that reads back as it.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '$' => quoted.push_str("\\$"),
            char if char.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_end_where_their_quote_is() {
        let table = [
            (r#""a""#, true),
            (r#""a"#, false),
            (r#"""#, false),
            (r#""a\""#, false),
            (r#""a\\""#, true),
            (r#"r"a\""#, true),
            (r#"r"a"#, false),
            (r#"r""#, false),
            (r#""""a""""#, true),
            (r#""""a"""#, false),
            (r#"""""#, false),
            ("word", true),
        ];
        for (literal, terminated) in table {
            assert_eq!(is_terminated(literal), terminated, "{literal}");
        }
    }

    #[test]
    fn escapes_are_read_and_written() {
        let table: [(&str, &str, &[usize]); 10] = [
            (r#""plain""#, "plain", &[]),
            (r#""a\nb\tc""#, "a\nb\tc", &[]),
            (r#""\"\\""#, "\"\\", &[]),
            (r#""\u{1f600}\u{41}""#, "\u{1f600}A", &[]),
            (r#""\$x""#, "$x", &[]),
            (r#""\\$x""#, "\\$x", &[]),
            (r#""\u{24}{x}""#, "${x}", &[]),
            (r#""a\qb""#, "ab", &[2]),
            (r#""\u{110000}\u{d800}\u{}""#, "{}", &[1, 11, 19]),
            (r#""\u12""#, "12", &[1]),
        ];
        for (literal, text, bad_escapes) in table {
            let read = unquote(literal);
            assert_eq!((read.text.as_str(), read.bad_escapes.as_slice()), (text, bad_escapes), "{literal}");
        }
        for text in ["", "plain", "a\nb\t\"\\", "\u{1b}[0m", "\u{1f600}", "\r", "${x}", "\\$x"] {
            let read = Unquoted { text: text.to_owned(), dollars: vec![], bad_escapes: vec![] };
            assert_eq!(unquote(&quote(text)), read);
        }
    }

    #[test]
    fn only_a_plain_dollar_can_start_a_variable() {
        let table: [(&str, &[usize]); 7] = [
            (r#""${x}""#, &[0]),
            (r#""a$x$y""#, &[1, 3]),
            (r#""\$x""#, &[]),
            (r#""\\$x""#, &[1]),
            (r#""\\\$x""#, &[]),
            (r#""\u{24}{x}""#, &[]),
            (r#""\u{e9}${x}""#, &[2]),
        ];
        for (literal, dollars) in table {
            assert_eq!(unquote(literal).dollars, dollars, "{literal}");
        }
    }

    #[test]
    fn blocks_lose_their_indentation() {
        let table = [
            ("\"\"\"a\"\"\"", "a"),
            ("\"\"\"\"\"\"", ""),
            ("\"\"\"\n    a\n      b\n  \"\"\"", "a\n  b\n"),
            ("\"\"\"\n    a\n\n    b\"\"\"", "a\n\nb"),
            ("\"\"\"\n\ta\n\t\tb\n\"\"\"", "a\n\tb\n"),
            ("\"\"\"\n\ta\n  b\n\"\"\"", "\ta\n  b\n"),
            ("\"\"\"\r\n  a\r\n  b\r\n\"\"\"", "a\nb\n"),
            ("\"\"\"\n    a\n  \n    b\n\"\"\"", "a\n\nb\n"),
            ("\"\"\"\n  \u{e9}\n  \u{20ac}\"\"\"", "\u{e9}\n\u{20ac}"),
        ];
        for (literal, text) in table {
            assert_eq!(unquote_block(literal), text, "{literal:?}");
        }
    }
}
