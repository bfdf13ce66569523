"""`course check`: a learner's notebook is judged by its answers alone, in our copy, and trouble is a sentence."""

import dataclasses
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from course.checks import notebook
from course.checks.notebook import NotebookResult, answer_cells, check_notebook, exercises_folder, run_cells

ROOT = Path(__file__).resolve().parents[2]
LEARNER = ROOT / "tests" / "notebooks" / "learner"


# What runs a kernel runs two at a time, as much of it is waiting: name -> limits.
RUNS = {
    "kills-its-kernel": {"cell_seconds": 25},
    "runs-forever": {"cell_seconds": 25},
    "no-time": {"notebook_seconds": 12},
    "solved": {}, "one-wrong": {}, "skips-itself": {}, "edits-the-check": {}, "missing-cell": {}, "prints": {},
    "raises": {}, "other-ids": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def checked():
    """Return the result of checking one of the learners' notebooks, by its name."""
    pool, running = ThreadPoolExecutor(2), {}

    def result(name: str) -> NotebookResult:
        for each, limits in RUNS.items() if name in RUNS and not running else ():
            path = LEARNER / f"{'runs-forever' if each == 'no-time' else each}.ipynb"
            running[each] = pool.submit(check_notebook, path, **limits)
        return running[name].result() if name in RUNS else check_notebook(LEARNER / f"{name}.ipynb")

    yield result
    pool.shutdown(cancel_futures=True)


def passed(result: NotebookResult) -> list[str]:
    assert not result.problem, result.problem
    return [exercise.id for exercise in result.exercises if exercise.passed]


def message(result: NotebookResult, exercise_id: str) -> str:
    (exercise,) = [exercise for exercise in result.exercises if exercise.id == exercise_id]
    return exercise.message


def test_a_solved_notebook_passes(checked):
    result = checked("solved")
    assert result.passed and passed(result) == ["04.1", "04.2", "04.3", "04.4", "04.5"]
    assert (result.notebook, result.points, result.max_points, result.missing) == (
        "04_attention_masks.ipynb",
        10,
        10,
        [],
    )
    assert not any(exercise.message for exercise in result.exercises)


def test_a_result_is_plain_data(checked):
    data = json.loads(json.dumps(dataclasses.asdict(checked("solved"))))
    assert data["exercises"][1] == {
        "id": "04.2", "title": "causal mask", "passed": True, "points": 2, "max_points": 2, "message": "",
    }  # fmt: skip


def test_one_wrong_answer_fails_with_the_words_of_its_check(checked):
    result = checked("one-wrong")
    assert not result.passed and passed(result) == ["04.1", "04.3", "04.4", "04.5"]
    assert result.points == 8
    assert message(result, "04.2").startswith("tried:    causal_mask(3)\nproblem:  6 of 9 values differ")
    assert "\nhint:     Rows are the ones who look." in message(result, "04.2")


def test_an_answer_that_tells_nbval_to_look_away_gains_nothing(checked):
    result = checked("skips-itself")
    assert passed(result) == ["04.3", "04.4", "04.5"]
    assert "It returned nothing (None)" in message(result, "04.1")
    assert "It returned nothing (None)" in message(result, "04.2")


def test_an_edited_check_gains_and_costs_nothing(checked):
    result = checked("edits-the-check")
    assert passed(result) == ["04.2", "04.3", "04.4", "04.5"]
    assert "It returned nothing (None)" in message(result, "04.1")


def test_a_missing_answer_cell_is_named_and_costs_only_its_points(checked):
    result = checked("missing-cell")
    assert result.missing == ["04.2"]
    assert passed(result) == ["04.1", "04.3", "04.4", "04.5"]
    assert message(result, "04.2") == "problem:  causal_mask is not written yet."


def test_an_answer_that_prints_and_warns_passes(checked):
    assert checked("prints").passed


def test_an_answer_that_raises_is_told_by_its_error(checked):
    result = checked("raises")
    assert passed(result) == ["04.4", "04.5"]
    assert message(result, "04.1").startswith("SyntaxError: expected ':'")
    assert message(result, "04.2") == "ModuleNotFoundError: No module named 'no_such_module'"
    assert message(result, "04.3").startswith("tried:    combine_masks(")


def test_an_answer_that_runs_forever_is_stopped_and_the_others_count(checked):
    result = checked("runs-forever")
    assert passed(result) == ["04.2", "04.3", "04.4", "04.5"]
    assert message(result, "04.1") == "It took too long and was stopped. Is there a loop that never ends?"


def test_a_notebook_out_of_time_is_told_so(checked):
    result = checked("no-time")
    assert passed(result) == [] and result.seconds < 40
    assert message(result, "04.5") == "It was not reached: the notebook took too long."


def test_an_answer_that_ends_its_kernel_costs_its_points_and_those_after_it(checked):
    result = checked("kills-its-kernel")
    assert passed(result) == ["04.1"]
    assert all(exercise.message for exercise in result.exercises[1:])


def test_answers_are_found_when_ids_were_moved_or_copied(checked):
    assert checked("other-ids").passed


def test_a_notebook_without_our_metadata_is_known_by_its_name_or_its_cells(tmp_path):
    learners = notebook.read_cells(LEARNER / "no-metadata.ipynb")
    assert learners.name == "None"
    for name in ("04_attention_masks.ipynb", "homework of Ana (2).ipynb"):
        assert notebook.find_ours(tmp_path / name, learners) == exercises_folder() / "04_attention_masks.ipynb"


def test_nothing_is_written_beside_the_notebook_nor_into_progress(tmp_path, monkeypatch):
    monkeypatch.setenv(notebook.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    copy = shutil.copy(LEARNER / "one-wrong.ipynb", tmp_path / "mine é.ipynb")
    before = Path(copy).read_bytes()
    assert len(passed(check_notebook(copy))) == 4
    assert Path(copy).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conftest.py", "mine é.ipynb", "pytest.ini"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("truncated", "truncated.ipynb is damaged: its JSON breaks off or is wrong in line "),
        ("bad-json", "bad-json.ipynb is damaged: its JSON breaks off or is wrong in line 1. Was it saved completely?"),
        ("empty", "empty.ipynb is empty."),
        ("binary", "binary.ipynb is not a notebook: it does not hold text."),
        ("not-a-notebook", "not-a-notebook.ipynb is not a notebook: it is JSON of another kind."),
        ("format-3", "format-3.ipynb is in the old notebook format 3. Open it in JupyterLab, save it, and check"),
        ("not-ours", "not-ours.ipynb is none of the course's exercise notebooks ("),
        ("odd-cells", "odd-cells.ipynb is none of the course's exercise notebooks ("),
        ("a-lesson", "a-lesson.ipynb holds no answer cell. Exercises are in the folder `exercises`."),
        ("no-such-file", "no-such-file.ipynb cannot be read (No such file or directory)."),
    ],
)
def test_a_file_that_cannot_be_judged_is_a_sentence(checked, name, sentence):
    result = checked(name)
    assert result.problem.startswith(sentence)
    assert not result.passed and result.exercises == [] and result.points == 0


