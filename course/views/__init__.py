"""The JavaScript and style sheets of the explorers, and bertviz made to work without a network.

Every view is one ES module for anywidget. What all views share (controls that work by keyboard, colours that follow
the theme) stands in ``common.js`` and ``common.css`` and is put in front of the view's own file.
"""

from pathlib import Path

_HERE = Path(__file__).parent


def script(name: str) -> str:
    """Return the ES module of one view, e.g. ``script("head_view")``."""
    return _read("common.js") + "\n" + _read(f"{name}.js")


def style(name: str) -> str:
    """Return the style sheet of one view; a view without one of its own gets the shared sheet."""
    own = _HERE / f"{name}.css"
    return _read("common.css") + ("\n" + own.read_text(encoding="utf-8") if own.exists() else "")


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
