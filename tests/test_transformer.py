"""Our encoder against transformers' BertModel on real weights, our layers against torch's; then bad arguments."""

import copy
import doctest

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from course import models, transformer
from course.transformer import Bert, EncoderBlock, FeedForward, MultiHeadAttention, gelu, layer_norm

# Different lengths, scripts and oddities; one of them as long as the model can read.
SENTENCES = (
    "The cat sat on the mat",
    "The dog played in the park",
    "cat",
    "?",
    "It was raining, so we stayed at the bank of the river.",
    "She took the money to the bank before it closed at 5.30 p.m.",
    "Untranslatability, antidisestablishmentarianism and floccinaucinihilipilification",
    "the the the the the the the the",
    "No. Never! Why? Because...",
    "12 + 30 = 42, and 3.14159 is about pi; 1,000,000 is a million.",
    "注意力就是你所需要的一切",
    "Ik hou van lama's, jij ook?",
    "🙂 🙃 🙂",
    "MiXeD CaSe WoRdS and snake_case_words and CamelCaseWords",
    "https://example.org/a/path?with=a&query=string#fragment",
    "The law will never be perfect, but its application should be just.",
    "A sentence with a [MASK] in it",
    "e = mc² – naïve café, Ångström, señor",
    "He said that she said that they said that nobody had said anything at all to anyone about it.",
    "word " * 510,
)


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture(scope="module")
def bert(minilm):
    return Bert.from_library(minilm.network)


def test_the_examples_in_the_docstrings_are_true():
    result = doctest.testmod(transformer, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0 and result.attempted > 4


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence[:20])
def test_the_stacked_blocks_equal_the_library_on_a_sentence(minilm, bert, sentence):
    run = minilm.run(sentence)
    with torch.no_grad():
        encoded = bert(run.ids, run.segment_ids)
    torch.testing.assert_close(encoded.hidden_states, run.hidden_states, atol=1e-5, rtol=0)
    torch.testing.assert_close(encoded.weights, run.attentions, atol=1e-5, rtol=0)


def test_the_sentences_are_twenty_and_varied(minilm):
    lengths = {len(minilm.run(sentence).tokens) for sentence in SENTENCES}
    assert len(set(SENTENCES)) == 20 and {3, 512} <= lengths and len(lengths) >= 12


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_stacked_blocks_equal_the_library_on_a_padded_batch(minilm, bert, side):
    run = minilm.run(list(SENTENCES[:-1]), padding_side=side)
    with torch.no_grad():
        encoded = bert(run.ids, run.segment_ids, run.is_token)
    # The rows of padding itself, which nobody reads, amplify rounding: in float32 the library differs there from its
    # own result in float64 by 2e-4. So they are compared in double precision, below.
    ours, theirs = encoded.hidden_states[:, run.is_token], run.hidden_states[:, run.is_token]
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    by_query = (run.attentions.transpose(2, 3), encoded.weights.transpose(2, 3))  # (layer, batch, query, head, key)
    torch.testing.assert_close(*(weights[:, run.is_token] for weights in by_query), atol=1e-5, rtol=0)


def test_in_double_precision_the_padded_rows_equal_the_librarys_too(minilm):
    run, network = minilm.run(list(SENTENCES[:-1])), copy.deepcopy(minilm.network).double()
    with torch.no_grad():
        ours = Bert.from_library(network)(run.ids, run.segment_ids, run.is_token).hidden_states[-1]
        theirs = network(run.ids, run.is_token.long(), run.segment_ids).last_hidden_state
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)


def test_the_stacked_blocks_equal_the_library_on_a_pair(minilm, bert):
    run = minilm.run(SENTENCES[0], SENTENCES[1])
    with torch.no_grad():
        hidden_states = bert(run.ids, run.segment_ids).hidden_states
    assert run.segment_ids.max() == 1
    torch.testing.assert_close(hidden_states, run.hidden_states, atol=1e-5, rtol=0)


def test_in_double_precision_the_difference_is_rounding_only():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=31, hidden_size=12, num_hidden_layers=3, num_attention_heads=3, intermediate_size=20)
    network = BertModel(config).double().eval()
    for parameter in network.parameters():  # the library starts biases at 0 and norms at 1, which would hide slips
        nn.init.normal_(parameter, std=0.5)
    ids, is_token = torch.randint(31, (2, 7)), torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    expected = network(ids, attention_mask=is_token).last_hidden_state
    ours = Bert.from_library(network)(ids, is_token=is_token.bool()).hidden_states[-1]
    torch.testing.assert_close(ours, expected, atol=1e-12, rtol=0)


def test_weights_are_shared_not_copied(minilm, bert):
    theirs = minilm.network.encoder.layer[2].attention.self.key.weight
    assert bert.blocks[2].attention.W_K.weight is theirs
    pooler = sum(p.numel() for p in minilm.network.pooler.parameters())
    ours = sum(p.numel() for p in bert.parameters())
    assert ours == sum(p.numel() for p in minilm.network.parameters()) - pooler


