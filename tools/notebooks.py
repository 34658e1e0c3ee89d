"""Turn lessons/NN_name/lesson.md into notebooks/ and notebooks/solutions/.

    python -m tools.notebooks               build and execute every notebook
    python -m tools.notebooks 06 09         ... of these lessons
    python -m tools.notebooks 06 --preview  one edition at smoke scale, in seconds, into build/
    python -m tools.notebooks --check       execute nothing; fail if a notebook is not its lesson's
    python -m tools.notebooks --measure     ... and note time and memory in lessons/facts.json
    python -m tools.notebooks --tables      execute nothing; bring text and tables up to date

A lesson is Jupytext Markdown. These marks are this builder's own:

    ```python tags=["exercise"]   the stub a student gets, followed by
    ```python tags=["solution"]   its answer: each edition keeps one of the two
    ```python tags=["check"]      assertions that keep the text true; folded
    <!-- #region tags=["predict"] -->   a question and its choices, which can be clicked
    tags=["answer"]               what answers it: output, or text, that is folded
    {{ expression:.3f }}          a number in a text, worked out in the kernel at that place
    {{facts}}, {{course_map}}     what --measure wrote, as text
"""

import argparse
import base64
import hashlib
import io
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

from d2lvgg.predictions import parse

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "lessons"
FACTS = LESSONS / "facts.json"
PAGES = ("README.md", "TEACHING.md", "benchmarks/README.md")  # that show what was measured
EDITIONS = {"student": ("notebooks", "solution"), "solutions": ("notebooks/solutions", "exercise")}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"
CELL_TIMEOUT = 900  # seconds
# {{ expression }} or {{ expression:format }}
EXPRESSION = re.compile(r"\{\{ (.+?)(?::([<>=^+ #0-9,.-]*[a-z%]?))? \}\}", re.IGNORECASE)
PEAK_CELL = """import resource, sys
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak * (1 if sys.platform == "darwin" else 1024))"""
FOLDED = "<details><summary>What the run shows</summary>\n\n"  # how what answers begins


def number_of(name):
    """Return a lesson's number by its folder's name: "06", or "01b" of a lesson beside the path."""
    return name.partition("_")[0]


def lesson_folders(names=()):
    """Return the lessons of these numbers, or names of folders; all of them for no names."""
    folders = sorted(path.parent for path in LESSONS.glob("[0-9]*_*/lesson.md"))
    chosen = [folder for folder in folders
              if not names or {folder.name, number_of(folder.name)} & set(names)]
    if names and not chosen:
        raise SystemExit(f"no lesson is {', '.join(names)}: there are "
                         f"{', '.join(folder.name for folder in folders)}")
    return chosen


def make_notebook(folder, edition):
    """Return one edition of a lesson as a notebook with no outputs."""
    lesson = jupytext.read(folder / "lesson.md", fmt="md")
    check_pairs(lesson.cells, folder)
    dropped = EDITIONS[edition][1]
    cells, ids = [], set()
    for cell in lesson.cells:
        cell.id = cell_id(cell, ids)
        if dropped in cell.metadata.get("tags", []):
            continue
        cell.source = fill_in(cell.source, folder)
        cell = framed(cell, folder)
        if edition == "solutions":  # these lie one folder deeper
            cell.source = cell.source.replace("(../images/", "(../../images/")
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA, nbformat_minor=5)


def framed(cell, folder):
    """Return a cell as a reader gets it: a prediction to click, what answers it folded."""
    tags = cell.metadata.get("tags", [])
    if "predict" in tags:
        parse(cell.source)  # refuses one that has no right choice, or one without a reason
        cell = nbformat.v4.new_code_cell(
            "# A prediction: run this cell, and choose before you read on\n"
            f'd2lvgg.predict("{number_of(folder.name)}", r"""\n{cell.source.strip()}\n""")',
            id=cell.id, metadata=cell.metadata)
    elif "answer" in tags and cell.cell_type == "markdown":
        cell.source = f"{FOLDED}{cell.source.strip()}\n\n</details>"
    elif "answer" in tags:
        cell.metadata["jupyter"] = {"outputs_hidden": True}
    if {"predict", "check"} & set(tags):
        cell.metadata["jupyter"] = {"source_hidden": True}
    return cell


