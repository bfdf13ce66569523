"""What an exercise is, and how an answer to it is judged.

An exercise is defined once: inputs from a seed, a reference that makes the right answer, a tolerance, and hints. A
hint *is* a typical mistake: a function that makes it, and the sentence that helps. An answer is recognised as that
mistake when both give the same results. The same definition is judged beside the learner (``course.checks.check``)
and beside the instructor, where ``run_case`` happens in another process than ``judge``.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from course.checks.show import show

LIMIT_SECONDS = 10  # for one call of an answer


class Case(NamedTuple):
    """The arguments of one call: plain data only (tensors, numbers, texts, lists, dicts), so that they can travel."""

    arguments: tuple
    note: str = ""


@dataclass(frozen=True)
class Hint:
    """A typical mistake and the sentence that helps.

    Attributes:
        name: what the mistake is called in tests and reports.
        wrong: a function that makes the mistake (same arguments as the reference), or the wrong value itself.
        sentence: what to look at; never the solution.
    """

    name: str
    wrong: Any
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        id: lesson and number, "04.2".
        title: two to five words.
        points: whole number.
        minutes: honest time for somebody who has read the lesson.
        difficulty, importance: 1 to 5.
        answer: "function" (called with the cases), "value" or "choice" (compared as it is).
        name: what the learner defines, e.g. "causal_mask".
        returns: what a right answer is, in words, e.g. "a boolean tensor (n, n), True = may look".
        reference: makes the right answer; for a value or choice a function without arguments.
        cases: makes the calls to try from a seed; several, so that a constant does not pass.
        hints: the typical mistakes, the more specific first.
        tolerance: absolute difference that floats may have.
        forbidden: dotted names that do the work that is to be done by hand; the grader reports their use.
    """

    id: str
    title: str
    points: int
    minutes: int
    difficulty: int
    importance: int
    answer: Literal["function", "value", "choice"]
    name: str
    returns: str
    reference: Callable
    cases: Callable[[int], Sequence[Case]] = lambda seed: [Case(())]
    hints: tuple[Hint, ...] = ()
    tolerance: float = 1e-5
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value, or the exception it raised. ``printed`` is what it wrote meanwhile."""

    value: Any = None
    raised: BaseException | None = None
    printed: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judgement of one answer, and the words that explain it."""

    exercise: Exercise
    passed: bool
    problem: str = ""  # one sentence: what is wrong
    tried: str = ""  # the call, e.g. "causal_mask(3)"
    note: str = ""  # what is special about this call
    expected: Any = None
    got: Any = None
    shown: bool = False  # expected and got are worth showing
    hint: str = ""
    hint_name: str = ""
    printed: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> int:
        return self.exercise.points if self.passed else 0

    @property
    def line(self) -> str:
        """The stable first line: ``04.2 causal mask: passed, 2 of 2 points``."""
        word = "passed" if self.passed else "not yet"
        unit = "point" if self.exercise.points == 1 else "points"
        return f"{self.exercise.id} {self.exercise.title}: {word}, {self.points} of {self.exercise.points} {unit}"


def run_case(answer: Callable, case: Case) -> Outcome:
    """Call an answer with copies of a case's arguments; prints are put aside, exceptions are kept."""
    arguments = copy.deepcopy(case.arguments)
    written = io.StringIO()
    try:
        with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written), _time_limit(LIMIT_SECONDS):
            value = answer(*arguments)
    except _OutOfTime:
        late = TimeoutError(f"still running after {LIMIT_SECONDS} seconds. Does every loop move on, each time round?")
        return Outcome(raised=late, printed=written.getvalue())
    except (Exception, SystemExit) as error:  # exit() is an answer that goes wrong, too
        return Outcome(raised=error, printed=written.getvalue())
    return Outcome(value, printed=written.getvalue())


class _OutOfTime(BaseException):
    """Raised inside an answer that runs too long; no ``except Exception`` of the learner's stops it."""


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Interrupt the block after some seconds, where the system can (not on Windows, nor outside the main thread)."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number, frame):
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judge(exercise: Exercise, answer: Any, seed: int = 0) -> Verdict:
    """Judge an answer on the cases of ``seed``: first that it can be tried, then type, shape and values."""
    if exercise.answer != "function":
        return _judge_value(exercise, answer)
    if not callable(answer):
        return Verdict(exercise, False, problem=_not_callable(exercise, answer))
    cases = list(exercise.cases(seed))
    outcomes = [run_case(answer, case) for case in cases]
    return judge_outcomes(exercise, cases, outcomes)


