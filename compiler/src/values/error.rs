//! What is wrong with a literal.

use std::fmt;

use super::Literal;

/// Why a text is not a value of the expected type. The words follow the message style of the language: lower
/// case, no full stop, the user's text in backticks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueError {
    /// What is wrong.
    pub message: String,
    /// What to do, in the imperative.
    pub help: Option<String>,
    /// Text that would be right in place of the whole literal (for a quoted literal: between the quotes,
    /// unescaped).
    pub replacement: Option<String>,
    /// Whether the replacement is a guess at what was meant (a nearby word, a missing unit) rather than
    /// another spelling of the same value. A guess must not be applied without asking.
    pub guessed: bool,
    /// Byte offset of the fault inside the text, where one place is to blame.
    pub offset: Option<usize>,
}

impl ValueError {
    /// An error with nothing but its message.
    #[cold]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Adds the help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a replacement that means the same as what was written; without a help line yet, it becomes one.
    #[must_use]
    pub fn respell(mut self, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        self.help.get_or_insert_with(|| format!("write `{replacement}`"));
        self.replacement = Some(replacement);
        self
    }

    /// Adds a replacement that guesses at the meaning; without a help line yet, it becomes one.
    #[must_use]
    pub fn guess(mut self, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        self.help.get_or_insert_with(|| format!("did you mean `{replacement}`?"));
        self.replacement = Some(replacement);
        self.guessed = true;
        self
    }

    /// Drops a replacement that is no value of the expected type either, such as `0s` for a timeout of `0`.
    #[must_use]
    pub(super) fn checked<T: Literal>(mut self) -> Self {
        if self.replacement.as_deref().is_some_and(|replacement| T::parse(replacement).is_err()) {
            self.replacement = None;
            self.guessed = false;
        }
        self
    }

    /// Turns an error about a part into one about the whole literal: `before` bytes stand before the part,
    /// and `whole` puts the rest of the literal around a replacement.
    #[must_use]
    pub(crate) fn of_part(mut self, before: usize, whole: impl FnOnce(&str) -> String) -> Self {
        self.offset = self.offset.map(|offset| before + offset);
        self.replacement = self.replacement.as_deref().map(whole);
        self
    }

    /// Adds the byte offset of the fault.
    #[must_use]
    pub fn at(mut self, offset: usize) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValueError {}

/// The user's text inside a message: in backticks, control characters escaped, clipped so that a message
/// stays one line.
pub(super) struct Shown<'a>(pub(super) &'a str);

/// Characters of the user's text that a message repeats.
const SHOWN_CHARS: usize = 60;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        for (count, c) in self.0.chars().enumerate() {
            if count == SHOWN_CHARS {
                f.write_str("…")?;
                break;
            }
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                fmt::Write::write_char(f, c)?;
            }
        }
        f.write_str("`")
    }
}
