//! `mesh.toml`: what a project says about itself.

use crate::args::find_word;
use crate::exit::Failure;
use meshc_compiler::model::Controller;
use meshc_compiler::values::{Duration, Fqdn, Literal, Namespace, ValueError, did_you_mean};
use meshc_compiler::{Level, Levels};
use meshc_language::{Code, Severity};
use meshc_targets::envoy::{self, EnvoyOptions};
use meshc_targets::istio::{Ambient, ApiVersion, Releases};
use meshc_targets::nginx::NginxOptions;
use meshc_targets::{EdgeOptions, Gateways, Split, TARGETS, Target};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use toml::Spanned;

/// Name of the file; the folder that holds it is the root of the project.
pub(crate) const FILE_NAME: &str = "mesh.toml";

/// The editions of the language. A project that names none has the first.
const EDITIONS: [&str; 1] = ["2026"];

/// What stands in an output folder for the environment and the target.
pub(crate) const ENVIRONMENT_PLACE: &str = "{env}";
pub(crate) const TARGET_PLACE: &str = "{target}";

/// The settings of a project.
pub(crate) struct Manifest {
    /// What is built.
    pub(crate) targets: Vec<&'static dyn Target>,
    /// What else the project builds, where a run builds other targets than the project.
    pub(crate) other_targets: Vec<&'static dyn Target>,
    /// Output folder below the root, with places for environment and target or without.
    pub(crate) out: String,
    /// The environment of a run that takes one, such as `build --out -`, where none is named.
    pub(crate) default_environment: Option<String>,
    /// The domain of the cluster.
    pub(crate) cluster_domain: String,
    /// Levels of warnings and notes.
    pub(crate) levels: Levels,
    /// The version of Istio's API.
    pub(crate) api_version: ApiVersion,
    /// The releases of Istio that the clusters run.
    pub(crate) releases: Releases,
    /// Where waypoints route in place of sidecars.
    pub(crate) ambient: Ambient,
    /// How resources are spread over files.
    pub(crate) split: Split,
    /// Whether the names of routes are written into Istio's resources.
    pub(crate) route_names: bool,
    /// Which gateways are built for raw proxies: their own, or, where only one target is built, all of them.
    pub(crate) gateways: Gateways,
    /// Limits of gateways that raw proxies carry.
    pub(crate) edge: EdgeOptions,
    /// How Envoy is configured.
    pub(crate) envoy: EnvoyOptions,
    /// How nginx is configured.
    pub(crate) nginx: NginxOptions,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            targets: TARGETS.iter().copied().take(1).collect(),
            other_targets: Vec::new(),
            out: "out".to_owned(),
            default_environment: None,
            cluster_domain: "cluster.local".to_owned(),
            levels: Levels::new(),
            api_version: ApiVersion::default(),
            releases: Releases::default(),
            ambient: Ambient::default(),
            split: Split::default(),
            route_names: true,
            gateways: Gateways::All,
            edge: EdgeOptions::default(),
            envoy: EnvoyOptions::default(),
            nginx: NginxOptions::default(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    edition: Option<Spanned<String>>,
    targets: Option<Spanned<Vec<Spanned<String>>>>,
    out: Option<Spanned<String>>,
    default_env: Option<String>,
    cluster_domain: Option<Spanned<String>>,
    #[serde(default)]
    lints: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    istio: WrittenIstio,
    #[serde(default)]
    edge: WrittenEdge,
    #[serde(default)]
    envoy: WrittenEnvoy,
    #[serde(default)]
    nginx: WrittenNginx,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenIstio {
    api_version: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    ambient: Option<Spanned<WrittenAmbient>>,
    split: Option<Spanned<String>>,
    route_names: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "write `true`, `false`, or a list of namespaces")]
enum WrittenAmbient {
    Mesh(bool),
    Namespaces(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenEnvoy {
    format: Option<Spanned<String>>,
    layout: Option<Spanned<String>>,
    admin: Option<Spanned<String>>,
    root: Option<Spanned<String>>,
    connections: Option<Spanned<u64>>,
    buffer: Option<Spanned<u64>>,
    retry_buffer: Option<Spanned<u64>>,
    heap: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenEdge {
    idle_timeout: Option<Spanned<String>>,
    header_timeout: Option<Spanned<String>>,
    request_timeout: Option<Spanned<String>>,
    stream_idle_timeout: Option<Spanned<String>>,
    streams: Option<Spanned<u64>>,
    ipv6: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenNginx {
    resolver: Option<Spanned<Vec<Spanned<String>>>>,
    resolver_ipv6: Option<bool>,
    access_log: Option<Spanned<String>>,
    stream_module: Option<Spanned<String>>,
    worker_connections: Option<Spanned<u64>>,
    resolver_timeout: Option<Spanned<String>>,
}

impl Manifest {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, error))?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::file("read", path, "it is not UTF-8"))?;
        Self::parse(&text).map_err(|fault| fault.place(path, &text))
    }

