//! Istio: Gateway, VirtualService, DestinationRule and ServiceEntry of `networking.istio.io`.

mod addresses;
mod ambient;
pub mod api;
mod asked;
mod changes;
mod connections;
mod delegation;
mod destination_rule;
mod document;
mod earlier;
mod egress;
mod emit;
mod fit;
mod fit_values;
mod gateway;
mod headers;
mod inherited;
mod layout;
mod matches;
mod name;
mod plan;
mod policy;
mod raw;
mod reached;
mod release;
mod rewrite;
mod service_entry;
mod since;
mod support;
mod virtual_service;
mod visibility;

pub use crate::artifact::HEADER;
pub use release::{Ambient, Release, Releases};

use crate::artifact::Artifact;
use crate::capability::{Feature, Support};
use crate::raw_proxy::unused_degradation;
use crate::target::{Fit, Fitted, Options, Target};
use meshc_compiler::Checked;
use meshc_compiler::model::Controller;

/// The target `istio`.
#[derive(Clone, Copy, Debug)]
pub struct Istio;

/// A version of Istio's networking API. The three have one schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiVersion {
    /// `v1alpha3`, which every release of Istio since 2018 takes.
    #[default]
    V1Alpha3,
    /// `v1beta1`.
    V1Beta1,
    /// `v1`.
    V1,
}

impl ApiVersion {
    /// The words of the command line and the project file.
    pub const WORDS: [(&'static str, Self); 3] =
        [("v1alpha3", Self::V1Alpha3), ("v1beta1", Self::V1Beta1), ("v1", Self::V1)];

    /// The first release that has it.
    #[must_use]
    pub const fn since(self) -> Release {
        match self {
            Self::V1Alpha3 | Self::V1Beta1 => Release::OLDEST,
            Self::V1 => Release::minor(22),
        }
    }

    /// The `apiVersion` of a resource.
    #[must_use]
    pub const fn group_version(self) -> &'static str {
        match self {
            Self::V1Alpha3 => "networking.istio.io/v1alpha3",
            Self::V1Beta1 => "networking.istio.io/v1beta1",
            Self::V1 => "networking.istio.io/v1",
        }
    }
}

impl Target for Istio {
    fn name(&self) -> &'static str {
        "istio"
    }

    fn support(&self, feature: Feature) -> Support {
        support::of(feature)
    }

    fn fit(&self, checked: &Checked, options: &Options<'_>) -> Fit {
        let mut reports = fit::names(checked, options);
        reports.extend(fit::gateways(checked));
        reports.extend(fit::routes(checked, options));
        reports.extend(reached::check(checked.model(), &asked::delegators(checked.model())));
        reports.extend(fit_values::check(checked));
        reports.extend(raw::check(checked, options));
        reports.extend(since::newer_than_oldest(checked, options));
        reports.extend(changes::between(checked.model(), options.releases));
        reports.extend(addresses::of_services(checked.model()));
        reports.extend(ambient::at_waypoints(checked.model(), &options.ambient));
        // Istio carries everything.
        let lost = checked.model().degradations.iter().filter(|one| one.target.value == Controller::Istio);
        reports.extend(lost.map(|one| unused_degradation(one.span, Controller::Istio)));
        Fit { reports, ..Fit::default() }
    }

    fn emit(&self, fitted: &Fitted<'_>, options: &Options<'_>) -> Vec<Artifact> {
        emit::artifacts(fitted.checked(), options)
    }
}
