"""The file to hand in: written by a student, read, judged and run anew by whoever marks it.

    python lessons/18_yours/handing_in.py yours.json                  reads it and runs it anew
    python lessons/18_yours/handing_in.py yours.json --read-only      trains nothing: seconds
    python lessons/18_yours/handing_in.py yours.json --seeds 100 101 102 103 104

The last also races the design with seeds that the student could not know. A design is a stranger's
code, and even counting its FLOPs runs it: look at "source" first (sieve.py keeps out slips and easy
cheats, no more).
"""

import argparse
import hashlib
import json
from pathlib import Path
from statistics import mean

import d2lvgg
from d2lvgg.exercises import of_lesson

contest = of_lesson("18", "contest")
ContestError = contest.ContestError

WHERE = Path("runs/yours.json")
NEAR = 0.01  # two machines round differently: means over five seeds may differ by so much
PARTS = ("What it is", "What I expected", "What it is for", "How it was measured", "Result",
         "Where it fails")
FIELDS = {"name": str, "rules": str, "source": str, "rate": float, "scale": str, "seeds": list,
          "flops": int, "params": int, "seconds": float, "ours": list, "theirs": list,
          "test_ours": list, "test_theirs": list, "contests": int, "opened": int, "verdict": str,
          "machine": str, "card": str, "seal": str}


def rules():
    """Return a short text that changes with the contest's rules, its data and our network."""
    said = [contest.FLOPS, contest.SECONDS, contest.RATE, contest.SETTINGS,
            contest.source_of(contest.ours), contest.source_of(contest.trained.__wrapped__)]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:12]


def seal(content):
    """Return a fingerprint of a file's content, its seal left out: it finds careless edits."""
    text = json.dumps({name: content[name] for name in sorted(content) if name != "seal"})
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def card_faults(card, result):
    """Return a sentence for each fault of a model card, a text, of a contest.Result."""
    if not isinstance(card, str):
        return [f"a card is a text, and this is {type(card).__name__}"]
    found, parts = [], {}
    for part in ("\n" + card).split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        parts[heading.strip()] = text.strip()
    found += [f"the card has no part '## {part}'" for part in PARTS if part not in parts]
    if "..." in card or "…" in card:
        found.append("the card has dots where you have to write something")
    found += [f"the part '## {part}' says too little: {len(parts[part].split())} words, and 8 are "
              "the least" for part in PARTS if part in parts and len(parts[part].split()) < 8]
    told = parts.get("Result", "")
    if result.test_theirs and f"{mean(result.test_theirs):.3f}" not in told:
        if f"{mean(result.theirs):.3f}" in told:
            found.append("the accuracy under Result is the held-out images': a card reports that "
                         "of the test set, with three decimals")
        elif f"{100 * mean(result.test_theirs):.1f}" in told:
            found.append("the accuracy under Result is percent: a fraction is wanted, with three "
                         "decimals, as everywhere in the course")
        else:
            found.append("Result does not hold the design's mean accuracy on the test set, with "
                         "three decimals")
    elif not result.test_theirs:
        found.append("the test set has not been opened for this design")
    verdict = result.verdict
    said = [words for words in ("ahead of ours", "behind ours", "not decided") if words in told]
    if said != [result.words]:
        found.append(f"Result says {' and '.join(map(repr, said)) or 'no verdict'}, and this is "
                     f"not what the interval on held-out images allows: say 'ahead of ours' where "
                     "all of it is above zero, 'behind ours' where all of it is below, else 'not "
                     "decided', and one of them alone")
    missing = [number for number in (verdict.low, verdict.high) if f"{number:+.3f}" not in told]
    if missing:
        found.append("Result does not hold both ends of the interval on held-out images, with a "
                     "sign and three decimals")
    return found


