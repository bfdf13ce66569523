"""How text becomes pieces: the two algorithms behind most tokenizers, small enough to read.

WordPiece (BERT) looks every word up in a fixed vocabulary, longest piece first. Byte-pair encoding (GPT-2, SmolLM2)
starts from single characters and merges pairs, in the order in which training learnt the merges.

Sources: Devlin et al. (2019), "BERT", and its ``tokenization.py``; Wu et al. (2016), "Google's Neural Machine
Translation System", §4.1; Sennrich et al. (2016), "Neural Machine Translation of Rare Words with Subword Units",
algorithm 1; Radford et al. (2019), "Language Models are Unsupervised Multitask Learners", §2.2 (bytes).
"""

import unicodedata
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

UNKNOWN = "[UNK]"
MAX_CHARACTERS = 100  # BERT's own limit: a longer word is not looked up at all

Pair = tuple[str, str]
Symbols = tuple[str, ...]


# WordPiece ------------------------------------------------------------------------------------------------------


class Attempt(NamedTuple):
    """One look into the vocabulary: is ``word[start:end]``, written as ``candidate``, a piece?"""

    start: int
    end: int
    candidate: str
    found: bool


def basic_words(text: str) -> list[str]:
    """Split a text into the lower-case words that BERT's uncased vocabulary is made of.

    Four rules, in this order: control characters vanish and every kind of white space counts as a space; accents
    are stripped; capitals become small; each punctuation mark and each Chinese character is a word of its own.

    Args:
        text: any text. The names of special tokens, such as ``[SEP]``, are treated as ordinary text.

    Returns:
        The words, without spaces; an empty list if the text holds nothing else.

    Example:
        >>> basic_words("Naïve cafés, 東京!")
        ['naive', 'cafes', ',', '東', '京', '!']

    Source: ``BasicTokenizer`` in BERT's ``tokenization.py``.
    """
    kept = (" " if character.isspace() else character for character in text if not _vanishes(character))
    spaced = "".join(f" {character} " if _is_chinese(character) else character for character in kept)
    decomposed = unicodedata.normalize("NFD", spaced)  # "é" becomes "e" and an accent of its own
    plain = "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
    # One character at a time: str.lower() on a whole word writes a final Greek sigma differently.
    lowered = "".join(character.lower() for character in plain)
    marked = "".join(f" {character} " if _is_punctuation(character) else character for character in lowered)
    return marked.split()


def wordpiece_steps(word: str, vocabulary: Container[str], max_characters: int = MAX_CHARACTERS) -> list[Attempt]:
    """List every look into the vocabulary that WordPiece takes for one word, in order.

    From where the last piece ended, try the whole rest of the word; while that is not in the vocabulary, drop its
    last letter and try again. A piece inside a word is written with ``##`` in front.

    Args:
        word: one word, as ``basic_words`` gives it.
        vocabulary: anything that answers ``piece in vocabulary``; a set or dict answers quickly.
        max_characters: a word longer than this is not looked up at all.

    Returns:
        The attempts. Where the last one is not found, or there is none, the word is unknown.

    Raises:
        ValueError: ``word`` is empty.

    Example:
        >>> for attempt in wordpiece_steps("cats", {"ca", "cat", "##s"}):
        ...     print(attempt.candidate, attempt.found)
        cats False
        cat True
        ##s True
    """
    if not word:
        raise ValueError("word must have at least one letter, got an empty string.")
    attempts: list[Attempt] = []
    start = 0
    while start < len(word) <= max_characters:
        for end in range(len(word), start, -1):
            candidate = word[start:end] if start == 0 else "##" + word[start:end]
            attempts.append(Attempt(start, end, candidate, candidate in vocabulary))
            if attempts[-1].found:
                break
        if not attempts[-1].found:
            break
        start = end
    return attempts


