"""What all figures share: the picture with its text alternative, the colours, and the page's dress."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

QUERY, KEY, VALUE, WEIGHT, MASKED = "#3d84c6", "#c8611a", "#1f9d72", "#5e3c99", "#8a8a8a"
INK = "#767676"  # on the page: 4.5:1 on white and on JupyterLab's dark paper alike
DARK, WHITE = "#262626", "#ffffff"  # inside cells, which are opaque, so that they look the same on any paper
WIDEST = 880


class Picture:
    """A plotly figure with a text alternative; the last line of a cell shows it.

    Attributes:
        figure: the plotly figure, to be changed or saved.
        alt: what the picture says, in words and numbers.
    """

    def __init__(self, figure: go.Figure, alt: str):
        self.figure, self.alt = figure, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        if "google.colab" in sys.modules:  # Colab shows plotly through HTML only
            return {"text/html": self.figure.to_html(include_plotlyjs="cdn", full_html=False), "text/plain": self.alt}
        figure = self.figure.to_plotly_json()
        figure["config"] = {"displayModeBar": False, "responsive": False}
        return {"application/vnd.plotly.v1+json": plain(figure), "text/plain": self.alt}


def dress(figure: go.Figure, width: float, height: float, margin: dict, title: str = "") -> None:
    """Give a figure its size, its title and plain axes that read on light and on dark paper."""
    figure.update_layout(
        template=None,
        width=round(width),
        height=round(height),
        margin=margin,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font=dict(color=INK, size=12),
        title=dict(
            text=title,
            x=0,
            xref="container",
            y=1,
            yref="container",
            yanchor="top",
            pad=dict(t=8, l=8),
            font=dict(size=14),
        )
        if title
        else None,
    )
    figure.update_xaxes(showgrid=False, zeroline=False, showline=False, ticks="", fixedrange=True)
    figure.update_yaxes(showgrid=False, zeroline=False, showline=False, ticks="", fixedrange=True)


def labels_of(tokens: Sequence[str]) -> list[str]:
    """Write tokens as labels of an axis, none of them read as markup."""
    return [escape(token) for token in tokens]


def escape(token: str) -> str:
    """Write a token so that plotly shows it as it is."""
    return token.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def number_text(value: float) -> str:
    """Write a number with two decimals; large ones whole, with commas."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def plain(value):
    """Turn numpy arrays and plotly's base64 arrays into lists, so that every front end and version draws them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    return value
