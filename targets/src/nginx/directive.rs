//! nginx's configuration as a small tree, and the one printer that writes it.
//!
//! A token is quoted and escaped by the printer alone, so whatever it says stays one token. Whether a `$` in it stands for a
//! variable depends on the directive: [`super::text`] makes the arguments of those where it does.

use meshc_language::Span;

/// The longest token that nginx reads, in bytes as they are written, quotes included. Its buffer has 4,096.
pub(super) const TOKEN_MAX: usize = 4090;

/// A directive, or an entry of a block such as `map`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directive {
    /// What stands in front of it as a comment.
    pub(super) comment: Option<String>,
    /// The name and the arguments, as they are meant.
    pub(super) words: Vec<String>,
    /// What stands in its braces, if it has any.
    pub(super) block: Option<Vec<Directive>>,
    /// What it was made for; that of what stands around it if there is none.
    pub(super) span: Option<Span>,
}

/// `line!["listen", address, "ssl"]`: a directive of these words.
macro_rules! line {
    ($($word:expr),+ $(,)?) => {
        $crate::nginx::directive::Directive {
            words: vec![$(::std::string::String::from($word)),+],
            ..$crate::nginx::directive::Directive::default()
        }
    };
}
pub(super) use line;

impl Directive {
    /// With more arguments.
    pub(super) fn and<I: IntoIterator<Item: Into<String>>>(mut self, words: I) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// With this in braces.
    pub(super) fn block(mut self, block: Vec<Directive>) -> Self {
        self.block = Some(block);
        self
    }

    /// Made for what stands there.
    pub(super) fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Puts a comment above it, if there is one.
    pub(super) fn maybe_comment(mut self, comment: Option<impl Into<String>>) -> Self {
        self.comment = comment.map(Into::into);
        self
    }

    /// Whether it is the directive of this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.words.first().is_some_and(|word| word == name)
    }

    /// Whether it may send the request to another location, or change what later lines see.
    pub(super) fn goes_on(&self) -> bool {
        let inside = self.block.iter().flatten().any(Self::goes_on);
        inside || ["rewrite", "set", "break", "mirror"].iter().any(|name| self.is(name))
    }

    /// With a comment in front.
    pub(super) fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}

/// `if (VARIABLE = VALUE) { ... }`.
pub(super) fn when(variable: &str, value: &str, block: Vec<Directive>) -> Directive {
    line!["if", format!("({variable}"), "=", value, ")"].block(block)
}

/// `if (VARIABLE) { ... }`: it is neither empty nor `0`.
pub(super) fn when_set(variable: &str, block: Vec<Directive>) -> Directive {
    line!["if", format!("({variable})")].block(block)
}

/// Writes directives, `depth` blocks deep.
pub(super) fn print(directives: &[Directive], depth: usize) -> String {
    let mut out = String::new();
    write_all(directives, depth, &mut out);
    out
}

fn write_all(directives: &[Directive], depth: usize, out: &mut String) {
    for Directive { comment, words, block, span: _ } in directives {
        if let Some(comment) = comment {
            indent(depth, out);
            out.push_str("# ");
            out.extend(comment.chars().map(|char| if char.is_control() { ' ' } else { char }));
            out.push('\n');
        }
        indent(depth, out);
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            token(word, out);
        }
        match block {
            Some(inner) => {
                out.push_str(" {\n");
                write_all(inner, depth + 1, out);
                indent(depth, out);
                out.push_str("}\n");
            }
            None => out.push_str(";\n"),
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("    ");
    }
}

/// Writes one token.
pub(super) fn token(word: &str, out: &mut String) {
    if is_plain(word) {
        out.push_str(word);
        return;
    }
    out.push('"');
    let mut chars = word.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => out.push_str("\\\""),
            // In front of anything else, a backslash is itself.
            '\\' if !matches!(
                chars.peek(),
                None | Some('"' | '\'' | '\\' | 't' | 'r' | 'n' | '\n' | '\r' | '\t')
            ) =>
            {
                out.push('\\');
            }
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Whether nginx reads a word as itself without quotes.
fn is_plain(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=*%@~^+,$()|!<>?&[]".contains(&byte);
    !word.is_empty() && word.bytes().all(plain)
}

/// The first token that nginx would not read, with what it was made for.
pub(super) fn too_long(directives: &[Directive], around: Option<Span>) -> Vec<(Option<Span>, usize)> {
    let mut found = Vec::new();
    for Directive { comment: _, words, block, span } in directives {
        let span = span.or(around);
        let length = |word: &String| {
            let mut written = String::new();
            token(word, &mut written);
            written.len()
        };
        found.extend(words.iter().map(length).filter(|length| *length > TOKEN_MAX).map(|long| (span, long)));
        if let Some(block) = block {
            found.extend(too_long(block, span));
        }
    }
    found
}

#[cfg(test)]
mod tests;
