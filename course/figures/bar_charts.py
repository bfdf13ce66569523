"""Bars: one a label, or one a row of weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from course.figures.matrices import matrix_of
from course.figures.picture import (
    DARK,
    INK,
    MASKED,
    QUERY,
    WEIGHT,
    WHITE,
    WIDEST,
    Picture,
    dress,
    labels_of,
    number_text,
)


def row_bars(
    weights,
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    title: str = "",
    missing: str = "missing",
) -> Picture:
    """Draw each row of weights as one bar made of its parts, against the line where a whole row would end.

    Args:
        weights: (query, key); a row that does not sum to 1 is seen at once.
        query_tokens, key_tokens, title: as in :func:`attention_heatmap`.
        missing: what is written into the hatched part between the end of a row and 1.
    """
    key_tokens = list(query_tokens if key_tokens is None else key_tokens)
    array = matrix_of(weights, list(query_tokens), key_tokens)
    figure = go.Figure()
    positions = list(range(len(query_tokens)))
    for j, token in enumerate(key_tokens):
        figure.add_trace(
            go.Bar(
                y=positions,
                x=array[:, j],
                orientation="h",
                name=token,
                showlegend=False,
                marker=dict(color=(WEIGHT, "#d9cfeb")[j % 2], line=dict(color=WHITE, width=1)),
                text=[token if w > 0.08 else "" for w in array[:, j]],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont=dict(color=(WHITE, DARK)[j % 2], size=11),
                hovertemplate=f"{token}: %{{x:.3f}}<extra></extra>",
            )
        )
    sums = array.sum(axis=1)
    gaps = np.clip(1 - sums, 0, None)
    if (gaps > 0.005).any():
        figure.add_trace(
            go.Bar(
                y=positions,
                x=gaps,
                orientation="h",
                showlegend=False,
                hoverinfo="skip",
                marker=dict(
                    color="rgba(0,0,0,0)",
                    line=dict(color=MASKED, width=1),
                    pattern=dict(shape="/", fgcolor="rgba(138,138,138,0.3)", size=8),
                ),
                text=[missing if gap > 0.12 else "" for gap in gaps],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont=dict(color=INK, size=12),
            )
        )
    figure.add_vline(x=1, line=dict(color=INK, dash="dot", width=1.5))
    for i, total in enumerate(sums):
        figure.add_annotation(
            x=max(1.0, total if np.isfinite(total) else 1.0),
            y=i,
            text=f"sum {total:.2f}",
            showarrow=False,
            xanchor="left",
            xshift=8,
        )
    figure.update_layout(barmode="stack", bargap=0.25)
    figure.update_yaxes(tickvals=positions, ticktext=labels_of(query_tokens), range=[len(positions) - 0.5, -0.5])
    figure.update_xaxes(
        range=[0, max(1.22, float(np.nanmax(sums, initial=1)) + 0.2)],
        title="weight",
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        title_standoff=6,
    )
    left = 24 + 8 * max(map(len, query_tokens))
    dress(figure, width=680, height=34 * len(positions) + 96, margin=dict(l=left, r=8, t=36, b=50), title=title)
    lines = [
        f"{q}: sum {t:.2f} = " + " + ".join(f"{k} {w:.2f}" for k, w in zip(key_tokens, row, strict=True) if w >= 0.005)
        for q, t, row in zip(query_tokens, sums, array, strict=True)
    ]
    return Picture(figure, "\n".join([f"{title or 'rows of weights'}:", *lines]))


def bars(
    labels: Sequence[str], values: Sequence[float], title: str = "", unit: str = "", colour: str = QUERY
) -> Picture:
    """Draw one horizontal bar a label, its number written at its end.

    Args:
        labels: (n,), values: (n,), floats.
        unit: written on the axis, e.g. "cosine similarity".
    """
    number = str if all(isinstance(v, int) for v in values) else number_text  # counts need no decimals
    texts = [number(v) for v in values]
    values = [float(v) for v in values]
    figure = go.Figure(
        go.Bar(
            y=list(range(len(values))),
            x=values,
            orientation="h",
            marker=dict(color=colour, opacity=0.85),
            text=[text.replace("-", "−") for text in texts],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels_of(labels), range=[len(labels) - 0.5, -0.5])
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.16 * (high - low or 1)
    figure.update_xaxes(
        title=dict(text=unit, standoff=6),
        range=[low - (room if low < 0 else 0), high + room],
        zeroline=True,
        zerolinecolor=INK,
    )
    left = 24 + 7 * max(map(len, labels))
    dress(
        figure,
        width=min(WIDEST, left + 460),
        height=30 * len(values) + 90,
        margin=dict(l=left, r=20, t=36, b=48),
        title=title,
    )
    body = ", ".join(f"{label} {text}" for label, text in zip(labels, texts, strict=True))
    return Picture(figure, f"{title or 'bars'}{f' ({unit})' if unit else ''}: {body}")
