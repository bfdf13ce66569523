"""The tokenizer explorer: one text, its tokens in two tokenizers, and how one word was split, step by step."""

import json
import unicodedata
from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple

import anywidget
import traitlets

from course import views
from course.tokenization import MAX_CHARACTERS, Pair, byte_pair_steps, from_byte_level, merge_ranks, wordpiece_steps

MAX_TOKENS = 300  # chips that are still pleasant to look at
MAX_TEXT = 20_000  # characters; more is refused before it is tokenized
MAX_STEPPED = 50  # characters of a word that is shown step by step


class Token(NamedTuple):
    """One token of a text, with the place in the text that it came from.

    Attributes:
        token: as the tokenizer writes it, e.g. ``##ization`` or ``Ġcat``.
        id: its number in the vocabulary.
        segment_id: 0 or 1, or None for a tokenizer that has no segments.
        attention_mask: 1 for a token that counts, 0 for padding.
        start, end: the token came from ``text[start:end]``; both 0 for a token that was added.
        kind: "piece", "special" (added, or the name of a special token typed) or "unknown".
        word: which word of the text it belongs to, from 0; None for special tokens.
    """

    token: str
    id: int
    segment_id: int | None
    attention_mask: int
    start: int
    end: int
    kind: str
    word: int | None


def text_problem(text: str) -> str:
    """Say in one sentence why a text cannot be shown; an empty string if it can.

    Example:
        >>> text_problem("The cat")
        ''
        >>> text_problem("   ")
        'There are only spaces here. Type at least one letter, digit or other mark.'
    """
    if not text:
        return "There is no text yet. Type at least one letter, digit or other mark."
    if not text.strip():
        return "There are only spaces here. Type at least one letter, digit or other mark."
    if len(text) > MAX_TEXT:
        return f"This text has {len(text):,} characters; the explorer takes at most {MAX_TEXT:,}. Shorten it."
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "This text holds half of a character, which no tokenizer can read. Delete it, or type it again."
    return ""


def tokenize(text: str, tokenizer) -> list[Token]:
    """Split a text with a real tokenizer, special tokens included.

    Args:
        text: any text.
        tokenizer: a fast tokenizer of transformers.

    Returns:
        The tokens in order.
    """
    encoded = tokenizer(text, return_offsets_mapping=True, verbose=False)
    tokens = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    segment_ids = encoded.get("token_type_ids") or [None] * len(tokens)
    special = set(tokenizer.all_special_tokens)
    rows = zip(
        tokens, encoded["input_ids"], segment_ids, encoded["attention_mask"], encoded["offset_mapping"],
        encoded.word_ids(),
    )  # fmt: skip
    result = []
    for token, number, segment_id, attends, (start, end), word in rows:
        is_unknown = token == tokenizer.unk_token and text[start:end] not in ("", token)
        kind = "unknown" if is_unknown else "special" if token in special else "piece"
        result.append(Token(token, number, segment_id, attends, start, end, kind, None if kind == "special" else word))
    return result


def method(tokenizer) -> str:
    """Name the algorithm of a tokenizer: "WordPiece", "byte-pair encoding", or the library's name for another one."""
    backend = tokenizer.backend_tokenizer
    name = type(backend.model).__name__
    # Only the byte-level kind writes its words in the characters of `byte_level`.
    return "byte-pair encoding" if name == "BPE" and "ByteLevel" in repr(backend.pre_tokenizer) else name


def learnt_merges(tokenizer) -> dict[Pair, int]:
    """Return the merges of a byte-pair tokenizer with their ranks; empty for a tokenizer of another kind."""
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"].get("merges", [])
    return merge_ranks([tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in merges])


def readable(token: str, is_byte_level: bool) -> dict[str, str]:
    """Take a token apart for display: the marker that the tokenizer put in front, and what the token says.

    Returns:
        mark: ``##``, ``Ġ`` or an empty string.
        text: what the token says, or a code where that cannot be seen.
        code: empty; "bytes" if the token is only part of a character and ``text`` holds its bytes, in hexadecimal;
            "invisible" if ``text`` holds the number of a character that has no picture of its own.

    Example:
        >>> readable("##ization", is_byte_level=False)
        {'mark': '##', 'text': 'ization', 'code': ''}
        >>> readable("ĠcafÃ©", is_byte_level=True)
        {'mark': 'Ġ', 'text': 'café', 'code': ''}
        >>> readable("ĠæĿ", is_byte_level=True)
        {'mark': 'Ġ', 'text': 'E6 9D', 'code': 'bytes'}
    """
    if is_byte_level:
        mark = "Ġ" if token.startswith("Ġ") else ""
        raw = from_byte_level(token[len(mark) :])
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return {"mark": mark, "text": raw.hex(" ").upper(), "code": "bytes"}
    else:
        mark = "##" if token.startswith("##") and len(token) > 2 else ""
        text = token[len(mark) :]
    invisible = [character for character in text if unicodedata.category(character) in ("Cf", "Cc", "Mn", "Me")]
    if text and len(invisible) == len(text) and not text.isspace():
        return {"mark": mark, "text": " ".join(f"U+{ord(character):04X}" for character in text), "code": "invisible"}
    return {"mark": mark, "text": text, "code": ""}


