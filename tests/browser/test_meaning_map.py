"""The meaning map in a real JupyterLab: keyboard, mouse, own sentences, accessibility, and Python's places."""

import re

import numpy as np
import pytest
import torch

from course import models
from course.explorers.meaning import MeaningExplorer, blended_plane, coordinates

from lab import axe, set_theme, shown_notebook, submit

SETUP = "from course import models\nfrom course.explorers.meaning import MeaningExplorer\nmodel = models.load('minilm')"
THREE = (
    "MeaningExplorer(model, [(f'{word} is a word', word, group) for group, words in "
    "dict(animal='cat dog cow', tool='saw axe file', month='May June July').items() for word in words.split()])"
)
OWN = "The bank beside the river lends money to farmers."


@pytest.fixture(scope="module")
def notebook(lab):
    with shown_notebook(
        lab, "meaning_map", [SETUP, "MeaningExplorer(model)", THREE], ".meaning-map .mm-point", (1400, 2200)
    ) as page:
        yield page


@pytest.fixture
def bank(notebook):
    """The default map in its first state."""
    root = notebook.locator(".meaning-map").first
    yield root
    layer(root).fill("7")
    view(root).fill("0")
    for name in ("river", "money", "landmarks"):
        root.get_by_role("checkbox", name=name, exact=True).check()
    root.get_by_label("Follow").select_option("-1")
    if root.get_by_label("Your sentence").input_value() != OWN:
        submit(notebook, root.get_by_label("Your sentence"), OWN)
        root.get_by_text("Your “bank”, layer 6 of 6: cosine with each group's mean 0.901 to river").wait_for()


def layer(root):
    return root.get_by_role("slider", name="Layer")


def view(root):
    return root.get_by_role("slider", name="New point of view")


def places(root) -> np.ndarray:
    """Where the points are drawn, in the order of the page; hidden ones are left out."""
    moves = root.locator(".mm-point").evaluate_all(
        "nodes => nodes.filter(node => node.style.display !== 'none').map(node => node.getAttribute('transform'))"
    )
    return np.array([[float(number) for number in re.findall(r"-?[\d.]+", move)] for move in moves])


def shown(root) -> int:
    return len(places(root))


def test_keys_move_the_layer_and_the_point_of_view(bank, notebook):
    before = places(bank)
    layer(bank).focus()
    notebook.keyboard.press("ArrowLeft")
    assert layer(bank).get_attribute("aria-valuetext") == "5 of 6" and np.abs(places(bank) - before).max() > 3
    before = places(bank)
    view(bank).focus()
    notebook.keyboard.press("ArrowRight")
    assert view(bank).get_attribute("aria-valuetext") == "5 %" and np.abs(places(bank) - before).max() > 1


@pytest.mark.parametrize(("station", "share"), [(7, 0), (4, 40), (2, 100)])
def test_points_lie_where_python_says(bank, station, share):
    layer(bank).fill(str(station))
    view(bank).fill(str(share))
    explorer = MeaningExplorer(models.load("minilm"))
    vectors = explorer.words.vectors[station]
    plane = blended_plane(explorer._planes[station], explorer._new_planes[0, 0, station], share / 100)
    expected = torch.pdist(coordinates(vectors, plane)).sort().values.numpy()
    drawn = torch.pdist(torch.from_numpy(places(bank)[:-1])).sort().values.numpy()  # all but the learner's own
    scale = drawn.max() / expected.max()
    np.testing.assert_allclose(drawn, expected * scale, atol=0.3)  # pixels; places are rounded to a tenth


def test_static_vectors_of_bank_are_one_point(bank):
    layer(bank).fill("0")
    same = places(bank)
    spots, counts = np.unique(same, axis=0, return_counts=True)
    assert counts.max() == 33 and "32 × bank" in bank.locator(".mm-names").inner_html()
    view(bank).fill("100")
    assert "no direction leads from one to the other" in bank.inner_text()
    assert (places(bank) == same).all()


