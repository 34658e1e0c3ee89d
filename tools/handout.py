"""Make a page to hand out of each built notebook: A4, to print, in one HTML file.

    python -m tools.handout                 make build/handouts/NN_name.html of every lesson
    python -m tools.handout 03              ... of this lesson

On it stand the title, the question, what lesson.md has between <!-- handout --> and
<!-- /handout -->, room for notes, and the exercises. <!-- slide-output --> brings the next code
cell's output onto it, as onto a slide. A lesson with no such marks gets no handout.
"""

import argparse
import re
from pathlib import Path

import nbformat

from tools.notebooks import ROOT, lesson_folders, number_of
from tools.slides import (
    CODE,
    blocks,
    marked_parts,
    page_html,
    text_and_shown,
    to_html,
    to_inline,
)

OUT = ROOT / "build" / "handouts"
WORDS = 250  # what a reader takes in, and what leaves room for notes
# A full page gets somewhat smaller type, and with it smaller pictures.
FIT = """
for (let size = 11; size >= 9 && document.body.offsetHeight > 1122; size -= 0.25)
  document.body.style.fontSize = `${size}pt`;
"""


def exercises(notebook):
    """Return a line of HTML for each exercise: number, name, minutes, core or more."""
    lines = []
    for cell in notebook.cells:
        for number, name, about in re.findall(
                r"^### (\d+)\. (.+) \((\d+ minutes.*)\)$", cell.source, re.M):
            minutes = re.match(r"\d+ minutes", about)[0]
            kind = re.search("core|$", about)[0] or "more"
            lines.append(f'<li class="{kind}"><b>{number}</b> {to_inline(name)} '
                         f"<span>{minutes}, {kind}</span></li>")
    return "".join(lines)


def make_handout(path):
    """Return the page of a built notebook as the text of one HTML file, or None with no marks.

    Raises ValueError if more than WORDS words are marked.
    """
    notebook = nbformat.read(path, as_version=4)
    parts = [part for place in range(len(notebook.cells))
             for part in marked_parts("handout", notebook.cells[place:])]
    if not parts:
        return None
    no_words = r"<!--.*?-->|!\[.*?\]\(.*?\)|\$\$.*?\$\$"
    count = sum(any(map(str.isalnum, word)) for _, text, _ in parts
                for word in re.sub(no_words, "", text, flags=re.S).split())
    if count > WORDS:
        raise ValueError(f"{path.stem}: {count} words are marked for the handout, "
                         f"and a page has room for {WORDS}")
    heading, question = list(blocks(notebook.cells[0].source))[:2]
    title = heading.removeprefix("# ")
    sections = []
    for _, markdown, code in parts:
        text, shown = text_and_shown(markdown, code)
        sections.append(
            "<section>" + f'<div class="text">{text}</div>' * bool(text.strip())
            + "".join(f"<figure>{piece}</figure>" for piece in shown) + "</section>")
    body = (f"<header><p>Lesson {number_of(path.stem)}</p><h1>{to_inline(title)}</h1>"
            f'<div class="question">{to_html(question)}</div></header>{"".join(sections)}'
            '<div class="notes"><h2>Notes</h2></div>'
            f"<footer><h2>Exercises</h2><ul>{exercises(notebook)}</ul></footer>")
    return page_html(f"{number_of(path.stem)} {title}", [
        CODE.get_style_defs(".highlight"),
        (ROOT / "tools" / "handout.css").read_text(encoding="utf-8")], body,
        [f"addEventListener('load', () => {{{FIT}}});"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 03; default all")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write into")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for lesson in lesson_folders(options.lessons):
        page = make_handout(ROOT / "notebooks" / f"{lesson.name}.ipynb")
        target = options.out / f"{lesson.name}.html"
        if page:
            target.write_text(page, encoding="utf-8")
        print(target if page else f"{lesson.name}: nothing is marked for a handout")


if __name__ == "__main__":
    main()
