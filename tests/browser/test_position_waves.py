"""The position explorer in a real JupyterLab: sliders, mouse, accessibility, and the same numbers as Python."""

import json
import math

import numpy as np
import pytest

from course import views
from course.attention import sinusoidal_positions
from course.explorers.positions import example_query_and_key, position_similarity, rotary_similarity

from lab import axe, printed, set_theme, shown_notebook

CELLS = [
    "from course import models\nfrom course.explorers.positions import PositionExplorer\nmodel = models.load('minilm')",
    "explorer = PositionExplorer(model)\nexplorer",
]
NUMBERS = (
    "import json\np, i, similarities = explorer.position, explorer.pair, explorer.similarities\n"
    "print(json.dumps(dict(position=p, pair=i, base=explorer.base, wavelength=explorer.wavelength, "
    "sine=float(explorer.table[p, 2 * i]), next=[float(s[p, p + 1]) for s in similarities])))"
)


@pytest.fixture(scope="module")
def notebook(lab):
    with shown_notebook(
        lab, "position_waves", [*CELLS, NUMBERS], ".position-waves .pw-verdict:not(:empty)", (1400, 1500)
    ) as page:
        yield page


@pytest.fixture
def explorer(notebook):
    """The explorer in its first state."""
    root = notebook.locator(".position-waves")
    for name, value in (("Position", "20"), ("Pair of dimensions", "6"), ("Base", "4")):
        root.get_by_label(name, exact=True).fill(value)
    return root


def picture(explorer, name: str) -> str:
    return explorer.locator(f".pw-{name}").first.evaluate("canvas => canvas.toDataURL()")


@pytest.mark.parametrize(
    ("name", "redrawn", "kept"),
    [("Position", ["heat", "waves", "circle", "similar"], []), ("Pair of dimensions", ["heat", "waves"], ["similar"]), ("Base", ["heat", "waves", "similar"], [])],
)  # fmt: skip
def test_a_key_press_redraws_what_depends_on_it(explorer, notebook, name, redrawn, kept):
    before = {part: picture(explorer, part) for part in [*redrawn, *kept]}
    explorer.get_by_label(name, exact=True).focus()
    notebook.keyboard.press("ArrowLeft")
    assert all(picture(explorer, part) != before[part] for part in redrawn)
    assert all(picture(explorer, part) == before[part] for part in kept)


def test_the_wavelength_is_said_in_positions(explorer):
    assert "A full turn takes 35.3 positions" in explorer.inner_text()
    explorer.get_by_label("Pair of dimensions").fill("31")
    assert "A full turn takes 47,117 positions" in explorer.inner_text()
    assert "its hand moves by 0.5 degrees" in explorer.locator(".ac-status").inner_text()


def test_a_click_in_the_picture_chooses_position_and_pair(explorer, notebook):
    box = explorer.locator(".pw-heat").bounding_box()
    side = box["width"] - 38
    notebook.mouse.click(box["x"] + 34 + side * 10.5 / 32, box["y"] + 22 + side * 40.5 / 64)
    assert explorer.get_by_label("Position", exact=True).input_value() == "40"
    assert explorer.get_by_label("Pair of dimensions").input_value() == "10"


def test_only_learned_positions_differ_at_the_same_distance(explorer):
    verdicts = explorer.locator(".pw-verdict").all_inner_texts()
    assert verdicts[0].startswith("Only the distance counts")
    assert verdicts[1] == "Only roughly: at the same distance it differs by up to 0.62."
    assert verdicts[2].startswith("Only the distance counts, and its direction")


@pytest.mark.parametrize(("n", "d_model", "base"), [(64, 64, 10_000.0), (7, 6, 10.0), (128, 32, 100_000.0)])
def test_javascript_computes_pythons_numbers(notebook, n, d_model, base):
    query, key = example_query_and_key(d_model)
    script = views.script("position_waves").replace("export default", "window.__view =")
    given = [n, d_model, base, query.tolist(), key.tolist()]
    table, similarity, rotary = notebook.evaluate(
        f"""([n, d, base, query, key]) => {{ {script}
            const table = sinusoidalPositions(n, d, base);
            return [table, positionSimilarity(table, n, d), rotarySimilarity(query, key, n, base)].map(each => [...each]); }}""",
        given,
    )
    expected = sinusoidal_positions(n, d_model, base)
    close = {"atol": 2e-5, "rtol": 0}  # Python keeps 32 bits, of angles up to 127 too
    np.testing.assert_allclose(np.reshape(table, (n, d_model)), expected, **close)
    np.testing.assert_allclose(np.reshape(similarity, (n, n)), position_similarity(expected), **close)
    np.testing.assert_allclose(np.reshape(rotary, (n, n)), rotary_similarity(query, key, n, base), **close)


def test_python_sees_what_the_browser_shows(explorer, notebook):
    explorer.get_by_label("Base").fill("2")
    explorer.get_by_label("Pair of dimensions").fill("9")
    explorer.get_by_label("Position", exact=True).fill("33")
    notebook.wait_for_timeout(1000)  # ipywidgets sends one change at a time, the next when the kernel has answered
    numbers = printed(notebook, 2)
    seen = json.loads(numbers)
    assert (seen["position"], seen["pair"], seen["base"]) == (33, 9, 100)
    shown = explorer.inner_text().replace("−", "-")
    assert f"A full turn takes {seen['wavelength']:.1f} positions" in shown
    assert f"sine, column 18: {seen['sine']:.2f}" in shown
    neighbours = explorer.locator(".ac-status").inner_text().split(": ")[1].rstrip(".").split(", ")
    assert [float(words.split()[1]) for words in neighbours] == pytest.approx(seen["next"], abs=0.006)
    assert math.isclose(seen["wavelength"], 2 * math.pi * 100 ** (18 / 64))


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_finds_nothing(explorer, notebook, theme):
    set_theme(notebook, theme)
    assert axe(notebook, ".position-waves") == []


def test_on_a_narrow_page_the_parts_stack(explorer, notebook):
    explorer.evaluate("root => { root.style.maxWidth = '360px'; }")
    notebook.wait_for_function("() => document.querySelector('.position-waves .pw-heat').clientWidth < 340")
    assert explorer.evaluate("root => root.scrollWidth <= root.clientWidth")
    explorer.evaluate("root => { root.style.maxWidth = ''; }")
    notebook.wait_for_function("() => document.querySelector('.position-waves .pw-heat').clientWidth > 360")