def test_the_new_point_of_view_is_put_to_the_test(bank):
    view(bank).fill("100")
    assert "Of the 16 points that were used, 15 lie on their side of the border; of the 16 held back, 15 do." in (
        bank.inner_text()
    )
    crosses = bank.locator(".mm-wrong").evaluate_all("nodes => nodes.filter(n => n.style.display !== 'none').length")
    assert crosses == 2 and bank.locator(".mm-hollow").count() == 16
    bank.get_by_label("deal the names at random").check()
    assert "were dealt at random" in bank.inner_text() and "“river” (dealt)" in bank.inner_text()
    bank.get_by_label("deal the names at random").uncheck()
    assert "“river”" not in bank.inner_text()


def test_groups_and_landmarks_can_be_hidden(bank):
    assert shown(bank) == 41
    bank.get_by_role("checkbox", name="landmarks").uncheck()
    assert shown(bank) == 33
    bank.get_by_role("checkbox", name="money", exact=True).uncheck()
    assert shown(bank) == 17
    bank.get_by_role("checkbox", name="river", exact=True).uncheck()
    assert shown(bank) == 1


def test_a_chosen_item_shows_its_sentence_and_its_trail(bank):
    bank.get_by_label("Follow").select_option("3")
    assert "river, held back: A heron stood motionless at the bank" in bank.locator(".mm-sentence").inner_text()
    assert bank.locator(".mm-sentence mark").inner_text() == "bank"
    assert bank.locator(".mm-step").count() == 8
    bank.get_by_label("Follow").select_option("-1")
    assert bank.locator(".mm-step").count() == 0


def test_pointing_shows_a_sentence_and_a_click_follows(bank, notebook):
    box, place = bank.locator(".mm-map").bounding_box(), places(bank)[0]  # a landmark
    notebook.mouse.move(box["x"] + place[0] + 1, box["y"] + place[1] + 1)
    assert "Landmark: We swam in the river." in bank.locator(".mm-sentence").inner_text()
    notebook.mouse.click(box["x"] + place[0] + 1, box["y"] + place[1] + 1)
    assert bank.get_by_label("Follow").input_value() == "32"
    notebook.mouse.move(box["x"] + 2, box["y"] - 20)


def test_an_own_sentence_joins_the_map(bank, notebook):
    before = places(bank)
    submit(notebook, bank.get_by_label("Your sentence"), "Ducks nest on the bank of the stream.")
    bank.get_by_text("nearest to river").wait_for()
    after = places(bank)
    assert (after[-1] != before[-1]).any() and len(after) == len(before)
    layer(bank).fill("0")
    assert "as near to one as to the other" in bank.inner_text()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("  ", "There is no sentence here"), ("A tree", "“bank” does not stand in this"), ("bank " * 70, "at most 64")],
)
def test_bad_input_becomes_a_sentence(bank, notebook, text, sentence):
    before = places(bank)
    submit(notebook, bank.get_by_label("Your sentence"), text)
    bank.get_by_text(sentence).wait_for()
    assert "still shows your last sentence" in bank.inner_text() and (places(bank) == before).all()


def test_three_groups_offer_a_choice_of_two(notebook):
    root = notebook.locator(".meaning-map").nth(1)
    view(root).fill("100")
    root.get_by_label("Part", exact=True).select_option(label="tool from month")
    assert "← tool" in root.inner_text() and "month →" in root.inner_text()
    assert root.get_by_label("landmarks").count() == 0 and shown(root) == 9
    assert "Your “" not in root.inner_text()
    root.get_by_label("Your sentence").fill("My dog is at home")
    submit(notebook, root.get_by_label("Word in it"), "dog")
    root.get_by_text("Your “dog”").wait_for()
    assert shown(root) == 10


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing(bank, notebook, theme):
    set_theme(notebook, theme)
    assert axe(notebook, ".meaning-map") == []


@pytest.mark.parametrize("width", [360, 400, 640])
def test_on_a_narrow_page_nothing_is_cut_off(bank, width):
    bank.evaluate("(root, width) => { root.style.maxWidth = `${width}px`; }", width)
    bank.page.wait_for_timeout(300)
    assert bank.evaluate("root => root.scrollWidth <= root.clientWidth")
    map_width = bank.locator(".mm-map").bounding_box()["width"]
    assert 0.5 * width < map_width < width and (places(bank)[:, 0] < map_width).all()
    bank.evaluate("root => { root.style.maxWidth = ''; }")
    bank.page.wait_for_timeout(300)
