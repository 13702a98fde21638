"""Archives whose bytes depend on their content alone: sorted, of one time, owned by root."""

import gzip
import io
import tarfile
from pathlib import Path


class File:
    """A file to pack: its bytes and whether it is a program."""

    def __init__(self, content: bytes | str, program: bool = False):
        self.content = content.encode() if isinstance(content, str) else content
        self.mode = 0o755 if program else 0o644


def tar(files: dict[str, File], time: int) -> bytes:
    """A tar archive with these files, and the folders that they need."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(folders(files)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, time
            archive.addfile(entry)
        for name, file in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.mtime, entry.size = file.mode, time, len(file.content)
            archive.addfile(entry, io.BytesIO(file.content))
    return out.getvalue()


def folders(files: dict[str, File]) -> set[str]:
    return {str(parent) for name in files for parent in Path(name).parents if str(parent) not in (".", "/")}


def gz(content: bytes, level: int = 9) -> bytes:
    """Compressed, without a name and a time."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=level, mtime=0) as stream:
        stream.write(content)
    return out.getvalue()


def write(folder: Path, files: dict[str, File], time: int) -> None:
    """The same files in a folder."""
    import os

    for name, file in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    for path in sorted(folder.rglob("*"), reverse=True):
        os.utime(path, (time, time))
