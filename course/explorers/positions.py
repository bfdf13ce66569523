"""The position explorer: sinusoidal positions as a picture, waves and a turning hand, beside learned and rotary ones.

The browser computes sinusoids and rotations itself, on every move of a slider. The functions here compute the same in
Python, so that the cell below the explorer can print its numbers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import anywidget
import torch
import traitlets
from torch import Tensor

from course import views
from course.attention import rotate_by_position, sinusoidal_positions
from course.models import Model

MOST_POSITIONS, MOST_DIMENSIONS = 128, 256  # more of them, and a cell is smaller than a pixel
TABLE_NAMES = ("position_embeddings", "wpe")  # what the hub's models call their tables of learned positions
KEY_LIKE_QUERY = 0.8  # cosine of the angle between the two vectors that rotary positions turn


class Similarities(NamedTuple):
    """How alike every two positions are, by three kinds of positions: each (position, position)."""

    sinusoidal: Tensor
    learned: Tensor | None
    rotary: Tensor


def wavelength(pair: int, d_model: int, base: float = 10_000.0) -> float:
    """Count the positions that pair ``pair`` needs for a full turn: 2π base^(2 pair / d_model).

    Example:
        >>> round(wavelength(0, 64), 2)
        6.28
    """
    return 2 * math.pi * base ** (2 * pair / d_model)


def position_similarity(table: Tensor) -> Tensor:
    """Compare every two positions by the cosine of their vectors.

    Sinusoidal positions all have the same length, so for them this is the dot product divided by its value at
    distance 0.

    Args:
        table: (position, d_model), floating point.

    Returns:
        similarity: (position, position), 1 on the diagonal.

    Example:
        >>> position_similarity(torch.tensor([[2.0, 0.0], [1.0, 1.0]])).round(decimals=2)
        tensor([[1.0000, 0.7100],
                [0.7100, 1.0000]])
    """
    directions = torch.nn.functional.normalize(table, dim=-1)
    return directions @ directions.T


def rotary_similarity(query: Tensor, key: Tensor, n_positions: int, base: float = 10_000.0) -> Tensor:
    """Score one query against one key wherever the two stand, with rotary positions.

    Args:
        query, key: (d_head,), floating point, the same at every position.
        n_positions: how many positions.
        base: the larger, the slower the slow pairs turn.

    Returns:
        similarity: (query position, key position), the dot product divided by its value at distance 0.

    Example:
        >>> rotary_similarity(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0]), 2).round(decimals=2)
        tensor([[1.0000, 0.5400],
                [0.5400, 1.0000]])
    """
    positions = torch.arange(n_positions)
    queries = rotate_by_position(query.expand(n_positions, -1), positions, base)  # (position, d_head)
    keys = rotate_by_position(key.expand(n_positions, -1), positions, base)
    return queries @ keys.T / (query @ key)


def difference_at_equal_distance(similarity: Tensor) -> float:
    """Return the largest difference between two pairs of positions that stand equally far apart, in the same direction.

    0 means that a similarity depends on the distance only.

    Args:
        similarity: (position, position).

    Example:
        >>> difference_at_equal_distance(torch.tensor([[1.0, 0.5, 0.2], [0.5, 1.0, 0.4], [0.2, 0.4, 1.0]])) > 0.09
        True
    """
    n = len(similarity)
    diagonals = (similarity.diagonal(distance) for distance in range(1 - n, n))
    return max(float(diagonal.max() - diagonal.min()) for diagonal in diagonals)


def learned_positions(model: Model, n_positions: int) -> Tensor | None:
    """Take the first rows of a model's table of learned positions; None if it keeps no such table.

    Returns:
        (position, d_model), float32.
    """
    for name, module in model.network.named_modules():
        if name.rpartition(".")[2] in TABLE_NAMES and isinstance(module, torch.nn.Embedding):
            first = 0 if module.padding_idx is None else module.padding_idx + 1  # RoBERTa counts from 2
            return module.weight.detach()[first : first + n_positions].float()
    return None


def example_query_and_key(d_head: int) -> tuple[Tensor, Tensor]:
    """Make a random query and a key not unlike it, always the same: (d_head,) each, of length 1."""
    first, second = torch.randn(2, d_head, generator=torch.Generator().manual_seed(0))
    query = first / first.norm()
    across = second - (second @ query) * query
    key = KEY_LIKE_QUERY * query + math.sqrt(1 - KEY_LIKE_QUERY**2) * across / across.norm()
    return query, key


class PositionExplorer(anywidget.AnyWidget):
    """See how sinusoids tell positions apart, and that their similarity depends on the distance only.

    What the learner chooses is in the traits, and a cell can set them too: ``position``, ``pair`` (of dimensions:
    pair i is columns 2i and 2i + 1) and ``base``.

    Args:
        model: a model from ``models.load`` whose table of learned positions is shown beside the others; None leaves
            it out.
        n_positions: from 8 to 128.
        d_model: the width, even, from 4 to 256.
        position, pair, base: the first setting.

    Raises:
        ValueError: ``n_positions`` or ``d_model`` is out of its range.
    """

    _esm = views.script("position_waves")
    _css = views.style("position_waves")

    n_positions = traitlets.Int().tag(sync=True)
    d_model = traitlets.Int().tag(sync=True)
    position = traitlets.Int().tag(sync=True)
    pair = traitlets.Int().tag(sync=True)
    base = traitlets.Float(10_000.0, min=10.0, max=100_000.0).tag(sync=True)
    model_name = traitlets.Unicode().tag(sync=True)
    learned = traitlets.Bytes().tag(sync=True)  # float32, (position, position): similarities; empty if there are none
    query_and_key = traitlets.Bytes().tag(sync=True)  # float32, (2, d_model)

    def __init__(
        self,
        model: Model | None = None,
        n_positions: int = 64,
        d_model: int = 64,
        position: int = 20,
        pair: int = 6,
        base: float = 10_000.0,
    ):
        if not 8 <= n_positions <= MOST_POSITIONS:
            raise ValueError(f"n_positions must be from 8 to {MOST_POSITIONS}, got {n_positions}.")
        if not 4 <= d_model <= MOST_DIMENSIONS or d_model % 2:
            raise ValueError(f"d_model must be an even number from 4 to {MOST_DIMENSIONS}, got {d_model}.")
        self._query, self._key = example_query_and_key(d_model)
        table = None if model is None else learned_positions(model, n_positions)
        self._learned = None if table is None or len(table) < n_positions else position_similarity(table)
        super().__init__(
            n_positions=n_positions,
            d_model=d_model,
            position=min(position, n_positions - 1),
            pair=min(pair, d_model // 2 - 1),
            base=base,
            model_name="" if model is None else model.name,
            learned=b"" if self._learned is None else self._learned.contiguous().numpy().tobytes(),
            query_and_key=torch.stack([self._query, self._key]).numpy().tobytes(),
        )

    @property
    def table(self) -> Tensor:
        """Return the sinusoidal positions as they are now: (position, d_model)."""
        return sinusoidal_positions(self.n_positions, self.d_model, self.base)

    @property
    def wavelength(self) -> float:
        """Return the number of positions that the chosen pair needs for a full turn."""
        return wavelength(self.pair, self.d_model, self.base)

    @property
    def angle(self) -> float:
        """Return how far the hand of the chosen pair has turned at the chosen position, in radians."""
        return 2 * math.pi * self.position / self.wavelength

    @property
    def similarities(self) -> Similarities:
        """Return how alike every two positions are: each (position, position), None without a learned table."""
        rotary = rotary_similarity(self._query, self._key, self.n_positions, self.base)
        return Similarities(position_similarity(self.table), self._learned, rotary)

    @traitlets.validate("position", "pair")
    def _inside(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        count = self.n_positions if name == "position" else self.d_model // 2
        if not 0 <= value < count:
            raise traitlets.TraitError(f"{name} must be from 0 to {count - 1}, got {value}.")
        return value

    def __repr__(self) -> str:
        column = 2 * self.pair
        sine, cosine = self.table[self.position, column : column + 2].tolist()
        near, far = (min(self.position + step, self.n_positions - 1) for step in (1, 10))
        names = ("sinusoidal", f"learned by {self.model_name}", "rotary")
        lines = [
            f"Position explorer: sinusoidal positions, {self.n_positions} positions by {self.d_model} dimensions, base "
            f"{self.base:,.0f}. Pair {self.pair} (columns {column} and {column + 1}) needs {self.wavelength:,.1f} "
            f"positions for a full turn; at position {self.position} its sine is {sine:.2f} and its cosine "
            f"{cosine:.2f}."
        ]
        for name, similarity in zip(names, self.similarities):
            if similarity is not None:
                row = similarity[self.position]
                lines.append(
                    f"Similarity with position {self.position}, {name}: {row[near]:.2f} at position {near}, "
                    f"{row[far]:.2f} at position {far}; at the same distance it differs by up to "
                    f"{difference_at_equal_distance(similarity):.2f} from place to place."
                )
        return "\n".join(lines)
