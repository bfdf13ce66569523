"""Set the course up in a folder of its own (.venv, beside this file), then open it in JupyterLab.

    python3 start.py                    set up, then open the first lesson
    python3 start.py --no-browser       the same, printing the address instead of opening a browser
    python3 start.py --port 9000        the same, on another port
    python3 start.py test               set up with the test tools, then run every test
    python3 start.py test -k masks      ... or some of them: what follows `test` goes to pytest

Nothing outside this folder is installed or changed. Run it again at any time: it starts in seconds when all is there,
and finishes what an interrupted run left undone. Only the standard library is needed.
"""

from __future__ import annotations  # keeps this file readable for Pythons that are too old, so that they can say so

import argparse
import csv
import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
import venv
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PYTHONS = ((3, 11), (3, 12), (3, 13))
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
GIGABYTES = {"cpu": 3, "cuda": 9}  # on disk, with room for what pip unpacks on the way


class StartError(Exception):
    """The set-up cannot go on. The message is one sentence for the person at the keyboard."""


def main(arguments: list[str]) -> int:
    """Do what the command line asks; return the exit code: 0, 1 when something failed, 2 for a wrong option."""
    testing = arguments[:1] == ["test"]
    options = parse([] if testing else arguments)
    started = time.monotonic()
    try:
        check_python(sys.version_info)
        set_up(ROOT, ["test"] if testing else [])
        if testing:
            return run_tests(arguments[1:])
        if time.monotonic() - started > 5:
            say("Opening JupyterLab. To stop it, press Ctrl-C here.")
        return run_course(["lab", *options])
    except KeyboardInterrupt:
        say("\nStopped. Run the same command again to carry on.")
        return 130
    except StartError as error:
        say(f"{error}")
        return 1


def parse(arguments: list[str]) -> list[str]:
    """Check the options; return those that go on to `course lab`."""
    parser = argparse.ArgumentParser(
        prog="start.py", description="Set the course up in .venv, then open it in JupyterLab.",
        epilog="`start.py test [pytest options]` runs every test instead.",
    )  # fmt: skip
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    parser.add_argument("--port", type=int, help="the port JupyterLab listens on (otherwise 8888)")
    options = parser.parse_args(arguments)
    port = [] if options.port is None else ["--port", str(options.port)]
    return port + (["--no-browser"] if options.no_browser else [])


def check_python(version: tuple) -> None:
    """Refuse a Python that the course does not run on, naming a better one when there is one."""
    if tuple(version[:2]) in PYTHONS:
        return
    names = [f"python{major}.{minor}" for major, minor in reversed(PYTHONS)]
    better = [name for name in names if quietly([name, "--version"])]
    advice = f"run `{better[0]} start.py`" if better else "install one of them from https://www.python.org/downloads"
    here = ".".join(str(part) for part in version[:3])
    raise StartError(f"The course needs Python 3.11, 3.12 or 3.13, and this is Python {here}: {advice}.")


# Setting up


def set_up(root: Path, extras: list[str]) -> None:
    """Bring .venv into the state that constraints.txt, pyproject.toml and the list of models ask for."""
    from course import sources  # the standard library only, but too new for the Pythons refused above

    environment = root / ".venv"
    python = python_of(environment)
    if is_ready(environment, root, extras):
        return
    for variable in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"):
        os.environ.pop(variable, None)  # each of them would send packages, or look for them, somewhere else
    os.chdir(root)  # so that pip is given no path that could hold a space or a bracket
    has_gpu = has_nvidia_gpu()
    check_disk(root, environment, GIGABYTES["cuda" if has_gpu and sys.platform == "linux" else "cpu"])
    megabytes = sum(source.megabytes for source in sources.SOURCES.values())
    what = "the course, its libraries" + (" and the test tools" if extras else "")
    torch_size = "about 3 GB, as there is an NVIDIA GPU," if has_gpu and sys.platform == "linux" else "about 200 MB"
    steps = Steps(4)
    with only_one_at_work(root) as lock:
        how = {"python": str(python), "keep_open": lock}
        try:
            with steps.next("a Python environment of its own, in .venv"):
                make_environment(environment)
            with steps.next(f"PyTorch {torch_pin(root)} ({torch_size} to download)") as progress:
                install_torch(sources, torch_pin(root), has_gpu, progress, how)
            with steps.next(f"{what} (about {250 if extras else 200} MB to download)") as progress:
                target = ".[" + ",".join(extras) + "]" if extras else "."
                target_options = ["--editable", target, "--constraint", "constraints.txt"]
                sources.pip_install(["--no-compile", *target_options], progress, **how)
            with steps.next(f"models and texts ({megabytes:.0f} MB to download)") as progress:
                sources.get(on_progress=progress, **how)
                prepare_models(python, progress)
            write_stamp(environment, root, extras)
        except sources.SourceError as error:
            raise StartError(str(error)) from None
        except OSError as error:
            raise StartError(os_reason(error, root)) from None
    say(f"All set up in {duration(steps.seconds())}; .venv takes {folder_gigabytes(environment):.1f} GB.")


