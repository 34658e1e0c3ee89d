"""The slides: cut by rule, whole in one file, and nothing cut off on the screen."""

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from test_browser import CHROMIUM

pytest.importorskip("sphinx_revealjs", reason="slides need the teach extra: make slides")

from tools import notebooks, slides  # noqa: E402

ROOT = Path(__file__).parents[1]

NOTEBOOKS = [ROOT / "notebooks" / f"{folder.name}.ipynb" for folder in notebooks.lesson_folders()]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
OVERFLOW = """() => {
  const slide = Reveal.getCurrentSlide(), edge = slide.getBoundingClientRect();
  const scrolls = slide.style.overflow === 'auto';
  const cut = scrolls ? [] : [slide, ...slide.querySelectorAll('*')].filter(part => {
    const box = part.getBoundingClientRect();
    return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight ||
      box.right > edge.right + 1 || box.bottom > edge.bottom + 1;
  });
  return {cut: cut.map(part => part.outerHTML.slice(0, 100)), scrolls,
          size: parseInt(slide.style.fontSize), words: slide.innerText.trim(),
          broken: [...slide.querySelectorAll('img')].filter(image => !image.naturalWidth).length,
          pictures: slide.querySelectorAll('img').length};
}"""


def kinds(*cells):
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    return [(cell.source, cell.metadata["slideshow"]["slide_type"])
            for cell in slides.cut(notebook)]


def test_headings_predictions_and_pictures_start_slides():
    picture = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
    found = kinds(
        nbformat.v4.new_markdown_cell("# A\n\ntext\n\n## B\n\n**Predict.** What?"),
        nbformat.v4.new_code_cell("x = 1\n", outputs=[picture, picture]),
        nbformat.v4.new_markdown_cell("*A caption.*\n\nafter\n\n### C\n\nlast"))
    assert found == [
        ("# A", "slide"), ("text", "-"), ("## B", "slide"), ("**Predict.** What?", "-"),
        ("x = 1\n", "subslide"), ("", "-"), ("", "subslide"), ("*A caption.*", "-"),
        ("after", "-"), ("### C", "subslide"), ("last", "-")]


def test_a_full_slide_is_followed_by_another():
    cells = [nbformat.v4.new_markdown_cell("# A")]
    cells += [nbformat.v4.new_code_cell("x\n" * 12) for _ in range(3)]
    assert [kind for _, kind in kinds(*cells)] == ["slide", "-", "subslide", "subslide"]


def test_what_is_folded_stays_in_one_piece():
    folded = "<details><summary>Hint</summary>\n\na\n\nb\n\n</details>"
    assert list(slides.blocks(f"one\n\n{folded}\n\ntwo")) == ["one", folded, "two"]
    assert list(slides.blocks("You can\n\n- a;\n- b.\n\nend")) == ["You can\n\n- a;\n- b.", "end"]


@each_notebook
def test_a_deck_holds_its_whole_lesson_and_loads_nothing(path):
    page = BeautifulSoup(slides.make_deck(path), "html.parser")
    addresses = [tag.get("src") or tag.get("href") for tag in page.select("[src], link[href]")]
    assert [address for address in addresses if not address.startswith("data:")] == []
    assert not re.search(r"@import|url\((?!data:)", "".join(
        style.get_text() for style in page.select("style")))
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert len(page.select("h1, h2, h3")) == len(re.findall(r"^#{1,3} .+$", text, re.M))
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert len(page.select(".highlight[class*=hl-]")) == len(code)
    assert len(page.select("math")) >= text.count("$$") // 2
    assert "$$" not in "".join(p.get_text() for p in page.select("p"))


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no chromium: install it, or set CHROMIUM")
@each_notebook
def test_every_slide_fits_without_a_network(path, tmp_path):
    deck = tmp_path / "deck.html"
    deck.write_text(slides.make_deck(path), encoding="utf-8")
    errors, seen = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[
            "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(request.url))
        page.context.set_offline(True)
        page.goto(deck.as_uri())
        page.wait_for_function("() => window.Reveal && Reveal.isReady()")
        while True:
            seen.append(page.evaluate(OVERFLOW))
            if page.evaluate("() => Reveal.isLastSlide() && !Reveal.availableRoutes().down"):
                break
            page.keyboard.press("Space")
        total = page.evaluate("() => Reveal.getTotalSlides()")
        browser.close()
    assert errors == []
    assert len(seen) == total >= 20
    assert [slide["cut"] for slide in seen if slide["cut"] or slide["broken"]] == []
    assert [slide for slide in seen if not slide["words"] and not slide["pictures"]] == []
    # Smaller type and scrolling are for the few: a rule that cuts badly would need them often.
    assert sum(slide["size"] < 100 for slide in seen) <= len(seen) / 10
    assert sum(slide["scrolls"] for slide in seen) <= 1
