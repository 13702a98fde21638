//! Istio: what istiod makes of a mesh, run by Envoy, does what the reference matcher says of each workload.

use crate::istio::stage::{Actor, NotRunning, run};
use crate::istio::{Mesh, meshes};
use crate::{generated, oracle};
use meshc_cli::rig::trial::{Aspect, Difference, Trial};
use meshc_cli::rig::{Kind, World};
use meshc_compiler::routing::matcher::{Matcher, Outcome, Request, Security};
use meshc_targets::{Named, Options, fit, target};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Meshes that one Envoy runs: it takes longer to start than to serve.
const TOGETHER: usize = 10;
/// How much is asked of each proxy.
#[derive(Clone, Copy)]
struct Effort {
    /// Of which every nth is run.
    proxies: usize,
    /// Requests that are made up, of which every nth is sent.
    made: usize,
    every: usize,
    /// Requests for a rule whose answer depends on chance.
    samples: u64,
}

/// For meshes that stand in files.
const THOROUGH: Effort = Effort { proxies: 1, made: 60, every: 1, samples: 30 };
/// For each of many.
const BRIEF: Effort = Effort { proxies: 4, made: 45, every: 3, samples: 4 };

/// What a request is known by, and the name of what becomes of it.
type Odd = (fn(&Request) -> bool, Named);

/// What Istio's proxies do otherwise, whatever their configuration says: by what a request is known.
const KNOWN: &[Odd] = &[
    (|one| path(one).contains("//"), Named::DoubleSlashes),
    (
        |one| ["%2f", "%5c", "\\"].iter().any(|sign| path(one).to_ascii_lowercase().contains(sign)),
        Named::EscapedSlashes,
    ),
    (|one| one.headers.iter().any(|(name, _)| name.contains('_')), Named::UnderscoreHeaders),
    (|one| host(one).ends_with('.'), Named::FinalDot),
];

fn path(request: &Request) -> &str {
    request.target.split('?').next().unwrap_or_default()
}

fn host(request: &Request) -> &str {
    request.authority.rsplit_once(':').map_or(&request.authority, |(host, _)| host)
}

/// What was seen of meshes.
#[derive(Default)]
struct Seen {
    proxies: u64,
    requests: u64,
    /// Differences that have a name.
    known: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
}

impl Seen {
    fn add(mut self, other: Self) -> Self {
        self.proxies += other.proxies;
        self.requests += other.requests;
        self.faults.extend(other.faults);
        for (reason, count) in other.known {
            *self.known.entry(reason).or_default() += count;
        }
        self
    }
}

/// Runs meshes together; if Envoy refuses them, each half by itself, so that it shows whose fault it is.
fn tried(envoy: &Path, meshes: &[Mesh], effort: Effort) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Seen::default();
    match run(meshes, envoy, folder.path(), effort.proxies, |actor, world| {
        act(actor, world, effort, &mut seen)
    }) {
        Ok(()) | Err(NotRunning::Skipped) => seen,
        Err(NotRunning::Faults(_)) if meshes.len() > 1 => {
            let (left, right) = meshes.split_at(meshes.len() / 2);
            tried(envoy, left, effort).add(tried(envoy, right, effort))
        }
        Err(NotRunning::Faults(faults)) => {
            let name = &meshes[0].name;
            seen.faults.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
            seen
        }
    }
}

/// Tries one proxy.
fn act(actor: &Actor<'_>, world: &World, effort: Effort, seen: &mut Seen) {
    let Effort { proxies: _, made, every, samples } = effort;
    let trial = Trial { kind: Kind::Envoy, rigged: actor.rigged(), world, samples, stop: &|| false };
    let matcher = Matcher::new(&actor.rigged().proxy);
    let (odd, plain): (Vec<Request>, Vec<Request>) =
        generated::requests(&actor.rigged().proxy, actor.mesh.seed, made)
            .into_iter()
            .skip(usize::try_from(actor.mesh.seed).unwrap() % every)
            .step_by(every)
            .filter(|request| can_be_asked(actor, &matcher, request))
            .partition(|request| KNOWN.iter().any(|(holds, _)| holds(request)));
    let asked = trial.ask(&plain);
    let connected = trial.connect();
    seen.proxies += 1;
    seen.requests += asked.requests + connected.requests;
    let place = format!("{}: {}", actor.mesh.name, actor.workload.name);
    let told = |one: &Difference| {
        let Difference { rule, aspect, wanted, got, sent, times, .. } = one;
        format!("{place} `{rule}`: {}: wanted {wanted}, got {got} ({times} times)\n    {sent}", aspect.name())
    };
    for one in asked.differences.iter().chain(&connected.differences) {
        match known(actor, one) {
            Some("") => {}
            Some(reason) => *seen.known.entry(reason).or_default() += one.times,
            None => seen.faults.push(told(one)),
        }
    }
    for request in odd {
        let findings = trial.ask(std::slice::from_ref(&request));
        seen.requests += findings.requests;
        if !findings.differences.is_empty()
            && let Some((_, named)) = KNOWN.iter().find(|(holds, _)| holds(&request))
        {
            *seen.known.entry(named.account().what).or_default() += 1;
        }
    }
}

