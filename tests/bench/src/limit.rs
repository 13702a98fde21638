//! What no compiler can beat: reading the source's bytes and writing the product's, on all cores, doing nothing between.

use crate::tree;
use rayon::prelude::*;
use std::hint::black_box;
use std::io;
use std::path::Path;

/// Reads all files of `source`; writes files with the names and sizes of those in `like` to `out`.
pub(crate) fn read_and_write(source: &Path, like: &Path, out: &Path) -> io::Result<()> {
    let read = |entry: tree::Entry| std::fs::read(entry.path).map(black_box).map(drop);
    tree::entries(source)?.into_par_iter().try_for_each(read)?;
    tree::entries(like)?.into_par_iter().try_for_each(|entry| {
        let name = entry.path.strip_prefix(like).map_err(io::Error::other)?;
        let bytes = vec![b'#'; usize::try_from(entry.size).map_err(io::Error::other)?];
        tree::write(&out.join(name), &bytes)
    })
}
