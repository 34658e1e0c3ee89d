"""The site, read with no network: every link, every picture, on a desk and on a phone."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright
from test_browser import CHROMIUM

pytest.importorskip("sphinx_book_theme", reason="the site needs the teach extra: make site")

from tools import notebooks, website  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LOOK = """() => ({
  links: [...document.querySelectorAll('a[href]')].map(link => link.href),
  ids: [...document.querySelectorAll('[id]')].map(part => part.id),
  broken: [...document.querySelectorAll('img')].filter(
    image => image.getClientRects().length && !image.naturalWidth).map(image => image.src),
  silent: [...document.querySelectorAll('article img')].filter(
    image => image.alt.split(' ').length < 4).map(image => image.src),
  wide: [...document.querySelectorAll('article *')].filter(part => {
    const box = part.getBoundingClientRect();
    for (let up = part; up; up = up.parentElement)
      if (['auto', 'scroll'].includes(getComputedStyle(up).overflowX)
          && up.tagName !== 'HTML' && up.tagName !== 'BODY') return false;
    return box.width && box.right > innerWidth + 1;
  }).map(part => part.outerHTML.slice(0, 120)),
  scroll: document.documentElement.scrollWidth, words: document.body.innerText.length,
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    website.make_site(folder / "site", folder / "source")
    return folder / "site"


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no chromium: install it, or set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[
            "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        yield browser
        browser.close()


def open_pages(browser, addresses, width):
    """Return ({address: what LOOK found}, errors) of pages opened with no network."""
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.context.set_offline(True)
    errors, found = [], {}
    page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
    page.on("requestfailed", lambda request: errors.append(f"{page.url}: {request.url}"))
    page.on("request", lambda request: errors.append(f"{page.url}: {request.url}")
            if urlsplit(request.url).scheme not in ("file", "data") else None)
    for address in addresses:
        page.goto(address)
        found[address] = page.evaluate(LOOK)
    page.close()
    return found, errors


def test_every_lesson_is_there_with_its_outputs_and_formulas(site):
    for lesson in notebooks.lesson_folders():
        page = (site / "notebooks" / f"{lesson.name}.html").read_text(encoding="utf-8")
        assert "cell_output" in page
        formulas = re.findall(r"\$\$", (lesson / "lesson.md").read_text(encoding="utf-8"))
        assert page.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') >= (
            len(formulas) // 2)
        assert "MathJax" not in page


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_whole(site, browser, width):
    pages = [path.as_uri() for path in sorted(site.rglob("*.html"))
             if "_static" not in path.parts]
    assert len(pages) >= len(notebooks.lesson_folders()) + 3
    found, errors = open_pages(browser, pages, width)
    assert errors == []
    for address, page in found.items():
        assert page["words"] > 20, address
        assert page["broken"] == [], address
        assert page["silent"] == [], address
        assert page["wide"] == [], address
        assert page["scroll"] <= width, address
    targets = {urlsplit(address).path: page["ids"] for address, page in found.items()}
    for address, page in found.items():
        for link in page["links"]:
            parts = urlsplit(link)
            if parts.scheme != "file":
                continue
            assert Path(unquote(parts.path)).exists(), f"{address} points to {link}"
            if parts.fragment and parts.path in targets:
                assert unquote(parts.fragment) in targets[parts.path], f"{address}: {link}"


@pytest.mark.browser
def test_the_search_finds_a_lesson(site, browser):
    page = browser.new_page()
    page.context.set_offline(True)
    page.goto(f"{(site / 'search.html').as_uri()}?q=receptive+field")
    page.wait_for_selector("#search-results li a", timeout=60_000)
    assert any("06_vgg_blocks" in link.get_attribute("href")
               for link in page.locator("#search-results li a").all())
    page.close()
