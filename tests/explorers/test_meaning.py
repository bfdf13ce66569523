"""The meaning map's mathematics against torch and numpy, and its state; the browser test looks at the picture."""

import math

import numpy as np
import pytest
import torch
import traitlets

from course import models
from course.embeddings import cosine_similarity, principal_axes
from course.explorers.meaning import (
    MOST_TOKENS,
    MeaningExplorer,
    WordVectors,
    blended_plane,
    coordinates,
    dealt_groups,
    find_word,
    group_cosines,
    kept_share,
    layer_numbers,
    mean_direction,
    on_right_side,
    principal_planes,
    rotation_onto,
    separating_plane,
    used_half,
    word_vectors,
)

ANIMALS = [
    ("A cat purred.", "cat", "animal"),
    ("dog", "dog", "animal"),
    ("The tortoise slept.", "tortoise", "animal"),
    ("One axolotl swam.", "axolotl", "animal"),
    ("She dropped the hammer.", "hammer", "tool"),
    ("saw", "saw", "tool"),
    ("Pass me the screwdriver.", "screwdriver", "tool"),
    ("It rained in May.", "May", "month"),
    ("August", "august", "month"),
]


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture(scope="module")
def bank(minilm):
    """The default map, for tests that change nothing."""
    return MeaningExplorer(minilm)


@pytest.fixture
def animals(minilm):
    return MeaningExplorer(minilm, ANIMALS)


def some_vectors(*shape, seed=0):
    return torch.nn.functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


# ---- words into vectors


@pytest.mark.parametrize(
    ("text", "word", "span"),
    [
        ("The bank.", "bank", (4, 8)),
        ("Banking at the Bank", "bank", (15, 19)),
        ("cat", " cat ", (0, 3)),
        ("New York, please", "new york", (0, 8)),
        ("What? (why)", "why", (7, 10)),
        ("Ein Café", "café", (4, 8)),
    ],
)
def test_a_word_is_found_as_a_whole_word(text, word, span):
    assert find_word(text, word) == span


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ("", "bank", "no sentence here"),
        ("  ", "bank", "no sentence here"),
        ("The bank", " ", "Which word is meant"),
        ("The embankment", "bank", "“bank” does not stand in this sentence"),
    ],
)
def test_a_word_that_is_not_there_is_named(text, word, sentence):
    with pytest.raises(ValueError, match=sentence):
        find_word(text, word)


def test_vectors_are_the_models_own_at_length_one(minilm):
    words = word_vectors(minilm, [("We sat on the bank.", "bank"), ("The bank closed early that day.", "bank")])
    assert words.layer_names == ["static", *"0123456"] and words.vectors.shape == (8, 2, 384)
    run = minilm.run("We sat on the bank.")
    at = run.tokens.index("bank")
    expected = torch.nn.functional.normalize(run.hidden_states[:, at], dim=-1)
    torch.testing.assert_close(words.vectors[1:, 0], expected, atol=1e-5, rtol=0)  # a batch rounds a little otherwise
    table = minilm.network.embeddings.word_embeddings.weight[run.ids[at]].detach()
    torch.testing.assert_close(words.vectors[0, 0], table / table.norm())
    assert torch.equal(words.vectors[0, 0], words.vectors[0, 1])


def test_a_word_of_several_pieces_gets_their_mean(minilm):
    run = minilm.run("One axolotl swam.")
    pieces = [i for i, token in enumerate(run.tokens) if token not in ("[CLS]", "one", "swam", ".", "[SEP]")]
    assert len(pieces) > 1
    mean = run.hidden_states[3, pieces].mean(dim=0)
    found = word_vectors(minilm, [("One axolotl swam.", "axolotl")]).vectors[4, 0]
    torch.testing.assert_close(found, mean / mean.norm(), atol=1e-5, rtol=0)


