"""Our two tokenizers against the real ones, then their properties."""

import doctest
import json
import random
from collections import Counter

import pytest

from course import models, tokenization
from course.tokenization import (
    MAX_CHARACTERS,
    apply_merge,
    basic_words,
    byte_level,
    byte_pair_encode,
    byte_pair_merges,
    byte_pair_steps,
    count_pairs,
    from_byte_level,
    merge_ranks,
    merge_step,
    split_words,
    wordpiece,
    wordpiece_steps,
)

TEXTS = [
    "The cat sat on the mat",
    "Unbelievable tokenization of antidisestablishmentarianism",
    "I ❤️ 東京 and naïve cafés 3.14159!",
    "The film's a well-made, $12.50 'must-see' (really)...",
    "mispeled wrods tokenizzation",
    "tab\tand\nnew line\r\nand\u00a0hard\u3000wide spaces",
    "zero\u200bwidth, soft\u00adhyphen, \ufffd and \x00 control",
    "שלום עולם مرحبا بالعالم",
    "ΟΔΥΣΣΕΥΣ İstanbul Straße Ångström",
    "こんにちは世界 안녕하세요 สวัสดี नमस्ते",
    "👩\u200d💻👍🏽🇳🇱 ☕",
    "https://example.org/?q=a+b&c=[d] x@y.z",
    "1234567890 1,000,000 2½ ٣٤ ⅷ",
    "a" * MAX_CHARACTERS,
    "a" * (MAX_CHARACTERS + 1),
    "¿Qué? «oui» “quoted” — dash…",
    "",
    "   ",
]


@pytest.fixture(scope="module")
def bert():
    return models.load("minilm").tokenizer


@pytest.fixture(scope="module")
def smollm2():
    try:
        return models.load("smollm2").tokenizer
    except models.ModelError as missing:
        pytest.skip(str(missing))


def made_up_texts(words: list[str], n_texts: int) -> list[str]:
    """Sentences of real words, some with a letter too many, accents, digits, Chinese or emoji inside."""
    random_number = random.Random(1)
    extras = ["é", "ß", "東", "❤️", "😀", "3.14", "-", "'", "ing", "Ñ", "и", "ه", "\t", "…"]
    texts = []
    for _ in range(n_texts):
        chosen = random_number.sample(words, random_number.randint(1, 12))
        spoilt = [w + random_number.choice(extras) if random_number.random() < 0.4 else w.title() for w in chosen]
        texts.append(random_number.choice([" ", " ", "", ", "]).join(spoilt))
    return texts


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(tokenization).failed == 0


def test_wordpiece_gives_exactly_the_ids_of_the_real_tokenizer(bert):
    vocabulary = bert.get_vocab()
    words = sorted(token for token in vocabulary if token.isalpha())
    texts = TEXTS + made_up_texts(words, n_texts=400)
    for text in texts:
        pieces = [piece for word in basic_words(text) for piece in wordpiece(word, vocabulary)]
        expected = bert(text, add_special_tokens=False)["input_ids"]
        assert [vocabulary[piece] for piece in pieces] == expected, text


def test_the_cat_sat_is_the_row_of_ids_that_the_lesson_shows(bert):
    vocabulary = bert.get_vocab()
    pieces = [piece for word in basic_words("The cat sat") for piece in wordpiece(word, vocabulary)]
    assert [vocabulary[piece] for piece in ["[CLS]", *pieces, "[SEP]"]] == [101, 1996, 4937, 2938, 102]


def test_byte_pair_encoding_gives_exactly_the_pieces_of_the_real_tokenizer(smollm2, bert):
    ranks = merge_ranks([tuple(pair) for pair in json.loads(smollm2.backend_tokenizer.to_str())["model"]["merges"]])
    words = sorted(token for token in bert.get_vocab() if token.isalpha())
    sample = random.Random(2).sample(words, 500) + [
        "tokenization",
        "antidisestablishmentarianism",
        "naïve",
        "東京",
        "❤️",
    ]
    for word in sample:
        for text in (word, " " + word.title()):
            for unit, _ in smollm2.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text):
                expected = [token.value for token in smollm2.backend_tokenizer.model.tokenize(unit)]
                assert byte_pair_encode(unit, ranks) == expected, text


def test_byte_level_writes_text_as_the_real_tokenizer_does(smollm2):
    for text in TEXTS:
        units = smollm2.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text)
        assert byte_level(text) == "".join(unit for unit, _ in units)
        assert from_byte_level(byte_level(text)).decode("utf-8") == text


def test_byte_level_has_one_visible_character_for_each_byte():
    characters = tokenization._BYTE_CHARACTERS
    assert len(set(characters)) == 256 and all(character.isprintable() for character in characters)
    assert from_byte_level("".join(characters)) == bytes(range(256))


