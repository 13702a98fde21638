//! Files that are replaced together or not at all.

use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::project_files::shown;
use rayon::prelude::*;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file to write; the one that is there is replaced.
pub(crate) struct NewFile<'a> {
    pub(crate) path: PathBuf,
    pub(crate) bytes: &'a [u8],
}

/// Files that are written beside their places. Dropped without [`Staged::commit`], nothing has happened.
pub(crate) struct Staged {
    temporaries: Vec<(PathBuf, PathBuf)>,
    folders: Vec<PathBuf>,
}

impl Staged {
    /// Writes every file beside its place.
    pub(crate) fn write(files: &[NewFile<'_>], interrupt: &Interrupt) -> Result<Self, Failure> {
        Self::write_at(files, 0, interrupt)
    }

    /// The same beside other staged files, of which there are `first`.
    pub(crate) fn write_at(
        files: &[NewFile<'_>],
        first: usize,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let mut staged = Self { temporaries: Vec::with_capacity(files.len()), folders: Vec::new() };
        for (number, file) in (first..).zip(files) {
            let folder = file.path.parent().unwrap_or(Path::new("."));
            staged.create_folder(folder)?;
            let temporary = folder.join(temporary_name(number));
            staged.temporaries.push((temporary, file.path.clone()));
        }
        files.par_iter().zip(&staged.temporaries).try_for_each(|(file, (temporary, _))| {
            if interrupt.told() {
                return Err(Failure::new("interrupted").help("nothing was written"));
            }
            write(file, temporary)
        })?;
        Ok(staged)
    }

    fn create_folder(&mut self, folder: &Path) -> Result<(), Failure> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.create_folder(parent)?;
        }
        fs::create_dir(folder)
            .map_err(|error| Failure::file("create the folder", Path::new(&shown(folder)), error))?;
        self.folders.push(folder.to_owned());
        Ok(())
    }

    /// Puts every file in its place.
    pub(crate) fn commit(mut self) -> Result<(), Failure> {
        self.folders.clear();
        let temporaries = std::mem::take(&mut self.temporaries);
        let total = temporaries.len();
        for (done, (temporary, path)) in temporaries.iter().enumerate() {
            if let Err(error) = fs::rename(temporary, path) {
                self.temporaries = temporaries.iter().skip(done).cloned().collect();
                let failure = Failure::file("replace", Path::new(&shown(path)), error);
                return Err(failure.help(format!("{done} of {total} files are in place; run it again")));
            }
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // What was never written cannot be removed, and a folder that somebody else has filled stays.
        for (temporary, _) in &self.temporaries {
            _ = fs::remove_file(temporary);
        }
        for folder in self.folders.iter().rev() {
            _ = fs::remove_dir(folder);
        }
    }
}

fn write(file: &NewFile<'_>, temporary: &Path) -> Result<(), Failure> {
    let cannot = |error| Failure::file("write", Path::new(&shown(&file.path)), error);
    // `create_new` follows no link that somebody has put there.
    let mut target = OpenOptions::new().write(true).create_new(true).open(temporary).map_err(cannot)?;
    target.write_all(file.bytes).map_err(cannot)?;
    if let Ok(replaced) = fs::symlink_metadata(&file.path)
        && replaced.is_file()
    {
        fs::set_permissions(temporary, replaced.permissions()).map_err(cannot)?;
    }
    Ok(())
}

/// The name of a file that is not in its place yet: it says which process writes it.
fn temporary_name(number: usize) -> String {
    format!(".meshc-{}-{number}.tmp", std::process::id())
}

/// The process that wrote a file of this name, if it is one that is not in its place yet.
fn writer_of(name: &str) -> Option<i32> {
    let (process, number) = name.strip_prefix(".meshc-")?.strip_suffix(".tmp")?.split_once('-')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    process.parse().ok()
}

/// Removes from these folders what earlier runs have left there that were killed while they wrote. What a run that still goes on
/// writes stays.
pub(crate) fn remove_leftovers<'f>(folders: impl Iterator<Item = &'f Path>) {
    let own = i32::try_from(std::process::id()).ok();
    let is_running = |process: i32| {
        let known = Pid::from_raw(process).map(test_kill_process);
        Some(process) != own && matches!(known, Some(Ok(()) | Err(Errno::PERM)))
    };
    for folder in folders.collect::<BTreeSet<_>>() {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let writer = name.to_str().and_then(writer_of);
            if writer.is_some_and(|process| !is_running(process)) {
                // What cannot be removed is in nobody's way.
                _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Replaces files together or not at all.
pub(crate) fn replace(files: &[NewFile<'_>]) -> Result<(), Failure> {
    let interrupt = Interrupt::watch()?;
    remove_leftovers(files.iter().filter_map(|file| file.path.parent()));
    let done = Staged::write(files, &interrupt).and_then(Staged::commit);
    interrupt.obey();
    done
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "old").unwrap();
        let failed = replace(&[
            NewFile { path: folder.path().join("new/deep/a"), bytes: b"a" },
            NewFile { path: file.clone(), bytes: b"new" },
            NewFile { path: file.join("below-a-file"), bytes: b"b" },
        ]);
        assert!(failed.unwrap_err().text().contains("cannot create the folder"));
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_run_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        // Process 1 is always there.
        let names = [
            format!(".meshc-{}-0.tmp", ended.id()),
            ".meshc-1-0.tmp".to_owned(),
            ".meshc-x-0.tmp".to_owned(),
        ];
        for name in &names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        replace(&[NewFile { path: folder.path().join("a"), bytes: b"a" }]).unwrap();
        let left: Vec<bool> = names.iter().map(|name| folder.path().join(name).exists()).collect();
        assert_eq!(left, [false, true, true]);
    }

    #[test]
    fn files_and_their_folders_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/deep/a");
        replace(&[NewFile { path: path.clone(), bytes: b"a" }]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
