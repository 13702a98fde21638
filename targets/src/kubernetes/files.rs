//! The files of a proxy as ConfigMaps.

use super::api::{Item, Map, Metadata, Nothing, Projection, Resource, Source};
use super::append;
use crate::artifact::Artifact;
use crate::fingerprint::fingerprint;
use crate::yaml;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Most bytes in the data of one ConfigMap, keys and values together: what API servers take (`MaxSecretSize`).
pub(super) const MOST: usize = 1024 * 1024;

/// Most bytes of a ConfigMap that `kubectl apply` takes without `--server-side`: it keeps the whole resource, as JSON, in an
/// annotation, and annotations hold 256 KiB (`TotalAnnotationSizeLimitB`). Some of it is for names and labels.
pub(super) const APPLIED: usize = 240 * 1024;

/// Longest key of a ConfigMap.
const LONGEST_KEY: usize = 253;

/// A ConfigMap with some of the files.
pub(super) struct ConfigMap {
    pub(super) name: SmolStr,
    data: Vec<(SmolStr, String)>,
    /// Where its keys are put.
    items: Vec<Item>,
}

impl ConfigMap {
    fn new(name: SmolStr, files: &[&Artifact]) -> Self {
        let mut map = Self { name, data: Vec::new(), items: Vec::new() };
        for Artifact { path, text, turn: _ } in files {
            let key = key(path);
            map.data.push((key.clone(), text.clone()));
            map.items.push(Item { key, path: path.clone() });
        }
        map
    }

    /// Appends it as a document.
    pub(super) fn append(&self, metadata: Metadata, text: &mut String) {
        append(text, &Resource { api_version: "v1", kind: "ConfigMap", metadata, content: Nothing {} });
        text.push_str("data:\n");
        for (key, file) in &self.data {
            if is_plain(file) {
                // As it stands, line by line, so that people can read it.
                text.push_str(&format!("  {key}: {}\n", block_indicator(file)));
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

/// The ConfigMaps that hold all files: one, unless that would be too large to be applied. Then each large file has one of its own,
/// named after it, and the others are spread by their paths: what is added moves none of them to another. Their names have a dot,
/// which no gateway has: none is that of another gateway's.
pub(super) fn config_maps(name: &str, files: &[Artifact]) -> Vec<ConfigMap> {
    let all: Vec<&Artifact> = files.iter().collect();
    if all.iter().map(|file| applied_size(file)).sum::<usize>() <= APPLIED {
        return vec![ConfigMap::new(SmolStr::new(name), &all)];
    }
    let (large, small): (Vec<&Artifact>, Vec<&Artifact>) =
        all.into_iter().partition(|file| applied_size(file) > APPLIED / 8);
    let mut maps: Vec<ConfigMap> = large
        .iter()
        .map(|file| ConfigMap::new(SmolStr::new(format!("{name}.{}", label(&file.path))), &[file]))
        .collect();
    let fits = |groups: &Groups<'_>| {
        groups.values().all(|files| files.iter().map(|file| applied_size(file)).sum::<usize>() <= APPLIED)
    };
    let digits = (1..4).find(|digits| fits(&spread(&small, *digits))).unwrap_or(4);
    let groups = spread(&small, digits);
    maps.extend(
        groups.iter().map(|(group, files)| ConfigMap::new(SmolStr::new(format!("{name}.{group}")), files)),
    );
    maps
}

type Groups<'a> = BTreeMap<String, Vec<&'a Artifact>>;

/// Files by the first digits of what their paths come to.
fn spread<'a>(files: &[&'a Artifact], digits: usize) -> Groups<'a> {
    let mut groups = Groups::new();
    for file in files {
        let group: String =
            format!("{:016x}", fingerprint([file.path.as_str()])).chars().take(digits).collect();
        groups.entry(group).or_default().push(file);
    }
    groups
}

