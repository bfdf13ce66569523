"""Exercises of lesson 05: make Q, K and V, attend with a mask, take a head out of BERT, let one text ask another."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from course import attention
from course.checks.exercise import Case, Exercise, Hint

WHOLE_ATTENTION = (
    "course.attention.masked_softmax",
    "course.attention.attend",
    "course.attention.dot_product_attention",
    "course.attention.scaled_dot_product_attention",
    "course.attention.multi_head_attention",
    "torch.nn.functional.scaled_dot_product_attention",
    "torch.nn.functional.multi_head_attention_forward",
    "torch.nn.MultiheadAttention",
)


def _drawn(seed: int, *shapes: tuple[int, ...]) -> list[Tensor]:
    """Draw tensors from a seed, rounded to one decimal, so that a learner can read and recompute them."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator).round(decimals=1) for shape in shapes]


# 05.1 project -----------------------------------------------------------------------------------------------------


def project(x, W_Q, b_Q, W_K, b_K, W_V, b_V) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries (..., position, d_head), keys (..., position, d_head) and values (..., position, d_value)."""
    return x @ W_Q.T + b_Q, x @ W_K.T + b_K, x @ W_V.T + b_V


def _project_cases(seed: int) -> list[Case]:
    def case(x_shape, d_head, d_value, note):
        d_model = x_shape[-1]
        shapes = [x_shape]
        for d_out in (d_head, d_head, d_value):
            shapes += [(d_out, d_model), (d_out,)]
        return Case(tuple(_drawn(seed, *shapes)), note=note)

    return [
        case((2, 3), 3, 3, "as wide after the maps as before"),
        case((5, 4), 3, 2, "values of another width than keys"),
        case((2, 5, 7), 3, 3, "a batch of two texts"),
    ]


def _untransposed(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    return x @ W_Q + b_Q, x @ W_K + b_K, x @ W_V + b_V


def _biases_before(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    return (x + b_Q) @ W_Q.T, (x + b_K) @ W_K.T, (x + b_V) @ W_V.T


def _chained(x, W_Q, b_Q, W_K, b_K, W_V, b_V):
    query = x @ W_Q.T + b_Q
    key = query @ W_K.T + b_K
    return query, key, key @ W_V.T + b_V


def _swapped(*arguments):
    query, key, value = project(*arguments)
    return key, query, value


# 05.2 attend with a mask ------------------------------------------------------------------------------------------


def attend(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor) -> tuple[Tensor, Tensor]:
    """Return the output (..., query, d_value) and the weights (..., query, key)."""
    return tuple(attention.scaled_dot_product_attention(query, key, value, may_attend))


def _attend_cases(seed: int) -> list[Case]:
    first = _drawn(seed, (2, 4), (3, 4), (3, 4))
    second = _drawn(seed + 100, (3, 5), (7, 5), (7, 2))
    batch = _drawn(seed + 200, (2, 3, 6), (2, 5, 6), (2, 5, 4))
    return [
        Case((*first, torch.tensor([[True, True, False], [False, True, True]])), note="d_head is 4"),
        Case((*second, torch.ones(3, 7, dtype=torch.bool).tril(2)), note="7 keys, the later ones hidden"),
        Case((*batch, torch.tensor([[[1, 1, 1, 0, 0]], [[1, 1, 1, 1, 0]]]).bool()), note="a padded batch"),
    ]


def _attended(
    query, key, value, may_attend, *, divisor=None, dim=-1, hide=None, after=False, mix="value", times_mask=False
):
    """Attend with one of the typical mistakes."""
    scores = query @ key.transpose(-2, -1) / (math.sqrt(query.shape[-1]) if divisor is None else divisor)
    if times_mask:
        scores = scores * may_attend
    elif not after:
        scores = scores.masked_fill(~may_attend if hide is None else hide, -math.inf)
    weights = torch.softmax(scores, dim=dim)
    if after:
        weights = weights * may_attend
    return weights @ (value if mix == "value" else key), weights


def _wide_divisor(query, key, value, may_attend):
    return _attended(query, key, value, may_attend, divisor=query.shape[-1])


def _renormalised(query, key, value, may_attend):
    _, weights = _attended(query, key, value, may_attend, after=True)
    return weights @ value, weights


def _scaled_afterwards(query, key, value, may_attend):
    _, weights = _attended(query, key, value, may_attend, divisor=1.0)
    weights = weights / math.sqrt(query.shape[-1])
    return weights @ value, weights


def _mask_added(query, key, value, may_attend):
    weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]) + may_attend, dim=-1)
    return weights @ value, weights


def _infinity_times_zero(query, key, value, may_attend):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]) + (~may_attend).float() * -math.inf
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


def _no_mask(query, key, value, may_attend):
    return _attended(query, key, value, torch.ones_like(may_attend))


# 05.3 one word's new vector by hand -------------------------------------------------------------------------------

QUERY, KEYS, VALUES = [1, 2, 0, 1], [[2, 0, 1, 0], [-1, 0, 3, 1], [1, 1, 0, 1]], [[4, 0], [0, 6], [2, -2]]


def new_vector() -> list[float]:
    """Return the mixture of the three values, shares by softmax of q·k / √4."""
    return list(_mixed(2))


def _products() -> Tensor:
    return torch.tensor(KEYS, dtype=torch.float64) @ torch.tensor(QUERY, dtype=torch.float64)  # (3,)


def _mixed(divisor: float, vectors: list[list[int]] = VALUES) -> tuple[float, ...]:
    weights = torch.softmax(_products() / divisor, dim=-1)
    return tuple((weights @ torch.tensor(vectors, dtype=torch.float64)).tolist())


def _by(shares: Tensor) -> tuple[float, ...]:
    return tuple((shares @ torch.tensor(VALUES, dtype=torch.float64)).tolist())


# 05.4 a head's projection -----------------------------------------------------------------------------------------


def head_projection(hidden_states: Tensor, weight: Tensor, bias: Tensor, n_heads: int, head: int) -> Tensor:
    """Return (position, d_head): what one head's part of a linear map makes of the hidden states."""
    mine = _rows(weight, n_heads, head)
    return hidden_states @ weight[mine].T + bias[mine]


