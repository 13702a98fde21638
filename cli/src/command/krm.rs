//! `meshc krm`: a build as a function of Kubernetes' resource model, as kustomize and kpt call it.
//!
//! ```text
//! ResourceList { items, functionConfig } -> ResourceList { items and what the mesh makes, results }
//! ```

use crate::args::{Format, Reporting, Settings};
use crate::compilation::{Fit, choose_environment, compile, fit_all, set, target_options};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::project_files::{ProjectFiles, Text, decoded};
use crate::report::{self, Counts, Extent, Place, Sources};
use meshc_language::{Diagnostic, Severity};
use meshc_targets::{Target, target};
use serde::{Deserialize, Serialize};
use serde_yaml::{Mapping, Value};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

const FORM: &str = "see `meshc help krm`; for example `apiVersion: meshc/v1`, `kind: MeshBuild`, `metadata: { name: mesh }`, `spec: { path: . }`";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    #[serde(default)]
    items: Vec<Value>,
    function_config: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Config {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "metadata")]
    _metadata: Option<Value>,
    spec: Spec,
}

/// What to build.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    path: Option<PathBuf>,
    sources: Option<BTreeMap<String, String>>,
    env: Option<String>,
    target: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    api_version: &'static str,
    kind: &'static str,
    items: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_config: Option<Value>,
    results: Vec<Found>,
}

/// A finding, as functions tell it.
#[derive(Serialize)]
struct Found {
    message: String,
    severity: &'static str,
    file: FoundFile,
    tags: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct FoundFile {
    path: String,
}

/// What a build has made.
struct Made {
    items: Vec<Value>,
    results: Vec<Found>,
    exit: Exit,
}

pub(super) fn run(console: &Console) -> Result<Exit, Failure> {
    let input = read()?;
    let spec = config(input.function_config.as_ref())?.spec;
    let made = build(spec, console)?;
    let new: Vec<_> = made.items.iter().filter_map(identity).collect();
    // What an earlier run of the function has made is replaced.
    let mut items: Vec<Value> = input.items;
    items.retain(|item| identity(item).is_none_or(|known| !new.contains(&known)));
    items.extend(made.items);
    let output = Output {
        api_version: "config.kubernetes.io/v1",
        kind: "ResourceList",
        items,
        function_config: input.function_config,
        results: made.results,
    };
    let text = serde_yaml::to_string(&output)
        .map_err(|error| Failure::new(format!("cannot write the ResourceList: {error}")))?;
    console.product(text.as_bytes())?;
    Ok(made.exit)
}

fn read() -> Result<Input, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new("standard input is not UTF-8"))?;
    let unread = |error: serde_yaml::Error| {
        Failure::new(format!("cannot read the ResourceList on standard input: {error}"))
            .help("kustomize and kpt write one; `meshc build` is for people")
    };
    let value: Value = serde_yaml::from_str(&text).map_err(unread)?;
    match text_of(&value, "kind") {
        Some("ResourceList") => serde_yaml::from_value(value).map_err(unread),
        Some(other) => {
            Err(Failure::new(format!("standard input is a `{other}`, and a function wants a `ResourceList`"))
                .help("put the resources into the `items` of a ResourceList"))
        }
        None => Err(Failure::new("standard input is no ResourceList: it has no `kind`")
            .help("kustomize and kpt write one; `meshc build` is for people")),
    }
}

fn config(written: Option<&Value>) -> Result<Config, Failure> {
    let written =
        written.ok_or_else(|| Failure::new("the ResourceList has no `functionConfig`").help(FORM))?;
    match (text_of(written, "apiVersion"), text_of(written, "kind")) {
        (Some("meshc/v1"), Some("MeshBuild")) => {}
        (version, kind) => {
            let (version, kind) = (version.unwrap_or("nothing"), kind.unwrap_or("nothing"));
            let message = format!(
                "the functionConfig is `{kind}` of `{version}`, and this function takes `MeshBuild` of `meshc/v1`"
            );
            return Err(Failure::new(message).help(FORM));
        }
    }
    serde_yaml::from_value(written.clone())
        .map_err(|error| Failure::new(format!("the functionConfig is not right: {error}")).help(FORM))
}

fn text_of<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// What tells a resource from others: group, kind, namespace, name.
fn identity(item: &Value) -> Option<[String; 4]> {
    let metadata = item.get("metadata")?;
    let text = |value: &Value, key: &str| text_of(value, key).unwrap_or_default().to_owned();
    let group = text(item, "apiVersion").split('/').next().unwrap_or_default().to_owned();
    Some([group, text(item, "kind"), text(metadata, "namespace"), text(metadata, "name")])
}

