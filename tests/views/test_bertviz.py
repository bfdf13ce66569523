"""bertviz's views without a network: what stands in the page."""

import html
import json

import pytest

from course import models
from course.views import bertviz


@pytest.fixture(scope="module")
def minilm():
    return models.load("minilm")


@pytest.fixture(scope="module")
def run(minilm):
    return minilm.run("The cat sat on the mat")


def params(frame):
    start = frame.page.index("const params = ") + len("const params = ")
    return json.JSONDecoder().raw_decode(frame.page[start:])[0]


@pytest.mark.parametrize("view", [bertviz.head_view, bertviz.model_view])
def test_the_page_asks_no_server_for_a_script(view, run):
    page = view(run).page
    assert "<script src" not in page and "<link" not in page
    assert "https://d3js.org v5.7.0" in page


@pytest.mark.parametrize("view", [bertviz.head_view, bertviz.model_view])
def test_the_weights_are_the_models_to_three_decimals(view, run):
    drawn = params(view(run))["attention"][0]["attn"]
    assert abs(drawn[4][5][2][0] - run.attentions[4, 5, 2, 0].item()) <= 0.0005
    assert len(drawn) == 6 and len(drawn[0]) == 12


def test_the_text_alternative_names_model_and_tokens(run):
    frame = bertviz.head_view(run, layer=1, heads=[8])
    assert repr(frame) == (
        "bertviz head view: heads 8 of layer 1 of minilm, on 8 tokens: [CLS] the cat sat on the mat [SEP]."
    )
    assert f'title="{repr(frame)}"' in frame._repr_html_()
    assert "model view: 6 layers of 12 heads" in repr(bertviz.model_view(run))


def test_the_page_is_at_least_five_times_smaller_than_bertviz_makes_it(minilm):
    import bertviz as theirs

    run = minilm.run("word " * 62)
    drawn = theirs.head_view([a[None] for a in run.attentions], run.tokens, html_action="return").data
    assert len(bertviz.head_view(run)._repr_html_()) * 5 < len(drawn)


def test_a_pair_offers_the_sentences_one_by_one(minilm):
    names = [part["name"] for part in params(bertviz.head_view(minilm.run("The cat", "The dog")))["attention"]]
    assert names[0] == "All" and "Sentence A -> Sentence B" in names


def test_a_text_that_ends_a_script_stays_text(minilm):
    run = minilm.run("a < b")
    run.tokens[1] = "</script><img>"
    frame = bertviz.head_view(run)
    assert "</script><img>" not in frame.page
    assert params(frame)["attention"][0]["left_text"][1] == "</script><img>"
    assert html.escape("</script>") in frame._repr_html_()


@pytest.mark.parametrize("view, most", [(bertviz.head_view, 128), (bertviz.model_view, 48)])
def test_a_text_too_long_for_it_becomes_a_sentence(view, most, minilm):
    view(minilm.run("word " * (most - 2)))
    with pytest.raises(ValueError, match=f"{most + 1} tokens long.*for {most} at most"):
        view(minilm.run("word " * (most - 1)))


def test_a_batch_and_a_missing_head_become_sentences(minilm, run):
    with pytest.raises(ValueError, match="this run is a batch"):
        bertviz.head_view(minilm.run(["a", "b c"]))
    with pytest.raises(ValueError, match="There is no layer 6: the layers count from 0 to 5"):
        bertviz.head_view(run, layer=6)
    with pytest.raises(ValueError, match="There is no head 12"):
        bertviz.head_view(run, heads=[12])
