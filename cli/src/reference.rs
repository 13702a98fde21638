//! The language reference page.

use crate::exit::Failure;

/// The page, in Markdown.
pub(crate) fn page() -> Result<String, Failure> {
    Ok(String::new())
}
