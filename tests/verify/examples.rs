//! What the examples say is what Envoy and nginx do.

use super::{SHOP, verify};
use crate::cli::Folder;
use crate::oracle::programs;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Projects below `examples/`, in each of their environments.
const EXAMPLES: &[(&str, Option<&str>)] = &[
    ("bookinfo", Some("prod")),
    ("bookinfo", Some("staging")),
    ("canary", None),
    ("egress", None),
    ("environments", Some("dev")),
    ("environments", Some("prod")),
    ("environments", Some("staging")),
    ("multi-namespace", None),
    ("seed/gateway", None),
    ("seed/mesh", None),
    ("tcp", None),
    ("templates", None),
    ("tls-passthrough", None),
];

fn run(folder: &Folder, target: &str, program: &Path, (name, environment): (&str, Option<&str>)) -> Value {
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let mut arguments = vec!["--target", target, "--program", program.to_str().unwrap(), "--format", "json"];
    arguments.extend(environment.iter().flat_map(|name| ["--env", name]));
    arguments.push(example.to_str().unwrap());
    let run = verify(folder, 0, &arguments);
    only(&run.out)
}

/// The one outcome that is written.
pub(super) fn only(written: &str) -> Value {
    let outcomes: Vec<Value> = serde_json::from_str(written).unwrap();
    assert_eq!(outcomes.len(), 1);
    outcomes.into_iter().next().unwrap()
}

fn each_holds(target: &str, program: &Path) {
    let folder = Folder::new(&[]);
    for example in EXAMPLES {
        let outcome = run(&folder, target, program, *example);
        assert!(outcome["rules"].as_u64().unwrap() > 0, "{example:?}: {outcome}");
    }
}

#[test]
fn envoy_does_as_the_examples_say() {
    programs::envoy().inspect(|program| each_holds("envoy", program));
}

#[test]
fn nginx_does_as_the_examples_say() {
    programs::nginx().inspect(|program| each_holds("nginx", program));
}

/// How many environments an example has, by its output.
fn environments(example: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(example.join("expected")) else { return 0 };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !["envoy", "istio", "nginx"].contains(&name.as_str())).count()
}

#[test]
fn every_example_is_run() {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        if folder.join("mesh.toml").is_file() {
            found += environments(&folder).max(1);
        }
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    assert_eq!(found, EXAMPLES.len());
}

#[test]
fn an_outcome_has_the_fields_that_are_documented() {
    let Some(program) = programs::envoy() else { return };
    let folder = Folder::new(&[("shop.mesh", SHOP)]);
    let program = program.to_str().unwrap();
    let arguments = ["--target", "envoy", "--program", program, "--requests", "50"];
    let human = verify(&folder, 0, &arguments);
    assert!(human.err.starts_with("envoy behaves as the sources say: 1 proxy, 5 rules, "), "{}", human.err);
    assert!(human.out.is_empty());
    let json = verify(&folder, 0, &[&arguments[..], &["--format", "json"]].concat());
    let outcome = only(&json.out);
    let page =
        std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let section = page.split("## `meshc verify`").nth(1).unwrap();
    for field in outcome.as_object().unwrap().keys() {
        assert!(section.contains(&format!("`{field}`")), "{field} is not in docs/json.md");
    }
    assert_eq!((&outcome["target"], &outcome["environment"]), (&Value::from("envoy"), &Value::Null));
    assert_eq!(outcome["rules"], Value::from(5));
}

#[test]
fn every_environment_is_verified_where_none_is_named() {
    let Some(program) = programs::nginx() else { return };
    let blocks = "env test {}\nenv prod {}\nin prod { service other { port http 80 }\nhost other { route all -> respond 200 \"hi\" } }\n";
    let folder = Folder::new(&[("shop.mesh", &format!("{SHOP}\n{blocks}"))]);
    let arguments = ["--target", "nginx", "--program", program.to_str().unwrap(), "--requests", "50"];
    let run = verify(&folder, 0, &[&arguments[..], &["--format", "json"]].concat());
    let outcomes: Vec<Value> = serde_json::from_str(&run.out).unwrap();
    let of =
        |at: usize| (outcomes[at]["environment"].as_str().unwrap(), outcomes[at]["rules"].as_u64().unwrap());
    assert_eq!((outcomes.len(), of(0), of(1)), (2, ("test", 5), ("prod", 6)));
    let keep = [&arguments[..], &["--keep", "kept", "--show", "GET http://shop.example.com/health"]].concat();
    let run = verify(&folder, 0, &keep);
    assert!(
        run.out.starts_with("environment test:\nGET ") && run.out.contains("\nenvironment prod:\nGET "),
        "{}",
        run.out
    );
    assert!(folder.path("kept/test/proxy-1").is_dir() && folder.path("kept/prod/proxy-2").is_dir());
    let run = verify(&folder, 0, &[&arguments[..], &["--env", "test", "--format", "json"]].concat());
    assert_eq!(only(&run.out)["environment"], Value::from("test"));
}

