"""Remove heads from a real model and see what changes: how far every token's vector turns, and the sentence's.

The kernel runs the model again whenever a head is switched; the functions here print the same numbers without a
browser.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import anywidget
import torch
import traitlets
from torch import Tensor
from torch.nn.functional import cosine_similarity

from course import views
from course.models import Model, ModelError
from course.transformer import Bert

MOST_TOKENS = 24  # more rows of bars, and the grid of heads would be out of sight
CHANGED_MUCH = 0.1  # share of a head's weight that went to other tokens
N_DRAWS = 20


class Removal(NamedTuple):
    """What removing heads does to one text."""

    tokens: list[str]
    heads: tuple[tuple[int, int], ...]  # (layer, head) of each that was removed, in order
    token_cosines: Tensor  # (position,), of each final vector with the untouched one
    sentence_cosine: float  # the same for the mean of the final vectors
    weights: Tensor  # (layer, head, query, key), of removed heads too: they look, but nobody hears them
    weight_moved: Tensor  # (layer, head), mean share of a query's weight that went to other keys


class _Untouched(NamedTuple):
    """One text, and what the whole model makes of it."""

    tokens: list[str]
    hidden_states: Tensor  # (layer + 1, position, d_model)
    weights: Tensor  # (layer, head, query, key)


def remove_heads(model: Model, text: str, heads: Iterable[tuple[int, int]]) -> Removal:
    """Run a text with the outputs of some heads set to zero, and compare with the untouched run.

    A removed head adds nothing to its layer's output; the layer's bias, the other heads and the way around the
    attention (the residual connection) stay.

    Args:
        model: a BERT encoder, from ``models.load``.
        text: one text of at most 24 tokens.
        heads: (layer, head) of each head to remove, counted from 0.

    Raises:
        TypeError: ``text`` is not text, or the model is no BERT.
        ValueError: the text is empty or too long, or there is no such head.
    """
    bert = Bert.from_library(model.network)
    return _without(bert, _read(bert, model, text), heads)


def random_heads(
    n_removed: int, n_layers: int, n_heads: int, n_draws: int = N_DRAWS, seed: int = 0
) -> list[list[tuple[int, int]]]:
    """Draw heads to remove, again and again: in each draw all different, each head as likely as any other.

    Args:
        n_removed: how many heads a draw holds.
        n_layers, n_heads: of the model.
        n_draws: how many draws.
        seed: the same seed gives the same draws.

    Returns:
        A list of draws, each a sorted list of (layer, head).

    Example:
        >>> random_heads(3, n_layers=1, n_heads=3, n_draws=2)
        [[(0, 0), (0, 1), (0, 2)], [(0, 0), (0, 1), (0, 2)]]
    """
    if not 0 <= n_removed <= n_layers * n_heads:
        raise ValueError(f"{n_removed} heads cannot be drawn from {n_layers * n_heads}.")
    generator = torch.Generator().manual_seed(seed)
    drawn = (torch.randperm(n_layers * n_heads, generator=generator)[:n_removed] for _ in range(n_draws))
    return [sorted(divmod(i, n_heads) for i in each.tolist()) for each in drawn]


def _read(bert: Bert, model: Model, text: str) -> _Untouched:
    if isinstance(text, str) and text.strip():
        n_tokens = len(model.tokenizer(text)["input_ids"])
        if n_tokens > MOST_TOKENS:
            raise ValueError(
                f"This text is {n_tokens} tokens long. Here at most {MOST_TOKENS} are shown, so that every head "
                "switched off answers at once. Shorten it."
            )
    run = model.run(text)
    with torch.no_grad():
        encoded = bert(run.ids, run.segment_ids)
    return _Untouched(run.tokens, *encoded)


def _without(bert: Bert, untouched: _Untouched, heads: Iterable[tuple[int, int]]) -> Removal:
    n_layers, n_heads = untouched.weights.shape[:2]
    keep_heads = torch.ones(n_layers, n_heads, dtype=torch.bool)
    for layer, head in heads:
        if not (0 <= layer < n_layers and 0 <= head < n_heads):
            raise ValueError(
                f"There is no head ({layer}, {head}): layers are numbered 0 to {n_layers - 1}, heads 0 to "
                f"{n_heads - 1}, and a head is written (layer, head)."
            )
        keep_heads[layer, head] = False
    # Nothing changes below the lowest layer that lost a head, so the run starts there.
    start = next((layer for layer, keep in enumerate(keep_heads) if not keep.all()), n_layers)
    final, weights = untouched.hidden_states[start], untouched.weights.clone()
    with torch.no_grad():
        for layer in range(start, n_layers):
            final, weights[layer] = bert.blocks[layer](final, keep_heads=keep_heads[layer])
    before = untouched.hidden_states[-1]  # (position, d_model), as is final
    return Removal(
        untouched.tokens,
        tuple(map(tuple, (~keep_heads).nonzero().tolist())),
        cosine_similarity(final, before, dim=-1),
        cosine_similarity(final.mean(dim=0), before.mean(dim=0), dim=0).item(),
        weights,
        (weights - untouched.weights).abs().sum(dim=-1).mean(dim=-1) / 2,
    )


class AblationExplorer(anywidget.AnyWidget):
    """Switch heads of a BERT encoder off and see which tokens' final vectors turn, and by how much.

    What the learner chooses is in the traits, and a cell can set them too: ``text`` and ``removed``, the list of
    (layer, head). ``removal`` holds the numbers shown at this moment, ``compared`` the sentence's cosines for random
    choices of as many heads, once ``compare()`` was called (the button does).

    Args:
        model: a BERT encoder, from ``models.load``.
        text: the learner may type another one later.
        removed: the heads switched off at first.
    """

    _esm = views.script("ablation")
    _css = views.style("ablation")
    _bert = _untouched = removal = None

    text = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(traitlets.Int(), [0, 0, 0]).tag(sync=True)  # n_layers, n_heads, n_tokens
    removed = traitlets.List().tag(sync=True)  # [layer, head] of each head switched off
    answered = traitlets.List().tag(sync=True)  # the heads for which the numbers below hold
    n_answers = traitlets.Int(0).tag(sync=True)  # grows with every run of the model
    token_cosines = traitlets.List(traitlets.Float()).tag(sync=True)
    sentence_cosine = traitlets.Float(1.0).tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)  # (layer, head, query, key), 255 for a weight of 1
    weight_moved = traitlets.List(traitlets.Float()).tag(sync=True)  # (layer, head), row by row
    changed_much = traitlets.Float(CHANGED_MUCH).tag(sync=True)
    compared = traitlets.List(traitlets.Float()).tag(sync=True)  # sentence cosines of random choices
    n_drawn = traitlets.Int(0).tag(sync=True)  # how many random choices were made

    def __init__(
        self,
        model: Model,
        text: str = "The cat sat on the mat",
        removed: Sequence[tuple[int, int]] = ((0, 2), (5, 11)),
    ):
        super().__init__(text=text, removed=[list(map(int, each)) for each in removed])
        self.model = model
        try:
            self._bert = Bert.from_library(model.network)
        except (TypeError, ValueError):
            self.problem = (
                f"{model.name} is not a BERT encoder, so its heads cannot be removed here. Take a BERT such as minilm."
            )
            return
        self._read_text()
        self.observe(lambda change: self._read_text(), names="text")
        self.observe(lambda change: self._answer(), names="removed")
        self.on_msg(self._hear)

    @traitlets.validate("removed")
    def _inside(self, proposal):
        heads = sorted({(int(layer), int(head)) for layer, head in proposal["value"]})
        n_layers, n_heads, _ = self.shape
        for layer, head in heads:
            if n_layers and not (0 <= layer < n_layers and 0 <= head < n_heads):
                raise traitlets.TraitError(
                    f"removed must hold (layer, head) from (0, 0) to ({n_layers - 1}, {n_heads - 1}), got "
                    f"({layer}, {head})."
                )
        return [list(each) for each in heads]

    def remove_random(self, n_removed: int) -> None:
        """Put all heads back and remove as many at random; every call draws others."""
        n_layers, n_heads, _ = self.shape
        drawn = random_heads(n_removed, n_layers, n_heads, n_draws=self.n_drawn + 1)[-1]
        self.n_drawn += 1
        self.removed = [list(each) for each in drawn]

    def compare(self, n_draws: int = N_DRAWS) -> list[float]:
        """Remove as many heads as are removed now, but random ones, and give the sentence's cosine of each draw."""
        if self._untouched is None:
            return []
        n_layers, n_heads, _ = self.shape
        draws = random_heads(len(self.removed), n_layers, n_heads, n_draws, seed=1)  # not those of remove_random
        self.compared = [_without(self._bert, self._untouched, heads).sentence_cosine for heads in draws]
        return self.compared

    def __repr__(self) -> str:
        if self.removal is None:
            return f"Heads to remove, without a text. {self.problem}"
        _, heads, token_cosines, sentence_cosine, _, weight_moved = self.removal
        n_layers, n_heads, n_tokens = self.shape
        lines = [
            f"{n_layers} layers of {n_heads} heads of {self.model.name} on {n_tokens} tokens: {' '.join(self.tokens)}",
            f"{len(heads)} of {n_layers * n_heads} heads removed, (layer, head): "
            f"{', '.join(map(str, heads)) or 'none'}.",
            f"The sentence vector keeps {sentence_cosine:.3f} of its direction (cosine).",
            "Cosine of each final vector with the untouched one: "
            + ", ".join(f"{token!r} {cosine:.3f}" for token, cosine in zip(self.tokens, token_cosines.tolist()))
            + ".",
        ]
        changed = [
            divmod(i, n_heads)
            for i, moved in enumerate(weight_moved.flatten().tolist())
            if moved >= CHANGED_MUCH and divmod(i, n_heads) not in heads
        ]
        lines.append(
            f"{len(changed)} other head{'s' * (len(changed) != 1)} changed much (at least {CHANGED_MUCH:.0%} of the "
            "weight went to other tokens)" + (f": {', '.join(map(str, changed))}." if changed else ".")
        )
        return "\n".join(lines)

    def _read_text(self) -> None:
        try:
            untouched = _read(self._bert, self.model, self.text)
        except (TypeError, ValueError, ModelError) as error:
            self.problem = str(error)  # the last good picture stays
            return
        n_layers, n_heads, n_tokens, _ = untouched.weights.shape
        with self.hold_sync():
            self._untouched, self.problem = untouched, ""
            self.shape, self.tokens = [n_layers, n_heads, n_tokens], untouched.tokens
            self.removed = self.removed  # of a first text, only now known to exist
            self._answer()

    def _answer(self) -> None:
        if self._untouched is None:
            return
        self.removal = _without(self._bert, self._untouched, self.removed)
        with self.hold_sync():
            self.token_cosines = [min(1.0, cosine) for cosine in self.removal.token_cosines.tolist()]
            self.sentence_cosine = min(1.0, self.removal.sentence_cosine)
            self.weights = (self.removal.weights * 255).round().to(torch.uint8).numpy().tobytes()
            self.weight_moved = self.removal.weight_moved.flatten().tolist()
            self.compared = []
            self.answered = [list(each) for each in self.removal.heads]
            self.n_answers += 1

    def _hear(self, widget, content, buffers) -> None:
        if content.get("do") == "compare":
            self.compare()
        elif content.get("do") == "random":
            n_layers, n_heads, _ = self.shape
            self.remove_random(max(0, min(int(content.get("n", 0)), n_layers * n_heads)))


def angle(cosine: float) -> float:
    """Turn a cosine into the angle between the two vectors, in degrees.

    Example:
        >>> round(angle(0.5))
        60
    """
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
