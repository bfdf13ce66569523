"""Weights: softmax over the scores, and the mixture of values that the weights make."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from course.attention.arguments import require_floating, require_mask
from course.attention.scores import additive_scores, dot_product_scores, scaled_dot_product_scores


class Attended(NamedTuple):
    """What attention gives: the mixtures, and the weights that made them."""

    output: Tensor
    weights: Tensor


def softmax(scores: Tensor, dim: int = -1, temperature: float = 1.0) -> Tensor:
    """Turn scores into weights that are positive and sum to 1 along ``dim``.

    Computes exp(s_i / T) / Σ_j exp(s_j / T). The largest score is subtracted first: that changes nothing in the
    result, as numerator and denominator shrink by the same factor, and keeps exp from overflowing. A score of −∞
    gets the weight 0; a row of nothing but −∞ has no answer (0/0) and becomes NaN, as in torch.

    Args:
        scores: floating point, any shape.
        dim: the axis along which the weights sum to 1.
        temperature: above 1 flattens the weights, below 1 sharpens them.

    Returns:
        weights: same shape and dtype as ``scores``, dimensionless.

    Raises:
        TypeError: ``scores`` is not floating point.
        ValueError: ``temperature`` is not a positive number.

    Example:
        >>> softmax(torch.tensor([0.0, 0.0, math.log(2.0)]))
        tensor([0.2500, 0.2500, 0.5000])
        >>> softmax(torch.tensor([1000.0, 1000.0]))          # no overflow
        tensor([0.5000, 0.5000])
    """
    require_floating(scores, "scores")
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature must be a positive number, got {temperature}.")
    scaled = scores if temperature == 1 else scores / temperature  # a pass over all scores less
    shifted = scaled - scaled.amax(dim=dim, keepdim=True)
    numerators = shifted.exp_()  # in place: fresh memory for n x n numbers costs more than the exponentials
    return numerators / numerators.sum(dim=dim, keepdim=True)


def masked_softmax(scores: Tensor, may_attend: Tensor) -> Tensor:
    """Take the softmax over the allowed keys only; a row that may see nothing gets zeros.

    Where ``may_attend`` is False the score is replaced by −∞ *before* the softmax, so its weight is exactly 0 and
    the others still sum to 1. A fully masked row would be 0/0; here it is all zeros, as in torch's fused kernel.

    Args:
        scores: (..., n_query, n_key), floating point.
        may_attend: boolean, broadcastable to ``scores``; True where the query may look at the key.

    Returns:
        weights: (..., n_query, n_key); each row sums to 1, or to 0 if it may see nothing.

    Raises:
        TypeError: ``may_attend`` is not boolean, or ``scores`` not floating point.
        ValueError: ``may_attend`` cannot be broadcast to the shape of ``scores``.

    Example:
        >>> masked_softmax(torch.zeros(2, 3), torch.tensor([[True, True, False], [False, False, False]]))
        tensor([[0.5000, 0.5000, 0.0000],
                [0.0000, 0.0000, 0.0000]])
    """
    require_floating(scores, "scores")
    require_mask(may_attend, scores.shape)
    masked = scores.masked_fill(~may_attend, -math.inf)
    sees_nothing = ~may_attend.expand(scores.shape).any(dim=-1, keepdim=True)
    return softmax(masked.masked_fill(sees_nothing, 0.0)).masked_fill(sees_nothing, 0.0)


def attend(scores: Tensor, value: Tensor, may_attend: Tensor | None = None) -> Attended:
    """Turn scores into weights and average the values by them: the second half that all kinds of attention share.

    Args:
        scores: (..., n_query, n_key), floating point.
        value: (..., n_key, d_value).
        may_attend: boolean, broadcastable to ``scores``; True where the query may see the key. None allows everything.

    Returns:
        output: (..., n_query, d_value), in the units of ``value``.
        weights: (..., n_query, n_key), each row summing to 1.

    Raises:
        TypeError: ``may_attend`` is not boolean.
        ValueError: shapes do not fit, or some query may attend to no key at all (its softmax would be 0/0).

    Example:
        >>> attend(torch.zeros(1, 2), torch.tensor([[1.0], [3.0]])).output
        tensor([[2.]])
    """
    if scores.shape[-1] != value.shape[-2]:
        raise ValueError(
            f"scores and value must agree in n_key, got scores {tuple(scores.shape)} and value {tuple(value.shape)}."
        )
    if may_attend is None:
        weights = softmax(scores)
    else:
        require_mask(may_attend, scores.shape)
        if not bool(may_attend.any(dim=-1).all()):
            raise ValueError(
                "some query may attend to no key at all, so its weights would be 0/0. Let every row of may_attend "
                "hold at least one True, or use masked_softmax, which gives such rows zeros."
            )
        weights = masked_softmax(scores, may_attend)
    return Attended(weights @ value, weights)


def dot_product_attention(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None) -> Attended:
    """Average the values, weighting each by softmax(Q Kᵀ), with no scaling.

    Args, results and errors as in :func:`scaled_dot_product_attention`.

    Example:
        >>> dot_product_attention(torch.zeros(1, 2), torch.eye(2), torch.tensor([[1.0], [3.0]])).weights
        tensor([[0.5000, 0.5000]])

    Source: Luong et al. (2015), §3.1.
    """
    return attend(dot_product_scores(query, key), value, may_attend)


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor | None = None
) -> Attended:
    """Average the values, weighting each by how well its key matches the query.

    Computes softmax(Q Kᵀ / √d_head) V. If the entries of Q and K are independent with zero mean and unit variance,
    dividing by √d_head keeps the scores at unit variance, so the softmax stays responsive however wide the head is.

    Args:
        query: (..., n_query, d_head), floating point. The leading axes are usually (batch, head).
        key: (..., n_key, d_head).
        value: (..., n_key, d_value).
        may_attend: boolean, broadcastable to (..., n_query, n_key); True where the query is allowed to see the key.
            None allows everything.

    Returns:
        output: (..., n_query, d_value), in the units of ``value``.
        weights: (..., n_query, n_key), dimensionless, each row summing to 1.

    Raises:
        TypeError: ``may_attend`` is not boolean.
        ValueError: ``query`` and ``key`` differ in d_head, ``key`` and ``value`` differ in n_key, or some query may
            attend to no key at all.

    Example:
        >>> q, k = torch.zeros(1, 2), torch.eye(2)        # every score is 0
        >>> v = torch.tensor([[1.0], [3.0]])
        >>> scaled_dot_product_attention(q, k, v).output  # so: the plain mean
        tensor([[2.]])

    Source: Vaswani et al. (2017), eq. (1), §3.2.1.
    """
    return attend(scaled_dot_product_scores(query, key), value, may_attend)


def additive_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    W_query: Tensor,
    W_key: Tensor,
    v: Tensor,
    may_attend: Tensor | None = None,
) -> Attended:
    """Average the values, weighting each by softmax(vᵀ tanh(W_query q + W_key k)).

    Args as in :func:`additive_scores` and :func:`scaled_dot_product_attention`; results and errors as in the latter.

    Example:
        >>> zeros = torch.zeros
        >>> value = torch.tensor([[1.0], [3.0]])
        >>> additive_attention(zeros(1, 3), zeros(2, 4), value, zeros(5, 3), zeros(5, 4), zeros(5)).output
        tensor([[2.]])

    Source: Bahdanau et al. (2015), §3.1.
    """
    return attend(additive_scores(query, key, W_query, W_key, v), value, may_attend)
