"""The study content of each lesson: cards, quiz questions and terms are complete, unique, and belong to their lesson."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "course/study/content").glob("*.yaml"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def content(path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def prose(lesson: str) -> str:
    """Return all text of a lesson's notebook, on one line and in lower case, without Markdown's stars."""
    (path,) = ROOT.glob(f"lessons/{lesson}_*.ipynb")
    text = " ".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    return " ".join(text.replace("*", "").lower().split())


def finished(text: str) -> bool:
    """Tell whether a text is one or more whole sentences."""
    return isinstance(text, str) and len(text) >= 8 and text == text.strip() and text[-1] in ".?)"


def test_the_five_lessons_have_content():
    assert {"02", "03", "05", "06", "07"} <= {path.stem for path in FILES}


def test_no_id_and_no_term_stands_twice():
    all_content = [content(path) for path in FILES]
    ids = [entry["id"] for each in all_content for entry in (*each["cards"], *each["quiz"])]
    terms = [entry["term"].lower() for each in all_content for entry in each["glossary"]]
    for names in (ids, terms):
        assert sorted(set(names)) == sorted(names)


@every_file
def test_a_file_names_its_lesson_and_holds_enough(path):
    found = content(path)
    assert set(found) == {"lesson", "cards", "quiz", "glossary"} and found["lesson"] == path.stem
    assert 8 <= len(found["cards"]) <= 12 and len(found["quiz"]) >= 5 and len(found["glossary"]) >= 6


@every_file
def test_cards_ask_and_answer_in_whole_sentences(path):
    for card in content(path)["cards"]:
        assert set(card) == {"id", "front", "back"}
        assert re.fullmatch(rf"{path.stem}-[a-z0-9-]+", card["id"])
        assert finished(card["front"]) and finished(card["back"]), card["id"]
        assert card["front"] != card["back"] and len(card["back"]) <= 400, card["id"]


@every_file
def test_quiz_questions_can_be_answered_and_explain_every_option(path):
    quiz = content(path)["quiz"]
    assert {question["kind"] for question in quiz} == {"one", "several", "number", "order"}
    for question in quiz:
        name = question["id"]
        assert re.fullmatch(rf"{path.stem}-[a-z0-9-]+", name) and finished(question["question"]), name
        if question["kind"] in ("one", "several"):
            assert set(question) == {"id", "kind", "question", "options"}, name
            options = question["options"]
            assert 3 <= len(options) <= 5 and len({option["text"] for option in options}) == len(options), name
            for option in options:
                assert set(option) == {"text", "right", "why"} and isinstance(option["right"], bool), name
                assert isinstance(option["text"], str) and finished(option["why"]), (name, option)
            n_right = sum(option["right"] for option in options)
            assert (n_right == 1) if question["kind"] == "one" else (n_right >= 2), name
        elif question["kind"] == "number":
            assert set(question) == {"id", "kind", "question", "answer", "tolerance", "unit", "why"}, name
            assert isinstance(question["answer"], (int, float)) and question["tolerance"] >= 0, name
            assert finished(question["why"]), name
        else:
            assert set(question) == {"id", "kind", "question", "steps", "why"}, name
            assert 3 <= len(question["steps"]) == len(set(question["steps"])), name
            assert all(isinstance(step, str) for step in question["steps"]) and finished(question["why"]), name


@every_file
def test_the_right_option_does_not_always_stand_first(path):
    ones = [question for question in content(path)["quiz"] if question["kind"] == "one"]
    assert len(ones) < 3 or len({[o["right"] for o in one["options"]].index(True) for one in ones}) > 1


@every_file
def test_each_term_occurs_in_its_lesson(path):
    text = prose(path.stem)
    for entry in content(path)["glossary"]:
        assert set(entry) == {"term", "meaning"} and finished(entry["meaning"]), entry
        assert entry["term"].lower() in text, f"{entry['term']!r} does not occur in lesson {path.stem}"
