"""Wheels: the program of a platform as pip installs it, laid out as maturin does for `bindings = "bin"`.

maturin itself would compile the program once more, with another linker; this one is that of every other part.
"""

import base64
import hashlib
import io
import time as clock
import zipfile

from .archive import File
from .build import Release

# A static program needs no C library: it runs where either of the two is.
TAGS = ("manylinux2014", "manylinux_2_17", "musllinux_1_1")


def name_of(release: Release, target: str) -> str:
    return f"meshc-{release.version}-{tag(target)}.whl"


def tag(target: str) -> str:
    machine = target.split("-")[0]
    return "py3-none-" + ".".join(f"{system}_{machine}" for system in TAGS)


def metadata(release: Release) -> str:
    """What indexes and `pip show` tell."""
    lines = [
        "Metadata-Version: 2.1",
        "Name: meshc",
        f"Version: {release.version}",
        f"Summary: {release.description}",
        f"License: {release.license}",
        "Requires-Python: >=3.8",
        "Description-Content-Type: text/markdown",
        "",
        (release.root / "README.md").read_text(),
    ]
    return "\n".join(lines)


def wheel(release: Release, target: str, bill: str) -> bytes:
    """The wheel, with manual pages and completions, its entries sorted and of the time of the commit."""
    info, data = (f"meshc-{release.version}.{kind}" for kind in ("dist-info", "data"))
    tags = "".join(f"Tag: py3-none-{system}_{target.split('-')[0]}\n" for system in TAGS)
    files = {
        f"{data}/scripts/meshc": File(release.program(target).read_bytes(), program=True),
        f"{info}/METADATA": File(metadata(release)),
        f"{info}/WHEEL": File(f"Wheel-Version: 1.0\nGenerator: meshc ({release.version})\nRoot-Is-Purelib: false\n{tags}"),
        f"{info}/licenses/LICENSE": File((release.root / "LICENSE").read_bytes()),
        f"{info}/sboms/meshc.cyclonedx.json": File(bill),
        **{f"{data}/data/{name}": file for name, file in release.shared().items()},
    }
    record = f"{info}/RECORD"
    lines = [f"{name},{digest(file.content)},{len(file.content)}\n" for name, file in sorted(files.items())]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        # The record comes last, as the format wants it.
        for name, file in [*sorted(files.items()), (record, File("".join([*lines, f"{record},,\n"])))]:
            entry = zipfile.ZipInfo(name, clock.gmtime(release.time)[:6])
            entry.external_attr = (0o100000 | file.mode) << 16
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            packed.writestr(entry, file.content)
    return out.getvalue()


def digest(content: bytes) -> str:
    encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"sha256={encoded.decode()}"
