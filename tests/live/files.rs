//! Configuration in files, which change while the program runs.

use super::stage::{Plane, Stage, seen, swap, wait_for};
use meshc_cli::rig::{Connection, Request, Tls};
use meshc_targets::envoy::Layout;
use serde::Deserialize;
use serde_yaml::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

on_every_plane! {
    endpoints_change_while_requests_are_served
    what_cannot_be_read_leaves_the_old_in_place
    certificates_are_replaced_while_requests_are_served
    manifests_hold_the_files_of_the_proxy
}

const SOURCE: &str = r#"gateway edge { workload any; listen http <port> { hosts * } }
    host * via edge {
      route page when path is "/page" -> respond 200 "old page"
      route all -> a
    }
    service a { port http 80 }
    bindings { address a endpoints [<a>] }"#;

fn endpoints_change_while_requests_are_served(stage: &mut Stage) {
    stage.layout = Layout::Filesystem;
    let (a, b) = (stage.echo("a"), stage.echo("b"));
    let mut running = stage.start(SOURCE);
    // One request is on its way, one connection is kept.
    let mut kept = running.connect();
    assert_eq!(seen(&kept.exchange(&Request::get("a.com", "/")).unwrap()).upstream, "a");
    let mut slow = running.connect();
    let waiting = std::thread::spawn(move || {
        let request = Request::get("a.com", "/").with("x-echo-delay", "3000");
        slow.exchange(&request).unwrap()
    });
    wait_for("the slow request", || a.requests() == 2);
    let begin = match stage.plane {
        Plane::Envoy => "endpoints-",
        Plane::Nginx => "a_80",
    };
    let (path, text) = running.file(begin);
    let changed = text.replace(&a.port().to_string(), &b.port().to_string());
    assert_ne!(text, changed);
    swap(&path, &changed);
    running.reload(stage);
    wait_for("the new endpoint", || seen(&running.ask(&Request::get("a.com", "/"))).upstream == "b");
    assert_eq!(seen(&waiting.join().unwrap()).upstream, "a");
    assert!(running.process.ended().unwrap().is_none());
    if stage.plane == Plane::Envoy {
        assert_eq!(seen(&kept.exchange(&Request::get("a.com", "/")).unwrap()).upstream, "b");
    }
}

fn what_cannot_be_read_leaves_the_old_in_place(stage: &mut Stage) {
    stage.layout = Layout::Filesystem;
    let _a = stage.echo("a");
    let mut running = stage.start(SOURCE);
    let page = |running: &super::stage::Running| running.ask(&Request::get("a.com", "/page")).body;
    assert_eq!(page(&running), b"old page");
    let (path, text) = running.file(match stage.plane {
        Plane::Envoy => "listeners",
        Plane::Nginx => "http",
    });
    let broken = match stage.plane {
        // A cluster that nobody has would be waited for; a filter that nobody has is an error.
        Plane::Envoy => text.replace("old page", "bad page").replace("filter_chains:", "no_such_field:"),
        Plane::Nginx => text.replace("old page", "bad page") + "no_such_directive on;\n",
    };
    swap(&path, &broken);
    if stage.plane == Plane::Envoy {
        wait_for("the refusal", || running.process.output().contains("no_such_field"));
    } else {
        assert!(!running.reloads(stage));
    }
    assert_eq!(page(&running), b"old page");
    swap(&path, &text.replace("old page", "new page"));
    running.reload(stage);
    wait_for("the new page", || page(&running) == b"new page");
    assert!(running.process.ended().unwrap().is_none());
}

fn certificates_are_replaced_while_requests_are_served(stage: &mut Stage) {
    stage.layout = Layout::Filesystem;
    stage.certificate("server", &["a.com"]);
    stage.certificate("renewed", &["a.com"]);
    let _a = stage.echo("a");
    let source = SOURCE.replace("listen http <port> { hosts * }", "listen https <port> { hosts *; TLS }");
    let tls = r#"tls simple { cert file "<server.pem>"; key file "<server.key>" }"#;
    let running = stage.start(&source.replace("TLS", tls));
    let shown = || {
        let tls = Tls { server_name: Some("a.com"), ..Tls::default() };
        let connection = Connection::open(running.port, Some(&tls), Duration::from_secs(10)).unwrap();
        stage.authority.name_of(connection.server_certificate().unwrap())
    };
    assert_eq!(shown(), "server");
    for ending in ["key", "pem"] {
        let file = |name: &str| stage.folder.path().join(format!("{name}.{ending}"));
        fs::rename(file("renewed"), file("server")).unwrap();
    }
    running.reload(stage);
    wait_for("the new certificate", || shown() == "renewed");
}

fn manifests_hold_the_files_of_the_proxy(stage: &mut Stage) {
    stage.layout = Layout::Filesystem;
    let _a = stage.echo("a");
    let source = SOURCE.replace("bindings {", "bindings { deploy kubernetes;").replace("<port>", "8080");
    let (manifests, files): (Vec<_>, Vec<_>) =
        stage.artifacts(&source).into_iter().partition(|file| file.path.starts_with("kubernetes/"));
    let documents: Vec<Value> = manifests
        .iter()
        .flat_map(|file| serde_yaml::Deserializer::from_str(&file.text))
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let kinds: BTreeSet<String> = documents.iter().map(|document| text(&document["kind"])).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["ConfigMap", "Deployment", "Service"]);
    let mut held: BTreeMap<(String, String), String> = BTreeMap::new();
    for map in documents.iter().filter(|document| document["kind"] == "ConfigMap") {
        for (key, value) in map["data"].as_mapping().unwrap() {
            held.insert((text(&map["metadata"]["name"]), text(key)), text(value));
        }
    }
    // Where the pods of the deployments find them.
    let mut mounted: BTreeMap<String, String> = BTreeMap::new();
    for deployment in documents.iter().filter(|document| document["kind"] == "Deployment") {
        let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_sequence().unwrap();
        let sources = volumes.iter().filter_map(|volume| volume["projected"]["sources"].as_sequence());
        for map in sources.flatten().map(|source| &source["configMap"]) {
            for item in map["items"].as_sequence().into_iter().flatten() {
                let file = &held[&(text(&map["name"]), text(&item["key"]))];
                mounted.insert(text(&item["path"]), file.clone());
            }
        }
    }
    assert!(!files.is_empty());
    for file in files {
        assert_eq!(mounted.get(&file.path), Some(&file.text), "{}", file.path);
    }
}
