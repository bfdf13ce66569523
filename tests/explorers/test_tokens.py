"""What the tokenizer explorer computes, without a browser."""

import doctest
import json
from types import SimpleNamespace

import pytest

from course import models
from course.explorers import tokens
from course.explorers.tokens import (
    MAX_STEPPED,
    MAX_TOKENS,
    TokenizerExplorer,
    byte_pair_view,
    learnt_merges,
    method,
    readable,
    text_problem,
    tokenize,
    wordpiece_view,
)

MIXED = "I ❤️ 東京 and naïve cafés 3.14159!"


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture(scope="module")
def smollm2():
    try:
        return models.load("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def explorer(minilm, smollm2):
    return TokenizerExplorer(minilm, smollm2)


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(tokens).failed == 0


def test_a_cell_can_print_tokens_and_ids(explorer):
    assert explorer.tokens == ["[CLS]", "the", "cat", "sat", "on", "the", "mat", "[SEP]"]
    assert explorer.ids == [101, 1996, 4937, 2938, 2006, 1996, 13523, 102]
    assert explorer.other_tokens == ["The", "Ġcat", "Ġsat", "Ġon", "Ġthe", "Ġmat"]
    assert explorer.other_ids == [504, 2644, 2643, 335, 260, 1171]


def test_the_text_alternative_says_every_token_and_id(explorer):
    assert repr(explorer) == (
        "TokenizerExplorer on 'The cat sat on the mat':\n"
        "minilm (WordPiece), 8 tokens with their ids: [CLS] 101 | the 1996 | cat 4937 | sat 2938 | on 2006 | "
        "the 1996 | mat 13523 | [SEP] 102\n"
        "smollm2 (byte-pair encoding), 6 tokens with their ids: The 504 | Ġcat 2644 | Ġsat 2643 | Ġon 335 | "
        "Ġthe 260 | Ġmat 1171"
    )


def test_offsets_count_characters_as_python_does(minilm):
    for token in tokenize("❤️😀 cat", minilm.tokenizer):
        if token.token == "cat":
            assert "❤️😀 cat"[token.start : token.end] == "cat"


def test_special_and_unknown_tokens_are_told_apart(minilm):
    kinds = {(t.token, t.kind) for t in tokenize("I ❤ [MASK]", minilm.tokenizer)}
    assert kinds == {
        ("[CLS]", "special"), ("i", "piece"), ("[UNK]", "unknown"), ("[MASK]", "special"), ("[SEP]", "special"),
    }  # fmt: skip


def test_the_pieces_of_one_word_share_its_number(minilm):
    words = [t.word for t in tokenize("of tokenization", minilm.tokenizer)]
    assert words == [None, 0, 1, 1, None]


@pytest.mark.parametrize(
    "text",
    [
        MIXED, "Unbelievable tokenization of antidisestablishmentarianism", "שלום עולם", "a\tb\nc", "[MASK] ## C++ #",
        "don't re-do it's ß İ", "x" * 120, "Donaudampfschifffahrtsgesellschaft", "e\u0301 zero\u200bwidth",
    ],
)  # fmt: skip
def test_the_last_step_shows_the_very_tokens_of_the_chips(explorer, text):
    explorer.text = text
    assert explorer.problem == ""
    first, second = explorer.picture["tokenizers"]
    chips = [[t["token"] for t in first["tokens"]], [t["mark"] + t["text"] for t in second["tokens"]]]
    for word in explorer.picture["words"]:
        wordpieces, byte_pairs = word["sides"]
        spans = [(start, end) for start, end, number in wordpieces["attempts"] if number >= 0]
        found = [("##" if start else "") + word["word"][start:end] for start, end in spans]
        if not wordpieces["problem"] and not word["unknown"]:
            assert contains(chips[0], found), found
        if byte_pairs and not byte_pairs["problem"]:
            left = [symbol["mark"] + symbol["text"] for symbol in byte_pairs["states"][-1]["symbols"]]
            assert contains(chips[1], left), left


def contains(row: list[str], pieces: list[str]) -> bool:
    return any(row[i : i + len(pieces)] == pieces for i in range(len(row)))


def test_attempts_carry_the_id_or_minus_one():
    view = wordpiece_view("cats", {"cat": 7, "##s": 9})
    assert view == {"letters": list("cats"), "attempts": [[0, 4, -1], [0, 3, 7], [3, 4, 9]], "problem": ""}


def test_merges_lead_from_state_to_state():
    view = byte_pair_view("hug", {("u", "g"): 0, ("h", "ug"): 4})
    symbols = [[symbol["text"] for symbol in state["symbols"]] for state in view["states"]]
    assert symbols == [["h", "u", "g"], ["h", "ug"], ["hug"]]
    assert [state["ranks"] for state in view["states"]] == [[-1, 0], [4], []]
    assert [merge["rank"] for merge in view["merges"]] == [0, 4]


def test_a_word_too_long_for_the_stepper_is_met_with_a_sentence():
    assert "becomes [UNK]" in wordpiece_view("x" * 101, {})["problem"]
    assert f"up to {MAX_STEPPED}" in wordpiece_view("x" * 51, {})["problem"]
    assert f"up to {MAX_STEPPED}" in byte_pair_view("x" * 51, {})["problem"]


def test_what_cannot_be_seen_is_written_as_a_code():
    assert readable("ï¸ı", is_byte_level=True) == {"mark": "", "text": "U+FE0F", "code": "invisible"}
    assert readable("Ŀ", is_byte_level=True) == {"mark": "", "text": "9D", "code": "bytes"}
    assert readable("##", is_byte_level=False) == {"mark": "", "text": "##", "code": ""}


def test_the_method_is_read_from_the_tokenizer(minilm, smollm2):
    assert method(minilm.tokenizer) == "WordPiece" and learnt_merges(minilm.tokenizer) == {}
    assert method(smollm2.tokenizer) == "byte-pair encoding" and len(learnt_merges(smollm2.tokenizer)) == 48_900


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no text yet."),
        (" \t\n", "There are only spaces here."),
        ("word " * 600, f"This text has 602 tokens; the explorer shows at most {MAX_TOKENS}."),
        ("x" * 25_000, "This text has 25,000 characters; the explorer takes at most 20,000."),
        ("half \ud83d", "This text holds half of a character"),
    ],
)
def test_a_bad_text_becomes_a_sentence_and_keeps_the_last_good_picture(explorer, text, sentence):
    before = explorer.picture, explorer.tokens
    explorer.text = text
    assert explorer.problem.startswith(sentence)
    assert (explorer.picture, explorer.tokens) == before
    explorer.text = "fine again"
    assert explorer.problem == "" and explorer.picture["text"] == "fine again"


