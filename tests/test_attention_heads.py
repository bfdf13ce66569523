"""Splitting, merging and attending with several heads, against torch's own module and einops-like arithmetic by hand."""

import pytest
import torch
from torch import nn

from course.attention import causal_mask, merge_heads, multi_head_attention, padding_mask, repeat_heads, split_heads

BATCH, QUERY, KEY, HEADS, D_HEAD = 2, 5, 7, 3, 4
D_MODEL = HEADS * D_HEAD


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def torchs_layer(bias=True):
    torch.manual_seed(1)
    layer = nn.MultiheadAttention(D_MODEL, HEADS, bias=bias, batch_first=True, dtype=torch.float64).eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(random(*parameter.shape, seed=parameter.numel()))
    return layer


def ours(layer, x_query, x_key_value, may_attend=None):
    matrices = layer.in_proj_weight.chunk(3)
    biases = [None] * 3 if layer.in_proj_bias is None else layer.in_proj_bias.chunk(3)
    return multi_head_attention(
        x_query, x_key_value, *matrices, layer.out_proj.weight, HEADS, *biases, layer.out_proj.bias, may_attend
    )


def test_head_h_reads_its_stretch_of_every_position():
    x = random(BATCH, QUERY, D_MODEL)
    heads = split_heads(x, HEADS)
    assert heads.shape == (BATCH, HEADS, QUERY, D_HEAD)
    for h in range(HEADS):
        assert torch.equal(heads[:, h], x[..., h * D_HEAD : (h + 1) * D_HEAD])


def test_merging_undoes_splitting_with_and_without_a_batch():
    for shape in ((QUERY, D_MODEL), (BATCH, QUERY, D_MODEL), (6, BATCH, 1, D_MODEL)):
        x = random(*shape)
        assert torch.equal(merge_heads(split_heads(x, HEADS)), x)


def test_a_straight_view_would_mix_positions():
    x = random(BATCH, QUERY, D_MODEL)
    assert not torch.equal(x.view(BATCH, HEADS, QUERY, D_HEAD), split_heads(x, HEADS))


@pytest.mark.parametrize("bias", [True, False])
def test_self_attention_equals_torchs_layer(bias):
    layer, x = torchs_layer(bias), random(BATCH, QUERY, D_MODEL)
    expected, weights = layer(x, x, x, average_attn_weights=False)
    attended = ours(layer, x, x)
    torch.testing.assert_close(attended.output, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(attended.weights, weights, atol=1e-12, rtol=0)


def test_cross_attention_with_padding_equals_torchs_layer():
    layer, x, y = torchs_layer(), random(BATCH, QUERY, D_MODEL), random(BATCH, KEY, D_MODEL, seed=2)
    is_token = padding_mask([7, 4], KEY)  # (batch, 1, key)
    expected, weights = layer(x, y, y, key_padding_mask=~is_token[:, 0], average_attn_weights=False)
    attended = ours(layer, x, y, is_token.unsqueeze(1))
    torch.testing.assert_close(attended.output, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(attended.weights, weights, atol=1e-12, rtol=0)


def test_a_causal_mask_reaches_every_head():
    layer, x = torchs_layer(), random(QUERY, D_MODEL)
    attended = ours(layer, x, x, causal_mask(QUERY))
    expected, _ = layer(x, x, x, attn_mask=~causal_mask(QUERY))
    torch.testing.assert_close(attended.output, expected, atol=1e-12, rtol=0)
    assert attended.weights.triu(1).abs().max() == 0


def test_concatenating_and_mapping_is_a_sum_over_heads():
    layer, x = torchs_layer(bias=False), random(QUERY, D_MODEL)
    attended = ours(layer, x, x)
    values = split_heads(x @ layer.in_proj_weight.chunk(3)[2].T, HEADS)
    parts = [
        attended.weights[h] @ values[h] @ layer.out_proj.weight[:, h * D_HEAD : (h + 1) * D_HEAD].T
        for h in range(HEADS)
    ]
    torch.testing.assert_close(sum(parts), attended.output, atol=1e-12, rtol=0)


def test_a_removed_head_leaves_the_sum_without_its_part():
    layer, x = torchs_layer(), random(QUERY, D_MODEL)
    W_Q, W_K, W_V = layer.in_proj_weight.chunk(3)

    def attended(keep):
        W_O = layer.out_proj.weight
        return multi_head_attention(x, x, W_Q, W_K, W_V, W_O, HEADS, keep_heads=torch.tensor(keep)).output

    alone = sum(attended([h == kept for h in range(HEADS)]) for kept in (0, 2))
    torch.testing.assert_close(attended([True, False, True]), alone, atol=1e-12, rtol=0)
    assert attended([False] * HEADS).abs().max() == 0


def test_repeated_heads_stand_side_by_side():
    x = random(BATCH, 3, KEY, D_HEAD)
    repeated = repeat_heads(x, 2)
    assert repeated.shape == (BATCH, 6, KEY, D_HEAD)
    assert all(torch.equal(repeated[:, h], x[:, h // 2]) for h in range(6))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: split_heads(torch.ones(5, 12), 5), "divides d_model = 12, got 5"),
        (lambda: split_heads(torch.ones(5, 12), 0), "got 0"),
        (lambda: split_heads(torch.ones(5, 12), 2.0), "got 2.0"),
        (lambda: split_heads(torch.ones(12), 3), r"\(..., position, d_model\), got \(12,\)"),
        (lambda: merge_heads(torch.ones(5, 4)), r"head, position, d_head\), got \(5, 4\)"),
        (lambda: repeat_heads(torch.ones(3, 5, 4), 0), "positive whole number, got 0"),
        (
            lambda: multi_head_attention(*[torch.ones(5, 4)] * 2, *[torch.ones(4, 6)] * 4, n_heads=2),
            r"W_Q must take vectors of width 4 .*, got \(4, 6\)",
        ),
        (
            lambda: multi_head_attention(
                *[torch.ones(5, 4)] * 2, *[torch.ones(4, 4)] * 4, n_heads=2, b_V=torch.ones(3)
            ),
            r"bias of W_V must hold one number a row, \(4,\), got \(3,\)",
        ),
    ],
)
def test_bad_arguments_are_met_with_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
