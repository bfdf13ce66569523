"""The house rules that hold for every stored notebook; read only, nothing is run."""

import base64
import json
import re
import struct

import nbformat
import pytest

from course import build
from course.build.cut import prepare_source
from course.build.execute import IGNORED, WIDGET

ROOT = build.course_root()
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("*.ipynb"))
each = pytest.mark.parametrize("path", [*LESSONS, *SOLUTIONS, *EXERCISES], ids=lambda p: f"{p.parent.name}/{p.stem}")
written = pytest.mark.parametrize("path", [*LESSONS, *SOLUTIONS], ids=lambda p: f"{p.parent.name}/{p.stem}")


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [(i, cell) for i, cell in enumerate(cells) if cell.cell_type == "code" and cell.source.strip()]


def kinds(cell):
    return {kind for output in cell.outputs for kind in output.get("data", {})}


def test_there_is_something_to_check():
    assert len(LESSONS) >= 8 and len(SOLUTIONS) == len(EXERCISES) >= 8


@each
def test_a_notebook_is_valid_small_and_holds_no_machines_path(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size <= 500 * 1024
    assert not re.search(r"(?<![\w./])/(home|root|tmp|work|Users)/\w", json.dumps(notebook))
    assert notebook.metadata.kernelspec.name == "python3"  # without it JupyterLab asks which kernel to use


@each
def test_a_notebook_opens_with_prose_and_then_sets_up(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
    assert cells[-1].cell_type == "markdown"
    first_code = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")
    assert first_code <= 2 and "google.colab" in cells[first_code].source


@written
def test_no_code_cell_goes_uncompared_and_untagged(path):
    for i, cell in code_cells(path):
        skipping = {"nbval-skip", "nbval-raises-exception", "raises-exception"} & set(cell.metadata.get("tags", []))
        assert not skipping and "NBVAL" not in cell.source, f"cell {i} is skipped"
        assert cell.execution_count is not None, f"cell {i} was never run, so nbval would not compare it"


@written
def test_only_a_cell_that_shows_a_live_view_is_ignored_and_it_holds_nothing_else(path):
    for i, cell in code_cells(path):
        ignored = IGNORED in cell.metadata.get("tags", [])
        live = "Explorer(" in cell.source or "Painter(" in cell.source or "bertviz." in cell.source
        assert ignored == live, f"cell {i}: a live view and the tag {IGNORED} go together"
        if ignored:
            assert len(cell.source.strip().splitlines()) <= 2, f"cell {i} does more than show its view"
            assert "image/png" in kinds(cell) and "text/plain" in kinds(cell), f"cell {i} stores no picture"
            assert not kinds(cell) & {WIDGET, "text/html"}, f"cell {i} stores a live view"
            alt = next(output.data["text/plain"] for output in cell.outputs if "data" in output)
            assert len(alt) > 60 and not alt.startswith("<"), f"cell {i}: its picture has no text alternative"


@written
def test_beside_a_live_view_its_numbers_are_printed(path):
    cells = nbformat.read(path, as_version=4).cells
    for i, cell in enumerate(cells):
        if cell.cell_type == "code" and IGNORED in cell.metadata.get("tags", []):
            following = [c for c in cells[i + 1 : i + 4] if c.cell_type == "code"]
            assert following and following[0].outputs, f"cell {i}: no cell beside it prints what is compared"


@written
def test_every_picture_is_there_and_carries_its_numbers(path):
    for i, cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error", f"cell {i} stores an error"
            assert output.get("name") != "stderr", f"cell {i} stores a warning"
            data = output.get("data", {})
            if "application/vnd.plotly.v1+json" in data:
                assert len(data.get("text/plain", "")) > 10 and "image/png" in data, f"cell {i}"
            if "image/png" in data:
                width, height = struct.unpack(">II", base64.b64decode(data["image/png"])[16:24])
                assert 100 <= width <= 1200 and height >= 40, f"cell {i}: a picture of {width} x {height}"


@written
def test_code_cells_are_short_and_fit_the_page(path):
    for i, cell in code_cells(path):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= 24, f"cell {i} has {len(lines)} lines"
        assert max(map(len, lines)) <= 112, f"cell {i} has a line of {max(map(len, lines))} characters"


@written
def test_the_metadata_and_set_up_cell_are_what_the_build_writes(path):
    stored = nbformat.read(path, as_version=4)
    assert prepare_source(nbformat.read(path, as_version=4), path) == stored


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_links_between_notebooks_lead_somewhere(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for target in re.findall(r"\]\(([^)#]+\.ipynb)\)", cell.source):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
def test_stored_sentences_from_the_corpora_are_a_few_words_at_most(path):
    from course import corpora

    stored = " ".join(
        str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
        for _, cell in code_cells(path)
        for output in cell.outputs
    )
    stored = " ".join(stored.split())
    runs = {
        " ".join(words[i : i + 8])
        for e in corpora.rotten_tomatoes().train[:2000]
        for words in [e.text.split()]
        for i in range(len(words) - 7)
    }
    assert not [run for run in runs if run in stored]
