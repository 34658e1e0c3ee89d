"""Turn README, TEACHING and the built notebooks into a site to read without Python: build/site.

Beside them stands what a reader looks up: lessons/CHEATSHEET.md, a glossary of lessons/TERMS.md, an
index of errors from each lesson's "If it goes wrong", and the handouts that tools.handout makes.

    python -m tools.website                 make build/site, then open build/site/index.html

Nothing is executed and nothing is loaded from elsewhere: the notebooks' outputs are shown as they
are saved, formulas are MathML, and the search runs in the browser. As its own Sphinx extension,
this file also says how the site is built.
"""

import re
import shutil
import sys

if sys.version_info < (3, 11):
    sys.exit("the site needs Python 3.11 or newer, as myst-nb does; slides and lessons do not")

import nbformat
from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx

from tools.handout import make_handout
from tools.notebooks import LESSONS, ROOT, lesson_folders, number_of, title

OUT = ROOT / "build" / "site"
SOURCE = ROOT / "build" / "site-source"  # what is shown, as the repository has it
TOCTREE = """
```{toctree}
:hidden:
:glob:

notebooks/*
```

```{toctree}
:hidden:
:caption: To look up

lessons/CHEATSHEET
glossary
errors
handouts
```

```{toctree}
:hidden:
:caption: About the course

TEACHING
lessons/TEACHING
CONTRIBUTING
benchmarks/README
d2lvgg/README
```
"""
PAGES = ("README.md", "TEACHING.md", "lessons/TEACHING.md", "lessons/CHEATSHEET.md",
         "CONTRIBUTING.md", "benchmarks/README.md", "d2lvgg/README.md")
CORE_PATH = ("00", "03", "06", "07", "08", "09", "10")
CONFIG = {
    "extensions": ["myst_nb", "tools.website"],
    "project": "d2lvgg",
    "html_title": "d2lvgg: networks built from blocks",
    "html_theme": "sphinx_book_theme",
    "html_theme_options": {"show_toc_level": 2, "navbar_persistent": [],
                           "secondary_sidebar_items": {"**": ["page-toc.html"], "errors": []},
                           "use_download_button": False, "use_fullscreen_button": False},
    "html_copy_source": False,
    "html_use_index": False,
    "html_static_path": ["_static"],
    "html_extra_path": ["_extra"],  # handouts/, as they are
    "html_css_files": ["narrow.css"],
    "html_math_renderer": "mathml",
    "myst_enable_extensions": ["dollarmath"],
    "myst_heading_anchors": 3,
    "nb_execution_mode": "off",
    "nb_ipywidgets_js": {},  # else a script is loaded from a server
    "suppress_warnings": ["mystnb.unknown_mime_type"],
}
# A phone: what cannot wrap is scrolled by itself, and never the page.
CSS = """
.cell_output, .output, .pst-scrollable-table-container { overflow-x: auto; }
code.literal, code.literal .pre { white-space: pre-wrap; overflow-wrap: anywhere; }
div.formula { overflow-x: auto; padding: 0.3em 0; }
.cell_output table.dataframe :is(th, td) { padding: 0.1em 0.6em; }
#index-of-errors h2 { margin: 1.5em 0 0; font-size: 1.1em; }
@page { size: A4; margin: 12mm; }
@media print {  /* the cheat sheet: one page */
  #cheat-sheet { columns: 2; column-gap: 6mm; font-size: 7pt; line-height: 1.25; }
  #cheat-sheet > :is(h1, p) { column-span: all; display: block; }
  #cheat-sheet :is(h1, h2) { margin: 0.5em 0 0.3em; font-size: 11pt; }
  #cheat-sheet :is(p, table, div.highlight, .pst-scrollable-table-container) { margin: 0 0 0.5em; }
  #cheat-sheet :is(th, td) { padding: 0.1em 0.4em; }
  #cheat-sheet :is(code, pre) { font-size: 6.3pt; white-space: pre-wrap; }
  #cheat-sheet pre { padding: 0.5em; font-size: 5.8pt; line-height: 1.25; }
  #cheat-sheet a { color: inherit; } #cheat-sheet a::after { content: none; }
  #cheat-sheet section { break-inside: avoid; }
  #cheat-sheet code.literal { padding: 0; border: 0; background: none; }
  body:has(#cheat-sheet) :is(
    #jb-print-docs-body, #jb-print-toc, footer, .prev-next-footer) { display: none !important; }
}
"""


def setup(app):
    """Let Sphinx write formulas as MathML, which browsers draw without a script."""
    def visit(display):
        def write(writer, node):
            tag = "span" if display == "inline" else "div"
            writer.body.append(f'<{tag} class="formula">'
                               f"{convert(node.astext(), display=display)}</{tag}>")
            raise SkipNode
        return write

    app.add_html_math_renderer("mathml", (visit("inline"), None), (visit("block"), None))


