"""pyproject.toml is the one list of dependencies: constraints.txt pins it, environment.yml and start.py install it."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course import sources

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PINS = {
    canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
    for pin in map(Requirement, re.findall(r"^[^#\n].*", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M))
}


def pip_lines() -> list[str]:
    (nested,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    return nested


def test_every_constraint_is_one_exact_version():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line


def test_every_dependency_is_pinned_within_its_range():
    extras = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    for requirement in map(Requirement, PROJECT["dependencies"] + extras):
        pinned = PINS.get(canonicalize_name(requirement.name))
        assert pinned and requirement.specifier.contains(pinned), f"{requirement} is pinned to {pinned}"


def test_models_and_texts_are_listed_in_one_place_only():
    assert not {canonicalize_name(source.package) for source in sources.SOURCES.values()} & PINS.keys()


def test_conda_brings_python_and_pip_only():
    plain = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
    assert [re.split("[=<>]", entry)[0] for entry in plain] == ["python", "pip"]
    version = plain[0].removeprefix("python=")
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(version)


def test_conda_installs_the_same_package_with_the_same_constraints_as_start_py():
    start = (ROOT / "start.py").read_text(encoding="utf-8")
    assert '["--editable", target, "--constraint", "constraints.txt"]' in start
    assert pip_lines()[-2:] == ["--constraint constraints.txt", "--editable ."]
    assert all(line.startswith("--") for line in pip_lines()), "a package named here would be a second list"


def test_conda_takes_the_cpu_build_from_where_start_py_does():
    (address,) = re.findall(r'^CPU_INDEX = "(.*)"$', (ROOT / "start.py").read_text(encoding="utf-8"), re.M)
    assert f"--extra-index-url {address}" in pip_lines()
