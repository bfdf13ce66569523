"""Where a Chromium (or its relative Chrome or Edge) is on this computer, for tests and for pictures of plots."""

import os
import shutil
import sys
from pathlib import Path

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
APPLICATIONS = {
    "darwin": (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    "win32": (
        "C:/Program Files/Google/Chrome/Application/chrome.exe",
        "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
    ),
}
PLAYWRIGHT = {"darwin": "~/Library/Caches/ms-playwright", "win32": "~/AppData/Local/ms-playwright"}


def find() -> str | None:
    """Find a browser: the one in BROWSER_PATH, else on the PATH, else an installed application, else Playwright's own.

    Returns:
        the path of the program, or None when there is none.
    """
    chosen = os.environ.get("BROWSER_PATH")
    if chosen and Path(chosen).is_file():
        return chosen
    on_path = next(filter(None, map(shutil.which, COMMANDS)), None)
    applications = [path for path in APPLICATIONS.get(sys.platform, ()) if Path(path).is_file()]
    return on_path or next(iter(applications + playwrights()), None)


def playwrights() -> list[str]:
    """List the Chromiums that Playwright downloaded, newest first."""
    folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or PLAYWRIGHT.get(sys.platform, "~/.cache/ms-playwright")
    inside = ("chrome-linux*/chrome", "chrome-mac*/Chromium.app/Contents/MacOS/Chromium", "chrome-win*/chrome.exe")
    found = [path for pattern in inside for path in Path(folder).expanduser().glob(f"chromium-*/{pattern}")]
    return [str(path) for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]
