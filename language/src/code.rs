//! The registry of reports: one line per code, one page per code.
//!
//! A code is never reused. Ranges: 01xx syntax, 02xx names, 03xx types, 04xx routing, 05xx targets, 06xx gateways and
//! TLS, 07xx services and externals, 08xx tests and guards, 09xx deprecation and suppression.

use crate::diagnostic::Severity;
use std::fmt;

/// A report's entry in the registry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// What the registry knows of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Its level unless the project or an attribute says otherwise.
    pub severity: Severity,
    /// What is wrong, in general.
    pub title: &'static str,
    /// The page that `meshc explain` shows: Markdown with a failing and a fixed example.
    pub page: &'static str,
    /// What istioctl or Kiali call the same fault, if they know it.
    pub related: &'static [&'static str],
}

impl Code {
    /// Its entry.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        // Every value of the type is made by the table below, so the search always ends at an entry; the first one
        // stands in for what cannot happen.
        let at = REGISTRY.binary_search_by_key(&self.0, |entry| entry.code.0).unwrap_or(0);
        REGISTRY.get(at).unwrap_or(&FIRST)
    }

    /// Its level unless the project or an attribute says otherwise.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.entry().severity
    }

    /// Whether targets report it, after everything else.
    #[must_use]
    pub const fn is_of_targets(self) -> bool {
        matches!(self.0, 445 | 500..=599)
    }

    /// Whether it says that something is not needed: true of a project only where it is in every environment, for every target.
    #[must_use]
    pub const fn is_of_absence(self) -> bool {
        matches!(self.0, 219 | 221 | 902)
    }

    /// Whether an error of this code can be accepted in the sources, with a reason: the target runs what is written, and the
    /// author may know better what it means there.
    #[must_use]
    pub const fn can_be_accepted(self) -> bool {
        matches!(self.0, 433 | 543)
    }

    /// The code that is written like this, in any letter case.
    #[must_use]
    pub fn find(written: &str) -> Option<Self> {
        let digits =
            written.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("MESH")).and(written.get(4..))?;
        let number = (digits.len() == 4).then(|| digits.parse::<u16>().ok())??;
        let at = REGISTRY.binary_search_by_key(&number, |entry| entry.code.0).ok()?;
        REGISTRY.get(at).map(|entry| entry.code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MESH{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! registry {
    ($first:ident; $($number:literal $name:ident $severity:ident $title:literal $([$($related:literal),*])? ;)*) => {
        impl Code {
            $(#[doc = $title]
            pub const $name: Self = Self($number);)*
        }

        /// Every code, in ascending order.
        pub static REGISTRY: &[Entry] = &[$(Entry {
            code: Code::$name,
            severity: Severity::$severity,
            title: $title,
            page: include_str!(concat!("../explain/MESH0", stringify!($number), ".md")),
            related: &[$($($related),*)?],
        }),*];

        static FIRST: Entry = Entry { code: Code::$first, severity: Severity::Error, title: "", page: "", related: &[] };
    };
}

registry! {
    NOT_UTF8;
    101 NOT_UTF8 Error "the file is not UTF-8";
    102 UNBALANCED Error "a bracket is missing or too many";
    103 TOO_DEEP Error "brackets are nested too deep";
    104 UNTERMINATED_STRING Error "a string has no closing quote";
    105 INVISIBLE_CHARACTER Error "an invisible character stands in the source";
    106 BAD_ESCAPE Error "a string has an escape that means nothing";
    107 UNEXPECTED_ARGUMENT Error "a statement has more or other words than it takes";
    108 UNKNOWN_KEYWORD Error "there is no such statement here";
    109 MISSING_ARGUMENT Error "a statement lacks a word that it needs";
    110 UNEXPECTED_BLOCK Error "a statement takes no block";
    111 MISSING_BLOCK Error "a statement needs a block";
    112 REPEATED_STATEMENT Error "a statement that may stand once stands twice";
    113 MISSING_STATEMENT Error "a block lacks a statement that it needs";
    114 FILE_TOO_LARGE Error "the file is too large";
    115 NOT_YET Error "this part of the language is not built yet";
    116 BAD_ATTRIBUTE Error "an attribute is unknown or stands where it means nothing";
    117 WRONG_SIDE Error "routing and calling are mixed";
    118 NO_STATEMENTS Warning "the file declares nothing";
    119 LONE_BLOCK Error "a block is not on the line of its statement";
    120 LONE_ATTRIBUTE Error "an attribute has no statement after it";
    121 VARIABLE_AS_TEXT Warning "the name of a variable is plain text";

    201 UNKNOWN_DESTINATION Error "no service or external has this name" ["IST0101", "KIA1101"];
    202 UNKNOWN_SUBSET Error "the service has no such subset" ["IST0101", "KIA1107"];
    203 UNKNOWN_PORT Error "the service has no such port" ["IST0101"];
    204 UNKNOWN_GATEWAY Error "no gateway has this name" ["IST0101", "KIA1102"];
    205 UNKNOWN_MODULE Error "there is no such module";
    206 NOT_PUBLIC Error "the definition is private to its module";
    207 IMPORT_CYCLE Error "modules import each other in a circle";
    208 DUPLICATE_DECLARATION Error "a name is declared twice";
    209 UNKNOWN_VARIABLE Error "there is no such constant or parameter";
    210 UNKNOWN_DEFINITION Error "there is no such policy, retry or template";
    211 UNKNOWN_ENVIRONMENT Error "there is no such environment";
    212 PARAMETER_WITHOUT_VALUE Error "a parameter has no value in some environment";
    213 ENDLESS_TEMPLATE Error "a template applies itself";
    214 EXPANSION_BUDGET Error "templates and loops expand to too much";
    215 HALF_A_NAME Error "a dotted name that Istio never expands" ["IST0101"];
    216 RESOURCE_NAME_CLASH Error "two resources would get the same name";
    217 NOT_VISIBLE Error "the destination is not visible from here";
    218 WRONG_TEMPLATE_ARGUMENTS Error "the arguments do not fit the template";
    219 UNUSED_DEFINITION Warning "something is declared and never used";
    220 NAMESPACE_NEEDED Error "a name from another namespace needs a namespace";
    221 UNCHECKED_TEMPLATE Note "a public template is applied nowhere, so it is not checked";
    223 WILDCARD_POLICY Note "the policy of a wildcard host holds for another host";
    240 RESERVED_ENVIRONMENT Error "an environment has a name that means something else";
    241 MIXED_BLOCK Error "a block names environments and targets";

    301 BAD_LITERAL Error "a value is not of the type that stands here";
    302 WRONG_FORM Error "a value is written in the wrong form";
    303 BAD_PATTERN Error "a regular expression is not valid RE2";
    304 BAD_REPLACEMENT Error "a replacement makes no path";

    401 WEIGHTS_TOTAL Error "weights do not add up to 100 %" ["KIA1104"];
    402 WEIGHT_MISSING Error "a destination among several has no weight" ["KIA1104"];
    403 DUPLICATE_DESTINATION Error "a destination stands twice in one route" ["KIA1105"];
    404 PORT_NEEDED Error "a service with several ports needs one of them named" ["IST0112"];
    405 INEXPRESSIBLE_CONDITION Error "no data plane can express this condition";
    406 CONTRADICTION Error "a condition can never be true";
    407 IGNORED_CONDITION Error "Istio ignores a part of this condition";
    408 RETRY_EXCEEDS_TIMEOUT Error "the retries do not fit into the timeout";
    409 EMPTY_REDIRECT Error "a redirect changes nothing";
    410 PREFIX_WITHOUT_PREFIX Error "a prefix is replaced that no condition asks for";
    411 OPTION_WITHOUT_ROUTE Error "an option has no effect on this kind of route";
    412 AUTHORITY_TWICE Error "the host name is rewritten twice";
    413 HOST_CLAIMED_TWICE Error "two host blocks claim the same host" ["IST0109", "KIA1106"];
    414 HOST_OVERLAP Error "names of one host block cover each other";
    415 ANY_HOST_IN_MESH Error "the host `*` cannot be claimed inside the mesh";
    416 UNREACHABLE_ROUTE Error "a route can never be reached" ["IST0130", "IST0131"];
    417 WRONG_ROUTE_KIND Error "the listener does not carry this kind of route";
    418 NO_ROUTES Error "a host has no routes";
    419 BAD_HEADER_OPERATION Error "a header operation that Envoy refuses";
    420 BAD_DELEGATION Error "a delegation that Istio drops";
    421 CLAIM_HEADER_IN_MESH Error "a token claim is matched where no gateway has checked the token";
    422 SNI_OUTSIDE_HOST Error "a tls route asks for a name that its host does not have";
    423 GATEWAY_NOT_BOUND Error "a condition names a gateway that the host is not bound to";
    424 PORT_NOT_SERVED Error "a condition names a port that no bound gateway serves";
    425 TOO_MANY_MATCHES Error "a condition has too many alternatives";
    426 AMBIGUOUS_BLOCK Error "a block could belong to the route or to its last destination";
    427 LARGE_BODY Warning "a response body is very large";
    428 EMPTY_RETRY Error "a retry that never retries";
    429 RESPONSE_FAULT Error "a fault that injects nothing";
    430 BAD_ANSWER Warning "an answer that does not fit its status";
    431 CONNECTIONS_TAKEN_TWICE Error "two host blocks take all connections of a port";
    432 ORDER_LOST Error "Istio takes the most specific of these rules, not the first";
    433 SOURCE_AT_GATEWAY Error "a condition on the caller is compared with the gateway's own pods";
    434 NO_PREFLIGHT Warning "CORS preflights do not reach the route with `cors`";
    435 ONLY_PORT_80 Warning "Istio serves the host on port 80 only";
    436 HIDDEN_FROM_GATEWAY Error "a host is hidden from its gateway";
    437 ROUTES_JOINED Error "Istio would join the routes of two host blocks";
    438 BLOCK_WITHOUT_REQUESTS Warning "a gateway has no request for a host block";
    440 NEVER_TRUE Warning "a condition that no request can meet";
    441 WRITTEN_BY_PROXIES Warning "a condition on a header that gateways write themselves";
    442 REDIRECT_QUERY Error "the query of a redirect cannot be chosen here";
    445 NEVER_TRUE_HERE Warning "a condition that no request can meet on this target";

    501 UNSUPPORTED Error "the target cannot express this";
    502 BAD_DEGRADE Error "a loss that may not be accepted";
    503 BAD_RAW Error "raw configuration that does not fit its item";
    504 RAW_CONFLICT Error "raw configuration overrides a typed statement";
    505 EMULATED Note "the target does this in another way, with a caveat";
    506 MISSING_ADDRESS Error "nothing says where the endpoints of a destination are";
    507 MISSING_SECRET Error "nothing says where a certificate is";
    508 NOTHING_TO_BUILD Warning "a target has nothing to configure";
    509 UNUSED_DEGRADE Warning "an accepted loss matches nothing";
    510 OUTBOUND_LEFT_OUT Warning "the outbound proxy of a target is left out";
    511 WITHOUT_EFFECT Note "a statement has no effect on a target";
    512 CONFIGURATION_TOO_LARGE Error "a configuration that Kubernetes does not keep";
    513 CONFIGURATION_LARGE Warning "a configuration that only the server can apply";
    516 GUESSED_PODS Note "nothing says which pods are behind a service";
    517 GRPC_WITHOUT_HTTP2 Warning "gRPC clients cannot reach a route";
    540 TARGET_NOT_BUILT Warning "a block is for a target that the project does not build";
    541 NEEDS_NEWER_ISTIO Error "a statement needs a newer Istio";
    542 CHANGES_WITH_ISTIO Warning "something changes with an upgrade of Istio";
    543 LOST_AT_WAYPOINT Error "a waypoint does not know the caller";
    544 IGNORED_AT_WAYPOINT Warning "a waypoint ignores a statement";
    545 NEEDS_WAYPOINT Note "routes need a waypoint";

    601 HOST_NOT_SERVED Error "a host is bound to a gateway that does not serve it" ["IST0132", "KIA1102"];
    602 LISTENER_CONFLICT Error "two listeners of one workload cannot share their port" ["IST0145", "KIA0301"];
    603 TLS_NEEDED Error "a listener for TLS has no TLS settings";
    604 TLS_ON_PLAINTEXT Error "a plaintext listener has TLS settings";
    605 CERTIFICATE_SOURCE Error "a certificate is missing or given twice";
    606 TLS_SETTING Error "a TLS setting does not go with its mode";
    607 BAD_REDIRECT_LISTENER Error "only a plaintext HTTP listener can redirect to HTTPS";
    608 WEAK_TLS Warning "an outdated TLS version is allowed";
    609 GATEWAY_HOST Error "a name that a gateway cannot serve";
    610 GATEWAY_SERVICE_NEEDED Error "traffic is sent through a gateway whose service is unknown";
    611 UNUSED_LISTENER_HOST Warning "a gateway serves a name that no host claims";
    612 GATEWAY_HOST_TWICE Error "a gateway serves a name twice on one port";
    613 CERTIFICATE_BYPASSED Warning "a host is reached without the certificate that it asks callers for";
    618 ENDS_AND_PASSES Error "TLS for one name both ends and passes through";
    619 PODS_NAMESPACE Error "the namespace of the pods is for gateways of Istio";

    701 DUPLICATE_PORT Error "a port stands twice";
    702 RESOLUTION Error "the endpoints do not go with the resolution";
    703 WILDCARD_RESOLUTION Error "a wildcard host cannot be resolved";
    704 ADDRESS_RANGE Error "an address range does not go with the resolution";
    705 TCP_WITHOUT_ADDRESS Warning "a TCP port without an address captures the port for every host" ["IST0134"];
    706 BAD_ENDPOINT Error "an endpoint that Istio refuses";
    707 SEVERAL_HOSTS_ON_TCP Error "several hosts share a port that carries no host name";
    708 EMPTY_POLICY Error "a policy says nothing";
    709 UNVERIFIED_SERVER Warning "the server's certificate is not verified" ["IST0128", "IST0129"];
    710 CLIENT_TLS Error "a TLS setting does not go with its mode";
    711 POOL_SETTING Error "connection settings contradict each other";
    712 EJECTION_SETTING Error "ejection settings contradict each other";
    713 SAME_LABELS Warning "two subsets select the same workloads";
    714 HASH_SETTING Error "hashing settings contradict each other";
    715 EXTERNAL_HOST_TWICE Error "two externals declare the same host" ["IST0177"];
    716 BAD_EGRESS Error "this traffic cannot be sent through a gateway";
    717 NO_DESTINATION_PORT Error "a service or external has no ports";
    718 EJECTS_NOBODY Warning "an ejection can never leave an endpoint out";
    719 CONNECT_TIMEOUT Warning "the timeout ends a request before its connection can fail";
    720 POOL_WITHOUT_EFFECT Warning "a pool setting has no effect";
    721 SUBSET_OF_ALL Warning "a subset without labels selects every workload";
    722 PLAINTEXT_TO_TLS Error "plaintext is sent to a port for TLS";
    723 WRONG_SERVER_NAME Warning "a server is asked for under a name that is not its own";
    724 PLAINTEXT_EGRESS Warning "requests reach an egress gateway in plaintext";

    901 DEPRECATED_USE Warning "something deprecated is used" ["IST0002"];
    902 UNUSED_ALLOW Warning "an exemption matches nothing";
    903 EXPIRED_ALLOW Error "an exemption has expired";
}
