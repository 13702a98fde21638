//! A proxy that does otherwise is found out: it is given a configuration in which one thing was changed on the way.

use super::{SHOP, script, verify};
use crate::cli::Folder;
use crate::oracle::programs;
use serde_json::Value;
use std::path::Path;

/// What is changed (an expression of `sed`), in which respect the proxy then differs, and at which line of the source.
type Change = (&'static str, &'static str, u64);

const ENVOY: &[Change] = &[
    (r"s/cluster: outbound|8080||cart\./cluster: outbound|8080||audit./", "destination", 12),
    ("s/418/503/", "status", 11),
    ("s/weight: 250000/weight: 400000/; s/weight: 750000/weight: 600000/", "share", 17),
    ("s#/basket#/bucket#", "path", 12),
    ("s/value: edge$/value: elsewhere/", "request headers", 12),
    ("s/x-hidden/x-visible/", "response headers", 12),
    ("s/inline_string: fine/inline_string: ill/", "body", 10),
    ("s#prefix_rewrite: /new/#prefix_rewrite: /newer/#", "location", 9),
    ("s/numerator: 500000/numerator: 900000/", "share", 17),
    ("s/numerator: 300000/numerator: 500000/", "share", 11),
    ("s/- shop.example.com/- shopping.example.com/", "status", 10),
];

const NGINX: &[Change] = &[
    (r"/proxy_pass/s/cart\(.*\)_8080\$mesh/audit\1_8080$mesh/", "destination", 12),
    ("s/return 418/return 503/", "status", 11),
    (r"s/25\.00%/40.00%/", "share", 17),
    ("s#/basket#/bucket#", "path", 12),
    ("s/x-from edge/x-from elsewhere/", "request headers", 12),
    ("/proxy_hide_header x-hidden/d", "response headers", 12),
    ("s/return 200 fine/return 200 ill/", "body", 10),
    ("s#/new/#/newer/#", "location", 9),
    (r"s/50\.00%/90.00%/", "share", 17),
    (r"s/30\.00%/50.00%/", "share", 11),
    ("s/server_name shop.example.com/server_name shopping.example.com/", "status", 10),
];

/// `configuration` is what the shell makes of the program's arguments.
fn each_is_found(target: &str, program: &Path, configuration: &str, changes: &[Change]) {
    let folder = Folder::new(&[("shop.mesh", SHOP)]);
    for (change, aspect, line) in changes {
        let text = format!(
            "{configuration}\ncp \"$file\" \"$file.old\"\nsed -i '{change}' \"$file\"\n\
             cmp -s \"$file\" \"$file.old\" && echo unchanged && exit 1\nexec {} \"$@\"",
            program.display()
        );
        let changed = script(&folder, "changed", &text);
        // Shares are told apart by their count alone.
        let requests = if *aspect == "share" { "1000" } else { "50" };
        let arguments =
            ["--target", target, "--program", &changed, "--requests", requests, "--format", "json"];
        let run = verify(&folder, 1, &arguments);
        let outcome: Value = super::examples::only(&run.out);
        let differences = outcome["differences"].as_array().unwrap();
        let place = |one: &Value| one["place"]["start"]["line"].as_u64().unwrap();
        let found: Vec<(&str, u64)> =
            differences.iter().map(|one| (one["aspect"].as_str().unwrap(), place(one))).collect();
        assert!(found.contains(&(aspect, *line)), "{change}: {aspect} at {line}, not {found:?}");
    }
}

#[test]
fn each_change_of_envoy_is_found_where_it_is_meant() {
    let Some(envoy) = programs::envoy() else { return };
    each_is_found("envoy", &envoy, "file=$2", ENVOY);
}

#[test]
fn each_change_of_nginx_is_found_where_it_is_meant() {
    let Some(nginx) = programs::nginx() else { return };
    each_is_found("nginx", &nginx, "for last; do :; done; file=$(dirname \"$last\")/http.conf", NGINX);
}

