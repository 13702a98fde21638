//! A proxy that does otherwise is found out: Envoy is given a configuration with one thing changed on the way.

use super::{SHOP, script, verify};
use crate::cli::Folder;
use crate::oracle::programs;
use serde_json::Value;

/// What is changed (an expression of `sed`), in which respect the proxy then differs, and at which line of the source.
const CHANGES: &[(&str, &str, u64)] = &[
    (
        r"s/^\( *\)\(- \)\{0,1\}cluster: outbound|8080||cart\./\1\2cluster: outbound|8080||audit./",
        "destination",
        12,
    ),
    (r"s/418/503/", "status", 11),
    (r"s/weight: 250000/weight: 400000/; s/weight: 750000/weight: 600000/", "share", 17),
    (r"s#/basket#/bucket#", "path", 12),
    (r"s/value: edge$/value: elsewhere/", "request headers", 12),
    (r"s/x-hidden/x-visible/", "response headers", 12),
    (r"s/inline_string: fine/inline_string: ill/", "body", 10),
    (r"s#prefix_rewrite: /new/#prefix_rewrite: /newer/#", "location", 9),
    (r"s/numerator: 500000/numerator: 900000/", "share", 17),
    (r"s/numerator: 300000/numerator: 500000/", "share", 11),
    (r"s/- shop.example.com/- shopping.example.com/", "status", 8),
];

#[test]
fn each_change_is_found_where_it_is_meant() {
    let Some(envoy) = programs::envoy() else { return };
    let folder = Folder::new(&[("shop.mesh", SHOP)]);
    for (change, aspect, line) in CHANGES {
        let text = format!(
            "cp \"$2\" \"$2.old\"\nsed -i '{change}' \"$2\"\ncmp -s \"$2\" \"$2.old\" && echo unchanged && exit 1\nexec {} \"$@\"",
            envoy.display()
        );
        let program = script(&folder, "changed", &text);
        let run = verify(&folder, 1, &["--target", "envoy", "--program", &program, "--format", "json"]);
        let outcome: Value = serde_json::from_str(&run.out).unwrap();
        let found: Vec<(&str, u64)> = outcome["differences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["aspect"].as_str().unwrap(), one["place"]["start"]["line"].as_u64().unwrap()))
            .collect();
        assert!(found.contains(&(aspect, *line)), "{change}: {aspect} at {line}, not {found:?}");
    }
}
