"""Judge the answers in a learner's notebook: ``course check exercises/04_attention_masks.ipynb``.

A notebook that was run and saved has become its own reference, right or wrong, so its outputs prove nothing. The
learner's answers are put into a copy of our notebook, in which every check cell stores the line of a right answer, and
``pytest --nbval`` says which of them come out the same. This is a service to the learner, who runs their own code on
their own computer; the instructor's grader trusts far less.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from course import checks
from course.nbval_report import ERROR, OUTPUT
from course.study.progress import HOME_VARIABLE

CELL_SECONDS = 120  # time limit for one cell
NOTEBOOK_SECONDS = 900  # and for all of them
TEARDOWN_SECONDS = 15  # for pytest to stop its kernel and write the report


@dataclass
class ExerciseResult:
    """How one exercise came out.

    Attributes:
        id, title: "04.2", "causal mask".
        passed: the check cell ran and gave the line of a right answer.
        points, max_points: what it brought, and what it can bring.
        message: what the check said when it did not pass (tried, problem, hint), or the error that kept it from
            running; "" if it passed.
    """

    id: str
    title: str
    passed: bool
    points: int
    max_points: int
    message: str = ""


@dataclass
class NotebookResult:
    """How the exercises of one notebook came out.

    Attributes:
        path: the learner's file.
        notebook: the exercise notebook that it was recognised as, "04_attention_masks.ipynb"; "" if none.
        problem: a sentence if the notebook could not be judged; "" otherwise.
        exercises: one result an exercise, in the notebook's order.
        missing: ids of exercises whose answer cell is not in the learner's notebook.
        points, max_points: the sums over the exercises.
        seconds: how long the run took.
    """

    path: str
    notebook: str = ""
    problem: str = ""
    exercises: list[ExerciseResult] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    points: int = 0
    max_points: int = 0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every exercise passed."""
        return bool(self.exercises) and all(exercise.passed for exercise in self.exercises)


@dataclass
class Cell:
    """How one code cell came out of a run under nbval."""

    passed: bool  # it ran, raised nothing, and what it gave agrees with what is stored, if anything is
    output: str = ""
    error: str = ""


class UnreadableNotebook(ValueError):
    """A file is no notebook that can be judged. The message is a sentence for the learner."""


def check_notebook(
    path: str | Path, cell_seconds: float = CELL_SECONDS, notebook_seconds: float = NOTEBOOK_SECONDS
) -> NotebookResult:
    """Judge the answers in a learner's notebook; nothing is written beside it, and no progress is recorded.

    Args:
        path: the learner's notebook, under any name.
        cell_seconds: time limit for one cell.
        notebook_seconds: time limit for the whole notebook.

    Returns:
        The result; a notebook that cannot be judged has a ``problem``.
    """
    path, started = Path(path), time.monotonic()
    result = NotebookResult(str(path))
    try:
        learners = read_cells(path)
        ours = find_ours(path, learners)
        result.notebook = ours.name
        ready = nbformat.read(ours, as_version=4)
        result.missing = put_answers(ready, learners.cells, path.name)
        with tempfile.TemporaryDirectory(prefix="course-check-", ignore_cleanup_errors=True) as folder:
            copy = Path(folder) / ours.name
            nbformat.write(ready, copy)
            ran = run_cells(copy, cell_seconds, notebook_seconds)
    except UnreadableNotebook as error:
        result.problem = str(error)
        return result
    result.exercises = _verdicts(ready, ran)
    result.points = sum(exercise.points for exercise in result.exercises)
    result.max_points = sum(exercise.max_points for exercise in result.exercises)
    result.seconds = round(time.monotonic() - started, 1)
    return result


def exercises_folder() -> Path:
    """Say where our exercise notebooks are: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(checks.__file__).resolve().parents[1]
    beside = package.parent / "exercises"
    return beside if any(beside.glob("[0-9][0-9]_*.ipynb")) else package / "exercises"


# ---------------------------------------------------------------------------------------- reading a learner's notebook


@dataclass
class LearnersNotebook:
    """What counts in a learner's file: the name that the course wrote into it, and its code cells as plain JSON."""

    name: str
    cells: list[dict]