def asked_values(notebook):
    """Yield (cell, code that prints the values of its expressions) for the texts that have any."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := EXPRESSION.findall(cell.source)):
            asked = ", ".join(f"format({expression}, {style!r})" for expression, style in found)
            yield cell, f"print(__import__('json').dumps([{asked}]))"


def with_values(notebook, values):
    """Put values, {id of a cell: texts}, in the place of its texts' expressions.

    Raises KeyError where a cell has none.
    """
    for cell, _ in list(asked_values(notebook)):
        said = iter(values[cell.id])
        cell.source = EXPRESSION.sub(lambda _, said=said: next(said), cell.source)
        cell.metadata["values"] = values[cell.id]
    return notebook


def saved_values(notebook):
    """Return {id of a cell: the values in its text} of a built notebook."""
    return {cell.id: cell.metadata["values"] for cell in notebook.cells
            if "values" in cell.metadata}


def cell_id(cell, taken):
    """Return an id that comes from what the cell says, not from its place, and add it to taken.

    So a cell that is inserted changes no other id, and a rebuild changes only what changed.
    """
    name = said = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    count = 1
    while name in taken:  # the same words twice
        count += 1
        name = f"{said}-{count}"
    taken.add(name)
    return name


def check_pairs(cells, folder):
    """Raise ValueError unless each exercise is followed by its solution."""
    tags = [set(cell.metadata.get("tags", [])) for cell in cells]
    for here, after in zip([set(), *tags], [*tags, set()], strict=True):
        if ("exercise" in here) != ("solution" in after):
            raise ValueError(f"{folder.name}: a cell tagged 'exercise' must be followed by one "
                             "tagged 'solution', and the other way round")


def title(folder):
    """Return a lesson's title, the first heading of its text."""
    lesson = folder / "lesson.md"
    return next(line[2:] for line in lesson.read_text(encoding="utf-8").splitlines()
                if line.startswith("# "))


def fill_in(source, folder):
    """Replace {{facts}} and {{course_map}} in a cell's text by what was measured."""
    if "{{facts}}" in source:
        source = source.replace("{{facts}}", facts_line(folder))
    if "{{course_map}}" in source:
        facts = json.loads(FACTS.read_text(encoding="utf-8"))
        source = source.replace("{{course_map}}", course_map(facts, ""))
    return source


def course_map(facts, prefix):
    """Return a table of all lessons: the reader's minutes, the machine's, and its memory."""
    rows = ["| lesson | minutes to read | exercises, core + more | the machine's | memory |",
            "|---|---|---|---|---|"]
    for folder in lesson_folders():
        fact = facts["lessons"].get(folder.name, {"minutes": "", "gib": ""})
        reading = reading_minutes(jupytext.read(folder / "lesson.md", fmt="md"))
        core, more = exercise_minutes(folder)
        rows.append(f"| [{number_of(folder.name)} {title(folder)}]({prefix}{folder.name}.ipynb) | "
                    f"{reading:.0f} | {core} + {more} | {fact['minutes']} | {fact['gib']} GiB |")
    machines = {}
    for name, fact in sorted(facts["lessons"].items()):
        machines.setdefault(f"{fact['machine']}, {fact['threads']} threads", []).append(
            number_of(name))
    rows += ["", "The machine's minutes and memory were measured at laptop scale: "
             + "; ".join(f"{', '.join(numbers)} on {machine}" for machine, numbers in
                         machines.items()) + "."]
    return "\n".join(rows)


