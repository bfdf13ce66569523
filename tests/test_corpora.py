"""The corpora are whole, balanced as stated, and their splits never move."""

import difflib
import itertools
import re

import pytest

from course import corpora, sources


@pytest.mark.parametrize(
    "corpus, n_texts, n_labels", [("rotten_tomatoes", 8530, 2), ("imdb", 25000, 2), ("bbc_news", 2225, 5)]
)
def test_a_corpus_is_whole_and_its_parts_share_no_text(corpus, n_texts, n_labels):
    corpus = getattr(corpora, corpus)()
    parts = [{example.text for example in part} for part in (corpus.train, corpus.validation, corpus.held_out)]
    assert len(corpus) == n_texts and len(corpus.label_names) == n_labels
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert 0.77 < len(corpus.train) / len(corpus) < 0.83
    labels = [e.label for e in (*corpus.train, *corpus.validation, *corpus.held_out)]
    if n_labels == 2:
        assert labels.count(0) == labels.count(1)
    assert set(labels) == set(range(n_labels))
    assert all(example.text.strip() for example in corpus.train)


def test_splits_never_move():
    # Measured once; a change here would quietly mix held-out texts into training for everyone.
    sizes = {
        name: tuple(len(getattr(corpus, part)) for part in ("train", "validation", "held_out"))
        for name, corpus in (("rotten_tomatoes", corpora.rotten_tomatoes()), ("bbc_news", corpora.bbc_news()))
    }
    assert sizes == {"rotten_tomatoes": (6829, 848, 853), "bbc_news": (1787, 200, 238)}
    assert {text: corpora.split_of(text) for text in "abcf"} == {
        "a": "held_out", "b": "train", "c": "train", "f": "held_out",
    }  # fmt: skip


def test_a_missing_corpus_is_met_with_the_command_that_gets_it(monkeypatch):
    monkeypatch.setattr(sources, "find", lambda name: None)
    corpora.bbc_news.cache_clear()
    with pytest.raises(corpora.CorpusError, match="course models --get"):
        corpora.bbc_news()
    corpora.bbc_news.cache_clear()


def test_bank_stands_once_in_each_sentence_half_of_them_at_the_river():
    examples = corpora.bank_senses()
    senses = [example.sense for example in examples]
    assert set(senses) == {"river", "money"} and senses.count("river") == senses.count("money") == 16
    for example in examples:
        assert len(re.findall(r"\bbank\b", example.text)) == 1 and example.text.lower().count("bank") == 1


def test_the_bank_sentences_are_varied_and_no_two_are_alike():
    texts = [example.text for example in corpora.bank_senses()]
    for a, b in itertools.combinations(texts, 2):
        assert difflib.SequenceMatcher(None, a.lower().split(), b.lower().split()).ratio() < 0.5, (a, b)
    for sense in ("river", "money"):
        sentences = [example.text.split() for example in corpora.bank_senses() if example.sense == sense]
        assert max(map(len, sentences)) >= 2 * min(map(len, sentences))
        places = [next(i for i, word in enumerate(words) if "bank" in word) / len(words) for words in sentences]
        assert min(places) < 0.2 and max(places) > 0.5  # neither sense can be told by where the word stands
