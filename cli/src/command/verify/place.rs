//! The folder of a run: a temporary one that is removed in any case, or one that is kept.

use crate::exit::Failure;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where a run puts its files.
pub(super) enum Place {
    /// In a folder that goes when this does.
    Temporary(TempDir),
    /// In a folder that was asked for.
    Kept(PathBuf),
}

impl Place {
    /// A temporary folder, or the one that is to be kept: an empty one, or one that is made.
    pub(super) fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        let Some(folder) = keep else {
            let temporary = tempfile::Builder::new().prefix("meshc-verify-").tempdir();
            return temporary
                .map(Self::Temporary)
                .map_err(|error| Failure::new(format!("cannot make a temporary folder: {error}")));
        };
        fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, error))?;
        let mut files = fs::read_dir(folder).map_err(|error| Failure::file("read", folder, error))?;
        if files.next().is_some() {
            return Err(Failure::new(format!("`{}` is not empty", folder.display()))
                .help("choose an empty or new folder for `--keep`"));
        }
        // Configuration names its files by their whole paths.
        let folder = fs::canonicalize(folder).map_err(|error| Failure::file("find", folder, error))?;
        Ok(Self::Kept(folder))
    }

    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }

    /// The folder of one of several environments.
    pub(super) fn below(&self, environment: &str) -> PathBuf {
        self.folder().join(environment)
    }
}

/// The folder of one proxy, made.
pub(super) fn of_proxy(folder: &Path, number: usize) -> Result<PathBuf, Failure> {
    let folder = folder.join(format!("proxy-{}", number + 1));
    fs::create_dir_all(&folder).map_err(|error| Failure::file("make", &folder, error))?;
    Ok(folder)
}
