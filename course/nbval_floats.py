"""Compare what a notebook stores with what it prints today, with a stated tolerance for floats.

nbval compares texts character by character, so a matrix that differs in the sixth digit between two processors fails.
Here two texts agree when everything but the numbers is the same (runs of blanks count as one) and every pair of
numbers agrees:

* whole numbers exactly;
* numbers with a decimal point or an exponent to one unit in the last digit that is printed, or to 1e-4 of their size;
* numbers both smaller than 1e-5 always: they are what rounding leaves over ("largest difference 3.6e-07").

This module is a pytest plugin too (``-p course.nbval_floats``): it gives this comparison to nbval, and lets the
plain text of an output speak for its richer forms (HTML, plotly), which carry the same content.

A test in ``tests/test_nbval_floats.py`` shows what is let through and what is not.
"""

from __future__ import annotations

import re
from decimal import Decimal

RELATIVE_TOLERANCE = 1e-4
NOISE = 1e-5
# Richer forms of an output whose text/plain says the same; pictures are skipped by nbval itself.
SPOKEN_FOR = ("text/html", "application/vnd.plotly.v1+json", "image/svg+xml")

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d*)?(?:[eE][-+]?\d+)?")
_BLANKS = re.compile(r"[ \t]+")


def same_text(stored: str, fresh: str) -> bool:
    """Say whether two outputs agree, numbers within the tolerance that this module states.

    Example:
        >>> same_text("largest difference 2.1e-07", "largest difference 3.9e-07")
        True
        >>> same_text("0.61 0.39", "0.62 0.39")
        True
        >>> same_text("0.61 0.39", "0.70 0.30"), same_text("6 layers", "7 layers")
        (False, False)
    """
    if stored == fresh:
        return True
    if _without_numbers(stored) != _without_numbers(fresh):
        return False
    pairs = zip(_NUMBER.findall(stored), _NUMBER.findall(fresh), strict=True)
    return all(_same_number(*pair) for pair in pairs)


def _without_numbers(text: str) -> str:
    # Torch pads a matrix by the width of its entries, so a lost minus sign moves blanks; they say nothing.
    lines = _NUMBER.sub("0", text).strip().splitlines()
    return "\n".join(_BLANKS.sub(" ", line).replace("[ ", "[").strip() for line in lines)


def _same_number(stored: str, fresh: str) -> bool:
    stored, fresh = stored.replace(",", ""), fresh.replace(",", "")
    if stored == fresh:
        return True
    if not any(mark in stored + fresh for mark in ".eE"):
        return int(stored) == int(fresh)
    a, b = Decimal(stored), Decimal(fresh)
    if abs(a) < NOISE and abs(b) < NOISE:
        return True
    last_digit = max(Decimal(1).scaleb(_exponent(a)), Decimal(1).scaleb(_exponent(b)))
    return abs(a - b) <= max(last_digit, Decimal(RELATIVE_TOLERANCE) * max(abs(a), abs(b)))


def _exponent(number: Decimal) -> int:
    return number.as_tuple().exponent


# ------------------------------------------------------------------------------------------------- the pytest plugin


def pytest_itemcollected(item):
    """Give the tolerant comparison to every cell that nbval collects."""
    from nbval.plugin import IPyNbCell

    if isinstance(item, IPyNbCell):
        strict = item.compare_outputs
        item.compare_outputs = lambda test, ref, skip_compare=None: strict(
            _agreeing(test, ref, item.sanitize), ref, (skip_compare or item.parent.skip_compare) + SPOKEN_FOR
        )


def _agreeing(test, ref, sanitize):
    """Copy the stored text into each fresh output that agrees with it, so that nbval sees no difference there."""
    fresh_outputs = [dict(output) for output in test]
    for fresh, stored in zip(fresh_outputs, ref, strict=False):
        if fresh.get("output_type") != stored.get("output_type"):
            continue
        if "text" in fresh and fresh.get("name") == stored.get("name"):
            fresh["text"] = _pick(stored["text"], fresh["text"], sanitize)
        if "data" in fresh and "data" in stored:
            fresh["data"] = {
                kind: _pick(stored["data"][kind], value, sanitize)
                if isinstance(value, str) and isinstance(stored["data"].get(kind), str)
                else value
                for kind, value in fresh["data"].items()
            }
    return [_as_node(output) for output in fresh_outputs]


def _pick(stored: str, fresh: str, sanitize) -> str:
    return stored if same_text(sanitize(stored), sanitize(fresh)) else fresh


def _as_node(output: dict):
    from nbformat import from_dict

    return from_dict(output)
