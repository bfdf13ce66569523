"""Exercises of lesson 02: compare vectors, find neighbours, pool them, separate two senses, and count words."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course import embeddings
from course.checks.exercise import Case, Exercise, Hint

READY_COSINES = (
    "course.embeddings.cosine_similarity",
    "course.embeddings.nearest",
    "torch.nn.functional.cosine_similarity",
    "torch.nn.CosineSimilarity",
    "torch.nn.functional.pairwise_distance",
)

# 02.1 cosine similarity matrix ------------------------------------------------------------------------------------


def cosine_matrix(a: Tensor, b: Tensor) -> Tensor:
    """Return (n, m), the cosine of each row of a with each row of b."""
    return embeddings.cosine_similarity(a, b)


def _cosine_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(2, 3, 5), (4, 2, 3), (3, 3, 2)]
    drawn = [(_drawn(generator, n, d), 2.5 * _drawn(generator, m, d)) for n, m, d in shapes]
    return [
        Case((torch.tensor([[3.0, 4.0]]), torch.tensor([[3.0, 4.0], [-6.0, -8.0], [4.0, -3.0]]))),
        *[Case(pair) for pair in drawn],
        Case((100 * drawn[0][0], 0.01 * drawn[0][1]), note="longer and shorter arrows in the same directions"),
    ]


def _drawn(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw numbers that are never close to zero, so that every mistake shows."""
    signs = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    return signs * (0.5 + 1.5 * torch.rand(*shape, generator=generator))


def _unit(x: Tensor, dim: int = -1) -> Tensor:
    return x / x.norm(dim=dim, keepdim=True)


# 02.2 nearest words -----------------------------------------------------------------------------------------------


def nearest_words(word: str, words: list[str], table: Tensor, n: int) -> list[str]:
    """Return the n other words whose rows have the highest cosine with the row of word, best first."""
    return _ranked(word, words, table, n, embeddings.cosine_similarity)


def _ranked(word, words, table, n, compare, leave_out=True, largest_first=True, begin=0):
    scores = compare(table[[words.index(word)]], table)[0]
    order = scores.argsort(descending=largest_first).tolist()
    return [words[i] for i in order if not (leave_out and words[i] == word)][begin : begin + n]


def _dot(query: Tensor, table: Tensor) -> Tensor:
    return query @ table.T


def _nearness(query: Tensor, table: Tensor) -> Tensor:
    return -torch.cdist(query, table)


def _columns_normalised(query: Tensor, table: Tensor) -> Tensor:
    unit = _unit(table, dim=0)
    return unit[[int((table == query).all(dim=-1).nonzero()[0])]] @ unit.T


# Angles in degrees and lengths of the words beside the one that is asked for (which lies at 0° and is 2 long): cosine,
# dot product and distance each put them in another order.
_PLACES = {"kitten": (10, 6), "cats": (20, 1), "lion": (60, 10), "toad": (75, 0.5), "car": (100, 3), "rain": (150, 1)}


def _nearest_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for n, width in ((2, 2), (3, 5), (4, 7)):
        plane = torch.linalg.qr(torch.randn(width, width, generator=generator)).Q[:2]  # (2, width), any two directions
        places = {"cat": (0, 2), **_PLACES}
        words = [list(places)[i] for i in torch.randperm(len(places), generator=generator)]
        flat = [
            [places[w][1] * f(math.radians(places[w][0])) for f in (math.cos, math.sin)] for w in words
        ]  # (word, 2)
        cases.append(Case(("cat", words, torch.tensor(flat) @ plane, n)))
    few = torch.tensor([[1.0, 0.2], [4.0, 0.1], [1.0, 1.0], [3.0, 8.0]])
    return [Case(("sun", ["moon", "sun", "star", "sky"], few, 2)), *cases]


# 02.3 mean pooling ------------------------------------------------------------------------------------------------


