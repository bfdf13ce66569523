"""Exercises of lesson 01: cut words into pieces, merge pairs, join two sentences, find tokens, count them."""

from __future__ import annotations

import random
from collections import Counter

from course import tokenization
from course.checks.exercise import Case, Exercise, Hint

# 01.1 WordPiece -------------------------------------------------------------------------------------------------


def wordpiece(word: str, vocabulary: list[str]) -> list[str]:
    """Split one word into the longest pieces that the vocabulary holds, or return ["[UNK]"]."""
    return tokenization.wordpiece(word, vocabulary)


def _wordpiece_cases(seed: int) -> list[Case]:
    chance = random.Random(seed)
    words = ["un", "unfold", "##fold", "##ed", "##e", "##d", "##ing", "s", "##s", "sing", "##in"]
    # Random words over three letters. Every piece of the long word is there, and pieces that lead astray.
    parts = ["".join(chance.choice("abc") for _ in range(n)) for n in (3, 2, 4)]
    known = [parts[0], parts[0][0], *("##" + part for part in parts[1:]), *("##" + part[0] for part in parts[1:])]
    return [
        Case(("unfolded", words)),
        Case(("sing", words)),
        Case(("sings", words)),
        Case(("unfoldable", words), note="no piece matches “able”"),
        Case(("xunfold", words), note="no piece matches the first letter"),
        Case(("cats", ["cat", "s", "ca", "##ts"]), note="“s” is in the vocabulary, “##s” is not"),
        Case(("".join(parts), known)),
        Case(("".join(parts) + "z", known)),
    ]


def _pieces(word, vocabulary, ends, inside="##", written="##", on_failure=lambda pieces: ["[UNK]"]):
    """Find pieces as WordPiece does, but for one detail."""
    pieces, start = [], 0
    while start < len(word):
        for end in ends(start, len(word)):
            if (inside if start else "") + word[start:end] in vocabulary:
                break
        else:
            return on_failure(pieces)
        pieces.append((written if start else "") + word[start:end])
        start = end
    return pieces


def _longest(start, n):
    return range(n, start, -1)


def _looked_up_bare(word, vocabulary):
    return _pieces(word, vocabulary, _longest, inside="", written="")


def _shortest_first(word, vocabulary):
    return _pieces(word, vocabulary, lambda start, n: range(start + 1, n + 1))


def _keeps_what_it_found(word, vocabulary):
    return _pieces(word, vocabulary, _longest, on_failure=lambda pieces: pieces)


def _unknown_rest(word, vocabulary):
    return _pieces(word, vocabulary, _longest, on_failure=lambda pieces: [*pieces, "[UNK]"])


def _unknown_as_text(word, vocabulary):
    return _pieces(word, vocabulary, _longest, on_failure=lambda pieces: "[UNK]")


# 01.2 one merge step --------------------------------------------------------------------------------------------


def merge_step(words: list[list[str]], counts: list[int]) -> list[list[str]]:
    """Merge the most frequent pair of neighbours in all words."""
    return _merge(words, _pair_counts(words, counts))


def _pair_counts(words, counts) -> Counter:
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return pairs


def _merge(words, pair_counts, join=tokenization.apply_merge):
    pair = max(pair_counts, key=pair_counts.get)
    return [list(join(word, pair)) for word in words]


