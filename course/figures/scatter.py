"""Points and arrows in a plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from course.figures.picture import INK, KEY, MASKED, QUERY, VALUE, Picture, dress, escape

PURPLE = "#8e6cc9"  # lighter than that of weights, which is lost on dark paper
COLOURS = (QUERY, KEY, VALUE, PURPLE, MASKED)
COLOUR_OF_ROLE = {"query": QUERY, "key": KEY, "value": VALUE, "mixture": PURPLE}  # as in the explorers
SHAPES = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross")  # 7 beside 5: 35 pairs before one repeats
AREA_WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 600, 240, 440  # pixels
LETTER, LINE, MARKER = 7, 15, 10  # pixels: the width of a letter, the height of a line, the size of a marker


def points(
    xy,
    labels: Sequence[str],
    groups: Sequence[str] | None = None,
    title: str = "",
    axis_titles: tuple[str, str] = ("", ""),
    arrows: bool = False,
) -> Picture:
    """Draw labelled points in a plane; each group has a colour and a shape of its own.

    Both axes have the same scale, so that distances and angles are those of the numbers. Labels stand beside their
    points, where there is most room.

    Args:
        xy: (n, 2), array or tensor.
        labels: one a point; an empty text leaves the point without.
        groups: one name a point, in the legend in the order in which they come; None puts all into one group. Groups
            called "query", "key", "value" or "mixture" have colours of their own, as everywhere in the course.
        title: above the plane.
        axis_titles: what x and y are; if one alone is empty, that axis bears no numbers.
        arrows: draw an arrow from the origin to each point, which is how vectors are drawn.

    Raises:
        ValueError: ``xy`` is not (n, 2) or holds NaN or infinity, or labels or groups are not as many.
    """
    xy = _plane(xy, labels, groups)
    names = list(dict.fromkeys(groups)) if groups is not None else [""]
    members = [[i for i in range(len(xy)) if groups is None or groups[i] == name] for name in names]
    group_of = {i: g for g, chosen in enumerate(members) for i in chosen}
    colours = [COLOUR_OF_ROLE.get(name, COLOURS[g % len(COLOURS)]) for g, name in enumerate(names)]
    low, high, height = _ranges(np.vstack([xy, np.zeros((1, 2))]) if arrows else xy)
    pixels = (xy - low) * AREA_WIDTH / (high[0] - low[0])  # from the lower left corner of the area
    origin = -low * AREA_WIDTH / (high[0] - low[0])
    figure = go.Figure(
        [
            go.Scatter(
                x=xy[chosen, 0].tolist(),
                y=xy[chosen, 1].tolist(),
                mode="markers",
                name=escape(str(name)),
                showlegend=groups is not None,
                marker=dict(size=MARKER, color=colours[g], symbol=SHAPES[g % len(SHAPES)]),
                text=[escape(str(labels[i])) for i in chosen],
                hovertemplate="%{text} (%{x:.2f}, %{y:.2f})<extra></extra>",
            )
            for g, (name, chosen) in enumerate(zip(names, members, strict=True))
        ]
    )
    notes = _label_notes(xy, pixels, labels, _stems(pixels, origin) if arrows else np.zeros((0, 4)), height)
    if arrows:
        notes += [_arrow(point, colours[group_of[i]]) for i, point in enumerate(xy.tolist())]
    figure.update_layout(annotations=notes)
    has_titles, top = any(axis_titles), 12 + (28 if title else 0) + (26 if groups is not None else 0)
    margin = dict(l=64 if has_titles else 48, r=16, t=top, b=48 if has_titles else 32)
    size = dict(width=AREA_WIDTH + margin["l"] + margin["r"], height=height + margin["t"] + margin["b"])
    dress(figure, **size, margin=margin, title=title)
    zero = dict(zeroline=True, zerolinecolor="rgba(128,128,128,0.6)", zerolinewidth=1)
    grid = dict(showgrid=True, gridcolor="rgba(128,128,128,0.2)")
    frame = dict(showline=True, linecolor="rgba(128,128,128,0.5)", mirror=True)
    for update, k in ((figure.update_xaxes, 0), (figure.update_yaxes, 1)):
        title_of_axis = dict(text=escape(axis_titles[k]), standoff=6)
        ticks = not has_titles or bool(axis_titles[k])  # beside a named axis, one without a name means nothing
        span = [float(low[k]), float(high[k])]
        update(range=span, title=title_of_axis, showticklabels=ticks, **zero, **grid, **frame)
    figure.update_yaxes(scaleanchor="x")
    figure.update_layout(legend=dict(orientation="h", x=0, y=1 + 4 / height, yanchor="bottom", itemclick=False))
    return Picture(figure, _alt(xy, labels, names, members, title, axis_titles))


# ----------------------------------------------------------------------------------------------------------------------


def _plane(xy, labels, groups) -> np.ndarray:
    if hasattr(xy, "detach"):
        xy = xy.detach().cpu()
    array = np.asarray(xy, dtype=float)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) == 0:
        raise ValueError(f"points need two coordinates each, so an array (n, 2), got {array.shape}.")
    for kind, given in (("label", labels), ("group", groups)):
        if given is not None and len(given) != len(array):
            raise ValueError(f"{len(array)} points need {len(array)} {kind}s, got {len(given)}.")
    if not np.isfinite(array).all():
        raise ValueError("a point that is NaN or infinite has no place in a plane.")
    return array


def _ranges(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the lower left and upper right corner of the area in data units, and its height in pixels."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    span = np.maximum(high - low, 1e-9 * max(1.0, np.abs(corners).max()))
    inner = np.array([AREA_WIDTH - 120, 0])  # room for labels at the sides
    height = int(np.clip(inner[0] * span[1] / span[0] + 60, LEAST_HEIGHT, MOST_HEIGHT))
    inner[1] = height - 60
    scale = (span / inner).max() if span.max() > 1e-9 else 1 / inner[1]  # data units a pixel, the same on both axes
    centre, half = (low + high) / 2, np.array([AREA_WIDTH, height]) * scale / 2
    return centre - half, centre + half, height


def _stems(pixels: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Cover the arrows with small boxes (left, bottom, right, top), which labels then avoid."""
    along = [origin + (tip - origin) * t for tip in pixels for t in np.linspace(0.1, 0.95, 16)]
    return np.array([[x - 3, y - 3, x + 3, y + 3] for x, y in along])


