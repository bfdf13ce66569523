"""Curves over a common x."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from course.figures.picture import KEY, MASKED, QUERY, VALUE, Picture, dress, number_text


def curves(
    x: Sequence[float], ys: dict[str, Sequence[float]], title: str = "", x_name: str = "", y_name: str = ""
) -> Picture:
    """Draw curves over a common x, each named at its end and drawn with its own dash, so that no colour is needed.

    Args:
        x: (n,); ys: name -> (n,).
    """
    figure = go.Figure()
    dashes, palette = ["solid", "dash", "dot", "dashdot"], [QUERY, KEY, VALUE, MASKED]
    for i, (name, y) in enumerate(ys.items()):
        y = [float(v) for v in y]
        figure.add_trace(
            go.Scatter(
                x=list(x),
                y=y,
                mode="lines+markers",
                name=name,
                line=dict(color=palette[i % 4], dash=dashes[i % 4], width=2.5),
                marker=dict(size=6),
            )
        )
    figure.update_xaxes(title=dict(text=x_name, standoff=6))
    figure.update_yaxes(title=y_name, automargin=True)
    dress(figure, width=680, height=370, margin=dict(l=70, r=20, t=72, b=50), title=title)
    figure.update_xaxes(showline=True, linecolor="rgba(128,128,128,0.5)")
    figure.update_yaxes(showgrid=True, gridcolor="rgba(128,128,128,0.25)")
    figure.update_layout(legend=dict(orientation="h", y=1.02, yanchor="bottom", x=0))
    lines = [
        f"{name}: " + ", ".join(f"{a:g} → {number_text(float(b))}" for a, b in zip(x, y, strict=True))
        for name, y in ys.items()
    ]
    return Picture(figure, "\n".join([f"{title or 'curves'} ({y_name} over {x_name}):", *lines]))
