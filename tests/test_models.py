"""The real models as we open them, against transformers' own results; then everything that can go wrong."""

import shutil

import pytest
import torch
import transformers

from course import models, sources
from course.attention import padding_mask, scaled_dot_product_attention
from course.models import Model, ModelError


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture(scope="module")
def smollm2():
    return models.load("smollm2")


def tiny(kind, folder, **changes):
    """Save a random model of a few thousand parameters, with minilm's own tokenizer, and return its folder."""
    config_class, network_class = kind
    torch.manual_seed(0)
    network_class(config_class(vocab_size=30522, **changes)).save_pretrained(folder)
    models.load("minilm").tokenizer.save_pretrained(folder)
    return folder


TINY_BERT = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=32)
KINDS = {
    "bert": ((transformers.BertConfig, transformers.BertModel), TINY_BERT),
    "distilbert": ((transformers.DistilBertConfig, transformers.DistilBertModel), dict(dim=24, n_layers=2, n_heads=3, hidden_dim=32)),
    "llama": (
        (transformers.LlamaConfig, transformers.LlamaForCausalLM), TINY_BERT | dict(num_attention_heads=4, num_key_value_heads=2),
    ),
    "gpt2": ((transformers.GPT2Config, transformers.GPT2LMHeadModel), dict(n_embd=24, n_layer=2, n_head=3)),
}  # fmt: skip


def test_minilm_is_the_model_that_the_course_describes(minilm):
    assert repr(minilm) == "minilm: BertModel, 6 layers x 12 heads, 384 wide, 22.7 million parameters"
    assert minilm.max_tokens == 512
    assert sources.verify("minilm")


def test_a_run_holds_everything_with_the_shapes_it_promises(minilm):
    run = minilm.run("The cat sat")
    assert run.tokens == ["[CLS]", "the", "cat", "sat", "[SEP]"]
    assert run.ids.tolist() == [101, 1996, 4937, 2938, 102]  # facts: not 3323, which is "parliament"
    assert run.segment_ids.tolist() == [0] * 5 and run.is_token.all()
    assert run.attentions.shape == (6, 12, 5, 5)
    assert run.hidden_states.shape == (7, 5, 384)
    assert run.queries.shape == run.keys.shape == run.values.shape == (6, 12, 5, 32)
    assert run.logits is None and (run.n_layers, run.n_heads) == (6, 12)


def test_a_run_equals_what_transformers_gives(minilm):
    text = "The dog played in the park"
    run = minilm.run(text)
    folder = sources.find("minilm").parent
    network = transformers.AutoModel.from_pretrained(folder, attn_implementation="sdpa")
    encoded = transformers.AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.no_grad():
        theirs = network(**encoded).last_hidden_state[0]
    torch.testing.assert_close(run.hidden_states[-1], theirs, atol=1e-5, rtol=0)


def test_queries_keys_and_values_rebuild_the_models_own_weights(minilm):
    run = minilm.run(["The cat sat", "The dog played in the park"])
    may_attend = padding_mask(run.is_token.sum(-1)).unsqueeze(1)  # (batch, 1, 1, key)
    ours = scaled_dot_product_attention(run.queries, run.keys, run.values, may_attend)
    torch.testing.assert_close(ours.weights, run.attentions, atol=1e-6, rtol=0)


def test_a_pair_has_two_segments(minilm):
    run = minilm.run("The cat sat", "The dog played")
    assert run.tokens == ["[CLS]", "the", "cat", "sat", "[SEP]", "the", "dog", "played", "[SEP]"]
    assert run.segment_ids.tolist() == [0] * 5 + [1] * 4


def test_a_batch_gives_each_text_what_it_gives_alone_and_padding_without_a_mask_does_not(minilm):
    texts = ["The cat sat", "The dog played in the park"]
    alone = minilm.run(texts[0]).hidden_states
    batch, unmasked = minilm.run(texts), minilm.run(texts, mask_padding=False)
    assert batch.attentions.shape == (6, 2, 12, 8, 8)
    assert batch.is_token.sum(-1).tolist() == [5, 8]
    torch.testing.assert_close(batch.hidden_states[:, 0, :5], alone, atol=1e-5, rtol=0)
    assert (unmasked.hidden_states[-1, 0, :5] - alone[-1]).abs().max() > 0.1


