//! The files of one proxy.

use super::NginxOptions;
use super::builder::Builder;
use super::deployed;
use super::directive::{Directive, line, print, token};
use super::listener_tls;
use super::listeners::{self, Servers};
use super::text;
use super::variables::Subsystem;
use crate::artifact::Artifact;
use crate::raw_proxy::file_stem;
use crate::target::Options;
use meshc_compiler::Model;
use meshc_compiler::policy::PoolBody;
use meshc_compiler::routing::Proxy;
use meshc_language::Diagnostic;
use serde::Serialize;
use std::sync::LazyLock;
use tera::{Context, Tera};

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
    is_gateway: bool,
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
            is_gateway: proxy.is_gateway(),
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
    /// The file that says who is asked for names, if any are looked up.
    resolver: Option<&'c str>,
    is_gateway: bool,
    ciphers: &'c str,
    connect_timeout: &'c str,
    sizes: Sizes,
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
    let Configuration {
        folder,
        http,
        stream,
        endpoints,
        resolves,
        is_gateway,
        is_deployed,
        sizes,
        reports: _,
    } = configuration;
    let NginxOptions { resolver, access_log, stream_module } = &options.nginx;
    let finds_resolver = *is_deployed && resolver.is_none();
    let frame = Frame {
        access_log,
        http: !http.is_empty(),
        stream: !stream.is_empty(),
        resolver: resolves.then_some(if finds_resolver { deployed::RESOLVER_CONF } else { "resolver.conf" }),
        is_gateway: *is_gateway,
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
    add("stream.conf", stream);
    if *resolves && !finds_resolver {
        let usual = || vec![RESOLVER.to_owned()];
        let line = line!["resolver"].and(resolver.clone().unwrap_or_else(usual)).and(["ipv6=off"]);
        add("resolver.conf", &[line.comment("who is asked for the addresses of names")]);
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
    use super::{Frame, Sizes, rendered};

    #[test]
    fn templates_decide_nothing_about_tokens() {
        for part in [true, false] {
            let frame = Frame {
                access_log: "/x; } evil {",
                http: part,
                stream: !part,
                resolver: part.then_some("resolver.conf"),
                is_gateway: part,
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
