"""Seconds from "Run All" to the first picture, and to the last cell, for every lesson, in JupyterLab and Chromium.

The bar is 10 s to the first picture on two cores (each lesson opened in a fresh kernel; the stored pictures, which are
there at once, do not count). Beside it, in the same run, the seconds until the stored picture shows after opening.

    python benchmarks/first_picture.py
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from lab import browser_page, jupyterlab, open_notebook  # noqa: E402

STORED = ".jp-OutputArea img, .jp-OutputArea .js-plotly-plot"
FRESH = "img:not([data-stored]), .js-plotly-plot:not([data-stored]), .ac canvas, .ac [role=group]"
RUN = """async () => {
    document.querySelectorAll('img, .js-plotly-plot').forEach(e => e.setAttribute('data-stored', ''));
    const began = performance.now(); window.__first = null;
    const look = () => {
        const found = [...document.querySelectorAll('.jp-OutputArea')].some(o => o.querySelector(`%s`));
        if (found) window.__first = performance.now() - began; else requestAnimationFrame(look); };
    requestAnimationFrame(look);
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
    return [window.__first, performance.now() - began]; }"""


def measure(base: str, token: str, name: str) -> tuple[float, float, float]:
    """Open one lesson and run it; return seconds to the stored picture, to the first fresh one, to the end."""
    with browser_page(viewport=(1250, 6000)) as page:
        began = time.monotonic()
        open_notebook(page, base, token, name)
        page.wait_for_selector(STORED)
        stored = time.monotonic() - began
        first, everything = page.evaluate(RUN % FRESH)
        return stored, first / 1000, everything / 1000


def main() -> None:
    """Print a line a lesson."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; bar: first picture within 10 s of Run All")
    print(f"{'lesson':26}{'stored picture':>16}{'first picture':>16}{'whole lesson':>16}")
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((ROOT / "lessons").glob("*.ipynb")):
            shutil.copy(path, folder)
        with jupyterlab(folder) as (base, token):
            for path in sorted(Path(folder).glob("*.ipynb")):
                stored, first, everything = measure(base, token, path.name)
                print(f"{path.stem:26}{stored:14.1f} s{first:14.1f} s{everything:14.1f} s", flush=True)


if __name__ == "__main__":
    main()
