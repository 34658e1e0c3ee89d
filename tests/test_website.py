"""The site, read with no network: every link, every picture, on a desk and on a phone."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright
from test_browser import CHROMIUM
from test_terms import PATHS, TERMS, read_terms

pytest.importorskip("sphinx_book_theme", reason="the site needs the teach extra: make site")

from bs4 import BeautifulSoup  # noqa: E402

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


def read(site, name):
    """Return a page of the site, parsed."""
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def built_text(folder):
    """Return the text cells of a lesson's built notebook: what the site is made of."""
    path = notebooks.ROOT / "notebooks" / f"{folder.name}.ipynb"
    cells = website.nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def hrefs(part):
    return [link["href"] for link in part.find_all("a", href=True)]


STRAIGHT = str.maketrans("’“”", "'\"\"")  # Sphinx prints curly quotation marks


def test_the_glossary_has_every_term_with_its_lesson(site):
    page = read(site, "glossary")
    found = {name.get_text().removesuffix("#"): name.find_next("dd")
             for name in page.find_all("dt", id=True)}
    lessons = {notebooks.number_of(folder.name): folder.name
               for folder in notebooks.lesson_folders()}
    terms = read_terms(TERMS.read_text(encoding="utf-8"))
    assert len(terms) == len(found)
    for term in terms:
        name = f"{term.name} ({', '.join(term.others)})" if term.others else term.name
        assert found[name].find("span", lang="zh").get_text() == term.chinese
        said = " ".join(found[name].get_text().split()).translate(STRAIGHT)
        assert term.sentence.replace("`", "") in said
        assert hrefs(found[name]) == [f"notebooks/{lessons[number]}.html"
                                      for number in [term.lesson] if number in lessons]


def test_the_index_of_errors_has_every_one_with_its_lesson(site):
    page = read(site, "errors")
    assert "{{" not in page.find("article").get_text()
    found = {part.h2.get_text().removesuffix("#"): part for part in page.find_all("section")
             if part.h2}
    links = 0
    for folder in notebooks.lesson_folders():
        text = built_text(folder)
        said = text.split("\n## If it goes wrong\n")[1].split("\n## ")[0]
        for heading in re.findall(r"^### (.+)$", said, re.M):
            part = found[heading.replace("`", "")]
            assert f"notebooks/{folder.name}.html#if-it-goes-wrong" in hrefs(part)
            links += 1
    assert links == sum("#if-it-goes-wrong" in link for link in hrefs(page))


def test_the_same_error_stands_together_whatever_raises_it():
    cells = [website.nbformat.v4.new_markdown_cell(
                 "## If it goes wrong\n\n### `ValueError: b`\n\nNot so.\n\n### It stays\n\nSee:"),
             website.nbformat.v4.new_code_cell("print(1)", outputs=[
                 website.nbformat.v4.new_output("stream", text="the whole of it\n")]),
             website.nbformat.v4.new_markdown_cell("Wait.\n\n## Summary\n\n### not this")]
    (first, cause), (second, remedy) = website.what_goes_wrong(
        website.nbformat.v4.new_notebook(cells=cells))
    assert (first, cause.strip(), second) == ("`ValueError: b`", "Not so.", "It stays")
    assert "print(1)" not in remedy
    assert re.search(r"See:\s+```text\nthe whole of it\n```\s+Wait.", remedy)
    page = website.errors()
    said = re.findall(r"^## (.+)$", page, re.M)
    sizes = [place for place, heading in enumerate(said) if "Given input size" in heading]
    assert len(sizes) > 1
    assert sizes == list(range(sizes[0], sizes[0] + len(sizes)))


def test_every_marked_lesson_has_a_handout_that_can_be_reached(site):
    listed = hrefs(read(site, "handouts").find("article"))
    marked = [folder.name for folder in notebooks.lesson_folders()
              if "<!-- handout -->" in built_text(folder)]
    assert marked
    assert [f"handouts/{name}.html" for name in marked] == [
        link for link in listed if link.startswith("handouts/")]
    for name in marked:
        assert (site / "handouts" / f"{name}.html").exists()
        assert f"../handouts/{name}.html" in hrefs(read(site, f"notebooks/{name}").find("article"))


def test_one_gets_through_the_course_along_both_paths(site):
    every = [folder.name for folder in notebooks.lesson_folders()]
    core = [folder.name for folder in notebooks.lesson_folders(website.CORE_PATH)]
    assert list(website.CORE_PATH) == PATHS["core"]
    assert f"**{', '.join(website.CORE_PATH)}**" in (website.ROOT / "README.md").read_text()
    for name in every:
        page = read(site, f"notebooks/{name}")
        place = every.index(name)
        for arrow, there in (("left-prev", place - 1), ("right-next", place + 1)):
            if 0 <= there < len(every):
                assert page.find("a", class_=arrow)["href"] == f"{every[there]}.html"
        line = next((part for part in page.find_all("p")
                     if part.get_text().startswith("Core path")), None)
        if name not in core:
            assert line is None
            continue
        place = core.index(name)
        beside = {"previous": place - 1, "next": place + 1}
        assert hrefs(line) == [f"{core[there]}.html" for there in beside.values()
                               if 0 <= there < len(core)]
        assert re.findall("previous|next", line.get_text()) == [
            way for way, there in beside.items() if 0 <= there < len(core)]


@pytest.mark.browser
def test_the_cheat_sheet_is_one_printed_page(site, browser):
    page = browser.new_page()
    page.goto((site / "lessons" / "CHEATSHEET.html").as_uri())
    printed_page = page.pdf(prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed_page)) == 1


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
