//! Response headers that proxies of Envoy write themselves, after what routes do: operations that come to nothing.
//!
//! `date` is written where a response has none (Envoy `ConnectionManagerImpl::ActiveStream::encodeHeaders`), so a removed one comes back.
//! `server` is written over every response where `server_header_transformation` is `OVERWRITE`, as istiod has it
//! (`pilot/pkg/networking/util/proxy_headers.go`) unless `proxyHeaders` of its `ProxyConfig` say otherwise.

use meshc_compiler::model::Controller;
use meshc_compiler::policy::{HeaderOperations, HeaderOperationsBody};
use meshc_language::{Code, Diagnostic, Span};

/// What operations on a response come to nothing. `writes_server` if the proxy writes `server` over every response.
pub(crate) fn idle(
    operations: &HeaderOperations,
    writes_server: bool,
    target: Controller,
) -> Vec<Diagnostic> {
    let HeaderOperationsBody { set, add, remove } = &operations.body;
    let settings = || set.iter().chain(add);
    let mut reports = Vec::new();
    let returns = !settings().any(|one| one.name.value.as_str() == "date");
    for name in remove.iter().filter(|name| returns && name.value.as_str() == "date") {
        let report = report("removing `date`", name.span, target);
        reports.push(
            report
                .consequence("the proxy adds the date to every response that has none")
                .help("remove the operation; `set date \"...\"` replaces the date of the destination"),
        );
    }
    let of_server = settings().map(|one| (&one.name.value, one.span));
    let of_server = of_server.chain(remove.iter().map(|name| (&name.value, name.span)));
    for (_, span) in of_server.filter(|(name, _)| writes_server && name.as_str() == "server") {
        let report = report("an operation on `server`", span, target);
        reports.push(
            report
                .consequence("Istio's proxies answer `server: istio-envoy`, whatever routes say")
                .help(
                    "use `proxyHeaders: {server: {disabled: true}}` in Istio's `ProxyConfig` or `meshConfig.defaultConfig`, and \
                     accept this with `@allow(MESH0519, because: \"...\")`",
                ),
        );
    }
    reports
}

fn report(what: &str, span: Span, target: Controller) -> Diagnostic {
    Diagnostic::new(Code::OWN_HEADER, span, format!("{what} has no effect on {target}"))
}
