"""Every exercise: its solution passes, its stub does not, and each typical mistake meets the hint meant for it."""

import ast
import contextlib
import functools
import importlib
import pkgutil
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from course import checks
from course.build import cut
from course.checks.exercise import Exercise, Verdict, judge

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(5)
EXERCISES = [exercise for lesson in checks.lessons() for exercise in checks.exercises(lesson)]

sys.path.insert(0, str(Path(__file__).parent))


@functools.cache
def solutions(lesson: str):
    (path,) = ROOT.glob(f"solutions/{lesson}_*.ipynb")
    return nbformat.read(path, as_version=4)


def source(notebook, exercise: Exercise) -> str:
    """Return the answer cell of an exercise, as Python without IPython's magics."""
    wanted = {"exercise": exercise.id, "role": "answer"}
    (cell,) = [cell for cell in notebook.cells if cell.metadata.get("course") == wanted]
    return TransformerManager().transform_cell(cell.source)


def imported(notebook) -> dict:
    """Return the names that the notebook's imports give, without running anything else of it."""
    namespace = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tree = ast.parse(TransformerManager().transform_cell(cell.source))
            imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
            exec(compile(ast.Module(imports, []), "<imports>", "exec"), namespace)
    return namespace


def answer(text: str, exercise: Exercise):
    """Run a text as the answer cell of an exercise: with the notebook's imports and the solutions before it."""
    notebook = solutions(exercise.id[:2])
    namespace = imported(notebook)
    for earlier in checks.exercises(exercise.id[:2]):
        if earlier.id < exercise.id:
            exec(source(notebook, earlier), namespace)
    exec(text, namespace)
    return namespace[exercise.name]


def judged(text: str, exercise: Exercise, seed: int = 0) -> Verdict:
    return judge(exercise, answer(text, exercise), seed)


@functools.cache
def wrong_answers(exercise: Exercise) -> dict[str, str]:
    return importlib.import_module(f"wrong_{exercise.id[:2]}").WRONG[exercise.id]


every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
every_wrong_answer = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [pytest.param(each, name, id=f"{each.id} {name}") for each in EXERCISES for name in wrong_answers(each)],
)


@every_exercise
def test_the_solution_passes_with_every_seed(exercise):
    solution = answer(source(solutions(exercise.id[:2]), exercise), exercise)
    for seed in SEEDS:
        verdict = judge(exercise, solution, seed)
        assert verdict.passed, f"seed {seed}: {verdict.problem}"


@every_exercise
def test_the_stub_is_not_written_yet(exercise):
    verdict = judged(source(cut(solutions(exercise.id[:2])), exercise), exercise)
    assert not verdict.passed
    assert verdict.problem in (f"{exercise.name} is not written yet.", f"{exercise.name} has no answer yet.")
    assert not verdict.hint


@every_wrong_answer
def test_a_wrong_answer_meets_the_hint_meant_for_it(exercise, mistake):
    for seed in SEEDS:
        verdict = judged(wrong_answers(exercise)[mistake], exercise, seed)
        assert not verdict.passed, f"seed {seed}: passed"
        assert verdict.hint_name == mistake, f"seed {seed}: {verdict.problem}"


@every_exercise
def test_at_least_four_mistakes_are_known_and_tried(exercise):
    assert len({hint.name for hint in exercise.hints}) == len(exercise.hints) >= 4
    assert len(wrong_answers(exercise)) >= 4


@every_exercise
def test_a_hint_is_a_sentence_that_shows_no_code_to_copy(exercise):
    for hint in exercise.hints:
        assert not hint.sentence[0].islower() or hint.sentence.startswith(("exp(", "torch.")), hint.sentence
        assert hint.sentence.endswith((".", "?")), hint.sentence
        assert "return " not in hint.sentence and "!" not in hint.sentence, hint.sentence


@every_exercise
def test_an_exercise_says_what_it_costs_and_brings(exercise):
    assert 1 <= exercise.difficulty <= 5 and 1 <= exercise.importance <= 5
    assert exercise.minutes >= 1 and exercise.points >= 1
    assert exercise.answer != "function" or len(exercise.cases(0)) >= 3


@every_exercise
def test_the_task_tells_the_same_as_the_exercise(exercise):
    """The line under the title is written by hand in the notebook; here it is held against the definition."""
    dots = lambda n: "●" * n + "○" * (5 - n)  # noqa: E731
    units = [f"{n} {unit}" + "s" * (n != 1) for n, unit in ((exercise.minutes, "minute"), (exercise.points, "point"))]
    line = f"difficulty {dots(exercise.difficulty)} · importance {dots(exercise.importance)} · {units[0]} · {units[1]}"
    prose = "\n".join(cell.source for cell in solutions(exercise.id[:2]).cells if cell.cell_type == "markdown")
    _, _, task = prose.partition(f"{exercise.id} {exercise.title.capitalize()}")
    assert line in task[:200], f"expected `{line}` under the title, found {task[:200]!r}"


@every_exercise
def test_the_solution_does_the_work_itself(exercise):
    notebook = solutions(exercise.id[:2])
    forbidden = [pkgutil.resolve_name(name) for name in exercise.forbidden]  # so each name exists, too
    known = imported(notebook)
    for node in ast.walk(ast.parse(source(notebook, exercise))):
        if isinstance(node, (ast.Attribute, ast.Name)):
            with contextlib.suppress(AttributeError, NameError, TypeError):  # parts that only exist inside the function
                used = eval(ast.unparse(node), dict(known))
                assert not any(used is each for each in forbidden), ast.unparse(node)


@pytest.mark.parametrize("lesson", checks.lessons())
def test_a_notebook_is_worth_about_ten_points(lesson):
    exercises = checks.exercises(lesson)
    assert 8 <= sum(exercise.points for exercise in exercises) <= 12
    assert [exercise.id for exercise in exercises] == [f"{lesson}.{i}" for i in range(1, len(exercises) + 1)]
