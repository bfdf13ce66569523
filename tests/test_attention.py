"""Our attention against torch's, in float32 and float64; then the properties; then what bad arguments are told."""

import doctest
import importlib
import math

import pytest
import torch
from torch.nn import functional as F

from course import attention
from course.attention import (
    additive_attention,
    additive_scores,
    causal_mask,
    combine_masks,
    cross_mask,
    dot_product_attention,
    masked_softmax,
    padding_mask,
    same_segment_mask,
    scaled_dot_product_attention,
    softmax,
)

# Sums are taken in another order than torch's, so the last digits may differ: 1e-6 in float32, 1e-12 in float64.
PRECISIONS = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-12)])
BATCH, HEAD, QUERY, KEY, D_HEAD, D_VALUE = 2, 3, 5, 7, 4, 6


def random(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed + sum(shape)))


def query_key_value(dtype):
    return (
        random(BATCH, HEAD, QUERY, D_HEAD, dtype=dtype, seed=1),
        random(BATCH, HEAD, KEY, D_HEAD, dtype=dtype, seed=2),
        random(BATCH, HEAD, KEY, D_VALUE, dtype=dtype, seed=3),
    )


def a_mask():
    mask = torch.rand(BATCH, 1, QUERY, KEY, generator=torch.Generator().manual_seed(4)) > 0.5
    mask[..., 0] = True  # no row without a key
    return mask


@pytest.mark.parametrize("module", ["scores", "weights", "masks", "heads", "positions"])
def test_the_examples_in_the_docstrings_are_true(module):
    names = {"torch": torch, "math": math} | {name: getattr(attention, name) for name in attention.__all__}
    module = importlib.import_module(f"course.attention.{module}")
    result = doctest.testmod(module, extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0 and result.attempted > 0


@PRECISIONS
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 3.0])
def test_softmax_equals_torch(dtype, tolerance, dim, temperature):
    scores = 5 * random(3, 5, 7, dtype=dtype)
    torch.testing.assert_close(
        softmax(scores, dim, temperature), torch.softmax(scores / temperature, dim), atol=tolerance, rtol=0
    )


def test_softmax_survives_huge_scores_and_gives_nan_for_a_row_of_nothing():
    assert softmax(torch.tensor([1e4, 1e4 + 1])).tolist() == pytest.approx([0.26894, 0.73106], abs=1e-4)
    assert softmax(torch.full((3,), -math.inf)).isnan().all()


def test_gradients_flow_through_softmax_and_attention():
    query, key, value = (each.requires_grad_() for each in query_key_value(torch.float64))
    assert torch.autograd.gradcheck(lambda scores: softmax(scores, temperature=2.0), query)
    assert torch.autograd.gradcheck(lambda *given: scaled_dot_product_attention(*given).output, (query, key, value))


@PRECISIONS
@pytest.mark.parametrize("mask", [None, a_mask()], ids=["no mask", "masked"])
def test_scaled_dot_product_attention_equals_torchs_fused_function(dtype, tolerance, mask):
    query, key, value = query_key_value(dtype)
    ours = scaled_dot_product_attention(query, key, value, mask)
    theirs = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(ours.output, theirs, atol=tolerance, rtol=0)


@PRECISIONS
def test_weights_equal_those_of_multihead_attention(dtype, tolerance):
    x = random(BATCH, KEY, D_HEAD, dtype=dtype)
    theirs = torch.nn.MultiheadAttention(D_HEAD, 1, bias=False, batch_first=True, dtype=dtype)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.eye(D_HEAD, dtype=dtype).repeat(3, 1))
    may_attend = padding_mask([KEY, 4])
    _, weights = theirs(x, x, x, key_padding_mask=~may_attend[:, 0])
    ours = scaled_dot_product_attention(x, x, x, may_attend)
    torch.testing.assert_close(ours.weights, weights, atol=tolerance, rtol=0)


