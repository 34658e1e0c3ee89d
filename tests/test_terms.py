"""lessons/TERMS.md is in order, and no lesson uses a term before it was introduced or explained."""

import re
from typing import NamedTuple

import pytest
from prose import is_new_frame, prose

from tools.notebooks import LESSONS, number_of

TERMS = LESSONS / "TERMS.md"
CURRICULUM = [f"{number:02}" for number in range(19)]
PATHS = {"full": CURRICULUM, "core": ["00", "03", "06", "07", "08", "09", "10"],
         "beside": ["00", "01", "01b"]}
GLOSS = re.compile(r"<!--\s*gloss:\s*(.*?)\s*-->")
ROW = re.compile(r"\| (?P<term>[^|(]+?)(?: \((?P<others>[^|]+)\))? \| (?P<sentence>[^|]+) "
                 r"\| (?P<lesson>[^|]+) \| (?P<chinese>[^|]+) \|")


class Term(NamedTuple):
    """A row of TERMS.md; others are further names and forms."""

    name: str
    others: tuple
    sentence: str
    lesson: str
    chinese: str


def read_terms(text):
    """Return the Terms of a TERMS.md. ValueError names a row that cannot be read."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    rows = [(line, ROW.fullmatch(line)) for line in lines]
    for line, row in rows:
        if not row:
            raise ValueError(f"TERMS.md: not 'term (others) | sentence | lesson | 中文': {line}")
    return [Term(row["term"], tuple(row["others"].split(", ")) if row["others"] else (),
                 row["sentence"], row["lesson"], row["chinese"]) for _, row in rows]


def names_of(terms):
    """Return {plain(name): the term's own name}, with the plural of each name."""
    return {plain(form): term.name for term in terms for name in (term.name, *term.others)
            for form in forms(name)}


def plain(name):
    """Return a name in lower case, with spaces for hyphens and ends of lines."""
    return re.sub(r"[\s-]+", " ", name).casefold()


def forms(name):
    """Return a name and its plural, in both spellings of -ize."""
    if re.search(r"[^aeiou]y$", name):
        plurals = [name[:-1] + "ies"]
    else:
        plurals = [name + ("es" if re.search(r"(s|x|ch|sh)$", name) else "s")]
    return [re.sub("iz(?=e|ation|ing)", letters, form)
            for form in (name, *plurals) for letters in ("iz", "is")]


def pattern_of(terms):
    """Return what finds any name of any term as a whole word, the longest first.

    So "batch norm" is no "batch". A space may be a hyphen or the end of a line. A name that has
    capitals inside keeps them: ZeRO is not zero.
    """
    each = {form for term in terms for name in (term.name, *term.others) for form in forms(name)}
    patterns = []
    for form in sorted(each, key=lambda form: (-len(form), form)):
        words = r"[\s-]+".join(map(re.escape, re.split(r"[ -]", form)))
        patterns.append(f"(?-i:{words})" if re.search("(?<!^)[A-Z]", form) and " " not in form
                        else words)
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(patterns)})(?!\w)")


def uses(text, terms):
    """Return {term's name: the line of its first use} in the prose of a lesson.md."""
    names, text, found = names_of(terms), prose(text), {}
    for use in pattern_of(terms).finditer(text):
        found.setdefault(names[plain(use[0])], text.count("\n", 0, use.start()) + 1)
    return found


def glosses(text, terms):
    """Return the names of the terms that a lesson.md explains with a mark."""
    names = names_of(terms)
    return {names[plain(mark)] for mark in GLOSS.findall(text) if plain(mark) in names}


def used_too_early(lessons, terms, path):
    """Return a sentence for each term that is used on a path before it is explained.

    lessons are pairs (folder's name, text). Known on the path are the terms of its lessons so far,
    and those with a gloss in a lesson so far. Only lessons in the new frame are held to it.
    """
    lesson_of = {term.name: term.lesson for term in terms}
    known, found = set(), []
    for folder, text in sorted(lessons):
        number = number_of(folder)
        if number not in path:
            continue
        on_the_way = path[:path.index(number) + 1]
        known |= {term.name for term in terms if term.lesson in on_the_way}
        known |= glosses(text, terms)
        if is_new_frame(text):
            early = {name: line for name, line in uses(text, terms).items() if name not in known}
            found += [f"{folder}/lesson.md:{line}: '{name}' is introduced in lesson "
                      f"{lesson_of[name]}{'' if lesson_of[name] in path else ', not on this path'}:"
                      f" explain it in a line and mark that with <!-- gloss: {name} -->"
                      for name, line in early.items()]
            known |= early.keys()
    return found