def make_environment(environment: Path) -> None:
    """Make .venv with pip in it; keep a usable one, and tidy up what an interrupted run left in it."""
    if environment.exists():
        half = half_installed(environment)
        if is_usable(environment) and not any(folder.name.startswith("pip-") for folder in half):
            for folder in half:  # without its .dist-info, pip installs the package again, over the files there are
                shutil.rmtree(folder)
            return
    has_ensurepip = importlib.util.find_spec("ensurepip") is not None
    if not has_ensurepip and importlib.util.find_spec("pip") is None:
        raise StartError("This Python has no pip: install it (on Debian or Ubuntu: `sudo apt install python3-venv`).")
    try:
        builder = venv.EnvBuilder(with_pip=has_ensurepip, clear=environment.exists(), symlinks=os.name != "nt")
        builder.create(environment)
        if not has_ensurepip:  # Debian without python3-venv: the pip that is there can fill another environment
            into = ["--python", str(python_of(environment))]
            command = [sys.executable, "-m", "pip", *into, "install", "--quiet", "pip"]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    except subprocess.CalledProcessError:
        raise StartError(
            "Python could not put pip into .venv: check the disk and the network connection "
            "(on Debian or Ubuntu also: `sudo apt install python3-venv`)."
        ) from None
    except ValueError as error:  # for example a colon in the path
        raise StartError(f"Python cannot make an environment in this folder: {error}") from None


def is_usable(environment: Path) -> bool:
    """Say whether the Python in .venv runs, is one that the course accepts and has a pip that starts."""
    python = python_of(environment)
    accepted = "import sys; sys.exit(sys.version_info[:2] not in %r)" % (PYTHONS,)
    return quietly([str(python), "-c", accepted]) and quietly([str(python), "-m", "pip", "--version"])


def half_installed(environment: Path) -> list[Path]:
    """Find the .dist-info folders of packages of which a file is missing or shorter than it should be."""
    return [
        folder
        for pattern in ("lib/python3.*/site-packages", "Lib/site-packages")
        for packages in environment.glob(pattern)
        for folder in packages.glob("*.dist-info")
        if not is_whole(folder)
    ]


def is_whole(dist_info: Path) -> bool:
    """Say whether every file that a package's RECORD lists with a size is there, in that size."""
    try:
        with open(dist_info / "RECORD", newline="", encoding="utf-8") as record:
            sized = [(row[0], int(row[2])) for row in csv.reader(record) if len(row) == 3 and row[2]]
        return (dist_info / "METADATA").exists() and all(
            os.path.getsize(dist_info.parent / name) == size for name, size in sized
        )
    except (OSError, ValueError):
        return False


def install_torch(sources, version: str, has_gpu: bool, progress, how: dict) -> None:
    """Install PyTorch; on Linux without an NVIDIA GPU in the CPU build, so that nobody gets gigabytes by accident."""
    pin = f"torch=={version}"
    quickly = ["--no-compile", "--constraint", "constraints.txt"]  # Python compiles what it imports, when it does
    if sys.platform == "linux" and not has_gpu:
        cpu_pin = f"{pin}+cpu"
        offers = [[]]  # the person's own package index first
        if can_reach(f"{CPU_INDEX}/torch/"):
            offers.append(["--extra-index-url", CPU_INDEX])
        for offer in offers:
            progress(f"Looking for the CPU build {'at pytorch.org' if offer else ''}".rstrip())
            try:
                return sources.pip_install([*quickly, "--retries", "1", *offer, cpu_pin], progress, **how)
            except sources.SourceError as error:
                if "disk is full" in str(error):
                    raise
        progress.note("No CPU build can be reached; taking the general one, a large download (up to 3 GB).")
    sources.pip_install([*quickly, pin], progress, **how)


