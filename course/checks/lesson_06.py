"""Exercises of lesson 06: split and merge heads, a whole multi-head attention, its parameters, and the mean of heads."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course import attention
from course.checks.exercise import Case, Exercise, Hint

WHOLE_ATTENTION = (
    "course.attention.multi_head_attention",
    "course.transformer.MultiHeadAttention",
    "torch.nn.MultiheadAttention",
    "torch.nn.functional.multi_head_attention_forward",
)
ONE_ATTENTION = (
    "course.attention.attend",
    "course.attention.dot_product_attention",
    "course.attention.scaled_dot_product_attention",
    "torch.nn.functional.scaled_dot_product_attention",
)

# 06.1 split heads -------------------------------------------------------------------------------------------------


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Return (batch, head, position, d_head)."""
    return attention.split_heads(x, n_heads)


def _numbered(*shape: int) -> Tensor:
    return torch.arange(math.prod(shape), dtype=torch.float32).view(shape)


def _split_cases(seed: int) -> list[Case]:
    drawn = torch.randn(2, 7, 15, generator=torch.Generator().manual_seed(seed))
    return [
        Case((_numbered(1, 3, 4), 2)),
        Case((_numbered(2, 5, 6), 3)),
        Case((drawn, 5)),
        Case((_numbered(3, 2, 4), 1), note="one head keeps everything"),
    ]


def _stretches(x: Tensor, n_heads: int) -> Tensor:
    return x.unflatten(-1, (n_heads, -1))  # (batch, position, head, d_head)


# 06.2 merge heads -------------------------------------------------------------------------------------------------


def merge_heads(x: Tensor) -> Tensor:
    """Return (batch, position, d_model)."""
    return attention.merge_heads(x)


def _merge_cases(seed: int) -> list[Case]:
    drawn = torch.randn(2, 5, 7, 3, generator=torch.Generator().manual_seed(seed))
    return [
        Case((_numbered(1, 2, 3, 4),)),
        Case((_numbered(2, 3, 5, 2),)),
        Case((drawn,)),
        Case((_numbered(3, 1, 2, 4),), note="one head"),
    ]


# 06.3 multi-head attention ----------------------------------------------------------------------------------------


def multi_head_attention(x: Tensor, W_Q: Tensor, W_K: Tensor, W_V: Tensor, W_O: Tensor, n_heads: int) -> Tensor:
    """Return (batch, position, d_model)."""
    return attention.multi_head_attention(x, x, W_Q, W_K, W_V, W_O, n_heads).output


def _attention_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for n_texts, n_positions, d_model, n_heads, note in (
        (1, 3, 4, 2, ""),
        (2, 5, 12, 4, "two texts"),
        (3, 7, 6, 3, "three texts"),
        (2, 4, 5, 1, "one head"),
    ):
        x = torch.randn(n_texts, n_positions, d_model, generator=generator)
        W = torch.randn(4, d_model, d_model, generator=generator) * 1.2 / math.sqrt(d_model)
        x, W = x.round(decimals=1), W.round(decimals=1)  # short to read in the card of a check
        cases.append(Case((x, *W, n_heads), note=note))
    return cases


def _attend(x, W_Q, W_K, W_V, W_O, n_heads, split=None, merge=None, scale=None, dim=-1, mixes=True, turned=True):
    """Do as multi_head_attention does, but for one detail."""
    split, merge = split or attention.split_heads, merge or attention.merge_heads
    project = (lambda v, W: v @ W.T) if turned else (lambda v, W: v @ W)
    query, key, value = (split(project(x, W), n_heads) for W in (W_Q, W_K, W_V))
    scores = query @ key.transpose(-2, -1) / (math.sqrt(query.shape[-1]) if scale is None else scale(x, query))
    merged = merge(scores.softmax(dim=dim) @ value)
    return project(merged, W_O) if mixes else merged


def _but(**detail):
    return lambda x, W_Q, W_K, W_V, W_O, n_heads: _attend(x, W_Q, W_K, W_V, W_O, n_heads, **detail)


def _cut_straight(x: Tensor, n_heads: int) -> Tensor:
    return x.reshape(x.shape[0], n_heads, x.shape[1], -1)


def _run_together(x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], x.shape[2], -1)


def _across_heads(x, W_Q, W_K, W_V, W_O, n_heads):
    """Leave out the transpose after the split: then the heads of one word attend to one another."""
    query, key, value = (_stretches(x @ W.T, n_heads) for W in (W_Q, W_K, W_V))  # (batch, position, head, d_head)
    weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)
    return (weights @ value).flatten(-2) @ W_O.T


def _one_wide_head(x, W_Q, W_K, W_V, W_O, n_heads):
    return _attend(x, W_Q, W_K, W_V, W_O, 1)


