"""Conclusions from numbers: the interval is Student's, and a reader's run raises nothing."""

import json

import pytest

from d2lvgg import compare_paired, conclude, verdicts


def test_the_interval_is_students():
    # Student 1908, table of Cushny and Peebles: additional hours of sleep, ten patients.
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = compare_paired(second, first)
    assert found.mean == pytest.approx(1.58)
    assert (found.low, found.high) == pytest.approx((0.7001, 2.4599), abs=1e-4)
    assert str(found) == ("+1.5800 on average over 10 pairs, 95 % interval +0.7001 to +2.4599")
    assert compare_paired(first, second).high < 0


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], [2.0]), ([1.0, 2.0], [1.0]), ([], [])])
def test_too_few_pairs_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="give as many of each, at least 2"):
        compare_paired(ours, theirs)


@pytest.fixture
def saved(monkeypatch, tmp_path):
    path = tmp_path / "saved.json"
    path.write_text('{"old": "1"}')
    monkeypatch.setattr(verdicts, "SAVED", path)
    monkeypatch.delenv("D2LVGG_BUILD", raising=False)
    return path


def test_a_readers_run_is_told_beside_the_saved_one(saved, capsys, monkeypatch):
    monkeypatch.setenv("D2LVGG_BUILD", "student")
    conclude("deep beats wide", True, "0.9 against 0.8")
    monkeypatch.delenv("D2LVGG_BUILD")
    capsys.readouterr()
    conclude("deep beats wide", False, "0.7 against 0.8")
    assert capsys.readouterr().out == ("deep beats wide: not so here.\n"
                                       "Saved run: 0.9 against 0.8; yours: 0.7 against 0.8\n")
    assert json.loads(saved.read_text()) == {"old": "1", "deep beats wide": "0.9 against 0.8"}


@pytest.mark.parametrize("edition", ["student", "solutions"])
def test_a_build_whose_text_is_wrong_fails(saved, monkeypatch, edition):
    monkeypatch.setenv("D2LVGG_BUILD", edition)
    with pytest.raises(AssertionError, match="the text says that deep beats wide, and this run"):
        conclude("deep beats wide", False, "0.7 against 0.8")
    assert json.loads(saved.read_text()) == {"old": "1"}
