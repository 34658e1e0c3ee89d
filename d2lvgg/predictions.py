"""Predictions: a question with choices and a reason for each; and the file that keeps the tally.

What was predicted, and which exercises are solved, is kept in one file beside the notebooks,
$D2LVGG_PROGRESS or d2lvgg_progress.json. It leaves the machine only if the student hands it in.
"""

import json
import os
import re
from pathlib import Path


def parse(text):
    """Return (question, [(choice, reason, whether it is right), …]) of a prediction's Markdown.

    A choice is a line such as "- [ ] 30: the reason", and "- [x]" marks the right one. Raises
    ValueError unless one of two to four is right, and each has its reason.
    """
    question, *lines = re.split(r"^- \[(?=[ x]\] )", text.strip(), flags=re.M)
    parts = [(line[0] == "x", *" ".join(line[3:].split()).partition(": ")) for line in lines]
    choices = [(choice, reason, right) for right, choice, _, reason in parts]
    if not (2 <= len(choices) <= 4 and all(reason for _, reason, _ in choices)
            and sum(right for *_, right in choices) == 1):
        raise ValueError(f"a prediction needs two to four choices: reasons, one right: {text!r}")
    return question.strip(), choices


def as_markdown(question, choices):
    """Return a prediction to read where nothing can be clicked; the reasons are folded."""
    asked = "\n".join(f"- {choice}" for choice, *_ in choices)
    told = "\n".join(f"- {name}{': **yes**' * right}: {why}" for name, why, right in choices)
    return (f"**Predict.** {question}\n\n{asked}\n\n"
            f"<details><summary>Each choice, and why</summary>\n\n{told}\n\n</details>")


def predict(lesson, text):
    """Show a prediction: a click records the first choice, and shows that choice's reason."""
    import ipywidgets
    from IPython.display import Markdown, display

    question, choices = parse(text)
    record(lesson, "predictions", question, None)
    asked, answer = ipywidgets.Output(), ipywidgets.Output()
    asked.append_display_data(Markdown(f"**Predict.** {question}"))
    buttons = [ipywidgets.Button(description=choice.replace("`", ""), layout={"width": "auto"})
               for choice, *_ in choices]

    def choose(button):
        _, reason, right = choices[buttons.index(button)]
        button.icon, button.button_style = ("check", "success") if right else ("times", "warning")
        answer.outputs = ()
        answer.append_display_data(Markdown(f"{'Yes' if right else 'Not quite'}: {reason}"))
        record(lesson, "predictions", question, right)

    for button in buttons:
        button.on_click(choose)
    box = ipywidgets.VBox([asked, ipywidgets.HBox(buttons, layout={"flex_flow": "row wrap"}),
                           answer])
    display({"text/markdown": as_markdown(question, choices), "text/plain": question,
             **box._repr_mimebundle_()}, raw=True)


def tally(lesson):
    """Print how many of a lesson's predictions were right, and which exercises are solved."""
    print(describe_progress(read_progress().get(lesson, {})))


def describe_progress(lesson):
    """Return in a line what record noted of one lesson."""
    made = list(lesson.get("predictions", {}).values())
    solved = sorted(lesson.get("exercises", {}))
    return (f"predictions: {made.count(True)} right, {made.count(False)} not, "
            f"{made.count(None)} not made · exercises solved: {', '.join(solved) or 'none yet'}")


def progress_file():
    return Path(os.environ.get("D2LVGG_PROGRESS", "d2lvgg_progress.json"))


def read_progress(path=None):
    """Return what record wrote, {lesson: {kind: {name: value}}}, and {} where there is no file.

    Raises ValueError where the file holds something else.
    """
    path = path or progress_file()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(kinds, dict) for kinds in found.values()):
            return found
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        pass
    raise ValueError(f"{path} is not what d2lvgg wrote: move it away to begin a new tally")


def record(lesson, kind, name, value):
    """Note value under name; what was noted first stays, unless it was None."""
    try:
        found = read_progress()
        noted = found.setdefault(lesson, {}).setdefault(kind, {})
        if noted.get(name) is None:
            noted[name] = value
            path = progress_file()
            draft = path.with_name(f".{path.name}.part")  # takes its name when it is whole
            draft.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
            os.replace(draft, path)
    except (OSError, ValueError) as error:  # a tally is no reason to stop a lesson
        print(f"not noted: {error}")
