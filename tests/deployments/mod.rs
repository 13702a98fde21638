//! Names in a cluster: two things never meet in one of what is generated, and a certificate is found by whose it is.

#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use meshc_compiler::{Input, Project, check};
use meshc_language::{Code, Diagnostic, Severity, SourceFile};
use meshc_targets::{Artifact, Gateways, Options, fit, target};

/// The targets that are deployed.
const TARGETS: [&str; 2] = ["envoy", "nginx"];

/// What a target says of files, and what it makes of them if it can.
fn made(files: &[&str], name: &str) -> (Vec<Diagnostic>, Option<Vec<Artifact>>) {
    let input = |(at, text): (usize, &&str)| Input {
        module: format!("file-{at}"),
        file: SourceFile { name: format!("file-{at}.mesh"), text: (*text).to_owned() },
    };
    let project = Project::read(files.iter().enumerate().map(input).collect());
    let compilation = check(&project, None, &meshc_compiler::Options::default());
    let checked = compilation.environments.first().and_then(|(_, checked)| checked.as_ref());
    let checked = checked.unwrap_or_else(|| panic!("{:?}", compilation.reports));
    let options = Options { files: &project.files, gateways: Gateways::All, ..Options::default() };
    let (fitted, reports) = fit(target(name).unwrap(), checked, &options);
    (reports, fitted.map(|fitted| fitted.emit(&options)))
}

/// All that a target makes, in one text.
fn text(files: &[&str], name: &str) -> String {
    let (reports, artifacts) = made(files, name);
    let artifacts = artifacts.unwrap_or_else(|| panic!("{reports:?}"));
    artifacts.into_iter().map(|file| file.text).collect()
}

/// The errors of a code that a target reports.
fn errors(files: &[&str], name: &str, code: Code) -> Vec<String> {
    let (reports, _) = made(files, name);
    let own = reports.into_iter().filter(|report| report.code == code && report.severity == Severity::Error);
    own.map(|report| format!("{} / {}", report.message, report.help.unwrap_or_default())).collect()
}

const EDGE: &str = "namespace shop
gateway edge { workload any; listen http 8085 { hosts shop.com } }
";

#[test]
fn a_subset_and_a_service_that_would_share_a_headless_service_have_one_each() {
    let mesh = "host shop.com via edge {
  route a when path prefix \"/a\" -> cart@v1
  route b when path prefix \"/b\" -> cart-v1
  route c -> cart
}
service cart { port http 8080; subset v1 { labels version=v1 } }
service cart-v1 { port http 8080 }
bindings { default kubernetes }
";
    for target in TARGETS {
        let made = text(&[&format!("{EDGE}{mesh}")], target);
        let mut names: Vec<&str> = made.lines().filter(|line| line.starts_with("  name: ")).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!((all, names.len()), (3, 3), "{target}: {names:?}");
        assert!(names.contains(&"  name: cart-endpoints"), "{names:?}");
        // What could not meet keeps its plain name.
        let alone = text(&[&format!("{EDGE}{mesh}").replace("cart-v1", "other")], target);
        assert!(alone.contains("  name: cart-v1-endpoints\n"), "{alone}");
    }
}

#[test]
fn a_service_that_is_called_like_a_headless_service_is_not_replaced() {
    let mesh = "host shop.com via edge { route a when path is \"/a\" -> cart; route b -> cart-endpoints }
service cart { port http 8080 }
service cart-endpoints { port http 8080 }
bindings { default kubernetes }
";
    for target in TARGETS {
        let made = text(&[&format!("{EDGE}{mesh}")], target);
        assert!(!made.contains("  name: cart-endpoints\n"), "{target}: {made}");
        assert!(made.contains("  name: cart-endpoints-"), "{target}: {made}");
    }
}

#[test]
fn a_headless_service_has_a_name_that_kubernetes_takes_however_long_its_parts_are() {
    let service = format!("long-{}", "a".repeat(50));
    let subset = format!("v-{}", "b".repeat(28));
    let mesh = format!(
        "{EDGE}host shop.com via edge {{ route a -> {service}@{subset} }}
service {service} {{ port http 8080; subset {subset} {{ labels version=v1 }} }}
bindings {{ default kubernetes }}
"
    );
    for target in TARGETS {
        let made = text(&[&mesh], target);
        let names: Vec<&str> = made.lines().filter_map(|line| line.strip_prefix("  name: ")).collect();
        assert!(!names.is_empty() && names.iter().all(|name| name.len() <= 63), "{target}: {names:?}");
        let is_called = |name: &&str| made.contains(&format!("{name}.shop.svc.cluster.local"));
        assert!(names.iter().all(is_called), "{target}: {made}");
    }
}

