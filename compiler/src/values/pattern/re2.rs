//! Whether RE2 reads a pattern: Envoy matches with RE2, and Istio's admission compiles with Go's `regexp`,
//! which reads the same language. A pattern is refused where either refuses it.
//!
//! `regex-syntax` can't answer this: it reads a neighbouring language (`[a&&b]`, `a{,5}` and `\<` differ),
//! and it reads it for another engine. This is a recogniser of about fifteen productions, without recursion.

use super::super::ValueError;
use super::super::error::Shown;

/// Largest count of a repeat, and largest product of repeats inside each other.
const REPEAT_MAX: u64 = 1000;

/// General categories and scripts that RE2 knows by name.
const UNICODE_CLASSES: &str = "\
    Adlam Ahom Anatolian_Hieroglyphs Any Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali \
    Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid C Canadian_Aboriginal Carian Caucasian_Albanian Cc \
    Cf Chakma Cham Cherokee Chorasmian Co Common Coptic Cs Cuneiform Cypriot Cypro_Minoan Cyrillic \
    Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian \
    Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo \
    Hatran Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian \
    Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi \
    L Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Ll Lm Lo Lt Lu Lycian Lydian M Mahajani Makasar \
    Malayalam Mandaic Manichaean Marchen Masaram_Gondi Mc Me Medefaidrin Meetei_Mayek Mende_Kikakui \
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Mn Modi Mongolian Mro Multani Myanmar N Nabataean \
    Nag_Mundari Nandinagari Nd New_Tai_Lue Newa Nko Nl No Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki \
    Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian \
    Old_Turkic Old_Uyghur Oriya Osage Osmanya P Pahawh_Hmong Palmyrene Pau_Cin_Hau Pc Pd Pe Pf Phags_Pa \
    Phoenician Pi Po Ps Psalter_Pahlavi Rejang Runic S Samaritan Saurashtra Sc Sharada Shavian Siddham \
    SignWriting Sinhala Sk Sm So Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog \
    Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh \
    Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Z Zanabazar_Square Zl Zp Zs";

const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Refuses a pattern that RE2 does not read.
///
/// # Errors
/// What construct is to blame, and its byte offset.
pub(super) fn check(pattern: &str) -> Result<(), ValueError> {
    groups(pattern).map(|_| ())
}

/// How many groups a pattern captures.
///
/// # Errors
/// What construct RE2 does not read, and its byte offset.
pub(super) fn groups(pattern: &str) -> Result<usize, ValueError> {
    let mut reader =
        Reader { text: pattern, at: 0, frames: Vec::new(), atom: None, most: 1, repeated: false, groups: 0 };
    while let Some(c) = reader.peek() {
        let after_repeat = std::mem::take(&mut reader.repeated);
        match c {
            '(' => reader.open()?,
            ')' => reader.close()?,
            '|' => {
                reader.skip("|");
                reader.settle();
                reader.atom = None;
            }
            '*' | '+' | '?' => {
                let start = reader.at;
                reader.at += 1;
                reader.repeat(start, after_repeat, 1)?;
            }
            '{' => reader.counted(after_repeat)?,
            '[' => reader.class()?,
            '\\' => reader.escaped()?,
            other => reader.literal(other),
        }
    }
    match reader.frames.last() {
        None => Ok(reader.groups),
        Some(frame) => Err(fault("the group that opens here is not closed", frame.start).help("add `)`")),
    }
}

struct Reader<'p> {
    text: &'p str,
    at: usize,
    /// Open groups.
    frames: Vec<Frame>,
    /// What a repeat would apply to: the product of the repeats inside it. None where there is nothing to
    /// repeat.
    atom: Option<u64>,
    /// Largest product of repeats among the finished atoms of this group.
    most: u64,
    /// Whether a repeat ends right here.
    repeated: bool,
    /// Groups that capture, up to here.
    groups: usize,
}

/// What waits outside an open group.
struct Frame {
    start: usize,
    atom: Option<u64>,
    most: u64,
}

fn fault(message: impl Into<String>, at: usize) -> ValueError {
    ValueError::new(message).at(at)
}