def _rows(weight: Tensor, n_heads: int, head: int) -> slice:
    d_head = weight.shape[0] // n_heads
    return slice(head * d_head, (head + 1) * d_head)


@functools.cache
def _real_layer() -> dict[str, Tensor]:
    from course import models

    minilm = models.load("minilm")
    maps = minilm.network.encoder.layer[3].attention.self
    taken = {name: getattr(maps, name) for name in ("query", "key")}
    tensors = {f"{name} {kind}": getattr(m, kind).detach() for name, m in taken.items() for kind in ("weight", "bias")}
    return tensors | {"x": minilm.run("The cat sat on the mat").hidden_states[3]}


def _head_cases(seed: int) -> list[Case]:
    real = _real_layer()
    head = seed % 11 + 1
    return [
        Case((*_drawn(seed, (5, 6), (6, 6), (6,)), 3, 1), note="3 heads, each 2 wide"),
        Case((*_drawn(seed + 100, (3, 8), (8, 8), (8,)), 2, 0), note="the first of 2 heads, each 4 wide"),
        Case((real["x"], real["query weight"], real["query bias"], 12, 11), note="W_Q of layer 3 of MiniLM, head 11"),
        Case((real["x"], real["key weight"], real["key bias"], 12, head), note=f"W_K of the same layer, head {head}"),
    ]


def _all_heads(hidden_states, weight, bias):
    return hidden_states @ weight.T + bias  # (position, d_model)


def _without_bias(hidden_states, weight, bias, n_heads, head):
    return hidden_states @ weight[_rows(weight, n_heads, head)].T


def _head_columns(hidden_states, weight, bias, n_heads, head):
    mine = _rows(weight, n_heads, head)
    return hidden_states @ weight[:, mine] + bias[mine]


def _head_counted_from_1(hidden_states, weight, bias, n_heads, head):
    d_head = weight.shape[0] // n_heads
    mine = slice((head - 1) * d_head, head * d_head)
    return hidden_states @ weight[mine].T + bias[mine]


def _every_nth(hidden_states, weight, bias, n_heads, head):
    return _all_heads(hidden_states, weight, bias)[:, head::n_heads]


def _viewed(hidden_states, weight, bias, n_heads, head):
    return _all_heads(hidden_states, weight, bias).reshape(n_heads, len(hidden_states), -1)[head]


def _sliced_vector(hidden_states, weight, bias, n_heads, head):
    mine = _rows(weight, n_heads, head)
    return hidden_states[:, mine] @ weight[mine, mine].T + bias[mine]


