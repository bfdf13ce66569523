"""Exercises, each defined once: ``check("04.2", causal_mask)`` beside the learner, the grader beside the instructor.

A lesson's exercises stand in ``lesson_NN.py`` as a tuple ``EXERCISES``.
"""

from __future__ import annotations

import difflib
import functools
import html
import importlib
import os
import pkgutil
from typing import Any

from course.checks.exercise import Case, Exercise, Hint, Verdict, judge
from course.checks.show import show, side_by_side
from course.study import progress

__all__ = ["Case", "CheckFailed", "Exercise", "Feedback", "Hint", "Verdict", "check", "exercises", "find", "lessons"]


class CheckFailed(AssertionError):
    """Raised in place of friendly feedback where a machine collects marks by exceptions (nbgrader does)."""


def check(exercise_id: str, answer: Any) -> Feedback:
    """Try an answer and say what came of it; the learner's progress is recorded.

    Args:
        exercise_id: "04.2".
        answer: what the exercise asks for: a function (its name, without brackets), a value or a choice.

    Returns:
        Feedback, which a notebook shows as a card; its text form is one stable line when the answer is right.

    Raises:
        ValueError: there is no such exercise.
    """
    verdict = judge(find(exercise_id), answer)
    try:
        progress.record(verdict.exercise.id, verdict.points, verdict.exercise.points)
    except progress.ProgressError as error:
        verdict.notes.append(str(error))
    if not verdict.passed and os.environ.get("NBGRADER_EXECUTION"):
        raise CheckFailed(str(Feedback(verdict)))
    return Feedback(verdict)


@functools.cache
def lessons() -> tuple[str, ...]:
    """Name the lessons that have exercises: ("00", "01", "04", ...)."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.removeprefix("lesson_") for name in names if name.startswith("lesson_")))


@functools.cache
def exercises(lesson: str) -> tuple[Exercise, ...]:
    """List the exercises of a lesson, e.g. ``exercises("04")``."""
    return importlib.import_module(f"course.checks.lesson_{lesson}").EXERCISES


def find(exercise_id: str) -> Exercise:
    """Return the exercise with this id.

    Raises:
        ValueError: there is none; the message offers the nearest.
    """
    lesson = str(exercise_id).partition(".")[0]
    if lesson in lessons():
        for exercise in exercises(lesson):
            if exercise.id == exercise_id:
                return exercise
    known = [e.id for each in lessons() for e in exercises(each)]
    near = difflib.get_close_matches(str(exercise_id), known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(known)}."
    raise ValueError(f"There is no exercise {exercise_id!r}.{hint}")


class Feedback:
    """A verdict as a notebook shows it: a card in HTML, and the same in plain text."""

    def __init__(self, verdict: Verdict):
        self.verdict = verdict

    def __repr__(self) -> str:
        v = self.verdict
        lines = [v.line]
        if v.passed:
            return v.line
        if v.tried:
            lines.append(f"  tried:    {v.tried}" + (f"  ({v.note})" if v.note else ""))
        lines.append(f"  problem:  {v.problem}")
        if v.shown:
            lines += [f"  expected: {show(v.expected)}", f"  got:      {show(v.got)}"]
        if v.hint:
            lines.append(f"  hint:     {v.hint}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        v, parts = self.verdict, []
        sign, colour = ("✓", "#1f9d72") if v.passed else ("○", "#c8611a")
        parts.append(f'<div style="font-weight:600">{sign} {html.escape(v.line)}</div>')
        if not v.passed:
            if v.tried:
                note = f" ({html.escape(v.note)})" if v.note else ""
                parts.append(f'<div style="margin-top:6px">Tried <code>{html.escape(v.tried)}</code>{note}</div>')
            parts.append(f'<div style="margin-top:6px">{html.escape(v.problem)}</div>')
            if v.shown:
                parts.append(side_by_side(v.expected, v.got, v.exercise.tolerance))
            if v.hint:
                parts.append(f'<div style="margin-top:6px"><b>Hint.</b> {html.escape(v.hint)}</div>')
        if v.printed:
            n = len(v.printed.splitlines())
            lines = "1 line" if n == 1 else f"{n} lines"
            parts.append(
                f'<div style="margin-top:6px;opacity:.8">Your code printed {lines}; the check put them aside.</div>'
            )
        parts += [f'<div style="margin-top:6px;opacity:.8">{html.escape(note)}</div>' for note in v.notes]
        style = (
            f"border-left:4px solid {colour};padding:8px 14px;margin:4px 0;max-width:760px;line-height:1.45;"
            "color:var(--jp-ui-font-color1,inherit);background:var(--jp-layout-color2,rgba(128,128,128,.08));"
            "font-family:var(--jp-ui-font-family,sans-serif);font-size:13px"
        )
        return f'<div style="{style}">{"".join(parts)}</div>'
