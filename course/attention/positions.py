"""Positions: two ways to tell a token where it stands that need no learning, sinusoids and rotations."""

from __future__ import annotations

import torch
from torch import Tensor

from course.attention.arguments import require_floating


def angles(positions: Tensor, width: int, base: float = 10_000.0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Turn positions into angles: pair i of the width turns by base^(−2i / width) radians a position.

    Pair 0 turns fastest, a full turn in 2π = 6.28 positions; the last pair hardly moves.

    Args:
        positions: (position,), numbers.
        width: of the vectors, even.
        base: the larger, the slower the slow pairs turn.
        dtype: of the result; the angles are computed in double precision first.

    Returns:
        (position, width / 2), radians.

    Raises:
        ValueError: ``width`` is odd or not positive, or ``base`` is not positive.

    Example:
        >>> angles(torch.tensor([0, 1, 2]), 4)          # pair 0 turns by 1, pair 1 by 1/100
        tensor([[0.0000, 0.0000],
                [1.0000, 0.0100],
                [2.0000, 0.0200]])

    Source: Vaswani et al. (2017), §3.5.
    """
    if width < 2 or width % 2:
        raise ValueError(f"the width must be even, as sine and cosine come in pairs, got {width}.")
    if not base > 0:
        raise ValueError(f"base must be a positive number, got {base}.")
    per_position = base ** (-torch.arange(0, width, 2, dtype=torch.float64, device=positions.device) / width)
    return (positions[:, None].double() * per_position).to(dtype)  # (position, width / 2)


def sinusoidal_positions(n_positions: int, d_model: int, base: float = 10_000.0) -> Tensor:
    """Make one vector a position out of sines and cosines of many wavelengths.

    PE(p, 2i) = sin(p / base^(2i/d_model)) and PE(p, 2i+1) = cos(p / base^(2i/d_model)).
    The dot product of two such vectors depends on their distance only.

    Args:
        n_positions: how many, at least 0.
        d_model: the width, even.
        base: 10,000 in the paper.

    Returns:
        (position, d_model), between −1 and 1. Beside a batch of vectors (batch, position, d_model) it broadcasts over
        the batch.

    Raises:
        ValueError: ``d_model`` is odd, or ``n_positions`` negative.

    Example:
        >>> sinusoidal_positions(2, 4)
        tensor([[0.0000, 1.0000, 0.0000, 1.0000],
                [0.8415, 0.5403, 0.0100, 0.9999]])

    Source: Vaswani et al. (2017), §3.5.
    """
    if n_positions < 0:
        raise ValueError(f"n_positions must be at least 0, got {n_positions}.")
    turned = angles(torch.arange(n_positions), d_model, base)
    return torch.stack([turned.sin(), turned.cos()], dim=-1).flatten(-2)  # sine, cosine, sine, cosine, ...


def rotate_by_position(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    """Turn each vector by an angle that grows with its position (rotary positions, RoPE).

    Number i of the first half and number i of the second half are the two coordinates of pair i, as in Llama. Turning
    both a query and a key changes their dot product only by the *difference* of their positions.

    Args:
        x: (..., position, d_head), queries or keys.
        positions: (position,), whole numbers.
        base: 10,000 in the paper; a model's configuration calls it rope_theta.

    Returns:
        Same shape and same lengths as ``x``.

    Raises:
        ValueError: d_head is odd, or there is not one position for each vector.

    Example:
        >>> quarter_turn = torch.tensor([torch.pi / 2])
        >>> rotate_by_position(torch.tensor([[1.0, 0.0]]), quarter_turn).round(decimals=4)
        tensor([[-0.,  1.]])

    Source: Su et al. (2021), "RoFormer: Enhanced Transformer with Rotary Position Embedding".
    """
    require_floating(x, "x")
    if x.ndim < 2 or positions.shape != x.shape[-2:-1]:
        raise ValueError(
            f"positions must hold one number for each vector of x (..., position, d_head), got positions "
            f"{tuple(positions.shape)} and x {tuple(x.shape)}."
        )
    turned = angles(positions, x.shape[-1], base, dtype=x.dtype)  # (position, d_head / 2)
    first, second = x.chunk(2, dim=-1)
    cosine, sine = turned.cos(), turned.sin()
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
