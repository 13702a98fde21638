//! Sources with mistakes in them, by chance and by intent: reading, formatting, checking and building end, in time, and
//! without a panic.
//!
//! - Mutations of all known sources, for [`SECONDS`] or as long as `MESHC_FUZZ_SECONDS` says, from the seed `MESHC_FUZZ_SEED`; a
//!   finding is written below `corpus`, whose files are tried in every run.
//! - Inputs of one shape that grow ([`GROWING`]): eight times the size may take eight times the time, not sixty-four.

use crate::language;
use crate::project::Sources;
use meshc_language::{FileId, Kind, format, parse};
use meshc_targets::{Gateways, Options, fit, target};
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long mutations are tried in a usual run.
const SECONDS: u64 = 5;

/// The longest that one small source may take: far more than the slowest does on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

const TARGETS: &[&str] = &["istio", "envoy", "nginx"];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nothing_lost/corpus")
}

/// Does with a source all that the program does.
fn run(sources: &Sources) {
    for (at, (_, text)) in sources.files.iter().enumerate() {
        let once = format(FileId(at as u32), text);
        let twice = format(FileId(at as u32), &once.text);
        assert_eq!(once.text, twice.text, "formatting twice is not formatting once");
    }
    let (project, compilation) = sources.check();
    let options = Options { files: &project.files, gateways: Gateways::All, ..Options::default() };
    for checked in compilation.environments.iter().filter_map(|(_, checked)| checked.as_ref()) {
        for name in TARGETS {
            let (fitted, _) = fit(target(name).unwrap(), checked, &options);
            let _ = fitted.map(|fitted| fitted.emit(&options));
        }
    }
}

/// What is wrong with a source: a panic, or too long a time.
fn fault(sources: &Sources) -> Option<String> {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| run(sources)));
    match outcome {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(
                text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_default(),
            )
        }
        Ok(()) if start.elapsed() > LONGEST => Some(format!("takes {:?}", start.elapsed())),
        Ok(()) => None,
    }
}

/// Numbers by chance that are the same for a seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }

    fn of<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> &'t T {
        all[self.below(all.len())]
    }
}

/// Tokens that have been trouble somewhere.
const NASTY: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "\"\"\"",
    "r\"",
    "\\",
    "$",
    "${",
    "$x",
    "@",
    "@allow(",
    "#",
    "##",
    ";",
    ",",
    "->",
    "=",
    ":",
    "\n",
    "\r",
    "\t",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "\u{e9}",
    "\u{1f600}",
    "\u{10ffff}",
    "0",
    "-1",
    "99999999999999999999",
    "1e9",
    "100%",
    "0s",
    "9h",
    "not",
    "and",
    "or",
    "when",
    "in",
    "for $x in [a, b]",
    "apply t()",
    "rest",
    "off",
    "*",
    "**",
    "*.a.com",
    ".",
    "..",
    "/",
    "//",
    "@v1",
    "a@",
    "a:0",
    "::1",
    "r\"(\"",
    "r\"a{9999}\"",
    "\"\\u{110000}\"",
    "\"${x}\"",
    "route r -> web",
    "service web { port http 80 }",
    "%REQ(x)%",
    "%",
    "mesh",
    "istio",
    "kubernetes",
    "{ }",
    "[ ]",
    "( )",
    "\n}\n",
    "\nservice z {\n",
];

/// The places of tokens in a text.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let parsed = parse(FileId(0), text);
    let is_token = |kind: Kind| {
        matches!(kind, Kind::Word | Kind::Text | Kind::Raw | Kind::TextBlock | Kind::Arrow | Kind::Comma)
    };
    let nodes = parsed
        .tree
        .nodes()
        .filter(|(_, kind, _)| is_token(*kind) || matches!(kind, Kind::Statement | Kind::Block));
    nodes.map(|(_, _, span)| (span.start as usize, span.end as usize)).collect()
}

