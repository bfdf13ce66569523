"""Exercises of lesson 07: add positions, normalise a vector, build an encoder block, and measure what order changes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from course import attention
from course.checks.exercise import Case, Exercise, Hint

# 07.1 sinusoidal encoding -----------------------------------------------------------------------------------------


def add_positions(x: Tensor) -> Tensor:
    """Return x (batch, position, d_model) with the sinusoidal vector of its position added to each token."""
    return x + attention.sinusoidal_positions(x.shape[1], x.shape[2])


def _position_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(*shape, generator=generator) for shape in ((3, 7, 4), (1, 6, 8), (5, 2, 10))]
    return [Case((torch.zeros(2, 3, 4),), note="all zeros, so that only the positions are left")] + [
        Case((x,)) for x in drawn
    ]


def _waves(n: int, d_model: int, exponent: float = 2.0, first: int = 0, joined: str = "in turn") -> Tensor:
    per_position = 10_000.0 ** (-exponent * torch.arange(d_model // 2) / d_model)
    angles = (torch.arange(n) + first)[:, None] * per_position  # (position, d_model / 2)
    if joined == "halves":
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
    both = [angles.sin(), angles.sin() if joined == "only sines" else angles.cos()]
    return torch.stack(both[::-1] if joined == "cosine first" else both, dim=-1).flatten(-2)


def _wave_a_column(x: Tensor) -> Tensor:
    column = torch.arange(x.shape[2])
    angles = torch.arange(x.shape[1])[:, None] / 10_000.0 ** (column / x.shape[2])
    return x + torch.where(column % 2 == 0, angles.sin(), angles.cos())


# 07.2 LayerNorm ---------------------------------------------------------------------------------------------------


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Return x with each vector brought to mean 0 and variance 1, times weight, plus bias."""
    return F.layer_norm(x, x.shape[-1:], weight, bias, epsilon)


def _norm_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    first = torch.tensor([[1.0, 3.0, 2.0, 6.0], [0.0, 0.5, -2.0, 1.0]])
    equal = torch.tensor([[2.0] * 3, [1.0, 2.0, 4.0]])
    return [
        Case((first, torch.tensor([1.0, 2.0, 0.5, 1.5]), torch.tensor([0.0, 0.1, -0.2, 0.3]), 0.5)),
        Case((1 + 2 * draw(2, 3, 5), 1 + 0.3 * draw(5), 0.5 * draw(5), 1e-12)),
        Case((0.1 * draw(3, 2, 7), 1 + 0.3 * draw(7), draw(7), 0.01), note="small vectors, so that epsilon shows"),
        Case((equal, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.1, 0.2, 0.3]), 1e-12), note="a variance of 0"),
    ]


def _normalised(x, epsilon, dim=-1, correction=0):
    mean, variance = x.mean(dim, keepdim=True), x.var(dim, correction=correction, keepdim=True)
    return (x - mean) / (variance + epsilon).sqrt()


def _epsilon_outside(x, epsilon, correction=0):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, correction=correction, keepdim=True) + epsilon)


def _not_centred(x, weight, bias, epsilon):
    return x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt() * weight + bias


def _by_variance(x, weight, bias, epsilon):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, correction=0, keepdim=True) + epsilon) * weight + bias


# 07.3 feed-forward ------------------------------------------------------------------------------------------------


def feed_forward(x: Tensor, W_1: Tensor, b_1: Tensor, W_2: Tensor, b_2: Tensor) -> Tensor:
    """Return the network of two maps with GELU between them, applied to each vector of x."""
    return F.linear(F.gelu(F.linear(x, W_1, b_1)), W_2, b_2)


def _forward_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for shape, d_hidden in (((3, 2), 5), ((2, 3, 4), 7), ((1, 5, 3), 6)):
        shapes = ((d_hidden, shape[-1]), (d_hidden,), (shape[-1], d_hidden), (shape[-1],))
        cases.append(Case(tuple(torch.randn(*each, generator=generator) for each in (shape, *shapes))))
    x, W_1, _, W_2, b_2 = cases[0].arguments
    b_1 = -2.3 - W_1 @ x[0]  # the first vector's hidden numbers are −2.3, where approximations of GELU are worst
    return [Case((x, W_1, b_1, W_2, 0.1 * b_2)), *cases[1:]]


def _forward_with(activation):
    def feed_forward(x, W_1, b_1, W_2, b_2):
        return F.linear(activation(F.linear(x, W_1, b_1)), W_2, b_2)

    return feed_forward