#[test]
fn requests_are_shown_where_they_land() {
    let Some(program) = programs::nginx() else { return };
    let folder = Folder::new(&[("shop.mesh", SHOP)]);
    let arguments = ["--target", "nginx", "--program", program.to_str().unwrap()];
    let show = ["--show", "GET http://shop.example.com/old/x?y=1", "--show", "GET http://shop.example.com/"];
    let run = verify(&folder, 0, &[&arguments[..], &show].concat());
    let lines: Vec<&str> = run.out.lines().collect();
    let (redirected, split) = (lines[0], lines[1]);
    assert_eq!(lines[2], "  destination saw GET /, host shop.example.com, HTTP/1.1", "{run:?}");
    assert!(redirected.ends_with(", as route `old` says (shop.mesh:9)"), "{redirected}");
    let start = "GET http://shop.example.com/ at gateway `edge` -> a response from `cart.shop.svc.cluster.local:8080@v";
    assert!(split.starts_with(start) && split.ends_with(", as route `split` says (shop.mesh:17)"), "{split}");
    let cart = ["--show", "GET http://shop.example.com/cart/1 -H x-kind: a -H x-other: b: c -H x-secret: s"];
    let run = verify(&folder, 0, &[&arguments[..], &cart].concat());
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[0].ends_with(", as route `cart` says (shop.mesh:12)"), "{}", run.out);
    assert_eq!(lines[1], "  destination saw GET /basket/1, host shop.example.com, HTTP/1.1");
    assert!(lines.contains(&"  + x-from: edge") && lines.contains(&"  - x-secret: s"), "{}", run.out);
    let run = verify(&folder, 1, &[&arguments[..], &["--show", "GET https://shop.example.com/"]].concat());
    assert_eq!(run.out, "GET https://shop.example.com/ -> no proxy serves it: port 80 is served\n");
    let run = verify(&folder, 1, &[&arguments[..], &["--show", "GET http://other.com/"]].concat());
    assert_eq!(run.out, "GET http://other.com/ -> no proxy serves it, though port 80 is served\n");
}

/// Listeners for any host.
const ADDRESSES: &str = r#"gateway edge {
  workload any
  listen http 80 { hosts * }
  listen http 18080 { hosts * }
  listen https 8443 { hosts *; tls simple { credential a } }
}
host * via edge { route all -> respond 200 "hi" }
"#;

#[test]
fn hosts_that_are_addresses_are_shown() {
    let folder = Folder::new(&[("a.mesh", ADDRESSES)]);
    for (target, program) in [("envoy", programs::envoy()), ("nginx", programs::nginx())] {
        let Some(program) = program else { continue };
        let arguments = ["--target", target, "--program", program.to_str().unwrap()];
        let urls =
            ["http://[::1]/", "http://[::1]:18080/?a", "https://[::1]:8443/", "https://192.0.2.1:8443/"];
        let requests: Vec<String> = urls.iter().map(|url| format!("GET {url}")).collect();
        let show: Vec<&str> = requests.iter().flat_map(|request| ["--show", request]).collect();
        let run = verify(&folder, 0, &[&arguments[..], &show].concat());
        let lines: Vec<&str> = run.out.lines().collect();
        assert_eq!(lines.len(), requests.len(), "{run:?}");
        for (line, request) in lines.iter().zip(&requests) {
            let start = format!("{request} at gateway `edge` -> status 200 from the proxy, as route `all` ");
            assert!(line.starts_with(&start), "{line}");
        }
        let run = verify(&folder, 1, &[&arguments[..], &["--show", "GET http://[::1]:81/"]].concat());
        let wanted = "GET http://[::1]:81/ -> no proxy serves it: ports 80, 8443 and 18080 are served\n";
        assert_eq!(run.out, wanted);
    }
}