def test_a_model_without_added_positions_has_no_layer_0():
    try:
        smollm2 = models.load("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))
    words = word_vectors(smollm2, [("We sat on the bank.", "bank"), ("The bank closed.", "bank")])
    assert words.layer_names[:3] == ["static", "1", "2"] and len(words.vectors) == len(words.layer_names)
    assert torch.equal(words.vectors[0, 0], words.vectors[0, 1])


# ---- planes


def test_procrustes_undoes_a_turn_and_a_mirroring():
    points = some_vectors(7, 2)
    turn = torch.tensor([[0.0, 1.0], [1.0, 0.0]]) @ torch.tensor([[0.8, 0.6], [-0.6, 0.8]])
    torch.testing.assert_close((points @ turn) @ rotation_onto(points @ turn, points), points)


def test_procrustes_finds_no_worse_turn_than_a_search():
    points, reference = some_vectors(9, 2, seed=1), some_vectors(9, 2, seed=2)
    best = (points @ rotation_onto(points, reference) - reference).norm()
    for angle in np.linspace(0, 2 * math.pi, 400):
        c, s = math.cos(angle), math.sin(angle)
        for turn in ([[c, s], [-s, c]], [[c, s], [s, -c]]):
            assert best <= (points @ torch.tensor(turn) - reference).norm() + 1e-5


def test_aligned_planes_stay_principal_and_change_less_from_layer_to_layer():
    vectors = torch.cat([some_vectors(1, 12, 20) + 0.1 * some_vectors(1, 12, 20, seed=i) for i in range(6)])
    planes = principal_planes(vectors)

    def jumps(axes):
        xy = coordinates(vectors, axes)
        return [(a - b).norm() for a, b in zip(xy, xy[1:], strict=False)]

    unaligned = torch.stack([principal_axes(layer) for layer in vectors])
    for layer, aligned, own in zip(vectors, planes, unaligned, strict=True):
        torch.testing.assert_close(aligned @ aligned.T, torch.eye(2), atol=1e-5, rtol=0)
        assert kept_share(layer, aligned) == pytest.approx(kept_share(layer, own), abs=1e-5)
    mirrored = unaligned * torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])[:, None, None]
    assert sum(jumps(planes)) < sum(jumps(mirrored))
    assert all(a <= b + 1e-5 for a, b in zip(jumps(planes), jumps(mirrored), strict=True))


def test_kept_share_is_numpys_share_of_the_variance():
    vectors = some_vectors(15, 6)
    variances = np.linalg.eigvalsh(np.cov(vectors.double().numpy().T))[::-1]
    expected = variances[:2].sum() / variances.sum()
    assert kept_share(vectors, principal_axes(vectors)) == pytest.approx(expected, abs=1e-5)
    assert math.isnan(kept_share(torch.ones(3, 4), torch.eye(4)[:2]))


