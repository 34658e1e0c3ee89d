"""Slides and handouts: cut by marks, whole in one file, and nothing cut off."""

import base64
import re
from functools import cache
from io import BytesIO
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from playwright.sync_api import sync_playwright
from test_browser import CHROMIUM

pytest.importorskip("sphinx_revealjs", reason="slides need the teach extra: make slides")

from tools import handout, notebooks, slides  # noqa: E402

ROOT = Path(__file__).parents[1]

NOTEBOOKS = [ROOT / "notebooks" / f"{folder.name}.ipynb" for folder in notebooks.lesson_folders()]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
with_sample = pytest.mark.parametrize("path", [None, *NOTEBOOKS],
                                      ids=lambda path: path.stem if path else "sample")
in_browser = pytest.mark.skipif(not CHROMIUM, reason="no chromium: install it, or set CHROMIUM")
# What is wrong with the slide in sight, and how small its smallest type is (formulas have
# exponents, which are smaller).
LOOK = """() => {
  const slide = Reveal.getCurrentSlide(), edge = slide.getBoundingClientRect();
  const scrolls = slide.style.overflow === 'auto';
  const cut = scrolls ? [] : [...slide.querySelectorAll('*')].filter(part => {
    const box = part.getBoundingClientRect();
    return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight ||
      box.right > edge.right + 1 || box.bottom > edge.bottom + 1 ||
      part.tagName === 'PRE' && part.scrollWidth > part.clientWidth + 1;
  });
  const written = [...slide.querySelectorAll('*')].filter(part => !part.closest('math') &&
    [...part.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  const images = [...slide.querySelectorAll('img')];
  return {cut: cut.map(part => part.outerHTML.slice(0, 100)), scrolls,
          kind: slide.className, size: parseInt(slide.style.getPropertyValue('--size')),
          words: slide.innerText.trim(), pictures: images.length,
          type: Math.min(99, ...written.map(part => parseFloat(getComputedStyle(part).fontSize))),
          broken: images.filter(image => !image.naturalWidth).length};
}"""


def text(source, *tags):
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": list(tags)})


def code(source, *tags, outputs=()):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}, outputs=list(outputs))


@cache
def picture(width=6.0, height=4.0):
    """Return an output as a cell has it that drew a plot of width x height inches."""
    figure = Figure((width, height), dpi=200, layout="constrained")
    axes = figure.subplots()
    axes.plot([4, 1, 3, 0], marker="o")
    axes.set(xlabel="row of the image", ylabel="mean of the map")
    file = BytesIO()
    figure.savefig(file, format="png")
    return nbformat.v4.new_output(
        "display_data", {"image/png": base64.b64encode(file.getvalue()).decode(),
                         "text/plain": "<Figure>"}, metadata={"image/png": {"alt": "A plot."}})


def printed(words):
    return nbformat.v4.new_output("stream", text=words)


