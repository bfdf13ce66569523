"""The ``course`` command: open the lessons, look after the installation, check and build notebooks.

Every command imports what it needs inside itself, so that ``course --help`` answers at once. Exit codes: 0 all is well,
1 something is not (a check not passed, a model missing, a stored notebook out of date), 2 the command was not
understood.
"""

import difflib
import os
import socket
import sys
from pathlib import Path

import click

import course

FIRST_LESSON = "lessons/00_start_here.ipynb"
FOLDERS = ("lessons", "exercises", "solutions")


class Problem(click.ClickException):
    """Something is not as it should be. The message is one sentence; the exit code is 1."""

    exit_code = 1

    def show(self, file=None):
        click.echo(self.message, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(course.__version__, prog_name="course")
def main():
    """See attention, change it and rebuild it."""


@main.command()
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening a browser.")
@click.option("--port", type=click.IntRange(1, 65535), default=8888, show_default=True, help="JupyterLab's port.")
def lab(no_browser, port):
    """Open the lessons in JupyterLab."""
    root = find_root()
    sign_notebooks(root)
    if is_taken(port):
        click.echo(f"Port {port} is in use; JupyterLab takes the next free one.")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Settings that no option reaches: no question whether to fetch news. A person's own settings still win.
    paths = [str(Path(course.__file__).parent / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    from jupyterlab.labapp import LabApp

    click.echo(f"Starting JupyterLab in {root}. To stop it, press Ctrl-C here.")
    LabApp.launch_instance(lab_arguments(root, port, no_browser))


def lab_arguments(root: Path, port: int, no_browser: bool) -> list[str]:
    """Write the options for a JupyterLab that starts on the first lesson, asks nothing and calls nobody."""
    arguments = [
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.port={port}",
        f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}",
        "--ServerApp.answer_yes=True",  # one Ctrl-C stops it
        "--Application.log_level=ERROR",  # the address is always shown
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",  # the other one lists extensions from the network
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--ServerApp.allow_root=True")  # in a container there is often nobody else
    return arguments + (["--no-browser"] if no_browser else [])


def find_root() -> Path:
    """Find the folder that holds the lessons: the checkout that this package runs from, else the current folder."""
    for root in (Path(course.__file__).resolve().parent.parent, Path.cwd()):
        if (root / "lessons").is_dir():
            return root
    raise Problem("There is no folder `lessons` here: go to the course's folder, then run the command again.")


def sign_notebooks(root: Path) -> None:
    """Tell Jupyter that the course's own notebooks may show their stored pictures."""
    from nbformat import NO_CONVERT, read
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in sorted(path for folder in FOLDERS for path in (root / folder).glob("[0-9][0-9]_*.ipynb")):
        try:
            notary.sign(read(path, NO_CONVERT))
        except Exception as error:  # a notebook that cannot be read is no reason not to open the others
            click.echo(f"{path.name} could not be read ({type(error).__name__}).", err=True)


def is_taken(port: int) -> bool:
    """Say whether something answers on this port of this computer."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@main.command()
def doctor():
    """Look the installation over and say how to mend what is missing."""
    from course import doctor

    findings = doctor.examine()
    doctor.show(findings)
    if any(finding.is_needed and not finding.is_well for finding in findings):
        sys.exit(1)


@main.command()
@click.option("--get", "get_missing", is_flag=True, help="Install what is missing.")
@click.option("--repair", is_flag=True, help="Install what is missing or damaged.")
def models(get_missing, repair):
    """List the models and texts; get or repair them."""
    from course import sources

    found = {name: sources.problem(name) for name in sources.SOURCES}
    wanted = [name for name in found if found[name] and (repair or (get_missing and sources.find(name) is None))]
    try:
        if wanted:
            size = sum(sources.SOURCES[name].megabytes for name in wanted)
            click.echo(f"Getting {', '.join(wanted)} ({size:.0f} MB).")
            sources.get(wanted, repair=repair, on_progress=lambda line: click.echo(f"  {line}"))
            found |= {name: sources.problem(name) for name in wanted}
        show_sources(found)
        if (get_missing or repair) and found["smollm2"] is None:
            from course import models

            models.prepare("smollm2", click.echo)
    except RuntimeError as error:  # SourceError, ModelError
        raise Problem(str(error)) from None
    if any(found.values()):
        raise Problem(" ".join(filter(None, found.values())))


def show_sources(found: dict[str, str | None]) -> None:
    """Print what the course reads, with its size, and whether it is there and whole."""
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table

    from course import sources

    table = Table("name", "what", Column("pip package", no_wrap=True), "MB", "state", box=box.SIMPLE)
    for name, problem in found.items():
        source = sources.SOURCES[name]
        state = "verified" if problem is None else "damaged" if sources.find(name) else "missing"
        table.add_row(name, source.what, source.requirement, f"{source.megabytes:.0f}", state)
    Console().print(table)


@main.command()
@click.argument("notebooks", nargs=-1, required=True, metavar="NOTEBOOK...")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def check(notebooks, as_json):
    """Judge the exercises of notebooks; a folder stands for all notebooks in it."""
    paths = find_notebooks(notebooks)
    from course.checks import notebook

    results = []
    for path in paths:
        results.append(notebook.check_notebook(path))
        if not as_json:
            show_result(results[-1])
    if as_json:
        import dataclasses
        import json

        click.echo(json.dumps([dataclasses.asdict(result) | {"passed": result.passed} for result in results], indent=2))
    if not all(result.passed for result in results):
        sys.exit(1)


def show_result(result) -> None:
    """Print how the exercises of one notebook came out: a line each, then the points."""
    click.echo(f"{result.path}")
    if result.problem:
        click.echo(f"  {result.problem}")
        return
    for exercise in result.exercises:
        state = "passed" if exercise.passed else "not passed"
        click.echo(f"  {exercise.id} {exercise.title}: {state}, {exercise.points} of {exercise.max_points} points")
        for line in exercise.message.splitlines():
            click.echo(f"      {line}")
    if result.missing:
        click.echo(f"  No answer cell for {', '.join(result.missing)}: it was deleted from this notebook.")
    click.echo(f"  {result.points} of {result.max_points} points, in {result.seconds:.0f} s")


@main.command()
def progress():
    """Show which exercises you have solved."""
    from course import checks
    from course.study import progress

    try:
        best = progress.best()
    except progress.ProgressError as error:
        raise Problem(str(error)) from None
    show_progress([exercise for lesson in checks.lessons() for exercise in checks.exercises(lesson)], best)


def show_progress(exercises: list, best: dict) -> None:
    """Print every exercise with the best attempt at it, and the sum of the points."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("exercise", "title", "points", "tries", box=box.SIMPLE)
    for exercise in exercises:
        attempt = best.get(exercise.id)
        points = f"{attempt.points if attempt else 0} of {exercise.points}"
        table.add_row(exercise.id, exercise.title, points, str(attempt.attempts if attempt else 0))
    console = Console()
    console.print(table)
    won = sum(best[exercise.id].points for exercise in exercises if exercise.id in best)
    console.print(f"{won} of {sum(exercise.points for exercise in exercises)} points so far.")


@main.command()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; say what stored notebook is out of date.")
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK...]")
def build(only_check, notebooks):
    """Execute and store lessons and solutions; cut the exercises out of the solutions."""
    paths = find_notebooks(notebooks) or None
    from course import build

    try:
        if not only_check:
            build.build(paths, click.echo)
            return
        problems = build.check(paths, click.echo)
    except build.BuildError as error:
        raise Problem(str(error)) from None
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("Everything stored is what the sources give.")


def find_notebooks(names: tuple[str, ...]) -> list[Path]:
    """Turn names into notebooks: a file as it is, a folder as every notebook in it.

    Raises:
        click.UsageError: there is no such notebook; the message offers one with a similar name.
    """
    paths = []
    for name in names:
        path = Path(name)
        inside = sorted(path.glob("*.ipynb")) if path.is_dir() else []
        if not path.exists():
            near = nearest_notebook(path)
            raise click.UsageError(f"There is no notebook '{name}'." + (f" Did you mean '{near}'?" if near else ""))
        if path.is_dir() and not inside:
            raise click.UsageError(f"There are no notebooks in '{name}'.")
        if path.is_file() and path.suffix != ".ipynb":
            raise click.UsageError(f"'{name}' is not a notebook: its name should end in .ipynb.")
        paths += inside or [path]
    return paths


def nearest_notebook(path: Path) -> str | None:
    """Find the notebook whose name is most like the one that was asked for."""
    folders = [folder for folder in (path.parent, *map(Path, FOLDERS)) if folder.is_dir()]
    there = [notebook for folder in folders for notebook in sorted(folder.glob("*.ipynb"))]
    has_folder = path.parent != Path()
    names = {str(each) if has_folder else each.stem: str(each) for each in reversed(there)}  # the first folder wins
    near = difflib.get_close_matches(str(path) if has_folder else path.stem, names, n=1)
    return names[near[0]] if near else None


if __name__ == "__main__":
    main(prog_name="course")