def test_a_folder_and_endless_nesting_are_sentences(tmp_path):
    assert "cannot be read" in check_notebook(tmp_path).problem
    (tmp_path / "deep.ipynb").write_text("[" * 100_000)
    assert check_notebook(tmp_path / "deep.ipynb").problem == "deep.ipynb is not a notebook: it is nested too deeply."


def test_installed_from_a_wheel_the_exercises_are_inside_the_package(tmp_path, monkeypatch):
    (tmp_path / "course" / "exercises").mkdir(parents=True)
    monkeypatch.setattr(notebook.checks, "__file__", str(tmp_path / "course" / "checks" / "__init__.py"))
    assert exercises_folder() == tmp_path / "course" / "exercises"


@pytest.mark.parametrize(
    ("source", "without"),
    [
        ("# NBVAL_SKIP\nx = 1", "#\nx = 1"),
        ("if x:\n    #NBVAL_IGNORE_OUTPUT  \n    y = 1", "if x:\n    #\n    y = 1"),
        ("## PYTEST_VALIDATE_IGNORE_OUTPUT", "#"),
        ("x = 1  # NBVAL_SKIP", "x = 1  # NBVAL_SKIP"),  # no marker to nbval either
    ],
)
def test_markers_are_emptied_and_lines_keep_their_numbers(source, without):
    assert notebook.without_markers(source) == without


# ------------------------------------------------------------------------------------------- our exercise notebooks


@pytest.mark.parametrize("name", sorted(path.name for path in exercises_folder().glob("[0-9][0-9]_*.ipynb")))
def test_as_shipped_exactly_the_check_cells_fail_and_with_the_solutions_none(name, tmp_path):
    shipped = ROOT / "exercises" / name
    cells = [cell for cell in nbformat.read(shipped, as_version=4).cells if cell.cell_type == "code"]
    failed = [cell.id for cell, ran in zip(cells, run_cells(shipped), strict=True) if not ran.passed]
    assert failed == [cell.id for cell in cells if cell.metadata.get("course", {}).get("role") == "check"] != []

    solved = nbformat.read(shipped, as_version=4)
    solutions = answer_cells(nbformat.read(ROOT / "solutions" / name, as_version=4))
    for answer, solution in zip(answer_cells(solved), solutions, strict=True):
        assert answer.execution_count is None and answer.outputs == []  # so that prints in it are not compared
        answer.source = solution.source
    nbformat.write(solved, tmp_path / name)
    assert [cell.id for cell, ran in zip(cells, run_cells(tmp_path / name), strict=True) if not ran.passed] == []
