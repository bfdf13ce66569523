"""bertviz's own head view and model view, drawn from a ``Run``, with or without a network.

bertviz asks a server for three libraries each time it draws. Here its page stands in a frame of its own, with d3 5.7.0
(the version it asks for, carried by the package mpld3) inside, and small stand-ins for the few calls that it makes to
jQuery and require.js. Weights are written once (bertviz writes them a second time, into a comment) and with three
decimals, which makes a page on 64 tokens seven times smaller.
"""

from __future__ import annotations

import html
import json
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from course.models import Run

# The page grows with the square of the length. The head view draws one line a weight of one layer, the model view one a
# weight of all layers: beyond these lengths a browser needs many seconds, or gives up.
MAX_TOKENS_HEAD_VIEW = 128
MAX_TOKENS_MODEL_VIEW = 48
DECIMALS = 3

# The calls that bertviz makes to jQuery, on the browser's own functions.
JQUERY = """
window.jQuery = window.$ = function (target) {
  const nodes = typeof target !== "string" ? [target]
    : target[0] === "<" ? [document.createElement(target.match(/\\w+/)[0])] : [...document.querySelectorAll(target)];
  const each = (change) => { nodes.forEach(change); return self; };
  const self = {
    length: nodes.length, get: (i) => nodes[i],
    empty: () => each((node) => node.replaceChildren()),
    append: (child) => each((node) => node.append(child.get ? child.get(0) : child)),
    val: (value) => value === undefined ? nodes[0] && nodes[0].value : each((node) => { node.value = value; }),
    text: (value) => each((node) => { node.textContent = value; }),
    attr: (name, value) => each((node) => node.setAttribute(name, value)),
    on: (event, run) => each((node) => node.addEventListener(event, run)),
    change: (run) => run ? each((node) => node.addEventListener("change", run)) : self,
  };
  return Object.assign(self, nodes);
};
"""
REQUIRE = """
window.require = window.requirejs = (names, run) => run(...names.map((name) => ({ jquery: jQuery, d3 })[name]));
require.config = () => {};
console.log = () => {};
"""
# The frame is as high as its content, and a drawing wider than the notebook shrinks instead of scrolling.
FIT = """
const name = document.body.dataset.name;
function fit() {
  for (const select of document.querySelectorAll("select")) {
    select.setAttribute("aria-label", select.id);
    select.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  for (const svg of document.querySelectorAll("svg")) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", name);
    const width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
    if (width > 0 && height > 0) {
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.removeAttribute("height");
      svg.setAttribute("width", "100%");
      svg.style.maxWidth = `${width}px`;
      svg.style.height = "auto";
    }
  }
  const height = Math.ceil(document.body.getBoundingClientRect().height) + 2;
  try { if (frameElement.offsetHeight !== height) frameElement.style.height = `${height}px`; }
  catch { /* a front end that forbids it */ }
}
new ResizeObserver(fit).observe(document.body);
new MutationObserver(fit).observe(document.body, { childList: true, subtree: true });
fit();
"""


class Frame:
    """A view in a frame: the page as HTML for a notebook, and a sentence for whoever does not see it."""

    def __init__(self, page: str, alternative: str, height: int):
        self.page, self.alternative, self.height = page, alternative, height

    def __repr__(self) -> str:
        return self.alternative

    def _repr_html_(self) -> str:
        title = html.escape(self.alternative, quote=True)
        return (
            f'<iframe title="{title}" style="width: 100%; max-width: 1000px; height: {self.height}px; border: 0; '
            f'border-radius: 8px; background: #fff" srcdoc="{html.escape(self.page, quote=True)}"></iframe>'
        )


