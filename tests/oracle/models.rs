//! Validates resources with the published TypeScript models of an Istio release (`package.json` says which), run by
//! Node: types, required fields, ranges, enums and `oneOf`; not unknown fields, which [`super::crd`] judges.

use super::{ask, folder, skip, works};
use serde_json::Value;
use std::process::Command;
use std::sync::OnceLock;

/// What the models say against `docs`: the index of the document and one fault per entry; empty when all are taken.
/// `None`, with the reason printed, without Node or without the packages.
pub(crate) fn check(docs: &[Value]) -> Option<Vec<(usize, String)>> {
    static NODE: OnceLock<bool> = OnceLock::new();
    if !NODE.get_or_init(|| works(Command::new("node").arg("--version"))) {
        return skip("the models of Istio's CRDs", "node is absent");
    }
    if !folder().join("node_modules").is_dir() {
        return skip("the models of Istio's CRDs", "run `npm ci --prefix tests/oracle`");
    }
    let verdicts = ask(Command::new("node").arg(folder().join("models.mjs")), &docs.into());
    Some(serde_json::from_value(verdicts).unwrap())
}

#[test]
fn the_models_refuse_what_is_wrong() {
    let resource = |kind: &str, spec: Value| {
        let metadata = serde_json::json!({"name": "a"});
        serde_json::json!({"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec})
    };
    let right = serde_json::json!({"host": "a", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}});
    let docs = [
        resource("DestinationRule", right),
        resource(
            "DestinationRule",
            serde_json::json!({"host": "a", "trafficPolicy": {"loadBalancer": {"simple": "X"}}}),
        ),
        resource("ServiceEntry", serde_json::json!({"hosts": "a"})),
        resource("Gateway", serde_json::json!({"servers": [{"port": {"number": -1}}]})),
        resource(
            "VirtualService",
            serde_json::json!({"http": [{"match": [{"uri": {"exact": "a", "prefix": "b"}}]}]}),
        ),
        resource("Unheard", serde_json::json!({})),
    ];
    let Some(faults) = check(&docs) else { return };
    let mut refused: Vec<_> = faults.iter().map(|(index, _)| *index).collect();
    refused.dedup();
    assert_eq!(refused, [1, 2, 3, 4, 5], "{faults:?}");
}
