//! The plan and the matcher by example: meshes, and what becomes of requests and connections at their proxies.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod paths;
mod shown;
mod table;
mod witnessed;

use super::{Dropped, Proxy, proxies};
use crate::project::{Input, Project};
use crate::{Checked, Options, check};
use meshc_language::{Severity, SourceFile};
use std::sync::Arc;

/// The model of a mesh, which has no errors. Each `namespace` begins a file of its own.
fn compiled(text: &str) -> Checked {
    let separated = text.replace("\nnamespace ", "\n\0namespace ");
    let input = |(at, text): (usize, &str)| Input {
        module: format!("mesh-{at}"),
        file: SourceFile { name: format!("mesh-{at}.mesh"), text: text.to_owned() },
    };
    let project = Project::read(separated.split('\0').enumerate().map(input).collect());
    let compilation = check(&project, None, &Options::default());
    let errors: Vec<String> = compilation
        .reports
        .iter()
        .filter(|report| report.severity == Severity::Error)
        .map(|report| {
            let file = project.files.get(report.span.file.0 as usize).unwrap();
            let place = file.text.get(report.span.start as usize..report.span.end as usize);
            format!("{}: {} at `{}`", report.code, report.message, place.unwrap_or_default())
        })
        .collect();
    assert!(errors.is_empty(), "the mesh has errors: {errors:#?}\n{text}");
    compilation.environments.into_iter().next().and_then(|(_, checked)| checked).unwrap()
}

fn proxy<'p>(all: &'p [Arc<Proxy>], name: &str) -> &'p Proxy {
    let called = |proxy: &&Arc<Proxy>| match &proxy.namespace {
        Some(namespace) if proxy.span.is_none() => name == format!("{} of {namespace}", proxy.name),
        _ => proxy.name == name,
    };
    all.iter().find(called).unwrap_or_else(|| panic!("there is no proxy `{name}`"))
}

macro_rules! tables {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                table::run(stringify!($name), include_str!(concat!(stringify!($name), ".txt")));
            }
        )*
    };
}

tables! {
    addresses
    bindings
    connections
    delegation
    entrances
    headers
    hosts
    matches
    outbound
    policies
    redirects
    rewrites
    witnesses
    workloads
}

/// What is dropped leaves the rest of the plan as it is.
#[test]
fn statements_that_are_dropped_are_left_out() {
    let text = "namespace shop
host shop {
  route one when path is \"/one\" -> shop { timeout 1s; rewrite host dropped.example.com }
  route two -> shop
}
service shop { port http 80 }
";
    let checked = compiled(text);
    let of = |what: &str| {
        let start = text.find(what).unwrap();
        let host = checked.model().hosts.as_slice().first().unwrap();
        let file = host.span.file;
        meshc_language::Span::new(file, start as u32, (start + what.len()) as u32)
    };
    let lines = |spans: &[meshc_language::Span]| {
        let dropped: Vec<Dropped> = spans.iter().map(|span| Dropped { span: *span, owner: None }).collect();
        let all = proxies(checked.model(), &dropped);
        let rules =
            &proxy(&all, "outbound").listeners.first().unwrap().http_servers().next().unwrap().virtual_hosts;
        let rules = rules.iter().flat_map(|host| &host.rules);
        rules.map(|rule| format!("{} {}", rule.name, rule.options.rewrite.len())).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[]), ["one 1", "two 0"]);
    assert_eq!(lines(&[of("rewrite host dropped.example.com")]), ["one 0", "two 0"]);
    assert_eq!(
        lines(&[of(
            "route one when path is \"/one\" -> shop { timeout 1s; rewrite host dropped.example.com }"
        )]),
        ["two 0"]
    );
}
