//! What the examples make for the raw proxies, judged without running them as proxies.

use super::example::Example;
use crate::oracle;
use meshc_targets::istio::ApiVersion;
use meshc_targets::{Split, target};

/// The artefacts of every example in every environment, each with the name of its example in front of its path.
fn artifacts(name: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for example in Example::all() {
        let (builds, _) = example.build_for(target(name).unwrap(), Split::default(), ApiVersion::default());
        for build in builds {
            let environment = build.environment.as_deref().unwrap_or("any");
            let path = |path: &str| format!("{}/{environment}/{path}", example.name);
            files.extend(build.artifacts.iter().map(|file| (path(&file.path), file.text.clone())));
        }
    }
    assert!(!files.is_empty(), "no example makes anything for {name}");
    files
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}

#[test]
fn the_descriptors_take_every_document_for_envoy() {
    let faults = oracle::envoy::check(&borrowed(&artifacts("envoy"))).unwrap_or_default();
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_judges_take_every_configuration_for_nginx() {
    let faults = oracle::nginx::check(&borrowed(&artifacts("nginx"))).unwrap_or_default();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
