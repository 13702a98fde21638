//! What the examples make for the raw proxies, judged without running them as proxies.

use super::example::Example;
use crate::oracle;
use meshc_targets::istio::ApiVersion;
use meshc_targets::{Split, target};

/// The faults that `judge` finds in the files for a target, of every example in every environment. What Kubernetes
/// is told about the proxies is no configuration of theirs.
fn faults(name: &str, judge: impl Fn(&[(&str, &str)]) -> Vec<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut judged = 0;
    for example in Example::all() {
        let (builds, _) = example.build_for(target(name).unwrap(), Split::default(), ApiVersion::default());
        for build in builds {
            let files = build.artifacts.iter().map(|file| (file.path.as_str(), file.text.as_str()));
            let files: Vec<_> = files.filter(|(path, _)| !path.starts_with("kubernetes/")).collect();
            judged += files.len();
            let place = format!("{} {}", example.name, build.environment.as_deref().unwrap_or_default());
            faults.extend(judge(&files).into_iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(judged > 0, "no example makes anything for {name}");
    faults
}

#[test]
fn the_descriptors_take_every_document_for_envoy() {
    let judge = |files: &[(&str, &str)]| {
        let faults = oracle::envoy::check(files).unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    };
    let faults = faults("envoy", judge);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_judges_take_every_configuration_for_nginx() {
    let faults = faults("nginx", |files| oracle::nginx::check(files).unwrap_or_default());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
