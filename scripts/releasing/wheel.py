"""Wheels: what maturin leaves out is put in, and what it leaves to chance is fixed."""

import base64
import hashlib
import io
import time as clock
import zipfile
from pathlib import Path

from .build import Release


def with_shared_files(path: Path, release: Release) -> bytes:
    """The wheel with manual pages and completions, its entries sorted and of the time of the commit."""
    with zipfile.ZipFile(path) as wheel:
        entries = {info.filename: (wheel.read(info), info.external_attr >> 16 & 0o777) for info in wheel.infolist()}
    record = next(name for name in entries if name.endswith(".dist-info/RECORD"))
    # Where pip puts what belongs below the prefix of an environment.
    data = f"meshc-{release.version}.data/data"
    for name, file in release.shared().items():
        entries[f"{data}/{name}"] = (file.content, file.mode)
    lines = [f"{name},{digest(content)},{len(content)}\n" for name, (content, _) in sorted(entries.items()) if name != record]
    entries[record] = ("".join([*lines, f"{record},,\n"]).encode(), 0o644)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        # The record comes last, as the format wants it.
        for name in sorted(entries, key=lambda name: (name == record, name)):
            content, mode = entries[name]
            entry = zipfile.ZipInfo(name, clock.gmtime(release.time)[:6])
            entry.external_attr = (0o100000 | (mode or 0o644)) << 16
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            wheel.writestr(entry, content)
    return out.getvalue()


def digest(content: bytes) -> str:
    encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"sha256={encoded.decode()}"
