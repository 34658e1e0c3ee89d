"""Conclusions from measured numbers: as an examiner accepts them, beside the saved run's."""

import json
import os
from typing import NamedTuple

from .exercises import LESSONS

SAVED = LESSONS / "saved.json"  # {claim: the numbers that it was drawn from when it was built}


class Difference(NamedTuple):
    """The mean of paired differences, and the 95 % interval around it."""

    mean: float
    low: float
    high: float
    pairs: int

    def __repr__(self):
        return (f"{self.mean:+.4f} on average over {self.pairs} pairs, 95 % interval "
                f"{self.low:+.4f} to {self.high:+.4f}")


def compare_paired(ours, theirs):
    """Return by how much ours is above theirs, with a 95 % interval by Student's t.

    ours and theirs are equally long lists of numbers; each pair shares all but the one change
    (the seed, the data). Raises ValueError for fewer than two pairs, or lists of two lengths.
    Source: Student, The Probable Error of a Mean, 1908.
    """
    from scipy.stats import ttest_rel

    if len(ours) != len(theirs) or len(ours) < 2:
        raise ValueError(f"{len(ours)} and {len(theirs)} numbers: give as many of each, at least 2")
    low, high = map(float, ttest_rel(ours, theirs).confidence_interval())
    return Difference((low + high) / 2, low, high, len(ours))


def conclude(claim, holds, numbers):
    """Tell what the saved run's numbers were and what these are; raise nothing in a reader's run.

    claim is the sentence of the text, numbers what it is drawn from, as text. When the notebooks
    are built ($D2LVGG_BUILD), holds must be true, and numbers become the saved run's.
    """
    saved = json.loads(SAVED.read_text(encoding="utf-8"))
    if building := os.environ.get("D2LVGG_BUILD"):
        assert holds, f"the text says that {claim}, and this run gave {numbers}"
        if building == "student":
            saved[claim] = numbers
            SAVED.write_text(json.dumps(saved, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{claim}: {'so it is here' if holds else 'not so here'}.\n"
          f"Saved run: {saved.get(claim, 'not built yet')}; yours: {numbers}")
