"""A pytest plugin (``-p course.nbval_report``): write what each notebook cell gave into the JUnit report.

nbval says only how an output differs from the stored one; whoever reads the report can so tell a learner what the check
said, in its own words.
"""

from __future__ import annotations

import pytest

OUTPUT, ERROR = "output", "error"  # names of the properties


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Note the last result of a cell, in plain text, and the error that it raised."""
    if call.when == "call":
        for output in getattr(item, "test_outputs", None) or []:
            if output.output_type == "execute_result":
                item.user_properties.append((OUTPUT, output.data.get("text/plain", "")))
            elif output.output_type == "error":
                item.user_properties.append((ERROR, f"{output.ename}: {output.evalue}"))
    return (yield)
