"""Take pictures of what only a browser can draw, so that a stored notebook shows them before anything is run.

The camera is a headless Chromium. Our widgets are ES modules; a page of a few lines gives them the state that the
notebook's run left and lets them draw. bertviz's frames are pages already; plotly figures are drawn by the plotly.js
that comes with plotly. Nothing leaves the machine.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import shutil
from pathlib import Path

import nbformat

from course.build.execute import IGNORED, LIVE, WIDGET, BuildError

PLOTLY = "application/vnd.plotly.v1+json"
PAGE_WIDTH, SCALE = 880, 1.5  # CSS pixels; screen pixels for each of them
MOST_COLOURS = 128

_WIDGET_PAGE = """<!doctype html><meta charset=utf-8><style>body{margin:0;background:#fff;width:%(width)dpx}%(css)s</style>
<div id=picture style="display:inline-block;width:100%%"></div><script>window.ready = (async () => {
const state = %(state)s;
for (const [path, data] of %(buffers)s) { const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0)); state[path] = new DataView(bytes.buffer); }
const heard = {};
const model = { get: k => state[k], set: (k, v) => { state[k] = v; (heard["change:" + k] || []).forEach(f => f()); }, save_changes() {},
  on: (events, f) => events.split(" ").forEach(e => (heard[e] ||= []).push(f)), off() {}, send() {} };
const module = await import(URL.createObjectURL(new Blob([%(esm)s], { type: "text/javascript" })));
const widget = typeof module.default === "function" ? await module.default() : module.default;
await widget.initialize?.({ model });
await widget.render({ model, el: document.getElementById("picture") });
await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
})();</script>"""

_PLOTLY_PAGE = """<!doctype html><meta charset=utf-8><style>body{margin:0;background:#fff}</style>
<div id=picture style="display:inline-block"></div><script>window.ready = (async () => {
const figure = %(figure)s;
await Plotly.newPlot("picture", figure.data, figure.layout, { staticPlot: true });
})();</script>"""


class Camera:
    """A browser that takes pictures of notebook outputs. Use it as a context manager."""

    def __enter__(self) -> Camera:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError as error:
            raise BuildError("Pictures need Playwright: pip install 'attention-course[test]'.") from error
        self._playwright = sync_playwright().start()
        options = {"executable_path": path} if (path := chromium()) else {}
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        try:
            self._browser = self._playwright.chromium.launch(args=[*arguments, "--disable-sync"], **options)
        except Exception as error:
            self._playwright.stop()
            raise BuildError("Pictures need Chromium, and none was found. Set BROWSER_PATH to one.") from error
        context = self._browser.new_context(viewport={"width": PAGE_WIDTH, "height": 900}, device_scale_factor=SCALE)
        context.set_offline(True)
        self._page = context.new_page()
        return self

    def __exit__(self, *_) -> None:
        self._browser.close()
        self._playwright.stop()

    def take(self, notebook) -> None:
        """Replace live views by pictures with their text alternatives, and add a picture to each plotly figure."""
        states = notebook.metadata.pop(LIVE, {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
        for number, cell in enumerate(notebook.cells):
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                try:
                    if WIDGET in data:
                        picture = self._widget(states[data[WIDGET]["model_id"]])
                    elif "<iframe" in data.get("text/html", "") and IGNORED in cell.metadata.get("tags", []):
                        picture = self._shoot(data["text/html"], "iframe")
                    elif PLOTLY in data:
                        picture = self._plotly(data[PLOTLY])
                    else:
                        continue
                except Exception as error:
                    raise BuildError(f"cell {number}: no picture could be taken ({error}).") from error
                png, width = picture
                keep = (PLOTLY, "text/plain") if PLOTLY in data else ("text/plain",)
                output.data = nbformat.from_dict({k: data[k] for k in keep if k in data} | {"image/png": png})
                output.metadata = nbformat.from_dict({"image/png": {"width": width}})

    def _widget(self, model: dict) -> tuple[str, int]:
        state = {k: v for k, v in model["state"].items() if not k.startswith("_")}
        esm, css = model["state"]["_esm"], model["state"].get("_css", "")
        buffers = [["/".join(b["path"]), b["data"]] for b in model.get("buffers", [])]
        page = _WIDGET_PAGE % {
            "width": PAGE_WIDTH, "css": css, "state": _script(state), "buffers": _script(buffers), "esm": _script(esm),
        }  # fmt: skip
        return self._shoot(page, "#picture")

    def _plotly(self, figure: dict) -> tuple[str, int]:
        return self._shoot(_PLOTLY_PAGE % {"figure": _script(figure)}, "#picture", script=_plotly_js())

    def _shoot(self, html: str, selector: str, script: Path | None = None) -> tuple[str, int]:
        self._page.goto("about:blank")
        if script:
            self._page.set_content("<!doctype html>")
            self._page.add_script_tag(path=script)
            body = html.split("<script>", 1)
            self._page.evaluate("html => { document.body.innerHTML = html; document.body.style.margin = 0; }", body[0])
            self._page.add_script_tag(content=body[1].removesuffix("</script>"))
        else:
            self._page.set_content(html)
        self._page.evaluate("() => window.ready")
        self._page.wait_for_timeout(300)  # fonts, and the views' own transitions
        place = self._page.locator(selector).first
        return _small_png(place.screenshot()), round(place.bounding_box()["width"])


def chromium() -> str | None:
    """Find a Chromium: BROWSER_PATH, one on the PATH; None leaves it to Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("BROWSER_PATH") or next((path for name in names if (path := shutil.which(name))), None)


def _small_png(png: bytes) -> str:
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(MOST_COLOURS, dither=Image.Dither.NONE)
    small = io.BytesIO()
    picture.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode() + "\n"


def _plotly_js() -> Path:
    folder = Path(importlib.util.find_spec("plotly").origin).parent
    return folder / "package_data" / "plotly.min.js"


def _script(value) -> str:
    """Write a value as JavaScript that cannot end the script element it stands in."""
    return json.dumps(value).replace("</", "<\\/")