def test_the_separating_plane_begins_with_the_direction_and_shows_most_of_the_rest():
    vectors, like = some_vectors(11, 8), torch.eye(8)[:2]
    direction = some_vectors(8, seed=900)
    plane = separating_plane(vectors, direction, like)
    torch.testing.assert_close(plane @ plane.T, torch.eye(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(plane[0], direction)
    rest = kept_share(vectors, plane)
    for seed in range(200):
        other = some_vectors(8, seed=seed)
        other = other - (other @ direction) * direction
        assert rest >= kept_share(vectors, torch.stack([direction, other / other.norm()])) - 1e-5


def test_without_a_direction_the_plane_stays():
    like = torch.eye(5)[:2]
    assert torch.equal(separating_plane(some_vectors(4, 5), torch.zeros(5), like), like)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_a_blend_of_planes_distorts_nothing(share):
    start, end = principal_axes(some_vectors(9, 6)), principal_axes(some_vectors(9, 6, seed=3))
    plane = blended_plane(start, end, share)
    torch.testing.assert_close(plane @ plane.T, torch.eye(2), atol=1e-5, rtol=0)
    if share in (0.0, 1.0):
        torch.testing.assert_close(plane, start if share == 0 else end, atol=1e-5, rtol=0)


# ---- groups


def test_within_and_between_are_means_over_pairs():
    vectors, groups = some_vectors(6, 5), [0, 1, 0, 1, 1, -1]
    table = cosine_similarity(vectors)
    within = np.mean([table[i, j] for i, j in [(0, 2), (1, 3), (1, 4), (3, 4)]])
    between = np.mean([table[i, j] for i in (0, 2) for j in (1, 3, 4)])
    assert group_cosines(vectors, groups) == pytest.approx((within, between), abs=1e-5)


def test_every_other_item_of_each_group_is_used():
    assert used_half([1, 1, 0, 1, 0, -1, 0]).tolist() == [True, False, True, True, False, False, True]


def test_dealt_names_say_nothing_of_the_true_ones():
    groups = [0] * 16 + [1] * 16 + [-1]
    dealt, used = dealt_groups(groups), used_half(groups)
    for true in (0, 1):
        for half in (True, False):
            names = [d for d, g, u in zip(dealt, groups, used.tolist(), strict=True) if g == true and u == half]
            assert sorted(names) == [0] * 4 + [1] * 4
    assert dealt[-1] == -1 and dealt == dealt_groups(groups)


def test_held_back_items_do_not_move_the_direction():
    vectors, groups = some_vectors(8, 5), [0, 0, 0, 0, 1, 1, 1, 1]
    used = used_half(groups)
    moved = torch.where(used[:, None], vectors, 9.0)
    found, again = mean_direction(vectors, groups, used), mean_direction(moved, groups, used)
    assert torch.equal(found.along, again.along) and found.border == again.border
    expected = vectors[[4, 6]].mean(dim=0) - vectors[[0, 2]].mean(dim=0)
    torch.testing.assert_close(found.along, expected / expected.norm())


def test_sides_of_the_border():
    vectors = torch.tensor([[0.0, 0.0], [4.0, 0.0], [3.0, 1.0], [1.0, 1.0]])
    groups = [0, 1, 0, 1]
    direction = mean_direction(vectors, groups, torch.tensor([True, True, False, False]))
    assert direction.border == 2
    assert on_right_side(vectors, groups, direction).tolist() == [True, True, False, False]


def test_equal_vectors_have_no_direction_and_no_right_side():
    vectors, groups = some_vectors(1, 7).expand(4, 7), [0, 0, 1, 1]
    direction = mean_direction(vectors, groups, used_half(groups))
    assert not direction.along.any() and not on_right_side(vectors, groups, direction).any()


# ---- the numbers of the default map


def test_bank_is_one_point_until_the_sentence_is_mixed_in(bank):
    numbers = bank.numbers
    assert [row.layer for row in numbers] == ["static", *"0123456"]
    assert numbers[0].within == pytest.approx(1, abs=1e-6) and numbers[0].between == pytest.approx(1, abs=1e-6)
    assert numbers[1].within - numbers[1].between < 0.005  # positions alone know nothing of the sense
    assert all(row.within > row.between + 0.01 for row in numbers[2:])
    assert numbers[0].used_right == numbers[0].held_back_right == 0


def test_most_of_the_held_back_half_lies_on_its_side_and_dealt_names_do_not(bank):
    for row in bank.numbers[2:]:
        assert (row.n_used, row.n_held_back) == (16, 16) and row.held_back_right >= 12
    for used_right, held_back_right in bank.right_counts[1][0][2:]:
        assert used_right > held_back_right <= 11


def test_numbers_are_those_that_the_browser_gets(bank):
    for row, cosines, counts in zip(bank.numbers, bank.cosines, bank.right_counts[0][0], strict=True):
        assert [row.within, row.between] == cosines and [row.used_right, row.held_back_right] == counts


def test_buffers_hold_the_coordinates_in_both_planes(bank):
    n_layers, n_items = len(bank.layer_names), len(bank.items)
    vectors = bank.words.vectors
    principal = np.frombuffer(bank.principal, np.float32).reshape(n_layers, n_items, 2)
    separating = np.frombuffer(bank.separating, np.float32).reshape(2, 1, n_layers, n_items, 2)
    totals = np.frombuffer(bank.totals, np.float32)
    for layer, row in enumerate(bank.numbers):
        assert (principal[layer] ** 2).sum() / totals[layer] == pytest.approx(row.kept, abs=1e-4)
    pair = bank.groups
    direction = mean_direction(vectors[5], pair, used_half(pair))
    expected = (vectors[5] - vectors[5].mean(dim=0)) @ direction.along
    np.testing.assert_allclose(separating[0, 0, 5, :, 0], expected, atol=1e-5)
    border = np.frombuffer(bank.borders, np.float32).reshape(2, 1, n_layers)
    assert np.isnan(border[:, 0, 0]).all() and not np.isnan(border[:, 0, 1:]).any()
    used = np.array(bank.used[0], dtype=bool)
    for dealt in (0, 1):  # what the browser crosses out is what is counted
        names = np.array(bank.pair_groups[dealt][0])
        right = ((separating[dealt, 0, 5, :, 0] > border[dealt, 0, 5]) == (names == 1)) & (names >= 0)
        assert [(right & used).sum(), (right & ~used).sum()] == bank.right_counts[dealt][0][5]


def test_the_money_side_is_to_the_right_in_every_layer(bank):
    groups = np.array(bank.groups)
    for name in ("principal", "separating"):
        xy = np.frombuffer(getattr(bank, name), np.float32).reshape(-1, len(bank.layer_names), len(bank.items), 2)[0]
        for layer in range(2, 8):
            assert xy[layer, groups == 1, 0].mean() > xy[layer, groups == 0, 0].mean()


# ---- other items, own sentences


def test_other_items_with_three_groups_and_words_alone(animals):
    assert animals.group_names == ["animal", "tool", "month"] and animals.pairs == [[0, 1], [0, 2], [1, 2]]
    assert [item["landmark"] for item in animals.items] == [False] * 9
    assert animals.own == {} and animals.problem == "" and animals.own_word == ""
    animals.pair = 2
    counts = [(row.used_right, row.n_used, row.n_held_back) for row in animals.numbers]
    assert all(n_used == 3 and n_held_back == 2 for _, n_used, n_held_back in counts)
    assert [[row.used_right, row.held_back_right] for row in animals.numbers] == animals.right_counts[0][2]


def test_groups_of_one_item_have_nothing_to_hold_back(minilm):
    explorer = MeaningExplorer(minilm, [("cat", "cat", "a"), ("dog", "dog", "b")])
    assert all(row.n_held_back == 0 and math.isnan(row.within) for row in explorer.numbers)
    assert explorer.cosines[0][0] is None and "Meaning map" in repr(explorer)


def test_items_all_alike_still_give_a_map(minilm):
    explorer = MeaningExplorer(minilm, [("cat", "cat", "a"), ("cat", "cat", "a"), ("cat", "cat", "b")])
    assert np.isfinite(np.frombuffer(explorer.principal, np.float32)).all()
    assert np.isfinite(np.frombuffer(explorer.separating, np.float32)).all()
    assert all(math.isnan(row.kept) for row in explorer.numbers)


def test_an_own_sentence_joins_the_map_that_stays_as_it_is(minilm):
    explorer = MeaningExplorer(minilm)
    before = explorer.principal
    explorer.own_text = "The bank raised its interest rates again."
    assert explorer.problem == "" and explorer.own["start"] == 4 and explorer.principal == before
    assert explorer.own_cosines[5][1] > explorer.own_cosines[5][0]
    explorer.own_text = "Ducks nest on the grassy bank of the stream."
    assert explorer.own_cosines[5][0] > explorer.own_cosines[5][1]
    words = word_vectors(minilm, [(explorer.own_text, "bank")])
    money = explorer.words.vectors[5, [i for i, group in enumerate(explorer.groups) if group == 1]].mean(dim=0)
    expected = torch.cosine_similarity(words.vectors[5, 0], money, dim=0).item()
    assert explorer.own_cosines[5][1] == pytest.approx(expected, abs=1e-5)


def test_an_own_copy_of_an_item_lies_on_it(minilm):
    explorer = MeaningExplorer(minilm)
    explorer.own_text = explorer.items[3]["text"]
    own = np.frombuffer(explorer.own_principal, np.float32).reshape(8, 2)
    item = np.frombuffer(explorer.principal, np.float32).reshape(8, -1, 2)[:, 3]
    np.testing.assert_allclose(own, item, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ("", "bank", "no sentence here"),
        ("A tree", "bank", "“bank” does not stand in this sentence"),
        ("The bank", "", "Which word is meant"),
        ("The bank is " + "very " * MOST_TOKENS, "bank", f"at most {MOST_TOKENS}"),
    ],
)
def test_a_bad_sentence_becomes_a_sentence_and_the_last_good_point_stays(minilm, text, word, sentence):
    explorer = MeaningExplorer(minilm)
    before = explorer.own
    explorer.set_trait("own_word", word)
    explorer.own_text = text
    assert sentence in explorer.problem and "still shows your last sentence" in explorer.problem
    assert explorer.own == before
    explorer.own_text, explorer.own_word = "My bank.", "bank"
    assert explorer.problem == "" and explorer.own["text"] == "My bank."


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([("cat", "cat", "a")], "two to 5 groups; these items have 1"),
        ([("cat", "cat", str(i)) for i in range(6)], "these items have 6"),
        ([("cat", "cat", "ab"[i % 2]) for i in range(201)], "at most 200 points; there are 201"),
        ([("cat", "dog", "a"), ("dog", "dog", "b")], "“dog” does not stand"),
    ],
)
def test_items_that_make_no_map_are_met_with_a_reason(minilm, items, sentence):
    with pytest.raises(ValueError, match=sentence):
        MeaningExplorer(minilm, items)