#[test]
fn ports_with_other_labels_have_headless_services_of_their_own() {
    let mesh = "host shop.com via edge { route a when path is \"/1\" -> w:80; route b when path is \"/2\" -> w:81; route c -> w:9000 }
service w { port http 80; port http 81; port http 9000 }
bindings { address w:80 kubernetes labels app=web, tier=a; address w:81 kubernetes labels tier=a, app=web; OTHER }
";
    // By port, or with labels of the whole service.
    let others = ["address w:9000 kubernetes labels app=admin", "address w kubernetes labels app=admin"];
    for target in TARGETS {
        for other in others {
            let made = text(&[&format!("{EDGE}{}", mesh.replace("OTHER", other))], target);
            let documents = made.split("---\n").filter_map(|one| one.split("# Generated").next());
            let documents: Vec<&str> = documents.filter(|one| one.contains("kind: Service")).collect();
            assert_eq!(documents.len(), 2, "{target}: {made}");
            let of =
                |label: &str| *documents.iter().find(|one| one.contains(&format!("app: {label}\n"))).unwrap();
            let (web, admin) = (of("web"), of("admin"));
            assert!(
                web.contains("port: 80\n") && web.contains("port: 81\n") && !web.contains("9000"),
                "{web}"
            );
            assert!(admin.contains("port: 9000\n") && !admin.contains("port: 80\n"), "{admin}");
            let plain = admin.contains("  name: w-endpoints\n");
            assert_eq!(plain, other.contains("address w kubernetes"), "{admin}");
        }
        // What is the same for all ports needs no other name.
        let same = mesh.replace("; port http 9000", "").replace("w:9000", "w:81").replace("OTHER", "");
        let same = text(&[&format!("{EDGE}{same}")], target);
        assert!(same.contains("  name: w-endpoints\n") && !same.contains("w-endpoints-"), "{same}");
    }
}

#[test]
fn pods_are_looked_for_in_the_namespace_of_their_service() {
    let mesh = "host shop.com via edge { route a when path is \"/1\" -> x; route b when path is \"/2\" -> y; route c -> z }
service x { host cart.prod.svc.cluster.local; port http 80 target 8080 }
service y { host y.example.com; port http 80 }
service z { port http 80 }
bindings { default kubernetes }
";
    let prod = "namespace prod
service x { port http 80 }
host x { route d -> x }
";
    for target in TARGETS {
        let made = text(&[&format!("{EDGE}{mesh}")], target);
        assert!(made.contains("  name: x-endpoints\n  namespace: prod\nspec:\n  clusterIP: None\n  selector:\n    app: cart\n"), "{made}");
        assert!(made.contains("x-endpoints.prod.svc.cluster.local"), "{made}");
        for own in ["y", "z"] {
            assert!(made.contains(&format!("  name: {own}-endpoints\n  namespace: shop\n")), "{made}");
        }
        // A service of that namespace has a name of its own.
        let both = text(&[&format!("{EDGE}{mesh}"), prod], target);
        let mut names: Vec<&str> =
            both.lines().filter(|line| line.starts_with("  name: x-endpoints")).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 2, "{target}: {names:?}");
    }
}

#[test]
fn a_short_name_of_two_services_is_that_of_neither() {
    let team = |name: &str, service: &str| {
        format!(
            "namespace {name}\nservice {service} {{ port http 8080 }}\nbindings {{ address {service} endpoints [10.0.0.1:8080] }}\n"
        )
    };
    let warnings = |files: &[&str], target: &str| {
        let (reports, _) = made(files, target);
        reports.into_iter().filter(|report| report.code == Code::SHORT_NAME_SHARED).count()
    };
    for target in TARGETS {
        let answers_to = |made: &str, name: &str| {
            made.lines().filter(|line| !line.trim().starts_with('#')).any(|line| {
                let mut words = line.trim().trim_start_matches("- ").trim_end_matches(';').split(' ');
                words.any(|word| word == name)
            })
        };
        let (one, other) = (team("shop", "cart"), team("rental", "cart"));
        let both = text(&[&one, &other], target);
        assert!(answers_to(&both, "cart.shop") && answers_to(&both, "cart.rental"), "{both}");
        assert!(!answers_to(&both, "cart"), "{target}: {both}");
        assert_eq!(warnings(&[&one, &other], target), 1, "{target}");
        let apart = team("rental", "basket");
        assert!(answers_to(&text(&[&one, &apart], target), "cart"), "{target}");
        assert_eq!(warnings(&[&one, &apart], target), 0, "{target}");
        // A proxy for each namespace knows whose callers it has.
        let hidden = format!("{other}service vault {{ port http 9000; visible here }}\n");
        assert_eq!(warnings(&[&one, &hidden], target), 0, "{target}");
    }
}

