"""What the tolerant comparison lets through, and above all what it does not."""

import doctest

import pytest

from course import nbval_floats
from course.nbval_floats import same_text

pytest_plugins = ["pytester"]


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(nbval_floats).failed == 0


@pytest.mark.parametrize(
    "stored, fresh",
    [
        ("weights 0.61 0.39", "weights 0.62 0.39"),  # one unit in the last digit printed
        ("3.4028e+38", "3.4029e+38"),
        ("largest difference 3e-06", "largest difference 1e-07"),  # both are rounding noise
        ("tensor([[ 0.1000, -0.0000]])", "tensor([[0.1000, 0.0000]])"),  # torch's padding moves with a sign
        ("123456.0", "123457.0"),  # 1e-4 of the size
        ("a  b\n", "a b"),
        ("[CLS] the cat", "[CLS] the cat"),
    ],
)
def test_what_rounding_does_is_let_through(stored, fresh):
    assert same_text(stored, fresh)


@pytest.mark.parametrize(
    "stored, fresh",
    [
        ("weights 0.61 0.39", "weights 0.64 0.36"),
        ("6 layers", "7 layers"),  # whole numbers are exact
        ("1,996", "1,997"),
        ("0.50 0.50", "0.50 0.50 0.00"),
        ("0.5", "nan"),
        ("cat 0.5", "dog 0.5"),
        ("-0.5", "0.5"),
        ("difference 3e-06", "difference 3e-03"),
        ("04.2 causal mask: passed, 2 of 2 points", "04.2 causal mask: not yet, 0 of 2 points"),
        ("[101, 1996, 4937, 2938, 102]", "[101, 1996, 4937, 3323, 102]"),
        ("minilm2", "minilm3"),
        ("a\nb", "a b"),
        ("[0.1, 0.2]", "[0.1 0.2]"),
    ],
)
def test_what_is_different_stays_different(stored, fresh):
    assert not same_text(stored, fresh)


NOTEBOOK = """{{"cells": [{{"cell_type": "code", "execution_count": 1, "id": "a", "metadata": {{}},
 "outputs": [{{"name": "stdout", "output_type": "stream", "text": ["{stored}\\n"]}}], "source": ["print('{printed}')"]}}],
 "metadata": {{"kernelspec": {{"display_name": "P", "language": "python", "name": "python3"}}}}, "nbformat": 4, "nbformat_minor": 5}}"""


@pytest.mark.parametrize(
    "stored, printed, passed", [("0.61", "0.62", 1), ("0.61", "0.71", 0), ("6 heads", "7 heads", 0)]
)
def test_the_plugin_gives_this_comparison_to_nbval(pytester, stored, printed, passed):
    pytester.makefile(".ipynb", lesson=NOTEBOOK.format(stored=stored, printed=printed))
    result = pytester.runpytest_subprocess("--nbval", "-p", "course.nbval_floats", "lesson.ipynb")
    result.assert_outcomes(passed=passed, failed=1 - passed)
