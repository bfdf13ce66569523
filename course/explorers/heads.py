"""The head explorer: every attention head of a model on the learner's own text."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import anywidget
import numpy as np
import traitlets
from torch import Tensor

from course import views
from course.models import Model, ModelError
from course.tokenization import from_byte_level

LISTED_TOKENS = 40  # the text alternative lists every token's look up to this many tokens
WORTH_A_WORD = 2  # of 255: a weight that would read 0.00 is not named


class HeadExplorer(anywidget.AnyWidget):
    """Choose a head among all heads of a model; see which token looks where, as lines or as a matrix.

    What the learner chooses is in the traits, and a cell can set them too: ``text``, ``pair``, ``layer``, ``head``,
    ``query`` (a position, -1 for all), ``view`` ("lines" or "matrix"), ``hide_special``. Layers, heads and positions
    count from 0. A text that the model cannot read leaves the last picture in place and puts a sentence in ``problem``.

    Args:
        model: a model from ``models.load``.
        text: the first text shown.
        pair: a second text, read together with the first; None leaves its field out.
        layer, head: the head shown first.

    Attributes:
        run: the model's run on the text shown, a ``models.Run``.
    """

    _esm = views.script("head_view")
    _css = views.style("head_view")

    text = traitlets.Unicode().tag(sync=True)
    pair = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    query = traitlets.Int(-1).tag(sync=True)
    view = traitlets.Enum(["lines", "matrix"], "lines").tag(sync=True)
    hide_special = traitlets.Bool(False).tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    kinds = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    buffer = traitlets.Bytes().tag(sync=True)

    def __init__(
        self, model: Model, text: str = "The cat sat on the mat", pair: str | None = None, layer: int = 0, head: int = 0
    ):
        self.model = model
        run = model.run(text) if pair is None else model.run(text, pair)
        super().__init__(text=text, pair=pair, layer=layer, head=head, **self._shown(run))
        self.run = run
        self.observe(self._read, names=["text", "pair"])

    @property
    def weights(self) -> Tensor:
        """The weights of the head shown, (query, key); each row sums to 1."""
        return self.run.attentions[self.layer, self.head]

    @traitlets.validate("layer", "head", "query")
    def _inside(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        n_layers, n_heads, n_tokens = self.shape
        count = {"layer": n_layers, "head": n_heads, "query": n_tokens}[name]
        least = -1 if name == "query" else 0
        if not least <= value < count:
            raise traitlets.TraitError(f"{name} must be from {least} to {count - 1}, got {value}.")
        return value

    def _shown(self, run) -> dict:
        special = set(self.model.tokenizer.all_special_ids)
        return {
            "tokens": readable(run.tokens, is_byte_level(self.model.tokenizer)),
            "kinds": ["special" if i in special else "token" for i in run.ids.tolist()],
            "shape": [run.n_layers, run.n_heads, len(run.tokens)],
            "buffer": to_bytes(run.attentions),
        }

    def _read(self, change):
        try:
            run = self.model.run(self.text) if self.pair is None else self.model.run(self.text, self.pair)
        except (ValueError, TypeError, ModelError) as reason:
            self.problem = f"{reason} The picture still shows the last text."
            return
        with self.hold_sync():
            self.run = run
            self.problem = ""
            self.query = -1
            for name, value in self._shown(run).items():
                setattr(self, name, value)

    def __repr__(self) -> str:
        n_layers, n_heads, n_tokens = self.shape
        return (
            f"{n_layers} layers of {n_heads} attention heads, of {self.model.name}, on {n_tokens} tokens: "
            f"{' '.join(self.tokens)}\n"
            + describe(self.buffer, self.shape, self.tokens, self.kinds, self.layer, self.head)
        )


def to_bytes(weights: Tensor) -> bytes:
    """Write weights as one byte each, 255 for a weight of 1, and compress them; no weight moves by more than 1/510.

    Args:
        weights: any shape, from 0 to 1.

    Returns:
        The bytes, compressed as browsers know it ("deflate"): about a third of the size, or much less in a long text.
    """
    rounded = np.rint(weights.numpy(force=True) * 255).astype(np.uint8)
    return zlib.compress(rounded.tobytes(), level=1)  # higher levels save little and take far longer


def from_bytes(buffer: bytes, shape: Sequence[int]) -> np.ndarray:
    """Read weights written by ``to_bytes`` as whole numbers from 0 to 255.

    Args:
        buffer: n_layers * n_heads * n_tokens * n_tokens weights.
        shape: (n_layers, n_heads, n_tokens).

    Returns:
        (layer, head, query, key), uint8.
    """
    n_layers, n_heads, n_tokens = shape
    return np.frombuffer(zlib.decompress(buffer), np.uint8).reshape(n_layers, n_heads, n_tokens, n_tokens)


def readable(tokens: Sequence[str], byte_level: bool = False) -> list[str]:
    """Write tokens so that a person can read them: a space that belongs to a token becomes ``␣``.

    Byte-level tokens are decoded; a token that is only a part of a character is shown as its bytes, e.g. ``<F0 9F>``.

    Example:
        >>> readable(["The", "Ġcat", "Ċ"], byte_level=True)
        ['The', '␣cat', '↵']
    """
    return [_readable_bytes(token) if byte_level else token.replace("▁", "␣") for token in tokens]


def _readable_bytes(token: str) -> str:
    try:
        written = from_byte_level(token)
    except ValueError:  # a special token such as <|im_start|> is not written in bytes
        return token
    try:
        return written.decode().replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")
    except UnicodeDecodeError:
        return f"<{written.hex(' ').upper()}>"


def is_byte_level(tokenizer) -> bool:
    """True if a fast tokenizer writes its tokens byte by byte, as GPT-2's and SmolLM2's do (the space as ``Ġ``)."""
    return "ByteLevel" in repr(tokenizer.backend_tokenizer.decoder)


def describe(
    buffer: bytes, shape: Sequence[int], tokens: Sequence[str], kinds: Sequence[str], layer: int, head: int
) -> str:
    """Say in words where every token of one head looks: what a reader without the picture needs.

    Args:
        buffer, shape: the weights as ``from_bytes`` reads them.
        tokens, kinds: the tokens, and "special" for each special one.
        layer, head: the head described.

    Returns:
        One line on the head's strongest looks, and one a token for up to 40 tokens.
    """
    weights = from_bytes(buffer, shape)[layer, head]  # (query, key)
    names = [token if kind == "special" else f'"{token}"' for token, kind in zip(tokens, kinds)]
    best = np.argsort(-weights.astype(int), axis=1, kind="stable")  # (query, key), the strongest key first

    def weight(query, key):
        return f"{weights[query, key] / 255:.2f}"

    order = sorted(range(len(tokens)), key=lambda query: -int(weights[query, best[query, 0]]))[:3]
    links = [f"{names[q]} at {names[best[q, 0]]} ({weight(q, best[q, 0])})" for q in order]
    lines = [f"Layer {layer}, head {head}: the strongest looks are {', '.join(links)}."]
    if len(tokens) <= LISTED_TOKENS:
        for query, name in enumerate(names):
            keys = [key for key in best[query, :3] if key == best[query, 0] or weights[query, key] >= WORTH_A_WORD]
            looks = [f"{names[key]} ({weight(query, key)})" for key in keys]
            lines.append(
                f"{name} looks most at {looks[0]}" + (f", then {' and '.join(looks[1:])}." if looks[1:] else ".")
            )
    return "\n".join(lines)