/// Answers without a body, and a header that comes with every body.
const BODIES: &str = r#"gateway edge { workload any; listen http 80 { hosts a.com } }
host a.com via edge {
  route head when method is HEAD and path is "/s" -> s { response-headers { set x-shown "yes" } }
  route brief when method is HEAD -> respond 200 "hh"
  route typed when path prefix "/typed" -> s { response-headers { set content-type "text/x" } }
  route untyped when path prefix "/untyped" -> s { response-headers { remove content-type } }
  route moved when path prefix "/moved" -> redirect 301 prefix "/s"
  route said when path prefix "/said" -> respond 200 "said"
  route split -> 25% s, rest t
}
service s { port http 8080 }
service t { port http 8080 }
"#;

#[test]
fn answers_without_a_body_and_their_types_are_no_fault() {
    let folder = Folder::new(&[("a.mesh", BODIES)]);
    for (target, program) in [("envoy", programs::envoy()), ("nginx", programs::nginx())] {
        let Some(program) = program else { continue };
        let arguments = ["--target", target, "--program", program.to_str().unwrap()];
        let run = verify(&folder, 0, &arguments);
        let start = format!("{target} behaves as the sources say: 1 proxy, 7 rules, ");
        assert!(run.err.starts_with(&start), "{run:?}");
        // What the upstream has seen is told in a header, where not every character can stand.
        let run = verify(
            &folder,
            0,
            &[&arguments[..], &["--show", "HEAD http://a.com/s -H x-a: \u{e9}\""]].concat(),
        );
        let wanted = "HEAD http://a.com/s -H x-a: \u{e9}\" at gateway `edge` -> a response from `s:8080`, as route `head` ";
        assert!(run.out.starts_with(wanted), "{run:?}");
    }
}

