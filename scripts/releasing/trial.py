"""Each part of a release, installed by its own tool on a root that has nothing else, and put to use there."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from .build import Release
from .shell import Refused, has, run, say, skip

# The first minute of a new user.
STEPS = [["init", "shop"], ["check", "shop"], ["build", "shop"], ["build", "--locked", "shop"]]

HOOKS = ["meshc-check", "meshc-fmt", "meshc-build-locked"]

# Other hooks that people have: what their repositories install, what is run, and on which files.
NEIGHBOURS = {
    "ruff": ("ruff==0.17.5", "ruff check --force-exclude", "python"),
    "typos": ("typos==1.52.0", "typos --force-exclude", "text"),
}


def all_parts(release: Release, wanted: list[str]) -> None:
    for name in wanted:
        if name in TRIALS:
            say(f"== trial of {name}")
            with tempfile.TemporaryDirectory(prefix="meshc-trial-") as folder:
                TRIALS[name](release, Path(folder))


def archive(release: Release, folder: Path) -> None:
    for target in release.targets:
        name = f"meshc-{release.version}-{target}"
        unpack(release.out / f"{name}.tar.gz", folder)
        in_empty_root(folder / name / "bin/meshc", target, release)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder / "home")}
    run([release.out / "install.sh"], env=env)
    use([folder / "home/.local/bin/meshc"], folder)


def wheel(release: Release, folder: Path) -> None:
    run(["python3", "-m", "venv", folder / "venv"])
    pip = [folder / "venv/bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--find-links", release.out]
    run([*pip, f"meshc=={release.version}"])
    env = {"PATH": str(folder / "venv/bin")}
    use(["meshc"], folder, env)
    if not (folder / "venv/share/man/man1/meshc.1").exists():
        raise Refused("the wheel brought no manual page")
    platforms(release, folder, pip[:-3])


def platforms(release: Release, folder: Path, install: list) -> None:
    """What pip takes on other machines: the oldest C libraries are new enough, and what has no wheel gets nothing."""
    machines = {target.split("-")[0] for target in release.targets}
    taken = [f"{system}_{machine}" for machine in sorted(machines) for system in ("manylinux2014", "musllinux_1_1")]
    for platform in [*taken, "win_amd64"]:
        place = folder / platform
        command = [*install, "--no-index", "--find-links", release.out, "--only-binary=:all:", "--platform", platform]
        run([*command, "--target", place, f"meshc=={release.version}"], expect=0 if platform in taken else 1)
        if (place / "bin/meshc").exists() != (platform in taken):
            raise Refused(f"pip on {platform} leaves {sorted(place.glob('*/*'))}")


def npm(release: Release, folder: Path) -> None:
    if not has("npm"):
        return skip("the package of npm", "npm is not installed")
    package = release.out / f"meshc-{release.version}.tgz"
    install = ["npm", "install", "--global", "--offline", "--no-audit", "--no-fund", "--prefix", folder / "prefix"]
    run([*install, "--cache", folder / "cache", package])
    use([folder / "prefix/bin/meshc"], folder)
    for target, names in release.targets.items():
        program = folder / f"prefix/lib/node_modules/meshc/bin/linux-{names['npm']}/meshc"
        if program.read_bytes() != release.program(target).read_bytes():
            raise Refused(f"{program} is not the program for {target}")
    # The exit code of the program is that of the script.
    run([folder / "prefix/bin/meshc", "check", folder / "absent"], expect=2)


def deb(release: Release, folder: Path) -> None:
    if not has("dpkg") or os.geteuid() != 0:
        return skip("the package of Debian", "dpkg is absent, or this is not root")
    target, names = next(iter(release.targets.items()))
    root = folder / "root"
    for place in ("info", "updates"):
        (root / "var/lib/dpkg" / place).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    package = release.out / f"meshc_{release.version}_{names['deb']}.deb"
    env = {**os.environ, "DPKG_LOG": "/dev/null"}
    run(["dpkg", f"--root={root}", f"--log={folder}/log", "--install", package], env=env)
    if is_static(root / "usr/bin/meshc"):
        use(["chroot", root, "/usr/bin/meshc"], Path("/"), shown=root)
    run(["dpkg", f"--root={root}", f"--log={folder}/log", "--remove", "meshc"], env=env)
    if (root / "usr/bin/meshc").exists():
        raise Refused("the package of Debian leaves its program behind")
    for target, names in list(release.targets.items())[1:]:
        # dpkg refuses another machine's; what it would install there runs in an emulator.
        other = folder / target
        run(["dpkg-deb", "--extract", release.out / f"meshc_{release.version}_{names['deb']}.deb", other])
        in_empty_root(other / "usr/bin/meshc", target, release)


def image(release: Release, folder: Path) -> None:
    unpack(release.out / f"meshc-{release.version}-image.tar", folder / "layout")
    layout = folder / "layout"

    def blob(entry: dict) -> Path:
        path = layout / "blobs" / entry["digest"].replace(":", "/")
        content = path.read_bytes()
        if len(content) != entry["size"] or f"sha256:{hashlib.sha256(content).hexdigest()}" != entry["digest"]:
            raise Refused(f"the image names a blob that it does not have: {entry}")
        return path

    index = json.loads((layout / "index.json").read_text())
    for (target, names), entry in zip(release.targets.items(), index["manifests"], strict=True):
        manifest = json.loads(blob(entry).read_text())
        config = json.loads(blob(manifest["config"]).read_text())
        root = folder / names["oci"]
        for layer in manifest["layers"]:
            unpack(blob(layer), root)
        (program,) = config["config"]["Entrypoint"]
        in_empty_root(root / program.lstrip("/"), target, release)
    if has("skopeo"):
        reference = f"{release.version}-{next(iter(release.targets.values()))['oci']}"
        run(["skopeo", "inspect", f"oci:{layout}:{reference}"])


def hooks(release: Release, folder: Path) -> None:
    name = f"meshc-pre-commit-{release.version}"
    if not list(release.out.glob("*.whl")):
        return skip("the hooks", "they install the wheel, and it was not made")
    unpack(release.out / f"{name}.tar.gz", folder)
    mirror = folder / name
    commit(mirror, "hooks")
    run(["git", "-C", mirror, "tag", f"v{release.version}"])
    for runner in ("pre-commit", "prek"):
        known = [release.root / ".venv/bin" / runner, shutil.which(runner)]
        program = next((path for path in known if path and Path(path).exists()), None)
        if program is None:
            skip(f"the hooks with {runner}", "it is not installed; `tests/run` installs it")
            continue
        for title, more in [("", [])] if release.offline else [("", []), (" beside those of ruff and typos", neighbours(folder))]:
            times = run_hooks(Path(program), [(mirror, f"v{release.version}", HOOKS), *more], release, folder / f"{runner}{len(more)}")
            say(f"{runner}{title}: first run {times[0]}, second {times[1]}; load {os.getloadavg()[0]:.1f}")


def neighbours(folder: Path) -> list[tuple[Path, str, list[str]]]:
    """Repositories with hooks of other tools, made as theirs are: a package of Python that needs the tool's wheel."""
    made = []
    for name, (wheel, entry, kind) in NEIGHBOURS.items():
        place = folder / f"{name}-hooks"
        if not place.exists():
            hook = {"id": name, "name": name, "entry": entry, "language": "python", "types": [kind], "require_serial": True}
            project = f'[project]\nname = "{name}-hooks"\nversion = "0.0.0"\ndependencies = ["{wheel}"]\n'
            place.mkdir()
            (place / ".pre-commit-hooks.yaml").write_text(json.dumps([hook]))
            (place / "pyproject.toml").write_text(f"{project}\n[tool.setuptools]\npy-modules = []\n")
            commit(place, "hooks")
            run(["git", "-C", place, "tag", "v1"])
        made.append((place, "v1", [name]))
    return made


