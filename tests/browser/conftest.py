"""What the browser tests share. Where no Chromium can be had they are skipped, with one sentence saying why."""

import re

import pytest

from lab import NoBrowser, browser_page, find_chromium, jupyterlab, open_notebook, run_all, write_notebook


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium in use."""
    try:
        return find_chromium()
    except NoBrowser as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def lab(chromium, tmp_path_factory):
    """One JupyterLab for the whole run: (base address, token, folder that it shows)."""
    folder = tmp_path_factory.mktemp("notebooks")
    with jupyterlab(folder) as (base, token):
        yield base, token, folder


@pytest.fixture
def page(chromium):
    """A Chromium page, 1400 x 1000, light."""
    with browser_page() as page:
        yield page


@pytest.fixture
def run_cells(lab, page, request):
    """A function: write these cells into a notebook, open it, run it, and fail on any error; gives the page."""

    def run(*cells: str, timeout: float = 180):
        base, token, folder = lab
        name = re.sub(r"\W+", "_", request.node.name)  # outside the f-string: Python 3.11 allows no backslash in one
        path = write_notebook(folder / f"{name}.ipynb", list(cells))
        open_notebook(page, base, token, path.name)
        assert run_all(page, timeout) == []
        return page

    return run