#[test]
fn calls_of_grpc_are_timed() {
    let Some(envoy) = programs::envoy() else { return };
    let source = "gateway edge { workload any; listen grpc 80 { hosts a.com } }\n\
                  host a.com via edge {\n  route all -> s {\n    timeout 1200ms\n  }\n}\nservice s { port grpc 8080 }\n";
    let folder = Folder::new(&[("a.mesh", source)]);
    for (change, wanted) in [
        // The timeout of the route takes the place of the one of calls.
        ("/max_grpc_timeout/d", "wanted the call ends after 400 ms, got a response after 1"),
        (
            "s/max_grpc_timeout: 1.2s/max_grpc_timeout: 0s/",
            "wanted the call ends after 1200 ms, got a response after 2",
        ),
    ] {
        let text = format!("sed -i '{change}' \"$2\"; exec {} \"$@\"", envoy.display());
        let changed = script(&folder, "changed", &text);
        let run = verify(&folder, 1, &["--target", "envoy", "--program", &changed]);
        for part in ["at route `all`: deadline\n", wanted] {
            assert!(run.err.contains(part), "{change}: {part}: {}", run.err);
        }
    }
    verify(&folder, 0, &["--target", "envoy", "--program", envoy.to_str().unwrap()]);
}

/// Paths that end with a slash, and copies: of all requests to one destination, of half of them to the other.
const CLOSE: &str = r#"gateway edge { workload any; listen http 80 { hosts a.com } }
host a.com via edge {
  route exact when path is "/c/" -> s
  route begin when path prefix "/d/" -> s { rewrite prefix "/" }
  route copied when path prefix "/e" -> s { mirror to t }
  route halved when path prefix "/f" -> s { mirror 50% to t }
  route rest -> respond 404 "none"
}
service s { port http 8080 }
service t { port http 8080 }
"#;

/// A change (an expression of `sed`), where and in which respect the proxy then differs, and what was sent.
type CloseChange = (&'static str, &'static str, &'static str, &'static str);

/// nginx redirects by itself to a location that ends with a slash and calls a destination; and copies pass the server again.
const NGINX_CLOSE: &[CloseChange] = &[
    ("s#location = /c/ {#& proxy_pass http://127.0.0.1:9;#", "rest", "status", "GET http://a.com/c"),
    ("s#location ^~ /d/ {#& proxy_pass http://127.0.0.1:9;#", "rest", "status", "GET http://a.com/d"),
    (SENT_ON, "copied", "copy", "GET http://a.com/./e/x%20y;z"),
    (SENT_ON, "halved", "copy", "GET http://a.com/f"),
];

/// A copy passes the server again, which gives it the path of its request once more if that is written in an odd way.
const SENT_ON: &str =
    r##"s#server_name a.com;#& if ($request_uri ~ "/[.]/") { rewrite ^ $mesh_path break; }#"##;

const ENVOY_CLOSE: &[CloseChange] = &[
    ("s#path: /c/#safe_regex: { regex: \"/c/?\" }#", "rest", "status", "GET http://a.com/c"),
    ("s#prefix: /d/#safe_regex: { regex: \"/d(/.*)?\" }#", "rest", "status", "GET http://a.com/d"),
    (
        "/request_mirror_policies/,/cluster/s/cluster: outbound|8080||t/cluster: outbound|8080||s/",
        "copied",
        "copy",
        "GET http://a.com/e",
    ),
];

fn each_close_one_is_told_apart(target: &str, program: &Path, configuration: &str, changes: &[CloseChange]) {
    let folder = Folder::new(&[("a.mesh", CLOSE)]);
    for (change, rule, aspect, sent) in changes {
        let text = format!("{configuration}\nsed -i '{change}' \"$file\"; exec {} \"$@\"", program.display());
        let changed = script(&folder, "changed", &text);
        let arguments = ["--target", target, "--program", &changed, "--requests", "100", "--format", "json"];
        let outcome: Value = super::examples::only(&verify(&folder, 1, &arguments).out);
        let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
        let is_it = |one: &Value| {
            text(one, "rule") == *rule
                && text(one, "aspect") == *aspect
                && text(one, "sent").starts_with(sent)
        };
        let found = outcome["differences"].as_array().unwrap();
        assert!(found.iter().any(is_it), "{change}: {rule}, {aspect}, {sent}: {found:#?}");
    }
    let arguments = ["--target", target, "--program", program.to_str().unwrap(), "--requests", "100"];
    verify(&folder, 0, &arguments);
}