# 07.4 encoder block -----------------------------------------------------------------------------------------------


def encoder_block(x: Tensor, weights: dict, n_heads: int) -> Tensor:
    """Return what a post-norm encoder block makes of x (batch, position, d_model)."""
    x = _norm(x + _attended(x, weights, n_heads), weights["norm_1"])
    return _norm(x + _thought(x, weights), weights["norm_2"])


def _norm(x, values):
    return F.layer_norm(x, x.shape[-1:], values["weight"], values["bias"], 1e-12)


def _attended(x, weights, n_heads):
    return attention.multi_head_attention(x, x, n_heads=n_heads, **weights["attention"]).output


def _thought(x, weights, activation=F.gelu):
    return _forward_with(activation)(x, *(weights[name] for name in ("W_1", "b_1", "W_2", "b_2")))


def _block_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731

    def weights(d_model, d_hidden):
        maps = {f"W_{name}": draw(d_model, d_model) / d_model**0.5 for name in "QKVO"}
        biases = {f"b_{name}": 0.3 * draw(d_model) for name in "QKVO"}
        norms = {f"norm_{i}": {"weight": 1 + 0.3 * draw(d_model), "bias": 0.3 * draw(d_model)} for i in (1, 2)}
        forward = {"W_1": draw(d_hidden, d_model) / 2, "b_1": draw(d_hidden)}
        back = {"W_2": draw(d_model, d_hidden) / 2, "b_2": draw(d_model)}
        return {"attention": maps | biases} | norms | forward | back

    sizes = [((1, 2, 4), 8, 2), ((2, 5, 6), 7, 3), ((3, 4, 6), 24, 1)]
    return [Case((2 * draw(*shape), weights(shape[-1], d_hidden), n_heads)) for shape, d_hidden, n_heads in sizes]


def _no_residual(x, weights, n_heads):
    x = _norm(_attended(x, weights, n_heads), weights["norm_1"])
    return _norm(_thought(x, weights), weights["norm_2"])


def _no_first_residual(x, weights, n_heads):
    x = _norm(_attended(x, weights, n_heads), weights["norm_1"])
    return _norm(x + _thought(x, weights), weights["norm_2"])


def _no_second_residual(x, weights, n_heads):
    x = _norm(x + _attended(x, weights, n_heads), weights["norm_1"])
    return _norm(_thought(x, weights), weights["norm_2"])


def _pre_norm(x, weights, n_heads):
    x = x + _attended(_norm(x, weights["norm_1"]), weights, n_heads)
    return x + _thought(_norm(x, weights["norm_2"]), weights)


def _norm_on_branch(x, weights, n_heads):
    x = x + _norm(_attended(x, weights, n_heads), weights["norm_1"])
    return x + _norm(_thought(x, weights), weights["norm_2"])


def _renamed(x, weights, n_heads, first, second):
    changed = weights | {"norm_1": weights[first], "norm_2": weights[second]}
    return encoder_block(x, changed, n_heads)


def _forward_reads_input(x, weights, n_heads):
    y = _norm(x + _attended(x, weights, n_heads), weights["norm_1"])
    return _norm(y + _thought(x, weights), weights["norm_2"])


def _residual_around_both(x, weights, n_heads):
    y = _norm(x + _attended(x, weights, n_heads), weights["norm_1"])
    return _norm(x + _thought(y, weights), weights["norm_2"])


def _one_norm(x, weights, n_heads):
    x = x + _attended(x, weights, n_heads)
    return _norm(x + _thought(x, weights), weights["norm_2"])


def _no_norm(x, weights, n_heads):
    x = x + _attended(x, weights, n_heads)
    return x + _thought(x, weights)


def _first_norm_only(x, weights, n_heads):
    x = _norm(x + _attended(x, weights, n_heads), weights["norm_1"])
    return x + _thought(x, weights)


def _with_activation(x, weights, n_heads, activation):
    x = _norm(x + _attended(x, weights, n_heads), weights["norm_1"])
    return _norm(x + _thought(x, weights, activation), weights["norm_2"])


def _no_forward_biases(x, weights, n_heads):
    without = {name: torch.zeros_like(weights[name]) for name in ("b_1", "b_2")}
    return encoder_block(x, weights | without, n_heads)


def _no_forward(x, weights, n_heads):
    return _norm(x + _attended(x, weights, n_heads), weights["norm_1"])


# 07.5 equivariance ------------------------------------------------------------------------------------------------