def results_table():
    """Return a table of the accuracies that benchmarks/accuracy.py measured."""
    rows = ["| run | test accuracy | seconds | hardware and versions |", "|---|---|---|---|"]
    for path in sorted((ROOT / "benchmarks" / "results").glob("accuracy_*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        rows.append(f"| {result['run']} | {result['test_acc']} | {result['seconds']} | "
                    f"{result['machine']} |")
    return "\n".join(rows)


def speed_table():
    """Return a table of what benchmarks/train_speed.py measured, one row a device and size."""
    rows = ["| device | pixels | the book's examples/s | ours | ratio, median (least to most) | "
            "of a large matrix product's rate | hardware and versions |",
            "|---|---|---|---|---|---|---|"]
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        for pixels, found in result.get("sizes", {}).items():
            book, *_, ours = (rate["median"] for rate in found["examples/s"].values())
            ratio = found["ratio of the book's seconds to ours"]
            machine = result["machine"]
            rows.append(
                f"| {path.stem} | {pixels} | {book:.0f} | {ours:.0f} | {ratio['median']:.2f} "
                f"({ratio['least']:.2f} to {ratio['most']:.2f}, {found['rounds']} pairs) | "
                f"{found['share of the matmul ceiling']:.0%} | {result['processor']}, "
                f"{machine['CPU cores for torch']} threads, {result['precision']}, "
                f"torch {machine['torch']} |")
    return "\n".join(rows)


def classroom_table(facts):
    """Return the course map, and what the lesson that needs most of it needs."""
    most = {what: max((fact[what], number_of(name)) for name, fact in facts["lessons"].items())
            for what in ("gib", "minutes")}
    return "\n".join([
        course_map(facts, "notebooks/"), "",
        f"Plan for the largest: **{most['gib'][0]} GiB** (lesson {most['gib'][1]}) and "
        f"**{most['minutes'][0]} minutes** (lesson {most['minutes'][1]})."])


def page_with_tables(name):
    """Return the text of one of PAGES with its tables made anew."""
    text = (ROOT / name).read_text(encoding="utf-8")
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    for name, table in (("course map", course_map(facts, "notebooks/")),
                        ("classroom", classroom_table(facts)), ("results", results_table()),
                        ("speed", speed_table())):
        if f"<!-- {name} -->\n" not in text:
            continue
        before, rest = text.split(f"<!-- {name} -->\n")
        after = rest.split(f"<!-- end {name} -->")[1]
        text = f"{before}<!-- {name} -->\n{table}\n<!-- end {name} -->{after}"
    return text


def reading_minutes(notebook):
    """Return the minutes that the notebook takes to read, up to its exercises."""
    words = lines = 0
    for cell in notebook.cells:
        text, exercises, _ = f"\n{cell.source}".partition("\n## Exercises")
        if cell.cell_type == "markdown":
            words += len(re.sub(r"<!--.*?-->|<[^>]+>", "", text, flags=re.S).split())
        elif "check" not in cell.metadata.get("tags", []):
            lines += len([line for line in text.splitlines() if line.strip()])
        if exercises:
            break
    return words / 200 + lines / 15


def exercise_minutes(folder):
    """Return (minutes of the core exercises, minutes of the others) of a lesson."""
    text = (folder / "lesson.md").read_text(encoding="utf-8")
    found = re.findall(r"^### .+\((\d+) minutes, difficulty \d(, core)?", text, re.M)
    return tuple(sum(int(minutes) for minutes, kind in found if bool(kind) == is_core)
                 for is_core in (True, False))


def facts_line(folder):
    """Return the line of facts at a lesson's head."""
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    lesson = jupytext.read(folder / "lesson.md", fmt="md")
    core, more = exercise_minutes(folder)
    exercises = f"{core} min core, {more} more" if core else f"{more} min"
    line = f"**{reading_minutes(lesson):.0f} min** to read · exercises: {exercises} · "
    fact = facts["lessons"].get(folder.name)
    if not fact:
        return f"{line}the machine: not measured yet"
    threads = "one thread" if fact["threads"] == 1 else f"{fact['threads']} threads"
    return (f"{line}the machine: {fact['minutes']} min at laptop scale on {threads}, at most "
            f"{fact['gib']} GiB of memory (measured on {fact['machine']})")


def execute(notebook, folder, scale, edition="student"):
    """Run every cell, in a kernel started in folder. Return (seconds, peak memory in bytes).

    Numbers in texts are worked out on the way. At another scale than smoke, the lesson's
    conclusions must hold (d2lvgg.conclude).
    """
    os.environ.update(D2LVGG_SCALE=scale, PYTHONHASHSEED="0",
                      D2LVGG_PROGRESS=str(Path(tempfile.mkdtemp()) / "progress.json"),
                      D2LVGG_BUILD="" if scale == "smoke" else edition)
    measured = nbformat.v4.new_code_cell(PEAK_CELL)
    asking = {cell.id: nbformat.v4.new_code_cell(code) for cell, code in asked_values(notebook)}
    cells = [asked for cell in notebook.cells
             for asked in ([asking[cell.id]] if cell.id in asking else []) + [cell]]
    run = nbformat.v4.new_notebook(cells=[*cells, measured], metadata=METADATA)
    began = time.perf_counter()
    NotebookClient(run, timeout=CELL_TIMEOUT, kernel_name="python3", record_timing=False,
                   coalesce_streams=True, resources={"metadata": {"path": str(folder)}}).execute()
    seconds = time.perf_counter() - began
    with_values(notebook, {name: json.loads(cell.outputs[0].text)
                           for name, cell in asking.items()})
    number_cells(notebook)
    drop_widgets(notebook)
    add_alt_text(notebook)
    thin_pictures(notebook)
    for cell in notebook.cells:
        if str(ROOT) in json.dumps(cell.get("outputs", [])):
            raise ValueError(f"the output of cell {cell.id} holds this machine's path {ROOT}")
    return seconds, int(measured.outputs[0].text)


def number_cells(notebook):
    """Count the code cells from one: the cells that worked numbers out for the text are gone."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count


def drop_widgets(notebook):
    """Remove widgets: saved without the kernel behind them, they show an error.

    What stands beside a widget for a reader without a kernel stays.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                if output.get("data", {}).pop(WIDGET, None) and list(output.data) == ["text/plain"]:
                    output.data = {}
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def add_alt_text(notebook):
    """Give each picture that names nothing in itself (d2lvgg.display.describe) its caption."""
    for cell, after in zip(notebook.cells, notebook.cells[1:], strict=False):
        caption = after.source.removeprefix(FOLDED).split("\n\n")[0]
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}) and caption.startswith("*"):
                words = output.metadata.setdefault("image/png", {})
                words["alt"] = words.get("alt") or caption.translate(str.maketrans("", "", "*`$"))