def _n_heads_wide(hidden_states, weight, bias, n_heads, head):
    mine = slice(head * n_heads, (head + 1) * n_heads)
    return hidden_states @ weight[mine].T + bias[mine]


def _thirty_two_wide(hidden_states, weight, bias, n_heads, head):
    mine = slice(32 * head, 32 * head + 32)
    return hidden_states @ weight[mine].T + bias[mine]


def _divided_with_a_point(hidden_states, weight, bias, n_heads, head):
    d_head = weight.shape[0] / n_heads
    return hidden_states @ weight[head * d_head : (head + 1) * d_head].T


# 05.5 cross-attention ---------------------------------------------------------------------------------------------


def cross_attention(asking: Tensor, answering: Tensor, W_Q: Tensor, W_K: Tensor, W_V: Tensor) -> tuple[Tensor, Tensor]:
    """Return the output (n_asking, d_value) and the weights (n_asking, n_answering)."""
    return _crossed(asking, answering, answering, W_Q, W_K, W_V)


def _crossed(x_query, x_key, x_value, W_Q, W_K, W_V, *, divisor=None, dim=-1, mix="value"):
    query, key, value = x_query @ W_Q.T, x_key @ W_K.T, x_value @ W_V.T
    scores = query @ key.T / (math.sqrt(query.shape[-1]) if divisor is None else divisor)
    weights = torch.softmax(scores, dim=dim)
    return weights @ (value if mix == "value" else key), weights


def _cross_cases(seed: int) -> list[Case]:
    def case(n_asking, n_answering, d_model, d_head, d_value, note):
        shapes = [(n_asking, d_model), (n_answering, d_model), (d_head, d_model), (d_head, d_model), (d_value, d_model)]
        x_asking, x_answering, W_Q, W_K, W_V = _drawn(seed + n_asking, *shapes)
        return Case((x_asking, x_answering, 0.5 * W_Q, 0.5 * W_K, W_V), note=note)

    return [
        case(2, 2, 3, 2, 2, "two texts of the same length"),
        case(2, 5, 7, 3, 4, "2 words ask 5"),
        case(7, 3, 4, 2, 5, "7 words ask 3"),
    ]


def _cross_untransposed(asking, answering, W_Q, W_K, W_V):
    weights = torch.softmax((asking @ W_Q) @ (answering @ W_K).T / math.sqrt(W_Q.shape[0]), dim=-1)
    return weights @ (answering @ W_V), weights