def wordpiece(word: str, vocabulary: Container[str], max_characters: int = MAX_CHARACTERS) -> list[str]:
    """Split one word into the longest pieces that the vocabulary holds, from left to right.

    If some part of the word cannot be matched, the whole word becomes ``[UNK]``: its other pieces are lost too.

    Args:
        word: one word, as ``basic_words`` gives it.
        vocabulary: anything that answers ``piece in vocabulary``; a set or dict answers quickly.
        max_characters: a word longer than this becomes ``[UNK]`` unseen.

    Returns:
        The pieces; those after the first begin with ``##``.

    Raises:
        ValueError: ``word`` is empty.

    Example:
        >>> vocabulary = {"un", "##believ", "##able", "##a", "b"}
        >>> wordpiece("unbelievable", vocabulary)
        ['un', '##believ', '##able']
        >>> wordpiece("unbelieving", vocabulary)    # nothing matches "ing"
        ['[UNK]']

    Source: ``WordpieceTokenizer`` in BERT's ``tokenization.py``.
    """
    attempts = wordpiece_steps(word, vocabulary, max_characters)
    if not attempts or not attempts[-1].found:
        return [UNKNOWN]
    return [attempt.candidate for attempt in attempts if attempt.found]


# Byte-pair encoding: training -----------------------------------------------------------------------------------


class Merged(NamedTuple):
    """One step of training: the pair that was merged, how often it stood there, and the words afterwards."""

    pair: Pair
    count: int
    words: dict[Symbols, int]


def split_words(word_counts: Mapping[str, int]) -> dict[Symbols, int]:
    """Write every word as a tuple of its characters: what training starts from.

    Example:
        >>> split_words({"hug": 5, "pun": 2})
        {('h', 'u', 'g'): 5, ('p', 'u', 'n'): 2}
    """
    return {tuple(word): count for word, count in word_counts.items()}


def count_pairs(words: Mapping[Symbols, int]) -> Counter[Pair]:
    """Count how often two symbols stand side by side.

    Args:
        words: each word as a tuple of symbols, with how often the word occurs.

    Returns:
        For each pair the number of places where it stands; a word that occurs 5 times counts 5 times.

    Example:
        >>> count_pairs({("h", "u", "g"): 5, ("b", "u", "g"): 2})[("u", "g")]
        7
    """
    counts: Counter[Pair] = Counter()
    for symbols, count in words.items():
        for pair in zip(symbols, symbols[1:]):
            counts[pair] += count
    return counts


def apply_merge(symbols: Sequence[str], pair: Pair) -> Symbols:
    """Join every place, from left to right, where the pair stands side by side.

    Args:
        symbols: one word as a sequence of symbols.
        pair: the two symbols to be joined.

    Returns:
        The word with fewer symbols, or the same symbols if the pair does not occur.

    Example:
        >>> apply_merge(("h", "u", "g", "u", "g"), ("u", "g"))
        ('h', 'ug', 'ug')
        >>> apply_merge(("a", "a", "a"), ("a", "a"))    # a symbol takes part in one merge only
        ('aa', 'a')
    """
    joined: list[str] = []
    position = 0
    while position < len(symbols):
        if tuple(symbols[position : position + 2]) == pair:
            joined.append(pair[0] + pair[1])
            position += 2
        else:
            joined.append(symbols[position])
            position += 1
    return tuple(joined)


