"""The stored lessons as a learner meets them: opened before anything is run, run from top to bottom, used by keyboard."""

import shutil

import pytest

from course.build import course_root

from lab import axe, open_notebook, run_all

LESSONS = sorted(path.name for path in (course_root() / "lessons").glob("*.ipynb"))


@pytest.fixture
def lesson(lab, page):
    """A function: open a copy of a stored notebook in JupyterLab, run nothing; gives the page."""
    base, token, folder = lab

    def show(name: str, room: str = "lessons"):
        (folder / room).mkdir(exist_ok=True)
        shutil.copy(course_root() / room / name, folder / room / name)
        page.set_viewport_size({"width": 1250, "height": 6000})  # JupyterLab draws only the cells that are in view
        open_notebook(page, base, token, f"{room}/{name}")
        page.wait_for_selector(".jp-OutputArea img, .jp-OutputArea .js-plotly-plot", timeout=20_000)
        page.wait_for_timeout(500)
        return page

    return show


def no_box_asks_or_complains(page) -> bool:
    return page.locator(".jp-Dialog, .jp-RenderedError, .jupyter-widgets-error, .Toastify__toast").count() == 0


@pytest.mark.parametrize("name", LESSONS)
def test_before_anything_is_run_a_lesson_shows_its_pictures_and_no_error_box(lesson, name, tmp_path):
    page = lesson(name)
    assert no_box_asks_or_complains(page)
    pictures = page.locator(".jp-OutputArea img, .jp-OutputArea .js-plotly-plot")
    assert pictures.count() >= 4
    for i in range(4):
        box = pictures.nth(i).bounding_box()
        assert box["width"] > 200 and box["height"] > 30 and box["x"] + box["width"] <= 1250
    assert "model not found" not in page.content().lower()
    page.screenshot(path=tmp_path / "stored.png")
    assert (tmp_path / "stored.png").stat().st_size > 50_000
    assert page.blocked == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_from_top_to_bottom_and_nothing_leaves_the_machine(lesson, name):
    page = lesson(name)
    assert run_all(page, timeout=300) == []
    page.wait_for_selector(".jp-OutputArea .ac", timeout=20_000)
    assert no_box_asks_or_complains(page)
    assert axe(page, ".ac") == []
    assert page.blocked == []


def test_in_lesson_04_a_slider_moved_by_the_keyboard_changes_the_picture(lesson):
    page = lesson("04_attention_masks.ipynb")
    assert run_all(page, timeout=300) == []
    painter = page.locator(".jp-OutputArea .ac").first
    slider = painter.get_by_label("Temperature")
    slider.scroll_into_view_if_needed()
    slider.focus()
    pixels = "el => [...el.querySelectorAll('canvas')].map(c => c.toDataURL()).join() + el.innerHTML"
    before, value = painter.evaluate(pixels), slider.input_value()
    selected = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert float(slider.input_value()) > float(value)
    assert painter.evaluate(pixels) != before
    # The arrow keys stayed inside: JupyterLab did not walk to another cell.
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex") == selected


def test_an_exercise_answered_wrongly_gets_its_hint_and_then_the_points(lesson):
    page = lesson("04_attention_masks.ipynb", "exercises")
    page.evaluate(
        """() => { const cells = window.jupyterapp.shell.currentWidget.content.widgets;
            const answer = cells.find(c => c.model.sharedModel.getSource().includes('def causal_mask('));
            const head = answer.model.sharedModel.getSource().split('raise Not')[0];
            answer.model.sharedModel.setSource(head + 'return torch.ones(n, n).tril().bool()'
                .replaceAll('n, n', head.match(/def causal_mask\\((\\w+)/)[1] + ', ' + head.match(/def causal_mask\\((\\w+)/)[1])); }"""
    )
    assert run_all(page, timeout=120) == []
    text = page.locator(".jp-OutputArea").all_inner_texts()
    assert any("causal mask: passed" in output for output in text)
    assert any("not yet, 0 of" in output for output in text)  # the others, which nobody has answered
