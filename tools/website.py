"""Turn README, TEACHING and the built notebooks into a site to read without Python: build/site.

    python -m tools.website                 make build/site, then open build/site/index.html

Nothing is executed and nothing is loaded from elsewhere: the notebooks' outputs are shown as they
are saved, formulas are MathML, and the search runs in the browser. As its own Sphinx extension,
this file also says how the site is built.
"""

import shutil
import sys

if sys.version_info < (3, 11):
    sys.exit("the site needs Python 3.11 or newer, as myst-nb does; slides and lessons do not")

import nbformat
from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx

from tools.notebooks import ROOT, lesson_folders

OUT = ROOT / "build" / "site"
SOURCE = ROOT / "build" / "site-source"  # what is shown, as the repository has it
TOCTREE = """
```{toctree}
:hidden:
:glob:

notebooks/*
TEACHING
lessons/TEACHING
CONTRIBUTING
benchmarks/README
d2lvgg/README
```
"""
PAGES = ("README.md", "TEACHING.md", "lessons/TEACHING.md", "CONTRIBUTING.md",
         "benchmarks/README.md", "d2lvgg/README.md")
CONFIG = {
    "extensions": ["myst_nb", "tools.website"],
    "project": "d2lvgg",
    "html_title": "d2lvgg: networks built from blocks",
    "html_theme": "sphinx_book_theme",
    "html_theme_options": {"show_toc_level": 2, "navbar_persistent": [],
                           "use_download_button": False, "use_fullscreen_button": False},
    "html_copy_source": False,
    "html_use_index": False,
    "html_static_path": ["_static"],
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


def make_source(folder):
    """Copy what the site shows into folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "images", folder / "images")
    (folder / "notebooks").mkdir()
    for lesson in lesson_folders():
        notebook = nbformat.read(ROOT / "notebooks" / f"{lesson.name}.ipynb", as_version=4)
        nbformat.write(to_read(notebook), folder / "notebooks" / f"{lesson.name}.ipynb")
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8").replace("(../README.md", "(../index.md")
        target = folder / ("index.md" if name == "README.md" else name)
        target.parent.mkdir(exist_ok=True)
        target.write_text(text + TOCTREE * (name == "README.md"), encoding="utf-8")
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