def prepare_models(python: Path, progress) -> None:
    """Let the installed course check its models and convert the one that would otherwise load slowly each time."""
    progress("Checking every byte, and preparing the writing model for quick loading")
    done = subprocess.run(
        [str(python), "-m", "course.cli", "models", "--get"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        errors="replace", env={**os.environ, "PYTHONIOENCODING": "utf-8", "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if done.returncode:
        lines = done.stdout.strip().splitlines() or ["The models could not be prepared."]
        raise StartError(lines[-1])


def has_nvidia_gpu() -> bool:
    """Say whether an NVIDIA driver is at work here, which is what PyTorch's CUDA build needs."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()


def can_reach(address: str) -> bool:
    """Say whether a web address answers within four seconds."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=4):
            return True
    except (OSError, ValueError):
        return False


def check_disk(root: Path, environment: Path, gigabytes: float) -> None:
    """Refuse to begin what the disk cannot hold."""
    free = shutil.disk_usage(root).free / 1e9
    needed = max(gigabytes - folder_gigabytes(environment), 0.3)
    if free < needed:
        raise StartError(f"The course needs {needed:.1f} GB on this disk, and {free:.1f} GB are free: make room first.")


def folder_gigabytes(folder: Path) -> float:
    """Add up the sizes of the files in a folder."""
    return sum(
        os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names
    ) / 1e9  # fmt: skip


@contextmanager
def only_one_at_work(root: Path):
    """Wait until no other run, nor a pip that it left behind, is at work here; give the lock to hand to pip."""
    try:
        import fcntl
    except ImportError:  # Windows: a killed run takes its pip along only if the window is closed; no lock to inherit
        yield ()
        return
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run is at work in this folder; waiting for it to finish.")
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        yield (folder,)
    finally:
        os.close(folder)


def os_reason(error: OSError, root: Path) -> str:
    """Say in one sentence why a file could not be written."""
    if error.errno == errno.ENOSPC:
        return "The disk is full: free some space, then run the same command again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"The folder {root} may not be written to: copy the course into a folder of your own."
    return f"The set-up stopped: {error}."


# What is there already


def is_ready(environment: Path, root: Path, extras: list[str]) -> bool:
    """Say whether .venv was finished for exactly the present files, with at least these extras."""
    try:
        made_for, *made_extras = stamp_of(environment).read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return False
    return made_for == fingerprint(root) and set(extras) <= set(made_extras) and python_of(environment).exists()


def write_stamp(environment: Path, root: Path, extras: list[str]) -> None:
    """Note, as the last step and in one move, what .venv was made for."""
    unfinished = environment / "attention-course.unfinished"
    unfinished.write_text(" ".join([fingerprint(root), *extras]), encoding="utf-8")
    os.replace(unfinished, stamp_of(environment))


def fingerprint(root: Path) -> str:
    """Digest everything that .venv depends on: versions, models, this Python, and the place (scripts name it)."""
    digest = hashlib.sha256(f"{sys.version_info[:3]} {root}\n".encode("utf-8", "surrogateescape"))
    for name in ("constraints.txt", "pyproject.toml", "course/sources.py"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def stamp_of(environment: Path) -> Path:
    """Name the file that says .venv is finished."""
    return environment / "attention-course.ready"


def python_of(environment: Path) -> Path:
    """Name the Python inside an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def torch_pin(root: Path) -> str:
    """Read PyTorch's version from constraints.txt."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line[len("torch==") :] for line in lines if line.startswith("torch=="))


# Running


def run_course(arguments: list[str]) -> int:
    """Run the `course` command of .venv; Ctrl-C is its to handle."""
    with subprocess.Popen([str(python_of(ROOT / ".venv")), "-m", "course.cli", *arguments], cwd=ROOT) as command:
        while True:
            try:
                return command.wait()
            except KeyboardInterrupt:
                continue  # the command received it too, and closes down


def run_tests(arguments: list[str]) -> int:
    """Run pytest: unit tests, then notebooks, then the browser; pytest's closing line comes last."""
    chromium = find_or_install_chromium()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    if chromium:
        environment["BROWSER_PATH"] = chromium
    else:
        say("No Chromium here, and none can be installed: the tests in tests/browser are left out.")
    chosen = any(Path(argument.split("::")[0]).exists() for argument in arguments if not argument.startswith("-"))
    places = [] if chosen else test_places(ROOT, with_browser=chromium is not None)
    command = [str(python_of(ROOT / ".venv")), "-m", "pytest", "--nbval", *arguments, *places]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def test_places(root: Path, with_browser: bool) -> list[str]:
    """List what pytest is to run, in order: the quick first, the browser last."""
    tests = root / "tests"
    units = [path for path in sorted(tests.iterdir()) if path.match("test_*.py") or any(path.rglob("test_*.py"))]
    notebooks = [root / name for name in ("lessons", "solutions") if any((root / name).glob("*.ipynb"))]
    browser = tests / "browser"
    places = [path for path in units if path != browser] + notebooks
    places += [browser] if with_browser and browser in units else []
    return [path.relative_to(root).as_posix() for path in places]


def find_or_install_chromium() -> str | None:
    """Find a browser for the tests; on Debian and Ubuntu install one where no password is asked."""
    from course import chromium

    found = chromium.find()
    apt = shutil.which("apt-get")
    if found or not apt:
        return found
    is_root = os.geteuid() == 0
    prefix = [] if is_root else ["sudo", "--non-interactive"]
    if not is_root and not (shutil.which("sudo") and quietly([*prefix, "true"])):
        return None
    say("Installing Chromium for the browser tests (apt-get, about 300 MB).")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if quietly([*prefix, apt, "update"], environment):
        quietly([*prefix, apt, "install", "--yes", "--no-install-recommends", "chromium"], environment)
    return chromium.find()


def quietly(command: list[str], environment: dict | None = None) -> bool:
    """Run a command without a word; say whether it succeeded within ten minutes."""
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


# Telling


class Steps:
    """Numbers the steps, and shows during each how long it has been going and what pip said last."""

    def __init__(self, n_steps: int):
        self.n_steps, self.n_begun, self.begun_at = n_steps, 0, time.monotonic()

    @contextmanager
    def next(self, what: str):
        self.n_begun += 1
        title = f"[{self.n_begun}/{self.n_steps}] {what[:1].upper()}{what[1:]}"
        progress = Progress(title)
        try:
            yield progress
        except BaseException:
            progress.finish("not finished after")
            raise
        progress.finish("done in")

    def seconds(self) -> float:
        return time.monotonic() - self.begun_at


class Progress:
    """One line that stays alive: rewritten every second in a terminal, repeated every half minute elsewhere."""

    def __init__(self, title: str):
        self.title, self.line, self.begun_at = title, "", time.monotonic()
        self.is_live = sys.stdout.isatty()
        self.finished = threading.Event()
        say(title)
        self.ticker = threading.Thread(target=self._tick, daemon=True)
        self.ticker.start()

    def __call__(self, line: str) -> None:
        """Take a line of pip's as what is happening now."""
        if line.startswith("Installing collected"):
            self.line = "Installing (this is the quiet part)"
        elif line.startswith(("Collecting", "Downloading", "Using", "Looking", "Checking", "Building")):
            self.line = line

    def note(self, sentence: str) -> None:
        """Say something that should stay on the screen."""
        self._clear()
        say(f"      {sentence}")

    def finish(self, how: str) -> None:
        """Stop the line and leave the time behind."""
        self.finished.set()
        self.ticker.join()
        self._clear()
        say(f"      {how} {duration(time.monotonic() - self.begun_at)}")

    def _tick(self) -> None:
        while not self.finished.wait(1 if self.is_live else 30):
            text = f"      {duration(time.monotonic() - self.begun_at)}  {self.line}"
            if self.is_live:
                width = shutil.get_terminal_size().columns - 1
                print(f"\r{text[:width]:<{width}}", end="", flush=True)
            else:
                say(text)

    def _clear(self) -> None:
        if self.is_live:
            print("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r", end="", flush=True)


def duration(seconds: float) -> str:
    """Write seconds the way people say them.

    Example:
        >>> duration(125)
        '2 min 5 s'
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def say(sentence: str) -> None:
    """Print at once, whatever the console's encoding."""
    encoding = sys.stdout.encoding or "ascii"
    print(sentence.encode(encoding, "replace").decode(encoding), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
