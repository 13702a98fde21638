"""Running programs, and saying what goes wrong."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path


class Refused(Exception):
    """What keeps a release from being made, in words for whoever makes it."""


def say(text: str) -> None:
    print(text, flush=True)


def run(command: list, *, folder: Path | None = None, env: dict | None = None, expect: int = 0) -> str:
    """Runs a program to its end and returns its standard output; another exit code is refused with all that it said."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Refused(f"`{words[0]}` is not installed") from None
    if done.returncode != expect:
        said = (done.stdout + done.stderr).strip()
        raise Refused(f"`{shlex.join(words)}` ended with {done.returncode}:\n{said}")
    return done.stdout


def show(command: list, *, folder: Path, env: dict) -> None:
    """Runs a program that takes minutes, with its output on the terminal."""
    words = [str(word) for word in command]
    if subprocess.run(words, cwd=folder, env=env, stdin=subprocess.DEVNULL).returncode != 0:
        raise Refused(f"`{shlex.join(words)}` failed, see above")


def has(program: str) -> bool:
    return shutil.which(program) is not None


def skip(what: str, why: str) -> None:
    """Says that a trial is left out; with MESHC_TEST_ALL=1 that is a failure."""
    if os.environ.get("MESHC_TEST_ALL") == "1":
        raise Refused(f"MESHC_TEST_ALL=1, but {what} cannot be tried: {why}")
    print(f"skipped: {what}: {why}", file=sys.stderr)
