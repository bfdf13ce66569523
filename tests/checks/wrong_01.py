"""Wrong answers to the exercises of lesson 01, as learners write them: exercise -> hint meant -> source."""

WRONG = {
    "01.1": {
        "looked up without ##": """
def wordpiece(word, vocabulary):
    pieces = []
    while word:
        end = len(word)
        while end > 0 and word[:end] not in vocabulary:
            end -= 1
        if end == 0:
            return ["[UNK]"]
        pieces.append(word[:end])
        word = word[end:]
    return pieces
""",
        "## added too late": """
def wordpiece(word, vocabulary):
    pieces = []
    while word:
        end = len(word)
        while end > 0 and word[:end] not in vocabulary:
            end -= 1
        if end == 0:
            return ["[UNK]"]
        pieces.append(word[:end])
        word = word[end:]
    return pieces[:1] + ["##" + piece for piece in pieces[1:]]
""",
        "returned without ##": """
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start:
            piece = word[start:end]
            known = piece in vocabulary if start == 0 else "##" + piece in vocabulary
            if known:
                break
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces
""",
        "shortest first": """
def wordpiece(word, vocabulary):
    pieces, letters = [], ""
    for letter in word:
        letters += letter
        piece = letters if not pieces else "##" + letters
        if piece in vocabulary:
            pieces.append(piece)
            letters = ""
    return ["[UNK]"] if letters else pieces
""",
        "keeps what it found": """
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        found = None
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                found = piece
                break
        if found is None:
            break
        pieces.append(found)
        start = end
    return pieces
""",
        "[UNK] for the rest": """
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        found = None
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                found = piece
                break
        if found is None:
            pieces.append("[UNK]")
            break
        pieces.append(found)
        start = end
    return pieces
""",
        "[UNK] as a text": """
def wordpiece(word, vocabulary):
    def rest(letters, prefix):
        if not letters:
            return []
        for end in range(len(letters), 0, -1):
            if prefix + letters[:end] in vocabulary:
                others = rest(letters[end:], "##")
                return None if others is None else [prefix + letters[:end]] + others
        return None

    pieces = rest(word, "")
    return "[UNK]" if pieces is None else pieces
""",
        "whole words only": """
def wordpiece(word, vocabulary):
    if word in vocabulary:
        return [word]
    return ["[UNK]"]
""",
    },
    "01.2": {},
    "01.3": {
        "no last [SEP]": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    unknown = vocabulary["[UNK]"]
    ids = [vocabulary["[CLS]"]]
    segments = [0]
    for piece in pieces_a:
        ids.append(vocabulary.get(piece, unknown))
        segments.append(0)
    ids.append(vocabulary["[SEP]"])
    segments.append(0)
    for piece in pieces_b:
        ids.append(vocabulary.get(piece, unknown))
        segments.append(1)
    return ids, segments
""",
        "no [SEP] between": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    tokens = ["[CLS]"] + pieces_a + pieces_b + ["[SEP]"]
    ids = [vocabulary[t] if t in vocabulary else vocabulary["[UNK]"] for t in tokens]
    segments = [0 if i <= len(pieces_a) else 1 for i in range(len(tokens))]
    return ids, segments
""",
        "[CLS] twice": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    ids, segments = [], []
    for segment, pieces in enumerate([pieces_a, pieces_b]):
        for t in ["[CLS]"] + pieces + ["[SEP]"]:
            ids.append(vocabulary[t] if t in vocabulary else vocabulary["[UNK]"])
            segments.append(segment)
    return ids, segments
""",
        "no [CLS]": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    ids, segments = [], []
    for segment, pieces in enumerate([pieces_a, pieces_b]):
        for t in pieces + ["[SEP]"]:
            ids.append(vocabulary[t] if t in vocabulary else vocabulary["[UNK]"])
            segments.append(segment)
    return ids, segments
""",
        "all in segment 0": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    tokens = ["[CLS]"] + pieces_a + ["[SEP]"] + pieces_b + ["[SEP]"]
    ids = [vocabulary[t] if t in vocabulary else vocabulary["[UNK]"] for t in tokens]
    return ids, [0 for _ in ids]
""",
        "last [SEP] in segment 0": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    tokens = ["[CLS]"] + pieces_a + ["[SEP]"] + pieces_b + ["[SEP]"]
    ids = [vocabulary[t] if t in vocabulary else vocabulary["[UNK]"] for t in tokens]
    segments = [0] * len(tokens)
    for i in range(len(pieces_b)):
        segments[len(pieces_a) + 2 + i] = 1
    return ids, segments
""",
        "first [SEP] in segment 1": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    tokens = ["[CLS]"] + pieces_a + ["[SEP]"] + pieces_b + ["[SEP]"]
    ids, segments, segment = [], [], 0
    for t in tokens:
        if t == "[SEP]":
            segment = 1
        ids.append(vocabulary[t] if t in vocabulary else vocabulary["[UNK]"])
        segments.append(segment)
    return ids, segments
""",
        "unknown piece raises": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    tokens = ["[CLS]"] + pieces_a + ["[SEP]"] + pieces_b + ["[SEP]"]
    ids = []
    for t in tokens:
        ids.append(vocabulary[t])
    return ids, [0] * (len(pieces_a) + 2) + [1] * (len(pieces_b) + 1)
""",
        "unknown piece is 0": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    tokens = ["[CLS]"] + pieces_a + ["[SEP]"] + pieces_b + ["[SEP]"]
    ids = [vocabulary[t] if t in vocabulary else 0 for t in tokens]
    return ids, [0] * (len(pieces_a) + 2) + [1] * (len(pieces_b) + 1)
""",
        "unknown piece left out": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    ids, segments = [vocabulary["[CLS]"]], [0]
    for segment, pieces in enumerate([pieces_a, pieces_b]):
        for t in pieces + ["[SEP]"]:
            if t in vocabulary:
                ids.append(vocabulary[t])
                segments.append(segment)
    return ids, segments
""",
        "ids by heart": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    a = [vocabulary.get(piece, 100) for piece in pieces_a]
    b = [vocabulary.get(piece, 100) for piece in pieces_b]
    return [101] + a + [102] + b + [102], [0] * (len(a) + 2) + [1] * (len(b) + 1)
""",
        "tokens for ids": """
def encode_pair(pieces_a, pieces_b, vocabulary):
    first = ["[CLS]"] + pieces_a + ["[SEP]"]
    second = pieces_b + ["[SEP]"]
    return first + second, [0] * len(first) + [1] * len(second)
""",
    },
    "01.4": {
        "an end inside": """
def tokens_of_span(offsets, start, end):
    found = []
    for i, (a, b) in enumerate(offsets):
        begins_inside = a >= start and a < end
        ends_inside = b > start and b <= end
        if begins_inside or ends_inside:
            found.append(i)
    return found
""",
        "end included": """
def tokens_of_span(offsets, start, end):
    return [i for i, (a, b) in enumerate(offsets) if not (b <= start or a > end)]
""",
        "start touched": """
def tokens_of_span(offsets, start, end):
    return [i for i, (a, b) in enumerate(offsets) if not (b < start or a >= end)]
""",
        "both ends touched": """
def tokens_of_span(offsets, start, end):
    return [i for i, (a, b) in enumerate(offsets) if not (b < start or a > end)]
""",
        "whole tokens only": """
def tokens_of_span(offsets, start, end):
    found = []
    for i, (a, b) in enumerate(offsets):
        if (a, b) != (0, 0) and a >= start and b <= end:
            found.append(i)
    return found
""",
        "whole tokens and specials": """
def tokens_of_span(offsets, start, end):
    return [i for i in range(len(offsets)) if offsets[i][0] >= start and offsets[i][1] <= end]
""",
        "beginning inside": """
def tokens_of_span(offsets, start, end):
    return [i for i, (a, b) in enumerate(offsets) if a in range(start, end)]
""",
        "beginning inside, no specials": """
def tokens_of_span(offsets, start, end):
    return [i for i, (a, b) in enumerate(offsets) if b != 0 and a in range(start, end)]
""",
        "specials counted": """
def tokens_of_span(offsets, start, end):
    span = set(range(start, end))
    return [i for i, (a, b) in enumerate(offsets) if span & set(range(a, max(b, a + 1)))]
""",
        "specials not numbered": """
def tokens_of_span(offsets, start, end):
    words = [(a, b) for a, b in offsets if b > 0]
    return [i for i, (a, b) in enumerate(words) if a < end and b > start]
""",
        "offsets for positions": """
def tokens_of_span(offsets, start, end):
    return [(a, b) for a, b in offsets if a < end and b > start]
""",
    },
    "01.5": {
        "mean of ratios": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        ratios = [len(t) / n for t, n in zip(tokens[language], n_words[language])]
        answer[language] = sum(ratios) / len(ratios)
    return answer
""",
        "by characters": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        n_tokens = n_characters = 0
        for sentence in tokens[language]:
            n_tokens += len(sentence)
            n_characters += len("".join(sentence))
        answer[language] = n_tokens / n_characters
    return answer
""",
        "characters counted": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        total = 0
        for sentence in tokens[language]:
            for token in sentence:
                total += len(token)
        answer[language] = total / sum(n_words[language])
    return answer
""",
        "upside down": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        n_tokens = sum(len(sentence) for sentence in tokens[language])
        answer[language] = sum(n_words[language]) / n_tokens
    return answer
""",
        "each token once": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        seen = set()
        for sentence in tokens[language]:
            seen.update(sentence)
        answer[language] = len(seen) / sum(n_words[language])
    return answer
""",
        "first sentence only": """
def tokens_per_word(tokens, n_words):
    return {language: len(tokens[language][0]) / n_words[language][0] for language in tokens}
""",
        "by sentences": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        n_tokens = sum(len(sentence) for sentence in tokens[language])
        answer[language] = n_tokens / len(n_words[language])
    return answer
""",
        "whole number": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        n_tokens = sum(len(sentence) for sentence in tokens[language])
        answer[language] = int(n_tokens / sum(n_words[language]))
    return answer
""",
        "all languages together": """
def tokens_per_word(tokens, n_words):
    answer = {}
    n_tokens = 0
    n_all = 0
    for language in tokens:
        for sentence in tokens[language]:
            n_tokens += len(sentence)
        n_all += sum(n_words[language])
    for language in tokens:
        answer[language] = n_tokens / n_all
    return answer
""",
        "one number a sentence": """
def tokens_per_word(tokens, n_words):
    answer = {}
    for language in tokens:
        answer[language] = []
        for sentence, n in zip(tokens[language], n_words[language]):
            answer[language].append(len(sentence) / n)
    return answer
""",
    },
}

