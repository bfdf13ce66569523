"""Transformer layers made of ``course.attention``: the encoder block, and a whole BERT out of stacked blocks.

Every layer is a small ``torch.nn.Module`` that returns what the lessons show: its output and its attention weights.
``Bert.from_library`` takes over the weights of a transformers ``BertModel``; the tests hold both against each other.

Sources: Vaswani et al. (2017), "Attention Is All You Need"; Devlin et al. (2019), "BERT: Pre-training of Deep
Bidirectional Transformers for Language Understanding"; Ba et al. (2016), "Layer Normalization"; Hendrycks and Gimpel
(2016), "Gaussian Error Linear Units".
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course.attention import Attended, multi_head_attention


class Encoded(NamedTuple):
    """What an encoder gives: every layer's vectors, and every head's weights.

    Attributes:
        hidden_states: (layer + 1, [batch,] position, d_model); first the embeddings, then each block's output.
        weights: (layer, [batch,] head, query, key), each row summing to 1.
    """

    hidden_states: Tensor
    weights: Tensor


# --------------------------------------------------------------------------------------------------------- functions


def layer_norm(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, epsilon: float = 1e-12) -> Tensor:
    """Give each vector mean 0 and variance 1 over its own numbers, then stretch and shift each number.

    Computes (x − mean) / √(variance + ε) · weight + bias along the last axis, with the variance divided by d_model
    (not d_model − 1). Every position of every text is treated alone.

    Args:
        x: (..., d_model), floating point.
        weight: (d_model,); None for ones.
        bias: (d_model,); None for zeros.
        epsilon: keeps a constant vector from dividing by 0; BERT uses 1e-12.

    Returns:
        Same shape as ``x``.

    Raises:
        ValueError: ``weight`` or ``bias`` does not fit the last axis.

    Example:
        >>> layer_norm(torch.tensor([[1.0, 3.0]]))         # mean 2, standard deviation 1
        tensor([[-1.,  1.]])

    Source: Ba et al. (2016), eq. (4).
    """
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.shape != x.shape[-1:]:
            raise ValueError(
                f"{name} must hold one number for each of the {x.shape[-1]} columns of x, got {tuple(parameter.shape)}."
            )
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)
    normalised = centred / (variance + epsilon).sqrt()
    if weight is not None:
        normalised = normalised * weight
    return normalised if bias is None else normalised + bias


def gelu(x: Tensor) -> Tensor:
    """Let large numbers pass and hold small ones back: x · Φ(x), Φ the normal distribution's cumulative function.

    Example:
        >>> gelu(torch.tensor([-3.0, 0.0, 3.0]))
        tensor([-0.0040,  0.0000,  2.9960])

    Source: Hendrycks and Gimpel (2016).
    """
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


# ------------------------------------------------------------------------------------------------------------ layers


class LayerNorm(nn.Module):
    """Keep the weight and bias of :func:`layer_norm`."""

    def __init__(self, d_model: int, epsilon: float = 1e-12):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.weight, self.bias, self.epsilon)


class MultiHeadAttention(nn.Module):
    """Keep the four linear maps of :func:`course.attention.multi_head_attention`, all (d_model, d_model).

    Args:
        d_model: width of the vectors.
        n_heads: a whole number that divides ``d_model``.
    """

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(f"n_heads must divide d_model = {d_model}, got {n_heads}.")
        self.n_heads = n_heads
        self.W_Q, self.W_K, self.W_V, self.W_O = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(
        self,
        x: Tensor,
        key_value: Tensor | None = None,
        may_attend: Tensor | None = None,
        keep_heads: Tensor | None = None,
    ) -> Attended:
        """Let each position of ``x`` look at ``key_value``, or at ``x`` itself.

        Args:
            x: (..., n_query, d_model).
            key_value: (..., n_key, d_model); ``x`` if None (self-attention).
            may_attend: boolean, broadcastable to (..., head, n_query, n_key).
            keep_heads: boolean, (head,); False removes a head.

        Returns:
            output (..., n_query, d_model) and weights (..., head, n_query, n_key).
        """
        maps = (self.W_Q, self.W_K, self.W_V, self.W_O)
        return multi_head_attention(
            x,
            x if key_value is None else key_value,
            *(each.weight for each in maps),
            self.n_heads,
            *(each.bias for each in maps),
            may_attend=may_attend,
            keep_heads=keep_heads,
        )


class FeedForward(nn.Module):
    """Widen each vector, let the large numbers pass (GELU), and narrow it again; each position alone.

    Args:
        d_model: width of the vectors.
        d_hidden: width in the middle, in BERT four times ``d_model``.
    """

    def __init__(self, d_model: int, d_hidden: int):
        super().__init__()
        self.widen = nn.Linear(d_model, d_hidden)
        self.narrow = nn.Linear(d_hidden, d_model)

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(gelu(self.widen(x)))  # (..., d_model)


class EncoderBlock(nn.Module):
    """One layer of BERT: attention and feed-forward, each added to what came in and then normalised (post-norm).

    Args:
        d_model, n_heads, d_hidden: as in :class:`MultiHeadAttention` and :class:`FeedForward`.
        epsilon: of both LayerNorms.

    Source: Vaswani et al. (2017), §3.1; Devlin et al. (2019), §3.
    """

    def __init__(self, d_model: int, n_heads: int, d_hidden: int, epsilon: float = 1e-12):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.attention_norm = LayerNorm(d_model, epsilon)
        self.feed_forward = FeedForward(d_model, d_hidden)
        self.feed_forward_norm = LayerNorm(d_model, epsilon)

    def forward(self, x: Tensor, may_attend: Tensor | None = None, keep_heads: Tensor | None = None) -> Attended:
        """Return the block's output (..., position, d_model) and its weights (..., head, query, key)."""
        attended = self.attention(x, may_attend=may_attend, keep_heads=keep_heads)
        x = self.attention_norm(x + attended.output)
        return Attended(self.feed_forward_norm(x + self.feed_forward(x)), attended.weights)