def test_an_item_of_two_parts_and_a_missing_layer_are_named(minilm):
    with pytest.raises(TypeError, match=r"Each item is \(text, word, group\)"):
        MeaningExplorer(minilm, [("cat", "a"), ("dog", "b")])
    with pytest.raises(ValueError, match="no layer '9'; minilm has static, 0, 1"):
        MeaningExplorer(minilm, layer="9")
    with pytest.raises(ValueError, match="belongs to 'c', but the groups are animal, tool, month"):
        MeaningExplorer(minilm, ANIMALS, landmarks=[("sun", "sun", "c")])


def test_a_cell_that_sets_what_is_not_there_is_told_so(animals):
    for name, value, last in (("layer", 8, 7), ("pair", 3, 2), ("followed", 10, 9)):
        with pytest.raises(traitlets.TraitError, match=f"{name} must be from -?[01] to {last}, got {value}"):
            setattr(animals, name, value)


def test_layer_numbers_need_no_model():
    vectors = some_vectors(1, 6, 9).expand(2, 6, 9)
    rows = layer_numbers(WordVectors(["static", "1"], vectors), [0, 1, 0, 1, 0, 1])
    assert rows[0][1:] == rows[1][1:] and rows[0].n_used == 4 and rows[0].n_held_back == 2


def test_the_text_alternative_says_the_first_numbers(bank):
    lines = repr(bank).splitlines()
    assert lines[0] == (
        "Meaning map of minilm: 32 words in their sentences (river: 16, money: 16) and 8 words as landmarks, at layer "
        "6, in the plane of the two principal axes, which keeps 42% of the variance."
    )
    assert lines[2].split() == ["static", "1.000", "1.000", "0", "0"]
    assert lines[7].split() == ["4", "0.929", "0.883", "15", "14"]
    assert lines[-1] == (
        "Your sentence, “The bank beside the river lends money to farmers.”: cosine with each group's mean at this "
        "layer: river 0.901, money 0.906."
    )
