"""Masks: boolean tensors that say who may look at whom."""

from __future__ import annotations

import torch
from torch import Tensor


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