def test_padding_can_stand_on_the_left_and_be_longer_than_needed(minilm):
    run = minilm.run("cat", padding_side="left", pad_to=6)
    assert run.tokens == ["[PAD]", "[PAD]", "[PAD]", "[CLS]", "cat", "[SEP]"]
    assert run.is_token.tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize("text", ["a", "😀", "東京", "x" * 200, "tab\tand\nnewline", "naïve café", "word " * 510])
def test_hard_texts_run(minilm, text):
    run = minilm.run(text)
    assert run.tokens[0] == "[CLS]" and run.tokens[-1] == "[SEP]"
    torch.testing.assert_close(run.attentions.sum(-1), torch.ones(run.attentions.shape[:-1]), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "text, error, sentence",
    [
        ("", ValueError, "There is no text here"),
        (" \t\n", ValueError, "There is no text here"),
        (["cat", " "], ValueError, "There is no text here"),
        ([], ValueError, "empty list"),
        ("word " * 600, ValueError, "602 tokens long, and minilm can read 512 at once. Shorten it."),
        (None, TypeError, "reads text: a string, or a list of strings. It was given NoneType."),
        (7, TypeError, "It was given int"),
        (["cat", 7], TypeError, "a list with other things in it"),
    ],
)
def test_bad_texts_are_met_with_a_sentence(minilm, text, error, sentence):
    with pytest.raises(error, match=sentence.replace(".", r"\.")):
        minilm.run(text)


def test_bad_options_are_met_with_a_sentence(minilm):
    with pytest.raises(ValueError, match="Each text needs one partner, got 2 texts and 1 partners"):
        minilm.run(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="padding_side must be 'right' or 'left', got 'up'"):
        minilm.run("a", padding_side="up")
    with pytest.raises(ValueError, match=r"pad_to must lie between 5 .* and 512, got 3"):
        minilm.run("The cat sat", pad_to=3)


def test_sentence_vectors_are_means_without_padding(minilm):
    texts = ["The cat sat", "The dog played in the park"]
    vectors = minilm.sentence_vectors(texts)
    for text, vector in zip(texts, vectors, strict=True):
        mean = minilm.run(text).hidden_states[-1].mean(dim=0)
        torch.testing.assert_close(vector, mean / mean.norm(), atol=1e-5, rtol=0)
    with pytest.raises(TypeError, match="needs a list of texts"):
        minilm.sentence_vectors("one text")


def test_minilm_neither_writes_nor_judges(minilm):
    with pytest.raises(ModelError, match="not trained to continue a text. smollm2 was"):
        minilm.continue_text("The cat")
    with pytest.raises(ModelError, match="not trained to say how probable a text is"):
        minilm.log_probability("The cat")


def test_smollm2_continues_a_text_as_transformers_does(smollm2):
    text = smollm2.continue_text("The dog played in the park and", n_tokens=8)
    ids = smollm2.tokenizer("The dog played in the park and", return_tensors="pt").input_ids
    for _ in range(8):  # one token at a time, without a cache
        with torch.no_grad():
            ids = torch.cat([ids, smollm2.network(ids).logits[:, -1:].argmax(-1)], dim=1)
    assert text == smollm2.tokenizer.decode(ids[0])
    with pytest.raises(ValueError, match="n_tokens must be a positive whole number, got 0"):
        smollm2.continue_text("The", n_tokens=0)
    with pytest.raises(ValueError, match="There is no text here"):
        smollm2.continue_text(" ")


def test_smollm2_finds_likely_sentences_likelier(smollm2):
    scores = [smollm2.log_probability(f"The dog played in the {word}.") for word in ("park", "garden", "parliament")]
    assert scores == sorted(scores, reverse=True)


def test_smollm2_is_causal_and_shares_key_heads(smollm2):
    run = smollm2.run("The cat sat on the mat")
    assert run.segment_ids is None
    assert run.attentions.shape == (30, 9, 6, 6) and run.queries.shape[1] == 9 and run.keys.shape[1] == 3
    assert (run.attentions.triu(1) == 0).all()
    assert run.logits.shape == (6, 49152)