/// The bytes of a file in a ConfigMap, as JSON.
fn applied_size(file: &Artifact) -> usize {
    let escaped = |byte: u8| usize::from(matches!(byte, b'"' | b'\\' | b'\n' | b'\t' | b'\r'));
    key(&file.path).len() + file.text.len() + file.text.bytes().map(escaped).sum::<usize>() + 8
}

/// The bytes of a file in a ConfigMap, as the limit of the API server counts them.
pub(super) fn size(file: &Artifact) -> usize {
    key(&file.path).len() + file.text.len()
}

/// Whether a file has to be applied by the server.
pub(super) fn is_large(file: &Artifact) -> bool {
    applied_size(file) > APPLIED
}

/// The key of a file: its path, in which a key can have no `/`. No namespace, gateway or folder has a `_`.
fn key(path: &str) -> SmolStr {
    let key = path.replace('/', "_");
    match key.get(..LONGEST_KEY - 17) {
        Some(begin) if key.len() > LONGEST_KEY => {
            SmolStr::new(format!("{begin}-{:016x}", fingerprint([path])))
        }
        Some(_) | None => SmolStr::new(key),
    }
}

/// A path as a part of a name: the last of it that can stand there.
fn label(path: &str) -> String {
    let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
    let plain = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' };
    let readable: String = file.chars().map(plain).take(60).collect();
    format!("{}-{:08x}", readable.trim_matches('-'), fingerprint([path]) >> 32)
}

/// How the end of a block is read: one line break is usual.
fn block_indicator(text: &str) -> &'static str {
    match text.strip_suffix('\n') {
        None => "|-",
        Some(rest) if rest.ends_with('\n') => "|+",
        Some(_) => "|",
    }
}

/// Whether every reader of YAML takes the lines of a text as they stand: nothing but printable characters, and no space before the
/// first.
fn is_plain(text: &str) -> bool {
    let begins = text.chars().next().is_some_and(|char| char > ' ');
    let printable = |char: char| {
        matches!(char, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}'
            | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
    };
    begins && text.chars().all(printable)
}

#[cfg(test)]
mod tests {
    use super::{APPLIED, ConfigMap, Metadata, applied_size, config_maps};
    use crate::artifact::Artifact;

    fn file(path: &str, size: usize) -> Artifact {
        Artifact::new(path.to_owned(), "x".repeat(size))
    }

    #[test]
    fn large_files_stand_alone_and_what_is_added_moves_no_other() {
        let mut files: Vec<Artifact> = (0..900).map(|at| file(&format!("edge/e-{at}.yaml"), 1000)).collect();
        files.push(file("edge.yaml", 200_000));
        let place = |files: &[Artifact]| -> Vec<(String, String)> {
            let maps = config_maps("edge", files);
            let held = |map: &ConfigMap| {
                let name = map.name.to_string();
                map.items.iter().map(move |item| (name.clone(), item.path.clone())).collect::<Vec<_>>()
            };
            maps.iter().flat_map(held).collect()
        };
        let before = place(&files);
        assert_eq!(before.len(), files.len());
        files.insert(0, file("edge/another.yaml", 10));
        let after = place(&files);
        assert!(before.iter().all(|one| after.contains(one)));
        for map in config_maps("edge", &files) {
            let held: usize = files
                .iter()
                .filter(|file| map.items.iter().any(|item| item.path == file.path))
                .map(applied_size)
                .sum();
            assert!(held <= APPLIED, "{}", map.name);
        }
    }

    #[test]
    fn texts_are_blocks_however_they_end() {
        for (text, expected) in [
            ("# é\na\n", "  k: |\n    # é\n    a\n"),
            ("a", "  k: |-\n    a\n"),
            ("a\n\n", "  k: |+\n    a\n\n"),
            ("\ta\n", "  k: \"\\ta\\n\"\n"),
        ] {
            let files = [Artifact::new("k".to_owned(), text.to_owned())];
            let mut written = String::new();
            for map in config_maps("x", &files) {
                map.append(Metadata::default(), &mut written);
            }
            assert!(written.ends_with(expected), "{written}");
        }
    }
}
