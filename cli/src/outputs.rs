//! The output folder: what is in it, what is ours, and what has to change.
//!
//! Each folder that one environment and one target are written to holds a list of its files. A file is ours, and may be
//! replaced, if it stands in that list or says in its first line that it was generated; it is removed only if both hold.
//! Links are never followed below the folder that was asked for.

use crate::activity;
use crate::atomic::{self, NewFile, Staged};
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::project_files::shown;
use meshc_targets::artifact::HEADER;
use meshc_targets::{Artifact, Turn};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// Name of the list in each output folder.
const LIST_NAME: &str = ".meshc-outputs";

const LIST_HEADER: &str =
    "# The files here that `meshc build` wrote, and removes when nothing produces them any more.\n";

/// What one environment and one target are written to.
pub(crate) struct OutputFolder {
    /// The folder that was asked for. A link to it is followed.
    pub(crate) base: PathBuf,
    /// The folder of the environment and target, `base` or below it.
    pub(crate) folder: PathBuf,
    /// What it should hold.
    pub(crate) artifacts: Vec<Artifact>,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) written: usize,
    pub(crate) unchanged: usize,
    pub(crate) removed: usize,
    /// Files that say that they were generated, and that neither the list nor the sources know. They stay.
    pub(crate) strays: Vec<PathBuf>,
}

/// How a file differs from what would be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    /// It is not there.
    Missing,
    /// It has another text.
    Different {
        /// The text that is there.
        old: String,
        /// The text that would be written.
        new: String,
    },
    /// Nothing produces it any more.
    Stale,
    /// It says that it was generated, nothing produces it, and the list does not have it.
    Stray,
    /// A whole output, of an environment that the project does not have.
    Abandoned,
}

/// Replaces what has changed and removes what is stale in all folders; if a file cannot be written, in none.
pub(crate) fn write(folders: &[OutputFolder]) -> Result<Summary, Failure> {
    activity::begin("comparing the output");
    let examined: Vec<Examined<'_>> = folders.iter().map(Examined::of).collect::<Result<_, _>>()?;
    for folder in &examined {
        folder.refuse_foreign()?;
    }
    activity::begin("writing the output");
    let interrupt = Interrupt::watch()?;
    let done = write_examined(&examined, &interrupt);
    // What was written is in its place by now, or gone.
    interrupt.obey();
    let (written, removed) = done?;
    let total: usize = folders.iter().map(|folder| folder.artifacts.len()).sum();
    let strays = examined.into_iter().flat_map(|folder| folder.strays).collect();
    Ok(Summary { written, unchanged: total - written, removed, strays })
}