#[test]
fn a_gateway_is_not_deployed_in_place_of_a_service() {
    let mesh = "namespace shop
gateway cart { workload any; FRONT; listen http 8085 { hosts shop.com } }
host shop.com via cart { route a -> web }
service cart { port http 8085 }
service web { port http 8080 }
bindings { default kubernetes; deploy kubernetes }
";
    for target in TARGETS {
        let clashes = |mesh: &str| errors(&[mesh], target, Code::RESOURCE_NAME_CLASH);
        let plain = mesh.replace(" FRONT;", "");
        let found = clashes(&plain);
        assert!(found.len() == 1 && found.iter().all(|one| one.contains("`gateway cart-edge`")), "{found:?}");
        // The service before the gateway's pods is what is deployed.
        assert_eq!(clashes(&mesh.replace("FRONT", "service cart")), Vec::<String>::new(), "{target}");
        // Without `deploy` nothing gets that name, nor in another namespace.
        assert_eq!(clashes(&plain.replace("; deploy kubernetes", "")), Vec::<String>::new(), "{target}");
        assert_eq!(
            clashes(&plain.replace("service cart", "service basket")),
            Vec::<String>::new(),
            "{target}"
        );
    }
}

/// A Service chooses pods by labels, whoever they belong to.
#[test]
fn a_gateway_is_no_endpoint_of_the_service_that_it_routes_to() {
    let mesh = |gateway: &str, service: &str, bindings: &str| {
        format!(
            "namespace shop
gateway {gateway}; listen http 8085 {{ hosts shop.com }} }}
host shop.com via edge {{ route a -> {service} }}
service {service} {{ port http 8080 }}
bindings {{ default kubernetes; {bindings} }}
"
        )
    };
    let own = "edge { controller TARGET; workload app=shop";
    for (gateway, service, bindings, expected) in [
        // By the label that is guessed of a service, and by one that is said.
        (own, "shop", "deploy kubernetes", 1),
        (own, "shop", "", 1),
        (own, "web", "address web kubernetes labels app=shop", 1),
        ("edge { controller TARGET; workload app=shop, tier=edge", "shop", "", 1),
        // By the label that a deployed proxy gets with its name.
        (
            "edge { controller TARGET; workload any",
            "web",
            "address web kubernetes labels app=edge; deploy kubernetes",
            1,
        ),
        ("edge { controller TARGET; workload any", "web", "address web kubernetes labels app=edge", 0),
        (own, "web", "deploy kubernetes", 0),
        (own, "shop", "address shop kubernetes labels app=shop, tier=web", 0),
        (own, "shop", "address shop endpoints [127.0.0.1:80]; deploy kubernetes", 0),
        // The service in front of the gateway chooses its pods for others.
        ("edge { controller TARGET; workload app=shop; service shop", "shop", "", 1),
    ] {
        for target in TARGETS {
            let mesh = mesh(&gateway.replace("TARGET", target), service, bindings);
            let found = errors(&[&mesh], target, Code::GATEWAY_AS_ENDPOINT);
            assert_eq!(found.len(), expected, "{target}: {mesh}{found:?}");
        }
    }
}

#[test]
fn a_file_that_no_volume_holds_is_a_warning() {
    let mesh = |tls: &str, bindings: &str| {
        format!(
            "namespace shop
gateway edge {{ workload any; listen https 8485 {{ hosts shop.com; tls simple {{ {tls} }} }} }}
host shop.com via edge {{ route a -> respond 200 }}
bindings {{ {bindings} }}
"
        )
    };
    let files = |folder: &str| format!("cert file \"{folder}/tls.crt\"; key file \"{folder}/tls.key\"");
    let bound = format!("secret web {{ {} }}", files("/etc/web"));
    for (tls, bindings, expected) in [
        ("credential web".to_owned(), format!("deploy kubernetes; {bound}"), 1),
        (files("/etc/web"), "deploy kubernetes".to_owned(), 1),
        ("credential web".to_owned(), bound, 0),
        ("credential web".to_owned(), "deploy kubernetes; secret web kubernetes".to_owned(), 0),
        (files("/etc/mesh/secrets/web"), "deploy kubernetes".to_owned(), 0),
        (files("/etc/ssl/private"), "deploy kubernetes".to_owned(), 0),
    ] {
        for target in TARGETS {
            let mesh = mesh(&tls, &bindings);
            let (reports, made) = made(&[&mesh], target);
            let found = reports.iter().filter(|report| report.code == Code::FILE_NOT_MOUNTED).count();
            assert_eq!(found, expected, "{target}: {mesh}{reports:?}");
            assert!(made.is_some(), "{target}: {mesh}{reports:?}");
        }
    }
}

