//! What a run has found: for people, and for programs.

use super::show::Shown;
use crate::console::Console;
use crate::report::{Finding, Notice, Place, Sources, counted, findings};
use crate::rig::trial::{Difference, Findings, Untried};
use crate::rig::{Rigged, Server};
use crate::sanitise::message;
use meshc_compiler::routing::{Proxy, Role};
use meshc_language::Span;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A difference that nothing excuses.
const DIFFERENCE: Notice = Notice {
    code: "DIFFERENCE",
    title: "the proxy behaves differently from the sources",
    help: "`--keep DIR` keeps the proxy's configuration; if the sources are right, this is a bug in meshc",
};

/// What is said where there is no proxy.
const NOTHING: &str = "note: there is no proxy to verify: no `gateway` is declared, no `host` has \
                       routes for the mesh, and `bindings` has no addresses\n";

/// Characters of a program's output that are shown, and of each line.
const SHOWN_CHARS: usize = 700;
const SHOWN_OF_LINE: usize = 300;

/// What a run has found.
pub(super) struct Outcome {
    pub(super) server: Server,
    pub(super) environment: Option<String>,
    pub(super) tried: Vec<Tried>,
    pub(super) took: Duration,
}

/// What was found of one proxy.
pub(super) struct Tried {
    pub(super) name: String,
    /// Requests of `--show`.
    pub(super) shown: Vec<Shown>,
    /// The ports of its listeners, as the sources have them.
    pub(super) ports: Vec<u16>,
    listeners: usize,
    upstreams: usize,
    /// Where mutual TLS of the mesh (`istio-mutual`) is declared that was taken as plain.
    taken_as_plain: Vec<Span>,
    findings: Findings,
}

/// How reports call a proxy.
pub(super) fn name_of(proxy: &Proxy) -> String {
    match (proxy.role, &proxy.namespace) {
        (Role::Gateway(_), _) => format!("gateway `{}`", proxy.name),
        (Role::Outbound, Some(namespace)) => format!("the outbound proxy of namespace `{namespace}`"),
        (Role::Outbound, None) => "the outbound proxy".to_owned(),
    }
}

/// The last lines of what a program has printed, indented; made safe when they are shown.
pub(super) fn last(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return " nothing".to_owned();
    }
    let mut shown: Vec<String> = Vec::new();
    let mut left = SHOWN_CHARS;
    for line in lines.iter().rev() {
        let clipped: String = line.chars().take(SHOWN_OF_LINE).collect();
        let Some(rest) = left.checked_sub(clipped.chars().count()) else { break };
        left = rest;
        shown.push(format!("\n  {clipped}"));
    }
    shown.reverse();
    format!(":{}", shown.concat())
}

impl Tried {
    pub(super) fn new(name: String, rigged: &Rigged, findings: Findings, shown: Vec<Shown>) -> Self {
        let (listeners, upstreams) = (rigged.proxy.listeners.len(), rigged.proxy.upstreams.len());
        let (ports, taken_as_plain) = (rigged.ports.clone(), rigged.taken_as_plain.clone());
        Self { name, shown, ports, listeners, upstreams, taken_as_plain, findings }
    }
}

impl Outcome {
    pub(super) fn differs(&self) -> bool {
        self.tried.iter().any(|tried| !tried.findings.differences.is_empty())
    }

    fn sum(&self, count: impl Fn(&Findings) -> usize) -> usize {
        self.tried.iter().map(|tried| count(&tried.findings)).sum()
    }

    fn requests(&self) -> u64 {
        self.tried.iter().map(|tried| tried.findings.requests).sum()
    }

    fn all<'o, T: 'o>(
        &'o self,
        list: impl Fn(&'o Findings) -> &'o [T],
    ) -> impl Iterator<Item = (&'o Tried, &'o T)> {
        self.tried.iter().flat_map(move |tried| list(&tried.findings).iter().map(move |one| (tried, one)))
    }

    /// Writes it for people.
    pub(super) fn report(&self, console: &Console, sources: &Sources<'_>) {
        self.report_differences(console, sources);
        console.report(self.taken_as_plain(sources).as_bytes());
        console.report(self.remarks().as_bytes());
        console.report(self.summary().as_bytes());
    }

    /// Writes where the proxy does otherwise.
    pub(super) fn report_differences(&self, console: &Console, sources: &Sources<'_>) {
        let program = self.server.kind.name();
        let found: Vec<Finding> =
            self.all(|all| &all.differences).map(|(tried, one)| finding(program, tried, one)).collect();
        console.report(&findings(sources, &found, console.colored_reports));
    }

    /// Names the hops that only a control plane can make private.
    pub(super) fn taken_as_plain(&self, sources: &Sources<'_>) -> String {
        let spans: BTreeSet<Span> =
            self.tried.iter().flat_map(|tried| tried.taken_as_plain.iter().copied()).collect();
        let line = |span: &Span| {
            let line = sources.position(span.file, span.range().start).line;
            let note = format!(
                "note: `istio-mutual` at {}:{line} is verified as plaintext: mesh certificates exist only in a cluster",
                sources.name(span.file)
            );
            format!("{}\n", message(&note))
        };
        spans.iter().map(line).collect()
    }

    /// What is not as it could be, without being a difference.
    fn remarks(&self) -> String {
        let mut caveats: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, known) in self.all(|all| &all.known) {
            *caveats.entry(known.caveat).or_default() += 1;
        }
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (tried, one) in self.all(|all| &all.untried) {
            reasons.entry(one.because).or_default().push(format!("`{}` of {}", one.rule, tried.name));
        }
        let mut text = String::new();
        if self.tried.is_empty() {
            text.push_str(NOTHING);
        }
        for (caveat, count) in caveats {
            let line = format!("note: {}, as `meshc targets` says: {caveat}", counted(count, "difference"));
            text.push_str(&format!("{}\n", message(&line)));
        }
        for (because, rules) in reasons {
            let count = counted(rules.len(), "rule");
            let named: Vec<String> = rules.iter().take(3).cloned().collect();
            let more = if rules.len() > named.len() { ", ..." } else { "" };
            let line = format!("note: {count} not tested ({}{more}): {because}", named.join(", "));
            text.push_str(&format!("{}\n", message(&line)));
        }
        text
    }

