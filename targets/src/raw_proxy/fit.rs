//! Whether a data plane can carry a mesh: each use of a feature against what the target says of it.

use super::accepted::{Accepted, AcceptedBy};
use super::usage::{Use, uses};
use super::{chosen, egress, missing, never, unmounted};
use crate::capability::{Feature, Support};
use crate::target::{Fit, Gateways, Options};
use meshc_compiler::Checked;
use meshc_compiler::model::{Controller, Model, ServerTls};
use meshc_compiler::reading::{Degradation, Loss};
use meshc_compiler::routing::{Dropped, Proxy, TlsKind};
use meshc_language::{Code, Diagnostic, Severity, Span};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Places that one note names beside its own.
const SHOWN: usize = 3;

/// Reports what a target cannot carry, and where endpoints and certificates are missing.
pub(crate) fn fit(
    checked: &Checked,
    controller: Controller,
    support: fn(Feature) -> Support,
    options: &Options<'_>,
) -> Fit {
    let model = checked.model();
    let mut judge =
        Judge { checked, controller, accepted: Accepted::new(model, controller), used: FxHashSet::default() };
    let mut fit = Fit::default();
    let mut emulated: Vec<(Use, Support)> = Vec::new();
    let mut seen: FxHashSet<(Feature, Span, Option<Span>, bool)> = FxHashSet::default();
    let whole = chosen(checked, controller, &[], options);
    for one in uses(model, &whole) {
        if !seen.insert((one.feature, one.span, one.owner, one.guards)) {
            continue;
        }
        // What is only tried out has no control plane: the hop is taken as plain, and whoever tries it out says so.
        if options.rig.is_some() && one.feature == Feature::MeshTls {
            continue;
        }
        let support = support(one.feature);
        let accepted = judge.accepted(&one, support);
        match (support, accepted) {
            (Support::Native, _) => {}
            // What is carried in another way is never left out: either word says that the caveat is known.
            (Support::Emulated { .. }, Some(_)) => {}
            (support @ Support::Emulated { .. }, None) => emulated.push((one, support)),
            (Support::Unsupported { .. }, Some(accepted)) if accepted.loss == Loss::Drop => {
                // A statement that a policy brings is left out here alone.
                let owner = one.unit.and(one.owner);
                fit.dropped.push(Dropped { span: one.unit.unwrap_or(accepted.scope), owner });
            }
            (Support::Unsupported { reason }, accepted) => {
                fit.reports.push(judge.unsupported(&one, reason, accepted.is_some()));
            }
        }
    }
    fit.reports.extend(notes(controller, &emulated));
    // What is left out needs no addresses, and stands in nobody's way.
    let mut kept =
        if fit.dropped.is_empty() { whole } else { chosen(checked, controller, &fit.dropped, options) };
    fit.reports.extend(conflicts(&mut kept, controller));
    fit.reports.extend(kept.iter().flat_map(|proxy| unverified_callers(model, proxy)));
    fit.reports.extend(never::reports(model, controller, &kept));
    // What is only tried out has no control plane: the hop is taken as plain, and whoever tries it out says so.
    if options.rig.is_none() {
        fit.reports.extend(egress::lost(model, &kept, controller, options.gateways));
        fit.reports.extend(kept.iter().flat_map(|proxy| missing::addresses(proxy)));
        fit.reports.extend(super::guessed::pods(model, &kept));
        fit.reports.extend(super::short_names::shared(model, &kept));
        fit.reports.extend(missing::secrets(model, &kept));
        fit.reports.extend(kept.iter().filter_map(|proxy| unmounted::files(model, proxy)));
    }
    fit.reports.extend(super::without_effect::notes(model, &kept, controller));
    if kept.is_empty() {
        fit.reports.extend(nothing_to_configure(model, controller));
    } else {
        fit.reports.extend(super::elsewhere::built_by_nobody(model, options.gateways));
    }
    // What is wrong may be in the scope of one, and what comes of that is not known yet.
    if !fit.reports.iter().any(|report| report.severity == Severity::Error) {
        fit.reports.extend(judge.unused(support, options));
    }
    let mut reported: FxHashSet<(Span, String)> = FxHashSet::default();
    fit.reports.retain(|report| reported.insert((report.span, report.message.clone())));
    fit.proxies = kept;
    fit
}

