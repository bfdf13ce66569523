"""Exercises of lesson 03: a stable softmax, temperature, additive and scaled scores, and how softmax saturates."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course import attention
from course.checks.exercise import Case, Exercise, Hint

WHOLE_SOFTMAX = (
    "course.attention.softmax",
    "course.attention.masked_softmax",
    "torch.softmax",
    "torch.Tensor.softmax",
    "torch.special.softmax",
    "torch.nn.functional.softmax",
    "torch.nn.functional.softmin",
    "torch.nn.functional.gumbel_softmax",
    "torch.nn.Softmax",
    "torch.log_softmax",
    "torch.Tensor.log_softmax",
    "torch.special.log_softmax",
    "torch.nn.functional.log_softmax",
    "torch.logsumexp",
    "torch.Tensor.logsumexp",
    "torch.special.logsumexp",
)

# 03.1 stable softmax ----------------------------------------------------------------------------------------------


def stable_softmax(scores: Tensor, dim: int) -> Tensor:
    """Return weights of the shape of scores that sum to 1 along dim."""
    return attention.softmax(scores, dim=dim)


def _stable_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    a, b, c, d, e = (torch.randn(*s, generator=generator) for s in ((2, 3), (3, 5), (2, 3, 5), (2, 4), (3, 2)))
    d = d + torch.tensor([[1000.0, 0.0, 0.0, 0.0], [-1000.0, -1000.0, -1000.0, -1000.0]])
    e = e + torch.tensor([[100.0, -500.0], [0.0, -500.0], [0.0, -500.0]])
    return [
        Case((a, 1), note="along the rows"),
        Case((b, 0), note="down the columns"),
        Case((c, 1), note="along the middle axis"),
        Case((d, -1), note="scores around 1000 and −1000"),
        Case((e, 0), note="columns around 100 and −500"),
    ]


def _naive(scores, dim):
    numerators = scores.exp()
    return numerators / numerators.sum(dim=dim, keepdim=True)


def _mean_subtracted(scores, dim):
    return _naive(scores - scores.mean(dim=dim, keepdim=True), dim)


def _summed_along_the_last(scores, dim):
    numerators = (scores - scores.amax(dim=dim, keepdim=True)).exp()
    return numerators / numerators.sum(dim=-1, keepdim=True)


def _without_keepdim(scores, dim):
    numerators = (scores - scores.amax(dim=dim)).exp()
    return numerators / numerators.sum(dim=dim)


# 03.2 temperature -------------------------------------------------------------------------------------------------


def tempered_softmax(scores: Tensor, temperature: float) -> Tensor:
    """Return weights (..., key); at temperature 0 the largest score has it all, or the largest share it."""
    if temperature == 0:
        return _winners(scores) / _winners(scores).sum(dim=-1, keepdim=True)
    return torch.softmax(scores / temperature, dim=-1)


def _winners(scores):
    return (scores == scores.amax(dim=-1, keepdim=True)).to(scores.dtype)


def _tempered_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    a, b, c, d = (torch.randn(*s, generator=generator) for s in ((3,), (2, 5), (2, 3, 4), (3, 2)))
    tied = torch.tensor([[2.0, -1.0, 2.0, 0.5], [-3.0, -1.0, -2.0, -4.0]])
    return [
        Case((a, 0.5), note="colder"),
        Case((b, 3.0), note="hotter"),
        Case((c, 1.0), note="a temperature of 1 changes nothing"),
        Case((d + torch.tensor([2.0, 0.0]), 0.002), note="very cold"),
        Case((tied, 0.0), note="as cold as can be; in row 0 two scores share the first place"),
    ]


def _with_zero(at_zero, above=lambda s, t: torch.softmax(s / t, dim=-1)):
    """Make a function of scores and temperature of what it does at 0 and what it does above."""
    return lambda scores, temperature: at_zero(scores) if temperature == 0 else above(scores, temperature)


def _first_winner(scores):
    return torch.nn.functional.one_hot(scores.argmax(dim=-1), scores.shape[-1]).to(scores.dtype)


def _shared(scores):
    return tempered_softmax(scores, 0.0)


# 03.3 additive score ----------------------------------------------------------------------------------------------


def additive_scores(query: Tensor, key: Tensor, W_query: Tensor, W_key: Tensor, v: Tensor) -> Tensor:
    """Return (n_query, n_key): v · tanh(W_query q + W_key k) for every pair."""
    return attention.additive_scores(query, key, W_query, W_key, v)


def _additive_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)

    def case(n_query, n_key, d_query, d_key, d_attention, note=""):
        shapes = ((n_query, d_query), (n_key, d_key), (d_attention, d_query), (d_attention, d_key), (d_attention,))
        return Case(tuple(torch.randn(*shape, generator=generator) for shape in shapes), note=note)

    return [
        case(2, 3, 5, 4, 7, note="2 queries of width 5, 3 keys of width 4, 7 numbers inside"),
        case(1, 2, 3, 5, 2, note="a single query"),
        case(4, 2, 3, 3, 3, note="all widths are 3"),
    ]


def _mapped(query, key, W_query, W_key):
    return (query @ W_query.T)[:, None, :], (key @ W_key.T)[None, :, :]


def _summed(query, key, W_query, W_key):
    a, b = _mapped(query, key, W_query, W_key)
    return a + b


def _multiplied(query, key, W_query, W_key, v):
    a, b = _mapped(query, key, W_query, W_key)
    return torch.tanh(a * b) @ v


def _tanh_apart(query, key, W_query, W_key, v):
    a, b = _mapped(query, key, W_query, W_key)
    return (a.tanh() + b.tanh()) @ v


# 03.4 scaled scores -----------------------------------------------------------------------------------------------


def scaled_scores(query: Tensor, key: Tensor) -> Tensor:
    """Return (head, n_query, n_key): dot products divided by √d_head."""
    return attention.scaled_dot_product_scores(query, key)


def _scaled_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)

    def case(n_heads, n_query, n_key, d_head):
        note = f"{n_heads} heads, {n_query} queries, {n_key} keys, d_head {d_head}, d_model {n_heads * d_head}"
        shapes = ((n_heads, n_query, d_head), (n_heads, n_key, d_head))
        return Case(tuple(torch.randn(*shape, generator=generator) for shape in shapes), note=note)

    return [case(3, 2, 5, 7), case(2, 5, 3, 16), case(5, 4, 2, 3)]


def _divided(by):
    """Make a function of query and key that divides the dot products by a number."""
    return lambda query, key: query @ key.transpose(-2, -1) / by(query, key)


def _unit(vectors):
    return torch.nn.functional.normalize(vectors, dim=-1)


# 03.5 softmax's Jacobian ------------------------------------------------------------------------------------------


def softmax_jacobian(scores: Tensor) -> Tensor:
    """Return (..., weight, score): diag(w) − w wᵀ for each row of scores."""
    weights = torch.softmax(scores, dim=-1)
    return torch.diag_embed(weights) - _outer(weights)


def _outer(x):
    return x[..., :, None] * x[..., None, :]


def _jacobian_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    a, b, c, d = (torch.randn(*s, generator=generator) for s in ((3,), (2, 4), (2, 3, 5), (2, 3)))
    return [
        Case((a,), note="one row"),
        Case((b,), note="two rows"),
        Case((c,), note="a batch of 2 with 3 rows each"),
        Case((d + torch.tensor([200.0, 0.0, 0.0]),), note="saturated: the first score is far ahead"),
    ]


def _of_weights(formula):
    """Make a function of the scores of a formula for the weights."""
    return lambda scores: formula(torch.softmax(scores, dim=-1))


def _one_row_only(scores):
    weights = torch.softmax(scores, dim=-1)
    return torch.diag(weights) - torch.outer(weights, weights)


def _jacobian_of_naive(scores):
    weights = _naive(scores, -1)
    return torch.diag_embed(weights) - _outer(weights)


def _jacobian_along_first(scores):
    weights = torch.softmax(scores, dim=0)
    return torch.diag_embed(weights) - _outer(weights)


EXERCISES = (
    Exercise(
        id="03.1", title="stable softmax", points=2, minutes=6, difficulty=2, importance=5,
        answer="function", name="stable_softmax", returns="a tensor of the shape of scores, summing to 1 along dim",
        reference=stable_softmax, cases=_stable_cases,
        forbidden=WHOLE_SOFTMAX,
        hints=(
            Hint("not stable", _naive,
                 "Right for small scores. What is exp(1000) on a computer, and what may be subtracted from a row "
                 "without changing its weights?"),
            Hint("one maximum for all", lambda scores, dim: _naive(scores - scores.max(), dim),
                 "You subtract the same number everywhere. What is left of a row whose scores all lie far below it? "
                 "Each row needs a maximum of its own."),
            Hint("mean subtracted", _mean_subtracted,
                 "Subtracting the mean changes no weight either, but the largest score may still lie far above it. "
                 "Which number makes the largest exponent 0?"),
            Hint("always the last axis", lambda scores, dim: torch.softmax(scores, dim=-1),
                 "Yours always runs along the last axis. Have both the maximum and the sum been told about dim?"),
            Hint("always the first axis", lambda scores, dim: torch.softmax(scores, dim=0),
                 "Yours always runs along the first axis. Have both the maximum and the sum been told about dim?"),
            Hint("sum along the last axis", _summed_along_the_last,
                 "Your maximum runs along dim. Does your sum do so, too?"),
            Hint("one sum for all", lambda scores, dim: scores.exp() / scores.exp().sum(),
                 "All your weights together sum to 1. Along which axis should each slice do so by itself?"),
            Hint("axis lost", _without_keepdim,
                 "A maximum or a sum along dim takes that axis away, and then the shapes no longer fit. Which "
                 "argument of amax and sum leaves an axis of size 1?"),
            Hint("maximum is a pair", lambda scores, dim: scores - scores.max(dim=dim, keepdim=True),
                 "With dim, max gives two things: the values and where they stand. Take its .values, or use amax."),
            Hint("not divided", lambda scores, dim: (scores - scores.amax(dim=dim, keepdim=True)).exp(),
                 "The numerators are right. What makes shares of them, so that they sum to 1?"),
            Hint("logarithm", lambda scores, dim: torch.log_softmax(scores, dim=dim),
                 "These are the logarithms of the weights. Weights are positive and sum to 1."),
        ),
    ),
    Exercise(
        id="03.2", title="temperature", points=2, minutes=6, difficulty=2, importance=4,
        answer="function", name="tempered_softmax", returns="weights of the shape of scores, each row summing to 1",
        reference=tempered_softmax, cases=_tempered_cases,
        forbidden=("course.attention.softmax", "torch.nn.functional.gumbel_softmax"),
        hints=(
            Hint("multiplied", lambda scores, t: torch.softmax(scores * t, dim=-1),
                 "With yours a high temperature sharpens. Which operation makes the differences smaller as the "
                 "temperature rises?"),
            Hint("divided afterwards", lambda scores, t: torch.softmax(scores, dim=-1) / t,
                 "Do your weights still sum to 1? The temperature acts on the scores, before the softmax."),
            Hint("without effect", lambda scores, t: torch.softmax(scores, dim=-1),
                 "Yours gives the same weights at every temperature. What is divided both above and below the "
                 "fraction bar cancels out: does the temperature act before exp?"),
            Hint("square root", lambda scores, t: torch.softmax(scores / math.sqrt(t), dim=-1) if t else scores / t,
                 "Your effect is too weak. The root belongs to the width d; the temperature itself divides the "
                 "scores."),
            Hint("zero divides", lambda scores, t: torch.softmax(scores / t, dim=-1),
                 "Right for every temperature above 0. At 0 it divides by 0. What do the weights come to as the "
                 "temperature falls: who has how much?"),
            Hint("zero, the first only", _with_zero(_first_winner),
                 "Nearly: where two scores are equally the largest, why should the first have it all? At a very low "
                 "temperature, what do equal scores get?"),
            Hint("zero, not shared", _with_zero(_winners),
                 "At temperature 0, where two scores share the first place, your row sums to 2. What is still to be "
                 "divided?"),
            Hint("zero, uniform", _with_zero(lambda s: torch.full_like(s, 1 / s.shape[-1])),
                 "All alike is what a very high temperature gives. Which end of the scale is 0?"),
            Hint("zero, plain", _with_zero(lambda s: torch.softmax(s, dim=-1)),
                 "At temperature 0 yours gives the weights of temperature 1. What do the weights come to as the "
                 "temperature falls towards 0?"),
            Hint("one maximum for all", _with_zero(_shared, lambda s, t: _naive((s - s.max()) / t, -1)),
                 "A row whose scores lie below those of another row is lost. If you use your stable_softmax here: does "
                 "its own check pass?"),
            Hint("overflow when cold", _with_zero(_shared, lambda s, t: _naive(s / t, -1)),
                 "Dividing by a small number makes large scores, and exp overflows. How did the first exercise "
                 "avoid that?"),
        ),
    ),
    Exercise(
        id="03.3", title="additive score", points=2, minutes=8, difficulty=3, importance=3,
        answer="function", name="additive_scores", returns="a tensor (n_query, n_key), one score a pair",
        reference=additive_scores, cases=_additive_cases,
        forbidden=("course.attention.additive_scores", "course.attention.additive_attention"),
        hints=(
            Hint("tanh last", lambda q, k, W_q, W_k, v: torch.tanh(_summed(q, k, W_q, W_k) @ v),
                 "All your scores lie between −1 and 1. What comes first: the tanh, or the weighing by v?"),
            Hint("no tanh", lambda q, k, W_q, W_k, v: _summed(q, k, W_q, W_k) @ v,
                 "Without the tanh this is a sum of one part from the query and one from the key. Where does the "
                 "tanh stand in the formula?"),
            Hint("tanh apart", _tanh_apart,
                 "The tanh of a sum is not the sum of two tanh. What has to be added before it?"),
            Hint("multiplied", _multiplied,
                 "The score is called additive. How do the mapped query and the mapped key come together?"),
            Hint("sigmoid", lambda q, k, W_q, W_k, v: torch.sigmoid(_summed(q, k, W_q, W_k)) @ v,
                 "The sigmoid presses numbers between 0 and 1. Which function presses them between −1 and 1?"),
            Hint("v inside", lambda q, k, W_q, W_k, v: torch.tanh(_summed(q, k, W_q, W_k) * v).sum(dim=-1),
                 "What does v weigh: the numbers that go into the tanh, or those that come out of it?"),
            Hint("v left out", lambda q, k, W_q, W_k, v: torch.tanh(_summed(q, k, W_q, W_k)).sum(dim=-1),
                 "Yours adds up the d_attention numbers evenly. Which vector says how much each of them counts?"),
            Hint("keys in rows", lambda q, k, W_q, W_k, v: (torch.tanh(_summed(q, k, W_q, W_k)) @ v).T,
                 "The numbers are right, and the table is turned. Which of the two belongs in the rows?"),
            Hint("softmax too", lambda *a: torch.softmax(attention.additive_scores(*a), dim=-1),
                 "These are weights already. The task asks for the scores, before any softmax."),
            Hint("scaled", lambda *a: attention.additive_scores(*a) / math.sqrt(len(a[-1])),
                 "The root belongs to the dot product. What keeps the additive score from growing without limit?"),
            Hint("only matching pairs", lambda q, k, W_q, W_k, v: torch.tanh(q @ W_q.T + k @ W_k.T) @ v,
                 "Every query meets every key, so there are n_query times n_key sums. Which axis of size 1 does the "
                 "mapped query need, and which the mapped key?"),
            Hint("matrices not turned", lambda q, k, W_q, W_k, v: torch.tanh((q @ W_q)[:, None] + k @ W_k) @ v,
                 "W_query has the shape (d_attention, d_query), and the queries stand in rows. Which of the two has "
                 "to be turned for the inner sizes to meet?"),
        ),
    ),
    Exercise(
        id="03.4", title="keep the variance", points=2, minutes=5, difficulty=2, importance=5,
        answer="function", name="scaled_scores", returns="a tensor (head, n_query, n_key)",
        reference=scaled_scores, cases=_scaled_cases,
        forbidden=(
            "course.attention.scaled_dot_product_scores", "course.attention.scaled_dot_product_attention",
            "torch.nn.functional.scaled_dot_product_attention",
        ),
        hints=(
            Hint("not scaled", _divided(lambda q, k: 1.0),
                 "These are the plain dot products. What is their variance when the vectors are d numbers long?"),
            Hint("d_model", _divided(lambda q, k: math.sqrt(q.shape[0] * q.shape[-1])),
                 "You divide by the root of the whole model's width. How many products does one score of one head "
                 "add up?"),
            Hint("d for its root", _divided(lambda q, k: q.shape[-1]),
                 "Dividing by a number divides the variance by its square. Your scores have the variance 1/d."),
            Hint("√32 everywhere", _divided(lambda q, k: math.sqrt(32)),
                 "You divide by √32 whatever comes. That is right for the lesson's model: how long are the vectors "
                 "of this call?"),
            Hint("cosine", lambda q, k: _unit(q) @ _unit(k).transpose(-2, -1),
                 "These are cosines: each pair is divided by its own two lengths. Here one number serves all pairs, "
                 "and the width alone says which."),
            Hint("multiplied", _divided(lambda q, k: 1 / math.sqrt(q.shape[-1])),
                 "Your scores are larger than the plain dot products. In which direction should the variance go?"),
            Hint("number of keys", _divided(lambda q, k: math.sqrt(k.shape[-2])),
                 "You divide by the root of the number of keys. Does the variance of one score depend on how many "
                 "other keys there are?"),
            Hint("number of queries", _divided(lambda q, k: math.sqrt(q.shape[-2])),
                 "You divide by the root of the number of queries. Which axis is the one that a dot product adds "
                 "up?"),
            Hint("number of heads", _divided(lambda q, k: math.sqrt(q.shape[0])),
                 "You divide by the root of the number of heads. Which axis is the one that a dot product adds up?"),
            Hint("measured", lambda q, k: (q @ k.transpose(-2, -1)) / (q @ k.transpose(-2, -1)).std(),
                 "Dividing by the measured spread forces a variance of 1 on this batch, whatever a head has to say. "
                 "The divisor asked for depends on the width alone."),
            Hint("softmax too", lambda q, k: torch.softmax(attention.scaled_dot_product_scores(q, k), dim=-1),
                 "These are weights already. The task asks for the scores."),
            Hint("after the softmax", lambda q, k: attention.softmax(q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1]),
                 "Dividing after the softmax comes too late: it is saturated, and the rows no longer sum to 1. Here "
                 "the scores are asked for, and no softmax at all."),
            Hint("keys in rows", lambda q, k: attention.scaled_dot_product_scores(k, q),
                 "The numbers are right, and each table is turned. Which belongs in the rows: queries or keys?"),
            Hint("heads turned too", lambda q, k: q @ k.permute(2, 1, 0),
                 "With three axes, .T turns all of them, the heads too. Which two axes of the keys should change "
                 "places?"),
        ),
    ),
    Exercise(
        id="03.5", title="how weights answer", points=2, minutes=8, difficulty=4, importance=3,
        answer="function", name="softmax_jacobian", returns="a tensor (..., key, key), weight by score",
        reference=softmax_jacobian, cases=_jacobian_cases,
        forbidden=(
            "torch.autograd.functional.jacobian", "torch.autograd.grad", "torch.func.jacrev", "torch.func.jacfwd",
        ),
        hints=(
            Hint("diagonal only", _of_weights(lambda w: torch.diag_embed(w * (1 - w))),
                 "The diagonal is right. When one weight rises, what do the others do, given that the sum stays 1?"),
            Hint("own answers only", _of_weights(lambda w: w * (1 - w)),
                 "These are the entries of the diagonal. The whole table has an entry for each weight and each score."),
            Hint("outer product only", _of_weights(lambda w: -_outer(w)),
                 "The entries beside the diagonal are right. How does a weight answer to its own score?"),
            Hint("weights only", _of_weights(torch.diag_embed),
                 "That is the first half of the formula. Which product of weights is subtracted from it?"),
            Hint("ones on the diagonal", _of_weights(lambda w: torch.eye(w.shape[-1]) - _outer(w)),
                 "The entries beside the diagonal are right. Your first part has ones on its diagonal: which numbers "
                 "belong there?"),
            Hint("one number subtracted", _of_weights(lambda w: torch.diag_embed(w) - (w @ w if w.ndim == 1 else w @ w.T)),
                 "You subtract one number from the whole table, because a row times itself adds up. Which product "
                 "has an entry for each pair of keys?"),
            Hint("added", _of_weights(lambda w: torch.diag_embed(w) + _outer(w)),
                 "In your table every weight rises when one score does. Can all rise if they sum to 1?"),
            Hint("signs turned", _of_weights(lambda w: _outer(w) - torch.diag_embed(w)),
                 "In your table a weight falls when its own score rises. Which part is subtracted from which?"),
            Hint("not on the diagonal", _of_weights(lambda w: w[..., :, None] - _outer(w)),
                 "The first part stands in every column. It belongs on the diagonal alone: diag_embed puts it there."),
            Hint("scores for weights", lambda scores: torch.diag_embed(scores) - _outer(scores),
                 "The formula is right, and it is about the weights. What has to be done with the scores first?"),
            Hint("one row only", _one_row_only,
                 "Right for a single row. torch.diag and torch.outer know no leading axes; diag_embed and a product "
                 "of two differently stretched tensors do."),
            Hint("along the first axis", _jacobian_along_first,
                 "Right for a single row. With more rows, along which axis should the weights sum to 1?"),
            Hint("not stable", _jacobian_of_naive,
                 "Right until a score is large. Which softmax did you use: does it survive exp(200)?"),
        ),
    ),
)  # fmt: skip
