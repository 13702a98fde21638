//! The registry of reports: one line per code, one page per code.
//!
//! Each has a level, and a kind that says who minds: `@allow` accepts an error only where a target runs what is written.
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
    /// Who minds.
    pub kind: Kind,
    /// What is wrong, in general.
    pub title: &'static str,
    /// The page that `meshc explain` shows: Markdown with a failing and a fixed example.
    pub page: &'static str,
    /// What istioctl or Kiali call the same fault, if they know it.
    pub related: &'static [&'static str],
}

/// What becomes of a configuration of which something is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A target, or the admission of Istio or Kubernetes, refuses it.
    Refused,
    /// It says nothing that could be written for a target.
    Untranslatable,
    /// A target runs it, and does something else than its author means.
    NotMeant,
    /// A target runs it, and nothing is lost.
    Harmless,
    /// A limit of this program, not of a target.
    OurLimit,
    /// A rule of this language: nothing is lost in silence.
    Policy,
}

impl Kind {
    /// The word that the registry shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Untranslatable => "untranslatable",
            Self::NotMeant => "not meant",
            Self::Harmless => "harmless",
            Self::OurLimit => "our limit",
            Self::Policy => "policy",
        }
    }

    /// What it means, as a sentence about what is reported, without its subject.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Refused => "a target, or the admission of Istio or Kubernetes, refuses it",
            Self::Untranslatable => "it has no meaning that could be written for a target",
            Self::NotMeant => "a target runs it, and does something else than its author meant",
            Self::Harmless => "a target runs it, and nothing is lost",
            Self::OurLimit => "a limit of meshc, not of a target",
            Self::Policy => "a rule of the language: nothing is lost silently",
        }
    }
}

/// Every kind, in the order of its severity.
pub const KINDS: [Kind; 6] =
    [Kind::Refused, Kind::Untranslatable, Kind::NotMeant, Kind::Harmless, Kind::OurLimit, Kind::Policy];

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
        matches!(self.0, 432 | 437 | 438 | 439 | 445 | 455 | 500..=599)
    }

    /// Whether it says that something is not needed: true of a project only where it is in every environment, for every target.
    #[must_use]
    pub const fn is_of_absence(self) -> bool {
        matches!(self.0, 219 | 221 | 902)
    }

    /// What becomes of a configuration of which it is reported.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.entry().kind
    }

    /// Whether `@allow` accepts it: an error only where a target runs what is written, and the author may know better what it
    /// means there.
    #[must_use]
    pub fn can_be_accepted(self) -> bool {
        match self.kind() {
            Kind::NotMeant | Kind::Harmless => true,
            Kind::Refused | Kind::Untranslatable | Kind::OurLimit | Kind::Policy => {
                self.severity() != Severity::Error
            }
        }
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
    ($first:ident; $($number:literal $name:ident $severity:ident $kind:ident $title:literal $([$($related:literal),*])? ;)*) => {
        impl Code {
            $(#[doc = $title]
            pub const $name: Self = Self($number);)*
        }

        /// Every code, in ascending order.
        pub static REGISTRY: &[Entry] = &[$(Entry {
            code: Code::$name,
            severity: Severity::$severity,
            kind: Kind::$kind,
            title: $title,
            page: include_str!(concat!("../explain/MESH0", stringify!($number), ".md")),
            related: &[$($($related),*)?],
        }),*];

        static FIRST: Entry = Entry { code: Code::$first, severity: Severity::Error, kind: Kind::Policy, title: "", page: "", related: &[] };
    };
}

