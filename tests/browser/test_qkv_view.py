"""The step-through of one head in a real JupyterLab: keyboard, mouse, messages, and the same numbers as Python."""

import json

import pytest

from lab import axe, printed, set_theme, shown_notebook, submit

SETUP = "from course import models\nfrom course.explorers.qkv import QKVExplorer\nmodel = models.load('minilm')"
CELLS = [SETUP, "explorer = QKVExplorer(model)\nexplorer"]
NUMBERS = (
    "import json\nprint(json.dumps(dict(at=[explorer.layer, explorer.head, explorer.query, explorer.key, "
    "explorer.step], dots=explorer.steps.dot_products.tolist(), scores=explorer.scores.tolist(), "
    "weights=explorer.weights.tolist())))"
)


@pytest.fixture(scope="module")
def notebook(lab):
    with shown_notebook(lab, "qkv", [*CELLS, NUMBERS], ".ac-qkv .qk-body .qk-row", (1400, 1500)) as page:
        yield page


@pytest.fixture
def explorer(notebook):
    """The explorer in its first state."""
    root = notebook.locator(".ac-qkv")
    field = root.get_by_label("Text", exact=True)
    if field.input_value() != "The cat sat on the mat":
        submit(notebook, field, "The cat sat on the mat")
    root.get_by_role("radio", name="cat", exact=True).wait_for()
    root.get_by_label("Layer").fill("3")
    root.get_by_label("Head", exact=True).fill("11")
    root.get_by_role("radio", name="sat", exact=True).check(force=True)
    root.get_by_role("radio", name="look closely at the key of cat").check(force=True)
    step(root, 1)
    return root


def step(root, number):
    root.get_by_role("radiogroup", name="Step").get_by_role("radio").nth(number - 1).check(force=True)


def column(root, name) -> list[float]:
    texts = root.locator(f".qk-body .qk-{name}").all_inner_texts()
    return [float(text.replace("−", "-")) for text in texts if text.strip()]


def test_the_picture_grows_from_step_to_step(explorer):
    counts = []
    for number in range(1, 6):
        step(explorer, number)
        rows = explorer.locator(".qk-body .qk-row").count()
        products = explorer.locator(".qk-close .qk-product").first.is_visible()
        shares = explorer.locator(".qk-body .qk-value path:nth-child(3)").first.get_attribute("d")
        counts.append((rows, products, len(column(explorer, "dot")), len(column(explorer, "weight")), bool(shares)))
    assert counts == [
        (8, False, 0, 0, False),
        (8, True, 0, 0, False),
        (8, True, 8, 0, False),
        (8, True, 8, 8, False),
        (8, True, 8, 8, True),
    ]


def test_the_next_button_walks_through_the_steps_and_begins_again(explorer):
    button = explorer.locator(".qk-next")
    for label in ("One product", "Scores", "Weights", "Mixture", "Query, keys, values"):
        button.click()
        assert explorer.locator(".qk-step input:checked + span").inner_text().endswith(label)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (1, "“sat” asks. Its query is 32 numbers. Each of the 8 tokens"),
        (2, "the 32 products add up to −1.23"),
        (3, "32 products add up to −1.23; divided by √32 = 5.66 that is −0.22"),
        (4, "1.30 for “[SEP]”, becomes 0.425; the score −0.22 of “cat” becomes 0.094"),
        (5, "The output of “sat” = 43\u00a0% of “[SEP]” + 17\u00a0% of “the” (position 1)"),
    ],
)
def test_every_step_is_put_into_words_with_its_numbers(explorer, number, sentence):
    step(explorer, number)
    assert sentence in explorer.locator(".qk-words").inner_text()


def test_a_key_press_moves_the_layer_and_changes_the_picture(explorer, notebook):
    step(explorer, 5)
    slider, before = explorer.get_by_label("Layer"), explorer.locator(".qk-table").inner_html()
    slider.focus()
    notebook.keyboard.press("ArrowLeft")
    assert slider.input_value() == "2" and explorer.locator(".qk-table").inner_html() != before


