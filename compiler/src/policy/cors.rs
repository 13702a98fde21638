//! `cors`: which other origins a browser may call from.

use super::TextMatch;
use crate::reading::{Args, Comma, Reader, Shape, Syntax, TypeDoc, keyword, section, wherever_written};
use crate::values::{CorsMethod, HeaderName, Origin, Pattern, Switch, Text, WholeSeconds, words};
use meshc_language::{Code, Diagnostic, Span, Spanned};

keyword! {
    /// `cors { ... }` (Istio `CorsPolicy`).
    pub struct Cors {
        body required body: CorsBody;
    }
}

section! {
    /// What browsers are told.
    pub struct CorsBody {
        /// An origin that may call: `origin is "https://a.com"`. Istio: CorsPolicy.allowOrigins.
        many "origin" | "allow-origin" | "allow-origins" | "origins" | "allowed-origins" | "access-control-allow-origin" | "allow-origin-string-match" origins: Matching;
        /// The methods that may be used. Istio: CorsPolicy.allowMethods.
        once "methods" | "allow-methods" | "allowed-methods" | "access-control-allow-methods" methods: Comma<Spanned<CorsMethod>>;
        /// The request headers that may be sent. Istio: CorsPolicy.allowHeaders.
        once "headers" | "allow-headers" | "allowed-headers" | "access-control-allow-headers" headers: Comma<Spanned<HeaderName>>;
        /// The response headers that the page may read. Istio: CorsPolicy.exposeHeaders.
        once "expose" | "expose-headers" | "exposed-headers" expose: Comma<Spanned<HeaderName>>;
        /// How long a browser may remember the answer, in whole seconds. Istio: CorsPolicy.maxAge.
        once "max-age" max_age: Spanned<WholeSeconds>;
        /// Whether cookies and logins may be sent along. Istio: CorsPolicy.allowCredentials.
        once "credentials" | "allow-credentials" credentials: Spanned<Switch>;
        /// What becomes of a preflight request from another origin; `forward` by default.
        /// Istio: CorsPolicy.unmatchedPreflights.
        once "unmatched-preflights" preflights: Spanned<Preflight>;
    }
}

words! {
    /// What becomes of a preflight request from an origin that is not allowed.
    pub enum Preflight: "preflight policy" {
        Forward = "forward" "it goes to the destination",
        Ignore = "ignore" "the proxy answers it, without permission",
    }
}

words! {
    /// How a text is compared.
    pub(crate) enum Comparison: "comparison" {
        Is = "is" | "exact" | "equals" | "eq" "it is exactly this text",
        Prefix = "prefix" | "starts-with" | "begins-with" "it starts with this text",
        Matches = "matches" | "regex" | "safe-regex" | "regexp" | "regular-expression" "this regular expression, in RE2 syntax, matches all of it",
    }
}

/// `is "x"`, `prefix "x"` or `matches r"x"`. `is "*"` is every origin.
#[derive(Clone, Debug)]
pub struct Matching {
    /// What it is compared with.
    pub test: TextMatch,
    /// The text that it is compared with.
    pub span: Span,
}

wherever_written!(Matching { test } at { span });

impl Syntax for Matching {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let start = args.last;
        let given =
            args.peek(cx).filter(|term| term.origin.is_none() && !matches!(term.shape, Shape::Word(_)));
        let given = given.filter(|term| matches!(term.shape, Shape::Text(_))).map(|term| term.span);
        let comparison = match given {
            // Where there is but one likely meaning, it is taken: Istio's old `allowOrigin` compares so.
            Some(place) => {
                let value = cx.written(place).unwrap_or_default();
                let right = format!("origin is {value}");
                let edit = meshc_language::Edit { span: place.before(), replacement: "is ".to_owned() };
                cx.foreign(place, &right, meshc_language::Applicability::Unsafe, vec![edit]);
                Comparison::Is
            }
            None => {
                args.last = start;
                Spanned::<Comparison>::read(args, cx)?.value
            }
        };
        Some(match comparison {
            Comparison::Is => {
                let text = Spanned::<Origin>::read(args, cx)?;
                Self { test: TextMatch::Exact(text.value.as_str().into()), span: text.span }
            }
            Comparison::Prefix => {
                let text = Spanned::<Text>::read(args, cx)?;
                if text.value.is_empty() || text.value.as_str().starts_with('*') {
                    let message = format!("no origin begins with `{}`", text.value);
                    let report = Diagnostic::new(Code::BAD_LITERAL, text.span, message);
                    cx.report(
                        report
                            .help("write `origin is \"*\"` for every origin, or a prefix such as `https://`"),
                    );
                    return None;
                }
                Self { test: TextMatch::Prefix(text.value.as_str().into()), span: text.span }
            }
            Comparison::Matches => {
                let pattern = Spanned::<Pattern>::read(args, cx)?;
                Self { test: TextMatch::Pattern(pattern.value), span: pattern.span }
            }
        })
    }

    fn signature() -> String {
        "is <origin> | prefix <text> | matches <pattern>".to_owned()
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<Origin>::types(types);
        Spanned::<Text>::types(types);
        Spanned::<Pattern>::types(types);
    }
}