def example_card(result, name):
    """Return the model card of the lesson's example, a starting point that did best in practice."""
    verdict = result.verdict
    return f"""\
# Model card: {name}

## What it is
A network for grey images of clothes, 28 x 28 pixels, ten classes: {result.params:,} parameters, \
{result.flops:,} FLOPs per image, learning rate {result.rate}. Its blocks are the starting point \
"{name}" of lesson 18.

## What I expected
Ahead of ours, but by less than in practice: it was chosen because it did best of three there.

## What it is for
To learn how two designs are compared. Not for photographs, and not for anything on which somebody \
depends: it has seen {contest.SETTINGS[result.scale].num_train:,} images.

## How it was measured
Seeds {result.seeds}, each with our network on the same images in the same order, then on images \
held out. A rehearsal: three designs in practice, one entered.

## Result
Held-out images: {result.words}, {verdict.mean:+.3f} on average, 95 % interval {verdict.low:+.3f} \
to {verdict.high:+.3f}. Test set: accuracy {mean(result.test_theirs):.3f}, ours \
{mean(result.test_ours):.3f}.

## Where it fails
On shirts, as lesson 10 saw of other networks, most likely; nobody has looked at the mistakes of \
this one. With more images or more epochs the order of the two may be another.
"""


def hand_in(result, card, name="", path=WHERE):
    """Write the file to hand in and return its path. Raises ContestError on a faulty card."""
    if faults := card_faults(card, result):
        raise ContestError("; ".join(faults))
    content = {**result._asdict(), "name": str(name), "rules": rules(), "verdict": result.words,
               "machine": d2lvgg.describe_machine()["device"], "card": card}
    content["seal"] = seal(content)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(path):
    """Return a handed-in file as a dict. Raises ContestError where it is no such file."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ContestError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ContestError(f"{path} is no JSON file, or damaged: hand in the file that hand_in "
                           "wrote, as it is") from None
    if not isinstance(content, dict) or (missing := [part for part in FIELDS
                                                     if part not in content]):
        raise ContestError(f"{path} is not what hand_in writes"
                           + (f": {', '.join(missing)} is missing" if isinstance(content, dict)
                              else ""))
    for part, kind in FIELDS.items():
        right = isinstance(content[part], (int, float) if kind is float else kind)
        if not right or isinstance(content[part], bool):
            raise ContestError(f"{path}: {part} is {content[part]!r:.60}, and {kind.__name__} is "
                               "wanted")
    for part in ("ours", "theirs", "test_ours", "test_theirs"):
        if not all(type(value) in (int, float) and 0 <= value <= 1 for value in content[part]):
            raise ContestError(f"{path}: {part} holds {content[part]!r:.60}: numbers from 0 to 1 "
                               "are wanted")
    if content["scale"] not in contest.SETTINGS:
        raise ContestError(f"{path}: the scale {content['scale']!r} is unknown")
    return content


def result_of(content):
    """Return what a file holds as a contest.Result."""
    return contest.Result(*(content[name] for name in contest.Result._fields))


def refusal(content):
    """Return why a file's design cannot take part, '' if it can."""
    try:
        contest.check(content["source"])
        contest.check_rate(content["rate"])
    except ContestError as error:
        return str(error)
    return ""


def look(content):
    """Return a sentence for each fault of a file's content that is seen without running it."""
    chosen, result, found = contest.SETTINGS[content["scale"]], result_of(content), []
    if content["seal"] != seal(content):
        found.append("the file was changed after it was written: the seal does not fit")
    if content["rules"] != rules():
        found.append("it was made under other rules than this contest's")
    if result.seeds != list(chosen.seeds):
        found.append(f"the seeds are {result.seeds}: the contest's are {list(chosen.seeds)}, and "
                     "nobody chooses them")
    lengths = {len(result.ours), len(result.theirs), len(result.test_ours),
               len(result.test_theirs)}
    if lengths != {len(chosen.seeds)}:
        return [*found, "there is not one accuracy a seed for each network and each set"]
    for values, images in ((result.ours + result.theirs, chosen.num_held_out),
                           (result.test_ours + result.test_theirs, chosen.num_test)):
        if odd := [value for value in values if abs(value * images - round(value * images)) > 1e-6]:
            found.append(f"an accuracy of {odd[0]} cannot be: it is no fraction of {images:,}")
    if content["verdict"] != result.words:
        found.append(f"it claims to be {content['verdict']}, and its own accuracies say "
                     f"{result.words}: {result.verdict}")
    if result.seconds > contest.SECONDS:
        found.append(f"its trainings took {result.seconds} s: {contest.SECONDS} are allowed")
    if refused := refusal(content):
        found.append(refused)
    elif (cost := contest.check(result.source)) != (result.flops, result.params):
        found.append(f"it says {result.flops:,} FLOPs and {result.params:,} parameters, and "
                     f"counted anew there are {cost.flops:,} and {cost.params:,}")
    if not (result.contests and result.opened):
        found.append("it was a rehearsal: its contest and its test were not counted")
    if result.opened > 1:
        found.append(f"the test set was opened for {result.opened} designs: once is the rule")
    return found + card_faults(content["card"], result)


