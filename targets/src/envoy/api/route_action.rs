//! What routes do (`envoy.config.route.v3`).

use super::{
    DataSource, Duration, Extension, HeaderMutations, RegexMatchAndSubstitute, RuntimeFractionalPercent,
    messages,
};
use smol_str::SmolStr;

messages! {
    /// `RouteAction`.
    struct RouteAction {
        cluster: Option<SmolStr>,
        weighted_clusters: Option<WeightedClusters>,
        prefix_rewrite: SmolStr,
        regex_rewrite: Option<RegexMatchAndSubstitute>,
        host_rewrite_literal: SmolStr,
        timeout: Option<Duration>,
        max_grpc_timeout: Option<Duration>,
        idle_timeout: Option<Duration>,
        retry_policy: Option<RetryPolicy>,
        request_mirror_policies: Vec<RequestMirrorPolicy>,
        hash_policy: Vec<HashPolicy>,
    }

    /// `WeightedCluster`.
    struct WeightedClusters {
        clusters: Vec<ClusterWeight>,
    }

    /// `WeightedCluster.ClusterWeight`.
    struct ClusterWeight {
        name: SmolStr,
        weight: u32,
        host_rewrite_literal: SmolStr,
        #[serde(flatten)]
        headers: HeaderMutations,
    }

    /// `RetryPolicy`.
    struct RetryPolicy {
        retry_on: SmolStr,
        num_retries: Option<u32>,
        per_try_timeout: Option<Duration>,
        retry_back_off: Option<RetryBackOff>,
        retriable_status_codes: Vec<u32>,
        retry_host_predicate: Vec<Extension>,
        host_selection_retry_max_attempts: u32,
    }

    /// `RetryPolicy.RetryBackOff`.
    struct RetryBackOff {
        base_interval: Duration,
    }

    /// `envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate`.
    struct PreviousHostsPredicate {}

    /// `RouteAction.RequestMirrorPolicy`.
    struct RequestMirrorPolicy {
        cluster: SmolStr,
        runtime_fraction: Option<RuntimeFractionalPercent>,
        trace_sampled: Option<bool>,
        disable_shadow_host_suffix_append: bool,
    }

    /// `RouteAction.HashPolicy`; one of the fields.
    struct HashPolicy {
        header: Option<HashHeader>,
        cookie: Option<HashCookie>,
        connection_properties: Option<HashConnection>,
        query_parameter: Option<HashQueryParameter>,
    }

    /// `RouteAction.HashPolicy.Header`.
    struct HashHeader {
        header_name: SmolStr,
    }

    /// `RouteAction.HashPolicy.Cookie`; with `ttl`, a cookie that is missing is made.
    struct HashCookie {
        name: SmolStr,
        ttl: Option<Duration>,
        path: SmolStr,
    }

    /// `RouteAction.HashPolicy.ConnectionProperties`.
    struct HashConnection {
        source_ip: bool,
    }

    /// `RouteAction.HashPolicy.QueryParameter`.
    struct HashQueryParameter {
        name: SmolStr,
    }

    /// `RedirectAction`; one way to change the path.
    struct RedirectAction {
        scheme_redirect: Option<&'static str>,
        host_redirect: SmolStr,
        port_redirect: u16,
        path_redirect: Option<SmolStr>,
        strip_query: bool,
        prefix_rewrite: Option<SmolStr>,
        regex_rewrite: Option<RegexMatchAndSubstitute>,
        response_code: Option<&'static str>,
    }

    /// `DirectResponseAction`.
    struct DirectResponseAction {
        status: u32,
        body: Option<DataSource>,
    }
}
