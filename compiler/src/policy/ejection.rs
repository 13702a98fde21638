//! `eject`: when an endpoint that fails is left out for a while.

use crate::reading::{Args, Reader, Syntax, TypeDoc, keyword};
use crate::values::{Duration, Literal, Percent, PositiveCount, words};
use meshc_language::{Applicability, Edit, Spanned};

keyword! {
    /// `eject after 5 consecutive errors every 30s for 1m max 10%` (Istio `OutlierDetection`).
    pub struct Ejection {
        /// How many failures in a row, and of which kind.
        label "after" | "consecutive-5xx-errors" | "consecutive-errors" after: FailureCount;
        /// How often endpoints are looked at; 10s by default. Istio: OutlierDetection.interval.
        label "every" | "within" | "interval" within: Spanned<Duration>;
        /// How long the first ejection lasts; 30s by default, longer each time. Istio: OutlierDetection.baseEjectionTime.
        label "for" | "base-ejection-time" duration: Spanned<Duration>;
        /// Most endpoints ejected at once; 10% by default: of fewer than 10 endpoints, none. Istio: OutlierDetection.maxEjectionPercent.
        label "max" | "max-ejection-percent" max: Spanned<Percent>;
        /// Below this share of healthy endpoints nothing is ejected; 0% by default. Istio: OutlierDetection.minHealthPercent.
        label "min-healthy" | "min-health-percent" min_healthy: Spanned<Percent>;
    }
}

/// `5 consecutive errors`: failures in a row after which an endpoint is ejected.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureCount {
    /// How many.
    pub count: Spanned<PositiveCount>,
    /// Of which kind.
    pub kind: Spanned<FailureKind>,
}

words! {
    /// What counts as a failure.
    pub enum FailureKind: "kind of failure" {
        Errors = "errors" | "5xx" | "error" | "failures" "any 5xx response and connection failures",
        GatewayErrors = "gateway-errors" | "gateway-error" | "gateway-failures" "502, 503 and 504 only",
        LocalErrors = "local-errors" | "local-origin-failures" "failures on this side: timeouts, resets, refused connections",
    }
}

impl Syntax for FailureCount {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        let count: Spanned<PositiveCount> = Spanned::read(args, cx)?;
        if args.take_word("consecutive", cx).is_none() {
            let kind =
                args.peek(cx).and_then(|term| term.word()).filter(|word| FailureKind::parse(word).is_ok());
            let (right, edit) = match kind {
                Some(kind) => (format!("after {} consecutive {kind}", count.value), "consecutive "),
                None => (format!("after {} consecutive errors", count.value), "consecutive errors "),
            };
            let (named, place) = (kind.is_some(), args.start(cx));
            let place = if named { place.before() } else { count.span.after() };
            let replacement = if named { edit.to_owned() } else { format!(" {}", edit.trim_end()) };
            let edits = vec![Edit { span: place, replacement }];
            let applicability = if named { Applicability::Safe } else { Applicability::Unsafe };
            cx.foreign(count.span, &right, applicability, edits);
            if !named {
                return Some(Self { kind: Spanned::new(FailureKind::Errors, count.span), count });
            }
        }
        Some(Self { count, kind: Spanned::read(args, cx)? })
    }

    fn signature() -> String {
        format!(
            "{} consecutive ({})",
            Spanned::<PositiveCount>::signature(),
            Spanned::<FailureKind>::signature()
        )
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<PositiveCount>::types(types);
        Spanned::<FailureKind>::types(types);
    }
}
