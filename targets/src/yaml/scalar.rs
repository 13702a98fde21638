//! Text as a YAML scalar: plain where every reader takes it for that text, else in double quotes.

/// Writes `text` as one scalar on the current line.
pub(super) fn write_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        write_quoted(out, text);
    }
}

/// Whether `text` without quotes, as a key or value of a block collection, is read as this very text.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    if first.is_ascii_alphabetic() && is_name(bytes) {
        return bytes.len() > LONGEST_KEYWORD || !is_keyword(text);
    }
    starts_plainly(first, bytes.get(1).copied())
        && !matches!(last, b' ' | b':')
        && continues_plainly(text)
        && !means_something_else(text, first)
        && !is_document_marker(text)
}

/// Whether there are only letters, digits, `-`, `.`, `/` and `_`. Nearly all of a document is such names, so they are looked at
/// without a branch per byte, which lets the compiler take many bytes at once.
fn is_name(bytes: &[u8]) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphabetic() | matches!(byte, b'-'..=b'9') | (byte == b'_');
    bytes.iter().fold(true, |all, byte| all & in_name(*byte))
}

/// Whether a plain scalar may begin with these two bytes: the first must not be one of YAML's indicators.
fn starts_plainly(first: u8, second: Option<u8>) -> bool {
    match first {
        b' ' | b'!' | b'"' | b'#' | b'%' | b'&' | b'\'' | b'*' | b',' | b'>' | b'@' | b'[' | b']' | b'`'
        | b'{' | b'|' | b'}' => false,
        b'-' | b'?' | b':' => !matches!(second, None | Some(b' ')),
        _ => true,
    }
}

/// Whether there is no character that needs an escape, no `: ` and no ` #`.
fn continues_plainly(text: &str) -> bool {
    let mut previous = 0;
    let mut ascii = true;
    for byte in text.bytes() {
        match byte {
            0..=0x1f | 0x7f => return false,
            b' ' if previous == b':' => return false,
            b'#' if previous == b' ' => return false,
            0x80..=0xff => ascii = false,
            _ => {}
        }
        previous = byte;
    }
    ascii || !text.chars().any(needs_escape)
}

/// Whether a character may not stand in YAML as itself, or would be read as a line break or a byte order mark.
const fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// `---` and `...` at the beginning of a line end the document.
fn is_document_marker(text: &str) -> bool {
    let after = text.strip_prefix("---").or_else(|| text.strip_prefix("..."));
    after.is_some_and(|after| after.is_empty() || after.starts_with(' '))
}

/// Whether some reader takes the plain scalar for a null, a boolean, a number, a date, or a merge or default key.
fn means_something_else(text: &str, first: u8) -> bool {
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => is_number(text) || is_date(text),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' | b'<' | b'=' => {
            is_keyword(text)
        }
        _ => false,
    }
}

/// Bytes of `false`.
const LONGEST_KEYWORD: usize = 5;

/// The words that YAML 1.1 and its readers resolve. A word counts in lower case, in capitals, and with a capital first letter.
fn is_keyword(text: &str) -> bool {
    matches!(
        text,
        "~" | "<<"
            | "="
            | "null"
            | "Null"
            | "NULL"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | "yes"
            | "Yes"
            | "YES"
            | "no"
            | "No"
            | "NO"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
            | "y"
            | "Y"
            | "n"
            | "N"
    )
}

/// Whether `text` is a number to some reader: an integer to base 2, 8, 10 or 16, a decimal fraction, a sexagesimal number (`1:30`),
/// infinity or not-a-number. Underscores may stand anywhere: go-yaml drops them all before it looks.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let mut rest = Digits(unsigned);
    let whole = rest.skip(10);
    match rest.next() {
        None => whole > 0,
        Some(b'x' | b'X') => unsigned.starts_with('0') && whole == 1 && rest.is_integer(16),
        Some(b'o' | b'O') => unsigned.starts_with('0') && whole == 1 && rest.is_integer(8),
        Some(b'b' | b'B') => unsigned.starts_with('0') && whole == 1 && rest.is_integer(2),
        // PyYAML before 6 takes even `._` for a number.
        Some(b'.') => (rest.skip(10) + whole > 0 || unsigned.contains('_')) && rest.is_exponent_or_end(),
        Some(b'e' | b'E') => whole > 0 && Digits(unsigned).is_scientific(),
        Some(b':') => whole > 0 && rest.is_sexagesimal(),
        Some(_) => false,
    }
}