def read_cells(path: Path) -> LearnersNotebook:
    """Read the code cells of a file that may be anything.

    Raises:
        UnreadableNotebook: it is no notebook, or one that is damaged or too old.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableNotebook(f"{path.name} is not a notebook: it does not hold text.") from None
    except OSError as error:
        raise UnreadableNotebook(f"{path.name} cannot be read ({error.strerror}).") from None
    if not text.strip():
        raise UnreadableNotebook(f"{path.name} is empty.")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableNotebook(
            f"{path.name} is damaged: its JSON breaks off or is wrong in line {error.lineno}. Was it saved completely?"
        ) from None
    except RecursionError:
        raise UnreadableNotebook(f"{path.name} is not a notebook: it is nested too deeply.") from None
    version = content.get("nbformat") if isinstance(content, dict) else None
    if isinstance(version, int) and version < 4:
        raise UnreadableNotebook(
            f"{path.name} is in the old notebook format {version}. Open it in JupyterLab, save it, and check it again."
        )
    if version != 4 or not isinstance(content.get("cells"), list):
        raise UnreadableNotebook(f"{path.name} is not a notebook: it is JSON of another kind.")
    cells = [cell for cell in content["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    return LearnersNotebook(str(_at(content, "metadata", "course", "notebook")), cells)


def find_ours(path: Path, learners: LearnersNotebook) -> Path:
    """Find the exercise notebook that a learner's file was made from: by what it says, its name, or its cells.

    Raises:
        UnreadableNotebook: it was made from none.
    """
    ours = {notebook.name: notebook for notebook in sorted(exercises_folder().glob("[0-9][0-9]_*.ipynb"))}
    for name in (learners.name, path.name):
        if name in ours:
            return ours[name]
    there = {name for cell in learners.cells for name in _names(cell)}
    for notebook in ours.values():
        if any(there & set(_names(cell)) for cell in answer_cells(nbformat.read(notebook, as_version=4))):
            return notebook
    known = ", ".join(ours) or "none is installed"
    raise UnreadableNotebook(f"{path.name} is none of the course's exercise notebooks ({known}).")


def put_answers(ready, cells: list[dict], name: str) -> list[str]:
    """Put a learner's answers into our notebook, source only; name the exercises that have no answer cell.

    Raises:
        UnreadableNotebook: there is no answer cell at all.
    """
    missing = []
    answers = answer_cells(ready)
    for answer in answers:
        found = _find(answer, cells)
        if found is None:
            missing.append(answer.metadata["course"]["exercise"])
        else:
            answer.source = without_markers(_source(found))
    if len(missing) == len(answers):
        raise UnreadableNotebook(f"{name} holds no answer cell. Exercises are in the folder `exercises`.")
    return missing


def answer_cells(notebook) -> list:
    """List the cells of our notebook in which learners write."""
    return [cell for cell in notebook.cells if _at(cell, "metadata", "course", "role") == "answer"]


def without_markers(source: str) -> str:
    """Empty the comments that tell nbval to skip a cell or not to compare it; they are ours to set.

    Example:
        >>> without_markers("# NBVAL_SKIP\\nx = 1  # a comment")
        '#\\nx = 1  # a comment'
    """
    return re.sub(r"^([ \t]*)#+[ \t]*(NBVAL_|PYTEST_VALIDATE_)\w+[ \t]*$", r"\1#", source, flags=re.MULTILINE)


def _find(answer, cells: list[dict]) -> dict | None:
    """Find the learner's version of an answer cell; of several of one name the last, as when all cells are run."""
    for name in _names(answer):
        found = [cell for cell in cells if name in _names(cell)]
        if found:
            return found[-1]
    return None


