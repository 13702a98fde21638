//! The command line.

use crate::examples::EXAMPLES;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use meshc_targets::envoy;
use meshc_targets::istio::ApiVersion;
use meshc_targets::{Split, TARGETS};
use std::path::PathBuf;

/// A compiler for typed mesh policy: checks `.mesh` sources and writes the configuration of a service mesh.
#[derive(Debug, Parser)]
#[command(name = "meshc", bin_name = "meshc", disable_version_flag = true, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// When to colour what is printed
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Report errors and warnings only: no notes, no summaries, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show each note in full; with `--version`, also the commit and the platform
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Print the version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 findings, 2 wrong usage or a file that cannot be read or written, 3 a bug in meshc";

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a small working project
    Init(Init),
    /// Report every provable mistake, in all environments
    Check(Check),
    /// Check, then write the configuration of each target
    Build(Build),
    /// Build now, and again whenever a source changes
    Watch(Watch),
    /// Run the real proxy on this machine and compare it with the sources
    #[command(long_about = VERIFY_HELP)]
    Verify(Verify),
    /// Format sources: layout only, while `fix` changes words
    Fmt(Fmt),
    /// Apply the edits that reports propose
    Fix(Fix),
    /// Explain a code of a report
    Explain(Explain),
    /// Show what each target supports
    Targets(Targets),
    /// Build as a KRM function, for kustomize and kpt
    #[command(long_about = KRM_HELP)]
    Krm,
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page, or write those of all commands
    Man(Man),
    /// Print the language reference
    Reference,
}

/// `meshc init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Folder of the new project
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Start with this example
    #[arg(long, value_name = "NAME", value_parser = example_names())]
    pub(crate) from_example: Option<String>,
}

/// `meshc check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files or folders; the project that they belong to is checked as a whole [default: .]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Check this environment only; may be repeated [default: all]
    #[arg(long, value_name = "ENV", value_delimiter = ',')]
    pub(crate) env: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

/// Values for one run.
#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Give a parameter this value, overriding environments and defaults; may be repeated
    #[arg(long, value_name = "'$NAME=VALUE'")]
    pub(crate) set: Vec<String>,
}

/// How to report, and what fails a run.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Reporting {
    /// Fail on these too
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) deny: Option<Deny>,
    /// How reports are written; all but `human` go to standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// What fails a run beside errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Warnings
    Warnings,
}

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, with the source line
    Human,
    /// An array of objects
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of GitHub workflows
    Github,
    /// A code quality report of GitLab
    Gitlab,
    /// JUnit's XML, for servers that show tests
    Junit,
    /// A table in Markdown, for comments and summaries
    Markdown,
}

/// `meshc build`.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Files or folders; the project that they belong to is built as a whole [default: .]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Targets to build for [default: those of mesh.toml, or istio]
    #[arg(long, value_name = "TARGET", value_delimiter = ',', value_parser = target_names())]
    pub(crate) target: Vec<String>,
    /// Build this environment only; may be repeated [default: all]
    #[arg(long, value_name = "ENV", value_delimiter = ',')]
    pub(crate) env: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Output folder, may contain {env} and {target}; `-` prints everything [default: that of mesh.toml, or out]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing; fail if the output folder is out of date
    #[arg(long)]
    pub(crate) locked: bool,
    /// Version of Istio's API
    #[arg(long, value_name = "VERSION", value_parser = words(&ApiVersion::WORDS))]
    pub(crate) api_version: Option<String>,
    /// One file for each of these
    #[arg(long, value_name = "UNIT", value_parser = words(&Split::WORDS))]
    pub(crate) split: Option<String>,
    /// How Envoy's configuration is written; JSON loads in about half the time
    #[arg(long, value_name = "FORMAT", value_parser = words(&envoy::Format::WORDS))]
    pub(crate) envoy_format: Option<String>,
    /// How Envoy's configuration is split into files
    #[arg(long, value_name = "LAYOUT", value_parser = words(&envoy::Layout::WORDS))]
    pub(crate) envoy_layout: Option<String>,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
}

/// `meshc watch`.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) build: Build,
}

const KRM_HELP: &str = "\
Build as a function of Kubernetes' resource model (KRM)

