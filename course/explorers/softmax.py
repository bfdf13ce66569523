"""The softmax explorer: scores that the learner drags, and the weights that come out.

The browser computes every weight itself, on every move. The functions here compute the same in Python, so that the
cell below the explorer can print its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import anywidget
import torch
import traitlets
from torch import Tensor

from course import views
from course.attention import scaled_dot_product_scores, softmax
from course.models import Model

MOST_KEYS = 24  # more of them, and the picture no longer fits on one screen
LARGEST_SCORE = 256.0
WIDTHS = tuple(2**power for power in range(10))  # 1 to 512
LABELS = ("The", "cat", "sat", "on", "the", "mat")
SCORES = (-1.0, 1.2, 0.3, 0.6, -1.1, 1.5)  # of the query "sat": made up, with a mean square of about 1


def softmax_inputs(scores: Tensor, temperature: float = 1.0, width: int = 64, divide_by_root: bool = True) -> Tensor:
    """Give the numbers that go into exp.

    ``scores`` are those of unit variance. As plain dot products of vectors of ``width`` independent numbers they are
    √width times as large; dividing by √width gives them back.

    Args:
        scores: (key,), floating point.
        temperature: divides everything.
        width: number of entries of a query and of a key.
        divide_by_root: True for scaled dot products, False for plain ones.

    Returns:
        inputs: (key,).

    Example:
        >>> softmax_inputs(torch.tensor([1.5, -1.0]), temperature=2.0, width=64, divide_by_root=False)
        tensor([ 6., -4.])
    """
    return scores * (1.0 if divide_by_root else math.sqrt(width)) / temperature


def effective_number(weights: Tensor) -> float:
    """Count how many keys share the attention: exp(entropy), 1 if one key has it all, n if n keys have equal shares.

    Args:
        weights: (key,), summing to 1.

    Example:
        >>> round(effective_number(torch.tensor([0.5, 0.5, 0.0])), 6)
        2.0
    """
    return math.exp(entropy(weights))


def entropy(weights: Tensor) -> float:
    """Measure how evenly the weights are spread: −Σ w ln w, in nats; 0 if one key has all the weight.

    Args:
        weights: (key,), summing to 1.

    Example:
        >>> entropy(torch.tensor([1.0, 0.0]))
        0.0
    """
    return float(torch.special.entr(weights).sum())


def own_gradient(weights: Tensor) -> Tensor:
    """Say how fast each weight rises with its own input: w (1 − w), the diagonal of softmax's Jacobian.

    The inputs are the numbers that go into exp. No entry exceeds 0.25; near a weight of 0 or 1 it vanishes, and
    learning with it: that is saturation.

    Args:
        weights: (key,), summing to 1.

    Returns:
        gradient: (key,).

    Example:
        >>> own_gradient(torch.tensor([0.5, 0.5, 0.0]))
        tensor([0.2500, 0.2500, 0.0000])
    """
    return weights * (1 - weights)


class SoftmaxExplorer(anywidget.AnyWidget):
    """Drag scores and see the weights that softmax makes of them, at any temperature and width.

    What the learner chooses is in the traits, and a cell can set them too: ``scores``, ``temperature``, ``width``,
    ``divide_by_root``, ``chosen`` (the key whose formula is written out, from 0).

    Args:
        labels: names of the keys; if None, those of *The cat sat on the mat*, or numbers if ``scores`` are given.
        scores: one score a key, of unit variance or about it.
        query: the name of the token that looks; "" leaves it out.
        temperature, width, divide_by_root: the first setting.

    Raises:
        ValueError: labels and scores do not fit each other, or a score cannot be shown.
    """

    _esm = views.script("softmax")
    _css = views.style("softmax")

    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    query = traitlets.Unicode().tag(sync=True)
    scores = traitlets.List(traitlets.Float()).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # the traits that the button "Back to the start" sets again
    temperature = traitlets.Float(1.0, min=0.1, max=5.0).tag(sync=True)
    width = traitlets.Enum(WIDTHS, 64).tag(sync=True)
    divide_by_root = traitlets.Bool(True).tag(sync=True)
    chosen = traitlets.Int(1).tag(sync=True)

    def __init__(
        self,
        labels: Sequence[str] | None = None,
        scores: Sequence[float] | Tensor | None = None,
        query: str | None = None,
        temperature: float = 1.0,
        width: int = 64,
        divide_by_root: bool = True,
    ):
        if labels is None and scores is None:
            labels, scores, query = LABELS, SCORES, "sat" if query is None else query
        scores = _numbers(scores)
        labels = [str(key) for key in range(len(scores))] if labels is None else list(map(str, labels))
        if len(labels) != len(scores):
            raise ValueError(f"There must be one score for each label, got {len(labels)} labels, {len(scores)} scores.")
        super().__init__(
            labels=labels,
            scores=scores,
            query=query or "",
            temperature=temperature,
            width=width,
            divide_by_root=divide_by_root,
            chosen=min(1, len(scores) - 1),
        )
        self.start = {name: getattr(self, name) for name in ("scores", "temperature", "width", "divide_by_root")}

    @classmethod
    def from_head(
        cls, model: Model, text: str, layer: int = 3, head: int = 1, query: int | str = "sat"
    ) -> SoftmaxExplorer:
        """Start from one row of a real head: the scores Q Kᵀ / √d_head of one token for all tokens of a text.

        Args:
            model: an encoder whose scores are plain dot products, from ``models.load``.
            text: what the model reads.
            layer, head: counted from 0.
            query: the token that looks: its position, counted from 0, or the token itself (its first occurrence).

        Raises:
            TypeError: ``text`` is not text.
            ValueError: the text is empty or too long, there is no such layer, head or token, or the model's scores
                are not Q Kᵀ / √d_head.
        """
        tokens, position, scores, d_head = head_row(model, text, layer, head, query)
        return cls(tokens, scores, tokens[position], width=d_head if d_head in WIDTHS else 64)

    @property
    def weights(self) -> Tensor:
        """Return the weights as they are now: (key,), float64, summing to 1."""
        scores = torch.tensor(self.scores, dtype=torch.float64)
        return softmax(softmax_inputs(scores, self.temperature, self.width, self.divide_by_root))

    @property
    def entropy(self) -> float:
        """Return the entropy of the weights, in nats."""
        return entropy(self.weights)

    @property
    def effective_number(self) -> float:
        """Return how many keys share the attention: exp(entropy)."""
        return effective_number(self.weights)

    @property
    def gradient(self) -> Tensor:
        """Return how fast each weight rises with its own input: (key,), w (1 − w)."""
        return own_gradient(self.weights)

    @traitlets.validate("labels")
    def _one_for_each_score(self, proposal):
        if self.scores and len(proposal["value"]) != len(self.scores):
            raise traitlets.TraitError(f"There must be {len(self.scores)} labels, got {len(proposal['value'])}.")
        return proposal["value"]

    @traitlets.validate("scores")
    def _all_shown(self, proposal):
        scores = proposal["value"]
        if len(scores) != len(self.labels):
            raise traitlets.TraitError(f"There must be {len(self.labels)} scores, one for each key, got {len(scores)}.")
        if not all(abs(score) <= LARGEST_SCORE for score in scores):  # NaN is not
            raise traitlets.TraitError(f"A score must lie between −{LARGEST_SCORE:g} and {LARGEST_SCORE:g}.")
        return scores

    @traitlets.validate("chosen")
    def _inside(self, proposal):
        if not 0 <= proposal["value"] < len(self.labels):
            raise traitlets.TraitError(
                f"chosen must be from 0 to {len(self.labels) - 1}, the number of a key, got {proposal['value']}."
            )
        return proposal["value"]

    def __repr__(self) -> str:
        weights = self.weights
        best = int(weights.argmax())
        shown = zip(self.labels, self.scores, weights.tolist())
        rows = ", ".join(f"{label} {score:.2f} → {weight:.3f}" for label, score, weight in shown)
        scaling = "divided by √d" if self.divide_by_root else "not divided by √d"
        return (
            f"Softmax explorer: {len(self.labels)} scores{f' of the query {self.query!r}' if self.query else ''} → "
            f"weights: {rows}. Temperature {self.temperature:.1f}, width d = {self.width}, {scaling}. The largest "
            f"weight is {weights[best]:.3f} ({self.labels[best]}), about {self.effective_number:.1f} keys share the "
            f"attention, the weights sum to {float(weights.sum()):.3f}, the largest gradient is "
            f"{float(self.gradient.max()):.3f}."
        )


def head_row(
    model: Model, text: str, layer: int, head: int, query: int | str
) -> tuple[list[str], int, list[float], int]:
    """Take the scores of one token from a real head; returns tokens, the query's position, scores and d_head.

    Args and errors as in :meth:`SoftmaxExplorer.from_head`.
    """
    run = model.run(text)
    if len(run.tokens) > MOST_KEYS:
        raise ValueError(
            f"This text is {len(run.tokens)} tokens long. The softmax explorer shows at most {MOST_KEYS}. Shorten it."
        )
    for name, number, n in (("layer", layer, run.n_layers), ("head", head, run.n_heads)):
        if not 0 <= number < n:
            raise ValueError(f"{model.name} has {n} {name}s, numbered 0 to {n - 1}; there is no {name} {number}.")
    if isinstance(query, str):
        if query not in run.tokens:
            raise ValueError(f"There is no token {query!r} in this text. Its tokens are {' '.join(run.tokens)}.")
        query = run.tokens.index(query)
    if not 0 <= query < len(run.tokens):
        raise ValueError(f"The tokens are numbered 0 to {len(run.tokens) - 1}; there is no token {query}.")
    if run.queries is not None and run.queries.shape == run.keys.shape:
        scores = scaled_dot_product_scores(run.queries[layer, head, query : query + 1], run.keys[layer, head])[0]
        if torch.allclose(softmax(scores), run.attentions[layer, head, query], atol=1e-4):
            return run.tokens, query, scores.tolist(), run.queries.shape[-1]
    raise ValueError(
        f"{model.name} does not score by a plain product of queries and keys, or hides the future by itself, so its "
        "scores cannot be shown here. Take an encoder such as minilm."
    )


def _numbers(scores) -> list[float]:
    if scores is None:
        raise ValueError("There are labels but no scores. Give one score for each label.")
    try:
        numbers = [float(score) for score in scores]
    except (TypeError, ValueError) as reason:
        raise ValueError(f"Scores must be a list of numbers, one for each key, got {scores!r}.") from reason
    if not 1 <= len(numbers) <= MOST_KEYS:
        raise ValueError(f"The softmax explorer shows 1 to {MOST_KEYS} scores, got {len(numbers)}.")
    if not all(abs(number) <= LARGEST_SCORE for number in numbers):  # NaN is not
        raise ValueError(f"A score must lie between −{LARGEST_SCORE:g} and {LARGEST_SCORE:g}, got {numbers}.")
    return numbers