def _names(cell: dict) -> list[str]:
    """List what a cell may be known by. Colab moves the id into the metadata; a copied cell keeps only its metadata."""
    names = [cell.get("id"), _at(cell, "metadata", "id"), _at(cell, "metadata", "nbgrader", "grade_id")]
    return [name for name in names if isinstance(name, str) and name]


def _source(cell: dict) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _at(content, *keys: str):
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


# ------------------------------------------------------------------------------------------------------------- running


def run_cells(path: Path, cell_seconds: float = CELL_SECONDS, notebook_seconds: float = NOTEBOOK_SECONDS) -> list[Cell]:
    """Run a notebook under nbval, away from any settings of pytest's; how each code cell came out, in order.

    Cells that were not reached are missing at the end of the list.

    Raises:
        UnreadableNotebook: nbval could not start.
    """
    with tempfile.TemporaryDirectory(prefix="course-nbval-", ignore_cleanup_errors=True) as folder:
        settings, report, printed = (Path(folder) / name for name in ("pytest.ini", "report.xml", "printed.txt"))
        settings.write_text("[pytest]\n")
        command = [
            sys.executable, "-m", "pytest", "-q", "-c", str(settings), "--rootdir", folder, "--junitxml", str(report),
            "-p", "nbval.plugin", "-p", "course.nbval_floats", "-p", "course.nbval_report", "-p", "no:cacheprovider",
            "--nbval", "--nbval-current-env", "--nbval-cell-timeout", str(cell_seconds), str(path.resolve()),
        ]  # fmt: skip
        aside = {HOME_VARIABLE: str(Path(folder) / "home"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        dropped = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "NBGRADER_EXECUTION")
        environment = {name: value for name, value in os.environ.items() if name not in dropped} | aside
        with printed.open("w") as stream:
            process = subprocess.Popen(
                command, cwd=folder, env=environment,
                stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                process.wait(notebook_seconds)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _stop(process)
        if not report.exists():
            last = printed.read_text(errors="replace").strip().rpartition("\n")[2]
            raise UnreadableNotebook(f"{path.name} could not be run by pytest ({last or 'it ran out of time'}).")
        return [_cell(case) for case in ElementTree.parse(report).iter("testcase")]


def _stop(process: subprocess.Popen) -> None:
    """Ask pytest to stop its kernel and write its report, as Ctrl-C would; then insist."""
    if process.poll() is None and os.name == "posix":
        process.send_signal(signal.SIGINT)
        try:
            process.wait(TEARDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    if process.poll() is None:
        process.kill()
        process.wait()


def _cell(case: ElementTree.Element) -> Cell:
    noted = {note.get("name"): note.get("value", "") for note in case.iter("property")}
    hitches = [child for child in case if child.tag in ("failure", "error", "skipped")]
    error = noted.get(ERROR, "")
    if any("Timeout of" in (hitch.text or "") for hitch in hitches):
        error = "It took too long and was stopped. Is there a loop that never ends?"
    return Cell(not hitches, noted.get(OUTPUT, ""), error)


def _verdicts(ready, ran: list[Cell]) -> list[ExerciseResult]:
    """Read off the check cells. A point needs a cell that ran to its end and gave what a right answer gives."""
    code = [cell for cell in ready.cells if cell.cell_type == "code"]
    unreached = [Cell(False, error="It was not reached: the notebook took too long.")] * (len(code) - len(ran))
    results, answer = [], Cell(True)
    for cell, came in zip(code, [*ran, *unreached], strict=True):
        role = _at(cell, "metadata", "course", "role")
        if role == "answer":
            answer = came
        elif role == "check":
            exercise = checks.find(cell.metadata["course"]["exercise"])
            right = f"{exercise.id} {exercise.title}: passed, {exercise.points} of {exercise.points} points"
            passed = came.passed and came.output == right
            said = textwrap.dedent(came.output.partition("\n")[2])  # below the line that says passed or not yet
            message = "" if passed else said or answer.error or came.error or "The check gave no result."
            points = exercise.points if passed else 0
            results.append(ExerciseResult(exercise.id, exercise.title, passed, points, exercise.points, message))
    return results
