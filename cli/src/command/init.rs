//! `meshc init`: a small working project.

use crate::args::Init;
use crate::atomic::{self, NewFile};
use crate::console::Console;
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
    let data = Data { namespace: namespace(&init.folder) };
    let mut rendered = Vec::new();
    for (name, text) in FILES {
        let path = placed(&init.folder, name);
        if fs::symlink_metadata(&path).is_ok() {
            let message = format!("`{}` is already there", path.display());
            return Err(Failure::new(message).help("choose another folder; nothing was written"));
        }
        rendered.push((path, template::render(name, text, &data)?));
    }
    let files: Vec<NewFile<'_>> =
        rendered.iter().map(|(path, text)| NewFile { path: path.clone(), bytes: text.as_bytes() }).collect();
    atomic::replace(&files)?;
    let mut told: String = rendered.iter().map(|(path, _)| format!("wrote {}\n", path.display())).collect();
    told.push_str("next: `meshc check`, then `meshc build`\n");
    console.report(told.as_bytes());
    Ok(Exit::Clean)
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