def thin_pictures(notebook):
    """Write each picture with a palette, a third of the size, where 256 colours are enough."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                whole, thin = base64.b64decode(output.data["image/png"]), io.BytesIO()
                picture = Image.open(io.BytesIO(whole)).convert("RGB").quantize(
                    256, dither=Image.Dither.NONE)
                picture.save(thin, "png", optimize=True)
                if thin.tell() < len(whole):
                    output.data["image/png"] = base64.b64encode(thin.getvalue()).decode()


def write(notebook, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    os.replace(draft, path)


def rewrite_text(folder, edition, path):
    """Give a notebook its lesson's present text, measured numbers included, and run nothing.

    Outputs are kept as long as the code that made them is what the lesson says.
    """
    if not path.exists():
        return
    old, new = nbformat.read(path, as_version=4), make_notebook(folder, edition)
    ran, wanted = ([cell for cell in notebook.cells if cell.cell_type == "code"]
                   for notebook in (old, new))
    is_asked = {cell.id for cell, _ in asked_values(new)} <= set(saved_values(old))
    if is_asked and [cell.source for cell in ran] == [cell.source for cell in wanted]:
        with_values(new, saved_values(old))
        for before, after in zip(ran, wanted, strict=True):
            after.outputs, after.execution_count = before.outputs, before.execution_count
        add_alt_text(new)
        write(new, path)


def differences(out, names=()):
    """Yield a sentence for each notebook below out whose cells are not what its lesson says."""
    for edition, (subfolder, _) in EDITIONS.items():
        built = {path.name for path in (out / subfolder).glob("*.ipynb")}
        for folder in lesson_folders(names):
            path = out / subfolder / f"{folder.name}.ipynb"
            built.discard(path.name)
            if not path.exists():
                yield f"{subfolder}/{path.name} is missing: run `make notebooks`"
                continue
            built_one, new = nbformat.read(path, as_version=4), make_notebook(folder, edition)
            values = saved_values(built_one)
            if {cell.id for cell, _ in asked_values(new)} <= set(values):
                new = with_values(new, values)
            wanted, found = (
                [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
                for notebook in (new, built_one))
            if wanted != found:
                cell = next((f"in {w[2].splitlines()[0]!r}" for w, f in
                             zip(wanted, found) if w != f), "in their number")  # noqa: B905
                yield (f"{subfolder}/{path.name} differs from lessons/{folder.name}/lesson.md "
                       f"({cell}): edit the lesson, then run `make notebooks`")
        if not names:
            yield from (f"{subfolder}/{name} has no lesson" for name in sorted(built))


def processor():
    """Return this machine in words, for the numbers measured on it."""
    from d2lvgg.devices import describe_machine  # slow to import: --check does without it

    machine = describe_machine()
    return (f"{os.cpu_count()} cores of {machine['device']}, fast bfloat16: "
            f"{machine['fast bfloat16']}, Python {machine['Python']}, torch {machine['torch']}")


def torch_threads():
    """Return how many threads the kernel computed with ($OMP_NUM_THREADS may say fewer)."""
    from d2lvgg.devices import describe_machine

    return int(describe_machine()["CPU cores for torch"])


def build(folder, edition, scale, out):
    """Build and execute one edition of a lesson. Return (seconds, peak memory in bytes)."""
    subfolder = EDITIONS[edition][0]
    notebook = make_notebook(folder, edition)
    seconds, peak = execute(notebook, ROOT / subfolder, scale, edition)
    write(notebook, out / subfolder / f"{folder.name}.ipynb")
    print(f"{subfolder}/{folder.name}: {seconds:.0f} s, {peak / 2**30:.1f} GiB", flush=True)
    return seconds, peak


def note_facts(folder, seconds, peak):
    """Write what one lesson was measured to take into lessons/facts.json."""
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    facts["lessons"][folder.name] = {"minutes": max(round(seconds / 60, 1), 0.1),
                                     "gib": round(peak / 2**30, 1), "threads": torch_threads(),
                                     "machine": processor()}
    FACTS.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def bring_up_to_date(out):
    """Give every notebook below out, and the pages, their present text and tables."""
    for folder in lesson_folders():
        for edition, (subfolder, _) in EDITIONS.items():
            rewrite_text(folder, edition, out / subfolder / f"{folder.name}.ipynb")
    for name in PAGES:
        (ROOT / name).write_text(page_with_tables(name), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 06; default all")
    parser.add_argument("--preview", action="store_true",
                        help="the student's edition alone, at smoke scale, into build/notebooks/")
    parser.add_argument("--check", action="store_true", help="compare only; execute nothing")
    parser.add_argument("--measure", action="store_true", help="note time and memory")
    parser.add_argument("--tables", action="store_true", help="only mend text and tables")
    parser.add_argument("--scale", default="laptop", help="full, laptop (the default) or smoke")
    parser.add_argument("--out", type=Path, default=ROOT, help="folder to put notebooks/ into")
    options = parser.parse_args()
    if options.check:
        found = list(differences(options.out, options.lessons))
        print("\n".join(found) or "every notebook is its lesson's")
        sys.exit(bool(found))
    if options.tables:
        bring_up_to_date(options.out)
        return
    folders = lesson_folders(options.lessons)
    if options.preview:
        for folder in folders:
            build(folder, "student", "smoke", ROOT / "build")
        return
    for folder in folders:
        seconds, peak = build(folder, "student", options.scale, options.out)
        build(folder, "solutions", options.scale, options.out)
        if options.measure:
            note_facts(folder, seconds, peak)
    if options.measure:
        bring_up_to_date(options.out)


if __name__ == "__main__":
    main()
