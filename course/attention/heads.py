"""Heads: split the width among several attentions, merge what they give, and do both around one attention."""

from __future__ import annotations

import torch
from torch import Tensor

from course.attention.arguments import require_floating
from course.attention.weights import Attended, scaled_dot_product_attention


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Give each head its own stretch of the last axis: (position, d_model) becomes (head, position, d_head).

    First the last axis is cut into ``n_heads`` stretches, then the head axis moves in front of the positions. Cutting
    straight into (head, position, d_head) has the right shape and the wrong content: it mixes positions.

    Args:
        x: (..., position, d_model).
        n_heads: a whole number that divides d_model.

    Returns:
        (..., head, position, d_head) with d_head = d_model / n_heads.

    Raises:
        ValueError: ``n_heads`` does not divide d_model, or ``x`` has fewer than two axes.

    Example:
        >>> x = torch.arange(12).view(2, 6)          # 2 positions, 6 wide
        >>> split_heads(x, 3)[0]                     # head 0 reads columns 0 and 1 of both positions
        tensor([[0, 1],
                [6, 7]])

    Source: Vaswani et al. (2017), §3.2.2.
    """
    if x.ndim < 2:
        raise ValueError(f"split_heads needs (..., position, d_model), got {tuple(x.shape)}.")
    d_model = x.shape[-1]
    if not isinstance(n_heads, int) or n_heads < 1 or d_model % n_heads:
        raise ValueError(f"n_heads must be a whole number that divides d_model = {d_model}, got {n_heads!r}.")
    return x.unflatten(-1, (n_heads, d_model // n_heads)).transpose(-2, -3)  # (..., head, position, d_head)


def merge_heads(x: Tensor) -> Tensor:
    """Lay the heads side by side again: the reverse of :func:`split_heads`.

    Args:
        x: (..., head, position, d_head).

    Returns:
        (..., position, d_model) with d_model = head × d_head.

    Raises:
        ValueError: ``x`` has fewer than three axes.

    Example:
        >>> x = torch.arange(12).view(2, 6)
        >>> bool((merge_heads(split_heads(x, 3)) == x).all())
        True
    """
    if x.ndim < 3:
        raise ValueError(f"merge_heads needs (..., head, position, d_head), got {tuple(x.shape)}.")
    return x.transpose(-2, -3).flatten(-2)  # (..., position, head * d_head)


def repeat_heads(x: Tensor, n_repeats: int) -> Tensor:
    """Let several query heads share one key (or value) head: each head is repeated ``n_repeats`` times in a row.

    Args:
        x: (..., kv_head, position, d_head).
        n_repeats: query heads for each key/value head.

    Returns:
        (..., kv_head × n_repeats, position, d_head).

    Raises:
        ValueError: ``n_repeats`` is not a positive whole number, or ``x`` has fewer than three axes.

    Example:
        >>> repeat_heads(torch.tensor([[[1.0]], [[2.0]]]), 2).flatten()
        tensor([1., 1., 2., 2.])

    Source: Ainslie et al. (2023), "GQA: Training Generalized Multi-Query Transformer Models".
    """
    if x.ndim < 3:
        raise ValueError(f"repeat_heads needs (..., head, position, d_head), got {tuple(x.shape)}.")
    if not isinstance(n_repeats, int) or n_repeats < 1:
        raise ValueError(f"n_repeats must be a positive whole number, got {n_repeats!r}.")
    return x.repeat_interleave(n_repeats, dim=-3)


def multi_head_attention(
    x_query: Tensor,
    x_key_value: Tensor,
    W_Q: Tensor,
    W_K: Tensor,
    W_V: Tensor,
    W_O: Tensor,
    n_heads: int,
    b_Q: Tensor | None = None,
    b_K: Tensor | None = None,
    b_V: Tensor | None = None,
    b_O: Tensor | None = None,
    may_attend: Tensor | None = None,
    keep_heads: Tensor | None = None,
) -> Attended:
    """Attend ``n_heads`` times at once, each head with its own part of the projections, and mix the results by W_O.

    Computes Concat(head_1, …, head_h) W_O, where head_i is scaled dot-product attention over stretch i of the
    projected queries, keys and values. The matrices are (d_out, d_in), as ``torch.nn.Linear`` keeps them.

    Args:
        x_query: (..., n_query, d_model), the vectors that look.
        x_key_value: (..., n_key, d_model), the vectors that are looked at; the same tensor for self-attention.
        W_Q, W_K, W_V: (n_heads × d_head, d_model).
        W_O: (d_model, n_heads × d_head).
        n_heads: a whole number that divides the projections' width.
        b_Q, b_K, b_V, b_O: biases, one number a row of the matrix; None for none.
        may_attend: boolean, broadcastable to (..., head, n_query, n_key); True where the query may see the key.
        keep_heads: boolean, (head,); False removes a head: zeros reach W_O in its place. None keeps them all.

    Returns:
        output: (..., n_query, d_model).
        weights: (..., head, n_query, n_key), each row summing to 1.

    Raises:
        TypeError: ``may_attend`` or ``keep_heads`` is not boolean.
        ValueError: a shape does not fit, or some query may attend to no key at all.

    Example:
        >>> x, W = torch.ones(2, 3, 4), torch.eye(4)      # 2 texts, 3 positions, 4 wide
        >>> attended = multi_head_attention(x, x, W, W, W, W, n_heads=2)
        >>> attended.output.shape, attended.weights.shape
        (torch.Size([2, 3, 4]), torch.Size([2, 2, 3, 3]))

    Source: Vaswani et al. (2017), §3.2.2.
    """
    query = split_heads(_linear("W_Q", x_query, W_Q, b_Q), n_heads)  # (..., head, n_query, d_head)
    key = split_heads(_linear("W_K", x_key_value, W_K, b_K), n_heads)  # (..., head, n_key, d_head)
    value = split_heads(_linear("W_V", x_key_value, W_V, b_V), n_heads)
    heads = scaled_dot_product_attention(query, key, value, may_attend)  # (..., head, n_query, d_head)
    mixtures = heads.output
    if keep_heads is not None:
        _require_switches(keep_heads, n_heads)
        mixtures = mixtures.masked_fill(~keep_heads[:, None, None], 0.0)
    return Attended(_linear("W_O", merge_heads(mixtures), W_O, b_O), heads.weights)


def _linear(name: str, x: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
    require_floating(x, "x")
    if x.shape[-1] != W.shape[-1]:
        raise ValueError(
            f"{name} must take vectors of width {x.shape[-1]} (its last axis, as torch.nn.Linear keeps it), "
            f"got {tuple(W.shape)}."
        )
    if b is not None and b.shape != W.shape[:1]:
        raise ValueError(f"the bias of {name} must hold one number a row, ({W.shape[0]},), got {tuple(b.shape)}.")
    return torch.nn.functional.linear(x, W, b)  # x Wᵀ + b


def _require_switches(keep_heads: Tensor, n_heads: int) -> None:
    if keep_heads.dtype != torch.bool:
        raise TypeError(f"keep_heads must be boolean (False = remove), got {keep_heads.dtype}.")
    if keep_heads.shape != (n_heads,):
        raise ValueError(f"keep_heads must hold one switch a head, ({n_heads},), got {tuple(keep_heads.shape)}.")
