"""Points of view: planes in many dimensions, turned so that they can be compared, and blended.

Sources: Hotelling (1933), "Analysis of a Complex of Statistical Variables into Principal Components"; Schönemann
(1966), "A Generalized Solution of the Orthogonal Procrustes Problem".
"""

from __future__ import annotations

import torch
from torch import Tensor

from course.embeddings import principal_axes


def rotation_onto(points: Tensor, reference: Tensor) -> Tensor:
    """Find the turn (or mirroring) that brings points as near as possible to a reference: orthogonal Procrustes.

    Minimises ‖points · R − reference‖ over all R with R Rᵀ = 1; the solution is U Vᵀ for points ᵀ reference = U S Vᵀ.

    Args:
        points, reference: (n, k), floating point.

    Returns:
        R: (k, k). Distances between the points stay what they are.

    Example:
        >>> rotation_onto(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.0, 1.0], [2.0, 0.0]]))
        tensor([[0., 1.],
                [1., 0.]])
    """
    u, _, v = torch.linalg.svd(points.T @ reference)
    return u @ v


def principal_planes(vectors: Tensor, last_like: Tensor | None = None) -> Tensor:
    """Find the plane of the two principal axes in every layer, turned so that layers resemble each other.

    Which way round a plane lies is arbitrary; unaligned, the map would spin and flip from layer to layer. Each layer is
    turned onto the next, from the last one back.

    Args:
        vectors: (layer, item, d_model).
        last_like: (2, d_model), a plane that the last layer's is turned onto; None leaves it as it is.

    Returns:
        axes: (layer, 2, d_model), each pair at right angles and of length 1.
    """
    axes = [principal_axes(layer) for layer in vectors]
    reference = None if last_like is None else coordinates(vectors[-1], last_like)
    for i in range(len(axes) - 1, -1, -1):
        if reference is not None:
            axes[i] = rotation_onto(coordinates(vectors[i], axes[i]), reference).T @ axes[i]
        reference = coordinates(vectors[i], axes[i])
    return torch.stack(axes)


def separating_plane(vectors: Tensor, direction: Tensor, like: Tensor) -> Tensor:
    """Build the plane whose first axis is a given direction and whose second shows most of what is left.

    Args:
        vectors: (item, d_model), the items that are to be seen well.
        direction: (d_model,), of length 1, or zeros: then there is nothing to turn to, and ``like`` comes back.
        like: (2, d_model), the plane to come from; the second axis points the way its second axis does.

    Returns:
        axes: (2, d_model), at right angles and of length 1.
    """
    if not direction.any():
        return like
    centred = vectors - vectors.mean(dim=0)
    left = centred - torch.outer(centred @ direction, direction)
    second = torch.linalg.svd(left, full_matrices=False).Vh[0]
    if left.norm() < 1e-5:  # nothing is left: any axis at a right angle will do
        second = like[1] if (like[1] @ direction).abs() < 0.9 else like[0]
    second = second - (second @ direction) * direction
    second = second / second.norm()
    return torch.stack([direction, second if second @ like[1] >= 0 else -second])


def blended_plane(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Turn one plane into another: (1 − share) · start + share · end, made rectangular again.

    W = (1 − share) · start + share · end has axes that are too short and not at right angles; (W Wᵀ)^(−1/2) W is the
    nearest plane in which distances are not distorted.

    Args:
        start, end: (2, d_model), rows of length 1 at right angles.
        share: from 0 to 1.

    Returns:
        axes: (2, d_model), rows of length 1 at right angles.
    """
    mixed = (1 - share) * start + share * end
    u, _, v = torch.linalg.svd(mixed, full_matrices=False)
    return u @ v


def coordinates(vectors: Tensor, axes: Tensor) -> Tensor:
    """Look at vectors from a point of view: their positions along each axis, the mean in the middle.

    Args:
        vectors: (..., item, d_model).
        axes: (..., k, d_model).

    Returns:
        (..., item, k).
    """
    return (vectors - vectors.mean(dim=-2, keepdim=True)) @ axes.mT


def kept_share(vectors: Tensor, axes: Tensor) -> float:
    """Say which share of the variance of vectors a plane keeps; NaN if all the vectors are one."""
    total = (vectors - vectors.mean(dim=0)).square().sum()
    return float(coordinates(vectors, axes).square().sum() / total) if total > 1e-9 else float("nan")
