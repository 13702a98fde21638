//! What the filters for faults and CORS are told by a route.

use super::api::{
    self, FaultAbort, FaultDelay, FractionalPercent, HttpFault, PerFilterConfig, StringMatcher,
};
use super::matches;
use crate::origins;
use meshc_compiler::policy::{
    Abort, Cors, CorsBody, Fault, Injection, Matching, Preflight, SharedRouteOptions, TextMatch,
};
use smol_str::SmolStr;

/// The options of a route that filters carry out.
pub(super) fn of_route(options: &SharedRouteOptions) -> PerFilterConfig {
    let SharedRouteOptions {
        fault,
        cors,
        // Of the route itself.
        timeout: _,
        retry: _,
        rewrite: _,
        request_headers: _,
        response_headers: _,
    } = options;
    PerFilterConfig {
        cors: cors.as_deref().map(|cors| cors_policy(cors).into()),
        fault: (!fault.is_empty()).then(|| faults(fault).into()),
    }
}

fn faults(faults: &[Fault]) -> HttpFault {
    let mut out = HttpFault::default();
    for Fault { kind, share, span: _ } in faults {
        let percentage = Some(FractionalPercent::of_ppm(share.value.ppm()));
        match kind {
            Injection::Delay(time) => {
                out.delay =
                    Some(FaultDelay { fixed_delay: Some(SmolStr::new(time.value.to_proto())), percentage });
            }
            Injection::Abort(Abort::Http(status)) => {
                let http_status = Some(u32::from(status.value.get()));
                out.abort = Some(FaultAbort { http_status, grpc_status: None, percentage });
            }
            Injection::Abort(Abort::Grpc(status)) => {
                let grpc_status = Some(u32::from(status.value.code()));
                out.abort = Some(FaultAbort { http_status: None, grpc_status, percentage });
            }
        }
    }
    out
}

fn cors_policy(cors: &Cors) -> api::CorsPolicy {
    let Cors { body, span: _, attributes: _ } = cors;
    let CorsBody { origins, methods, headers, expose, max_age, credentials, preflights } = body;
    let origin = |Matching { test, span: _ }: &Matching| match test {
        TextMatch::Pattern(pattern) => StringMatcher::regex(origins::pattern(pattern)),
        TextMatch::Exact(_) | TextMatch::Prefix(_) => {
            matches::string(test).unwrap_or_else(|| StringMatcher::regex(".*"))
        }
    };
    api::CorsPolicy {
        allow_origin_string_match: origins.iter().map(origin).collect(),
        allow_methods: joined(methods.iter().flatten().map(|one| one.value.word())),
        allow_headers: joined(headers.iter().flatten().map(|one| one.value.as_written())),
        expose_headers: joined(expose.iter().flatten().map(|one| one.value.as_written())),
        max_age: max_age.map(|time| SmolStr::new(time.value.as_secs().to_string())).unwrap_or_default(),
        allow_credentials: credentials.map(|switch| switch.value.is_on()),
        forward_not_matching_preflights: Some(match preflights.map(|preflights| preflights.value) {
            None | Some(Preflight::Forward) => true,
            Some(Preflight::Ignore) => false,
        }),
    }
}

fn joined<'t>(all: impl Iterator<Item = &'t str>) -> SmolStr {
    SmolStr::new(all.collect::<Vec<_>>().join(","))
}
