//! `cors`: which other origins a browser may call from.

use super::TextMatch;
use crate::reading::{Args, List, Reader, Syntax, TypeDoc, keyword, section};
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
        many "origin" origins: Matching;
        /// The methods that may be used. Istio: CorsPolicy.allowMethods.
        once "methods" methods: List<Spanned<CorsMethod>>;
        /// The request headers that may be sent. Istio: CorsPolicy.allowHeaders.
        once "headers" headers: List<Spanned<HeaderName>>;
        /// The response headers that the page may read. Istio: CorsPolicy.exposeHeaders.
        once "expose" expose: List<Spanned<HeaderName>>;
        /// How long a browser may remember the answer, in whole seconds. Istio: CorsPolicy.maxAge.
        once "max-age" max_age: Spanned<WholeSeconds>;
        /// Whether cookies and logins may be sent along. Istio: CorsPolicy.allowCredentials.
        once "credentials" credentials: Spanned<Switch>;
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
        Is = "is" "it is exactly this text",
        Prefix = "prefix" "it starts with this text",
        Matches = "matches" "this regular expression, in RE2 syntax, matches all of it",
    }
}

/// `is "x"`, `prefix "x"` or `matches r"x"`. `is "*"` is every origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Matching {
    /// What it is compared with.
    pub test: TextMatch,
    /// The text that it is compared with.
    pub span: Span,
}

impl Syntax for Matching {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let comparison = Spanned::<Comparison>::read(args, cx)?;
        Some(match comparison.value {
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
