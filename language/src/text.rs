//! The text inside quotes.

/// A quoted literal, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unquoted {
    /// The text it stands for.
    pub text: String,
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

/// Reads a `"..."` literal: `\n`, `\t`, `\"`, `\\`, `\$` and `\u{1f600}` are escapes.
///
/// `\$` stays as it is, so that interpolation can tell it from `$`.
#[must_use]
pub fn unquote(literal: &str) -> Unquoted {
    let body = literal.strip_prefix('"').unwrap_or(literal);
    let body = body.strip_suffix('"').unwrap_or(body);
    let mut read = Unquoted { text: String::with_capacity(body.len()), bad_escapes: Vec::new() };
    let mut chars = body.char_indices();
    while let Some((at, char)) = chars.next() {
        if char != '\\' {
            read.text.push(char);
            continue;
        }
        match chars.next().map(|(_, escape)| escape) {
            Some('n') => read.text.push('\n'),
            Some('t') => read.text.push('\t'),
            Some('"') => read.text.push('"'),
            Some('\\') => read.text.push('\\'),
            Some('$') => read.text.push_str("\\$"),
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

/// Reads a `"""..."""` literal: the line break behind the opening quotes and the common indentation are not part of it.
#[must_use]
pub fn unquote_block(literal: &str) -> String {
    let body = literal.strip_prefix("\"\"\"").unwrap_or(literal);
    let body = body.strip_suffix("\"\"\"").unwrap_or(body);
    let body = body.strip_prefix("\r\n").or_else(|| body.strip_prefix('\n')).unwrap_or(body);
    let indent = body
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let mut text = String::with_capacity(body.len());
    for line in body.lines() {
        text.push_str(line.get(indent..).unwrap_or_default());
        text.push('\n');
    }
    text
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