def wordpiece_view(word: str, vocabulary: Mapping[str, int]) -> dict:
    """Everything that the picture of WordPiece needs for one word.

    Returns:
        letters: the characters of the word.
        attempts: [start, end, id in the vocabulary or -1] for every look, in order.
        problem: a sentence if there are no steps to show, else empty.
    """
    letters = list(word)
    if len(letters) > MAX_CHARACTERS:
        problem = (
            f"This word has {len(letters)} characters. WordPiece looks at no word of more than {MAX_CHARACTERS}: "
            "it becomes [UNK]."
        )
    elif len(letters) > MAX_STEPPED:
        problem = f"This word has {len(letters)} characters; the steps are shown for words of up to {MAX_STEPPED}."
    else:
        attempts = [[a.start, a.end, vocabulary.get(a.candidate, -1)] for a in wordpiece_steps(word, vocabulary)]
        return {"letters": letters, "attempts": attempts, "problem": ""}
    return {"letters": [], "attempts": [], "problem": problem}


def byte_pair_view(word: str, ranks: Mapping[Pair, int]) -> dict:
    """Everything that the picture of byte-pair encoding needs for one word, in byte-level characters.

    Returns:
        states: for every step, from 0, the symbols and, for each two neighbours, the rank of their merge or -1.
        merges: for every step from 1, the two symbols that were joined and the rank of that merge.
        problem: a sentence if there are no steps to show, else empty.
    """
    if len(word) > MAX_STEPPED:
        problem = f"This word has {len(word)} bytes; the steps are shown for words of up to {MAX_STEPPED}."
        return {"states": [], "merges": [], "problem": problem}
    steps = byte_pair_steps(word, ranks)
    states = [
        {
            "symbols": [readable(symbol, is_byte_level=True) for symbol in symbols],
            "ranks": [ranks.get(pair, -1) for pair in zip(symbols, symbols[1:])],
        }
        for symbols in [tuple(word), *(step.symbols for step in steps)]
    ]
    merges = [
        {"pair": [readable(symbol, is_byte_level=True) for symbol in step.pair], "rank": step.rank} for step in steps
    ]
    return {"states": states, "merges": merges, "problem": ""}