#[test]
fn paths_that_are_close_and_copies_are_told_apart_by_envoy() {
    let Some(envoy) = programs::envoy() else { return };
    each_close_one_is_told_apart("envoy", &envoy, "file=$2", ENVOY_CLOSE);
}

#[test]
fn paths_that_are_close_and_copies_are_told_apart_by_nginx() {
    let Some(nginx) = programs::nginx() else { return };
    let file = "for last; do :; done; file=$(dirname \"$last\")/http.conf";
    each_close_one_is_told_apart("nginx", &nginx, file, NGINX_CLOSE);
}

#[test]
fn an_answer_without_a_body_is_judged_too() {
    let Some(envoy) = programs::envoy() else { return };
    let source = "gateway edge { workload any; listen http 80 { hosts a.com } }\n\
                  host a.com via edge {\n  route head when method is HEAD -> s\n  route rest -> t\n}\n\
                  service s { port http 8080 }\nservice t { port http 8080 }\n";
    let folder = Folder::new(&[("a.mesh", source)]);
    let text = format!(
        "sed -i 's/cluster: outbound|8080||s$/cluster: outbound|8080||t/' \"$2\"; exec {} \"$@\"",
        envoy.display()
    );
    let changed = script(&folder, "changed", &text);
    let run = verify(&folder, 1, &["--target", "envoy", "--program", &changed]);
    for wanted in
        ["at route `head`: destination\n", "wanted `s:8080`, got `t:8080`\n", "= sent: HEAD http://a.com/"]
    {
        assert!(run.err.contains(wanted), "{wanted}: {}", run.err);
    }
}

#[test]
fn what_was_sent_can_be_shown_again() {
    let Some(nginx) = programs::nginx() else { return };
    let text = format!(
        "for last; do :; done; sed -i 's/200 fine/200 ill/' $(dirname \"$last\")/http.conf; exec {} \"$@\"",
        nginx.display()
    );
    for (listener, url) in [
        ("listen http 18080 { hosts a.com }", "http://a.com:18080/"),
        ("listen https 8443 { hosts a.com; tls simple { credential a } }", "https://a.com:8443/"),
    ] {
        let route = r#"route all when header x-a is "1" -> respond 200 "fine""#;
        let source =
            format!("gateway edge {{ workload any; {listener} }}\nhost a.com via edge {{ {route} }}\n");
        let folder = Folder::new(&[("a.mesh", source.as_str())]);
        let changed = script(&folder, "changed", &text);
        let arguments = ["--target", "nginx", "--program", &changed];
        let run = verify(&folder, 1, &arguments);
        let sent = run.err.lines().find_map(|line| line.trim().strip_prefix("= sent: ")).unwrap();
        let (sent, _) = sent.split_once(", to gateway `edge`").unwrap();
        assert!(sent.starts_with(&format!("GET {url}")) && sent.contains(" -H x-a: 1"), "{sent}");
        let run = verify(&folder, 1, &[&arguments[..], &["--show", sent]].concat());
        assert!(run.out.contains(", unlike what route `all` says (a.mesh:2)"), "{run:?}");
    }
}

#[test]
fn a_difference_is_reported_at_its_line() {
    let Some(nginx) = programs::nginx() else { return };
    let folder = Folder::new(&[("shop.mesh", SHOP)]);
    let text = format!(
        "for last; do :; done; sed -i 's/200 fine/200 ill/' $(dirname \"$last\")/http.conf; exec {} \"$@\"",
        nginx.display()
    );
    let changed = script(&folder, "changed", &text);
    let run = verify(&folder, 1, &["--target", "nginx", "--program", &changed, "--requests", "50"]);
    for wanted in [
        "error[DIFFERENCE]: nginx behaves differently from the sources at route `health`: body\n",
        "shop.mesh:10:3\n",
        "wanted `fine`, got `ill`\n",
        "= sent: GET http://shop.example.com/health, to gateway `edge`",
        "nginx differs from the sources in 1 place: 1 proxy, 5 rules, ",
    ] {
        assert!(run.err.contains(wanted), "{wanted}: {}", run.err);
    }
}
