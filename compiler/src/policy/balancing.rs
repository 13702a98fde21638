//! `lb`: which endpoint gets the next request.

use crate::reading::{Args, Reader, Shape, Syntax, Term, TypeDoc, wherever_written};
use crate::values::{CookieName, Count, DurationOrZero, HeaderName, Literal, PathPrefix, Text, words};
use meshc_language::{Applicability, Code, Diagnostic, Edit, Span, Spanned};

words! {
    /// A load balancing method without settings.
    pub enum SimpleBalancing: "load balancing method" {
        LeastRequest = "least-request" | "least-conn" | "least-connections" | "least-requests" "the endpoint with fewer requests, of two picked at random; Istio's default",
        RoundRobin = "round-robin" | "rr" "one after the other",
        Random = "random" "any endpoint",
        Passthrough = "passthrough" | "original-dst" "the original destination address",
    }
}

impl SimpleBalancing {
    /// The method where none is said (Istio since 1.14).
    pub const DEFAULT: Self = Self::LeastRequest;
}

/// `lb ...` (Istio `LoadBalancerSettings`).
#[derive(Clone, Debug)]
pub struct Balancing {
    /// The method.
    pub method: Method,
    /// Where it was written.
    pub span: Span,
}

wherever_written!(Balancing { method } at { span });

/// A load balancing method.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// One without settings.
    Simple(SimpleBalancing),
    /// `hash ...`: equal keys go to the same endpoint (Istio `ConsistentHashLB`).
    Hash {
        /// What is hashed.
        key: HashKey,
        /// How keys are mapped to endpoints.
        algorithm: Option<HashAlgorithm>,
    },
}

/// What is hashed.
#[derive(Clone, Debug, PartialEq)]
pub enum HashKey {
    /// `hash header x-user`.
    Header(Spanned<HeaderName>),
    /// `hash cookie "session" ttl 10s path "/"`; a cookie that is missing is made.
    Cookie {
        /// Its name.
        name: Spanned<CookieName>,
        /// How long a cookie that is made lives; `0s` for a session cookie.
        ttl: Option<Spanned<DurationOrZero>>,
        /// The path of a cookie that is made.
        path: Option<Spanned<PathPrefix>>,
    },
    /// `hash source-ip`.
    SourceIp,
    /// `hash query "user"`.
    Query(Spanned<Text>),
}

/// How keys are mapped to endpoints.
#[derive(Clone, Debug, PartialEq)]
pub enum HashAlgorithm {
    /// `ring 1024`: a hash ring of at least this size.
    Ring(Spanned<Count>),
    /// `maglev 65537`: a Maglev table of this size, a prime below 5,000,011.
    Maglev(Spanned<Count>),
}

words! {
    /// What a consistent hash is taken of.
    enum KeyKind: "hash key" {
        Header = "header" | "http-header-name" | "http-header" "a request header",
        Cookie = "cookie" | "http-cookie" "a cookie, made if it is missing",
        SourceIp = "source-ip" | "use-source-ip" | "ip-hash" | "client-ip" "the client's address",
        Query = "query" | "http-query-parameter-name" | "query-param" "a query parameter",
    }
}

impl Syntax for Balancing {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.start(cx);
        args.skip_label(&["simple", "lb-policy"], cx);
        let method = match args.take_label("hash", &["consistent-hash", "ring-hash"], cx) {
            true => {
                let key = read_key(args, cx)?;
                Method::Hash { key, algorithm: read_algorithm(args, cx)? }
            }
            false => {
                // `hash` is one of the words that may stand here; the list in a message should say so.
                let term = args.expect("a load balancing method", cx)?;
                match term.word().map(SimpleBalancing::parse) {
                    Some(Ok(simple)) => Method::Simple(simple),
                    _ => without_hash(term, args, cx)?,
                }
            }
        };
        Some(Self { method, span: start.to(args.last) })
    }

    fn signature() -> String {
        "least-request | round-robin | random | passthrough | hash header <name> | hash cookie <cookie name> [ttl <duration>] \
         [path <path>] | hash source-ip | hash query <text>, each hash with [ring <size> | maglev <size>]"
            .to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<SimpleBalancing>::types(types);
        Spanned::<CookieName>::types(types);
        Spanned::<DurationOrZero>::types(types);
    }
}

