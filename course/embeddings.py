"""Vectors for words, sentences and documents: how alike two of them are, and how many become one.

Every function takes tensors and returns tensors; a vector's entries lie along the last axis. Lesson 02 builds them in
the open; the tests compare each with torch or numpy.

Sources: Salton, Wong and Yang (1975), "A Vector Space Model for Automatic Indexing"; Reimers and Gurevych (2019),
"Sentence-BERT"; Pearson (1901), "On Lines and Planes of Closest Fit to Systems of Points in Space".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Neighbours(NamedTuple):
    """The rows of a table that are most alike to a vector, best first."""

    indices: Tensor
    similarities: Tensor


def cosine_similarity(a: Tensor, b: Tensor | None = None) -> Tensor:
    """Compare every row of ``a`` with every row of ``b`` by the cosine of the angle between them.

    Computes a · b / (‖a‖ ‖b‖): each row is divided by its length first, so only directions count. 1 means the same
    direction, 0 a right angle, −1 opposite directions.

    Args:
        a: (n, d), floating point.
        b: (m, d); ``a`` itself if None.

    Returns:
        similarities: (n, m), dimensionless, between −1 and 1. A vector of zeros has no direction; its similarity to
        everything is taken as 0.

    Raises:
        TypeError: a table is not floating point.
        ValueError: a table has not two axes, or the two differ in d.

    Example:
        >>> cosine_similarity(torch.tensor([[1.0, 0.0], [2.0, 2.0]]))
        tensor([[1.0000, 0.7071],
                [0.7071, 1.0000]])
    """
    b = a if b is None else b
    _require_tables(a, b)
    return (_unit(a) @ _unit(b).T).clamp(-1, 1)  # rounding can lead a little beyond


def nearest(query: Tensor, table: Tensor, n_neighbours: int = 5) -> Neighbours:
    """Find the rows of a table that point most nearly in the direction of a vector.

    Args:
        query: (d,), floating point. If it is a row of the table itself, that row comes first, with similarity 1.
        table: (n, d).
        n_neighbours: how many rows, at most n.

    Returns:
        indices: (n_neighbours,), int64, most alike first; of two equally alike rows the earlier one.
        similarities: (n_neighbours,), their cosine similarities.

    Raises:
        TypeError: something is not floating point.
        ValueError: shapes do not fit, or the table has not that many rows.

    Example:
        >>> table = torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 3.0]])
        >>> nearest(torch.tensor([2.0, 1.0]), table, n_neighbours=2).indices
        tensor([2, 0])
    """
    if query.ndim != 1:
        raise ValueError(f"query must be one vector, so of shape (d,), got {tuple(query.shape)}.")
    _require_tables(query[None], table)
    if not 1 <= n_neighbours <= len(table):
        raise ValueError(f"n_neighbours must lie between 1 and the table's {len(table)} rows, got {n_neighbours}.")
    similarities = cosine_similarity(query[None], table)[0]  # (n,)
    indices = similarities.argsort(descending=True, stable=True)[:n_neighbours]
    return Neighbours(indices, similarities[indices])


def mean_pool(hidden_states: Tensor, is_token: Tensor) -> Tensor:
    """Give each text one vector: the mean of its tokens' vectors, padding left out.

    Computes Σ_i m_i h_i / Σ_i m_i, where m_i is 1 for a token and 0 for padding.

    Args:
        hidden_states: (..., position, d_model), floating point. The leading axes are usually (batch,).
        is_token: (..., position), boolean, True on real tokens.

    Returns:
        vectors: (..., d_model). A text without a single token has no mean; it gets zeros.

    Raises:
        TypeError: ``is_token`` is not boolean, or ``hidden_states`` not floating point.
        ValueError: the two do not agree in all axes but the last.

    Example:
        >>> hidden_states = torch.tensor([[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]])
        >>> mean_pool(hidden_states, torch.tensor([True, True, False]))
        tensor([2., 3.])
    """
    _require_floating(hidden_states, "hidden_states")
    if is_token.dtype != torch.bool:
        raise TypeError(f"is_token must be boolean (True = a real token), got {is_token.dtype}.")
    if hidden_states.ndim < 2 or is_token.shape != hidden_states.shape[:-1]:
        raise ValueError(
            "hidden_states must be (..., position, d_model) and is_token the same without the last axis, "
            f"got {tuple(hidden_states.shape)} and {tuple(is_token.shape)}."
        )
    # What stands on padding may be NaN (a row that could look nowhere), and 0 · NaN is NaN: so fill in, not multiply.
    kept = hidden_states.masked_fill(~is_token.unsqueeze(-1), 0.0)
    n_tokens = is_token.sum(dim=-1, keepdim=True)  # (..., 1)
    return kept.sum(dim=-2) / n_tokens.clamp(min=1)


def bag_of_words(tokens: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> Tensor:
    """Count how often each word of a vocabulary occurs in each text; the order of the words is lost.

    Args:
        tokens: one list of words a text, n in all.
        vocabulary: v different words; a word of a text that is not among them is not counted.

    Returns:
        counts: (n, v), int64.

    Raises:
        TypeError: a text is a string and not a list of words.
        ValueError: a word stands twice in the vocabulary.

    Example:
        >>> bag_of_words([["the", "cat", "and", "the", "dog"]], ["cat", "mouse", "the"])
        tensor([[1, 0, 2]])
    """
    column = {word: j for j, word in enumerate(vocabulary)}
    if len(column) != len(vocabulary):
        twice = next(word for j, word in enumerate(vocabulary) if column[word] != j)
        raise ValueError(f"every word of the vocabulary needs one column, but {twice!r} stands there twice.")
    counts = torch.zeros(len(tokens), len(vocabulary), dtype=torch.int64)
    for i, words in enumerate(tokens):
        if isinstance(words, str):
            raise TypeError(f"a text must be a list of words, got the string {words!r}. Its split() makes a list.")
        for word in words:
            if word in column:
                counts[i, column[word]] += 1
    return counts


def principal_axes(vectors: Tensor, n_axes: int = 2) -> Tensor:
    """Find the directions along which vectors differ most: the point of view that loses least.

    The mean is taken off first; the axes are the first right singular vectors of what remains (principal component
    analysis). Coordinates in this point of view are ``(vectors - vectors.mean(dim=0)) @ axes.T``.

    Args:
        vectors: (n, d), floating point, at least two rows.
        n_axes: how many directions, at most min(n, d).

    Returns:
        axes: (n_axes, d), rows of length 1 at right angles to each other, most spread first. A direction and its
        opposite serve alike, so the entry that is largest in size is made positive: the same vectors always
        give the same picture.

    Raises:
        TypeError: ``vectors`` is not floating point.
        ValueError: there are fewer than two vectors, or fewer directions than asked for.

    Example:
        >>> principal_axes(torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), n_axes=1)
        tensor([[0.6000, 0.8000]])
    """
    _require_tables(vectors, vectors)
    if len(vectors) < 2:
        raise ValueError("principal_axes needs at least two vectors: one alone differs from nothing.")
    if not 1 <= n_axes <= min(vectors.shape):
        raise ValueError(f"{tuple(vectors.shape)} vectors have 1 to {min(vectors.shape)} axes, got n_axes={n_axes}.")
    axes = torch.linalg.svd(vectors - vectors.mean(dim=0), full_matrices=False).Vh[:n_axes]
    largest = axes.abs().argmax(dim=-1, keepdim=True)
    return axes * axes.gather(-1, largest).sign()


# ----------------------------------------------------------------------------------------------------------------------


def _unit(vectors: Tensor) -> Tensor:
    """Divide each row by its length, and leave a row of zeros as it is."""
    peak = vectors.abs().amax(dim=-1, keepdim=True)  # squares of very small or large entries would leave the range
    scaled = vectors / torch.where(peak > 0, peak, 1.0)
    length = scaled.norm(dim=-1, keepdim=True)
    return scaled / torch.where(length > 0, length, 1.0)


def _require_tables(a: Tensor, b: Tensor) -> None:
    for table in (a, b):
        _require_floating(table, "every table of vectors")
        if table.ndim != 2 or table.shape[1] == 0:
            raise ValueError(f"a table of vectors must be of shape (n, d), got {tuple(table.shape)}.")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"vectors can be compared if they have the same d, got {tuple(a.shape)} and {tuple(b.shape)}.")


def _require_floating(tensor: Tensor, name: str) -> None:
    if not tensor.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {tensor.dtype}.")
