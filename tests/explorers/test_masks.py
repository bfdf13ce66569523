"""The mask painter's numbers: the same as torch's and as the model's own attention weights."""

import math

import numpy as np
import pytest
import torch

from course import models
from course.attention import causal_mask, padding_mask, same_segment_mask
from course.explorers.masks import MOST_TOKENS, MaskPainter, allowed_cells, head_scores, painted_weights

TEXT = "The cat sat on the mat"


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture
def painter(minilm):
    return MaskPainter(minilm)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 4.0])
def test_weights_are_torchs_softmax_of_the_masked_scores(temperature):
    scores = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    may_attend = causal_mask(5, 7)
    expected = torch.softmax((scores / temperature).masked_fill(~may_attend, -math.inf), dim=-1)
    torch.testing.assert_close(painted_weights(scores, may_attend, temperature), expected, atol=1e-6, rtol=0)


def test_after_the_softmax_the_hidden_share_is_lost():
    weights = painted_weights(torch.zeros(1, 4), torch.tensor([[True, False, True, True]]), rule="after")
    assert weights.tolist() == [[0.25, 0.0, 0.25, 0.25]]


@pytest.mark.parametrize(("rule", "expected"), [("before", math.nan), ("finite", 0.25), ("after", 0.0)])
def test_a_row_that_may_see_nothing(rule, expected):
    weights = painted_weights(torch.randn(3, 4), torch.zeros(3, 4, dtype=torch.bool), rule=rule)
    torch.testing.assert_close(weights, torch.full((3, 4), expected), equal_nan=True)


def test_an_unknown_rule_is_met_with_the_three_known_ones():
    with pytest.raises(ValueError, match="'before', 'finite', 'after', got 'during'"):
        painted_weights(torch.zeros(2, 2), torch.ones(2, 2, dtype=torch.bool), rule="during")


def test_kinds_of_mask_combine_by_and_and_painting_stands_above_them():
    segments = torch.tensor([0, 0, 1, 1, 0])
    may_attend = allowed_cells(segments, 4, True, True, True, painted=[(0, 3, True), (3, 3, False), (9, 9, True)])
    expected = padding_mask([4], 5)[0] & causal_mask(5) & same_segment_mask(segments)
    expected[0, 3], expected[3, 3] = True, False
    assert torch.equal(may_attend, expected)


@pytest.mark.parametrize(("layer", "head"), [(0, 3), (3, 11), (5, 0)])
@pytest.mark.parametrize(
    ("text", "second"), [(TEXT, None), ("The cat sat", "It slept"), ("猫 🙂", None), ("cat", None)]
)
def test_with_the_padding_mask_alone_the_weights_are_the_models_own(minilm, text, second, layer, head):
    painter = MaskPainter(minilm, text, second, layer, head, n_padding=3)
    run = minilm.run(text, second, pad_to=painter.n_tokens + 3)
    torch.testing.assert_close(painter.weights, run.attentions[layer, head], atol=1e-5, rtol=0)


def test_fewer_padding_tokens_change_no_score(minilm):
    four, none = head_scores(minilm, TEXT, n_padding=4), head_scores(minilm, TEXT, n_padding=0)
    n = none.n_tokens
    torch.testing.assert_close(four.scores[:n, :n], none.scores, atol=1e-5, rtol=0)


def test_the_browser_gets_the_scores_as_float32(painter):
    sent = np.frombuffer(painter.scores, dtype=np.float32).reshape(len(painter.tokens), -1)
    torch.testing.assert_close(torch.from_numpy(sent.copy()), head_scores(painter.model, TEXT).scores)


def test_traits_from_the_browser_reach_mask_and_weights(painter):
    painter.hide_future, painter.painted, painter.temperature = True, [[4, 2, False]], 2.5
    assert painter.may_attend.shape == painter.weights.shape == (10, 10)
    assert not painter.may_attend[4, 2] and painter.may_attend[4, 1] and not painter.may_attend[1, 2]
    assert painter.weights[4, 2] == 0
    torch.testing.assert_close(painter.weights.sum(dim=-1), torch.ones(10))


def test_a_new_text_clears_the_painting(painter):
    painter.painted = [[0, 0, False]]
    painter.text = "Dogs bark"
    assert painter.tokens[:4] == ["[CLS]", "dogs", "bark", "[SEP]"] and painter.painted == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no text here"),
        ("   ", "no text here"),
        ("word " * 25, f"27 tokens long. The mask painter shows at most {MOST_TOKENS}"),
        ("word " * 600, "602 tokens long"),
    ],
)
def test_a_bad_text_becomes_a_sentence_and_the_last_good_picture_stays(painter, text, sentence):
    before = painter.weights
    painter.text = text
    assert sentence in painter.problem
    assert torch.equal(painter.weights, before)
    painter.text = "Good again"
    assert painter.problem == ""


def test_a_first_text_that_is_bad_shows_its_sentence(minilm):
    painter = MaskPainter(minilm, " ")
    assert painter.weights.shape == (0, 0)
    assert repr(painter).startswith("Mask painter without a text. There is no text here")


def test_a_missing_layer_or_head_is_named(minilm):
    assert "6 layers, numbered 0 to 5; there is no layer 6" in MaskPainter(minilm, layer=6).problem
    assert "12 heads, numbered 0 to 11; there is no head -1" in MaskPainter(minilm, head=-1).problem


def test_a_decoder_is_refused_with_a_reason():
    try:
        smollm2 = models.load("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))
    assert "Take an encoder such as minilm" in MaskPainter(smollm2, layer=0, head=0).problem


def test_the_text_alternative_says_the_first_numbers(painter):
    assert repr(painter) == (
        "Mask painter: three squares of 10 by 10 tokens ([CLS] the cat sat on the mat [SEP] [PAD] [PAD]), for layer 3, "
        "head 11: scores, mask, weights. Hidden: padding; 20 of 100 cells are closed. "
        "The new vector of 'cat' = 25% of '[SEP]' + 23% of 'the' + 13% of 'the' + the rest."
    )


def test_the_text_alternative_of_a_row_that_sees_nothing_says_nan(painter):
    painter.painted = [[2, key, False] for key in range(10)]
    assert "The new vector of 'cat' is NaN" in repr(painter)
