"""Run a notebook from top to bottom in a fresh kernel, and compare what it stores with what it gives today."""

from __future__ import annotations

import copy
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course.nbval_floats import same_text
from course.study.progress import HOME_VARIABLE

TIMEOUT_SECONDS = 600  # for one cell
WIDGET = "application/vnd.jupyter.widget-view+json"
IGNORED = "nbval-ignore-output"
LIVE = "live-widgets"  # metadata of an executed notebook: the state that its widgets had, for the camera


class BuildError(RuntimeError):
    """A notebook cannot be built. The message says which cell and why."""


def execute(notebook, folder: Path):
    """Run every cell and return the notebook with its outputs, and the seconds it took.

    Raises:
        BuildError: a cell raised; with the cell's number, its first line and the error.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook, timeout=TIMEOUT_SECONDS, kernel_name="python3", store_widget_state=True,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    started = time.monotonic()
    with _private_home():
        try:
            client.execute()
        except CellExecutionError as error:
            raise BuildError(f"{_failing_cell(notebook)} raised {error.ename}: {error.evalue}") from error
        except (CellTimeoutError, DeadKernelError) as error:
            raise BuildError(f"{_failing_cell(notebook)}: {str(error).splitlines()[0]}") from error
    seconds = time.monotonic() - started
    notebook.metadata[LIVE] = notebook.metadata.pop("widgets", {})
    notebook.metadata["language_info"] = {"name": "python"}  # without the kernel's version, which differs by machine
    count = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # time stamps
        if cell.cell_type == "code" and cell.source.strip():
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
            cell.outputs = _merged_streams(cell.outputs)
    return notebook, seconds


def disagreements(stored, folder: Path) -> list[str]:
    """Run a copy and say which cells store something else than they give today."""
    try:
        fresh, _ = execute(copy.deepcopy(stored), folder)
    except BuildError as error:
        return [str(error)]
    problems = []
    for number, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=True)):
        if old.cell_type != "code":
            continue
        if IGNORED in old.metadata.get("tags", []):
            if not any("image/png" in output.get("data", {}) for output in old.outputs) and _shows_widget(new):
                problems.append(f"cell {number}: no picture is stored for its widget. Run `course build`.")
            continue
        olds, news = _texts(old), _texts(new)
        if len(olds) != len(news) or not all(same_text(a, b) for a, b in zip(olds, news, strict=True)):
            problems.append(f"cell {number} ({_first_line(old)}): stored {olds}, but today it gives {news}.")
    return problems


def _shows_widget(cell) -> bool:
    return any(WIDGET in output.get("data", {}) for output in cell.outputs)


def _texts(cell) -> list[str]:
    return [o.text if o.output_type == "stream" else o.get("data", {}).get("text/plain", "") for o in cell.outputs]


def _first_line(cell) -> str:
    return (cell.source.strip().splitlines() or [""])[0][:60]


def _failing_cell(notebook) -> str:
    for number, cell in enumerate(notebook.cells):
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return f"cell {number} ({_first_line(cell)})"
    return "a cell"


def _merged_streams(outputs: list) -> list:
    """Join neighbouring pieces of the same stream: how a kernel slices its prints is chance."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


@contextmanager
def _private_home() -> Iterator[None]:
    """Keep the checks in a notebook from writing into the maintainer's own progress."""
    before = os.environ.get(HOME_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[HOME_VARIABLE] = folder
        try:
            yield
        finally:
            os.environ.pop(HOME_VARIABLE)
            if before is not None:
                os.environ[HOME_VARIABLE] = before
