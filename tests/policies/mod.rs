//! How destinations are called, in Istio's words: what a source says against the rules that come out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

use meshc_compiler::{Input, Project, check};
use meshc_language::SourceFile;
use meshc_targets::{Options, fit, target};
use serde::Deserialize;
use serde_json::{Value, json};

/// The resources that Istio gets for a source that it takes.
fn resources(source: &str) -> Vec<Value> {
    let file = SourceFile { name: "mesh.mesh".to_owned(), text: source.to_owned() };
    let project = Project::read(vec![Input { module: "mesh".to_owned(), file }]);
    let compilation = check(&project, None, &meshc_compiler::Options::default());
    let messages: Vec<&str> = compilation.reports.iter().map(|report| report.message.as_str()).collect();
    let [(_, Some(checked))] = compilation.environments.as_slice() else { panic!("{messages:?}\n{source}") };
    let options = Options { files: &project.files, ..Options::default() };
    let (fitted, _) = fit(target("istio").unwrap(), checked, &options);
    let artifacts = fitted.unwrap().emit(&options);
    let documents = artifacts.iter().flat_map(|artifact| serde_yaml::Deserializer::from_str(&artifact.text));
    documents.map(|document| Value::deserialize(document).unwrap()).filter(|one| !one.is_null()).collect()
}

/// The specification of the only resource of a kind.
fn only(source: &str, kind: &str) -> Value {
    let mut found = resources(source);
    found.retain(|one| one.get("kind").and_then(Value::as_str) == Some(kind));
    let [one] = found.as_slice() else { panic!("{} resources of kind {kind} for {source}", found.len()) };
    one.get("spec").unwrap().clone()
}

/// What a place in a rule says; null for nothing.
fn at(rule: &Value, pointer: &str) -> Value {
    rule.pointer(pointer).cloned().unwrap_or(Value::Null)
}

#[test]
fn where_one_kind_of_failure_counts_the_others_are_switched_off() {
    for (failures, own) in [
        ("errors", json!({ "consecutive5xxErrors": 3 })),
        ("gateway-errors", json!({ "consecutiveGatewayErrors": 3, "consecutive5xxErrors": 0 })),
        (
            "local-errors",
            json!({
                "splitExternalLocalOriginErrors": true,
                "consecutiveLocalOriginFailures": 3,
                "consecutive5xxErrors": 0
            }),
        ),
    ] {
        let source = format!("service a {{ port http 80; eject after 3 consecutive {failures} }}");
        let rule = only(&source, "DestinationRule");
        assert_eq!(at(&rule, "/trafficPolicy/outlierDetection"), own, "{failures}");
    }
}

/// Names that are asked for and expected, where `tls` stands in different places of different destinations.
#[test]
fn the_name_that_is_asked_for_is_expected_in_the_certificate() {
    let service = "/trafficPolicy/tls";
    let port = "/trafficPolicy/portLevelSettings/0/tls";
    let subset = "/subsets/0/trafficPolicy/tls";
    let subset_port = "/subsets/0/trafficPolicy/portLevelSettings/0/tls";
    let mutual = r#"mutual { cert file "/c"; key file "/k"; sni x.com }"#;
    let x = (json!("x.com"), json!(["x.com"]));
    let nothing = (Value::Null, Value::Null);
    let db = (json!("db.com"), json!(["db.com"]));
    let cases: Vec<(String, &str, &(Value, Value))> = vec![
        ("service a { port http 80; tls simple { sni x.com } }".to_owned(), service, &x),
        (format!("service a {{ port http 80; tls {mutual} }}"), service, &x),
        ("service a { port http 80 { tls simple { sni x.com } } }".to_owned(), port, &x),
        ("service a { port http 80; subset s { labels v=1; tls simple { sni x.com } } }".to_owned(), subset, &x),
        ("external a { hosts a.com; port http 80; resolve dns; tls simple { sni x.com } }".to_owned(), service, &x),
        ("external a { hosts a.com; port tls 80 { tls simple { sni x.com } }; resolve dns }".to_owned(), port, &x),
        // Without a name to ask for, Istio asks for the host of each request, and checks for it.
        ("service a { port http 80; tls simple }".to_owned(), service, &nothing),
        ("external a { hosts a.com; port http 80; resolve dns; tls simple }".to_owned(), service, &nothing),
        // Connections that name no host are for the one that is declared.
        ("external a { hosts db.com; addresses 10.0.0.1; port tcp 80; resolve dns; tls simple }".to_owned(), service, &db),
        ("external a { hosts db.com; addresses 10.0.0.1; port tcp 80 { tls simple }; resolve dns }".to_owned(), port, &db),
        (
            "external a { hosts db.com; addresses 10.0.0.1; port http 81; port tcp 80; resolve dns; tls simple }".to_owned(),
            port,
            &db,
        ),
        (
            "external a { hosts db.com; addresses 10.0.0.1; port http 81; port tcp 80; resolve dns; tls simple }".to_owned(),
            service,
            &nothing,
        ),
        (
            "external a { hosts db.com; addresses 10.0.0.1; port http 81; port tcp 80; resolve dns; subset s { labels v=1; tls simple } }"
                .to_owned(),
            subset_port,
            &db,
        ),
        (
            "external a { hosts db.com; addresses 10.0.0.1; port redis 80; resolve dns; subset s { labels v=1; tls simple } }".to_owned(),
            subset,
            &db,
        ),
    ];
    for (source, pointer, (sni, names)) in cases {
        // Nobody routes to them: that TLS would meet TLS is another matter.
        let source = source.replace("port tls", "port http");
        let rule = only(&source, "DestinationRule");
        let tls = at(&rule, pointer);
        assert_eq!(
            (at(&tls, "/sni"), at(&tls, "/subjectAltNames")),
            (sni.clone(), names.clone()),
            "{source}: {rule}"
        );
    }
}