class Embeddings(nn.Module):
    """Look up each token, its position and its segment in three tables, add the three vectors and normalise.

    Args:
        n_tokens: size of the vocabulary.
        n_positions: the longest text that can be read.
        n_segments: 2 in BERT, first and second text.
        d_model: width of the vectors.
        epsilon: of the LayerNorm.
    """

    def __init__(self, n_tokens: int, n_positions: int, n_segments: int, d_model: int, epsilon: float = 1e-12):
        super().__init__()
        self.token = nn.Embedding(n_tokens, d_model)
        self.position = nn.Embedding(n_positions, d_model)
        self.segment = nn.Embedding(n_segments, d_model)
        self.norm = LayerNorm(d_model, epsilon)

    def forward(self, ids: Tensor, segment_ids: Tensor | None = None) -> Tensor:
        """Turn ids (..., position) into vectors (..., position, d_model); segment 0 everywhere if None is given."""
        n_positions = ids.shape[-1]
        if n_positions > self.position.num_embeddings:
            raise ValueError(
                f"This text is {n_positions} tokens long; the table of positions ends after "
                f"{self.position.num_embeddings}."
            )
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < self.token.num_embeddings:
            raise ValueError(f"ids must lie between 0 and {self.token.num_embeddings - 1}, the size of the vocabulary.")
        segment_ids = torch.zeros_like(ids) if segment_ids is None else segment_ids
        position = torch.arange(n_positions, device=ids.device)  # broadcasts over the batch
        return self.norm(self.token(ids) + self.position(position) + self.segment(segment_ids))


# ---------------------------------------------------------------------------------------------------------- the whole


