//! `meshc init`: a small working project.

use crate::args::Init;
use crate::atomic::{self, NewFile};
use crate::console::Console;
use crate::examples::EXAMPLES;
use crate::exit::{Exit, Failure};
use crate::template;
use meshc_compiler::values::{Literal, Namespace};
use serde::Serialize;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The files of a new project: name and template.
const FILES: [(&str, &str); 3] = [
    ("mesh.toml", include_str!("../../templates/init/mesh.toml")),
    ("mesh.mesh", include_str!("../../templates/init/mesh.mesh")),
    (".pre-commit-config.yaml", include_str!("../../templates/init/pre-commit-config.yaml")),
];

#[derive(Serialize)]
struct Data {
    /// Namespace of the services, made of the name of the folder.
    namespace: String,
}

pub(super) fn run(init: &Init, console: &Console) -> Result<Exit, Failure> {
    let texts = match &init.from_example {
        Some(name) => example(name),
        None => first_project(&init.folder)?,
    };
    let mut files = Vec::with_capacity(texts.len());
    for (name, text) in &texts {
        let path = placed(&init.folder, name);
        if fs::symlink_metadata(&path).is_ok() {
            let message = format!("`{}` is already there", path.display());
            return Err(Failure::new(message).help("choose another folder; nothing was written"));
        }
        files.push(NewFile { path, bytes: text.as_bytes() });
    }
    atomic::replace(&files)?;
    let mut told: String = files.iter().map(|file| format!("wrote {}\n", file.path.display())).collect();
    told.push_str(&next(&init.folder));
    console.summary(&told);
    Ok(Exit::Clean)
}

/// The files of a first project, with names for this folder.
fn first_project(folder: &Path) -> Result<Vec<(&'static str, String)>, Failure> {
    let data = Data { namespace: namespace(folder) };
    FILES.iter().map(|(name, text)| Ok((*name, template::render(name, text, &data)?))).collect()
}

/// The files of an example. What it builds is expected output there, and an output folder here.
fn example(wanted: &str) -> Vec<(&'static str, String)> {
    let files =
        EXAMPLES.iter().find(|(name, _)| *name == wanted).map(|(_, files)| *files).unwrap_or_default();
    let text = |name: &str, text: &str| match name {
        "mesh.toml" => text.replace("\"expected/", "\"out/"),
        _ => text.to_owned(),
    };
    files.iter().map(|(name, written)| (*name, text(name, written))).collect()
}

/// The commands that matter now.
fn next(folder: &Path) -> String {
    let place = placed(folder, "");
    let place = if place.as_os_str().is_empty() { String::new() } else { format!(" {}", quoted(&place)) };
    format!(
        "next:\n  meshc check{place}   # what is wrong, before it is deployed\n  meshc build{place}   # writes the configuration\n  \
         meshc watch{place}   # builds again at every change\n"
    )
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = text.chars().all(|char| char.is_alphanumeric() || "/._-+:".contains(char));
    if is_plain { text.into_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A file of the folder, without the `./` of the current one.
fn placed(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).components().filter(|part| *part != Component::CurDir).collect()
}

fn namespace(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_default();
    let name =
        absolute.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.replace(|char: char| !char.is_ascii_alphanumeric(), "-");
    let name = name.trim_matches('-');
    if Namespace::parse(name).is_ok() { name.to_owned() } else { "shop".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_names_the_namespace() {
        assert_eq!(namespace(Path::new("/x/My Mesh")), "my-mesh");
        assert_eq!(namespace(Path::new("/")), "shop");
    }
}
