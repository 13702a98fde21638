//! Meshes and requests made by chance, the same for the same seed: what the compiler, the matcher and real proxies are tried with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod conditions;
mod istio;
mod mesh;
pub(crate) mod random;
mod requests;
mod routes;

pub(crate) use requests::requests;

use meshc_compiler::routing::matcher::{Matcher, Outcome};
use meshc_compiler::routing::witness::{Shows, witnesses};
use meshc_compiler::routing::{Proxy, proxies};
use meshc_compiler::{Checked, Compilation, Input, Project, check};
use meshc_language::{Code, Diagnostic, FileId, Severity, SourceFile, format};
use meshc_targets::{Gateways, Options, fit, target};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// How many meshes are made.
const MESHES: u64 = 500;

/// The text of a mesh that has no errors, in canonical form, made once for all tests. Routes that earlier ones cover are left out:
/// the compiler proves which.
pub(crate) fn mesh(seed: u64) -> String {
    static MADE: [OnceLock<String>; MESHES as usize] = [const { OnceLock::new() }; MESHES as usize];
    let Some(made) = usize::try_from(seed).ok().and_then(|at| MADE.get(at)) else { return made_anew(seed) };
    // Two may make it at the same time: a thread that waits for another may be given the very work that the other waits for.
    made.get().cloned().unwrap_or_else(|| {
        let text = made_anew(seed);
        drop(made.set(text.clone()));
        text
    })
}

fn made_anew(seed: u64) -> String {
    let mut draft = mesh::draft(seed);
    loop {
        let text = format(FileId(0), &draft.text()).text;
        let covered = covered(&text);
        if covered.is_empty() {
            return text;
        }
        for (host, route) in covered {
            draft.remove(host, &route);
        }
    }
}

/// Routes that are never reached, with the number of their host block.
fn covered(text: &str) -> BTreeSet<(usize, String)> {
    let files = [("gen", text.to_owned())];
    covered_in(&compile_all(&files), &files).into_iter().map(|(_, host, route)| (host, route)).collect()
}

/// Routes that are never reached, with the numbers of their file and of their host block in it.
fn covered_in(compilation: &Compilation, files: &[(&str, String)]) -> BTreeSet<(usize, usize, String)> {
    let covered = compilation.reports.iter().filter(|report| report.code == Code::UNREACHABLE_ROUTE);
    let place = |report: &meshc_language::Diagnostic| {
        let file = report.span.file.0 as usize;
        let before = files[file].1.get(..report.span.start as usize).unwrap();
        let host = before.lines().filter(|line| line.starts_with("host ")).count() - 1;
        (file, host, report.message.split('`').nth(1).unwrap().to_owned())
    };
    covered.map(place).collect()
}

