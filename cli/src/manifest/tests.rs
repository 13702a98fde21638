//! What `mesh.toml` can say, and what is said of its faults.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn refused(text: &str) -> String {
    Manifest::parse(text).err().unwrap().place(Path::new("mesh.toml"), text).text()
}

#[test]
fn everything_can_be_said() {
    let text = r#"
        edition = "2026"
        targets = ["istio"]
        out = "deploy/{env}/{target}"
        default-env = "prod"
        cluster-domain = "mesh.corp"
        [lints]
        MESH0608 = "error"
        MESH0219 = "allow"
        [istio]
        api-version = "v1"
        version = "1.24..1.28"
        ambient = ["shop", "edge"]
        split = "resource"
        [edge]
        idle-timeout = "10m"
        header-timeout = "10s"
        request-timeout = "off"
        stream-idle-timeout = "1h"
        streams = 250
        ipv6 = false
        [envoy]
        connections = 100000
        buffer = 65536
        retry-buffer = 4194304
        heap = 0
        [nginx]
        worker-connections = 65536
        resolver-timeout = "2s"
        resolver-ipv6 = true
    "#;
    let manifest = Manifest::parse(text).unwrap();
    let EdgeOptions { idle_timeout, header_timeout, request_timeout, stream_idle_timeout, streams, ipv6 } =
        manifest.edge;
    let times = [idle_timeout, header_timeout, request_timeout, stream_idle_timeout];
    let times = times.map(|time| time.map(|time| time.to_string()).unwrap_or_default());
    assert_eq!((times, streams, ipv6), (["10m", "10s", "", "1h"].map(str::to_owned), 250, false));
    let envoy = &manifest.envoy;
    assert_eq!(
        (envoy.connections, envoy.buffer, envoy.retry_buffer, envoy.heap),
        (100_000, 65_536, 4_194_304, None)
    );
    assert_eq!((manifest.nginx.worker_connections, manifest.nginx.resolver_ipv6), (65_536, true));
    assert_eq!(manifest.nginx.resolver_timeout.map(|time| time.to_string()).as_deref(), Some("2s"));
    assert_eq!(manifest.cluster_domain, "mesh.corp");
    assert_eq!(manifest.releases, Releases::parse("1.24..1.28").unwrap());
    assert_eq!(manifest.ambient, Ambient::In(vec!["shop".to_owned(), "edge".to_owned()]));
    assert_eq!(manifest.default_environment.as_deref(), Some("prod"));
    assert_eq!((manifest.api_version, manifest.split), (ApiVersion::V1, Split::Resource));
    assert_eq!(manifest.levels.get(&Code::WEAK_TLS), Some(&Level::Report(Severity::Error)));
    assert_eq!(manifest.fixed_out(), Some(PathBuf::from("deploy")));
}

#[test]
fn nothing_needs_to_be_said() {
    let manifest = Manifest::parse("").unwrap();
    assert_eq!((manifest.out.as_str(), manifest.targets.len()), ("out", 1));
}

#[test]
fn faults_have_a_place_and_a_way_out() {
    for (text, place, said) in [
        ("edition = \"2025\"", ":1:11:", "did you mean `2026`?"),
        ("\ntarget = [\"istio\"]", ":2:1:", "did you mean `targets`?"),
        ("targets = [\"istoi\"]", ":1:12:", "did you mean `istio`?"),
        ("targets = [\"haproxy\"]", ":1:12:", "use `istio` or `envoy` or `nginx`"),
        ("[envoy]\nlayout = \"files\"", ":2:10:", "did you mean `filesystem`?"),
        ("[envoy]\nlayout = \"dynamic\"", ":2:10:", "use `static` or `filesystem`"),
        ("[envoy]\nroot = \"etc\"", ":2:8:", "absolute path"),
        ("[envoy]\nadmin = \"15001\"", ":2:9:", "`127.0.0.1:15001`"),
        ("targets = []", ":1:11:", "is empty"),
        ("targets = [\"istio\", \"istio\"]", ":1:21:", "twice"),
        ("[istio]\nsplit = \"file\"", ":2:9:", "use `namespace` or `resource`"),
        ("[istio]\nversion = \"latest\"", ":2:11:", "such as `\"1.31\"`"),
        ("[istio]\nversion = \"1.28-1.31\"", ":2:11:", "`\"1.28..1.31\"`"),
        ("[istio]\nversion = 1.28", ":2:11:", "string"),
        ("[istio]\nambient = \"yes\"", ":2:11:", "a list of namespaces"),
        ("[istio]\nambient = [\"Shop\"]", ":2:11:", "lower-case letters"),
        ("[istio]\nversion = \"1.20\"\napi-version = \"v1\"", ":3:15:", "every release takes `v1alpha3`"),
        ("[istio]\napi = \"v1\"", ":2:1:", "unknown key `api`"),
        ("[lints]\nMESH9999 = \"error\"", ":2:1:", "explain --list"),
        ("[lints]\nMESH0201 = \"warning\"", ":2:12:", "is always an error"),
        ("[lints]\nMESH0608 = \"warn\"", ":2:12:", "did you mean `warning`?"),
        ("out = \"\"", ":1:7:", "no name"),
        ("out = \"{namespace}\"", ":1:7:", "unknown placeholders"),
        ("cluster-domain = \"a b\"", ":1:18:", "error:"),
        ("out = 5", ":1:7:", "string"),
        ("[edge]\nidle-timeout = \"5\"", ":2:16:", "such as `60s`"),
        ("[edge]\nstreams = 0", ":2:11:", "at least 1"),
        ("[edge]\nstreams = 5000000000", ":2:11:", "out of range"),
        ("[envoy]\nbuffer = 1", ":2:10:", "at least 4096"),
        ("[nginx]\nworker-connections = 1", ":2:22:", "at least 64"),
        ("out = ", ":1:7:", "error:"),
    ] {
        let refused = refused(text);
        assert!(
            refused.contains(&format!("mesh.toml{place}")) && refused.contains(said),
            "{text}: {refused}"
        );
    }
}

/// The page that shows every key.
const PAGE: &str = include_str!("../../../docs/project.md");

#[test]
fn the_page_shows_every_key_and_can_be_read() {
    let block = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(Manifest::parse(block).is_ok(), "{}", refused(block));
    for table in ["", "istio", "edge", "envoy", "nginx"] {
        let start = if table.is_empty() { block } else { block.split(&format!("[{table}]")).nth(1).unwrap() };
        let own = start.split("\n[").next().unwrap();
        let odd = if table.is_empty() { "zzz = 1".to_owned() } else { format!("[{table}]\nzzz = 1") };
        let error = toml::from_str::<Written>(&odd).unwrap_err();
        let known: Vec<&str> = error.message().split('`').skip(1).step_by(2).skip(1).collect();
        assert!(known.len() > 3, "{table}: {error}");
        for key in known {
            let shown = own.contains(&format!("{key} = ")) || block.contains(&format!("[{key}]"));
            assert!(shown, "docs/project.md does not show `{key}` of [{table}]");
        }
    }
}