def _merge_cases(seed: int) -> list[Case]:
    fixed = [
        Case(([["h", "u", "g"], ["p", "u", "g"], ["p", "u", "n"]], [5, 3, 4]), note="“u g” stands there 8 times"),
        Case(([["a", "b"], ["c", "a", "b"], ["d", "e"]], [1, 2, 9]), note="one word may outnumber two"),
        Case(([["b", "a", "n", "a", "n"], ["p", "i"]], [3, 5]), note="a pair may stand twice in a word"),
        Case(([["a", "a", "a"], ["b", "a"]], [3, 2]), note="three times the same letter"),
        Case(([["a"], ["a", "t"], ["i", "t", "a"], ["t", "o"]], [20, 5, 3, 1]), note="“a” is also a word"),
        Case(([["ba", "n", "a", "n"], ["a", "n"], ["ba", "d"]], [2, 4, 1]), note="“ba” is one symbol"),
    ]
    chance = random.Random(seed)
    while True:  # until one pair is ahead of all others
        words = [[chance.choice("aeinst") for _ in range(n)] for n in (7, 5, 3, 4)]
        counts = [chance.randint(1, 9) for _ in words]
        first, second = (count for _, count in _pair_counts(words, counts).most_common(2))
        if first > second:
            return [*fixed, Case((words, counts))]


def _counts_pairs_once_a_word(words, counts):
    pairs = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in dict.fromkeys(zip(word, word[1:])):
            pairs[pair] += count
    return _merge(words, pairs)


def _counts_across_words(words, counts):
    text = [symbol for word, count in zip(words, counts, strict=True) for symbol in word * count]
    return _merge(words, Counter(zip(text, text[1:])))


def _runs_together(words, counts):
    return [symbol for word in merge_step(words, counts) for symbol in word]


def _merges_across_words(words, counts):
    text = [symbol for word in words for symbol in word]
    pairs = _pair_counts(words, counts)
    return list(tokenization.apply_merge(text, max(pairs, key=pairs.get)))


def _merges_overlapping(words, counts):
    def join(word, pair):
        joined, skip = [], False
        for i, symbol in enumerate(word):
            if tuple(word[i : i + 2]) == pair:
                joined.append("".join(pair))
                skip = True
            elif skip:
                skip = False
            else:
                joined.append(symbol)
        return joined

    return _merge(words, _pair_counts(words, counts), join)


def _merges_once_a_word(words, counts):
    def join(word, pair):
        for i in range(len(word) - 1):
            if tuple(word[i : i + 2]) == pair:
                return [*word[:i], "".join(pair), *word[i + 2 :]]
        return word

    return _merge(words, _pair_counts(words, counts), join)


def _replaces_text(words, counts):
    def join(word, pair):
        return " ".join(word).replace(" ".join(pair), "".join(pair)).split()

    return _merge(words, _pair_counts(words, counts), join)


def _keeps_second_symbol(words, counts):
    def join(word, pair):
        joined = []
        for i, symbol in enumerate(word):
            joined.append("".join(pair) if tuple(word[i : i + 2]) == pair else symbol)
        return joined

    return _merge(words, _pair_counts(words, counts), join)


def _returns_the_pair(words, counts):
    pairs = _pair_counts(words, counts)
    return max(pairs, key=pairs.get)


# 01.3 a pair of sentences ---------------------------------------------------------------------------------------


def encode_pair(pieces_a: list[str], pieces_b: list[str], vocabulary: dict[str, int]) -> tuple[list[int], list[int]]:
    """Return the ids of [CLS] a [SEP] b [SEP], and 0 for each token of the first part, 1 for the second."""
    tokens = ["[CLS]", *pieces_a, "[SEP]", *pieces_b, "[SEP]"]
    return _ids(tokens, vocabulary), [0] * (len(pieces_a) + 2) + [1] * (len(pieces_b) + 1)


def _pair_cases(seed: int) -> list[Case]:
    chance = random.Random(seed)
    real = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "the": 1996, "cat": 4937, "sat": 2938, "dog": 3899}
    names = [*real, "play", "##ed", "##s"]
    mixed = dict(zip(names, chance.sample(range(10, 99), len(names))))
    return [
        Case((["the", "cat", "sat"], ["the", "dog"], real)),
        Case((["cat"], ["zebra", "sat"], real), note="“zebra” is not in the vocabulary"),
        Case((["dog", "play", "##ed"], ["the", "cat", "##s", "sat", "zzz"], mixed), note="another vocabulary"),
        Case((["emu", "sat", "the", "cat"], ["dog"], mixed)),
    ]


