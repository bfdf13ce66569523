"""What bad arguments are told: checks that all parts of this room share."""

from __future__ import annotations

import torch
from torch import Tensor


def require_floating(tensor: Tensor, name: str) -> None:
    if not tensor.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {tensor.dtype}.")


def require_same_width(query: Tensor, key: Tensor) -> None:
    require_floating(query, "query")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            "query and key must have the same d_head (last axis), "
            f"got query {tuple(query.shape)} and key {tuple(key.shape)}."
        )


def require_mask(may_attend: Tensor, shape: torch.Size) -> None:
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
