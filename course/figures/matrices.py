"""Matrices of weights, scores and masks: rows are queries, columns keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from course.figures.picture import DARK, INK, KEY, QUERY, WEIGHT, WHITE, WIDEST, Picture, dress, labels_of

WEIGHTS_SCALE = [[0, "#f7f5fb"], [1, WEIGHT]]
SCORES_SCALE = [[0, "#dca92c"], [0.5, "#f7f5f5"], [1, WEIGHT]]
MASK_SCALE = [[0, "#c4c4c4"], [1, "#f7f5fb"]]
UNSEEN_SCALE = [[0, "#d6d6d6"], [1, "#d6d6d6"]]
STRONG = 0.6  # from this share of the scale on, white reads better than dark
MOST_NUMBERS = 10  # matrices up to this size have their numbers written into the cells
CELL, SMALL_CELL = 46, 22  # pixels
USUAL_AXES = ("query", "key")


def attention_heatmap(
    weights,
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    title: str = "attention weights",
    greyed_rows: Sequence[int] = (),
    axis_titles: tuple[str, str] = USUAL_AXES,
) -> Picture:
    """Draw weights as a matrix: each row a query, each column a key, darker where more weight lies.

    Args:
        weights: (query, key), array or tensor; each row usually sums to 1. NaN is written into its cell.
        query_tokens: one label a row.
        key_tokens: one label a column; the query's if None.
        title: above the matrix.
        greyed_rows: rows that nobody reads, drawn under a grey veil.
        axis_titles: what a row is and what a column is, where they are not a query and a key.

    Raises:
        ValueError: the labels do not fit the matrix.
    """
    picture = panels([(title, weights, "weights")], query_tokens, key_tokens, axis_titles)
    n_columns = len(query_tokens if key_tokens is None else key_tokens)
    for row in greyed_rows:
        edges = dict(x0=-0.5, x1=n_columns - 0.5, y0=row - 0.5, y1=row + 0.5)
        picture.figure.add_shape(type="rect", fillcolor="rgba(128,128,128,0.55)", line_width=0, **edges)
    if greyed_rows:
        picture.alt += "\n  greyed rows: " + ", ".join(f"{row} ({query_tokens[row]})" for row in greyed_rows)
    return picture


def panels(
    matrices: Sequence[tuple[str, Any, str]],
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    axis_titles: tuple[str, str] = USUAL_AXES,
) -> Picture:
    """Draw matrices of the same shape in a row, so that the eye can follow one cell through a computation.

    Args:
        matrices: (title, (query, key) array or tensor, kind) each; kind is "weights" (0 to 1), "scores" (any number;
            −∞ is grey) or "mask" (True = may look, marked "look" by colour and by a dot).
        query_tokens, key_tokens, axis_titles: labels, as in :func:`attention_heatmap`.
    """
    key_tokens = list(query_tokens if key_tokens is None else key_tokens)
    query_tokens = list(query_tokens)
    arrays = [(title, matrix_of(matrix, query_tokens, key_tokens), kind) for title, matrix, kind in matrices]
    n_rows, n_columns = len(query_tokens), len(key_tokens)
    cell = CELL if max(n_rows, n_columns) <= MOST_NUMBERS else SMALL_CELL
    labels_width = 12 + 8 * max(map(len, query_tokens))
    cell = max(10, min(cell, int((WIDEST - labels_width - 30 - 24 * len(arrays)) / len(arrays) / n_columns)))
    # The same token may stand twice, so positions are the axis and tokens only its labels. The panels share the
    # queries' labels on the left.
    figure = make_subplots(
        1,
        len(arrays),
        subplot_titles=[title for title, _, _ in arrays],
        shared_yaxes=True,
        horizontal_spacing=24 / (len(arrays) * cell * n_columns + 24 * len(arrays)),
    )
    limit = max((np.abs(a[np.isfinite(a)]).max(initial=0) for _, a, kind in arrays if kind == "scores"), default=1) or 1
    for column, (_, array, kind) in enumerate(arrays, start=1):
        for trace in _matrix_traces(array, kind, limit, cell):
            figure.add_trace(trace, row=1, col=column)
        figure.update_xaxes(
            tickvals=list(range(n_columns)), ticktext=labels_of(key_tokens), tickangle=-45, row=1, col=column
        )
    figure.update_yaxes(
        tickvals=list(range(n_rows)), ticktext=labels_of(query_tokens), range=[n_rows - 0.5, -0.5], autorange=False
    )
    inks = [{"query": QUERY, "key": KEY}.get(name, INK) for name in axis_titles]
    row_title = dict(text=axis_titles[0], font=dict(color=inks[0]), standoff=10)  # clear of the longest label
    figure.update_yaxes(title=row_title, row=1, col=1)
    column_title = dict(text=axis_titles[1], font=dict(color=inks[1]), standoff=4)
    figure.update_xaxes(title=column_title, range=[-0.5, n_columns - 0.5])
    figure.update_annotations(font_size=14)
    bottom = 40 + 6 * max(map(len, key_tokens))
    dress(
        figure,
        width=labels_width + 30 + len(arrays) * (cell * n_columns + 24),
        height=cell * n_rows + 44 + bottom,
        margin=dict(l=labels_width + 24, r=8, t=36, b=bottom),
    )
    figure.update_xaxes(showline=True, linecolor="rgba(128,128,128,0.4)", mirror=True)
    figure.update_yaxes(showline=True, linecolor="rgba(128,128,128,0.4)", mirror=True)
    return Picture(figure, "\n".join(_matrix_alt(t, a, k, query_tokens, key_tokens, axis_titles) for t, a, k in arrays))


def matrix_of(matrix, query_tokens, key_tokens) -> np.ndarray:
    """Make an array of a tensor or array that has one row a query token and one column a key token."""
    if hasattr(matrix, "detach"):
        matrix = matrix.detach().cpu()
    array = np.asarray(matrix, dtype=float)
    if array.shape != (len(query_tokens), len(key_tokens)):
        raise ValueError(
            f"a matrix needs one row a query token and one column a key token, "
            f"so ({len(query_tokens)}, {len(key_tokens)}), "
            f"got {array.shape}."
        )
    return array


# ----------------------------------------------------------------------------------------------------------------------


def _matrix_traces(array, kind, limit, cell) -> list:
    """Draw one matrix: a layer of colour, a grey layer where there is no number, and the numbers in two inks."""
    finite = np.isfinite(array)
    scale, low, high = {
        "weights": (WEIGHTS_SCALE, 0, 1),
        "scores": (SCORES_SCALE, -limit, limit),
        "mask": (MASK_SCALE, 0, 1),
    }[kind]
    traces = [
        go.Heatmap(
            z=[
                [round(float(v), 3) if here else None for v, here in zip(*rows, strict=True)]
                for rows in zip(values, there, strict=True)
            ],
            colorscale=colours,
            zmin=low,
            zmax=high,
            showscale=False,
            xgap=1,
            ygap=1,
            hoverongaps=False,
            hoverinfo="skip" if cell >= 24 else "z",
        )
        for values, there, colours in [(array, finite, scale), (np.zeros_like(array), ~finite, UNSEEN_SCALE)]
        if there.any()
    ]
    if cell >= 24:
        strong = finite & (np.where(finite, array, 0) > STRONG * high) & (kind != "mask")
        for there, ink in [(strong, WHITE), (~strong, DARK)]:
            rows, columns = np.nonzero(there)
            traces.append(
                go.Scatter(
                    x=columns.tolist(),
                    y=rows.tolist(),
                    mode="text",
                    showlegend=False,
                    hoverinfo="skip",
                    text=[_cell_text(array[i, j], kind) for i, j in zip(rows, columns, strict=True)],
                    textfont=dict(size=12 if cell >= 34 else 10, color=ink),
                )
            )
    return traces


def _cell_text(value: float, kind: str) -> str:
    if kind == "mask":
        return "●" if value else "✕"
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "−∞" if value < 0 else "∞"
    if kind == "weights":
        return "0" if value == 0 else f"{value:.2f}"
    return f"{value:.1f}".replace("-", "−")


def _matrix_alt(title, array, kind, query_tokens, key_tokens, axis_titles) -> str:
    rows = "queries" if axis_titles[0] == USUAL_AXES[0] else axis_titles[0]
    named = f"rows: {rows}; " if rows else ""
    lines = [f"{title} ({named}columns: {' '.join(key_tokens)})"]
    for token, row in zip(query_tokens, array, strict=True):
        if kind == "mask":
            lines.append(f"  {token}: {' '.join('1' if v else '0' for v in row)}")
        else:
            lines.append(f"  {token}: {' '.join('nan' if np.isnan(v) else f'{v:.2f}' for v in row)}")
    return "\n".join(lines)