def faults_of(terms):
    """Return a sentence for each fault of a table of terms."""
    names = [plain(name) for term in terms for name in (term.name, *term.others)]
    order = [(term.lesson, term.name.casefold()) for term in terms]
    found = [f"{name} stands there twice" for name in {*names} if names.count(name) > 1]
    found += [f"{after[1]} belongs before {before[1]}"
              for before, after in zip(order, order[1:], strict=False) if after < before]
    for term in terms:
        if term.lesson not in [*CURRICULUM, *PATHS["beside"]]:
            found.append(f"{term.name}: there is no lesson {term.lesson}")
        if not term.sentence.endswith("."):
            found.append(f"{term.name}: its sentence has no period")
        if len(term.sentence.split()) > 30:
            found.append(f"{term.name}: its sentence has more than 30 words")
        if not (re.search("[\u4e00-\u9fff]", term.chinese) or term.chinese.isascii()):
            found.append(f"{term.name}: {term.chinese} is not Chinese")
    return found


def all_lessons():
    return [(path.parent.name, path.read_text(encoding="utf-8"))
            for path in sorted(LESSONS.glob("[0-9]*_*/lesson.md"))]


TABLE = read_terms(TERMS.read_text(encoding="utf-8"))


def test_the_table_is_in_order():
    assert len(TABLE) >= 80
    assert faults_of(TABLE) == []


@pytest.mark.parametrize("path", PATHS)
def test_no_lesson_uses_a_term_before_it_is_introduced(path):
    found = used_too_early(all_lessons(), TABLE, PATHS[path])
    assert not found, f"on the {path} path:\n" + "\n".join(found)


def unknown_glosses(lessons, terms):
    names = names_of(terms)
    return [f"{folder}: gloss of '{mark}', which is not in TERMS.md" for folder, text in lessons
            for mark in GLOSS.findall(text) if plain(mark) not in names]


def test_a_gloss_mark_names_a_term():
    assert unknown_glosses(all_lessons(), TABLE) == []
    text = "Text. <!-- gloss: relu --> <!-- gloss: rilu -->"
    assert unknown_glosses([("00_a", text)], TABLE) == [
        "00_a: gloss of 'rilu', which is not in TERMS.md"]


# The tests below show on small lessons and tables that the ones above find what they should.

SMALL = read_terms("""
| term | what it is | lesson | 中文 |
|---|---|---|---|
| batch | Examples that go together. | 01 | 批量 |
| layer | A step of a network. | 02 | 层 |
| ReLU | It keeps what is positive. | 02 | ReLU |
| fully connected layer | A layer. | 03 | 全连接层 |
| batch norm (batch normalization, normalize, normalized) | A layer. | 04 | 批量规范化 |
| max pooling | The largest number. | 05 | 最大汇聚 |
| ZeRO | A way to split. | 17 | ZeRO |
""")
FRAME = '<!-- #region tags=["predict"] -->\n\n- [x] 1: it is.\n<!-- #endregion -->\n'


def early(text, number="00", path="full", before=()):
    lessons = [*before, (f"{number}_small", f"{text}\n{FRAME}")]
    sentence = re.compile(r"(\w+)/lesson.md:(\d+): '(.*?)' is introduced in lesson (\w+).*")
    return [" ".join(sentence.fullmatch(found).groups())
            for found in used_too_early(lessons, SMALL, PATHS[path])]


def test_an_early_term_is_found_with_lesson_line_and_term():
    assert early("# Title\n\nText.\n\nA ReLU is here, and a ReLU there.") == ["00_small 5 ReLU 02"]
    sentence, = used_too_early([("00_small", "A batch.\n" + FRAME)], SMALL, PATHS["full"])
    assert sentence == ("00_small/lesson.md:1: 'batch' is introduced in lesson 01: explain it in a "
                        "line and mark that with <!-- gloss: batch -->")