class TokenizerExplorer(anywidget.AnyWidget):
    """Type a text, see its tokens and ids in two tokenizers, and step through how one word was split.

    Args:
        model: the first model (``course.models.load("minilm")``); only its tokenizer is used.
        other: the second one (``course.models.load("smollm2")``), or None if it is not installed.
        text: the text to begin with.

    Attributes:
        tokens, ids: what the first tokenizer makes of the text shown.
        other_tokens, other_ids: the same for the second tokenizer; None without one.
        text: the text typed. ``problem`` says in a sentence why it cannot be shown; the last good picture then stays.
        word: the word in the stepper; ``step`` counts its WordPiece attempts from 1, ``merge_step`` the merges from 0.
        details: whether the tables with positions, segment ids and masks are open.

    Raises:
        TypeError: a model without a fast tokenizer, or a text that is no string.
    """

    _esm = views.script("tokenizer")
    _css = views.style("tokenizer")

    text = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    word = traitlets.Unicode().tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    merge_step = traitlets.Int(0).tag(sync=True)
    details = traitlets.Bool(False).tag(sync=True)

    def __init__(self, model, other=None, text: str = "The cat sat on the mat"):
        if not isinstance(text, str):
            raise TypeError(f"text must be a string, for example 'The cat sat', got {type(text).__name__}.")
        models = [model] if other is None else [model, other]
        for each in models:
            if not getattr(getattr(each, "tokenizer", None), "is_fast", False):
                raise TypeError(
                    "TokenizerExplorer needs models with a fast tokenizer, such as models.load('minilm'), "
                    f"got {type(each).__name__}."
                )
        self._tokenizers = [each.tokenizer for each in models]
        self._names = [each.name for each in models]
        self._methods = [method(each) for each in self._tokenizers]
        self._vocabularies = [each.get_vocab() for each in self._tokenizers]
        self._ranks = [
            learnt_merges(each) if kind == "byte-pair encoding" else {}
            for each, kind in zip(self._tokenizers, self._methods)
        ]
        self._rows: list[list[Token]] = [[] for _ in models]
        super().__init__()
        self.text = text  # an empty text is a change from nothing to nothing, so the answer is asked for below
        self._show_text()
        self.observe(self._show_text, names="text")

    @property
    def tokens(self) -> list[str]:
        return [row.token for row in self._rows[0]]

    @property
    def ids(self) -> list[int]:
        return [row.id for row in self._rows[0]]

    @property
    def other_tokens(self) -> list[str] | None:
        return [row.token for row in self._rows[1]] if len(self._rows) > 1 else None

    @property
    def other_ids(self) -> list[int] | None:
        return [row.id for row in self._rows[1]] if len(self._rows) > 1 else None

    def __repr__(self) -> str:
        if not self.picture:
            return f"TokenizerExplorer: {self.problem}"
        lines = [f"TokenizerExplorer on {self.picture['text']!r}:"]
        for name, kind, rows in zip(self._names, self._methods, self._rows):
            listed = " | ".join(f"{row.token} {row.id}" for row in rows)
            lines.append(f"{name} ({kind}), {len(rows)} tokens with their ids: {listed}")
        return "\n".join(lines)

    def _show_text(self, change=None) -> None:
        problem = text_problem(self.text)
        if not problem:
            rows = [tokenize(self.text, tokenizer) for tokenizer in self._tokenizers]
            longest = max(map(len, rows))
            if longest > MAX_TOKENS:
                problem = f"This text has {longest:,} tokens; the explorer shows at most {MAX_TOKENS}. Shorten it."
        with self.hold_sync():
            self.problem = problem
            if problem:
                return
            self._rows = rows
            self.picture = self._draw(self.text, rows)
            words = self.picture["words"]
            # A word that was split is worth a look; the one in the stepper stays if it still is among those.
            split = [word["word"] for word in words if word["n_pieces"] > 1]
            worth = split or [word["word"] for word in words] or [""]
            if self.word not in worth:
                self.word, self.step, self.merge_step = worth[0], 1, 0

    def _draw(self, text: str, rows: list[list[Token]]) -> dict:
        """Collect what the browser needs to draw everything about one text."""
        return {
            "text": text,
            "n_characters": len(text),
            "n_words": len(text.split()),
            "tokenizers": [
                {
                    "name": name,
                    "method": kind,
                    "n_vocabulary": len(vocabulary),
                    "tokens": [
                        token._asdict() | readable(token.token, kind == "byte-pair encoding" and token.kind == "piece")
                        for token in tokens
                    ],
                }
                for name, kind, vocabulary, tokens in zip(self._names, self._methods, self._vocabularies, rows)
            ],
            "words": self._words(text, rows),
        }

    def _words(self, text: str, rows: list[list[Token]]) -> list[dict]:
        """List each different word of the first tokenizer, with its steps in every tokenizer."""
        words: dict[str, dict] = {}
        for group in _groups(rows[0]):
            word = self._written(0, text, group)
            if not word or word in words:
                continue
            sides = [self._steps(0, word)]
            for number, tokens in enumerate(rows[1:], start=1):
                # The unit that the other tokenizer cuts out around the first letter of this word.
                around = [g for g in _groups(tokens) if g[0].start <= group[0].start < g[-1].end]
                sides.append(self._steps(number, self._written(number, text, around[0])) if around else None)
            words[word] = {"word": word, "n_pieces": len(group), "unknown": group[0].kind == "unknown", "sides": sides}
        return list(words.values())

    def _written(self, number: int, text: str, group: list[Token]) -> str:
        """Write a word as the tokenizer sees it before splitting: lower-cased, without accents, or in bytes."""
        if self._methods[number] == "WordPiece" and group[0].kind == "unknown":
            normalizer = self._tokenizers[number].backend_tokenizer.normalizer
            source = text[group[0].start : group[-1].end]
            return normalizer.normalize_str(source).strip() if normalizer else source
        if self._methods[number] == "WordPiece":
            return "".join(token.token.removeprefix("##") if i else token.token for i, token in enumerate(group))
        return "".join(token.token for token in group)

    def _steps(self, number: int, word: str) -> dict | None:
        if self._methods[number] == "WordPiece":
            return {"method": "WordPiece"} | wordpiece_view(word, self._vocabularies[number])
        if self._methods[number] == "byte-pair encoding":
            return {"method": "byte-pair encoding"} | byte_pair_view(word, self._ranks[number])
        return None


def _groups(tokens: list[Token]) -> list[list[Token]]:
    """Put the tokens of each word together; special tokens belong to none."""
    groups = groupby(tokens, key=lambda token: token.word)
    return [list(group) for word, group in groups if word is not None]