EXERCISES = (
    Exercise(
        id="05.1", title="project to q, k, v", points=2, minutes=5, difficulty=1, importance=5,
        answer="function", name="project", returns="three tensors: queries, keys and values",
        reference=project, cases=_project_cases,
        forbidden=("torch.nn.functional.linear", "torch.nn.Linear"),
        hints=(
            Hint("no biases", lambda x, W_Q, b_Q, W_K, b_K, W_V, b_V: (x @ W_Q.T, x @ W_K.T, x @ W_V.T),
                 "The maps are right. Which three of the seven arguments have you not used?"),
            Hint("weight not transposed", _untransposed,
                 "Each row of W makes one number of the result, and x lies in rows, too. Which of the two has to be "
                 "turned, so that rows meet rows?"),
            Hint("map in front", lambda x, W_Q, b_Q, W_K, b_K, W_V, b_V: (W_Q @ x + b_Q, W_K @ x + b_K, W_V @ x + b_V),
                 "The shapes do not fit. The formula speaks of one word, a column; here the words lie in rows. On "
                 "which side of x does the map stand then, and which of the two is turned?"),
            Hint("bias before the map", _biases_before,
                 "The bias goes to what comes out of the map. To what do you add it?"),
            Hint("one after the other", _chained,
                 "Three views of the same x, side by side. From what do you compute the keys?"),
            Hint("queries and keys swapped", _swapped,
                 "All three are there. In which order were they asked for?"),
            Hint("one bias for all", lambda x, W_Q, b_Q, W_K, b_K, W_V, b_V: (x @ W_Q.T + b_Q, x @ W_K.T + b_Q,
                                                                            x @ W_V.T + b_Q),
                 "Each map has a bias of its own. Which one do your keys get?"),
            Hint("values by the keys' map", lambda x, W_Q, b_Q, W_K, b_K, W_V, b_V: (x @ W_Q.T + b_Q, x @ W_K.T + b_K,
                                                                                     x @ W_K.T + b_K),
                 "Your values equal your keys. Which map makes what is handed over?"),
        ),
    ),
    Exercise(
        id="05.2", title="attend with a mask", points=3, minutes=10, difficulty=3, importance=5,
        answer="function", name="attend", returns="two tensors: the output and the weights",
        reference=attend, cases=_attend_cases, forbidden=WHOLE_ATTENTION,
        hints=(
            Hint("no scaling", functools.partial(_attended, divisor=1.0),
                 "Your weights are sharper than they should be. What stands under the fraction bar of the formula?"),
            Hint("divided by d_head", _wide_divisor,
                 "Your weights are too even. Is it d_head that divides, or its root?"),
            Hint("scaled after the softmax", _scaled_afterwards,
                 "Do your rows sum to 1? The division belongs to the scores."),
            Hint("softmax over the queries", functools.partial(_attended, dim=-2),
                 "Which sum to 1 in your weights, the rows or the columns? Each query divides its attention among "
                 "the keys."),
            Hint("mask after the softmax", _renormalised,
                 "Do your rows still sum to 1? Lesson 04: what is taken from hidden keys must go to the others."),
            Hint("mask inverted", lambda q, k, v, may_attend: _attended(q, k, v, may_attend, hide=may_attend),
                 "True means may look. Which scores do you fill with −∞?"),
            Hint("scores times mask", functools.partial(_attended, times_mask=True),
                 "A score of 0 is a middling score. Which score has an exponential of 0?"),
            Hint("mask added", _mask_added,
                 "Adding True adds 1, which helps the visible keys only a little. Which score takes a hidden key out "
                 "altogether?"),
            Hint("infinity times 0", _infinity_times_zero,
                 "On a computer 0 · ∞ is NaN. Can you put −∞ where the mask forbids, without multiplying?"),
            Hint("mask not used", _no_mask,
                 "Without a mask all would be right. Which argument have you not used?"),
            Hint("keys mixed", functools.partial(_attended, mix="key"),
                 "The weights are right. What is carried home, the catalogue card or the book?"),
            Hint("weights first", lambda q, k, v, may_attend: _attended(q, k, v, may_attend)[::-1],
                 "Both are right. In which order were they asked for?"),
            Hint("only the output", lambda q, k, v, may_attend: _attended(q, k, v, may_attend)[0],
                 "The output is right. What else was asked for?"),
        ),
    ),
    Exercise(
        id="05.3", title="a new vector by hand", points=1, minutes=6, difficulty=2, importance=4,
        answer="value", name="new_vector", returns="a list of two numbers", reference=new_vector, tolerance=0.02,
        hints=(
            Hint("no scaling", _mixed(1),
                 "These are the shares of the plain products. What divides them before the softmax?"),
            Hint("√d_model", _mixed(3),
                 "You have divided by √9. How long is the query that is compared here?"),
            Hint("√d_value", _mixed(math.sqrt(2)),
                 "You have divided by √2, from the length of a value. Which two vectors does the score compare?"),
            Hint("divided by d_head", _mixed(4),
                 "You have divided by 4. Is it d_head that divides, or its root?"),
            Hint("no softmax", _by(_products() / _products().sum()),
                 "Shares in proportion to the scores would be negative for a negative score. What makes shares of "
                 "scores here?"),
            Hint("plain mean", _by(torch.full((3,), 1 / 3, dtype=torch.float64)),
                 "This is the mean of the values. Does each key fit the query equally well?"),
            Hint("the best alone", (2.0, -2.0),
                 "You have taken one book home. Every value gives a share."),
            Hint("shares do not sum to 1", _by(torch.exp(_products() / 2)),
                 "Do your shares sum to 1? Something is missing below the fraction bar of the softmax."),
            Hint("keys mixed", _mixed(2, KEYS),
                 "Four numbers: you have mixed the keys. What is carried home?"),
        ),
    ),
    Exercise(
        id="05.4", title="a head out of the real weights", points=2, minutes=8, difficulty=3, importance=4,
        answer="function", name="head_projection", returns="a tensor (position, d_head)",
        reference=head_projection, cases=_head_cases,
        forbidden=("torch.nn.functional.linear", "torch.nn.Linear", "course.attention.split_heads"),
        hints=(
            Hint("no bias", _without_bias,
                 "The rows are right. BERT's maps add something to what comes out: which argument have you not used?"),
            Hint("columns for rows", _head_columns,
                 "You have taken the head's columns. A row of weight makes one number of the result: which of the two "
                 "belongs to a head?"),
            Hint("head counted from 1", _head_counted_from_1,
                 "Heads count from 0. Where do the rows of head 0 begin?"),
            Hint("every n-th row", _every_nth,
                 "You have dealt the rows out like cards, one to each head in turn. The rows of a head lie together, "
                 "one block a head."),
            Hint("view for a cut", _viewed,
                 "The numbers are right, but they come from other positions: cutting a (position, d_model) table into "
                 "n_heads pieces cuts it across the positions. Along which axis do the heads lie?"),
            Hint("slices the vector", _sliced_vector,
                 "Your head sees only its own piece of the hidden state. Every head reads the whole vector; only the "
                 "rows of weight are shared out."),
            Hint("n_heads wide", _n_heads_wide,
                 "How many rows has your head? n_heads says how many heads share them, not how wide one is."),
            Hint("32 everywhere", _thirty_two_wide,
                 "Your heads are 32 wide, which is right for MiniLM. Which two arguments say how wide a head is here?"),
            Hint("no whole number", _divided_with_a_point,
                 "Rows are counted in whole numbers, and / makes a number with a decimal point. Which division does "
                 "not?"),
            Hint("all heads", lambda x, weight, bias, n_heads, head: _all_heads(x, weight, bias),
                 "This holds the numbers of all heads, side by side. Which of them belong to yours?"),
            Hint("does not fit", lambda x, weight, bias, n_heads, head: x @ weight[_rows(weight, n_heads, head)],
                 "The shapes do not fit. Your rows of weight are (d_head, d_model): do they have to be turned? And has "
                 "your bias as many numbers as you have rows?"),
        ),
    ),
    Exercise(
        id="05.5", title="one text asks another", points=2, minutes=7, difficulty=2, importance=5,
        answer="function", name="cross_attention", returns="two tensors: the output and the weights",
        reference=cross_attention, cases=_cross_cases, forbidden=WHOLE_ATTENTION,
        hints=(
            Hint("roles swapped", lambda a, b, *maps: _crossed(b, a, a, *maps),
                 "Your output has one row for each word of the wrong text. Who asks, and who answers?"),
            Hint("keys of the asking text", lambda a, b, *maps: _crossed(a, a, b, *maps),
                 "Your keys come from the text that asks. The catalogue must describe the books that are handed over."),
            Hint("values of the asking text", lambda a, b, *maps: _crossed(a, b, a, *maps),
                 "Your values come from the text that asks. What lies behind the card that was found?"),
            Hint("the asking text alone", lambda a, b, *maps: _crossed(a, a, a, *maps),
                 "That is self-attention. Which argument have you not used?"),
            Hint("the answering text alone", lambda a, b, *maps: _crossed(b, b, b, *maps),
                 "That is self-attention. Which argument have you not used?"),
            Hint("no scaling", lambda a, b, *maps: _crossed(a, b, b, *maps, divisor=1.0),
                 "Your weights are sharper than they should be. What divides the products?"),
            Hint("divided by d_head", lambda a, b, *maps: _crossed(a, b, b, *maps, divisor=len(maps[0])),
                 "Your weights are too even. Is it d_head that divides, or its root?"),
            Hint("√d_model", lambda a, b, *maps: _crossed(a, b, b, *maps, divisor=math.sqrt(a.shape[-1])),
                 "Your weights are too even. Under the root stands the length of one query, not of a word's vector."),
            Hint("softmax over the queries", lambda a, b, *maps: _crossed(a, b, b, *maps, dim=-2),
                 "Which sum to 1 in your weights, the rows or the columns? Each word that asks divides its attention."),
            Hint("keys mixed", lambda a, b, *maps: _crossed(a, b, b, *maps, mix="key"),
                 "The weights are right. What is carried home, the keys or the values?"),
            Hint("weights first", lambda a, b, *maps: _crossed(a, b, b, *maps)[::-1],
                 "Both are right. In which order were they asked for?"),
            Hint("only the output", lambda a, b, *maps: _crossed(a, b, b, *maps)[0],
                 "The output is right. What else was asked for?"),
            Hint("weight not transposed", _cross_untransposed,
                 "A weight is (d_out, d_model), and the words lie in rows of d_model. Which has to be turned, so that "
                 "the inner axes agree?"),
        ),
    ),
)  # fmt: skip
