//! What a person writes who wants what our configurations do: the same routes, the same hygiene of headers and paths, the same
//! limits, and a line of log for each request.

use std::fmt::Write as _;

/// A server that answers each request with this text.
pub(super) fn endpoint(port: u16, answer: &str) -> String {
    format!(
        "pid nginx.pid;\nevents {{}}\nhttp {{\n    access_log off;\n    keepalive_requests 1000000;\n    server {{\n        \
         listen 127.0.0.1:{port};\n        location / {{ return 200 \"{answer}\"; }}\n    }}\n}}\n"
    )
}

/// Headers that a caller at an edge may not set.
const REMOVED: [&str; 23] = [
    "X-Envoy-Decorator-Operation",
    "X-Envoy-Downstream-Service-Cluster",
    "X-Envoy-Downstream-Service-Node",
    "X-Envoy-Original-Path",
    "X-Envoy-Original-Host",
    "X-Envoy-Original-Url",
    "X-Forwarded-Client-Cert",
    "X-Envoy-Internal",
    "X-Envoy-Retry-On",
    "X-Envoy-Retry-Grpc-On",
    "X-Envoy-Max-Retries",
    "X-Envoy-Retriable-Status-Codes",
    "X-Envoy-Retriable-Header-Names",
    "X-Envoy-Hedge-On-Per-Try-Timeout",
    "X-Envoy-Upstream-Alt-Stat-Name",
    "X-Envoy-Upstream-Rq-Timeout-Ms",
    "X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms",
    "X-Envoy-Upstream-Rq-Timeout-Alt-Response",
    "X-Envoy-Upstream-Stream-Duration-Ms",
    "X-Envoy-Expected-Rq-Timeout-Ms",
    "X-Envoy-Force-Trace",
    "X-Envoy-Ip-Tags",
    "Proxy-Connection",
];

/// A server for each host, three locations each.
pub(super) fn nginx(services: usize, port: u16, endpoint: impl Fn(usize) -> String) -> String {
    let mut text = String::from(
        "pid nginx.pid;\nevents {\n    worker_connections 4096;\n}\nhttp {\n    access_log /dev/stdout;\n    server_tokens off;\n    \
         server_names_hash_max_size 65536;\n    server_names_hash_bucket_size 128;\n    client_max_body_size 0;\n    keepalive_timeout 3600s;\n    proxy_http_version 1.1;\n    proxy_buffering off;\n    \
         proxy_request_buffering off;\n    proxy_redirect off;\n    proxy_connect_timeout 10s;\n    proxy_read_timeout 300s;\n    \
         proxy_next_upstream error;\n    proxy_next_upstream_tries 1;\n    proxy_set_header Host $http_host;\n    \
         proxy_set_header Connection $connection_upgrade;\n    proxy_set_header Upgrade $http_upgrade;\n    \
         proxy_set_header X-Forwarded-Proto $scheme;\n    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    \
         proxy_set_header X-Envoy-External-Address $remote_addr;\n    proxy_set_header X-Request-Id $uuid;\n",
    );
    for name in REMOVED {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    proxy_set_header {name} \"\";");
    }
    text.push_str("    map $http_upgrade $connection_upgrade {\n        default \"\";\n        websocket upgrade;\n    }\n");
    text.push_str(
        "    map $request_id $uuid {\n        default $request_id;\n        \
         \"~^(.{8})(.{4})(.{4})(.{4})(.{12})$\" $1-$2-$3-$4-$5;\n    }\n    \
         map $server_protocol $is_old {\n        default \"\";\n        HTTP/1.0 1;\n    }\n",
    );
    text.push_str(
        "    map $request_uri $bad_path {\n        default 0;\n        \"~*^[^?]*(?:%2f|%5c)\" 1;\n    }\n",
    );
    for service in 0..services {
        let forward = format!("proxy_pass http://svc-{service};");
        let endpoint = endpoint(service);
        let _ = writeln!(
            text,
            "    upstream svc-{service} {{\n        random two least_conn;\n        server {endpoint} max_fails=0;\n        \
             keepalive 64;\n    }}\n    server {{\n        listen 127.0.0.1:{port};\n        server_name svc-{service}.example.com;\n        \
             if ($is_old) {{ return 426; }}\n        if ($bad_path) {{ return 400; }}\n        location = /api {{ {forward} }}\n        location ^~ /api/ {{ {forward} }}\n        \
             location ~ ^/items/[0-9]+$ {{ {forward} }}\n        location / {{ {forward} }}\n    }}"
        );
    }
    text.push_str("}\n");
    text
}

/// What is tried again where nothing else is said, and on which other endpoint.
const RETRY_ON: &str = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
const PREVIOUS_HOSTS: &str =
    "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
/// Limits of Envoy's own that Istio lifts.
const NO_LIMIT: u32 = u32::MAX;

/// A virtual host for each host, three routes each.
pub(super) fn envoy(services: usize, port: u16, endpoint: impl Fn(usize) -> String) -> String {
    let mut text = format!(
        r#"static_resources:
  listeners:
  - name: edge
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    per_connection_buffer_limit_bytes: 32768
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: edge
          use_remote_address: true
          normalize_path: true
          merge_slashes: true
          path_with_escaped_slashes_action: REJECT_REQUEST
          common_http_protocol_options: {{idle_timeout: 3600s, headers_with_underscores_action: DROP_HEADER}}
          stream_idle_timeout: 300s
          request_timeout: 300s
          upgrade_configs: [{{upgrade_type: websocket}}]
          access_log:
          - name: envoy.access_loggers.stdout
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
          route_config:
            virtual_hosts:
"#
    );
    for service in 0..services {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "            - name: svc-{service}\n              domains: [svc-{service}.example.com]\n              \
             request_body_buffer_limit: 1048576\n              retry_policy: {{retry_on: '{RETRY_ON}', num_retries: 2, \
             retry_host_predicate: [{{name: previous, typed_config: {{\"@type\": {PREVIOUS_HOSTS}}}}}], \
             host_selection_retry_max_attempts: 5}}\n              routes:"
        );
        for matched in [r"path_separated_prefix: /api", r"safe_regex: {regex: '/items/[0-9]+'}", "prefix: /"]
        {
            let _ = writeln!(
                text,
                "              - match: {{{matched}}}\n                route: {{cluster: svc-{service}, timeout: 0s}}"
            );
        }
    }
    text.push_str("  clusters:\n");
    for service in 0..services {
        let endpoint = endpoint(service);
        let (address, port) = endpoint.split_once(':').unwrap_or_default();
        let _ = writeln!(
            text,
            "  - name: svc-{service}\n    type: STATIC\n    connect_timeout: 10s\n    lb_policy: LEAST_REQUEST\n    per_connection_buffer_limit_bytes: 32768\n    \
             circuit_breakers: {{thresholds: [{{max_connections: {NO_LIMIT}, max_pending_requests: {NO_LIMIT}, \
             max_requests: {NO_LIMIT}, max_retries: {NO_LIMIT}}}]}}\n    load_assignment:\n      \
             cluster_name: svc-{service}\n      endpoints:\n      - lb_endpoints:\n        - endpoint:\n            \
             address: {{socket_address: {{address: {address}, port_value: {port}}}}}"
        );
    }
    text
}