def order_gap(x: Tensor, positions: Tensor, order: Tensor) -> float:
    """Return the largest |f(x in the new order) − f(x), in the new order|, f being attention over x + positions."""
    return round(_gap(x, positions, order), 6)  # rounding errors would read as an expected 5.96e-08


def _attend(x):
    return attention.scaled_dot_product_attention(x, x, x).output


def _gap(x, positions, order, size=lambda d: d.abs().max(), reorder=lambda y, order: y[order]):
    return float(size(_attend(x[order] + positions) - reorder(_attend(x + positions), order)))


def _gap_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    x = [torch.randn(*shape, generator=generator) for shape in ((4, 2), (3, 4), (5, 6), (7, 4))]
    turned = torch.tensor([1, 2, 0, 4, 3])  # a round of three: putting it back is not the same as doing it again
    waves = attention.sinusoidal_positions
    return [
        Case((x[0], torch.zeros(4, 2), torch.tensor([2, 0, 3, 1])), note="no positions: all zeros"),
        Case((x[1], waves(3, 4), torch.tensor([1, 2, 0]))),
        Case((x[2], waves(5, 6), turned)),
        Case((x[3], waves(7, 4), torch.arange(7)), note="the order stays as it was"),
    ]


def _back_the_wrong_way(x, positions, order):
    return float((_attend(x[order] + positions)[order] - _attend(x + positions)).abs().max())


def _positions_once(x, positions, order):
    return float((_attend(x[order] + positions) - _attend(x)[order]).abs().max())