    /// Reads the text of the file.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let written: Written = toml::from_str(text).map_err(|error| Fault::of_toml(&error, text))?;
        if let Some(edition) = &written.edition {
            one_of("edition", edition, EDITIONS.iter().map(|edition| (*edition, ())))?;
        }
        let mut manifest = Self::default();
        if let Some(targets) = &written.targets {
            manifest.targets = read_targets(targets)?;
            if manifest.targets.len() > 1 {
                let of_istio = manifest.targets.iter().any(|one| one.name() == Controller::Istio.word());
                manifest.gateways = if of_istio { Gateways::Own } else { Gateways::OwnWithoutIstio };
            }
        }
        if let Some(out) = written.out {
            manifest.out = read_out(&out)?;
        }
        manifest.default_environment = written.default_env;
        if let Some(domain) = written.cluster_domain {
            Fqdn::parse(domain.as_ref()).map_err(|error| Fault::at(domain.span(), error.message))?;
            manifest.cluster_domain = domain.into_inner();
        }
        for (code, level) in &written.lints {
            let (code, level) = read_lint(code, level)?;
            manifest.levels.insert(code, level);
        }
        if let Some(version) = &written.istio.api_version {
            manifest.api_version = one_of("api-version", version, ApiVersion::WORDS)?;
        }
        if let Some(version) = &written.istio.version {
            manifest.releases =
                Releases::parse(version.as_ref()).map_err(|error| Fault::of_value(version.span(), error))?;
        }
        if let Some(ambient) = written.istio.ambient {
            manifest.ambient = read_ambient(ambient)?;
        }
        if let Some(refused) = manifest.unknown_api_version() {
            let span = written.istio.api_version.as_ref().map_or(0..0, Spanned::span);
            return Err(
                Fault::at(span, refused).help("leave `api-version` out: every release takes `v1alpha3`")
            );
        }
        if let Some(split) = &written.istio.split {
            manifest.split = one_of("split", split, Split::WORDS)?;
        }
        manifest.route_names = written.istio.route_names.unwrap_or(true);
        manifest.edge = read_edge(&written.edge)?;
        manifest.envoy = read_envoy(&written.envoy)?;
        manifest.nginx = read_nginx(&written.nginx)?;
        Ok(manifest)
    }

    /// What is wrong with the version of the API, if the oldest release does not have it.
    pub(crate) fn unknown_api_version(&self) -> Option<String> {
        let needed = self.api_version.since();
        (self.releases.oldest < needed).then(|| {
            format!(
                "`networking.istio.io/v1` came with Istio {needed}, and clusters of this project run {}",
                self.releases.oldest
            )
        })
    }

    /// Builds these targets in place of those of the project. Asked for by name, a target builds every gateway, whoever implements
    /// it: for trying it out.
    pub(crate) fn overrule_targets(&mut self, targets: Vec<&'static dyn Target>) {
        self.other_targets = std::mem::replace(&mut self.targets, targets);
        self.gateways = Gateways::All;
    }

    /// The part of the output folder that is the same for all environments and targets: no source stands below it.
    pub(crate) fn fixed_out(&self) -> Option<PathBuf> {
        let fixed: PathBuf = Path::new(&self.out)
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains('{'))
            .filter(|part| !matches!(part, Component::CurDir))
            .collect();
        (!fixed.as_os_str().is_empty()).then_some(fixed)
    }
}

fn read_ambient(written: Spanned<WrittenAmbient>) -> Result<Ambient, Fault> {
    let span = written.span();
    let namespaces = match written.into_inner() {
        WrittenAmbient::Mesh(true) => return Ok(Ambient::Everywhere),
        WrittenAmbient::Mesh(false) => return Ok(Ambient::Nowhere),
        WrittenAmbient::Namespaces(namespaces) => namespaces,
    };
    for name in &namespaces {
        Namespace::parse(name).map_err(|error| Fault::of_value(span.clone(), error))?;
    }
    Ok(Ambient::In(namespaces))
}

fn read_targets(written: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<&'static dyn Target>, Fault> {
    let mut targets: Vec<&'static dyn Target> = Vec::new();
    for name in written.as_ref() {
        let target = one_of("target", name, TARGETS.iter().map(|target| (target.name(), *target)))?;
        if targets.iter().any(|known| known.name() == target.name()) {
            return Err(Fault::at(name.span(), format!("target `{}` is listed twice", target.name())));
        }
        targets.push(target);
    }
    if targets.is_empty() {
        return Err(Fault::at(written.span(), "`targets` is empty").help("add one, or remove `targets`"));
    }
    Ok(targets)
}