def merge_step(words: Mapping[Symbols, int]) -> Merged:
    """Merge the most frequent pair everywhere. Of pairs equally frequent, the alphabetically first is taken.

    Args:
        words: each word as a tuple of symbols, with how often the word occurs.

    Returns:
        pair: the two symbols merged.
        count: the number of places where they stood.
        words: all words after the merge.

    Raises:
        ValueError: no word has two symbols, so nothing is left to merge.

    Example:
        >>> step = merge_step({("h", "u", "g"): 5, ("p", "u", "n"): 2})
        >>> step.pair, step.count                   # ("u", "g") stands there 5 times too
        (('h', 'u'), 5)
        >>> step.words
        {('hu', 'g'): 5, ('p', 'u', 'n'): 2}

    Source: Sennrich et al. (2016), algorithm 1. The rule for ties is ours; theirs takes the pair it met first.
    """
    counts = count_pairs(words)
    if not counts:
        raise ValueError("There is no pair left to merge: every word is a single symbol.")
    pair = min(counts, key=lambda candidate: (-counts[candidate], candidate))
    merged: Counter[Symbols] = Counter()
    for symbols, count in words.items():
        merged[apply_merge(symbols, pair)] += count
    return Merged(pair, counts[pair], dict(merged))


def byte_pair_merges(word_counts: Mapping[str, int], n_merges: int) -> list[Pair]:
    """Learn a vocabulary: start from characters and merge the most frequent pair, ``n_merges`` times.

    Args:
        word_counts: each word of a text, with how often it occurs.
        n_merges: how many merges to learn. Fewer come back when every word has become one symbol.

    Returns:
        The merges, in the order learnt. The place in this list, from 0, is the merge's rank.

    Raises:
        ValueError: ``n_merges`` is negative.

    Example:
        >>> byte_pair_merges({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}, 3)
        [('u', 'g'), ('u', 'n'), ('h', 'ug')]

    Source: Sennrich et al. (2016), algorithm 1.
    """
    if n_merges < 0:
        raise ValueError(f"n_merges must be 0 or more, got {n_merges}.")
    words = [list(item) for item in split_words(word_counts).items()]  # [symbols, count]
    counts = count_pairs(dict(words))
    places: dict[Pair, set[int]] = {}  # the words in which a pair stands, or once stood
    for place, (symbols, _) in enumerate(words):
        for pair in zip(symbols, symbols[1:]):
            places.setdefault(pair, set()).add(place)
    merges: list[Pair] = []
    # As `merge_step` again and again, but only the words that hold the pair are cut and counted anew.
    while len(merges) < n_merges and counts:
        best = max(counts.values())
        pair = min(candidate for candidate, count in counts.items() if count == best)
        for place in places.pop(pair):
            symbols, count = words[place]
            for old in zip(symbols, symbols[1:]):
                counts[old] -= count
                if not counts[old]:
                    del counts[old]
            symbols = words[place][0] = apply_merge(symbols, pair)
            for new in zip(symbols, symbols[1:]):
                counts[new] += count
                places.setdefault(new, set()).add(place)
        merges.append(pair)
    return merges


# Byte-pair encoding: use ----------------------------------------------------------------------------------------


class MergeStep(NamedTuple):
    """One merge inside one word: the pair, its rank among the merges learnt, and the symbols afterwards."""

    pair: Pair
    rank: int
    symbols: Symbols


def merge_ranks(merges: Sequence[Pair]) -> dict[Pair, int]:
    """Return each merge's rank: its place, from 0, in the order learnt.

    Example:
        >>> merge_ranks([("u", "g"), ("h", "ug")])
        {('u', 'g'): 0, ('h', 'ug'): 1}
    """
    return {pair: rank for rank, pair in enumerate(merges)}


def byte_pair_steps(word: str, merges: Sequence[Pair] | Mapping[Pair, int]) -> list[MergeStep]:
    """List the merges that encode one word: always the pair with the lowest rank, until no pair was learnt.

    Args:
        word: one word, in the characters that the merges are written in (see ``byte_level``).
        merges: the merges in the order learnt, or their ranks (``merge_ranks``; quicker for many words).

    Returns:
        The merges in the order applied, each with the symbols it leaves.

    Raises:
        ValueError: ``word`` is empty.

    Example:
        >>> for step in byte_pair_steps("hugs", [("u", "g"), ("u", "n"), ("h", "ug")]):
        ...     print(step.rank, step.symbols)
        0 ('h', 'ug', 's')
        2 ('hug', 's')
    """
    if not word:
        raise ValueError("word must have at least one letter, got an empty string.")
    ranks = merges if isinstance(merges, Mapping) else merge_ranks(merges)
    symbols: Symbols = tuple(word)
    steps: list[MergeStep] = []
    while known := [pair for pair in zip(symbols, symbols[1:]) if pair in ranks]:
        pair = min(known, key=ranks.__getitem__)
        symbols = apply_merge(symbols, pair)
        steps.append(MergeStep(pair, ranks[pair], symbols))
    return steps