@PRECISIONS
def test_dot_product_attention_is_the_scaled_one_with_scale_1(dtype, tolerance):
    query, key, value = query_key_value(dtype)
    theirs = F.scaled_dot_product_attention(query, key, value, scale=1.0)
    torch.testing.assert_close(dot_product_attention(query, key, value).output, theirs, atol=tolerance, rtol=0)


@PRECISIONS
def test_additive_scores_equal_a_linear_network_over_every_pair(dtype, tolerance):
    query, key = random(QUERY, 3, dtype=dtype), random(KEY, 4, dtype=dtype)
    W_query, W_key, v = random(5, 3, dtype=dtype), random(5, 4, dtype=dtype), random(5, dtype=dtype)
    one_map = torch.nn.Linear(7, 5, bias=False, dtype=dtype)  # [W_query W_key] on q and k written behind one another
    with torch.no_grad():
        one_map.weight.copy_(torch.cat([W_query, W_key], dim=1))
        pairs = torch.cat([query[:, None].expand(-1, KEY, -1), key[None].expand(QUERY, -1, -1)], dim=-1)
        expected = F.linear(torch.tanh(one_map(pairs)), v[None])[..., 0]
    torch.testing.assert_close(additive_scores(query, key, W_query, W_key, v), expected, atol=tolerance, rtol=0)
    value = random(KEY, D_VALUE, dtype=dtype)
    attended = additive_attention(query, key, value, W_query, W_key, v)
    torch.testing.assert_close(attended.output, torch.softmax(expected, -1) @ value, atol=tolerance * 10, rtol=0)


@PRECISIONS
def test_masked_softmax_equals_torch_where_a_row_sees_something(dtype, tolerance):
    scores, mask = 5 * random(BATCH, 1, QUERY, KEY, dtype=dtype), a_mask()
    expected = torch.softmax(scores.masked_fill(~mask, -math.inf), dim=-1)
    torch.testing.assert_close(masked_softmax(scores, mask), expected, atol=tolerance, rtol=0)


def test_a_row_that_may_see_nothing_gets_zeros_as_in_torchs_fused_function():
    query, key, value = query_key_value(torch.float64)
    mask = a_mask()
    mask[0, 0, 2] = False
    theirs = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = attention.scaled_dot_product_scores(query, key)
    torch.testing.assert_close(masked_softmax(scores, mask) @ value, theirs, atol=1e-12, rtol=0)
    assert (masked_softmax(scores, mask)[0, :, 2] == 0).all()
    with pytest.raises(ValueError, match="some query may attend to no key at all"):
        scaled_dot_product_attention(query, key, value, mask)


def test_rows_sum_to_1_and_masked_keys_get_exactly_0():
    query, key, value = query_key_value(torch.float64)
    weights = scaled_dot_product_attention(query, key, value, a_mask()).weights
    torch.testing.assert_close(weights.sum(-1), torch.ones(BATCH, HEAD, QUERY, dtype=torch.float64))
    assert (weights[~a_mask().expand_as(weights)] == 0).all()


def test_permuting_keys_with_their_values_changes_nothing():
    query, key, value = query_key_value(torch.float64)
    order = torch.randperm(KEY, generator=torch.Generator().manual_seed(5))
    before = scaled_dot_product_attention(query, key, value).output
    after = scaled_dot_product_attention(query, key[..., order, :], value[..., order, :]).output
    torch.testing.assert_close(before, after, atol=1e-12, rtol=0)


def test_causal_mask_is_what_torch_calls_causal():
    for n in (1, 2, 5):
        theirs = torch.nn.Transformer.generate_square_subsequent_mask(n) == 0
        assert torch.equal(causal_mask(n), theirs)
    assert causal_mask(0).shape == (0, 0)
    assert causal_mask(2, 5).tolist() == [[True, True, True, True, False], [True] * 5]


def test_what_comes_later_cannot_change_what_came_before():
    query, key, value = query_key_value(torch.float64)
    query = torch.cat([query, query[..., :2, :]], dim=-2)  # as many queries as keys
    before = scaled_dot_product_attention(query, key, value, causal_mask(KEY)).output
    key, value = key.clone(), value.clone()
    key[..., 4:, :], value[..., 4:, :] = 9.0, -9.0
    after = scaled_dot_product_attention(query, key, value, causal_mask(KEY)).output
    assert torch.equal(before[..., :4, :], after[..., :4, :])
    assert not torch.allclose(before[..., 4:, :], after[..., 4:, :])