registry! {
    NOT_UTF8;
    101 NOT_UTF8 Error Untranslatable "the file is not UTF-8";
    102 UNBALANCED Error Untranslatable "a bracket is missing or too many";
    103 TOO_DEEP Error OurLimit "brackets are nested too deep";
    104 UNTERMINATED_STRING Error Untranslatable "a string has no closing quote";
    105 INVISIBLE_CHARACTER Error Untranslatable "the source has an invisible character";
    106 BAD_ESCAPE Error Untranslatable "a string has an escape that means nothing";
    107 UNEXPECTED_ARGUMENT Error Untranslatable "a statement has more or other words than it takes";
    108 UNKNOWN_KEYWORD Error Untranslatable "there is no such statement here";
    109 MISSING_ARGUMENT Error Untranslatable "a statement lacks a word that it needs";
    110 UNEXPECTED_BLOCK Error Untranslatable "a statement takes no block";
    111 MISSING_BLOCK Error Untranslatable "a statement needs a block";
    112 REPEATED_STATEMENT Error Untranslatable "a statement is given twice";
    113 MISSING_STATEMENT Error Untranslatable "a block lacks a statement that it needs";
    114 FILE_TOO_LARGE Error OurLimit "the file is too large";
    115 NOT_YET Error OurLimit "this part of the language is not built yet";
    116 BAD_ATTRIBUTE Error Untranslatable "an attribute is unknown or has no meaning here";
    117 WRONG_SIDE Error Untranslatable "a statement of routes and one of destinations are mixed up";
    118 NO_STATEMENTS Warning Harmless "the file declares nothing";
    119 LONE_BLOCK Error Untranslatable "a block is not on the line of its statement";
    120 LONE_ATTRIBUTE Error Untranslatable "an attribute has no statement after it";
    121 VARIABLE_AS_TEXT Warning NotMeant "the name of a variable is plain text";
    130 FOREIGN_QUOTES Error Untranslatable "a string is not in double quotes";
    131 FOREIGN_SPELLING Error Untranslatable "the spelling of another configuration language is used";
    132 LIST_FORM Warning Harmless "a list has brackets, or lacks them";

    201 UNKNOWN_DESTINATION Error Untranslatable "no service or external has this name" ["IST0101", "KIA1101"];
    202 UNKNOWN_SUBSET Error NotMeant "the service has no such subset" ["IST0101", "KIA1107"];
    203 UNKNOWN_PORT Error Untranslatable "the service has no such port" ["IST0101"];
    204 UNKNOWN_GATEWAY Error Untranslatable "no gateway has this name" ["IST0101", "KIA1102"];
    205 UNKNOWN_MODULE Error Untranslatable "there is no such module";
    206 NOT_PUBLIC Error Untranslatable "the definition is private to its module";
    207 IMPORT_CYCLE Error Untranslatable "modules import each other in a circle";
    208 DUPLICATE_DECLARATION Error Untranslatable "a name is declared twice";
    209 UNKNOWN_VARIABLE Error Untranslatable "there is no such constant or parameter";
    210 UNKNOWN_DEFINITION Error Untranslatable "there is no such policy, retry or template";
    211 UNKNOWN_ENVIRONMENT Error Untranslatable "there is no such environment";
    212 PARAMETER_WITHOUT_VALUE Error Untranslatable "a parameter has no value in some environment";
    213 ENDLESS_TEMPLATE Error Untranslatable "a template applies itself";
    214 EXPANSION_BUDGET Error OurLimit "templates and loops expand to too much";
    215 HALF_A_NAME Error Untranslatable "Istio never expands a dotted name" ["IST0101"];
    216 RESOURCE_NAME_CLASH Error Untranslatable "two resources would get the same name";
    217 NOT_VISIBLE Error NotMeant "the destination is not visible from here";
    218 WRONG_TEMPLATE_ARGUMENTS Error Untranslatable "the arguments do not fit the template";
    219 UNUSED_DEFINITION Warning Harmless "something is declared and never used";
    220 NAMESPACE_NEEDED Error Untranslatable "a name from another namespace needs a namespace";
    221 UNCHECKED_TEMPLATE Note NotMeant "a public template is applied nowhere, so it is not checked";
    223 WILDCARD_POLICY Note NotMeant "the policy of a wildcard host applies to another host";
    240 RESERVED_NAME Error Untranslatable "a name has another meaning where it is used";
    241 MIXED_BLOCK Error Untranslatable "a block names environments and targets";

    301 BAD_LITERAL Error Untranslatable "a value has the wrong type";
    302 WRONG_FORM Error Untranslatable "a value is written in the wrong form";
    303 BAD_PATTERN Error Refused "a regular expression is not valid RE2";
    304 BAD_REPLACEMENT Error Untranslatable "a replacement makes no path";

    401 WEIGHTS_TOTAL Error NotMeant "weights do not add up to 100 %" ["KIA1104"];
    402 WEIGHT_MISSING Error NotMeant "a destination among several has no weight" ["KIA1104"];
    403 DUPLICATE_DESTINATION Error NotMeant "a route has the same destination twice" ["KIA1105"];
    404 PORT_NEEDED Error Untranslatable "a service with several ports needs one of them named" ["IST0112"];
    405 INEXPRESSIBLE_CONDITION Error OurLimit "a condition cannot be written for every target";
    406 CONTRADICTION Error Untranslatable "a condition can never be true";
    407 IGNORED_CONDITION Error NotMeant "Istio ignores a part of this condition";
    408 RETRY_EXCEEDS_TIMEOUT Error NotMeant "the timeout ends the first try";
    409 EMPTY_REDIRECT Error Refused "a redirect changes nothing";
    410 PREFIX_WITHOUT_PREFIX Error Refused "a redirect replaces a prefix that its condition does not match";
    411 OPTION_WITHOUT_ROUTE Error Refused "a redirect or direct response has an option that it cannot have";
    412 AUTHORITY_TWICE Error Refused "the host name is rewritten twice";
    413 HOST_CLAIMED_TWICE Error NotMeant "two host blocks claim the same host" ["IST0109", "KIA1106"];
    414 HOST_OVERLAP Error Refused "names of one host block cover each other";
    415 ANY_HOST_IN_MESH Error Refused "the host `*` cannot be claimed inside the mesh";
    416 UNREACHABLE_ROUTE Error NotMeant "a route can never be reached" ["IST0130", "IST0131"];
    417 WRONG_ROUTE_KIND Error NotMeant "the listener does not carry this kind of route";
    418 NO_ROUTES Error Refused "a host has no routes";
    419 BAD_HEADER_OPERATION Error Refused "Istio and Envoy refuse a header operation";
    420 BAD_DELEGATION Error Refused "Istio refuses a delegation";
    421 CLAIM_HEADER_IN_MESH Error Refused "a token claim is matched where no gateway has checked the token";
    422 SNI_OUTSIDE_HOST Error Refused "a `tls route` matches a server name that its host does not have";
    423 GATEWAY_NOT_BOUND Error NotMeant "a condition names a gateway that the host is not bound to";
    424 PORT_NOT_SERVED Error NotMeant "a condition names a port that no bound gateway serves";
    425 TOO_MANY_MATCHES Error OurLimit "a condition has too many alternatives";
    426 AMBIGUOUS_BLOCK Error Untranslatable "a block could belong to the route or to its last destination";
    427 LARGE_BODY Warning NotMeant "a response body is very large";
    428 EMPTY_RETRY Error Refused "a retry never retries";
    429 RESPONSE_FAULT Note Harmless "a fault injects nothing";
    430 BAD_ANSWER Warning NotMeant "a direct response does not fit its status";
    431 CONNECTIONS_TAKEN_TWICE Error NotMeant "two host blocks take all connections of a port";
    432 ORDER_LOST Error NotMeant "Istio takes the most specific of these rules, not the first";
    433 SOURCE_AT_GATEWAY Error NotMeant "a `source` condition is compared with the gateway's own pods";
    434 NO_PREFLIGHT Warning NotMeant "CORS preflights do not reach the route with `cors`";
    435 ONLY_PORT_80 Warning NotMeant "Istio serves the host on port 80 only";
    436 HIDDEN_FROM_GATEWAY Error NotMeant "a host is hidden from its gateway";
    437 ROUTES_JOINED Error NotMeant "Istio would join the routes of two host blocks";
    438 BLOCK_WITHOUT_REQUESTS Warning NotMeant "a gateway has no request for a host block";
    439 SERVICE_ADDRESS Warning NotMeant "a `destination` condition is compared with the address of a service";
    440 NEVER_TRUE Warning NotMeant "no request can match a condition";
    441 WRITTEN_BY_PROXIES Warning NotMeant "a condition tests a header that gateways overwrite";
    442 REDIRECT_QUERY Error Untranslatable "the query of a redirect cannot be chosen here";
    445 NEVER_TRUE_HERE Warning NotMeant "no request can match a condition on this target";
    450 NO_SHARES Error Refused "no destination of a route gets traffic";
    451 SERVER_NAME_NEEDED Error Refused "a `tls route` has no server name (SNI)";
    452 WRONG_CONDITION Error Untranslatable "a condition does not fit this kind of route";
    453 HEADER_OPERATION Error NotMeant "a header operation does something else than it says";
    454 DELEGATION_LOST Error NotMeant "a delegated route gets no requests";
    455 DELEGATION_INEXPRESSIBLE Error Untranslatable "Istio cannot join a route with the one that delegates to it";
    456 OPTION_WITHOUT_EFFECT Warning Harmless "an option has no effect on a redirect or direct response";
    457 OPTION_OF_REQUESTS Error Untranslatable "a TLS or TCP route has an option for HTTP requests";
    458 JOINED_SEGMENTS Error NotMeant "a replaced prefix joins two segments of the path";
    459 LATE_RETRIES Note NotMeant "slow tries leave no time for the last retries";
    460 PREFIX_OF_PATTERN Error NotMeant "a regular expression has no prefix to replace";
    461 NO_ORIGIN Warning NotMeant "`cors` allows no origin";
    462 HTTP_TO_OTHER_PROTOCOL Warning NotMeant "HTTP requests go to a port for another protocol";
    463 PATTERN_AS_TEXT Warning NotMeant "a text has signs of a regular expression";
    464 PATTERN_WITHOUT_END Note NotMeant "a regular expression ends where more may follow";
    465 REDIRECT_LOOP Warning NotMeant "a redirect leads back to where it comes from";
    466 ANY_SITE_WITH_CREDENTIALS Warning NotMeant "`cors` lets every website send credentials";
    467 MANY_RETRIES Warning NotMeant "a retry repeats requests very often";
    468 MIRROR_TO_ITSELF Warning NotMeant "a mirror copies requests to the destination that gets them already";

    501 UNSUPPORTED Error Untranslatable "the target cannot express this";
    502 BAD_DEGRADE Error Policy "this loss cannot be accepted";
    503 BAD_RAW Error Untranslatable "raw configuration does not fit its item";
    504 RAW_CONFLICT Error Policy "raw configuration overrides a typed statement";
    505 EMULATED Note NotMeant "the target approximates this, with a caveat";
    506 MISSING_ADDRESS Error Untranslatable "`bindings` has no addresses of a destination";
    507 MISSING_SECRET Error Untranslatable "`bindings` does not say where a certificate is";
    508 NOTHING_TO_BUILD Warning NotMeant "a target has nothing to configure";
    509 UNUSED_DEGRADE Warning Harmless "an accepted loss matches nothing";
    510 OUTBOUND_LEFT_OUT Warning NotMeant "the outbound proxy of a target is left out";
    511 WITHOUT_EFFECT Note Harmless "a statement has no effect on a target";
    512 CONFIGURATION_TOO_LARGE Error Refused "a configuration is too large for Kubernetes";
    513 CONFIGURATION_LARGE Warning NotMeant "a configuration needs server-side apply";
    516 GUESSED_PODS Note NotMeant "the pods of a service are guessed from its name";
    517 GRPC_WITHOUT_HTTP2 Warning NotMeant "gRPC clients cannot reach a route";
    518 SHORT_NAME_SHARED Warning NotMeant "services of several namespaces share a short name";
    519 OWN_HEADER Warning NotMeant "a proxy writes a response header itself";
    520 GATEWAY_NOT_BUILT Warning NotMeant "a gateway is built for no target";
    521 GATEWAY_AS_ENDPOINT Error NotMeant "the pods of a gateway would be endpoints of a service";
    522 FILE_NOT_MOUNTED Warning NotMeant "nothing mounts a certificate file into a deployed proxy";
    540 TARGET_NOT_BUILT Warning NotMeant "a block is for a target that the project does not build";
    541 NEEDS_NEWER_ISTIO Error NotMeant "a statement needs a newer Istio";
    542 CHANGES_WITH_ISTIO Warning Harmless "something changes with an upgrade of Istio";
    543 LOST_AT_WAYPOINT Error NotMeant "a waypoint does not know the client";
    544 IGNORED_AT_WAYPOINT Warning NotMeant "a waypoint ignores a statement";
    545 NEEDS_WAYPOINT Note Harmless "routes need a waypoint";
    546 NO_ENDPOINT_AT_GATEWAY Error NotMeant "a gateway of Istio finds no endpoint of a destination";
    547 POLICY_NOT_FOUND Error NotMeant "Istio's proxies do not find the policy of a destination";

    601 HOST_NOT_SERVED Error NotMeant "a host is bound to a gateway that does not serve it" ["IST0132", "KIA1102"];
    602 LISTENER_CONFLICT Error NotMeant "two listeners of one workload cannot share their port" ["IST0145", "KIA0301"];
    603 TLS_NEEDED Error Refused "a listener for TLS has no TLS settings";
    604 TLS_ON_PLAINTEXT Error Refused "a plaintext listener has TLS settings";
    605 CERTIFICATE_SOURCE Error Refused "a certificate is missing or given twice";
    606 TLS_SETTING Error Refused "a TLS setting does not go with its mode";
    607 BAD_REDIRECT_LISTENER Error Refused "a listener cannot redirect to HTTPS";
    608 WEAK_TLS Warning NotMeant "an outdated TLS version is allowed";
    609 GATEWAY_HOST Error Refused "a gateway cannot serve a name";
    610 GATEWAY_SERVICE_NEEDED Error Untranslatable "traffic is sent through a gateway whose service is unknown";
    611 UNUSED_LISTENER_HOST Warning NotMeant "a gateway serves a name that no host claims";
    612 GATEWAY_HOST_TWICE Error NotMeant "a gateway serves a name twice on one port";
    613 CERTIFICATE_BYPASSED Warning NotMeant "clients can reach a host without its required client certificate";
    618 ENDS_AND_PASSES Error Refused "one name has both TLS termination and TLS passthrough";
    619 PODS_NAMESPACE Error Untranslatable "the namespace of the pods is for gateways of Istio";
    650 TLS_SETTING_IGNORED Error NotMeant "Istio ignores a TLS setting";
    651 REDIRECT_OF_HTTPS Warning Harmless "a listener for HTTPS redirects to HTTPS";
    652 ADDRESS_AS_SERVER_NAME Error NotMeant "a TLS listener has an address, but TLS clients send names only";
    653 CERTIFICATE_WITHOUT_KEY Error NotMeant "the source of a certificate has no private key";

    701 DUPLICATE_PORT Error Refused "a port is declared twice";
    702 RESOLUTION Error Refused "the endpoints do not go with the resolution";
    703 WILDCARD_RESOLUTION Error Refused "a wildcard host cannot be resolved";
    704 ADDRESS_RANGE Error Refused "an address range does not go with the resolution";
    705 TCP_WITHOUT_ADDRESS Warning NotMeant "a TCP port without an address captures the port for every host" ["IST0134"];
    706 BAD_ENDPOINT Error Refused "Istio refuses an endpoint";
    707 SEVERAL_HOSTS_ON_TCP Error Refused "several hosts share a port that carries no host name";
    708 EMPTY_POLICY Warning Harmless "a policy says nothing";
    709 UNVERIFIED_SERVER Warning NotMeant "the server's certificate is not verified" ["IST0128", "IST0129"];
    710 CLIENT_TLS Error Refused "a TLS setting does not go with its mode";
    711 POOL_SETTING Error Refused "connection settings contradict each other";
    712 EJECTION_SETTING Error NotMeant "ejection settings contradict each other";
    713 SAME_LABELS Warning NotMeant "two subsets select the same workloads";
    714 HASH_SETTING Error Refused "hashing settings contradict each other";
    715 EXTERNAL_HOST_TWICE Error NotMeant "two externals declare the same host" ["IST0177"];
    716 BAD_EGRESS Error Untranslatable "this traffic cannot be sent through a gateway";
    717 NO_DESTINATION_PORT Error Untranslatable "a service or external has no ports";
    718 EJECTS_NOBODY Warning NotMeant "an ejection can never leave an endpoint out";
    719 CONNECT_TIMEOUT Warning NotMeant "the timeout ends a request before its connection can fail";
    720 POOL_WITHOUT_EFFECT Warning NotMeant "a pool setting has no effect";
    721 SUBSET_OF_ALL Warning NotMeant "a subset without labels selects every workload";
    722 PLAINTEXT_TO_TLS Error NotMeant "plaintext is sent to a TLS port";
    723 WRONG_SERVER_NAME Warning NotMeant "TLS origination uses a name that the server does not have";
    724 PLAINTEXT_EGRESS Warning NotMeant "requests reach an egress gateway in plaintext";
    725 PLAIN_HTTPS_PORT Warning NotMeant "an external has plaintext HTTP on the port of HTTPS";
    726 POLICIES_DISAGREE Warning NotMeant "two policies of one place say different things";
    728 UDP_DESTINATION Error Untranslatable "traffic is routed to a port for UDP";
    750 NO_ENDPOINTS Error NotMeant "a fixed list of endpoints is empty";
    751 EMPTY_POOL Error Refused "a pool sets nothing";
    752 CLIENT_TLS_IGNORED Error NotMeant "Istio ignores a TLS setting of a destination";
    753 FRACTION_OF_PERCENT Error Untranslatable "a percentage must be whole";
    754 POOL_DEFAULT Error NotMeant "Istio reads a limit of 0 as its default";
    755 NAMELESS_HASH_KEY Error NotMeant "consistent hashing has a query parameter without a name";
    756 WEIGHTLESS_ENDPOINT Error NotMeant "Istio reads a weight of 0 as 1";
    757 EXTERNAL_WITHOUT_PORTS Error NotMeant "an external has no ports";

    901 DEPRECATED_USE Warning NotMeant "something deprecated is used" ["IST0002"];
    902 UNUSED_ALLOW Warning Harmless "an exemption matches nothing";
    903 EXPIRED_ALLOW Error Policy "an exemption has expired";
}