struct Judge<'m> {
    checked: &'m Checked,
    controller: Controller,
    /// The losses that the sources accept.
    accepted: Accepted<'m>,
    /// The attributes that something needed.
    used: FxHashSet<Span>,
}

impl<'m> Judge<'m> {
    /// What accepts a use for this target, or what it belongs to: a policy or a template may bring it from elsewhere.
    fn accepted(&mut self, one: &Use, support: Support) -> Option<AcceptedBy<'m>> {
        if one.guards || matches!(support, Support::Native) {
            return None;
        }
        let accepted = self.accepted.by(one.span, one.owner)?;
        self.used.extend(accepted.attributes.iter().map(|degradation| degradation.span));
        Some(accepted)
    }

    /// Reports each `@degrade` for this target that nothing needs, not even a gateway that is built elsewhere.
    fn unused(&mut self, support: fn(Feature) -> Support, options: &Options<'_>) -> Vec<Diagnostic> {
        let own = |one: &&Degradation| one.target.value == self.controller;
        let model = self.checked.model();
        let written: Vec<&Degradation> = model.degradations.iter().filter(own).collect();
        if options.gateways != Gateways::All && written.iter().any(|one| !self.used.contains(&one.span)) {
            for one in uses(model, &self.checked.proxies(&[])) {
                self.accepted(&one, support(one.feature));
            }
        }
        let unused = written.into_iter().filter(|one| !self.used.contains(&one.span));
        unused.map(|one| unused_degradation(one.span, self.controller)).collect()
    }

    fn unsupported(&self, one: &Use, reason: &str, approximated: bool) -> Diagnostic {
        let target = self.controller;
        let message = format!("{target} does not support {}", one.what);
        let report = Diagnostic::new(Code::UNSUPPORTED, one.span, message)
            .label(reason)
            .consequence("without it, traffic would go elsewhere or be treated differently");
        if one.guards {
            return report.help(
                "such a loss cannot be accepted: remove this target, or write it for Istio only where this target may do \
                 without: `in istio { STATEMENT }`",
            );
        }
        if approximated {
            return report.help(format!(
                "no approximation exists; to drop the statement, write `@degrade({target}, drop, because: \"...\")`"
            ));
        }
        let before = if self.accepted.is_in_template(one.span, one.owner) {
            " before each `apply` of its template"
        } else {
            ""
        };
        report.help(format!(
            "remove it, remove this target, or accept that the statement is dropped: \
             `@degrade({target}, drop, because: \"...\")`{before}"
        ))
    }
}

/// The report of a `@degrade` that nothing needs.
pub(crate) fn unused_degradation(span: Span, target: Controller) -> Diagnostic {
    let message = format!("{target} supports all of this natively: there is no loss to accept");
    Diagnostic::new(Code::UNUSED_DEGRADE, span, message)
        .consequence("a loss that is added here later would be accepted silently")
        .help("remove the attribute")
}

/// Why a target has nothing to do, at the first item that it might be expected to do something for.
fn nothing_to_configure(model: &Model, target: Controller) -> Option<Diagnostic> {
    let report = |span: Span, why: &str| {
        Diagnostic::new(Code::NOTHING_TO_BUILD, span, format!("nothing to configure for {target}"))
            .label(why.to_owned())
            .consequence("no file would be written for it")
    };
    if let Some(gateway) = model.mesh.gateways.as_slice().first() {
        let help = format!(
            "give a gateway `controller {target}`, build all of them with `--target {target}`, or remove this target"
        );
        return Some(report(gateway.name.span, "the gateways have other controllers").help(help));
    }
    let services = model.mesh.services.as_slice().first().map(|service| service.name.span);
    let externals = model.mesh.externals.as_slice().first().map(|external| external.name.span);
    Some(
        report(
            services.or(externals)?,
            "no `gateway` or `host` routes to it, and `bindings` has no address for it",
        )
        .help(
            "add a `gateway` or a `host`, or `bindings` with `address` or `default kubernetes`; or \
                 remove this target",
        ),
    )
}

