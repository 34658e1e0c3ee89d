"""Turn the built notebooks into slides: one HTML file a lesson, which needs no network.

    python -m tools.slides                  make build/slides/NN_name.html of every lesson
    python -m tools.slides 06 07            ... of these lessons

Marks in lesson.md say what stands on a slide; readers of the notebook see the text, not the marks:

    <!-- slide: Title of the slide -->
    One idea, and its picture.
    <!-- slide-output -->             what the next code cell showed (slide-code: its source)
    <!-- /slide -->

A prediction becomes two slides: the question, then the answer, with the picture that the next cell
tagged `answer` drew. The title comes first and "Where next" last. A lesson with no marks yet is cut
by its headings and by height. Everything is inside the file: reveal.js, from the sphinx-revealjs
package, the pictures, and formulas as MathML, which browsers draw and screen readers read.
slides.js chooses how large the type is, and whether a picture stands beside or below it.
"""

import argparse
import ast
import math
import re
from html import escape
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import nbformat
from latex2mathml.converter import convert
from nbconvert.filters.ansi import strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from d2lvgg.predictions import parse
from tools.notebooks import ROOT, lesson_folders, number_of

OUT = ROOT / "build" / "slides"
REVEAL = files("sphinx_revealjs") / "_static" / "revealjs" / "dist"
ROOM, PICTURE = 620, 480  # pixels an unmarked slide has for its content, and a picture takes of it
CODE = HtmlFormatter(cssclass="highlight source", nobackground=True)


class Slide(NamedTuple):
    """Text stands left or above, what is shown right or below: a list of HTML, one a picture."""

    kind: str  # title, marked, question, answer, or unmarked
    title: str  # Markdown
    text: str = ""  # HTML, as shown is
    shown: tuple = ()


# From Markdown and outputs to HTML.

class Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas as MathML."""

    def inline_math(self, body):
        return convert(body)

    def block_math(self, body):
        return convert(body, display="block")


def without_marks(markdown):
    """Return Markdown without comments but slide-output and slide-code, and their empty lines."""
    comment = r"<!--(?! slide-)(?:(?!-->).)*-->"
    return re.sub(rf"^{comment}\n|{comment}", "", markdown, flags=re.S | re.M)


def to_html(markdown):
    """Return Markdown as HTML: pictures inside, links to other lessons' slides, no marks."""
    # Pictures are embedded from below path only, and they lie beside notebooks/.
    markdown = re.sub(r"\]\((\.\./)+images/", "](images/", without_marks(markdown))
    return MarkdownWithMath(renderer=Renderer(
        escape=False, embed_images=True, path=str(ROOT), exclude_anchor_links=True,
    )).render(re.sub(r"\]\((\d\w+)\.ipynb", r"](\1.html", markdown))


def to_inline(markdown):
    """Return one paragraph of Markdown as HTML that stands inside another element."""
    return to_html(markdown).strip().removeprefix("<p>").removesuffix("</p>")


def source_html(source):
    return highlight(source, PythonLexer(), CODE)


def output_html(output):
    """Return what a cell showed: a picture with its alt text, a table, or text."""
    data = output.get("data", {})
    if picture := data.get("image/png"):
        alt = escape(output.metadata.get("image/png", {}).get("alt", ""))
        return f'<img alt="{alt}" src="data:image/png;base64,{picture.strip()}">'
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    text = strip_ansi(output.get("text") or data.get("text/plain", ""))
    return f'<pre class="output">{escape(text.rstrip())}</pre>'


def blocks(source):
    """Yield the paragraphs of Markdown; what is folded or fenced, or a list, stays in one piece."""
    piece = ""
    for paragraph in re.split(r"\n\n+(?!- |1\. )", source.strip()):
        piece += paragraph
        if (piece.count("<details") > piece.count("</details")
                or len(re.findall(r"^```", piece, re.M)) % 2):
            piece += "\n\n"
            continue
        yield piece
        piece = ""


def is_caption(block):
    return re.fullmatch(r"\*[^*].*\*", block, re.S) is not None


def tags_of(cell):
    return cell.metadata.get("tags", [])


# Slides of a lesson with marks.