def test_a_bad_first_text_is_a_sentence_too(minilm):
    explorer = TokenizerExplorer(minilm, text="")
    assert explorer.problem == text_problem("") and explorer.picture == {}
    assert repr(explorer) == f"TokenizerExplorer: {explorer.problem}"
    assert explorer.tokens == [] and explorer.other_tokens is None


def test_one_tokenizer_is_enough(minilm):
    explorer = TokenizerExplorer(minilm, text="The cat")
    assert len(explorer.picture["tokenizers"]) == 1 and explorer.other_ids is None


def test_the_stepper_begins_with_a_word_that_was_split(explorer):
    assert explorer.word == "the"
    explorer.text = "the tokenization of cats"
    assert explorer.word == "tokenization"
    explorer.step, explorer.text = 5, "tokenization again"
    assert (explorer.word, explorer.step) == ("tokenization", 5)  # the word is still there, so it stays
    explorer.text = "cats"
    assert (explorer.word, explorer.step, explorer.merge_step) == ("cats", 1, 0)


def test_what_is_sent_to_the_browser_stays_small(explorer):
    explorer.text = "unbelievable tokenization " * 55
    assert explorer.problem == ""
    assert len(json.dumps(explorer.picture)) < 200_000


def test_wrong_arguments_are_refused_with_a_sentence(minilm):
    with pytest.raises(TypeError, match="models with a fast tokenizer, such as models.load"):
        TokenizerExplorer("minilm")
    with pytest.raises(TypeError, match="models with a fast tokenizer"):
        TokenizerExplorer(minilm, SimpleNamespace(tokenizer=None))
    with pytest.raises(TypeError, match="text must be a string, for example 'The cat sat', got int"):
        TokenizerExplorer(minilm, text=3)