def judge_outcomes(exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> Verdict:
    """Judge what an answer gave for each case, wherever it ran."""
    printed = "".join(outcome.printed for outcome in outcomes)
    for case, outcome in zip(cases, outcomes, strict=True):
        expected = exercise.reference(*copy.deepcopy(case.arguments))
        problem = _problem_of(exercise, expected, outcome)
        if _is_stub(outcome.raised):
            return Verdict(exercise, False, problem=problem, printed=printed)
        if problem:
            hint = _recognise(exercise, cases, outcomes)
            usable = outcome.raised is None and outcome.value is not None
            return Verdict(
                exercise,
                False,
                problem=problem,
                tried=f"{exercise.name}({', '.join(show(a) for a in case.arguments)})",
                note=case.note,
                expected=expected,
                got=outcome.value,
                shown=usable,
                hint=hint.sentence if hint else "",
                hint_name=hint.name if hint else "",
                printed=printed,
            )
    return Verdict(exercise, True, printed=printed)


def difference(expected: Any, got: Any, tolerance: float) -> str | None:
    """Say in one sentence how two results differ: type first, then shape, then values. None if they agree."""
    if isinstance(expected, Tensor):
        return _tensor_difference(expected, got, tolerance)
    if getattr(got, "ndim", None) == 0 and hasattr(got, "item"):  # a number from torch or numpy
        got = got.item()
    if isinstance(expected, (bool, str)) or expected is None:
        if type(expected) is not type(got):
            return f"It should be {_kind(expected)}, but it is {_kind(got)}."
        return None if expected == got else "The value is not right."
    if isinstance(expected, (int, float)):
        if isinstance(got, bool) or not isinstance(got, (int, float)):
            return f"It should be {_kind(expected)}, but it is {_kind(got)}."
        if isinstance(got, float) and math.isnan(got) and not math.isnan(expected):
            return "The value is NaN, which means not a number (0/0, for instance)."
        return None if got == expected or abs(got - expected) <= tolerance else "The value is not right."
    if isinstance(expected, (list, tuple)):
        if not isinstance(got, (list, tuple)):
            several = f"{len(expected)} results, with commas between them after return,"
            wanted = several if isinstance(expected, tuple) else f"{_kind(expected)},"
            return f"It should be {wanted} but it is {_kind(got)}."
        if len(expected) != len(got):
            entries = "1 entry" if len(expected) == 1 else f"{len(expected)} entries"
            return f"It should have {entries}, but it has {len(got)}."
        for i, (e, g) in enumerate(zip(expected, got, strict=True)):
            if inner := difference(e, g, tolerance):
                return _inside(f"entry {i}", inner)
        return None
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"It should be {_kind(expected)}, but it is {_kind(got)}."
        if set(expected) != set(got):
            return f"Its keys should be {sorted(map(str, expected))}, but they are {sorted(map(str, got))}."
        for key in expected:
            if inner := difference(expected[key], got[key], tolerance):
                return _inside(repr(key), inner)
        return None
    raise TypeError(f"a reference must return plain data, got {type(expected).__name__}.")


# ----------------------------------------------------------------------------------------------------------------------


def _judge_value(exercise: Exercise, answer: Any) -> Verdict:
    if answer is None or answer is ...:
        return Verdict(exercise, False, problem=f"{exercise.name} has no answer yet.")
    expected = exercise.reference()
    if callable(answer):
        return Verdict(exercise, False, problem=f"{exercise.name} should be {exercise.returns}, not a function.")
    if exercise.answer == "choice" and isinstance(answer, str):
        answer = answer.strip().lower()
    problem = difference(expected, answer, exercise.tolerance)
    if problem is None:
        return Verdict(exercise, True)
    if problem == "The value is not right.":
        problem = f"{exercise.name} = {show(answer)} is not right."
    for hint in exercise.hints:
        if difference(hint.wrong, answer, exercise.tolerance) is None:
            return Verdict(exercise, False, problem=problem, hint=hint.sentence, hint_name=hint.name)
    return Verdict(exercise, False, problem=problem)


def _problem_of(exercise: Exercise, expected: Any, outcome: Outcome) -> str | None:
    if _is_stub(outcome.raised):
        return f"{exercise.name} is not written yet."
    if outcome.raised is not None:
        return f"It raised {type(outcome.raised).__name__}: {_first_line(outcome.raised)}{_place(outcome.raised)}"
    if outcome.value is None and expected is not None:
        return "It returned nothing (None). Is there a return at the end?"
    return difference(expected, outcome.value, exercise.tolerance)


def _is_stub(error: BaseException | None) -> bool:
    """Say whether this is the exercise's own ``raise NotImplementedError("your turn")``; torch raises it, too."""
    return isinstance(error, NotImplementedError) and str(error) in ("", "your turn")


def _recognise(exercise: Exercise, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> Hint | None:
    """Find the hint whose mistake gives the same results as the answer.

    First in all cases, then in all failed ones, then in the first failed one alone: two mistakes at once hide each
    other in the later cases, and the first is the one that the learner is shown.
    """
    failed = [
        i
        for i, (case, outcome) in enumerate(zip(cases, outcomes, strict=True))
        if _problem_of(exercise, exercise.reference(*copy.deepcopy(case.arguments)), outcome)
    ]
    for wanted in (range(len(cases)), failed, failed[:1]):
        for hint in exercise.hints:
            if all(_same(run_case(hint.wrong, cases[i]), outcomes[i], exercise.tolerance) for i in wanted):
                return hint
    return None


def _same(a: Outcome, b: Outcome, tolerance: float) -> bool:
    if a.raised is not None or b.raised is not None:
        if _is_stub(a.raised) or _is_stub(b.raised):
            return False
        return type(a.raised) is type(b.raised)
    try:
        return difference(a.value, b.value, tolerance) is None
    except TypeError:
        return False


def _tensor_difference(expected: Tensor, got: Any, tolerance: float) -> str | None:
    if not isinstance(got, Tensor):
        makes = "torch.from_numpy(...)" if type(got).__module__ == "numpy" else "torch.tensor(...)"
        how = f" {makes} makes one of it." if isinstance(got, (list, tuple)) or type(got).__module__ == "numpy" else ""
        return f"It should be a tensor, but it is {_kind(got)}.{how}"
    if expected.shape != got.shape:
        return f"The shape should be {tuple(expected.shape)}, but it is {tuple(got.shape)}."
    if _dtype_kind(expected) != _dtype_kind(got):
        return f"It should hold {_dtype_kind(expected)}, but it holds {_dtype_kind(got)} ({got.dtype})."
    e, g = expected.detach().double(), got.detach().double()
    if g.numel() == 0:
        return None
    n_nan = int((g.isnan() & ~e.isnan()).sum())
    if n_nan:
        return f"{n_nan} of {g.numel()} values are NaN, which means not a number (0/0, for instance)."
    agrees = (e == g) | ((e - g).abs() <= tolerance) | (e.isnan() & g.isnan())
    if bool(agrees.all()):
        return None
    worst = (~agrees).nonzero()[0].tolist()
    where = f" at {worst}" if worst else ""
    n_wrong = int((~agrees).sum())
    wanted, came = show(expected[tuple(worst)]), show(got[tuple(worst)])
    if wanted == came:  # they differ further behind
        wanted, came = f"{e[tuple(worst)].item():.7g}", f"{g[tuple(worst)].item():.7g}"
    return f"{n_wrong} of {g.numel()} values differ; the first{where} should be {wanted}, but it is {came}."


def _inside(where: str, problem: str) -> str:
    """Say where in a list or dictionary a problem sits: "At entry 0, entry 2: the value is not right."."""
    if problem.startswith("At "):
        return f"At {where}, {problem[3:]}"
    return f"At {where}: {problem[0].lower()}{problem[1:]}"


def _dtype_kind(tensor: Tensor) -> str:
    if tensor.dtype == torch.bool:
        return "True and False"
    if tensor.is_complex():
        return "complex numbers"
    return "numbers with a decimal point" if tensor.is_floating_point() else "whole numbers"


def _kind(value: Any) -> str:
    names = {
        bool: "True or False", int: "a whole number", float: "a number", str: "a text", list: "a list", tuple: "a list",
        dict: "a dictionary", type(None): "None",
    }  # fmt: skip
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if callable(value):
        return "a function"
    return names.get(type(value), f"a {type(value).__module__.split('.')[0]} {type(value).__name__}")


def _not_callable(exercise: Exercise, answer: Any) -> str:
    if answer is None or answer is ...:
        return f"{exercise.name} is not written yet."
    return (
        f"The check calls your function itself, so give it the function: check({exercise.id!r}, {exercise.name}), "
        f"without brackets after the name. It was given {_kind(answer)}."
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["(no message)"])[0][:300]


def _place(error: BaseException) -> str:
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if "ipykernel" in f.filename or f.filename.startswith("<")
    ]
    return f" (line {frames[-1].lineno} of your cell)" if frames else ""
