"""How long `import course` and `course --help` take, beside what loading torch would cost.

Each line is the median of several fresh Python processes. Python's own start is included, and is shown alone in the
first line. Run it with `python benchmarks/imports.py`.
"""

import statistics
import subprocess
import sys
import time

REPEATS = 11
COMMANDS = {  # what is measured: (command, bar in seconds)
    "python -c pass": (["-c", "pass"], None),
    "import course": (["-c", "import course"], 0.1),
    "course --help": (["-m", "course.cli", "--help"], 0.3),
    "import torch": (["-c", "import torch"], None),
    "import transformers": (["-c", "import transformers; transformers.BertModel"], None),
    "import course.models": (["-c", "import course.models"], None),
}


def median_seconds(arguments: list[str]) -> float:
    """Run a fresh Python several times, once before to warm the disk; return the median of the wall-clock times."""
    times = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])


def loads(module: str, arguments: str) -> bool:
    """Say whether running this code loads a module."""
    code = f"{arguments}\nimport sys; sys.exit({module!r} in sys.modules)"
    return subprocess.run([sys.executable, "-c", code]).returncode == 1


def main() -> int:
    """Print the table; return 1 when a bar is missed."""
    print(f"{'':22} {'median':>8} {'bar':>8}")
    n_missed = 0
    for name, (arguments, bar) in COMMANDS.items():
        seconds = median_seconds(arguments)
        missed = bar is not None and seconds > bar
        n_missed += missed
        bar_text = "" if bar is None else f"{bar:7.1f}s"
        print(f"{name:22} {seconds:7.3f}s {bar_text} {'MISSED' if missed else ''}".rstrip())
    for code in ("import course", "import course.cli"):
        has_torch = loads("torch", code)
        n_missed += has_torch
        print(f"{code} loads torch: {'yes' if has_torch else 'no'}")
    return int(n_missed > 0)


if __name__ == "__main__":
    sys.exit(main())