def sample():
    """Return a small built notebook with every mark, every layout and cells that stay away."""
    kernel_code = "kernel = torch.tensor([[1.0, -1.0]])\nY = corr2d(X, kernel)\nY"
    return nbformat.v4.new_notebook(cells=[
        text("# Convolution: one small window, moved over the image\n\nHow can a layer find an "
             "edge wherever it is, with a handful of numbers?\n\nFacts.\n\nYou will be able to"),
        code("import torch"),
        text("""## A window that moves

<!-- handout -->
<!-- slide: A window moves over the image -->
The same four numbers look at every place of the image.
Where the window fits the pattern, the answer is large. <!-- gloss: pattern -->

![The field of 5 by 5 pixels that one output sees](../images/receptive_field.svg)

*Each output sees a small square, and neighbours see nearly the same one.*
<!-- /slide -->
<!-- /handout -->

This sentence is for readers alone.

<!-- slide: From LeNet to VGG -->
In twenty years the window became smaller, and the network deeper.

![A line of years with the networks above it](../images/timeline.svg)
<!-- /slide -->

<!-- slide: The formula -->
<!-- handout -->
Each output is a sum of products:

$$Y_{i,j} = \\sum_{a=0}^{k-1} \\sum_{b=0}^{k-1} X_{i+a,\\,j+b}\\, K_{a,b}$$

- $X$ is the image, $K$ the kernel, $k$ its side;
- the output is smaller by $k - 1$.
<!-- /handout -->
<!-- /slide -->"""),
        code('d2lvgg.predict("03", """The kernel (1, -1) is moved over a white image with one '
             'black column. What is left in the output?\n\n'
             "- [ ] A black column: the kernel would have to copy the image.\n"
             "- [x] Two columns, one of 1 and one of -1: only where neighbours differ is the "
             "difference not 0.\n"
             '- [ ] The whole image, a little darker: a mean would do that.\n""")',
             "predict"),
        code("plot(Y)", "answer", outputs=[printed("Look.\n"), picture()]),
        text("<details><summary>What the run shows</summary>\n\nHidden.\n\n</details>", "answer"),
        code("# The number of edges in the text.\nassert secret_check", "check"),
        text("""<!-- slide: A kernel in three lines -->
The kernel holds two numbers: right minus left.

<!-- slide-code -->

<!-- slide-output -->
<!-- /slide -->"""),
        code("assert other_check", "check", outputs=[printed("not on a slide")]),
        code(kernel_code, outputs=[printed("tensor([[ 0.,  1.,  0.,  0.,  0., -1.,  0.],\n"
                                           "        [ 0.,  1.,  0.,  0.,  0., -1.,  0.]])\n")]),
        text("""<!-- slide: What the maps say -->
Eight kernels make eight maps. Each is bright where its own pattern stands in the image.
<!-- slide-output -->
<!-- /slide -->"""),
        code("draw()", outputs=[picture(10, 3)]),
        text("""<!-- slide: A tall one -->
Deep layers see more: their field grows with each layer.
<!-- slide-output -->
<!-- /slide -->"""),
        code("draw_tall()", outputs=[picture(4, 6)]),
        code('d2lvgg.predict("03", """A layer has 8 kernels of 3 x 3 for one channel. '
             'How many weights does it hold?\n\n- [ ] 24: 3 x 3 is 9.\n'
             '- [x] 72: eight kernels of nine numbers each, wherever they look.\n'
             '- [ ] It depends: the image may have any size, and the kernels stay.\n""")',
             "predict"),
        text("""<!-- slide: Shared weights -->
<!-- handout -->
| layer | weights | sees |
|---|---|---|
| linear, 28 x 28 to 26 x 26 | 529,984 | everything, everywhere anew |
| convolution, 3 x 3 | 9 | a small square, the same way everywhere |

**The same numbers at every place**: that is all there is to it.
<!-- /handout -->
<!-- /slide -->

<!-- slide: One sentence -->
A convolution is a linear layer that was told that places are alike.
<!-- /slide -->

## Exercises

### 1. An edge of your own (5 minutes, difficulty 1, core)

### 2. Count the weights (10 minutes, difficulty 2)

## Where next

Research went on to attention.

- Why do trained first layers look alike in all networks?
- How small may a kernel be?

The next lesson, [04 Parameters](04_parameters.ipynb), asks what a network starts with.

## References

- A paper"""),
    ])


