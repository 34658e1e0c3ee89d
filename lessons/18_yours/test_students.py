"""Lesson 18 as three students would use it: one who is ahead, one who is not, one who cheats.

Each cheat says whether reading, training anew, or nobody notices it.
"""

import json

import pytest
import torch

import d2lvgg
from d2lvgg.exercises import LESSONS, of_lesson

contest = of_lesson("18", "contest")
handing_in = of_lesson("18", "handing_in")
checks = of_lesson("18", "checks")

HEAD = "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear"
MINE = f"""def mine():
    return nn.Sequential(vgg_block(1, 1, 16, batch_norm=True), {HEAD}(16, 10))
"""
WEAK = f"""def weak():
    return nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.Sigmoid(), {HEAD}(2, 10))
"""


@pytest.fixture(autouse=True)
def _small_and_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("D2LVGG_SCALE", "smoke")
    monkeypatch.setenv("D2LVGG_PROGRESS", str(tmp_path / "progress.json"))
    contest.trained.cache_clear()
    contest.images.cache_clear()


def handed_in(folder, source=MINE, rate=0.1, **changes):
    """Return the path of a file made as the lesson does, with changes and a new, fitting seal."""
    result = contest.open_test(contest.run(source, rate))
    path = handing_in.hand_in(result, handing_in.example_card(result, "mine"), "A.", folder / "a")
    if changes:
        content = {**handing_in.read(path), **changes}
        content["seal"] = handing_in.seal(content)
        path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("source", [MINE, WEAK])
def test_an_honest_file_has_no_fault_whoever_wins(source, tmp_path, capsys):
    path = handed_in(tmp_path, source)
    assert handing_in.mark(path, seeds=(100, 101)) == []
    said = capsys.readouterr().out
    assert "its numbers came again" in said
    assert "seeds 100 101: " in said
    assert "rehearsal, made at smoke scale" in said


def test_a_clear_winner_a_clear_loser_and_an_open_race_are_named():
    found = [result.words for result in (checks.AHEAD, checks.BEHIND, checks.OPEN)]
    assert found == ["ahead of ours", "behind ours", "not decided"]


def test_the_marker_has_a_command(tmp_path, capsys, monkeypatch):
    path = handed_in(tmp_path)
    for arguments, rc in ((["--read-only"], 0), ([], 0)):
        monkeypatch.setattr("sys.argv", ["handing_in.py", str(path), *arguments])
        assert handing_in.main() == rc
    monkeypatch.setattr("sys.argv", ["handing_in.py", str(tmp_path / "none.json")])
    assert handing_in.main() == 2
    assert "none.json cannot be read" in capsys.readouterr().out


# A cheat who trains on the test images.

def test_training_on_test_images_is_seen_when_it_is_trained_anew(tmp_path, monkeypatch):
    honest = contest.images

    def cheating(part, chosen):
        if part != "training":
            return honest(part, chosen)
        test = honest("test", chosen)
        return test.replace(shuffle=True, batch_size=10, generator=torch.Generator())

    monkeypatch.setattr(contest, "images", cheating)
    path = handed_in(tmp_path)
    monkeypatch.setattr(contest, "images", honest)
    assert handing_in.look(handing_in.read(path)) == []  # reading does not see it
    assert any("trained anew" in fault for fault in handing_in.mark(path))


@pytest.mark.parametrize(("line", "words"), [
    ("X, y = d2lvgg.load_data_fashion_mnist(64)", "uses the name 'd2lvgg'"),
    ("weights = torch.load('trained.pt')", "uses .load: files or other code"),
    ("weights = open('trained.pt')", "uses the name 'open'"),
    ("import os", "imports something"),
    ("__import__('os')", "uses the name '__import__'"),
    ("nn.Module.__subclasses__()", "belongs to the inside of Python"),
    ("torch.optim.SGD([], 0.1)", "training inside the network"),
    ("weights = [" + "0.123, " * 900 + "]", "no trained weights"),
])
def test_a_design_that_reads_data_or_brings_weights_is_refused(line, words):
    with pytest.raises(contest.ContestError, match=words):
        contest.check(MINE.replace("    return", f"    {line}\n    return"))


# A cheat who chooses the seed.

def test_chosen_seeds_are_read(tmp_path):
    faults = handing_in.look(handing_in.read(handed_in(tmp_path, seeds=[3, 7])))
    assert any("nobody chooses them" in fault for fault in faults)


@pytest.mark.parametrize("line", ["torch.manual_seed(7)", "torch.random.manual_seed(7)",
                                  "torch.Generator()"])