#[test]
fn help_says_what_is_not_looked_at() {
    let run = verify(&Folder::new(&[]), 0, &["--help"]);
    let said: Vec<&str> = run.out.split_whitespace().collect();
    let said = said.join(" ");
    let (_, said) = said.split_once("Not tested: ").unwrap();
    for part in ["retries", "CORS", "`x-forwarded-*`", "versions of TLS", "wrong certificate", "one element"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// Hosts that routes give to requests are what the certificate behind TLS must have.
const GIVEN_HOSTS: &str = r#"gateway edge { workload any; listen http 80 { hosts a.com } }
host a.com via edge {
  route rewritten when path prefix "/x" -> outside { rewrite host api.example.com }
  route set -> outside { request-headers { set host "other.example.com" } }
}
external outside { hosts outside.example.com; port http 80 target 443; resolve dns; tls simple }
"#;

/// Listeners that speak nothing that the rig speaks.
const OLD: &str = r#"gateway edge {
  workload any
  listen https 8443 {
    hosts a.com
    tls mutual { credential a; min-version 1.0; max-version 1.1; ciphers ALL }
  }
  listen https 8444 { hosts a.com; tls simple { credential a; max-version 1.2; ciphers AES128-SHA } }
}
host a.com via edge { route all -> respond 200 "hi" }
"#;

fn the_rig_is_no_fault(target: &str, program: &Path) {
    let program = program.to_str().unwrap();
    let folder = Folder::new(&[("given.mesh", GIVEN_HOSTS), ("old.mesh", OLD)]);
    let arguments = ["--target", target, "--program", program];
    let run = verify(&folder, 0, &[&arguments[..], &["given.mesh"]].concat());
    assert!(run.err.starts_with(&format!("{target} behaves as the sources say: ")), "{run:?}");
    let run = verify(&folder, 0, &[&arguments[..], &["old.mesh"]].concat());
    let said = ["allows TLS 1.1 at most", "no secure cipher suite for the ECDSA certificate"];
    for part in said {
        let line = run.err.lines().find(|line| line.contains(part)).unwrap();
        assert!(line.starts_with("note: 1 rule not tested (`all` of gateway `edge`): "), "{run:?}");
    }
    let show = ["--show", "GET https://a.com:8443/", "old.mesh"];
    let run = verify(&folder, 0, &[&arguments[..], &show].concat());
    let start = "GET https://a.com:8443/ at gateway `edge` -> not tested, though route `all` matches it: it allows TLS 1.1";
    assert!(run.out.starts_with(start), "{run:?}");
}

#[test]
fn what_the_rig_does_not_have_is_no_fault_of_envoy() {
    programs::envoy().inspect(|program| the_rig_is_no_fault("envoy", program));
}

#[test]
fn what_the_rig_does_not_have_is_no_fault_of_nginx() {
    programs::nginx().inspect(|program| the_rig_is_no_fault("nginx", program));
}

/// Where a proxy is known to do otherwise, without a word in the capability table: faults that wait to be mended. One that is
/// mended has to go from here.
const FAULTS: &[(&str, &str, &str)] = &[];

/// The cases of single features are small meshes, and go further than the examples.
fn each_feature_holds(target: &str, program: &Path, least: usize) {
    let folder = Folder::new(&[]);
    let mut tried = 0;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/capabilities");
    for entry in std::fs::read_dir(root).unwrap() {
        let case = entry.unwrap().path();
        let name = case.file_name().unwrap().to_str().unwrap();
        let file = case.join("case.mesh");
        let file = file.to_str().unwrap();
        let build = ["build", "--target", target, "--out", "-", file];
        // What a target cannot carry is tested elsewhere.
        if !case.is_dir() || folder.run(&build).code != Some(0) {
            continue;
        }
        let fault = FAULTS.iter().find(|(of, at, _)| *of == target && *at == name).map(|(.., aspect)| aspect);
        let program = program.to_str().unwrap();
        let arguments = ["--target", target, "--program", program, "--requests", "500", file];
        let run = verify(&folder, i32::from(fault.is_some()), &arguments);
        if let Some(aspect) = fault {
            assert!(run.err.contains(&format!(": {aspect}\n")), "{name}: {}", run.err);
        }
        tried += 1;
    }
    assert!(tried >= least, "only {tried} cases were tried");
}

#[test]
fn envoy_does_as_each_feature_says() {
    programs::envoy().inspect(|program| each_feature_holds("envoy", program, 40));
}

#[test]
fn nginx_does_as_each_feature_says() {
    programs::nginx().inspect(|program| each_feature_holds("nginx", program, 30));
}

/// Nothing says where endpoints and certificates are, and two hops have the certificates of the mesh.
const UNBOUND: &str = r#"namespace shop

gateway edge {
  workload app=edge
  listen https 443 { hosts a.com; tls simple { credential a } }
  listen https 444 { hosts *.mesh; tls istio-mutual }
}

host a.com via edge { route cart when path under "/cart" -> cart; route rest -> web }
host in.mesh via edge { route all -> web }
service cart { port http 8080; tls istio-mutual }
service web { port http 80 }
"#;

#[test]
fn what_only_a_deployment_has_is_neither_asked_for_nor_passed_over_in_silence() {
    for (target, program) in [("envoy", programs::envoy()), ("nginx", programs::nginx())] {
        let Some(program) = program else { continue };
        let folder = Folder::new(&[("a.mesh", UNBOUND)]);
        let arguments = ["--target", target, "--program", program.to_str().unwrap()];
        let run = verify(&folder, 0, &arguments);
        for line in [6, 11] {
            let note = format!("note: `istio-mutual` at a.mesh:{line} is verified as plaintext");
            assert!(run.err.contains(&note), "{run:?}");
        }
        assert!(!run.err.contains("not tested"), "{run:?}");
        let show = ["--show", "GET http://in.mesh:444/x"];
        let run = verify(&folder, 0, &[&arguments[..], &show].concat());
        assert!(
            run.out.contains("route `all`") && run.err.contains("a.mesh:6 is verified as plaintext"),
            "{run:?}"
        );
    }
}

#[test]
fn a_port_for_tls_is_not_spoken_to_without() {
    let source = r#"gateway edge { workload app=edge; listen http 80 { hosts a.com } }
host a.com via edge { route all -> pay }
external pay { hosts pay.com; port https 443; resolve dns }
"#;
    for (target, program) in [("envoy", programs::envoy()), ("nginx", programs::nginx())] {
        let Some(program) = program else { continue };
        let folder = Folder::new(&[("a.mesh", source)]);
        // Nothing has to run to know it.
        let run = verify(&folder, 1, &["--target", target, "--program", program.to_str().unwrap()]);
        assert!(run.err.contains("MESH0722"), "{run:?}");
        let private = source.replace("resolve dns", "resolve dns; tls simple");
        let folder = Folder::new(&[("a.mesh", &private)]);
        drop(verify(&folder, 0, &["--target", target, "--program", program.to_str().unwrap()]));
    }
}

#[test]
fn a_half_closed_connection_is_still_answered() {
    let source = r#"gateway edge { workload app=edge; listen tcp 5432 { hosts db.internal } }
host db.internal via edge { tcp route all -> db }
service db { port tcp 5432 }
"#;
    for (target, program) in [("envoy", programs::envoy()), ("nginx", programs::nginx())] {
        let Some(program) = program else { continue };
        let folder = Folder::new(&[("a.mesh", source)]);
        let run = verify(&folder, 0, &["--target", target, "--program", program.to_str().unwrap()]);
        assert!(!run.err.contains("half-closed"), "{run:?}");
    }
}