def test_arrows_choose_the_query_and_the_key(explorer, notebook):
    step(explorer, 3)
    explorer.get_by_role("radio", name="sat", exact=True).focus()
    notebook.keyboard.press("ArrowRight")
    assert "The query of “on” and the key of “cat”" in explorer.locator(".qk-words").inner_text()
    explorer.get_by_role("radio", name="look closely at the key of cat").focus()
    notebook.keyboard.press("ArrowDown")
    assert "The query of “on” and the key of “sat”" in explorer.locator(".qk-words").inner_text()


def test_clicking_a_row_anywhere_chooses_its_key(explorer):
    step(explorer, 2)
    explorer.locator(".qk-body .qk-row").nth(6).locator(".qk-value-cell").click()
    assert "the key of “mat”" in explorer.locator(".qk-words").inner_text()


def test_single_numbers_can_be_read_by_keyboard(explorer, notebook):
    step(explorer, 2)
    numbers = explorer.get_by_role("slider", name="One of the numbers")
    numbers.focus()
    notebook.keyboard.press("End")
    said = numbers.get_attribute("aria-valuetext")
    assert said.startswith("Number 32 of 32: ") and said in explorer.locator(".qk-readout").inner_text()
    query, key, product = (
        float(x) for x in said.removeprefix("Number 32 of 32: ").replace("−", "-").replace("=", "×").split(" × ")
    )
    assert query * key == pytest.approx(product, abs=0.03)


def test_python_computes_what_the_browser_shows(explorer, notebook):
    explorer.get_by_label("Layer").fill("1")
    explorer.get_by_label("Head", exact=True).fill("8")
    explorer.get_by_role("radio", name="mat", exact=True).check(force=True)
    step(explorer, 5)
    notebook.wait_for_timeout(1000)  # ipywidgets sends one change at a time, the next when the kernel has answered
    numbers = printed(notebook, 2)
    seen = json.loads(numbers)
    assert seen["at"] == [1, 8, 6, 2, 5]
    assert column(explorer, "dot") == pytest.approx(seen["dots"], abs=0.006)
    assert column(explorer, "score") == pytest.approx(seen["scores"], abs=0.006)
    assert column(explorer, "weight") == pytest.approx(seen["weights"], abs=0.0006)


@pytest.mark.parametrize(("text", "sentence"), [("   ", "There is no text here"), ("word " * 25, "at most 24")])
def test_a_bad_text_is_met_with_a_sentence(explorer, notebook, text, sentence):
    submit(notebook, explorer.get_by_label("Text", exact=True), text)
    explorer.get_by_text(sentence).wait_for()
    assert explorer.locator(".qk-body .qk-row").count() == 8


@pytest.mark.parametrize(("text", "n_tokens"), [("cat", 3), ("注意 🙂", 5), ("word " * 22, 24)])
def test_another_text_is_read_by_the_model(explorer, notebook, text, n_tokens):
    submit(notebook, explorer.get_by_label("Text", exact=True), text)
    notebook.wait_for_function("n => document.querySelectorAll('.ac-qkv .qk-body .qk-row').length === n", arg=n_tokens)
    step(explorer, 4)
    assert sum(column(explorer, "weight")) == pytest.approx(1, abs=0.0005 * n_tokens)


def test_a_word_from_right_to_left_does_not_turn_the_sentence_around_it(explorer, notebook):
    submit(notebook, explorer.get_by_label("Text", exact=True), "القط")
    notebook.wait_for_function("() => document.querySelectorAll('.ac-qkv .qk-body .qk-row').length === 6")
    step(explorer, 5)
    explorer.get_by_role("radio", name="##ق", exact=True).check(force=True)
    words = explorer.locator(".qk-words").inner_text()
    assert "The output of “\u2068##ق\u2069” = " in words and "of “[SEP]”" in words


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
@pytest.mark.parametrize("number", [1, 5])
def test_axe_finds_nothing(explorer, notebook, theme, number):
    set_theme(notebook, theme)
    step(explorer, number)
    assert axe(notebook, ".ac-qkv") == []


@pytest.mark.parametrize("width", [360, 400, 600, 640, 770, 880])
def test_nothing_is_cut_off_however_wide_the_page(explorer, width):
    step(explorer, 5)
    explorer.evaluate("(root, width) => { root.style.maxWidth = `${width}px`; }", width)
    assert explorer.evaluate("root => root.scrollWidth <= root.clientWidth")
    explorer.evaluate("root => { root.style.maxWidth = ''; }")