EXERCISES = (
    Exercise(
        id="07.1", title="sinusoidal positions", points=2, minutes=8, difficulty=3, importance=4,
        answer="function", name="add_positions", returns="a tensor (batch, position, d_model), the positions added",
        reference=add_positions, cases=_position_cases,
        forbidden=(
            "course.attention.sinusoidal_positions", "course.attention.positions.angles",
            "course.attention.positions.sinusoidal_positions",
        ),
        hints=(
            Hint("batch axis", lambda x: x + _waves(x.shape[0], x.shape[2])[:, None],
                 "All tokens of one text got the same vector, and each text another. Along which axis do your "
                 "positions run? The first axis of x is the batch."),
            Hint("batch axis, shapes differ", lambda x: x + _waves(x.shape[0], x.shape[2]),
                 "How many positions does your table have: as many as there are texts, or as many as there are "
                 "tokens? Shapes are matched from the right."),
            Hint("halves", lambda x: x + _waves(*x.shape[1:], joined="halves"),
                 "The numbers are right, their places are not: here sines and cosines take turns, sine in column "
                 "0, cosine in column 1."),
            Hint("cosine first", lambda x: x + _waves(*x.shape[1:], joined="cosine first"),
                 "At position 0 every angle is 0. Which of sine and cosine is 0 there, and which columns are 0 in the "
                 "formula?"),
            Hint("from 1", lambda x: x + _waves(*x.shape[1:], first=1),
                 "Positions count from 0. What should the vector of the first token be, when every angle is 0?"),
            Hint("not doubled", lambda x: x + _waves(*x.shape[1:], exponent=1.0),
                 "Your slow waves are too fast. In the exponent stands 2i, where i counts pairs of columns: 0, 1, 2. "
                 "Which numbers does yours run through?"),
            Hint("doubled twice", lambda x: x + _waves(*x.shape[1:], exponent=4.0),
                 "Your slow waves are too slow. In the exponent stands 2i, where i counts pairs of columns: 0, 1, 2. "
                 "Is your i already 0, 2, 4?"),
            Hint("only sines", lambda x: x + _waves(*x.shape[1:], joined="only sines"),
                 "Both columns of a pair hold the same number. One of them is the sine of the angle. What is the other?"),
            Hint("a wave a column", _wave_a_column,
                 "Each column has its own wavelength in your answer. A sine and the cosine beside it share one: they "
                 "are the two coordinates of one hand of a clock."),
            Hint("multiplied", lambda x: x + _waves(*x.shape[1:], exponent=-2.0),
                 "Your waves get faster from pair to pair. The position is divided by 10000 to the power of 2i/d."),
            Hint("not added, no batch", lambda x: _waves(*x.shape[1:]),
                 "The waves are right. What about the vectors in x: where do the two come together?"),
            Hint("not added", lambda x: _waves(*x.shape[1:]).expand(x.shape),
                 "The waves are right. What about the vectors in x: where do the two come together?"),
            Hint("only the first text", lambda x: x[0] + _waves(*x.shape[1:]),
                 "One text came back. Every text of the batch gets the same positions: broadcasting does that when "
                 "the table is (position, d_model)."),
            Hint("multiplied with x", lambda x: x * _waves(*x.shape[1:]),
                 "Multiplied with x, the sine of 0 wipes out numbers of the first token. Positions are added."),
        ),
    ),
    Exercise(
        id="07.2", title="layer normalisation", points=2, minutes=6, difficulty=2, importance=5,
        answer="function", name="layer_norm", returns="a tensor of the shape of x, each vector normalised",
        reference=layer_norm, cases=_norm_cases,
        forbidden=(
            "course.transformer.layer_norm", "torch.nn.functional.layer_norm", "torch.layer_norm", "torch.nn.LayerNorm",
            "torch.nn.functional.rms_norm", "torch.native_layer_norm",
        ),
        hints=(
            Hint("unbiased, epsilon outside", lambda x, w, b, e: _epsilon_outside(x, e, correction=1) * w + b,
                 "Here are two slips at once: torch's std divides by n − 1 unless it is told otherwise, and epsilon "
                 "belongs to the variance, under the root."),
            Hint("unbiased variance", lambda x, w, b, e: _normalised(x, e, correction=1) * w + b,
                 "By default torch's var divides by n − 1. LayerNorm divides by n: which argument says so?"),
            Hint("epsilon outside the root", lambda x, w, b, e: _epsilon_outside(x, e) * w + b,
                 "Is your epsilon inside the square root?"),
            Hint("over the positions", lambda x, w, b, e: _normalised(x, e, dim=-2) * w + b,
                 "Your mean runs over the tokens. Each token is normalised by itself: over which axis lie the numbers "
                 "of one vector?"),
            Hint("over the first axis", lambda x, w, b, e: _normalised(x, e, dim=0) * w + b,
                 "Your mean runs over the texts of the batch (that would be batch normalisation). Each vector is "
                 "normalised by itself."),
            Hint("over everything", lambda x, w, b, e: _normalised(x, e, dim=tuple(range(x.ndim))) * w + b,
                 "One mean for the whole tensor makes every token depend on every other. How many means does a tensor "
                 "(2, 3, 5) need? One for each vector."),
            Hint("over positions and numbers", lambda x, w, b, e: _normalised(x, e, dim=(-2, -1)) * w + b,
                 "One mean for a whole text makes each token depend on its neighbours. Which single axis holds the "
                 "numbers of one token?"),
            Hint("no weight, no bias", lambda x, w, b, e: _normalised(x, e),
                 "The vectors are normalised well. What happens with weight and bias afterwards?"),
            Hint("no bias", lambda x, w, b, e: _normalised(x, e) * w,
                 "Nearly. One of the four arguments is not used yet."),
            Hint("no weight", lambda x, w, b, e: _normalised(x, e) + b,
                 "Nearly. One of the four arguments is not used yet."),
            Hint("bias before weight", lambda x, w, b, e: (_normalised(x, e) + b) * w,
                 "In which order do weight and bias come? The bias is added last."),
            Hint("no epsilon", lambda x, w, b, e: _normalised(x, 0.0) * w + b,
                 "What if all numbers of a vector are equal? Their variance is 0, and epsilon is there to keep 0/0 "
                 "away."),
            Hint("axis lost", lambda x, w, b, e: (x - x.mean(-1)) / (x.var(-1, correction=0) + e).sqrt() * w + b,
                 "Shapes do not fit. A mean over the last axis leaves one number for each vector and drops that axis, "
                 "unless it is told to keep it as an axis of length 1."),
            Hint("epsilon squared", lambda x, w, b, e: _normalised(x, e**2) * w + b,
                 "Epsilon is squared in your answer. It is added to the variance as it is."),
            Hint("not centred", _not_centred,
                 "The mean of your vectors is not 0. What you have is near to RMSNorm, which SmolLM2 uses; what does "
                 "LayerNorm take away first?"),
            Hint("mean kept", lambda x, w, b, e: x / (x.var(-1, correction=0, keepdim=True) + e).sqrt() * w + b,
                 "The lengths are right, the centre is not: what is taken away before the division?"),
            Hint("no square root", _by_variance,
                 "You divide by the variance, whose unit is the square. What has the unit of the numbers themselves?"),
        ),
    ),
    Exercise(
        id="07.3", title="feed-forward network", points=2, minutes=5, difficulty=2, importance=4,
        answer="function", name="feed_forward", returns="a tensor of the shape of x",
        reference=feed_forward, cases=_forward_cases,
        forbidden=("course.transformer.FeedForward", "torch.nn.TransformerEncoderLayer"),
        hints=(
            Hint("no activation", _forward_with(lambda hidden: hidden),
                 "Two maps in a row without anything between them are one map. What bends the numbers in the middle?"),
            Hint("ReLU", _forward_with(F.relu),
                 "The frame is right. BERT bends with GELU, which is smooth and lets small negative numbers through a "
                 "little; yours cuts them all off."),
            Hint("tanh approximation", _forward_with(lambda hidden: F.gelu(hidden, approximate="tanh")),
                 "Very near, and not the same. BERT's GELU is the exact one, with erf, not the tanh "
                 "approximation."),
            Hint("sigmoid approximation", _forward_with(lambda hidden: hidden * torch.sigmoid(1.702 * hidden)),
                 "Near: this is an approximation of GELU by a sigmoid. BERT's is the exact one, with erf."),
            Hint("SiLU", _forward_with(F.silu),
                 "The frame is right. SiLU is what SmolLM2 uses; BERT uses GELU."),
            Hint("no root in erf", _forward_with(lambda hidden: hidden * (1 + torch.erf(hidden)) / 2),
                 "Near. Look at what stands inside erf in the formula."),
            Hint("no half", _forward_with(lambda hidden: 2 * F.gelu(hidden)),
                 "What leaves the bend is twice too large. Which factor stands before the bracket in GELU?"),
            Hint("activation first", lambda x, W_1, b_1, W_2, b_2: F.linear(F.linear(F.gelu(x), W_1, b_1), W_2, b_2),
                 "GELU comes too early in your answer: it bends what leaves the first map, not what goes into it."),
            Hint("activation at the end", lambda x, *weights: F.gelu(_forward_with(lambda hidden: hidden)(x, *weights)),
                 "GELU stands after the second map in your answer. Where does the wide, hidden vector pass through it?"),
            Hint("activation twice", lambda x, *weights: F.gelu(feed_forward(x, *weights)),
                 "GELU comes once, between the two maps. What leaves the second map goes out as it is."),
            Hint("no biases", lambda x, W_1, b_1, W_2, b_2: F.gelu(x @ W_1.T) @ W_2.T,
                 "Both maps have a bias, a vector that is added after the multiplication."),
            Hint("no first bias", lambda x, W_1, b_1, W_2, b_2: F.linear(F.gelu(x @ W_1.T), W_2, b_2),
                 "One bias is missing: the first map has one, too, and it is added before GELU."),
            Hint("no second bias", lambda x, W_1, b_1, W_2, b_2: F.gelu(F.linear(x, W_1, b_1)) @ W_2.T,
                 "One bias is missing: the second map has one, too."),
            Hint("bias after the activation", lambda x, W_1, b_1, W_2, b_2: F.linear(F.gelu(x @ W_1.T) + b_1, W_2, b_2),
                 "The first bias comes too late: it belongs to the map, before GELU."),
            Hint("input added", lambda x, *weights: x + feed_forward(x, *weights),
                 "The network is right, and you have added the input as well. That residual is the block's work (next "
                 "exercise); leave it out here."),
            Hint("not transposed", lambda x, W_1, b_1, W_2, b_2: F.gelu(x @ W_1 + b_1) @ W_2 + b_2,
                 "A weight is (d_out, d_in), as torch keeps it. Which of its axes has to meet the last axis of x?"),
        ),
    ),
    Exercise(
        id="07.4", title="encoder block", points=2, minutes=8, difficulty=3, importance=5,
        answer="function", name="encoder_block", returns="a tensor (batch, position, d_model)",
        reference=encoder_block, cases=_block_cases,
        forbidden=(
            "course.transformer.EncoderBlock", "course.transformer.Bert", "torch.nn.TransformerEncoderLayer",
            "torch.nn.TransformerEncoder",
        ),
        hints=(
            Hint("no residual", _no_residual,
                 "What flows past the two parts? Each part's result is added to what went into it."),
            Hint("no residual around attention", _no_first_residual,
                 "The second half is right. In the first, the attention's result replaces x instead of being added."),
            Hint("no residual around feed-forward", _no_second_residual,
                 "The first half is right. In the second, the network's result replaces its input instead of being "
                 "added."),
            Hint("norm before", _pre_norm,
                 "This is a pre-norm block, as in SmolLM2. In BERT the norm comes after the sum."),
            Hint("norm on the branch", _norm_on_branch,
                 "You normalise what the part gives and then add. In BERT the sum itself is normalised: what stands "
                 "inside the norm?"),
            Hint("one shared norm", lambda x, w, n: _renamed(x, w, n, "norm_1", "norm_1"),
                 "A block has two norms, each with its own weight and bias. Which one does the second half use?"),
            Hint("second norm twice", lambda x, w, n: _renamed(x, w, n, "norm_2", "norm_2"),
                 "A block has two norms, each with its own weight and bias. Which one does the first half use?"),
            Hint("norms swapped", lambda x, w, n: _renamed(x, w, n, "norm_2", "norm_1"),
                 "Both norms are there, in the other order. Which comes after attention?"),
            Hint("feed-forward reads the input", _forward_reads_input,
                 "What does the second half read: the block's input, or what the first half made of it?"),
            Hint("residual around both", _residual_around_both,
                 "The second sum adds the block's input. It should add what went into the feed-forward network."),
            Hint("only the last norm", _one_norm, "There are two sums in the block. How many of them are normalised?"),
            Hint("no norm", _no_norm, "The two sums are right. What happens to each of them before it goes on?"),
            Hint("last sum not normalised", _first_norm_only,
                 "The first half is right. In the second, the sum is not normalised yet."),
            Hint("ReLU", lambda x, w, n: _with_activation(x, w, n, F.relu),
                 "The frame is right. Which bend does BERT have between the two maps of its feed-forward network?"),
            Hint("no activation", lambda x, w, n: _with_activation(x, w, n, lambda hidden: hidden),
                 "The frame is right. What stands between the two maps of the feed-forward network?"),
            Hint("tanh approximation", lambda x, w, n: _with_activation(x, w, n, lambda h: F.gelu(h, approximate="tanh")),
                 "Very near, and not the same. BERT's GELU is the exact one, with erf."),
            Hint("one head", lambda x, w, n: encoder_block(x, w, 1),
                 "The frame is right. How many heads does your attention have?"),
            Hint("no feed-forward biases", _no_forward_biases,
                 "The frame is right. Which two vectors in the dictionary are not used yet?"),
            Hint("weights not taken out", lambda x, w, n: x + attention.multi_head_attention(x, x, n_heads=n, **w["attention"]),
                 "Does the error speak of 'Attended'? Attention returns two things, its output and its weights: which one "
                 "is added? If it speaks of arguments, compare your call with the one in the example above."),
            Hint("no feed-forward", _no_forward,
                 "This is the first half. The second does the same once more, with the feed-forward network as its "
                 "part."),
        ),
    ),
    Exercise(
        id="07.5", title="measure equivariance", points=2, minutes=8, difficulty=3, importance=4,
        answer="function", name="order_gap", returns="a number, 0 or larger",
        reference=order_gap, cases=_gap_cases,
        forbidden=(),
        hints=(
            Hint("output not reordered", lambda x, p, o: _gap(x, p, o, reorder=lambda y, order: y),
                 "You compare place by place, so another word stands there now. Equivariant means that the outputs move "
                 "along with the words: which output has to be reordered first?"),
            Hint("positions move along", lambda x, p, o: _gap(x, torch.zeros_like(p), o),
                 "Your gap is 0 whatever the positions are. Are they used, and do they stay at their places while the "
                 "words change theirs? They are added after the words have moved."),
            Hint("positions in one run only", _positions_once,
                 "One of the two runs goes without positions. Both texts get them: the words and the words in the new "
                 "order."),
            Hint("reordered the wrong way", _back_the_wrong_way,
                 "Applying the order a second time does not undo it. Leave the new run as it is and bring the old "
                 "output into the new order."),
            Hint("no attention", lambda x, p, o: float((x[o] - x[o] + p - p[o]).abs().max()),
                 "You compare the sums of words and positions themselves. Where does attention read them?"),
            Hint("mean", lambda x, p, o: _gap(x, p, o, size=lambda d: d.abs().mean()),
                 "A mean can hide one large difference among many small ones. The largest is wanted."),
            Hint("no absolute value", lambda x, p, o: _gap(x, p, o, size=lambda d: d.max()),
                 "A difference of −5 is large, too. What is taken before the largest?"),
            Hint("sum", lambda x, p, o: _gap(x, p, o, size=lambda d: d.abs().sum()),
                 "A sum grows with the number of words. The largest single difference is wanted."),
            Hint("length", lambda x, p, o: _gap(x, p, o, size=lambda d: d.norm()),
                 "This is the length of the difference. The largest single difference is wanted."),
        ),
    ),
)  # fmt: skip
