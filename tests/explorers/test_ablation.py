"""Removing heads: nothing removed changes nothing, and a whole layer removed leaves its attention's bias alone."""

import numpy as np
import pytest
import torch
import traitlets

from course import models
from course.explorers.ablation import CHANGED_MUCH, MOST_TOKENS, AblationExplorer, angle, random_heads, remove_heads

TEXT = "The cat sat on the mat"


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture
def explorer(minilm):
    return AblationExplorer(minilm)


def test_removing_no_head_changes_nothing(minilm):
    removal, run = remove_heads(minilm, TEXT, []), minilm.run(TEXT)
    torch.testing.assert_close(removal.token_cosines, torch.ones(8), atol=1e-6, rtol=0)
    assert removal.sentence_cosine == pytest.approx(1, abs=1e-6)
    assert removal.weight_moved.max() == 0 and removal.heads == ()
    torch.testing.assert_close(removal.weights, run.attentions, atol=1e-5, rtol=0)


@pytest.mark.parametrize("heads", [[(0, 2)], [(5, 11)], [(0, 2), (3, 11), (4, 5)], [(2, h) for h in range(12)]])
def test_the_library_gives_the_same_with_these_heads_set_to_zero(minilm, heads):
    """The judge: transformers' own BertModel, with zeros put in front of the attention's output map."""

    def silence(layer):
        def hook(module, inputs):
            x = inputs[0].clone()
            for other, head in heads:
                if other == layer:
                    x[..., head * 32 : (head + 1) * 32] = 0
            return (x,)

        return hook

    untouched = minilm.run(TEXT)
    handles = [
        layer.attention.output.dense.register_forward_pre_hook(silence(i))
        for i, layer in enumerate(minilm.network.encoder.layer)
    ]
    try:
        run = minilm.run(TEXT)
    finally:
        for handle in handles:
            handle.remove()
    before, after = untouched.hidden_states[-1], run.hidden_states[-1]
    removal = remove_heads(minilm, TEXT, heads)
    expected = torch.nn.functional.cosine_similarity(before, after, dim=-1)
    torch.testing.assert_close(removal.token_cosines, expected, atol=1e-5, rtol=0)
    expected = torch.nn.functional.cosine_similarity(before.mean(dim=0), after.mean(dim=0), dim=0)
    assert removal.sentence_cosine == pytest.approx(expected.item(), abs=1e-5)
    torch.testing.assert_close(removal.weights, run.attentions, atol=1e-5, rtol=0)


def test_a_layer_without_heads_gives_only_its_output_bias(minilm):
    last = minilm.network.encoder.layer[5]
    x = minilm.run(TEXT).hidden_states[5]  # what goes into layer 5
    with torch.no_grad():
        attended = last.attention.output.LayerNorm(x + last.attention.output.dense.bias)
        final = last.output.LayerNorm(attended + last.output.dense(last.intermediate(attended)))
    removal = remove_heads(minilm, TEXT, [(5, head) for head in range(12)])
    before = minilm.run(TEXT).hidden_states[-1]
    expected = torch.nn.functional.cosine_similarity(final, before, dim=-1)
    torch.testing.assert_close(removal.token_cosines, expected, atol=1e-5, rtol=0)


def test_a_removed_head_changes_no_layer_before_it_nor_its_own(minilm):
    moved = remove_heads(minilm, TEXT, [(3, 3)]).weight_moved
    assert moved.shape == (6, 12)
    assert moved[:4].max() < 1e-6 and moved[4:].min() > 1e-6 and moved.max() <= 1


def test_the_order_of_heads_and_repeats_do_not_matter(minilm):
    one, two = (remove_heads(minilm, TEXT, heads) for heads in ([(4, 1), (0, 2)], [(0, 2), (4, 1), (0, 2)]))
    assert one.heads == two.heads == ((0, 2), (4, 1))
    assert torch.equal(one.token_cosines, two.token_cosines)


def test_a_head_that_is_not_there_is_named(minilm, explorer):
    with pytest.raises(ValueError, match=r"no head \(6, 0\): layers are numbered 0 to 5, heads 0 to 11"):
        remove_heads(minilm, TEXT, [(6, 0)])
    with pytest.raises(traitlets.TraitError, match=r"from \(0, 0\) to \(5, 11\), got \(0, 12\)"):
        explorer.removed = [[0, 12]]
    with pytest.raises(traitlets.TraitError, match="got .6, 0."):
        AblationExplorer(minilm, removed=[(6, 0)])


