//! Origins of CORS as the filter of Envoy, and so Istio, has to be told.

use meshc_compiler::routing::matcher::matches_whole;
use meshc_compiler::values::Pattern;
use smol_str::SmolStr;

/// The expression for the origins that a pattern takes. Envoy lets every origin in where a matcher takes the text `*`
/// (`CorsFilter::isOriginAllowed`), and a pattern such as `[^.]+` takes it without meaning to. An origin begins with a letter, so
/// asking for a word there changes nothing but that.
pub(crate) fn pattern(pattern: &Pattern) -> SmolStr {
    let text = pattern.as_str();
    let means_all = matches!(text, ".*" | ".+");
    if means_all || matches_whole(pattern, "*") == Some(false) {
        SmolStr::new(text)
    } else {
        SmolStr::new(format!(r"\b(?:{text})"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use meshc_compiler::values::{Literal, Pattern};

    #[test]
    fn only_what_takes_the_asterisk_by_chance_is_changed() {
        for (pattern, expected) in [
            (".*", ".*"),
            ("https://[^.]+", "https://[^.]+"),
            ("[^.]+", r"\b(?:[^.]+)"),
            (r"https://.*|\*", r"\b(?:https://.*|\*)"),
            (r"https://\pL+", r"\b(?:https://\pL+)"),
        ] {
            assert_eq!(super::pattern(&Pattern::parse(pattern).unwrap()), expected, "{pattern}");
        }
    }
}
