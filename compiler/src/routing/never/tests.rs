//! What never holds, against the matcher.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::path::Paths;
use super::space::{HeaderValues, Parameters, Space, may_take};
use super::{Reading, of_path};
use crate::model::{PathMatch, PathTest};
use crate::routing::matcher::is_normal;
use crate::values::{Literal, Pattern};

const RAW: Paths = Paths { reading: Reading::Raw, with_query: false };
const ISTIO: Paths = Paths { reading: Reading::Istio, with_query: false };

#[test]
fn the_paths_that_conditions_see_are_those_that_stay_as_they_are() {
    let pieces = [
        "/", "a", ".", "..", "%", "%2", "%2F", "%41", "%20", "%7c", "%00", "5", "c", ";", "é", "?", " ", "|",
        "~",
    ];
    for first in pieces {
        for second in pieces {
            for third in pieces {
                for fourth in ["", "/", ".", "b", "1"] {
                    let path = format!("/{first}{second}{third}{fourth}");
                    // Parameters behind dots are a matter of servers that read them.
                    if !path.contains(".;") {
                        assert_eq!(RAW.has(&path), is_normal(&path), "{path}");
                    }
                }
            }
        }
    }
}

#[test]
fn patterns_that_take_no_path_are_known() {
    for (pattern, on_raw, on_istio) in [
        ("/a/.*", true, true),
        (".*", true, true),
        ("^/[a-z]+$", true, true),
        ("/.*[.]php", true, true),
        (r"/\w{50}", true, true),
        ("/(a|b)?", true, true),
        ("(/a)*", true, true),
        ("/a%20b", true, true),
        ("/a[%]2fb|/c", true, true),
        (r"(?i)/a%7cb", true, true),
        // What is not known may be taken.
        (r"/\pL", true, true),
        ("a.*", false, false),
        ("[^/].*", false, false),
        (r"/a\?b=.*", false, false),
        (".*#.*", false, false),
        ("/a b", false, false),
        (r"/a\|b", false, false),
        ("/%41", false, false),
        (".*/[.][.]/.*", false, false),
        ("/a/[.]", false, false),
        ("//", false, true),
        ("/.*//.*", false, true),
        ("/.*%2[fF].*", false, true),
        ("(?i)/a%5cb", false, true),
    ] {
        let pattern = Pattern::parse(pattern).unwrap();
        let may = (may_take(&pattern, &RAW), may_take(&pattern, &ISTIO));
        assert_eq!(may, (on_raw, on_istio), "{pattern}");
    }
}

#[test]
fn literals_that_no_path_is_are_known() {
    let exact = |text: &str| PathTest::Exact(text.into());
    let prefix = |text: &str| PathTest::Prefix(text.into());
    let under = |text: &str| PathTest::Under(text.into());
    for (test, on_raw, on_istio) in [
        (exact("/a"), None, None),
        (exact("/a/"), None, None),
        (exact("/..."), None, None),
        (prefix("/a/."), None, None),
        (prefix("/a/.."), None, None),
        (prefix("/%4"), None, None),
        (under("/a"), None, None),
        (exact("//"), Some("merged"), None),
        (exact("/a/../b"), Some("resolved"), Some("resolved")),
        (exact("/a/."), Some("resolved"), Some("resolved")),
        (under("/a/.."), Some("resolved"), Some("resolved")),
        (exact("/a%2Fb"), Some("400"), None),
        (prefix("/a%5c"), Some("400"), None),
        (exact("/a%00"), Some("400"), Some("400")),
        (exact("/%7Eme"), Some("decoded"), Some("decoded")),
        (prefix("/a//b"), Some("merged"), None),
    ] {
        let path = PathMatch { test, ignore_case: false };
        for (reading, expected) in [(Reading::Raw, on_raw), (Reading::Istio, on_istio)] {
            let never = of_path(&path, reading);
            let found = never.as_ref().map(|never| never.why.as_str());
            assert_eq!(found.is_some(), expected.is_some(), "{path:?} {reading:?} {found:?}");
            assert!(expected.is_none_or(|part| found.unwrap().contains(part)), "{path:?} {found:?}");
        }
    }
}

#[test]
fn values_that_no_header_or_query_has_are_known() {
    for (value, in_header, in_query) in [
        ("a", true, true),
        ("", true, true),
        ("a b", true, false),
        ("é", true, false),
        ("a=b", true, true),
        ("a&b", true, false),
        ("a#b", true, false),
        (" a", false, false),
        ("a ", false, false),
        ("a\tb", true, false),
        ("a\nb", false, false),
    ] {
        assert_eq!(HeaderValues.has(value), in_header, "{value:?}");
        assert_eq!((Parameters { of_name: false }).has(value), in_query, "{value:?}");
    }
    assert!(!(Parameters { of_name: true }).has("a=b"));
    assert!(!may_take(&Pattern::parse(r"\s.*").unwrap(), &HeaderValues));
    assert!(may_take(&Pattern::parse(r"\s*a.*").unwrap(), &HeaderValues));
    assert!(!may_take(&Pattern::parse(r"[a-z]+\s[a-z]+").unwrap(), &Parameters { of_name: false }));
}
