"""The tokenizer explorer in a real JupyterLab: typing, stepping, walking, reading."""

import pytest

from course import models

from lab import axe, browser_page, open_notebook, run_all, set_theme, write_notebook

ROOT = "#both .ac-tokenizer"
ALONE = "#alone .ac-tokenizer"
TEXT = "The cat sat on the mat"
CELLS = [
    "from course import models\nfrom course.explorers.tokens import TokenizerExplorer",
    f"TokenizerExplorer(models.load('minilm'), models.load('smollm2'), {TEXT!r})",
    "TokenizerExplorer(models.load('minilm'))",
]


@pytest.fixture(scope="module")
def notebook(lab):
    """One page for all these tests, with two explorers: one with both tokenizers, one without the second."""
    try:
        models.prepare("smollm2")
    except models.ModelError as missing:
        pytest.skip(str(missing))
    base, token, folder = lab
    path = write_notebook(folder / "tokenizer.ipynb", CELLS)
    with browser_page() as page:
        open_notebook(page, base, token, path.name)
        assert run_all(page) == []
        for place, name in enumerate(["both", "alone"]):
            widget = page.locator(".ac-tokenizer").nth(place)
            widget.wait_for()
            widget.evaluate("(node, name) => { node.parentElement.id = name; }", name)
        yield page
        assert page.errors == []
        assert page.blocked == []


@pytest.fixture
def explorer(notebook):
    """The page, with the first explorer back at *The cat sat on the mat* and its tables closed."""
    type_text(notebook, TEXT, done=TEXT)
    notebook.locator(f"{ROOT} .ac-check").uncheck()
    return notebook


def pieces(page, row: int) -> list[str]:
    return page.locator(f"{ROOT} .tok-chips").nth(row).locator(".tok-text").all_inner_texts()


def type_text(page, text: str, done: str):
    """Type a text and wait until the line of source text shows it (or the problem line says ``done``)."""
    page.locator(f"{ROOT} .ac-text").fill(text)
    page.locator(f"{ROOT} :is(.tok-source, .ac-problem)", has_text=done).first.wait_for()


def test_typing_a_text_changes_the_tokens_of_both_rows(explorer):
    assert pieces(explorer, 0) == ["[CLS]", "the", "cat", "sat", "on", "the", "mat", "[SEP]"]
    assert pieces(explorer, 1) == ["The", "Ġcat", "Ġsat", "Ġon", "Ġthe", "Ġmat"]
    explorer.locator(f"{ROOT} .ac-text").press("End")
    explorer.keyboard.type(" quizzically")  # no Enter: the tokens follow the typing
    explorer.locator(f"{ROOT} .tok-source", has_text="quizzically").wait_for()
    assert pieces(explorer, 0) == ["[CLS]", "the", "cat", "sat", "on", "the", "mat", "quiz", "##zic", "##ally", "[SEP]"]
    assert explorer.locator(f"{ROOT} .tok-chips").first.locator(".tok-joined").count() == 2


def test_the_step_sliders_move_by_keyboard_and_change_the_picture(explorer):
    type_text(explorer, "tokenization", done="tokenization")
    for number, (picture, keys) in enumerate([(".tok-letters", 4), (".tok-symbols", 3)]):
        slider = explorer.locator(f"{ROOT} .ac-range").nth(number)
        before = explorer.locator(f"{ROOT} {picture}").get_attribute("aria-label")
        value = int(slider.input_value())
        for _ in range(keys):
            slider.press("ArrowRight")
        assert int(slider.input_value()) == value + keys
        assert explorer.locator(f"{ROOT} {picture}").get_attribute("aria-label") != before
        assert slider.get_attribute("aria-valuetext").startswith(f"{value + keys} of ")
    explorer.locator(f"{ROOT} .ac-range").first.press("End")
    assert explorer.locator(f"{ROOT} .tok-found").first.inner_text() == "Pieces: token ##ization"


def test_an_unknown_word_ends_in_unk(explorer):
    type_text(explorer, "I ❤️ cats", done="cats")
    explorer.locator(f"{ROOT} .ac-select").select_option("❤")
    assert "Not even one letter fits" in explorer.locator(f"{ROOT} .tok-verdict").first.inner_text()
    assert explorer.locator(f"{ROOT} .tok-found").first.inner_text() == "Result: [UNK]"
    assert explorer.locator(f"{ROOT} .tok-unknown").count() == 1


def test_arrow_keys_walk_along_the_tokens_and_mark_their_characters(explorer):
    type_text(explorer, "😀 cats tokenization", done="tokenization")
    explorer.locator(f"{ROOT} .ac-text").press("Tab")
    marks = []
    for _ in range(4):
        explorer.keyboard.press("ArrowRight")
        marks.append(explorer.locator(f"{ROOT} .tok-source mark").inner_text())
    # The emoji is two units of a JavaScript string and one character of Python's; the marks must not slip.
    assert marks == ["😀", "cats", "token", "ization"]
    assert explorer.evaluate("document.activeElement.getAttribute('role')") == "option"
    assert "text[12:19]" in explorer.locator(f"{ROOT} .tok-detail").inner_text()
    assert explorer.locator(f"{ROOT} .tok-chips").nth(1).locator(".tok-shares").all_inner_texts()
    explorer.keyboard.press("Home")
    assert explorer.evaluate("document.activeElement.textContent").startswith("[CLS]")
    assert explorer.locator(".jp-Cell.jp-mod-active").count() == 1  # JupyterLab moved to no other cell


def test_a_bad_text_is_met_with_a_sentence_and_the_picture_stays(explorer):
    before = pieces(explorer, 0)
    for text, sentence in [
        ("", "There is no text yet."), ("    ", "There are only spaces here."),
        ("attention " * 600, "This text has 602 tokens; the explorer shows at most 300."),
    ]:  # fmt: skip
        type_text(explorer, text, done=sentence)
        assert pieces(explorer, 0) == before
    type_text(explorer, "fine again", done="fine again")
    explorer.locator(f"{ROOT} .ac-problem").wait_for(state="attached")
    assert explorer.locator(f"{ROOT} .ac-problem").inner_text() == ""


def test_the_tables_open_by_keyboard_and_list_every_token(explorer):
    explorer.locator(f"{ROOT} .ac-check").focus()
    explorer.keyboard.press("Space")
    first, second = explorer.locator(f"{ROOT} table").all()
    assert first.locator("tbody tr").count() == 8 and second.locator("tbody tr").count() == 6
    cells = first.locator("tbody tr").nth(2).locator("th, td").all_inner_texts()
    assert cells == ["2", "cat", "4937", "0", "1", "4:7 cat"]
    cells = second.locator("tbody tr").nth(1).locator("th, td").all_inner_texts()
    assert cells == ["1", "Ġcat", "2644", "none", "1", "3:7 ␣cat"]


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing_in_either_theme(explorer, theme):
    set_theme(explorer, theme)
    type_text(explorer, "I ❤️ 東京 and naïve tokenization", done="tokenization")
    explorer.locator(f"{ROOT} .ac-check").check()
    explorer.locator(f"{ROOT} .tok-chip").nth(3).focus()
    assert axe(explorer, ROOT) == []
    type_text(explorer, "", done="There is no text yet.")
    assert axe(explorer, ROOT) == []
    assert axe(explorer, ALONE) == []


def test_without_the_second_model_the_explorer_says_how_to_get_it(notebook):
    missing = notebook.locator(f"{ALONE} .tok-missing").inner_text()
    assert missing.endswith("To get it, run in a terminal: course models --get")
    assert notebook.locator(f"{ALONE} .tok-chips").count() == 1
