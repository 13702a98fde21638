//! What a generated mesh holds: per service its policy, its subsets and six ordered routes; for some a public host at a
//! gateway, and an external service that is called over TLS. Raw proxies find all of it by Kubernetes.

use crate::random::Random;
use crate::writer::Writer;
use std::ops::Range;
use std::path::PathBuf;

const SERVICES_PER_NAMESPACE: usize = 50;
const ONE_PUBLIC_HOST_IN: usize = 10;
const ONE_EXTERNAL_IN: usize = 20;

/// How a mesh is spread over files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Everything in `mesh.mesh`, in one namespace: a file has one.
    OneFile,
    /// A folder per namespace of 50 services, with a file per service and one for the namespace's gateway.
    FilePerService,
}

/// A file of a project: its path relative to the project's folder, and its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    /// Relative path, such as `ns-3/svc-170.mesh`.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// The project of a mesh with `services` services, `mesh.toml` first.
#[must_use]
pub fn files(services: usize, layout: Layout) -> Vec<SourceFile> {
    let mesh = Mesh { services, layout };
    let settings = "edition = \"2026\"\ntargets = [\"istio\"]\n";
    let mut files = vec![SourceFile { path: "mesh.toml".into(), text: settings.to_owned() }];
    match layout {
        Layout::OneFile => files.push(mesh.one_file()),
        Layout::FilePerService => {
            for namespace in 0..mesh.namespaces() {
                files.push(mesh.gateway_file(namespace));
                files.extend(mesh.services_of(namespace).map(|service| mesh.service_file(service)));
            }
            files.push(bindings_file());
        }
    }
    files
}

struct Mesh {
    services: usize,
    layout: Layout,
}

impl Mesh {
    fn namespaces(&self) -> usize {
        self.services.div_ceil(SERVICES_PER_NAMESPACE)
    }

    fn services_of(&self, namespace: usize) -> Range<usize> {
        let first = namespace * SERVICES_PER_NAMESPACE;
        first..self.services.min(first + SERVICES_PER_NAMESPACE)
    }

    fn one_file(&self) -> SourceFile {
        let mut file = Writer::default();
        file.line("namespace bench");
        for namespace in 0..self.namespaces() {
            write_gateway(&mut file, namespace);
            for service in self.services_of(namespace) {
                self.write_service_items(&mut file, service);
            }
        }
        write_bindings(&mut file);
        SourceFile { path: "mesh.mesh".into(), text: file.finish() }
    }

    fn gateway_file(&self, namespace: usize) -> SourceFile {
        let mut file = Writer::default();
        file.line(&format!("namespace ns-{namespace}"));
        write_gateway(&mut file, namespace);
        SourceFile { path: format!("ns-{namespace}/edge.mesh").into(), text: file.finish() }
    }

    fn service_file(&self, service: usize) -> SourceFile {
        let namespace = service / SERVICES_PER_NAMESPACE;
        let mut file = Writer::default();
        file.line(&format!("namespace ns-{namespace}"));
        self.write_service_items(&mut file, service);
        SourceFile { path: format!("ns-{namespace}/svc-{service}.mesh").into(), text: file.finish() }
    }

    fn write_service_items(&self, file: &mut Writer, service: usize) {
        let mut random = Random::new(service);
        self.write_host(file, service, &mut random);
        if service.is_multiple_of(ONE_PUBLIC_HOST_IN) {
            write_public_host(file, service, &mut random);
        }
        write_service(file, service, &mut random);
        if service.is_multiple_of(ONE_EXTERNAL_IN) {
            write_external(file, service);
        }
    }

    /// Six routes, none of which covers a later one.
    fn write_host(&self, file: &mut Writer, service: usize, random: &mut Random) {
        let tenant = random.below(1000);
        let canary = 1 + random.below(20);
        // An earlier one, so that no two services call each other in a circle.
        let neighbour = self.reference(random.below(service.max(1)));
        file.item(&format!("host svc-{service}"), |host| {
            route(
                host,
                "health",
                "path is \"/healthz\" and method is GET",
                &format!("svc-{service}@v1"),
                |options| {
                    options.line("timeout 1s");
                },
            );
            let condition = format!("path prefix \"/api/v1/\" and header x-tenant is \"t-{tenant}\"");
            route(host, "tenant", &condition, &format!("svc-{service}@v2"), |options| {
                write_patience(options, random, "connect-failure");
            });
            let split = format!("{canary}% svc-{service}@v3, rest svc-{service}@v2");
            route(host, "write", "method in [POST, PUT] and header x-canary present", &split, |options| {
                options.line(&format!("timeout {}s", 2 + random.below(8)));
                options.line("retry off");
            });
            let condition = r#"path matches r"/items/[0-9]+(/v[0-9]+)?""#;
            route(host, "item", condition, &format!("svc-{service}@v3"), |options| {
                write_patience(options, random, "connect-failure");
                options.line(&format!("mirror {}% to {neighbour}", 1 + random.below(5)));
            });
            route(host, "browse", "path under \"/browse\" and method is GET", &neighbour, |options| {
                options.line("rewrite prefix \"/catalogue\"");
                write_patience(options, random, "5xx, reset");
            });
            let split = format!("80% svc-{service}@v1, 15% svc-{service}@v2, rest svc-{service}@v3");
            route(host, "default", "", &split, |options| {
                write_patience(options, random, "connect-failure, refused-stream");
            });
        });
    }

