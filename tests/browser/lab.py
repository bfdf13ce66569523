"""A real JupyterLab and a real Chromium, for tests and benchmarks that must see what a learner sees.

    with jupyterlab(folder) as (base, token), browser_page() as page:
        open_notebook(page, base, token, "lesson.ipynb")
        assert run_all(page) == []                 # the errors of the cells, as sentences
        page.locator("input[type=range]").first.press("ArrowRight")
        assert axe(page, ".ac") == []              # accessibility violations, as sentences
        assert page.blocked == []                  # addresses off this machine that were asked for

JupyterLab runs in a home of its own, so that neither the reader's settings nor their progress are touched, and no
request leaves the machine: Chromium resolves no name but this machine's, and what was tried is in ``page.blocked``.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

from course import chromium

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
THIS_MACHINE = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|(data|blob|file|about|chrome-error):")
CURRENT = "window.jupyterapp.shell.currentWidget"


class NoBrowser(Exception):
    """No Chromium (or no Playwright) can be had here; the message says in one sentence what is missing."""


def find_chromium() -> str:
    """Return the path of the Chromium that the tests use (see ``course.chromium``); raise NoBrowser without one."""
    if find_spec("playwright") is None:
        raise NoBrowser("The browser tests need Playwright: pip install playwright.")
    if found := chromium.find():
        return found
    raise NoBrowser("The browser tests need Chromium: install it, or run `playwright install chromium`.")


@contextlib.contextmanager
def jupyterlab(root, environment: dict[str, str] | None = None, start_seconds: float = 90):
    """Run JupyterLab on a folder; gives (base address, token), and ends the server and its kernels afterwards.

    Args:
        root: the folder that JupyterLab shows.
        environment: variables added to those of the server and so of its kernels.
        start_seconds: how long to wait for it to answer before giving up.
    """
    home = Path(tempfile.mkdtemp(prefix="jupyterlab_home_"))
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet), encoding="utf-8")
    # The caches stay the reader's: a model that was converted once is not converted again in every test.
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    variables = (
        os.environ
        | {
            "HOME": str(home),
            "XDG_CACHE_HOME": cache,
            "XDG_DATA_HOME": str(home / "share"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "IPYTHONDIR": str(home / "ipython"),
            "HF_HUB_OFFLINE": "1",
        }
        | (environment or {})
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base, token = f"http://127.0.0.1:{port}", "course"
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={Path(root).resolve()}",
        f"--IdentityProvider.token={token}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    log_path = home / "jupyterlab.log"
    with open(log_path, "w") as log:
        server = subprocess.Popen(command, env=variables, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(server, f"{base}/api?token={token}", log_path, start_seconds)
        yield base, token
    finally:
        _end(server, base, token)
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_it_answers(server, address, log_path, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=1).read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start. The end of its log:\n{log_path.read_text()[-3000:]}")


def _end(server, base, token):
    # Asked to shut down, the server ends its kernels itself; being told twice would leave them behind.
    with contextlib.suppress(urllib.error.URLError, OSError):
        request = urllib.request.Request(f"{base}/api/shutdown?token={token}", method="POST")
        urllib.request.urlopen(request, timeout=5).read()
    for end in (lambda: None, server.terminate, server.kill):
        end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
            return


@contextlib.contextmanager
def browser_page(viewport: tuple[int, int] = (1400, 1000), dark: bool = False):
    """Open Chromium; gives a Playwright page with two more lists: ``page.blocked`` and ``page.errors``.

    ``page.blocked`` holds the addresses off this machine that something asked for, ``page.errors`` the errors on the
    browser's console. One page at a time: Playwright's plain interface allows no second one beside it.

    Args:
        viewport: width and height in CSS pixels.
        dark: the system prefers dark, and ``open_notebook`` turns JupyterLab's dark theme on.
    """
    executable = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        context = browser.new_context(
            viewport={"width": viewport[0], "height": viewport[1]}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.blocked, page.errors, page.dark = [], [], dark

        def only_this_machine(route):
            if THIS_MACHINE.match(route.request.url):
                route.continue_()
            else:
                page.blocked.append(route.request.url)
                route.abort()

        def note_socket(web_socket):
            if not THIS_MACHINE.match(web_socket.url):
                page.blocked.append(web_socket.url)

        context.route("**/*", only_this_machine)
        page.on("websocket", note_socket)
        page.on("pageerror", lambda error: page.errors.append(str(error)[:500]))
        page.on("console", lambda line: page.errors.append(line.text[:500]) if line.type == "error" else None)
        try:
            yield page
        finally:
            browser.close()


def open_notebook(page, base: str, token: str, path: str, timeout: float = 60):
    """Show a notebook of JupyterLab's folder in a fresh workspace and wait until its kernel is ready; runs nothing."""
    page.goto(f"{base}/lab/tree/{path}?token={token}&reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell", timeout=timeout * 1000)
    page.wait_for_function(
        f"() => {CURRENT}?.sessionContext?.session?.kernel?.status === 'idle'", timeout=timeout * 1000
    )
    if page.dark:
        set_theme(page, "JupyterLab Dark")