_COUNT = """
def merge_step(words, counts):
    pairs = {}
    for word, count in zip(words, counts):
        for i in range(len(word) - 1):
            pair = (word[i], word[i + 1])
            pairs[pair] = pairs.get(pair, 0) + count
    best = max(pairs, key=pairs.get)
"""

_JOIN = """
    result = []
    for word in words:
        new = []
        i = 0
        while i < len(word):
            if i + 1 < len(word) and (word[i], word[i + 1]) == best:
                new.append(word[i] + word[i + 1])
                i += 2
            else:
                new.append(word[i])
                i += 1
        result.append(new)
    return result
"""

WRONG["01.2"] = {
    "each word once": _COUNT.replace("0) + count", "0) + 1") + _JOIN,
    "each pair once a word": """
def merge_step(words, counts):
    pairs = {}
    for word, count in zip(words, counts):
        seen = []
        for pair in zip(word, word[1:]):
            if pair not in seen:
                seen.append(pair)
                pairs[pair] = pairs.get(pair, 0) + count
    best = max(pairs, key=pairs.get)
""" + _JOIN,
    "across words": """
def merge_step(words, counts):
    text = []
    for i in range(len(words)):
        for _ in range(counts[i]):
            text += words[i]
    pairs = {}
    for i in range(len(text) - 1):
        pair = (text[i], text[i + 1])
        pairs[pair] = pairs.get(pair, 0) + 1
    best = max(pairs, key=pairs.get)
""" + _JOIN,
    "overlapping": _COUNT + """
    result = []
    for word in words:
        new, covered = [], set()
        for i in range(len(word) - 1):
            if (word[i], word[i + 1]) == best:
                covered |= {i, i + 1}
        for i in range(len(word)):
            if i + 1 < len(word) and (word[i], word[i + 1]) == best:
                new.append(word[i] + word[i + 1])
            elif i not in covered:
                new.append(word[i])
        result.append(new)
    return result
""",
    "second symbol stays": _COUNT + _JOIN.replace("i += 2", "i += 1"),
    "first place only": _COUNT + """
    for word in words:
        for i in range(len(word) - 1):
            if (word[i], word[i + 1]) == best:
                word[i] = word[i] + word[i + 1]
                del word[i + 1]
                break
    return words
""",
    "replaced as text": _COUNT + """
    left, right = best
    return [" ".join(word).replace(left + " " + right, left + right).split(" ") for word in words]
""",
    "words run together": _COUNT + _JOIN.replace("result.append(new)", "result += new"),
    "merged across words": _COUNT + """
    text = []
    for word in words:
        text = text + word
    i = 0
    while i + 1 < len(text):
        if (text[i], text[i + 1]) == best:
            text[i : i + 2] = [text[i] + text[i + 1]]
        i += 1
    return text
""",
    "the pair itself": _COUNT + """
    return list(best)
""",
}  # fmt: skip
