//! Times `meshc check`, and `meshc build` for each target, on generated meshes, beside the limit of reading and writing the bytes of
//! what Istio gets.

use crate::process::{finish, watch};
use crate::tree;
use meshc_bench::{Layout, files};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What to measure.
pub(crate) struct Options {
    /// The binary, as an absolute path.
    pub(crate) meshc: PathBuf,
    /// Timed runs of each command; the median counts.
    pub(crate) runs: usize,
    /// Also 100,000 services.
    pub(crate) huge: bool,
}

/// What is built, Istio first: the others are compared with it.
const TARGETS: [&str; 3] = ["istio", "envoy", "nginx"];

/// One mesh in one layout, with its folders.
struct Bench {
    services: usize,
    layout: Layout,
    source: PathBuf,
    /// What meshc built, kept as the pattern of the limit.
    product: PathBuf,
    /// Where timed runs write; emptied before each.
    out: PathBuf,
}

struct Measured {
    services: usize,
    layout: Layout,
    source_bytes: u64,
    limit: Duration,
    check: Duration,
    check_memory: Option<u64>,
    /// One for each of [`TARGETS`].
    builds: Vec<Built>,
}

/// What a build for one target took.
struct Built {
    target: &'static str,
    product_bytes: u64,
    time: Duration,
    memory: Option<u64>,
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    let folder = std::env::temp_dir().join(format!("meshc-bench-{}", std::process::id()));
    let measured = measure_all(options, &folder);
    tree::remove(&folder)?;
    io::stdout().write_all(table(&measured?).as_bytes())
}

fn measure_all(options: &Options, folder: &Path) -> io::Result<Vec<Measured>> {
    let sizes: &[usize] = if options.huge { &[100, 1_000, 10_000, 100_000] } else { &[100, 1_000, 10_000] };
    let mut measured = Vec::new();
    for &services in sizes {
        for layout in [Layout::OneFile, Layout::FilePerService] {
            let bench = Bench {
                services,
                layout,
                source: folder.join("source"),
                product: folder.join("product"),
                out: folder.join("out"),
            };
            measured.push(bench.measure(options)?);
            tree::remove(folder)?;
        }
    }
    Ok(measured)
}

impl Bench {
    fn measure(&self, options: &Options) -> io::Result<Measured> {
        for file in files(self.services, self.layout) {
            tree::write(&self.source.join(file.path), file.text.as_bytes())?;
        }
        let (source, product, out) =
            (self.source.as_os_str(), self.product.as_os_str(), self.out.as_os_str());
        let meshc = |arguments: &[&std::ffi::OsStr]| {
            let mut command = Command::new(&options.meshc);
            command.args(arguments);
            command
        };
        let check = || meshc(&["check".as_ref(), source]);
        let build = |target: &'static str, out| {
            meshc(&["build".as_ref(), source, "--target".as_ref(), target.as_ref(), "--out".as_ref(), out])
        };
        let limit = || -> io::Result<Command> {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("limit").args([source, product, out]);
            Ok(command)
        };
        let mut builds = Vec::new();
        for target in TARGETS.iter().rev() {
            tree::remove(&self.product)?;
            finish(build(target, product))?;
            builds.push(Built {
                target,
                product_bytes: tree::size(&self.product)?,
                time: self.median(options.runs, || Ok(build(target, out)))?,
                memory: self.peak_memory(build(target, out))?,
            });
        }
        builds.reverse();
        // What Istio gets was built last, and is the pattern of the limit.
        Ok(Measured {
            services: self.services,
            layout: self.layout,
            source_bytes: tree::size(&self.source)?,
            limit: self.median(options.runs, limit)?,
            check: self.median(options.runs, || Ok(check()))?,
            check_memory: self.peak_memory(check())?,
            builds,
        })
    }

    /// Median wall time of `runs` runs, each writing into a folder that is not there yet.
    fn median(&self, runs: usize, command: impl Fn() -> io::Result<Command>) -> io::Result<Duration> {
        let mut times = Vec::new();
        for _ in 0..runs {
            tree::remove(&self.out)?;
            let command = command()?;
            let start = Instant::now();
            finish(command)?;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        times.get(runs / 2).copied().ok_or_else(|| io::Error::other("no run was asked for"))
    }

    /// Largest resident memory of a run of its own, in bytes, which is not timed because it is watched; `None` where
    /// the system does not tell.
    fn peak_memory(&self, command: Command) -> io::Result<Option<u64>> {
        tree::remove(&self.out)?;
        Ok(watch(command)?.memory)
    }
}

fn table(measured: &[Measured]) -> String {
    let mut text = String::from(
        "| services | layout | source MB | limit ms | check ms | check MB |\n|---:|---|---:|---:|---:|---:|\n",
    );
    for row in measured {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {:.1} | {:.1} | {} |",
            row.services,
            name(row.layout),
            megabytes(row.source_bytes),
            milliseconds(row.limit),
            milliseconds(row.check),
            memory(row.check_memory),
        );
    }
    text.push('\n');
    text.push_str(&builds(measured));
    text.push('\n');
    text.push_str(&growth(measured));
    text
}

/// The builds, each beside that for Istio.
fn builds(measured: &[Measured]) -> String {
    let mut text = String::from(
        "| services | layout | target | output MB | build ms | build MB | build / istio |\n\
         |---:|---|---|---:|---:|---:|---:|\n",
    );
    for row in measured {
        let Some(istio) = row.builds.first() else { continue };
        for built in &row.builds {
            let (services, layout) = (row.services, name(row.layout));
            let Built { target, product_bytes, time, memory: peak } = built;
            let ratio = time.as_secs_f64() / istio.time.as_secs_f64();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {services} | {layout} | {target} | {:.1} | {:.1} | {} | {ratio:.1} |",
                megabytes(*product_bytes),
                milliseconds(*time),
                memory(*peak),
            );
        }
    }
    text
}

/// How time grows from each size to the next, ten times larger: 10 is linear.
fn growth(measured: &[Measured]) -> String {
    let mut text = format!("| from | to | layout | check | {} |\n", TARGETS.join(" | "));
    let _ = writeln!(text, "|---:|---:|---|---:|{}", "---:|".repeat(TARGETS.len()));
    for small in measured {
        let next = |large: &&Measured| large.services == small.services * 10 && large.layout == small.layout;
        let Some(large) = measured.iter().find(next) else { continue };
        let times =
            |large: Duration, small: Duration| format!("{:.1} x", large.as_secs_f64() / small.as_secs_f64());
        let builds =
            large.builds.iter().zip(&small.builds).map(|(large, small)| times(large.time, small.time));
        let all: Vec<String> = std::iter::once(times(large.check, small.check)).chain(builds).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            small.services,
            large.services,
            name(small.layout),
            all.join(" | ")
        );
    }
    text
}

fn name(layout: Layout) -> &'static str {
    match layout {
        Layout::OneFile => "one file",
        Layout::FilePerService => "file per service",
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn memory(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{:.0}", megabytes(bytes)))
}
