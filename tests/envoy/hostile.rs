//! Texts that mean something elsewhere, in every place that takes text: they stay what they are, and Envoy takes them.

use super::program::Envoy;
use meshc_compiler::{Input, Project, check};
use meshc_language::SourceFile;
use meshc_targets::envoy::{EnvoyOptions, Format, Layout};
use meshc_targets::{Artifact, Gateways, Options, fit, target};
use rayon::prelude::*;
use serde_json::Value;

/// Texts that end something in YAML, JSON, Envoy's formats, regular expressions or a shell, and a very long one.
fn texts() -> Vec<String> {
    let short = [
        "\"",
        "'",
        "$x ${y} $(z)",
        "%%REQ(:path)%%",
        ";",
        "{",
        "}",
        "# no comment",
        ": ",
        "- a",
        "&a *b !c",
        "\\",
        "\\1",
        "a\nb",
        "\n",
        "\t",
        " ",
        "yes",
        "0x1f",
        "~",
        "null",
        "[1, 2]",
        "<<: *x",
        "|\n  a",
        "\u{e9}\u{1f600}",
        "---",
        "...",
    ];
    let mut texts: Vec<String> = short.map(str::to_owned).to_vec();
    texts.push("a; } ".repeat(819));
    texts
}

/// A text as a literal of the language.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '$' => out.push_str("\\$"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// A pattern that is this text and nothing else.
fn escaped(text: &str) -> String {
    meshc_compiler::values::escape_literal(text)
}

/// A mesh with the text wherever text may stand.
fn mesh(text: &str) -> String {
    // Names and values of headers begin and end with what can be seen.
    let line = format!("<{}>", text.replace(['\n', '\t'], " "));
    let short: String = text.chars().take(200).collect();
    let (all, line, pattern) = (literal(text), literal(&line), literal(&escaped(&short)));
    // No path has characters beyond ASCII, and an expression for one may not either.
    let ascii: String = short.chars().filter(char::is_ascii).collect();
    let ascii = literal(&escaped(&format!("/{ascii}")));
    // A path has characters of URLs only.
    let clean: String = text
        .chars()
        .filter(|char| char.is_ascii_graphic() && !"?#\"<>\\^`{|}".contains(*char))
        .take(4000)
        .collect();
    // There, a percent sign begins an escape.
    let path = literal(&format!("/p{}", clean.replace('%', "%25")));
    // What takes the place of a match is a part of a path, in which `$` begins no group.
    let replacement = literal(&format!("/{}", clean.replace('$', "")));
    // A pattern is made of a cookie, and no pattern is longer than 1024 bytes.
    let cookie = literal(&line.chars().filter(|char| *char != ';').take(200).collect::<String>());
    let file = literal(&format!("/{}", text.replace(['\n', '\t'], "_").trim_end_matches('/')));
    format!(
        r#"
gateway edge {{
  workload app=edge
  listen http 80 {{ hosts a.com }}
  listen https 443 {{ hosts a.com; tls mutual {{ cert file {file}; key file {file}; ca file {file}; names {line} }} }}
}}
host a.com via edge {{
  route respond when path is {path} -> respond 200 {all}
  route header when header "x-!#$&'*+.^`|~" is {all} -> web
  route prefix when header x-a prefix {all} and not header x-b is {all} -> web
  route cookie when cookie user is {cookie} -> web
  route query when query {cookie} is {all} -> web
  route authority when authority is {all} or authority prefix {all} -> web
  route pattern when header x-c matches {pattern} -> web {{ rewrite matches {ascii} to {replacement} }}
  route under when path under {path} -> web {{ rewrite prefix {path} }}
  route path when path prefix {path} -> web {{ rewrite prefix {path} }}
  route redirect when header x-d present -> redirect path {path}
  route rest -> web {{
    rewrite path {path}
    cors {{ origin is "https://a.com"; origin prefix {line}; origin matches {pattern} }}
    request-headers {{ set "x-!#$&'*+.^`|~" {line}; add x-e {line} }}
    response-headers {{ set x-f {line} }}
  }}
}}
service web {{ port http 8080; lb hash query {line}; tls simple {{ ca file {file}; names {line} }} }}
bindings {{ address web endpoints [10.0.0.1:8080] }}
"#
    )
}

fn build(text: &str, format: Format, root: &str) -> Result<Vec<Artifact>, String> {
    let file = SourceFile { name: "case.mesh".to_owned(), text: mesh(text) };
    let project = Project::read(vec![Input { module: "case".to_owned(), file }]);
    let compilation = check(&project, None, &meshc_compiler::Options::default());
    let checked = compilation.environments.first().and_then(|(_, checked)| checked.as_ref());
    let envoy =
        EnvoyOptions { format, layout: Layout::Static, root: root.to_owned(), ..EnvoyOptions::default() };
    let options = Options { files: &project.files, gateways: Gateways::All, envoy, ..Options::default() };
    let (fitted, reports) =
        fit(target("envoy").unwrap(), checked.ok_or(format!("{:?}", compilation.reports))?, &options);
    Ok(fitted.ok_or(format!("{reports:?}"))?.emit(&options))
}

/// How often a mesh has the text as it is: in a response, two headers, a query and an authority, on each port.
const WHOLE: usize = 10;

/// How often a value of a document is exactly this text.
fn count(value: &Value, text: &str) -> usize {
    match value {
        Value::String(own) => usize::from(own == text),
        Value::Array(all) => all.iter().map(|value| count(value, text)).sum(),
        Value::Object(all) => all.values().map(|value| count(value, text)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[test]
fn texts_stay_what_they_are_and_envoy_takes_them() {
    let envoy = Envoy::find();
    let faults: Vec<String> = texts()
        .par_iter()
        .flat_map_iter(|text| {
            let shown: String = text.chars().take(20).collect();
            faults(text, envoy.as_ref()).into_iter().map(move |fault| format!("{shown:?}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What is wrong with the output for a mesh that is full of a text.
fn faults(text: &str, envoy: Option<&Envoy>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let yaml = match build(text, Format::Yaml, root) {
        Ok(artifacts) => artifacts,
        Err(reports) => return vec![reports],
    };
    let json = build(text, Format::Json, root).unwrap();
    let mut faults = Vec::new();
    for (yaml, json) in yaml.iter().zip(&json) {
        let of_yaml: Value = serde_yaml::from_str(&yaml.text).unwrap();
        // The names of files differ.
        let of_json: Value = serde_json::from_str(&json.text.replace(".json\"", ".yaml\"")).unwrap();
        if of_yaml != of_json {
            faults.push(format!("{} is not {}", yaml.path, json.path));
        }
    }
    let bootstrap: Value = serde_yaml::from_str(&yaml.first().unwrap().text).unwrap();
    let times = count(&bootstrap, text);
    if yaml.len() != json.len() || times < WHOLE {
        faults.push(format!("{} and {} files; the text stands there {times} times", yaml.len(), json.len()));
    }
    faults.extend(envoy.iter().flat_map(|envoy| envoy.faults(folder.path(), &yaml)));
    faults
}