def marked_parts(name, cells):
    """Yield (title, Markdown, next code cell) of what is marked as name in the first of cells.

    The marks are <!-- name: title --> or <!-- name -->, and <!-- /name --> in the same cell, else
    ValueError is raised.
    """
    cell, *after = cells
    if cell.cell_type != "markdown":
        return
    opened, closed = rf"<!-- {name}(?:: (.+?))? -->", f"<!-- /{name} -->"
    found = re.findall(rf"{opened}\n(.*?){closed}", cell.source, re.S)
    if not len(found) == len(re.findall(opened, cell.source)) == cell.source.count(closed):
        raise ValueError(f"<!-- {name} --> and {closed} are no pairs in the text that begins "
                         f"{cell.source[:60]!r}; where code stands between, mark each side")
    code = next((cell for cell in after if cell.cell_type == "code"
                 and not {"predict", "check"} & set(tags_of(cell))), None)
    for title, text in found:
        yield title, text, code


def text_and_shown(markdown, code):
    """Return a marked part's (text, what is shown): its pictures with captions, outputs, code."""
    text, shown = [], []
    markdown = re.sub(r"(<!-- slide-\w+ -->)", r"\n\n\1\n\n", without_marks(markdown))
    for block in blocks(markdown):
        if block.startswith("!["):
            shown.append(to_inline(block))
        elif is_caption(block) and shown:
            shown[-1] += f"<figcaption>{to_inline(block[1:-1])}</figcaption>"
        elif mark := re.fullmatch("<!-- slide-(output|code) -->", block):
            if code is None:
                raise ValueError(f"{block}, and no code cell follows")
            shown += ([source_html(code.source)] if mark[1] == "code" else
                      [output_html(output) for output in code.outputs])
        else:
            text.append(block)
    return to_html("\n\n".join(text)), tuple(shown)


def prediction(source):
    """Return (question, [(choice, reason, is right), ...]) of a cell that calls d2lvgg.predict."""
    call = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return parse(call.args[1].value)


def prediction_slides(cells):
    """Yield two slides of the first cell, a prediction: the question, then the answer.

    Beside the answer stand the pictures of the next code cell tagged `answer`, if it has any.
    """
    question, choices = prediction(cells[0].source)
    text, shown = text_and_shown(question, None)
    asked = [f"<li><b>{letter}</b><span>{to_inline(choice)}</span></li>"
             for letter, (choice, *_) in zip("ABCD", choices)]  # noqa: B905
    short = " row" * all(len(choice) < 20 for choice, *_ in choices)
    yield Slide("question", "What do you expect?",
                f'{text}<ul class="choices{short}">{"".join(asked)}</ul>', shown)
    below = takewhile(lambda cell: "predict" not in tags_of(cell), cells[1:])
    answer = next((cell for cell in below if cell.cell_type == "code"
                   and "answer" in tags_of(cell)), {})
    pictures = tuple(output_html(output) for output in answer.get("outputs", [])
                     if "image/png" in output.get("data", {}))
    answered = []
    for item, (_, reason, right) in zip(asked, choices, strict=True):
        if right:
            because = f"<em>{to_inline(reason[0].upper() + reason[1:])}</em></span></li>"
            answered.append('<li class="right">' + item.removeprefix("<li>").replace(
                "</span></li>", because))
        elif not pictures:  # beside a picture there is room for one
            answered.append(item)
    yield Slide("answer", "What the run shows",
                f'{text}<ul class="choices">{"".join(answered)}</ul>', pictures)


