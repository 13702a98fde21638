//! Sending a request on: where, by what share, how often, for how long, and what changes on the way.

use super::api::{self, ClusterWeight, RequestMirrorPolicy, RouteAction};
use super::context::{Context, hash_key};
use super::protocol::Spoken;
use super::rewrites::{self, Change};
use super::{headers, retries};
use crate::raw_proxy::EdgeOptions;
use meshc_compiler::model::Match;
use meshc_compiler::policy::{HashKey, Rewrite, RewriteKind, SharedRouteOptions, Timeout};
use meshc_compiler::routing::{MirroredTo, Rule, RuleAction, WeightedUpstream};
use smol_str::SmolStr;

/// What is done with requests that meet one alternative of a rule's condition; `None` if there is no destination.
pub(super) fn forward<'a>(
    context: &Context<'a>,
    rule: &Rule,
    to: &[WeightedUpstream],
    one: &Match,
) -> Option<RouteAction> {
    let SharedRouteOptions {
        timeout,
        retry,
        rewrite,
        request_headers,
        // Of filters, and of the route itself.
        fault: _,
        cors: _,
        response_headers: _,
    } = &*rule.options;
    let hashed: Vec<&HashKey> = context.upstreams(to).filter_map(|upstream| hash_key(upstream)).collect();
    let limit = timeout.as_ref().and_then(|Timeout { limit, span: _ }| *limit);
    let limit = limit.map_or(SmolStr::new_static("0s"), |limit| SmolStr::new(limit.to_proto()));
    let mut action = RouteAction {
        // The newer `max_stream_duration` would put `timeout` out of force for calls that bring no deadline.
        max_grpc_timeout: may_speak_grpc(context, to).then(|| limit.clone()),
        timeout: Some(limit),
        idle_timeout: context
            .edge
            .filter(|edge| edge.limits.leaves_alone(&rule.options, speaks_grpc(context, to)))
            .map(|_| SmolStr::new_static("0s")),
        retry_policy: retries::policy(retry.as_ref(), !hashed.is_empty()),
        request_mirror_policies: rule.mirrors.iter().map(|mirror| mirrored(context, mirror)).collect(),
        hash_policy: hash_policies(&hashed),
        ..RouteAction::default()
    };
    put_clusters(context, to, &rule.options, &mut action)?;
    if let Some(host) = headers::host(request_headers.as_deref()) {
        action.host_rewrite_literal = host;
    }
    for rewrite in rewrite {
        put_rewrite(rewrite, one, &mut action);
    }
    Some(action)
}

/// Whether calls of gRPC can get through: the deadline that they bring holds, up to the timeout of the route, as on Istio.
fn may_speak_grpc<'a>(context: &Context<'a>, to: &[WeightedUpstream]) -> bool {
    context.upstreams(to).any(|upstream| Spoken::of(upstream) != Spoken::Http1)
}

/// Whether the requests of a rule are let take more time than a gateway's limits say.
pub(super) fn is_left_alone(context: &Context<'_>, rule: &Rule, limits: &EdgeOptions) -> bool {
    match &rule.action {
        RuleAction::Forward(to) => limits.leaves_alone(&rule.options, speaks_grpc(context, to)),
        RuleAction::Redirect(_) | RuleAction::Respond(_) => false,
    }
}

fn speaks_grpc<'a>(context: &Context<'a>, to: &[WeightedUpstream]) -> bool {
    use meshc_compiler::values::Protocol;
    context.upstreams(to).any(|upstream| matches!(upstream.protocol(), Protocol::Grpc | Protocol::GrpcWeb))
}

fn put_clusters<'a>(
    context: &Context<'a>,
    to: &[WeightedUpstream],
    options: &SharedRouteOptions,
    action: &mut RouteAction,
) -> Option<()> {
    if let [WeightedUpstream { upstream, weight: _, headers, span: _ }] = to {
        action.cluster = Some(context.cluster(*upstream));
        action.host_rewrite_literal = headers
            .as_ref()
            .and_then(|headers| headers::host(headers.request.as_deref()))
            .unwrap_or_default();
        return Some(());
    }
    let together = headers::stand_with_destinations(to);
    let one = |one: &WeightedUpstream| {
        let WeightedUpstream { upstream, weight, headers, span: _ } = one;
        ClusterWeight {
            name: context.cluster(*upstream),
            weight: *weight,
            host_rewrite_literal: headers
                .as_ref()
                .and_then(|headers| headers::host(headers.request.as_deref()))
                .unwrap_or_default(),
            headers: if together {
                headers::together(options, headers.as_deref())
            } else {
                api::HeaderMutations::default()
            },
        }
    };
    action.weighted_clusters = Some(api::WeightedClusters { clusters: to.iter().map(one).collect() });
    (!to.is_empty()).then_some(())
}

fn put_rewrite(Rewrite { kind, span: _ }: &Rewrite, one: &Match, action: &mut RouteAction) {
    let change = match kind {
        RewriteKind::Host(host) => {
            action.host_rewrite_literal = SmolStr::new(host.value.as_str());
            return;
        }
        RewriteKind::Path(path) => rewrites::whole(path.value.as_str(), one),
        RewriteKind::Prefix(path) => rewrites::prefix(path.value.as_str(), one),
        RewriteKind::Matches { pattern, with } => {
            Change::Matched(rewrites::substitute(pattern.value.as_str().to_owned(), with.value.as_str()))
        }
    };
    match change {
        Change::Taken(path) => action.prefix_rewrite = path,
        Change::Matched(substitution) => action.regex_rewrite = Some(substitution),
    }
}

fn mirrored<'a>(context: &Context<'a>, mirror: &MirroredTo) -> RequestMirrorPolicy {
    let MirroredTo { upstream, share, span: _ } = mirror;
    RequestMirrorPolicy {
        cluster: context.cluster(*upstream),
        runtime_fraction: Some(api::RuntimeFractionalPercent {
            default_value: Some(api::FractionalPercent::of_ppm(share.ppm())),
        }),
        trace_sampled: Some(false),
        // A copy is asked for the same host.
        disable_shadow_host_suffix_append: true,
    }
}

/// What requests to consistent-hash destinations are chosen by, each once.
fn hash_policies(keys: &[&HashKey]) -> Vec<api::HashPolicy> {
    let mut policies: Vec<api::HashPolicy> = Vec::new();
    for key in keys {
        let policy = hash_policy(key);
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    policies
}

fn hash_policy(key: &HashKey) -> api::HashPolicy {
    let mut policy = api::HashPolicy::default();
    match key {
        HashKey::Header(name) => {
            policy.header = Some(api::HashHeader { header_name: SmolStr::new(name.value.as_str()) });
        }
        HashKey::Cookie { name, ttl, path } => {
            policy.cookie = Some(api::HashCookie {
                name: SmolStr::new(name.value.as_str()),
                ttl: Some(ttl.map_or(SmolStr::new_static("0s"), |ttl| SmolStr::new(ttl.value.to_proto()))),
                path: path.as_ref().map(|path| SmolStr::new(path.value.as_str())).unwrap_or_default(),
            });
        }
        HashKey::SourceIp => {
            policy.connection_properties = Some(api::HashConnection { source_ip: true });
        }
        HashKey::Query(name) => {
            policy.query_parameter =
                Some(api::HashQueryParameter { name: SmolStr::new(name.value.as_str()) });
        }
    }
    policy
}
