//! Text from sources and names, made safe to print.

use std::borrow::Cow;

/// Longest message that is printed, in characters.
const LONGEST: usize = 1000;

/// Whether a terminal would obey a character, or a reader would not see it.
pub(crate) fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A message: hidden characters as escapes, a very long text clipped.
pub(crate) fn message(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(4 * LONGEST));
    for (count, char) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        if char == '\n' || !is_hidden(char) {
            shown.push(char);
        } else {
            shown.extend(char.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

/// A part of a source line, with each hidden character replaced by visible ones of as many bytes, so that places in
/// it stay where they are. A tab stays a tab.
pub(crate) fn line(text: &str) -> String {
    text.chars()
        .flat_map(|char| {
            let shown = match char.len_utf8() {
                _ if char == '\t' || !is_hidden(char) => return [Some(char), None],
                1 => ['?', '\0'],
                2 => ['·', '\0'],
                3 => ['\u{fffd}', '\0'],
                _ => ['·', '·'],
            };
            shown.map(|char| (char != '\0').then_some(char))
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_length() {
        for text in ["\u{1b}[31mred", "a\u{202e}b", "\u{85}", "\u{e0041}x", "plain\ttab", "\u{ad}", "ü€😀"]
        {
            let shown = line(text);
            assert_eq!(shown.len(), text.len(), "{text:?}");
            assert!(!shown.chars().any(|char| char != '\t' && is_hidden(char)), "{shown:?}");
        }
        assert_eq!(line("ü€😀"), "ü€😀");
    }

    #[test]
    fn a_message_shows_what_is_hidden() {
        assert_eq!(message("a\u{1b}[31m"), "a\\u{1b}[31m");
        assert_eq!(message("two\nlines"), "two\nlines");
        assert_eq!(message(&"x".repeat(5000)).chars().count(), LONGEST + 1);
    }
}
