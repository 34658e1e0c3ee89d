"""The benchmarks' arithmetic, and that their results say what they were measured on."""

import itertools
import json
import statistics
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import train_speed  # noqa: E402

SPEED = [path for path in sorted((ROOT / "benchmarks" / "results").glob("*.json"))
         if "sizes" in json.loads(path.read_text())]


def test_work_is_that_of_a_training_step():
    flops, numbers = train_speed.work_of(224)
    # Forward 1.024 GFLOP; three times that, but for the first layer's input.
    assert flops / 1e9 == pytest.approx(3.06, abs=0.01)
    assert numbers == sum(row.output_shape.numel() for row in train_speed.d2lvgg.trace_shapes(
        train_speed.new_net(224), (1, 1, 224, 224), expand=True))


def test_the_books_loader_reads_what_the_benchmark_wrote(tmp_path):
    arrays, _ = train_speed.find_fashion_mnist("sketch")
    folder = train_speed.write_book_files(arrays, tmp_path, 20, 10)
    train_iter, test_iter = train_speed.book_loaders(28, None, folder, None)
    assert (len(train_iter.dataset), len(test_iter.dataset)) == (20, 10)
    pictures = train_iter.dataset.data.numpy()
    assert (pictures == arrays["train-images-idx3-ubyte"][:20]).all()


@pytest.mark.parametrize("path", SPEED, ids=lambda path: path.stem)
def test_results_follow_from_the_recorded_rounds(path):
    result = json.loads(path.read_text())
    assert result["commit"] != "unknown"
    assert {"device", "torch", "Python", "CPU cores for torch"} <= set(result["machine"])
    assert set(result["sizes"]) == {"224", "64"}
    for found in result["sizes"].values():
        assert found["rounds"] >= 5
        rounds = found["seconds of each round"]
        book, *_, ours = rounds.values()
        ratios = [a / b for a, b in zip(book, ours, strict=True)]
        assert len(ratios) == found["rounds"]
        assert found["ratio of the book's seconds to ours"] == {
            "median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
        for name, times in rounds.items():
            rates = [found["train pictures"] / t for t in times]
            assert found["examples/s"][name]["median"] == pytest.approx(statistics.median(rates))


def test_lesson_15_reads_the_waterfall_rightly():
    sizes = json.loads((train_speed.RESULTS / "cpu.json").read_text())["sizes"]
    gains = {}
    for size, found in sizes.items():
        medians = [rate["median"] for rate in found["examples/s"].values()]
        gains[size] = [after / before for before, after in itertools.pairwise(medians)]
    loop, loader, layout, precision, memory = gains["224"]
    assert max(loop, loader) < 1.1
    assert min(layout, precision, memory) > 1.5
    loop, loader, layout, precision, memory = gains["64"]
    assert 1.25 < loader < 1.4
    assert layout < 1.1
    assert min(precision, memory) > 1.25


def test_there_is_a_result_of_a_processor():
    assert "cpu" in [path.stem for path in SPEED]
