//! What the language as a whole knows of its words. Who reads a statement knows the words of its own block; a report on a word that is
//! not among them says where it belongs. The [reference](crate::reference) knows, and stands above all that is read here: it is handed
//! in.

use meshc_language::{Diagnostic, Span};
use std::fmt::Debug;

/// All words of the language.
pub trait Vocabulary: Debug + Sync {
    /// How a statement is written, by its keyword.
    fn example(&self, key: &str) -> Option<&'static str>;
    /// The keyword that a word stands for, wherever it may stand; the word itself if there is none.
    fn known<'w>(&self, word: &'w str) -> &'w str;
    /// The statements in whose blocks a keyword may stand.
    fn homes(&self, key: &str) -> Vec<&'static str>;
    /// The report for a statement that stands on the wrong side: routing in a destination, or calling in a route.
    fn wrong_side(&self, key: &str, owner: &str, homes: &[&str], span: Span) -> Option<Diagnostic>;
    /// Every word that may start a statement at the top of a file.
    fn items(&self) -> Vec<&'static str>;
    /// The item that a word of another language stands for.
    fn foreign_item(&self, word: &str) -> Option<&'static str>;
    /// Whether a word starts something that stands at the top of a file only.
    fn is_definition(&self, word: &str) -> bool;
    /// Whether an item of that name comes with a later version.
    fn is_later(&self, word: &str) -> bool;
}
