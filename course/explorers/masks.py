"""The mask painter: real scores, a mask that the learner paints, and the weights that come out.

The kernel sends the scores of one head once; the browser computes mask and weights from them on every move. The
functions here compute the same in Python, so that the cell below the painter can print its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import anywidget
import torch
import traitlets
from torch import Tensor

from course import views
from course.attention import causal_mask, combine_masks, same_segment_mask, scaled_dot_product_scores, softmax
from course.models import Model

MOST_TOKENS = 24  # more of them, and the cells become too small to click
MOST_PADDING = 4
RULES = ("before", "finite", "after")


class HeadScores(NamedTuple):
    """The scores of one head for one text, with padding at its end."""

    tokens: list[str]
    segment_ids: Tensor  # (position,), of padding too: the tokenizer gives it segment 0
    n_tokens: int  # of them real; the others are padding
    scores: Tensor  # (query, key)


def head_scores(
    model: Model, text: str, second: str | None = None, layer: int = 3, head: int = 11, n_padding: int = MOST_PADDING
) -> HeadScores:
    """Run a text, padded at its end, through a real model and take one head's scores Q Kᵀ / √d_head.

    Fewer padding tokens give the same numbers: while the model runs, nobody looks at padding, so the scores for n of
    them are the first rows and columns of the scores for more.

    Args:
        model: an encoder whose scores are plain dot products.
        text: one text; ``second`` makes it a pair.
        layer, head: counted from 0.
        n_padding: number of [PAD] tokens to append.

    Raises:
        TypeError: ``text`` is not text.
        ValueError: the text is empty or has more than 24 tokens, there is no such layer or head, or the model's
            scores are not Q Kᵀ / √d_head.
    """
    given = [text] if second is None else [text, second]
    if all(isinstance(each, str) and each.strip() for each in given):
        n_tokens = len(model.tokenizer(*given)["input_ids"])
        if n_tokens > MOST_TOKENS:
            raise ValueError(
                f"This text is {n_tokens} tokens long. The mask painter shows at most {MOST_TOKENS}, so that its "
                "cells stay large enough to click. Shorten it."
            )
    else:
        n_tokens = 0  # the model's own sentence says what is wrong with the text
    run = model.run(text, second, pad_to=n_tokens + n_padding if n_tokens else None)
    for name, chosen, n in (("layer", layer, run.n_layers), ("head", head, run.n_heads)):
        if not 0 <= chosen < n:
            raise ValueError(f"{model.name} has {n} {name}s, numbered 0 to {n - 1}; there is no {name} {chosen}.")
    segment_ids = torch.zeros_like(run.ids) if run.segment_ids is None else run.segment_ids
    if run.queries is not None and run.queries.shape == run.keys.shape:
        scores = scaled_dot_product_scores(run.queries[layer, head], run.keys[layer, head])
        weights = painted_weights(scores, run.is_token.expand_as(scores))
        if torch.allclose(weights[run.is_token], run.attentions[layer, head][run.is_token], atol=1e-4):
            return HeadScores(run.tokens, segment_ids, n_tokens, scores)
    raise ValueError(
        f"{model.name} does not score by a plain product of queries and keys, or hides the future by itself, so its "
        "masks cannot be painted here. Take an encoder such as minilm."
    )


def allowed_cells(
    segment_ids: Tensor,
    n_tokens: int,
    hide_padding: bool = False,
    hide_future: bool = False,
    hide_other_sentence: bool = False,
    painted: Iterable[tuple[int, int, bool]] = (),
) -> Tensor:
    """Combine the kinds of mask by *and*, then let what was painted by hand overrule them.

    Args:
        segment_ids: (position,), 0 for the first sentence, 1 for the second.
        n_tokens: positions from here on are padding.
        painted: (query, key, may look) of each painted cell; cells outside the square are passed over.

    Returns:
        may_attend: (query, key), boolean.

    Example:
        >>> allowed_cells(torch.tensor([0, 0, 0]), 2, hide_padding=True, painted=[(1, 0, False)]).int()
        tensor([[1, 1, 0],
                [0, 1, 0],
                [1, 1, 0]], dtype=torch.int32)
    """
    n = len(segment_ids)
    may_attend = combine_masks(
        torch.ones(n, n, dtype=torch.bool),
        torch.arange(n) < n_tokens if hide_padding else None,
        causal_mask(n) if hide_future else None,
        same_segment_mask(segment_ids) if hide_other_sentence else None,
    )
    for query, key, may in painted:
        if query < n and key < n:
            may_attend[query, key] = bool(may)
    return may_attend


def painted_weights(scores: Tensor, may_attend: Tensor, temperature: float = 1.0, rule: str = "before") -> Tensor:
    """Turn scores into weights, with the mask put in at one of three places.

    Args:
        scores: (query, key), floating point.
        may_attend: (query, key), boolean.
        temperature: divides the scores before the mask is added.
        rule: "before" adds −∞ before the softmax (a row that may see nothing becomes NaN); "finite" adds −10⁹
            (such a row becomes uniform); "after" multiplies the finished weights by 0 (rows sum to less than 1).

    Returns:
        weights: (query, key).

    Raises:
        ValueError: ``rule`` is none of the three.

    Example:
        >>> painted_weights(torch.zeros(1, 2), torch.tensor([[True, False]]))
        tensor([[1., 0.]])
        >>> painted_weights(torch.zeros(1, 2), torch.tensor([[True, False]]), rule="after")
        tensor([[0.5000, 0.0000]])
    """
    if rule == "after":
        return softmax(scores, temperature=temperature) * may_attend
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(map(repr, RULES))}, got {rule!r}.")
    closed = -math.inf if rule == "before" else -1e9
    return softmax(scores / temperature + torch.zeros_like(scores).masked_fill(~may_attend, closed))


class MaskPainter(anywidget.AnyWidget):
    """Paint a mask over a real head's scores and see the weights and the mixture that come out.

    Args:
        model: an encoder, from ``models.load``.
        text: the learner may type another one later.
        second: a second sentence; gives the painter a third kind of mask.
        layer, head: whose queries and keys are used, counted from 0.
        n_padding: how many of the four [PAD] tokens are shown at first.

    ``may_attend`` and ``weights`` are what the browser shows at this moment, as tensors.
    """

    _esm = views.script("mask_painter")
    _css = views.style("mask_painter")

    text = traitlets.Unicode().tag(sync=True)
    second = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)  # four [PAD] at its end, shown or not
    segment_ids = traitlets.List(traitlets.Int()).tag(sync=True)
    n_tokens = traitlets.Int().tag(sync=True)
    scores = traitlets.Bytes().tag(sync=True)  # float32, (query, key), over all of `tokens`
    most_padding = traitlets.Int(MOST_PADDING).tag(sync=True)
    n_padding = traitlets.Int(min=0, max=MOST_PADDING).tag(sync=True)
    hide_padding = traitlets.Bool(True).tag(sync=True)
    hide_future = traitlets.Bool(False).tag(sync=True)
    hide_other_sentence = traitlets.Bool(False).tag(sync=True)
    painted = traitlets.List().tag(sync=True)  # [query, key, may look] of each cell painted by hand
    temperature = traitlets.Float(1.0, min=0.1, max=4.0).tag(sync=True)
    rule = traitlets.Enum(RULES, "before").tag(sync=True)
    row = traitlets.Int(min=0).tag(sync=True)  # the query whose mixture is shown

    def __init__(
        self,
        model: Model,
        text: str = "The cat sat on the mat",
        second: str | None = None,
        layer: int = 3,
        head: int = 11,
        n_padding: int = 2,
    ):
        super().__init__(text=text, second=second, n_padding=n_padding)
        self.model, self.layer, self.head = model, layer, head
        self._scores = torch.zeros(0, 0)
        self._read()
        self.observe(lambda change: self._read(), names=["text", "second"])

    @property
    def n_shown(self) -> int:
        """Count the tokens that are shown, padding included."""
        return self.n_tokens + self.n_padding if self.n_tokens else 0

    @property
    def may_attend(self) -> Tensor:
        """Return the mask as it is now: (query, key), boolean, True where the query may look at the key."""
        return allowed_cells(
            torch.tensor(self.segment_ids[: self.n_shown], dtype=torch.int64),
            self.n_tokens,
            self.hide_padding,
            self.hide_future,
            self.hide_other_sentence and self.second is not None,
            self.painted,
        )

    @property
    def weights(self) -> Tensor:
        """Return the weights as they are now: (query, key), float32."""
        if not self.n_shown:
            return torch.zeros(0, 0)
        shown = self._scores[: self.n_shown, : self.n_shown]
        return painted_weights(shown, self.may_attend, self.temperature, self.rule)

    def __repr__(self) -> str:
        if not self.n_tokens:
            return f"Mask painter without a text. {self.problem}"
        may_attend, weights, n = self.may_attend, self.weights, self.n_shown
        hidden = ", ".join(
            name
            for name, on in (
                ("padding", self.hide_padding),
                ("the future", self.hide_future),
                ("the other sentence", self.hide_other_sentence),
            )
            if on
        )
        row = weights[self.row]
        largest = row.argsort(descending=True)[:3].tolist()
        mixture = "= " + " + ".join(f"{row[key]:.0%} of {self.tokens[key]!r}" for key in largest) + " + the rest"
        if row.isnan().any():
            mixture = "is NaN, as this token may look at nothing"
        return (
            f"Mask painter: three squares of {n} by {n} tokens ({' '.join(self.tokens[:n])}), for layer {self.layer}, "
            f"head {self.head}: scores, mask, weights. Hidden: {hidden or 'nothing'}; {int((~may_attend).sum())} of "
            f"{n * n} cells are closed. The new vector of {self.tokens[self.row]!r} {mixture}."
        )

    def _read(self) -> None:
        try:
            found = head_scores(self.model, self.text, self.second, self.layer, self.head)
        except (TypeError, ValueError) as error:
            self.problem = str(error)  # the last good picture stays
            return
        self._scores = found.scores
        with self.hold_sync():
            self.tokens, self.segment_ids = found.tokens, found.segment_ids.tolist()
            self.n_tokens, self.scores = found.n_tokens, found.scores.float().contiguous().numpy().tobytes()
            self.painted, self.row, self.problem = [], min(2, found.n_tokens - 1), ""