def mean_of_tokens(hidden_states: Tensor, is_token: Tensor) -> Tensor:
    """Return (batch, d_model), the mean of the vectors of real tokens."""
    return embeddings.mean_pool(hidden_states, is_token)


def _pooling_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    cases = [Case((torch.tensor([[[1.0, 2.0], [3.0, 6.0], [8.0, 8.0]]]), torch.tensor([[True, True, False]])))]
    for lengths, n, d in (([3, 1], 4, 2), ([2, 5, 4], 5, 7), ([1, 2], 3, 5)):
        is_token = torch.arange(n) < torch.tensor(lengths)[:, None]
        cases.append(Case((_drawn(generator, len(lengths), n, d), is_token)))
    hidden, is_token = cases[1].arguments
    cases.append(Case((hidden.flip(1), is_token.flip(1)), note="padded on the left"))
    return cases


def _sum_of_tokens(h: Tensor, m: Tensor) -> Tensor:
    return (h * m[..., None]).sum(dim=1)


# 02.4 the direction between two senses ----------------------------------------------------------------------------


def place_along(river: Tensor, money: Tensor, new: Tensor) -> Tensor:
    """Return (k,): how far each new vector lies from the middle of the two means towards the river."""
    return _along(river, money, new)


def _along(river, money, new, middle=None, unit=True):
    first, second = river.mean(dim=0), money.mean(dim=0)
    arrow = first - second
    middle = (first + second) / 2 if middle is None else middle
    return (new - middle) @ (arrow / arrow.norm() if unit else arrow)


