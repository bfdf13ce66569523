"""The meaning map: word vectors of a real model in a plane, layer by layer, and from a point of view of our choice.

Each point is one occurrence of a word in a sentence. The kernel runs the model once and sends where every point lies
in two planes of every layer; the browser moves between them. The functions here compute the same in Python, so that
the cell below the map can print its numbers.

Sources: Hotelling (1933), "Analysis of a Complex of Statistical Variables into Principal Components"; Schönemann
(1966), "A Generalized Solution of the Orthogonal Procrustes Problem"; Ethayarajh (2019), "How Contextual are
Contextualized Word Representations?", who measures cosines over the layers as the panel beside the map does.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

import anywidget
import numpy as np
import torch
import traitlets
from torch import Tensor

from course import corpora, views
from course.embeddings import cosine_similarity, principal_axes
from course.models import Model, ModelError

MOST_TOKENS = 64  # more of them, and the sentence can no longer be read beside the map
MOST_GROUPS = 5  # as many shapes as are told apart at a glance
MOST_ITEMS = 200
LANDMARKS = (
    ("We swam in the river.", "river", "river"),
    ("They walked along the shore.", "shore", "river"),
    ("The water was cold.", "water", "river"),
    ("The boat drifted away.", "boat", "river"),
    ("She counted the money.", "money", "money"),
    ("He asked for a loan.", "loan", "money"),
    ("They paid in cash.", "cash", "money"),
    ("I opened an account.", "account", "money"),
)
OWN = ("The bank beside the river lends money to farmers.", "bank")


class WordVectors(NamedTuple):
    """Vectors of words in their sentences, from the table of word vectors to the last layer."""

    layer_names: list[str]  # "static", then "0" (positions added, nothing mixed yet) if it differs, then "1", "2" ...
    vectors: Tensor  # (layer, item, d_model), each of length 1


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
        sides = [on_right_side(layer, self.groups, found) for layer, found in zip(vectors, self.directions, strict=True)]
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


# ------------------------------------------------------------------------------------------------- words into vectors


def find_word(text: str, word: str) -> tuple[int, int]:
    """Find where a word first stands in a text, as a word of its own, capitals or not.

    Returns:
        (start, end), in characters.

    Raises:
        TypeError: ``text`` or ``word`` is not text.
        ValueError: one of them is empty, or the word is not there.

    Example:
        >>> find_word("Embankments bank up the bank.", "bank")
        (12, 16)
    """
    for given in (text, word):
        if not isinstance(given, str):
            raise TypeError(f"A sentence and one of its words are needed, both as text; got {type(given).__name__}.")
    word = word.strip()
    if not text.strip():
        raise ValueError("There is no sentence here. Type one that contains the word.")
    if not word:
        raise ValueError("Which word is meant? Type one word of the sentence into the field for the word.")
    found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    if not found:
        raise ValueError(f"The word “{word}” does not stand in this sentence. Type a word that does.")
    return found.span()


def word_vectors(model: Model, items: Sequence[tuple[str, str]]) -> WordVectors:
    """Run sentences through a model and take the vector of one word of each, in every layer.

    A word that was cut into several pieces gets the mean of its pieces. Each vector is then given length 1: only its
    direction counts, as for the cosine, and no layer looks larger than another only because its numbers are.

    Args:
        model: from ``models.load``.
        items: (text, word) pairs; the word may be the whole text.

    Raises:
        TypeError, ValueError: a text is empty or has more than 64 tokens, or does not contain its word.
    """
    spans = [find_word(text, word) for text, word in items]
    pieces = []  # of each item, the positions of its word's pieces
    for (text, word), (start, end) in zip(items, spans, strict=True):
        encoded = model.tokenizer(text, return_offsets_mapping=True, verbose=False)
        if len(encoded["input_ids"]) > MOST_TOKENS:
            raise ValueError(
                f"This sentence is {len(encoded['input_ids'])} tokens long. The meaning map shows at most "
                f"{MOST_TOKENS}, so that it can be read beside the map. Shorten it."
            )
        offsets = encoded["offset_mapping"]
        pieces.append([i for i, (s, e) in enumerate(offsets) if s < e and s < end and start < e])
        if not pieces[-1]:
            raise ValueError(f"{model.name} makes no token of “{word}”. Choose another word.")
    table = model.network.get_input_embeddings().weight
    vectors = []
    for begin in range(0, len(items), 32):
        run = model.run([text for text, _ in items[begin : begin + 32]])
        static = table[run.ids].detach()[None]  # (1, batch, position, d_model)
        states = torch.cat([static, run.hidden_states])  # (layer, batch, position, d_model)
        vectors += [states[:, i, where].mean(dim=1) for i, where in enumerate(pieces[begin : begin + 32])]
    stacked = torch.stack(vectors, dim=1)  # (layer, item, d_model)
    names = ["static", *map(str, range(len(stacked) - 1))]
    if torch.equal(stacked[0], stacked[1]):  # this model adds no positions to its word vectors
        stacked, names = stacked[torch.arange(len(names)) != 1], [name for name in names if name != "0"]
    return WordVectors(names, torch.nn.functional.normalize(stacked, dim=-1))


# ------------------------------------------------------------------------------------------------------------- planes


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


def part(vectors: Tensor, groups: Sequence[int]) -> Parted:
    """Find, in every layer, the direction from group 0 to group 1, from half of their items.

    Args:
        vectors: (layer, item, d_model).
        groups: 0, 1, or -1 for an item of neither.
    """
    is_used = used_half(groups)
    return Parted(list(groups), is_used, [mean_direction(layer, groups, is_used) for layer in vectors])


def on_right_side(vectors: Tensor, groups: Sequence[int], direction: Direction) -> Tensor:
    """Say which items lie on their own group's side of the border: (item,), boolean; never, where there is none."""
    groups, beyond = torch.as_tensor(groups), vectors @ direction.along > direction.border
    return (groups >= 0) & (beyond == (groups == 1)) & bool(direction.along.any())


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
    parted = part(words.vectors, _only(groups, left, right))
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


