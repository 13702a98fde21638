//! The same meshes as somebody writes them by hand, one thing after the other.

use super::project::{PORT, Paths, Rule, endpoint};
use std::fmt::Write as _;

/// A bootstrap with a virtual host for each domain, and a cluster for each service.
pub(super) fn envoy(services: usize) -> String {
    let mut text = format!(
        "static_resources:\n  \
           listeners:\n  \
           - name: edge\n    \
             address: {{socket_address: {{address: 127.0.0.1, port_value: {PORT}}}}}\n    \
             filter_chains:\n    \
             - filters:\n      \
               - name: envoy.filters.network.http_connection_manager\n        \
                 typed_config:\n          \
                   \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
                   stat_prefix: edge\n          \
                   http_filters:\n          \
                   - name: envoy.filters.http.router\n            \
                     typed_config:\n              \
                       \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router\n          \
                   route_config:\n            \
                     virtual_hosts:\n"
    );
    for service in 0..services {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "            - name: svc-{service}\n              domains: [svc-{service}.example.com]\n              routes:"
        );
        for matched in [r"path_separated_prefix: /api", r"safe_regex: {regex: '/items/[0-9]+'}", "prefix: /"]
        {
            let _ = writeln!(
                text,
                "              - match: {{{matched}}}\n                route: {{cluster: svc-{service}}}"
            );
        }
    }
    text.push_str("  clusters:\n");
    for service in 0..services {
        let endpoint = endpoint(service);
        let (address, port) = endpoint.split_once(':').unwrap_or_default();
        let _ = writeln!(
            text,
            "  - name: svc-{service}\n    type: STATIC\n    connect_timeout: 10s\n    load_assignment:\n      \
             cluster_name: svc-{service}\n      endpoints:\n      - lb_endpoints:\n        - endpoint:\n            \
             address: {{socket_address: {{address: {address}, port_value: {port}}}}}"
        );
    }
    text
}

/// A configuration with an upstream for each service, and regular expressions as locations.
pub(super) fn nginx(services: usize) -> String {
    let mut http =
        String::from("    server_names_hash_max_size 65536;\n    server_names_hash_bucket_size 128;\n");
    for service in 0..services {
        // Writing to a string cannot fail.
        let _ =
            writeln!(http, "    upstream svc-{service} {{\n        server {};\n    }}", endpoint(service));
    }
    for service in 0..services {
        let _ = writeln!(
            http,
            "    server {{\n        listen 127.0.0.1:{PORT};\n        server_name svc-{service}.example.com;"
        );
        for path in ["^/api(/|$)", "^/items/[0-9]+$", "^/"] {
            let _ = writeln!(
                http,
                "        location ~ {path} {{\n            proxy_pass http://svc-{service};\n        }}"
            );
        }
        http.push_str("    }\n");
    }
    main(&http)
}

/// One server with a regular expression as location for each rule.
pub(super) fn rules(rules: impl Iterator<Item = Rule>, port: u16) -> String {
    let mut locations = String::new();
    for rule in rules {
        let number = rule.number;
        let path = match rule.paths {
            Paths::Literal if rule.is_exact() => format!("^/exact/{number}$"),
            Paths::Literal => format!("^/under/{number}(/|$)"),
            Paths::Regex => format!("^/regex/{number}/[a-z]+$"),
        };
        let answer = format!("return 200 \"rule {number}\";");
        let answer = if rule.wants_header() {
            format!("if ($http_x_rule = \"{number}\") {{ {answer} }} return 404;")
        } else {
            answer
        };
        // Writing to a string cannot fail.
        let _ = writeln!(locations, "        location ~ {path} {{ {answer} }}");
    }
    server(&locations, port)
}

/// One server with one location, which answers everything.
pub(super) fn plain(port: u16) -> String {
    server("        location / { return 200 \"rule 0\"; }\n", port)
}

fn server(locations: &str, port: u16) -> String {
    main(&format!(
        "    access_log off;\n    server {{\n        listen 127.0.0.1:{port};\n        server_name shop.example.com;\n{locations}    }}\n"
    ))
}

fn main(http: &str) -> String {
    format!("pid nginx.pid;\nevents {{\n    worker_connections 4096;\n}}\nhttp {{\n{http}}}\n")
}