/// Whether `text` begins with a date, `2020-1-31`, that ends there or is followed by a time of day.
fn is_date(text: &str) -> bool {
    let mut rest = text;
    for (least, most) in [(4, 4), (1, 2), (1, 2)] {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits < least || digits > most {
            return false;
        }
        let (_, after) = rest.split_at(digits);
        rest = after.strip_prefix('-').unwrap_or(after);
    }
    rest.is_empty() || rest.starts_with(['T', 't', ' '])
}

/// The bytes of a number that are not looked at yet.
#[derive(Clone, Copy)]
struct Digits<'a>(&'a str);

impl Digits<'_> {
    /// Takes the next byte that is no underscore.
    fn next(&mut self) -> Option<u8> {
        let mut bytes = self.0.bytes();
        let found = bytes.find(|byte| *byte != b'_');
        let taken = self.0.len() - bytes.len();
        self.0 = self.0.get(taken..).unwrap_or_default();
        found
    }

    /// Skips digits to base `radix` and says how many there were.
    fn skip(&mut self, radix: u32) -> usize {
        let mut count = 0;
        let mut ahead = *self;
        while ahead.next().is_some_and(|byte| char::from(byte).is_digit(radix)) {
            *self = ahead;
            count += 1;
        }
        count
    }

    fn skip_sign(&mut self) {
        let mut ahead = *self;
        if matches!(ahead.next(), Some(b'+' | b'-')) {
            *self = ahead;
        }
    }

    fn is_end(mut self) -> bool {
        self.next().is_none()
    }

    /// The rest of `0x1f` after the `x`. go-yaml lets a sign stand there; PyYAML wants no digit if there is an underscore.
    fn is_integer(mut self, radix: u32) -> bool {
        let underscore = self.0.starts_with('_');
        self.skip_sign();
        (self.skip(radix) > 0 || underscore) && self.is_end()
    }

    fn is_scientific(mut self) -> bool {
        self.skip(10) > 0 && self.is_exponent_or_end()
    }

    fn is_exponent_or_end(mut self) -> bool {
        match self.next() {
            None => true,
            Some(b'e' | b'E') => {
                self.skip_sign();
                self.skip(10) > 0 && self.is_end()
            }
            Some(_) => false,
        }
    }

    /// The rest of `1:30:00.5` after the first colon: groups below 60.
    fn is_sexagesimal(mut self) -> bool {
        loop {
            let mut ahead = self;
            let below_sixty = matches!(ahead.next(), Some(b'0'..=b'5'));
            let digits = self.skip(10);
            if !(digits == 1 || digits == 2 && below_sixty) {
                return false;
            }
            match self.next() {
                None => return true,
                Some(b':') => {}
                Some(byte) => {
                    self.skip(10);
                    return byte == b'.' && self.is_end();
                }
            }
        }
    }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if needs_escape(character) => write_escape(out, character),
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// `\x7F` or `\u2028`: all characters that need an escape are below U+10000.
fn write_escape(out: &mut String, character: char) {
    let code = u32::from(character);
    let digits = if code < 0x100 { 2 } else { 4 };
    out.push_str(if digits == 2 { "\\x" } else { "\\u" });
    for position in (0..digits).rev() {
        let digit = char::from_digit(code >> (4 * position) & 0xf, 16).unwrap_or('0');
        out.push(digit.to_ascii_uppercase());
    }
}

/// Writes `text` as a comment that stays on its line: runs of line breaks and other control characters become one space.
pub(super) fn write_comment(out: &mut String, text: &str) {
    out.push('#');
    for word in text.split(needs_escape).filter(|word| !word.is_empty()) {
        if !word.starts_with(' ') {
            out.push(' ');
        }
        out.push_str(word);
    }
}
