"""The softmax explorer in a real JupyterLab: mouse, keyboard, buttons, accessibility, and the same numbers as Python."""

import json

import pytest

from lab import axe, printed, set_theme, shown_notebook

CELLS = ["from course.explorers.softmax import SoftmaxExplorer\nexplorer = SoftmaxExplorer()\nexplorer"]
NUMBERS = (
    "import json\nprint(json.dumps(dict(scores=explorer.scores, weights=explorer.weights.tolist(), "
    "gradient=explorer.gradient.tolist(), sharers=explorer.effective_number)))"
)
SHOWN = "rows => rows.map(row => Number(row.textContent.replace('−', '-').replace(/[<>] /, '')))"


@pytest.fixture(scope="module")
def notebook(lab):
    with shown_notebook(lab, "softmax", [*CELLS, NUMBERS], ".ac-softmax .sx-rows .sx-row", (1400, 1400)) as page:
        yield page


@pytest.fixture
def explorer(notebook):
    """The explorer in its first state."""
    root = notebook.locator(".ac-softmax")
    root.get_by_role("button", name="Back to the start").click()
    return root


def numbers(explorer, kind: str) -> list[float]:
    return explorer.locator(f".sx-rows .sx-{kind}").evaluate_all(SHOWN)


def python_numbers(page) -> dict:
    page.wait_for_timeout(1000)  # ipywidgets sends one change at a time, the next when the kernel has answered
    numbers = printed(page, 1)
    return json.loads(numbers)


def test_dragging_a_bar_moves_its_score_and_its_weight(explorer, notebook):
    before, box = numbers(explorer, "weight-number"), explorer.get_by_label("score of cat").bounding_box()
    y = box["y"] + box["height"] / 2
    notebook.mouse.move(box["x"] + 5 + (box["width"] - 10) * 5.2 / 8, y)  # the thumb, at 1.2 on the axis from −4 to 4
    notebook.mouse.down()
    notebook.mouse.move(box["x"] + 5 + (box["width"] - 10) * 7 / 8, y, steps=8)
    notebook.mouse.up()
    after = numbers(explorer, "weight-number")
    assert numbers(explorer, "score-number")[1] == pytest.approx(3.0, abs=0.1)
    assert after[1] > before[1] + 0.3 and sum(after) == pytest.approx(1, abs=0.003)
    assert "Score of “cat”" in explorer.locator(".ac-status").inner_text()


def test_arrow_keys_move_a_bar_by_a_tenth(explorer, notebook):
    bar = explorer.get_by_role("slider", name="score of sat", exact=True)
    bar.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowRight", "ArrowLeft", "PageDown"):
        notebook.keyboard.press(key)
    assert numbers(explorer, "score-number")[2] == -0.5
    assert bar.get_attribute("aria-valuetext").startswith("−0.5, weight 0.0")
    assert "Weight of sat =" in explorer.inner_text()  # the bar that has the focus is written out
    notebook.keyboard.press("End")
    assert numbers(explorer, "score-number")[2] == 4.0


def test_two_equal_words_keep_different_names(explorer):
    assert explorer.get_by_label("score of The (key 1)").count() == 1
    assert explorer.get_by_label("score of the (key 5)", exact=True).count() == 1


def test_adding_1_changes_no_weight_and_doubling_changes_all(explorer):
    before = numbers(explorer, "weight-number")
    explorer.get_by_role("button", name="Add 1 to all").click()
    assert numbers(explorer, "weight-number") == before and numbers(explorer, "score-number")[1] == 2.2
    assert "no weight has changed" in explorer.inner_text()
    explorer.get_by_role("button", name="Double all").click()
    assert all(old != new for old, new in zip(before, numbers(explorer, "weight-number")))
    assert "went from 0.384 to" in explorer.inner_text()


def test_doubling_ends_where_the_axis_ends(explorer):
    double = explorer.get_by_role("button", name="Double all")
    for _ in range(7):
        double.click()
    assert double.is_disabled() and max(numbers(explorer, "score-number")) == 192
    assert "The largest is subtracted first" in explorer.inner_text()


def test_a_wide_head_without_the_division_is_called_saturated(explorer):
    explorer.get_by_label("Divide by √d").uncheck()
    explorer.get_by_label("Width d").fill("9")
    assert "The softmax is saturated" in explorer.locator(".ac-status").inner_text()
    assert explorer.locator(".sx-alarm").inner_text().split("\n")[0] == "Largest gradient"
    explorer.get_by_label("Divide by √d").check()
    assert explorer.locator(".sx-alarm").count() == 0
    assert numbers(explorer, "weight-number")[1] == 0.284


def test_python_sees_what_the_browser_shows(explorer, notebook):
    explorer.get_by_label("Temperature T").fill("2.5")
    explorer.get_by_label("Width d").fill("3")
    explorer.get_by_label("Divide by √d").uncheck()
    explorer.get_by_label("score of on").focus()
    notebook.keyboard.press("PageUp")
    seen = python_numbers(notebook)
    assert numbers(explorer, "score-number") == pytest.approx(seen["scores"], abs=0.006)
    assert numbers(explorer, "weight-number") == pytest.approx(seen["weights"], abs=0.0006)
    assert numbers(explorer, "slope")[:6] == pytest.approx(seen["gradient"], abs=0.0006)
    sharers = explorer.locator(".sx-fact-value").nth(1).inner_text()
    assert float(sharers) == pytest.approx(seen["sharers"], abs=0.06)
    assert f"= {seen['weights'][3]:.3f}" in explorer.locator(".sx-formula").inner_text()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing(explorer, notebook, theme):
    set_theme(notebook, theme)
    assert axe(notebook, ".ac-softmax") == []


def test_on_a_narrow_page_nothing_is_cut_off(explorer):
    explorer.evaluate("root => { root.style.maxWidth = '360px'; }")
    assert explorer.evaluate("root => root.scrollWidth <= root.clientWidth")
    assert explorer.locator(".sx-rows .sx-slope").first.is_hidden()
    explorer.evaluate("root => { root.style.maxWidth = ''; }")