fn read_envoy(written: &WrittenEnvoy) -> Result<EnvoyOptions, Fault> {
    let WrittenEnvoy { format, layout, admin, root, connections, buffer, retry_buffer, heap } = written;
    let mut options = EnvoyOptions::default();
    if let Some(format) = format {
        options.format = one_of("format", format, envoy::Format::WORDS)?;
    }
    if let Some(layout) = layout {
        options.layout = one_of("layout", layout, envoy::Layout::WORDS)?;
    }
    if let Some(admin) = admin {
        options.admin = read_admin(admin)?;
    }
    if let Some(root) = root {
        let plain = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
        if !root.as_ref().starts_with('/') || !root.as_ref().chars().all(plain) {
            return Err(Fault::at(root.span(), "this is not the path of a folder")
                .help("write the absolute path of the folder that holds the files where Envoy runs"));
        }
        root.as_ref().trim_end_matches('/').clone_into(&mut options.root);
    }
    put_number(connections.as_ref(), 1, &mut options.connections)?;
    // What Envoy reads at once is larger than less.
    put_number(buffer.as_ref(), 4_096, &mut options.buffer)?;
    put_number(retry_buffer.as_ref(), 1, &mut options.retry_buffer)?;
    if let Some(heap) = heap {
        let mut bytes = 0;
        put_number(Some(heap), 0, &mut bytes)?;
        options.heap = Some(bytes).filter(|bytes| *bytes > 0);
    }
    Ok(options)
}

/// The place of Envoy's administration: `off`, an address with a port, or the path of a socket.
fn read_admin(written: &Spanned<String>) -> Result<envoy::Admin, Fault> {
    let text = written.as_ref().as_str();
    if text == "off" {
        return Ok(envoy::Admin::Off);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(envoy::Admin::Address(address));
    }
    let rest = text.replace(envoy::PROXY_PLACE, "");
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
    if rest.starts_with('/') && rest.chars().all(plain) {
        return Ok(envoy::Admin::Socket(text.to_owned()));
    }
    Err(Fault::at(written.span(), "invalid address of the admin interface").help(format!(
        "write an address with a port such as `127.0.0.1:15001`, the path of a socket such as `/run/envoy/{}.sock`, or `off`",
        envoy::PROXY_PLACE
    )))
}

fn read_edge(written: &WrittenEdge) -> Result<EdgeOptions, Fault> {
    let WrittenEdge { idle_timeout, header_timeout, request_timeout, stream_idle_timeout, streams, ipv6 } =
        written;
    let mut options = EdgeOptions::default();
    put_time(idle_timeout.as_ref(), &mut options.idle_timeout)?;
    put_time(header_timeout.as_ref(), &mut options.header_timeout)?;
    put_time(request_timeout.as_ref(), &mut options.request_timeout)?;
    put_time(stream_idle_timeout.as_ref(), &mut options.stream_idle_timeout)?;
    put_number(streams.as_ref(), 1, &mut options.streams)?;
    options.ipv6 = ipv6.unwrap_or(options.ipv6);
    Ok(options)
}

/// A length of time, or `off`.
fn put_time(written: Option<&Spanned<String>>, to: &mut Option<Duration>) -> Result<(), Fault> {
    let Some(written) = written else { return Ok(()) };
    if written.as_ref() == "off" {
        *to = None;
        return Ok(());
    }
    *to = Some(read_time(written)?);
    Ok(())
}

fn read_time(written: &Spanned<String>) -> Result<Duration, Fault> {
    Duration::parse(written.as_ref()).map_err(|error| {
        Fault::at(written.span(), error.message).help("write a duration, such as `60s` or `5m`")
    })
}

/// A number of at least `least`.
fn put_number<T: TryFrom<u64>>(written: Option<&Spanned<u64>>, least: u64, to: &mut T) -> Result<(), Fault> {
    let Some(written) = written else { return Ok(()) };
    let number = Some(*written.as_ref()).filter(|number| *number >= least);
    *to = number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
        Fault::at(written.span(), format!("{} is out of range", written.as_ref()))
            .help(format!("write a number of at least {least}"))
    })?;
    Ok(())
}

