"""Cutting, preparing, executing and checking small notebooks of our own."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course import build
from course.build.cut import BEGIN, END, STUB, cut, prepare_source, repository
from course.build.execute import BuildError, disagreements, execute

SOLUTION = f'''def causal_mask(n_positions):
    """Say who may look."""
    {BEGIN}
    return torch.ones(n_positions, n_positions).tril().bool()
    {END}'''


def solutions():
    cells = [
        new_markdown_cell("# Exercises"),
        new_code_cell("import torch\nfrom course.checks import check"),
        new_code_cell(f"{BEGIN}\nanswer = 72\n{END}"),
        new_code_cell('check("00.1", answer)'),
        new_code_cell(SOLUTION.replace("causal_mask", "unused") + "\n\nunused(3)"),
        new_code_cell('check("00.1", 72)'),
    ]
    return new_notebook(cells=cells)


def test_solutions_become_stubs_and_everything_else_stays():
    notebook = new_notebook(
        cells=[new_code_cell(SOLUTION, outputs=[], execution_count=3), new_code_cell("1 + 1", execution_count=4)]
    )
    exercise = cut(notebook)
    assert exercise.cells[0].source == f'def causal_mask(n_positions):\n    """Say who may look."""\n    {STUB}'
    assert exercise.cells[0].execution_count is None
    assert exercise.cells[1] == notebook.cells[1]
    assert BEGIN in notebook.cells[0].source  # the solutions themselves are left alone


def test_a_value_keeps_its_name():
    exercise = cut(new_notebook(cells=[new_code_cell(f"{BEGIN}\nheads = 12\npictures = 6 * heads\n{END}")]))
    assert exercise.cells[0].source == "heads = ...  # your answer\npictures = ...  # your answer"


def test_cells_carry_nbgraders_metadata_and_ours_apart(tmp_path):
    notebook = prepare_source(solutions(), tmp_path / "solutions" / "00_start_here.ipynb")
    answer, check = notebook.cells[2], notebook.cells[3]
    assert answer.metadata.nbgrader == {
        "schema_version": 3, "grade_id": "answer-00-1", "task": False, "grade": False, "locked": False, "solution": True,
    }  # fmt: skip
    assert (
        check.metadata.nbgrader["grade"]
        and check.metadata.nbgrader["locked"]
        and check.metadata.nbgrader["points"] >= 1
    )
    assert answer.metadata.course == {"exercise": "00.1", "role": "answer"} and answer.id == "answer-00-1"


def test_the_set_up_lines_come_once_and_name_the_repository(tmp_path):
    path = tmp_path / "lessons" / "09_x.ipynb"
    once = prepare_source(new_notebook(cells=[new_code_cell("import torch")]), path)
    twice = prepare_source(copy.deepcopy(once), path)
    assert once == twice
    assert once.cells[0].source.count("google.colab") == 1
    assert f"git+{repository()}" in once.cells[0].source and once.cells[0].source.endswith("import torch")


def test_a_solution_without_a_check_is_an_error(tmp_path):
    lonely = new_notebook(cells=[new_code_cell("1"), new_code_cell(f"{BEGIN}\nx = 1\n{END}")])
    with pytest.raises(ValueError, match="no check below it"):
        prepare_source(lonely, tmp_path / "solutions" / "00_x.ipynb")
    with pytest.raises(ValueError, match=f"no cell with {BEGIN} above it"):
        prepare_source(new_notebook(cells=[new_code_cell('check("00.1", 3)')]), tmp_path / "solutions" / "00_x.ipynb")


def test_outputs_that_the_sources_do_not_give_are_found(tmp_path):
    cells = [new_code_cell("print('a', 0.5)"), new_code_cell("6 * 12")]
    notebook, _ = execute(new_notebook(cells=cells), tmp_path)
    assert [cell.execution_count for cell in notebook.cells] == [1, 2]
    assert disagreements(notebook, tmp_path) == []
    notebook.cells[0].outputs[0].text = "a 0.7\n"
    notebook.cells[1].outputs[0].data["text/plain"] = "73"
    first, second = disagreements(notebook, tmp_path)
    assert "cell 0" in first and "a 0.7" in first and "cell 1" in second and "'73'" in second and "'72'" in second


def test_a_cell_that_raises_is_named(tmp_path):
    with pytest.raises(BuildError, match=r"cell 1 \(1 / 0\) raised ZeroDivisionError: division by zero"):
        execute(new_notebook(cells=[new_code_cell("x = 1"), new_code_cell("1 / 0")]), tmp_path)


def test_building_leaves_the_learners_own_progress_alone(tmp_path, monkeypatch):
    from course.study import progress

    monkeypatch.setenv(progress.HOME_VARIABLE, str(tmp_path / "home"))
    execute(new_notebook(cells=[new_code_cell('from course.checks import check\ncheck("00.1", 12)')]), tmp_path)
    assert progress.best() == {}


def test_only_what_is_written_by_hand_is_built(tmp_path):
    with pytest.raises(BuildError, match="There is no notebook"):
        build.check([tmp_path / "lessons" / "none.ipynb"])
    stray = tmp_path / "stray.ipynb"
    nbformat.write(new_notebook(), stray)
    with pytest.raises(BuildError, match="only lessons/ and solutions/ are written by hand"):
        build.check([stray])


def test_a_stale_exercise_notebook_is_found(tmp_path):
    for folder in ("solutions", "exercises"):
        (tmp_path / folder).mkdir()
    path = tmp_path / "solutions" / "00_x.ipynb"
    notebook = prepare_source(new_notebook(cells=[new_code_cell("1 + 1", id="sum")]), path)
    notebook, _ = execute(notebook, tmp_path)
    notebook.metadata.pop("live-widgets")
    notebook = prepare_source(notebook, path)
    nbformat.write(notebook, path)
    assert any("exercises/00_x.ipynb: is not what solutions/00_x.ipynb gives" in p for p in build.check([path]))
    (tmp_path / "exercises" / "00_x.ipynb").write_text(nbformat.writes(cut(notebook)) + "\n", encoding="utf-8")
    assert build.check([path]) == []


def test_every_stored_exercise_is_what_its_solutions_give():
    # Quick: compares bytes, runs nothing. `course build --check` runs the notebooks as well; nbval does so in these tests.
    for path in sorted((build.course_root() / "solutions").glob("*.ipynb")):
        stored = (build.course_root() / "exercises" / path.name).read_text(encoding="utf-8")
        assert stored == nbformat.writes(cut(nbformat.read(path, as_version=4))) + "\n", path.name