def test_an_encoder_block_equals_torchs_own():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        12, 3, 20, dropout=0.0, activation="gelu", layer_norm_eps=1e-12, batch_first=True, dtype=torch.float64
    )
    ours = EncoderBlock(12, 3, 20).double()
    in_proj = zip(theirs.self_attn.in_proj_weight.chunk(3), theirs.self_attn.in_proj_bias.chunk(3), strict=True)
    with torch.no_grad():
        maps = (ours.attention.W_Q, ours.attention.W_K, ours.attention.W_V)
        for our_map, (weight, bias) in zip(maps, in_proj, strict=True):
            our_map.weight.copy_(weight)
            our_map.bias.copy_(bias)
        ours.attention.W_O.load_state_dict(theirs.self_attn.out_proj.state_dict())
        ours.feed_forward.widen.load_state_dict(theirs.linear1.state_dict())
        ours.feed_forward.narrow.load_state_dict(theirs.linear2.state_dict())
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    torch.testing.assert_close(ours(x).output, theirs(x), atol=1e-12, rtol=0)


@pytest.mark.parametrize("epsilon", [1e-12, 1e-5, 0.5])
def test_layer_norm_equals_torchs(epsilon):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(2, 5, 7).double(), torch.randn(7).double(), torch.randn(7).double()
    expected = nn.functional.layer_norm(x, (7,), weight, bias, epsilon)
    torch.testing.assert_close(layer_norm(x, weight, bias, epsilon), expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(layer_norm(x, epsilon=epsilon), nn.functional.layer_norm(x, (7,), eps=epsilon))


def test_a_constant_vector_is_normalised_to_zero():
    assert layer_norm(torch.full((2, 4), 3.0)).abs().max() == 0


def test_gelu_is_the_exact_one():
    x = torch.linspace(-6, 6, 101, dtype=torch.float64)
    torch.testing.assert_close(gelu(x), nn.functional.gelu(x), atol=1e-12, rtol=0)
    assert not torch.allclose(gelu(x), nn.functional.gelu(x, approximate="tanh"), atol=1e-5)


def test_feed_forward_treats_each_position_alone():
    torch.manual_seed(0)
    feed_forward, x = FeedForward(6, 8), torch.randn(5, 6)
    torch.testing.assert_close(feed_forward(x)[3], feed_forward(x[3]))


def test_without_positions_a_block_does_not_know_the_order():
    torch.manual_seed(0)
    block, x, order = EncoderBlock(6, 2, 8), torch.randn(5, 6), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(block(x[order]).output, block(x).output[order])


def test_keeping_all_heads_changes_nothing_and_removing_a_layers_leaves_its_bias(minilm, bert):
    run, keep = minilm.run("The cat sat"), torch.ones(6, 12, dtype=torch.bool)
    with torch.no_grad():
        untouched = bert(run.ids, keep_heads=keep).hidden_states
        keep[2] = False
        cut = bert(run.ids, keep_heads=keep).hidden_states
        block = bert.blocks[2]
        x = block.attention_norm(cut[2] + block.attention.W_O.bias)
        expected = block.feed_forward_norm(x + block.feed_forward(x))
    torch.testing.assert_close(untouched, run.hidden_states, atol=1e-5, rtol=0)
    torch.testing.assert_close(cut[3], expected, atol=1e-5, rtol=0)
    assert torch.equal(cut[:3], untouched[:3])


IDS = torch.tensor([1, 2, 3])


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda bert: bert(torch.ones(513, dtype=torch.int64)), ValueError, "513 tokens long; .* ends after 512"),
        (lambda bert: bert(torch.tensor([1, 40_000])), ValueError, "between 0 and 30521"),
        (lambda bert: bert(torch.tensor([-1])), ValueError, "between 0 and 30521"),
        (
            lambda bert: bert(IDS, segment_ids=IDS[:2]),
            ValueError,
            r"segment_ids must have the shape of ids, got \(2,\)",
        ),
        (lambda bert: bert(IDS, is_token=IDS), TypeError, "must be a boolean tensor"),
        (lambda bert: bert(IDS, is_token=IDS < 0), ValueError, "no key at all"),
        (lambda bert: bert(IDS, keep_heads=torch.ones(5, 12).bool()), ValueError, "one row a layer, 6 here"),
        (lambda bert: bert(IDS, keep_heads=torch.ones(6, 11).bool()), ValueError, r"one switch a head, \(12,\)"),
        (lambda bert: bert(IDS, keep_heads=torch.ones(6, 12)), TypeError, "must be boolean"),
        (lambda bert: Bert.from_library(models.load("minilm")), TypeError, "a transformers BertModel.* got Model"),
        (
            lambda bert: Bert.from_library(
                BertModel(BertConfig(hidden_size=12, num_hidden_layers=1, hidden_act="relu"))
            ),
            ValueError,
            "exact GELU.*'relu'",
        ),
        (lambda bert: MultiHeadAttention(12, 5), ValueError, "n_heads must divide d_model = 12, got 5"),
        (lambda bert: layer_norm(torch.ones(2, 4), torch.ones(2)), ValueError, r"each of the 4 columns .* got \(2,\)"),
    ],
)
def test_bad_arguments_are_met_with_a_sentence(bert, call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(bert)