def run_hooks(runner: Path, repositories: list[tuple[Path, str, list[str]]], release: Release, folder: Path) -> list[str]:
    """A repository that uses all hooks, and how long its first and second run take."""
    import time

    folder.mkdir()
    env = {
        **os.environ,
        "HOME": str(folder / "home"),
        "PRE_COMMIT_HOME": str(folder / "cache"),
        "PREK_HOME": str(folder / "cache"),
        "PIP_FIND_LINKS": str(release.out),
        "UV_FIND_LINKS": str(release.out),
    }
    use_here = folder / "repository"
    run([release.program(next(iter(release.targets))), "init", use_here])
    run([release.program(next(iter(release.targets))), "build", use_here])
    config = [{"repo": str(place), "rev": tag, "hooks": [{"id": hook} for hook in hooks]} for place, tag, hooks in repositories]
    # JSON is YAML.
    (use_here / ".pre-commit-config.yaml").write_text(json.dumps({"repos": config}, indent=2) + "\n")
    (use_here / "tool.py").write_text('print("mesh")\n')
    commit(use_here, "project")
    times = []
    for _ in range(2):
        start, before = time.monotonic(), os.times()
        run([runner, "run", "--all-files"], folder=use_here, env=env)
        after = os.times()
        # On a busy machine the second number tells more.
        worked = after.children_user + after.children_system - before.children_user - before.children_system
        times.append(f"{time.monotonic() - start:.2f} s ({worked:.2f} s of work)")
    if len(repositories) == 1:
        without_sources(runner, use_here, env)
    return times