def _ids(tokens, vocabulary):
    return [vocabulary.get(token, vocabulary["[UNK]"]) for token in tokens]


def _segments(pieces_a, pieces_b):
    return encode_pair(pieces_a, pieces_b, {"[UNK]": 0})[1]


def _no_last_sep(a, b, vocabulary):
    return _ids(["[CLS]", *a, "[SEP]", *b], vocabulary), _segments(a, b)[:-1]


def _no_sep_between(a, b, vocabulary):
    return _ids(["[CLS]", *a, *b, "[SEP]"], vocabulary), [0] * (len(a) + 1) + [1] * (len(b) + 1)


def _cls_twice(a, b, vocabulary):
    tokens = ["[CLS]", *a, "[SEP]", "[CLS]", *b, "[SEP]"]
    return _ids(tokens, vocabulary), [0] * (len(a) + 2) + [1] * (len(b) + 2)


def _no_cls(a, b, vocabulary):
    return _ids([*a, "[SEP]", *b, "[SEP]"], vocabulary), [0] * (len(a) + 1) + [1] * (len(b) + 1)


def _all_in_segment_0(a, b, vocabulary):
    return encode_pair(a, b, vocabulary)[0], [0] * (len(a) + len(b) + 3)


def _last_sep_in_segment_0(a, b, vocabulary):
    return encode_pair(a, b, vocabulary)[0], [0] * (len(a) + 2) + [1] * len(b) + [0]


def _first_sep_in_segment_1(a, b, vocabulary):
    return encode_pair(a, b, vocabulary)[0], [0] * (len(a) + 1) + [1] * (len(b) + 2)


def _unknown_raises(a, b, vocabulary):
    return [vocabulary[token] for token in ["[CLS]", *a, "[SEP]", *b, "[SEP]"]], _segments(a, b)


def _unknown_as_0(a, b, vocabulary):
    return [vocabulary.get(token, 0) for token in ["[CLS]", *a, "[SEP]", *b, "[SEP]"]], _segments(a, b)


def _unknown_left_out(a, b, vocabulary):
    return encode_pair([p for p in a if p in vocabulary], [p for p in b if p in vocabulary], vocabulary)


def _ids_by_heart(a, b, vocabulary):
    known = vocabulary | {"[CLS]": 101, "[SEP]": 102, "[UNK]": 100}
    return encode_pair(a, b, known)


# 01.4 from characters to tokens ---------------------------------------------------------------------------------


def tokens_of_span(offsets: list[tuple[int, int]], start: int, end: int) -> list[int]:
    """Return the positions of all tokens that share a character with text[start:end]."""
    return [i for i, (first, last) in enumerate(offsets) if first < end and last > start]


def _span_cases(seed: int) -> list[Case]:
    # [CLS] the lamp ##light ##er whistled . [SEP]
    lamplighter = [(0, 0), (0, 3), (4, 8), (8, 13), (13, 15), (16, 24), (24, 25), (0, 0)]
    chance = random.Random(seed)
    edges = [0]
    for _ in range(9):
        edges.append(edges[-1] + chance.randint(2, 6))
    long = [(0, 0), *zip(edges, edges[1:]), (0, 0)]  # pieces side by side, without spaces
    return [
        Case((lamplighter, 4, 15), note="“lamplighter”"),
        Case((lamplighter, 0, 3), note="“The”, the first word of the text"),
        Case((lamplighter, 4, 8), note="“lamp”, which ends where “light” begins"),
        Case((lamplighter, 8, 13), note="“light”, which begins where “lamp” ends"),
        Case((lamplighter, 6, 10), note="“mpli”, half of two tokens"),
        Case((lamplighter, 9, 11), note="“ig”, inside one token"),
        Case((lamplighter, 1, 18)),
        Case((long, edges[2] + 1, edges[6])),
        Case((long, 0, edges[3] + 1)),
    ]


