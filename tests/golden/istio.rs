//! What Istio gets for sources in which its own order would lose or swap something: `istio/NAME.mesh`, and beside it what is made
//! of it, without comments. `UPDATE=1` writes it anew.

use crate::oracle;
use meshc_compiler::{Input, Options, Project, check};
use meshc_language::SourceFile;
use meshc_targets::{fit, target};
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/istio")
}

/// The documents that are made of a source, without comments; reports if there are any but warnings.
fn made(name: &str, text: String) -> Result<String, Vec<String>> {
    let file = SourceFile { name: format!("{name}.mesh"), text };
    let project = Project::read(vec![Input { module: name.to_owned(), file }]);
    let compilation = check(&project, None, &Options::default());
    let options = meshc_targets::Options { files: &project.files, ..meshc_targets::Options::default() };
    let checked = compilation.environments.iter().find_map(|(_, checked)| checked.as_ref());
    let mut reports = compilation.reports.clone();
    let fitted = checked.and_then(|checked| {
        let (fitted, unfit) = fit(target("istio")?, checked, &options);
        reports.extend(unfit);
        fitted
    });
    let reported =
        || reports.iter().map(|report| format!("{} {}", report.code, report.message)).collect::<Vec<_>>();
    let texts: Vec<String> =
        fitted.ok_or_else(reported)?.emit(&options).into_iter().map(|file| file.text).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| !line.trim_start().starts_with('#'));
    Ok(lines.map(|line| format!("{}\n", line.split(" # from ").next().unwrap_or(line))).collect())
}

#[test]
fn istio_gets_what_the_sources_mean() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|end| end == "mesh"));
    names.sort();
    assert!(names.len() > 4);
    let mut faults = Vec::new();
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = match made(name, fs::read_to_string(&path).unwrap()) {
            Ok(text) => text,
            Err(reports) => {
                faults.push(format!("{name}: {reports:?}"));
                continue;
            }
        };
        let expected = path.with_extension("yaml");
        if update {
            fs::write(&expected, &text).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != text {
            faults.push(format!("{name}: {text}"));
        }
        if let Some(schemas) = oracle::crd::Schemas::load() {
            for document in super::example::documents(&text) {
                faults.extend(
                    schemas.check(&document).into_iter().map(|fault| format!("{name}: CRD: {fault}")),
                );
            }
        }
    }
    assert!(faults.is_empty(), "{}\n\n`UPDATE=1` writes what is expected anew", faults.join("\n"));
}
