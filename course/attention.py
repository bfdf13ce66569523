"""The mathematics of attention: scores, softmax, masks, and their combination, each a few lines.

Every function takes tensors and returns tensors; leading axes such as ``(batch, head)`` are carried through untouched.
A mask is boolean and says what True means: in ``may_attend`` True is *may look*. The lessons build these functions in
the open; the tests compare each with torch in float32 and float64.

Sources: Vaswani et al. (2017), "Attention Is All You Need"; Bahdanau et al. (2015), "Neural Machine Translation by
Jointly Learning to Align and Translate"; Luong et al. (2015), "Effective Approaches to Attention-based NMT".
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Attended(NamedTuple):
    """What attention gives: the mixtures, and the weights that made them."""

    output: Tensor
    weights: Tensor


# ---------------------------------------------------------------------------------------------------------- softmax


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
    _require_floating(scores, "scores")
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature must be a positive number, got {temperature}.")
    scaled = scores / temperature
    shifted = scaled - scaled.amax(dim=dim, keepdim=True)
    numerators = shifted.exp()
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
    _require_floating(scores, "scores")
    _require_mask(may_attend, scores.shape)
    masked = scores.masked_fill(~may_attend, -math.inf)
    sees_nothing = ~may_attend.expand(scores.shape).any(dim=-1, keepdim=True)
    return softmax(masked.masked_fill(sees_nothing, 0.0)).masked_fill(sees_nothing, 0.0)


# ----------------------------------------------------------------------------------------------------------- scores


def dot_product_scores(query: Tensor, key: Tensor) -> Tensor:
    """Score each query against each key by their dot product: Q Kᵀ.

    Args:
        query: (..., n_query, d_head), floating point.
        key: (..., n_key, d_head).

    Returns:
        scores: (..., n_query, n_key).

    Raises:
        ValueError: ``query`` and ``key`` differ in d_head.

    Example:
        >>> dot_product_scores(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[11.,  2.]])

    Source: Luong et al. (2015), §3.1, "dot".
    """
    _require_same_width(query, key)
    return query @ key.transpose(-2, -1)


def scaled_dot_product_scores(query: Tensor, key: Tensor) -> Tensor:
    """Score each query against each key by Q Kᵀ / √d_head, whose variance does not grow with d_head.

    Args and errors as in :func:`dot_product_scores`.

    Returns:
        scores: (..., n_query, n_key).

    Example:
        >>> scaled_dot_product_scores(torch.ones(1, 4), torch.ones(2, 4))      # 4 / √4
        tensor([[2., 2.]])

    Source: Vaswani et al. (2017), §3.2.1.
    """
    return dot_product_scores(query, key) / math.sqrt(query.shape[-1])


def additive_scores(query: Tensor, key: Tensor, W_query: Tensor, W_key: Tensor, v: Tensor) -> Tensor:
    """Score each query against each key by a small network: vᵀ tanh(W_query q + W_key k).

    Queries and keys may differ in width; both are mapped to d_attention, added for every pair, and weighed by ``v``.

    Args:
        query: (..., n_query, d_query), floating point.
        key: (..., n_key, d_key).
        W_query: (d_attention, d_query).
        W_key: (d_attention, d_key).
        v: (d_attention,).

    Returns:
        scores: (..., n_query, n_key).

    Raises:
        ValueError: a width does not fit its matrix.

    Example:
        >>> query, key = torch.zeros(2, 3), torch.zeros(5, 4)
        >>> additive_scores(query, key, torch.ones(7, 3), torch.ones(7, 4), torch.ones(7)).shape
        torch.Size([2, 5])

    Source: Bahdanau et al. (2015), Appendix A.1.2.
    """
    for name, x, W in (("query", query, W_query), ("key", key, W_key)):
        if x.shape[-1] != W.shape[-1]:
            raise ValueError(
                f"the last axis of {name} must equal the last axis of W_{name}, "
                f"got {name} {tuple(x.shape)} and W_{name} {tuple(W.shape)}."
            )
    if not W_query.shape[0] == W_key.shape[0] == v.shape[-1]:
        raise ValueError(
            "W_query, W_key and v must agree in d_attention, "
            f"got W_query {tuple(W_query.shape)}, W_key {tuple(W_key.shape)} and v {tuple(v.shape)}."
        )
    mapped_query = (query @ W_query.T).unsqueeze(-2)  # (..., n_query, 1, d_attention)
    mapped_key = (key @ W_key.T).unsqueeze(-3)  # (..., 1, n_key, d_attention)
    return torch.tanh(mapped_query + mapped_key) @ v  # (..., n_query, n_key)


# -------------------------------------------------------------------------------------------------------- attention


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
        _require_mask(may_attend, scores.shape)
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


# ------------------------------------------------------------------------------------------------------------ masks


def padding_mask(lengths: Tensor | list[int], n_key: int | None = None, side: str = "right") -> Tensor:
    """Mark which positions of a padded batch hold real tokens.

    Args:
        lengths: (batch,) number of real tokens of each sequence, whole numbers.
        n_key: width of the padded batch; the longest sequence if None.
        side: where the padding stands, "right" (encoders) or "left" (decoders that generate).

    Returns:
        may_attend: (batch, 1, n_key), boolean, True on real tokens; the middle axis broadcasts over the queries. A
        batch with heads wants ``mask.unsqueeze(1)``, (batch, 1, 1, n_key).

    Raises:
        ValueError: a length is negative or longer than ``n_key``, or ``side`` is neither "right" nor "left".

    Example:
        >>> padding_mask([3, 1]).int()
        tensor([[[1, 1, 1]],
        <BLANKLINE>
                [[1, 0, 0]]], dtype=torch.int32)
    """
    lengths = torch.as_tensor(lengths)
    if lengths.ndim != 1 or lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise ValueError(
            f"lengths must be a list of whole numbers, got {lengths.dtype} of shape {tuple(lengths.shape)}."
        )
    if side not in ("right", "left"):
        raise ValueError(f"side must be 'right' or 'left', got {side!r}.")
    longest = int(lengths.max()) if len(lengths) else 0
    n_key = longest if n_key is None else n_key
    if longest > n_key or (len(lengths) and int(lengths.min()) < 0):
        raise ValueError(f"lengths must lie between 0 and n_key = {n_key}, got {lengths.tolist()}.")
    position = torch.arange(n_key, device=lengths.device)
    if side == "left":
        position = position.flip(0)
    return (position < lengths[:, None]).unsqueeze(-2)


def causal_mask(n_query: int, n_key: int | None = None) -> Tensor:
    """Let each position look at itself and at what came before it, never at what comes after.

    With more keys than queries the queries are the *last* positions, as when a decoder continues from a cache.

    Args:
        n_query: number of queries, at least 0.
        n_key: number of keys; ``n_query`` if None.

    Returns:
        may_attend: (n_query, n_key), boolean; True on and below the diagonal.

    Raises:
        ValueError: fewer keys than queries, or a negative number.

    Example:
        >>> causal_mask(3).int()
        tensor([[1, 0, 0],
                [1, 1, 0],
                [1, 1, 1]], dtype=torch.int32)
    """
    n_key = n_query if n_key is None else n_key
    if n_query < 0 or n_key < n_query:
        raise ValueError(f"a causal mask needs 0 <= n_query <= n_key, got n_query {n_query} and n_key {n_key}.")
    return torch.ones(n_query, n_key, dtype=torch.bool).tril(diagonal=n_key - n_query)


def cross_mask(query_is_token: Tensor, key_is_token: Tensor) -> Tensor:
    """Let every query look at the real tokens of another sequence, for attention from a decoder to an encoder.

    Only the keys are masked. Padded *queries* look as well: nobody reads their rows, and masking them too would make
    rows of 0/0.

    Args:
        query_is_token: (..., n_query), boolean; used for its length only.
        key_is_token: (..., n_key), boolean; True on real tokens.

    Returns:
        may_attend: (..., n_query, n_key), boolean.

    Raises:
        TypeError: an argument is not boolean.

    Example:
        >>> cross_mask(torch.tensor([True, True]), torch.tensor([True, True, False])).int()
        tensor([[1, 1, 0],
                [1, 1, 0]], dtype=torch.int32)
    """
    for name, mask in (("query_is_token", query_is_token), ("key_is_token", key_is_token)):
        if mask.dtype != torch.bool:
            raise TypeError(f"{name} must be boolean, got {mask.dtype}.")
    n_query = query_is_token.shape[-1]
    return key_is_token.unsqueeze(-2).expand(*key_is_token.shape[:-1], n_query, key_is_token.shape[-1])


def same_segment_mask(segment_ids: Tensor) -> Tensor:
    """Let each token look only at tokens of its own segment.

    Args:
        segment_ids: (..., position), whole numbers.

    Returns:
        may_attend: (..., position, position), boolean.

    Example:
        >>> same_segment_mask(torch.tensor([0, 0, 1])).int()
        tensor([[1, 1, 0],
                [1, 1, 0],
                [0, 0, 1]], dtype=torch.int32)
    """
    return segment_ids.unsqueeze(-1) == segment_ids.unsqueeze(-2)


def combine_masks(*masks: Tensor | None) -> Tensor | None:
    """Combine masks by *and*: a query may look only where every mask allows it.

    Args:
        masks: boolean tensors that broadcast with one another; None stands for "no mask" and is passed over.

    Returns:
        may_attend: the broadcast shape, boolean; None if every mask was None.

    Raises:
        TypeError: a mask is not boolean (adding two masks of −10⁹ is not the same thing).
        ValueError: the shapes do not broadcast.

    Example:
        >>> combine_masks(causal_mask(3), padding_mask([2], n_key=3)).int()
        tensor([[[1, 0, 0],
                 [1, 1, 0],
                 [1, 1, 0]]], dtype=torch.int32)
    """
    combined = None
    for mask in masks:
        if mask is None:
            continue
        if mask.dtype != torch.bool:
            raise TypeError(f"a mask must be boolean (True = may look), got {mask.dtype}.")
        try:
            combined = mask if combined is None else combined & mask
        except RuntimeError:
            raise ValueError(
                f"the masks do not fit together: {tuple(combined.shape)} and {tuple(mask.shape)} cannot be broadcast."
            ) from None
    return combined


# --------------------------------------------------------------------------------------------------- argument checks


def _require_floating(tensor: Tensor, name: str) -> None:
    if not tensor.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {tensor.dtype}.")


def _require_same_width(query: Tensor, key: Tensor) -> None:
    _require_floating(query, "query")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            "query and key must have the same d_head (last axis), "
            f"got query {tuple(query.shape)} and key {tuple(key.shape)}."
        )


def _require_mask(may_attend: Tensor, shape: torch.Size) -> None:
    if not isinstance(may_attend, Tensor) or may_attend.dtype != torch.bool:
        came = may_attend.dtype if isinstance(may_attend, Tensor) else type(may_attend).__name__
        raise TypeError(
            f"may_attend must be a boolean tensor (True = may look), got {came}. "
            "The tokenizer's 1s and 0s become one by .bool()."
        )
    try:
        fits = torch.broadcast_shapes(may_attend.shape, shape) == shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"may_attend must broadcast to the scores (..., n_query, n_key) {tuple(shape)}, "
            f"got {tuple(may_attend.shape)}."
        )
