"""Tests never touch the learner's own progress."""

import pytest

from course.study.progress import HOME_VARIABLE


@pytest.fixture(autouse=True, scope="session")
def private_home(tmp_path_factory):
    """Keep everything that a check records in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
        yield