def run_anew(content):
    """Train both networks anew; return a sentence for each mean that does not come again."""
    chosen, result, found = contest.SETTINGS[content["scale"]], result_of(content), []
    contest.check(result.source)
    pairs = ((contest.source_of(contest.ours), contest.RATE, "ours", result.ours, result.test_ours),
             (result.source, result.rate, "the design", result.theirs, result.test_theirs))
    for source, rate, who, *stated in pairs:
        nets = [contest.trained.__wrapped__(source, rate, seed, chosen)[0] for seed in chosen.seeds]
        for part, values in zip(("held-out", "test"), stated, strict=True):
            again = mean(d2lvgg.evaluate_accuracy(net, contest.images(part, chosen))
                         for net in nets)
            if abs(again - mean(values)) > NEAR:
                found.append(f"{who}: a mean {part} accuracy of {mean(values):.4f} is stated, and "
                             f"trained anew it is {again:.4f}")
    return found


def with_seeds(content, seeds):
    """Return the verdict of a race on held-out images with seeds that the marker chose."""
    chosen, result = contest.SETTINGS[content["scale"]], result_of(content)
    theirs, _ = contest.accuracies(result.source, result.rate, seeds, "held-out", chosen)
    base, _ = contest.accuracies(contest.source_of(contest.ours), contest.RATE, seeds, "held-out",
                                 chosen)
    return d2lvgg.compare_paired(theirs, base)


def mark(path, rerun=True, seeds=()):
    """Print what a file holds and what is wrong with it; return the faults as sentences.

    rerun trains both networks anew, a minute or two at laptop scale; seeds are the marker's own.
    Raises ContestError where the file cannot be read.
    """
    content = read(path)
    result, faults = result_of(content), look(content)
    runs = not refusal(content) and len(result.test_ours) == len(result.ours)
    print(f"{content['name'] or 'no name'}: {result.flops:,} FLOPs per image, {result.params:,} "
          f"parameters, {result.seconds:.0f} s on {content['machine']}")
    if content["scale"] == "smoke":
        print("A rehearsal, made at smoke scale: its numbers mean nothing.")
    print(f"designs raced: {result.contests}; test set opened for: {result.opened}")
    if len(result.ours) == len(result.theirs) > 1:
        print(f"held-out images: {result.verdict}: {result.words}")
    if rerun and runs:
        faults += run_anew(content)
    if seeds and runs:
        own = with_seeds(content, tuple(seeds))
        print(f"seeds {' '.join(map(str, seeds))}: {own}: {contest.words_of(own)}")
    none = "No fault found" + (", and its numbers came again." if rerun
                               else "; nothing was trained.")
    print(*[f"- {fault}" for fault in faults] or [none], sep="\n")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="the file that was handed in")
    parser.add_argument("--read-only", action="store_true", help="run nothing")
    parser.add_argument("--seeds", type=int, nargs="+", default=(), help="your own, two or more")
    options = parser.parse_args()
    try:
        return int(bool(mark(options.path, not options.read_only, options.seeds)))
    except ContestError as error:
        print(error)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