def _along_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    cases = [
        Case(
            (torch.tensor([[3.0, 2.0], [5.0, 2.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([[2.0, 7.0], [6.0, 0.0]]))
        )
    ]
    for n, m, k, d in ((2, 3, 4, 5), (5, 2, 3, 4), (3, 4, 1, 7)):
        centre = _drawn(generator, 2, d)
        river = centre[0] + 1.5 + 0.3 * _drawn(generator, n, d)
        money = centre[1] - 0.5 + 0.3 * _drawn(generator, m, d)
        cases.append(Case((river, money, 2 * _drawn(generator, k, d))))
    return cases


# 02.5 bag of words ------------------------------------------------------------------------------------------------


def count_words(texts: list[str], columns: list[str]) -> Tensor:
    """Return (text, column) whole numbers: how often each column's word occurs in each text."""
    return embeddings.bag_of_words([text.split() for text in texts], columns)


def _bag_cases(seed: int) -> list[Case]:
    drawn = torch.randint(0, 5, (3, 8), generator=torch.Generator().manual_seed(seed)).tolist()
    words = ["a", "cat", "cats", "at", "sat"]
    return [
        Case((["the dog saw the cat", "a cat sat"], ["cat", "the", "dog"])),
        Case((["the cats sat then and there", "the cat", "he sat"], ["he", "the", "cat", "mouse"])),
        Case(([" ".join(words[i] for i in row) + " sat sat" for row in drawn], ["sat", "at", "cat", "a"])),
        Case((["so so", ""], ["so", "la", "ti"]), note="the second text is empty"),
    ]


def _per_column(texts, columns, count):
    return torch.tensor([[count(text, word) for word in columns] for text in texts])


def _index_of_unknown(texts, columns):
    for text in texts:
        for word in text.split():
            columns.index(word)
    return count_words(texts, columns)


EXERCISES = (
    Exercise(
        id="02.1", title="cosine similarity matrix", points=2, minutes=6, difficulty=2, importance=5,
        answer="function", name="cosine_matrix", returns="a tensor (n, m) of numbers between -1 and 1",
        reference=cosine_matrix, cases=_cosine_cases, forbidden=READY_COSINES,
        hints=(
            Hint("dot product", lambda a, b: a @ b.T,
                 "These are dot products, and they grow with the lengths. What is still to be divided away?"),
            Hint("wrong axis", lambda a, b: _unit(a, 0) @ _unit(b, 0).T,
                 "Each row is a vector. Along which axis does one row's length add up its squares, and along which "
                 "does yours?"),
            Hint("unlikeness", lambda a, b: 1 - embeddings.cosine_similarity(a, b),
                 "You have taken the cosine away from 1. The task asks for the cosine itself."),
            Hint("only a divided", lambda a, b: _unit(a) @ b.T,
                 "The rows of a have length 1 now. What about the rows of b?"),
            Hint("only b divided", lambda a, b: a @ _unit(b).T,
                 "The rows of b have length 1 now. What about the rows of a?"),
            Hint("no square root", lambda a, b: (a @ b.T) / ((a**2).sum(-1)[:, None] * (b**2).sum(-1)),
                 "You divide by sums of squares. What turns a sum of squares into a length?"),
            Hint("one length for all", lambda a, b: (a / a.norm()) @ (b / b.norm()).T,
                 "You divide by the length of the whole table. Does each row get a length of its own?"),
            Hint("sum of sizes", lambda a, b: (a / a.abs().sum(-1, keepdim=True)) @ (b / b.abs().sum(-1, keepdim=True)).T,
                 "You divide by the sum of the sizes. The length of an arrow comes from squares (Pythagoras)."),
            Hint("distance", lambda a, b: torch.cdist(a, b),
                 "That is how far apart the tips are. The cosine asks how far apart the directions are."),
            Hint("transposed", lambda a, b: _unit(b) @ _unit(a).T,
                 "The numbers are right. Who should have the rows, a or b?"),
            Hint("row by row", lambda a, b: (_unit(a) * _unit(b)).sum(-1),
                 "You compare the first row with the first, the second with the second. Every row of a should meet "
                 "every row of b: which product of matrices does that?"),
        ),
    ),
    Exercise(
        id="02.2", title="nearest neighbours", points=2, minutes=7, difficulty=3, importance=4,
        answer="function", name="nearest_words", returns="a list of n words, most alike first",
        reference=nearest_words, cases=_nearest_cases, forbidden=READY_COSINES,
        hints=(
            Hint("itself included", lambda *a: _ranked(*a, embeddings.cosine_similarity, leave_out=False),
                 "Every vector is most like itself. Is the word that was asked for among your neighbours?"),
            Hint("dot product", lambda *a: _ranked(*a, _dot),
                 "A long arrow has large dot products with everybody. Have you divided the lengths away?"),
            Hint("dot product, first dropped", lambda *a: _ranked(*a, _dot, leave_out=False, begin=1),
                 "Does the word itself really come first in your order? With dot products a longer arrow may beat "
                 "it. Have you divided the lengths away?"),
            Hint("distance", lambda *a: _ranked(*a, _nearness),
                 "You sort by how near the tips are, so short arrows come first. The task asks for the angle."),
            Hint("least alike first", lambda *a: _ranked(*a, embeddings.cosine_similarity, largest_first=False),
                 "Your list begins with the words that are least alike. Which way round does your sorting go?"),
            Hint("numbers of rows", lambda *a: [a[1].index(w) for w in nearest_words(*a)],
                 "You have found the right rows. Which words stand there?"),
            Hint("one too few", lambda word, words, table, n: nearest_words(word, words, table, n)[:-1],
                 "The list is one word short: the word itself took a place. How many rows do you need before you "
                 "leave it out?"),
            Hint("wrong axis", lambda *a: _ranked(*a, _columns_normalised),
                 "Along which axis do you take the lengths? Each row is a vector."),
            Hint("second dropped", lambda *a: _ranked(*a, embeddings.cosine_similarity, begin=1),
                 "The word itself is left out, but the best neighbour is missing, too. Have you left out the first "
                 "place twice?"),
        ),
    ),
    Exercise(
        id="02.3", title="mean pooling", points=2, minutes=6, difficulty=2, importance=5,
        answer="function", name="mean_of_tokens", returns="a tensor (batch, d_model)",
        reference=mean_of_tokens, cases=_pooling_cases, forbidden=("course.embeddings.mean_pool",),
        hints=(
            Hint("padding counted", lambda h, m: h.mean(dim=1),
                 "You average over every position, the padding included. Where does is_token come in?"),
            Hint("divided by the width", lambda h, m: _sum_of_tokens(h, m) / h.shape[1],
                 "The sum leaves the padding out, but you divide by the number of positions. How many vectors were "
                 "added up?"),
            Hint("not divided", _sum_of_tokens,
                 "That is the sum of the tokens' vectors. What makes a mean of it?"),
            Hint("last position", lambda h, m: h[:, -1],
                 "That is the vector of the last position, which may be padding. The task asks for the mean of all "
                 "the tokens."),
            Hint("numbers in the wrong column", lambda h, m: _sum_of_tokens(h, m) / m.sum(dim=1),
                 "The sums are right, and so are the numbers of tokens. But a division lines up the last axes: where "
                 "should the number of each text stand?"),
            Hint("padding only", lambda h, m: _sum_of_tokens(h, ~m) / (~m).sum(dim=1, keepdim=True),
                 "You average what stands on padding. In is_token, True means a real token."),
            Hint("all texts together", lambda h, m: h[m].mean(dim=0, keepdim=True).expand(len(h), -1),
                 "Every text gets the same vector: the mean over the whole batch. Each text needs a mean of its own."),
            Hint("divided by the whole batch", lambda h, m: _sum_of_tokens(h, m) / m.sum(),
                 "You divide by the tokens of all the texts together. How many has each text?"),
            Hint("largest entries", lambda h, m: h.masked_fill(~m[..., None], -math.inf).amax(dim=1),
                 "That is max pooling: the largest entry in each dimension. The task asks for the mean."),
            Hint("first token", lambda h, m: h[:, 0],
                 "That is the vector of the first position, the place of [CLS]. The task asks for the mean of all."),
            Hint("an axis too many", lambda h, m: (_sum_of_tokens(h, m) / m.sum(dim=1, keepdim=True))[:, None],
                 "The numbers are right. There is an axis of size 1 left where the positions were."),
            Hint("over the numbers", lambda h, m: (h * m[..., None]).mean(dim=-1),
                 "You average the numbers within each vector. Along which axis do the tokens lie?"),
        ),
    ),
    Exercise(
        id="02.4", title="the direction between two senses", points=2, minutes=8, difficulty=3, importance=4,
        answer="function", name="place_along", returns="a tensor (k,), positive on the side of the river",
        reference=place_along, cases=_along_cases,
        hints=(
            Hint("other way round", lambda r, m, x: -_along(r, m, x),
                 "The sizes are right and the signs are not. From where to where does your arrow lead?"),
            Hint("no middle", lambda r, m, x: _along(r, m, x, middle=torch.zeros(r.shape[1])),
                 "Your places are counted from the origin. Where should 0 lie?"),
            Hint("arrow not of length 1", lambda r, m, x: _along(r, m, x, unit=False),
                 "The signs are right, the sizes are not. How long is your arrow, and how long should it be?"),
            Hint("one number for a mean", lambda r, m, x: _along(r, m, x, middle=(r.mean() + m.mean()) / 2),
                 "Your middle is a single number: the mean over everything. Along which axis does a mean leave one "
                 "vector of d numbers?"),
            Hint("half the difference", lambda r, m, x: _along(r, m, x, middle=(r.mean(0) - m.mean(0)) / 2),
                 "You start from half the difference of the means. Where is the middle between 6 and 10?"),
            Hint("only the sign", lambda r, m, x: _along(r, m, x).sign(),
                 "You have kept the side and lost the distance. The task asks how far along each vector lies."),
            Hint("divided twice", lambda r, m, x: _along(r, m, x, unit=False) / ((r.mean(0) - m.mean(0)) ** 2).sum(),
                 "You have divided by the square of the arrow's length. What is the length itself?"),
            Hint("middle of all vectors", lambda r, m, x: _along(r, m, x, middle=torch.cat([r, m]).mean(dim=0)),
                 "Your 0 lies at the mean of all vectors, nearer to the larger group. Should it matter which sense "
                 "has more sentences?"),
            Hint("sums for means", lambda r, m, x: _along(r.sum(0, keepdim=True), m.sum(0, keepdim=True), x),
                 "You have added up the vectors of each sense. What makes a mean of a sum?"),
            Hint("0 at the money mean", lambda r, m, x: _along(r, m, x, middle=m.mean(dim=0)),
                 "Your 0 lies at the mean of money. Where is the place that is equally far from both means?"),
            Hint("0 at the river mean", lambda r, m, x: _along(r, m, x, middle=r.mean(dim=0)),
                 "Your 0 lies at the mean of the river. Where is the place that is equally far from both means?"),
            Hint("True and False", lambda r, m, x: _along(r, m, x) > 0,
                 "You have decided already. The task asks how far along each vector lies."),
            Hint("first vectors only", lambda r, m, x: _along(r[:1], m[:1], x),
                 "Your arrow leads from one sentence to another. What stands for all the sentences of a sense?"),
            Hint("cosine", lambda r, m, x: _unit(x - (r.mean(0) + m.mean(0)) / 2) @ _unit(r.mean(0) - m.mean(0)),
                 "You have divided by the lengths of the new vectors, too. Only the arrow should have length 1."),
        ),
    ),
    Exercise(
        id="02.5", title="bag of words", points=1, minutes=5, difficulty=2, importance=3,
        answer="function", name="count_words", returns="a tensor (text, column) of whole numbers",
        reference=count_words, cases=_bag_cases, forbidden=("course.embeddings.bag_of_words",),
        hints=(
            Hint("presence", lambda texts, columns: count_words(texts, columns).clamp(max=1),
                 "A word that occurs twice gets a 1 from you. Do you count, or do you ask whether it is there?"),
            Hint("pieces of words", lambda texts, columns: _per_column(texts, columns, lambda t, w: t.count(w)),
                 "How often does `he` occur in `the cat`? Your code looks inside words: cut the text into words "
                 "first."),
            Hint("unknown words", _index_of_unknown,
                 "A text may hold words that have no column. What should happen to them?"),
            Hint("transposed", lambda texts, columns: count_words(texts, columns).T,
                 "The counts are right. Which should have the rows, the texts or the words?"),
            Hint("decimal numbers", lambda texts, columns: count_words(texts, columns).float(),
                 "The counts are right. Counts are whole numbers: which dtype did your tensor begin with?"),
            Hint("shares", lambda texts, columns: torch.stack(
                [c / max(1, len(t.split())) for t, c in zip(texts, count_words(texts, columns), strict=True)]),
                 "You have divided by the length of each text. The task asks for the counts."),
            Hint("alphabetical columns", lambda texts, columns: count_words(texts, sorted(columns)),
                 "Your columns stand in alphabetical order. In which order were they given?"),
            Hint("all texts added", lambda texts, columns: count_words(texts, columns).sum(dim=0),
                 "You have counted all texts together. Each text needs a row of its own."),
        ),
    ),
    Exercise(
        id="02.6", title="what a bag loses", points=1, minutes=2, difficulty=1, importance=4,
        answer="choice", name="same_bag", returns="one letter as a text, for example \"a\"",
        reference=lambda: "b",
        hints=(
            Hint("word forms", "a",
                 "To a bag, barks and barked are two different columns. Kinship of words is what it cannot see."),
            Hint("synonyms", "c",
                 "To a bag, big and large are two different columns, as different as big and Tuesday."),
            Hint("said twice", "d",
                 "The same words are present, but a bag of counts would hold each twice in the second text."),
            Hint("small words", "e",
                 "The and a are words like any others: they have columns of their own."),
        ),
    ),
)  # fmt: skip
