//! Enumerations of the language, declared as data: word, variant and documentation stand once.

use super::error::Shown;
use super::{ValueError, did_you_mean};

/// Declares a closed set of words as an enum that is a [`Literal`](super::Literal).
///
/// ```ignore
/// words! {
///     /// How the endpoint of a request is chosen.
///     pub enum Balance: "load balancing policy" {
///         RoundRobin = "round-robin" "each endpoint in turn",
///         LeastRequest = "least-request" | "least-conn" "the endpoint with the fewest requests",
///     }
/// }
/// ```
///
/// It gets `ALL`, `word()`, `doc()`, `Display`, and a parser that suggests the nearest word. What stands
/// after `|` is not accepted: it is another spelling of the same thing, which the error replaces.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident: $title:literal {
            $first:ident = $first_word:literal $(| $first_alias:literal)* $first_doc:literal
            $(, $rest:ident = $rest_word:literal $(| $rest_alias:literal)* $rest_doc:literal)* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            #[doc = $first_doc]
            $first,
            $(#[doc = $rest_doc] $rest,)*
        }

        #[allow(dead_code, reason = "every enumeration has the same accessors, needed or not")]
        impl $name {
            /// Every word, in the order of the reference page.
            $vis const ALL: &'static [Self] = &[Self::$first $(, Self::$rest)*];

            /// The word as it is written in the language.
            #[must_use]
            $vis const fn word(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$rest => $rest_word,)*
                }
            }

            /// One line of documentation.
            #[must_use]
            $vis const fn doc(self) -> &'static str {
                match self {
                    Self::$first => $first_doc,
                    $(Self::$rest => $rest_doc,)*
                }
            }
        }

        impl $crate::values::Literal for $name {
            const NAME: &'static str = $title;
            const DOC: &'static str = concat!("one of `", $first_word, "`" $(, ", `", $rest_word, "`")*);
            const FORM: $crate::values::Form = $crate::values::Form::Bare;
            const WORDS: &'static [(&'static str, &'static str)] =
                &[($first_word, $first_doc) $(, ($rest_word, $rest_doc))*];

            fn parse(text: &str) -> Result<Self, $crate::values::ValueError> {
                match text {
                    $first_word => Ok(Self::$first),
                    $($rest_word => Ok(Self::$rest),)*
                    _ => {
                        let aliases = &[
                            $(($first_alias, $first_word),)*
                            $($(($rest_alias, $rest_word),)*)*
                        ];
                        Err($crate::values::words::unknown_word($title, text, Self::WORDS, aliases))
                    }
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}
pub(crate) use words;

/// Words that a help line lists before it becomes a wall.
const LISTED_WORDS: usize = 12;

/// The error for a text that is none of `words`, which are pairs of word and documentation: the same word in
/// other letters or by another name (`aliases` are pairs of name and word), else the nearest, else the list.
#[cold]
pub(crate) fn unknown_word(
    kind: &str,
    text: &str,
    words: &[(&'static str, &'static str)],
    aliases: &[(&'static str, &'static str)],
) -> ValueError {
    let error = ValueError::new(format!("unknown {kind} {}", Shown(text)));
    if let Some((word, _)) = words.iter().find(|(word, _)| same_letters(word, text)) {
        return error.respell(*word);
    }
    if let Some((_, word)) = aliases.iter().find(|(alias, _)| same_letters(alias, text)) {
        return error.respell(*word);
    }
    if let Some(word) = did_you_mean(text, words.iter().map(|(word, _)| *word)) {
        return error.guess(word);
    }
    if words.len() <= LISTED_WORDS {
        let list: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        return error.help(format!("use one of {}", list.join(", ")));
    }
    error
}

/// Whether two words differ at most in letter case and in hyphens, underscores and blanks.
fn same_letters(word: &str, text: &str) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = u8> {
        text.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ')).map(|byte| byte.to_ascii_lowercase())
    }
    letters(word).eq(letters(text))
}
