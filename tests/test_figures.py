"""Each picture says in words what it shows; numbers, labels and bad input."""

import json
import math

import pytest
import torch

from course import figures

TOKENS = ["the", "cat", "<b>sat</b>"]
PLOTLY = "application/vnd.plotly.v1+json"


def bundle(picture):
    data = picture._repr_mimebundle_()
    json.dumps(data)  # plain data: every front end can read it
    return data


def test_a_heatmap_says_its_numbers_in_words():
    picture = figures.attention_heatmap(
        torch.tensor([[1.0, 0, 0], [0.25, 0.75, 0], [0.1, 0.2, 0.7]]), TOKENS, title="head 3"
    )
    assert bundle(picture)["text/plain"] == (
        "head 3 (rows: queries; columns: the cat <b>sat</b>)\n"
        "  the: 1.00 0.00 0.00\n  cat: 0.25 0.75 0.00\n  <b>sat</b>: 0.10 0.20 0.70"
    )
    written = [
        text for trace in bundle(picture)[PLOTLY]["data"] if trace["type"] == "scatter" for text in trace["text"]
    ]
    assert sorted(written) == sorted(["1.00", "0", "0", "0.25", "0.75", "0", "0.10", "0.20", "0.70"])


def test_rows_that_nobody_reads_are_greyed_and_named():
    picture = figures.attention_heatmap(torch.eye(3), TOKENS, greyed_rows=[1, 2])
    assert picture.alt.endswith("greyed rows: 1 (cat), 2 (<b>sat</b>)")
    assert [(shape.y0, shape.y1) for shape in picture.figure.layout.shapes] == [(0.5, 1.5), (1.5, 2.5)]


def test_tokens_cannot_become_markup():
    layout = bundle(figures.attention_heatmap(torch.eye(3), TOKENS))[PLOTLY]["layout"]
    assert layout["yaxis"]["ticktext"][2] == "&lt;b&gt;sat&lt;/b&gt;"


def test_masked_and_missing_numbers_are_named():
    scores = torch.tensor([[1.5, -math.inf], [math.nan, -2.0]])
    picture = figures.panels([("scores", scores, "scores"), ("mask", scores > 0, "mask")], ["a", "b"])
    assert "a: 1.50 -inf" in picture.alt and "b: nan -2.00" in picture.alt and "a: 1 0" in picture.alt
    written = [
        text for trace in bundle(picture)[PLOTLY]["data"] if trace["type"] == "scatter" for text in trace["text"]
    ]
    assert {"−∞", "NaN", "−2.0", "●", "✕"} <= set(written)


def test_large_matrices_stay_within_the_page():
    tokens = [f"t{i}" for i in range(40)]
    picture = figures.panels([(name, torch.rand(40, 40), "weights") for name in "abc"], tokens)
    assert picture.figure.layout.width <= figures.WIDEST + 600  # cells never get narrower than 10 pixels
    assert figures.panels([("a", torch.rand(20, 20), "weights")], tokens[:20]).figure.layout.width <= figures.WIDEST


def test_rows_that_do_not_sum_to_1_say_so():
    picture = figures.row_bars(torch.tensor([[0.3, 0.15], [0.5, 0.5]]), ["cat", "sat"], title="rows")
    assert picture.alt == "rows:\ncat: sum 0.45 = cat 0.30 + sat 0.15\nsat: sum 1.00 = cat 0.50 + sat 0.50"


def test_bars_curves_and_strips_say_their_numbers():
    assert figures.bars(["a", "b"], [0.5, -2.0], "t", "u").alt == "t (u): a 0.50, b -2.00"
    assert figures.bars(["a"], [14], "t").alt == "t: a 14"
    assert figures.curves([1, 2], {"y": [0.5, 1]}, "t", "n", "s").alt == "t (s over n):\ny: 1 → 0.50, 2 → 1.00"
    strip = figures.token_strip([("token", ["[CLS]", "a"]), ("id", [101, 7])])
    assert strip.alt == "token: [CLS] | a\nid: 101 | 7"
    for picture in (figures.bars(["a"], [1]), strip, figures.curves([1], {"y": [1]})):
        assert bundle(picture)[PLOTLY]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"  # light and dark paper


def test_labels_that_do_not_fit_are_met_with_a_sentence():
    with pytest.raises(ValueError, match=r"so \(3, 3\), got \(2, 3\)"):
        figures.attention_heatmap(torch.zeros(2, 3), TOKENS)
    with pytest.raises(ValueError, match=r"every row needs 2 entries, got \[2, 1\]"):
        figures.token_strip([("token", ["a", "b"]), ("id", [1])])


def test_colab_gets_html(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "google.colab", sys)
    data = figures.bars(["a"], [1.0])._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