fn build(spec: Spec, console: &Console) -> Result<Made, Failure> {
    let settings = Settings { set: settings(&spec.set)? };
    let chosen = target_of(spec.target.as_deref())?;
    let (mut files, texts) = match (spec.path, spec.sources) {
        (None, Some(sources)) => inline(sources)?,
        (Some(path), None) => {
            let files = ProjectFiles::find(&[path])?;
            let texts = files.read()?;
            (files, texts)
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Failure::new("the `spec` of a MeshBuild has either `path` or `sources`").help(FORM));
        }
    };
    files.manifest.overrule_targets(vec![chosen]);
    let mut project = files.project(texts);
    set(&mut project, &settings)?;
    let asked: Vec<String> = spec.env.into_iter().collect();
    let environment = choose_environment(&asked, "a MeshBuild", &project, &files.manifest)?;
    let environments: Vec<String> = environment.into_iter().collect();
    let mut compilation = compile(&project, &environments, &files.manifest);
    let options = target_options(&project, &files.manifest);
    let Fit { reports, answers, emulated } = fit_all(&mut compilation, &files.manifest.targets, &options);
    let sources = Sources::new(&project.files, files.sources.iter().map(|source| source.shown.clone()));
    let exit = Counts::of(reports).exit(None);
    if !reports.is_empty() {
        let extent = Extent { files: files.sources.len(), environments: 0, emulated };
        report::publish(console, &sources, reports, extent, Reporting { deny: None, format: Format::Human })?;
    }
    let results = reports.iter().map(|report| found(report, &sources)).collect();
    let mut items = Vec::new();
    if exit == Exit::Clean {
        for artifact in
            answers.into_iter().filter_map(|answer| answer.fitted).flat_map(|fitted| fitted.emit(&options))
        {
            items.extend(resources(&artifact.text)?);
        }
    }
    if exit == Exit::Clean && items.is_empty() {
        let message = format!("for {} this project makes no resources of Kubernetes", chosen.name());
        return Err(Failure::new(message)
            .help("build for istio, or give the gateways `bindings` with `default kubernetes`"));
    }
    Ok(Made { items, results, exit })
}

/// `$name=value` for each.
fn settings(set: &BTreeMap<String, Value>) -> Result<Vec<String>, Failure> {
    let text = |name: &str, value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(is) => Ok(is.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => {
            Err(Failure::new(format!("`set` gives `{name}` no single value"))
                .help("for example `set: { canary: 20% }`"))
        }
    };
    set.iter()
        .map(|(name, value)| Ok(format!("${}={}", name.trim_start_matches('$'), text(name, value)?)))
        .collect()
}

fn target_of(name: Option<&str>) -> Result<&'static dyn Target, Failure> {
    let name = name.unwrap_or("istio");
    target(name)
        .ok_or_else(|| Failure::new(format!("there is no target `{name}`")).help("see `meshc targets`"))
}

fn inline(sources: BTreeMap<String, String>) -> Result<(ProjectFiles, Vec<Text>), Failure> {
    if let Some(name) = sources.keys().find(|name| !name.ends_with(".mesh")) {
        return Err(Failure::new(format!("`{name}` in `sources` is not a `.mesh` source"))
            .help("name it like a file: `shop.mesh`"));
    }
    if sources.is_empty() {
        return Err(Failure::new("`sources` holds nothing")
            .help("for example `sources: { shop.mesh: \"service ...\" }`"));
    }
    let files = ProjectFiles::inline(sources.keys())?;
    Ok((files, sources.into_values().map(|text| decoded(text.into_bytes())).collect()))
}

fn found(report: &Diagnostic, sources: &Sources<'_>) -> Found {
    let place = Place::of(sources, report.span);
    let mut message = format!("{} ({place})", report.message);
    for part in [&report.consequence, &report.help].into_iter().flatten() {
        message.push_str("; ");
        message.push_str(part);
    }
    Found {
        message,
        severity: match report.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "info",
        },
        file: FoundFile { path: sources.name(report.span.file).to_owned() },
        tags: BTreeMap::from([("code", report.code.to_string())]),
    }
}

/// The resources among the documents of a file; a bare proxy's configuration is none.
fn resources(text: &str) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document)
            .map_err(|error| Failure::new(format!("cannot read what was built: {error}")))?;
        let is_resource = value
            .as_mapping()
            .is_some_and(|map: &Mapping| map.contains_key("apiVersion") && map.contains_key("kind"));
        if is_resource {
            found.push(value);
        }
    }
    Ok(found)
}