def test_padding_mask_on_either_side():
    assert padding_mask([3, 1, 0])[:, 0].tolist() == [[True, True, True], [True, False, False], [False] * 3]
    assert padding_mask([3, 1], n_key=4, side="left")[:, 0].int().tolist() == [[0, 1, 1, 1], [0, 0, 0, 1]]
    assert padding_mask(torch.tensor([2])).shape == (1, 1, 2)


def test_masks_combine_by_and():
    both = combine_masks(causal_mask(4), None, padding_mask([2, 4]))
    assert torch.equal(both, causal_mask(4) & padding_mask([2, 4]))
    assert combine_masks(None, None) is None


def test_cross_and_segment_masks():
    mask = cross_mask(torch.ones(2, 3, dtype=torch.bool), torch.tensor([[True, False], [True, True]]))
    assert mask.shape == (2, 3, 2) and mask[0].tolist() == [[True, False]] * 3
    assert same_segment_mask(torch.tensor([0, 1, 0])).tolist() == [
        [True, False, True],
        [False, True, False],
        [True, False, True],
    ]


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: softmax(torch.tensor([1, 2])), TypeError, "scores must be floating point, got torch.int64"),
        (lambda: softmax(torch.zeros(2), temperature=0), ValueError, "temperature must be a positive number, got 0"),
        (lambda: softmax(torch.zeros(2), temperature=math.nan), ValueError, "temperature must be a positive number"),
        (lambda: masked_softmax(torch.zeros(2, 3), torch.ones(2, 3)), TypeError, "boolean tensor .* got torch.float32"),
        (lambda: masked_softmax(torch.zeros(2, 3), [True]), TypeError, "boolean tensor .* got list"),
        (lambda: masked_softmax(torch.zeros(2, 3), torch.ones(3, 2) > 0), ValueError, r"broadcast .* \(2, 3\), got \(3, 2\)"),
        (lambda: masked_softmax(torch.zeros(2, 3), torch.ones(4, 2, 3) > 0), ValueError, r"broadcast .* got \(4, 2, 3\)"),
        (lambda: scaled_dot_product_attention(torch.zeros(5, 8), torch.zeros(7, 4), torch.zeros(7, 4)), ValueError,
         r"same d_head \(last axis\), got query \(5, 8\) and key \(7, 4\)"),
        (lambda: scaled_dot_product_attention(torch.zeros(5, 4), torch.zeros(7, 4), torch.zeros(6, 4)), ValueError, "agree in n_key"),
        (lambda: additive_scores(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(5, 4), torch.zeros(5, 3), torch.zeros(5)),
         ValueError, "last axis of query must equal"),
        (lambda: additive_scores(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(5, 3), torch.zeros(4, 3), torch.zeros(5)),
         ValueError, "agree in d_attention"),
        (lambda: padding_mask([5], n_key=3), ValueError, r"between 0 and n_key = 3, got \[5\]"),
        (lambda: padding_mask([-1]), ValueError, "between 0 and n_key"),
        (lambda: padding_mask([1.5]), ValueError, "whole numbers"),
        (lambda: padding_mask([1], side="middle"), ValueError, "side must be 'right' or 'left', got 'middle'"),
        (lambda: causal_mask(3, 2), ValueError, "0 <= n_query <= n_key"),
        (lambda: cross_mask(torch.ones(2), torch.ones(2) > 0), TypeError, "query_is_token must be boolean"),
        (lambda: combine_masks(causal_mask(2), torch.zeros(2, 2)), TypeError, "a mask must be boolean"),
        (lambda: combine_masks(causal_mask(2), causal_mask(3)), ValueError, r"do not fit together: \(2, 2\) and \(3, 3\)"),
    ],
)  # fmt: skip
def test_bad_arguments_are_met_with_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