def head_view(run: Run, layer: int = 0, heads: list[int] | None = None) -> Frame:
    """Show bertviz's head view: the lines of one layer, one colour a head; a menu changes the layer.

    Args:
        run: what a model did on one text or one pair.
        layer: the layer shown first, from 0.
        heads: the heads shown first, from 0; None shows all.

    Raises:
        ValueError: the run is a batch, the text is too long for bertviz, or there is no such layer or head.
    """
    from bertviz import head_view as draw

    _check(run, "head view", MAX_TOKENS_HEAD_VIEW)
    _check_inside("layer", [layer], run.n_layers)
    _check_inside("head", heads or [], run.n_heads)
    drawn = draw(*_inputs(run), layer=layer, heads=heads, html_action="return", sentence_b_start=_second_text(run))
    chosen = "all heads" if heads is None else "heads " + ", ".join(map(str, heads))
    alternative = f"bertviz head view: {chosen} of layer {layer} of {run.model_name}, on {_described(run)}."
    return Frame(_page(drawn.data, alternative), alternative, height=80 + 23 * len(run.tokens))


def model_view(run: Run) -> Frame:
    """Show bertviz's model view: every head of every layer as a thumbnail; a click opens one.

    Args:
        run: what a model did on one text or one pair.

    Raises:
        ValueError: the run is a batch, or the text is too long for bertviz.
    """
    from bertviz import model_view as draw

    _check(run, "model view", MAX_TOKENS_MODEL_VIEW)
    drawn = draw(*_inputs(run), display_mode="light", html_action="return", sentence_b_start=_second_text(run))
    alternative = (
        f"bertviz model view: {run.n_layers} layers of {run.n_heads} heads of {run.model_name}, on {_described(run)}."
    )
    return Frame(_page(drawn.data, alternative), alternative, height=100 + run.n_layers * (7 * len(run.tokens) + 10))


def _check(run: Run, view: str, max_tokens: int):
    if run.ids.dim() != 1:
        raise ValueError("bertviz draws one text or one pair at a time, and this run is a batch. Run one text alone.")
    if len(run.tokens) > max_tokens:
        raise ValueError(
            f"This text is {len(run.tokens)} tokens long, and a browser can draw bertviz's {view} for {max_tokens} at "
            "most. Shorten it, or use HeadExplorer, which shows longer texts."
        )


def _check_inside(what: str, chosen: list[int], count: int):
    for number in chosen:
        if not 0 <= number < count:
            raise ValueError(f"There is no {what} {number}: the {what}s count from 0 to {count - 1}.")


def _described(run: Run) -> str:
    return f"{len(run.tokens)} tokens: {' '.join(run.tokens)}"


def _inputs(run: Run):
    return [layer.unsqueeze(0) for layer in run.attentions], list(run.tokens)  # bertviz expects a batch of one


def _second_text(run: Run) -> int | None:
    """Where the second text of a pair begins, if there is one."""
    if run.segment_ids is None or not run.segment_ids.any():
        return None
    return int(run.segment_ids.argmax())


def _page(drawn: str, name: str) -> str:
    drawn = re.sub(r'<script src="https?://[^"]*"></script>', "", drawn)
    drawn = _rounded(drawn)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bertviz</title></head>'
        f'<body style="margin: 0; padding: 12px; box-sizing: border-box; overflow: hidden; background: #fff" '
        f'data-name="{html.escape(name, quote=True)}">'
        f"<script>{_d3()}</script><script>{JQUERY}{REQUIRE}</script>{drawn}<script>{FIT}</script></body></html>"
    )


def _rounded(drawn: str) -> str:
    """Write each weight with three decimals and no spaces, and keep a token from ending the script that it is in."""
    start = drawn.index("const params = ") + len("const params = ")
    params, length = json.JSONDecoder().raw_decode(drawn[start:])
    for part in params["attention"]:
        part["attn"] = _round_all(part["attn"])
    written = json.dumps(params, separators=(",", ":")).replace("</", "<\\/").replace("<!--", "<\\u0021--")
    rest = drawn[start + length :]  # from "; // HACK: ..." on: that comment holds all weights once more
    return drawn[:start] + written + ";" + rest[rest.index("\n") :]


def _round_all(values):
    if isinstance(values, float):
        rounded = round(values, DECIMALS)
        return int(rounded) if rounded in (0.0, 1.0) else rounded
    return [_round_all(value) for value in values]


@lru_cache
def _d3() -> str:
    folder = find_spec("mpld3").submodule_search_locations[0]
    return (Path(folder) / "js" / "d3.v5.min.js").read_text(encoding="utf-8")