def _only(groups: Sequence[int], left: int, right: int) -> list[int]:
    """Name two groups 0 and 1, and all others -1."""
    return [{left: 0, right: 1}.get(group, -1) for group in groups]


def _new_planes(vectors: Tensor, parted: Parted, planes: Tensor) -> Tensor:
    """Turn every layer's plane to its direction, with the items of the two groups in view: (layer, 2, d_model)."""
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


# ----------------------------------------------------------------------------------------------------------- explorer


class MeaningExplorer(anywidget.AnyWidget):
    """Look at word vectors in a plane: move through the layers, and turn to a point of view that parts two groups.

    What the learner chooses is in the traits, and a cell can set them too: ``layer`` (0 is the first of
    ``layer_names``), ``view`` (0 to 100 % of the way to the new point of view), ``followed`` (the number of an item,
    -1 for none, the number of items for their own), ``own_text`` and ``own_word``. Bad input leaves the map as it is
    and puts a sentence in ``problem``.

    Args:
        model: from ``models.load``.
        items: (text, word, group) of each point, two to five groups; the word may be the whole text. None shows
            *bank* in ``corpora.bank_senses()``.
        landmarks: (text, word, group) of points that are named on the map, help to lay its plane and count for
            nothing else. None shows eight words beside *bank*, and none beside other items.
        own: (text, word) of the learner's own first point. None shows one beside *bank*, and none otherwise.
        layer: the layer shown first, by its name: "static", "0", "1" ... None shows the last.

    Raises:
        TypeError, ValueError: an item is not what it should be; the message says which and why.
    """

    _esm = views.script("meaning_map")
    _css = views.style("meaning_map")

    layer_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    group_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    items = traitlets.List(traitlets.Dict()).tag(sync=True)  # text, start, end, group, landmark; see _described
    pairs = traitlets.List().tag(sync=True)  # [left, right] groups, one of which is parted
    pair_groups = traitlets.List().tag(sync=True)  # (dealt, pair, item): 0 left, 1 right, -1 neither
    used = traitlets.List().tag(sync=True)  # (pair, item): 1 where the item helped to find the direction
    right_counts = traitlets.List().tag(sync=True)  # (dealt, pair, layer): [used right, held back right]
    cosines = traitlets.List().tag(sync=True)  # (layer): [within, between]
    principal = traitlets.Bytes().tag(sync=True)  # float32, (layer, item, 2)
    separating = traitlets.Bytes().tag(sync=True)  # float32, (dealt, pair, layer, item, 2)
    turns = traitlets.Bytes().tag(sync=True)  # float32, (dealt, pair, layer, 2, 2): principal axes · separating axes
    borders = traitlets.Bytes().tag(sync=True)  # float32, (dealt, pair, layer); NaN where there is none
    totals = traitlets.Bytes().tag(sync=True)  # float32, (layer,): squared distances from the mean, summed

    own_text = traitlets.Unicode().tag(sync=True)
    own_word = traitlets.Unicode().tag(sync=True)
    own = traitlets.Dict().tag(sync=True)  # text, start, end of the last good one
    own_principal = traitlets.Bytes().tag(sync=True)  # float32, (layer, 2)
    own_separating = traitlets.Bytes().tag(sync=True)  # float32, (dealt, pair, layer, 2)
    own_cosines = traitlets.List().tag(sync=True)  # (layer, group)
    problem = traitlets.Unicode().tag(sync=True)

    layer = traitlets.Int(0).tag(sync=True)
    view = traitlets.Int(0, min=0, max=100).tag(sync=True)
    pair = traitlets.Int(0, min=0).tag(sync=True)
    is_dealt = traitlets.Bool(False).tag(sync=True)
    followed = traitlets.Int(-1, min=-1).tag(sync=True)
    hidden_groups = traitlets.List(traitlets.Int()).tag(sync=True)
    show_landmarks = traitlets.Bool(True).tag(sync=True)

    def __init__(
        self,
        model: Model,
        items: Sequence[tuple[str, str, str]] | None = None,
        landmarks: Sequence[tuple[str, str, str]] | None = None,
        own: tuple[str, str] | None = None,
        layer: str | None = None,
    ):
        if items is None:
            items = [(each.text, "bank", each.sense) for each in corpora.bank_senses()]
            landmarks, own = LANDMARKS if landmarks is None else landmarks, OWN if own is None else own
        placed = [*items, *(landmarks or [])]
        names = _group_names(items, placed)
        groups = [names.index(group) for _, _, group in placed]
        counted = [group if i < len(items) else -1 for i, group in enumerate(groups)]
        words = word_vectors(model, [(text, word) for text, word, _ in placed])
        if layer is not None and str(layer) not in words.layer_names:
            raise ValueError(f"There is no layer {layer!r}; {model.name} has {', '.join(words.layer_names)}.")
        first = len(words.layer_names) - 1 if layer is None else words.layer_names.index(str(layer))
        super().__init__(layer=first, **_described(placed, groups, len(items)))
        self.model, self.words, self.groups = model, words, counted
        self.layer_names, self.group_names = words.layer_names, names
        self._lay_planes()
        if own is not None:
            self.own_text, self.own_word = own
            self._read_own()
        else:
            self.own_word = items[0][1] if len({word.lower() for _, word, _ in items}) == 1 else ""
        self.observe(lambda change: self._read_own(), names=["own_text", "own_word"])

    @property
    def numbers(self) -> list[LayerNumbers]:
        """What the panel says, layer by layer, for the two groups that are parted now."""
        return layer_numbers(self.words, self.groups, *self.pairs[self.pair])

    def _lay_planes(self) -> None:
        vectors, n_groups = self.words.vectors, len(self.group_names)
        pairs = list(itertools.combinations(range(n_groups), 2))
        true = [_only(self.groups, *pair) for pair in pairs]
        last = separating_plane(vectors[-1], part(vectors, true[0]).directions[-1].along, principal_axes(vectors[-1]))
        self._planes = principal_planes(vectors, last)  # (layer, 2, d_model)
        parted = [[part(vectors, each) for each in row] for row in (true, [dealt_groups(each) for each in true])]
        axes = [[_new_planes(vectors, each, self._planes) for each in row] for row in parted]
        self._new_planes = torch.stack([torch.stack(row) for row in axes])  # (dealt, pair, layer, 2, d_model)
        self._means = vectors.mean(dim=1, keepdim=True)  # (layer, 1, d_model)
        members = [[i for i, group in enumerate(self.groups) if group == name] for name in range(n_groups)]
        self._group_means = torch.stack([vectors[:, each].mean(dim=1) for each in members], dim=1)
        centred = vectors - self._means
        with self.hold_sync():
            self.pairs = [list(pair) for pair in pairs]
            self.pair_groups = [[each.groups for each in row] for row in parted]
            self.used = [each.is_used.int().tolist() for each in parted[0]]
            self.right_counts = [[[list(n) for n in each.right_counts(vectors)] for each in row] for row in parted]
            self.cosines = [_numbers_or_none(group_cosines(layer, self.groups)) for layer in vectors]
            self.principal, self.separating = _bytes(centred @ self._planes.mT), _bytes(centred @ self._new_planes.mT)
            self.turns = _bytes(self._planes @ self._new_planes.mT)
            self.borders = _bytes(torch.tensor([[each.borders(self._means) for each in row] for row in parted]))
            self.totals = _bytes(centred.square().sum(dim=(1, 2)))

    def _read_own(self) -> None:
        try:
            start, end = find_word(self.own_text, self.own_word)
            vectors = word_vectors(self.model, [(self.own_text, self.own_word)]).vectors  # (layer, 1, d_model)
        except (TypeError, ValueError, ModelError) as reason:
            self.problem = f"{reason} The map still shows your last sentence." if self.own else str(reason)
            return
        centred = vectors - self._means
        with self.hold_sync():
            self.own = {"text": self.own_text, "start": start, "end": end}
            self.own_principal = _bytes(centred @ self._planes.mT)
            self.own_separating = _bytes(centred @ self._new_planes.mT)
            self.own_cosines = [
                cosine_similarity(vector, means)[0].tolist()
                for vector, means in zip(vectors, self._group_means, strict=True)
            ]
            self.problem = ""

    def __repr__(self) -> str:
        names, counts = self.group_names, [self.groups.count(i) for i in range(len(self.group_names))]
        n_landmarks = self.groups.count(-1)
        numbers, (left, right) = self.numbers, self.pairs[self.pair]
        now = numbers[self.layer]
        plane = "" if np.isnan(now.kept) else f", which keeps {now.kept:.0%} of the variance"
        lines = [
            f"Meaning map of {self.model.name}: {sum(counts)} words in their sentences ("
            + ", ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
            + ")"
            + (f" and {n_landmarks} words as landmarks" if n_landmarks else "")
            + f", at layer {now.layer}, in the plane of the two principal axes{plane}.",
            f"Layer by layer: mean cosine within a group, between groups; how many of {now.n_used} used items and of "
            f"{now.n_held_back} held back lie on the right side of the border between {names[left]} and {names[right]}.",
        ]
        lines += [
            f"{row.layer:>6}  {row.within:.3f}  {row.between:.3f}  {row.used_right:3d}  {row.held_back_right:3d}"
            for row in numbers
        ]
        if self.own:
            near = ", ".join(f"{name} {cosine:.3f}" for name, cosine in zip(names, self.own_cosines[self.layer], strict=True))
            lines.append(f"Your sentence, “{self.own['text']}”: cosine to the mean of each group at this layer: {near}.")
        if self.problem:
            lines.append(self.problem)
        return "\n".join(lines)