def test_a_character_that_stands_for_no_byte_is_refused():
    with pytest.raises(ValueError, match="'東' is no byte-level character"):
        from_byte_level("Ġ東")


def test_the_steps_drop_one_letter_at_a_time_and_never_look_back():
    vocabulary = {"un", "##believ", "##able"}
    attempts = wordpiece_steps("unbelievable", vocabulary)
    assert attempts[0] == (0, 12, "unbelievable", False)
    assert [attempt.candidate for attempt in attempts if attempt.found] == ["un", "##believ", "##able"]
    for before, after in zip(attempts, attempts[1:]):
        expected = (before.end, 12) if before.found else (before.start, before.end - 1)
        assert (after.start, after.end) == expected


def test_a_part_that_matches_nothing_makes_the_whole_word_unknown():
    attempts = wordpiece_steps("catx", {"cat", "dog"})
    assert [attempt.found for attempt in attempts] == [False, True, False]
    assert wordpiece("catx", {"cat", "dog"}) == ["[UNK]"]


def test_longest_match_is_greedy_not_clever():
    # "ab" + "##cd" would cover the word, but the longer first piece "abc" is taken and "##d" is missing.
    assert wordpiece("abcd", {"ab", "abc", "##cd"}) == ["[UNK]"]


def test_a_word_over_the_limit_is_unknown_without_a_look():
    assert wordpiece_steps("aaaa", {"a", "##a"}, max_characters=3) == []
    assert wordpiece("aaaa", {"a", "##a"}, max_characters=3) == ["[UNK]"]
    assert wordpiece("aaa", {"a", "##a"}, max_characters=3) == ["a", "##a", "##a"]


@pytest.mark.parametrize("function", [wordpiece, wordpiece_steps, byte_pair_encode, byte_pair_steps])
def test_an_empty_word_is_refused_with_a_sentence(function):
    with pytest.raises(ValueError, match="word must have at least one letter"):
        function("", {})


def test_pairs_are_counted_once_for_each_occurrence_of_the_word():
    assert count_pairs(split_words({"hug": 5, "hugs": 2})) == {("h", "u"): 7, ("u", "g"): 7, ("g", "s"): 2}
    assert count_pairs(split_words({"aaa": 3})) == {("a", "a"): 6}


def test_ties_go_to_the_alphabetically_first_pair_whatever_the_order_of_the_words():
    for word_counts in ({"ba": 1, "ab": 1}, {"ab": 1, "ba": 1}):
        assert merge_step(split_words(word_counts)).pair == ("a", "b")


def test_words_that_become_the_same_symbols_keep_their_counts():
    step = merge_step({("a", "b"): 2, ("ab",): 3})
    assert step.words == {("ab",): 5}


def test_training_stops_when_every_word_is_one_symbol():
    assert byte_pair_merges({"ab": 1}, n_merges=10) == [("a", "b")]
    assert byte_pair_merges({}, n_merges=10) == []
    with pytest.raises(ValueError, match="no pair left to merge"):
        merge_step({("ab",): 1})
    with pytest.raises(ValueError, match="n_merges must be 0 or more, got -1"):
        byte_pair_merges({"ab": 1}, n_merges=-1)


def test_frequent_words_become_one_symbol_when_encoded_with_the_merges_learnt():
    word_counts = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    merges = byte_pair_merges(word_counts, n_merges=20)
    for word in word_counts:
        assert byte_pair_encode(word, merges) == [word]
    assert byte_pair_encode("bug", merges) == ["b", "ug"]


def test_encoding_takes_the_earliest_merge_not_the_leftmost():
    merges = [("b", "c"), ("a", "b")]
    assert byte_pair_encode("abc", merges) == ["a", "bc"]
    assert [step.rank for step in byte_pair_steps("abc", merges)] == [0]


def test_a_word_without_a_known_pair_stays_characters():
    assert byte_pair_encode("xyz", [("a", "b")]) == ["x", "y", "z"]


def test_merging_never_changes_the_text():
    assert "".join(apply_merge(("a", "b", "a", "b", "a"), ("a", "b"))) == "ababa"
    assert apply_merge(("a", "b", "a", "b", "a"), ("a", "b")) == ("ab", "ab", "a")


def test_learning_many_merges_equals_merging_one_step_at_a_time():
    counts = Counter(
        word for text in ("aaaa banana bandana", "the cat that sat on that mat", "abababab") for word in text.split()
    )
    words, merges = split_words(counts), []
    while any(len(symbols) > 1 for symbols in words):
        step = merge_step(words)
        words = step.words
        merges.append(step.pair)
    assert byte_pair_merges(counts, 10_000) == merges
    assert byte_pair_merges(counts, 5) == merges[:5]
