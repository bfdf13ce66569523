"""The mask painter in a real JupyterLab: keyboard, mouse, messages, accessibility, and the same numbers as Python."""

import json

import pytest

from lab import axe, printed, set_theme, shown_notebook, submit

SETUP = "from course import models\nfrom course.explorers.masks import MaskPainter\nmodel = models.load('minilm')"
CELLS = [SETUP, "painter = MaskPainter(model)\npainter"]
NUMBERS = (
    "import json\nprint(json.dumps(dict(open=painter.may_attend.int().tolist(), row=painter.row, tokens=painter.tokens,"
    " weights=painter.weights.nan_to_num(-1).tolist())))"
)


@pytest.fixture(scope="module")
def notebook(lab):
    with shown_notebook(lab, "mask_painter", [*CELLS, NUMBERS], ".mask-painter .mp-cell", (1400, 1600)) as page:
        yield page


@pytest.fixture
def painter(notebook):
    """The painter in its first state."""
    root = notebook.locator(".mask-painter")
    yield root
    root.get_by_label("The mask acts").select_option("before")
    root.get_by_label("The future (causal)").set_checked(False)
    root.get_by_label("Padding").set_checked(True)
    for name, value in (("Temperature", "1"), ("[PAD] tokens", "2")):
        root.get_by_label(name).fill(value)
    text = root.get_by_label("Text", exact=True)
    if text.input_value() != "The cat sat on the mat":
        submit(notebook, text, "The cat sat on the mat")
        root.get_by_role("gridcell", name="sat may look at cat").wait_for()
    if root.get_by_role("button", name="Clear my painting").is_enabled():
        root.get_by_role("button", name="Clear my painting").click()


def weights_picture(painter) -> str:
    return painter.get_by_role("slider", name="Row of the weights").evaluate("canvas => canvas.toDataURL()")


def closed(painter) -> int:
    return painter.get_by_role("gridcell", name="may not look").count()


def test_a_key_press_moves_the_temperature_and_changes_the_weights(painter, notebook):
    slider, before = painter.get_by_label("Temperature"), weights_picture(painter)
    slider.focus()
    notebook.keyboard.press("ArrowRight")
    assert slider.input_value() == "1.1" and weights_picture(painter) != before


def test_space_closes_and_opens_the_cell_that_the_arrows_reached(painter, notebook):
    painter.get_by_role("grid").focus()
    notebook.keyboard.press("Home")
    notebook.keyboard.press("PageUp")
    notebook.keyboard.press("ArrowDown")
    notebook.keyboard.press("ArrowRight")
    notebook.keyboard.press("ArrowRight")
    notebook.keyboard.press("Space")
    assert painter.get_by_role("gridcell", name="the may not look at cat").count() == 1
    notebook.keyboard.press("Space")
    assert painter.get_by_role("gridcell", name="the may not look at cat").count() == 0
    assert closed(painter) == 20


def test_dragging_paints_every_cell_on_the_way(painter, notebook):
    first = painter.get_by_role("gridcell", name="cat may look at [CLS]").bounding_box()
    last = painter.get_by_role("gridcell", name="cat may look at on").bounding_box()
    notebook.mouse.move(first["x"] + 8, first["y"] + 8)
    notebook.mouse.down()
    notebook.mouse.move(last["x"] + 8, last["y"] + 8)
    notebook.mouse.up()
    assert closed(painter) == 25
    assert painter.locator(".mp-mine").count() == 5 + 1  # and the one of the legend


def test_the_causal_mask_closes_what_comes_later(painter):
    painter.get_by_label("The future (causal)").check()
    assert painter.get_by_role("gridcell", name="cat may not look at sat").count() == 1
    assert painter.get_by_role("gridcell", name="sat may look at cat").count() == 1
    assert closed(painter) == 48  # 45 above the diagonal, and padding on and below it


@pytest.mark.parametrize(
    ("rule", "sentence", "total"),
    [
        ("before", "0 / 0, which is not a number (NaN)", "NaN"),
        ("finite", "softmax gives each token 0.10", "10 %"),
        ("after", "the new vector is all zeros", "0 %"),
    ],
)
def test_a_row_that_may_look_at_nothing_is_explained(painter, notebook, rule, sentence, total):
    painter.get_by_label("The mask acts").select_option(rule)
    painter.get_by_role("gridcell", name="cat may look at mat").click()
    painter.get_by_role("grid").focus()
    notebook.keyboard.press("r")
    assert "“cat” may look at nothing at all" in painter.inner_text() and sentence in painter.inner_text()
    assert painter.locator(".mp-bar-share").all_inner_texts() == [total] * 10


def test_masking_after_the_softmax_flags_the_rows(painter):
    painter.get_by_label("The mask acts").select_option("after")
    assert "10 of 10 rows no longer sum to 1" in painter.inner_text()


def test_down_chooses_the_next_row(painter, notebook):
    rows = painter.get_by_role("slider", name="Row of the weights")
    rows.focus()
    notebook.keyboard.press("ArrowDown")
    assert "The new vector of sat" in painter.inner_text()
    assert rows.get_attribute("aria-valuetext").startswith("sat: ")
    notebook.keyboard.press("ArrowUp")


def test_python_sees_what_the_browser_shows(painter, notebook):
    painter.get_by_label("The future (causal)").check()
    painter.get_by_label("Temperature").fill("2.5")
    painter.get_by_role("gridcell", name="sat may look at cat").click()
    rows = painter.get_by_role("slider", name="Row of the weights")
    rows.focus()
    notebook.keyboard.press("ArrowDown")
    notebook.wait_for_timeout(1000)  # ipywidgets sends one change at a time, the next when the kernel has answered
    numbers = printed(notebook, 2)
    seen = json.loads(numbers)
    names = painter.locator(".mp-cell").evaluate_all("cells => cells.map(cell => cell.ariaLabel)")
    cells = [int("may look" in name) for name in names]
    assert cells == [cell for row in seen["open"] for cell in row]
    shares = [float(text.strip("< %")) / 100 for text in painter.locator(".mp-bar-share").all_inner_texts()]
    assert shares == pytest.approx(seen["weights"][seen["row"]], abs=0.005)
    notebook.keyboard.press("ArrowUp")


@pytest.mark.parametrize(("text", "sentence"), [("   ", "There is no text here"), ("word " * 25, "at most 24")])
def test_a_bad_text_is_met_with_a_sentence(painter, notebook, text, sentence):
    submit(notebook, painter.get_by_label("Text", exact=True), text)
    painter.get_by_text(sentence).wait_for()
    assert closed(painter) == 20


@pytest.mark.parametrize(("text", "n_tokens"), [("cat", 3), ("注意 🙂", 5)])
def test_another_text_is_read_by_the_model(painter, notebook, text, n_tokens):
    submit(notebook, painter.get_by_label("Text", exact=True), text)
    notebook.wait_for_function(
        "n => document.querySelectorAll('.mask-painter .mp-cell').length === n", arg=(n_tokens + 2) ** 2
    )


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing(painter, notebook, theme):
    set_theme(notebook, theme)
    assert axe(notebook, ".mask-painter") == []


def test_on_a_narrow_page_the_squares_stack(painter, notebook):
    painter.evaluate("root => { root.style.maxWidth = '400px'; }")
    notebook.wait_for_selector(".mask-painter .mp-stacked")
    assert painter.evaluate("root => root.scrollWidth <= root.clientWidth")
    painter.evaluate("root => { root.style.maxWidth = ''; }")
    notebook.wait_for_selector(".mask-painter .mp-panels:not(.mp-stacked)")