def _group_names(items, placed) -> list[str]:
    for given in placed:
        if not isinstance(given, (tuple, list)) or len(given) != 3 or not all(isinstance(part, str) for part in given):
            raise TypeError(f"Each item is (text, word, group), three texts; got {given!r}.")
    names = list(dict.fromkeys(group for _, _, group in items))
    if not 2 <= len(names) <= MOST_GROUPS:
        raise ValueError(f"The meaning map compares two to {MOST_GROUPS} groups; these items have {len(names)}.")
    if len(placed) > MOST_ITEMS:
        raise ValueError(f"The meaning map shows at most {MOST_ITEMS} points; there are {len(placed)} here.")
    for _, word, group in placed[len(items) :]:
        if group not in names:
            raise ValueError(f"The landmark {word!r} belongs to {group!r}, but the groups are {', '.join(names)}.")
    return names


def _described(placed, groups, n_items) -> dict:
    items = []
    for i, ((text, word, _), group) in enumerate(zip(placed, groups, strict=True)):
        start, end = find_word(text, word)
        items.append({"text": text, "start": start, "end": end, "group": group, "landmark": i >= n_items})
    return {"items": items}


def _numbers_or_none(numbers: Sequence[float]) -> list[float | None]:
    """Write NaN, which JSON does not know, as None."""
    return [None if number != number else number for number in numbers]


def _bytes(tensor: Tensor) -> bytes:
    return tensor.float().contiguous().numpy(force=True).tobytes()
