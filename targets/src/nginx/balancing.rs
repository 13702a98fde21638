//! Which endpoint gets the next request.

use super::builder::Builder;
use super::conditions::{header_variable, query_value};
use super::directive::{Directive, line};
use super::text;
use super::variables::Subsystem;
use meshc_compiler::policy::{HashKey, Method, SimpleBalancing};
use meshc_compiler::routing::{Upstream, WeightedAddress};

/// The directives that choose among the endpoints of an upstream block.
pub(super) fn balancing(
    upstream: &Upstream,
    addresses: &[WeightedAddress],
    subsystem: Subsystem,
    builder: &mut Builder<'_>,
) -> Vec<Directive> {
    // Of two endpoints that are idle `random two` takes the one that it drew last, which is the lighter one more often.
    let weighted =
        addresses.iter().any(|one| addresses.first().is_some_and(|first| first.weight != one.weight));
    let least =
        || if weighted { vec![line!["least_conn"]] } else { vec![line!["random", "two", "least_conn"]] };
    let default = Method::Simple(SimpleBalancing::DEFAULT);
    let method = upstream.policy.balancing.as_ref().map_or(&default, |balancing| &balancing.method);
    match method {
        Method::Simple(SimpleBalancing::RoundRobin) => Vec::new(),
        Method::Simple(SimpleBalancing::Random) => vec![line!["random"]],
        Method::Simple(SimpleBalancing::LeastRequest | SimpleBalancing::Passthrough) => least(),
        Method::Hash { key: HashKey::SourceIp, algorithm: _ } => {
            vec![line!["hash", "$remote_addr", "consistent"]]
        }
        Method::Hash { key, algorithm: _ } if subsystem == Subsystem::Http => {
            let key = hash_key(key, builder);
            // A request without the key goes anywhere.
            let key = builder.http.map(&key, vec![line!["default", key.clone()], line!["", "$request_id"]]);
            vec![line!["hash", key, "consistent"]]
        }
        // There is no request to take a key from.
        Method::Hash { .. } => least(),
    }
}

fn hash_key(key: &HashKey, builder: &mut Builder<'_>) -> String {
    match key {
        HashKey::Header(name) => header_variable(&name.value).unwrap_or_else(|| {
            builder.refuse(
                name.span,
                &format!("a hash of `{}`", name.value),
                "nginx reads only headers whose names have letters, digits and hyphens",
                "use another header",
            );
            text::EMPTY.to_owned()
        }),
        HashKey::Cookie { name, ttl: _, path: _ } => cookie(name.value.as_str(), builder),
        HashKey::SourceIp => "$remote_addr".to_owned(),
        HashKey::Query(name) => query_value(name.value.as_str(), builder),
    }
}

/// The value of a cookie. `$cookie_NAME` knows names of letters, digits and underscores only, and ignores their case.
pub(super) fn cookie(name: &str, builder: &mut Builder<'_>) -> String {
    let key = format!("~(?:^|;\\s*){}=([^;]*)", meshc_compiler::values::escape_literal(name));
    builder.http.map("$http_cookie", vec![line!["default", ""], line![key, "$1"]])
}