    fn summary(&self) -> String {
        let verdict = match self.sum(|all| all.differences.len()) {
            0 => "behaves as the sources say".to_owned(),
            count => format!("differs from the sources in {}", counted(count, "place")),
        };
        format!(
            "{} {verdict}: {}, {}, {} in {:.1} s\n",
            self.server.kind.name(),
            match self.tried.len() {
                1 => "1 proxy".to_owned(),
                count => format!("{count} proxies"),
            },
            counted(self.sum(|all| all.rules), "rule"),
            counted(usize::try_from(self.requests()).unwrap_or(usize::MAX), "request"),
            self.took.as_secs_f64(),
        )
    }

    /// The same for programs.
    pub(super) fn record(&self, sources: &Sources<'_>) -> Record<'_> {
        Record {
            target: self.server.kind.name(),
            program: self.server.program.to_string_lossy().into_owned(),
            environment: self.environment.as_deref(),
            proxies: self.tried.iter().map(ProxyRecord::of).collect(),
            rules: self.sum(|all| all.rules),
            requests: self.requests(),
            seconds: self.took.as_secs_f64(),
            differences: self
                .all(|all| &all.differences)
                .map(|all| DifferenceRecord::of(sources, all))
                .collect(),
            known: self.all(|all| &all.known).map(|all| DifferenceRecord::of(sources, all)).collect(),
            untried: self.all(|all| &all.untried).map(|all| UntriedRecord::of(sources, all)).collect(),
        }
    }
}

fn finding(program: &str, tried: &Tried, difference: &Difference) -> Finding {
    let Difference { span, rule, aspect, wanted, got, sent, times, caveat: _ } = difference;
    let more = if *times > 1 { format!(", and {} more", times - 1) } else { String::new() };
    let subject = if rule.is_empty() { String::new() } else { format!(" at route `{rule}`") };
    Finding {
        notice: DIFFERENCE,
        span: *span,
        message: format!("{program} behaves differently from the sources{subject}: {}", aspect.name()),
        label: format!("wanted {wanted}, got {got}"),
        notes: vec![format!("sent: {sent}, to {}{more}", tried.name), format!("help: {}", DIFFERENCE.help)],
    }
}

/// The outcome as JSON; `docs/json.md` describes the fields.
#[derive(Serialize)]
pub(super) struct Record<'o> {
    target: &'static str,
    program: String,
    environment: Option<&'o str>,
    proxies: Vec<ProxyRecord<'o>>,
    rules: usize,
    requests: u64,
    seconds: f64,
    differences: Vec<DifferenceRecord<'o>>,
    known: Vec<DifferenceRecord<'o>>,
    untried: Vec<UntriedRecord<'o>>,
}

#[derive(Serialize)]
struct ProxyRecord<'o> {
    name: &'o str,
    listeners: usize,
    upstreams: usize,
    rules: usize,
    requests: u64,
}

#[derive(Serialize)]
struct DifferenceRecord<'o> {
    proxy: &'o str,
    rule: Option<&'o str>,
    aspect: &'static str,
    wanted: &'o str,
    got: &'o str,
    sent: &'o str,
    times: u64,
    caveat: Option<&'static str>,
    place: Option<Place>,
}

#[derive(Serialize)]
struct UntriedRecord<'o> {
    proxy: &'o str,
    rule: &'o str,
    because: &'static str,
    place: Place,
}

impl<'o> ProxyRecord<'o> {
    fn of(tried: &'o Tried) -> Self {
        let Tried { name, shown: _, ports: _, listeners, upstreams, taken_as_plain: _, findings } = tried;
        let (listeners, upstreams) = (*listeners, *upstreams);
        Self { name, listeners, upstreams, rules: findings.rules, requests: findings.requests }
    }
}

impl<'o> DifferenceRecord<'o> {
    fn of(sources: &Sources<'_>, (tried, difference): (&'o Tried, &'o Difference)) -> Self {
        let Difference { span, rule, aspect, wanted, got, sent, times, caveat } = difference;
        Self {
            proxy: &tried.name,
            rule: Some(rule.as_str()).filter(|rule| !rule.is_empty()),
            aspect: aspect.name(),
            wanted,
            got,
            sent,
            times: *times,
            caveat: Some(*caveat).filter(|caveat| !caveat.is_empty()),
            place: span.map(|span| Place::of(sources, span)),
        }
    }
}

impl<'o> UntriedRecord<'o> {
    fn of(sources: &Sources<'_>, (tried, untried): (&'o Tried, &'o Untried)) -> Self {
        let Untried { span, rule, because } = untried;
        Self { proxy: &tried.name, rule, because, place: Place::of(sources, *span) }
    }
}