def _where(shares):
    """Find tokens by a condition on their own a and b and the span's start and end; a token holds text[a:b]."""
    return lambda offsets, start, end: [i for i, (a, b) in enumerate(offsets) if shares(a, b, start, end)]


def _numbered_without_special(offsets, start, end):
    return [i - 1 for i in tokens_of_span(offsets, start, end)]


def _returns_offsets(offsets, start, end):
    return [offsets[i] for i in tokens_of_span(offsets, start, end)]


# 01.5 tokens for each word --------------------------------------------------------------------------------------


def tokens_per_word(tokens: dict[str, list[list[str]]], n_words: dict[str, list[int]]) -> dict[str, float]:
    """Return for each language all its tokens divided by all its words."""
    return {name: sum(map(len, sentences)) / sum(n_words[name]) for name, sentences in tokens.items()}


def _fertility_cases(seed: int) -> list[Case]:
    small = {
        "English": [["the", "cat", "sat"], ["dogs", "bark"]],
        "German": [["die", "katz", "##e"], ["hund", "##e", "be", "##llen"]],
    }
    chance = random.Random(seed)
    drawn, words = {}, {}
    for name, sizes in {"Dutch": (2, 5, 3), "Chinese": (7, 3), "English": (3, 4, 2, 6)}.items():
        words[name] = [*sizes]
        n_tokens = [n + chance.randint(1, 4) * (i + 1) for i, n in enumerate(sizes)]
        drawn[name] = [[chance.choice(["de", "##n", "kat", "##je"]) for _ in range(n)] for n in n_tokens]
    return [
        Case((small, {"English": [3, 2], "German": [2, 2]})),
        Case(({"Dutch": [["de", "kat", "za", "##t"], ["ja"], ["nee", "##n"]]}, {"Dutch": [3, 1, 1]})),
        Case((drawn, words)),
    ]


def _each(ratio):
    """Make a number for each language out of its sentences s and its word counts n."""
    return lambda tokens, n_words: {name: ratio(s, n_words[name]) for name, s in tokens.items()}


def _n_tokens(sentences):
    return sum(map(len, sentences))


def _n_characters(sentences):
    return sum(len(token) for sentence in sentences for token in sentence)


def _all_languages_together(tokens, n_words):
    n_tokens = sum(len(one) for sentences in tokens.values() for one in sentences)
    return dict.fromkeys(tokens, n_tokens / sum(map(sum, n_words.values())))


