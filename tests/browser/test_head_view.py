"""The head view and bertviz in a real JupyterLab: drawn, moved by the keyboard, readable, and without a network."""

import pytest

from lab import axe, set_theme

SET_UP = "from course import models\nfrom course.explorers.heads import HeadExplorer\nmodel = models.load('minilm')"
PICTURE = ".ac-heads-canvas"


def pixels(page, selector=PICTURE):
    return page.locator(selector).evaluate("canvas => canvas.toDataURL()")


def is_drawn(page, selector):
    return page.locator(selector).evaluate(
        """canvas => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let inked = 0; for (let i = 3; i < data.length; i += 4) if (data[i]) inked++; return inked > 1000; }"""
    )


def status(page):
    return page.locator(".ac-heads-status").inner_text()


def settle(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def changes(page, act):
    """Do something; say whether the picture is another one afterwards."""
    before = pixels(page)
    act()
    settle(page)
    return pixels(page) != before


@pytest.fixture
def shown(run_cells):
    page = run_cells(SET_UP, "explorer = HeadExplorer(model, head=2)\nexplorer")
    page.wait_for_function("() => document.querySelector('.ac-heads-status')?.textContent")
    return page


def test_the_head_view_works_by_keyboard_and_says_what_it_shows(shown):
    page = shown
    assert is_drawn(page, PICTURE) and is_drawn(page, ".ac-heads-thumbs")
    assert page.locator(".ac-heads-name").inner_text() == "Head (0, 2)"

    layer, head = page.locator(".ac-heads-sliders input").all()
    assert changes(page, lambda: layer.press("ArrowRight"))
    assert changes(page, lambda: head.press("ArrowRight"))
    assert page.locator(".ac-heads-name").inner_text() == "Head (1, 3)"

    grid = page.get_by_role("grid")
    assert changes(page, lambda: grid.press("ArrowUp"))
    assert changes(page, lambda: grid.press("ArrowLeft"))
    chosen = page.locator(f"#{grid.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-label") == "layer 0, head 2"

    query = page.get_by_role("listbox")
    assert changes(page, lambda: query.press("ArrowDown"))
    for _ in range(3):
        query.press("ArrowDown")
    settle(page)
    assert status(page) == 'Layer 0, head 2: "sat" looks most at "cat" (1.00).'
    assert page.locator(PICTURE).get_attribute("aria-label") == status(page)

    assert changes(page, lambda: page.get_by_role("radio", name="lines").press("ArrowRight"))
    query.press("ArrowRight")
    query.press("ArrowRight")
    settle(page)
    assert status(page) == 'Layer 0, head 2: "sat" gives "the" 0.00 of its attention.'
    assert changes(page, lambda: query.press("Escape"))
    assert page.blocked == [] and page.errors == []


def test_what_is_chosen_and_typed_reaches_the_kernel(shown):
    page = shown
    page.get_by_role("gridcell", name="layer 4, head 5").click()
    page.get_by_role("checkbox", name="without [CLS] and [SEP]").check()
    settle(page)
    assert "Hidden: [CLS] and [SEP]" in page.locator(".ac-heads-note").inner_text()
    field = page.get_by_role("textbox", name="Text", exact=True)
    field.fill("Dogs bark")
    field.press("Enter")
    page.wait_for_function("() => document.querySelector('.ac-heads-status').textContent.includes('bark')")
    field.fill("   ")
    field.press("Enter")
    page.wait_for_function("() => document.querySelector('.ac-problem').textContent.includes('no text')")
    assert "bark" in status(page)
    read = page.evaluate(
        """async () => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const code = "print(explorer.layer, explorer.head, explorer.tokens, tuple(explorer.weights.shape))";
            let text = ""; const run = kernel.requestExecute({ code });
            run.onIOPub = (m) => { if (m.content.text) text += m.content.text; }; await run.done; return text; }"""
    )
    assert read.strip() == "4 5 ['[CLS]', 'dogs', 'bark', '[SEP]'] (4, 4)"


def test_pointing_at_a_token_shows_its_looks_and_a_click_keeps_them(shown):
    page = shown
    picture = page.get_by_role("listbox")
    place = picture.bounding_box()
    page.mouse.move(place["x"] + 30, place["y"] + 26 + 2.5 * 30)
    settle(page)
    assert '"cat" looks most at "the"' in status(page)
    page.mouse.click(place["x"] + 30, place["y"] + 26 + 2.5 * 30)
    page.mouse.move(5, 5)
    settle(page)
    assert '"cat" looks most at "the"' in status(page)


def test_axe_finds_nothing_in_light_and_dark(shown):
    assert axe(shown, ".ac-heads") == []
    set_theme(shown, "JupyterLab Dark")
    assert axe(shown, ".ac-heads") == []


def test_a_long_text_scrolls_and_is_still_drawn(run_cells):
    page = run_cells(SET_UP, "HeadExplorer(model, 'one two three four ' * 30, layer=1, head=8)")
    page.wait_for_function("() => document.querySelector('.ac-heads-status')?.textContent")
    box = page.locator(".ac-heads-box")
    assert box.evaluate("box => box.clientHeight <= 540 && box.scrollHeight > 2000")
    assert changes(page, lambda: page.get_by_role("listbox").press("End"))
    assert box.evaluate("box => box.scrollTop > 1000")
    assert is_drawn(page, PICTURE)


def test_a_model_without_special_tokens_offers_no_switch_for_them(run_cells):
    page = run_cells(SET_UP, "HeadExplorer(models.load('smollm2'), 'The cat sat')")
    page.wait_for_function("() => document.querySelector('.ac-heads-status')?.textContent")
    assert page.get_by_role("gridcell").count() == 30 * 9
    assert not page.get_by_role("checkbox").is_visible()


def test_bertviz_draws_without_a_network(run_cells):
    page = run_cells(
        SET_UP,
        "from course.views import bertviz\nrun = model.run('The cat sat on the mat')",
        "bertviz.head_view(run, layer=1)",
        "bertviz.model_view(run)",
    )
    head_view, model_view = page.frame_locator("iframe").nth(0), page.frame_locator("iframe").nth(1)
    head_view.locator("svg line").nth(12 * 64 - 1).wait_for(state="attached")
    model_view.locator("svg line").nth(6 * 12 * 64 - 1).wait_for(state="attached")
    head_view.locator("#layer").select_option("3")
    assert head_view.locator("svg line").count() == 12 * 64
    page.wait_for_timeout(300)
    for frame in page.locator(".jp-OutputArea-output iframe").element_handles():
        inside = frame.content_frame()
        assert inside.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
        assert inside.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.blocked == [] and page.errors == []