fn read_nginx(written: &WrittenNginx) -> Result<NginxOptions, Fault> {
    let WrittenNginx {
        resolver,
        resolver_ipv6,
        access_log,
        stream_module,
        worker_connections,
        resolver_timeout,
    } = written;
    let mut options = NginxOptions::default();
    if let Some(resolver) = resolver {
        let is_address = |text: &str| text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok();
        if let Some(other) = resolver.as_ref().iter().find(|one| !is_address(one.as_ref())) {
            return Err(Fault::at(other.span(), "not an IP address")
                .help("write an IP address, with an optional port: nginx would resolve a name only once, when it starts"));
        }
        if resolver.as_ref().is_empty() {
            return Err(Fault::at(resolver.span(), "`resolver` is empty")
                .help("write an address, or remove `resolver`"));
        }
        let bracketed = |one: &Spanned<String>| match one.as_ref().parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => one.as_ref().clone(),
        };
        options.resolver = Some(resolver.as_ref().iter().map(bracketed).collect());
    }
    let is_path = |text: &str| text.starts_with('/') && !text.contains(['$', '\0']);
    if let Some(log) = access_log {
        if log.as_ref() != "off" && !is_path(log.as_ref()) {
            return Err(Fault::at(log.span(), "this is not the path of a file")
                .help("write an absolute path, or `off`"));
        }
        options.access_log.clone_from(log.as_ref());
    }
    if let Some(module) = stream_module {
        if !module.as_ref().is_empty() && !is_path(module.as_ref()) {
            return Err(Fault::at(module.span(), "this is not the path of a file")
                .help("write an absolute path, or `\"\"` if nginx has the module built in"));
        }
        options.stream_module = Some(module.as_ref().clone());
    }
    // nginx itself needs a few.
    put_number(worker_connections.as_ref(), 64, &mut options.worker_connections)?;
    options.resolver_ipv6 = resolver_ipv6.unwrap_or_default();
    options.resolver_timeout = resolver_timeout.as_ref().map(read_time).transpose()?;
    Ok(options)
}

fn read_out(written: &Spanned<String>) -> Result<String, Fault> {
    check_places(written.as_ref()).map_err(|message| {
        Fault::at(written.span(), message)
            .help(format!("write a folder; it may contain `{ENVIRONMENT_PLACE}` and `{TARGET_PLACE}`"))
    })?;
    Ok(written.as_ref().clone())
}

/// Checks what stands in braces in an output folder.
pub(crate) fn check_places(out: &str) -> Result<(), String> {
    let rest = out.replace(ENVIRONMENT_PLACE, "").replace(TARGET_PLACE, "");
    if out.is_empty() {
        return Err("the output folder has no name".to_owned());
    }
    if rest.contains(['{', '}']) {
        return Err(format!("`{out}` has unknown placeholders"));
    }
    Ok(())
}

fn read_lint(code: &Spanned<String>, level: &Spanned<String>) -> Result<(Code, Level), Fault> {
    const LEVELS: [(&str, Level); 4] = [
        ("allow", Level::Allow),
        ("note", Level::Report(Severity::Note)),
        ("warning", Level::Report(Severity::Warning)),
        ("error", Level::Report(Severity::Error)),
    ];
    let Some(known) = Code::find(code.as_ref()) else {
        let message = format!("`{}` is not a code of this program", code.as_ref());
        return Err(Fault::at(code.span(), message).help("run `meshc explain --list` for all codes"));
    };
    let wanted = one_of("level", level, LEVELS)?;
    if known.severity() == Severity::Error && wanted != Level::Report(Severity::Error) {
        let message = format!("{known} is always an error");
        return Err(Fault::at(level.span(), message)
            .help("fix what it reports; only warnings and notes have a level"));
    }
    Ok((known, wanted))
}

/// The value that a word stands for.
fn one_of<T: Copy>(
    what: &str,
    word: &Spanned<String>,
    known: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<T, Fault> {
    let known: Vec<(&'static str, T)> = known.into_iter().collect();
    find_word(&known, word.as_ref()).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let help = suggestion(word.as_ref(), &words);
        Fault::at(word.span(), format!("unknown {what} `{}`", word.as_ref())).help(help)
    })
}

fn suggestion(word: &str, known: &[&str]) -> String {
    did_you_mean(word, known.iter().copied()).map_or_else(
        || format!("use {}", known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")),
        |meant| format!("did you mean `{meant}`?"),
    )
}

/// What is wrong in `mesh.toml`, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    span: Range<usize>,
    message: String,
    help: Option<String>,
}

impl Fault {
    fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    fn of_value(span: Range<usize>, error: ValueError) -> Self {
        let fault = Self::at(span, error.message);
        match error.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The words of the TOML reader; those for an unknown key list the known ones in backticks.
    fn of_toml(error: &toml::de::Error, text: &str) -> Self {
        let span = error.span().unwrap_or(0..0);
        let words: Vec<&str> = error.message().split('`').skip(1).step_by(2).collect();
        match (error.message().starts_with("unknown field"), words.as_slice()) {
            (true, [unknown, known @ ..]) => {
                Self::at(span, format!("unknown key `{unknown}`")).help(suggestion(unknown, known))
            }
            _ => Self::at(span.start.min(text.len())..span.end, error.message().replace('\n', ", ")),
        }
    }

    fn place(self, path: &Path, text: &str) -> Failure {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        let failure = Failure::new(format!("{}:{line}:{column}: {}", path.display(), self.message));
        match self.help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests;