impl<'p> Reader<'p> {
    fn rest(&self) -> &'p str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Moves past `token` if it stands here.
    fn skip(&mut self, token: &str) -> bool {
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    /// Ends the current atom: nothing further can repeat it.
    fn settle(&mut self) {
        self.most = self.most.max(self.atom.unwrap_or(1));
    }

    fn new_atom(&mut self) {
        self.settle();
        self.atom = Some(1);
    }

    fn literal(&mut self, c: char) {
        self.at += c.len_utf8();
        self.new_atom();
    }

    /// A repeat of `count` that began at `start` and has been read; a lazy `?` may follow.
    fn repeat(&mut self, start: usize, after_repeat: bool, count: u64) -> Result<(), ValueError> {
        self.skip("?");
        let written = Shown(self.text.get(start..self.at).unwrap_or_default());
        if after_repeat {
            return Err(fault(format!("the repeat {written} follows another repeat"), start)
                .help("RE2 has no possessive repeats; put a group around the first to repeat it again"));
        }
        let Some(inner) = self.atom else {
            return Err(fault(format!("the repeat {written} has nothing to repeat"), start)
                .help(format!("write a backslash before it to match the character {written} itself")));
        };
        let product = inner.saturating_mul(count.max(1));
        if count > 1 && product > REPEAT_MAX {
            return Err(fault(
                format!("repeats inside each other multiply to {product}; the limit of RE2 is {REPEAT_MAX}"),
                start,
            ));
        }
        self.atom = Some(product);
        self.repeated = true;
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,5}`; any other brace is a literal.
    fn counted(&mut self, after_repeat: bool) -> Result<(), ValueError> {
        let start = self.at;
        let Some((least, most, length)) = counts(self.rest()) else {
            self.literal('{');
            return Ok(());
        };
        self.at += length;
        let written = self.text.get(start..self.at).unwrap_or_default();
        if least > REPEAT_MAX || most.is_some_and(|most| most > REPEAT_MAX) {
            return Err(fault(
                format!("the repeat `{written}` is over the limit of RE2, which is {REPEAT_MAX}"),
                start,
            ));
        }
        if most.is_some_and(|most| most < least) {
            return Err(fault(format!("the repeat `{written}` has its larger number first"), start)
                .help("swap the numbers"));
        }
        self.repeat(start, after_repeat, most.unwrap_or(least))
    }

    fn open(&mut self) -> Result<(), ValueError> {
        let start = self.at;
        self.at += 1;
        if !self.rest().starts_with('?') {
            self.groups += 1;
        } else if !self.flags(start)? {
            return Ok(());
        }
        self.frames.push(Frame { start, atom: self.atom, most: self.most });
        self.atom = None;
        self.most = 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), ValueError> {
        let Some(frame) = self.frames.pop() else {
            return Err(fault("`)` closes no group", self.at).help("write `\\)` for the character itself"));
        };
        self.at += 1;
        self.settle();
        let inside = self.most;
        self.most = frame.most;
        self.atom = frame.atom;
        self.new_atom();
        self.atom = Some(inside);
        Ok(())
    }

    /// Reads `?...` of a group; false if it only set flags, such as `(?i)`.
    fn flags(&mut self, start: usize) -> Result<bool, ValueError> {
        self.at += 1;
        if let Some(foreign) = FOREIGN_GROUPS.iter().find(|foreign| self.rest().starts_with(foreign.0)) {
            return Err(fault(
                format!("`(?{}` is {}, which is not part of RE2", foreign.0, foreign.1),
                start,
            )
            .help(foreign.2));
        }
        if self.skip("P<") || self.skip("<") {
            return self.name(start).map(|()| true);
        }
        let mut any = false;
        let mut negated = false;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                'i' | 'm' | 's' | 'U' => any = true,
                '-' if !negated => (negated, any) = (true, false),
                ':' | ')' if any || !negated => return Ok(c == ':'),
                _ => break,
            }
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        Err(fault(format!("{} is not a group that RE2 knows", Shown(written)), start)
            .help("the flags of RE2 are `i`, `m`, `s` and `U`, as in `(?i)` or `(?i:...)`"))
    }

    /// Reads the name of a group up to `>`. Two groups may share a name.
    fn name(&mut self, start: usize) -> Result<(), ValueError> {
        let name = self.rest().split_once('>').map(|(name, _)| name).unwrap_or_default();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(fault("the name of this group is not valid", start)
                .help("name a group with letters, digits and underscores, as in `(?P<name>...)`"));
        }
        self.at += name.len() + 1;
        self.groups += 1;
        Ok(())
    }

    /// A backslash outside a class.
    fn escaped(&mut self) -> Result<(), ValueError> {
        let start = self.at;
        match self.rest().as_bytes().get(1) {
            Some(b'A' | b'b' | b'B' | b'z' | b'd' | b'D' | b's' | b'S' | b'w' | b'W') => self.at += 2,
            Some(b'p' | b'P') => self.unicode_class()?,
            Some(b'Q') => {
                self.quoted();
                return Ok(());
            }
            Some(b'C') => {
                return Err(
                    fault("`\\C`, a single byte, is refused by Istio's admission", start).help("use `.`")
                );
            }
            _ => {
                self.character()?;
            }
        }
        self.new_atom();
        Ok(())
    }

    /// `\Q...\E`: each character is itself; without `\E` it goes to the end.
    fn quoted(&mut self) {
        self.at += 2;
        while !self.skip("\\E") {
            let Some(c) = self.peek() else { return };
            self.literal(c);
        }
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    fn unicode_class(&mut self) -> Result<(), ValueError> {
        let start = self.at;
        self.at += 2;
        let name = match self.peek() {
            Some('{') => {
                let Some((name, _)) = self.rest().split_once('}') else {
                    return Err(
                        fault("the name of this character class is not closed", start).help("add `}`")
                    );
                };
                self.at += name.len() + 1;
                name.get(1..).unwrap_or_default()
            }
            Some(c) => {
                let name = self.rest().get(..c.len_utf8()).unwrap_or_default();
                self.at += name.len();
                name
            }
            None => "",
        };
        let name = name.strip_prefix('^').unwrap_or(name);
        if UNICODE_CLASSES.split_ascii_whitespace().any(|class| class == name) {
            return Ok(());
        }
        Err(fault(format!("RE2 knows no character class with the name {}", Shown(name)), start)
            .help("name a Unicode category such as `L`, or a script such as `Greek`"))
    }

    /// A character of a class or an escape: its value, with the position moved past it.
    fn character(&mut self) -> Result<char, ValueError> {
        let start = self.at;
        let Some(first) = self.peek() else {
            return Err(fault("the character class is not closed", start).help("add `]`"));
        };
        self.at += first.len_utf8();
        if first != '\\' {
            return Ok(first);
        }
        let Some(c) = self.peek() else {
            return Err(fault("the pattern ends with a backslash", start)
                .help("write `\\\\` for the character itself"));
        };
        self.at += c.len_utf8();
        match c {
            '0' => Ok(self.octal(0)),
            '1'..='7' if self.peek().is_some_and(|next| next.is_digit(8)) => {
                Ok(self.octal(c.to_digit(8).unwrap_or(0)))
            }
            'x' => self.hex(start),
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
            _ => Err(unknown_escape(c, start)),
        }
    }

    /// Up to two more octal digits.
    fn octal(&mut self, first: u32) -> char {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else { break };
            value = value * 8 + digit;
            self.at += 1;
        }
        char::from_u32(value).unwrap_or_default()
    }

    /// `\x41` or `\x{41}`, after the `x`.
    fn hex(&mut self, start: usize) -> Result<char, ValueError> {
        let rest = self.rest();
        let (digits, length) = match rest.strip_prefix('{') {
            Some(inner) => {
                let digits = inner.split_once('}').map(|(digits, _)| digits).unwrap_or_default();
                (digits, digits.len() + 2)
            }
            None => (rest.get(..2).unwrap_or_default(), 2),
        };
        let hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value =
            if hex { u32::from_str_radix(digits, 16).ok().filter(|value| *value <= 0x10_ffff) } else { None };
        let Some(value) = value else {
            return Err(fault("`\\x` needs two hex digits, or a code point in braces", start)
                .help("write `\\x41` or `\\x{41}`"));
        };
        self.at += length;
        // RE2 takes a lone surrogate, which no text has.
        Ok(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// `[...]`.
    fn class(&mut self) -> Result<(), ValueError> {
        let start = self.at;
        self.at += 1;
        self.skip("^");
        let mut first = true;
        while first || !self.rest().starts_with(']') {
            if self.rest().is_empty() {
                return Err(fault("the character class that opens here is not closed", start).help("add `]`"));
            }
            first = false;
            if !self.named_item()? {
                self.range()?;
            }
        }
        self.at += 1;
        self.new_atom();
        Ok(())
    }

    /// `[:alpha:]`, `\pL` or `\d` inside a class; false if none of them stands here.
    fn named_item(&mut self) -> Result<bool, ValueError> {
        let rest = self.rest();
        if let Some((name, _)) = rest.strip_prefix("[:").and_then(|inner| inner.split_once(":]")) {
            if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                return Err(fault(
                    format!("there is no character class {}", Shown(&format!("[:{name}:]"))),
                    self.at,
                )
                .help("use one such as `[:alpha:]`, or escape the inner `[`"));
            }
            self.at += name.len() + 4;
            return Ok(true);
        }
        match rest.as_bytes() {
            [b'\\', b'p' | b'P', ..] => self.unicode_class().map(|()| true),
            [b'\\', b'd' | b'D' | b's' | b'S' | b'w' | b'W', ..] => {
                self.at += 2;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// A character of a class, or a range of them.
    fn range(&mut self) -> Result<(), ValueError> {
        let start = self.at;
        let low = self.character()?;
        if !self.rest().starts_with('-') || self.rest().starts_with("-]") || self.rest() == "-" {
            return Ok(());
        }
        self.at += 1;
        let high = self.character()?;
        if low <= high {
            return Ok(());
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        Err(fault(format!("the range {} runs backwards", Shown(written)), start)
            .help("swap its ends, or put `-` last in the class to match it"))
    }
}

/// The numbers of a repeat, and its length in bytes: `{2}` is 2 to 2, `{2,}` is 2 to none.
fn counts(text: &str) -> Option<(u64, Option<u64>, usize)> {
    let (inner, _) = text.strip_prefix('{')?.split_once('}')?;
    let number = |digits: &str| {
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty();
        // A leading zero makes it a literal; a number too long to read is over every limit.
        (plain && (digits.len() == 1 || !digits.starts_with('0'))).then(|| digits.parse().unwrap_or(u64::MAX))
    };
    let (least, most) = match inner.split_once(',') {
        None => (number(inner)?, Some(number(inner)?)),
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
    };
    Some((least, most, inner.len() + 2))
}

const NO_LOOK_AROUND: &str =
    "describe what is wanted instead, or put a route for the exception before this one";

/// What follows `(?` in other languages: its name, and what to do.
const FOREIGN_GROUPS: &[(&str, &str, &str)] = &[
    ("=", "look-ahead", NO_LOOK_AROUND),
    ("!", "negative look-ahead", NO_LOOK_AROUND),
    ("<=", "look-behind", NO_LOOK_AROUND),
    ("<!", "negative look-behind", NO_LOOK_AROUND),
    (">", "an atomic group", "use a plain group `(?:...)`: RE2 never backtracks"),
    ("#", "a comment", "write comments outside the pattern"),
    ("|", "a branch reset", "use a plain group `(?:...)`"),
    ("(", "a conditional group", "write the branches as alternatives with `|`"),
    ("P=", "a back reference", "write out the alternatives"),
    ("P>", "recursion", "write the pattern out"),
    ("&", "recursion", "write the pattern out"),
    ("R", "recursion", "write the pattern out"),
    ("'", "a named group in another dialect", "write `(?P<name>...)`"),
];

#[cold]
fn unknown_escape(c: char, at: usize) -> ValueError {
    let (what, help) = match c {
        '1'..='9' | 'g' | 'k' => ("a back reference", "write out the alternatives"),
        'Z' => {
            ("the end before a last newline", "write `\\z`, or remove it: a pattern covers the whole value")
        }
        'G' => ("the end of the previous match", "remove it: a pattern covers the whole value"),
        'K' => ("a reset of the match", "remove it: a pattern covers the whole value"),
        'h' | 'H' => ("horizontal space", "write `[ \\t]`"),
        'R' => ("any line break", "write `\\r?\\n`"),
        'N' => ("anything but a newline", "write `.`"),
        'X' => ("a grapheme", "write `.`"),
        'u' => ("a code point in another dialect", "write `\\x{...}`"),
        'e' => ("the escape character", "write `\\x1b`"),
        'c' => ("a control character", "write its code, such as `\\x01`"),
        'p' | 'P' | 'E' | 'L' | 'l' | 'U' => ("not valid here", "remove the backslash"),
        _ => ("an unknown escape", "remove the backslash"),
    };
    let written = format!("\\{c}");
    fault(format!("{} is {what}, which is not part of RE2", Shown(&written)), at).help(help)
}
