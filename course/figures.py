"""Arrays and labels in, a picture out: plotly figures that read well on light and on dark paper.

Colours mean the same in every lesson, as in the explorers: queries blue, keys vermillion, values green; weights run
from the paper's colour to purple, scores from gold (low) over paper to purple (high), and what is masked is grey.
Every picture carries a text alternative with its numbers, which is also what ``pytest --nbval`` compares.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

QUERY, KEY, VALUE, WEIGHT, MASKED = "#3d84c6", "#c8611a", "#1f9d72", "#5e3c99", "#8a8a8a"
INK = "#767676"  # on the page: 4.5:1 on white and on JupyterLab's dark paper alike
DARK, WHITE = "#262626", "#ffffff"  # inside cells, which are opaque, so that they look the same on any paper
WEIGHTS_SCALE = [[0, "#f7f5fb"], [1, WEIGHT]]
SCORES_SCALE = [[0, "#dca92c"], [0.5, "#f7f5f5"], [1, WEIGHT]]
MASK_SCALE = [[0, "#c4c4c4"], [1, "#f7f5fb"]]
UNSEEN_SCALE = [[0, "#d6d6d6"], [1, "#d6d6d6"]]
STRONG = 0.6  # from this share of the scale on, white reads better than dark
MOST_NUMBERS = 10  # matrices up to this size have their numbers written into the cells
CELL, SMALL_CELL = 46, 22  # pixels
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
        return {"application/vnd.plotly.v1+json": _plain(figure), "text/plain": self.alt}


def attention_heatmap(
    weights,
    query_tokens: Sequence[str],
    key_tokens: Sequence[str] | None = None,
    title: str = "attention weights",
    greyed_rows: Sequence[int] = (),
) -> Picture:
    """Draw weights as a matrix: each row a query, each column a key, darker where more weight lies.

    Args:
        weights: (query, key), array or tensor; each row usually sums to 1. NaN is written into its cell.
        query_tokens: one label a row.
        key_tokens: one label a column; the query's if None.
        title: above the matrix.
        greyed_rows: rows that nobody reads, drawn under a grey veil.

    Raises:
        ValueError: the labels do not fit the matrix.
    """
    picture = panels([(title, weights, "weights")], query_tokens, key_tokens)
    n_columns = len(query_tokens if key_tokens is None else key_tokens)
    for row in greyed_rows:
        edges = dict(x0=-0.5, x1=n_columns - 0.5, y0=row - 0.5, y1=row + 0.5)
        picture.figure.add_shape(type="rect", fillcolor="rgba(128,128,128,0.55)", line_width=0, **edges)
    if greyed_rows:
        picture.alt += "\n  greyed rows: " + ", ".join(f"{row} ({query_tokens[row]})" for row in greyed_rows)
    return picture


def panels(
    matrices: Sequence[tuple[str, Any, str]], query_tokens: Sequence[str], key_tokens: Sequence[str] | None = None
) -> Picture:
    """Draw matrices of the same shape in a row, so that the eye can follow one cell through a computation.

    Args:
        matrices: (title, (query, key) array or tensor, kind) each; kind is "weights" (0 to 1), "scores" (any number;
            −∞ is grey) or "mask" (True = may look, marked "look" by colour and by a dot).
        query_tokens, key_tokens: labels, as in :func:`attention_heatmap`.
    """
    key_tokens = list(query_tokens if key_tokens is None else key_tokens)
    query_tokens = list(query_tokens)
    arrays = [(title, _matrix(matrix, query_tokens, key_tokens), kind) for title, matrix, kind in matrices]
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
            tickvals=list(range(n_columns)), ticktext=_labels(key_tokens), tickangle=-45, row=1, col=column
        )
    figure.update_yaxes(
        tickvals=list(range(n_rows)), ticktext=_labels(query_tokens), range=[n_rows - 0.5, -0.5], autorange=False
    )
    figure.update_yaxes(title=dict(text="query", font=dict(color=QUERY)), row=1, col=1)
    figure.update_xaxes(title=dict(text="key", font=dict(color=KEY), standoff=4), range=[-0.5, n_columns - 0.5])
    figure.update_annotations(font_size=14)
    bottom = 40 + 6 * max(map(len, key_tokens))
    _dress(
        figure,
        width=labels_width + 30 + len(arrays) * (cell * n_columns + 24),
        height=cell * n_rows + 44 + bottom,
        margin=dict(l=labels_width + 24, r=8, t=36, b=bottom),
    )
    figure.update_xaxes(showline=True, linecolor="rgba(128,128,128,0.4)", mirror=True)
    figure.update_yaxes(showline=True, linecolor="rgba(128,128,128,0.4)", mirror=True)
    return Picture(figure, "\n".join(_matrix_alt(t, a, k, query_tokens, key_tokens) for t, a, k in arrays))


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
    array = _matrix(weights, list(query_tokens), key_tokens)
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
    figure.update_yaxes(tickvals=positions, ticktext=_labels(query_tokens), range=[len(positions) - 0.5, -0.5])
    figure.update_xaxes(
        range=[0, max(1.22, float(np.nanmax(sums, initial=1)) + 0.2)],
        title="weight",
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        title_standoff=6,
    )
    left = 24 + 8 * max(map(len, query_tokens))
    _dress(figure, width=680, height=34 * len(positions) + 96, margin=dict(l=left, r=8, t=36, b=50), title=title)
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
    number = str if all(isinstance(v, int) for v in values) else _number  # counts need no decimals
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
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=_labels(labels), range=[len(labels) - 0.5, -0.5])
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.16 * (high - low or 1)
    figure.update_xaxes(
        title=dict(text=unit, standoff=6),
        range=[low - (room if low < 0 else 0), high + room],
        zeroline=True,
        zerolinecolor=INK,
    )
    left = 24 + 7 * max(map(len, labels))
    _dress(
        figure,
        width=min(WIDEST, left + 460),
        height=30 * len(values) + 90,
        margin=dict(l=left, r=20, t=36, b=48),
        title=title,
    )
    body = ", ".join(f"{label} {text}" for label, text in zip(labels, texts, strict=True))
    return Picture(figure, f"{title or 'bars'}{f' ({unit})' if unit else ''}: {body}")


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
    widths = [max(34, 14 + 8 * max(len(str(texts[i])) for _, texts in rows)) for i in range(n)]
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
                text=_escape(str(texts[i])),
                showarrow=False,
                font=dict(size=13, weight=600, color=DARK) if r == 0 else dict(size=12, color=INK),
            )
    figure.update_xaxes(visible=False, range=[0, float(left_edges[-1])])
    figure.update_yaxes(
        tickvals=[-r for r in range(len(rows))], ticktext=[name for name, _ in rows], range=[-len(rows) + 0.4, 0.6]
    )
    left = 20 + 8 * max(len(name) for name, _ in rows)
    _dress(
        figure,
        width=left + float(left_edges[-1]) + 12,
        height=28 * len(rows) + 24 + (30 if title else 0),
        margin=dict(l=left, r=8, t=34 if title else 8, b=8),
        title=title,
    )
    lines = [f"{name}: {' | '.join(map(str, texts))}" for name, texts in rows]
    return Picture(figure, "\n".join(([title] if title else []) + lines))


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
    _dress(figure, width=680, height=370, margin=dict(l=70, r=20, t=72, b=50), title=title)
    figure.update_xaxes(showline=True, linecolor="rgba(128,128,128,0.5)")
    figure.update_yaxes(showgrid=True, gridcolor="rgba(128,128,128,0.25)")
    figure.update_layout(legend=dict(orientation="h", y=1.02, yanchor="bottom", x=0))
    lines = [
        f"{name}: " + ", ".join(f"{a:g} → {_number(float(b))}" for a, b in zip(x, y, strict=True))
        for name, y in ys.items()
    ]
    return Picture(figure, "\n".join([f"{title or 'curves'} ({y_name} over {x_name}):", *lines]))


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


def _matrix_alt(title, array, kind, query_tokens, key_tokens) -> str:
    lines = [f"{title} (rows: queries; columns: {' '.join(key_tokens)})"]
    for token, row in zip(query_tokens, array, strict=True):
        if kind == "mask":
            lines.append(f"  {token}: {' '.join('1' if v else '0' for v in row)}")
        else:
            lines.append(f"  {token}: {' '.join('nan' if np.isnan(v) else f'{v:.2f}' for v in row)}")
    return "\n".join(lines)


def _matrix(matrix, query_tokens, key_tokens) -> np.ndarray:
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


def _dress(figure: go.Figure, width: float, height: float, margin: dict, title: str = "") -> None:
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


def _labels(tokens: Sequence[str]) -> list[str]:
    return [_escape(token) for token in tokens]


def _escape(token: str) -> str:
    return token.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _plain(value):
    """Turn numpy arrays and plotly's base64 arrays into lists, so that every front end and version draws them."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    return value
