"""Scores: how well each query fits each key, in three ways."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course.attention.arguments import require_same_width


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
    require_same_width(query, key)
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
    require_same_width(query, key)
    # Dividing the queries first gives the same scores, and passes over n × d_head numbers instead of n × n.
    return (query / math.sqrt(query.shape[-1])) @ key.transpose(-2, -1)


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