/// How many files were written, and how many removed.
fn write_examined(examined: &[Examined<'_>], interrupt: &Interrupt) -> Result<(usize, usize), Failure> {
    atomic::remove_leftovers(examined.iter().flat_map(Examined::parents));
    let mut changes: Vec<(Turn, NewFile<'_>)> = examined.iter().flat_map(Examined::changes).collect();
    changes.sort_by_key(|(turn, _)| *turn);
    let files: Vec<NewFile<'_>> = changes.into_iter().map(|(_, file)| file).collect();
    let lists: Vec<NewFile<'_>> = examined.iter().filter_map(Examined::new_list).collect();
    let staged = Staged::write(&files, interrupt)?;
    let staged_lists = Staged::write_at(&lists, files.len(), interrupt)?;
    staged.commit()?;
    // The old list goes last: until then it names whatever may have to be removed.
    let mut removed = 0;
    for folder in examined {
        removed += folder.remove_stale()?;
    }
    staged_lists.commit()?;
    Ok((files.len(), removed))
}

/// How the folders differ from what would be written, by path.
pub(crate) fn compare(folders: &[OutputFolder]) -> Result<Vec<(PathBuf, Drift)>, Failure> {
    activity::begin("comparing the output");
    let mut drift = Vec::new();
    for folder in folders {
        let examined = Examined::of(folder)?;
        for (file, path) in &examined.files {
            match &file.state {
                State::Same => {}
                State::Absent => drift.push((path.clone(), Drift::Missing)),
                State::Other { old, .. } => {
                    let old = String::from_utf8_lossy(old).into_owned();
                    drift.push((path.clone(), Drift::Different { old, new: file.artifact.text.clone() }));
                }
            }
        }
        drift.extend(examined.stale.iter().map(|path| (path.clone(), Drift::Stale)));
        drift.extend(examined.strays.iter().map(|path| (path.clone(), Drift::Stray)));
        if examined.old_list.is_none() && !folder.artifacts.is_empty() {
            // Without it, the next build removes nothing.
            drift.push((folder.folder.join(LIST_NAME), Drift::Missing));
        }
    }
    drift.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(drift)
}

/// What stands at the place of an artefact.
enum State {
    Absent,
    Same,
    Other { old: Vec<u8>, ours: bool },
}

struct ExaminedFile<'a> {
    artifact: &'a Artifact,
    state: State,
}

/// An output folder and what is there now.
struct Examined<'a> {
    wanted: &'a OutputFolder,
    files: Vec<(ExaminedFile<'a>, PathBuf)>,
    stale: Vec<PathBuf>,
    strays: Vec<PathBuf>,
    old_list: Option<String>,
    list: String,
}

impl<'a> Examined<'a> {
    fn of(wanted: &'a OutputFolder) -> Result<Self, Failure> {
        refuse_links(&wanted.base, &wanted.folder)?;
        let list_path = wanted.folder.join(LIST_NAME);
        let old_list = read_if_there(&list_path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let listed: BTreeSet<&str> = old_list.as_deref().map(listed).unwrap_or_default();
        let files = wanted.artifacts.par_iter().map(|artifact| {
            let path = wanted.folder.join(&artifact.path);
            let state = examine(&wanted.base, &path, artifact, listed.contains(artifact.path.as_str()))?;
            Ok((ExaminedFile { artifact, state }, path))
        });
        let files = files.collect::<Result<_, Failure>>()?;
        let produced: BTreeSet<&str> =
            wanted.artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
        let gone = listed.difference(&produced).map(|path| wanted.folder.join(path));
        let stale = gone.filter(|path| is_ours(&wanted.base, path)).collect();
        let known: BTreeSet<PathBuf> =
            listed.iter().chain(&produced).map(|path| wanted.folder.join(path)).collect();
        let mut strays = Vec::new();
        find_strays(&wanted.folder, &known, &mut strays);
        strays.sort();
        let mut list = LIST_HEADER.to_owned();
        for path in produced {
            list.push_str(path);
            list.push('\n');
        }
        Ok(Self { wanted, files, stale, strays, old_list, list })
    }

    fn refuse_foreign(&self) -> Result<(), Failure> {
        let foreign =
            self.files.iter().find(|(file, _)| matches!(file.state, State::Other { ours: false, .. }));
        foreign.map_or(Ok(()), |(_, path)| {
            let message = format!("`{}` already exists, and meshc did not write it", shown(path));
            Err(Failure::new(message).help("move it, or choose another output folder; nothing was written"))
        })
    }

    fn changes(&self) -> impl Iterator<Item = (Turn, NewFile<'a>)> {
        let changed = self.files.iter().filter(|(file, _)| !matches!(file.state, State::Same));
        changed.map(|(file, path)| {
            let bytes = file.artifact.text.as_bytes();
            (file.artifact.turn, NewFile { path: path.clone(), bytes })
        })
    }

    /// The folders that hold its files, old and new.
    fn parents(&self) -> impl Iterator<Item = &Path> {
        let files = self.files.iter().map(|(_, path)| path).chain(&self.stale);
        files.filter_map(|path| path.parent()).chain([self.wanted.folder.as_path()])
    }

    fn new_list(&self) -> Option<NewFile<'_>> {
        let needed = match &self.old_list {
            Some(old) => *old != self.list,
            None => !self.wanted.artifacts.is_empty(),
        };
        needed.then(|| NewFile { path: self.wanted.folder.join(LIST_NAME), bytes: self.list.as_bytes() })
    }

    /// Removes what nothing produces any more, and the folders that become empty.
    fn remove_stale(&self) -> Result<usize, Failure> {
        for path in &self.stale {
            fs::remove_file(path).map_err(|error| Failure::file("remove", Path::new(&shown(path)), error))?;
            let inner = path.ancestors().skip(1).take_while(|parent| *parent != self.wanted.folder);
            for parent in inner {
                if fs::remove_dir(parent).is_err() {
                    break;
                }
            }
        }
        Ok(self.stale.len())
    }
}

/// The paths in a list. Lines that a merge of two branches has left, and paths that lead out of the folder, are not
/// taken.
fn listed(list: &str) -> BTreeSet<&str> {
    let lines = list.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.filter(|line| !line.starts_with(['#', '<', '=', '>']) && stays_inside(line)).collect()
}

fn stays_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn examine(base: &Path, path: &Path, artifact: &Artifact, listed: bool) -> Result<State, Failure> {
    refuse_links(base, path)?;
    Ok(match read_if_there(path)? {
        None => State::Absent,
        Some(old) if old == artifact.text.as_bytes() => State::Same,
        Some(old) => State::Other { ours: listed || is_generated(&old), old },
    })
}

/// Whether a listed file is there and says that it was generated. JSON has no place to say it, so the list has to do.
fn is_ours(base: &Path, path: &Path) -> bool {
    let says_nothing = path.extension().is_some_and(|end| end == "json");
    refuse_links(base, path).is_ok()
        && read_if_there(path).is_ok_and(|old| old.is_some_and(|old| says_nothing || is_generated(&old)))
}

/// Files below a folder that say that they were generated, beside those that are known. A folder below that has a list of its own
/// is another output.
fn find_strays(folder: &Path, known: &BTreeSet<PathBuf>, strays: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // Neither follows a link.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !path.join(LIST_NAME).exists() => find_strays(&path, known, strays),
            Ok(kind) if kind.is_file() && !known.contains(&path) && begins_as_generated(&path) => {
                strays.push(path);
            }
            Ok(_) | Err(_) => {}
        }
    }
}

