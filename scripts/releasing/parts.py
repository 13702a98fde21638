"""The parts of a release: each writes its files into a folder."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from . import sbom as bill
from . import wheel as wheels
from .archive import File, gz, tar, write
from .build import Release
from .shell import run

# Where Debian keeps what other systems keep elsewhere.
DEBIAN = {"share/zsh/site-functions/": "share/zsh/vendor-completions/", "share/doc/meshc/LICENSE": "share/doc/meshc/copyright"}


def archive(release: Release, folder: Path) -> None:
    """A tar archive for each platform, and the script that installs one."""
    for target in release.targets:
        name = f"meshc-{release.version}-{target}"
        files = {**release.shared(), "bin/meshc": File(release.program(target).read_bytes(), program=True)}
        files["share/doc/meshc/sbom.cdx.json"] = File(bill.document(release))
        packed = tar({f"{name}/{place}": file for place, file in files.items()}, release.time)
        (folder / f"{name}.tar.gz").write_bytes(gz(packed))
    (folder / "install.sh").write_bytes((release.root / "scripts/install.sh").read_bytes())
    (folder / "install.sh").chmod(0o755)


def wheel(release: Release, folder: Path) -> None:
    """A wheel for each platform, and the sources for all others."""
    for target in release.targets:
        (folder / wheels.name_of(release, target)).write_bytes(wheels.wheel(release, target, bill.document(release)))
    (folder / f"meshc-{release.version}.tar.gz").write_bytes(sources(release))


def sources(release: Release) -> bytes:
    """What pip compiles, with Rust, on a platform without a wheel: the commit, and what Python wants to know of it."""
    name = f"meshc-{release.version}"
    packed = subprocess.run(
        ["git", "-C", release.root, "archive", "--format=tar", release.commit], capture_output=True, check=True
    ).stdout
    files = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isfile() else None
            if content is not None:
                files[f"{name}/{entry.name}"] = File(content.read(), program=bool(entry.mode & 0o100))
    files[f"{name}/PKG-INFO"] = File(wheels.metadata(release))
    return gz(tar(files, release.time))


def npm(release: Release, folder: Path) -> None:
    """One package with the programs of all platforms and a script that picks one."""
    shim = (release.root / "scripts/npm/meshc.js").read_bytes()
    manual = {name: file for name, file in release.shared().items() if name.startswith("share/man/")}
    package = {
        "name": "meshc",
        "version": release.version,
        "description": release.description,
        "license": release.license,
        "bin": {"meshc": "bin/meshc.js"},
        "man": [f"./{name}" for name in sorted(manual)],
        "engines": {"node": ">=14"},
    }
    files = {**manual, "bin/meshc.js": File(shim, program=True), "package.json": File(json.dumps(package, indent=2) + "\n")}
    for name in ("LICENSE", "README.md"):
        files[name] = File((release.root / name).read_bytes())
    for target, names in release.targets.items():
        files[f"bin/linux-{names['npm']}/meshc"] = File(release.program(target).read_bytes(), program=True)
    packed = tar({f"package/{name}": file for name, file in files.items()}, release.time)
    (folder / f"meshc-{release.version}.tgz").write_bytes(gz(packed))


def deb(release: Release, folder: Path) -> None:
    """A package of Debian for each platform; it depends on nothing."""
    for target, names in release.targets.items():
        files = {"usr/bin/meshc": File(release.program(target).read_bytes(), program=True)}
        for place, file in release.shared().items():
            for known, wanted in DEBIAN.items():
                place = place.replace(known, wanted)
            if "/man/" in place:
                place, file = f"{place}.gz", File(gz(file.content))
            files[f"usr/{place}"] = file
        size = sum(len(file.content) for file in files.values()) // 1024
        control = {
            "Package": "meshc",
            "Version": release.version,
            "Architecture": names["deb"],
            "Maintainer": "The meshc project <meshc@localhost>",
            "Installed-Size": str(size),
            "Section": "admin",
            "Priority": "optional",
            "Description": release.description,
        }
        files["DEBIAN/control"] = File("".join(f"{key}: {value}\n" for key, value in control.items()))
        with tempfile.TemporaryDirectory() as root:
            write(Path(root) / "meshc", files, release.time)
            (Path(root) / "meshc").chmod(0o755)
            package = folder / f"meshc_{release.version}_{names['deb']}.deb"
            env = {**os.environ, "SOURCE_DATE_EPOCH": str(release.time)}
            build = ["dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", f"{root}/meshc", package]
            run(build, env=env)


def image(release: Release, folder: Path) -> None:
    """A container image for all platforms, as an archive of the OCI layout, and the file that would make the same."""
    blobs: dict[str, File] = {}

    def blob(content: bytes, kind: str, **more) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = File(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content), **more}

    def encoded(value: dict) -> bytes:
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()

    labels = {
        "org.opencontainers.image.title": "meshc",
        "org.opencontainers.image.version": release.version,
        "org.opencontainers.image.revision": release.commit,
        "org.opencontainers.image.licenses": release.license,
    }
    manifests = []
    for target, names in release.targets.items():
        root = {"bin/meshc": File(release.program(target).read_bytes(), program=True), "LICENSE": File((release.root / "LICENSE").read_bytes())}
        # An empty folder for temporary files, and one to mount a project at.
        packed = tar({**root, "tmp/.keep": File(b""), "mesh/.keep": File(b"")}, release.time)
        platform = {"os": "linux", "architecture": names["oci"]}
        config = {
            **platform,
            "config": {"Entrypoint": ["/bin/meshc"], "WorkingDir": "/mesh", "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(packed).hexdigest()}"]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob(encoded(config), "config.v1+json"),
            "layers": [blob(gz(packed), "layer.v1.tar+gzip")],
        }
        manifests.append(blob(encoded(manifest), "manifest.v1+json", platform=platform))
    for entry in manifests:
        entry["annotations"] = {"org.opencontainers.image.ref.name": f"{release.version}-{entry['platform']['architecture']}"}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
    layout = {"oci-layout": File('{"imageLayoutVersion":"1.0.0"}'), "index.json": File(encoded(index)), **blobs}
    (folder / f"meshc-{release.version}-image.tar").write_bytes(tar(layout, release.time))
    (folder / "Dockerfile").write_bytes((release.root / "scripts/Dockerfile").read_bytes())


def hooks(release: Release, folder: Path) -> None:
    """The repository that pre-commit configurations name: the hooks of this one, installed from the wheel."""
    written = (release.root / ".pre-commit-hooks.yaml").read_text()
    backend = (release.root / "scripts/hooks/backend.py").read_text().replace("@VERSION@", release.version)
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    readme = (
        "# meshc-pre-commit\n\nThe hooks of meshc, installed as a wheel: nothing is compiled.\n\n```yaml\nrepos:\n"
        f"- repo: <this repository>\n  rev: v{release.version}\n  hooks:\n  - id: meshc-check\n  - id: meshc-fmt\n"
        "  - id: meshc-build-locked\n```\n"
    )
    files = {
        ".pre-commit-hooks.yaml": File(written.replace("language: rust", "language: python")),
        "pyproject.toml": File(project),
        "backend.py": File(backend),
        "README.md": File(readme),
        "LICENSE": File((release.root / "LICENSE").read_bytes()),
    }
    name = f"meshc-pre-commit-{release.version}"
    packed = tar({f"{name}/{place}": file for place, file in files.items()}, release.time)
    (folder / f"{name}.tar.gz").write_bytes(gz(packed))


def sbom(release: Release, folder: Path) -> None:
    """What the programs are made of."""
    (folder / f"meshc-{release.version}.cdx.json").write_text(bill.document(release))


ALL = {"archive": archive, "wheel": wheel, "npm": npm, "deb": deb, "image": image, "hooks": hooks, "sbom": sbom}