/// One note for each feature that is emulated, at its first use.
fn notes(controller: Controller, emulated: &[(Use, Support)]) -> Vec<Diagnostic> {
    let mut features: Vec<Feature> = emulated.iter().map(|(one, _)| one.feature).collect();
    features.sort_unstable();
    features.dedup();
    let note = |feature: Feature| {
        let mut places = emulated.iter().filter(|(one, _)| one.feature == feature);
        let (first, support) = places.next()?;
        let Support::Emulated { how, caveat } = support else { return None };
        let message = format!("{controller} approximates {} with {how}", feature.title());
        let mut note = Diagnostic::new(Code::EMULATED, first.span, message).consequence(*caveat);
        let others: Vec<Span> = places.map(|(other, _)| other.span).collect();
        note = also_here(note, &others);
        let attribute = format!("@degrade({controller}, approximate, because: \"...\")");
        Some(note.help(if others.is_empty() {
            format!("to accept this, put `{attribute}` before the statement")
        } else {
            format!("to accept this, put `{attribute}` before each of these statements, or before a block around them")
        }))
    };
    features.into_iter().filter_map(note).collect()
}

/// Names the other places of one note; of many, how many are not shown.
pub(super) fn also_here(mut note: Diagnostic, others: &[Span]) -> Diagnostic {
    let more = others.len().saturating_sub(SHOWN);
    for (at, other) in others.iter().take(SHOWN).enumerate() {
        note = if more > 0 && at + 1 == SHOWN {
            note.related(*other, format!("also here, and in {more} more places"))
        } else {
            note.related(*other, "also here")
        };
    }
    note
}

/// Destinations that share a port of an outbound proxy without anything that tells their connections apart. Beside gateways such a
/// proxy is left out; alone it is refused, for nothing would be built.
fn conflicts(proxies: &mut Vec<Arc<Proxy>>, controller: Controller) -> Vec<Diagnostic> {
    let is_alone = !proxies.iter().any(|proxy| proxy.is_gateway());
    let mut reports = Vec::new();
    for listener in proxies.iter().flat_map(|proxy| &proxy.listeners) {
        let conflicts = listener.conflicts.iter();
        reports.extend(conflicts.map(|one| conflict(*one, listener.port, controller, is_alone)));
    }
    if !is_alone {
        proxies.retain(|proxy| proxy.listeners.iter().all(|listener| listener.conflicts.is_empty()));
    }
    reports
}

fn conflict((later, earlier): (Span, Span), port: u16, controller: Controller, is_alone: bool) -> Diagnostic {
    let message =
        format!("connections to this destination cannot be distinguished from others on port {port}");
    let (code, consequence) = if is_alone {
        (Code::UNSUPPORTED, "its connections would go to the other destination".to_owned())
    } else {
        let consequence = format!("{controller} gets no outbound proxy: only its gateways are built");
        (Code::OUTBOUND_LEFT_OUT, consequence)
    };
    Diagnostic::new(code, later, message)
        .label(format!("the outbound proxy of {controller} sees a port, not a host"))
        .related(earlier, "the other destination")
        .consequence(consequence)
        .help("give one of them another port, or `addresses` if it is an external")
}

/// Listeners that ask callers for certificates without knowing who may have signed them: any certificate would do.
fn unverified_callers(model: &Model, proxy: &Proxy) -> Vec<Diagnostic> {
    let servers = proxy.listeners.iter().flat_map(|listener| &listener.tls);
    let settings = servers.filter_map(|server| match &server.kind {
        TlsKind::Http(tls, _) | TlsKind::Tcp(tls, _) => Some(&**tls),
        TlsKind::Passthrough(_) => None,
    });
    let asks = |tls: &&ServerTls| {
        let pinned = tls.body.spki.is_some() || tls.body.hash.is_some();
        tls.mode.value.asks_callers() && !pinned && !tls.body.takes_unseen()
    };
    let unknown = |tls: &&ServerTls| super::of_listener(model, proxy, &tls.body, None).ca.is_none();
    let report = |tls: &ServerTls| {
        let message = "no CA is configured to verify client certificates";
        Diagnostic::new(Code::MISSING_SECRET, tls.mode.span, message)
            .label("client certificates are required")
            .consequence("any certificate would be accepted, or the proxy would not start")
            .help("add `ca file \"...\"` to the `secret` in `bindings`, or name one with `ca-credential`")
    };
    settings.filter(asks).filter(unknown).map(report).collect()
}
