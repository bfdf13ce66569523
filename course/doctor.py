"""What ``course doctor`` looks at: each finding says what was seen and, where something is wrong, how to mend it."""

import json
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from course import chromium, sources

EXTENSIONS = {  # what JupyterLab needs to show widgets and plots, and the package that brings it
    "@jupyter-widgets/jupyterlab-manager": "jupyterlab-widgets",
    "anywidget": "anywidget",
    "jupyterlab-plotly": "plotly",
}
REINSTALL = "Run `python3 start.py` again."


class Finding(NamedTuple):
    """One thing looked at."""

    what: str
    seen: str
    is_well: bool
    mend: str = ""
    is_needed: bool = True  # False: the lessons work without it


def examine() -> list[Finding]:
    """Look at everything that the lessons need, and at what they can do without."""
    return [python(), *packages(), *extensions(), *data(), disk(), browser()]


def python(version: tuple = sys.version_info) -> Finding:
    """See whether this Python is one that the course accepts."""
    is_well = (3, 11) <= tuple(version[:2]) <= (3, 13)
    return Finding("Python", ".".join(map(str, version[:3])), is_well, "Use Python 3.11, 3.12 or 3.13.")


def packages(requirements: list[str] | None = None) -> list[Finding]:
    """Hold every required package against its range; one finding for all that are well, one for each that is not."""
    from packaging.requirements import Requirement

    if requirements is None:
        try:
            requirements = metadata.requires("attention-course") or []
        except metadata.PackageNotFoundError:
            return [Finding("packages", "the course itself is not installed", False, REINSTALL)]
    wanted = [Requirement(text) for text in requirements]
    wanted = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    bad = []
    for each in wanted:
        try:
            version = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            version = None
        if version is None or not each.specifier.contains(version, prereleases=True):
            seen = "not installed" if version is None else f"{version}, wanted {each.specifier}"
            bad.append(Finding(each.name, seen, False, f'Run `pip install "{each.name}{each.specifier}"`.'))
    well = len(wanted) - len(bad)
    return [Finding("packages", f"{well} of {len(wanted)} in their ranges", not bad, "See the next lines."), *bad]


def extensions(folders: list[str] | None = None) -> list[Finding]:
    """See whether JupyterLab finds the extensions that draw widgets and plots, and has none of them switched off."""
    if folders is None:
        from jupyter_core.paths import jupyter_path

        folders = jupyter_path("labextensions")
    disabled = _disabled_extensions()
    findings = []
    for name, package in EXTENSIONS.items():
        is_there = any(Path(folder, name, "package.json").is_file() for folder in folders)
        seen = "missing" if not is_there else "switched off" if name in disabled else "found"
        command = f"jupyter labextension enable {name}" if is_there else f"pip install --force-reinstall {package}"
        findings.append(Finding(f"extension {name}", seen, seen == "found", f"Run `{command}`."))
    return findings


def _disabled_extensions() -> set[str]:
    """Read which extensions the person or the administrator has switched off."""
    from jupyter_core.paths import jupyter_config_path

    disabled = set()
    for folder in reversed(jupyter_config_path()):  # the earlier folders have the last word
        try:
            settings = json.loads(Path(folder, "labconfig", "page_config.json").read_text(encoding="utf-8"))
            for name, is_off in dict(settings.get("disabledExtensions", {})).items():
                (disabled.add if is_off else disabled.discard)(name)
        except (OSError, ValueError, TypeError):
            continue
    return disabled


def data() -> list[Finding]:
    """Verify the models and the texts, byte by byte."""
    findings = []
    for source in sources.SOURCES.values():
        problem = sources.problem(source.name)
        seen = "verified" if problem is None else "damaged" if sources.find(source.name) else "missing"
        mend = f"Run `course models {'--repair' if seen == 'damaged' else '--get'}`."
        findings.append(Finding(f"{source.kind} {source.name}", seen, problem is None, mend))
    return findings


def disk(needed_gigabytes: float = 0.5) -> Finding:
    """See whether there is room for what the lessons keep: the converted model and the learner's own work."""
    free = shutil.disk_usage(Path.home()).free / 1e9
    mend = f"Free {needed_gigabytes:.1f} GB in {Path.home()}."
    return Finding("disk", f"{free:.1f} GB free", free >= needed_gigabytes, mend)


def browser() -> Finding:
    """See whether there is a Chromium, which only the browser tests and the build of the notebooks need."""
    found = chromium.find()
    mend = "Needed only for `start.py test` and `course build`: install Chromium or Chrome."
    return Finding("Chromium", found or "none", found is not None, mend, is_needed=False)


def show(findings: list[Finding]) -> None:
    """Print the findings as a table, with the way to mend each that needs it."""
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table

    table = Table("", Column("what", overflow="fold"), "seen", Column("to mend it", overflow="fold"), box=box.SIMPLE)
    for finding in findings:
        mark = "ok" if finding.is_well else "MISSING" if finding.is_needed else "-"
        table.add_row(mark, finding.what, finding.seen, "" if finding.is_well else finding.mend)
    console = Console()
    console.print(table)
    n_bad = sum(finding.is_needed and not finding.is_well for finding in findings)
    console.print("All is well." if not n_bad else f"{n_bad} of {len(findings)} need mending.")