@pytest.fixture
def built(tmp_path):
    """The sample, written to a file."""
    path = tmp_path / "03_sample.ipynb"
    nbformat.write(sample(), path)
    return path


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[
            "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        yield browser
        browser.close()


def open_offline(browser, page_text, folder):
    """Open a page with no network. Return it, and a list that collects its errors."""
    errors, target = [], folder / "page.html"
    target.write_text(page_text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.context.set_offline(True)
    page.goto(target.as_uri())
    return page, errors


def plain(html):
    return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())


def assert_loads_nothing(page):
    addresses = [tag.get("src") or tag.get("href") for tag in page.select("[src], link[href]")]
    assert [address for address in addresses if not address.startswith("data:")] == []
    assert not re.search(r"@import|url\((?!data:)", "".join(
        style.get_text() for style in page.select("style")))


def test_marks_make_the_slides():
    found = slides.cut(sample())
    assert [(slide.kind, slide.title) for slide in found] == [
        ("title", "Convolution: one small window, moved over the image"),
        ("marked", "A window moves over the image"), ("marked", "From LeNet to VGG"),
        ("marked", "The formula"), ("question", "What do you expect?"),
        ("answer", "What the run shows"), ("marked", "A kernel in three lines"),
        ("marked", "What the maps say"), ("marked", "A tall one"),
        ("question", "What do you expect?"), ("answer", "What the run shows"),
        ("marked", "Shared weights"), ("marked", "One sentence"), ("marked", "Where next")]
    everything = " ".join(slide.text + "".join(slide.shown) for slide in found)
    for absent in ("readers alone", "_check", "not on a slide", "Hidden", "import torch", "<!--"):
        assert absent not in everything


def test_pictures_and_outputs_stand_beside_the_text():
    _, window, _, formula, *_, maps, _, _, _, _, _, _ = found = slides.cut(sample())
    assert "The same four numbers" in window.text
    assert "Each output sees" not in window.text
    assert window.shown[0].startswith("<img")
    assert "data:image/svg+xml" in window.shown[0]
    assert "<figcaption>Each output sees" in window.shown[0]
    assert formula.shown == ()
    assert 'display="block"' in formula.text
    source, output = found[6].shown
    assert "kernel = torch.tensor" in plain(source).replace(" . ", ".").replace(" ( ", "(")
    assert plain(output).startswith("tensor([[ 0., 1.,")
    assert maps.shown[0].startswith('<img alt="A plot."')


def test_a_prediction_is_asked_before_it_is_answered():
    found = slides.cut(sample())
    question, answer, short, last = found[4], found[5], found[9], found[10]
    assert plain(question.text).endswith("C The whole image, a little darker")
    assert "neighbours differ" not in question.text
    assert question.shown == ()
    assert plain(answer.text).endswith("B Two columns, one of 1 and one of -1 Only where "
                                       "neighbours differ is the difference not 0.")
    assert [piece[:4] for piece in answer.shown] == ["<img"]
    # The second prediction has no picture: the other choices stay, without their reasons.
    assert "choices row" in short.text
    right, = BeautifulSoup(last.text, "html.parser").select("li.right")
    assert plain(str(right)) == "B 72 Eight kernels of nine numbers each, wherever they look."
    assert plain(last.text).endswith("C It depends")
    assert last.shown == ()


def test_the_last_slide_leads_on():
    last = slides.cut(sample())[-1]
    assert plain(last.text).startswith("Why do trained first layers")
    assert 'href="04_parameters.html"' in last.text
    marked = sample()
    marked.cells[-1].source = marked.cells[-1].source.replace(
        "Research went on", "<!-- slide: Since then -->\nResearch went on").replace(
        "attention.", "attention.\n<!-- /slide -->")
    assert slides.cut(marked)[-1].title == "Since then"


@pytest.mark.parametrize("broken", ["<!-- slide: A -->\ntext", "text\n<!-- /slide -->",
                                    "<!-- slide: A -->\na\n<!-- slide: B -->\nb\n<!-- /slide -->"])
def test_a_mark_that_is_not_closed_is_named(broken):
    cells = [text("# A\n\nWhy?"), text(broken + "\n\n<!-- slide: C -->\nc\n<!-- /slide -->")]
    with pytest.raises(ValueError, match=r"are no pairs"):
        slides.cut(nbformat.v4.new_notebook(cells=cells))


def test_a_lesson_with_no_marks_is_cut_by_headings_predictions_and_height():
    def cut(*cells):
        found = slides.cut(nbformat.v4.new_notebook(cells=list(cells)))
        assert {slide.kind for slide in found} == {"unmarked"}
        return [plain(slide.text) for slide in found]

    shown = picture()
    assert cut(text("# A\n\ntext\n\n## B\n\n**Predict.** What?"),
               code("x\n", outputs=[printed("1"), shown, shown]),
               text("*A caption.*\n\nafter\n\n### C\n\nlast")) == [
        "A text", "B Predict. What?", "x 1", "A caption. after", "C last"]
    full = " ".join("x" * 12)
    assert cut(text("# A"), *[code("x\n" * 12) for _ in range(3)]) == [f"A {full}", full, full]


def test_what_is_folded_stays_in_one_piece():
    folded = "<details><summary>Hint</summary>\n\na\n\nb\n\n</details>"
    assert list(slides.blocks(f"one\n\n{folded}\n\ntwo")) == ["one", folded, "two"]
    assert list(slides.blocks("You can\n\n- a;\n- b.\n\nend")) == ["You can\n\n- a;\n- b.", "end"]


@each_notebook
def test_a_deck_loads_nothing_and_holds_what_it_should(path):
    page = BeautifulSoup(slides.make_deck(path), "html.parser")
    assert_loads_nothing(page)
    assert "$$" not in "".join(p.get_text() for p in page.select("p"))
    cells = nbformat.read(path, as_version=4).cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    if page.select("section.marked"):
        assert len(page.select("section.marked")) - words.count("<!-- slide:") in (0, 1)
        return
    assert len(page.select("h1, h2, h3")) == len(re.findall(r"^#{1,3} .+$", words, re.M))
    assert len(page.select(".source")) == sum(cell.cell_type == "code" for cell in cells)
    assert len(page.select("math")) >= words.count("$$") // 2


@pytest.mark.browser
@pytest.mark.slow
@in_browser
@with_sample
def test_every_slide_fits_without_a_network(path, browser, built, tmp_path):
    page, errors = open_offline(browser, slides.make_deck(path or built), tmp_path)
    page.wait_for_function("() => window.Reveal && Reveal.isReady()")
    seen = []
    while True:
        seen.append(page.evaluate(LOOK))
        if page.evaluate("() => Reveal.isLastSlide()"):
            break
        page.keyboard.press("Space")
    assert errors == []
    assert len(seen) == page.evaluate("() => Reveal.getTotalSlides()")
    page.close()
    assert [slide["cut"] for slide in seen if slide["cut"] or slide["broken"]] == []
    assert [slide for slide in seen if not slide["words"] and not slide["pictures"]] == []
    if seen[0]["kind"].startswith("unmarked"):
        assert len(seen) >= 20
        # A rule that cuts badly would need small type and scrolling often.
        assert sum(slide["size"] < 30 for slide in seen) <= len(seen) / 10
        assert sum(slide["scrolls"] for slide in seen) <= 1
        return
    assert 12 <= len(seen) <= 25
    assert [slide["words"] for slide in seen if slide["scrolls"] or slide["type"] < 24] == []


def test_a_handout_holds_its_parts_in_order(built):
    page = BeautifulSoup(handout.make_handout(built), "html.parser")
    assert_loads_nothing(page)
    words = plain(str(page.body))
    order = [words.index(part) for part in (
        "Lesson 03", "Convolution: one small window", "How can a layer find an edge",
        "The same four numbers", "Each output is a sum", "529,984", "Notes",
        "1 An edge of your own 5 minutes, core", "2 Count the weights 10 minutes, more")]
    assert order == sorted(order)
    assert "for readers alone" not in words
    assert len(page.select("img")) == 1
    assert len(page.select("math[display=block]")) == 1


def test_a_handout_has_marks_and_250_words_at_most(built, tmp_path):
    notebook = sample()
    notebook.cells[2].source = notebook.cells[2].source.replace("The same", "word " * 250)
    nbformat.write(notebook, built)
    with pytest.raises(ValueError, match="words are marked for the handout"):
        handout.make_handout(built)
    nbformat.write(nbformat.v4.new_notebook(cells=[text("# A\n\nWhy?")]), built)
    assert handout.make_handout(built) is None


@pytest.mark.browser
@pytest.mark.slow
@in_browser
@with_sample
def test_a_handout_is_one_page(path, browser, built, tmp_path):
    made = handout.make_handout(path or built)
    if made is None:
        pytest.skip("nothing is marked for a handout")
    page, errors = open_offline(browser, made, tmp_path)
    printed_page = page.pdf(prefer_css_page_size=True)
    loaded = page.evaluate("() => [...document.images].every(image => image.naturalWidth)")
    page.close()
    assert errors == []
    assert loaded
    assert len(re.findall(rb"/Type\s*/Page\b", printed_page)) == 1
