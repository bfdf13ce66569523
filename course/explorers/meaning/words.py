"""From sentences to vectors: one word of each, in every layer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course.models import Model

MOST_TOKENS = 64  # more of them, and the sentence can no longer be read beside the map


class WordVectors(NamedTuple):
    """Vectors of words in their sentences, from the table of word vectors to the last layer."""

    layer_names: list[str]  # "static", then "0" (positions added, nothing mixed yet) if it differs, then "1", "2" ...
    vectors: Tensor  # (layer, item, d_model), each of length 1


def find_word(text: str, word: str) -> tuple[int, int]:
    """Find where a word first stands in a text, as a word of its own, capitals or not.

    Returns:
        (start, end), in characters.

    Raises:
        TypeError: ``text`` or ``word`` is not text.
        ValueError: one of them is empty, or the word is not there.

    Example:
        >>> find_word("Embankments bank up the bank.", "bank")
        (12, 16)
    """
    for given in (text, word):
        if not isinstance(given, str):
            raise TypeError(f"A sentence and one of its words are needed, both as text; got {type(given).__name__}.")
    word = word.strip()
    if not text.strip():
        raise ValueError("There is no sentence here. Type one that contains the word.")
    if not word:
        raise ValueError("Which word is meant? Type one word of the sentence into the field for the word.")
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    if not found:
        raise ValueError(f"The word “{word}” does not stand in this sentence. Type a word that does.")
    return found.span()


def word_vectors(model: Model, items: Sequence[tuple[str, str]]) -> WordVectors:
    """Run sentences through a model and take the vector of one word of each, in every layer.

    A word that was cut into several pieces gets the mean of its pieces. Each vector is then given length 1: only its
    direction counts, as for the cosine, and no layer looks larger than another only because its numbers are.

    Args:
        model: from ``models.load``.
        items: (text, word) pairs; the word may be the whole text.

    Raises:
        TypeError, ValueError: a text is empty or has more than 64 tokens, or does not contain its word.
    """
    spans = [find_word(text, word) for text, word in items]
    pieces = []  # of each item, the positions of its word's pieces
    for (text, word), (start, end) in zip(items, spans, strict=True):
        encoded = model.tokenizer(text, return_offsets_mapping=True, verbose=False)
        if len(encoded["input_ids"]) > MOST_TOKENS:
            raise ValueError(
                f"This sentence is {len(encoded['input_ids'])} tokens long. The meaning map shows at most "
                f"{MOST_TOKENS}, so that it can be read beside the map. Shorten it."
            )
        offsets = encoded["offset_mapping"]
        pieces.append([i for i, (s, e) in enumerate(offsets) if s < e and s < end and start < e])
        if not pieces[-1]:
            raise ValueError(f"{model.name} makes no token of “{word}”. Choose another word.")
    table = model.network.get_input_embeddings().weight
    vectors = []
    for begin in range(0, len(items), 32):
        run = model.run([text for text, _ in items[begin : begin + 32]])
        static = table[run.ids].detach()[None]  # (1, batch, position, d_model)
        states = torch.cat([static, run.hidden_states])  # (layer, batch, position, d_model)
        vectors += [states[:, i, where].mean(dim=1) for i, where in enumerate(pieces[begin : begin + 32])]
    stacked = torch.stack(vectors, dim=1)  # (layer, item, d_model)
    names = ["static", *map(str, range(len(stacked) - 1))]
    if torch.equal(stacked[0], stacked[1]):  # this model adds no positions to its word vectors
        stacked, names = stacked[torch.arange(len(names)) != 1], [name for name in names if name != "0"]
    return WordVectors(names, torch.nn.functional.normalize(stacked, dim=-1))
