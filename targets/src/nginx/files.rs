//! The files of one proxy.

use super::NginxOptions;
use super::builder::Builder;
use super::deployed;
use super::directive::{Directive, line, print, token};
use super::headers::{self, Callers};
use super::listener_tls;
use super::listeners::{self, Servers};
use super::module::Module;
use super::shared_ports;
use super::text;
use super::variables::Subsystem;
use crate::artifact::Artifact;
use crate::raw_proxy::{EdgeOptions, file_stem};
use crate::target::Options;
use meshc_compiler::Model;
use meshc_compiler::policy::PoolBody;
use meshc_compiler::routing::Proxy;
use meshc_compiler::values::Duration;
use meshc_language::Diagnostic;
use serde::Serialize;
use std::sync::LazyLock;
use tera::{Context, Tera};

/// How long DNS may take where nothing else is said.
const RESOLVER_TIMEOUT: &str = "5s";
/// nginx has no word for no limit.
pub(super) const NO_LIMIT: &str = "365d";
/// The resolver of systemd.
const RESOLVER: &str = "127.0.0.53";
/// Where Debian has nginx's stream module.
const STREAM_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// The configuration of one proxy.
#[derive(Debug)]
pub(super) struct Configuration {
    /// Where its files are below the output folder.
    folder: String,
    pub(super) http: Vec<Directive>,
    pub(super) stream: Vec<Directive>,
    endpoints: Vec<(String, String)>,
    resolves: bool,
    callers: Callers,
    is_deployed: bool,
    sizes: Sizes,
    pub(super) reports: Vec<Diagnostic>,
}

/// The sizes of nginx's tables: too small ones would be refused, or slow to make.
#[derive(Clone, Copy, Debug, Serialize)]
struct Sizes {
    server_names: usize,
    variables: usize,
    stream_variables: usize,
}

impl Configuration {
    pub(super) fn new(model: &Model, proxy: &Proxy, options: &Options<'_>) -> Self {
        let mut builder = Builder::new(model, proxy, options);
        let mut servers = Servers::default();
        for listener in &proxy.listeners {
            listeners::add(listener, &mut builder, &mut servers);
        }
        shared_ports::refuse(&mut builder);
        servers.stream.extend(builder.originating());
        let names = servers.http.iter().flat_map(|server| server.block.iter().flatten());
        let names = names.filter(|line| line.words.first().is_some_and(|word| word == "server_name"));
        let sizes = Sizes {
            server_names: table(names.map(|line| line.words.len()).sum()),
            variables: table(builder.http.count()),
            stream_variables: table(builder.stream.count()),
        };
        let put = |blocks: Vec<Directive>, variables: Vec<Directive>, servers: Vec<Directive>| {
            blocks.into_iter().chain(variables).chain(servers).collect()
        };
        Self {
            folder: file_stem(model, proxy),
            callers: Callers::of(proxy),
            // A trial runs on this machine, whatever the image has.
            is_deployed: model.deploy().is_some() && options.rig.is_none(),
            resolves: builder.resolves,
            endpoints: builder.blocks.files().map(|(path, text)| (path.clone(), text.clone())).collect(),
            http: put(builder.blocks.of(Subsystem::Http), builder.http.into_directives(), servers.http),
            stream: put(
                builder.blocks.of(Subsystem::Stream),
                builder.stream.into_directives(),
                servers.stream,
            ),
            sizes,
            reports: builder.reports,
        }
    }
}

/// The size of a table for so many entries.
fn table(entries: usize) -> usize {
    (entries * 2).next_power_of_two().max(1024)
}

/// What `nginx.conf` is laid out from.
#[derive(Serialize)]
struct Frame<'c> {
    access_log: &'c str,
    http: bool,
    stream: bool,
    worker_connections: u32,
    /// Most files that a worker may open: a connection each, and some.
    files: u32,
    times: Times,
    /// Most requests at once on a connection of HTTP/2, where that is limited.
    streams: Option<u32>,
    resolver_timeout: String,
    /// The file that says who is asked for names, if any are looked up.
    resolver: Option<&'c str>,
    /// The maps that take what is odd out of a path, one after the other.
    steps: Vec<Step>,
    /// Whether destinations are told of certificates of callers.
    certificates: bool,
    proxy_headers: &'c str,
    grpc_headers: &'c str,
    ciphers: &'c str,
    connect_timeout: &'c str,
    sizes: Sizes,
}

/// How long callers may take.
#[derive(Clone, Debug, Serialize)]
struct Times {
    /// For the next request on a connection.
    idle: String,
    /// For the head of a request.
    header: String,
    /// For anything else, be it the caller or the destination that is silent.
    silence: String,
}

impl Times {
    fn of(edge: Option<&EdgeOptions>) -> Self {
        let time = |limit: Option<Duration>| limit.map_or_else(|| NO_LIMIT.to_owned(), text::time);
        let usual = EdgeOptions::default();
        // The first two cost nothing where callers are those of the mesh; the last would end what Istio lets go on.
        let (held, silence) = edge.map_or((&usual, None), |edge| (edge, edge.stream_idle_timeout));
        Self { idle: time(held.idle_timeout), header: time(held.header_timeout), silence: time(silence) }
    }
}

