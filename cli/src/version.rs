//! What this program is: its version, the commit that it was made of, the platform that it was made for.

/// How this program was made; the binary knows.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// The commit of the sources, in 40 hexadecimal digits, with `-dirty` if they were changed since; none where nobody knows.
    pub commit: Option<&'static str>,
    /// The platform, as Rust names it: `x86_64-unknown-linux-musl`.
    pub target: &'static str,
}

/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `--version` prints: one line, or three.
pub(crate) fn text(made: Made, verbose: bool) -> String {
    let first = format!("meshc {VERSION}\n");
    if !verbose {
        return first;
    }
    format!("{first}commit: {}\ntarget: {}\n", made.commit.unwrap_or("unknown"), made.target)
}