def test_a_design_that_sets_a_seed_is_refused(line):
    with pytest.raises(contest.ContestError, match="a choice of random numbers"):
        contest.check(MINE.replace("    return", f"    {line}\n    return"))


def test_many_designs_in_the_contest_are_counted(tmp_path, capsys):
    for rate in (0.05, 0.2):
        contest.run(MINE, rate)
    handing_in.mark(handed_in(tmp_path), rerun=False)
    assert "designs raced: 3; test set opened for: 1" in capsys.readouterr().out


# A cheat who does more work than is allowed.

WIDE = f"""def wide():
    return nn.Sequential(vgg_block(1, 1, 64), vgg_block(1, 64, 64), {HEAD}(64, 10))
"""
BUSY = """def busy():
    class Busy(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.large = nn.Linear(784, 10), nn.Linear(784, 9000)

        def forward(self, X):
            X = X.flatten(1)
            return self.net(X) + (self.large(X).mean() if MODE else 0)

    return Busy()
"""


@pytest.mark.parametrize("source", [WIDE, BUSY.replace("MODE", "self.training"),
                                    BUSY.replace("MODE", "not self.training")])
def test_too_much_work_is_counted_in_both_modes(source):
    with pytest.raises(contest.ContestError, match="more than the budget of 8,000,000"):
        contest.run(source, 0.1)


def test_a_file_that_states_less_work_is_counted_anew(tmp_path):
    faults = handing_in.look(handing_in.read(handed_in(tmp_path, flops=5)))
    assert any("it says 5 FLOPs" in fault for fault in faults)


def test_too_much_time_is_refused(monkeypatch):
    monkeypatch.setattr(contest, "SECONDS", 0)
    with pytest.raises(contest.ContestError, match="0 are allowed"):
        contest.run(MINE, 0.1)


# A cheat who edits the file.

def test_an_edit_breaks_the_seal(tmp_path):
    path = handed_in(tmp_path)
    path.write_text(path.read_text().replace('"A."', '"B."'))
    assert handing_in.look(handing_in.read(path)) == [
        "the file was changed after it was written: the seal does not fit"]


def test_an_edit_with_a_new_seal_is_seen_when_it_is_trained_anew(tmp_path):
    path = handed_in(tmp_path)
    content = handing_in.read(path)
    for part, images in (("theirs", 250), ("test_theirs", 500)):
        content[part] = [round(images * value + images / 10) / images for value in content[part]]
    result = handing_in.result_of(content)
    content.update(card=handing_in.example_card(result, "mine"), verdict=result.words)
    content["seal"] = handing_in.seal(content)
    assert handing_in.look(content) == []
    path.write_text(json.dumps(content))
    assert sum("trained anew" in fault for fault in handing_in.mark(path)) == 2


def test_a_verdict_that_the_numbers_do_not_allow_is_read(tmp_path):
    other = {"ahead of ours": "behind ours"}.get(
        handing_in.read(path := handed_in(tmp_path))["verdict"], "ahead of ours")
    content = {**handing_in.read(path), "verdict": other}
    assert any("its own accuracies say" in fault for fault in handing_in.look(content))


def test_an_accuracy_that_cannot_be_is_read(tmp_path):
    content = handing_in.read(handed_in(tmp_path))
    content["theirs"][0] += 0.0001
    assert any("no fraction of 250" in fault for fault in handing_in.look(content))


def test_other_rules_are_read(tmp_path, monkeypatch):
    content = handing_in.read(handed_in(tmp_path))
    monkeypatch.setattr(contest, "RATE", 1e-5)  # a network of ours that hardly learns
    assert any("other rules" in fault for fault in handing_in.look(content))


def test_the_test_set_opened_twice_and_a_rehearsal_are_read(tmp_path):
    contest.open_test(contest.run(WEAK, 0.1))
    faults = handing_in.look(handing_in.read(handed_in(tmp_path)))
    assert faults == ["the test set was opened for 2 designs: once is the rule"]
    result = contest.open_test(contest.run(MINE, 0.1, rehearsal=True))
    path = handing_in.hand_in(result, handing_in.example_card(result, "mine"), "", tmp_path / "b")
    assert any("rehearsal" in fault for fault in handing_in.look(handing_in.read(path)))


# What nobody notices: written down as tests, so that it is known, and known when it changes.

def test_not_noticed_work_number_by_number_is_not_counted():
    source = """def hidden():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(10, 784))

        def forward(self, X):
            return (X.flatten(1)[:, None] * self.weight).sum(dim=2)

    return Hidden()
"""
    assert contest.check(source).flops == 0


