//! Route configurations, virtual hosts and what routes match (`envoy.config.route.v3`).

use super::{
    DirectResponseAction, RedirectAction, RegexMatcher, RetryPolicy, RouteAction, StringMatcher, TypedConfig,
    messages,
};
use crate::yaml::Sourced;
use smol_str::SmolStr;

messages! {
    /// `RouteConfiguration`.
    struct RouteConfiguration {
        name: SmolStr,
        virtual_hosts: Vec<Sourced<VirtualHost>>,
        validate_clusters: Option<bool>,
        max_direct_response_body_size_bytes: Option<u32>,
        ignore_port_in_host_matching: bool,
    }

    /// `VirtualHost`.
    struct VirtualHost {
        name: SmolStr,
        domains: Vec<SmolStr>,
        require_tls: Option<&'static str>,
        request_body_buffer_limit: Option<u64>,
        retry_policy: Option<RetryPolicy>,
        routes: Vec<Sourced<Route>>,
    }

    /// `Route`.
    struct Route {
        name: SmolStr,
        r#match: RouteMatch,
        route: Option<Box<RouteAction>>,
        redirect: Option<Box<RedirectAction>>,
        direct_response: Option<Box<DirectResponseAction>>,
        typed_per_filter_config: PerFilterConfig,
        #[serde(flatten)]
        headers: HeaderMutations,
    }

    /// Header operations, as routes and weighted clusters have them.
    struct HeaderMutations {
        request_headers_to_add: Vec<HeaderValueOption>,
        request_headers_to_remove: Vec<SmolStr>,
        response_headers_to_add: Vec<HeaderValueOption>,
        response_headers_to_remove: Vec<SmolStr>,
    }

    /// `Route.typed_per_filter_config`, by the names of the filters.
    struct PerFilterConfig {
        #[serde(rename = "envoy.filters.http.cors")]
        cors: Option<TypedConfig>,
        #[serde(rename = "envoy.filters.http.fault")]
        fault: Option<TypedConfig>,
    }

    /// `envoy.config.core.v3.HeaderValueOption`.
    struct HeaderValueOption {
        header: HeaderValue,
        append_action: Option<&'static str>,
        keep_empty_value: bool,
    }

    /// `envoy.config.core.v3.HeaderValue`; `%NAME%` is a variable.
    struct HeaderValue {
        key: SmolStr,
        value: SmolStr,
    }

    /// `RouteMatch`; one of the comparisons of the path.
    struct RouteMatch {
        prefix: Option<SmolStr>,
        path: Option<SmolStr>,
        path_separated_prefix: Option<SmolStr>,
        safe_regex: Option<RegexMatcher>,
        case_sensitive: Option<bool>,
        headers: Vec<HeaderMatcher>,
        query_parameters: Vec<QueryParameterMatcher>,
    }

    /// `HeaderMatcher`.
    struct HeaderMatcher {
        name: SmolStr,
        string_match: Option<StringMatcher>,
        present_match: Option<bool>,
        invert_match: bool,
        treat_missing_header_as_empty: bool,
    }

    /// `QueryParameterMatcher`.
    struct QueryParameterMatcher {
        name: SmolStr,
        string_match: Option<StringMatcher>,
        present_match: Option<bool>,
    }
}
