"""Exercises of lesson 00: read an attention picture, and get to know the checks."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checks.exercise import Case, Exercise, Hint

SPECIAL = ("[CLS]", "[SEP]")
CAT = ["[CLS]", "the", "cat", "sat", "on", "the", "mat", "[SEP]"]
PAIR = ["[CLS]", "cats", "sleep", "[SEP]", "dogs", "bark", "[SEP]"]


def random_weights(n_tokens: int, generator: torch.Generator, stronger: tuple[tuple[int, int], ...] = ()) -> Tensor:
    """Draw rows of attention weights, (query, key); each pair in ``stronger`` becomes the largest of its row."""
    scores = torch.randn(n_tokens, n_tokens, generator=generator)
    for query, key in stronger:
        scores[query, key] = scores[query].max() + 1
    return scores.softmax(dim=-1)


# 00.3 strongest link --------------------------------------------------------------------------------------------


def strongest_link(weights: Tensor, tokens: list[str], token: str) -> str:
    """Return the token that receives most of the weight in the row of ``token``."""
    return tokens[weights[tokens.index(token)].argmax().item()]


def _strongest_link_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    tokens = ["[CLS]", "cat", "sat", "[SEP]"]
    weights = torch.tensor(
        [[0.72, 0.11, 0.09, 0.08], [0.20, 0.07, 0.60, 0.13], [0.14, 0.16, 0.50, 0.20], [0.19, 0.62, 0.08, 0.11]]
    )
    long = random_weights(len(CAT), generator, ((1, 2), (2, 1), (5, 3)))
    pair = random_weights(len(PAIR), generator, ((1, 6), (4, 5), (5, 3), (6, 1)))
    return [
        Case((weights, tokens, "cat")),
        Case((weights, tokens, "sat")),
        Case((long, CAT, "the")),
        Case((long, CAT, "cat")),
        Case((pair, PAIR, "cats")),
        Case((pair, PAIR, "bark")),
    ]


def _link_of_last_occurrence(weights, tokens, token):
    last = len(tokens) - 1 - tokens[::-1].index(token)
    return tokens[weights[last].argmax().item()]


def _link_to_another(weights, tokens, token):
    row = weights[tokens.index(token)].clone()
    row[tokens.index(token)] = -1
    return tokens[row.argmax().item()]


def _link_to_a_word(weights, tokens, token):
    row = weights[tokens.index(token)].clone()
    row[[i for i, each in enumerate(tokens) if each in SPECIAL]] = -1
    return tokens[row.argmax().item()]


# 00.4 share on special tokens -----------------------------------------------------------------------------------


def share_on_special_tokens(weights: Tensor, tokens: list[str]) -> float:
    """Return the weight that a word gives to [CLS] and [SEP], averaged over the words."""
    is_special = torch.tensor([token in SPECIAL for token in tokens])
    return weights[~is_special][:, is_special].sum(dim=-1).mean().item()


def _share_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    tokens = ["[CLS]", "cat", "sat", "[SEP]"]
    weights = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.2, 0.1, 0.6, 0.1], [0.1, 0.3, 0.2, 0.4], [0.3, 0.5, 0.1, 0.1]])
    return [
        Case((weights, tokens)),
        Case((random_weights(5, generator), ["[CLS]", "dogs", "bark", "loudly", "[SEP]"])),
        Case((random_weights(len(CAT), generator), CAT)),
        Case((random_weights(len(PAIR), generator), PAIR), note="two sentences, so there are two [SEP]"),
    ]


def _special_and_words(tokens):
    special = [i for i, token in enumerate(tokens) if token in SPECIAL]
    return special, [i for i in range(len(tokens)) if i not in special]


def _share_of_all_rows(weights, tokens):
    special, _ = _special_and_words(tokens)
    return weights[:, special].sum(dim=-1).mean().item()


def _share_special_rows_only(weights, tokens):
    special, words = _special_and_words(tokens)
    return weights[special][:, words].sum(dim=-1).mean().item()


def _share_without_sep(weights, tokens):
    _, words = _special_and_words(tokens)
    return weights[words, 0].mean().item()


def _share_without_second_sep(weights, tokens):
    _, words = _special_and_words(tokens)
    return weights[words][:, [0, tokens.index("[SEP]")]].sum(dim=-1).mean().item()


def _share_not_averaged(weights, tokens):
    special, words = _special_and_words(tokens)
    return weights[words][:, special].sum().item()


def _share_mean_of_columns(weights, tokens):
    special, words = _special_and_words(tokens)
    return weights[words][:, special].mean().item()


def _share_of_words(weights, tokens):
    _, words = _special_and_words(tokens)
    return weights[words][:, words].sum(dim=-1).mean().item()


def _share_as_tensor(weights, tokens):
    special, words = _special_and_words(tokens)
    return weights[words][:, special].sum(dim=-1)


EXERCISES = (
    Exercise(
        id="00.1", title="count the pictures", points=1, minutes=1, difficulty=1, importance=3,
        answer="value", name="n_pictures", returns="a whole number",
        reference=lambda: 72,
        hints=(
            Hint("added", 18, "Does every layer have heads of its own? Then how do the two counts go together?"),
            Hint("only layers", 6, "That is the number of layers. How many pictures does one layer draw?"),
            Hint("only heads", 12, "That is the number of heads in one layer. How many layers are there?"),
            Hint("one for each token", 576,
                 "One picture holds a row for every token already. Do you need to count the tokens?"),
            Hint("a larger BERT", 144,
                 "That would fit BERT's larger sister with 12 layers. Which two numbers stand in the output?"),
        ),
    ),
    Exercise(
        id="00.2", title="find the right row", points=2, minutes=2, difficulty=1, importance=5,
        answer="choice", name="where_cat_looks", returns="one letter as a text, for example \"a\"",
        reference=lambda: "c",
        hints=(
            Hint("the [CLS] row", "a",
                 "That row belongs to [CLS]. Whose looking does it show: that of [CLS], or that of cat?"),
            Hint("the column", "b",
                 "A column collects what many tokens give to one. Is cat the one that looks, or the one looked at?"),
            Hint("the next row", "d", "That row belongs to sat. It says where sat looks. Who should be asking here?"),
            Hint("the mean of all rows", "e",
                 "A mean mixes the looks of all eight tokens. Can you still tell which part came from cat?"),
        ),
    ),
    Exercise(
        id="00.3", title="strongest link", points=3, minutes=5, difficulty=2, importance=4,
        answer="function", name="strongest_link", returns="one of the tokens, as a text",
        reference=strongest_link, cases=_strongest_link_cases,
        hints=(
            Hint("column", lambda weights, tokens, token: tokens[weights[:, tokens.index(token)].argmax().item()],
                 "Rows are queries, columns are keys. Does your code take a row of weights, or a column?"),
            Hint("index", lambda weights, tokens, token: weights[tokens.index(token)].argmax().item(),
                 "You have found the place. Which token stands there?"),
            Hint("weight", lambda weights, tokens, token: weights[tokens.index(token)].max().item(),
                 "That is how large the weight is. Where does it stand, and which token stands there?"),
            Hint("smallest", lambda weights, tokens, token: tokens[weights[tokens.index(token)].argmin().item()],
                 "Is the strongest link the one with the smallest weight, or with the largest?"),
            Hint("[CLS] row", lambda weights, tokens, token: tokens[weights[0].argmax().item()],
                 "Row 0 belongs to [CLS]. At which position does your token stand?"),
            Hint("last occurrence", _link_of_last_occurrence,
                 "When a token stands twice, which of the two is asked for?"),
            Hint("not itself", _link_to_another, "May a token look at itself? Does your code allow it?"),
            Hint("only words", _link_to_a_word, "[CLS] and [SEP] are tokens too. Does your code leave them out?"),
        ),
    ),
    Exercise(
        id="00.4", title="weight on special tokens", points=4, minutes=7, difficulty=2, importance=4,
        answer="function", name="share_on_special_tokens", returns="one number between 0 and 1",
        reference=share_on_special_tokens, cases=_share_cases,
        hints=(
            Hint("all rows", _share_of_all_rows,
                 "Are the rows of [CLS] and [SEP] part of your mean? Which rows are asked for?"),
            Hint("rows for columns", _share_special_rows_only,
                 "Which axis is the query? The words look; [CLS] and [SEP] are looked at."),
            Hint("no [SEP]", _share_without_sep, "That is what [CLS] receives. Which other token is special?"),
            Hint("first [SEP] only", _share_without_second_sep,
                 "How many [SEP] are there when the text is a pair? Do you find them all?"),
            Hint("first and last", lambda weights, tokens: weights[1:-1][:, [0, -1]].sum(dim=-1).mean().item(),
                 "Do special tokens stand only at the two ends? Look at the case with two sentences."),
            Hint("not averaged", _share_not_averaged,
                 "Could a share be larger than 1? You have the sum over all words; what is asked for is the mean."),
            Hint("divided by all tokens", lambda weights, tokens: _share_not_averaged(weights, tokens) / len(tokens),
                 "How many rows go into your sum? Is that the number you divide by?"),
            Hint("mean of columns", _share_mean_of_columns,
                 "One word gives weight to [CLS] and to [SEP]. Do its two weights add up, or are they averaged?"),
            Hint("the words' share", _share_of_words, "That is the weight on words. Which columns are asked for?"),
            Hint("one number a word", _share_as_tensor,
                 "You have one number for each word. What turns them into a single one?"),
        ),
    ),
)  # fmt: skip
