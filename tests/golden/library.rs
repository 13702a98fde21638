//! The standard library: every public definition is put to use, without a report.

use super::example::{Example, root, sources};
use meshc_compiler::project::STANDARD_LIBRARY;
use meshc_targets::Split;
use meshc_targets::istio::ApiVersion;

/// A project that uses all of it.
pub(super) fn example() -> Example {
    Example::of("the use of std", sources(&root().join("tests/golden/library")))
}

/// Its own sources.
pub(super) fn itself() -> Example {
    Example::of("std", sources(&root().join("stdlib")))
}

#[test]
fn every_definition_can_be_used() {
    let (builds, reports) = example().build(Split::default(), ApiVersion::default());
    assert_eq!(reports, Vec::<String>::new());
    assert_eq!(builds.len(), 1);
    let text: String = example().sources.into_iter().map(|(_, text)| text).collect();
    for (module, name) in public() {
        // Once in the `use`, once where it is used.
        let uses = words(&text).filter(|word| *word == name).count();
        assert!(uses >= 2, "{module} defines `{name}`, which tests/golden/library does not use");
    }
}

#[test]
fn every_definition_says_what_it_is_for() {
    for (module, text) in STANDARD_LIBRARY {
        let mut before = "";
        for line in text.lines() {
            let documented = !line.starts_with("pub ") || before.starts_with("## ");
            assert!(documented, "{module}: nothing stands in front of `{line}`");
            before = line;
        }
    }
}

/// Module and name of everything that the library offers.
fn public() -> Vec<(String, String)> {
    let public: Vec<(String, String)> = STANDARD_LIBRARY
        .iter()
        .flat_map(|(module, text)| {
            let offered = text.lines().filter_map(|line| line.strip_prefix("pub ")?.split([' ', '(']).nth(1));
            offered.map(|name| ((*module).to_owned(), name.to_owned()))
        })
        .collect();
    assert!(public.len() >= STANDARD_LIBRARY.len(), "a module offers nothing");
    public
}

/// Names with their `$`, and everything else that looks like one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    code.flat_map(|line| line.split(|char: char| !(char.is_ascii_alphanumeric() || "$-".contains(char))))
}
