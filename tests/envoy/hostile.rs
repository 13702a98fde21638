//! Texts that mean something elsewhere, in every place that takes text: they stay what they are, and Envoy takes them.

use super::program::Envoy;
use meshc_compiler::{Input, Project, check};
use meshc_language::SourceFile;
use meshc_targets::envoy::{EnvoyOptions, Format, Layout};
use meshc_targets::{Artifact, Gateways, Options, fit, target};
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
    let line = text.replace(['\n', '\t'], " ");
    let short: String = text.chars().take(200).collect();
    let (all, line, pattern) = (literal(text), literal(line.trim()), literal(&escaped(&short)));
    // A path has no white space, `?` or `#`.
    let path: String =
        text.chars().filter(|char| !char.is_whitespace() && !matches!(char, '?' | '#')).collect();
    let path = literal(&format!("/{}", path.chars().take(4000).collect::<String>()));
    let file = literal(&format!("/{}", text.replace(['\n', '\t'], "_").trim_end_matches('/')));
    format!(
        r#"
gateway edge {{
  workload app=edge
  listen http 80 {{ hosts a.com }}
  listen https 443 {{ hosts a.com; tls mutual {{ cert file {file}; key file {file}; ca file {file}; names [{line}] }} }}
}}
host a.com via edge {{
  route respond when path is {path} -> respond 200 {all}
  route header when header "x-!#$&'*+.^_`|~" is {all} -> web
  route prefix when header x-a prefix {all} and not header x-b is {all} -> web
  route cookie when cookie user is {line} -> web
  route query when query {line} is {all} -> web
  route authority when authority is {all} or authority prefix {all} -> web
  route pattern when header x-c matches {pattern} -> web {{ rewrite matches {pattern} to {line} }}
  route path when path prefix {path} -> web {{ rewrite prefix {path} }}
  route under when path under {path} -> web {{ rewrite prefix {path} }}
  route redirect when header x-d present -> redirect path {path}
  route rest -> web {{
    rewrite path {path}
    cors {{ origin is {all}; origin prefix {all}; origin matches {pattern} }}
    request-headers {{ set "x-!#$&'*+.^_`|~" {line}; add x-e {line} }}
    response-headers {{ set x-f {line} }}
  }}
}}
service web {{ port http 8080; lb hash query {line}; tls simple {{ ca file {file}; names [{line}] }} }}
bindings {{ address web endpoints [10.0.0.1:8080] }}
"#
    )
}

fn build(text: &str, format: Format, root: &str) -> Result<Vec<Artifact>, String> {
    let file = SourceFile { name: "case.mesh".to_owned(), text: mesh(text) };
    let project = Project::read(vec![Input { module: "case".to_owned(), file }]);
    let compilation = check(&project, None, &meshc_compiler::Options::default());
    let checked = compilation.environments.first().and_then(|(_, checked)| checked.as_ref());
    let envoy = EnvoyOptions { format, layout: Layout::Static, root: root.to_owned() };
    let options = Options { files: &project.files, gateways: Gateways::All, envoy, ..Options::default() };
    let (fitted, reports) =
        fit(target("envoy").unwrap(), checked.ok_or(format!("{:?}", compilation.reports))?, &options);
    Ok(fitted.ok_or(format!("{reports:?}"))?.emit(&options))
}

#[test]
fn texts_stay_what_they_are_and_envoy_takes_them() {
    let envoy = Envoy::find();
    let mut refused = Vec::new();
    let mut taken = 0;
    for text in texts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        let yaml = match build(&text, Format::Yaml, root) {
            Ok(artifacts) => artifacts,
            Err(reports) => {
                refused.push((text, reports));
                continue;
            }
        };
        taken += 1;
        let json = build(&text, Format::Json, root).unwrap();
        assert_eq!(yaml.len(), json.len());
        for (yaml, json) in yaml.iter().zip(&json) {
            let yaml: Value = serde_yaml::from_str(&yaml.text).unwrap();
            let json: Value = serde_json::from_str(&json.text).unwrap();
            assert_eq!(yaml, json, "{text:?} is one text in YAML and another in JSON");
        }
        let faults = envoy.as_ref().map(|envoy| envoy.faults(folder.path(), &yaml));
        assert_eq!(faults.unwrap_or_default(), Vec::<String>::new(), "{text:?}");
    }
    assert!(refused.is_empty(), "{taken} were taken, these were not: {refused:#?}");
}