def _one_table(x, W_Q, W_K, W_V, W_O, n_heads):
    query, key, value = (attention.split_heads(x @ W.T, n_heads) for W in (W_Q, W_K, W_V))
    weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1).mean(dim=1, keepdim=True)
    return attention.merge_heads(weights @ value) @ W_O.T


def _fetching(what):
    """Do as multi_head_attention does, but let what(query, key, value) say what the heads fetch."""

    def answer(x, W_Q, W_K, W_V, W_O, n_heads):
        query, key, value = (attention.split_heads(x @ W.T, n_heads) for W in (W_Q, W_K, W_V))
        return attention.merge_heads(what(query / math.sqrt(query.shape[-1]), key, value)) @ W_O.T

    return answer


def _W_O_not_transposed(x, W_Q, W_K, W_V, W_O, n_heads):
    return _attend(x, W_Q, W_K, W_V, W_O.T, n_heads)


def _slices_of_the_input(x, W_Q, W_K, W_V, W_O, n_heads):
    eye = torch.eye(n_heads).repeat_interleave(x.shape[-1] // n_heads, 0)  # (d_model, head)
    blocks = eye @ eye.T
    return _attend(x, W_Q * blocks, W_K * blocks, W_V * blocks, W_O, n_heads)


# 06.4 count parameters --------------------------------------------------------------------------------------------


def count_parameters(d_model: int, n_heads: int, has_bias: bool) -> int:
    """Return how many numbers W_Q, W_K, W_V and W_O hold, with their biases if there are any."""
    return 4 * d_model * d_model + (4 * d_model if has_bias else 0)


def _count_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    d_head, n_heads = (int(torch.randint(5, 9, (), generator=generator)) for _ in range(2))
    return [
        Case((6, 2, True)),
        Case((384, 12, True), note="the layer of this lesson's BERT"),
        Case((768, 12, False), note="without biases"),
        Case((d_head * n_heads, n_heads, True)),
    ]


# 06.5 average heads -----------------------------------------------------------------------------------------------


def average_heads(weights: Tensor) -> Tensor:
    """Return (batch, query, key), the mean over the heads."""
    return weights.mean(dim=1)


def _average_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator).mul(2).softmax(dim=-1)  # noqa: E731
    two = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]])
    return [Case((two,)), Case((draw(2, 3, 5, 5),)), Case((draw(3, 5, 2, 7),), note="more keys than queries")]


