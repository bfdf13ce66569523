"""Make what is stored out of what is written: execute lessons and solutions, cut exercises out of solutions.

A maintainer edits ``lessons/*.ipynb`` and ``solutions/*.ipynb`` and runs ``course build``: their outputs and pictures
are made anew, and ``exercises/*.ipynb`` are cut from the solutions. ``course build --check`` changes nothing and says
what stored content is not what the sources give.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat

from course.build.cut import cut, prepare_source
from course.build.execute import BuildError, disagreements, execute

__all__ = ["BuildError", "build", "check", "course_root", "cut", "notebooks"]


def course_root() -> Path:
    """Return the folder that holds ``lessons/``, ``solutions/`` and ``exercises/``.

    Raises:
        BuildError: the course was installed without them (from a wheel); they are in the repository.
    """
    root = Path(__file__).parents[2]
    if not (root / "lessons").is_dir():
        raise BuildError("There is no lessons folder beside the package. Building needs a checkout of the repository.")
    return root


def notebooks(root: Path | None = None) -> list[Path]:
    """List the notebooks that are written by people, in the order of the course."""
    root = root or course_root()
    return sorted(
        [*root.glob("lessons/*.ipynb"), *root.glob("solutions/*.ipynb")], key=lambda p: (p.name, p.parent.name)
    )


def build(paths: Iterable[Path] | None = None, on_progress: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Execute notebooks and store them with outputs and pictures; cut the exercises out of the solutions.

    Args:
        paths: lessons and solutions to build; all of them if None.
        on_progress: called with a line for each notebook.

    Returns:
        The files that were written.

    Raises:
        BuildError: a notebook raises an error, or a picture could not be made; nothing of it is stored then.
    """
    from course.build.pictures import Camera

    written = []
    with Camera() as camera:
        for path in _chosen(paths):
            on_progress(f"{path.parent.name}/{path.name}: running")
            notebook = prepare_source(nbformat.read(path, as_version=4), path)
            executed, seconds = execute(notebook, path.parent)
            camera.take(executed)
            _write(executed, path)
            written.append(path)
            if path.parent.name == "solutions":
                exercise = path.parents[1] / "exercises" / path.name
                _write(cut(executed), exercise)
                written.append(exercise)
            on_progress(f"{path.parent.name}/{path.name}: {seconds:.0f} s, {path.stat().st_size / 1024:.0f} kB")
    return written


def check(paths: Iterable[Path] | None = None, on_progress: Callable[[str], None] = lambda line: None) -> list[str]:
    """Say what is stored but is not what the sources give: a sentence each, none if all is well.

    Compares every exercise notebook with a fresh cut byte for byte, the metadata and the set-up cell of each source
    with what the build would write, and every stored output with a fresh run, numbers within the tolerance that
    ``course.nbval_floats`` states. Pictures must be there; their pixels are not compared, as fonts differ.
    """
    problems = []
    for path in _chosen(paths):
        where = f"{path.parent.name}/{path.name}"
        on_progress(f"{where}: checking")
        stored = nbformat.read(path, as_version=4)
        if prepare_source(nbformat.read(path, as_version=4), path) != stored:
            problems.append(
                f"{where}: its metadata or set-up cell is not what the build writes. Run `course build {where}`."
            )
        if path.parent.name == "solutions":
            exercise = path.parents[1] / "exercises" / path.name
            fresh = _as_text(cut(stored))
            if not exercise.exists() or exercise.read_text(encoding="utf-8") != fresh:
                problems.append(
                    f"exercises/{path.name}: is not what solutions/{path.name} gives. Run `course build {where}`."
                )
        problems += [f"{where}: {problem}" for problem in disagreements(stored, path.parent)]
    if paths is None:
        known = {path.name for path in notebooks() if path.parent.name == "solutions"}
        for exercise in sorted((course_root() / "exercises").glob("*.ipynb")):
            if exercise.name not in known:
                problems.append(f"exercises/{exercise.name}: no solutions notebook makes it.")
    return problems


def _chosen(paths: Iterable[Path] | None) -> list[Path]:
    chosen = notebooks() if paths is None else [Path(path).resolve() for path in paths]
    for path in chosen:
        if not path.is_file():
            raise BuildError(f"There is no notebook {path}.")
        if path.parent.name not in ("lessons", "solutions"):
            raise BuildError(f"{path} is not built: only lessons/ and solutions/ are written by hand.")
    return chosen


def _as_text(notebook) -> str:
    return nbformat.writes(notebook) + "\n"


def _write(notebook, path: Path) -> None:
    """Replace the file in one step, so that an interruption leaves the old one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8") as stream:
        stream.write(_as_text(notebook))
    shutil.copymode(path, stream.name) if path.exists() else Path(stream.name).chmod(0o644)
    Path(stream.name).replace(path)