def _label_notes(xy, pixels, labels, obstacles, height) -> list[dict]:
    """Place each label where it covers least: beside its point, or a little further out with a thin line."""
    shown = [i for i, label in enumerate(labels) if str(label)]
    half = MARKER / 2 + 1
    markers = np.concatenate([pixels - half, pixels + half], axis=1)
    obstacles = np.concatenate([markers, obstacles])
    sides = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
    offers = [(dx, dy, gap) for gap in (8, 20) for dx, dy in sides]
    boxes = np.array([[_box(pixels[i], str(labels[i]), *offer) for offer in offers] for i in shown])
    chosen = [0] * len(shown)
    for _ in range(3):  # each label in turn moves to its best place, given the others
        for k in range(len(shown)):
            others = np.array([boxes[j, chosen[j]] for j in range(len(shown)) if j != k]).reshape(-1, 4)
            cost = [
                2 * _overlap(box, others)
                + _overlap(box, obstacles)
                + 30 * max(0, -box[0], -box[1], box[2] - AREA_WIDTH, box[3] - height)
                + 1.5 * rank
                for rank, box in enumerate(boxes[k])
            ]
            chosen[k] = int(np.argmin(cost))
    notes = []
    for k, i in enumerate(shown):
        box, far = boxes[k, chosen[k]], offers[chosen[k]][2] > 8
        shift = (box[:2] + box[2:]) / 2 - pixels[i]
        note = dict(x=float(xy[i, 0]), y=float(xy[i, 1]), text=escape(str(labels[i])), font=dict(size=12, color=INK))
        if far:
            thin = dict(showarrow=True, arrowhead=0, arrowwidth=0.8, arrowcolor=INK, standoff=half)
            notes.append(note | thin | dict(ax=float(shift[0]), ay=-float(shift[1])))
        else:
            notes.append(note | dict(showarrow=False, xshift=float(shift[0]), yshift=float(shift[1])))
    return notes


def _box(point, label, dx, dy, gap) -> list[float]:
    width, diagonal = LETTER * len(label), 0.75 if dx and dy else 1
    x = point[0] + dx * (gap * diagonal + width / 2)
    y = point[1] + dy * (gap * diagonal + LINE / 2)
    return [x - width / 2, y - LINE / 2, x + width / 2, y + LINE / 2]


def _overlap(box, others) -> float:
    """Return the area in square pixels that a box shares with others."""
    if not len(others):
        return 0.0
    wide = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    tall = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return float((np.clip(wide, 0, None) * np.clip(tall, 0, None)).sum())


def _arrow(point, colour) -> dict:
    place = dict(x=point[0], y=point[1], ax=0, ay=0, xref="x", yref="y", axref="x", ayref="y")
    return place | dict(text="", showarrow=True, arrowhead=2, arrowwidth=2, arrowcolor=colour, standoff=MARKER / 2)


def _alt(xy, labels, names, members, title, axis_titles) -> str:
    named = [f"{way}: {name}" for way, name in zip(("across", "up"), axis_titles, strict=True) if name]
    across = f" ({'; '.join(named)})" if named else ""
    lines = [f"{title or 'points'}{across}:"]
    rounded = np.round(xy, 2) + 0.0  # no -0.00
    for name, chosen in zip(names, members, strict=True):
        said = ", ".join(f"{labels[i] or '·'} ({rounded[i, 0]:.2f}, {rounded[i, 1]:.2f})" for i in chosen)
        lines.append(f"{name}: {said}" if str(name) else said)
    return "\n".join(lines)