def test_not_noticed_a_progress_file_that_was_deleted(tmp_path):
    contest.open_test(contest.run(WEAK, 0.1))
    (tmp_path / "progress.json").unlink()
    assert handing_in.look(handing_in.read(handed_in(tmp_path))) == []


def test_not_noticed_an_edit_smaller_than_two_machines_differ(tmp_path):
    path = handed_in(tmp_path)
    content = handing_in.read(path)
    up = 1 if max(content["theirs"]) < 1 else -1  # one image more: 0.004 of 250
    content["theirs"] = [round(250 * value + up) / 250 for value in content["theirs"]]
    result = handing_in.result_of(content)
    content.update(card=handing_in.example_card(result, "mine"), verdict=result.words)
    content["seal"] = handing_in.seal(content)
    path.write_text(json.dumps(content))
    assert handing_in.mark(path) == []


def test_not_noticed_practice_on_the_contests_seeds(tmp_path):
    for rate in (0.05, 0.1, 0.2):
        contest.practise(MINE, rate, (0, 1))
    assert handing_in.read(handed_in(tmp_path))["contests"] == 1


# Bad input gets one sentence.

@pytest.mark.parametrize(("text", "words"), [
    ("", "no JSON file"), ("[1, 2]", "not what hand_in writes"), ("{}", "name, rules, .* missing"),
    ("\x00", "no JSON file"), ("null", "not what hand_in writes")])
def test_what_is_no_such_file_gets_a_sentence(text, words, tmp_path):
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(contest.ContestError, match=words):
        handing_in.mark(path)


@pytest.mark.parametrize(("part", "value", "words"), [
    ("name", 3, "name is 3, and str is wanted"), ("ours", "many", "ours is 'many'"),
    ("ours", [0.5, "x"], "numbers from 0 to 1"), ("theirs", [0.5, 7], "numbers from 0 to 1"),
    ("flops", True, "flops is True"), ("scale", "huge", "scale 'huge' is unknown")])
def test_a_part_of_another_kind_gets_a_sentence(part, value, words, tmp_path):
    with pytest.raises(contest.ContestError, match=words):
        handing_in.mark(handed_in(tmp_path, **{part: value}))


def test_too_few_accuracies_get_a_sentence(tmp_path):
    faults = handing_in.mark(handed_in(tmp_path, test_theirs=[0.5]))
    assert any("not one accuracy a seed" in fault for fault in faults)


@pytest.mark.parametrize("rate", [0, -0.1, True, "0.1", None, float("nan"), 1000])
def test_a_strange_learning_rate_gets_a_sentence(rate):
    with pytest.raises(contest.ContestError, match="the learning rate is"):
        contest.run(MINE, rate)


@pytest.mark.parametrize(("design", "words"), [
    (3, "a function is wanted"), (torch.nn.Linear(2, 3), "a function is wanted"),
    ("x = 3", "a design is one function"), ("def f(:", "is not Python"),
    ("def f(a):\n    return a", "has arguments"),
    ("def f():\n    return 3", "the design returns int"),
    ("def f():\n    return nn.Linear()", "raises TypeError when it is built"),
    ("def f():\n    return nn.Linear(3, 4)", "does not take a batch"),
    ("def f():\n    return nn.Flatten()", r"8 images give \(8, 784\)")])
def test_what_is_no_design_gets_a_sentence(design, words):
    with pytest.raises(contest.ContestError, match=words):
        contest.check(design)


def test_a_card_with_faults_is_not_handed_in(tmp_path):
    result = contest.open_test(contest.run(MINE, 0.1))
    with pytest.raises(contest.ContestError, match="no part '## What it is'"):
        handing_in.hand_in(result, "# Card", path=tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_source_from_a_file_and_a_source_as_text_are_one_design():
    text = contest.source_of(contest.ours)
    assert contest.cost_of(contest.ours) == contest.cost_of(text)
    assert contest.source_of(text) is text


def test_the_starting_points_keep_the_budget():
    lesson = (LESSONS / "18_yours" / "lesson.md").read_text(encoding="utf-8")
    found = {}
    for cell in lesson.split("```python\n")[1:]:
        code = cell.partition("\n```")[0] + "\n"
        if code.startswith("def ") and "nn.Linear" in code and "return ..." not in code:
            found[code[4:code.index("(")]] = contest.check(code)
    assert {*found} == {"bottleneck", "residual", "depthwise"}
    assert all(cost.flops <= contest.FLOPS for cost in found.values())
    assert d2lvgg.pick_scale().name == "smoke"
