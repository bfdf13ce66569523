"""Prepare a source notebook (metadata, set-up cell) and cut an exercise notebook out of a solutions notebook."""

from __future__ import annotations

import copy
import importlib.metadata
import re
from pathlib import Path

from course import checks

SCHEMA_VERSION = 3  # of nbgrader's cell metadata
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = 'raise NotImplementedError("your turn")'

_CHECK = re.compile(r'^check\("(\d\d\.\d+)", ', re.MULTILINE)
_SOLUTION = re.compile(rf"^([ \t]*){BEGIN}\n(.*?)^[ \t]*{END}$", re.MULTILINE | re.DOTALL)

SETUP = """\
# On Colab this installs the course, in about two minutes; anywhere else it does nothing.
import sys
if "google.colab" in sys.modules:
    %pip install --quiet "attention-course @ git+{repository}"
    from course.colab import prepare; prepare()
"""


def prepare_source(notebook, path: Path):
    """Bring a notebook's metadata and set-up cell to what the build stores; changing nothing in prose or code else.

    The first code cell begins with the lines that install the course on Colab; cells with a solution and the checks
    below them carry nbgrader's metadata and, in a namespace of their own, ours.
    """
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "course": {"notebook": path.name},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if code:
        code[0].source = _with_setup(code[0].source)
    for number, cell in enumerate(notebook.cells):
        cell.metadata = {key: cell.metadata[key] for key in ("tags",) if cell.metadata.get(key)}
        cell.setdefault("id", f"{path.stem[:2]}-cell-{number}")
    if path.parent.name == "solutions":
        _mark_exercises(notebook)
    return notebook


def cut(solutions):
    """Make the exercise notebook: solutions become stubs, all other cells stay, with the outputs of a solved notebook.

    So a check cell stores the line of a right answer, and strict nbval passes exactly when every exercise is solved.
    """
    exercise = copy.deepcopy(solutions)
    for cell in exercise.cells:
        if cell.cell_type == "code" and BEGIN in cell.source:
            cell.source = _SOLUTION.sub(_stub, cell.source)
            cell.outputs, cell.execution_count = [], None
    return exercise


def repository() -> str:
    """Return the repository's address, which stands in one place: ``[project.urls]`` of pyproject.toml."""
    for line in importlib.metadata.metadata("attention-course").get_all("Project-URL") or []:
        name, _, address = line.partition(", ")
        if name == "Repository":
            return address.strip()
    raise LookupError("pyproject.toml names no Repository under [project.urls].")


def _stub(match: re.Match) -> str:
    indent, solution = match.groups()
    if indent:  # the body of a function
        return f"{indent}{STUB}"
    # values: `name = ...` keeps the name, and the check says that it has no answer yet
    names = re.findall(r"^(\w+) *=", solution, re.MULTILINE)
    return "\n".join(f"{name} = ...  # your answer" for name in names)


def _with_setup(source: str) -> str:
    setup = SETUP.format(repository=repository())
    old = re.match(r"# On Colab this .*?prepare\(\)\n", source, re.DOTALL)
    rest = source[old.end() :] if old else source
    return setup + "\n" + rest.lstrip("\n")


def _mark_exercises(notebook) -> None:
    waiting = None  # the solution cell that the next check belongs to
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        found = _CHECK.search(cell.source)
        if BEGIN in cell.source:
            waiting = cell
        elif found:
            exercise = checks.find(found.group(1))
            name = exercise.id.replace(".", "-")
            if waiting is None:
                raise ValueError(f"check({exercise.id!r}) has no cell with {BEGIN} above it.")
            _mark(waiting, exercise, f"answer-{name}", "answer")
            _mark(cell, exercise, f"check-{name}", "check", points=exercise.points)
            waiting = None
    if waiting is not None:
        raise ValueError(f"a solution has no check below it: {waiting.source.splitlines()[0]}")


def _mark(cell, exercise, grade_id: str, role: str, points: int | None = None) -> None:
    cell.metadata["nbgrader"] = {
        "schema_version": SCHEMA_VERSION, "grade_id": grade_id, "task": False,
        "grade": points is not None, "locked": points is not None, "solution": points is None,
    }  # fmt: skip
    if points is not None:
        cell.metadata["nbgrader"]["points"] = points
    cell.metadata["course"] = {"exercise": exercise.id, "role": role}
    cell.id = f"{role}-{exercise.id.replace('.', '-')}"