def to_read(notebook):
    """Return the notebook for a reader without a kernel.

    What only serves the text's truth, or a kernel, is left out; a prediction is its text, and what
    answers it is folded; each picture has its size and its alt text where myst-nb looks for them.
    """
    notebook.cells = [cell for cell in notebook.cells if "d2lvgg.tally(" not in cell.source
                      and "check" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "predict" in tags:
            tags.append("remove-input")
        elif "answer" in tags and cell.cell_type == "code":
            tags.append("hide-output")
        told = [output.metadata["image/png"] for output in cell.get("outputs", [])
                if "image/png" in output.get("metadata", {})]
        image = {}
        if alt := " ".join(filter(None, (one.get("alt") for one in told))):
            image["alt"] = alt
        if widths := [one["width"] for one in told if "width" in one]:
            image["width"] = f"{max(widths)}px"
        if image:
            cell.metadata["mystnb"] = {"image": image}
    return notebook


def link(folder, anchor=""):
    """Return a link to a lesson as a page beside notebooks/ has it."""
    return f"[{number_of(folder.name)} {title(folder)}](notebooks/{folder.name}.ipynb{anchor})"


def glossary():
    """Return lessons/TERMS.md as a page on which each term is an entry that the search finds."""
    lessons = {number_of(folder.name): f" Lesson {link(folder)}." for folder in lesson_folders()}
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (\d\w*) \| (.+?) \|$",
                      (LESSONS / "TERMS.md").read_text(encoding="utf-8"), re.M)
    entries = [f'{term}\n  {meaning}{lessons.get(number, "")} <span lang="zh">{chinese}</span>\n'
               for term, meaning, number, chinese in rows]
    return "\n".join(["# Glossary\n\n```{glossary}\n:sorted:\n", *entries, "```\n"])


def what_goes_wrong(notebook):
    """Return [(heading, cause and remedy), ...] of a notebook's section "If it goes wrong".

    Of its code, what the run printed is left.
    """
    cells = [cell.source if cell.cell_type == "markdown" else
             "".join(f"```text\n{output.text}```\n" for output in cell.outputs if "text" in output)
             for cell in to_read(notebook).cells]
    section = re.search(r"^## If it goes wrong\n(.*?)(?=^## )", "\n\n".join(cells), re.M | re.S)
    return re.findall(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", section[1], re.M | re.S)


def errors():
    """Return a page of all that can go wrong, in the order of what is said, whatever raises it."""
    found = {}
    for folder in lesson_folders():
        notebook = nbformat.read(ROOT / "notebooks" / f"{folder.name}.ipynb", as_version=4)
        for heading, remedy in what_goes_wrong(notebook):
            found.setdefault(heading, []).append(
                f"{remedy.strip()}\n\nLesson {link(folder, '#if-it-goes-wrong')}\n")
    said = sorted(found, key=lambda heading: re.sub(r"^`?([\w.]+: )?", "", heading).casefold())
    return "\n".join(["# Index of errors\n", "Search this page for a few words of the message: the "
                      "numbers in yours will be others.\n",
                      *(f"## {heading}\n\n" + "\n".join(found[heading]) for heading in said)])


def handouts(lessons):
    """Return a page of links to these lessons' handouts."""
    return "\n".join([
        "# Handouts\n", "A page to print for each lesson: its question, key picture and formulas, "
        "room for notes, and the exercises.\n",
        *(f'- <a href="handouts/{lesson.name}.html">{number_of(lesson.name)} {title(lesson)}</a>'
          for lesson in lessons)])


def foot(lesson, has_handout):
    """Return what stands below a lesson: the core path, and its handout; the theme has the rest."""
    path, parts = lesson_folders(CORE_PATH), []
    if lesson in path:
        here = path.index(lesson)
        ways = [f"{way}: {link(other).replace('(notebooks/', '(')}" for way, others in (
            ("previous", path[:here][-1:]), ("next", path[here + 1:][:1])) for other in others]
        parts.append(f"**Core path** · {' · '.join(ways)}")
    if has_handout:
        parts.append(f'**To print** · <a href="../handouts/{lesson.name}.html">the handout</a>')
    return [nbformat.v4.new_markdown_cell("\n\n".join(["---", *parts]), id="foot")] if parts else []


def make_source(folder):
    """Write what the site shows into folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "images", folder / "images")
    (folder / "notebooks").mkdir()
    printed = folder / "_extra" / "handouts"
    printed.mkdir(parents=True)
    with_handout = []
    for lesson in lesson_folders():
        path = ROOT / "notebooks" / f"{lesson.name}.ipynb"
        if page := make_handout(path):
            (printed / f"{lesson.name}.html").write_text(page, encoding="utf-8")
            with_handout.append(lesson)
        notebook = to_read(nbformat.read(path, as_version=4))
        notebook.cells += foot(lesson, bool(page))
        nbformat.write(notebook, folder / "notebooks" / f"{lesson.name}.ipynb")
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        for up in ("", "../"):
            text = text.replace(f"({up}README.md", f"({up}index.md")
        target = folder / ("index.md" if name == "README.md" else name)
        target.parent.mkdir(exist_ok=True)
        target.write_text(text + TOCTREE * (name == "README.md"), encoding="utf-8")
    for name, text in (("glossary", glossary()), ("errors", errors()),
                       ("handouts", handouts(with_handout))):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "_static").mkdir()
    (folder / "_static" / "narrow.css").write_text(CSS, encoding="utf-8")


def make_site(out=OUT, source=SOURCE):
    """Build the site into out. Raises SphinxWarning where a link or a picture is missing."""
    make_source(source)
    app = Sphinx(source, None, out, out.with_name(f"{out.name}-doctrees"), "html",
                 confoverrides=CONFIG, status=None, freshenv=True, warningiserror=True,
                 exception_on_warning=True)
    app.build()


if __name__ == "__main__":
    make_site()
    print(OUT / "index.html")