def where_next(notebook):
    """Return the last slide: the open questions of "Where next", and the way on."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    section = re.search(r"^## Where next\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not section or "<!-- slide:" in section[1]:
        return []
    *before, last = blocks(section[1])
    # A list is in one block with the paragraph before it, which stays if it announces the list.
    questions = [re.sub(r"\A.*[^:]\n\n(?=(-|1\.) )", "", block, flags=re.S)
                 for block in before if re.search(r"^(-|1\.) ", block, re.M)]
    text = "\n\n".join([*(questions or before), last])
    return [Slide("marked", "Where next", to_html(text))]


def marked_slides(notebook):
    """Yield the slides of a lesson: title, what is marked and predictions in order, where next."""
    heading, question = list(blocks(notebook.cells[0].source))[:2]
    yield Slide("title", heading.removeprefix("# "), to_html(question))
    shown_in_class = []
    for cell in notebook.cells:
        source, exercises, _ = f"{cell.source}\n".partition("\n## Exercises\n")
        shown_in_class.append(nbformat.NotebookNode(cell, source=source))
        if exercises:
            break
    for place, cell in enumerate(shown_in_class):
        if "predict" in tags_of(cell):
            yield from prediction_slides(shown_in_class[place:])
        for title, text, code in marked_parts("slide", shown_in_class[place:]):
            yield Slide("marked", title, *text_and_shown(text, code))
    yield from where_next(notebook)


# Slides of a lesson that has no marks yet.

def text_height(text, line, columns):
    """Return about how many pixels a text takes, with line pixels and columns characters a line."""
    return sum(line * math.ceil(len(row) / columns) for row in text.splitlines()) + 25


def pieces(notebook):
    """Yield (kind, HTML, height in pixels) of a notebook's paragraphs, code cells and pictures."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
            rest = [output for output in cell.outputs if output not in pictures]
            words = "".join(output.get("text") or output.data["text/plain"] for output in rest)
            yield ("code", source_html(cell.source) + "".join(map(output_html, rest)),
                   text_height(cell.source, 29, 86) + text_height(words, 29, 86))
            for picture in pictures:
                yield "picture", output_html(picture), PICTURE
            continue
        for block in blocks(cell.source):
            kind = ("heading" if re.fullmatch(r"#+ .*", block) else
                    "question" if block.startswith("**Predict.**") else
                    "picture" if block.startswith("![") else
                    "caption" if is_caption(block) else "text")
            yield kind, to_html(block), PICTURE if kind == "picture" else text_height(block, 42, 75)


def unmarked_slides(notebook):
    """Yield slides cut by a rule: a heading starts one, and what has no room, or ends a question.

    A heading stays with what follows it, and a caption with its picture.
    """
    slide, room, before = [], ROOM, ""
    for kind, html, tall in pieces(notebook):
        stays = before == "heading" or (before, kind) == ("picture", "caption")
        if slide and (kind == "heading" or not stays and (tall > room or before == "question")):
            yield Slide("unmarked", "", "".join(slide))
            slide, room = [], ROOM
        slide.append(html)
        room, before = room - tall, kind
    yield Slide("unmarked", "", "".join(slide))


def cut(notebook):
    """Return a built notebook's slides."""
    marked = any("<!-- slide:" in cell.source for cell in notebook.cells)
    return list((marked_slides if marked else unmarked_slides)(notebook))


# One page of all slides.

def slide_html(slide):
    """Return a slide as a section of reveal.js, for slides.css to lay out."""
    title = f"<h2>{to_inline(slide.title)}</h2>" if slide.title else ""
    shown = "".join(f"<figure>{piece}</figure>" for piece in slide.shown)
    parts = (f'<div class="text">{slide.text}</div>' * bool(slide.text.strip())
             + f'<div class="shown">{shown}</div>' * bool(shown))
    dark = ' data-background-color="#0b4f7a"' * (slide.kind == "title")
    return f'<section class="{slide.kind}"{dark}>{title}<div class="body">{parts}</div></section>'


def page_html(title, styles, body, scripts=()):
    """Return a page that loads nothing."""
    return "\n".join([
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>", *(f"<style>{style}</style>" for style in styles),
        f"</head><body>{body}", *(f"<script>{script}</script>" for script in scripts),
        "</body></html>"])


def make_deck(path):
    """Return the slides of a built notebook as the text of one HTML file."""
    notebook = nbformat.read(path, as_version=4)
    heading = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    sections = "\n".join(map(slide_html, cut(notebook)))
    styles = [(REVEAL / "reveal.css").read_text(encoding="utf-8"),
              CODE.get_style_defs(".highlight"),
              (ROOT / "tools" / "slides.css").read_text(encoding="utf-8")]
    scripts = [(REVEAL / "reveal.js").read_text(encoding="utf-8"),
               (ROOT / "tools" / "slides.js").read_text(encoding="utf-8")]
    return page_html(f"{number_of(path.stem)} {heading}", styles,
                     f'<main class="reveal"><div class="slides">{sections}</div></main>', scripts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 06; default all")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write into")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for lesson in lesson_folders(options.lessons):
        page = make_deck(ROOT / "notebooks" / f"{lesson.name}.ipynb")
        target = options.out / f"{lesson.name}.html"
        target.write_text(page, encoding="utf-8")
        print(f"{target}: {len(page) / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
