"""The programs of a release: what they are compiled of, with, and for."""

import os
import shutil
import tempfile
import tomllib
from contextlib import contextmanager
from pathlib import Path

from .archive import File
from .shell import Refused, has, run, say, show

# What a release has a program for, and how others call the same.
# x86_64 first: it runs here, and writes manual pages and completions for all of them.
TARGETS = {
    "x86_64-unknown-linux-musl": {"deb": "amd64", "oci": "amd64", "npm": "x64"},
    "aarch64-unknown-linux-musl": {"deb": "arm64", "oci": "arm64", "npm": "arm64"},
}


def clone(source: Path, place: Path) -> Path:
    """The commit that is checked out in `source`, elsewhere."""
    run(["git", "clone", "--quiet", "--no-hardlinks", source, place])
    run(["git", "-C", place, "checkout", "--quiet", "--detach", run(["git", "-C", source, "rev-parse", "HEAD"]).strip()])
    return place


class Release:
    """One commit on its way into `out`."""

    def __init__(self, root: Path, out: Path, binary: Path | None = None, offline: bool = False):
        self.root = root
        self.out = out.resolve()
        self.given = binary.resolve() if binary else None
        self.offline = offline
        if self.given is None and run(["git", "-C", root, "status", "--porcelain"]).strip():
            raise Refused("there are changes that are not committed; a release is made of a commit")
        self.commit = run(["git", "-C", root, "rev-parse", "HEAD"]).strip()
        # The time of everything inside is that of the commit.
        self.time = int(run(["git", "-C", root, "log", "-1", "--format=%ct"]).strip())
        manifest = tomllib.loads((root / "Cargo.toml").read_text())
        self.version = manifest["workspace"]["package"]["version"]
        self.description = manifest["package"]["description"]
        self.license = manifest["workspace"]["package"]["license"]
        self.tools = root / "target/tools/release"
        self._programs: dict[str, Path] = {}

    @property
    def targets(self) -> dict:
        """What there is a program for."""
        return TARGETS if self.given is None else dict([next(iter(TARGETS.items()))])

    @contextmanager
    def staged(self):
        """A folder that takes the place of `out` if nothing fails."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".release-", dir=self.out.parent))
        try:
            yield folder
            folder.chmod(0o755)
            if self.out.exists():
                foreign = not (self.out / "SHA256SUMS").exists() and any(self.out.iterdir())
                if foreign:
                    raise Refused(f"`{self.out}` holds files that are no release; name another folder with --out")
                shutil.rmtree(self.out)
            folder.rename(self.out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def program(self, target: str) -> Path:
        """The program for a target, compiled if it is not there yet."""
        if self.given is not None:
            return self.given
        if target not in self._programs:
            self._programs[target] = self._compile(target)
        return self._programs[target]

    def environment(self) -> dict:
        """What a compilation sees: nothing of this machine ends up in the program."""
        home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
        prefixes = {self.root: "/meshc", home: "/cargo"}
        flags = [f"--remap-path-prefix={path}={name}" for path, name in prefixes.items()]
        # A path may hold a space: these flags are separated by a character that none has.
        added = {
            "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
            "CARGO_INCREMENTAL": "0",
            "CARGO_TARGET_DIR": str(self.root / "target/release-build"),
            "MESHC_COMMIT": self.commit,
            "PATH": f"{self.install_tools() / 'bin'}:{os.environ['PATH']}",
            "SOURCE_DATE_EPOCH": str(self.time),
            "TZ": "UTC",
        }
        return {**os.environ, **added}

    def install_tools(self) -> Path:
        """The linker for all targets, in an environment of Python."""
        wanted = self.root / "scripts/requirements.txt"
        known = self.tools / "installed-from"
        if not known.exists() or known.read_bytes() != wanted.read_bytes():
            say("== installing zig and cargo-zigbuild")
            run(["python3", "-m", "venv", "--clear", self.tools])
            run([self.tools / "bin/python", "-m", "pip", "install", "--quiet", "--requirement", wanted])
            known.write_bytes(wanted.read_bytes())
        return self.tools

    def _compile(self, target: str) -> Path:
        if not has("cargo") or not has("rustup"):
            raise Refused("cargo and rustup are needed: they compile for musl")
        if target not in run(["rustup", "target", "list", "--installed"]).split():
            run(["rustup", "target", "add", target])
        env = self.environment()
        show(["cargo", "zigbuild", "--locked", "--release", "--bin", "meshc", "--target", target], folder=self.root, env=env)
        return Path(env["CARGO_TARGET_DIR"]) / target / "release/meshc"

    def shared(self) -> dict[str, File]:
        """What goes with every program: manual pages, completions, licence, by their place below a prefix such as /usr."""
        program = self.program(next(iter(TARGETS)))
        files = {}
        with tempfile.TemporaryDirectory() as folder:
            run([program, "man", "--out", folder])
            for page in sorted(Path(folder).iterdir()):
                files[f"share/man/man1/{page.name}"] = File(page.read_bytes())
        for shell, place in {
            "bash": "share/bash-completion/completions/meshc",
            "fish": "share/fish/vendor_completions.d/meshc.fish",
            "zsh": "share/zsh/site-functions/_meshc",
        }.items():
            files[place] = File(run([program, "completions", shell]))
        files["share/doc/meshc/LICENSE"] = File((self.root / "LICENSE").read_bytes())
        files["share/doc/meshc/README.md"] = File((self.root / "README.md").read_bytes())
        return files
