"""Exercises of lesson 04: write masks, combine them, apply them safely, and mend one that lies along the wrong axis."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course import attention
from course.checks.exercise import Case, Exercise, Hint

WHOLE_ATTENTION = (
    "course.attention.masked_softmax",
    "course.attention.attend",
    "course.attention.dot_product_attention",
    "course.attention.scaled_dot_product_attention",
    "torch.nn.functional.scaled_dot_product_attention",
    "torch.nn.functional.multi_head_attention_forward",
    "torch.nn.MultiheadAttention",
    "torch.masked.softmax",
)

# 04.1 padding mask ------------------------------------------------------------------------------------------------


def padding_mask(lengths: list[int], n_key: int) -> Tensor:
    """Return (batch, 1, n_key), True on real tokens."""
    return attention.padding_mask(lengths, n_key)


def _padding_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(5, generator=generator) + 1  # (5,) the lengths 1 to 5 in some order
    return [
        Case(([3, 1], 4)),
        Case(([5, 2, 4], 5), note="the longest text needs no padding"),
        Case((drawn[:2].tolist() + [7], 7)),
        Case(([0, 2], 3), note="the first text is empty"),
    ]


def _padding_shifted(lengths, n_key, shift=0, side="right"):
    position = torch.arange(n_key)
    if side == "left":
        position = position.flip(0)
    return (position < torch.tensor(lengths)[:, None] + shift).unsqueeze(-2)


# 04.2 causal mask -------------------------------------------------------------------------------------------------


def causal_mask(n_positions: int) -> Tensor:
    """Return (n_positions, n_positions), True on and below the diagonal."""
    return attention.causal_mask(n_positions)


def _ones(n: int) -> Tensor:
    return torch.ones(n, n, dtype=torch.bool)


def _additive(n: int) -> Tensor:
    return torch.zeros(n, n).masked_fill(~_ones(n).tril(), -math.inf)


def _causal_cases(seed: int) -> list[Case]:
    drawn = int(torch.randint(6, 9, (), generator=torch.Generator().manual_seed(seed)))
    return [Case((3,)), Case((5,)), Case((1,), note="one position may look at itself"), Case((drawn,))]


# 04.3 combine masks -----------------------------------------------------------------------------------------------


def combine_masks(causal: Tensor, is_token: Tensor) -> Tensor:
    """Return (batch, query, key), True where both masks allow it."""
    return causal & is_token[:, None, :]


def _combine_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(1, 7, (3,), generator=generator).tolist() + [5]
    return [
        Case((_ones(3).tril(), torch.tensor([[True, True, False], [True, False, False]]))),
        Case((_ones(7).tril(), _padding_shifted(drawn, 7)[:, 0])),
        Case((_ones(4).tril(), _padding_shifted([4, 1, 2], 4, side="left")[:, 0]), note="padded on the left"),
        Case((_ones(5).tril(-1) | torch.eye(5, dtype=torch.bool), _padding_shifted([3, 4], 5)[:, 0])),
    ]


# 04.4 masked softmax ----------------------------------------------------------------------------------------------


def masked_softmax(scores: Tensor, may_attend: Tensor) -> Tensor:
    """Return weights of the shape of scores; a row that may look at nothing holds zeros."""
    return attention.masked_softmax(scores, may_attend)


def _softmax_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    a, b, c, d = (2 * torch.randn(*shape, generator=generator) for shape in ((2, 3), (3, 5), (2, 3, 5), (2, 4)))
    d[0, 1] = 1000.0
    return [
        Case((a, torch.tensor([[True, True, False], [False, True, True]])), note="every row may look somewhere"),
        Case((b, torch.tensor([[1, 0, 1, 1, 0], [0] * 5, [1] * 5]).bool()), note="row 1 may look at nothing"),
        Case((c, torch.tensor([[[1, 1, 1, 0, 0]], [[0, 0, 0, 0, 0]]]).bool()), note="the second text is empty"),
        Case((d, torch.tensor([[1, 0, 1, 1], [1, 1, 0, 1]]).bool()), note="a very large score is hidden"),
    ]


def _nan_softmax(scores, may_attend, dim=-1):
    return torch.softmax(scores.masked_fill(~may_attend, -math.inf), dim=dim)


def _finite_softmax(scores, may_attend):
    return torch.softmax(scores.masked_fill(~may_attend, -1e9), dim=-1)


def _sees_nothing(scores, may_attend):
    return ~may_attend.expand(scores.shape).any(dim=-1, keepdim=True)


def _softmax_along_queries(scores, may_attend):
    return torch.nan_to_num(_nan_softmax(scores, may_attend, dim=-2))


def _masked_afterwards(scores, may_attend):
    return torch.softmax(scores, dim=-1) * may_attend


def _renormalised(scores, may_attend):
    weights = _masked_afterwards(scores, may_attend)
    return weights / (weights.sum(dim=-1, keepdim=True) + 1e-9)


def _renormalised_nan(scores, may_attend):
    weights = _masked_afterwards(scores, may_attend)
    return weights / weights.sum(dim=-1, keepdim=True)


def _exp_of_large(scores, may_attend):
    numerators = scores.exp() * may_attend
    return numerators / numerators.sum(dim=-1, keepdim=True).clamp(min=1e-9)


def _emptied_if_any(scores, may_attend):
    if _sees_nothing(scores, may_attend).any():
        return torch.zeros_like(scores)
    return _nan_softmax(scores, may_attend)


def _emptied_unless_all(scores, may_attend):
    return _nan_softmax(scores, may_attend).masked_fill(~may_attend.all(dim=-1, keepdim=True), 0.0)


def _opened(scores, may_attend):
    return _nan_softmax(scores, may_attend | _sees_nothing(scores, may_attend))


# 04.5 find the bug ------------------------------------------------------------------------------------------------


def weights_over_tokens(scores: Tensor, is_token: Tensor) -> Tensor:
    """Return weights (batch, query, key) in which every query looks at real tokens only."""
    return torch.softmax(scores.masked_fill(~is_token[:, None, :], -math.inf), dim=-1)


def _bug_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    scores = [torch.randn(n_texts, n, n, generator=generator) for n_texts, n in ((2, 3), (3, 5), (1, 4))]
    is_token = [_padding_shifted(lengths, n)[:, 0] for lengths, n in (([3, 2], 3), ([2, 5, 4], 5), ([1], 4))]
    return [Case(pair) for pair in zip(scores, is_token, strict=True)]


def _on_query_axis(scores, is_token, fill=-math.inf, dim=-1):
    return torch.softmax(scores.masked_fill(~is_token[:, :, None], fill), dim=dim)


def _on_both_axes(scores, is_token):
    return _nan_softmax(scores, is_token[:, :, None] & is_token[:, None, :])


EXERCISES = (
    Exercise(
        id="04.1", title="padding mask", points=2, minutes=5, difficulty=2, importance=5,
        answer="function", name="padding_mask", returns="a boolean tensor (batch, 1, n_key), True = may look",
        reference=padding_mask, cases=_padding_cases,
        forbidden=("course.attention.padding_mask", "course.attention.cross_mask", "torch.nn.utils.rnn.pad_sequence"),
        hints=(
            Hint("inverted", lambda lengths, n_key: ~_padding_shifted(lengths, n_key),
                 "True means may look. Which places may be looked at: the tokens or the padding?"),
            Hint("one too many", lambda lengths, n_key: _padding_shifted(lengths, n_key, 1),
                 "Positions count from 0. Which is the last position of a text with 3 tokens, and what does your "
                 "comparison say there?"),
            Hint("one too few", lambda lengths, n_key: _padding_shifted(lengths, n_key, -1),
                 "A text with 3 tokens should have three places open. How many does yours have?"),
            Hint("wrong side", lambda lengths, n_key: _padding_shifted(lengths, n_key, side="left"),
                 "Here the tokens stand first and the padding follows. At which end does your mask put the padding?"),
            Hint("no query axis", lambda lengths, n_key: _padding_shifted(lengths, n_key)[:, 0],
                 "The values are right. Where is the axis that stretches over the queries? `unsqueeze` or "
                 "indexing with None adds one."),
            Hint("query axis last", lambda lengths, n_key: _padding_shifted(lengths, n_key).transpose(-2, -1),
                 "The last axis is the key, the one that is looked at. On which axis does your padding lie?"),
            Hint("whole numbers", lambda lengths, n_key: _padding_shifted(lengths, n_key).long(),
                 "1 and 0 are what the tokenizer gives. How does a tensor of 1s and 0s become one of True and False?"),
            Hint("decimal numbers", lambda lengths, n_key: _padding_shifted(lengths, n_key).float(),
                 "A mask is a table of yes and no. Which kind of tensor does a comparison such as `<` give?"),
        ),
    ),
    Exercise(
        id="04.2", title="causal mask", points=2, minutes=4, difficulty=1, importance=5,
        answer="function", name="causal_mask", returns="a boolean tensor (n_positions, n_positions), True = may look",
        reference=causal_mask, cases=_causal_cases,
        forbidden=(
            "course.attention.causal_mask", "torch.nn.Transformer.generate_square_subsequent_mask",
            "torch.nn.attention.bias.causal_lower_right", "torch.nn.attention.bias.causal_upper_left",
        ),
        hints=(
            Hint("upper triangle", lambda n: _ones(n).triu(),
                 "Rows are the ones who look. In your mask the first position may look at everything. Which "
                 "triangle holds the past?"),
            Hint("inverted", lambda n: _ones(n).triu(1),
                 "You have marked the future, which is what is to be hidden. What does True mean here?"),
            Hint("hides itself", lambda n: _ones(n).tril(-1),
                 "What may the first position look at? Is each position among those that it may look at itself?"),
            Hint("sees the next", lambda n: _ones(n).tril(1),
                 "Your mask lets each position see the one right after it. Where should the diagonal that ends "
                 "the triangle lie?"),
            Hint("whole numbers", lambda n: _ones(n).tril().long(),
                 "The triangle is right. How do its 1s and 0s become True and False?"),
            Hint("decimal numbers", lambda n: _ones(n).tril().float(),
                 "The triangle is right. torch.ones makes numbers with a decimal point: how do they become True "
                 "and False?"),
            Hint("scores", _additive,
                 "0 and −∞ are what is added to the scores later. Here the answer is a table of True and False."),
        ),
    ),
    Exercise(
        id="04.3", title="combine masks", points=2, minutes=5, difficulty=2, importance=4,
        answer="function", name="combine_masks", returns="a boolean tensor (batch, query, key), True = may look",
        reference=combine_masks, cases=_combine_cases,
        forbidden=("course.attention.combine_masks", "course.attention.padding_mask", "course.attention.cross_mask"),
        hints=(
            Hint("or", lambda causal, is_token: causal | is_token[:, None, :],
                 "With yours, one yes is enough. When two rules both hold, how many of them must allow a look?"),
            Hint("added, whole numbers", lambda causal, is_token: causal.long() + is_token.long()[:, None, :],
                 "1 + 1 = 2: sums of masks are counts, not masks. Which operation on True and False asks for both?"),
            Hint("added, decimal numbers", lambda causal, is_token: causal.float() + is_token.float()[:, None, :],
                 "1 + 1 = 2: sums of masks are counts, not masks. Which operation on True and False asks for both?"),
            Hint("multiplied", lambda causal, is_token: causal.long() * is_token.long()[:, None, :],
                 "Multiplying asks for both, as it should. What kind of tensor has come out of it, and which was "
                 "asked for?"),
            Hint("query axis", lambda causal, is_token: causal & is_token[:, :, None],
                 "You hide whole rows, the padding as the one that looks. Which axis is the one that is looked at?"),
            Hint("both axes", lambda causal, is_token: causal & is_token[:, None, :] & is_token[:, :, None],
                 "You close the rows of the padding, too. Nobody reads those rows; which axis alone needs the "
                 "padding mask?"),
            Hint("only padding", lambda causal, is_token: is_token[:, None, :].expand(-1, len(causal), -1),
                 "Can a word still see the future in your mask? One of the two masks has not arrived."),
            Hint("only causal", lambda causal, is_token: causal.expand(len(is_token), -1, -1),
                 "Can a word still see the padding in your mask? One of the two masks has not arrived."),
            Hint("exactly one", lambda causal, is_token: causal ^ is_token[:, None, :],
                 "Yours says yes where exactly one of the masks does. What should hold where both say yes?"),
            Hint("no new axis", lambda causal, is_token: causal & is_token,
                 "Shapes are matched from the right: (query, key) meets (batch, position). Where does is_token "
                 "need an axis for the queries?"),
        ),
    ),
    Exercise(
        id="04.4", title="masked softmax", points=2, minutes=8, difficulty=3, importance=5,
        answer="function", name="masked_softmax",
        returns="a tensor of the shape of scores, each row summing to 1 or holding zeros",
        reference=masked_softmax, cases=_softmax_cases,
        forbidden=WHOLE_ATTENTION,
        hints=(
            Hint("after the softmax", _masked_afterwards,
                 "Do your rows still sum to 1? What was taken from the hidden keys should go to the others: mask "
                 "before, not after."),
            Hint("inverted", lambda scores, may_attend: _nan_softmax(scores, ~may_attend),
                 "In may_attend, True means may look. Which scores should get −∞: those with True, or those with "
                 "False?"),
            Hint("inverted, safe", lambda scores, may_attend: torch.nan_to_num(_nan_softmax(scores, ~may_attend)),
                 "In may_attend, True means may look. Which scores should get −∞: those with True, or those with "
                 "False?"),
            Hint("scores times mask", lambda scores, may_attend: torch.softmax(scores * may_attend, dim=-1),
                 "A score of 0 is a middling score, and exp(0) = 1. Which score has an exponential of 0?"),
            Hint("fully masked row is NaN", _nan_softmax,
                 "Nearly: what happens in a row in which every score is −∞? What do 0/0 and then your result become?"),
            Hint("fully masked row is uniform", _finite_softmax,
                 "Look at the row that may look at nothing: it looks evenly at everything. When all scores are "
                 "equal, what is their softmax?"),
            Hint("along the queries", lambda scores, may_attend: _nan_softmax(scores, may_attend, dim=-2),
                 "Along which axis do your weights sum to 1? Each query divides its attention among the keys."),
            Hint("along the queries, safe", _softmax_along_queries,
                 "Along which axis do your weights sum to 1? Each query divides its attention among the keys."),
            Hint("one empty row empties all", _emptied_if_any,
                 "One row that may look at nothing has emptied the others as well. Ask the question for each row: "
                 "any with dim and keepdim."),
            Hint("all instead of any", _emptied_unless_all,
                 "You empty every row in which something is hidden. Which rows may look at nothing: those without "
                 "all, or those without any?"),
            Hint("empty row left open", _opened,
                 "A row that may look at nothing now looks at everything. Opening it avoids 0/0; what has to "
                 "follow the softmax?"),
            Hint("renormalised afterwards", _renormalised,
                 "Dividing by the sum repairs rows that kept some weight. What is left of a row whose hidden "
                 "score was enormous? Mask before."),
            Hint("renormalised, 0/0", _renormalised_nan,
                 "Dividing by the sum repairs rows that kept some weight. What if the sum is 0? Mask the scores "
                 "before the softmax."),
            Hint("exponential too large", _exp_of_large,
                 "exp(1000) is ∞, and ∞ · 0 is NaN. Can the mask do its work before the exponential?"),
        ),
    ),
    Exercise(
        id="04.5", title="find the bug", points=2, minutes=6, difficulty=3, importance=4,
        answer="function", name="weights_over_tokens", returns="a tensor (batch, query, key), no weight on padding",
        reference=weights_over_tokens, cases=_bug_cases,
        forbidden=WHOLE_ATTENTION,
        hints=(
            Hint("as it was", _on_query_axis,
                 "This is still the broken one. In scores (batch, query, key), which axis does is_token[:, :, "
                 "None] lie along?"),
            Hint("NaN made 0", lambda scores, is_token: _on_query_axis(scores, is_token).nan_to_num(),
                 "The NaN are out of sight, and the cause is still there: how much weight do the words give to "
                 "the padding?"),
            Hint("large number", lambda scores, is_token: _on_query_axis(scores, is_token, fill=-1e9),
                 "A finite number turns NaN into an even look at everything. It still hides the ones who look, "
                 "not what is looked at."),
            Hint("both axes", _on_both_axes,
                 "The words' rows are right now. The padding's rows are NaN because they may look at nothing: do "
                 "they need a mask?"),
            Hint("both axes, NaN made 0", lambda scores, is_token: _on_both_axes(scores, is_token).nan_to_num(),
                 "The words' rows are right. The padding's rows should be ordinary rows that sum to 1: which axis "
                 "is masked for nothing?"),
            Hint("softmax along the queries", lambda scores, is_token: _on_query_axis(scores, is_token, dim=-2),
                 "Turning the softmax round makes the columns sum to 1. Each query divides its attention: leave "
                 "dim=-1, turn the mask."),
            Hint("both turned", lambda scores, is_token: _nan_softmax(scores, is_token[:, None, :], dim=-2),
                 "The mask lies right now. Along which axis should the weights sum to 1?"),
            Hint("inverted", lambda scores, is_token: _nan_softmax(scores, ~is_token[:, None, :]),
                 "The axis is right now. Which places does masked_fill overwrite: those with True or those with "
                 "False?"),
            Hint("after the softmax", lambda scores, is_token: torch.softmax(scores, dim=-1) * is_token[:, None, :],
                 "The axis is right now. Do your rows still sum to 1? Mask the scores, not the weights."),
            Hint("no new axis", lambda scores, is_token: _nan_softmax(scores, is_token),
                 "Shapes are matched from the right: (query, key) meets (batch, position). Where does is_token "
                 "need an axis for the queries?"),
        ),
    ),
)  # fmt: skip