@pytest.mark.parametrize(("text", "names"), [
    ("Two batches.", ["batch"]),
    ("Two ReLUs.", ["ReLU"]),
    ("LAYERS of a cake.", ["layer"]),
    ("A layer's weights.", ["layer"]),
    ("Batch norm after it.", ["batch norm"]),  # and no batch
    ("Batch normalisation, batch\nnormalizations.", ["batch norm"]),
    ("It was normalised.", ["batch norm"]),
    ("Batch-norm, then max-pooling.", ["batch norm", "max pooling"]),
    ("A fully-connected layer.", ["fully connected layer"]),
    ("## A batch\n\n- [ ] a layer: no.", ["batch", "layer"]),
    ("| a table | a batch |", ["batch"]),
    ("![A drawn batch](../images/layer.svg)", ["batch"]),
    ("A [layer](https://example.org/batch) here.", ["layer"]),
    ("ZeRO splits, and zero is zero.", ["ZeRO"]),
    ("Zero layered relus, rebatched.", []),  # other words
])
def test_inflected_spelt_otherwise_or_within_another_term(text, names):
    assert [found.split(" ", 2)[2][:-3] for found in early(text)] == names


@pytest.mark.parametrize("text", [
    "```python\nbatch = layer\n```",
    "````\n```\nbatch\n```\nlayer\n````",
    "The name `batch`, and ``layer``.",
    "[here](batch.md \"layer\")",
    "https://example.org/batch",
    "{{ batch:.3f }} of them, $n_\\text{batch}$",
    "<!-- slide: A batch -->\n<!-- a\nlayer -->",
    "<img alt='' src='batch.svg'>",
    "## References\n\n- A. Layer, *On the batch*.",
    "- A. Nobody\n\n## References\n\nbatch\n",
])
def test_no_prose_no_finding(text):
    assert early(text) == []


def test_lines_are_counted_through_code_and_comments():
    text = "# Title\n\n```python\nbatch = 1\n\n```\n\n<!-- of\nbatch -->\n\n$$\nx\n$$\nA batch."
    assert early(text) == ["00_small 14 batch 01"]


def test_a_gloss_here_or_earlier_on_the_path_is_enough():
    glossed = "A batch, a few images, is here. <!-- gloss: batch -->\n"
    assert early(glossed) == []
    assert early("A batch norm. <!-- gloss: batch normalization -->") == []
    assert early("A batch. <!-- gloss: layer -->") == ["00_small 1 batch 01"]
    assert early("A batch.", "06", "core", [("00_first", glossed)]) == []
    # Lesson 02 is not on the core path, so its gloss helps nobody there.
    assert early("A batch.", "03", "core", [("02_first", glossed)]) == ["03_small 1 batch 01"]


def test_a_term_is_known_from_its_lesson_on_where_the_path_has_that_lesson():
    assert early("A batch, a layer.", "01") == ["01_small 1 layer 02"]
    assert early("A layer.", "02") == early("A layer.", "09") == []
    assert early("A layer.", "03", "core") == ["03_small 1 layer 02"]
    assert early("A fully connected layer.", "03", "core") == []
    assert early("A layer.", "02", "core") == []  # not on that path


def test_each_term_is_told_once_and_only_of_lessons_in_the_new_frame():
    assert early("A batch.", "03", "core", [("00_first", "A batch.\n" + FRAME)]) == [
        "00_first 1 batch 01"]
    assert early("A batch.", "03", "core", [("00_first", "A batch.\n")]) == ["03_small 1 batch 01"]
    assert used_too_early([("00_old", "A batch. **Predict.**")], SMALL, PATHS["full"]) == []


GOOD = Term("layer", (), "A step.", "02", "层")


@pytest.mark.parametrize(("terms", "fault"), [
    ([GOOD], None),
    ([GOOD, GOOD._replace(name="Layer")], "layer stands there twice"),
    ([GOOD, GOOD._replace(name="net", others=("layer",))], "layer stands there twice"),
    ([GOOD, GOOD._replace(name="block")], "block belongs before layer"),
    ([GOOD, GOOD._replace(name="net", lesson="01")], "net belongs before layer"),
    ([GOOD._replace(lesson="19")], "layer: there is no lesson 19"),
    ([GOOD._replace(sentence="A step")], "layer: its sentence has no period"),
    ([GOOD._replace(sentence="a " * 31 + ".")], "layer: its sentence has more than 30 words"),
])
def test_a_fault_of_the_table_is_found(terms, fault):
    assert faults_of(terms) == ([fault] if fault else [])


def test_a_row_that_cannot_be_read_is_named():
    with pytest.raises(ValueError, match="term .others. .* A step"):
        read_terms("| term | a | b | c |\n|---|---|---|---|\n| layer | A step. | 02 |\n")
