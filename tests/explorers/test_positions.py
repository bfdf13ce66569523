"""The position explorer's numbers: what the pictures claim about distance holds, and BERT's table is BERT's."""

import math

import numpy as np
import pytest
import torch
import traitlets

from course import models
from course.attention import sinusoidal_positions
from course.explorers.positions import (
    PositionExplorer,
    difference_at_equal_distance,
    example_query_and_key,
    learned_positions,
    position_similarity,
    rotary_similarity,
    wavelength,
)


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture
def explorer(minilm):
    return PositionExplorer(minilm)


@pytest.mark.parametrize("base", [10.0, 10_000.0, 100_000.0])
@pytest.mark.parametrize("pair", [0, 5, 31])
def test_a_wavelength_is_a_full_turn(pair, base):
    turn = wavelength(pair, 64, base)
    per_position = 2 * math.pi / turn
    column = sinusoidal_positions(50, 64, base)[:, 2 * pair]
    torch.testing.assert_close(column, torch.sin(torch.arange(50.0).double() * per_position).float(), atol=1e-5, rtol=0)


def test_the_similarity_is_torchs_cosine():
    table = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.cosine_similarity(table[:, None], table[None], dim=-1)
    torch.testing.assert_close(position_similarity(table), expected, atol=1e-6, rtol=0)


def test_for_sinusoids_it_is_the_dot_product_divided_by_its_value_at_distance_0():
    table = sinusoidal_positions(30, 16)
    torch.testing.assert_close(position_similarity(table), table @ table.T / (table[0] @ table[0]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("base", [10.0, 10_000.0])
def test_sinusoidal_and_rotary_depend_on_the_distance_only(base):
    query, key = example_query_and_key(64)
    assert difference_at_equal_distance(position_similarity(sinusoidal_positions(128, 64, base))) < 1e-4
    assert difference_at_equal_distance(rotary_similarity(query, key, 128, base)) < 1e-4


def test_rotary_scores_know_left_from_right_and_sinusoids_do_not():
    rotary = rotary_similarity(*example_query_and_key(64), 64)
    sinusoidal = position_similarity(sinusoidal_positions(64, 64))
    assert (rotary - rotary.T).abs().max() > 0.1
    assert (sinusoidal - sinusoidal.T).abs().max() < 1e-5


def test_learned_positions_depend_on_the_distance_only_roughly(explorer):
    learned = explorer.similarities.learned
    assert difference_at_equal_distance(learned) > 0.3
    assert learned[20, 21] > learned[20, 40]


def test_a_difference_at_equal_distance_is_found():
    similarity = torch.eye(4)
    similarity[1, 2] = 0.7
    assert difference_at_equal_distance(similarity) == pytest.approx(0.7)
    assert difference_at_equal_distance(torch.eye(4)) == 0


def test_the_learned_table_is_the_models_own(minilm):
    own = minilm.network.embeddings.position_embeddings.weight
    assert torch.equal(learned_positions(minilm, 64), own[:64])


def test_the_browser_gets_the_learned_similarities_and_the_rotary_pair_as_float32(explorer):
    sent = np.frombuffer(explorer.learned, dtype=np.float32).reshape(64, 64)
    assert np.array_equal(sent, explorer.similarities.learned.numpy())
    pair = np.frombuffer(explorer.query_and_key, dtype=np.float32).reshape(2, 64)
    assert np.array_equal(pair, torch.stack(example_query_and_key(64)).numpy())


def test_the_traits_move_the_numbers(explorer):
    explorer.position, explorer.pair, explorer.base = 3, 31, 100.0
    assert explorer.wavelength == pytest.approx(2 * math.pi * 100 ** (62 / 64))
    assert explorer.table[3, 62] == pytest.approx(math.sin(explorer.angle), abs=1e-6)
    assert torch.equal(explorer.table, sinusoidal_positions(64, 64, 100.0))


def test_a_model_that_keeps_no_table_is_named_and_shown_without_one():
    try:
        smollm2 = models.load("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))
    explorer = PositionExplorer(smollm2)
    assert explorer.learned == b"" and explorer.similarities.learned is None and explorer.model_name == "smollm2"


@pytest.mark.parametrize("size", [{"n_positions": 7}, {"n_positions": 129}, {"d_model": 5}, {"d_model": 258}])
def test_a_size_that_cannot_be_shown_is_refused(size):
    with pytest.raises(ValueError, match=f"{next(iter(size))} must be .* got {next(iter(size.values()))}"):
        PositionExplorer(**size)


@pytest.mark.parametrize(("trait", "value"), [("position", 64), ("position", -1), ("pair", 32), ("base", 1.0)])
def test_a_wrong_setting_is_refused_and_the_last_one_stays(explorer, trait, value):
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before


def test_a_small_explorer_starts_inside_its_size():
    small = PositionExplorer(n_positions=8, d_model=4)
    assert (small.position, small.pair) == (7, 1) and "Similarity with position 7, rotary" in repr(small)


def test_the_text_alternative_says_the_first_numbers(explorer):
    lines = repr(explorer).split("\n")
    assert lines[0] == (
        "Position explorer: sinusoidal positions, 64 positions by 64 dimensions, base 10,000. Pair 6 (columns 12 and 13) "
        "needs 35.3 positions for a full turn; at position 20 its sine is -0.40 and its cosine -0.92."
    )
    assert lines[1] == (
        "Similarity with position 20, sinusoidal: 0.97 at position 21, 0.66 at position 30; at the same distance it "
        "differs by up to 0.00 from place to place."
    )
    assert len(lines) == 4 and "learned by minilm" in lines[2] and "differs by up to 0.62" in lines[2]