/// One change, of the kind that a hand or a merge makes.
fn mutate(text: &mut String, other: &str, chance: &mut Chance) {
    let places = tokens(text);
    let (start, end) = if places.is_empty() { (0, 0) } else { places[chance.below(places.len())] };
    let (second, second_end) = if places.is_empty() { (0, 0) } else { places[chance.below(places.len())] };
    match chance.below(9) {
        0 => text.replace_range(start..end, ""),
        1 => text.replace_range(start..end, chance.of(NASTY)),
        2 => text.insert_str(start, chance.of(NASTY)),
        3 => text.insert_str(end, &format!(" {} ", chance.of(NASTY))),
        4 => {
            let copy = text[start..end].to_owned();
            text.insert_str(second, &format!(" {copy} "));
        }
        5 => {
            let copy = text[start..end].to_owned();
            text.replace_range(second..second_end, &copy);
        }
        6 => {
            let theirs = tokens(other);
            let (start, end) = if theirs.is_empty() { (0, 0) } else { theirs[chance.below(theirs.len())] };
            text.insert_str(second, &format!("\n{}\n", &other[start..end]));
        }
        7 => {
            let copy = text[start..end].to_owned();
            let times = 1 + chance.below(40);
            text.insert_str(end, &format!(" {copy}").repeat(times));
        }
        _ => {
            let mut at = chance.below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.truncate(at);
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn no_mistake_is_the_end_of_the_program() {
    let mut seeds = Sources::of_the_repository();
    seeds.extend(language::sources());
    let mut chance = Chance(number("MESHC_FUZZ_SEED", 0x9E37_79B9_7F4A_7C15) | 1);
    let end = Instant::now() + Duration::from_secs(number("MESHC_FUZZ_SECONDS", SECONDS));
    let (mut tried, mut found) = (0, Vec::new());
    while Instant::now() < end {
        let mut sources = seeds[chance.below(seeds.len())].clone();
        let other = seeds[chance.below(seeds.len())].files[0].1.clone();
        for _ in 0..=chance.below(4) {
            let file = chance.below(sources.files.len());
            let text = &mut sources.files[file].1;
            if text.len() < 100_000 {
                mutate(text, &other, &mut chance);
            }
        }
        tried += 1;
        if let Some(fault) = fault(&sources) {
            let text: String = sources.files.iter().map(|(_, text)| text.as_str()).collect();
            let path = corpus().join(format!("found-{}.mesh", chance.below(1_000_000)));
            fs::create_dir_all(corpus()).unwrap();
            fs::write(&path, text).unwrap();
            found.push(format!("{}: {fault}", path.display()));
        }
    }
    let _ = writeln!(std::io::stderr(), "fuzz: {tried} mutated sources, {} faults", found.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_was_found_before_stays_mended() {
    let mut tried = 0;
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let fault = fault(&Sources::of_one("corpus", text));
        assert_eq!(fault, None, "{}", path.display());
        tried += 1;
    }
    assert!(tried > 0);
}

/// A project of a shape and a size.
type Growing = (&'static str, usize, fn(usize) -> Vec<(String, String)>);

fn one(text: String) -> Vec<(String, String)> {
    vec![("case".to_owned(), text)]
}

fn repeated(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect()
}

const WEB: &str = "service web { port http 80 }\n";

/// Shapes of input, each with a size that takes long enough to be measured.
const GROWING: &[Growing] = &[
    ("comparisons", 3000, |n| {
        let tests: Vec<String> = (0..n).map(|at| format!("header x{at} is \"a\"")).collect();
        one(format!("{WEB}host web {{\n  route r when {} -> web\n}}\n", tests.join(" and ")))
    }),
    ("not", 5000, |n| {
        one(format!(
            "{WEB}host web {{\n  route r when {} header x present -> web\n  route s -> web\n}}\n",
            "not ".repeat(n)
        ))
    }),
    ("modules in a chain", 300, |n| {
        (0..n)
            .map(|at| match at {
                0 => ("m0".to_owned(), "pub const $c0 = 3s\n".to_owned()),
                _ => (
                    format!("m{at}"),
                    format!("use m{} ($c{})\npub const $c{at} = $c{}\n", at - 1, at - 1, at - 1),
                ),
            })
            .collect()
    }),
    ("modules in a circle", 300, |n| {
        (0..n)
            .map(|at| (format!("m{at}"), format!("use m{} ($c)\npub const $c = 3s\n", (at + 1) % n)))
            .collect()
    }),
    ("values of environments", 60, |n| {
        let parameters = repeated(n, |at| format!("param $p{at}: duration\n"));
        let values = repeated(n, |at| format!("  $p{at} = 3s\n"));
        let environments = repeated(8, |at| format!("env e{at} {{\n{values}}}\n"));
        one(format!("{parameters}{environments}"))
    }),
    ("names that lead nowhere", 100, |n| {
        let services = repeated(n, |at| format!("service service-{at} {{ port http 80 }}\n"));
        let routes = repeated(n, |at| format!("  route r{at} when path is \"/{at}\" -> servise-{at}\n"));
        one(format!("{services}host web {{\n{routes}}}\n"))
    }),
    ("uses of one broken definition", 500, |n| {
        let routes = repeated(n, |at| format!("  route r{at} when path is \"/{at}\" -> web\n"));
        one(format!("servise web {{ port http 80 }}\nhost a.com {{\n{routes}}}\n"))
    }),
    ("statements that are unknown", 300, |n| {
        one(format!("service web {{\n{}}}\n", repeated(n, |at| format!("  prot{at} http 80\n"))))
    }),
    ("blocks apart from their statements", 300, |n| {
        one(repeated(n, |at| format!("service web-{at}\n{{ port http 80 }}\n")))
    }),
    ("attributes", 500, |n| {
        one(format!("{}{WEB}", repeated(n, |at| format!("@allow(MESH0608, because: \"{at}\")\n"))))
    }),
    ("open strings", 300, |n| one(repeated(n, |at| format!("service web-{at} {{ host \"a }}\n")))),
    ("open braces", 300, |n| one(repeated(n, |at| format!("service web-{at} {{\n  port http 80\n")))),
    ("variables in a text", 1_000, |n| {
        one(format!(
            "const $x = \"a\"\n{WEB}host web {{\n  route r -> respond 200 \"{}\"\n}}\n",
            "${x}".repeat(n)
        ))
    }),
    ("a list", 1_000, |n| {
        let names: Vec<String> = (0..n).map(|at| format!("h{at}.example.com")).collect();
        one(format!("external ext {{\n  hosts {}\n  port http 80\n  resolve dns\n}}\n", names.join(", ")))
    }),
    ("headers", 500, |n| {
        let lines = repeated(n, |at| format!("      set x-{at} \"a\"\n"));
        one(format!(
            "{WEB}host web {{\n  route r -> web {{\n    request-headers {{\n{lines}    }}\n  }}\n}}\n"
        ))
    }),
    ("subsets", 300, |n| {
        let subsets = repeated(n, |at| format!("  subset v{at} {{ labels version=v{at} }}\n"));
        one(format!("service web {{\n  port http 80\n{subsets}}}\n"))
    }),
    ("routes", 200, |n| {
        let routes = repeated(n, |at| format!("  route r{at} when path prefix \"/{at}/\" -> web\n"));
        one(format!("{WEB}host web {{\n{routes}}}\nbindings {{ default kubernetes }}\n"))
    }),
    ("nested lists in raw configuration", 500, |n| {
        one(format!(
            "{WEB}host web {{ route r -> web }}\nraw istio on host web \"\"\"\nspec:\n  exportTo: {}{}\n\"\"\"\n",
            "[".repeat(n),
            "]".repeat(n)
        ))
    }),
    ("parentheses", 500, |n| {
        one(format!(
            "{WEB}host web {{\n  route r when {}path is \"/\"{} -> web\n}}\n",
            "(".repeat(n),
            ")".repeat(n)
        ))
    }),
    ("loops in items", 10, |n| {
        let loops = "for $a in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] { for $b in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] { for $c in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] { timeout 3s } } }";
        one(format!(
            "{WEB}{}",
            repeated(n, |at| format!("host a{at}.com {{ route r -> web {{ {loops} }} }}\n"))
        ))
    }),
    ("gateways", 60, |n| {
        let gateways = repeated(n, |at| {
            format!(
                "gateway g{at} {{\n  workload app=g{at}\n  listen http 80 {{ hosts a{at}.com }}\n}}\nhost a{at}.com via g{at} {{ route r -> web }}\n"
            )
        });
        one(format!("{WEB}{gateways}bindings {{ default kubernetes }}\n"))
    }),
    ("gateways of one workload that redirect", 60, |n| {
        let gateways = repeated(n, |at| {
            format!(
                "gateway g{at} {{\n  workload app=g\n  listen http 80 {{ hosts *.a{at}.com; redirect https }}\n}}\nhost *.a{at}.com via g{at} {{ route r -> web }}\n\
                 gateway h{at} {{\n  workload app=g\n  listen http 80 {{ hosts b.a{at}.com }}\n}}\nhost b.a{at}.com via h{at} {{ route r -> web }}\n"
            )
        });
        one(format!("{WEB}{gateways}"))
    }),
    ("routes of all kinds", 100, |n| {
        let routes = repeated(n, |at| match at % 4 {
            0 => format!("  route r{at} when path prefix \"/{at}/\" -> web\n"),
            1 => format!("  route r{at} when path is \"/{at}\" and method is GET -> web\n"),
            2 => format!("  route r{at} when header x-{at} is \"1\" -> web\n"),
            _ => format!("  route r{at} when path matches r\"/x{at}/[^/]+\" -> web\n"),
        });
        one(format!("{WEB}host web {{\n{routes}}}\nbindings {{ default kubernetes }}\n"))
    }),
];

/// What the thread that asks has needed of a processor; a busy machine is no part of it.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

#[test]
fn eight_times_the_input_takes_eight_times_the_time() {
    let mut faults = Vec::new();
    let only = std::env::var("GROWING").unwrap_or_default();
    // One thread of its own: work of other tests that run meanwhile is none of its time.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for (name, size, make) in GROWING.iter().filter(|(name, ..)| name.contains(&only)) {
        let time = |size: usize| {
            let sources = Sources { name: (*name).to_owned(), files: make(size), focus: None };
            alone.install(|| {
                let start = processor_time();
                run(&sources);
                processor_time() - start
            })
        };
        let small = time(*size).min(time(*size));
        let large = time(8 * size);
        let times = large.as_secs_f64() / small.as_secs_f64().max(0.004);
        let _ =
            writeln!(std::io::stderr(), "{name}: {small:?}, eight times as much {large:?}: {times:.1} times");
        if times > 40.0 {
            faults.push(format!("{name}: {times:.0} times the work for eight times the input"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