def byte_pair_encode(word: str, merges: Sequence[Pair] | Mapping[Pair, int]) -> list[str]:
    """Split one word into the symbols that are left when no learnt merge applies any more.

    Args:
        word: one word, in the characters that the merges are written in (see ``byte_level``).
        merges: the merges in the order learnt, or their ranks (``merge_ranks``; quicker for many words).

    Returns:
        The symbols. No word is ever unknown: at worst it stays a row of single characters.

    Raises:
        ValueError: ``word`` is empty.

    Example:
        >>> byte_pair_encode("hugs", [("u", "g"), ("u", "n"), ("h", "ug")])
        ['hug', 's']

    Source: Sennrich et al. (2016), §3.2.
    """
    steps = byte_pair_steps(word, merges)
    return list(steps[-1].symbols if steps else word)


def byte_level(text: str) -> str:
    """Write each byte of a text (UTF-8) as one visible character, as GPT-2 and SmolLM2 do.

    There are 256 bytes, so 256 symbols can write any text in any language. Letters, digits and common marks stand
    for themselves; the space becomes ``Ġ``, and a character such as ``é`` becomes two.

    Example:
        >>> byte_level(" café")
        'ĠcafÃ©'

    Source: ``bytes_to_unicode`` in GPT-2's ``encoder.py``.
    """
    return "".join(_BYTE_CHARACTERS[byte] for byte in text.encode("utf-8"))


def from_byte_level(symbols: str) -> bytes:
    """Turn byte-level characters back into the bytes that they stand for.

    Raises:
        ValueError: some character stands for no byte.

    Example:
        >>> from_byte_level("ĠcafÃ©").decode("utf-8")
        ' café'
    """
    strangers = sorted(set(symbols) - _BYTES_OF.keys())
    if strangers:
        raise ValueError(f"{strangers[0]!r} is no byte-level character. Write the text with byte_level first.")
    return bytes(_BYTES_OF[character] for character in symbols)


def _byte_characters() -> list[str]:
    """Give every byte a visible character: its own where it has one, else the next free one from U+0100 on."""
    visible = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return [chr(byte if byte in visible else next(others)) for byte in range(256)]


_BYTE_CHARACTERS = _byte_characters()
_BYTES_OF = {character: byte for byte, character in enumerate(_BYTE_CHARACTERS)}


# Kinds of characters --------------------------------------------------------------------------------------------


def _vanishes(character: str) -> bool:
    """True for control, format and private-use characters and the replacement character, which BERT drops."""
    if character in "\t\n\r":
        return False
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co")


def _is_punctuation(character: str) -> bool:
    """True for punctuation; ASCII marks such as $ and + count too, though Unicode calls them symbols."""
    return "!" <= character <= "~" and not character.isalnum() or unicodedata.category(character).startswith("P")


def _is_chinese(character: str) -> bool:
    """True in the blocks of Chinese characters. Japanese kana and Korean letters are written with spaces or joined."""
    blocks = [
        (0x4E00, 0x9FFF),
        (0x3400, 0x4DBF),
        (0x20000, 0x2A6DF),
        (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F),
        (0x2B820, 0x2CEAF),
        (0xF900, 0xFAFF),
        (0x2F800, 0x2FA1F),
    ]
    return any(first <= ord(character) <= last for first, last in blocks)