def test_random_heads_are_different_and_come_again_with_the_same_seed():
    draws = random_heads(5, n_layers=6, n_heads=12, n_draws=50, seed=3)
    assert draws == random_heads(5, n_layers=6, n_heads=12, n_draws=50, seed=3)
    assert all(len(set(draw)) == 5 and draw == sorted(draw) for draw in draws)
    assert {head for draw in draws for head in draw} > {(0, 0), (5, 11)}  # 250 of 72: all but surely every head
    assert random_heads(0, 6, 12, n_draws=1) == [[]]
    with pytest.raises(ValueError, match="73 heads cannot be drawn from 72"):
        random_heads(73, 6, 12)


def test_switching_a_head_runs_the_model_again(minilm, explorer):
    explorer.removed = [[3, 11], [0, 2]]
    expected = remove_heads(minilm, TEXT, [(0, 2), (3, 11)])
    assert explorer.removed == explorer.answered == [[0, 2], [3, 11]]
    np.testing.assert_allclose(explorer.token_cosines, expected.token_cosines, atol=1e-6)
    assert explorer.sentence_cosine == pytest.approx(expected.sentence_cosine, abs=1e-6)
    sent = np.frombuffer(explorer.weights, np.uint8).reshape(6, 12, 8, 8) / 255
    np.testing.assert_allclose(sent, expected.weights, atol=1 / 500)


def test_all_heads_can_be_put_back_and_all_removed(explorer):
    explorer.removed = []
    assert explorer.sentence_cosine == pytest.approx(1, abs=1e-6) and max(explorer.weight_moved) == 0
    explorer.removed = [[layer, head] for layer in range(6) for head in range(12)]
    assert len(explorer.answered) == 72 and explorer.sentence_cosine < 0.5


def test_random_choices_differ_and_the_comparison_is_of_as_many_heads(minilm, explorer):
    explorer.remove_random(4)
    first = explorer.removed
    explorer.remove_random(4)
    assert len(first) == len(explorer.removed) == 4 and first != explorer.removed
    kept = explorer.compare()
    assert len(kept) == 20 and explorer.compared == kept
    draw = random_heads(4, 6, 12, seed=1)[7]
    assert kept[7] == pytest.approx(remove_heads(minilm, TEXT, draw).sentence_cosine, abs=1e-6)
    explorer.removed = [[0, 0]]
    assert explorer.compared == []  # it was of other heads


def test_messages_from_the_buttons_are_heard(explorer):
    explorer._handle_custom_msg({"do": "random", "n": 7}, [])
    assert len(explorer.removed) == 7
    explorer._handle_custom_msg({"do": "random", "n": 700}, [])
    assert len(explorer.removed) == 72
    explorer._handle_custom_msg({"do": "compare"}, [])
    assert len(explorer.compared) == 20


def test_a_new_text_keeps_what_is_removed(minilm, explorer):
    explorer.text = "Dogs bark"
    assert explorer.tokens == ["[CLS]", "dogs", "bark", "[SEP]"]
    expected = remove_heads(minilm, "Dogs bark", [(0, 2), (5, 11)])
    np.testing.assert_allclose(explorer.token_cosines, expected.token_cosines, atol=1e-6)


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
    before = explorer.token_cosines
    explorer.text = text
    assert sentence in explorer.problem
    assert explorer.token_cosines == before and explorer.tokens[1] == "the"
    explorer.text = "Good again"
    assert explorer.problem == ""


def test_a_first_text_that_is_bad_shows_its_sentence(minilm):
    explorer = AblationExplorer(minilm, " ")
    assert repr(explorer).startswith("Heads to remove, without a text. There is no text here")
    explorer.removed = [[0, 0]]
    assert explorer.compare() == []
    explorer.text = TEXT
    assert explorer.answered == [[0, 0]]


def test_a_decoder_is_refused_with_a_reason():
    try:
        smollm2 = models.load("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))
    assert "is not a BERT encoder" in AblationExplorer(smollm2).problem


def test_angles_of_cosines():
    assert [round(angle(cosine)) for cosine in (1.0000001, 1.0, 0.5, 0.0, -1.0)] == [0, 0, 60, 90, 180]


def test_the_text_alternative_says_the_numbers(explorer):
    assert repr(explorer) == (
        "6 layers of 12 heads of minilm on 8 tokens: [CLS] the cat sat on the mat [SEP]\n"
        "2 of 72 heads removed, (layer, head): (0, 2), (5, 11).\n"
        "The sentence vector keeps 0.799 of its direction (cosine).\n"
        "Cosine of each final vector with the untouched one: '[CLS]' 0.904, 'the' 0.795, 'cat' 0.913, 'sat' 0.892, "
        "'on' 0.890, 'the' 0.768, 'mat' 0.933, '[SEP]' 0.723.\n"
        f"1 other head changed much (at least {CHANGED_MUCH:.0%} of the weight went to other tokens): (1, 9)."
    )