    /// How another file names `service`.
    fn reference(&self, service: usize) -> String {
        match self.layout {
            Layout::OneFile => format!("svc-{service}"),
            Layout::FilePerService => format!("ns-{}/svc-{service}", service / SERVICES_PER_NAMESPACE),
        }
    }
}

fn bindings_file() -> SourceFile {
    let mut file = Writer::default();
    write_bindings(&mut file);
    SourceFile { path: "bindings.mesh".into(), text: file.finish() }
}

/// Where raw proxies find what everything is.
fn write_bindings(file: &mut Writer) {
    file.item("bindings", |bindings| bindings.line("default kubernetes"));
}

fn route(host: &mut Writer, name: &str, condition: &str, to: &str, options: impl FnOnce(&mut Writer)) {
    let when = if condition.is_empty() { String::new() } else { format!(" when {condition}") };
    host.block(&format!("route {name}{when} -> {to}"), options);
}

/// A timeout that leaves room for each try and for a pause between them.
fn write_patience(options: &mut Writer, random: &mut Random, causes: &str) {
    let (retries, per_try) = (1 + random.below(3), 1 + random.below(4));
    options.line(&format!("timeout {}s", (retries + 1) * per_try + 1));
    options.line(&format!("retry {retries} per-try {per_try}s on [{causes}]"));
}

fn write_public_host(file: &mut Writer, service: usize, random: &mut Random) {
    let edge = service / SERVICES_PER_NAMESPACE;
    file.item(&format!("host svc-{service}.example.com via edge-{edge}"), |host| {
        route(
            host,
            "api",
            "path under \"/api\" and method in [GET, HEAD]",
            &format!("svc-{service}@v2"),
            |options| {
                write_patience(options, random, "connect-failure, refused-stream");
            },
        );
        route(host, "default", "", &format!("svc-{service}@v1"), |options| options.line("timeout 15s"));
    });
}

fn write_service(file: &mut Writer, service: usize, random: &mut Random) {
    file.item(&format!("service svc-{service}"), |policy| {
        policy.line("port http 9080");
        policy.line(&format!("lb {}", random.pick(&LOAD_BALANCERS)));
        write_pool(policy, random);
        policy.line(&format!(
            "eject after {} consecutive errors every {}s for {}m max 10%",
            3 + random.below(7),
            10 + random.below(50),
            1 + random.below(5)
        ));
        for version in ["v1", "v2", "v3"] {
            policy.block(&format!("subset {version}"), |subset| {
                subset.line(&format!("labels version={version}"));
                subset.line(&format!("lb {}", random.pick(&LOAD_BALANCERS)));
                if version != "v1" {
                    write_pool(subset, random);
                }
            });
        }
    });
}

const LOAD_BALANCERS: [&str; 3] = ["random", "round-robin", "least-request"];

fn write_pool(policy: &mut Writer, random: &mut Random) {
    let connections = 50 + random.below(200);
    policy.block("pool", |pool| {
        pool.line(&format!("connections {connections}"));
        pool.line(&format!("pending {}", connections + random.below(400)));
        // Shorter than every timeout of a route: a connection that does not open is tried again.
        pool.line("connect-timeout 500ms");
    });
}

fn write_external(file: &mut Writer, service: usize) {
    let host = format!("partner-{service}.example.net");
    file.item(&format!("external partner-{service}"), |external| {
        external.line(&format!("hosts {host}"));
        external.line("port http 80 target 443");
        external.line("resolve dns");
        external.block("tls simple", |tls| {
            tls.line(&format!("sni {host}"));
            tls.line("ca file \"/etc/certs/partners.pem\"");
        });
    });
}

/// The public gateway of a namespace, on a workload of its own: gateways of one workload may not share a host.
fn write_gateway(file: &mut Writer, namespace: usize) {
    file.item(&format!("gateway edge-{namespace}"), |gateway| {
        gateway.line("controller istio");
        gateway.line(&format!("workload istio=edge-{namespace}"));
        gateway.block("listen https 443", |listener| {
            listener.line("hosts *.example.com");
            listener.block("tls simple", |tls| {
                tls.line(&format!("credential edge-{namespace}-tls"));
                tls.line("min-version 1.2");
            });
        });
    });
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests")]

    use super::{Layout, files};

    #[test]
    fn the_same_number_gives_the_same_bytes() {
        for layout in [Layout::OneFile, Layout::FilePerService] {
            assert_eq!(files(120, layout), files(120, layout));
        }
    }

    #[test]
    fn every_service_has_a_file_and_every_namespace_a_gateway() {
        let files = files(120, Layout::FilePerService);
        assert_eq!(files.len(), 1 + 3 + 120 + 1);
        assert_eq!(files[2].path.to_str(), Some("ns-0/svc-0.mesh"));
    }

    #[test]
    fn a_service_takes_about_1300_bytes() {
        let source = &files(1000, Layout::OneFile)[1].text;
        let per_service = source.len() / 1000;
        assert!((1_200..1_450).contains(&per_service), "{per_service}");
        assert_eq!(source.matches('{').count(), source.matches('}').count());
    }
}