EXERCISES = (
    Exercise(
        id="01.1", title="cut a word into pieces", points=2, minutes=10, difficulty=3, importance=4,
        answer="function", name="wordpiece", returns="a list of pieces",
        reference=wordpiece, cases=_wordpiece_cases,
        forbidden=("course.tokenization.wordpiece", "course.tokenization.wordpiece_steps"),
        hints=(
            Hint("looked up without ##", _looked_up_bare, "Inside a word, how is a piece written in the vocabulary?"),
            Hint("## added too late", lambda word, vocabulary: _pieces(word, vocabulary, _longest, inside=""),
                 "You write ## in front of the pieces you return. Is it there already when you look them up?"),
            Hint("returned without ##", lambda word, vocabulary: _pieces(word, vocabulary, _longest, written=""),
                 "You find the right pieces. How does a reader see which of them continue a word?"),
            Hint("shortest first", _shortest_first,
                 "Two pieces may fit at the same place. Which one do you try first?"),
            Hint("keeps what it found", _keeps_what_it_found,
                 "When the rest of a word cannot be matched, what becomes of the pieces found before?"),
            Hint("[UNK] for the rest", _unknown_rest,
                 "Does [UNK] stand for the rest of the word, or for the whole word?"),
            Hint("[UNK] as a text", _unknown_as_text, "Is your answer a list in every case, also for an unknown word?"),
            Hint("whole words only", lambda word, vocabulary: [word] if word in vocabulary else ["[UNK]"],
                 "Is a word that is not in the vocabulary lost, or can parts of it be found?"),
        ),
    ),
    Exercise(
        id="01.2", title="one merge step", points=3, minutes=12, difficulty=3, importance=3,
        answer="function", name="merge_step", returns="the words after the merge, a list of lists of symbols",
        reference=merge_step, cases=_merge_cases,
        forbidden=(
            "course.tokenization.merge_step", "course.tokenization.count_pairs", "course.tokenization.apply_merge",
            "course.tokenization.byte_pair_merges", "course.tokenization.byte_pair_steps",
            "course.tokenization.byte_pair_encode",
        ),
        hints=(
            Hint("each word once", lambda words, counts: _merge(words, _pair_counts(words, [1] * len(words))),
                 "A word that occurs 9 times has its pairs 9 times. Do your counts know that?"),
            Hint("each pair once a word", _counts_pairs_once_a_word,
                 "Can a pair stand twice in the same word? Do you count it twice?"),
            Hint("across words", _counts_across_words,
                 "Are the last symbol of one word and the first of the next neighbours?"),
            Hint("overlapping", _merges_overlapping, "In a a a, can the letter in the middle be part of two merges?"),
            Hint("second symbol stays", _keeps_second_symbol,
                 "After a merge, where does your loop go on: with the second symbol of the pair, or behind it?"),
            Hint("first place only", _merges_once_a_word,
                 "Does your loop go on to the end of the word after the first merge?"),
            Hint("replaced as text", _replaces_text,
                 "Joined into one text, the end of “ba” looks like the symbol “a”. Can you compare whole symbols?"),
            Hint("words run together", _runs_together,
                 "Are the words still apart in your result, each a list of its own?"),
            Hint("merged across words", _merges_across_words,
                 "Do you keep the words apart while you merge? Symbols of two different words are no neighbours."),
            Hint("the pair itself", _returns_the_pair,
                 "That is the pair. What do the words look like once it is merged?"),
        ),
    ),
    Exercise(
        id="01.3", title="encode two sentences", points=2, minutes=7, difficulty=2, importance=5,
        answer="function", name="encode_pair", returns="two lists of whole numbers, ids and segment ids",
        reference=encode_pair, cases=_pair_cases,
        hints=(
            Hint("no last [SEP]", _no_last_sep, "How does a sentence end? Does that hold for the second one too?"),
            Hint("no [SEP] between", _no_sep_between, "How can the model see where the first sentence ends?"),
            Hint("[CLS] twice", _cls_twice, "How often does [CLS] stand in a pair of sentences?"),
            Hint("no [CLS]", _no_cls, "Which token stands in front of everything?"),
            Hint("all in segment 0", _all_in_segment_0, "Which segment id does the second sentence have?"),
            Hint("last [SEP] in segment 0", _last_sep_in_segment_0, "To which sentence does the last [SEP] belong?"),
            Hint("first [SEP] in segment 1", _first_sep_in_segment_1,
                 "To which sentence does the [SEP] in the middle belong?"),
            Hint("unknown piece raises", _unknown_raises,
                 "What if a piece is not in the vocabulary? Which token stands for what is unknown?"),
            Hint("unknown piece is 0", _unknown_as_0, "0 is the id of [PAD]. Which token stands for what is unknown?"),
            Hint("unknown piece left out", _unknown_left_out,
                 "A piece that is unknown still stands in the sentence. Does it keep its place in your ids?"),
            Hint("ids by heart", _ids_by_heart,
                 "101, 102 and 100 belong to one vocabulary. Do you look the special tokens up in the one you are "
                 "given?"),
            Hint("tokens for ids", lambda a, b, vocabulary: (["[CLS]", *a, "[SEP]", *b, "[SEP]"], _segments(a, b)),
                 "You have the right tokens. Which number does the vocabulary give each of them?"),
        ),
    ),
    Exercise(
        id="01.4", title="from characters to tokens", points=2, minutes=7, difficulty=2, importance=3,
        answer="function", name="tokens_of_span", returns="a list of positions, whole numbers",
        reference=tokens_of_span, cases=_span_cases,
        hints=(
            Hint("an end inside", _where(lambda a, b, start, end: start <= a < end or start < b <= end),
                 "Can a token begin before the span and end after it? And how many characters has a token with offsets"
                 " (0, 0)?"),
            Hint("end included", _where(lambda a, b, start, end: a <= end and b > start),
                 "In Python, is the character at `end` part of text[start:end]?"),
            Hint("start touched", _where(lambda a, b, start, end: a < end and b >= start),
                 "A token that ends at 4 holds the characters up to 3. Does it share one with a span that starts at 4?"),
            Hint("both ends touched", _where(lambda a, b, start, end: a <= end and b >= start),
                 "Is it enough for a token to touch the span, or must the two share a character? Look at both ends."),
            Hint("whole tokens only", _where(lambda a, b, start, end: start <= a < b <= end),
                 "What about a token of which only a half lies in the span?"),
            Hint("whole tokens and specials", _where(lambda a, b, start, end: start <= a and b <= end),
                 "How many characters has a token with offsets (0, 0)? What about a token that lies half in the span?"),
            Hint("beginning inside", _where(lambda a, b, start, end: start <= a < end),
                 "How many characters has a token with offsets (0, 0)? Can a token begin before the span and reach "
                 "into it?"),
            Hint("beginning inside, no specials", _where(lambda a, b, start, end: start <= a < end and b > a),
                 "Can a token begin before the span and still reach into it?"),
            Hint("specials counted", _where(lambda a, b, start, end: a < end and b > start or a == b == start),
                 "How many characters has a token with offsets (0, 0)? Can it share one?"),
            Hint("specials not numbered", _numbered_without_special,
                 "Which position has the first word when [CLS] stands in front of it?"),
            Hint("offsets for positions", _returns_offsets,
                 "These are offsets of the right tokens. Which numbers say where the tokens stand in the list?"),
        ),
    ),
    Exercise(
        id="01.5", title="tokens for each word", points=1, minutes=4, difficulty=1, importance=3,
        answer="function", name="tokens_per_word", returns="a dictionary with a number for each language",
        reference=tokens_per_word, cases=_fertility_cases,
        hints=(
            Hint("mean of ratios", _each(lambda s, n: sum(len(a) / b for a, b in zip(s, n, strict=True)) / len(s)),
                 "Should a short sentence weigh as much as a long one? What if you add up first and divide once?"),
            Hint("by characters", _each(lambda s, n: _n_tokens(s) / _n_characters(s)),
                 "What do you divide by: the number of words, or the number of characters?"),
            Hint("characters counted", _each(lambda s, n: _n_characters(s) / sum(n)),
                 "Do you count tokens, or the letters they are made of?"),
            Hint("upside down", _each(lambda s, n: sum(n) / _n_tokens(s)),
                 "Tokens for each word: which of the two numbers is divided by the other?"),
            Hint("each token once", _each(lambda s, n: len(set().union(*s)) / sum(n)),
                 "If a token occurs twice, is it counted twice?"),
            Hint("first sentence only", _each(lambda s, n: len(s[0]) / n[0]),
                 "Do all sentences of a language go into your number?"),
            Hint("by sentences", _each(lambda s, n: _n_tokens(s) / len(s)),
                 "That is the number of tokens in a sentence. Where do the words come in?"),
            Hint("whole number", _each(lambda s, n: _n_tokens(s) // sum(n)),
                 "Which division keeps the part behind the decimal point: / or //?"),
            Hint("all languages together", _all_languages_together,
                 "Every language has the same number in your answer. Do you add up over all of them?"),
            Hint("one number a sentence", _each(lambda s, n: [len(a) / b for a, b in zip(s, n, strict=True)]),
                 "You have a number for each sentence. How do you get one for the language?"),
        ),
    ),
)  # fmt: skip