/// A `map` that takes one double slash, `.` or `..` out of a path.
#[derive(Clone, Debug, Serialize)]
struct Step {
    from: String,
    to: String,
}

/// As many as the name of the last one in the template says.
fn steps() -> Vec<Step> {
    let name = |at: usize| if at == 0 { "$mesh_raw_path".to_owned() } else { format!("$mesh_step_{at}") };
    (0..6).map(|at| Step { from: name(at), to: name(at + 1) }).collect()
}

const NGINX_CONF: &str = "nginx.conf";

#[expect(clippy::expect_used, reason = "the templates are in the binary, and a test renders them")]
static TEMPLATES: LazyLock<Tera> = LazyLock::new(|| {
    let mut tera = Tera::new();
    // Every value is a token, wherever it is put: the printer of directives writes it.
    tera.set_escape_fn(|value, out| {
        let mut written = String::new();
        token(value, &mut written);
        out.write_all(written.as_bytes())
    });
    tera.add_raw_template(NGINX_CONF, include_str!("templates/nginx.conf")).expect("it is well formed");
    tera.autoescape_on([".conf"]);
    tera
});

/// The files of a proxy; `nginx.conf` is the first.
pub(super) fn all(configuration: &Configuration, options: &Options<'_>) -> Vec<Artifact> {
    let Configuration { folder, http, stream, endpoints, resolves, callers, is_deployed, sizes, reports: _ } =
        configuration;
    let NginxOptions {
        resolver,
        resolver_ipv6,
        access_log,
        stream_module,
        worker_connections,
        resolver_timeout,
    } = &options.nginx;
    let edge = callers.strangers.then_some(&options.edge);
    let finds_resolver = *is_deployed && resolver.is_none();
    let frame = Frame {
        access_log,
        http: !http.is_empty(),
        stream: !stream.is_empty(),
        worker_connections: *worker_connections,
        files: worker_connections.saturating_mul(2),
        times: Times::of(edge),
        streams: edge.map(|edge| edge.streams),
        resolver_timeout: resolver_timeout.map_or_else(|| RESOLVER_TIMEOUT.to_owned(), text::time),
        resolver: resolves.then_some(if finds_resolver { deployed::RESOLVER_CONF } else { "resolver.conf" }),
        steps: steps(),
        certificates: callers.certificates,
        proxy_headers: &headers::usual_file(Module::Proxy),
        grpc_headers: &headers::usual_file(Module::Grpc),
        ciphers: listener_tls::CIPHERS,
        connect_timeout: &text::time(PoolBody::CONNECT_TIMEOUT),
        sizes: *sizes,
    };
    let mut files = vec![(NGINX_CONF.to_owned(), rendered(&frame))];
    let mut add = |name: &str, directives: &[Directive]| {
        if !directives.is_empty() {
            files.push((name.to_owned(), print(directives, 0)));
        }
    };
    add("http.conf", http);
    for module in [Module::Proxy, Module::Grpc].into_iter().filter(|_| !http.is_empty()) {
        add(&headers::usual_file(module), &headers::usual_lines(module, *callers));
    }
    add("stream.conf", stream);
    if *resolves && !finds_resolver {
        let usual = || vec![RESOLVER.to_owned()];
        let line = line!["resolver"]
            .and(resolver.clone().unwrap_or_else(usual))
            .and((!*resolver_ipv6).then_some("ipv6=off"));
        add("resolver.conf", &[line.comment("the DNS servers for names")]);
    }
    let usual = if *is_deployed { "" } else { STREAM_MODULE };
    let module = stream_module.as_deref().unwrap_or(usual);
    if !stream.is_empty() && !module.is_empty() {
        let load = line!["load_module", module];
        add(
            "modules/stream.conf",
            &[load.comment("leave this file out where nginx has the module built in")],
        );
    }
    files.extend(endpoints.iter().cloned());
    files.into_iter().map(|(path, text)| Artifact::new(format!("{folder}/{path}"), text)).collect()
}

#[expect(clippy::expect_used, reason = "a test renders each template with each part")]
fn rendered(frame: &Frame<'_>) -> String {
    let context = Context::from_serialize(frame).expect("its fields are plain");
    let text = TEMPLATES.render(NGINX_CONF, &context).expect("the template fits its data");
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::{Frame, Sizes, Times, rendered, steps};

    #[test]
    fn templates_decide_nothing_about_tokens() {
        for part in [true, false] {
            let frame = Frame {
                access_log: "/x; } evil {",
                http: part,
                stream: !part,
                worker_connections: 1,
                files: 2,
                times: Times::of(None),
                streams: part.then_some(100),
                resolver_timeout: "5s".to_owned(),
                resolver: part.then_some("resolver.conf"),
                steps: steps(),
                certificates: part,
                proxy_headers: "headers/proxy.conf",
                grpc_headers: "headers/grpc.conf",
                ciphers: "a:b",
                connect_timeout: "10s",
                sizes: Sizes { server_names: 1, variables: 2, stream_variables: 3 },
            };
            let text = rendered(&frame);
            assert!(!part || text.contains("access_log \"/x; } evil {\""), "{text}");
            assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
        }
    }
}
