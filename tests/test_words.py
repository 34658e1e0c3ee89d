"""Spelling, by codespell, and the course's own words."""

import re
import subprocess
import sys

import pytest
from prose import is_new_frame, prose

from tools.notebooks import LESSONS, ROOT

PAGES = ["README.md", "TEACHING.md", "CONTRIBUTING.md", "lessons/*.md", "lessons/*/*.md",
         "d2lvgg/*.py", "tools/*.py"]

# What is not said in the prose of lessons in the new frame: a pattern, and what to say instead.
AVOIDED = {
    r"\b(?:\d[\d,]*|sixteen|hundred|thousand|test|training|validation|held-out|input|made-up|grey"
    r"|CIFAR-10|Fashion-MNIST) pictures?\b":
        "an image of a data set is an image; a picture is what we draw",
    r"\bpictures? (?:of (?:a |the )?(?:clothes|garments?|boots?|pullovers?|shirts?)|in a batch"
    r"|(?:a|per) second)\b":
        "an image of a data set is an image; a picture is what we draw",
    r"\b(?:ten|10) kinds\b|\bkinds? of (?:clothes|clothing|garments?|images?)\b":
        "the groups that a network sorts images into are classes",
    r"\bdear(?:er|est)?\b": "say expensive, or what it costs",
    r"\b(?:tell|tells|telling|told) (?:a|an|the|one) [\w ]{1,30}? from (?:a|an|the|another)\b"
    r"|\b(?:tell|tells|telling|told) (?:[\w ]{1,30} )?apart\b":
        "say distinguish, or that the difference is not significant",
    r"\b(?:is|are|was|were) of (?:19|20)\d\d\b": "say was published in, or dates from",
}


def spelling(files, cwd):
    """Return what codespell finds in files, with the settings of cwd's pyproject.toml."""
    done = subprocess.run([sys.executable, "-m", "codespell_lib", *files], cwd=cwd, text=True,
                          encoding="utf-8", capture_output=True)
    assert done.returncode == (65 if done.stdout else 0), done.stderr
    return done.stdout


def avoided(name, text):
    """Return a sentence for each word of a lesson.md that the course does not use."""
    text = prose(text)
    return [f"{name}:{text.count(chr(10), 0, found.start()) + 1}: '{found[0]}': {advice}"
            for pattern, advice in AVOIDED.items()
            for found in re.finditer(f"(?i){pattern}", text)]


def test_spelling():
    files = [str(path.relative_to(ROOT)) for page in PAGES for path in sorted(ROOT.glob(page))]
    assert {"README.md", "lessons/06_vgg_blocks/lesson.md", "d2lvgg/models.py"} <= {*files}
    found = spelling(files, ROOT)
    assert not found, f"codespell finds (right words go into pyproject.toml):\n{found}"


def test_a_misspelling_is_found_and_a_word_of_the_projects_dictionary_is_not(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    page = tmp_path / "page.md"
    page.write_text("A right arange of 卷积.\n\nIt is seperate.\n", encoding="utf-8")
    assert spelling(["page.md"], tmp_path) == "page.md:3: seperate ==> separate\n"
    page.write_text("A right arange.\n", encoding="utf-8")
    assert spelling(["page.md"], tmp_path) == ""


def test_lessons_avoid_what_the_course_does_not_say():
    found = [sentence for path in sorted(LESSONS.glob("[0-9]*/lesson.md"))
             if is_new_frame(text := path.read_text(encoding="utf-8"))
             for sentence in avoided(str(path.relative_to(LESSONS)), text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("text", "words"), [
    ("Look at 16 pictures.", ["16 pictures"]),
    ("{{ count }} pictures, 60,000 pictures.", ["0 pictures", "60,000 pictures"]),
    ("A test picture.", ["test picture"]),
    ("A picture of the boot.", ["picture of the boot"]),
    ("It sorts ten kinds.\n\nKinds of clothes.", ["ten kinds", "Kinds of clothes"]),
    ("Dearer.", ["Dearer"]),
    ("It can tell a boot from a shirt.", ["tell a boot from a"]),
    ("The two cannot be told apart.", ["told apart"]),
    ("AlexNet is of 2012.", ["is of 2012"]),
    ("A picture of the loss, the two pictures above, two images, a kind of layer, an "
     "expensive layer, three kinds of mistake. `dear` is code, <!-- dear --> a comment.", []),
    ("```python\nten_kinds = 'ten kinds'  # 10 pictures\n```", []),
])
def test_a_word_to_avoid_is_found(text, words):
    found = avoided("00_small/lesson.md", f"# Title\n\n{text}")
    assert [re.search("'(.*?)'", sentence)[1] for sentence in found] == words
    assert all(re.match(r"00_small/lesson\.md:[35]: ", sentence) for sentence in found)
