"""Groups of vectors: how alike they are, and a direction from one to another that is put to the test.

With more dimensions than items, some direction parts any two groups, however their names were dealt. So a direction is
found from half of the items, and the other half shows what it is worth.

Source: Ethayarajh (2019), "How Contextual are Contextualized Word Representations?", who measures cosines over the
layers as the panel beside the map does.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course.embeddings import cosine_similarity
from course.explorers.meaning.planes import coordinates, kept_share, principal_planes, separating_plane
from course.explorers.meaning.words import WordVectors


class Direction(NamedTuple):
    """A direction that leads from one group to another, and where its border lies."""

    along: Tensor  # (d_model,), of length 1; zeros where the groups' means are one and the same
    border: float  # halfway between the two means, measured along the direction


class Parted(NamedTuple):
    """Two groups and, in every layer, the direction found from half of their items."""

    groups: list[int]  # of each item: 0, 1, or -1 for an item of neither
    is_used: Tensor  # (item,), boolean
    directions: list[Direction]

    def right_counts(self, vectors: Tensor) -> list[tuple[int, int]]:
        """Count the items on their own side, layer by layer: among the used ones, and among those held back."""
        layers = zip(vectors, self.directions, strict=True)
        sides = [on_right_side(layer, self.groups, found) for layer, found in layers]
        return [(int((right & self.is_used).sum()), int((right & ~self.is_used).sum())) for right in sides]

    def borders(self, means: Tensor) -> list[float]:
        """Measure each layer's border from its mean, (layer, 1, d_model); NaN where there is none."""
        return [
            found.border - float(mean[0] @ found.along) if found.along.any() else float("nan")
            for found, mean in zip(self.directions, means, strict=True)
        ]


class LayerNumbers(NamedTuple):
    """What the panel beside the map says of one layer."""

    layer: str
    within: float  # mean cosine of two different items of one group
    between: float  # mean cosine of two items of different groups
    kept: float  # share of the variance that the plane of the principal axes keeps; NaN if there is none
    used_right: int  # items that helped to find the direction and lie on their side of the border
    n_used: int
    held_back_right: int  # items that did not help to find it
    n_held_back: int


def only_pair(groups: Sequence[int], left: int, right: int) -> list[int]:
    """Name two groups 0 and 1, and all others -1."""
    return [{left: 0, right: 1}.get(group, -1) for group in groups]


def used_half(groups: Sequence[int]) -> Tensor:
    """Mark every other item of each group, beginning with its first: the half that may be learnt from.

    Returns:
        is_used: (item,), boolean. A group of -1 (not to be parted) has none.

    Example:
        >>> used_half([0, 0, 1, 1, 1, -1]).int()
        tensor([1, 0, 1, 0, 1, 0], dtype=torch.int32)
    """
    seen: dict[int, int] = {}
    used = []
    for group in groups:
        used.append(group >= 0 and seen.get(group, 0) % 2 == 0)
        seen[group] = seen.get(group, 0) + 1
    return torch.tensor(used, dtype=torch.bool)


def dealt_groups(groups: Sequence[int], seed: int = 0) -> list[int]:
    """Deal two groups' names to their items at random, so that the names no longer mean anything.

    Of each group, and of its used and its held-back half, about as many items get one name as the other.

    Args:
        groups: 0, 1, or -1 for an item that keeps out of it.
        seed: the same seed deals alike.
    """
    generator, used, dealt = torch.Generator().manual_seed(seed), used_half(groups), list(groups)
    for group, half in itertools.product((0, 1), (True, False)):
        members = [i for i, each in enumerate(groups) if each == group and bool(used[i]) == half]
        for place, which in enumerate(torch.randperm(len(members), generator=generator).tolist()):
            dealt[members[which]] = (place + group) % 2
    return dealt