@pytest.mark.parametrize("kind", KINDS)
def test_any_folder_takes_the_same_path(kind, tmp_path):
    classes, changes = KINDS[kind]
    model = models.load(str(tiny(classes, tmp_path / kind, **changes)))
    run = model.run("The cat sat")
    assert run.attentions.shape[0] == 2 and run.attentions.sum(-1).allclose(torch.ones(()), atol=1e-5)
    if kind == "gpt2":  # one fused map for all three
        assert run.queries is run.keys is run.values is None
    else:
        assert run.queries.shape[0] == 2 and run.queries.shape[2] == len(run.tokens)
    assert (run.segment_ids is None) == (kind != "bert")  # the fact that breaks code which always hands them over


def test_a_model_without_eager_attention_is_met_with_a_sentence(minilm, tmp_path):
    folder = sources.find("minilm").parent
    network = transformers.AutoModel.from_pretrained(folder, attn_implementation="sdpa")
    with pytest.raises(ModelError, match="loaded with attn_implementation='sdpa'.*nothing to look at"):
        Model("mine", network, minilm.tokenizer).run("The cat sat")


@pytest.mark.parametrize("name, nearest", [("minlm", "minilm"), ("smollm", "smollm2"), ("MiniLM", "minilm")])
def test_a_misspelt_short_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(ModelError, match=f"No model called '{name}'. Did you mean '{nearest}'?"):
        models.load(name)


def test_a_hub_model_without_a_network_is_met_with_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    models.load.cache_clear()
    with pytest.raises(
        ModelError, match="'bert-base-uncasd' would come from .* cannot be reached .* Did you mean 'bert-base-uncased'"
    ):
        models.load("bert-base-uncasd")
    with pytest.raises(ModelError, match="'minilm' and 'smollm2' need no network"):
        models.load("bert-base-uncased")


def test_what_is_no_name_or_no_model_is_met_with_a_sentence(tmp_path):
    for name in ("", "  "):
        with pytest.raises(ModelError, match="loaded by its name"):
            models.load(name)
    with pytest.raises(ModelError, match="cannot be read"):
        models.load(str(tmp_path))


def test_damaged_weights_are_met_with_the_command_that_mends_them(monkeypatch, tmp_path):
    damaged = tmp_path / "model.safetensors"
    shutil.copy(sources.find("minilm"), damaged)
    with open(damaged, "r+b") as stream:
        stream.seek(1_000_000)
        stream.write(b"\x00\x01\x02")
    monkeypatch.setattr(sources, "find", lambda name: damaged)
    models.load.cache_clear()
    with pytest.raises(ModelError, match="course models --repair"):
        models.load("minilm")
    models.load.cache_clear()


def test_a_missing_model_is_met_with_the_command_that_gets_it(monkeypatch):
    monkeypatch.setattr(sources, "find", lambda name: None)
    models.load.cache_clear()
    with pytest.raises(ModelError, match="course models --get"):
        models.load("minilm")
    models.load.cache_clear()


def test_an_interrupted_or_damaged_conversion_is_made_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(models.platformdirs, "user_cache_path", lambda name: tmp_path)
    said = []

    def interrupted(gguf, target):
        (target / "model.safetensors").write_bytes(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(models, "_convert_gguf", interrupted)
        models.prepare("smollm2")
    assert list(tmp_path.iterdir()) == []  # nothing half-made is left
    models.prepare("smollm2", said.append)
    assert len(said) == 1 and "once" in said[0]
    weights = next(tmp_path.glob("smollm2-*/model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    models.load.cache_clear()
    assert models.load("smollm2").run("The cat").n_layers == 30
    models.load.cache_clear()


def test_a_full_disk_is_met_with_a_sentence(monkeypatch, tmp_path):
    def full(gguf, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(models.platformdirs, "user_cache_path", lambda name: tmp_path)
    monkeypatch.setattr(models, "_convert_gguf", full)
    with pytest.raises(ModelError, match="could not be converted .* No space left on device. It needs 280 MB"):
        models.prepare("smollm2")
