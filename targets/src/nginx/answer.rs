//! Answers that nginx gives itself.

use super::directive::{Directive, line};

/// Statuses whose text nginx takes for an address to send the caller to.
const REDIRECTING: [u16; 5] = [301, 302, 303, 307, 308];

/// Whether nginx takes the text beside a status for an address.
pub(super) fn is_redirecting(status: u16) -> bool {
    REDIRECTING.contains(&status)
}

/// Answers with a status and a text, in a place where nginx reads variables. The text is left out where it would be an address.
pub(super) fn with(status: u16, text: &str) -> Directive {
    let answer = line!["return", status.to_string()];
    if is_redirecting(status) { answer } else { answer.and([text]) }
}