/// The name of a difference that is none of our output; empty for one of the rig.
fn known(actor: &Actor<'_>, one: &Difference) -> Option<&'static str> {
    let ports = actor.rigged().ports.iter().zip(actor.rigged().listening());
    let moved = |(own, rigged): (&u16, u16)| {
        one.got.replace(&format!(":{own}/"), &format!(":{rigged}/")) == one.wanted
    };
    if one.aspect == Aspect::Location && ports.into_iter().any(moved) {
        // Istio writes the port of the listener, which is another one on the loopback.
        return Some("");
    }
    let empties = matches!(one.aspect, Aspect::RequestHeaders | Aspect::ResponseHeaders);
    (empties && one.wanted.ends_with(": `")).then(|| Named::EmptyValue.account().what)
}

/// A sidecar passes on what nobody declares to where the caller meant it, and speaks no TLS itself.
fn can_be_asked(actor: &Actor<'_>, matcher: &Matcher<'_>, request: &Request) -> bool {
    actor.workload.gateway
        || (request.entrance.security == Security::Plain
            && !matches!(matcher.answer(request), Outcome::NoHost | Outcome::Refused(_)))
}

fn agrees(meshes: &[Mesh], effort: Effort) -> Option<Seen> {
    let envoy = oracle::programs::envoy()?;
    let seen =
        meshes.par_chunks(TOGETHER).map(|some| tried(&envoy, some, effort)).reduce(Seen::default, Seen::add);
    if seen.proxies == 0 && seen.faults.is_empty() {
        return None;
    }
    let mut line =
        format!("istio: {} meshes, {} proxies, {} requests", meshes.len(), seen.proxies, seen.requests);
    for (reason, count) in &seen.known {
        line.push_str(&format!("\n  {count} times as docs/targets.md says: {reason}"));
    }
    let _ = writeln!(std::io::stderr(), "{line}");
    assert!(seen.faults.is_empty(), "{} faults\n{}", seen.faults.len(), seen.faults.join("\n"));
    Some(seen)
}

#[test]
fn istio_does_what_the_matcher_says_of_examples_and_features() {
    let meshes: Vec<Mesh> =
        meshes().into_iter().filter(|mesh| !mesh.resources.contains("ISTIO_MUTUAL")).collect();
    let Some(seen) = agrees(&meshes, THOROUGH) else { return };
    assert!(seen.requests > 1_000, "only {} requests were sent", seen.requests);
}

/// Meshes that chance makes.
const GENERATED: u64 = 300;

#[test]
fn istio_does_what_the_matcher_says_of_generated_meshes() {
    let meshes: Vec<Mesh> = super::seeds(GENERATED).par_iter().map(|seed| generated_mesh(*seed)).collect();
    let Some(seen) = agrees(&meshes, BRIEF) else { return };
    let usual = 40 * u64::try_from(meshes.len()).unwrap();
    assert!(seen.requests >= usual, "only {} requests were sent", seen.requests);
}

fn generated_mesh(seed: u64) -> Mesh {
    let (text, checked) = generated::checked_for_istio(seed);
    let options = Options::default();
    let (fitted, reports) = fit(target("istio").unwrap(), &checked, &options);
    let artifacts = fitted.unwrap_or_else(|| panic!("seed {seed}: {reports:?}\n{text}")).emit(&options);
    let resources = artifacts.into_iter().map(|file| file.text).collect();
    Mesh { name: format!("seed {seed}"), seed, checked, resources }
}
