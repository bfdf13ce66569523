"""The learner's progress: kept whole, the best attempt counts, trouble is a sentence."""

import os
import stat
import subprocess
import sys

import pytest

from course.study import progress


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home é x"
    monkeypatch.setenv(progress.HOME_VARIABLE, str(folder))
    return folder


def test_nothing_recorded_is_no_progress(home):
    assert progress.best() == {}
    assert not home.exists()  # looking leaves no trace


def test_the_best_attempt_counts():
    for points in (0, 2, 1):
        progress.record("04.2", points, 2)
    progress.record("04.1", 0, 2)
    best = progress.best()
    assert list(best) == ["04.1", "04.2"]
    assert best["04.2"][:4] == ("04.2", 2, 2, 3)
    assert best["04.1"][:4] == ("04.1", 0, 2, 1)
    assert best["04.2"].last > 1_700_000_000


def test_the_environment_variable_moves_the_folder(home, tmp_path, monkeypatch):
    progress.record("04.2", 2, 2)
    assert (home / "progress.sqlite").exists()
    monkeypatch.setenv(progress.HOME_VARIABLE, str(tmp_path / "elsewhere"))
    assert progress.best() == {}
    monkeypatch.delenv(progress.HOME_VARIABLE)
    assert "attention-course" in str(progress.folder())


def test_many_writers_at_once_lose_nothing():
    code = "from course.study import progress\nfor i in range(25): progress.record('04.2', i % 3, 2)"
    writers = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(6)]
    for writer in writers:
        assert writer.wait(timeout=60) == 0, writer.stderr.read()
        writer.stderr.close()
    assert progress.best()["04.2"][:4] == ("04.2", 2, 2, 150)


def test_a_writer_killed_in_the_middle_leaves_the_file_whole(home):
    progress.record("04.1", 2, 2)
    code = (
        "import os, sqlite3\nfrom course.study import progress\n"
        "database = sqlite3.connect(progress.folder() / 'progress.sqlite')\n"
        "database.execute(\"INSERT INTO attempt VALUES ('04.2', 2, 2, 0)\")\nos._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 9
    assert list(progress.best()) == ["04.1"]
    progress.record("04.2", 1, 2)
    assert list(progress.best()) == ["04.1", "04.2"]


@pytest.mark.parametrize("content", [b"no database at all, " * 60, b"SQLite format 3\x00" + b"\xff" * 2000])
def test_a_corrupted_file_is_named_and_left_as_it_is(home, content):
    home.mkdir()
    file = home / "progress.sqlite"
    file.write_bytes(content)
    with pytest.raises(progress.ProgressError, match="Move that file aside to start afresh"):
        progress.best()
    with pytest.raises(progress.ProgressError, match="Your progress could not be saved in"):
        progress.record("04.2", 2, 2)
    assert file.read_bytes() == content


def test_another_programs_database_is_left_as_it_is(home):
    import sqlite3

    home.mkdir()
    with sqlite3.connect(home / "progress.sqlite") as database:
        database.execute("CREATE TABLE attempt (something TEXT)")
    database.close()
    before = (home / "progress.sqlite").read_bytes()
    with pytest.raises(progress.ProgressError, match="cannot be read"):
        progress.best()
    with pytest.raises(progress.ProgressError, match="could not be saved"):
        progress.record("04.2", 2, 2)
    assert (home / "progress.sqlite").read_bytes() == before


def test_a_folder_that_is_a_file_is_a_sentence(home):
    home.write_text("a file")
    with pytest.raises(progress.ProgressError, match="Your progress could not be saved in"):
        progress.record("04.2", 2, 2)
    assert home.read_text() == "a file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_a_folder_without_permission_is_a_sentence(home):
    home.mkdir()
    home.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(progress.ProgressError, match="Your progress could not be saved in"):
            progress.record("04.2", 2, 2)
    finally:
        home.chmod(stat.S_IRWXU)


def test_a_folder_that_cannot_be_made_is_a_sentence(monkeypatch):
    monkeypatch.setenv(progress.HOME_VARIABLE, "/proc/no/such/folder" if os.path.isdir("/proc") else "\0")
    with pytest.raises(progress.ProgressError, match="Your progress could not be saved in"):
        progress.record("04.2", 2, 2)
