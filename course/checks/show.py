"""Say a value in few words, and show two results beside each other."""

from __future__ import annotations

import html
import math
from typing import Any

from torch import Tensor

_MOST_SHOWN = 24


def show(value: Any) -> str:
    """Write a value the way a person would: small tensors in full, large ones by their shape.

    Example:
        >>> import torch
        >>> show(torch.eye(2)), show(torch.zeros(3, 4, 5)), show("cat"), show(0.5)
        ('[[1, 0], [0, 1]]', 'tensor (3, 4, 5)', "'cat'", '0.5')
    """
    if isinstance(value, Tensor):
        if value.numel() > _MOST_SHOWN:
            return f"tensor {tuple(value.shape)}"
        return _nested(value.tolist())
    if isinstance(value, (list, tuple, dict, bool, int, float)):
        return _shorten(_nested(value))
    return _shorten(repr(value))


def side_by_side(expected: Any, got: Any, tolerance: float) -> str:
    """Draw two results as small tables of HTML, cells that differ marked by a frame and a sign."""
    if not isinstance(expected, Tensor) or not isinstance(got, Tensor):
        return _two_columns(_code(show(expected)), _code(show(got)))
    matrices = [_as_matrix(t) for t in (expected, got)]
    if any(m is None for m in matrices):
        return _two_columns(_code(show(expected)), _code(show(got)))
    wrong = None
    if matrices[0].shape == matrices[1].shape:
        e, g = (m.double() for m in matrices)
        wrong = ~((e == g) | ((e - g).abs() <= tolerance) | (e.isnan() & g.isnan()))
    return _two_columns(_table(matrices[0], None), _table(matrices[1], wrong))


def _as_matrix(tensor: Tensor) -> Tensor | None:
    while tensor.ndim > 2:
        tensor = tensor.flatten(0, 1)  # the rows of every matrix, below one another
    if tensor.ndim == 1:
        tensor = tensor[None]
    if tensor.ndim != 2 or tensor.shape[0] > 12 or tensor.shape[1] > 12 or tensor.numel() == 0:
        return None
    return tensor.detach()


def _table(matrix: Tensor, wrong: Tensor | None) -> str:
    rows = []
    for i, row in enumerate(matrix.tolist()):
        cells = []
        for j, value in enumerate(row):
            is_wrong = wrong is not None and bool(wrong[i, j])
            border = "2px solid #c8611a" if is_wrong else "1px solid rgba(128,128,128,.45)"
            strength = _strength(value)
            style = f"border:{border};padding:2px 6px;text-align:right;background:rgba(0,103,163,{strength:.2f})"
            mark = "≠ " if is_wrong else ""
            cells.append(f'<td style="{style}">{mark}{html.escape(_scalar(value))}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table style="border-collapse:collapse;font-size:12px;margin:0">{"".join(rows)}</table>'


def _strength(value: Any) -> float:
    if isinstance(value, bool):
        return 0.35 if value else 0.0
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return 0.0
    return min(0.35, 0.35 * abs(value))


def _two_columns(left: str, right: str) -> str:
    column = '<div style="min-width:0"><div style="opacity:.8;margin:0 0 4px">{title}</div>{body}</div>'
    both = column.format(title="expected", body=left) + column.format(title="yours", body=right)
    return f'<div style="display:flex;flex-wrap:wrap;gap:24px;margin:8px 0">{both}</div>'


def _code(text: str) -> str:
    return f"<code>{html.escape(text)}</code>"


def _nested(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_nested(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_nested(v)}" for key, v in value.items()) + "}"
    if isinstance(value, Tensor):
        return show(value)
    return _scalar(value) if isinstance(value, (bool, int, float)) else repr(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else str(value).replace("inf", "∞")
    return str(value)


def _shorten(text: str, most: int = 160) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