#[test]
fn two_gateways_that_would_be_deployed_by_one_name_are_an_error() {
    let gateway = |port: u16| {
        format!(
            "gateway edge {{ workload any; listen http {port} {{ hosts shop.com }} }}
host shop.com via edge {{ route hello -> respond 200 }}
"
        )
    };
    // What has no namespace goes to `default`.
    let named = format!("namespace default\n{}", gateway(8085));
    for target in TARGETS {
        let deployed = format!("{}bindings {{ deploy kubernetes }}\n", gateway(8086));
        let found = errors(&[&deployed, &named], target, Code::RESOURCE_NAME_CLASH);
        assert_eq!(found.len(), 1, "{target}: {found:?}");
        let apart = named.replace("namespace default", "namespace shop");
        assert_eq!(errors(&[&deployed, &apart], target, Code::RESOURCE_NAME_CLASH), Vec::<String>::new());
    }
}

/// A gateway in a namespace, and what its `bindings` say of the certificate `web`.
fn team(name: &str, secret: &str) -> String {
    format!(
        "namespace team-{name}
gateway g{name} {{ workload any; listen https 8443 {{ hosts {name}.com; tls mutual {{ credential web }} }} }}
host {name}.com via g{name} {{ route r -> svc }}
service svc {{ port http 8080; tls mutual {{ credential up }} }}
bindings {{ {secret} address svc endpoints [127.0.0.1:1] }}
"
    )
}

/// The two certificates of a team, in files of a folder.
fn files(folder: &str) -> String {
    let secret = |name: &str| {
        format!(
            "secret {name} {{ cert file \"/{folder}/{name}.crt\"; key file \"/{folder}/{name}.key\"; ca file \"/{folder}/{name}-ca.crt\" }}; "
        )
    };
    secret("web") + &secret("up")
}

#[test]
fn a_certificate_is_found_by_name_in_the_namespace_of_its_proxy() {
    for target in TARGETS {
        let (own, other) = (team("a", &files("a")), team("b", &files("b")));
        let (reports, artifacts) = made(&[&own, &other], target);
        let artifacts = artifacts.unwrap_or_else(|| panic!("{reports:?}"));
        for (name, foreign) in [("team-a", "/b/"), ("team-b", "/a/")] {
            let mine =
                artifacts.iter().filter(|file| file.path.contains(name) && !file.path.contains("outbound"));
            let mine: String = mine.map(|file| file.text.clone()).collect();
            let folder = if foreign == "/b/" { "/a/" } else { "/b/" };
            assert!(mine.contains(&format!("{folder}web.crt")), "{target}, {name}: {mine}");
            assert!(mine.contains(&format!("{folder}up.crt")), "{target}, {name}: {mine}");
            assert!(!mine.contains(foreign), "{target}, {name}: {mine}");
        }
        // What another team has bound is none of ours.
        let found = errors(&[&own, &team("b", "")], target, Code::MISSING_SECRET);
        assert!(found.iter().any(|one| one.contains("no secret `web` of namespace `team-b`")), "{found:?}");
        assert!(found.iter().all(|one| one.contains("kubernetes://team-b/")), "{found:?}");
    }
}

#[test]
fn one_file_may_bind_the_certificates_of_all_namespaces() {
    // In a file without a namespace, or by their full names.
    let shared = format!("bindings {{ {} }}\n", files("all"));
    let named = files("b").replace("secret web", "secret \"kubernetes://team-b/web\"");
    let named = named.replace("secret up", "secret \"kubernetes://team-b/up\"");
    for target in TARGETS {
        for bindings in [&shared, &format!("namespace team-a\nbindings {{ {named} }}\n")] {
            let found = errors(&[bindings, &team("b", "")], target, Code::MISSING_SECRET);
            assert_eq!(found, Vec::<String>::new(), "{target}: {bindings}");
        }
    }
}

#[test]
fn what_no_pod_can_mount_is_an_error() {
    for target in TARGETS {
        for credential in ["kubernetes://other/a-b", "sds://web", "builtin://"] {
            let mesh = format!(
                "namespace shop
gateway edge {{
  workload any
  listen https 8443 {{ hosts b.com; tls simple {{ credential a-b }} }}
  listen https 8443 {{ hosts f.com; tls simple {{ credential \"{credential}\" }} }}
}}
host b.com, f.com via edge {{ route d -> cart }}
service cart {{ port http 80 }}
bindings {{ default kubernetes; secret a-b kubernetes; secret \"{credential}\" kubernetes }}
"
            );
            let found = errors(&[&mesh], target, Code::MISSING_SECRET);
            assert!(found.len() == 1, "{target}, {credential}: {found:?}");
            assert!(found.iter().all(|one| one.contains("bind it to files")), "{target}: {found:?}");
            // Files may hold it.
            let in_files = mesh.replace(
                &format!("secret \"{credential}\" kubernetes"),
                &format!("secret \"{credential}\" {{ cert file \"/c.crt\"; key file \"/c.key\" }}"),
            );
            assert_eq!(errors(&[&in_files], target, Code::MISSING_SECRET), Vec::<String>::new(), "{target}");
        }
    }
}
