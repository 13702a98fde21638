//! Free text, and the switch.

use smol_str::SmolStr;

use super::error::Shown;
use super::newtype::text_value;
use super::words::words;
use super::{Form, Literal, ValueError};

/// Any text without control characters, except newlines and tabs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    text: SmolStr,
}

text_value!(Text);

impl Text {
    /// Length in bytes of UTF-8.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Refuses a text of more than `most` bytes; `kind` names it in the message.
    ///
    /// # Errors
    /// The length and the limit.
    pub fn at_most(&self, most: usize, kind: &str) -> Result<(), ValueError> {
        if self.text.len() <= most {
            return Ok(());
        }
        Err(ValueError::new(format!("the {kind} has {} bytes; the limit is {most}", self.text.len()))
            .help("shorten it"))
    }
}

impl Literal for Text {
    const NAME: &'static str = "text";
    const DOC: &'static str = "any text without control characters; newlines and tabs are allowed";
    const FORM: Form = Form::Quoted;

    fn parse(text: &str) -> Result<Self, ValueError> {
        match control_character(text, &['\n', '\t']) {
            None => Ok(Self { text: text.into() }),
            Some(error) => Err(error),
        }
    }
}

/// The error for the first control character that is not one of `allowed`.
pub(super) fn control_character(text: &str, allowed: &[char]) -> Option<ValueError> {
    // Bytes above 0x7f begin or continue longer characters; only U+0080 to U+009F of those are controls.
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return None;
    }
    let (offset, c) = text.char_indices().find(|(_, c)| c.is_control() && !allowed.contains(c))?;
    let shown = c.escape_default().to_string();
    Some(
        ValueError::new(format!("{} has the control character {}", Shown(text), Shown(&shown)))
            .help("remove the control character")
            .at(offset),
    )
}

words! {
    /// Whether something is done.
    pub enum Switch: "switch" {
        On = "on" | "true" | "yes" | "enabled" "it is done",
        Off = "off" | "false" | "no" | "disabled" | "none" "it is not done",
    }
}

impl Switch {
    /// Whether it is `on`.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        switch.is_on()
    }
}