#[test]
fn names_that_are_said_stay_as_they_are() {
    for (source, names) in [
        ("service a { port http 80; tls simple { sni x.com; names y.com } }", json!(["y.com"])),
        ("service a { port http 80; tls simple { sni x.com; skip-verify on } }", Value::Null),
        ("service a { port http 80; tls istio-mutual { sni x.com } }", Value::Null),
        // Istio takes those of the ServiceEntry.
        (
            "external a { hosts a.com; port http 80; resolve dns; names y.com; tls simple { sni x.com } }",
            Value::Null,
        ),
    ] {
        let tls = at(&only(source, "DestinationRule"), "/trafficPolicy/tls");
        assert_eq!(at(&tls, "/subjectAltNames"), names, "{source}");
        assert_eq!(at(&tls, "/sni"), json!("x.com"), "{source}");
    }
}

/// A gateway for egress, with what else it listens for, and externals.
fn egress(listeners: &str, externals: &str) -> String {
    format!(
        "namespace edge
        gateway out {{ workload istio=egressgateway; service out; {listeners} }}
        service out {{ port http 80; port https 443; port https 8443 }}
        {externals}"
    )
}

#[test]
fn requests_for_egress_travel_in_mutual_tls() {
    let pay = "external pay { hosts pay.com, www.pay.com; port http 80 target 443; resolve dns; via out; tls simple }";
    let source = egress("", pay);
    let gateway = only(&source, "Gateway");
    assert_eq!(
        at(&gateway, "/servers"),
        json!([{
            "port": { "number": 80, "name": "egress-https-80", "protocol": "HTTPS" },
            "hosts": ["pay.com", "www.pay.com"],
            "tls": { "mode": "ISTIO_MUTUAL" }
        }])
    );
    let rules = resources(&source);
    let rule = rules.iter().find(|one| at(one, "/spec/host") == json!("out.edge.svc.cluster.local")).unwrap();
    assert_eq!(
        at(rule, "/spec/subsets/0/trafficPolicy/portLevelSettings"),
        json!([{ "port": { "number": 80 }, "tls": { "mode": "ISTIO_MUTUAL", "sni": "pay.com" } }])
    );
    assert_eq!(at(rule, "/spec/subsets/0/trafficPolicy/tls"), Value::Null);
}

#[test]
fn a_listener_for_mutual_tls_carries_egress() {
    let pay = "external pay { hosts pay.com; port http 80 target 443; resolve dns; via out; tls simple }";
    let source = egress("listen https 8443 { hosts *.com; tls istio-mutual }", pay);
    let gateway = only(&source, "Gateway");
    assert_eq!(at(&gateway, "/servers/1"), Value::Null, "nothing is added");
    let routes = only(&source, "VirtualService");
    assert_eq!(at(&routes, "/http/0/match/0/port"), json!(80));
    assert_eq!(at(&routes, "/http/0/route/0/destination/port/number"), json!(8443));
    assert_eq!(at(&routes, "/http/1/match/0/port"), json!(8443));
    assert_eq!(at(&routes, "/http/1/route/0/destination/port/number"), json!(80));
}

#[test]
fn egress_of_the_callers_own_tls_passes_through() {
    let source = egress("", "external maps { hosts maps.com; port https 443; resolve dns; via out }");
    let gateway = only(&source, "Gateway");
    assert_eq!(at(&gateway, "/servers/0/tls/mode"), json!("PASSTHROUGH"));
    let rules = only(&source, "DestinationRule");
    assert_eq!(at(&rules, "/subsets"), json!([{ "name": "maps" }]));
}

#[test]
fn a_service_in_its_own_block_is_called_on_the_port_that_the_caller_chose() {
    let source = "service a { port http 80; port grpc 81; subset v1 { labels version=v1 } }
    host a {
      route one when path is \"/one\" -> a@v1 { mirror to a }
      route two -> a:81
    }";
    let routes = only(source, "VirtualService");
    assert_eq!(at(&routes, "/http/0/route/0/destination/port"), Value::Null);
    assert_eq!(at(&routes, "/http/0/mirror/port"), Value::Null);
    assert_eq!(at(&routes, "/http/1/route/0/destination/port/number"), json!(81));
}

/// The raw proxies have a listener for each port, and know which one was called.
#[test]
fn raw_proxies_know_the_port_that_was_called() {
    let source = "service a { port http 80; port grpc 81; subset v1 { labels version=v1 } }
    host a { route all -> a@v1 }";
    let file = SourceFile { name: "mesh.mesh".to_owned(), text: source.to_owned() };
    let project = Project::read(vec![Input { module: "mesh".to_owned(), file }]);
    let compilation = check(&project, None, &meshc_compiler::Options::default());
    let [(_, Some(checked))] = compilation.environments.as_slice() else { panic!("it is not taken") };
    let proxies = meshc_compiler::routing::proxies(checked.model(), &[]);
    let upstreams: Vec<String> = proxies
        .iter()
        .flat_map(|proxy| proxy.upstreams.as_slice())
        .map(|upstream| upstream.name.to_string())
        .collect();
    assert_eq!(upstreams, ["outbound|80|v1|a", "outbound|81|v1|a"]);
}
