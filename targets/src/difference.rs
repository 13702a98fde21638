//! Differences between the data planes that no configuration takes away: each has a name, and stands in the matrix of targets below
//! the features. Tests that send requests know a difference by its name here, so that one that is not written down is a fault.

/// What each data plane does with a kind of request or connection, and why it cannot be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The request or connection.
    pub what: &'static str,
    /// What Istio's proxies do with it, as installed.
    pub istio: &'static str,
    /// What a bare Envoy does with it.
    pub envoy: &'static str,
    /// What a bare nginx does with it.
    pub nginx: &'static str,
    /// Why.
    pub reason: &'static str,
}

impl Account {
    /// What the target of this name does with it.
    #[must_use]
    pub fn of(&self, target: &str) -> &'static str {
        match target {
            "envoy" => self.envoy,
            "nginx" => self.nginx,
            _ => self.istio,
        }
    }
}

macro_rules! differences {
    ($($name:ident $what:literal: $istio:literal, $envoy:literal, $nginx:literal; $reason:literal)*) => {
        /// A difference between the data planes that no configuration takes away.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Named {
            $(#[doc = $what] $name,)*
        }

        impl Named {
            /// Every difference, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What each data plane does, and why.
            #[must_use]
            pub const fn account(self) -> Account {
                match self {
                    $(Self::$name => Account {
                        what: $what,
                        istio: $istio,
                        envoy: $envoy,
                        nginx: $nginx,
                        reason: $reason,
                    },)*
                }
            }
        }
    };
}

differences! {
    DoubleSlashes "double slashes in a path (`/a//b`)": "kept", "merged", "merged";
        "Istio does not merge slashes unless its `pathNormalization` says so; Envoy's guide for edge proxies asks for it"
    OnlySlashes "a path of slashes only (`///`)": "kept", "`//`", "`/`";
        "Envoy does not merge the last two slashes of such a path"
    EscapedSlashes "an escaped slash or a backslash in a path (`%2F`, `%5C`)": "accepted", "400", "400";
        "Istio accepts them unless its `pathNormalization` says otherwise; servers read them differently"
    AboveRoot "a path that leads above the root (`/../a`)": "`/a`", "`/a`", "400";
        "nginx refuses it while it reads the request"
    Backslash "a backslash in a path (`/a\\b`)": "`/a/b`", "`/a/b`", "400";
        "browsers read it as a slash, and nginx does not"
    BrokenEscapes "an escaped end of a line, or a `%` without two hexadecimal digits, in a path (`%0A`, `%zz`)":
        "as it was written", "as it was written", "400";
        "nginx decodes all escapes of a path"
    EmptyQuery "a `?` without a query, in a path that is changed on the way (`/a//b?`)": "kept", "kept", "removed";
        "nginx has no variable that tells an empty query from none"
    Trace "the method TRACE": "passed on", "passed on", "405";
        "nginx refuses it while it reads the request"
    UnknownMethods "an HTTP/1.1 request with a method that no standard has (`BREW`)": "400", "400", "passed on";
        "Envoy reads known methods only, and nginx all in capital letters"
    NamedInConnection "a request header that `Connection` names": "removed", "removed", "passed on";
        "nginx removes only `Connection` itself"
    EarlyHints "an informational response (103) of a destination": "not passed on", "not passed on", "taken for the response";
        "nginx reads one response for each request"
    ManyHeaders "a response with more than 100 headers": "502", "502", "passed on";
        "Envoy limits the headers of a response"
    NoSlash "a path that `rewrite matches` leaves without its first slash": "sent so", "sent so", "500";
        "nginx would read the path as a part of the host; where the replacement can make no path it is refused (MESH0304)"
    UnderscoreHeaders "a request header with an underscore in its name": "accepted", "removed", "removed";
        "many servers read `user_id` as `user-id`, so a client could forge a header that a proxy has checked; use hyphens"
    EmptyValue "`set` of a header to an empty value": "the header keeps its value", "the header is empty", "refused (MESH0501)";
        "Istio has no field for Envoy's `keep_empty_value`"
    EmptyHeader "a request header with an empty value": "present", "present", "absent";
        "nginx has no way to distinguish the two"
    FinalDot "a final dot in the host": "another host, at gateways", "the same host", "the same host";
        "Istio does not set Envoy's `strip_trailing_host_dot`"
    TwoFinalDots "two final dots in the host": "another host", "another host", "400";
        "nginx refuses it while it reads the request"
    PortWord "a port in the host that is not a number": "kept", "kept", "removed";
        "nginx splits the port from the host while it reads the request"
    ServerNameDot "a final dot in the server name (SNI)": "another name", "another name", "the same name";
        "nginx removes the dot"
    Trailers "an HTTP/2 request with trailers, or with a `host` beside another `:authority`": "accepted", "accepted", "refused";
        "nginx supports neither"
    ComparedEscapes "escapes in a path that is compared (`/%40x`)": "only letters, digits and `-._~` are decoded",
        "only letters, digits and `-._~` are decoded", "all are decoded: `/@x`";
        "to cover both, use an expression such as `/(@|%40)x`; the path is forwarded as it was written"
    MixedEscapes "escapes of letters beside others in a forwarded path (`/%61%2B`)": "`/a%2B`", "`/a%2B`", "as it was written";
        "nginx decodes all escapes of a path or none"
    ManySteps "more than six `//`, `.` and `..` beside such escapes": "resolved", "resolved", "400";
        "nginx resolves them in a fixed number of steps"
    RewrittenSigns "`|`, `{` and the like in a path that a route rewrites, or beside escapes in one with `//`, `.` or `..`":
        "percent-encoded", "percent-encoded", "as they were written";
        "nginx has no directive that encodes them"
    RewrittenEscapes "escapes in a path that `rewrite matches` changes": "the expression reads them as written",
        "the expression reads them as written", "the expression reads the decoded path";
        "the `rewrite` directive of nginx reads the decoded path"
    RedirectedPath "the path in the `Location` of a redirect": "normalised", "normalised", "as it was written";
        "nginx has the normalised path only decoded"
    LongMatch "a regular expression that takes very many steps": "no limit is needed", "no limit is needed", "500";
        "RE2 is linear in the length of the text, PCRE is not; no later rule is tried"
    OtherListener "a request for a host of another TLS listener of the port": "served", "served", "421";
        "nginx compares the host with the server name (SNI); see MESH0613"
    ClosedConnection "a request on a connection that the destination is just closing":
        "503, unless the route retries on `reset` or `reset-before-request`",
        "503, unless the route retries on `reset` or `reset-before-request`",
        "retried if it may be sent twice or was not sent; with `retry off` 502";
        "nginx replaces such a connection by itself; a shorter `idle` than that of the destination avoids it"
    FailedConnection "a connection to the destination that fails, without `retry`": "retried twice", "retried twice", "502";
        "nginx does not retry unless the route has `retry`"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_difference() {
        for named in Named::ALL {
            let Account { what, istio, envoy, nginx, reason } = named.account();
            assert!(istio != envoy || envoy != nginx, "{what}");
            assert!(!reason.is_empty(), "{what}");
        }
    }
}
