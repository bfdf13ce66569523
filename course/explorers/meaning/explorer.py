"""The widget: its traits, what it sends to the browser, and its text alternative."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import anywidget
import torch
import traitlets
from torch import Tensor

from course import corpora, views
from course.embeddings import cosine_similarity, principal_axes
from course.explorers.meaning.groups import (
    LayerNumbers,
    dealt_groups,
    group_cosines,
    layer_numbers,
    new_planes,
    only_pair,
    part,
)
from course.explorers.meaning.planes import principal_planes, separating_plane
from course.explorers.meaning.words import find_word, word_vectors
from course.models import Model, ModelError

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
        described = _described(placed, groups, len(items))
        super().__init__(layer_names=words.layer_names, group_names=names, items=described)
        self.model, self.words, self.groups = model, words, counted
        self._lay_planes()
        self.layer = first
        if own is not None:
            self.own_text, self.own_word = own
            self._read_own()
        else:
            self.own_word = items[0][1] if len({word.lower() for _, word, _ in items}) == 1 else ""
        self.observe(lambda change: self._read_own(), names=["own_text", "own_word"])

    @traitlets.validate("layer", "pair", "followed")
    def _inside(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        least, n = {
            "layer": (0, len(self.layer_names)),
            "pair": (0, len(self.pairs)),
            "followed": (-1, len(self.items) + 1),
        }[name]
        if not least <= value < n:
            raise traitlets.TraitError(f"{name} must be from {least} to {n - 1}, got {value}.")
        return value

    @property
    def numbers(self) -> list[LayerNumbers]:
        """What the panel says, layer by layer, for the two groups that are parted now, under their true names."""
        return layer_numbers(self.words, self.groups, *self.pairs[self.pair])

    def _lay_planes(self) -> None:
        vectors, n_groups = self.words.vectors, len(self.group_names)
        pairs = list(itertools.combinations(range(n_groups), 2))
        true = [only_pair(self.groups, *pair) for pair in pairs]
        parted = [[part(vectors, each) for each in true]]
        parted.append([part(vectors, dealt_groups(each.groups), each.is_used) for each in parted[0]])
        last = separating_plane(vectors[-1], parted[0][0].directions[-1].along, principal_axes(vectors[-1]))
        self._planes = principal_planes(vectors, last)  # (layer, 2, d_model)
        axes = [[new_planes(vectors, each, self._planes) for each in row] for row in parted]
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
        plane = "" if now.kept != now.kept else f", which keeps {now.kept:.0%} of the variance"
        lines = [
            f"Meaning map of {self.model.name}: {sum(counts)} words in their sentences ("
            + ", ".join(f"{name}: {count}" for name, count in zip(names, counts, strict=True))
            + ")"
            + (f" and {n_landmarks} words as landmarks" if n_landmarks else "")
            + f", at layer {now.layer}, in the plane of the two principal axes{plane}.",
            f"Layer by layer: mean cosine within a group, between groups; how many of {now.n_used} used items and of "
            f"{now.n_held_back} held back lie on their side of the border between {names[left]} and {names[right]}.",
        ]
        lines += [
            f"{row.layer:>6}  {row.within:.3f}  {row.between:.3f}  {row.used_right:3d}  {row.held_back_right:3d}"
            for row in numbers
        ]
        if self.own:
            cosines = zip(names, self.own_cosines[self.layer], strict=True)
            near = ", ".join(f"{name} {cosine:.3f}" for name, cosine in cosines)
            lines.append(f"Your sentence, “{self.own['text']}”: cosine with each group's mean at this layer: {near}.")
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


def _described(placed, groups, n_items) -> list[dict]:
    items = []
    for i, ((text, word, _), group) in enumerate(zip(placed, groups, strict=True)):
        start, end = find_word(text, word)
        items.append({"text": text, "start": start, "end": end, "group": group, "landmark": i >= n_items})
    return items


def _numbers_or_none(numbers: Sequence[float]) -> list[float | None]:
    """Write NaN, which JSON does not know, as None."""
    return [None if number != number else number for number in numbers]


def _bytes(tensor: Tensor) -> bytes:
    return tensor.float().contiguous().numpy(force=True).tobytes()
