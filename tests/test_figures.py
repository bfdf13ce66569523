"""Each picture says in words what it shows; numbers, labels and bad input."""

import json
import math

import numpy as np
import pytest
import torch

from course import figures
from course.figures import scatter

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


def test_rows_and_columns_that_are_no_queries_and_keys_are_named():
    picture = figures.attention_heatmap(torch.eye(2), ["head 0", "mean"], ["a", "b"], axis_titles=("head", "word"))
    assert "(rows: head; columns: a b)" in repr(picture)
    assert [picture.figure.layout[axis].title.text for axis in ("yaxis", "xaxis")] == ["head", "word"]


def test_rows_and_columns_need_not_be_queries_and_keys():
    picture = figures.attention_heatmap(torch.eye(3), TOKENS, title="alike", axis_titles=("words", "other words"))
    assert picture.alt.startswith("alike (rows: words; columns: the cat")
    layout = bundle(picture)[PLOTLY]["layout"]
    assert (layout["yaxis"]["title"]["text"], layout["xaxis"]["title"]["text"]) == ("words", "other words")


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


def test_many_cards_stand_closer_as_far_as_their_texts_allow():
    narrow = figures.token_strip([("number", [10 + i for i in range(24)])])
    assert narrow.figure.layout.width <= 860
    wide = figures.token_strip([("token", ["antidisestablishmentarianism"] * 9)])
    assert wide.figure.layout.width > 9 * 8 * len("antidisestablishmentarianism")


def test_bars_curves_and_strips_say_their_numbers():
    assert figures.bars(["a", "b"], [0.5, -2.0], "t", "u").alt == "t (u): a 0.50, b -2.00"
    assert figures.bars(["a"], [14], "t").alt == "t: a 14"
    assert figures.curves([1, 2], {"y": [0.5, 1]}, "t", "n", "s").alt == "t (s over n):\ny: 1 → 0.50, 2 → 1.00"
    strip = figures.token_strip([("token", ["[CLS]", "a"]), ("id", [101, 7])])
    assert strip.alt == "token: [CLS] | a\nid: 101 | 7"
    for picture in (figures.bars(["a"], [1]), strip, figures.curves([1], {"y": [1]})):
        assert bundle(picture)[PLOTLY]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"  # light and dark paper


def test_points_say_their_coordinates_and_keep_angles():
    xy = torch.tensor([[3.0, 4.0], [-0.001, 1.0], [1.0, -2.126]], requires_grad=True)
    picture = figures.points(xy, TOKENS, ["animal", "verb", "animal"], "plane", ("length", "size"), arrows=True)
    assert picture.alt == (
        "plane (across: length; up: size):\nanimal: the (3.00, 4.00), <b>sat</b> (1.00, -2.13)\nverb: cat (0.00, 1.00)"
    )
    layout = bundle(picture)[PLOTLY]["layout"]
    assert layout["yaxis"]["scaleanchor"] == "x" and layout["paper_bgcolor"] == "rgba(0,0,0,0)"
    arrows = [note for note in layout["annotations"] if note.get("axref") == "x"]
    assert len(arrows) == 3 and all((arrow["ax"], arrow["ay"]) == (0, 0) for arrow in arrows)
    assert {"the", "cat", "&lt;b&gt;sat&lt;/b&gt;"} == {note["text"] for note in layout["annotations"]} - {""}


def test_groups_of_points_differ_in_colour_and_in_shape():
    names = [f"group {i}" for i in range(12)]
    markers = [trace.marker for trace in figures.points(torch.rand(12, 2), names, names).figure.data]
    assert len({(marker.color, marker.symbol) for marker in markers}) == 12
    assert all(a.color != b.color and a.symbol != b.symbol for a, b in zip(markers[:5], markers[1:5], strict=False))


def test_labels_of_points_keep_clear_of_points_and_of_each_other():
    xy = torch.randn(25, 2, generator=torch.Generator().manual_seed(0))
    picture = figures.points(xy, [f"word{i}" for i in range(25)])
    layout, across = picture.figure.layout, picture.figure.layout.xaxis.range
    pixels = (xy.numpy() - [across[0], layout.yaxis.range[0]]) * scatter.AREA_WIDTH / (across[1] - across[0])
    shifts = [(n.xshift, n.yshift) if not n.showarrow else (n.ax, -n.ay) for n in layout.annotations]
    centres = pixels + shifts
    half = [scatter.LETTER * 3, scatter.LINE / 2]
    boxes = np.concatenate([centres - half, centres + half], axis=1)
    for i, box in enumerate(boxes):
        assert not ((pixels > box[:2]) & (pixels < box[2:])).all(axis=1).any(), f"label {i} sits on a point"
        assert scatter._overlap(box, np.delete(boxes, i, axis=0)) < 60, f"label {i} covers another"


@pytest.mark.parametrize(
    "xy", [[[1.0, 2.0]], [[5.0, 5.0], [5.0, 5.0]], [[0.0, 0.0], [1e6, 1e-6]], [[1.0, 1.0], [1.0, 9.0]]]
)
@pytest.mark.parametrize("arrows", [False, True])
def test_points_in_one_place_or_on_one_line_are_drawn(xy, arrows):
    layout = figures.points(xy, [""] * len(xy), arrows=arrows).figure.layout
    for axis, values in ((layout.xaxis, [x for x, _ in xy]), (layout.yaxis, [y for _, y in xy])):
        assert axis.range[0] < min(values) and max(values) < axis.range[1]
    assert layout.width <= figures.WIDEST and layout.height <= 560


def test_labels_that_do_not_fit_are_met_with_a_sentence():
    with pytest.raises(ValueError, match=r"so \(3, 3\), got \(2, 3\)"):
        figures.attention_heatmap(torch.zeros(2, 3), TOKENS)
    with pytest.raises(ValueError, match=r"every row needs 2 entries, got \[2, 1\]"):
        figures.token_strip([("token", ["a", "b"]), ("id", [1])])
    with pytest.raises(ValueError, match=r"an array \(n, 2\), got \(2, 3\)"):
        figures.points(torch.zeros(2, 3), ["a", "b"])
    with pytest.raises(ValueError, match="2 points need 2 labels, got 1"):
        figures.points(torch.zeros(2, 2), ["a"])
    with pytest.raises(ValueError, match="2 points need 2 groups, got 1"):
        figures.points(torch.zeros(2, 2), ["a", "b"], ["one"])
    with pytest.raises(ValueError, match="no place in a plane"):
        figures.points([[math.nan, 0.0]], ["a"])


def test_colab_gets_html(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "google.colab", sys)
    data = figures.bars(["a"], [1.0])._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
