"""Predictions: read, shown, clicked, noted, tallied."""

import json

import pytest

from d2lvgg import predictions

TEXT = """
A linear layer has 20 inputs and 10 outputs.
How many numbers does it hold?

- [ ] 30: that counts inputs and outputs.
- [ ] `200`: these are the weights: each output
  has a bias, too.
- [x] 210: 200 weights and 10 biases.
"""


@pytest.fixture(autouse=True)
def tally(monkeypatch, tmp_path):
    path = tmp_path / "tally.json"
    monkeypatch.setenv("D2LVGG_PROGRESS", str(path))
    return path


@pytest.fixture
def clicks(monkeypatch):
    """Show TEXT; return (bundle that was shown, its buttons, what the last click said)."""
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    boxes = []
    import ipywidgets

    class Box(ipywidgets.VBox):
        def __init__(self, children):
            boxes.append(children)
            super().__init__(children)

    monkeypatch.setattr(ipywidgets, "VBox", Box)
    predictions.predict("03", TEXT)
    asked, row, answer = boxes[0]
    assert "How many numbers" in asked.outputs[0]["data"]["text/markdown"]
    return shown[0], row.children, lambda: answer.outputs[0]["data"]["text/markdown"]


def test_a_prediction_is_read():
    question, choices = predictions.parse(TEXT)
    assert question.endswith("How many numbers does it hold?")
    assert choices == [
        ("30", "that counts inputs and outputs.", False),
        ("`200`", "these are the weights: each output has a bias, too.", False),
        ("210", "200 weights and 10 biases.", True)]


@pytest.mark.parametrize("text", [
    TEXT.replace("[x]", "[ ]"), TEXT.replace("[ ]", "[x]"), TEXT.replace(": 200 weights", " 200"),
    "What?", "What?\n\n- [x] one: reason"])
def test_one_that_cannot_be_answered_is_refused(text):
    with pytest.raises(ValueError, match="a prediction needs two to four choices"):
        predictions.parse(text)


def test_without_a_kernel_the_reasons_are_folded(clicks):
    bundle, _, _ = clicks
    assert "application/vnd.jupyter.widget-view+json" in bundle
    before, folded = bundle["text/markdown"].split("<details>")
    assert "- 210\n" in before
    assert "bias" not in before
    assert "yes" not in before
    assert "- 210: **yes**: 200 weights and 10 biases." in folded
    assert "bias" not in bundle["text/plain"]


def test_the_first_click_counts_and_each_click_tells_its_reason(clicks, tally, capsys):
    _, buttons, said = clicks
    assert [button.description for button in buttons] == ["30", "200", "210"]
    assert json.loads(tally.read_text())["03"]["predictions"].popitem()[1] is None
    buttons[1].click()
    assert said() == "Not quite: these are the weights: each output has a bias, too."
    assert (buttons[1].icon, buttons[1].button_style) == ("times", "warning")
    buttons[2].click()
    assert said() == "Yes: 200 weights and 10 biases."
    assert buttons[2].icon == "check"
    predictions.tally("03")
    assert capsys.readouterr().out.startswith("predictions: 0 right, 1 not, 0 not made")


def test_a_solved_exercise_is_noted(capsys):
    predictions.record("03", "exercises", "blur", True)
    predictions.record("03", "exercises", "edges", True)
    predictions.tally("03")
    assert "exercises solved: blur, edges" in capsys.readouterr().out
    predictions.tally("04")
    assert "exercises solved: none yet" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "[1]", '{"03": 1}', "\x00"])
def test_a_file_of_somebody_elses_is_left_alone(tally, content, capsys):
    tally.write_text(content)
    predictions.record("03", "exercises", "blur", True)
    assert "move it away to begin a new tally" in capsys.readouterr().out
    assert tally.read_text() == content


def test_a_folder_that_cannot_be_written_to_stops_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("D2LVGG_PROGRESS", str(tmp_path / "nowhere" / "tally.json"))
    predictions.record("03", "exercises", "blur", True)
    assert capsys.readouterr().out.startswith("not noted: ")