def mean_direction(vectors: Tensor, groups: Sequence[int], is_used: Tensor) -> Direction:
    """Find the direction from the mean of group 0 to the mean of group 1, looking at the used items only.

    Args:
        vectors: (item, d_model).
        groups: 0, 1, or -1 for an item of neither.
        is_used: (item,), boolean; both groups have at least one used item.

    Example:
        >>> mean_direction(torch.tensor([[0.0, 0.0], [0.0, 4.0]]), [0, 1], torch.tensor([True, True]))
        Direction(along=tensor([0., 1.]), border=2.0)
    """
    groups = torch.as_tensor(groups)
    first, second = (vectors[is_used & (groups == g)].mean(dim=0) for g in (0, 1))
    difference = second - first
    if difference.norm() < 1e-5:  # two means of the same vectors differ by rounding only
        return Direction(torch.zeros_like(difference), 0.0)
    along = difference / difference.norm()
    return Direction(along, float((first + second) / 2 @ along))


def on_right_side(vectors: Tensor, groups: Sequence[int], direction: Direction) -> Tensor:
    """Say which items lie on their own group's side of the border: (item,), boolean; never, where there is none."""
    groups, beyond = torch.as_tensor(groups), vectors @ direction.along > direction.border
    return (groups >= 0) & (beyond == (groups == 1)) & bool(direction.along.any())


def part(vectors: Tensor, groups: Sequence[int], is_used: Tensor | None = None) -> Parted:
    """Find, in every layer, the direction from group 0 to group 1, from half of their items.

    Args:
        vectors: (layer, item, d_model).
        groups: 0, 1, or -1 for an item of neither.
        is_used: (item,), boolean; every other item of each group if None.
    """
    is_used = used_half(groups) if is_used is None else is_used
    return Parted(list(groups), is_used, [mean_direction(layer, groups, is_used) for layer in vectors])


def group_cosines(vectors: Tensor, groups: Sequence[int]) -> tuple[float, float]:
    """Average the cosine similarity over pairs of different items: of one group, and of different groups.

    Items of group -1 are left out. A mean over no pair at all is NaN.

    Example:
        >>> group_cosines(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), [0, 0, 1, 1])
        (1.0, 0.0)
    """
    groups = torch.as_tensor(groups)
    kept = groups >= 0
    similarities, groups = cosine_similarity(vectors[kept].double()), groups[kept]
    same = groups[:, None] == groups
    others = ~torch.eye(len(groups), dtype=torch.bool)
    return similarities[same & others].mean().item(), similarities[~same].mean().item()


def layer_numbers(words: WordVectors, groups: Sequence[int], left: int = 0, right: int = 1) -> list[LayerNumbers]:
    """Compute, for every layer, what the panel beside the map says.

    Args:
        words: from :func:`word_vectors`.
        groups: of each item its group, from 0, or -1 for a landmark, which only helps to lay the plane.
        left, right: the two groups that the direction parts.
    """
    parted = part(words.vectors, only_pair(groups, left, right))
    n_used, n_parted = int(parted.is_used.sum()), sum(group >= 0 for group in parted.groups)
    rows = zip(
        words.layer_names,
        words.vectors,
        principal_planes(words.vectors),
        parted.right_counts(words.vectors),
        strict=True,
    )
    return [
        LayerNumbers(
            name, *group_cosines(vectors, groups), kept_share(vectors, axes), used, n_used, held, n_parted - n_used
        )
        for name, vectors, axes, (used, held) in rows
    ]


def new_planes(vectors: Tensor, parted: Parted, planes: Tensor) -> Tensor:
    """Turn every layer's plane to its direction, with the items of the two groups in view.

    Args:
        vectors: (layer, item, d_model).
        parted: from :func:`part`, for the same vectors.
        planes: (layer, 2, d_model), where each layer comes from.

    Returns:
        axes: (layer, 2, d_model); a layer without a direction keeps its plane.
    """
    members = [i for i, group in enumerate(parted.groups) if group >= 0]
    axes, heights = [], None  # heights: second coordinates in the layer before, which the sign of the axis follows
    for layer, found, plane in zip(vectors[:, members], parted.directions, planes, strict=True):
        new = separating_plane(layer, found.along, plane)
        if found.along.any():
            if heights is not None and coordinates(layer, new)[:, 1] @ heights < 0:
                new = torch.stack([new[0], -new[1]])
            heights = coordinates(layer, new)[:, 1]
        axes.append(new)
    return torch.stack(axes)