def run_all(page, timeout: float = 180) -> list[str]:
    """Run every cell of the notebook shown; returns its errors, e.g. ``["ValueError: text is empty"]``.

    JupyterLab stops at the first error unless the cell carries the tag ``raises-exception``.
    """
    page.evaluate(
        """() => { window.__ran = false;
            window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.__ran = true; }); }"""
    )
    page.wait_for_function(
        f"() => window.__ran && {CURRENT}.sessionContext.session.kernel.status === 'idle'", timeout=timeout * 1000
    )
    return page.evaluate(
        f"""() => {CURRENT}.content.widgets.filter(cell => cell.model.type === 'code').flatMap(cell =>
            cell.model.sharedModel.getOutputs().filter(output => output.output_type === 'error')
                .map(output => `${{output.ename}}: ${{output.evalue}}`))"""
    )


def set_theme(page, name: str):
    """Switch to the theme ``"JupyterLab Dark"`` or ``"JupyterLab Light"`` and wait until it is there."""
    page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })", name)
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name, timeout=20_000)
    page.wait_for_timeout(300)  # the theme's style sheet is in force one frame after its name


def axe(page, selector: str) -> list[str]:
    """Return what axe-core finds wrong inside the elements that match, one sentence a violation.

    The rules about whole pages (landmarks, headings' order) are JupyterLab's business and are not asked.
    """
    folder = Path(find_spec("axe_core_python").submodule_search_locations[0])
    if not page.evaluate("() => Boolean(window.axe)"):
        # With a module loader in sight axe would hand itself to that instead of setting window.axe.
        source = (folder / "axe.min.js").read_text(encoding="utf-8")
        page.evaluate(f"() => {{ const define = undefined, module = undefined, exports = undefined; {source} }}")
    assert page.locator(selector).count(), f"nothing on the page matches {selector}"
    found = page.evaluate(
        """async selector => { const found = await window.axe.run(selector,
            { rules: { region: { enabled: false }, 'page-has-heading-one': { enabled: false } } });
            return found.violations.map(v => ({ id: v.id, help: v.help, impact: v.impact,
                nodes: v.nodes.map(n => ({ html: n.html, why: n.failureSummary })) })); }""",
        selector,
    )
    return [
        f"{v['id']} ({v['impact']}): {v['help']}: {node['html'][:200]} [{' '.join(node['why'].split())[:300]}]"
        for v in found
        for node in v["nodes"]
    ]


def write_notebook(path, cells: list[str]) -> Path:
    """Write a small notebook for a test, one code cell for each source; returns its path."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells], metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return Path(path)


@contextlib.contextmanager
def shown_notebook(lab, name: str, cells: list[str], wait_for: str, viewport: tuple[int, int]):
    """Write a notebook, run it, and give its page; afterwards nothing may have gone wrong or left the machine.

    Args:
        lab: what the fixture of that name gives: (base address, token, folder).
        name: of the notebook, without ".ipynb".
        cells: their sources.
        wait_for: CSS of what must stand on the page before a test begins.
        viewport: width and height in pixels.
    """
    base, token, folder = lab
    path = write_notebook(folder / f"{name}.ipynb", cells)
    with browser_page(viewport=viewport) as page:
        open_notebook(page, base, token, path.name)
        assert run_all(page) == []
        page.wait_for_selector(wait_for)
        yield page
        assert page.blocked == [] and page.errors == []


def submit(page, field, text: str) -> None:
    """Type a text into a field and press Enter."""
    field.fill(text)
    page.keyboard.press("Enter")


def printed(page, index: int) -> str:
    """Run one cell of the notebook in front and return what it printed."""
    return page.evaluate(
        f"""async () => {{ const widget = {CURRENT}, cell = widget.content.widgets[{index}];
            await cell.constructor.execute(cell, widget.sessionContext);
            return cell.model.sharedModel.getOutputs().map(output => [output.text].flat().join('')).join(''); }}"""
    )
