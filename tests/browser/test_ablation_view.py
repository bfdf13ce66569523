"""Removing heads in a real JupyterLab: switches by keyboard and mouse, answers from the kernel, the comparison."""

import json
import re

import pytest

from lab import axe, printed, set_theme, shown_notebook, submit

SETUP = (
    "from course import models\nfrom course.explorers.ablation import AblationExplorer\nmodel = models.load('minilm')"
)
CELLS = [SETUP, "explorer = AblationExplorer(model)\nexplorer"]
NUMBERS = (
    "import json\nprint(json.dumps(dict(removed=explorer.removed, whole=explorer.removal.sentence_cosine, "
    "cosines=explorer.removal.token_cosines.tolist())))"
)


@pytest.fixture(scope="module")
def notebook(lab):
    with shown_notebook(lab, "ablation", [*CELLS, NUMBERS], ".ac-ablation .ab-cell", (1400, 1300)) as page:
        yield page


@pytest.fixture
def explorer(notebook):
    """The explorer on its first text, all heads at work."""
    root = notebook.locator(".ac-ablation")
    field = root.get_by_label("Text", exact=True)
    if field.input_value() != "The cat sat on the mat":
        submit(notebook, field, "The cat sat on the mat")
        notebook.wait_for_function("() => document.querySelectorAll('.ab-bars .ab-bar').length === 8")
    if root.get_by_role("button", name="Put all back").is_enabled():
        root.get_by_role("button", name="Put all back").click()
    says(root, "All 72 heads are at work")
    return root


def says(root, sentence):
    root.locator(".ab-words", has_text=sentence).wait_for()


def cosines(root) -> list[float]:
    return [float(text.replace("−", "-")) for text in root.locator(".ab-bars .ab-cosine").all_inner_texts()]


def removed(root) -> int:
    return root.get_by_role("gridcell", selected=True).count()


def test_space_removes_the_head_that_the_arrows_reached_and_puts_it_back(explorer, notebook):
    explorer.get_by_role("grid").focus()
    for key in ("PageDown", "End", "ArrowUp", "ArrowDown", "Space"):
        notebook.keyboard.press(key)
    says(explorer, "1 of 72 heads removed")
    assert explorer.get_by_role("gridcell", name="layer 5, head 11, removed").count() == 1
    assert max(cosines(explorer)) < 0.99
    notebook.keyboard.press("Space")
    says(explorer, "All 72 heads are at work")
    assert cosines(explorer) == [1.0] * 8


def test_a_click_removes_a_head_and_the_words_tell_its_effect(explorer):
    explorer.get_by_role("gridcell", name="layer 5, head 11, at work").click()
    says(explorer, "1 of 72 heads removed: the sentence vector keeps 0.803 of its direction, a turn of 37°.")
    assert "Layer 5, head 11: removed." in explorer.locator(".ab-readout").inner_text()


def test_a_whole_layer_is_removed_and_later_heads_are_marked(explorer):
    explorer.get_by_role("button", name="remove all heads of layer 0").click()
    says(explorer, "12 of 72 heads removed")
    assert removed(explorer) == 12
    marked = explorer.get_by_role("gridcell", name="looks elsewhere now")
    assert 5 <= marked.count() <= 60
    assert all(not name.startswith("layer 0") for name in marked.evaluate_all("cells => cells.map(c => c.ariaLabel)"))
    explorer.get_by_role("button", name="put back all heads of layer 0").click()
    says(explorer, "All 72 heads are at work")


def test_random_heads_are_drawn_again_at_every_press(explorer):
    explorer.get_by_label("Random heads").fill("5")
    chosen = []
    for _ in range(2):
        explorer.get_by_role("button", name="Remove 5 at random").click()
        explorer.page.wait_for_timeout(800)
        says(explorer, "5 of 72 heads removed")
        cells = explorer.get_by_role("gridcell", selected=True)
        chosen.append(cells.evaluate_all("cells => cells.map(cell => cell.ariaLabel)"))
    assert len(chosen[0]) == len(chosen[1]) == 5 and chosen[0] != chosen[1]


def test_the_comparison_shows_twenty_random_choices_and_goes_with_the_next_switch(explorer):
    assert explorer.get_by_role("button", name="Compare").is_disabled()
    explorer.get_by_role("gridcell", name="layer 5, head 11, at work").click()
    says(explorer, "1 of 72")
    explorer.get_by_role("button", name="Compare with 20 random choices of 1 head").click()
    explorer.locator(".ab-compare-words", has_text="20 random choices of 1 head kept").wait_for()
    assert explorer.locator(".ab-dot").count() == 20
    said = explorer.locator(".ab-compare-words").inner_text()
    assert re.search(r"Yours keeps 0\.803; (all|\d+ of) 20", said) or "none of them" in said
    explorer.get_by_role("gridcell", name="layer 0, head 0, at work").click()
    says(explorer, "2 of 72")
    assert explorer.locator(".ab-dot").count() == 0


def test_python_sees_what_the_browser_shows(explorer, notebook):
    for name in ("layer 2, head 3, at work", "layer 5, head 3, at work"):
        explorer.get_by_role("gridcell", name=name).click()
    says(explorer, "2 of 72")
    notebook.wait_for_timeout(800)
    numbers = printed(notebook, 2)
    seen = json.loads(numbers)
    assert seen["removed"] == [[2, 3], [5, 3]]
    assert cosines(explorer) == pytest.approx(seen["cosines"], abs=0.0006)
    assert f"keeps {seen['whole']:.3f} of its direction" in explorer.locator(".ab-words").inner_text()


@pytest.mark.parametrize(("text", "sentence"), [("   ", "There is no text here"), ("word " * 25, "at most 24")])
def test_a_bad_text_is_met_with_a_sentence(explorer, notebook, text, sentence):
    submit(notebook, explorer.get_by_label("Text", exact=True), text)
    explorer.get_by_text(sentence).wait_for()
    assert len(cosines(explorer)) == 8


@pytest.mark.parametrize(("text", "n_tokens"), [("cat", 3), ("注意 🙂", 5), ("word " * 22, 24)])
def test_another_text_is_read_by_the_model(explorer, notebook, text, n_tokens):
    submit(notebook, explorer.get_by_label("Text", exact=True), text)
    notebook.wait_for_function("n => document.querySelectorAll('.ab-bars .ab-bar').length === n", arg=n_tokens)


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing(explorer, notebook, theme):
    set_theme(notebook, theme)
    explorer.get_by_role("gridcell", name="layer 0, head 2, at work").click()
    says(explorer, "1 of 72")
    explorer.get_by_role("button", name="Compare with 20").click()
    explorer.locator(".ab-dot").first.wait_for()
    assert axe(notebook, ".ac-ablation") == []


@pytest.mark.parametrize("width", [360, 400, 640, 880])
def test_nothing_is_cut_off_however_wide_the_page(explorer, width):
    explorer.evaluate("(root, width) => { root.style.maxWidth = `${width}px`; }", width)
    explorer.page.wait_for_timeout(200)
    assert explorer.evaluate("root => root.scrollWidth <= root.clientWidth")
    explorer.evaluate("root => { root.style.maxWidth = ''; }")
    explorer.page.wait_for_timeout(200)
