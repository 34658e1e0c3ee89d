"""Turn the built notebooks into slides: one HTML file a lesson, which needs no network.

    python -m tools.slides                  make build/slides/NN_name.html of every lesson
    python -m tools.slides 06 07            ... of these lessons

A rule cuts a lesson into slides. A heading of level 1 or 2 starts one, to the right. A heading of
level 3 starts one below it, and so does what follows a prediction, or has no room any more. A
caption stays with its picture. Solutions are left out, as the student's notebook has none.
Everything is inside the file: reveal.js, from the sphinx-revealjs package, the pictures, and
formulas as MathML, which browsers draw themselves and screen readers read.
"""

import argparse
import math
import re
from importlib.resources import files
from pathlib import Path

import nbformat
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert import SlidesExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

from tools.notebooks import ROOT, lesson_folders

OUT = ROOT / "build" / "slides"
REVEAL = files("sphinx_revealjs") / "_static" / "revealjs" / "dist"
ROOM, PICTURE = 620, 480  # pixels a slide has for its content, and a picture takes of it

CSS = """
body { margin: 0; font: 30px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #222; }
.reveal { line-height: 1.35; } .reveal .slides { text-align: left; }
.reveal .slides > section { padding: 0; }
.reveal .slides > section > section { box-sizing: border-box; width: 100%; height: 100%;
  padding: 0 50px; overflow-wrap: break-word; }
.reveal .slide-number { left: 8px; right: auto; } .reveal .controls { font-size: 6px; }
h1 { font-size: 1.9em; } h2 { font-size: 1.5em; } h3 { font-size: 1.2em; }
h1, h2, h3 { line-height: 1.2; margin: 0.4em 0; color: #0b4f7a; }
p, ul, ol, table, pre { margin: 0.5em 0; }
section img { display: block; max-width: 100%; max-height: 520px; margin: 0.3em auto; }
.jp-RenderedImage img { width: 100%; height: 480px; object-fit: contain; }
pre { font: 0.72em/1.35 "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; }
code { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 0.88em; }
pre code { font-size: 1em; }
.highlight pre { background: #f5f6f7; border-left: 4px solid #0b4f7a; padding: 0.5em 0.8em; }
.jp-OutputArea pre { padding-left: 1em; }
table { border-collapse: collapse; font-size: 0.75em; }
th, td { padding: 0.2em 0.7em; border-bottom: 1px solid #bbb; text-align: left; }
math[display=block] { margin: 0.4em 0; }
summary { color: #0b4f7a; } a { color: #0b5cad; }
.anchor-link, .jp-InputPrompt, .jp-OutputPrompt { display: none; }
"""
# What is too long for its slide gets smaller type; what is still too long can be scrolled.
FIT = """
function fit(slide) {
  for (const size of [100, 92, 84, 76, 68, 60]) {
    slide.style.fontSize = size + '%';
    slide.style.overflow = 'visible';
    if (slide.scrollHeight <= slide.clientHeight && slide.scrollWidth <= slide.clientWidth) return;
  }
  slide.style.overflow = 'auto';
  slide.tabIndex = 0;
}
Reveal.on('ready', event => fit(event.currentSlide));
Reveal.on('slidechanged', event => fit(event.currentSlide));
Reveal.initialize({width: 1280, height: 720, margin: 0.03, center: false, hash: true,
                   slideNumber: 'c/t', transition: 'none'});
"""
TEMPLATE = """
{%- extends 'reveal/base.html.j2' -%}
{% block header %}<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ nb.metadata.title }}</title>
<style>{{ resources.reveal_css }}</style>
{% for css in resources.inlining.css %}<style>{{ css }}</style>{% endfor %}
<style>{{ resources.own_css }}</style></head>{% endblock header %}
{% block body_header %}<body><main class="reveal"><div class="slides">{% endblock %}
{% block body_footer %}</div></main>
<script>{{ resources.reveal_js }}</script>
<script>{{ resources.fit_js }}</script></body>{% endblock %}
{% block footer %}</html>{% endblock footer %}
{% block data_png %}<div class="jp-RenderedImage"><img alt="{{
  output.metadata.get('image/png', {}).get('alt', '') | escape_html_keep_quotes }}"
  src="data:image/png;base64,{{ output.data['image/png'] }}"></div>{% endblock data_png %}
"""


class Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas as MathML."""

    def inline_math(self, body):
        return convert(body)

    def block_math(self, body):
        return convert(body, display="block")


class Exporter(SlidesExporter):
    """nbconvert's slides in a page that loads nothing."""

    @pass_context
    def markdown2html(self, context, source):
        # Pictures are embedded from below path only, and they lie beside notebooks/.
        return MarkdownWithMath(renderer=Renderer(
            escape=False, embed_images=True, path=str(ROOT), exclude_anchor_links=True,
        )).render(source.replace("](../images/", "](images/"))


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


def text_height(text, line, columns):
    """Return about how many pixels a text takes, with line pixels and columns characters a line."""
    return sum(line * math.ceil(len(row) / columns) for row in text.splitlines()) + 25


def pieces(notebook):
    """Yield (cell, height in pixels) of the notebook's cells, cut into paragraphs and outputs."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for block in blocks(cell.source):
                tall = PICTURE if block.startswith("![") else text_height(block, 42, 75)
                yield nbformat.v4.new_markdown_cell(block), tall
            continue
        pictures = [out for out in cell.outputs if "image/png" in out.get("data", {})]
        rest = [out for out in cell.outputs if out not in pictures]
        words = "".join(out.get("text", "") or out.get("data", {}).get("text/plain", "")
                        for out in rest)
        yield (nbformat.v4.new_code_cell(cell.source, outputs=rest),
               text_height(cell.source, 29, 86) + text_height(words, 29, 86))
        for picture in pictures:
            yield nbformat.v4.new_code_cell(
                outputs=[picture], metadata={"tags": ["picture"]}), PICTURE


def cut(notebook):
    """Return the notebook's cells cut into smaller ones, each with its slide_type."""
    cells, room, before = [], 0, ""
    for place, (cell, tall) in enumerate(pieces(notebook)):
        is_text = cell.cell_type == "markdown"
        heading = re.match(r"(#+) .*$", cell.source) if is_text else None
        caption = is_text and re.fullmatch(r"\*[^*].*\*", cell.source, re.S)
        if heading:
            kind = "slide" if len(heading[1]) < 3 else "subslide"
        elif before == "heading" or caption and before == "picture":
            kind = "-"
        else:  # after a question there is nothing more to see
            kind = "subslide" if tall > room or before == "question" else "-"
        room = (room if kind == "-" else ROOM) - tall
        before = ("heading" if heading else
                  "question" if is_text and cell.source.startswith("**Predict.**") else
                  "picture" if tall == PICTURE else "")
        cell.id = f"slide-{place}"
        cell.metadata["slideshow"] = {"slide_type": kind}
        cells.append(cell)
    return cells


def make_deck(path):
    """Return the slides of a built notebook as the text of one HTML file."""
    notebook = nbformat.read(path, as_version=4)
    heading = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    deck = nbformat.v4.new_notebook(cells=cut(notebook), metadata={
        **notebook.metadata, "title": f"{path.stem[:2]} {heading}"})
    config = Config({
        "TagRemovePreprocessor": {"remove_input_tags": ["picture"], "enabled": True},
        "CSSHTMLHeaderPreprocessor": {"style": "default"}})
    resources = {
        "own_css": CSS, "fit_js": FIT,
        "reveal_css": (REVEAL / "reveal.css").read_text(encoding="utf-8"),
        "reveal_js": (REVEAL / "reveal.js").read_text(encoding="utf-8")}
    page, _ = Exporter(config=config, raw_template=TEMPLATE).from_notebook_node(deck, resources)
    return page


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
