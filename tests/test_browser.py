"""A student's first hour, in a real browser: predictions are clicked, and a live plot moves."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FRAMES = """() => {
  window.frames_seen = new Set();
  const look = () => document.querySelectorAll('.jp-OutputArea-output img').forEach(image => {
    if (window.live && window.live.contains(image)) window.frames_seen.add(image.src);
  });
  new MutationObserver(look).observe(
    document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ['src']});
}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # JupyterLab, a browser and two kernels: a minute and more
    pytest.mark.skipif(not CHROMIUM, reason="no chromium: install it, or set CHROMIUM"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of its own, with its own settings, serving a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks",
                    ignore=shutil.ignore_patterns("runs", ".ipynb_checkpoints"))
    shutil.copytree(ROOT / "images", home / "images")
    settings = home / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # Cells that are out of sight must be in the page too.
    news = home / "settings" / "@jupyterlab" / "apputils-extension"
    news.mkdir()
    (news / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    token = secrets.token_hex()
    folders = {name: str(home / name.lower()) for name in (
        "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR",
        "JUPYTERLAB_WORKSPACES_DIR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
         f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"],
        cwd=home, env={**os.environ, **folders, "JUPYTERLAB_SETTINGS_DIR": str(home / "settings")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield server_address(Path(folders["JUPYTER_RUNTIME_DIR"]), process), token
    finally:
        process.terminate()
        process.wait(30)


def server_address(runtime, process):
    """Wait for the server and return its address, which it writes into its runtime folder."""
    for _ in range(600):
        assert process.poll() is None, f"jupyter lab ended with exit status {process.returncode}"
        for file in runtime.glob("jpserver-*.json"):
            try:
                address = json.loads(file.read_text())["url"]
                if requests.get(f"{address}login", timeout=5).ok:
                    return address
            except (ValueError, requests.exceptions.RequestException):
                pass  # half-written, or not listening yet
        time.sleep(0.1)
    raise AssertionError("jupyter lab did not answer within a minute")


@pytest.fixture(scope="module")
def page(lab):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[
            "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        yield page
        browser.close()


def open_notebook(page, lab, name):
    address, token = lab
    page.goto(f"{address}lab/tree/notebooks/{name}?reset&token={token}", timeout=120_000)
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell", timeout=120_000)
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
        " === 'idle'", timeout=120_000)


@pytest.mark.timeout(900)
def test_lesson_09_trains_with_a_live_plot(lab, page):
    open_notebook(page, lab, "09_training.ipynb")
    page.evaluate("() => { const cell = [...document.querySelectorAll('.jp-CodeCell')].find("
                  "cell => cell.textContent.includes('history = d2lvgg.train('));"
                  "window.live = cell; cell.scrollIntoView(); }")
    page.evaluate(FRAMES)
    page.evaluate("() => { window.done = null; window.jupyterapp.commands.execute("
                  "'notebook:run-all-cells').then(ok => { window.done = ok; }, "
                  "error => { window.done = String(error); }); }")
    page.wait_for_function("() => window.done !== null", timeout=800_000)
    assert page.evaluate("() => window.done") is True
    assert page.evaluate("() => window.frames_seen.size") >= 3
    assert page.locator(".jp-OutputArea-output[data-mime-type*='stderr'], "
                        ".jp-RenderedText[data-mime-type*='error']").count() == 0
    assert page.errors == []
    page.evaluate("() => window.live.scrollIntoView()")
    page.wait_for_timeout(1000)
    target = os.environ.get("D2LVGG_SCREENSHOT", ROOT / "build" / "jupyterlab.png")
    Path(target).parent.mkdir(exist_ok=True)
    page.screenshot(path=target)
    assert Path(target).stat().st_size > 20_000


@pytest.mark.timeout(300)
def test_a_lessons_pictures_are_shown(lab, page):
    open_notebook(page, lab, "06_vgg_blocks.ipynb")
    page.wait_for_function("() => [...document.querySelectorAll('.jp-RenderedMarkdown img')]"
                           ".filter(image => image.naturalWidth > 0).length >= 2", timeout=60_000)
    broken = page.evaluate("() => [...document.querySelectorAll('.jp-Notebook img')]"
                           ".filter(image => image.complete && !image.naturalWidth)"
                           ".map(image => image.src)")
    assert broken == []


FOLDED = """() => [...document.querySelectorAll('.jp-RenderedMarkdown')].filter(
  part => part.innerText.includes('ten percentages add up to 100 %, whatever')
          && part.getClientRects().length).length"""


@pytest.mark.timeout(600)
def test_a_prediction_is_asked_clicked_and_counted(lab, page):
    open_notebook(page, lab, "00_start_here.ipynb")
    page.wait_for_selector(".jp-RenderedMarkdown details", timeout=60_000)
    assert page.evaluate(FOLDED) == 0  # opened afresh, no reason and no answer is in sight
    cells = page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.widgets.map(
      cell => [cell.model.type, cell.model.sharedModel.getSource()])""")
    place = next(place for place, (_, source) in enumerate(cells) if "show it this house" in source)
    for number in (next(place for place, (kind, _) in enumerate(cells) if kind == "code"), place):
        page.evaluate("""number => {
          const panel = window.jupyterapp.shell.currentWidget;
          panel.content.deselectAll(); panel.content.activeCellIndex = number;
          window.ran = false;
          window.jupyterapp.commands.execute('notebook:run-cell').then(() => window.ran = true);
        }""", number)
        page.wait_for_function("() => window.ran", timeout=120_000)
    button = page.get_by_role("button", name="One of the ten garments")
    button.wait_for(timeout=60_000)
    button.click()
    page.wait_for_selector("text=Yes: the ten percentages add up", timeout=30_000)
    page.screenshot(path=ROOT / "build" / "prediction.png")
    assert page.errors == []