/// The folders with a list of outputs, at most `depth` below `base`, sorted: the names that lead there, and the path.
pub(crate) fn folders_below(base: &Path, depth: usize) -> Vec<(Vec<String>, PathBuf)> {
    let mut found = Vec::new();
    let mut left = vec![(Vec::new(), base.to_owned())];
    while let Some((names, folder)) = left.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            // It does not follow a link.
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let mut names = names.clone();
            names.push(entry.file_name().to_string_lossy().into_owned());
            if entry.path().join(LIST_NAME).is_file() {
                found.push((names, entry.path()));
            } else if names.len() < depth {
                left.push((names, entry.path()));
            }
        }
    }
    found.sort();
    found
}

/// Whether the first bytes of a file say that it was generated.
fn begins_as_generated(path: &Path) -> bool {
    let header = HEADER.trim_end().as_bytes();
    let mut begin = vec![0; header.len()];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == header
}

/// Whether a file says in its first line that it was generated.
fn is_generated(text: &[u8]) -> bool {
    text.starts_with(HEADER.trim_end().as_bytes())
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("write", Path::new(&shown(path)), error)),
    }
}

/// Refuses a path that leads through a link below `base`.
fn refuse_links(base: &Path, path: &Path) -> Result<(), Failure> {
    let below = path.ancestors().take_while(|part| *part != base && part.starts_with(base));
    for part in below {
        if fs::symlink_metadata(part).is_ok_and(|metadata| metadata.is_symlink()) {
            let message = format!(
                "`{}` is a symbolic link; meshc follows no links inside the output folder",
                shown(part)
            );
            return Err(Failure::new(message).help("remove it; nothing was written"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_a_merge_and_leads_nowhere_else() {
        let list =
            "# files\na.yaml\n<<<<<<< HEAD\nb.yaml\n=======\nc/d.yaml\n>>>>>>> x\n../e.yaml\n/etc/passwd\n";
        assert_eq!(listed(list).into_iter().collect::<Vec<_>>(), ["a.yaml", "b.yaml", "c/d.yaml"]);
    }
}
