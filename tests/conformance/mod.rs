//! One meaning: over generated meshes, Envoy and nginx do what the reference matcher says, request by request; and every program
//! that reads configuration takes all of it.
//!
//! `MESHES=N` tries other than the usual number of meshes, `SEED=N` only that one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod clusters;
mod istio;

use crate::{generated, oracle};
use meshc_cli::rig::trial::{Aspect, Difference, Trial};
use meshc_cli::rig::{Kind, NotServing, Server, World};
use meshc_compiler::Checked;
use meshc_compiler::policy::RewriteKind;
use meshc_compiler::routing::{Proxy, Rule};
use meshc_targets::{Artifact, Fitted, Gateways, Named, Options, Rig, fit};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Meshes whose proxies are run, and requests for each of them and each data plane.
const RUN: u64 = 200;
const REQUESTS: usize = 110;
/// Meshes whose configuration is loaded.
const LOADED: u64 = 500;
/// Requests for a rule whose answer depends on chance.
const SAMPLES: u64 = 40;

/// Where it is, what it is known by, and its name.
type Known = (Kind, fn(&Difference, Option<&Rule>) -> bool, Named);

/// What odd requests show of a data plane, and no configuration changes: by what the named ones are known.
const KNOWN: &[Known] = &[
    (
        Kind::Envoy,
        |one, _| {
            let is_slashes = path(one).contains("//") && path(one).chars().all(|char| "/.".contains(char));
            is_slashes || (one.aspect == Aspect::Path && one.got.replace("//", "/") == one.wanted)
        },
        Named::OnlySlashes,
    ),
    (
        Kind::Nginx,
        |one, _| one.aspect == Aspect::Location && normalised(&one.got) == normalised(&one.wanted),
        Named::RedirectedPath,
    ),
    (
        Kind::Nginx,
        // Either alone is compared with what it should be.
        |one, _| has_empty_header(one) && normalised(path(one)) != format!("{}?", path(one)),
        Named::EmptyHeader,
    ),
    (
        Kind::Nginx,
        |one, rule| one.aspect == Aspect::Path && path(one).contains('%') && rewrites_by_expression(rule),
        Named::RewrittenEscapes,
    ),
    (
        Kind::Nginx,
        |one, rule| {
            let is_resolved = path(one).contains('%') && ["//", "/."].iter().any(|it| path(one).contains(it));
            one.aspect == Aspect::Path && path(one).contains(SIGNS) && (rewrites_paths(rule) || is_resolved)
        },
        Named::RewrittenSigns,
    ),
    (
        Kind::Nginx,
        |one, _| {
            one.aspect == Aspect::Path
                && normalised(&one.got) == normalised(&one.wanted)
                && has_mixed_escapes(path(one))
        },
        Named::MixedEscapes,
    ),
];

/// What has no place in a path as it is, and no use in another.
const SIGNS: [char; 8] = ['"', '<', '>', '^', '`', '{', '|', '}'];

/// Whether a path has escapes of letters, digits and `-._~`, and others.
fn has_mixed_escapes(path: &str) -> bool {
    let escapes = path.split('%').skip(1).filter_map(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok());
    let (plain, kept): (Vec<u8>, Vec<u8>) =
        escapes.partition(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte));
    !plain.is_empty() && !kept.is_empty()
}

/// The path that was sent.
fn path(one: &Difference) -> &str {
    let url = one.sent.split("://").nth(1).unwrap_or_default();
    let target = url.find('/').map_or("", |at| url.split_at(at).1);
    target.split([' ', ',', '?']).next().unwrap_or_default()
}

fn has_empty_header(one: &Difference) -> bool {
    one.sent.split(" -H ").skip(1).any(|header| header.trim_end().ends_with(':'))
}

/// A URL or path without double slashes, dots and escapes.
fn normalised(url: &str) -> String {
    let mut parts = url.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escape = part.split_at_checked(2);
        let byte = escape.and_then(|(digits, rest)| Some((u8::from_str_radix(digits, 16).ok()?, rest)));
        out.push_str(&byte.map_or(format!("%{part}"), |(byte, rest)| format!("{}{rest}", char::from(byte))));
    }
    let (path, query) = out.split_once('?').map_or((out.as_str(), ""), |(path, query)| (path, query));
    let merged = path.replace("//", "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in merged.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    format!("{}?{query}", segments.join("/"))
}

