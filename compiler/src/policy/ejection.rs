//! `eject`: when an endpoint that fails is left out for a while.

use crate::reading::{Args, Reader, Syntax, TypeDoc, keyword};
use crate::values::{Duration, Percent, PositiveCount, words};
use meshc_language::Spanned;

keyword! {
    /// `eject after 5 errors within 30s for 1m max 10%` (Istio `OutlierDetection`).
    pub struct Ejection {
        /// How many failures in a row, and of which kind.
        label "after" after: FailureCount;
        /// How often endpoints are looked at; 10s by default. Istio: OutlierDetection.interval.
        label "within" within: Spanned<Duration>;
        /// How long the first ejection lasts; 30s by default, longer each time. Istio: OutlierDetection.baseEjectionTime.
        label "for" duration: Spanned<Duration>;
        /// Most endpoints ejected at once; 10% by default: of fewer than 10 endpoints, none. Istio: OutlierDetection.maxEjectionPercent.
        label "max" max: Spanned<Percent>;
        /// Below this share of healthy endpoints nothing is ejected; 0% by default. Istio: OutlierDetection.minHealthPercent.
        label "min-healthy" min_healthy: Spanned<Percent>;
    }
}

/// `5 errors`: failures in a row after which an endpoint is ejected.
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
        Errors = "errors" "any 5xx answer and failures to connect",
        GatewayErrors = "gateway-errors" "502, 503 and 504 only",
        LocalErrors = "local-errors" "failures on this side: timeouts, resets, refused connections",
    }
}

impl Syntax for FailureCount {
    fn read<'p>(args: &mut Args<'p>, cx: &mut Reader<'_, 'p>) -> Option<Self> {
        Some(Self { count: Spanned::read(args, cx)?, kind: Spanned::read(args, cx)? })
    }

    fn signature() -> String {
        format!("{} ({})", Spanned::<PositiveCount>::signature(), Spanned::<FailureKind>::signature())
    }

    fn types(types: &mut Vec<TypeDoc>) {
        Spanned::<PositiveCount>::types(types);
        Spanned::<FailureKind>::types(types);
    }
}
