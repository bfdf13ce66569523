"""The five steps of one query: the same numbers as torch's attention and as the model's own weights."""

import numpy as np
import pytest
import torch
import traitlets

from course import models
from course.explorers.qkv import MOST_TOKENS, QKVExplorer, head_vectors, named, query_steps

TEXT = "The cat sat on the mat"


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture
def explorer(minilm):
    return QKVExplorer(minilm)


def test_every_step_agrees_with_torchs_fused_attention():
    generator = torch.Generator().manual_seed(0)
    query, keys, values = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in [(7,), (5, 7), (5, 3)]
    )
    steps = query_steps(query, keys, values)
    expected = torch.nn.functional.scaled_dot_product_attention(query[None], keys, values)[0]
    torch.testing.assert_close(steps.output, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(steps.dot_products, keys @ query, atol=1e-12, rtol=0)
    torch.testing.assert_close(steps.scores * 7**0.5, steps.dot_products, atol=1e-12, rtol=0)
    torch.testing.assert_close(steps.weights, torch.softmax(steps.scores, dim=-1), atol=1e-12, rtol=0)
    assert steps.products.shape == (5, 7) and steps.shares.shape == (5, 3)


@pytest.mark.parametrize("text", [TEXT, "cat", "猫 🙂", "Unbelievable, isn't it?", "word " * 22])
def test_the_weights_are_the_models_own_in_every_head(minilm, text):
    found, run = head_vectors(minilm, text), minilm.run(text)
    for layer, head, query in [(0, 2, 0), (3, 11, 1), (5, 7, len(found.tokens) - 1)]:
        at = (layer, head)
        steps = query_steps(found.queries[at][query], found.keys[at], found.values[at])
        torch.testing.assert_close(steps.weights, run.attentions[layer, head, query], atol=1e-5, rtol=0)


def test_the_output_is_this_heads_share_of_what_the_layer_computes(minilm, explorer):
    seen = []
    dense = minilm.network.encoder.layer[3].attention.output.dense
    handle = dense.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    try:
        minilm.run(TEXT)
    finally:
        handle.remove()
    of_head_11 = seen[0][0, explorer.query, 11 * 32 : 12 * 32]
    torch.testing.assert_close(explorer.output, of_head_11, atol=1e-5, rtol=0)


def test_what_a_cell_or_the_browser_chooses_reaches_the_numbers(minilm, explorer):
    explorer.layer, explorer.head, explorer.query, explorer.key, explorer.step = 1, 8, 2, 3, 5
    run = minilm.run(TEXT)
    expected = run.queries[1, 8, 2] @ run.keys[1, 8].T / 32**0.5
    torch.testing.assert_close(explorer.scores, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(explorer.weights, run.attentions[1, 8, 2], atol=1e-5, rtol=0)
    torch.testing.assert_close(explorer.output, run.attentions[1, 8, 2] @ run.values[1, 8], atol=1e-5, rtol=0)


def test_the_browser_gets_all_heads_as_float32(minilm, explorer):
    sent = np.frombuffer(explorer.vectors, dtype=np.float32).reshape(3, *explorer.shape)
    run = minilm.run(TEXT)
    for part, expected in zip(sent, (run.queries, run.keys, run.values), strict=True):
        np.testing.assert_array_equal(part, expected.numpy())


def test_a_new_text_starts_inside_itself_and_keeps_the_head(explorer):
    explorer.query = explorer.key = 7
    explorer.text = "cat"
    assert explorer.tokens == ["[CLS]", "cat", "[SEP]"] and (explorer.query, explorer.key) == (1, 1)
    assert (explorer.layer, explorer.head) == (3, 11)
    assert explorer.weights.shape == (3,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no text here"),
        ("   ", "no text here"),
        ("word " * 23, f"25 tokens long. Here at most {MOST_TOKENS} are shown"),
        ("word " * 600, "602 tokens long"),
    ],
)
def test_a_bad_text_becomes_a_sentence_and_the_last_good_picture_stays(explorer, text, sentence):
    before = explorer.weights
    explorer.text = text
    assert sentence in explorer.problem
    assert torch.equal(explorer.weights, before) and explorer.tokens[1] == "the"
    explorer.text = "Good again"
    assert explorer.problem == ""


def test_a_first_text_that_is_bad_shows_its_sentence(minilm):
    explorer = QKVExplorer(minilm, " ")
    assert repr(explorer).startswith("Queries, keys and values without a text. There is no text here")
    with pytest.raises(ValueError, match="There is no text to compute with. There is no text here"):
        explorer.weights


def test_a_place_that_is_not_there_is_named(minilm, explorer):
    with pytest.raises(traitlets.TraitError, match="layer must be from 0 to 5, got 6"):
        QKVExplorer(minilm, layer=6)
    with pytest.raises(traitlets.TraitError, match="head must be from 0 to 11, got -1"):
        explorer.head = -1
    with pytest.raises(traitlets.TraitError, match="query must be from 0 to 7, got 8"):
        explorer.query = 8


def test_a_decoder_is_refused_with_a_reason():
    try:
        smollm2 = models.load("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))
    assert "Take an encoder such as minilm" in QKVExplorer(smollm2).problem


def test_tokens_that_occur_twice_are_told_apart():
    assert named(["a", "b", "a"]) == ["'a' (position 0)", "'b'", "'a' (position 2)"]


def test_the_text_alternative_says_the_numbers_of_every_step(explorer):
    assert repr(explorer) == (
        "Layer 3, head 11 of minilm on 8 tokens, step 1 of 5 (query, keys and values).\n"
        "The query of 'sat' and the key of 'cat': 32 products add up to -1.23; divided by √32 = 5.66 that is -0.22.\n"
        "Scores of 'sat': '[CLS]' -0.28, 'the' (position 1) 0.35, 'cat' -0.22, 'sat' -1.66, 'on' -1.44, "
        "'the' (position 5) -0.33, 'mat' -0.20, '[SEP]' 1.30.\n"
        "Softmax makes weights of them that sum to 1. The output of 'sat' = 43% of '[SEP]' + 17% of "
        "'the' (position 1) + 10% of 'mat' + the rest (values, 32 numbers each)."
    )
