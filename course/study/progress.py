"""The learner's progress, kept in one SQLite file in the learner's own folder.

SQLite keeps it whole when two notebooks write at once or the computer stops in the middle. Every attempt is kept; the
best counts.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import platformdirs

HOME_VARIABLE = "ATTENTION_COURSE_HOME"


class ProgressError(RuntimeError):
    """Progress cannot be read or written. The message is a sentence for the learner."""


class Best(NamedTuple):
    """The best attempt at one exercise."""

    exercise: str
    points: int
    max_points: int
    attempts: int
    last: float  # seconds since 1970


def folder() -> Path:
    """Say where the learner's data lives; the environment variable ATTENTION_COURSE_HOME moves it."""
    return Path(os.environ.get(HOME_VARIABLE) or platformdirs.user_data_path("attention-course"))


def record(exercise: str, points: int, max_points: int) -> None:
    """Add one attempt.

    Raises:
        ProgressError: the file cannot be written; the answer itself is not affected.
    """
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with closing(_open()) as database, database:
            database.execute("INSERT INTO attempt VALUES (?, ?, ?, ?)", (exercise, points, max_points, time.time()))
    except (OSError, sqlite3.Error) as error:
        raise ProgressError(f"Your progress could not be saved in {folder()} ({error}).") from error


def best() -> dict[str, Best]:
    """Return the best attempt at each exercise that was tried.

    Raises:
        ProgressError: the file is there but cannot be read.
    """
    if not _file().exists():
        return {}
    columns = "exercise, MAX(points), MAX(max_points), COUNT(*), MAX(at)"
    query = f"SELECT {columns} FROM attempt GROUP BY exercise ORDER BY exercise"
    try:
        with closing(_open()) as database:
            return {row[0]: Best(*row) for row in database.execute(query)}
    except sqlite3.Error as error:
        raise ProgressError(
            f"Your progress in {_file()} cannot be read ({error}). Move that file aside to start afresh."
        ) from error


def _file() -> Path:
    return folder() / "progress.sqlite"


def _open() -> sqlite3.Connection:
    database = sqlite3.connect(_file(), timeout=5)
    database.execute("CREATE TABLE IF NOT EXISTS attempt (exercise TEXT, points INTEGER, max_points INTEGER, at REAL)")
    return database