fn rewrites_paths(rule: Option<&Rule>) -> bool {
    let mut rewrites = rule.into_iter().flat_map(|rule| &rule.options.rewrite);
    rewrites.any(|rewrite| !rewrite.kind.is_of_host())
}

fn rewrites_by_expression(rule: Option<&Rule>) -> bool {
    let mut rewrites = rule.into_iter().flat_map(|rule| &rule.options.rewrite);
    rewrites.any(|rewrite| matches!(rewrite.kind, RewriteKind::Matches { .. }))
}

/// The rule that a difference is reported at.
fn rule_of<'p>(one: &Difference, proxy: &'p Proxy) -> Option<&'p Rule> {
    proxy.http_rules().find(|rule| Some(rule.span) == one.span && rule.name == one.rule)
}

fn seeds(usual: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    match number("SEED") {
        Some(seed) => vec![seed],
        None => (0..number("MESHES").unwrap_or(usual)).collect(),
    }
}

fn fitted<'m>(kind: Kind, checked: &'m Checked, options: &Options<'_>) -> Fitted<'m> {
    let (fitted, reports) = fit(kind.target(), checked, options);
    fitted.unwrap_or_else(|| panic!("{reports:?}"))
}

/// What the proxies of one mesh did.
#[derive(Default)]
struct Seen {
    requests: u64,
    /// Differences that the matrix of targets names, by their caveat or by what they are.
    known: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
}

impl Seen {
    fn add(mut self, other: Self) -> Self {
        self.requests += other.requests;
        self.faults.extend(other.faults);
        for (caveat, count) in other.known {
            *self.known.entry(caveat).or_default() += count;
        }
        self
    }
}

fn server(kind: Kind) -> Option<Server> {
    let program = match kind {
        Kind::Envoy => oracle::programs::envoy(),
        Kind::Nginx => oracle::programs::nginx(),
    };
    program.map(|program| Server::at(kind, program))
}

#[test]
fn envoy_does_what_the_matcher_says_of_generated_meshes() {
    agrees(Kind::Envoy);
}

#[test]
fn nginx_does_what_the_matcher_says_of_generated_meshes() {
    agrees(Kind::Nginx);
}

fn agrees(kind: Kind) {
    let Some(server) = server(kind) else { return };
    let seeds = seeds(RUN);
    let seen = seeds.par_iter().map(|seed| tried(&server, *seed)).reduce(Seen::default, Seen::add);
    let mut line = format!("{}: {} meshes, {} requests", kind.name(), seeds.len(), seen.requests);
    for (caveat, count) in &seen.known {
        line.push_str(&format!("\n  {count} times as docs/targets.md says: {caveat}"));
    }
    let _ = writeln!(std::io::stderr(), "{line}");
    assert!(seen.faults.is_empty(), "{} faults\n{}", seen.faults.len(), seen.faults.join("\n"));
    let usual = u64::try_from(seeds.len() * REQUESTS).unwrap() * 9 / 10;
    assert!(seen.requests >= usual, "only {} requests were sent", seen.requests);
}