class Bert(nn.Module):
    """BERT's encoder: embeddings, then blocks one on top of the other. The pooler and any head are left out.

    Args:
        n_tokens, n_positions, n_segments: sizes of the three tables.
        d_model, n_heads, d_hidden, n_layers: of the blocks.
        epsilon: of all LayerNorms.

    Example:
        >>> bert = Bert(n_tokens=11, n_positions=7, n_segments=2, d_model=6, n_heads=3, d_hidden=8, n_layers=2)
        >>> encoded = bert(torch.tensor([[1, 5, 2], [1, 2, 0]]), is_token=torch.tensor([[1, 1, 1], [1, 1, 0]]).bool())
        >>> encoded.hidden_states.shape, encoded.weights.shape
        (torch.Size([3, 2, 3, 6]), torch.Size([2, 2, 3, 3, 3]))

    Source: Devlin et al. (2019), §3.
    """

    def __init__(
        self,
        n_tokens: int,
        n_positions: int,
        n_segments: int,
        d_model: int,
        n_heads: int,
        d_hidden: int,
        n_layers: int,
        epsilon: float = 1e-12,
    ):
        super().__init__()
        self.embeddings = Embeddings(n_tokens, n_positions, n_segments, d_model, epsilon)
        self.blocks = nn.ModuleList(EncoderBlock(d_model, n_heads, d_hidden, epsilon) for _ in range(n_layers))

    @classmethod
    def from_library(cls, network) -> Bert:
        """Build the same encoder as a transformers ``BertModel`` and share its weights (nothing is copied).

        Raises:
            TypeError: ``network`` is not a BertModel.
            ValueError: it is one, but computes something else than these blocks do (its activation is not the exact
                GELU, or it is set up as a decoder).
        """
        config = getattr(network, "config", None)
        if getattr(config, "model_type", None) != "bert" or not hasattr(network, "encoder"):
            raise TypeError(
                "from_library needs a transformers BertModel, for example models.load('minilm').network, "
                f"got {type(network).__name__}."
            )
        if config.hidden_act != "gelu" or getattr(config, "is_decoder", False):
            raise ValueError(
                "from_library rebuilds BERT encoders with the exact GELU; this one has "
                f"hidden_act={config.hidden_act!r} and is_decoder={config.is_decoder}."
            )
        with torch.device("meta"):  # no numbers yet: the library's are put in their place
            bert = cls(
                n_tokens=config.vocab_size,
                n_positions=config.max_position_embeddings,
                n_segments=config.type_vocab_size,
                d_model=config.hidden_size,
                n_heads=config.num_attention_heads,
                d_hidden=config.intermediate_size,
                n_layers=config.num_hidden_layers,
                epsilon=config.layer_norm_eps,
            )
        table = network.embeddings
        _share(bert.embeddings.token, table.word_embeddings)
        _share(bert.embeddings.position, table.position_embeddings)
        _share(bert.embeddings.segment, table.token_type_embeddings)
        _share(bert.embeddings.norm, table.LayerNorm)
        for block, layer in zip(bert.blocks, network.encoder.layer, strict=True):
            _share(block.attention.W_Q, layer.attention.self.query)
            _share(block.attention.W_K, layer.attention.self.key)
            _share(block.attention.W_V, layer.attention.self.value)
            _share(block.attention.W_O, layer.attention.output.dense)
            _share(block.attention_norm, layer.attention.output.LayerNorm)
            _share(block.feed_forward.widen, layer.intermediate.dense)
            _share(block.feed_forward.narrow, layer.output.dense)
            _share(block.feed_forward_norm, layer.output.LayerNorm)
        return bert.eval()

    def forward(
        self,
        ids: Tensor,
        segment_ids: Tensor | None = None,
        is_token: Tensor | None = None,
        keep_heads: Tensor | None = None,
    ) -> Encoded:
        """Read token ids and keep every layer's vectors and weights.

        Args:
            ids: (position,) or (batch, position), whole numbers.
            segment_ids: same shape; None for segment 0 everywhere.
            is_token: same shape, boolean, False on padding, which is then hidden from every query. None if there is
                no padding.
            keep_heads: (layer, head), boolean; False removes a head. None keeps them all.

        Returns:
            An :class:`Encoded`; without the batch axis if ``ids`` has none.

        Raises:
            ValueError: the text is too long, an id is not in the vocabulary, a shape does not fit, or a text is
                nothing but padding.
            TypeError: ``is_token`` or ``keep_heads`` is not boolean.
        """
        for name, given in (("segment_ids", segment_ids), ("is_token", is_token)):
            if given is not None and given.shape != ids.shape:
                raise ValueError(
                    f"{name} must have the shape of ids, got {tuple(given.shape)} and ids {tuple(ids.shape)}."
                )
        if keep_heads is not None and len(keep_heads) != len(self.blocks):
            raise ValueError(
                f"keep_heads must hold one row a layer, {len(self.blocks)} here, got {tuple(keep_heads.shape)}."
            )
        x = self.embeddings(ids, segment_ids)  # (..., position, d_model)
        may_attend = None if is_token is None else is_token[..., None, None, :]  # (..., head, query, key), broadcast
        hidden_states, weights = [x], []
        for i, block in enumerate(self.blocks):
            x, block_weights = block(x, may_attend, None if keep_heads is None else keep_heads[i])
            hidden_states.append(x)
            weights.append(block_weights)
        return Encoded(torch.stack(hidden_states), torch.stack(weights))


def _share(ours: nn.Module, theirs: nn.Module) -> None:
    """Let our layer hold the library's parameters themselves."""
    for name, parameter in theirs.named_parameters(recurse=False):
        assert getattr(ours, name).shape == parameter.shape, f"{name}: {getattr(ours, name).shape}, {parameter.shape}"
        setattr(ours, name, parameter)
