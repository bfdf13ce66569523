"""Sinusoidal and rotary positions, against the formula number by number and against transformers' Llama."""

import math

import pytest
import torch
from transformers.models.llama.modeling_llama import LlamaConfig, LlamaRotaryEmbedding, apply_rotary_pos_emb

from course.attention import rotate_by_position, sinusoidal_positions


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_sinusoids_are_the_papers_formula_number_by_number():
    table = sinusoidal_positions(7, 6, base=100.0)
    for p in range(7):
        for i in range(3):
            angle = p / 100.0 ** (2 * i / 6)
            assert table[p, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[p, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_the_dot_product_of_two_sinusoids_depends_on_their_distance_only():
    table = sinusoidal_positions(600, 64).double()
    products = table @ table.T
    for distance in (0, 1, 5, 100):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4, rtol=0)


def test_no_positions_are_an_empty_table_and_far_ones_stay_precise():
    assert sinusoidal_positions(0, 4).shape == (0, 4)
    far = sinusoidal_positions(100_001, 4)[-1, 0].item()
    assert far == pytest.approx(math.sin(100_000), abs=1e-6)


@pytest.mark.parametrize("base", [10_000.0, 100_000.0])
def test_rotation_equals_llamas(base):
    query, key, positions = random(2, 3, 5, 8).float(), random(2, 3, 5, 8, seed=1).float(), torch.arange(5)
    rope = {"rope_type": "default", "rope_theta": base}
    config = LlamaConfig(hidden_size=24, num_attention_heads=3, head_dim=8, rope_parameters=rope)
    cosine, sine = LlamaRotaryEmbedding(config)(query, positions[None])
    expected = apply_rotary_pos_emb(query, key, cosine, sine)
    for ours, theirs in zip((query, key), expected, strict=True):
        torch.testing.assert_close(rotate_by_position(ours, positions, base), theirs, atol=1e-6, rtol=0)


def test_a_rotation_keeps_lengths_and_position_0_changes_nothing():
    x = random(3, 7, 8)
    turned = rotate_by_position(x, torch.arange(7))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(turned[:, 0], x[:, 0])


def test_a_rotated_score_depends_on_the_distance_only():
    query, key = random(1, 8), random(1, 8, seed=1)

    def score(q_position, k_position):
        q = rotate_by_position(query, torch.tensor([q_position]))
        return (q @ rotate_by_position(key, torch.tensor([k_position])).T).item()

    assert score(9, 4) == pytest.approx(score(105, 100), abs=1e-9)
    assert score(9, 4) != pytest.approx(score(9, 5), abs=1e-3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: sinusoidal_positions(3, 5), "even, as sine and cosine come in pairs, got 5"),
        (lambda: sinusoidal_positions(-1, 4), "at least 0, got -1"),
        (lambda: sinusoidal_positions(3, 4, base=0), "base must be a positive number, got 0"),
        (lambda: rotate_by_position(torch.ones(5, 4), torch.arange(4)), r"positions \(4,\) and x \(5, 4\)"),
        (lambda: rotate_by_position(torch.ones(5, 3), torch.arange(5)), "even"),
    ],
)
def test_bad_arguments_are_met_with_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
