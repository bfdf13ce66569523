"""One attention head, step by step: a query, the keys it is compared with, scores, weights, and the mixture of values.

The kernel sends the queries, keys and values of all heads once for a text; the browser computes every step from them.
The functions here compute the same in Python, so that the cell below the explorer can print its numbers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import anywidget
import torch
import traitlets
from torch import Tensor

from course import views
from course.attention import scaled_dot_product_scores, softmax
from course.models import Model, ModelError

MOST_TOKENS = 24  # more rows, and the whole head no longer fits on a screen
STEPS = ("query, keys and values", "one product", "scores", "weights", "the mixture")


class HeadVectors(NamedTuple):
    """The queries, keys and values of all heads for one text."""

    tokens: list[str]
    queries: Tensor  # (layer, head, position, d_head)
    keys: Tensor  # (layer, head, position, d_head)
    values: Tensor  # (layer, head, position, d_head)


class Steps(NamedTuple):
    """What one query does in one head, from the single products to the mixture."""

    products: Tensor  # (key, d_head), query times key, number by number
    dot_products: Tensor  # (key,), the sums of the products
    scores: Tensor  # (key,), the dot products divided by √d_head
    weights: Tensor  # (key,), sum 1
    shares: Tensor  # (key, d_value), each value times its weight
    output: Tensor  # (d_value,), the sum of the shares


def head_vectors(model: Model, text: str) -> HeadVectors:
    """Run a text through a real model and take the queries, keys and values of every head.

    Args:
        model: an encoder whose scores are plain dot products.
        text: one text of at most 24 tokens.

    Raises:
        TypeError: ``text`` is not text.
        ValueError: the text is empty or too long, or the model's weights are not softmax(Q Kᵀ / √d_head), to 1e-4.
    """
    if isinstance(text, str) and text.strip():
        n_tokens = len(model.tokenizer(text)["input_ids"])
        if n_tokens > MOST_TOKENS:
            raise ValueError(
                f"This text is {n_tokens} tokens long. Here at most {MOST_TOKENS} are shown, each with its key and "
                "value in a row. Shorten it."
            )
    run = model.run(text)
    if run.queries is not None and run.queries.shape == run.keys.shape:
        weights = softmax(scaled_dot_product_scores(run.queries, run.keys))  # (layer, head, query, key)
        if torch.allclose(weights, run.attentions, rtol=0, atol=1e-4):
            return HeadVectors(run.tokens, run.queries, run.keys, run.values)
    raise ValueError(
        f"{model.name} does not score by a plain product of queries and keys, or hides the future, so these five steps "
        "would not give its weights. Take an encoder such as minilm."
    )


def query_steps(query: Tensor, keys: Tensor, values: Tensor) -> Steps:
    """Compute softmax(q Kᵀ / √d_head) V for one query, keeping every step.

    Args:
        query: (d_head,), floating point.
        keys: (key, d_head).
        values: (key, d_value).

    Example:
        >>> steps = query_steps(torch.tensor([2.0, 0.0]), torch.eye(2), torch.tensor([[1.0], [3.0]]))
        >>> steps.products
        tensor([[2., 0.],
                [0., 0.]])
        >>> steps.dot_products
        tensor([2., 0.])
        >>> steps.output.round(decimals=2)  # 0.80 of the first value, 0.20 of the second
        tensor([1.3900])

    Source: Vaswani et al. (2017), "Attention Is All You Need", eq. (1), for a single row of Q.
    """
    products = query * keys  # (key, d_head)
    dot_products = products.sum(dim=-1)  # (key,)
    scores = dot_products / math.sqrt(query.shape[-1])
    weights = softmax(scores)
    shares = weights[:, None] * values  # (key, d_value)
    return Steps(products, dot_products, scores, weights, shares, shares.sum(dim=0))


class QKVExplorer(anywidget.AnyWidget):
    """Follow one query through one real head in five steps.

    What the learner chooses is in the traits, and a cell can set them too: ``text``, ``layer``, ``head``, ``query`` and
    ``key`` (positions) and ``step``, 1 to 5. Layers, heads and positions count from 0. ``scores``, ``weights`` and
    ``output`` are the numbers that the browser shows at this moment.

    Args:
        model: an encoder, from ``models.load``.
        text: the learner may type another one later.
        layer, head: the head shown first.
        step: the step shown first.
    """

    _esm = views.script("qkv")
    _css = views.style("qkv")
    _found = None  # the vectors of the last text that could be read

    text = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(traitlets.Int(), [0, 0, 0, 0]).tag(sync=True)  # n_layers, n_heads, n_tokens, d_head
    vectors = traitlets.Bytes().tag(sync=True)  # float32, (queries/keys/values, layer, head, position, d_head)
    layer = traitlets.Int().tag(sync=True)
    head = traitlets.Int().tag(sync=True)
    query = traitlets.Int().tag(sync=True)
    key = traitlets.Int().tag(sync=True)
    step = traitlets.Int(1, min=1, max=len(STEPS)).tag(sync=True)

    def __init__(
        self, model: Model, text: str = "The cat sat on the mat", layer: int = 3, head: int = 11, step: int = 1
    ):
        super().__init__(text=text, layer=layer, head=head, step=step)
        self.model = model
        self._read()
        self.observe(lambda change: self._read(), names="text")

    @traitlets.validate("layer", "head", "query", "key")
    def _inside(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        n_layers, n_heads, n_tokens, _ = self.shape
        count = {"layer": n_layers, "head": n_heads}.get(name, n_tokens)
        if count and not 0 <= value < count:  # without a text yet, nothing is known
            raise traitlets.TraitError(f"{name} must be from 0 to {count - 1}, got {value}.")
        return value

    @property
    def steps(self) -> Steps:
        """Return all numbers of the query chosen, in the head chosen."""
        if self._found is None:
            raise ValueError(f"There is no text to compute with. {self.problem}")
        _, queries, keys, values = self._found
        at = (self.layer, self.head)
        return query_steps(queries[at][self.query], keys[at], values[at])

    @property
    def scores(self) -> Tensor:
        """Return the scores of the query chosen with every key, divided by √d_head: (key,)."""
        return self.steps.scores

    @property
    def weights(self) -> Tensor:
        """Return the weights of the query chosen: (key,), sum 1."""
        return self.steps.weights

    @property
    def output(self) -> Tensor:
        """Return the mixture of values that the query chosen fetches: (d_head,)."""
        return self.steps.output

    def __repr__(self) -> str:
        if self._found is None:
            return f"Queries, keys and values without a text. {self.problem}"
        steps, names, d_head = self.steps, named(self.tokens), self.shape[3]
        query, key = names[self.query], names[self.key]
        scores = ", ".join(f"{name} {score:.2f}" for name, score in zip(names, steps.scores.tolist(), strict=True))
        largest = steps.weights.argsort(descending=True, stable=True)[:3].tolist()
        mixture = " + ".join(f"{steps.weights[i]:.0%} of {names[i]}" for i in largest)
        return (
            f"Layer {self.layer}, head {self.head} of {self.model.name} on {self.shape[2]} tokens, step {self.step} of "
            f"{len(STEPS)} ({STEPS[self.step - 1]}).\n"
            f"The query of {query} and the key of {key}: {d_head} products add up to "
            f"{steps.dot_products[self.key]:.2f}; divided by √{d_head} = {math.sqrt(d_head):.2f} that is "
            f"{steps.scores[self.key]:.2f}.\n"
            f"Scores of {query}: {scores}.\n"
            f"Softmax makes weights of them that sum to 1. The output of {query} = {mixture}"
            f"{' + the rest' if len(names) > 3 else ''} (values, {d_head} numbers each)."
        )

    def _read(self) -> None:
        try:
            found = head_vectors(self.model, self.text)
        except (TypeError, ValueError, ModelError) as error:
            self.problem = str(error)  # the last good picture stays
            return
        n_layers, n_heads, n_tokens, d_head = found.queries.shape
        vectors = torch.stack(found[1:]).float().contiguous()
        with self.hold_sync():
            self.query = self.key = 0  # inside every text, so that the shape may change
            self.shape = [n_layers, n_heads, n_tokens, d_head]
            self.layer, self.head = self.layer, self.head  # of a first text, only now known to exist
            self._found, self.tokens = found, found.tokens
            self.vectors, self.problem = vectors.numpy().tobytes(), ""
            self.query, self.key = min(3, max(n_tokens - 2, 0)), min(2, max(n_tokens - 2, 0))


def named(tokens: list[str]) -> list[str]:
    """Quote tokens for a sentence, with the position where a token occurs more than once.

    Example:
        >>> named(["[CLS]", "the", "cat", "the"])
        ["'[CLS]'", "'the' (position 1)", "'cat'", "'the' (position 3)"]
    """
    return [f"{t!r} (position {i})" if tokens.count(t) > 1 else repr(t) for i, t in enumerate(tokens)]
