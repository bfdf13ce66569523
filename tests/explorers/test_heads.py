"""The head explorer: what is computed for it, and how it answers to text, without a browser."""

import numpy as np
import pytest
import torch
import traitlets

from course import models
from course.explorers.heads import HeadExplorer, describe, from_bytes, is_byte_level, readable, to_bytes


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture
def explorer(minilm):
    return HeadExplorer(minilm, head=2)


def test_one_byte_a_weight_moves_no_weight_by_more_than_1_in_510():
    weights = torch.softmax(torch.randn(3, 2, 7, 7, generator=torch.Generator().manual_seed(0)) * 3, dim=-1)
    back = from_bytes(to_bytes(weights), (3, 2, 7)) / 255
    assert np.abs(back - weights.numpy()).max() <= 1 / 510 + 1e-7


def test_the_buffer_holds_every_head_in_the_order_layer_head_query_key(explorer):
    n_tokens = len(explorer.tokens)
    assert explorer.shape == [6, 12, n_tokens]
    assert len(explorer.buffer) < 6 * 12 * n_tokens**2
    assert np.array_equal(
        from_bytes(explorer.buffer, explorer.shape)[4, 5], np.rint(explorer.run.attentions[4, 5].numpy() * 255)
    )


def test_weights_are_those_of_the_head_chosen(explorer):
    explorer.layer, explorer.head = 3, 7
    assert torch.equal(explorer.weights, explorer.run.attentions[3, 7])
    assert torch.allclose(explorer.weights.sum(dim=-1), torch.ones(8), atol=1e-5)


def test_the_text_alternative_names_the_previous_token_head(explorer):
    words = repr(explorer)
    assert words.startswith(
        "6 layers of 12 attention heads, of minilm, on 8 tokens: [CLS] the cat sat on the mat [SEP]"
    )
    assert "Layer 0, head 2: the strongest looks are" in words
    assert '"sat" looks most at "cat" (1.00).' in words


def test_the_text_alternative_of_a_long_text_is_short(minilm):
    assert len(repr(HeadExplorer(minilm, "word " * 60)).splitlines()) == 2


def test_a_look_that_would_read_0_00_is_not_named():
    words = describe(
        to_bytes(torch.tensor([[254, 1], [128, 127]]) / 255), (1, 1, 2), ["a", "[SEP]"], ["token", "special"], 0, 0
    )
    assert words.splitlines()[1:] == [
        '"a" looks most at "a" (1.00).',
        '[SEP] looks most at "a" (0.50), then [SEP] (0.50).',
    ]


@pytest.mark.parametrize(
    "text, says",
    [("", "no text"), ("   ", "no text"), ("word " * 600, "602 tokens")],
    ids=["empty", "spaces", "600 words"],
)
def test_a_text_that_cannot_be_read_becomes_a_sentence_and_keeps_the_picture(explorer, text, says):
    tokens, buffer = explorer.tokens, explorer.buffer
    explorer.text = text
    assert says in explorer.problem and explorer.problem.endswith("The picture still shows the last text.")
    assert explorer.tokens == tokens and explorer.buffer == buffer
    explorer.text = "The dog played"
    assert explorer.problem == "" and explorer.tokens == ["[CLS]", "the", "dog", "played", "[SEP]"]


@pytest.mark.parametrize(
    "text", ["😀 🎉", "猫坐在垫子上", "cat", "."], ids=["emoji", "Chinese", "one word", "one mark"]
)
def test_any_other_text_is_drawn(explorer, text):
    explorer.query = 7
    explorer.text = text
    assert explorer.problem == "" and explorer.query == -1
    assert len(explorer.tokens) == explorer.shape[2] == len(explorer.kinds)
    assert explorer.kinds[0] == explorer.kinds[-1] == "special"
    assert repr(explorer)


def test_a_pair_is_read_as_one_text_with_two_ends(minilm):
    explorer = HeadExplorer(minilm, "The cat sat", "The dog played")
    assert explorer.tokens.count("[SEP]") == 2
    explorer.pair = "It slept"
    assert explorer.tokens[-3:] == ["it", "slept", "[SEP]"]


@pytest.mark.parametrize("name, value", [("layer", 6), ("head", 12), ("query", 8), ("layer", -1)])
def test_a_number_outside_the_model_is_refused_with_the_range(explorer, name, value):
    with pytest.raises(traitlets.TraitError, match=f"{name} must be from -?\\d to \\d+, got {value}"):
        setattr(explorer, name, value)


def test_a_first_text_that_cannot_be_read_is_an_error_at_once(minilm):
    with pytest.raises(ValueError, match="no text"):
        HeadExplorer(minilm, "")


def test_byte_level_tokens_are_written_for_people():
    assert readable(["The", "Ġcat", "Ċ", "ðŁ", "<|im_start|>"], byte_level=True) == [
        "The",
        "␣cat",
        "↵",
        "<F0 9F>",
        "<|im_start|>",
    ]
    assert readable(["▁The", "##s"]) == ["␣The", "##s"]


def test_minilm_does_not_write_bytes(minilm):
    assert not is_byte_level(minilm.tokenizer)
