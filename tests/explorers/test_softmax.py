"""The softmax explorer's numbers: the same as torch's, and a real head's own weights."""

import math

import pytest
import torch
import traitlets

from course import models
from course.explorers.softmax import (
    MOST_KEYS,
    SoftmaxExplorer,
    effective_number,
    entropy,
    own_gradient,
    softmax_inputs,
)

TEXT = "The cat sat on the mat"


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture
def explorer():
    return SoftmaxExplorer()


@pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
@pytest.mark.parametrize(("width", "divide_by_root", "factor"), [(64, True, 1), (64, False, 8), (512, False, 512**0.5)])
def test_the_weights_are_torchs(explorer, temperature, width, divide_by_root, factor):
    explorer.temperature, explorer.width, explorer.divide_by_root = temperature, width, divide_by_root
    scores = torch.tensor(explorer.scores, dtype=torch.float64)
    expected = torch.softmax(scores * factor / temperature, dim=-1)
    torch.testing.assert_close(explorer.weights, expected, atol=1e-12, rtol=0)


def test_plain_dot_products_of_unit_variance_grow_as_the_inputs_say():
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 20_000, 64, generator=generator)
    spread = (query * key).sum(dim=-1).std()
    expected = softmax_inputs(torch.ones(1), width=64, divide_by_root=False)
    torch.testing.assert_close(spread, expected[0], atol=0.1, rtol=0)  # 8, to within a few standard errors of 0.04


@pytest.mark.parametrize("n", [1, 2, 7])
def test_n_equal_weights_are_shared_by_n_keys(n):
    weights = torch.full((n,), 1 / n)
    assert effective_number(weights) == pytest.approx(n, abs=1e-5)
    assert entropy(weights) == pytest.approx(math.log(n), abs=1e-6)


def test_the_entropy_is_torchs(explorer):
    assert explorer.entropy == pytest.approx(
        float(torch.distributions.Categorical(explorer.weights).entropy()), abs=1e-9
    )
    assert explorer.effective_number == pytest.approx(math.exp(explorer.entropy))


def test_the_gradient_is_the_diagonal_that_autograd_finds(explorer):
    inputs = torch.tensor(explorer.scores, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: torch.softmax(x, dim=-1), inputs)
    torch.testing.assert_close(explorer.gradient, jacobian.diagonal(), atol=1e-12, rtol=0)


def test_without_the_division_a_wide_head_saturates(explorer):
    responsive = float(explorer.gradient.max())
    explorer.width, explorer.divide_by_root = 512, False
    assert explorer.weights.max() > 0.99 and explorer.effective_number < 1.1
    assert responsive > 0.2 and explorer.gradient.max() < 0.01


def test_adding_1_to_all_changes_nothing_and_doubling_all_does(explorer):
    before = explorer.weights
    explorer.scores = [score + 1 for score in explorer.scores]
    torch.testing.assert_close(explorer.weights, before, atol=1e-12, rtol=0)
    explorer.scores = [score * 2 for score in explorer.scores]
    assert explorer.weights.max() > before.max() + 0.1


def test_a_weight_of_0_and_of_1_has_no_gradient():
    assert own_gradient(torch.tensor([1.0, 0.0])).tolist() == [0.0, 0.0]


def test_a_real_heads_row_has_the_models_own_weights(minilm):
    explorer = SoftmaxExplorer.from_head(minilm, TEXT, layer=3, head=1, query="sat")
    run = minilm.run(TEXT)
    assert explorer.labels == run.tokens and explorer.query == "sat" and explorer.width == run.queries.shape[-1]
    torch.testing.assert_close(explorer.weights.float(), run.attentions[3, 1, 3], atol=1e-5, rtol=0)


def test_a_position_names_the_query_too(minilm):
    by_position = SoftmaxExplorer.from_head(minilm, TEXT, query=2)
    assert (
        by_position.query == "cat" and by_position.scores == SoftmaxExplorer.from_head(minilm, TEXT, query="cat").scores
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"query": "dog"}, "There is no token 'dog' in this text. Its tokens are"),
        ({"query": 8}, "numbered 0 to 7; there is no token 8"),
        ({"layer": 6}, "6 layers, numbered 0 to 5; there is no layer 6"),
        ({"head": -1}, "12 heads, numbered 0 to 11; there is no head -1"),
        ({"text": " "}, "no text here"),
        ({"text": "word " * 30}, f"32 tokens long. The softmax explorer shows at most {MOST_KEYS}"),
    ],
)
def test_a_row_that_cannot_be_had_is_met_with_a_sentence(minilm, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        SoftmaxExplorer.from_head(minilm, **{"text": TEXT, **arguments})


def test_a_decoder_is_refused_with_a_reason():
    try:
        smollm2 = models.load("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))
    with pytest.raises(ValueError, match="Take an encoder such as minilm"):
        SoftmaxExplorer.from_head(smollm2, TEXT, layer=0, head=0, query=1)


@pytest.mark.parametrize(
    ("labels", "scores", "sentence"),
    [
        (["a"], [1.0, 2.0], "1 labels, 2 scores"),
        (["a"], None, "labels but no scores"),
        (None, [], "1 to 24 scores, got 0"),
        (None, [0.0] * 25, "1 to 24 scores, got 25"),
        (None, [math.nan, 1.0], "between −256 and 256"),
        (None, [1e9], "between −256 and 256"),
        (None, ["much"], "list of numbers"),
        (None, 3.0, "list of numbers"),
    ],
)
def test_scores_that_cannot_be_shown_are_met_with_a_sentence(labels, scores, sentence):
    with pytest.raises(ValueError, match=sentence):
        SoftmaxExplorer(labels, scores)


def test_scores_alone_are_numbered():
    assert SoftmaxExplorer(scores=torch.tensor([1.0, 0.0, 2.0])).labels == ["0", "1", "2"]
    assert SoftmaxExplorer(["one"], [3]).weights.tolist() == [1.0]


@pytest.mark.parametrize(
    ("trait", "value"),
    [
        ("scores", [1.0]),
        ("scores", [math.inf] * 6),
        ("labels", ["a"]),
        ("chosen", 6),
        ("width", 3),
        ("temperature", 0.0),
    ],
)
def test_a_wrong_setting_is_refused_and_the_last_one_stays(explorer, trait, value):
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before


def test_the_text_alternative_says_the_first_numbers(explorer):
    assert repr(explorer) == (
        "Softmax explorer: 6 scores of the query 'sat' → weights: The -1.00 → 0.032, cat 1.20 → 0.284, sat 0.30 → 0.116, "
        "on 0.60 → 0.156, the -1.10 → 0.029, mat 1.50 → 0.384. Temperature 1.0, width d = 64, divided by √d. The largest "
        "weight is 0.384 (mat), about 4.4 keys share the attention, the weights sum to 1.000, the largest gradient is 0.237."
    )