def without_sources(runner: Path, repository: Path, env: dict) -> None:
    """The same repository without its project: two hooks have nothing to look at, the third says what to do."""
    for path in [*repository.rglob("*.mesh"), repository / "mesh.toml"]:
        path.unlink()
    shutil.rmtree(repository / "out")
    commit(repository, "no project")
    said = run([runner, "run", "--all-files"], folder=repository, env=env, expect=1)
    if said.count("Skipped") != 2 or "start with `meshc init`" not in said:
        raise Refused(f"hooks run in a repository without a source:\n{said}")


def commit(folder: Path, message: str) -> None:
    author = ["-c", "user.name=Release", "-c", "user.email=release@localhost"]
    run(["git", "-C", folder, "init", "--quiet"])
    run(["git", "-C", folder, "add", "--all"])
    run(["git", "-C", folder, *author, "commit", "--quiet", "--message", message])


def unpack(path: Path, folder: Path) -> None:
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="tar")


def is_static(program: Path) -> bool:
    """Whether a program needs neither a loader nor a library: its ELF header names no interpreter."""
    said = subprocess.run(["readelf", "--program-headers", program], capture_output=True, text=True)
    return said.returncode == 0 and "INTERP" not in said.stdout


def in_empty_root(program: Path, target: str, release: Release) -> None:
    """The first minute in a root that holds the program alone."""
    if not is_static(program):
        if release.given is None:
            raise Refused(f"the program for {target} is not static")
        return skip(f"the program for {target} in an empty root", "it is not static")
    if os.geteuid() != 0:
        return skip(f"the program for {target} in an empty root", "that takes root")
    machine = target.split("-")[0]
    with tempfile.TemporaryDirectory(prefix="meshc-root-") as root:
        shutil.copy(program, f"{root}/meshc")
        command = ["chroot", root, "/meshc"]
        if machine != os.uname().machine:
            emulator = shutil.which(f"qemu-{machine}-static")
            if emulator is None:
                return skip(f"the program for {target}", f"qemu-{machine}-static is not installed (Debian: qemu-user-static)")
            shutil.copy(emulator, f"{root}/emulator")
            command = ["chroot", root, "/emulator", "/meshc"]
        said = run([*command, "--version", "--verbose"])
        wanted = f"meshc {release.version}\ncommit: {release.commit}\ntarget: {target}\n"
        if said != wanted and release.given is None:
            raise Refused(f"the program says\n{said}in place of\n{wanted}")
        use(command, Path("/"), shown=Path(root))


def use(command: list, folder: Path, env: dict | None = None, shown: Path | None = None) -> None:
    """A first project: made, checked, built; `shown` is where its files are seen from here."""
    for step in STEPS:
        run([*command, *step], folder=folder, env=env)
    built = (shown or folder) / "shop/out/prod/istio/shop.yaml"
    if "kind: VirtualService" not in built.read_text():
        raise Refused(f"{built} holds no VirtualService")
    shutil.rmtree((shown or folder) / "shop")


TRIALS = {"archive": archive, "wheel": wheel, "npm": npm, "deb": deb, "image": image, "hooks": hooks}