/// `lb ip_hash`, `lb cookie "session"`: a key of a hash without `hash`, which is reported; or nothing that is known.
fn without_hash<'p>(term: Term<'p>, args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Method> {
    let word = term.word().filter(|_| term.origin.is_none()).unwrap_or_default();
    let key = KeyKind::parse(word).or_else(|error| {
        let meant = error.replacement.filter(|_| !error.guessed);
        KeyKind::parse(meant.as_deref().unwrap_or_default())
    });
    let Ok(key) = key else {
        let Some(word) = term.word().map(str::to_owned) else {
            crate::reading::literal::<SimpleBalancing>(&term, cx);
            return None;
        };
        let error = SimpleBalancing::parse(&word).err()?;
        if error.replacement.is_some() {
            let simple = crate::reading::literal::<SimpleBalancing>(&term, cx)?;
            return Some(Method::Simple(simple.value));
        }
        let help = "use one of `least-request`, `round-robin`, `random`, `passthrough`, or `hash` with its key, as in `hash source-ip`";
        cx.report_at(&term, Diagnostic::new(Code::BAD_LITERAL, term.span, error.message).help(help));
        return None;
    };
    let right = format!("hash {}", key.word());
    let edit = Edit { span: term.span, replacement: right.clone() };
    // What nginx hashes of an address is not all of it.
    cx.foreign(term.span, &right, Applicability::Unsafe, vec![edit]);
    let span = term.span;
    args.put_back(Term { shape: Shape::Word(key.word().into()), span, origin: None });
    let key = read_key(args, cx)?;
    Some(Method::Hash { key, algorithm: read_algorithm(args, cx)? })
}

fn read_key<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<HashKey> {
    Some(match Spanned::<KeyKind>::read(args, cx)?.value {
        KeyKind::Header => HashKey::Header(Spanned::read(args, cx)?),
        KeyKind::Query => HashKey::Query(Spanned::read(args, cx)?),
        KeyKind::SourceIp => HashKey::SourceIp,
        KeyKind::Cookie => {
            let name = Spanned::read(args, cx)?;
            let (mut ttl, mut path) = (None, None);
            loop {
                if ttl.is_none() && args.take_word("ttl", cx).is_some() {
                    ttl = Some(Spanned::read(args, cx)?);
                } else if path.is_none() && args.take_word("path", cx).is_some() {
                    path = Some(Spanned::read(args, cx)?);
                } else {
                    break HashKey::Cookie { name, ttl, path };
                }
            }
        }
    })
}

fn read_algorithm<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Option<HashAlgorithm>> {
    if args.take_label("ring", &["minimum-ring-size", "ring-size"], cx) {
        return Some(Some(HashAlgorithm::Ring(Spanned::read(args, cx)?)));
    }
    if !args.take_label("maglev", &["table-size"], cx) {
        return Some(None);
    }
    let size = Spanned::<Count>::read(args, cx)?;
    let number = size.value.get();
    if number >= 5_000_011 || !is_prime(number) {
        cx.report(
            Diagnostic::new(
                Code::HASH_SETTING,
                size.span,
                format!("a Maglev table cannot have {number} entries"),
            )
            .consequence("Istio would refuse the destination rule")
            .help("use a prime below 5000011, such as 65537"),
        );
        return None;
    }
    Some(Some(HashAlgorithm::Maglev(size)))
}

fn is_prime(number: u32) -> bool {
    number >= 2
        && (2..)
            .take_while(|factor: &u32| factor.saturating_mul(*factor) <= number)
            .all(|factor| !number.is_multiple_of(factor))
}