/// Runs the proxies of one mesh, and asks each of them its part of the requests.
fn tried(server: &Server, seed: u64) -> Seen {
    let checked = generated::checked(seed);
    let options = Options { gateways: Gateways::All, rig: Some(Rig::default()), ..Options::default() };
    let fitted = fitted(server.kind, &checked, &options);
    let proxies = fitted.proxies();
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path(), proxies).unwrap();
    let mut seen = Seen::default();
    let share = REQUESTS.div_ceil(proxies.len().max(1));
    for (number, proxy) in proxies.iter().enumerate() {
        let folder = folder.path().join(number.to_string());
        std::fs::create_dir(&folder).unwrap();
        let mut options = options.clone();
        options.envoy.root = folder.to_str().unwrap().to_owned();
        let rig = || world.rig(Proxy::clone(proxy));
        let started = server.start(checked.model(), &options, &folder, rig, || false);
        let (rigged, mut process) = match started {
            Ok(started) => started,
            Err(NotServing::Refused(said) | NotServing::TimedOut(said)) => {
                seen.faults.push(format!("seed {seed}: {}: does not serve: {said}", proxy.name));
                continue;
            }
            Err(other) => panic!("seed {seed}: {other:?}"),
        };
        let trial =
            Trial { kind: server.kind, rigged: &rigged, world: &world, samples: SAMPLES, stop: &|| false };
        let requests = generated::requests(&rigged.proxy, seed, share);
        let findings = trial.ask(&requests);
        process.stop().unwrap();
        seen.requests += findings.requests;
        for known in findings.known {
            *seen.known.entry(known.caveat).or_default() += known.times;
        }
        let told = |one: &Difference| {
            let Difference { rule, aspect, wanted, got, sent, times, .. } = one;
            format!(
                "seed {seed}: {} `{rule}`: {}: wanted {wanted}, got {got} ({times} times)\n    {sent}",
                proxy.name,
                aspect.name()
            )
        };
        for one in &findings.differences {
            let rule = rule_of(one, &rigged.proxy);
            match KNOWN.iter().find(|(kind, holds, _)| *kind == server.kind && holds(one, rule)) {
                Some((.., named)) => *seen.known.entry(named.account().what).or_default() += one.times,
                None => seen.faults.push(told(one)),
            }
        }
    }
    seen
}

/// What is made of a seed for a kind of proxy, with certificates in a folder that exists.
fn artifacts(kind: Kind, seed: u64, root: &Path) -> Vec<Artifact> {
    let checked = generated::checked(seed);
    let mut options = Options { gateways: Gateways::All, ..Options::default() };
    options.envoy.root = root.to_str().unwrap().to_owned();
    let mut files = fitted(kind, &checked, &options).emit(&options);
    files.retain(|file| !file.path.starts_with("kubernetes/"));
    files
}

#[test]
fn envoy_loads_every_generated_mesh_and_the_descriptors_take_it() {
    let Some(program) = oracle::programs::envoy() else { return };
    let faults: Vec<String> = seeds(LOADED)
        .par_iter()
        .flat_map_iter(|seed| {
            let folder = tempfile::tempdir().unwrap();
            let files = artifacts(Kind::Envoy, *seed, folder.path());
            write(folder.path(), &files);
            let texts: Vec<(&str, &str)> =
                files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
            let judged = oracle::envoy::check(&texts).unwrap_or_default();
            let mut faults: Vec<String> =
                judged.iter().map(|fault| format!("seed {seed}: {fault}")).collect();
            for main in files.iter().filter(|file| file.text.contains("\nstatic_resources:")) {
                let path = folder.path().join(&main.path);
                let mut command = Command::new(&program);
                command
                    .args(["--mode", "validate", "--log-level", "error", "-c"])
                    .arg(&path)
                    .stdin(Stdio::null());
                let output = command.output().unwrap();
                if !output.status.success() {
                    let said = String::from_utf8_lossy(&output.stderr).into_owned();
                    faults.push(format!("seed {seed}: {}: {said}", main.path));
                }
            }
            faults
        })
        .collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn nginx_loads_every_generated_mesh_and_crossplane_and_gixy_take_it() {
    let seeds = seeds(LOADED);
    // Many in one run of the readers, which take longer to start than to read.
    let faults: Vec<String> = seeds
        .par_chunks(25)
        .flat_map_iter(|seeds| {
            let mut files: Vec<(String, String)> = Vec::new();
            for seed in seeds {
                let made = artifacts(Kind::Nginx, *seed, Path::new("/etc/envoy"));
                files.extend(made.into_iter().map(|file| (format!("seed-{seed}/{}", file.path), file.text)));
            }
            let texts: Vec<(&str, &str)> =
                files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            oracle::nginx::check(&texts).unwrap_or_default()
        })
        .collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

fn write(folder: &Path, files: &[Artifact]) {
    for file in files {
        let place = folder.join(&file.path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, &file.text).unwrap();
    }
}