EXERCISES = (
    Exercise(
        id="06.1", title="split heads", points=2, minutes=6, difficulty=2, importance=5,
        answer="function", name="split_heads", returns="a tensor (batch, head, position, d_head)",
        reference=split_heads, cases=_split_cases,
        forbidden=("course.attention.split_heads",),
        hints=(
            Hint("view for transpose", _cut_straight,
                 "The shape is right, and the words are mixed up: look at head 0, it holds several numbers of the "
                 "first word in different rows. Cut the last axis first; which two axes have to change places then?"),
            Hint("no transpose", _stretches,
                 "The last axis is cut in the right places. The heads should stand before the positions: which two "
                 "axes have to change places?"),
            Hint("every n-th column",
                 lambda x, n_heads: x.unflatten(-1, (-1, n_heads)).movedim(-1, 1),
                 "Your head 0 takes every few columns. A head is a stretch of columns side by side: in which order "
                 "do the two new sizes stand?"),
            Hint("heads and width swapped",
                 lambda x, n_heads: x.unflatten(-1, (-1, n_heads)).transpose(1, 2),
                 "You have made stretches that are n_heads wide. How wide is one head, and how many are there?"),
            Hint("positions last", lambda x, n_heads: attention.split_heads(x, n_heads).transpose(-2, -1),
                 "Nearly: the order should be (batch, head, position, d_head). Which two axes stand the other way "
                 "round in yours?"),
            Hint("heads first", lambda x, n_heads: attention.split_heads(x, n_heads).transpose(0, 1),
                 "The heads are whole, and they stand before the batch. Which axis should come first?"),
            Hint("every head everything", lambda x, n_heads: x.unsqueeze(1).repeat(1, n_heads, 1, 1),
                 "Each of your heads holds the whole vector. Together the heads share d_model: how wide is one?"),
        ),
    ),
    Exercise(
        id="06.2", title="merge heads", points=2, minutes=5, difficulty=2, importance=5,
        answer="function", name="merge_heads", returns="a tensor (batch, position, d_model)",
        reference=merge_heads, cases=_merge_cases,
        forbidden=("course.attention.merge_heads",),
        hints=(
            Hint("reshape without transpose", _run_together,
                 "The shape is right, and row 0 holds several words of head 0. It should hold one word of every "
                 "head: which two axes have to change places before you join the last two?"),
            Hint("still four axes", lambda x: x.transpose(1, 2),
                 "The axes stand in the right order. Two of them are still to become one: the head and the place "
                 "within it."),
            Hint("numbers interleaved", lambda x: x.permute(0, 2, 3, 1).flatten(-2),
                 "Your row takes one number of each head in turn. The heads should lie side by side, each in one "
                 "piece: which axis must be the last when two become one?"),
            Hint("mean of the heads", lambda x: x.mean(dim=1),
                 "A mean mixes the heads for good. To merge is to lay them side by side: how wide is a row then?"),
            Hint("sum of the heads", lambda x: x.sum(dim=1),
                 "A sum mixes the heads for good. To merge is to lay them side by side: how wide is a row then?"),
            Hint("heads below one another", lambda x: x.flatten(1, 2),
                 "You have made more rows. There should be one row for each position, and wider ones: which axes "
                 "become one?"),
            Hint("positions side by side", lambda x: x.permute(0, 3, 1, 2).flatten(-2),
                 "In your result the rows are places within a head. A row belongs to one position: which axis "
                 "follows the batch?"),
        ),
    ),
    Exercise(
        id="06.3", title="multi-head attention", points=3, minutes=12, difficulty=4, importance=5,
        answer="function", name="multi_head_attention", returns="a tensor (batch, position, d_model)",
        reference=multi_head_attention, cases=_attention_cases,
        forbidden=WHOLE_ATTENTION + ONE_ATTENTION,
        hints=(
            Hint("no W_O", _but(mixes=False),
                 "The heads are right and lie side by side. Which of the four matrices has not been used yet?"),
            Hint("scaled by d_model", _but(scale=lambda x, query: math.sqrt(x.shape[-1])),
                 "Your scores are a little too small. How long are the two vectors whose dot product is a score: "
                 "d_model, or the width of one head?"),
            Hint("scaled by n_heads", lambda x, W_Q, W_K, W_V, W_O, n_heads: _attend(
                x, W_Q, W_K, W_V, W_O, n_heads, scale=lambda x, query: math.sqrt(n_heads)),
                 "You divide by the square root of the number of heads. Which width do the scores depend on?"),
            Hint("not scaled", _but(scale=lambda x, query: 1.0),
                 "The scores are too large, so the weights are too sharp. What does lesson 03 divide them by?"),
            Hint("scaled without the root", _but(scale=lambda x, query: query.shape[-1]),
                 "You divide the scores by the width of a head. Is it the width, or its square root?"),
            Hint("softmax over the heads", _but(dim=1),
                 "Your weights sum to 1 over the heads. Each head has a whole row of its own to share among the "
                 "keys: on which axis are the keys?"),
            Hint("softmax over the queries", _but(dim=-2),
                 "Your columns sum to 1. Each query shares its attention among the keys: which axis is that?"),
            Hint("matrices not transposed", _but(turned=False),
                 "The matrices are (d_out, d_in), as torch.nn.Linear keeps them. How do they have to stand, when x "
                 "stands on the left?"),
            Hint("W_O not transposed", _W_O_not_transposed,
                 "Everything before W_O is right. W_O is (d_out, d_in) like the other three: how does it have to "
                 "stand?"),
            Hint("queries and keys swapped",
                 _fetching(lambda query, key, value: (key @ query.transpose(-2, -1)).softmax(dim=-1) @ value),
                 "Your rows belong to the keys. A row of scores belongs to the word that looks: which of the two "
                 "stands on the left?"),
            Hint("keys averaged",
                 _fetching(lambda query, key, value: (query @ key.transpose(-2, -1)).softmax(dim=-1) @ key),
                 "The weights are right, but what they fetch is not: which of the three is averaged?"),
            Hint("view for transpose", _but(split=_cut_straight),
                 "Your heads mix up the words: it is exercise 06.1 again. Does your split end with a transpose?"),
            Hint("split and merged by view", _but(split=_cut_straight, merge=_run_together),
                 "Your heads mix up the words: it is exercise 06.1 again. Does your split end with a transpose?"),
            Hint("merged without transpose", _but(merge=_run_together),
                 "The heads are right, and then the words get mixed up: it is exercise 06.2 again. What has to come "
                 "before the reshape?"),
            Hint("heads attend to heads", _across_heads,
                 "In your scores the heads of one word meet one another. The last two axes of the queries should be "
                 "position and d_head: is there a transpose after the split?"),
            Hint("one wide head", _one_wide_head,
                 "This is attention with one head as wide as the model. Where should n_heads come in?"),
            Hint("one table for all heads", _one_table,
                 "You average the weights over the heads, so all of them look the same way. Let each keep its own."),
            Hint("slices of the input", _slices_of_the_input,
                 "Your heads read only a slice of each word's vector. Project first, with the whole matrix, and "
                 "split what comes out."),
        ),
    ),
    Exercise(
        id="06.4", title="count parameters", points=1, minutes=3, difficulty=1, importance=3,
        answer="function", name="count_parameters", returns="a whole number",
        reference=count_parameters, cases=_count_cases,
        forbidden=WHOLE_ATTENTION,
        hints=(
            Hint("no biases", lambda d_model, n_heads, has_bias: 4 * d_model**2,
                 "The four matrices are there. What comes with each of them if has_bias is True?"),
            Hint("times the heads",
                 lambda d_model, n_heads, has_bias: n_heads * count_parameters(d_model, n_heads, has_bias),
                 "The heads share the matrices: more heads means narrower heads. How large is one matrix, whatever "
                 "the number of heads?"),
            Hint("times the heads, no biases", lambda d_model, n_heads, has_bias: 4 * d_model**2 * n_heads,
                 "The heads share the matrices: more heads means narrower heads. How large is one matrix, whatever "
                 "the number of heads?"),
            Hint("only one head", lambda d_model, n_heads, has_bias: 4 * d_model * (d_model // n_heads)
                 + (4 * (d_model // n_heads) if has_bias else 0),
                 "You have counted one head. Which part of the matrices belongs to the others?"),
            Hint("no W_O", lambda d_model, n_heads, has_bias: 3 * d_model**2 + (3 * d_model if has_bias else 0),
                 "Queries, keys and values are there. Which matrix mixes the heads at the end?"),
            Hint("one bias for all", lambda d_model, n_heads, has_bias: 4 * d_model**2 + (d_model if has_bias else 0),
                 "There is only one bias in your count. How many matrices have one?"),
            Hint("one number a bias", lambda d_model, n_heads, has_bias: 4 * d_model**2 + (4 if has_bias else 0),
                 "A bias is a whole vector that is added to the result. How many numbers does it hold?"),
            Hint("biases always", lambda d_model, n_heads, has_bias: 4 * d_model**2 + 4 * d_model,
                 "You count the biases even when there are none. What does has_bias say?"),
        ),
    ),
    Exercise(
        id="06.5", title="average heads", points=1, minutes=3, difficulty=1, importance=3,
        answer="function", name="average_heads", returns="a tensor (batch, query, key), each row summing to 1",
        reference=average_heads, cases=_average_cases,
        hints=(
            Hint("sum", lambda weights: weights.sum(dim=1),
                 "Your rows sum to the number of heads. What is missing between a sum and a mean?"),
            Hint("over the texts", lambda weights: weights.mean(dim=0),
                 "You have averaged over the texts of the batch. Which axis holds the heads?"),
            Hint("over the queries", lambda weights: weights.mean(dim=2),
                 "You have averaged over those who look. Which axis holds the heads?"),
            Hint("over the keys", lambda weights: weights.mean(dim=-1),
                 "A row sums to 1, so its mean says only how many keys there are. Which axis holds the heads?"),
            Hint("first head", lambda weights: weights[:, 0],
                 "You keep the first head and drop the others. What is a mean?"),
            Hint("one number", lambda weights: weights.mean(),
                 "You have averaged over everything. Which axis holds the heads?"),
            Hint("strongest head", lambda weights: weights.amax(dim=1),
                 "You keep the largest weight of any head, so the rows sum to more than 1. What is a mean?"),
            Hint("heads kept as an axis", lambda weights: weights.mean(dim=1, keepdim=True),
                 "The numbers are right. The axis of the heads has size 1 now and may go."),
            Hint("softmax once more", lambda weights: weights.mean(dim=1).softmax(dim=-1),
                 "The mean of rows that sum to 1 sums to 1 by itself. What does another softmax do to it?"),
            Hint("texts and heads", lambda weights: weights.mean(dim=(0, 1)),
                 "You have averaged over the texts as well. Each text keeps its own table."),
        ),
    ),
    Exercise(
        id="06.6", title="what is lost", points=1, minutes=3, difficulty=2, importance=4,
        answer="choice", name="what_is_lost", returns='one letter as a text, for example "a"',
        reference=lambda: "b",
        hints=(
            Hint("nothing", "a",
                 "The rows still sum to 1, but is that all? Look at the two pairs of tables above and at their means."),
            Hint("unseen", "c",
                 "If one head of two gives a word 1.0 and the other 0.0, what is the mean? Is it 0?"),
            Hint("order", "d",
                 "The mean has the same rows and columns as before, in the same order. What has it no axis for?"),
            Hint("too small", "e",
                 "Each head's row sums to 1. What does a mean of such rows sum to?"),
        ),
    ),
)  # fmt: skip
