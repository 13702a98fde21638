//! Folders of files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file below a folder.
pub(crate) struct Entry {
    /// Path with the folder's in front.
    pub(crate) path: PathBuf,
    /// Size in bytes.
    pub(crate) size: u64,
}

/// The files below `folder` at any depth, in no particular order.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(Entry { path: entry.path(), size: metadata.len() });
            }
        }
    }
    Ok(found)
}

/// Bytes of all files below `folder`.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn size(folder: &Path) -> io::Result<u64> {
    Ok(entries(folder)?.iter().map(|entry| entry.size).sum())
}

/// Writes a file, and the folders above it where they are missing.
///
/// # Errors
/// When a folder or the file cannot be written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

/// Removes a folder and all below it; one that is not there is fine.
///
/// # Errors
/// When something in it cannot be removed.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