#[test]
fn what_unfolds_too_often_is_reported_in_one_place_in_every_run() {
    let values = (0..120).map(|value| format!("v{value}")).collect::<Vec<_>>().join(", ");
    let host = |at: usize| {
        format!(
            "host h{at}.com {{
  for $a in [{values}] {{ for $b in [{values}] {{ route $a-$b when path is \"/$a/$b\" -> web }} }}
}}
"
        )
    };
    let hosts: String = (0..8).map(host).collect();
    let text = format!("service web {{ port http 80 }}\n{hosts}");
    let reports = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let reports = pool.install(|| compile(&text)).reports;
        reports.iter().map(|report| (report.code, report.span, report.message.clone())).collect::<Vec<_>>()
    };
    let alone = reports(1);
    assert_eq!(alone.iter().filter(|(code, ..)| *code == Code::EXPANSION_BUDGET).count(), 8, "{alone:?}");
    for threads in [2, 3, 8] {
        assert_eq!(reports(threads), alone, "{threads} threads");
    }
}

fn compile(text: &str) -> Compilation {
    compile_all(&[("gen", text.to_owned())])
}

fn compile_all(files: &[(&str, String)]) -> Compilation {
    let input = |(module, text): &(&str, String)| Input {
        module: (*module).to_owned(),
        file: SourceFile { name: format!("{module}.mesh"), text: text.clone() },
    };
    let project = Project::read(files.iter().map(input).collect());
    check(&project, None, &meshc_compiler::Options::default())
}

/// The mesh of a seed, without errors.
pub(crate) fn checked(seed: u64) -> Checked {
    let text = mesh(seed);
    settled(compile(&text), &text, seed)
}

/// A mesh of several namespaces for a seed, for Istio alone: its files, and what they mean.
pub(crate) fn checked_for_istio(seed: u64) -> (String, Checked) {
    let mut drafts = istio::drafts(seed);
    loop {
        let files = drafts.iter().map(|(module, draft)| (*module, format(FileId(0), &draft.text()).text));
        let files: Vec<(&str, String)> = files.collect();
        let compilation = compile_all(&files);
        let covered = covered_in(&compilation, &files);
        if covered.is_empty() {
            let text: String =
                files.iter().map(|(module, text)| format!("# --- {module}.mesh\n{text}")).collect();
            let checked = settled(compilation, &text, seed);
            return (text, checked);
        }
        for (file, host, route) in covered {
            drafts[file].1.remove(host, &route);
        }
    }
}

fn settled(compilation: Compilation, text: &str, seed: u64) -> Checked {
    let errors: Vec<String> = compilation
        .reports
        .iter()
        .filter(|report| report.severity == Severity::Error)
        .map(|report| format!("{:?}: {} {}", report.span, report.code, report.message))
        .collect();
    assert!(errors.is_empty(), "seed {seed}: {errors:#?}\n{text}");
    compilation.environments.into_iter().next().and_then(|(_, checked)| checked).unwrap()
}

#[test]
fn generated_meshes_have_no_errors_and_fit_every_target() {
    let refused: u64 = (0..MESHES)
        .into_par_iter()
        .map(|seed| {
            let checked = checked(seed);
            let mut refused = 0;
            for name in ["istio", "envoy", "nginx"] {
                let options = Options { gateways: Gateways::All, ..Options::default() };
                let (fitted, reports) = fit(target(name).unwrap(), &checked, &options);
                // A block that one listener has whole and another in part has no VirtualService that says so.
                let joins = |report: &&Diagnostic| name == "istio" && report.code == Code::ROUTES_JOINED;
                let (joined, errors): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
                    reports.iter().filter(|report| report.severity == Severity::Error).partition(joins);
                let errors: Vec<&str> = errors.iter().map(|report| report.message.as_str()).collect();
                assert!(errors.is_empty(), "seed {seed}: {name}: {errors:?}\n{}", mesh(seed));
                assert_eq!(fitted.is_some(), joined.is_empty(), "seed {seed}: {name}");
                refused += u64::from(!joined.is_empty());
            }
            refused
        })
        .sum();
    assert!(refused * 5 < MESHES, "{refused} of {MESHES} meshes are refused for Istio");
}

#[test]
fn a_seed_makes_one_mesh_in_its_canonical_form() {
    let all: BTreeSet<String> = (0..20)
        .map(|seed| {
            let text = mesh(seed);
            assert_eq!(text, made_anew(seed), "seed {seed}");
            assert_eq!(format(FileId(0), &text).text, text, "seed {seed}");
            text
        })
        .collect();
    assert_eq!(all.len(), 20);
}

/// What can be asked of a proxy, over all seeds: a kind that never comes up would be tried by nobody.
#[test]
fn generated_meshes_exercise_every_kind_of_condition_and_answer() {
    let text: String = (0..60).map(mesh).collect();
    let kinds = [
        "path is",
        "path prefix",
        "path under",
        "path matches",
        "ignoring-case",
        "path in",
        "method is",
        "method in",
        "present",
        "absent",
        "not header",
        "header x-a prefix",
        "header x-a matches",
        "header x-a in",
        "cookie user",
        "query q is",
        "query q prefix",
        "query q matches",
        "authority is",
        "authority prefix",
        "authority matches",
        "port 80",
        " or ",
        "rest ",
        "redirect 301",
        "redirect 308",
        "prefix \"/moved/\"",
        "respond 4",
        "delegate team",
        "rewrite prefix",
        "rewrite path",
        "rewrite matches",
        "rewrite host",
        "mirror to",
        "mirror 50% to",
        "fault abort",
        "timeout",
        "request-headers",
        "response-headers",
        "tls route",
        "tcp route",
        "tls simple",
        "tls passthrough",
        "host *.example.com",
        "host * via",
    ];
    for kind in kinds {
        assert!(text.contains(kind), "no generated mesh has `{kind}`");
    }
}

/// What of all comparisons of the generated meshes a witness was found for.
#[derive(Default)]
struct Shown {
    hits: usize,
    misses: usize,
    connections: usize,
    gaps: usize,
}

fn shown(proxy: &Proxy, seed: u64) -> Shown {
    let matcher = Matcher::new(proxy);
    let found = witnesses(proxy);
    let mut shown =
        Shown { connections: found.connections.len(), gaps: found.gaps.len(), ..Shown::default() };
    for one in &found.requests {
        let outcome = matcher.answer(&one.request);
        let taken = outcome.taken().map(|taken| std::ptr::from_ref(taken.rule));
        let context = || format!("seed {seed}: {:?}\n{}", one.request, mesh(seed));
        match &one.shows {
            Shows::Hit { rule, .. } => {
                assert_eq!(taken, Some(std::ptr::from_ref(*rule)), "{}", context());
                shown.hits += 1;
            }
            Shows::Miss { rule, .. } => {
                assert_ne!(taken, Some(std::ptr::from_ref(*rule)), "{}", context());
                shown.misses += 1;
            }
            Shows::Confusable { .. } => {
                assert!(!matches!(outcome, Outcome::Undecided(..) | Outcome::Rejected(_)), "{}", context());
            }
            Shows::WantsTls(_) => assert!(matches!(outcome, Outcome::WantsTls { .. }), "{}", context()),
            Shows::NoHost => assert!(matches!(outcome, Outcome::NoHost), "{}", context()),
        }
    }
    shown
}

#[test]
fn witnesses_of_generated_meshes_are_confirmed_and_seldom_missing() {
    let all = (0..MESHES).into_par_iter().map(|seed| {
        let checked = checked(seed);
        proxies(checked.model(), &[]).iter().map(|proxy| shown(proxy, seed)).fold(Shown::default(), add)
    });
    let Shown { hits, misses, connections, gaps } = all.reduce(Shown::default, add);
    let found = format!("{hits} hits, {misses} misses, {connections} connections, {gaps} gaps");
    assert!(hits > 25_000 && misses > 40_000 && connections > 1_000, "{found}");
    // An alternative that earlier rules cover only together is one, and chance makes many of those: half of all gaps. The more of
    // them the words of the generator allow, the more gaps there are.
    assert!(gaps * 20 < hits + misses, "{found}");
}

fn add(left: Shown, right: Shown) -> Shown {
    Shown {
        hits: left.hits + right.hits,
        misses: left.misses + right.misses,
        connections: left.connections + right.connections,
        gaps: left.gaps + right.gaps,
    }
}

#[test]
fn requests_are_the_same_for_a_seed_and_reach_most_rules() {
    let mut rules = BTreeSet::new();
    for seed in 0..20 {
        let checked = checked(seed);
        for proxy in &proxies(checked.model(), &[]) {
            let asked = requests(proxy, seed, 100);
            assert_eq!(asked, requests(proxy, seed, 100));
            let matcher = Matcher::new(proxy);
            let outcomes = asked.iter().map(|request| matcher.answer(request));
            rules.extend(outcomes.filter_map(|outcome| {
                outcome.taken().map(|taken| (seed, taken.rule.span.start, taken.rule.name.to_string()))
            }));
        }
    }
    assert!(rules.len() > 150, "{}", rules.len());
}
