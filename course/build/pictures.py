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
from pathlib import Path

import nbformat

from course import chromium
from course.build.execute import IGNORED, LIVE, WIDGET, BuildError

PLOTLY = "application/vnd.plotly.v1+json"
PAGE_WIDTH = 880  # CSS pixels
# JupyterLab shows a plotly figure's stored picture in its natural size, whatever its metadata say; so one screen pixel
# for each of its pixels. Widgets get a few more, and say how wide they are.
PLOTLY_SCALE, WIDGET_SCALE = 1, 1.25
MOST_COLOURS = 224

_WIDGET_PAGE = """<!doctype html><meta charset=utf-8><style>body{margin:0;width:%(width)dpx}%(css)s</style>
<div id=picture style="display:inline-block;width:100%%"></div><script>window.ready = (async () => {
const state = %(state)s;
for (const [path, data] of %(buffers)s) {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0)); state[path] = new DataView(bytes.buffer); }
const heard = {};
const model = { get: k => state[k], save_changes() {},
  set: (k, v) => { state[k] = v; (heard["change:" + k] || []).forEach(f => f()); },
  on: (events, f) => events.split(" ").forEach(e => (heard[e] ||= []).push(f)), off() {}, send() {} };
const module = await import(URL.createObjectURL(new Blob([%(esm)s], { type: "text/javascript" })));
const widget = typeof module.default === "function" ? await module.default() : module.default;
await widget.initialize?.({ model });
await widget.render({ model, el: document.getElementById("picture") });
await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
})();</script>"""


class Camera:
    """A browser that takes pictures of notebook outputs. Use it as a context manager."""

    def __enter__(self) -> Camera:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError as error:
            raise BuildError("Pictures need Playwright: pip install 'attention-course[test]'.") from error
        self._playwright = sync_playwright().start()
        options = {"executable_path": path} if (path := chromium.find()) else {}
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        try:
            self._browser = self._playwright.chromium.launch(args=[*arguments, "--disable-sync"], **options)
        except Exception as error:
            self._playwright.stop()
            raise BuildError("Pictures need Chromium, and none was found. Set BROWSER_PATH to one.") from error
        self._pages = {scale: self._open_page(scale) for scale in (PLOTLY_SCALE, WIDGET_SCALE)}
        return self

    def _open_page(self, scale: float):
        viewport = {"width": PAGE_WIDTH, "height": 900}
        context = self._browser.new_context(viewport=viewport, device_scale_factor=scale)
        context.set_offline(True)
        return context.new_page()

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
                        picture = self._html(data["text/html"], "iframe")
                    elif PLOTLY in data:
                        picture = self._plotly(data[PLOTLY])
                    else:
                        continue
                except Exception as error:
                    raise BuildError(f"cell {number}: no picture could be taken ({error}).") from error
                png, width = picture
                keep = (PLOTLY, "text/plain") if PLOTLY in data else ("text/plain",)
                output.data = nbformat.from_dict({k: data[k] for k in keep if k in data} | {"image/png": png})
                output.metadata = nbformat.from_dict({} if PLOTLY in data else {"image/png": {"width": width}})

    def _widget(self, model: dict) -> tuple[str, int]:
        state = {k: v for k, v in model["state"].items() if not k.startswith("_")}
        esm, css = model["state"]["_esm"], model["state"].get("_css", "")
        buffers = [["/".join(b["path"]), b["data"]] for b in model.get("buffers", [])]
        page = _WIDGET_PAGE % {
            "width": PAGE_WIDTH, "css": css, "state": _script(state), "buffers": _script(buffers), "esm": _script(esm),
        }  # fmt: skip
        return self._html(page, "#picture")

    def _plotly(self, figure: dict) -> tuple[str, int]:
        page = self._pages[PLOTLY_SCALE]
        page.set_content('<!doctype html><body style="margin:0"><div id=picture style="display:inline-block"></div>')
        page.add_script_tag(path=_plotly_js())
        page.evaluate("f => Plotly.newPlot('picture', f.data, f.layout, { staticPlot: true })", figure)
        return self._shoot(page, "#picture")

    def _html(self, html: str, selector: str) -> tuple[str, int]:
        page = self._pages[WIDGET_SCALE]
        page.goto("about:blank")
        page.set_content(html)
        page.evaluate("() => window.ready")
        return self._shoot(page, selector)

    def _shoot(self, page, selector: str) -> tuple[str, int]:
        page.wait_for_timeout(300)  # fonts, and the views' own transitions
        place = page.locator(selector).first
        return _small_png(place.screenshot(omit_background=True)), round(place.bounding_box()["width"])


def _small_png(png: bytes) -> str:
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGBA")  # see-through, so that it suits light and dark paper
    picture = picture.quantize(MOST_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small = io.BytesIO()
    picture.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode() + "\n"


def _plotly_js() -> Path:
    folder = Path(importlib.util.find_spec("plotly").origin).parent
    return folder / "package_data" / "plotly.min.js"


def _script(value) -> str:
    """Write a value as JavaScript that cannot end the script element it stands in."""
    return json.dumps(value).replace("</", "<\\/")
