"""Tokens as a row of cards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from course.figures.picture import DARK, INK, KEY, MASKED, QUERY, Picture, dress, escape

STRIP = 840  # pixels that a strip takes at most, so that it fits beside JupyterLab's list of files


def token_strip(
    rows: Sequence[tuple[str, Sequence[str]]], colours: Sequence[int] | None = None, title: str = ""
) -> Picture:
    """Draw tokens as a row of cards, with any number of rows of facts about them underneath.

    Args:
        rows: (name, one text a token) each; the first row is the tokens.
        colours: a group number a token (0 blue, 1 vermillion, 2 grey): segment ids, for instance.
        title: above the strip.
    """
    n = len(rows[0][1])
    if any(len(texts) != n for _, texts in rows):
        raise ValueError(f"every row needs {n} entries, got {[len(texts) for _, texts in rows]}.")
    groups = [0] * n if colours is None else list(colours)
    fills = ["#d6e6f4", "#f6dcc8", "#e2e2e2"]
    figure = go.Figure()
    left = 20 + 8 * max(len(name) for name, _ in rows)
    letters = np.array([max(len(str(texts[i])) for _, texts in rows) for i in range(n)])
    widths = np.maximum(34, 14 + 8 * letters)
    if left + widths.sum() > STRIP:  # many cards stand closer, as far as their texts allow
        widths = np.maximum(8 * letters + 8, widths * (STRIP - left) / widths.sum())
    left_edges = np.concatenate([[0], np.cumsum(widths)])
    for i in range(n):
        figure.add_shape(
            type="rect",
            x0=left_edges[i] + 2,
            x1=left_edges[i + 1] - 2,
            y0=-0.5,
            y1=0.45,
            fillcolor=fills[groups[i]],
            line=dict(width=1, color=[QUERY, KEY, MASKED][groups[i]]),
        )
        for r, (_, texts) in enumerate(rows):
            figure.add_annotation(
                x=(left_edges[i] + left_edges[i + 1]) / 2,
                y=-r,
                text=escape(str(texts[i])),
                showarrow=False,
                font=dict(size=13, weight=600, color=DARK) if r == 0 else dict(size=12, color=INK),
            )
    figure.update_xaxes(visible=False, range=[0, float(left_edges[-1])])
    figure.update_yaxes(
        tickvals=[-r for r in range(len(rows))], ticktext=[name for name, _ in rows], range=[-len(rows) + 0.4, 0.6]
    )
    dress(
        figure,
        width=left + float(left_edges[-1]) + 12,
        height=28 * len(rows) + 24 + (30 if title else 0),
        margin=dict(l=left, r=8, t=34 if title else 8, b=8),
        title=title,
    )
    lines = [f"{name}: {' | '.join(map(str, texts))}" for name, texts in rows]
    return Picture(figure, "\n".join(([title] if title else []) + lines))
