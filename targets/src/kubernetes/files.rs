//! The files of a proxy as ConfigMaps.

use super::api::{Item, Map, Metadata, Nothing, Projection, Resource, Source};
use super::append;
use crate::artifact::Artifact;
use crate::yaml;
use smol_str::SmolStr;

/// Most bytes in one ConfigMap: a cluster keeps no resource of more than 1 MiB.
const MOST: usize = 900 * 1024;

/// A ConfigMap with some of the files.
pub(super) struct ConfigMap {
    pub(super) name: SmolStr,
    data: Vec<(SmolStr, String)>,
    /// Where its keys are put.
    items: Vec<Item>,
}

impl ConfigMap {
    /// Appends it as a document.
    pub(super) fn append(&self, metadata: Metadata, text: &mut String) {
        append(text, &Resource { api_version: "v1", kind: "ConfigMap", metadata, content: Nothing {} });
        text.push_str("data:\n");
        for (key, file) in &self.data {
            if is_plain(file) {
                // As it stands, line by line, so that people can read it.
                text.push_str(&format!("  {key}: |\n"));
                for line in file.lines() {
                    text.push_str(if line.is_empty() { "" } else { "    " });
                    text.push_str(line);
                    text.push('\n');
                }
            } else {
                let mut entry = String::new();
                let written = yaml::write_document(&mut entry, &Map::from([(key.clone(), file.clone())]));
                debug_assert!(written.is_ok(), "texts can always be written");
                text.push_str("  ");
                text.push_str(&entry);
            }
        }
    }

    /// Its part of a volume.
    pub(super) fn projection(&self) -> Projection {
        let source = Source { name: self.name.clone(), items: self.items.clone() };
        Projection { config_map: Some(source), secret: None }
    }
}

/// The ConfigMaps that hold all files: as few as their sizes allow.
pub(super) fn config_maps(name: &str, files: &[Artifact]) -> Vec<ConfigMap> {
    let mut maps: Vec<ConfigMap> = Vec::new();
    let mut size = 0;
    for (at, Artifact { path, text }) in files.iter().enumerate() {
        size += path.len() + text.len();
        if size > MOST || maps.is_empty() {
            size = path.len() + text.len();
            let name = match maps.len() {
                0 => SmolStr::new(name),
                earlier => SmolStr::new(format!("{name}-{}", earlier + 1)),
            };
            maps.push(ConfigMap { name, data: Vec::new(), items: Vec::new() });
        }
        let Some(map) = maps.last_mut() else { continue };
        // A key has no `/`; the number keeps files of one name in different folders apart.
        let file = path.rsplit_once('/').map_or(path.as_str(), |(_, file)| file);
        let key = SmolStr::new(format!("{at}-{file}"));
        map.data.push((key.clone(), text.clone()));
        map.items.push(Item { key, path: path.clone() });
    }
    maps
}

/// Whether every reader of YAML takes the lines of a text as they stand: nothing but printable characters, ended by one line break.
fn is_plain(text: &str) -> bool {
    let begins = text.bytes().next().is_some_and(|byte| byte > b' ');
    let ends = text.ends_with('\n') && !text.ends_with("\n\n");
    begins && ends && text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte))
}