Reads a ResourceList on standard input and writes it with the resources of a mesh project added, as `kustomize build` wants it of \
a generator. Its functionConfig is a `MeshBuild` of `meshc/v1`; its `spec` has `path` (a project below the current folder) or \
`sources` (file names and texts), and may have `env`, `target` (default: istio) and `set` (parameters and values). Findings \
are in `results`; the exit code is 1 if there is an error among them.";

const VERIFY_HELP: &str = "\
Run the real proxy on this machine and compare it with the sources

Starts envoy or nginx on 127.0.0.1 with the configuration that meshc writes, and test upstreams in place of the \
endpoints. Sends at least one request for each rule, and one that just misses it, and compares the outcome with the \
sources: destination, path, host and headers there, redirects, statuses, TLS, when a gRPC call with a deadline ends, and weights within \
bounds that a correct proxy exceeds once in a million runs.

Not tested: timeouts other than those of gRPC calls, retries and ejection; CORS; the headers `x-forwarded-*`; which versions of TLS are refused; and \
whether a destination with a wrong certificate is refused. Of a list of alternatives in a condition, such as `method in [GET, PUT]`, \
only one element is tested.

Nothing is written but a temporary folder; nothing is sent beyond 127.0.0.1.";

/// `meshc verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Files or folders; the project that they belong to is verified as a whole [default: .]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The target to verify: its proxy is started here
    #[arg(long, value_name = "TARGET", value_parser = started_names())]
    pub(crate) target: String,
    /// Verify this environment only; may be repeated [default: all]
    #[arg(long, value_name = "ENV", value_delimiter = ',')]
    pub(crate) env: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// The proxy's program [default: envoy or nginx on PATH]
    #[arg(long, value_name = "PATH")]
    pub(crate) program: Option<PathBuf>,
    /// Number of requests for a rule with percentages
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) requests: u64,
    /// How long the proxy may take to start, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) patience: u64,
    /// Send only this request, and show where it goes; may be repeated
    #[arg(long, value_name = "'GET URL [-H NAME: VALUE]'", conflicts_with = "format")]
    pub(crate) show: Vec<String>,
    /// How the outcome is written; `json` goes to standard output
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub(crate) format: ListFormat,
    /// Keep configuration, certificates and the proxy's output in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// `meshc fmt`.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Files or folders [default: the project]; `-` reads standard input and prints
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Write nothing; fail if a file is not in canonical form
    #[arg(long)]
    pub(crate) check: bool,
    /// How reports are written; all but `human` go to standard output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// `meshc fix`.
#[derive(Debug, Args)]
pub(crate) struct Fix {
    /// Files or folders to change [default: the project]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Also apply guesses, and edits that change where traffic goes
    #[arg(long = "unsafe")]
    pub(crate) with_unsafe: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// `meshc explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code, such as MESH0201; without one, all codes are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with = "code")]
    pub(crate) list: bool,
    /// How the list is written
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub(crate) format: ListFormat,
}

/// A format of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Human,
    /// JSON
    Json,
}

/// `meshc targets`.
#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// How the matrix is written
    #[arg(long, value_enum, default_value_t = TableFormat::Human)]
    pub(crate) format: TableFormat,
    /// Omit means, caveats and reasons
    #[arg(long)]
    pub(crate) brief: bool,
}

/// A format of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    Human,
    /// JSON
    Json,
    /// A table in Markdown
    Markdown,
}

/// `meshc completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `meshc man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

fn example_names() -> clap::builder::PossibleValuesParser {
    EXAMPLES.iter().map(|(name, _)| *name).collect::<Vec<_>>().into()
}

fn target_names() -> clap::builder::PossibleValuesParser {
    TARGETS.iter().map(|target| target.name()).collect::<Vec<_>>().into()
}

/// The targets whose proxy `verify` starts: that of Istio needs a cluster.
fn started_names() -> clap::builder::PossibleValuesParser {
    crate::rig::Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().into()
}

fn words<T>(words: &[(&'static str, T)]) -> clap::builder::PossibleValuesParser {
    words.iter().map(|(word, _)| *word).collect::<Vec<_>>().into()
}

/// The value of a word.
pub(crate) fn find_word<T: Copy>(words: &[(&'static str, T)], wanted: &str) -> Option<T> {
    words.iter().find(|(word, _)| *word == wanted).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
